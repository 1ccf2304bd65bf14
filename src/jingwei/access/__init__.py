"""Who may see or do what, and why."""

from jingwei.access.asker import Asker, local_person
from jingwei.access.departments import (
    Department,
    add_department,
    change_department,
    close_department,
    departments,
    with_those_below,
)
from jingwei.access.people import (
    WHOLE_CITY,
    Duty,
    Person,
    add_person,
    asker_of_person,
    give_role,
    people,
    person,
    set_disabled,
    take_role,
)
from jingwei.access.roles import declare_role, roles

__all__ = [
    "WHOLE_CITY",
    "Asker",
    "Department",
    "Duty",
    "Person",
    "add_department",
    "add_person",
    "asker_of_person",
    "change_department",
    "close_department",
    "declare_role",
    "departments",
    "give_role",
    "local_person",
    "people",
    "person",
    "roles",
    "set_disabled",
    "take_role",
    "with_those_below",
]
