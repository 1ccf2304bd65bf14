"""People for whom another authority vouches come with its roles, and go without them."""

import pytest

from jingwei import access, ledger
from jingwei.access.errors import SeparationError, SignInError
from jingwei.access.outside import Vouched, person_vouched_for

BUREAU = "11430000006122244L"
ISSUER = "https://id.example"


def vouch(records, *duties, subject="s-1", login="zhao", name="赵敏", may_add=True):
    vouched = Vouched(ISSUER, subject, login, name, frozenset(duties))
    with records.write() as session:
        person = person_vouched_for(session, vouched, may_add=may_add)
        return person, access.asker_of_person(session, person)


@pytest.fixture
def bureau(records, me):
    with records.write() as session:
        access.add_department(session, me, BUREAU, "城管局")


def test_a_person_is_added_once_and_follows_the_authority(records, bureau):
    first, asker = vouch(records, ("staff", BUREAU), ("evaluator", ""))
    assert asker.duties == {("staff", BUREAU), ("evaluator", "")}
    again, asker = vouch(records, ("staff", BUREAU), name="赵敏敏", login="renamed")
    assert again == first
    assert (asker.duties, asker.name) == ({("staff", BUREAU)}, "赵敏敏")
    with records.read() as session:
        assert access.person(session, first).login == "zhao"


def test_roles_given_here_stay(records, me, bureau):
    person, _ = vouch(records, ("evaluator", ""))
    with records.write() as session:
        access.give_role(session, me, person, "staff", BUREAU)
    assert vouch(records)[1].duties == {("staff", BUREAU)}


def test_nobody_is_taken_for_a_person_of_that_name(records, wang):
    person, _ = vouch(records, login="wang")
    assert person != wang
    other, _ = vouch(records, subject="s-2", login="WANG")
    with records.read() as session:
        logins = [access.person(session, one).login for one in (wang, person, other)]
    assert logins == ["wang", "wang-2", "wang-3"]


def test_without_leave_nobody_is_added(records):
    with pytest.raises(SignInError):
        vouch(records, may_add=False)
    with records.read() as session:
        assert access.people(session) == []


def test_the_authority_cannot_bring_two_separated_duties_together(records, me):
    with pytest.raises(SeparationError):
        vouch(records, ("auditor", ""), ("system_administrator", ""))
    with records.read() as session:
        assert access.people(session) == []  # nothing was changed
    person, _ = vouch(records)
    with records.write() as session:
        access.give_role(session, me, person, "security_administrator")
    with pytest.raises(SeparationError):
        vouch(records, ("auditor", BUREAU))  # nor by way of a department


def test_a_duty_may_change_from_one_sign_in_to_the_next(records):
    vouch(records, ("auditor", ""))
    assert vouch(records, ("system_administrator", ""))[1].roles == {"system_administrator"}


def test_a_role_in_a_department_that_is_not_there_is_left_out(records):
    assert vouch(records, ("staff", BUREAU))[1].duties == frozenset()


def test_the_log_tells_no_name(records):
    person, _ = vouch(records, ("evaluator", ""))
    with records.read() as session:
        told = "".join(str(event.data) for event in ledger.events_of(session, f"person/{person}"))
    assert ISSUER in told
    assert not any(secret in told for secret in ("zhao", "赵敏", "s-1"))
