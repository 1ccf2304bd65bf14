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
from typing import TYPE_CHECKING, Self

import numpy as np

from jingwei.sense.readings.columns import no_rows
from jingwei.sense.rollups.answering import Answers
from jingwei.sense.rollups.calendar import HOUR
from jingwei.sense.rollups.counting import Counting
from jingwei.sense.rollups.kept import EVER, FRAMES, Address, Frames, Note, Notes
from jingwei.sense.rollups.presence import Who

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path
    from types import TracebackType

    from jingwei.sense.readings import Readings
    from jingwei.sense.readings.columns import Rows
    from jingwei.sense.rollups.calendar import Calendar

log = logging.getLogger(__name__)

FORM = "1"
"""What frames look like; others are made anew."""
MANY = 10_000
"""Frames after which the file is put in order at once."""


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
        self.answers = Answers(self.frames, calendar)
        self._counting = Counting(self.frames, readings, calendar)
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
        self.frames = Frames(home / FRAMES, f"{FORM} {self.calendar.zone.key} {self.notes.name}")
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
                self._counting.work_out()
                self._worked_out = time.monotonic()
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
        new = self._counting.sketched(fresh, after)
        streams, place = np.unique(new.stream, return_inverse=True)
        observed = np.array([after[one].property for one in streams.tolist()], np.int64)[place]
        touched |= set(np.unique(observed).tolist())
        written = 0
        with self.frames.writing():
            for property_ in sorted(touched):
                own = new.take(observed == property_)
                written += self._counting.keep(property_, again, own, before, after, last)
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
