"""People for whom another authority vouches, such as a city's OpenID provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from jingwei import ledger
from jingwei.access.departments import titles_of
from jingwei.access.errors import SignInError
from jingwei.access.models import DutyRow, PersonRow
from jingwei.access.people import WHOLE_CITY, add_person, give_role, login_of, rename
from jingwei.access.roles import SEPARATED
from jingwei.access.signing_in import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Vouched:
    """A person as another authority knows one.

    Attributes
    ----------
    issuer, subject
        Who vouches, and for whom: together they are always the same person.
    login, name
        What the person is called there; the login only serves where it is not taken.
    duties
        Roles with their departments, empty for the whole city, that go with what the authority says.

    """

    issuer: str
    subject: str
    login: str
    name: str
    duties: frozenset[tuple[str, str]] = frozenset()


def person_vouched_for(session: Session, vouched: Vouched, *, may_add: bool) -> str:
    """Return the person for whom an authority vouches, with the roles that it gives at this moment.

    Nobody is ever taken for a person who has an account here already: names are no proof.

    Raises
    ------
    SignInError
        Where there is no such person, and none is to be added.
    SeparationError
        Where the roles would bring together two of the three separated duties; nothing is changed then.

    """
    row = session.scalar(
        select(PersonRow).where(PersonRow.issuer == vouched.issuer, PersonRow.outside_id == vouched.subject)
    )
    if row is None:
        if not may_add:
            raise SignInError
        row = _added(session, vouched)
    elif vouched.name:
        rename(session, SYSTEM, row.id, vouched.name[:120])
    _set_duties(session, row.id, vouched.duties)
    return row.id


def _added(session: Session, vouched: Vouched) -> PersonRow:
    login = login_of(vouched.login)[:80] or vouched.subject[:80].lower()
    taken = set(session.scalars(select(PersonRow.login).where(PersonRow.login.startswith(login))))
    number = next(n for n in range(1, len(taken) + 2) if _numbered(login, n) not in taken)
    person = add_person(session, SYSTEM, _numbered(login, number), vouched.name[:120] or login)
    row = session.get_one(PersonRow, person)
    row.issuer, row.outside_id = vouched.issuer[:300], vouched.subject[:300]
    session.flush()
    ledger.append(
        session,
        "person.vouched_for",
        actor=SYSTEM.id,
        subject=f"person/{person}",
        data={"issuer": vouched.issuer},
    )
    return row


def _numbered(login: str, number: int) -> str:
    return login if number == 1 else f"{login}-{number}"


def _set_duties(session: Session, person: str, wanted: Collection[tuple[str, str]]) -> None:
    """Give the roles that come from outside now, and take those that came before and no longer do."""
    known = titles_of(session, {department for _, department in wanted})
    wanted = {
        (role, WHOLE_CITY if role in SEPARATED else department)
        for role, department in wanted
        if role in SEPARATED or department == WHOLE_CITY or department in known
    }
    held = session.scalars(select(DutyRow).where(DutyRow.person == person)).all()
    for row in held:
        if row.outside and (row.role, row.department) not in wanted:
            session.execute(delete(DutyRow).where(DutyRow.id == row.id))
            told = {"role": row.role, "department": row.department}
            ledger.append(
                session, "person.role_taken", actor=SYSTEM.id, subject=f"person/{person}", data=told
            )
    had = {(row.role, row.department) for row in held}
    for role, department in sorted(wanted - had):
        give_role(session, SYSTEM, person, role, department, outside=True)
