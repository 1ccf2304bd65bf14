"""Signing in: the first start, passwords, and who is let in."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from sqlalchemy import select

from jingwei import ledger
from jingwei.access import second_factor, sessions, tokens
from jingwei.access.asker import Asker
from jingwei.access.errors import (
    CodeNeededError,
    LockedError,
    NotSetUpError,
    OpenModeError,
    SetupCodeError,
    SignInError,
)
from jingwei.access.failures import count_failure, failures_of, forget_failures, locked_for
from jingwei.access.models import PersonRow
from jingwei.access.passwords import check_strength, hash_password, is_password
from jingwei.access.people import add_person, check_not_separated, give_role, login_of, person_row
from jingwei.access.roles import SYSTEM_ADMINISTRATOR
from jingwei.records import now_utc

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access.vault import Vault
    from jingwei.records import Records

SETUP_CODE_LASTS = timedelta(days=3)
FIRST_ADMINISTRATOR = "admin"
SYSTEM = Asker(id="system", name="系统")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person gives to be let in, and from where."""

    login: str
    password: str
    code: str = ""
    address: str = ""
    agent: str = ""


# --- the first start ---


def first_start(session: Session) -> str | None:
    """Return the code by which the first administrator sets a password; `None` if that has been done.

    The code is shown where the server was started, and nowhere else. Codes given before end.
    """
    if is_set_up(session):
        return None
    row = _by_login(session, FIRST_ADMINISTRATOR)
    if row is None:
        person = add_person(session, SYSTEM, FIRST_ADMINISTRATOR, "管理员")
        give_role(session, SYSTEM, person, SYSTEM_ADMINISTRATOR)
    else:
        person = row.id
    return new_setup_code(session, SYSTEM, person)


def is_set_up(session: Session) -> bool:
    """Say whether someone has set a password: until then nothing else works."""
    return session.scalar(select(PersonRow.id).where(PersonRow.password.is_not(None)).limit(1)) is not None


def check_set_up(session: Session) -> None:
    """Raise unless someone has set a password."""
    if not is_set_up(session):
        raise NotSetUpError


def is_local(host: str) -> bool:
    """Say whether `host` is an address of this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_open(host: str) -> None:
    """Raise unless `host` is an address of this machine only: there one may run without sign-in."""
    if not is_local(host):
        raise OpenModeError(host)


# --- passwords ---


def new_setup_code(session: Session, asker: Asker, person: str) -> str:
    """Return a code by which a person sets a password, once and soon; codes given before end.

    Raises
    ------
    SeparatedPersonError
        For a person with one of the three separated duties: whoever gives the code could take that duty
        too. It is done at the machine, by the system itself.

    """
    if asker != SYSTEM:
        check_not_separated(session, person)
    row = person_row(session, person, lock=True)
    code = secrets.token_urlsafe(15)
    row.setup_code, row.setup_until = _digest(code), now_utc() + SETUP_CODE_LASTS
    _tell(session, asker.id, "person.setup_code_given", row.id)
    return code


def whose_setup_code(session: Session, code: str) -> str:
    """Return the name to sign in with of the person who was given a setup code.

    Raises
    ------
    SetupCodeError
        Where the code was never given, has been used, or has ended.

    """
    return _by_setup_code(session, code).login


def set_first_password(session: Session, code: str, password: str) -> str:
    """Set the password of the person who was given the setup code; return the name to sign in with."""
    row = _by_setup_code(session, code)
    _set_password(session, row, password)
    return row.login


def change_password(
    records: Records, vault: Vault, person: str, old: str, new: str, *, keep_tokens: bool = False
) -> None:
    """Set another password; ends every sign-in of the person, and every token unless they are to be kept."""
    check(records, vault, person, old)
    with records.write() as session:
        _set_password(session, person_row(session, person, lock=True), new, keep_tokens=keep_tokens)


def _by_setup_code(session: Session, code: str) -> PersonRow:
    row = session.scalar(select(PersonRow).where(PersonRow.setup_code == _digest(code)))
    if row is None or row.disabled is not None or row.setup_until is None or row.setup_until < now_utc():
        raise SetupCodeError
    return row


def _set_password(session: Session, row: PersonRow, password: str, *, keep_tokens: bool = False) -> None:
    check_strength(password, row.login, row.name)
    row.password, row.setup_code, row.setup_until = hash_password(password), None, None
    sessions.end_all(session, row.id)
    if not keep_tokens:
        tokens.revoke_all(session, f"person/{row.id}", row.id)
    _tell(session, f"person/{row.id}", "person.password_set", row.id)


# --- signing in ---


def sign_in(records: Records, vault: Vault, given: Credentials, *, now: datetime | None = None) -> str:
    """Sign a person in by password and, if set up, a second factor; return the session's token.

    Failures are counted and committed, whatever is raised, and for names that nobody has as well: neither
    the answer nor the time it takes tells whether a name exists.

    Raises
    ------
    SignInError
        Name, password or code are wrong; it is not said which.
    CodeNeededError
        The password is right, and a code is needed too.
    LockedError
        After too many failures, for a while, whatever is given.

    """
    now = now or now_utc()
    with records.read() as session:
        found = _by_login(session, given.login)
        kept = found.password if found else None
    # The hash is checked outside any transaction: it takes a tenth of a second, by design.
    right = is_password(given.password, kept)
    failure: Exception | None = None
    token = sessions.new_token()
    name = vault.digest(login_of(given.login))
    with records.write() as session:
        row = person_row(session, found.id, lock=True) if found else None
        right = right and row is not None and row.password == kept and row.disabled is None
        failure = _judge(session, vault, name, row, now, right=right, code=given.code)
        if failure is None and row is not None:
            sessions.begin(session, row.id, token, address=given.address, agent=given.agent, now=now)
            _tell(session, f"person/{row.id}", "person.signed_in", row.id, by="password")
    if failure is not None:
        raise failure
    return token


def check(records: Records, vault: Vault, person: str, password: str, code: str | None = None) -> None:
    """Raise unless the password, and the code if one is needed, are those of a person already signed in.

    Whoever finds a browser left open is thereby kept from what would last. Failures count as at sign-in.

    Parameters
    ----------
    records, vault
        Where it is checked.
    person
        Who is asked.
    password
        As given.
    code
        As given; `None` where the second factor is not asked for.

    """
    now = now_utc()
    with records.read() as session:
        kept = person_row(session, person)
    right = is_password(password, kept.password)
    with records.write() as session:
        row = person_row(session, person, lock=True)
        failure = _judge(session, vault, vault.digest(row.login), row, now, right=right, code=code)
    if failure is not None:
        raise failure


def check_anew(records: Records, vault: Vault, person: str, password: str, code: str) -> None:
    """Ask a person already signed in for all factors once more.

    Nothing is asked of one who has no password: another authority vouched for that person.
    """
    with records.read() as session:
        if person_row(session, person).password is None:
            return
    check(records, vault, person, password, code)


def _judge(
    session: Session,
    vault: Vault,
    name: bytes,
    row: PersonRow | None,
    now: datetime,
    *,
    right: bool,
    code: str | None,
) -> Exception | None:
    """Return why a person may not be let in, counting failures; `None` if nothing speaks against it.

    `right` says whether the password was; `code` is `None` where no second factor is asked for.
    """
    failures = failures_of(session, name, now)
    if seconds := locked_for(failures, now):
        return LockedError(seconds)
    if row is not None and right:
        asked = row.totp_secret is not None and code is not None
        if asked and not code:
            return CodeNeededError()
        if not asked or second_factor.is_code(session, vault, row, code or "", now):
            forget_failures(session, name)
            return None
    if count_failure(failures, now) and row is not None:
        _tell(session, "system", "person.locked", row.id, failures=failures.failures)
    return SignInError()


def unlock(session: Session, vault: Vault, person: str) -> None:
    """Forget a person's failures to sign in."""
    forget_failures(session, vault.digest(person_row(session, person).login))


def vouched_for(session: Session, person: str, *, address: str, agent: str, id_token: str | None) -> str:
    """Sign in a person whom another authority has vouched for; return the session's token."""
    row = person_row(session, person)
    if row.disabled is not None:
        raise SignInError
    token = sessions.new_token()
    sessions.begin(session, row.id, token, address=address, agent=agent, id_token=id_token)
    _tell(session, f"person/{row.id}", "person.signed_in", row.id, by="oidc")
    return token


def _by_login(session: Session, login: str) -> PersonRow | None:
    return session.scalar(select(PersonRow).where(PersonRow.login == login_of(login)))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _tell(session: Session, actor: str, what: str, person: str, **data: object) -> None:
    ledger.append(session, what, actor=actor, subject=f"person/{person}", data=data)
