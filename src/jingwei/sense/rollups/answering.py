"""What frames say of cells: questions of one moment, with what they need kept between them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from jingwei.lake.summing import Figures, combined, joined, spread, taken
from jingwei.sense.rollups.calendar import Span
from jingwei.sense.rollups.frames import Leaves, figures_of, frame_of
from jingwei.sense.rollups.presence import Presences
from jingwei.sense.rollups.runs import NONE, KeptRuns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from jingwei.sense.rollups.calendar import Calendar, Kind
    from jingwei.sense.rollups.chosen import Chosen
    from jingwei.sense.rollups.frames import Stored
    from jingwei.sense.rollups.kept import Frames
    from jingwei.sense.rollups.presence import Presence, Who


class Answers:
    """Answers from the frames of roll-ups, be their days and months worked out or not yet."""

    def __init__(self, frames: Frames, calendar: Calendar) -> None:
        self.frames, self.calendar = frames, calendar
        self._runs = KeptRuns()
        self._presences = Presences(frames, calendar)
        self._turn = -1

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
