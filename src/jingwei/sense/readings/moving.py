"""Readings on their way from the log to the lake, and what memory holds once they are there."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from jingwei.sense.readings import flushing
from jingwei.sense.readings.columns import Rows, joined
from jingwei.sense.readings.memory import find_in
from jingwei.sense.readings.overlay import Change, Overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import AbstractContextManager

    from jingwei.lake import Lake
    from jingwei.sense.readings.apart import Apart
    from jingwei.sense.readings.facts import FactsBook
    from jingwei.sense.readings.flushing import Mark
    from jingwei.sense.readings.intake import Intake
    from jingwei.sense.readings.kept import Kept, Now
    from jingwei.sense.readings.log import Log
    from jingwei.sense.readings.tier import Tier

COMPACT_AT = 1_000
"""Corrections and deletions that lie over the lake before they are worked in."""


class Moving:
    """Moves readings to the lake.

    Parameters
    ----------
    kept, tier
        What there is, and what of it the lake holds.
    written, intake
        The log, and the one thread that writes to it.
    watched
        Tells a watcher before and after readings change that were there.
    owner
        Department that owns the dataset of readings.
    in_memory
        Readings that stay in memory after they went to the lake.

    """

    def __init__(
        self,
        kept: Kept,
        tier: Tier,
        written: Log,
        intake: Intake,
        watched: Callable[[Collection[tuple[int, int | None]]], AbstractContextManager[None]],
        *,
        owner: str,
        in_memory: int,
    ) -> None:
        self._kept = kept
        self._tier = tier
        self._log = written
        self._intake = intake
        self._watched = watched
        self._owner = owner
        self._in_memory = in_memory
        self._mutex = threading.Lock()
        self.flushed_at: float | None = None

    def flush(self, lake: Lake, facts: FactsBook, *, compact: bool = False) -> int | None:
        """Move what is in the log to the lake; see `Readings.flush`."""
        with self._mutex:
            return self._flush(lake, facts, compact=compact)

    def _flush(self, lake: Lake, facts: FactsBook, *, compact: bool) -> int | None:
        segment, now, last, apart = self._intake.ask(self._rotate, 0)
        fresh = joined([run.take((run["id"] > now.flushed) & (run["id"] <= last)) for run in now.runs])
        fresh, repeats = self._without_known(now, now.overlay.covered(fresh).ordered())
        mine = {n: c for n, c in now.overlay.changes.items() if n > now.flushed}
        fresh = joined([fresh, Overlay(mine, now.overlay.cut).rows(None, None, None)])
        work_in = compact or len(now.overlay.changes) + len(now.overlay.cut) >= COMPACT_AT
        old = list(now.files) if compact else flushing.to_merge(now.files)
        if work_in and not compact:
            old += [one for one in flushing.touched(now.files, now.overlay) if one not in old]
        if not work_in and not len(fresh) and not len(apart):
            self._log.drop(segment)
            return None
        rows = joined([*(piece for one in old for piece in self._tier.whole(one))])
        if work_in:
            earlier = {n: c for n, c in now.overlay.changes.items() if n <= now.flushed}
            changed = Overlay(earlier, now.overlay.cut).rows(None, None, None)
            rows = joined([now.overlay.covered(rows), changed])
        rows = joined([rows, fresh]).ordered()
        mark = flushing.Mark(segment, last, self._kept.mark.apart + len(apart))
        gone = {one.file.path for one in old}
        table = flushing.lake_table(rows, facts.of)
        twice = zip(repeats["stream"].tolist(), repeats["time"].tolist(), strict=True)
        with self._watched(list(twice)):
            number, written = flushing.publish(
                lake,
                table,
                apart.table(segment),
                version=self._kept.version,
                kept=[one.file for one in now.files if one.file.path not in gone],
                mark=mark,
                owner=self._owner,
            )
            if written is not None:
                self._tier.summarise(written.path, rows)
            self._settle(lake, mark, now, work_in=work_in, repeats=repeats)
        self._log.drop(segment)
        self.flushed_at = time.time()
        return number

    def _rotate(self) -> tuple[int, Now, int, Apart]:
        segment = self._log.rotate()
        if self._kept.overlay:
            self._log.write([self._kept.overlay.packed()])
        return segment, self._kept.now(), self._kept.next - 1, self._kept.apart.copy()

    def _without_known(self, now: Now, fresh: Rows) -> tuple[Rows, Rows]:
        """Leave out what the lake has already; return the rest, and what was left out."""
        found = np.zeros(len(fresh), np.int64)
        streams, begins = np.unique(fresh["stream"], return_index=True)
        ends = np.append(begins, len(fresh))[1:]
        for stored in now.files:
            if not len(stored.streams):
                continue
            # Most streams have nothing but newer readings: one look at all of them leaves the few others.
            at = np.minimum(np.searchsorted(stored.streams, streams), len(stored.streams) - 1)
            met = (stored.streams[at] == streams) & (stored.last[at] >= fresh["time"][begins])
            met &= stored.first[at] <= fresh["time"][ends - 1]
            for one in np.flatnonzero(met).tolist():
                begin, end = int(begins[one]), int(ends[one])
                first, last = int(fresh["time"][begin]), int(fresh["time"][end - 1])
                there = self._tier.of_stream(stored, int(streams[one]), first, last + 1, None)
                find_in(now.overlay.covered(there), fresh.take(slice(begin, end)), found[begin:end])
        known = found > 0
        return fresh.take(~known), fresh.take(known)

    def _settle(self, lake: Lake, mark: Mark, now: Now, *, work_in: bool, repeats: Rows) -> None:
        """Read from the published version what it holds."""
        version = next(one.version for one in lake.catalogue() if one.id == flushing.DATASET)
        assert version is not None  # noqa: S101 -- just published
        files = self._tier.stored(version.content)
        done = {n: c for n, c in now.overlay.changes.items() if work_in or n > now.flushed}
        with self._kept.lock:
            left = self._kept.overlay.without(Overlay(done, now.overlay.cut if work_in else {}))
            self._tier.files, self._kept.version, self._kept.mark, self._kept.overlay = (
                files,
                version,
                mark,
                left,
            )
            self._kept.apart.drop(mark.apart)
            if now.overlay:
                self._replace(now.overlay, done, work_in=work_in)
            if len(repeats):
                self._kept.window.drop(repeats["id"])
            if self._kept.window.rows > self._in_memory:
                newest = self._kept.next - 1 - self._in_memory // 2
                self._kept.evicted = max(self._kept.evicted, min(mark.reading, newest))
                self._kept.standing.keep(self._kept.window.evict(min(mark.reading, newest)))
            for stream in np.unique(repeats["stream"]).tolist():
                self._kept.restand(stream)

    def _replace(self, overlay: Overlay, done: dict[int, Change], *, work_in: bool) -> None:
        """Put into memory what the lake now holds instead of rows that were corrected or deleted."""
        rows = joined([change.row for change in done.values() if change.row is not None])
        self._kept.window.drop(np.fromiter(done, np.int64, len(done)))
        if len(rows):
            self._kept.window.add(Overlay({}, overlay.cut).covered(rows))
        if work_in:
            for stream, last in overlay.cut.items():
                self._kept.window.drop_stream(stream, last)
