"""The government: a tree of departments with valid codes, and staff of every role."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from jingwei.access.departments import check_code
from jingwei.access.roles import SEPARATED, roles
from jingwei.city.demo import lay_out, settings_of, tiny_town
from jingwei.city.demo.departments import (
    COLLECTORS_PER_COMMUNITY,
    Government,
    form_government,
    read_government,
)
from jingwei.city.demo.files_places import write_places
from jingwei.city.demo.pack import Pack


@pytest.fixture(scope="module")
def government() -> Government:
    return form_government(lay_out(settings_of("S", 2)))


def test_departments_are_one_tree_with_codes_that_access_accepts(government: Government) -> None:
    known: set[str] = set()
    for department in government.departments.values():
        check_code(department.code)
        assert (department.parent in known) if known else not department.parent, department.key
        known.add(department.code)
    assert len(known) == len(government.departments)


def test_every_role_of_the_staff_is_one_that_access_knows(government: Government) -> None:
    held = {person.role for person in government.staff}
    assert held <= set(roles())
    assert held == {
        *SEPARATED,
        "department_head",
        "staff",
        "operator",
        "grid_officer",
        "evaluator",
    }


def test_the_three_administrators_sit_in_three_departments(government: Government) -> None:
    seats = [person.department for person in government.staff if person.role in SEPARATED]
    assert len(seats) == len(set(seats)) == len(SEPARATED)


def test_every_department_has_a_head_and_every_community_its_officers(government: Government) -> None:
    codes = {department.code for department in government.departments.values()}
    heads = {person.department for person in government.staff if person.role == "department_head"}
    assert heads == codes
    officers = Counter(person.area for person in government.staff if person.role == "grid_officer")
    assert len(officers) == 18
    assert set(officers.values()) == {COLLECTORS_PER_COMMUNITY}
    assert len({person.login for person in government.staff}) == len(government.staff)


def test_the_files_of_a_pack_tell_the_same_government(tmp_path: Path) -> None:
    town = tiny_town(4)
    write_places(Pack(tmp_path, town))
    assert read_government(tmp_path) == town.government
