"""People as they travel, with their roles and departments in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from jingwei import access
from jingwei.access.roles import SEPARATED, roles
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Text


class DutyOut(BaseModel):
    """A role in a department, or for the whole city."""

    role: str
    title: TextOut
    department: str = Field(description="The department's code; empty for the whole city")
    department_title: str
    until: datetime | None
    outside: bool = Field(description="Whether it comes with a sign-in from outside, and goes with it")


class PersonOut(BaseModel):
    """A person with the roles held at this moment."""

    id: str
    login: str
    name: str
    disabled: bool
    has_password: bool
    has_second_factor: bool
    from_outside: bool = Field(description="Whether another authority vouches for this person")
    separated: bool = Field(description="Whether this is one of the three separated administrators")
    duties: list[DutyOut]


class RoleOut(BaseModel):
    """A role that can be given."""

    name: str
    title: TextOut
    separated: bool = Field(description="Whether nobody holds it together with another such role")


def people_out(session: Session, found: Sequence[access.Person]) -> list[PersonOut]:
    """Return people as they travel."""
    titles = access.titles_of(session, {duty.department for one in found for duty in one.duties})
    return [
        PersonOut(
            id=one.id,
            login=one.login,
            name=one.name,
            disabled=one.disabled,
            has_password=one.has_password,
            has_second_factor=one.has_second_factor,
            from_outside=one.from_outside,
            separated=one.separated,
            duties=[_duty_out(duty, titles) for duty in one.duties],
        )
        for one in found
    ]


def duties_out(session: Session, duties: Sequence[access.Duty]) -> list[DutyOut]:
    """Return a person's duties as they travel."""
    titles = access.titles_of(session, {duty.department for duty in duties})
    return [_duty_out(duty, titles) for duty in duties]


def roles_out() -> list[RoleOut]:
    """Return all roles."""
    return [
        RoleOut(name=name, title=text_out(title), separated=name in SEPARATED)
        for name, title in roles().items()
    ]


def _duty_out(duty: access.Duty, titles: dict[str, str]) -> DutyOut:
    return DutyOut(
        role=duty.role,
        title=text_out(roles().get(duty.role, Text(duty.role, duty.role))),
        department=duty.department,
        department_title=titles.get(duty.department, ""),
        until=duty.until,
        outside=duty.outside,
    )
