"""In which hours of a day each stream has readings: what decides which figures are withheld."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from jingwei.records.recent import Recent
from jingwei.sense.rollups.calendar import HOUR, Span
from jingwei.sense.rollups.chosen import Chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from jingwei.sense.rollups.calendar import Calendar
    from jingwei.sense.rollups.frames import Stored
    from jingwei.sense.rollups.kept import Frames

MOST_BYTES = 1 << 27
HOURS = 64
"""Hours of which the bits of a day can tell; the longest day of any zone has 48."""
Hour = tuple[int, "NDArray[np.int64]", "NDArray[np.uint64]"]


@dataclass(eq=False)
class Who:
    """Streams and the code of level 32 where each is, in the order of their cells."""

    streams: NDArray[np.int64]
    cells: NDArray[np.uint64]

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """What puts them in the order of their numbers."""
        return np.argsort(self.streams, kind="stable")

    @cached_property
    def _chosen(self) -> Chosen:
        return Chosen(self.streams[self.order])

    def places(self, streams: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return of each stream which one it is, -1 where it is not there."""
        at = self._chosen.places(streams)
        if not len(self.streams):
            return at.astype(np.int64)
        return np.where(at >= 0, self.order[at], -1)


@dataclass(frozen=True, slots=True, eq=False)
class Presence:
    """Which streams have readings in which hours of a day.

    Attributes
    ----------
    start
        UTC microseconds: its first hour.
    who
        Streams, of which some may have none.
    bits
        (streams,) one for each hour, that of the first hour the lowest.

    """

    start: int
    who: Who
    bits: NDArray[np.uint64] = field(repr=False)

    def told_of(self, who: Who) -> Presence | None:
        """Return the same of other streams; None where some that have readings are not among them."""
        some = np.flatnonzero(self.bits)
        at = who.places(self.who.streams[some])
        if (at < 0).any() or (who.cells[at] != self.who.cells[some]).any():
            return None
        bits = np.zeros(len(who.streams), np.uint64)
        bits[at] = self.bits[some]
        return Presence(self.start, who, bits)

    def asked(self, since: int, until: int) -> np.uint64:
        """Return the bits of the hours that begin in `[since, until)`."""
        low, high = (min(max(-(-(at - self.start) // HOUR), 0), HOURS) for at in (since, until))
        return np.uint64(((1 << high) - 1) & ~((1 << low) - 1))


class Presences:
    """The presences that were asked for last; they hold as long as the frames of their hours."""

    def __init__(self, frames: Frames, calendar: Calendar, most: int = MOST_BYTES) -> None:
        self._frames, self._calendar = frames, calendar
        self._kept: Recent[tuple[int, int], Presence] = Recent(most, lambda one: one.bits.nbytes)

    def forget(self, property_: int, day: int) -> None:
        """Let go of that of one day."""
        self._kept.forget((property_, day))

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()

    def of(self, property_: int, day: int, who: Who) -> Presence:
        """Return which streams of a property have readings in which hours of the day that begins at `day`.

        `who` are those that it is thought to have. Within a snapshot of the frames.
        """
        key = property_, day
        kept = self._kept.get(key)
        if kept is None:
            return self._kept.put(key, self._read(property_, day, who))
        told = None if kept.who is who else kept.told_of(who)
        # Streams came or went: all days are told of the same ones.
        return kept if told is None else self._kept.put(key, told)

    def _read(self, property_: int, day: int, who: Who) -> Presence:
        first = self._calendar.next_hour(day)
        spans = [one for one in self._calendar.parts(Span("day", day)) if one.start - first < HOURS * HOUR]

        def look(span: Span, frame: Stored) -> Hour:
            leaves: Any = frame.leaves(0, len(frame))
            return (span.start - first) // HOUR, leaves["stream"].copy(), leaves["cell"].copy()

        hours: list[Hour] = self._frames.look_into(property_, spans, look)
        known = _marked(who, hours)
        if known is None:
            who = _all_of(hours)
            known = _marked(who, hours)
        assert known is not None  # noqa: S101 -- for mypy: all are among all
        return Presence(first, who, known)


def _marked(who: Who, hours: Sequence[Hour]) -> NDArray[np.uint64] | None:
    """Return the bits of streams, or None where some of an hour are not among them, or elsewhere."""
    bits = np.zeros(len(who.streams), np.uint64)
    for number, streams, cells in hours:
        bit = np.uint64(1 << number)
        if len(streams) == len(bits) and (streams == who.streams).all() and (cells == who.cells).all():
            bits |= bit
            continue
        at = who.places(streams)
        if (at < 0).any() or (who.cells[at] != cells).any():
            return None
        bits[at] |= bit
    return bits


def _all_of(hours: Sequence[Hour]) -> Who:
    streams = np.concatenate([one for _, one, _ in hours])
    cells = np.concatenate([one for _, _, one in hours])
    streams, first = np.unique(streams, return_index=True)
    cells = cells[first]
    order = np.lexsort((streams, cells))
    return Who(streams[order], cells[order])
