"""What a store of readings holds at this moment, in memory and in the lake, read as one."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from jingwei.sense.readings.apart import Apart
from jingwei.sense.readings.batch import NONE
from jingwei.sense.readings.columns import Rows, joined, no_rows
from jingwei.sense.readings.errors import UnknownReadingError
from jingwei.sense.readings.flushing import Mark
from jingwei.sense.readings.memory import Window
from jingwei.sense.readings.overlay import Overlay
from jingwei.sense.readings.standing import Standing
from jingwei.sense.readings.tier import Stored, Tier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from jingwei.lake import Version

FEW = 64
"""Streams up to which each is looked up by itself."""


@dataclass(frozen=True, slots=True)
class Now:
    """What there is at one moment: questions are put to it while more comes in."""

    runs: tuple[Rows, ...]
    files: tuple[Stored, ...]
    flushed: int
    overlay: Overlay


class Kept:
    """What there is; whoever reads or changes more than one part of it has the `lock`.

    Attributes
    ----------
    window, standing, overlay, apart
        The newest readings in memory, how each stream stands, what was corrected or deleted since the last
        compaction, and what was kept apart.
    tier, version, mark
        What the lake holds (None without a lake), its version, and up to where of the log that is.
    next
        The number of the next reading.
    evicted
        The number up to which readings are in the lake alone.

    """

    def __init__(self, tier: Tier | None) -> None:
        self.lock = threading.RLock()
        self.window = Window()
        self.standing = Standing()
        self.overlay = Overlay({}, {})
        self.apart = Apart()
        self.tier = tier
        self.version: Version | None = None
        self.mark = Mark()
        self.next = 1
        self.evicted = 0

    @property
    def last(self) -> int:
        """The number of the last reading that was taken in."""
        with self.lock:
            return self.next - 1

    @property
    def unflushed(self) -> int:
        """How many readings are in the log and not in the lake."""
        with self.lock:
            return self.next - 1 - self.mark.reading

    def now(self) -> Now:
        """Return what there is now: questions are put to it while more comes in."""
        with self.lock:
            files = () if self.tier is None else self.tier.files
            return Now(tuple(self.window.runs()), files, self.mark.reading, self.overlay)

    def of_stream(
        self, stream: int, since: int | None, until: int | None, ends: tuple[int, int] | None
    ) -> Rows:
        """Return the readings of one stream, ordered; the first or the last of them if `ends` says so."""
        now = self.now()
        wide = ends and (
            ends[0] and ends[0] + len(now.overlay.changes),
            ends[1] and ends[1] + len(now.overlay.changes),
        )
        if now.overlay.cut.get(stream) is not None:
            wide = None
        if ends is not None and wide is not None and ends[1] and self.tier is not None:
            found = self._finished(
                now, _memory(now, stream, since, until, wide, 0), stream, since, until, ends
            )
            with self.lock:
                kept = self.standing.kept(stream)
            if kept == NONE or (len(found) >= ends[1] and found["time"][0] > kept):
                return found
        parts = _memory(now, stream, since, until, wide, now.flushed)
        if self.tier is not None:
            parts += [self.tier.of_stream(one, stream, since, until, wide) for one in now.files]
        return self._finished(now, parts, stream, since, until, ends)

    @staticmethod
    def _finished(
        now: Now,
        parts: list[Rows],
        stream: int,
        since: int | None,
        until: int | None,
        ends: tuple[int, int] | None,
    ) -> Rows:
        rows = joined(parts)
        if now.overlay:
            rows = joined([now.overlay.covered(rows), now.overlay.rows([stream], since, until)])
        rows = rows.ordered()
        if ends is None:
            return rows
        return rows.take(slice(0, ends[0]) if ends[0] else slice(max(0, len(rows) - ends[1]), None))

    def pieces(
        self, now: Now, streams: Collection[int] | None, since: int | None, until: int | None
    ) -> Iterator[Rows]:
        """Yield all readings of some streams in a period, in pieces without an order."""
        if streams is not None and len(set(streams)) <= FEW:
            for stream in set(streams):
                yield self.of_stream(stream, since, until, None)
            return
        memory = (run.take(run["id"] > now.flushed) for run in now.runs)
        files = (rows for one in now.files for rows in (self.tier.whole(one) if self.tier else ()))
        wanted = None if streams is None else np.array(sorted(set(streams)), np.int64)
        for rows in chain(files, memory):
            kept = np.ones(len(rows), bool)
            if wanted is not None:
                kept &= np.isin(rows["stream"], wanted)
            if since is not None:
                kept &= rows["time"] >= since
            if until is not None:
                kept &= rows["time"] < until
            yield now.overlay.covered(rows if kept.all() else rows.take(kept))
        if now.overlay:
            yield now.overlay.rows(streams, since, until)

    def get(self, reading: int) -> tuple[Rows, int]:
        """Return a reading, and the time under which it is stored.

        Raises
        ------
        UnknownReadingError
            If there is none of this number.

        """
        now = self.now()
        changed = now.overlay.changes.get(reading)
        if changed is not None:
            if changed.row is None or not len(now.overlay.rows([changed.stream], None, None)):
                raise UnknownReadingError(reading)
            return changed.row, changed.time
        found = no_rows()
        for run in now.runs:
            at = np.flatnonzero(run["id"] == reading)
            if len(at):
                found = run.take(at)
        if not len(found) and self.tier is not None:
            found = self.tier.find(reading, now.files)
        found = now.overlay.covered(found)
        if not len(found):
            raise UnknownReadingError(reading)
        return found, int(found["time"][0])

    def restand(self, stream: int) -> None:
        """Work out anew how a stream stands."""
        self.standing.forget(stream)
        self.standing.add(self.of_stream(stream, None, None, None))


def _memory(
    now: Now, stream: int, since: int | None, until: int | None, ends: tuple[int, int] | None, after: int
) -> list[Rows]:
    """Return the readings of a stream that are in memory, those behind the `after`-th."""
    parts = []
    for run in now.runs:
        low, high = run.between(stream, since, until)
        if high <= low:
            continue
        if ends is not None and (after == 0 or int(run["id"][low:high].min()) > after):
            low, high = (low, min(high, low + ends[0])) if ends[0] else (max(low, high - ends[1]), high)
        rows = run.take(slice(low, high))
        parts.append(rows.take(rows["id"] > after) if after else rows)
    return parts
