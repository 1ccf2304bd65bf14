"""Roll-ups on behalf of an asker: only streams that the asker may read, as finely as their places."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.lake.summing import Figures, combined, spread, taken
from jingwei.sense import policy
from jingwei.sense.entities import ENTITIES
from jingwei.sense.rollups.calendar import HOUR
from jingwei.sense.rollups.frames import Leaves
from jingwei.sense.rollups.quantities import (
    LOCATIONS,
    OBSERVED,
    PLACES,
    PROPERTIES,
    STREAMS,
    Quantity,
    quantity_of,
)
from jingwei.sense.rollups.withheld import blocks_of_streams, told, units_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.sense.rollups.calendar import Span
    from jingwei.sense.rollups.engine import Rollups
    from jingwei.sense.service import Sensing
    from jingwei.sense.sight import Sight

MOST_DAYS = 92
"""Of how many days figures are told to who may not read the streams."""
EMPTY = Leaves.none().figures


@dataclass(frozen=True, slots=True)
class Seen:
    """Streams that an asker may read, in order, and the finest level at which each one's place is told."""

    streams: NDArray[np.int64]
    levels: NDArray[np.int8]

    def down_to(self, level: int) -> NDArray[np.int64]:
        """Return the streams of which zones of a level may be told."""
        return self.streams[self.levels >= level]


@dataclass(frozen=True, slots=True)
class Others:
    """Streams that an asker may not read, and of which figures may be told of many together.

    `smallest` is how many of them figures are of at least, `level` the finest level of zones.
    """

    streams: NDArray[np.int64]
    smallest: int
    level: int


@dataclass(frozen=True, slots=True)
class Told:
    """Figures, an element for each group; of which groups they are withheld; from when to when they are."""

    figures: Figures
    withheld: NDArray[np.bool_]
    covered: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Scope:
    """Of which streams an asker may be told what, and what these observe.

    `seen` is None where the asker may read all of them at their places.
    """

    seen: Seen | None
    others: Others | None
    quantities: list[Quantity]


def scope_of(sensing: Sensing, asker: Asker) -> Scope:
    """Return of which streams an asker may be told what, as the records and the policies say now."""
    with sensing.records.read() as session:
        sight = sensing.sight(session, asker)
        seen = _seen(session, sight)
        others = None if seen is None else _others(session, sight)
        return Scope(seen, others, _quantities(session, sight))


class Aggregates:
    """What the roll-ups say to one asker, at one moment.

    Parameters
    ----------
    sensing, rollups, asker
        Who asks, of what.
    now
        UTC microseconds; the present if left out.
    scope
        What `scope_of` says, where it is known.

    """

    def __init__(
        self,
        sensing: Sensing,
        rollups: Rollups,
        asker: Asker,
        *,
        now: int | None = None,
        scope: Scope | None = None,
    ) -> None:
        self.rollups = rollups
        self.now = time.time_ns() // 1_000 if now is None else now
        rollups.kept_up()
        scope = scope or scope_of(sensing, asker)
        self.seen, self.others, self.quantities = scope.seen, scope.others, scope.quantities

    @cached_property
    def finest(self) -> int:
        """The finest level of zones of which anything is told; every level will do where there is nothing."""
        if self.seen is None or (not len(self.seen.streams) and self.others is None):
            return MAX_LEVEL
        return max(int(self.seen.levels.max(initial=0)), self.others.level if self.others else 0)

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
        self,
        quantity: Quantity,
        level: int,
        ranges: NDArray[np.uint64],
        period: tuple[int, int] | None = None,
    ) -> Told:
        """Return what is told of a zone: figures of one group.

        Parameters
        ----------
        quantity, period
            Of what, and when; see `spans`.
        level
            How fine the zone is, as a level of GeoSOT.
        ranges
            (n, 2) first and last code of level 32 of its parts, in order.

        """
        cells = self.cells(quantity)
        number = np.searchsorted(ranges[:, 0], cells, "right") - 1
        if len(ranges):
            inside = (number >= 0) & (cells <= ranges[np.maximum(number, 0), 1])
        else:
            inside = np.zeros(len(cells), bool)
        group = np.where(inside, 0, -1)
        if len(ranges) != 1:
            return self._of_cells(quantity, level, cells, group, 1, period)
        spans, covered = self.spans(quantity, period)
        first, last = int(ranges[0, 0]), int(ranges[0, 1])
        figures = self.rollups.of_cell(quantity.key, first, last, spans, self._among(level))
        return self._with_others(
            quantity, level, figures, np.zeros(len(figures.n), np.int64), (cells, group, 1), covered
        )

    def of_groups(
        self,
        quantity: Quantity,
        level: int,
        groups_of: Callable[[NDArray[np.uint64]], NDArray[np.int64]],
        count: int,
        period: tuple[int, int] | None = None,
    ) -> Told:
        """Return what is told of several zones of one level, an element for each.

        Parameters
        ----------
        quantity, period
            Of what, and when; see `spans`.
        level
            How fine the zones are, as a level of GeoSOT.
        groups_of
            Says of cells of that level in which zone each lies, -1 for none.
        count
            How many zones there are.

        """
        cells = self.cells(quantity)
        codes = np.asarray(grid.parent(cells, MAX_LEVEL, level), np.uint64) if len(cells) else cells
        return self._of_cells(quantity, level, cells, groups_of(codes), count, period)

    def _of_cells(
        self,
        quantity: Quantity,
        level: int,
        cells: NDArray[np.uint64],
        group: NDArray[np.int64],
        groups: int,
        period: tuple[int, int] | None,
    ) -> Told:
        spans, covered = self.spans(quantity, period)
        figures = self.rollups.of_groups(quantity.key, cells, group, groups, spans, self._among(level))
        return self._with_others(quantity, level, figures, np.arange(groups), (cells, group, groups), covered)

    def _among(self, level: int) -> NDArray[np.int64] | None:
        """Return the streams that the asker may read and of which zones of a level may be told."""
        return None if self.seen is None else self.seen.down_to(level)

    def _with_others(
        self,
        quantity: Quantity,
        level: int,
        figures: Figures,
        of_group: NDArray[np.int64],
        asked: tuple[NDArray[np.uint64], NDArray[np.int64], int],
        covered: tuple[int, int],
    ) -> Told:
        """Put to the figures of streams that one may read those of others, of enough of them; or withhold."""
        groups = asked[2]
        others, withheld = self._others(quantity, level, *asked, covered)
        number = np.concatenate([of_group, np.arange(groups)])
        both = Figures(
            *(
                np.concatenate([getattr(figures, name), getattr(others, name)])
                for name in ("n", "minimum", "maximum", "mean", "m2")
            )
        )
        some = np.flatnonzero((both.n > 0) & ~withheld[number])
        some = some[np.argsort(number[some], kind="stable")]
        there, begins = np.unique(number[some], return_index=True)
        return Told(spread(combined(taken(both, some), begins), there, groups), withheld, covered)

    def _others(
        self,
        quantity: Quantity,
        level: int,
        cells: NDArray[np.uint64],
        group: NDArray[np.int64],
        groups: int,
        covered: tuple[int, int],
    ) -> tuple[Figures, NDArray[np.bool_]]:
        """Return the figures of streams that the asker may know only together, and which are withheld."""
        addresses, calendar = self.rollups.addresses, self.rollups.calendar
        listed = [] if self.others is None else self.others.streams.tolist()
        own = [one for one in listed if one in addresses and addresses[one].property == quantity.key]
        since, until = covered
        nothing = spread(taken(EMPTY, slice(0, 0)), np.empty(0, np.int64), groups)
        if not own or self.others is None or level > self.others.level or since >= until:
            return nothing, np.zeros(groups, bool)
        first, after = calendar.day(since), calendar.after("day", calendar.day(until - 1))
        if after - first > MOST_DAYS * 24 * HOUR:
            return nothing, np.ones(groups, bool)
        streams = np.array(own, np.int64)
        places = np.array([addresses[one].cell for one in own], np.uint64)
        block = blocks_of_streams(places, self.others.smallest, self.others.level)
        hours = self.rollups.hours(quantity.key, first, after, streams)
        block = block[np.searchsorted(streams, hours.stream)]
        unit = units_of(hours, block, calendar, self.others.smallest, calendar.day(self.now))
        at = np.minimum(np.searchsorted(cells, hours.cell), len(cells) - 1)
        inside = (hours.start >= since) & (hours.start < until) & (cells[at] == hours.cell)
        return told(hours, unit, np.where(inside, group[at], -1), groups)

    def cells(self, quantity: Quantity) -> NDArray[np.uint64]:
        """Return the different cells of level 32 in which streams of a quantity are, in order.

        It is for working with: which of them the asker may know of is heeded where figures are told.
        """
        return self.rollups.cells(quantity.key)


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
