"""Policies decide by person, department, role, purpose, resource, place and time, and say why."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei.access import Asker
from jingwei.access.policy import Policies, RefusedError, Resource, Situation

TREE = [("CITY", None), ("BUREAU", "CITY"), ("SECTION", "BUREAU")]
DATASET = Resource("Dataset", "d", {"owner": "BUREAU", "sharing": "conditional", "level": 2})


def person(*roles, departments=(), identifier="person/1"):
    duties = frozenset((role, department) for role in roles for department in departments or [""])
    return Asker(identifier, "某人", frozenset(roles), frozenset(departments), duties)


def allowed(text, asker, *, resource=DATASET, situation=None, action="dataset.read"):
    return Policies(text, 1, TREE).decide(asker, action, resource, situation).allowed


def test_nothing_is_allowed_that_no_policy_permits():
    assert not allowed("", person("staff"))


def test_what_is_forbidden_stays_so_whatever_permits_it():
    text = "permit (principal, action, resource); forbid (principal, action, resource) when { true };"
    assert not allowed(text, person("staff"))


@pytest.mark.parametrize(("department", "expected"), [("SECTION", True), ("BUREAU", True), ("CITY", False)])
def test_people_of_a_department_are_those_of_the_departments_below_it_too(department, expected):
    text = "permit (principal, action, resource) when { principal in resource.owner };"
    assert allowed(text, person("staff", departments=[department])) is expected


def test_a_role_counts_in_the_department_where_it_is_held():
    text = 'permit (principal in Duty::"department_head/BUREAU", action, resource);'
    both = Asker("p", "n", frozenset({"staff", "department_head"}), frozenset({"BUREAU", "CITY"}),
                 frozenset({("staff", "BUREAU"), ("department_head", "CITY")}))  # fmt: skip
    assert not allowed(text, both)
    assert allowed(text, person("department_head", departments=["BUREAU"]))


def test_purpose_time_and_place_count():
    text = 'permit (principal, action, resource) when { context.purpose == "防汛" };'
    assert allowed(text, person(), situation=Situation(purpose="防汛"))
    assert not allowed(text, person(), situation=Situation(purpose="好奇"))
    office = "context.hour >= 9 && context.hour < 17 && context.weekday < 6"
    text = f"permit (principal, action, resource) when {{ {office} }};"
    friday = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)  # 09:30 in the city
    assert allowed(text, person(), situation=Situation(time=friday))
    assert not allowed(text, person(), situation=Situation(time=friday.replace(hour=0)))
    assert not allowed(text, person(), situation=Situation(time=friday.replace(day=21)))
    text = "permit (principal, action, resource) when { context has cell && context.cell == 7 };"
    assert allowed(text, person(), situation=Situation(cell=7))
    assert not allowed(text, person())


def test_what_is_not_known_of_a_resource_is_not_shown():
    resource = Resource("Dataset", "d", {"owner": "BUREAU", "level": None, "sharing": "none"})
    assert not allowed("permit (principal, action, resource);", person(), resource=resource)


def test_a_refusal_says_which_rule_and_whom_to_ask_where_the_rule_says_so():
    text = """
    permit (principal, action, resource);
    @id("flood") @says("汛期数据须经批准") @ask("应急管理局")
    forbid (principal, action, resource) when { resource.sharing == "conditional" };
    """
    with pytest.raises(RefusedError) as caught:
        Policies(text, 1).check(person(), "dataset.read", DATASET)
    assert "汛期数据须经批准" in caught.value.what.zh
    assert "应急管理局" in caught.value.mend.zh
    assert caught.value.where == {"action": "dataset.read", "rules": ["flood"]}
    assert caught.value.status == 403


def test_a_refusal_tells_nothing_else():
    with pytest.raises(RefusedError) as caught:
        Policies('@id("x") forbid (principal, action, resource);', 1).check(person(), "dataset.read", DATASET)
    assert caught.value.mend is None
    assert caught.value.where == {"action": "dataset.read"}


FIELD = Resource(
    "Field", "phone", {"owner": "BUREAU", "sharing": "none", "level": 3, "personal": True, "dataset": "d"}
)


def test_the_rule_that_permits_most_says_how_a_field_is_shown():
    text = """
    @mask("hash") permit (principal in Role::"staff", action == Action::"field.read", resource);
    @mask("partial") permit (principal in Role::"operator", action == Action::"field.read", resource);
    permit (principal in Role::"department_head", action == Action::"field.read", resource);
    """
    policies = Policies(text, 1)
    shown = [policies.mask(person(*roles), FIELD) for roles in
             [(), ("staff",), ("staff", "operator"), ("staff", "department_head")]]  # fmt: skip
    assert shown == ["hidden", "hash", "partial", "clear"]


def test_an_unknown_mask_hides():
    text = '@mask("whatever") permit (principal, action == Action::"field.read", resource);'
    assert Policies(text, 1).mask(person(), FIELD) == "hidden"


def test_a_place_is_shown_to_the_finest_level_permitted():
    text = """
    @level("18") permit (principal, action == Action::"place.read", resource);
    @level("24") permit (principal in Role::"staff", action == Action::"place.read", resource);
    permit (principal in Role::"operator", action == Action::"place.read", resource);
    """
    policies = Policies(text, 1)
    levels = [policies.place_level(person(*roles), DATASET) for roles in [(), ("staff",), ("operator",)]]
    assert levels == [18, 24, 32]
    assert Policies("", 1).place_level(person(), DATASET) == 0


def test_two_of_one_scope_get_the_same_answer():
    text = 'permit (principal in Role::"staff", action, resource) when { principal in resource.owner };'
    policies = Policies(text, 7, TREE)
    one, two = (
        person("staff", departments=["BUREAU"]),
        person("staff", departments=["BUREAU"], identifier="person/2"),
    )
    assert policies.scope(one) == policies.scope(two)
    assert policies.scope(one) != Policies(text, 8, TREE).scope(one)
    assert policies.scope(one) != policies.scope(person("staff", departments=["SECTION"]))


@pytest.mark.parametrize(
    "text",
    [
        'permit (principal == Person::"person/1", action, resource);',
        "permit (principal, action, resource is Account) when { resource.person == principal };",
        'permit (principal, action, resource) when { principal == Person::"person/1" };',
    ],
)
def test_where_policies_name_individuals_each_has_a_scope_of_its_own(text):
    policies = Policies(text, 1)
    assert policies.scope(person("staff")) != policies.scope(person("staff", identifier="person/2"))


def test_a_token_narrows_what_its_person_may_do_and_widens_nothing():
    policies = Policies("permit (principal, action, resource);", 1, TREE)
    narrowed = Asker("person/1", "某人", only=frozenset({"dataset.list"}))
    assert policies.decide(narrowed, "dataset.list", DATASET).allowed
    assert not policies.decide(narrowed, "dataset.read", DATASET).allowed
    assert policies.rows(narrowed, "dataset.list", "Dataset").everything
    assert not policies.rows(narrowed, "dataset.read", "Dataset").residuals
    assert narrowed.scope != Asker("person/1", "某人").scope


TELLING_APART = """
@id("own") permit (principal, action == Action::"thing.read", resource)
when { resource has reporter && resource.reporter == principal };
@id("near") permit (principal in Role::"staff", action in [Action::"thing.read"], resource)
when { principal in resource.owner && resource.level < 2 };
@id("marked") permit (principal, action, resource)
when { resource.tags.contains("shown") && context.purpose == "audit" };
@id("never") forbid (principal, action, resource) when { resource.district like "closed*" };
"""
NAMING = [
    '@id("she") permit (principal == Person::"person/2", action, resource);',
    '@id("his") permit (principal, action, resource) when { resource.reporter == Person::"person/3" };',
    '@id("this") permit (principal, action, resource == Thing::"t2");',
    '@id("where") permit (principal, action, resource) when { resource has note && resource.note == "x" };',
]
people = st.sampled_from(["person/1", "person/2", "person/3"])
askers = st.builds(
    lambda name, roles, departments: person(*roles, departments=departments, identifier=name),
    people,
    st.sets(st.sampled_from(["staff", "auditor"]), max_size=2).map(sorted),
    st.sets(st.sampled_from(["CITY", "BUREAU", "SECTION"]), max_size=2).map(sorted),
)
things = st.builds(
    lambda name, attributes: Resource("Thing", name, attributes),
    st.sampled_from(["t1", "t2"]),
    st.fixed_dictionaries(
        {
            "owner": st.sampled_from(["CITY", "BUREAU"]),
            "level": st.integers(1, 2),
            "district": st.sampled_from(["open", "closed south"]),
            "open": st.booleans(),
            "tags": st.sampled_from([["shown"], []]),
            "reporter": st.one_of(st.none(), people),
            "note": st.sampled_from([None, "x"]),
        }
    ),
)


@given(
    st.sets(st.sampled_from(NAMING)),
    st.lists(st.tuples(askers, things, st.sampled_from(["", "audit"])), min_size=2, max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_what_was_decided_for_others_decides_only_for_who_cannot_be_told_apart(naming, questions):
    text = TELLING_APART + "".join(sorted(naming))
    kept = Policies(text, 1, TREE)
    for asker, thing, purpose in questions:
        situation = Situation(purpose)
        alone = Policies(text, 1, TREE).decide(asker, "thing.read", thing, situation)
        found = kept.decide(asker, "thing.read", thing, situation)
        assert (found.allowed, set(found.rules)) == (alone.allowed, set(alone.rules))
