"""Departments are a tree, named by their unified social credit codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei import access
from jingwei.access.departments import ALPHABET, check_code
from jingwei.access.errors import DepartmentCodeError
from jingwei.errors import ConflictError, NotFoundError

# The issuing authorities in the examples of GB/T 36904.
CITY, BUREAU = "11100000000013338W", "11430000006122244L"
SECTION = "11440300000000001J"


def code_of(number):
    for last in ALPHABET:
        try:
            check_code(f"1133010600{number:07d}{last}")
        except DepartmentCodeError:
            continue
        return f"1133010600{number:07d}{last}"
    raise AssertionError(number)


def test_the_codes_of_real_authorities_are_accepted():
    check_code(CITY)
    check_code(BUREAU)


@given(st.integers(0, 17), st.sampled_from(ALPHABET))
def test_a_wrong_character_is_found(at, character):
    if BUREAU[at] == character:
        return
    with pytest.raises(DepartmentCodeError):
        check_code(BUREAU[:at] + character + BUREAU[at + 1 :])


@pytest.mark.parametrize("bad", ["", "1" * 17, BUREAU + "1", BUREAU.lower(), "I" * 18])
def test_what_is_no_code_is_refused(bad):
    with pytest.raises(DepartmentCodeError):
        check_code(bad)


@pytest.fixture
def tree(records, me):
    """city > bureau > two sections."""
    codes = [code_of(n) for n in range(4)]
    with records.write() as session:
        access.add_department(session, me, codes[0], "市政府")
        access.add_department(session, me, codes[1], "城管局", parent=codes[0])
        access.add_department(session, me, codes[2], "市容科", parent=codes[1])
        access.add_department(session, me, codes[3], "环卫科", parent=codes[1])
    return codes


def test_a_department_is_found_with_all_below_it(records, tree):
    with records.read() as session:
        assert access.with_those_below(session, frozenset({tree[1]})) == frozenset(tree[1:])
        assert access.with_those_below(session, frozenset({tree[3]})) == {tree[3]}
        assert [one.title for one in access.departments(session)] == ["市政府", "城管局", "市容科", "环卫科"]


def test_a_department_cannot_be_below_itself(records, me, tree):
    with records.write() as session, pytest.raises(ConflictError, match="below itself"):
        access.change_department(session, me, tree[0], title="市政府", parent=tree[3])


def test_a_department_is_added_once_and_below_one_that_exists(records, me, tree):
    with records.write() as session:
        with pytest.raises(ConflictError):
            access.add_department(session, me, tree[0], "again")
        with pytest.raises(NotFoundError):
            access.add_department(session, me, code_of(9), "x", parent=code_of(8))


def test_a_department_with_people_or_parts_is_not_closed(records, me, tree, wang):
    with records.write() as session:
        with pytest.raises(ConflictError):
            access.close_department(session, me, tree[1])
        access.give_role(session, me, wang, "staff", tree[2])
        with pytest.raises(ConflictError):
            access.close_department(session, me, tree[2])
        access.take_role(session, me, wang, "staff", tree[2])
        access.close_department(session, me, tree[2])
        with pytest.raises(NotFoundError):
            access.give_role(session, me, wang, "staff", tree[2])
