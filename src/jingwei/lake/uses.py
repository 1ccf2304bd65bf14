"""Uses of versions, kept by what was used: they follow from the log, to its end when they are asked for.

An event may be told before it is sealed and is then passed over once it is, for it is known by its number.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, literal, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from jingwei import ledger
from jingwei.lake.errors import LineageBehindError
from jingwei.lake.models import UseRow, VersionRow
from jingwei.ledger.followers import position_of
from jingwei.ledger.models import Event, Progress
from jingwei.records import now_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from jingwei.lake.schemas import Version
    from jingwei.records import Records

NAME = "lineage"
"""Under which it is kept how far the log was read."""
WINDOW = 5_000
"""Positions of the log that are looked through at a time: nothing else is written meanwhile."""
SOME = 500
"""Values that are asked for in one statement."""
COUNTED = ("exported", "identified")
"""Kinds of which all of one form are told as one, with how often, or how many."""

_ERASED = "ledger.erased"
_COLUMNS = (Event.id, Event.type, Event.subject, Event.time, Event.data, Event.position)


def of_version(dataset: str, number: int) -> str:
    """Return the key of a version."""
    return f"version/{dataset}/{number}"


def of_load(intent: str) -> str:
    """Return the key of a load, which may become a version."""
    return f"load/{intent}"


def of_file(digest: str) -> str:
    """Return the key of a file, by the digest of its content."""
    return f"file/{digest}"


def keys_of(session: Session, version: Version) -> list[str]:
    """Return all keys by which a version may have been used."""
    which = (VersionRow.dataset == version.dataset, VersionRow.number == version.number)
    intent = session.scalars(select(VersionRow.intent).where(*which)).one()
    files = {of_file(file.digest) for file in version.content.sources}
    return [of_version(version.dataset, version.number), of_load(intent), *sorted(files)]


# keeping up with the log


def catch_up(records: Records, *, seconds: float | None = None) -> None:
    """Take in what the log tells since it was last read.

    Parameters
    ----------
    records
        The record store.
    seconds
        For how long at most; to the end if not given.

    Raises
    ------
    LineageBehindError
        If the log is longer than that. What was read stays so, and the next one goes on from there.

    """
    until = None if seconds is None else time.monotonic() + seconds
    while _waits(records):
        if until is not None and time.monotonic() > until:
            with records.read() as session:
                raise LineageBehindError(position_of(session, NAME), ledger.size(session))
        with records.write() as session:
            _step(session)


def _waits(records: Records) -> bool:
    with records.read() as session:
        start, size = position_of(session, NAME), ledger.size(session)
        if start < size and (size - start >= WINDOW or _sealed(session, start, size).first() is not None):
            return True
        return bool(_fresh(session, _unsealed(session)))


def _step(session: Session) -> None:
    """Take in the next window, or what is not sealed yet where that was the last one."""
    progress = _progress(session)
    end = min(progress.position + WINDOW, ledger.size(session))
    sealed = _sealed(session, progress.position, end).all()
    found = [*sealed, *(_unsealed(session) if end == ledger.size(session) else [])]
    fresh = _fresh(session, found)
    intents = _intents(session, fresh)
    rows = [row for event in fresh for row in _told(event, intents)]
    for begin in range(0, len(rows), SOME):
        session.execute(insert(UseRow), rows[begin : begin + SOME])
    for event in sealed:
        if event.type == _ERASED and event.data:
            _erase(session, event.data["positions"])
    progress.position, progress.time = end, now_utc()


def _progress(session: Session) -> Progress:
    """Return how far the log was read, locked against others who read it."""
    asked = select(Progress).where(Progress.name == NAME).with_for_update()
    found = session.scalars(asked).one_or_none()
    if found is None:
        try:
            with session.begin_nested():
                session.add(Progress(name=NAME, position=0, time=now_utc()))
        except IntegrityError:
            pass  # another process began at the same moment
        found = session.scalars(asked).one()
    return found


def _sealed(session: Session, start: int, end: int) -> Any:
    asked = select(*_COLUMNS).where(Event.type.in_((*TELLERS, _ERASED)))
    within = asked.where(Event.position >= start, Event.position < end)
    return session.execute(within.order_by(Event.position))


def _unsealed(session: Session) -> Sequence[Any]:
    asked = select(*_COLUMNS).where(Event.position.is_(None), Event.type.in_(TELLERS))
    return session.execute(asked.order_by(Event.id)).all()


def _fresh(session: Session, events: Iterable[Any]) -> list[Any]:
    """Return the events that tell of uses and were not taken in."""
    told = [one for one in events if one.data and one.type in TELLERS and any(TELLERS[one.type](one))]
    known: set[int] = set()
    for begin in range(0, len(told), SOME):
        numbers = [one.id for one in told[begin : begin + SOME]]
        known.update(session.scalars(select(UseRow.event).where(UseRow.event.in_(numbers))))
    return [one for one in told if one.id not in known]


def _intents(session: Session, events: Iterable[Any]) -> dict[tuple[str, int], str]:
    """Return by which load each version was written whose publishing is told of."""
    told = [
        (one.subject.removeprefix("dataset/"), one.data["version"])
        for one in events
        if one.type == "dataset.published"
    ]
    if not told:
        return {}
    least, most = min(number for _, number in told), max(number for _, number in told)
    asked = select(VersionRow.dataset, VersionRow.number, VersionRow.intent).where(
        VersionRow.dataset.in_({dataset for dataset, _ in told}), VersionRow.number.between(least, most)
    )
    return {(dataset, number): intent for dataset, number, intent in session.execute(asked)}


def _told(event: Any, intents: dict[tuple[str, int], str]) -> Iterator[dict[str, Any]]:
    """Yield what an event tells, with the load by which a version that was made was written."""
    intent = event.data.get("intent")
    if event.type == "dataset.published":
        intent = intents.get((event.subject.removeprefix("dataset/"), event.data["version"]))
    for row in TELLERS[event.type](event):
        yield {
            "number": None, "how": "", "times": 1, **row,
            "subject": event.subject, "event": event.id, "at": event.time, "intent": intent,
        }  # fmt: skip


def _erase(session: Session, positions: Collection[int]) -> None:
    wanted = sorted(positions)
    for begin in range(0, len(wanted), SOME):
        erased = select(Event.id).where(Event.position.in_(wanted[begin : begin + SOME]))
        session.execute(delete(UseRow).where(UseRow.event.in_(erased)))


# what events tell


def _published(event: Any) -> Iterator[dict[str, Any]]:
    number = event.data["version"]
    for key, how in _reads(event):
        yield {"of": key, "kind": "read", "number": number, "how": how}
    for digest in sorted({file.get("digest") for file in event.data.get("sources", [])} - {None, ""}):
        yield {"of": of_file(digest), "kind": "same-file", "number": number}


def _reads(event: Any) -> Iterator[tuple[str, str]]:
    """Yield the keys of the versions that an event says were read, each with what for."""
    hows: dict[str, list[str]] = {}
    for one in event.data.get("reads", []):
        hows.setdefault(of_version(one["dataset"], one["version"]), []).append(one["how"])
    for key, how in hows.items():
        yield key, ",".join(dict.fromkeys(how))


def _checked(event: Any) -> Iterator[dict[str, Any]]:
    yield {"of": of_load(event.data["intent"]), "kind": "checked"}
    own = f"version/{event.subject.removeprefix('dataset/')}/"
    for key, how in _reads(event):
        if not key.startswith(own):
            yield {"of": key, "kind": "compared", "how": how}


def _compacted(event: Any) -> Iterator[dict[str, Any]]:
    before = of_version(event.subject.removeprefix("dataset/"), event.data["before"])
    yield {"of": before, "kind": "compacted", "number": event.data["version"]}


def _correction(event: Any) -> Iterator[dict[str, Any]]:
    yield {"of": of_load(event.data["check"]), "kind": "correction"}


def _exported(event: Any) -> Iterator[dict[str, Any]]:
    number, dataset = event.data["version"], event.subject.removeprefix("dataset/")
    if number is not None:
        key = of_version(dataset, number)
        yield {"of": key, "kind": "exported", "number": number, "how": event.data["form"]}


def _identified(event: Any) -> Iterator[dict[str, Any]]:
    if "load" in event.data:
        yield {"of": of_load(event.data["load"]), "kind": "identified", "times": event.data["count"]}


def _of_versions(kind: str) -> Callable[[Any], Iterator[dict[str, Any]]]:
    def told(event: Any) -> Iterator[dict[str, Any]]:
        for dataset, number in event.data.get("versions", {}).items():
            yield {"of": of_version(dataset, number), "kind": kind}

    return told


TELLERS: dict[str, Callable[[Any], Iterator[dict[str, Any]]]] = {
    "dataset.published": _published,
    "dataset.checked": _checked,
    "dataset.compacted": _compacted,
    "dataset.exported": _exported,
    "correction.requested": _correction,
    "matching.run": _of_versions("matched"),
    "case.pack_taken": _of_versions("cases"),
    "keeping.exported": _of_versions("exported"),
    "object.issued_in_bulk": _identified,
}
"""Types of events that tell of uses of versions, and what each tells."""


# asking


def told_of(
    session: Session,
    keys: Sequence[str],
    allowed: Sequence[ColumnElement[bool]],
    after: tuple[Any, int] | None,
    limit: int,
) -> Sequence[UseRow]:
    """Return uses by the keys of a version, oldest first, but for those of `COUNTED`.

    Parameters
    ----------
    session, keys
        As `keys_of` gives them.
    allowed
        Of which uses the asker may know; any of these.
    after
        When, and the number of, the use after which the page begins.
    limit
        At most so many.

    """
    asked = select(UseRow).where(
        UseRow.of.in_(keys), UseRow.kind.not_in(COUNTED), or_(*allowed), _told_once(keys)
    )
    if after is not None:
        at, number = after
        asked = asked.where(or_(UseRow.at > at, and_(UseRow.at == at, UseRow.id > number)))
    return session.scalars(asked.order_by(UseRow.at, UseRow.id).limit(limit)).all()


def _told_once(keys: Sequence[str]) -> ColumnElement[bool]:
    """Leave out files of what was read, further files of one load, and checks of which a version tells."""
    other = aliased(UseRow)
    first = (
        select(func.min(other.id)).where(other.of.in_(keys), other.kind == "same-file").group_by(other.event)
    )
    read = select(other.event).where(other.of == keys[0], other.kind == "read")
    compared = select(literal(1)).where(
        other.of == UseRow.of,
        other.kind == "read",
        other.intent == UseRow.intent,
        other.how.contains("rule"),
    )
    return and_(
        or_(UseRow.kind != "same-file", and_(UseRow.id.in_(first), UseRow.event.not_in(read))),
        or_(UseRow.kind != "compared", ~compared.exists()),
    )


def counted(session: Session, keys: Sequence[str]) -> list[Any]:
    """Return uses of `COUNTED` together: kind, subject, number, how, when last, the last event, how often."""
    same = (UseRow.kind, UseRow.subject, UseRow.number, UseRow.how)
    asked = select(*same, func.max(UseRow.at), func.max(UseRow.event), func.sum(UseRow.times))
    those = asked.where(UseRow.of.in_(keys), UseRow.kind.in_(COUNTED))
    return list(session.execute(those.group_by(*same)).all())


def versions_by(session: Session, rows: Iterable[UseRow]) -> dict[str, int]:
    """Return which version each load of some uses became, if one."""
    wanted = [row for row in rows if row.intent is not None]
    datasets = {row.subject.removeprefix("dataset/") for row in wanted}
    asked = select(VersionRow.intent, VersionRow.number).where(
        VersionRow.dataset.in_(datasets), VersionRow.intent.in_({row.intent for row in wanted})
    )
    return dict(iter(session.execute(asked))) if wanted else {}
