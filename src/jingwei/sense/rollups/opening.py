"""Opening the roll-ups of a city, and keeping them up while it is open."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from jingwei.city.shared import Shared
from jingwei.ledger.threads import in_rounds
from jingwei.sense.rollups.calendar import Calendar
from jingwei.sense.rollups.engine import Rollups
from jingwei.sense.rollups.quantities import book_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jingwei.city import City
    from jingwei.sense.readings import Readings

FOLDER = "sense/rollups"
"""Where the roll-ups of a city are, in its home."""
LOOK = 2.0
"""Seconds between two looks for what is new, at least."""
REST = 9
"""Times as long as a look took no other is made: those who send readings have nine tenths of the time."""
MOST = 30.0
"""Seconds between two looks at the most."""

_open: Shared[Rollups] = Shared()


def open_rollups(city: City, readings: Readings) -> Rollups:
    """Return the roll-ups of a city; those that this process has open already are returned again.

    They are closed with the city.
    """
    home = (city.home / FOLDER).resolve()
    book = book_of(city.records)
    return _open.hold(
        city,
        home,
        lambda: Rollups(home, readings, Calendar(city.about.zone), book),
        lambda rollups: rollups.use(book),
        is_good=lambda rollups: not rollups.closed and rollups.readings is readings,
    )


def rollups_when_asked(city: City, readings: Readings) -> Callable[[], Rollups]:
    """Return what opens the roll-ups of a city when they are first wanted, and returns them again.

    Where there are some already they are opened at once: they must be told of readings that change.
    """
    opened: Rollups | None = None

    def rollups() -> Rollups:
        nonlocal opened
        if opened is None or opened.closed:  # to open them is to look at every stream anew
            opened = open_rollups(city, readings)
        return opened

    if (city.home / FOLDER).is_dir():
        rollups()
    return rollups


class Keeper:
    """Takes new readings into the roll-ups, every few seconds."""

    def __init__(self, rollups: Rollups) -> None:
        self.rollups = rollups

    def round(self) -> float:
        """Keep up once; return after how many seconds to do so again: the longer it took, the later."""
        begin = time.monotonic()
        self.rollups.keep_up()
        return min(max(LOOK, REST * (time.monotonic() - begin)), MOST)

    @contextlib.contextmanager
    def running(self) -> Iterator[Keeper]:
        """Keep up in a thread of its own while the block lasts."""
        with in_rounds("keeping up roll-ups", self.round, MOST, first=LOOK):
            self.rollups.kept_by_others = True
            try:
                yield self
            finally:
                self.rollups.kept_by_others = False
