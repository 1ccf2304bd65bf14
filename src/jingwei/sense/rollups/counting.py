"""What frames follow from readings: hours from these, days from hours, months from days.

Readings that were corrected or deleted are not taken out of what there is: the hours of their streams are
read anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei.lake.summing import Figures
from jingwei.sense.rollups.calendar import HOUR
from jingwei.sense.rollups.frames import Leaves, framed, leaves_of
from jingwei.sense.rollups.kept import EVER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from jingwei.sense.readings import Readings
    from jingwei.sense.readings.columns import Rows
    from jingwei.sense.rollups.calendar import Calendar, Kind
    from jingwei.sense.rollups.kept import Address, Frames

BEYOND = 1e150
"""Results beyond it have no share, as in the lake's figures: their squares are infinite."""
EARLIEST, LATEST = -2_145_916_800_000_000, 221_845_392_000_000_000
"""From 1902, when clocks went by zones, to before 9000: days of other readings are not known."""
TOGETHER = 64
"""Days or months that are worked out at one time."""
AT_ONCE = 4_000_000
"""About how many readings are read anew at one time."""


class Counting:
    """Works out the frames of a store of readings. Writes within `Frames.writing`."""

    def __init__(self, frames: Frames, readings: Readings, calendar: Calendar) -> None:
        self.frames, self.readings, self.calendar = frames, readings, calendar

    def keep(
        self,
        property_: int,
        again: dict[int, list[tuple[int, int]]],
        new: Leaves,
        before: dict[int, Address],
        after: dict[int, Address],
        last: int,
    ) -> int:
        """Write the hours of one property; return how many.

        Parameters
        ----------
        property_
            What is observed.
        again
            Periods of streams that are read anew.
        new
            Hours of readings that are put to what there is.
        before, after
            The addresses of all streams until now, and from now on.
        last
            The number of the last reading that has its share.

        """
        known = [one for one in (before, after) if one]
        redo = {
            stream: periods
            for stream, periods in again.items()
            if any(stream in one and one[stream].property == property_ for one in known)
        }
        mine = {stream for stream in redo if stream in after and after[stream].property == property_}
        if redo:
            new = new.take(~_within(new, redo))
        written = 0
        for periods in self._slabs(property_, redo, mine):
            fresh = self._read_again({one: p for one, p in periods.items() if one in mine}, after, last)
            written += self._replace(property_, periods, fresh)
        if len(new):
            written += self._replace(property_, {}, new)
        return written

    def _slabs(
        self, property_: int, redo: dict[int, list[tuple[int, int]]], mine: set[int]
    ) -> Iterator[dict[int, list[tuple[int, int]]]]:
        """Part what is to be read anew into periods with not too many readings each."""
        if not redo:
            return
        short = {
            one: [p for p in periods if p != EVER] for one, periods in redo.items() if EVER not in periods
        }
        if short:
            yield short
        whole = [one for one, periods in redo.items() if EVER in periods]
        if not whole:
            return
        extents = [self.readings.extent(one) for one in whole if one in mine]
        counted = [one for one in extents if one.count]
        kept = self.frames.extent(property_)
        lows = [one.first for one in counted] + ([kept[0]] if kept else [])
        highs = [one.last for one in counted] + ([kept[1]] if kept else [])
        if not lows:
            return
        low, end = self.calendar.hour(self.calendar.month(min(lows))), max(highs) + HOUR
        slabs = max(1, sum(one.count for one in counted) // AT_ONCE)
        step = max(1, (end - low) // slabs)
        while low < end:
            high = self.calendar.hour(self.calendar.after("month", min(low + step, end)))
            yield {one: [(low, high)] for one in whole}
            low = high

    def _read_again(
        self, periods: dict[int, list[tuple[int, int]]], addresses: dict[int, Address], last: int
    ) -> Leaves:
        """Return the hours of streams in some periods, worked out from the readings."""
        by_period: dict[tuple[int, int], list[int]] = {}
        for stream, some in periods.items():
            for one in set(some):
                by_period.setdefault(one, []).append(stream)
        parts = [Leaves.none()]
        for (since, until), streams in by_period.items():
            rows = self.readings.within(streams, since, until)
            parts.append(self.sketched(rows.take(rows["id"] <= last), addresses))
        return Leaves.joined(parts)

    def sketched(self, rows: Rows, addresses: dict[int, Address]) -> Leaves:
        """Return the hours of readings in any order, of streams with an address."""
        values = rows["result"]
        streams, place = np.unique(rows["stream"], return_inverse=True)
        known = np.array([stream in addresses for stream in streams.tolist()], bool)
        cells = np.array(
            [addresses[one].cell if one in addresses else 0 for one in streams.tolist()], np.uint64
        )
        times = rows["time"]
        good = np.isfinite(values) & (np.abs(values) < BEYOND) & (times >= EARLIEST) & (times < LATEST)
        kept = np.flatnonzero(good & known[place])
        if not len(kept):
            return Leaves.none()
        values = values[kept].astype(np.float64)
        one_each = Figures(np.ones(len(kept), np.int64), values, values, values, np.zeros(len(kept)))
        hours = self.calendar.hours(times[kept])
        return Leaves(hours, rows["stream"][kept], cells[place[kept]], one_each).merged()

    def _replace(
        self,
        property_: int,
        periods: dict[int, list[tuple[int, int]]],
        fresh: Leaves,
    ) -> int:
        """Take streams out of hours, put others in or to what is there; days and months are then behind."""
        gone = sorted(
            {start for some in periods.values() for one in some for start in self._hours(property_, one)}
        )
        starts = np.union1d(np.unique(fresh.start), np.array(gone, np.int64))
        if not len(starts):
            return 0
        there = leaves_of(self.frames.at(property_, "hour", starts.tolist()))
        if periods:
            there = there.take(~_within(there, periods))
        hours = Leaves.joined([there, fresh]).merged()
        self.frames.put(property_, "hour", starts.tolist(), framed(hours))
        self.frames.set_behind(property_, "day", np.unique(self.calendar.days(starts)).tolist())
        self.frames.set_behind(property_, "month", np.unique(self.calendar.months(starts)).tolist())
        return len(starts)

    def _hours(self, property_: int, period: tuple[int, int]) -> list[int]:
        """Return the starts of the hours of a property in a period."""
        if period[1] - period[0] == HOUR:
            return [period[0]]
        return self.frames.starts(property_, "hour", *period)

    def _above(self, property_: int, lower: Kind, upper: Kind, changed: NDArray[np.int64]) -> None:
        """Work out longer intervals anew that start at some moments, in order."""
        of = self.calendar.days if upper == "day" else self.calendar.months
        for begin in range(0, len(changed), TOGETHER):
            some = changed[begin : begin + TOGETHER].tolist()
            parts: list[tuple[int, bytes]] = []
            for start in some:
                parts += self.frames.within(property_, lower, start, self.calendar.after(upper, start))
            below = leaves_of(parts)
            self.frames.put(property_, upper, some, framed(below.of_intervals(of(below.start))))

    def work_out(self) -> None:
        """Work out the days and months that are behind, from hours and days."""
        for property_ in self.frames.properties_behind():
            with self.frames.writing():
                days = np.array(self.frames.behind(property_, "day"), np.int64)
                months = np.array(self.frames.behind(property_, "month"), np.int64)
                self._above(property_, "hour", "day", days)
                self._above(property_, "day", "month", months)
                self.frames.no_more_behind(property_, "day")
                self.frames.no_more_behind(property_, "month")


def _within(leaves: Leaves, periods: Mapping[int, Collection[tuple[int, int]]]) -> NDArray[np.bool_]:
    """Say which rows are of streams in periods that are read anew."""
    found = np.zeros(len(leaves), bool)
    by_period: dict[tuple[int, int], list[int]] = {}
    for stream, some in periods.items():
        for one in some:
            by_period.setdefault(one, []).append(stream)
    for (since, until), streams in by_period.items():
        found |= np.isin(leaves.stream, streams) & (leaves.start >= since) & (leaves.start < until)
    return found
