"""Roll-ups on behalf of an asker: only streams that the asker may read, as finely as their places."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.lake.summing import Figures, combined, joined, spread, taken
from jingwei.sense.rollups.calendar import HOUR, Span
from jingwei.sense.rollups.frames import Leaves
from jingwei.sense.rollups.scope import scope_of
from jingwei.sense.rollups.withheld import blocks_among, blocks_of_streams, told, units_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from jingwei.access import Asker
    from jingwei.lake.counting import Blocks
    from jingwei.sense.rollups.calendar import Kind
    from jingwei.sense.rollups.engine import Rollups
    from jingwei.sense.rollups.quantities import Quantity
    from jingwei.sense.rollups.scope import Scope
    from jingwei.sense.service import Sensing

MOST_DAYS = 92
"""Of how many days figures are told to who may not read the streams."""
EMPTY = Leaves.none().figures


@dataclass(frozen=True, slots=True)
class Placed:
    """Streams, the code of level 32 where each is, and the finest level at which its place is told."""

    streams: NDArray[np.int64]
    cells: NDArray[np.uint64]
    levels: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Told:
    """Figures, an element for each group; of which groups they are withheld; from when to when they are."""

    figures: Figures
    withheld: NDArray[np.bool_]
    covered: tuple[int, int]


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
        self._placed: dict[int, Placed] = {}
        self._blocked: dict[int, Blocks] = {}

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

    def of_intervals(
        self, quantity: Quantity, level: int, cell: tuple[int, int], kind: Kind, starts: list[int]
    ) -> Told:
        """Return what is told of a cell in each of some intervals of one kind, an element for each.

        Parameters
        ----------
        quantity
            Of what.
        level, cell
            How fine the cell is, as a level of GeoSOT, and its first and last code of level 32.
        kind, starts
            Which intervals, in order; `starts_of` says which there are. Let those of an answer lie within
            `MOST_DAYS` days: what is told only together is withheld of more.

        """
        among, ends = self._among(level), [self.end(kind, one) for one in starts]
        hours = self.rollups.calendar.next_hour
        covered = (hours(starts[0]), hours(ends[-1])) if starts else (0, 0)
        parts: list[Figures] = []
        if starts and (among is None or len(among)):
            spans = [Span(kind, one) for one in starts]
            parts = self.rollups.of_cell_each(quantity.key, cell, spans, among)
        number = np.repeat(np.arange(len(parts)), [len(one.n) for one in parts])
        cells = self.cells(quantity)
        inside = (cells >= np.uint64(cell[0])) & (cells <= np.uint64(cell[1]))
        bounds = np.array([[hours(one), hours(end)] for one, end in zip(starts, ends, strict=True)], np.int64)
        others, withheld = self._others(
            quantity, level, cells, np.where(inside, 0, -1), len(starts), covered, bounds.reshape(-1, 2)
        )
        return _put_together(joined([EMPTY, *parts]), number, others, withheld, covered)

    def starts_of(self, quantity: Quantity, kind: Kind, since: int, until: int) -> list[int]:
        """Return where the intervals of a kind begin that have readings and share time with `[since, until)`.

        It is for working with, as `cells` is: any stream's readings make there be one.
        """
        extent, calendar = self.rollups.frames.extent(quantity.key), self.rollups.calendar
        if extent is None:
            return []
        low, high = max(since, extent[0]), min(until, extent[1] + HOUR)
        first = {"hour": calendar.hour, "day": calendar.day, "month": calendar.month}[kind](low)
        hours = np.array(self.rollups.frames.starts(quantity.key, "hour", first, high), np.int64)
        if kind == "hour":
            return [int(one) for one in hours]
        of = calendar.days if kind == "day" else calendar.months
        return [int(one) for one in np.unique(of(hours))] if len(hours) else []

    def end(self, kind: Kind, start: int) -> int:
        """Return where an interval ends."""
        return self.rollups.calendar.after(kind, start)

    def zones(self, quantity: Quantity, level: int) -> NDArray[np.uint64]:
        """Return the cells of a level with streams of which the asker may be told something, in order.

        In them are streams that the asker may read and of whose places the asker may be told so finely, or
        all of a block of streams of which the asker may be told together (`jingwei.sense.rollups.withheld`).
        So whatever holds a cell that is returned is returned at its level, too.
        """
        streams = self.placed(quantity)
        codes = [_coarse(streams.cells[streams.levels >= level], MAX_LEVEL, level)]
        if self.others is not None:
            blocks = self._blocks(quantity)
            codes += [
                _coarse(blocks.codes[blocks.levels == at], at, level)
                for at in np.unique(blocks.levels[blocks.levels >= level]).tolist()
            ]
        return np.unique(np.concatenate(codes))

    def placed(self, quantity: Quantity) -> Placed:
        """Return the streams of a quantity that the asker may read, with their places."""
        if quantity.key not in self._placed:
            addresses = self.rollups.addresses
            listed = list(addresses) if self.seen is None else self.seen.streams.tolist()
            levels = [MAX_LEVEL] * len(listed) if self.seen is None else self.seen.levels.tolist()
            own = [
                (one, addresses[one].cell, level)
                for one, level in zip(listed, levels, strict=True)
                if one in addresses and addresses[one].property == quantity.key
            ]
            self._placed[quantity.key] = Placed(
                np.array([one for one, _, _ in own], np.int64),
                np.array([cell for _, cell, _ in own], np.uint64),
                np.array([level for _, _, level in own], np.int8),
            )
        return self._placed[quantity.key]

    def _blocks(self, quantity: Quantity) -> Blocks:
        """Return the blocks of the streams of which the asker may be told together."""
        assert self.others is not None  # noqa: S101 -- for mypy: it is asked only where there are some
        if quantity.key not in self._blocked:
            places = self._places_of_others(quantity)[1]
            self._blocked[quantity.key] = blocks_among(places, self.others.smallest, self.others.level)
        return self._blocked[quantity.key]

    def _places_of_others(self, quantity: Quantity) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        addresses = self.rollups.addresses
        listed = [] if self.others is None else self.others.streams.tolist()
        own = [one for one in listed if one in addresses and addresses[one].property == quantity.key]
        return np.array(own, np.int64), np.array([addresses[one].cell for one in own], np.uint64)

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
        others, withheld = self._others(quantity, level, *asked, covered)
        return _put_together(figures, of_group, others, withheld, covered)

    def _others(
        self,
        quantity: Quantity,
        level: int,
        cells: NDArray[np.uint64],
        group: NDArray[np.int64],
        groups: int,
        covered: tuple[int, int],
        intervals: NDArray[np.int64] | None = None,
    ) -> tuple[Figures, NDArray[np.bool_]]:
        """Return the figures of streams that the asker may know only together, and which are withheld.

        Groups are of cells; where there are `intervals`, (groups, 2) first hour and the one after the last,
        they are of those of the cells that are in a group.
        """
        calendar = self.rollups.calendar
        streams, places = self._places_of_others(quantity)
        since, until = covered
        nothing = spread(taken(EMPTY, slice(0, 0)), np.empty(0, np.int64), groups)
        if not len(streams) or self.others is None or level > self.others.level or since >= until:
            return nothing, np.zeros(groups, bool)
        first, after = calendar.day(since), calendar.after("day", calendar.day(until - 1))
        if after - first > MOST_DAYS * 24 * HOUR:
            return nothing, np.ones(groups, bool)
        block = blocks_of_streams(places, self.others.smallest, self.others.level)
        hours = self.rollups.hours(quantity.key, first, after, streams)
        block = block[np.searchsorted(streams, hours.stream)]
        unit = units_of(hours, block, calendar, self.others.smallest, calendar.day(self.now))
        at = np.minimum(np.searchsorted(cells, hours.cell), len(cells) - 1)
        inside = (hours.start >= since) & (hours.start < until) & (cells[at] == hours.cell)
        own = np.where(inside, group[at], -1)
        if intervals is not None:
            number = np.searchsorted(intervals[:, 0], hours.start, "right") - 1
            within = (own >= 0) & (number >= 0) & (hours.start < intervals[np.maximum(number, 0), 1])
            own = np.where(within, number, -1)
        return told(hours, unit, own, groups)

    def cells(self, quantity: Quantity) -> NDArray[np.uint64]:
        """Return the different cells of level 32 in which streams of a quantity are, in order.

        It is for working with: which of them the asker may know of is heeded where figures are told.
        """
        return self.rollups.cells(quantity.key)


def _put_together(
    figures: Figures,
    of_group: NDArray[np.int64],
    others: Figures,
    withheld: NDArray[np.bool_],
    covered: tuple[int, int],
) -> Told:
    """Put to the figures of some groups those of others, one for each group, but where they are withheld."""
    groups = len(withheld)
    number = np.concatenate([of_group, np.arange(groups)])
    both = joined([figures, others])
    some = np.flatnonzero((both.n > 0) & ~withheld[number])
    some = some[np.argsort(number[some], kind="stable")]
    there, begins = np.unique(number[some], return_index=True)
    return Told(spread(combined(taken(both, some), begins), there, groups), withheld, covered)


def _coarse(codes: NDArray[np.uint64], level: int, upper: int) -> NDArray[np.uint64]:
    """Return the cells of a coarser level in which cells lie; of level 0 there is one."""
    if not upper or not len(codes):
        return np.zeros_like(codes)
    return np.asarray(grid.parent(codes, level, upper), np.uint64)
