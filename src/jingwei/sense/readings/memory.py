"""What came in last, sorted, in memory: the tail that is not in the lake yet, and some of what is.

It answers most questions, and tells duplicates. Rows come as they are and are sorted when first asked for;
sorted runs are merged so that there are few of them, each row a few times in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jingwei.sense.readings.columns import Rows, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

GROWTH = 4
"""A run is merged with one that is not this many times as long."""
UNSORTED = 256
"""Batches that may wait to be sorted."""


class Window:
    """Sorted runs of readings; not safe to share between threads without a lock."""

    def __init__(self) -> None:
        self._fresh: list[Rows] = []
        self._runs: list[Rows] = []
        self.rows = 0

    def add(self, rows: Rows) -> None:
        """Take in rows in any order."""
        if len(rows):
            self._fresh.append(rows)
            self.rows += len(rows)
            if len(self._fresh) >= UNSORTED:
                self.runs()

    def runs(self) -> list[Rows]:
        """Return all rows as a few sorted runs."""
        if self._fresh:
            run = joined(self._fresh)
            self._fresh = []
            while self._runs and len(self._runs[-1]) < GROWTH * len(run):
                run = joined([self._runs.pop(), run])
            self._runs.append(run.ordered())
        return self._runs

    def drop(self, gone: NDArray[np.int64]) -> None:
        """Let go of readings by their numbers."""
        kept = [run.take(~np.isin(run["id"], gone)) for run in self.runs()]
        self._runs = [run for run in kept if len(run)]
        self.rows = sum(len(run) for run in self._runs)

    def drop_stream(self, stream: int, last: int) -> None:
        """Let go of the readings of a stream up to a number."""
        kept = [run.take(~((run["stream"] == stream) & (run["id"] <= last))) for run in self.runs()]
        self._runs = [run for run in kept if len(run)]
        self.rows = sum(len(run) for run in self._runs)

    def evict(self, until: int) -> Rows:
        """Let go of the readings up to a number, and return them."""
        parts = []
        kept = []
        for run in self.runs():
            old = run["id"] <= until
            parts.append(run.take(old))
            if not old.all():
                kept.append(run.take(~old))
        self._runs = kept
        self.rows = sum(len(run) for run in kept)
        return joined(parts)

    def find(self, rows: Rows) -> NDArray[np.int64]:
        """Return the numbers of the same readings (stream, time, end, result) here, 0 where there is none."""
        found = np.zeros(len(rows), np.int64)
        for run in self.runs():
            find_in(run, rows, found)
        return found


def find_in(run: Rows, rows: Rows, found: NDArray[np.int64]) -> None:
    """Write into `found` the numbers of the readings of a sorted run that are the same as `rows`."""
    low, high = _spans(run, rows["stream"], rows["time"])
    for step in range(int((high - low).max(initial=0))):
        open_ = np.flatnonzero((found == 0) & (low + step < high))
        if not len(open_):
            return
        there = low[open_] + step
        same = same_result(rows.take(open_), run.take(there))
        found[open_[same]] = run["id"][there[same]]


def _spans(
    run: Rows, streams: NDArray[np.int64], times: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return from where to where of a sorted run each (stream, time) stands."""
    low = np.zeros(len(streams), np.int64)
    high = np.zeros(len(streams), np.int64)
    order = np.argsort(streams, kind="stable")
    different, first = np.unique(streams[order], return_index=True)
    bounds = np.append(first, len(order))
    begins = np.searchsorted(run["stream"], different, "left")
    ends = np.searchsorted(run["stream"], different, "right")
    for number in np.flatnonzero(ends > begins).tolist():
        mine = order[bounds[number] : bounds[number + 1]]
        own = run["time"][begins[number] : ends[number]]
        low[mine] = begins[number] + np.searchsorted(own, times[mine], "left")
        high[mine] = begins[number] + np.searchsorted(own, times[mine], "right")
    return low, high


def same_result(one: Rows, other: Rows) -> NDArray[np.bool_]:
    """Say of rows of one stream and time each whether end and result are the same, bit by bit."""
    same: NDArray[np.bool_] = one["result"].view(np.int64) == other["result"].view(np.int64)
    for name in ("time_end", "result_json"):
        if name in one.columns or name in other.columns:
            same &= _equal(one.filled(name), other.filled(name))
    return same


def _equal(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(one == other, bool)


def repeated(rows: Rows) -> NDArray[np.int64]:
    """Return of each ordered row which earlier row is the same reading, itself where none is."""
    first = np.arange(len(rows))
    same_place = (rows["stream"][1:] == rows["stream"][:-1]) & (rows["time"][1:] == rows["time"][:-1])
    if not same_place.any():
        return first
    seen: dict[tuple[Any, ...], int] = {}
    bits = rows["result"].view(np.int64)
    ends, texts = rows.filled("time_end"), rows.filled("result_json")
    for row in np.flatnonzero(np.append(same_place, False) | np.append(False, same_place)).tolist():
        key = (rows["stream"][row], rows["time"][row], bits[row], ends[row], texts[row])
        first[row] = seen.setdefault(key, row)
    return first
