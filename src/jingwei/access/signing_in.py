"""Signing in: passwords, lock-out, second factors, sessions, tokens, and the first start."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pyotp
from sqlalchemy import delete, func, select

from jingwei import ledger
from jingwei.access.asker import Asker
from jingwei.access.errors import (
    CodeNeededError,
    LockedError,
    NotSetUpError,
    NotSignedInError,
    OpenModeError,
    SignInError,
)
from jingwei.access.models import PersonRow, SessionRow, TokenRow
from jingwei.access.passwords import check_strength, hash_password, is_password
from jingwei.access.people import add_person, asker_of_person, give_role, person_row
from jingwei.access.roles import SYSTEM_ADMINISTRATOR
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.records import Records

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
"""A session's last use is written down at most this often."""
FREE_FAILURES = 5
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)
RECOVERY_CODES = 10
TOKEN_PREFIX = "jw_"  # noqa: S105 - marks a token as ours, for those who look for leaked ones
LONGEST_TOKEN = timedelta(days=366)
SYSTEM = Asker(id="system", name="系统")


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that goes on, as its person sees it."""

    id: str
    started: datetime
    seen: datetime
    address: str
    agent: str
    this: bool


@dataclass(frozen=True, slots=True)
class Token:
    """A token by which a program acts for a person."""

    id: str
    title: str
    actions: tuple[str, ...]
    created: datetime
    expires: datetime
    used: datetime | None


# --- the first start ---


def first_start(session: Session) -> str | None:
    """Make the first administrator; return the code to set a password with, or `None` if there are people.

    The code is shown where the server was started, and nowhere else.
    """
    if session.scalar(select(func.count()).select_from(PersonRow)):
        return None
    person = add_person(session, SYSTEM, "admin", "管理员")
    give_role(session, SYSTEM, person, SYSTEM_ADMINISTRATOR)
    return new_setup_code(session, SYSTEM, person)


def is_set_up(session: Session) -> bool:
    """Say whether someone has set a password: until then nothing else works."""
    return session.scalar(select(PersonRow.id).where(PersonRow.password.is_not(None)).limit(1)) is not None


def check_set_up(session: Session) -> None:
    """Raise unless someone has set a password."""
    if not is_set_up(session):
        raise NotSetUpError


def check_open(host: str) -> None:
    """Raise unless `host` is an address of this machine only: there one may run without sign-in."""
    if host == "localhost":
        return
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise OpenModeError(host)


# --- passwords ---


def new_setup_code(session: Session, asker: Asker, person: str) -> str:
    """Return a code by which a person sets a password, once; codes given before end."""
    row = person_row(session, person, lock=True)
    code = secrets.token_urlsafe(15)
    row.setup_code = _digest(code)
    _tell(session, asker.id, "person.setup_code_given", row.id)
    return code


def set_first_password(session: Session, login: str, code: str, password: str) -> None:
    """Set the password of the person who was given the setup code."""
    row = _by_login(session, login)
    if row is None or row.setup_code is None or not hmac.compare_digest(row.setup_code, _digest(code)):
        raise SignInError
    _set_password(session, row, password)


def change_password(session: Session, person: str, old: str, new: str) -> None:
    """Set another password; ends every other sign-in of the person."""
    row = person_row(session, person, lock=True)
    if not is_password(old, row.password):
        raise SignInError
    _set_password(session, row, new)


def _set_password(session: Session, row: PersonRow, password: str) -> None:
    check_strength(password, row.login, row.name)
    row.password, row.setup_code = hash_password(password), None
    row.failures, row.locked_until = 0, None
    session.execute(delete(SessionRow).where(SessionRow.person == row.id))
    _tell(session, f"person/{row.id}", "person.password_set", row.id)


# --- signing in ---


def sign_in(
    records: Records,
    login: str,
    password: str,
    code: str = "",
    *,
    address: str = "",
    agent: str = "",
    now: datetime | None = None,
) -> str:
    """Sign a person in by password and, if set up, a second factor; return the session's token.

    Failures are counted and committed, whatever is raised.

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
        found = _by_login(session, login)
        kept = found.password if found else None
    # The hash is checked outside any transaction: it takes a tenth of a second, by design.
    right = is_password(password, kept)
    if found is None:
        raise SignInError
    failure: Exception | None = None
    token = secrets.token_urlsafe(32)
    with records.write() as session:
        row = person_row(session, found.id, lock=True)
        failure = _judge(session, row, right and row.password == kept, code, now)
        if failure is None:
            row.failures, row.locked_until = 0, None
            _begin(session, row.id, token, address, agent, now)
            _tell(session, f"person/{row.id}", "person.signed_in", row.id, by="password")
    if failure is not None:
        raise failure
    return token


def _judge(session: Session, row: PersonRow, right: bool, code: str, now: datetime) -> Exception | None:
    """Return why the person may not be signed in, counting failures; `None` if nothing speaks against it."""
    if row.locked_until is not None and row.locked_until > now:
        return LockedError(int((row.locked_until - now).total_seconds()) + 1)
    if row.disabled is not None:
        return SignInError()
    if right and row.totp_secret is not None:
        if not code:
            return CodeNeededError()
        right = _is_second_factor(session, row, code, now)
    if right:
        return None
    row.failures += 1
    if row.failures >= FREE_FAILURES:
        row.locked_until = now + min(FIRST_LOCK * 2 ** (row.failures - FREE_FAILURES), LONGEST_LOCK)
        _tell(session, "system", "person.locked", row.id, failures=row.failures)
    return SignInError()


def begin_session(session: Session, person: str, *, by: str, address: str, agent: str) -> str:
    """Sign in a person whom another authority has vouched for; return the session's token."""
    row = person_row(session, person)
    if row.disabled is not None:
        raise SignInError
    token = secrets.token_urlsafe(32)
    _begin(session, row.id, token, address, agent, now_utc())
    _tell(session, f"person/{row.id}", "person.signed_in", row.id, by=by)
    return token


def _begin(session: Session, person: str, token: str, address: str, agent: str, now: datetime) -> None:
    row = SessionRow(
        token=_digest(token), person=person, started=now, seen=now, address=address[:60], agent=agent[:200]
    )
    session.add(row)


def asker_of_session(
    records: Records, token: str, *, now: datetime | None = None, touch: bool = True
) -> Asker:
    """Return who is signed in by a session's token; unless it is to `touch` the session, that goes unnoted.

    Raises
    ------
    NotSignedInError
        Where nobody is: no such session, ended, idle for too long, or too old.

    """
    now = now or now_utc()
    with records.read() as session:
        row = session.get(SessionRow, _digest(token))
        if row is None or row.seen + IDLE < now or row.started + ABSOLUTE < now:
            raise NotSignedInError
        asker = asker_of_person(session, row.person)
    if touch and row.seen + SEEN_EVERY < now:
        with records.write() as session:
            kept = session.get(SessionRow, _digest(token))
            if kept is not None:
                kept.seen = now
    return asker


def sign_out(session: Session, token: str) -> None:
    """End a session."""
    session.execute(delete(SessionRow).where(SessionRow.token == _digest(token)))


def sign_ins(session: Session, person: str, token: str = "") -> list[SignIn]:
    """Return the sessions of a person that go on, newest first; `this` marks that of `token`."""
    oldest = now_utc() - ABSOLUTE
    question = select(SessionRow).where(SessionRow.person == person_row(session, person).id)
    rows = session.scalars(question.where(SessionRow.started > oldest).order_by(SessionRow.seen.desc()))
    this = _digest(token)
    return [
        SignIn(row.token.hex()[:16], row.started, row.seen, row.address, row.agent, row.token == this)
        for row in rows
    ]


def end_sign_in(session: Session, person: str, identifier: str) -> None:
    """End one of a person's own sessions, by the identifier that `sign_ins` gives."""
    for row in session.scalars(select(SessionRow).where(SessionRow.person == person_row(session, person).id)):
        if row.token.hex()[:16] == identifier:
            session.delete(row)
            session.flush()
            return
    raise NotFoundError(Text("没有这个登录", "there is no such sign-in."))


def forget_ended(session: Session) -> None:
    """Delete the sessions and tokens that have ended by themselves."""
    now = now_utc()
    session.execute(
        delete(SessionRow).where((SessionRow.seen < now - IDLE) | (SessionRow.started < now - ABSOLUTE))
    )
    session.execute(delete(TokenRow).where(TokenRow.expires < now))


# --- the second factor (RFC 6238) ---


def offer_second_factor(session: Session, person: str, issuer: str) -> tuple[str, str]:
    """Return a new secret and the address that an authenticator reads it from; nothing is changed yet."""
    row = person_row(session, person)
    secret = pyotp.random_base32()
    return secret, pyotp.TOTP(secret).provisioning_uri(name=row.login, issuer_name=issuer)


def set_second_factor(session: Session, person: str, secret: str, code: str) -> list[str]:
    """Turn the second factor on, once `code` shows that the device has the secret; return recovery codes."""
    row = person_row(session, person, lock=True)
    if row.totp_secret is not None:
        raise BadRequestError(Text("动态验证码已启用", "a second factor is set up already."))
    step = _step_of(secret, code, now_utc())
    if step is None:
        raise SignInError
    row.totp_secret, row.totp_used = secret, step
    codes = [secrets.token_hex(8) for _ in range(RECOVERY_CODES)]
    row.recovery_codes = [_digest(code).hex() for code in codes]
    _tell(session, f"person/{row.id}", "person.second_factor_set", row.id)
    return codes


def remove_second_factor(session: Session, asker: Asker, person: str) -> None:
    """Turn the second factor off: by the person, or by an administrator when the device is lost."""
    row = person_row(session, person, lock=True)
    row.totp_secret, row.totp_used, row.recovery_codes = None, None, []
    _tell(session, asker.id, "person.second_factor_removed", row.id)


def _is_second_factor(session: Session, row: PersonRow, code: str, now: datetime) -> bool:
    """Say whether `code` is the device's, not used before, or a recovery code, which is then used up."""
    digest = _digest(code.strip().lower().replace("-", "").replace(" ", "")).hex()
    if digest in row.recovery_codes:
        row.recovery_codes = [kept for kept in row.recovery_codes if kept != digest]
        left = len(row.recovery_codes)
        _tell(session, f"person/{row.id}", "person.recovery_code_used", row.id, left=left)
        return True
    step = _step_of(row.totp_secret or "", code, now)
    if step is None or step <= (row.totp_used or 0):
        return False
    row.totp_used = step
    return True


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step of which `code` is the code: this one, or a neighbour, for clocks differ."""
    totp = pyotp.TOTP(secret)
    step = int(now.timestamp()) // totp.interval
    for near in (step, step - 1, step + 1):
        if hmac.compare_digest(totp.at(near * totp.interval), code.strip().replace(" ", "")):
            return near
    return None


# --- tokens ---


def issue_token(session: Session, person: str, title: str, actions: frozenset[str], expires: datetime) -> str:
    """Return a new token by which a program may take `actions` for a person; it is not shown again."""
    row = person_row(session, person)
    now = now_utc()
    if not actions or not now < expires <= now + LONGEST_TOKEN:
        raise BadRequestError(
            Text("令牌须列明操作，有效期不超过一年", "a token names its actions and lasts a year at most.")
        )
    token, number = TOKEN_PREFIX + secrets.token_urlsafe(32), secrets.token_hex(8)
    session.add(
        TokenRow(
            id=number,
            token=_digest(token),
            person=row.id,
            title=title[:120],
            actions=sorted(actions),
            created=now,
            expires=expires,
        )
    )
    told = {"token": number, "actions": sorted(actions), "expires": expires.isoformat()}
    _tell(session, f"person/{row.id}", "person.token_issued", row.id, **told)
    return token


def asker_of_token(
    records: Records, token: str, *, now: datetime | None = None, touch: bool = True
) -> tuple[Asker, frozenset[str]]:
    """Return for whom a token acts, and which actions it may take."""
    now = now or now_utc()
    with records.read() as session:
        row = session.scalar(select(TokenRow).where(TokenRow.token == _digest(token)))
        if row is None or row.expires <= now:
            raise NotSignedInError
        asker = asker_of_person(session, row.person)
    if touch and (row.used is None or row.used + SEEN_EVERY < now):
        with records.write() as session:
            kept = session.get(TokenRow, row.id)
            if kept is not None:
                kept.used = now
    return asker, frozenset(row.actions)


def tokens(session: Session, person: str) -> list[Token]:
    """Return the tokens of a person, newest first."""
    question = select(TokenRow).where(TokenRow.person == person_row(session, person).id)
    rows = session.scalars(question.order_by(TokenRow.created.desc()))
    return [Token(r.id, r.title, tuple(r.actions), r.created, r.expires, r.used) for r in rows]


def revoke_token(session: Session, asker: Asker, person: str, number: str) -> None:
    """End a token of a person."""
    row = session.get(TokenRow, number)
    if row is None or row.person != person_row(session, person).id:
        raise NotFoundError(Text("没有这个令牌", "there is no such token."))
    session.delete(row)
    session.flush()
    _tell(session, asker.id, "person.token_revoked", row.person, token=number)


def _by_login(session: Session, login: str) -> PersonRow | None:
    return session.scalar(select(PersonRow).where(PersonRow.login == login.strip().lower()))


def _digest(secret: str) -> bytes:
    """Return what is kept of a secret of many random bits: it cannot be guessed, so one round is enough."""
    return hashlib.sha256(secret.encode()).digest()


def _tell(session: Session, actor: str, what: str, person: str, **data: object) -> None:
    ledger.append(session, what, actor=actor, subject=f"person/{person}", data=data)
