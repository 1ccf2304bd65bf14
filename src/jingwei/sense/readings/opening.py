"""Opening the readings of a city, and moving them to the lake while it is open."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

from jingwei.city.shared import Shared
from jingwei.lake.errors import BusyError
from jingwei.ledger.threads import in_thread
from jingwei.sense.readings.store import Readings, present

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jingwei.city import City
    from jingwei.sense.readings.facts import Ask

log = logging.getLogger(__name__)

FOLDER = "sense/readings"
"""Where the readings of a city are, in its home."""
EVERY = 300.0
"""Seconds after which new readings go to the lake."""
AT_ONCE = 500_000
"""New readings that go there sooner."""
LOOK = 2.0
"""Seconds between two looks at how many there are."""
AGAIN = 15.0
"""Seconds after which it is tried again, where another program writes into the city."""

_open: Shared[Readings] = Shared()


def open_readings(city: City, streams: Ask, *, latest: Callable[[], int] = present) -> Readings:
    """Return the readings of a city; those that this process has open already are returned again.

    They are closed with the city. `latest` tells the instant (UTC microseconds) after which readings lie in
    the future.

    Raises
    ------
    StoreInUseError
        If another process has them open.

    """
    home = (city.home / FOLDER).resolve()
    return _open.hold(
        city,
        home,
        lambda: Readings(home, streams, lake=city.lake, latest=latest),
        lambda readings: readings.use(streams, city.lake, latest),
        is_good=lambda readings: not readings.closed,
    )


class Flusher:
    """Moves readings to the lake, a few minutes after they came or when there are many."""

    def __init__(self, readings: Readings) -> None:
        self.readings = readings

    def run(self, stop: threading.Event) -> None:
        """Flush until `stop` is set."""
        waited = 0.0
        while not stop.wait(LOOK):
            waited += LOOK
            waiting = self.readings.unflushed
            if waiting >= AT_ONCE or (waited >= EVERY and waiting):
                waited = self._flush()

    def _flush(self) -> float:
        try:
            self.readings.flush()
        except BusyError:
            return EVERY - AGAIN
        except Exception:  # what a full disk does not allow is tried again; nothing is lost meanwhile
            log.exception("moving readings to the lake")
        return 0.0

    @contextlib.contextmanager
    def running(self) -> Iterator[Flusher]:
        """Flush in a thread of its own while the block lasts."""
        with in_thread("readings flusher", self.run):
            yield self
