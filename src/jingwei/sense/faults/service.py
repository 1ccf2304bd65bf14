"""What people are told of faulty sensors: which there are, by what they are told, whether it was true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, select

from jingwei import grid, ledger
from jingwei.errors import NotFoundError
from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense import policy
from jingwei.sense.entities import ENTITIES
from jingwei.sense.faults.fault import Fault
from jingwei.sense.faults.hours import HOUR, hours_of_leaves
from jingwei.sense.faults.models import FaultRow
from jingwei.sense.faults.neighbours import NEAR, beside
from jingwei.sense.faults.words import described
from jingwei.sense.models import StreamRow, ThingRow
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from jingwei.sense.rollups.engine import Rollups
    from jingwei.sense.sight import Sight

ACTOR = "sense/faults"
STREAMS: Any = StreamRow.__table__
THINGS: Any = ThingRow.__table__
FAULTS: Any = FaultRow.__table__
BEFORE = 14 * 24 * HOUR
"""How much from before a fault is drawn, and how much of it at most, microseconds."""
MOST_DRAWN = 28 * 24 * HOUR


@dataclass(frozen=True, slots=True)
class Told:
    """A fault as one asker may know it."""

    id: int
    stream: int
    stream_name: str
    thing: int
    thing_name: str
    owner: str
    kind: str
    since: int
    until: int | None
    found: int
    evidence: dict[str, float]
    says: Text
    case: str
    mark: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A fault as a chart shows it, hour by hour, UTC microseconds.

    `own` is what the stream says, `expected` what it would say by neighbours that the asker may read.
    """

    start: NDArray[np.int64]
    own: NDArray[np.float64]
    expected: NDArray[np.float64]


def listed(
    session: Session,
    sight: Sight,
    *,
    lasting: bool | None = None,
    kind: str | None = None,
    stream: int | None = None,
    thing: int | None = None,
    number: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Told]:
    """Return faults of streams that the asker may read, the newest first.

    Parameters
    ----------
    session, sight
        The records, and what the asker sees.
    lasting
        Only those that last, or only those that ended.
    kind, stream, thing, number
        Only these.
    before, limit
        Only with lower numbers, and how many.

    """
    one, other = STREAMS.alias("f1"), THINGS.alias("f2")
    asked = (
        select(FAULTS, one.c.name.label("stream_name"), one.c.owner, one.c.thing_id, other.c.name)
        .join(one, one.c.id == FAULTS.c.stream_id)
        .join(other, other.c.id == one.c.thing_id)
        .where(sight.visible(ENTITIES["Datastream"], one))
        .order_by(FAULTS.c.id.desc())
        .limit(limit)
    )
    if lasting is not None:
        asked = asked.where(FAULTS.c.until.is_(None) if lasting else FAULTS.c.until.is_not(None))
    wanted = (
        (FAULTS.c.kind, kind), (FAULTS.c.stream_id, stream), (one.c.thing_id, thing), (FAULTS.c.id, number)
    )  # fmt: skip
    for column, value in wanted:
        if value is not None:
            asked = asked.where(column == value)
    if before is not None:
        asked = asked.where(FAULTS.c.id < before)
    return [_told(row) for row in session.execute(asked).mappings()]


def counted(session: Session, sight: Sight) -> dict[str, int]:
    """Return how many faults last that nobody found to be false, by kind, as far as the asker may read."""
    one = STREAMS.alias("f1")
    asked = (
        select(FAULTS.c.kind, func.count())
        .join(one, one.c.id == FAULTS.c.stream_id)
        .where(sight.visible(ENTITIES["Datastream"], one), FAULTS.c.until.is_(None), FAULTS.c.mark != "false")
        .group_by(FAULTS.c.kind)
    )
    return {str(kind): int(count) for kind, count in session.execute(asked)}


def of_streams(session: Session, streams: Collection[int], at: int | None = None) -> dict[int, list[str]]:
    """Return which faults some streams have now, or had at a moment (UTC microseconds).

    Those that people found to be false are none.
    """
    lasting = FAULTS.c.until.is_(None)
    if at is not None:
        lasting = (FAULTS.c.since <= at) & (lasting | (FAULTS.c.until > at))
    found: dict[int, list[str]] = {}
    wanted = sorted(streams)
    for begin in range(0, len(wanted), 500):
        asked = select(FAULTS.c.stream_id, FAULTS.c.kind).where(
            FAULTS.c.stream_id.in_(wanted[begin : begin + 500]),
            lasting,
            FAULTS.c.mark != "false",
        )
        for stream, kind in session.execute(asked.order_by(FAULTS.c.id)):
            found.setdefault(stream, []).append(kind)
    return found


def one(session: Session, sight: Sight, number: int) -> Told:
    """Return a fault.

    Raises
    ------
    NotFoundError

    """
    found = listed(session, sight, number=number)
    if not found:
        raise NotFoundError(Text("没有这个故障", "There is no such fault"), where={"fault": number})
    return found[0]


def mark(session: Session, sight: Sight, number: int, said: str) -> None:
    """Say whether a fault was true, as who keeps the sensor.

    Raises
    ------
    NotFoundError, RefusedError

    """
    told = one(session, sight, number)
    stream = session.get_one(StreamRow, told.stream)
    row = {"id": stream.id, "owner": stream.owner, "sharing": stream.sharing, "level": stream.level}
    sight.check(policy.WRITE, ENTITIES["Datastream"], row)
    marked(session, session.get_one(FaultRow, number), said, sight.asker.id)


def marked(session: Session, fault: FaultRow, said: str, by: str) -> None:
    """Keep what was found of a fault: `true`, `false`, or empty for nothing."""
    fault.mark, fault.marked_by = said, by
    data = {"stream": fault.stream_id, "mark": said}
    ledger.append(session, "sense.fault_marked", actor=by, subject=f"sense/faults/{fault.id}", data=data)


def drawn(session: Session, sight: Sight, rollups: Rollups, told: Told) -> Drawn:
    """Return what a chart shows of a fault."""
    address = rollups.addresses.get(told.stream)
    none = np.empty(0)
    if address is None:
        return Drawn(none.astype(np.int64), none, none)
    near = _near(session, sight, rollups, told.stream)
    calendar = rollups.calendar
    since = calendar.hour(told.since - BEFORE)
    newest = rollups.frames.extent(address.property)
    last = newest[1] + HOUR if newest else told.since
    until = min(last if told.until is None else told.until + BEFORE // 7, told.since + MOST_DRAWN)
    until = max(since + HOUR, calendar.hour(until) + HOUR)
    cells = np.array([rollups.addresses[stream].cell for stream in near.tolist()], np.uint64)
    leaves = rollups.answers.hours_between(address.property, since, until, int(cells.min()), int(cells.max()))
    lon, lat = grid.centre(cells, MAX_LEVEL)
    hours = hours_of_leaves(near, np.asarray(lon), np.asarray(lat), leaves, since, until)
    known = np.zeros(hours.mean.shape, bool)
    at = int(np.searchsorted(near, told.stream))
    known[hours.start >= told.since, at] = True
    held = beside(hours, known)
    return Drawn(hours.start, hours.mean[:, at], held.expected[:, at])


def _near(session: Session, sight: Sight, rollups: Rollups, stream: int) -> NDArray[np.int64]:
    """Return a stream and those like it near by that the asker may read, in the order of their numbers."""
    here = rollups.addresses[stream]
    alike = {
        other: address.cell
        for other, address in rollups.addresses.items()
        if address.property == here.property
    }
    away = sorted(alike, key=lambda other: abs(alike[other] - here.cell))[: 4 * NEAR]
    seen = select(STREAMS.c.id).where(STREAMS.c.id.in_(away), sight.visible(ENTITIES["Datastream"], STREAMS))
    readable = set(session.scalars(seen))
    chosen = [other for other in away if other in readable][: NEAR + 1]
    return np.array(sorted({stream, *chosen}), np.int64)


def _told(row: Any) -> Told:
    fault = Fault(row["stream_id"], row["kind"], row["since"], row["until"], row["evidence"])
    return Told(
        id=row["id"], stream=row["stream_id"], stream_name=row["stream_name"], thing=row["thing_id"],
        thing_name=row["name"], owner=row["owner"], kind=row["kind"], since=row["since"], until=row["until"],
        found=row["found"], evidence=row["evidence"], says=described(fault), case=row["case_number"],
        mark=row["mark"],
    )  # fmt: skip
