"""People and the roles they hold."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select

from jingwei import ledger
from jingwei.access.asker import Asker
from jingwei.access.departments import _row as department_row
from jingwei.access.errors import SeparationError
from jingwei.access.models import DutyRow, PersonRow, SessionRow, TokenRow
from jingwei.access.roles import SEPARATED, check_role
from jingwei.errors import BadRequestError, ConflictError, NotFoundError
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

WHOLE_CITY = ""
"""In place of a department, for a role that concerns the whole city."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A role in a department, or for the whole city where that is empty."""

    role: str
    department: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A person, as administrators see one."""

    id: str
    login: str
    name: str
    created: datetime
    disabled: bool
    has_password: bool
    has_second_factor: bool
    duties: tuple[Duty, ...]


def add_person(session: Session, asker: Asker, login: str, name: str) -> str:
    """Add a person who may sign in by `login`; return the person's identifier.

    The identifier is drawn at random and is all that events tell of the person.
    """
    login = login.strip().lower()
    if not login or not name.strip():
        raise BadRequestError(Text("用户名和姓名不能为空", "a person has a name and a name to sign in with."))
    if session.scalar(select(PersonRow.id).where(PersonRow.login == login)):
        raise ConflictError(
            Text(f"用户名 {login} 已被使用", f"the name {login} is taken."), where={"field": "login"}
        )
    person = secrets.token_hex(10)
    row = PersonRow(
        id=person, login=login, name=name.strip(), created=now_utc(), failures=0, recovery_codes=[]
    )
    session.add(row)
    session.flush()
    _tell(session, asker, "person.added", person)
    return person


def set_disabled(session: Session, asker: Asker, person: str, *, disabled: bool) -> None:
    """Take from a person the right to sign in, ending what goes on, or give it back."""
    row = person_row(session, person)
    if (row.disabled is not None) == disabled:
        return
    row.disabled = now_utc() if disabled else None
    if disabled:
        session.execute(delete(SessionRow).where(SessionRow.person == person))
        session.execute(delete(TokenRow).where(TokenRow.person == person))
    _tell(session, asker, "person.disabled" if disabled else "person.enabled", person)


def give_role(
    session: Session,
    asker: Asker,
    person: str,
    role: str,
    department: str = WHOLE_CITY,
    *,
    until: datetime | None = None,
    outside: bool = False,
) -> None:
    """Give a person a role in a department, or for the whole city.

    Parameters
    ----------
    session, asker
        On whose behalf.
    person, role, department
        Who, what, where.
    until
        When it ends by itself.
    outside
        Whether it comes with a sign-in from outside, and goes with it.

    Raises
    ------
    SeparationError
        Where the person holds another of the three separated duties.

    """
    check_role(role)
    row = person_row(session, person, lock=True)
    if department != WHOLE_CITY:
        department_row(session, department)
    held = session.scalars(select(DutyRow).where(DutyRow.person == row.id)).all()
    if role in SEPARATED:
        if department != WHOLE_CITY:
            raise BadRequestError(
                Text("三员岗位面向全市，不属于某一部门", "this role is for the whole city, not a department.")
            )
        for other in held:
            if other.role in SEPARATED - {role}:
                raise SeparationError(other.role, role)
    for same in held:
        if (same.role, same.department) == (role, department):
            same.until = until
            return
    session.add(DutyRow(person=person, role=role, department=department, until=until, outside=outside))
    session.flush()
    _tell(session, asker, "person.role_given", person, role=role, department=department)


def take_role(session: Session, asker: Asker, person: str, role: str, department: str = WHOLE_CITY) -> None:
    """Take a role from a person."""
    which = (DutyRow.person == person, DutyRow.role == role, DutyRow.department == department)
    row = session.scalar(select(DutyRow).where(*which))
    if row is None:
        raise NotFoundError(Text("此人没有该角色", "this person does not hold that role."))
    session.delete(row)
    session.flush()
    _tell(session, asker, "person.role_taken", person, role=role, department=department)


def asker_of_person(session: Session, person: str) -> Asker:
    """Return a person as one who asks, with the roles held at this moment."""
    row = person_row(session, person)
    duties = _duties(session, person)
    return Asker(
        id=f"person/{row.id}",
        name=row.name,
        roles=frozenset(duty.role for duty in duties),
        departments=frozenset(duty.department for duty in duties if duty.department != WHOLE_CITY),
        duties=frozenset((duty.role, duty.department) for duty in duties),
    )


def people(session: Session, *, search: str = "", after: str = "", limit: int = 50) -> list[Person]:
    """Return people by name to sign in with, those after `after` first."""
    question = select(PersonRow).where(PersonRow.login > after).order_by(PersonRow.login).limit(limit)
    if search:
        like = f"%{search.lower().replace('%', '').replace('_', '')}%"
        question = question.where(or_(PersonRow.login.like(like), PersonRow.name.like(like)))
    return [_person(session, row) for row in session.scalars(question)]


def person(session: Session, identifier: str) -> Person:
    """Return one person."""
    return _person(session, person_row(session, identifier))


def person_row(session: Session, person: str, *, lock: bool = False) -> PersonRow:
    """Return the row of a person, for the other modules of this part."""
    row = session.get(PersonRow, person.removeprefix("person/"), with_for_update=lock or None)
    if row is None:
        raise NotFoundError(Text("没有此人", "there is no such person."), where={"person": person})
    return row


def _person(session: Session, row: PersonRow) -> Person:
    return Person(
        id=row.id,
        login=row.login,
        name=row.name,
        created=row.created,
        disabled=row.disabled is not None,
        has_password=row.password is not None,
        has_second_factor=row.totp_secret is not None,
        duties=tuple(_duties(session, row.id)),
    )


def _duties(session: Session, person: str) -> list[Duty]:
    question = select(DutyRow).where(
        DutyRow.person == person, or_(DutyRow.until.is_(None), DutyRow.until > now_utc())
    )
    return [Duty(d.role, d.department, d.until) for d in session.scalars(question.order_by(DutyRow.id))]


def _tell(session: Session, asker: Asker, what: str, person: str, **data: object) -> None:
    ledger.append(session, what, actor=asker.id, subject=f"person/{person}", data=data)
