"""Sign-ins that go on: begun, used, listed, ended. Of their tokens only digests are kept."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select

from jingwei import ledger
from jingwei.access.errors import NotSignedInError
from jingwei.access.failures import FORGOTTEN_AFTER
from jingwei.access.models import FailureRow, SessionRow, TokenRow
from jingwei.access.people import person_row, standing_asker
from jingwei.errors import NotFoundError
from jingwei.records import Prepared, now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access.asker import Asker
    from jingwei.records import Records

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
"""A session's last use is written down at most this often."""
SHOWN = 16
"""Characters of the digest by which a person names one of the own sessions."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in that goes on, as its person sees it."""

    id: str
    started: datetime
    seen: datetime
    address: str
    agent: str
    this: bool


def new_token() -> str:
    """Return the token of a new session: 256 random bits."""
    return secrets.token_urlsafe(32)


def begin(
    session: Session,
    person: str,
    token: str,
    *,
    address: str,
    agent: str,
    id_token: str | None = None,
    now: datetime | None = None,
) -> None:
    """Begin a session; those that have ended by themselves are forgotten."""
    now = now or now_utc()
    forget_ended(session, now)
    row = SessionRow(
        token=_digest(token),
        person=person,
        started=now,
        seen=now,
        address=address[:60],
        agent=agent[:200],
        id_token=id_token,
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
        row = _OF_DIGEST.row(session, digest=_digest(token))
        if row is None:
            raise NotSignedInError
        person, started, seen = row
        if seen + IDLE < now or started + ABSOLUTE < now:
            raise NotSignedInError
        asker = standing_asker(session, person)
    if touch and seen + SEEN_EVERY < now:
        with records.write() as session:
            kept = session.get(SessionRow, _digest(token))
            if kept is not None:
                kept.seen = now
    return asker


_OF_DIGEST = Prepared(
    select(SessionRow.person, SessionRow.started, SessionRow.seen).where(
        SessionRow.token == bindparam("digest", type_=SessionRow.token.type)
    )
)


def sign_out(session: Session, token: str) -> str | None:
    """End a session; return the sealed identity token that began it, if one did."""
    row = session.get(SessionRow, _digest(token))
    if row is None:
        return None
    session.delete(row)
    ledger.append(
        session, "person.signed_out", actor=f"person/{row.person}", subject=f"person/{row.person}", data={}
    )
    return row.id_token


def sign_ins(session: Session, person: str, token: str = "") -> list[SignIn]:
    """Return the sessions of a person that go on, newest first; `this` marks that of `token`."""
    now = now_utc()
    question = select(SessionRow).where(
        SessionRow.person == person_row(session, person).id,
        SessionRow.started > now - ABSOLUTE,
        SessionRow.seen > now - IDLE,
    )
    rows = session.scalars(question.order_by(SessionRow.seen.desc()))
    this = _digest(token)
    return [
        SignIn(row.token.hex()[:SHOWN], row.started, row.seen, row.address, row.agent, row.token == this)
        for row in rows
    ]


def end_sign_in(session: Session, person: str, identifier: str) -> None:
    """End one of a person's own sessions, by the identifier that `sign_ins` gives."""
    for row in session.scalars(select(SessionRow).where(SessionRow.person == person_row(session, person).id)):
        if row.token.hex()[:SHOWN] == identifier:
            session.delete(row)
            session.flush()
            return
    raise NotFoundError(Text("没有这个登录", "there is no such sign-in."))


def end_all(session: Session, person: str, *, but: str = "") -> None:
    """End all sessions of a person, but the one of the token `but`."""
    session.execute(delete(SessionRow).where(SessionRow.person == person, SessionRow.token != _digest(but)))


def forget_ended(session: Session, now: datetime) -> None:
    """Delete sessions, tokens and counts of failures that have ended by themselves."""
    session.execute(
        delete(SessionRow).where((SessionRow.seen < now - IDLE) | (SessionRow.started < now - ABSOLUTE))
    )
    session.execute(delete(TokenRow).where(TokenRow.expires < now))
    session.execute(delete(FailureRow).where(FailureRow.last < now - FORGOTTEN_AFTER))


def _digest(token: str) -> bytes:
    """Return what is kept of a token of many random bits: it cannot be guessed, so one round is enough."""
    return hashlib.sha256(token.encode()).digest()
