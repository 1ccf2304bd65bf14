"""Roll-ups: what readings say of every cell, hour, day and month, kept up with them.

What is kept follows from the readings alone. New readings are put to what there is; where readings were
corrected or deleted, or a stream moved, its hours are read anew. Days are worked out from hours and months
from days, parents from children.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import numpy as np

from jingwei.lake.summing import Figures, combined, joined, spread, taken
from jingwei.sense.readings.columns import no_rows
from jingwei.sense.rollups.calendar import HOUR, Span
from jingwei.sense.rollups.frames import Leaves, figures_of, frame_of, framed, leaves_of
from jingwei.sense.rollups.kept import EVER, Address, Frames, Note, Notes
from jingwei.sense.rollups.presence import Presences, Who
from jingwei.sense.rollups.runs import NONE, KeptRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

    from jingwei.sense.readings import Readings
    from jingwei.sense.readings.columns import Rows
    from jingwei.sense.rollups.calendar import Calendar, Kind
    from jingwei.sense.rollups.chosen import Chosen
    from jingwei.sense.rollups.frames import Stored
    from jingwei.sense.rollups.presence import Presence

log = logging.getLogger(__name__)

FORM = "1"
"""What frames look like; others are made anew."""
BEYOND = 1e150
"""Results beyond it have no share, as in the lake's figures: their squares are infinite."""
EARLIEST, LATEST = -2_145_916_800_000_000, 221_845_392_000_000_000
"""From 1902, when clocks went by zones, to before 9000: days of other readings are not known."""
MANY = 10_000
"""Frames after which the file is put in order at once."""
TOGETHER = 64
"""Days or months that are worked out at one time."""
AT_ONCE = 4_000_000
"""About how many readings are read anew at one time."""


class Rollups:
    """The roll-ups of one store of readings, kept in `home`.

    Parameters
    ----------
    home
        Folder of the roll-ups alone. What is lost in it is worked out anew.
    readings
        The store; it tells of changes from now on.
    calendar
        The city's days.
    book
        What streams observe and where; those without a place or with several properties are left out.
    every
        Seconds after which days and months are worked out anew in which something changed. Meanwhile their
        hours answer for them.

    """

    def __init__(
        self,
        home: Path,
        readings: Readings,
        calendar: Calendar,
        book: Callable[[Collection[int]], Mapping[int, Address]],
        *,
        every: float = 300.0,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.readings = readings
        self.calendar = calendar
        self.book = book
        self.every = every
        self._worked_out = -every
        try:
            self._open(home)
        except sqlite3.DatabaseError:  # all of it follows from the readings
            log.exception("roll-ups are made anew")
            for path in home.glob("*.db*"):
                path.unlink()
            self._open(home)
        self._keeping = threading.Lock()
        self._addresses = self.frames.addresses()
        self._by_property: tuple[Mapping[int, Address], dict[int, Who]] = self._addresses, {}
        self._runs = KeptRuns()
        self._presences = Presences(self.frames, calendar)
        self._turn = -1
        self._without: set[int] = set()
        self._look_again = True
        self._told: deque[int] = deque()
        self.closed = False
        self.kept_by_others = False
        readings.watch(self)
        readings.when_forgotten(self._forgotten)

    def _open(self, home: Path) -> None:
        """Take up what is kept; let go of it where it is of other readings, or notes on it were lost."""
        self.notes = Notes(home / "notes.db")
        self.frames = Frames(home / "frames.db", f"{FORM} {self.calendar.zone.key} {self.notes.name}")
        if not self.frames.are_of_form or self.counted > self.readings.last:
            self.frames.forget()

    def use(self, book: Callable[[Collection[int]], Mapping[int, Address]]) -> None:
        """Go on with the records of a city that was opened again."""
        self.book = book
        self._look_again = True
        self.readings.watch(self)
        self.readings.when_forgotten(self._forgotten)

    def close(self) -> None:
        """Let go of the files."""
        if self.closed:
            return
        self.closed = True
        self.readings.watch(None)
        with self._keeping:
            self.frames.close()
            self.notes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # what the store tells

    def changing(self, places: Collection[tuple[int, int | None]]) -> int:
        """Note durably that readings will change: streams, each with a time, or None for all of it."""
        return self.notes.begin(
            (stream, *EVER)
            if time is None
            else (stream, self.calendar.hour(time), self.calendar.hour(time) + HOUR)
            for stream, time in places
        )

    def changed(self, change: int) -> None:
        """Take it that a change is made, or was not made after all."""
        self.notes.end(change)

    def _forgotten(self, stream: int | None) -> None:
        if stream is None:
            self._look_again = True
        else:
            self._told.append(stream)

    # keeping up

    @property
    def counted(self) -> int:
        """The number of the last reading that has its share."""
        return int(self.frames.state("counted") or 0)

    @property
    def addresses(self) -> Mapping[int, Address]:
        """What each stream that is kept observes, and where."""
        return self._addresses

    def kept_up(self) -> None:
        """Take in what is new before a question, unless a thread does so every few seconds anyway."""
        if not self.kept_by_others:
            self.keep_up()

    def keep_up(self) -> int:
        """Take in all that is new or was changed; return how many frames of hours were written."""
        with self._keeping:
            if self.closed:
                return 0
            written = self._take_up()
            if written > MANY or time.monotonic() - self._worked_out >= self.every:
                self._work_out()
            if written > MANY:
                self.frames.settle()
            return written

    def _take_up(self) -> int:
        """Take in all that is new or was changed, in hours; return how many frames of hours were written."""
        notes = self.notes.released()
        first = self.frames.state("counted") is None
        if first:  # every stream is new, and so read anew
            fresh, last = no_rows(), self.readings.last
        else:
            fresh, last = self.readings.fresh(self.counted)
        look, self._look_again = self._look_again or first, False
        try:
            moved = self._moved(fresh, look=look)
            if not (first or notes or moved or len(fresh)) and last == self.counted:
                return 0
            written = self._keep(notes, moved, fresh, last)
        except BaseException:
            self._look_again = True
            raise
        self.notes.done(notes)
        return written

    def _work_out(self) -> None:
        """Work out the days and months that are behind, from hours and days."""
        for property_ in self.frames.properties_behind():
            with self.frames.writing():
                days = np.array(self.frames.behind(property_, "day"), np.int64)
                months = np.array(self.frames.behind(property_, "month"), np.int64)
                self._above(property_, "hour", "day", days)
                self._above(property_, "day", "month", months)
                self.frames.no_more_behind(property_, "day")
                self.frames.no_more_behind(property_, "month")
        self._worked_out = time.monotonic()

    def _moved(self, fresh: Rows, *, look: bool) -> dict[int, Address | None]:
        """Return the streams whose address is another than the one under which they are kept."""
        known = self._addresses
        changed = {self._told.popleft() for _ in range(len(self._told))} & (known.keys() | self._without)
        asked = changed | set(np.unique(fresh["stream"]).tolist()) - known.keys() - self._without
        if look:
            asked = {*self.readings.streams(), *known}
            self._without = set()
        if not asked:
            return {}
        told = dict(self.book(asked))
        self._without = (self._without | asked) - told.keys()
        gone: dict[int, Address | None] = dict.fromkeys(asked & known.keys() - told.keys())
        return gone | {stream: one for stream, one in told.items() if known.get(stream) != one}

    def _keep(self, notes: list[Note], moved: dict[int, Address | None], fresh: Rows, last: int) -> int:
        """Write what follows from notes, moved streams and fresh readings, as one transaction."""
        before = self._addresses
        after = dict(before) if moved else before
        for stream, one in moved.items():
            if one is None:
                after.pop(stream, None)
            else:
                after[stream] = one
        again: dict[int, list[tuple[int, int]]] = {}
        for stream in moved.keys() - self._all_new(fresh, moved.keys() - before.keys()):
            again.setdefault(stream, []).append(EVER)
        for note in notes:
            again.setdefault(note.stream, []).append((note.since, note.until))
        touched = {one[stream].property for one in (before, after) for stream in again if stream in one}
        new = self._sketched(fresh, after)
        streams, place = np.unique(new.stream, return_inverse=True)
        observed = np.array([after[one].property for one in streams.tolist()], np.int64)[place]
        touched |= set(np.unique(observed).tolist())
        written = 0
        with self.frames.writing():
            for property_ in sorted(touched):
                own = new.take(observed == property_)
                written += self._keep_property(property_, again, own, before, after, last)
            self.frames.set_addresses(moved)
            self.frames.set_state("counted", str(last))
        self._addresses = after
        return written

    def _all_new(self, fresh: Rows, streams: Collection[int]) -> set[int]:
        """Return those of some streams that have no readings but fresh ones: nothing of them is read anew."""
        if not streams:
            return set()
        numbers, counts = np.unique(fresh["stream"], return_counts=True)
        counted = zip(numbers.tolist(), counts.tolist(), strict=True)
        return {one for one, count in counted if one in streams and self.readings.extent(one).count == count}

    def _keep_property(
        self,
        property_: int,
        again: dict[int, list[tuple[int, int]]],
        new: Leaves,
        before: dict[int, Address],
        after: dict[int, Address],
        last: int,
    ) -> int:
        """Write the frames of one property."""
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
            parts.append(self._sketched(rows.take(rows["id"] <= last), addresses))
        return Leaves.joined(parts)

    def _sketched(self, rows: Rows, addresses: dict[int, Address]) -> Leaves:
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

    # questions

    def streams_of(self, property_: int) -> Who:
        """Return the streams of a property and where they are, the same as long as these are the same."""
        addresses, known = self._by_property
        if addresses is not self._addresses:  # they are never changed, but others take their place
            addresses, known = self._by_property = self._addresses, {}
        if property_ not in known:
            own = sorted((one.cell, at) for at, one in addresses.items() if one.property == property_)
            known[property_] = Who(
                np.array([stream for _, stream in own], np.int64),
                np.array([cell for cell, _ in own], np.uint64),
            )
        return known[property_]

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all that this thread asks in the block be of one moment."""
        with self.frames.snapshot() as turn:
            if turn != self._turn:
                touched = self.frames.touched(self._turn) if 0 <= self._turn < turn else None
                self._forget(touched)
                self._turn = turn
            yield

    def _forget(self, touched: Collection[tuple[int, Kind, int]] | None) -> None:
        """Let go of what follows from frames that are others now; of all, where None."""
        if touched is None:
            self._runs.clear()
            self._presences.clear()
            return
        self._runs.forget(touched)
        for property_, kind, start in touched:
            if kind == "hour":
                self._presences.forget(property_, self.calendar.day(start))

    def presence(self, property_: int, day: int, who: Who) -> Presence:
        """Return which streams have readings in which hours of a day, see `Presences.of`.

        Let it be asked within `snapshot`.
        """
        return self._presences.of(property_, day, who)

    def _behind(self, property_: int) -> set[Span]:
        """Return the days and months that do not have what their parts have."""
        return {Span(kind, at) for kind in ("day", "month") for at in self.frames.behind(property_, kind)}

    def _up_to_date(self, spans: Collection[Span], behind: set[Span]) -> Collection[Span]:
        """Return intervals that have what there is; where one is behind, its parts."""
        for _ in range(2):
            spans = [
                part for one in spans for part in (self.calendar.parts(one) if one in behind else (one,))
            ]
        return spans

    def of_cell(
        self,
        property_: int,
        first: int,
        last: int,
        spans: Collection[Span],
        among: Chosen | None = None,
    ) -> Figures:
        """Return what a cell has in some intervals together: figures of one group, or of none.

        Parameters
        ----------
        property_
            What is observed.
        first, last
            First and last code of level 32 in the cell.
        spans
            Intervals that share no time, see `Calendar.spans`.
        among
            The streams of which alone it may be told; None for all.

        """
        return self.of_ranges(property_, [(first, last)], spans, among)

    def of_ranges(
        self,
        property_: int,
        ranges: Sequence[tuple[int, int]],
        spans: Collection[Span],
        among: Chosen | None = None,
    ) -> Figures:
        """Return what several cells have together: first and last code of level 32 of each; see `of_cell`."""
        with self.snapshot():
            whole = self._up_to_date(spans, self._behind(property_))
            return self._together(property_, ranges, whole, among)

    def of_cell_each(
        self,
        property_: int,
        cell: tuple[int, int],
        spans: Collection[Span],
        among: Chosen | None = None,
    ) -> list[Figures]:
        """Return what a cell has in each of some intervals, see `of_cell`."""
        with self.snapshot():
            behind = self._behind(property_)
            return [
                self._together(property_, [cell], self._up_to_date((one,), behind), among) for one in spans
            ]

    def _together(
        self,
        property_: int,
        ranges: Sequence[tuple[int, int]],
        spans: Collection[Span],
        among: Chosen | None,
    ) -> Figures:
        def look(span: Span, frame: Stored) -> Figures:
            if among is not None:
                return self._runs.of((property_, span.kind, span.start), frame, ranges, among)
            parts = [figures_of(frame.together(*frame.between(*one))) for one in ranges]
            return parts[0] if len(parts) == 1 else joined([NONE, *parts])

        parts = joined([NONE, *self.frames.look_into(property_, spans, look)])
        return combined(parts, np.zeros(min(len(parts.n), 1), np.int64))

    def hours_between(self, property_: int, since: int, until: int, first: int, last: int) -> Leaves:
        """Return the figures of the streams from one code of level 32 to another, as `hours` does.

        One interval is looked at after the other, so that the others of a large city do not fill memory.
        """
        parts, starts = [], []
        for start in self.frames.starts(property_, "hour", since, until):
            for _, body in self.frames.at(property_, "hour", [start]):
                frame = frame_of(body)
                low, high = frame.between(first, last)
                parts.append(frame.leaves[low:high].copy())
                starts.append(np.full(high - low, start, np.int64))
        if not parts:
            return Leaves.none()
        rows = np.concatenate(parts)
        return Leaves(np.concatenate(starts), rows["stream"], rows["cell"], figures_of(rows))

    def of_groups(
        self,
        property_: int,
        cells: NDArray[np.uint64],
        group: NDArray[np.int64],
        groups: int,
        spans: Collection[Span],
        among: Chosen | None = None,
    ) -> Figures:
        """Return what groups of cells have in some intervals together, an element for each group.

        Parameters
        ----------
        property_, spans, among
            As in `of_cell`.
        cells, group
            (n,) different codes of level 32 in order, and the number of the group of each; -1 for none.
        groups
            How many groups there are.

        """
        asked = cells[group >= 0]
        rows, numbers = [], []

        def look(_: Span, frame: Stored) -> None:
            leaves = frame.leaves(*frame.between(int(asked[0]), int(asked[-1])))
            at = np.minimum(np.searchsorted(cells, leaves["cell"]), len(cells) - 1)
            own = np.where(cells[at] == leaves["cell"], group[at], -1)
            told = own >= 0 if among is None else (own >= 0) & among.holds(leaves["stream"])
            rows.append(leaves[told])
            numbers.append(own[told])

        if len(asked):
            with self.snapshot():
                self.frames.look_into(property_, self._up_to_date(spans, self._behind(property_)), look)
        if not sum(len(part) for part in rows):
            return spread(taken(NONE, slice(0, 0)), np.empty(0, np.int64), groups)
        number = np.concatenate(numbers)
        order = np.argsort(number, kind="stable")
        there, begins = np.unique(number[order], return_index=True)
        return spread(combined(taken(figures_of(np.concatenate(rows)), order), begins), there, groups)


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
