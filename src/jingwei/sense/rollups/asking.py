"""Roll-ups on behalf of an asker: only streams that the asker may read, as finely as their places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense import policy
from jingwei.sense.entities import ENTITIES
from jingwei.sense.rollups.calendar import HOUR
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
    from collections.abc import Callable

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.lake.summing import Figures
    from jingwei.sense.rollups.calendar import Span
    from jingwei.sense.rollups.engine import Rollups
    from jingwei.sense.service import Sensing
    from jingwei.sense.sight import Sight


@dataclass(frozen=True, slots=True)
class Seen:
    """Streams that an asker may read, in order, and the finest level at which each one's place is told."""

    streams: NDArray[np.int64]
    levels: NDArray[np.int8]

    def down_to(self, level: int) -> NDArray[np.int64]:
        """Return the streams of which zones of a level may be told."""
        return self.streams[self.levels >= level]


class Aggregates:
    """What the roll-ups say to one asker, at one moment."""

    def __init__(self, sensing: Sensing, rollups: Rollups, asker: Asker) -> None:
        self.rollups = rollups
        rollups.kept_up()
        with sensing.records.read() as session:
            sight = sensing.sight(session, asker)
            self.seen = _seen(session, sight)
            self.quantities = _quantities(session, sight)

    @cached_property
    def finest(self) -> int:
        """The finest level of zones of which anything is told; 0 where nothing is."""
        if self.seen is None:
            return MAX_LEVEL
        return int(self.seen.levels.max(initial=0))

    def spans(self, quantity: Quantity, period: tuple[int, int] | None) -> tuple[list[Span], tuple[int, int]]:
        """Return the intervals of a period, of all there is where it is None, and from when to when they go.

        A period is taken in whole hours: also the hour in which it begins, and that in which it ends.
        """
        calendar = self.rollups.calendar
        extent = self.rollups.frames.extent(quantity.key)
        if extent is None:
            return [], (0, 0)
        since, until = extent[0], extent[1] + HOUR
        if period is not None:
            since = max(since, calendar.hour(period[0]))
            until = min(until, calendar.next_hour(period[1]))
        return list(calendar.spans(since, until)), (since, until)

    def of_ranges(
        self, quantity: Quantity, level: int, ranges: NDArray[np.uint64], spans: list[Span]
    ) -> Figures:
        """Return the figures of a zone: of one group, or of none.

        Parameters
        ----------
        quantity, spans
            Of what, and when.
        level
            How fine the zone is, as a level of GeoSOT.
        ranges
            (n, 2) first and last code of level 32 of its parts.

        """
        among = None if self.seen is None else self.seen.down_to(level)
        if among is not None and not len(among):
            return self.rollups.of_cell(quantity.key, 0, 0, [])
        if len(ranges) == 1:
            return self.rollups.of_cell(quantity.key, int(ranges[0, 0]), int(ranges[0, 1]), spans, among)
        cells = self.cells(quantity)
        number = np.searchsorted(ranges[:, 0], cells, "right") - 1
        inside = (number >= 0) & (cells <= ranges[np.maximum(number, 0), 1]) if len(ranges) else number > 0
        found = self.rollups.of_groups(quantity.key, cells, np.where(inside, 0, -1), 1, spans, among)
        return found if found.n[0] else self.rollups.of_cell(quantity.key, 0, 0, [])

    def of_groups(
        self, quantity: Quantity, level: int, groups_of: Callable[..., Any], count: int, spans: list[Span]
    ) -> Figures:
        """Return the figures of several zones of one level, an element for each.

        Parameters
        ----------
        quantity, spans
            Of what, and when.
        level
            How fine the zones are, as a level of GeoSOT.
        groups_of
            Says of cells of that level in which zone each lies, -1 for none.
        count
            How many zones there are.

        """
        among = None if self.seen is None else self.seen.down_to(level)
        cells = self.cells(quantity)
        codes = np.asarray(grid.parent(cells, MAX_LEVEL, level), np.uint64) if len(cells) else cells
        return self.rollups.of_groups(quantity.key, cells, groups_of(codes), count, spans, among)

    def cells(self, quantity: Quantity) -> NDArray[np.uint64]:
        """Return the different cells of level 32 in which streams of a quantity are, in order.

        It is for working with: which of them the asker may know of is heeded where figures are told.
        """
        listed = [one.cell for one in self.rollups.addresses.values() if one.property == quantity.key]
        return np.unique(np.array(listed, np.uint64))


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


def _quantities(session: Session, sight: Sight) -> list[Quantity]:
    """Return what the streams observe that an asker may read, in the order of the properties."""
    one, observed = STREAMS.alias("s1"), OBSERVED.alias("s2")
    asked = (
        select(PROPERTIES.c.observed_property_id, observed.c.name, one.c.unit)
        .join(PROPERTIES, PROPERTIES.c.stream_id == one.c.id)
        .join(observed, observed.c.id == PROPERTIES.c.observed_property_id)
        .where(one.c.multi.is_(False))
        .where(sight.visible(ENTITIES["Datastream"], one))
        .where(sight.visible(ENTITIES["ObservedProperty"], observed))
        .group_by(PROPERTIES.c.observed_property_id, observed.c.name, one.c.unit)
        .order_by(PROPERTIES.c.observed_property_id)
    )
    found = (quantity_of(*row) for row in session.execute(asked))
    return list({quantity.key: quantity for quantity in found}.values())
