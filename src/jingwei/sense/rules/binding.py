"""Which streams a rule watches, and what it takes for one group of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense.models import LocationRow, ObservedPropertyRow, StreamProperty, StreamRow, ThingLocation
from jingwei.sense.rules.evaluating import Watched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from jingwei.sense.rules.form import Rule, Sign

STREAMS: Any = StreamRow.__table__
_PROPERTIES: Any = StreamProperty.__table__
_OBSERVED: Any = ObservedPropertyRow.__table__
_PLACES: Any = ThingLocation.__table__
_LOCATIONS: Any = LocationRow.__table__


@dataclass(frozen=True, slots=True)
class Stream:
    """What rules know of a stream. `cell` is its code of level 32, None where it has no place."""

    id: int
    thing: int
    owner: str
    sharing: str
    level: int
    observes: str
    unit: str
    cell: int | None


Streams = Mapping[int, Stream]


def streams_of(
    session: Session, observes: Collection[str], seen: ColumnElement[bool] | None = None
) -> dict[int, Stream]:
    """Return the Datastreams of some observed properties, by id.

    Parameters
    ----------
    session, observes
        The records, and names of observed properties.
    seen
        A condition on the table of streams.

    """
    asked = (
        select(
            STREAMS.c.id,
            STREAMS.c.thing_id,
            STREAMS.c.owner,
            STREAMS.c.sharing,
            STREAMS.c.level,
            STREAMS.c.unit,
            _OBSERVED.c.name,
            _LOCATIONS.c.cell,
        )
        .join(_PROPERTIES, _PROPERTIES.c.stream_id == STREAMS.c.id)
        .join(_OBSERVED, _OBSERVED.c.id == _PROPERTIES.c.observed_property_id)
        .outerjoin(_PLACES, _PLACES.c.thing_id == STREAMS.c.thing_id)
        .outerjoin(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
        .where(STREAMS.c.multi.is_(False), _OBSERVED.c.name.in_(sorted(observes)))
        .order_by(STREAMS.c.id, _LOCATIONS.c.cell.is_(None), _LOCATIONS.c.id)
    )
    if seen is not None:
        asked = asked.where(seen)
    found: dict[int, Stream] = {}
    for row in session.execute(asked):
        if row.id not in found:
            symbol = symbol_of(row.unit)
            cell = None if row.cell is None else int(grid.from_stored(row.cell))
            told = (row.thing_id, row.owner, row.sharing, row.level, row.name, symbol, cell)
            found[row.id] = Stream(row.id, *told)
    return found


def symbol_of(unit: Any) -> str:
    """Return how a unit is written: its symbol, else its name."""
    told = unit if isinstance(unit, dict) else {}
    return str(told.get("symbol") or told.get("name") or "")


def observed_by(rules: Iterable[Rule]) -> set[str]:
    """Return the names of the observed properties that rules look at."""
    return {sign.observes for rule in rules for sign in rule.signs}


def watched(number: int, rule: Rule, streams: Streams, owner: str) -> list[Watched]:
    """Return what a rule watches among some streams, as the evaluator takes it."""
    ranges = [_range_of(text) for text in rule.within]
    found = []
    for at, sign in enumerate(rule.signs):
        chosen = [one for one in streams.values() if _watches(rule, sign, one, ranges, owner)]
        found.append(
            Watched(
                number,
                at,
                sign,
                np.array([one.id for one in chosen], np.int64),
                np.array([group_of(rule, one) for one in chosen], np.int64),
            )
        )
    return found


def group_of(rule: Rule, stream: Stream) -> int:
    """Return the number of the group of a rule in which a stream is."""
    if rule.together == "zone":
        assert stream.cell is not None  # noqa: S101 -- streams without a place are left out
        return int(grid.to_stored(grid.parent(stream.cell, MAX_LEVEL, rule.level)))
    return stream.id if rule.together == "stream" else stream.thing


def place_of(rule: Rule, group: int, streams: Iterable[Stream]) -> tuple[int | None, int]:
    """Return the stored cell of a group and its level; None where none of its streams has a place."""
    if rule.together == "zone":
        return group, rule.level
    cell = next((one.cell for one in streams if one.cell is not None), None)
    return (None, 0) if cell is None else (int(grid.to_stored(cell)), MAX_LEVEL)


def finest_of(rule: Rule) -> int:
    """Return the finest level at which a rule names places; 0 where it names none."""
    levels = [grid.parse(text).level for text in rule.within]
    levels += [rule.level if one.metres is None else MAX_LEVEL for one in rule.datasets]
    return max([*levels, rule.level if rule.together == "zone" else 0])


def unreadable_cell(rule: Rule) -> str | None:
    """Return the first of the cells of a rule that cannot be read, None where all can."""
    for text in rule.within:
        try:
            _range_of(text)
        except grid.GridError:
            return text
    return None


def _range_of(text: str) -> tuple[int, int]:
    found = grid.parse(text)
    first, last = grid.cell_range(found.code, found.level)
    return int(first), int(last)


def _watches(rule: Rule, sign: Sign, stream: Stream, ranges: list[tuple[int, int]], owner: str) -> bool:
    """Say whether a rule looks for a sign in a stream.

    A rule of a department watches its own streams and those shared with all, one of the whole city every one.
    """
    if stream.observes != sign.observes or (sign.unit is not None and stream.unit != sign.unit):
        return False
    shared = stream.sharing == "unconditional" and stream.level <= 2
    if owner and stream.owner != owner and not shared:
        return False
    if stream.cell is None:
        return rule.together != "zone" and not ranges and not rule.datasets
    cell = int(grid.to_stored(stream.cell))
    return not ranges or any(first <= cell <= last for first, last in ranges)
