"""What the intake of readings asks of streams: whether there is such a one, where it is, who may write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.sense import policy
from jingwei.sense.entities import STREAMS
from jingwei.sense.models import DeviceRow, LocationRow, StreamRow, ThingLocation
from jingwei.sense.readings import StreamFacts

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.policy import Policies
    from jingwei.records import Records

TOGETHER = 256
"""Streams that are read by one question: a city of devices asks of all within a minute."""
_STREAMS: Any = StreamRow.__table__
_LOCATIONS: Any = LocationRow.__table__
_PLACES: Any = ThingLocation.__table__
_DEVICES: Any = DeviceRow.__table__


@dataclass(frozen=True, slots=True)
class StreamAccess:
    """What one asker may do with a stream, and what its readings look like.

    Attributes
    ----------
    parts
        How many values a result has; 0 where it is no array of a MultiDatastream.
    default_feature
        The feature of interest of readings that name none; None before the first such reading.

    """

    may_write: bool
    multi: bool
    parts: int
    result_type: str
    default_feature: int | None


def facts_of(records: Records) -> Callable[[int], list[StreamFacts]]:
    """Return what answers the store of readings about streams, with those of neighbouring numbers."""

    def facts(stream: int) -> list[StreamFacts]:
        first = stream - stream % TOGETHER
        with records.read() as session:
            return facts_in(session, first, first + TOGETHER - 1)

    return facts


def facts_in(session: Session, first: int, last: int) -> list[StreamFacts]:
    """Return what the intake needs to know of the streams of some numbers, as far as there are such.

    `properties` of a Datastream may hold `validRange` ([least, greatest] result), `lateAfter` and
    `futureAfter` (seconds).
    """
    asked = (
        select(
            _STREAMS.c.id,
            _STREAMS.c.properties,
            _STREAMS.c.owner,
            _STREAMS.c.multi,
            _LOCATIONS.c.cell,
            _DEVICES.c.identifier,
            _DEVICES.c.height,
        )
        .outerjoin(_PLACES, _PLACES.c.thing_id == _STREAMS.c.thing_id)
        .outerjoin(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
        .outerjoin(_DEVICES, _DEVICES.c.thing_id == _STREAMS.c.thing_id)
        .where(_STREAMS.c.id.between(first, last))
        .order_by(_STREAMS.c.id, _LOCATIONS.c.cell.is_(None), _LOCATIONS.c.id)
    )
    found: dict[int, StreamFacts] = {}
    for row in session.execute(asked):
        if row.id not in found:
            found[row.id] = _facts(row)
    return list(found.values())


def _facts(row: Any) -> StreamFacts:
    told = row.properties if isinstance(row.properties, dict) else {}
    bounds = told.get("validRange")
    least, greatest = bounds if isinstance(bounds, list) and len(bounds) == 2 else (None, None)
    return StreamFacts(
        row.id,
        cell=row.cell,
        level=None if row.cell is None else 32,
        height=row.height,
        object=row.identifier,
        owner=row.owner or None,
        minimum=_number(least),
        maximum=_number(greatest),
        late_after=_number(told.get("lateAfter")),
        future_after=_number(told.get("futureAfter")),
        multi=row.multi,
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def stream_access(session: Session, policies: Policies, asker: Asker, stream: int) -> StreamAccess | None:
    """Return what an asker may do with a stream; None where there is none, or the asker may not know it."""
    asked = (
        select(_STREAMS, _LOCATIONS.c.feature_id)
        .outerjoin(_PLACES, _PLACES.c.thing_id == _STREAMS.c.thing_id)
        .outerjoin(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
        .where(_STREAMS.c.id == stream)
        .order_by(_LOCATIONS.c.geometry.is_(None), _LOCATIONS.c.id)
        .limit(1)
    )
    row = session.execute(asked).mappings().first()
    if row is None:
        return None
    resource = policy.resource_of(
        STREAMS[int(row["multi"])], stream, owner=row["owner"], sharing=row["sharing"], level=row["level"]
    )
    may_write = policies.decide(asker, policy.OBSERVE, resource).allowed
    if not may_write and not policies.decide(asker, policy.READ, resource).allowed:
        return None
    parts = len(row["part_types"] or []) if row["multi"] else 0
    return StreamAccess(may_write, row["multi"], parts, row["observation_type"], row["feature_id"])
