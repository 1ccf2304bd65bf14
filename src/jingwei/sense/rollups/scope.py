"""Of which streams an asker may be told what: of those that one may read, and of others together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Text, cast, select

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense import policy
from jingwei.sense.entities import ENTITIES
from jingwei.sense.known import CELL_NAME, level_known
from jingwei.sense.rollups.placed import Placed
from jingwei.sense.rollups.quantities import (
    LOCATIONS,
    OBSERVED,
    PLACES,
    PROPERTIES,
    STREAMS,
    Quantity,
    quantity_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.sense.rollups.among import Among
    from jingwei.sense.rollups.kept import Address
    from jingwei.sense.service import Sensing
    from jingwei.sense.sight import Sight


@dataclass(frozen=True, slots=True)
class Seen:
    """Streams that an asker may read, in order, and the finest level at which each one's place is told."""

    streams: NDArray[np.int64]
    levels: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Others:
    """Streams that an asker may not read, and of which figures may be told of many together.

    `smallest` is how many of them figures are of at least, `level` the finest level of zones.
    """

    streams: NDArray[np.int64]
    smallest: int
    level: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Of which streams an asker may be told what, and what these observe.

    `seen` is None where the asker may read all of them at their places. `among` is what follows from it for
    each property and some addresses of streams, kept as long as these are the same.
    """

    seen: Seen | None
    others: Others | None
    quantities: list[Quantity]
    named: dict[int, Placed] = field(default_factory=dict)
    """By property, streams that the asker may read of whose places only the cells are known."""
    among: dict[int, tuple[Mapping[int, Address], Among]] = field(
        default_factory=dict, compare=False, repr=False
    )


def scope_of(sensing: Sensing, asker: Asker) -> Scope:
    """Return of which streams an asker may be told what, as the records and the policies say now."""
    with sensing.records.read() as session:
        sight = sensing.sight(session, asker)
        coarse = _coarse(session)
        seen = _seen(session, sight, coarse)
        others = None if seen is None else _others(session, sight, coarse)
        named = {} if seen is None else _named(coarse, seen)
        return Scope(seen, others, _quantities(session, sight), named)


@dataclass(frozen=True, slots=True)
class Coarse:
    """A stream of whose place only a cell is known: what it observes, a point in the cell, and its level."""

    property: int
    cell: int
    level: int


def _coarse(session: Session) -> dict[int, Coarse]:
    """Return the streams of whose places only cells are known, by number."""
    asked = (
        select(
            STREAMS.c.id, STREAMS.c.unit, PROPERTIES.c.observed_property_id, LOCATIONS.c.cell,
            LOCATIONS.c.properties,
        )
        .join(PROPERTIES, PROPERTIES.c.stream_id == STREAMS.c.id)
        .join(PLACES, PLACES.c.thing_id == STREAMS.c.thing_id)
        .join(LOCATIONS, LOCATIONS.c.id == PLACES.c.location_id)
        .where(STREAMS.c.multi.is_(False), LOCATIONS.c.cell.is_not(None))
        .where(cast(LOCATIONS.c.properties, Text).like(f'%"{CELL_NAME}"%'))
        .order_by(STREAMS.c.id, LOCATIONS.c.id.desc())
    )  # fmt: skip
    found: dict[int, Coarse] = {}
    for stream, unit, observed, stored, properties in session.execute(asked):
        cell = int(grid.from_stored(stored))
        level = level_known(properties, cell)
        if level < MAX_LEVEL:
            found[stream] = Coarse(quantity_of(observed, "", unit).key, cell, level)
    return found


def _named(coarse: Mapping[int, Coarse], seen: Seen) -> dict[int, Placed]:
    """Return those of the streams with coarse places that an asker may read, by property."""
    levels = dict(zip(seen.streams.tolist(), seen.levels.tolist(), strict=True))
    listed: dict[int, list[tuple[int, int, int]]] = {}
    for stream, one in sorted(coarse.items()):
        if stream in levels:
            listed.setdefault(one.property, []).append((stream, one.cell, levels[stream]))
    return {
        key: Placed(
            np.array([one for one, _, _ in own], np.int64),
            np.array([cell for _, cell, _ in own], np.uint64),
            np.array([level for _, _, level in own], np.int8),
        )
        for key, own in listed.items()
    }


def _seen(session: Session, sight: Sight, coarse: Mapping[int, Coarse]) -> Seen | None:
    """Return which streams an asker may read, None where all of them at places that were measured."""
    everything = sight.policies.rows(sight.asker, policy.READ, policy.KIND).everything
    if everything and sight.sees_places and not coarse:
        return None
    one, place = STREAMS.alias("s1"), LOCATIONS.alias("s2")
    asked = (
        select(
            one.c.id,
            *(one.c[name] for name in ("owner", "sharing", "level")),
            *(place.c[name].label(f"place_{name}") for name in ("owner", "sharing", "level")),
        )
        .join(PLACES, PLACES.c.thing_id == one.c.thing_id)
        .join(place, place.c.id == PLACES.c.location_id)
        .where(one.c.multi.is_(False), place.c.cell.is_not(None))
        .where(sight.visible(ENTITIES["Datastream"], one))
        .order_by(one.c.id)
    )
    levels: dict[int, int] = {}
    for row in session.execute(asked).mappings():
        own = {name: row[name] for name in ("owner", "sharing", "level")}
        there = {name: row[f"place_{name}"] for name in own}
        level = min(sight.place_level(own), sight.place_level(there))
        if row["id"] in coarse:
            level = min(level, coarse[row["id"]].level)
        levels[row["id"]] = min(level, levels.get(row["id"], MAX_LEVEL))
    return Seen(
        np.fromiter(levels, np.int64, len(levels)), np.fromiter(levels.values(), np.int8, len(levels))
    )


def _others(session: Session, sight: Sight, coarse: Collection[int]) -> Others | None:
    """Return the streams that an asker may know only together with others, if there are any.

    Of those of whose places only cells are known nothing is told: they lie in no zone that is finer.
    """
    one, readable = STREAMS.alias("s1"), STREAMS.alias("s2")  # each condition binds its values by its alias
    datastream = ENTITIES["Datastream"]
    asked = (
        select(one.c.id, one.c.owner, one.c.sharing, one.c.level)
        .where(one.c.multi.is_(False), sight.visible(datastream, one, policy.SUMMARISE))
        .where(one.c.id.not_in(select(readable.c.id).where(sight.visible(datastream, readable))))
        .order_by(one.c.id)
    )
    rows = [row for row in session.execute(asked) if row.id not in coarse]
    if not rows:
        return None
    kinds = {tuple(row)[1:] for row in rows}
    limits = [
        policy.together(
            sight.policies,
            sight.asker,
            policy.resource_of("Datastream", owner=owner, sharing=sharing, level=level),
        )
        for owner, sharing, level in kinds
    ]
    return Others(
        np.array([row.id for row in rows], np.int64),
        max(smallest for smallest, _ in limits),
        min(level for _, level in limits),
    )


def _quantities(session: Session, sight: Sight) -> list[Quantity]:
    """Return what the streams observe of which an asker may know, in the order of the properties."""
    one, observed = STREAMS.alias("s1"), OBSERVED.alias("s2")
    asked = (
        select(PROPERTIES.c.observed_property_id, observed.c.name, one.c.unit)
        .join(PROPERTIES, PROPERTIES.c.stream_id == one.c.id)
        .join(observed, observed.c.id == PROPERTIES.c.observed_property_id)
        .where(one.c.multi.is_(False))
        .where(sight.visible(ENTITIES["ObservedProperty"], observed))
        .group_by(PROPERTIES.c.observed_property_id, observed.c.name, one.c.unit)
    )
    found: dict[int, Quantity] = {}
    for action in (policy.READ, policy.SUMMARISE):
        for row in session.execute(asked.where(sight.visible(ENTITIES["Datastream"], one, action))):
            quantity = quantity_of(*row)
            found[quantity.key] = quantity
    return sorted(found.values(), key=lambda quantity: (quantity.observed, quantity.field))
