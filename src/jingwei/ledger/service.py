"""Appending to the log and reading it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import Dialect, Table, bindparam, insert, select, union_all

from jingwei.errors import NotFoundError
from jingwei.ledger.bell import mark_appended
from jingwei.ledger.models import Event, Head, encode_json
from jingwei.ledger.schemas import event_type
from jingwei.records import Prepared, now_utc
from jingwei.records.database import Statement, driver_text
from jingwei.records.database import insert as insert_row
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from sqlalchemy import CompoundSelect
    from sqlalchemy.orm import Session

SALT_SIZE = 16
TOGETHER = 20
"""Events told to the database in one statement: for each statement a thread may have to wait its turn."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A sealed event as followers and readers get it; what was erased is `None`."""

    position: int
    id: int
    type: str
    time: datetime
    sealed: datetime
    actor: str | None
    subject: str | None
    data: dict[str, Any] | None


def append(session: Session, type_: str, *, actor: str, subject: str, data: dict[str, Any]) -> int:
    """Append an event within the caller's transaction, and return its id.

    Parameters
    ----------
    session
        The session of the change that this event tells of; both are committed together or not at all.
    type_
        What happened, as `part.past_participle` (`dataset.published`), declared with `declare`.
    actor
        Identifier of the person or program that did it.
    subject
        Identifier of what it was done to (`dataset/bus_stops`).
    data
        The facts of the event: JSON values only, never personal data.

    Raises
    ------
    UnknownEventError, EventDataError
        Where the type is not declared, or the data does not fit it.

    """
    statements, rows = _rows(session, type_, actor, [(subject, data)])
    event_id = insert_row(session.connection(), statements.one, rows[0])
    mark_appended(session)
    return event_id


def append_many(
    session: Session, type_: str, events: Iterable[tuple[str, dict[str, Any]]], *, actor: str
) -> int:
    """Append many events of one type, given as `(subject, data)`; return how many."""
    statements, rows = _rows(session, type_, actor, events)
    if rows:
        connection = session.connection()
        whole = len(rows) - len(rows) % TOGETHER
        for at in range(0, whole, TOGETHER):
            values = tuple(chain.from_iterable(rows[at : at + TOGETHER]))
            connection.exec_driver_sql(statements.together, values)
        if whole < len(rows):
            connection.exec_driver_sql(statements.many, rows[whole:])
        mark_appended(session)
    return len(rows)


def telling(session: Session, type_: str, *, actor: str, subject: str, data: dict[str, Any]) -> Statement:
    """Return the statement that appends an event, for who runs it together with others of his transaction."""
    statements, rows = _rows(session, type_, actor, [(subject, data)])
    mark_appended(session)
    return Statement(statements.many, rows[0])


class _Statements(NamedTuple):
    """How a driver is told of new events: as text with the values in the order of `_TOLD`."""

    one: str
    many: str
    together: str
    time: Callable[[datetime], Any]


_TOLD = ("type", "time", "actor", "subject", "data", "salt", "digest")


@lru_cache(maxsize=8)
def _statements(dialect: Dialect) -> _Statements:
    """Compile once: what the ORM does for an object costs more than the disk."""
    table = cast("Table", Event.__table__)
    statement = insert(table).values({name: bindparam(name) for name in _TOLD}).inline()
    many = one = driver_text(statement, dialect, _TOLD)
    if dialect.name != "sqlite":  # which tells the number anyway
        one = driver_text(statement.returning(table.c.id), dialect, _TOLD)
    time = table.c.time.type.bind_processor(dialect) or (lambda value: value)
    head, row = many.split("VALUES ")
    together = f"{head}VALUES {', '.join([row] * TOGETHER)}"
    return _Statements(one, many, together, time)


def _rows(
    session: Session, type_: str, actor: str, events: Iterable[tuple[str, dict[str, Any]]]
) -> tuple[_Statements, list[tuple[Any, ...]]]:
    validate = event_type(type_).validate
    statements = _statements(session.connection().dialect)
    time = statements.time(now_utc())
    rows = []
    for subject, data in events:
        validate(data)
        salt, packed = os.urandom(SALT_SIZE), encode_json(data)
        digest = hashlib.sha256(salt + payload_bytes(actor, subject, packed)).digest()
        rows.append((type_, time, actor, subject, packed.decode(), salt, digest))
    return statements, rows


def payload_bytes(actor: str | None, subject: str | None, data: bytes) -> bytes:
    """Return what the digest of an event is taken of: its actor, subject and data, as compact JSON."""
    return b'{"actor":%b,"data":%b,"subject":%b}' % (encode_json(actor), data, encode_json(subject))


def entry_bytes(type_: str, time: datetime, sealed: datetime, digest: bytes) -> bytes:
    """Return the leaf of an event in the tree: nothing of it can be traced to a person.

    `time` is when the event was appended, `sealed` when it got its position. Both in UTC.
    """
    return leaf_bytes(type_, leaf_time(time), leaf_time(sealed), digest)


def leaf_bytes(type_: str, time: str, sealed: str, digest: bytes) -> bytes:
    """Return what `entry_bytes` does, of times as they stand in a leaf."""
    told = f'{{"digest":"{digest.hex()}","sealed":"{sealed}","time":"{time}","type":"{type_}","v":1}}'
    return told.encode()


def leaf_time(time: datetime) -> str:
    """Return an instant in UTC as it stands in a leaf."""
    return time.isoformat(timespec="microseconds")[:26] + "Z"


def events_of(session: Session, subject: str, *, limit: int = 100) -> Sequence[Event]:
    """Return the newest events of `subject`, newest first."""
    question = select(Event).where(Event.subject == subject).order_by(Event.id.desc()).limit(limit)
    return session.scalars(question).all()


def of_types(types: Collection[str], *columns: Any) -> CompoundSelect[Any]:
    """Return the question for columns of all events of `types`, in no order, sealed and not yet sealed.

    Two questions in one, as the sealed are found by their type and the few that wait by being so.
    """
    asked = select(*columns).where(Event.type.in_(types))
    return union_all(asked.where(Event.position.is_not(None)), asked.where(Event.position.is_(None)))


def size(session: Session) -> int:
    """Return how many events are sealed; positions count from 0."""
    found = _SIZE.row(session)
    return int(found[0]) if found else 0


_SIZE = Prepared(select(Head.size))


def holds_any(session: Session, start: int, end: int, *, types: Collection[str] | None = None) -> bool:
    """Say whether any sealed event at positions `[start, end)` is of `types`, where given."""
    if types is None:
        return start < end
    question = select(Event.type).where(Event.position >= start, Event.position < end).distinct()
    return bool(types) and not set(types).isdisjoint(session.scalars(question))


def entries(session: Session, start: int, end: int, *, types: Collection[str] | None = None) -> list[Entry]:
    """Return the sealed events at positions `[start, end)`, in order, of `types` if given."""
    question = select(Event).where(Event.position >= start, Event.position < end)
    if types is not None:
        question = question.where(Event.type.in_(types))
    return [_entry(event) for event in session.scalars(question.order_by(Event.position))]


def search(
    session: Session,
    *,
    types: Collection[str] = (),
    subject: str | None = None,
    actor: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Entry]:
    """Return sealed events, newest first: of types, on a subject, by an actor, before a position."""
    question = select(Event).where(Event.position.is_not(None))
    # Of a subject there are few events; of a kind, and by a program, millions. Written as a sum, those have
    # no index that a database could prefer.
    kind, by = (Event.type, Event.actor) if subject is None else (Event.type + "", Event.actor + "")
    if subject is not None:
        question = question.where(Event.subject == subject)
    if types:
        question = question.where(kind.in_(types))
    if actor is not None:
        question = question.where(by == actor)
    if before is not None:
        question = question.where(Event.position < before)
    found = session.scalars(question.order_by(Event.position.desc()).limit(limit))
    return [_entry(event) for event in found]


def entry_at(session: Session, position: int) -> Entry:
    """Return the event at `position`.

    Raises
    ------
    NotFoundError
        Where no event has that position.

    """
    event = session.scalar(select(Event).where(Event.position == position))
    if event is None:
        raise NotFoundError(Text(f"日志中没有第 {position} 条", f"the log has no entry {position}."))
    return _entry(event)


def correct(session: Session, position: int, *, actor: str, reason: str, data: dict[str, Any]) -> int:
    """Append what holds instead of the event at `position`; that one stays as it is."""
    old = entry_at(session, position)
    told = {"position": position, "reason": reason, "data": data}
    return append(session, "ledger.corrected", actor=actor, subject=old.subject or "ledger", data=told)


def erase(session: Session, positions: Collection[int], *, actor: str, reason: str) -> int:
    """Erase the payloads of events, and record that; the tree stays valid.

    What remains of each is its type, its times, its position and a salted digest that, without the
    salt, says nothing.
    """
    found = session.scalars(select(Event).where(Event.position.in_(positions))).all()
    missing = set(positions) - {event.position for event in found}
    if missing:
        raise NotFoundError(Text(f"日志中没有第 {min(missing)} 条", f"the log has no entry {min(missing)}."))
    for event in found:
        event.actor = event.subject = event.data = event.salt = None
    told = {"positions": sorted(positions), "reason": reason}
    return append(session, "ledger.erased", actor=actor, subject="ledger", data=told)


def _entry(event: Event) -> Entry:
    if event.position is None or event.sealed is None:
        msg = f"event {event.id} is not sealed"
        raise ValueError(msg)
    return Entry(
        event.position, event.id, event.type, event.time, event.sealed, event.actor, event.subject, event.data
    )
