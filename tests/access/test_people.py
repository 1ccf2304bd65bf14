"""People hold roles in departments; three duties are never held by one person."""

import threading
from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from jingwei import access, ledger
from jingwei.access import signing_in
from jingwei.access.errors import (
    LastHolderError,
    OwnRoleError,
    SeparatedPersonError,
    SeparationError,
    SetupPendingError,
)
from jingwei.access.models import DutyRow
from jingwei.access.roles import SEPARATED, UnknownRoleError
from jingwei.errors import BadRequestError, ConflictError, NotFoundError
from jingwei.records import now_utc

BUREAU = "11430000006122244L"
OTHER = "11100000000013338W"


@pytest.fixture
def bureaus(records, me):
    with records.write() as session:
        access.add_department(session, me, BUREAU, "城管局")
        access.add_department(session, me, OTHER, "交通局")


def test_a_person_holds_several_roles_in_several_departments(records, me, wang, bureaus):
    with records.write() as session:
        access.give_role(session, me, wang, "staff", BUREAU)
        access.give_role(session, me, wang, "department_head", OTHER)
        access.give_role(session, me, wang, "evaluator")
        access.give_role(session, me, wang, "staff", BUREAU)
        asker = access.asker_of_person(session, wang)
    assert asker.duties == {("staff", BUREAU), ("department_head", OTHER), ("evaluator", "")}
    assert asker.roles == {"staff", "department_head", "evaluator"}
    assert asker.departments == {BUREAU, OTHER}


def test_scopes_tell_apart_who_holds_which_role_where(records, me, wang, bureaus):
    with records.write() as session:
        li = access.add_person(session, me, "li", "李明")
        for person, first, second in ((wang, BUREAU, OTHER), (li, OTHER, BUREAU)):
            access.give_role(session, me, person, "staff", first)
            access.give_role(session, me, person, "department_head", second)
        assert access.asker_of_person(session, wang).scope != access.asker_of_person(session, li).scope


@pytest.mark.parametrize(("held", "wanted"), list(permutations(sorted(SEPARATED), 2)))
def test_no_one_holds_two_of_the_three_separated_duties(records, me, wang, held, wanted):
    with records.write() as session:
        access.give_role(session, me, wang, held)
        access.give_role(session, me, access.add_person(session, me, "li", "李明"), held)
        with pytest.raises(SeparationError):
            access.give_role(session, me, wang, wanted)
    with records.write() as session:
        access.take_role(session, me, wang, held)
        access.give_role(session, me, wang, wanted)


def test_the_database_itself_keeps_the_duties_apart(records, me, wang):
    rows = [
        {"person": wang, "role": role, "department": "", "outside": False} for role in sorted(SEPARATED)[:2]
    ]
    with pytest.raises(IntegrityError), records.write() as session:
        session.execute(insert(DutyRow), rows)


def test_two_administrators_at_once_cannot_give_two_separated_duties(records, me, wang):
    start, failures = threading.Barrier(3), []

    def give(role):
        start.wait()
        try:
            with records.write() as session:
                access.give_role(session, me, wang, role)
        except (SeparationError, IntegrityError) as error:
            failures.append(error)

    threads = [threading.Thread(target=give, args=(role,)) for role in SEPARATED]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failures) == 2
    with records.read() as session:
        assert len(access.asker_of_person(session, wang).roles) == 1


def test_separated_duties_are_for_the_whole_city(records, me, wang, bureaus):
    with records.write() as session, pytest.raises(BadRequestError):
        access.give_role(session, me, wang, "auditor", BUREAU)


def test_a_role_may_end_by_itself(records, me, wang):
    with records.write() as session:
        access.give_role(session, me, wang, "operator", until=now_utc() + timedelta(hours=1))
        access.give_role(session, me, wang, "evaluator", until=now_utc() - timedelta(seconds=1))
        assert access.asker_of_person(session, wang).roles == {"operator"}


def test_what_is_not_there_is_an_error(records, me, wang):
    with records.write() as session:
        with pytest.raises(UnknownRoleError):
            access.give_role(session, me, wang, "king")
        with pytest.raises(NotFoundError):
            access.give_role(session, me, "nobody", "staff")
        with pytest.raises(NotFoundError):
            access.give_role(session, me, wang, "staff", BUREAU)
        with pytest.raises(NotFoundError):
            access.take_role(session, me, wang, "staff")
        with pytest.raises(ConflictError):
            access.add_person(session, me, " WANG ", "王伟")
        with pytest.raises(BadRequestError):
            access.add_person(session, me, "x", " ")


def test_people_are_found_and_paged(records, me, wang):
    with records.write() as session:
        for n in range(5):
            access.add_person(session, me, f"p{n}", f"人员{n}")
        page = access.people(session, limit=3)
        assert [one.login for one in page] == ["p0", "p1", "p2"]
        assert [one.login for one in access.people(session, after="p2")] == ["p3", "p4", "wang"]
        assert [one.id for one in access.people(session, search="王")] == [wang]
        assert access.people(session, search="%") == []


def test_the_log_never_tells_a_name(records, me, wang):
    with records.write() as session:
        access.give_role(session, me, wang, "staff")
        for event in ledger.events_of(session, f"person/{wang}"):
            assert "王" not in str(event.data)
            assert "wang" not in (event.subject + str(event.data))


def test_the_last_holder_of_a_separated_duty_keeps_it_until_there_is_a_successor(records, me, wang):
    with records.write() as session:
        access.give_role(session, me, wang, "auditor")
        with pytest.raises(LastHolderError):
            access.take_role(session, me, wang, "auditor")
        access.give_role(session, me, access.add_person(session, me, "li", "李明"), "auditor")
        access.take_role(session, me, wang, "auditor")
        access.set_disabled(session, me, wang, disabled=True)


def test_an_administrator_is_not_disabled_before_the_duty_is_taken(records, me, wang):
    with records.write() as session:
        access.give_role(session, me, wang, "security_administrator")
        with pytest.raises(SeparatedPersonError):
            access.set_disabled(session, me, wang, disabled=True)


def test_nobody_gives_a_role_to_oneself(records, me, wang):
    with records.write() as session:
        access.give_role(session, me, wang, "security_administrator")
        asker = access.asker_of_person(session, wang)
        with pytest.raises(OwnRoleError):
            access.give_role(session, asker, wang, "staff")


def test_a_separated_duty_waits_until_the_person_has_set_a_password(records, me):
    """Whoever gave the setup code could use it, and hold the duty."""
    with records.write() as session:
        li = access.add_person(session, me, "li", "李明")
        code = signing_in.new_setup_code(session, me, li)
        access.give_role(session, me, li, "staff")
        with pytest.raises(SetupPendingError):
            access.give_role(session, me, li, "auditor")
        signing_in.set_first_password(session, code, "correct horse battery staple")
        access.give_role(session, me, li, "auditor")


def test_the_first_security_administrator_is_appointed_and_only_the_first(records, me, wang):
    with records.write() as session:
        assert not access.has_security_administrator(session)
        access.appoint(session, me, wang)
        assert access.has_security_administrator(session)
        with pytest.raises(ConflictError):
            access.appoint(session, me, access.add_person(session, me, "li", "李明"))


def test_people_are_found_by_role_and_department(records, me, wang, bureaus):
    with records.write() as session:
        access.give_role(session, me, wang, "staff", BUREAU)
        access.give_role(session, me, wang, "evaluator")
        access.add_person(session, me, "li", "李明")
        for found in (
            access.people(session, role="staff"),
            access.people(session, department=BUREAU),
            access.people(session, role="staff", department=BUREAU),
        ):
            assert [one.id for one in found] == [wang]
            assert {duty.role for duty in found[0].duties} == {"staff", "evaluator"}
        assert access.people(session, role="evaluator", department=BUREAU) == []
