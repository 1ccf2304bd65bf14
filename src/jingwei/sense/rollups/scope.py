"""Of which streams an asker may be told what: of those that one may read, and of others together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense import policy
from jingwei.sense.entities import ENTITIES
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
    from collections.abc import Mapping

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
    among: dict[int, tuple[Mapping[int, Address], Among]] = field(
        default_factory=dict, compare=False, repr=False
    )


def scope_of(sensing: Sensing, asker: Asker) -> Scope:
    """Return of which streams an asker may be told what, as the records and the policies say now."""
    with sensing.records.read() as session:
        sight = sensing.sight(session, asker)
        seen = _seen(session, sight)
        others = None if seen is None else _others(session, sight)
        return Scope(seen, others, _quantities(session, sight))


def _seen(session: Session, sight: Sight) -> Seen | None:
    """Return which streams an asker may read, None where all of them at their places."""
    if sight.policies.rows(sight.asker, policy.READ, policy.KIND).everything and sight.sees_places:
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
        levels[row["id"]] = min(level, levels.get(row["id"], MAX_LEVEL))
    return Seen(
        np.fromiter(levels, np.int64, len(levels)), np.fromiter(levels.values(), np.int8, len(levels))
    )


def _others(session: Session, sight: Sight) -> Others | None:
    """Return the streams that an asker may know only together with others, if there are any."""
    one, readable = STREAMS.alias("s1"), STREAMS.alias("s2")  # each condition binds its values by its alias
    datastream = ENTITIES["Datastream"]
    asked = (
        select(one.c.id, one.c.owner, one.c.sharing, one.c.level)
        .where(one.c.multi.is_(False), sight.visible(datastream, one, policy.SUMMARISE))
        .where(one.c.id.not_in(select(readable.c.id).where(sight.visible(datastream, readable))))
        .order_by(one.c.id)
    )
    rows = session.execute(asked).all()
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
