"""People and the roles they hold."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, or_, select

from jingwei import ledger
from jingwei.access.asker import Asker
from jingwei.access.departments import _row as department_row
from jingwei.access.errors import (
    LastHolderError,
    OwnRoleError,
    SeparatedPersonError,
    SeparationError,
    SetupPendingError,
)
from jingwei.access.models import DutyRow, PersonRow, SessionRow, TokenRow
from jingwei.access.roles import SECURITY_ADMINISTRATOR, SEPARATED, check_role
from jingwei.errors import BadRequestError, ConflictError, NotFoundError
from jingwei.records import Prepared, now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.orm import Session

WHOLE_CITY = ""
"""In place of a department, for a role that concerns the whole city."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A role in a department, or for the whole city where that is empty."""

    role: str
    department: str
    until: datetime | None = None
    outside: bool = False


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
    from_outside: bool
    duties: tuple[Duty, ...]

    @property
    def separated(self) -> bool:
        """Whether this is one of the three administrators that are kept apart."""
        return any(duty.role in SEPARATED for duty in self.duties)


def add_person(session: Session, asker: Asker, login: str, name: str) -> str:
    """Add a person who may sign in by `login`; return the person's identifier.

    The identifier is drawn at random and is all that events tell of the person.
    """
    login = login_of(login)
    if not login or not name.strip():
        raise BadRequestError(Text("用户名和姓名不能为空", "a person has a name and a name to sign in with."))
    if session.scalar(select(PersonRow.id).where(PersonRow.login == login)):
        raise ConflictError(
            Text(f"用户名 {login} 已被使用", f"the name {login} is taken."), where={"field": "login"}
        )
    person = secrets.token_hex(10)
    row = PersonRow(id=person, login=login, name=name.strip(), created=now_utc(), recovery_codes=[])
    session.add(row)
    session.flush()
    _tell(session, asker, "person.added", person)
    return person


def login_of(text: str) -> str:
    """Return the name to sign in with as it is kept, however it is typed."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def rename(session: Session, asker: Asker, person: str, name: str) -> None:
    """Change what a person is called. The event does not say how."""
    row = person_row(session, person)
    if not name.strip():
        raise BadRequestError(Text("姓名不能为空", "a person has a name."), where={"field": "name"})
    if row.name != name.strip():
        row.name = name.strip()
        _tell(session, asker, "person.renamed", row.id)


def set_disabled(session: Session, asker: Asker, person: str, *, disabled: bool) -> None:
    """Take from a person the right to sign in, ending what goes on, or give it back.

    Raises
    ------
    SeparatedPersonError
        For a person with one of the three separated duties: the duty is taken first.

    """
    row = person_row(session, person, lock=True)
    if (row.disabled is not None) == disabled:
        return
    if disabled:
        check_not_separated(session, person)
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
    SetupPendingError
        Where one of these is given to a person who still has a setup code: who gave the code could use it.
    OwnRoleError
        Where people would give a role to themselves.

    """
    check_role(role)
    row = person_row(session, person, lock=True)
    if asker.id == f"person/{row.id}":
        raise OwnRoleError
    if department != WHOLE_CITY:
        department_row(session, department)
    # What has ended by itself no longer speaks against anything.
    session.execute(delete(DutyRow).where(DutyRow.person == row.id, DutyRow.until <= now_utc()))
    held = session.scalars(select(DutyRow).where(DutyRow.person == row.id)).all()
    if role in SEPARATED:
        if department != WHOLE_CITY:
            raise BadRequestError(
                Text("三员岗位面向全市，不属于某一部门", "this role is for the whole city, not a department.")
            )
        for other in held:
            if other.role in SEPARATED - {role}:
                raise SeparationError(other.role, role)
        if row.setup_code is not None:
            raise SetupPendingError
    for same in held:
        if (same.role, same.department) == (role, department):
            same.until = until
            return
    session.add(DutyRow(person=person, role=role, department=department, until=until, outside=outside))
    session.flush()
    _tell(session, asker, "person.role_given", person, role=role, department=department)


def take_role(session: Session, asker: Asker, person: str, role: str, department: str = WHOLE_CITY) -> None:
    """Take a role from a person.

    Raises
    ------
    LastHolderError
        Where nobody else would hold one of the three separated duties.

    """
    which = (DutyRow.person == person, DutyRow.role == role, DutyRow.department == department)
    row = session.scalar(select(DutyRow).where(*which))
    if row is None:
        raise NotFoundError(Text("此人没有该角色", "this person does not hold that role."))
    if role in SEPARATED and not _holders(session, role) - {person}:
        raise LastHolderError(role)
    session.delete(row)
    session.flush()
    _tell(session, asker, "person.role_taken", person, role=role, department=department)


def appoint(session: Session, asker: Asker, person: str) -> None:
    """Make a person the first security administrator; from then on it is that one who gives roles.

    Raises
    ------
    ConflictError
        Where there is one already.

    """
    if _holders(session, SECURITY_ADMINISTRATOR):
        raise ConflictError(
            Text("已有安全管理员", "there is a security administrator already."),
            mend=Text("角色由安全管理员授予", "Roles are given by the security administrator."),
        )
    give_role(session, asker, person, SECURITY_ADMINISTRATOR)


def has_security_administrator(session: Session) -> bool:
    """Say whether anyone gives roles yet."""
    return bool(_holders(session, SECURITY_ADMINISTRATOR))


def check_not_separated(session: Session, person: str) -> None:
    """Raise `SeparatedPersonError` for a person with one of the three separated duties."""
    if any(duty.role in SEPARATED for duty in _duties(session, person.removeprefix("person/"))):
        raise SeparatedPersonError


def _holders(session: Session, role: str) -> set[str]:
    """Return who holds a role and may sign in."""
    question = (
        select(DutyRow.person)
        .join(PersonRow, PersonRow.id == DutyRow.person)
        .where(DutyRow.role == role, PersonRow.disabled.is_(None))
        .where(or_(DutyRow.until.is_(None), DutyRow.until > now_utc()))
    )
    return set(session.scalars(question))


def asker_of_person(session: Session, person: str) -> Asker:
    """Return a person as one who asks, with the roles held at this moment."""
    row = person_row(session, person)
    return _asker(row.id, row.name, _duties(session, person))


def standing_asker(session: Session, person: str) -> Asker:
    """Return the same as `asker_of_person` of a plain id, at a tenth of its cost: of what is committed.

    For what is asked with every request. What a session has yet to write is not seen.

    Raises
    ------
    NotFoundError
        Where there is no such person.

    """
    rows = _HELD_BY.rows(session, person=person, now=now_utc())
    if not rows:
        raise _no_such_person(person)
    duties = [Duty(role, department) for _, role, department in rows if role is not None]
    return _asker(person, rows[0][0], duties)


def askers_of_people(session: Session, people: Collection[str]) -> dict[str, tuple[Asker, datetime | None]]:
    """Return people by their ids as ones who ask, each with when the next of the roles held now ends.

    Who is not there is left out.
    """
    wanted = list(people)
    rows = session.execute(select(PersonRow.id, PersonRow.name).where(PersonRow.id.in_(wanted)))
    duties = _duties_of(session, wanted)
    found = {}
    for one, name in rows:
        held = duties.get(one, [])
        ends = min((duty.until for duty in held if duty.until is not None), default=None)
        found[one] = _asker(one, name, held), ends
    return found


def _asker(person: str, name: str, duties: list[Duty]) -> Asker:
    return Asker(
        id=f"person/{person}",
        name=name,
        roles=frozenset(duty.role for duty in duties),
        departments=frozenset(duty.department for duty in duties if duty.department != WHOLE_CITY),
        duties=frozenset((duty.role, duty.department) for duty in duties),
    )


def end_of_duties(session: Session, person: str) -> datetime | None:
    """Return when the next of a person's roles ends, None where none does by itself."""
    question = select(func.min(DutyRow.until)).where(DutyRow.person == person, DutyRow.until > now_utc())
    return session.scalar(question)


def people(
    session: Session,
    *,
    search: str = "",
    role: str = "",
    department: str = "",
    after: str = "",
    limit: int = 50,
) -> list[Person]:
    """Return people by name to sign in with: those after `after`, with what is searched in either name.

    `role` and `department` leave only those who hold a role, or any role, there.
    """
    question = select(PersonRow).where(PersonRow.login > after).order_by(PersonRow.login).limit(limit)
    if search:
        question = question.where(
            or_(
                PersonRow.login.contains(login_of(search), autoescape=True),
                PersonRow.name.contains(search.strip(), autoescape=True),
            )
        )
    if role or department:
        held = select(DutyRow.person).where(or_(DutyRow.until.is_(None), DutyRow.until > now_utc()))
        held = held.where(DutyRow.role == role) if role else held
        held = held.where(DutyRow.department == department) if department else held
        question = question.where(PersonRow.id.in_(held))
    rows = session.scalars(question).all()
    duties = _duties_of(session, [row.id for row in rows])
    return [_person(row, duties.get(row.id, [])) for row in rows]


def person(session: Session, identifier: str) -> Person:
    """Return one person."""
    row = person_row(session, identifier)
    return _person(row, _duties(session, row.id))


def names_of(session: Session, people: Iterable[str]) -> dict[str, str]:
    """Return the names of people by identifier (`person/<id>`); those who are no longer there have none."""
    ids = {one.removeprefix("person/") for one in people}
    question = select(PersonRow.id, PersonRow.name).where(PersonRow.id.in_(ids))
    return {f"person/{id_}": name for id_, name in session.execute(question)}


def person_row(session: Session, person: str, *, lock: bool = False) -> PersonRow:
    """Return the row of a person, for the other modules of this part."""
    row = session.get(PersonRow, person.removeprefix("person/"), with_for_update=lock or None)
    if row is None:
        raise _no_such_person(person)
    return row


def _no_such_person(person: str) -> NotFoundError:
    return NotFoundError(Text("没有此人", "there is no such person."), where={"person": person})


def _person(row: PersonRow, duties: list[Duty]) -> Person:
    return Person(
        id=row.id,
        login=row.login,
        name=row.name,
        created=row.created,
        disabled=row.disabled is not None,
        has_password=row.password is not None,
        has_second_factor=row.totp_secret is not None,
        from_outside=row.issuer is not None,
        duties=tuple(duties),
    )


def _duties(session: Session, person: str) -> list[Duty]:
    return _duties_of(session, [person]).get(person, [])


def _duties_of(session: Session, people: list[str]) -> dict[str, list[Duty]]:
    question = select(DutyRow).where(
        DutyRow.person.in_(people), or_(DutyRow.until.is_(None), DutyRow.until > now_utc())
    )
    found: dict[str, list[Duty]] = {}
    for row in session.scalars(question.order_by(DutyRow.id)):
        duty = Duty(row.role, row.department, row.until, outside=row.outside)
        found.setdefault(row.person, []).append(duty)
    return found


def _tell(session: Session, asker: Asker, what: str, person: str, **data: object) -> None:
    ledger.append(session, what, actor=asker.id, subject=f"person/{person}", data=data)


_HELD_BY = Prepared(
    select(PersonRow.name, DutyRow.role, DutyRow.department)
    .outerjoin(
        DutyRow,
        (DutyRow.person == PersonRow.id)
        & or_(DutyRow.until.is_(None), DutyRow.until > bindparam("now", type_=DutyRow.until.type)),
    )
    .where(PersonRow.id == bindparam("person", type_=PersonRow.id.type))
)
