"""Policies take effect only when they are valid and their own examples come out right."""

import pytest

import jingwei.cases.policy  # noqa: F401 - a part that brings rules and examples of its own
from jingwei import access, ledger
from jingwei.access.policy import RefusedError, Resource
from jingwei.access.policy.store import (
    BadPoliciesError,
    Example,
    PolicyKeeper,
    Stage,
    adopt,
    check_policies,
    default_policies,
    examine,
    versions,
)

CITY = Resource("City")
OPEN = "permit (principal, action, resource);"


def test_the_default_policies_are_valid_and_their_examples_come_out_right():
    default = default_policies()
    assert len(default.examples) >= 60
    check_policies(default.text, default.examples)


def test_the_examples_that_refuse_try_the_policies():
    """An example that refuses would be found out, if the policies were open."""
    default = default_policies()
    said = {example.says for example in default.examples}
    assert len(said) == len(default.examples)
    refused = [one for one in default.examples if not one.allowed or one.shown not in ("", "clear")]
    for one in refused:
        with pytest.raises(BadPoliciesError):
            check_policies(OPEN, [one])


def test_every_default_rule_is_kept_by_an_example():
    """An example that a rule alone permits fails without that rule; of the others that is tried."""
    default = default_policies()
    stage = Stage(default.text)
    decided = [stage.decision(example).rules for example in default.examples]
    alone = {rules[0] for rules in decided if len(rules) == 1}
    rules = default.text.split('@id("')
    assert len(rules) > 40
    for rule in rules[1:]:
        name = rule.split('"')[0]
        if name not in alone:
            without = '@id("'.join(one for one in rules if one is not rule)
            assert examine(without, default.examples).all_faults, f"no example is kept by {name}"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("permit (principal, action, resource)", "unexpected"),
        ('permit (principal, action == Action::"dataset.eat", resource);', "dataset.eat"),
        (
            'permit (principal, action == Action::"dataset.read", resource) when { resource.colour == 1 };',
            "colour",
        ),
        (
            'permit (principal, action == Action::"dataset.read", resource) when { resource.level == "x" };',
            "not compatible",
        ),
    ],
)
def test_what_is_not_valid_is_refused_with_the_reason(records, me, text, fault):
    with records.write() as session, pytest.raises(BadPoliciesError, match=fault):
        adopt(session, me, text, [])
    with records.read() as session:
        assert [version.number for version in versions(session)] == [0]


def test_policies_that_contradict_their_examples_are_refused(records, me):
    example = Example(says="nobody reads the log", action="log.read", resource="Log", allowed=False)
    with records.write() as session, pytest.raises(BadPoliciesError, match="nobody reads the log"):
        adopt(session, me, OPEN, [example])


@pytest.mark.parametrize(
    "example",
    [
        Example(says="x", action="log.eat", resource="Log", allowed=True),
        Example(says="x", action="log.read", resource="City", allowed=True),
        Example(says="x", action="dataset.read", resource="Dataset", allowed=False),
    ],
)
def test_an_example_that_means_nothing_is_a_fault(example):
    with pytest.raises(BadPoliciesError):
        check_policies(OPEN, [example])


def test_a_new_version_takes_effect_with_the_next_question(records, me, wang):
    keeper = PolicyKeeper(records)
    with records.read() as session:
        asker = access.asker_of_person(session, wang)
    with pytest.raises(RefusedError):
        keeper.current().check(asker, "people.manage", CITY)
    before = keeper.current()
    assert keeper.current() is before
    with records.write() as session:
        assert adopt(session, me, OPEN, []) == 1
    keeper.current().check(asker, "people.manage", CITY)
    with records.write() as session:
        assert adopt(session, me, "forbid (principal, action, resource);", []) == 2
    with pytest.raises(RefusedError):
        keeper.current().check(asker, "people.manage", CITY)
    with records.read() as session:
        assert [version.number for version in versions(session)] == [2, 1, 0]
        told = [event.data["version"] for event in ledger.events_of(session, "policies")]
    assert told == [2, 1]


def test_a_changed_tree_of_departments_takes_effect_with_the_next_question(records, me, wang):
    bureau, section = "11430000006122244L", "11100000000013338W"
    data = Resource("Dataset", "d", {"owner": bureau, "sharing": "none", "level": 1})
    keeper = PolicyKeeper(records)
    with records.write() as session:
        access.add_department(session, me, bureau, "局")
        access.add_department(session, me, section, "科")
        access.give_role(session, me, wang, "staff", section)
        asker = access.asker_of_person(session, wang)
    assert not keeper.current().decide(asker, "dataset.read", data).allowed
    with records.write() as session:
        access.change_department(session, me, section, title="科", parent=bureau)
    assert keeper.current().decide(asker, "dataset.read", data).allowed
