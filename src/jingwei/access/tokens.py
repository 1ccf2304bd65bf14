"""Tokens by which programs act for a person. Of each only a digest is kept."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Integer, bindparam, cast, func, select, update
from sqlalchemy import Text as Written

from jingwei import ledger
from jingwei.access.errors import NotSignedInError
from jingwei.access.models import TokenRow
from jingwei.access.people import person_row, standing_asker
from jingwei.access.policy.vocabulary import actions, with_implied
from jingwei.access.sessions import SEEN_EVERY
from jingwei.errors import BadRequestError, ConflictError, NotFoundError
from jingwei.records import Prepared, now_utc
from jingwei.records.database import driver_text
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy import Dialect
    from sqlalchemy.orm import Session

    from jingwei.access.asker import Asker
    from jingwei.records import Records

TOKEN_PREFIX = "jw_"  # noqa: S105 - marks a token as ours, for those who look for leaked ones
LONGEST_TOKEN = timedelta(days=366)
MOST_TOKENS = 50
LONGEST_TITLE = 120
MOST_TOLD = 200
"""Tokens of a person that are listed: devices may have many more, which their keeper lists otherwise."""
NOTED_AT_ONCE = 1_000
"""Tokens of which it is noted in one transaction that they were used."""
TOLD_AT_ONCE = 500
"""Tokens of which a broker is told by one question."""
NOT_FOR_TOKENS = frozenset({"account.use"})
"""What no token may do: a leaked one must not lead to others, nor to the password."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token by which a program acts for a person."""

    id: str
    title: str
    actions: tuple[str, ...]
    created: datetime
    expires: datetime
    used: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a token says for itself: for whom it acts, to do what, until when."""

    id: str
    person: str
    only: frozenset[str]
    expires: datetime
    used: datetime | None


def issue_token(
    session: Session, person: str, title: str, allowed: frozenset[str], expires: datetime
) -> tuple[str, Token]:
    """Return a new token by which a program may take the actions `allowed` for a person.

    The token itself is not shown again.

    Raises
    ------
    BadRequestError
        Where it names no action, one that is unknown or not for tokens, or lasts too long.
    ConflictError
        Where the person has too many.

    """
    (issued,) = issue_tokens(session, f"person/{person}", person, [title], allowed, expires)
    return issued


def issue_tokens(
    session: Session,
    actor: str,
    person: str,
    titles: Sequence[str],
    allowed: frozenset[str],
    expires: datetime,
    *,
    most: int = MOST_TOKENS,
) -> list[tuple[str, Token]]:
    """Return a new token for each title, as `issue_token` does; the person has `most` of them at most.

    Raises
    ------
    BadRequestError
        Where they name no action, one that is unknown or not for tokens, or last too long.
    ConflictError
        Where the person would have too many.

    """
    row = person_row(session, person)
    now = now_utc()
    if not allowed or not now < expires <= now + LONGEST_TOKEN:
        raise BadRequestError(
            Text("令牌须列明操作，有效期不超过一年", "a token names its actions and lasts a year at most.")
        )
    if unknown := sorted(allowed - (set(actions()) - NOT_FOR_TOKENS)):
        raise BadRequestError(
            Text(f"令牌不能用于：{'、'.join(unknown)}", f"no token is for {', '.join(unknown)}."),
            where={"field": "actions"},
        )
    has = session.scalar(select(func.count()).where(TokenRow.person == row.id)) or 0
    if has + len(titles) > most:
        raise ConflictError(
            Text(f"每人至多 {most} 个令牌", f"a person has {most} tokens at most."),
            mend=Text("请先吊销不用的", "Revoke those that are no longer used."),
        )
    return [_issue(session, actor, row.id, one, allowed, now, expires) for one in titles]


def _issue(
    session: Session,
    actor: str,
    person: str,
    title: str,
    allowed: frozenset[str],
    now: datetime,
    expires: datetime,
) -> tuple[str, Token]:
    token, number = TOKEN_PREFIX + secrets.token_urlsafe(32), secrets.token_hex(8)
    kept = TokenRow(
        id=number,
        token=digest(token),
        person=person,
        title=title.strip()[:LONGEST_TITLE],
        actions=sorted(allowed),
        created=now,
        expires=expires,
        broker=for_broker(token),
    )
    session.add(kept)
    told = {"token": number, "actions": sorted(allowed), "expires": expires.isoformat()}
    _tell(session, actor, "person.token_issued", person, **told)
    return token, _token(kept)


def asker_of_token(records: Records, token: str, *, now: datetime | None = None, touch: bool = True) -> Asker:
    """Return for whom a token acts, narrowed to the actions that it names and what they imply.

    Raises
    ------
    NotSignedInError
        Where there is no such token, or no longer.

    """
    now = now or now_utc()
    with records.read() as session:
        row = _OF_DIGEST.row(session, digest=digest(token))
        if row is None:
            raise NotSignedInError
        number, person, written, expires, used = row
        if expires <= now:
            raise NotSignedInError
        asker = standing_asker(session, person)
    if touch and (used is None or used + SEEN_EVERY < now):
        with records.write() as session:
            kept = session.get(TokenRow, number)
            if kept is not None:
                kept.used = now
    return replace(asker, only=_allowed(written))


def standing_of_token(session: Session, token: str, now: datetime) -> Standing:
    """Return what a token says, for who keeps it in memory; who acts by it is asked of its person.

    Raises
    ------
    NotSignedInError
        Where there is no such token, or no longer.

    """
    question = select(TokenRow.id, TokenRow.person, TokenRow.actions, TokenRow.expires, TokenRow.used)
    row = session.execute(question.where(TokenRow.token == digest(token))).first()
    if row is None or row.expires <= now:
        raise NotSignedInError
    return Standing(row.id, row.person, with_implied(row.actions), row.expires, row.used)


def standing_of_person(session: Session, person: str, now: datetime) -> dict[bytes, Standing]:
    """Return what each token of a person says for itself, by its digest."""
    return standing_of_people(session, [person], now)[person]


def standing_of_people(
    session: Session, people: Collection[str], now: datetime
) -> dict[str, dict[bytes, Standing]]:
    """Return what each token of some people says for itself, by person and digest."""
    question = select(TokenRow.token, TokenRow.person, TokenRow.id, _WRITTEN, TokenRow.expires, TokenRow.used)
    rows = session.execute(question.where(TokenRow.person.in_(people), TokenRow.expires > now))
    found: dict[str, dict[bytes, Standing]] = {person: {} for person in people}
    for token, person, number, written, expires, used in rows:
        found[person][token] = Standing(number, person, _allowed(written), expires, used)
    return found


_WRITTEN = cast(TokenRow.actions, Written)
"""What a token allows, as it is written: a city of many devices has few kinds of tokens."""


_OF_DIGEST = Prepared(
    select(TokenRow.id, TokenRow.person, _WRITTEN, TokenRow.expires, TokenRow.used).where(
        TokenRow.token == bindparam("digest", type_=TokenRow.token.type)
    )
)


@lru_cache(maxsize=1_000)
def _allowed(written: str) -> frozenset[str]:
    """Return what a token allows, with what that implies, by how it is written."""
    return with_implied(json.loads(written))


def people_with_tokens(session: Session, now: datetime, *, after: str = "", limit: int = 100) -> list[str]:
    """Return some people who have tokens that stand, in the order of their ids: those behind `after`."""
    question = select(TokenRow.person).where(TokenRow.expires > now, TokenRow.person > after)
    return list(session.scalars(question.distinct().order_by(TokenRow.person).limit(limit)))


class BrokerSignIn(NamedTuple):
    """By what an MQTT broker knows a token: its number is the name, the token the password."""

    number: str
    password: str
    person: str
    only: frozenset[str]


_OF_BROKER = Prepared(
    select(TokenRow.id, TokenRow.broker, TokenRow.person, _WRITTEN)
    .where(
        TokenRow.broker.is_not(None),
        TokenRow.expires > bindparam("now", type_=TokenRow.expires.type),
        TokenRow.id > bindparam("after", type_=TokenRow.id.type),
    )
    .order_by(TokenRow.id)
    .limit(bindparam("most", type_=Integer))
)


def sign_ins_of_broker(session: Session, now: datetime, *, after: str = "") -> list[BrokerSignIn]:
    """Return by what a broker knows the tokens that stand, in the order of their numbers.

    Tokens issued before brokers knew any have nothing to be known by. Those behind the number `after` are
    told, at most `TOLD_AT_ONCE` of them.
    """
    return [
        BrokerSignIn(number, broker, person, _allowed(written))
        for number, broker, person, written in _OF_BROKER.rows(
            session, now=now, after=after, most=TOLD_AT_ONCE
        )
    ]


def person_of_number(session: Session, number: str, now: datetime) -> str:
    """Return for whom the token of a number acts.

    Raises
    ------
    NotSignedInError
        Where there is no such token, or no longer.

    """
    question = select(TokenRow.person).where(TokenRow.id == number, TokenRow.expires > now)
    person = session.scalar(question)
    if person is None:
        raise NotSignedInError
    return person


def for_broker(token: str) -> str:
    """Return the salted digest by which mosquitto knows a password (its form 6, SHA-512).

    One round is enough: a token is 256 random bits, which nobody guesses however quick a try is.
    """
    salt = secrets.token_bytes(12)
    digested = hashlib.sha512(token.encode() + salt).digest()
    return f"$6${base64.b64encode(salt).decode()}${base64.b64encode(digested).decode()}"


def note_used(records: Records, numbers: Collection[str], now: datetime | None = None) -> None:
    """Note that tokens were used, many at once; between two times others may write."""
    asked = list(numbers)
    for start in range(0, len(asked), NOTED_AT_ONCE):
        began = time.monotonic()
        with records.write() as session:
            connection = session.connection()
            noting, in_time = _noting(connection.dialect)
            used = in_time(now or now_utc())
            some = asked[start : start + NOTED_AT_ONCE]
            connection.exec_driver_sql(noting, [(used, number) for number in some])
        if start + NOTED_AT_ONCE < len(asked):
            time.sleep(2 * (time.monotonic() - began))


@lru_cache(maxsize=8)
def _noting(dialect: Dialect) -> tuple[str, Callable[[datetime], Any]]:
    """Return the statement that notes that a token was used, and how the driver is told when."""
    table: Any = TokenRow.__table__
    statement = update(table).values(used=bindparam("used")).where(table.c.id == bindparam("number"))
    in_time = table.c.used.type.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)
    return driver_text(statement, dialect, ("used", "number")), in_time


def tokens(session: Session, person: str) -> list[Token]:
    """Return the newest tokens of a person, newest first."""
    question = select(TokenRow).where(TokenRow.person == person_row(session, person).id)
    newest = question.order_by(TokenRow.created.desc()).limit(MOST_TOLD)
    return [_token(row) for row in session.scalars(newest)]


def titles_of_person(session: Session, person: str, now: datetime) -> set[str]:
    """Return the titles of a person's tokens that stand."""
    question = select(TokenRow.title).where(TokenRow.person == person, TokenRow.expires > now)
    return set(session.scalars(question))


def revoke_token(session: Session, asker: Asker, person: str, number: str) -> None:
    """End a token of a person."""
    row = session.get(TokenRow, number)
    if row is None or row.person != person_row(session, person).id:
        raise NotFoundError(Text("没有这个令牌", "there is no such token."))
    session.delete(row)
    session.flush()
    _tell(session, asker.id, "person.token_revoked", row.person, token=number)


def revoke_all(session: Session, actor: str, person: str) -> int:
    """End all tokens of a person; return how many those were."""
    rows = session.scalars(select(TokenRow).where(TokenRow.person == person)).all()
    for row in rows:
        session.delete(row)
        _tell(session, actor, "person.token_revoked", person, token=row.id)
    return len(rows)


def _token(row: TokenRow) -> Token:
    return Token(row.id, row.title, tuple(row.actions), row.created, row.expires, row.used)


def digest(token: str) -> bytes:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def _tell(session: Session, actor: str, what: str, person: str, **data: object) -> None:
    ledger.append(session, what, actor=actor, subject=f"person/{person}", data=data)
