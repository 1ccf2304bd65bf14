"""Roll-ups on behalf of an asker: only streams that the asker may read, as finely as their places."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.lake.summing import Figures, joined, spread
from jingwei.sense.rollups.among import Among
from jingwei.sense.rollups.calendar import HOUR, Span
from jingwei.sense.rollups.runs import NONE as NOTHING
from jingwei.sense.rollups.scope import scope_of
from jingwei.sense.rollups.together import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from jingwei.access import Asker
    from jingwei.sense.rollups.calendar import Kind
    from jingwei.sense.rollups.chosen import Chosen
    from jingwei.sense.rollups.engine import Rollups
    from jingwei.sense.rollups.placed import Placed
    from jingwei.sense.rollups.quantities import Quantity
    from jingwei.sense.rollups.scope import Scope
    from jingwei.sense.rollups.together import Parted
    from jingwei.sense.service import Sensing

MOST_DAYS = 92
"""Of how many days figures are told to who may not read the streams."""


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
        self._answers = rollups.answers
        self.now = time.time_ns() // 1_000 if now is None else now
        rollups.kept_up()
        scope = scope or scope_of(sensing, asker)
        self.seen, self.others, self.quantities = scope.seen, scope.others, scope.quantities
        self._scope = scope

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
        spans, covered = self.spans(quantity, period)
        listed = [(int(first), int(last)) for first, last in ranges]

        def group_of(cells: NDArray[np.uint64]) -> NDArray[np.int64]:
            return np.where(within(cells, ranges), 0, -1)

        with self._answers.snapshot():
            withheld = self._withheld(quantity, level, group_of, 1, [covered])[0]
            figures = NOTHING
            if not withheld[0]:
                figures = self._answers.of_ranges(quantity.key, listed, spans, self._chosen(quantity, level))
        return Told(spread(figures, np.arange(len(figures.n)), 1), withheld, covered)

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
        spans, covered = self.spans(quantity, period)

        def group_of(cells: NDArray[np.uint64]) -> NDArray[np.int64]:
            codes = np.asarray(grid.parent(cells, MAX_LEVEL, level), np.uint64) if len(cells) else cells
            return groups_of(codes)

        cells = self.cells(quantity)
        group = group_of(cells)
        with self._answers.snapshot():
            withheld = self._withheld(quantity, level, group_of, count, [covered])[0]
            group[np.isin(group, np.flatnonzero(withheld))] = -1
            figures = self._answers.of_groups(
                quantity.key, cells, group, count, spans, self._chosen(quantity, level)
            )
        return Told(figures, withheld, covered)

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
        hours = self.rollups.calendar.next_hour
        periods = [(hours(one), hours(self.end(kind, one))) for one in starts]
        covered = (periods[0][0], periods[-1][1]) if starts else (0, 0)
        first, last = cell

        def group_of(cells: NDArray[np.uint64]) -> NDArray[np.int64]:
            return np.where((cells >= np.uint64(first)) & (cells <= np.uint64(last)), 0, -1)

        with self._answers.snapshot():
            withheld = self._withheld(quantity, level, group_of, 1, periods)[:, 0]
            told = np.flatnonzero(~withheld)
            spans = [Span(kind, starts[one]) for one in told.tolist()]
            parts = self._answers.of_cell_each(quantity.key, cell, spans, self._chosen(quantity, level))
        some = np.array([len(one.n) > 0 for one in parts], bool)
        figures = spread(joined([NOTHING, *parts]), told[some], len(starts))
        return Told(figures, withheld, covered)

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
        all of a block of streams of which the asker may be told together (`jingwei.sense.rollups.together`).
        So whatever holds a cell that is returned is returned at its level, too.
        """
        return self._among(quantity).zones(level)

    def placed(self, quantity: Quantity) -> Placed:
        """Return the streams of a quantity that the asker may read, with their places."""
        return self._among(quantity).placed

    def cells(self, quantity: Quantity) -> NDArray[np.uint64]:
        """Return the different cells of level 32 in which streams of a quantity are, in order.

        It is for working with: which of them the asker may know of is heeded where figures are told.
        """
        return self._among(quantity).all_cells

    def _among(self, quantity: Quantity) -> Among:
        """Return what follows from what the asker may be told; it is kept with it."""
        addresses = self.rollups.addresses
        kept = self._scope.among.get(quantity.key)
        if kept is None or kept[0] is not addresses:
            among = Among(
                self.rollups.streams_of(quantity.key),
                self.seen,
                self.others,
                self._scope.named.get(quantity.key),
            )
            kept = self._scope.among[quantity.key] = addresses, among
        return kept[1]

    def _chosen(self, quantity: Quantity, level: int) -> Chosen | None:
        """Return of which streams figures of zones of a level are, if they are told; None for all."""
        among = self._among(quantity)
        return among.chosen(level, others=among.are_others(level))

    def _withheld(
        self,
        quantity: Quantity,
        level: int,
        group_of: Callable[[NDArray[np.uint64]], NDArray[np.int64]],
        groups: int,
        periods: Sequence[tuple[int, int]],
    ) -> NDArray[np.bool_]:
        """Return (periods, groups) which figures are withheld, as they would tell of a few of the others.

        Parameters
        ----------
        quantity, level
            Of what, and how fine zones are.
        group_of, groups
            Says of cells of level 32 in which zone each lies, -1 for none; how many zones there are.
        periods
            First hour of each and the one after the last, in order, none of which shares time with another.

        """
        found = np.zeros((len(periods), groups), bool)
        among, calendar = self._among(quantity), self.rollups.calendar
        if not periods or not among.are_others(level) or periods[0][0] >= periods[-1][1]:
            return found
        day, end = calendar.day(periods[0][0]), calendar.after("day", calendar.day(periods[-1][1] - 1))
        if end - day > MOST_DAYS * 24 * HOUR:
            return ~found
        asked: dict[Parted, Asked] = {}
        today = calendar.day(self.now)
        while day < end and not found.all():
            after = calendar.after("day", day)
            presence = self._answers.presence(quantity.key, day, among.who)
            parted = among.parted(presence.who)
            if parted not in asked:
                asked[parted] = Asked(parted, group_of(parted.cells))
            for number, (since, until) in enumerate(periods):
                if since < after and until > day and not found[number].all():
                    asked[parted].withhold(presence, since, until, over=day < today, withheld=found[number])
            day = after
        return found


def within(cells: NDArray[np.uint64], ranges: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Say which cells lie in one of some ranges, (n, 2) first and last code in order."""
    if not len(ranges):
        return np.zeros(len(cells), bool)
    number = np.searchsorted(ranges[:, 0], cells, "right") - 1
    inside: NDArray[np.bool_] = (number >= 0) & (cells <= ranges[np.maximum(number, 0), 1])
    return inside
