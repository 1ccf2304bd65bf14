"""What is done for the city's keeping while it is served.

Versions past their retention are removed, and files that have become many are put together.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

from jingwei.keeping.compacting import compact_all
from jingwei.lake.errors import BusyError
from jingwei.lake.retention import drop_old

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.city import City

log = logging.getLogger(__name__)

PAUSE = 3600.0
"""Seconds between two rounds."""
AGAIN = 60.0
"""Seconds after which it is tried again, where another program writes or copies."""
MANY = 8
"""From so many files in one place they are put together."""


@contextlib.contextmanager
def keeping(city: City) -> Iterator[None]:
    """Remove old versions and put files together now and then, in a thread, while the block lasts."""
    stop = threading.Event()

    def rounds() -> None:
        wait = AGAIN
        while not stop.wait(wait):
            try:
                drop_old(city.lake, actor="jingwei")
                compact_all(city, actor="jingwei", least=MANY)
                wait = PAUSE
            except BusyError:
                wait = AGAIN
            except Exception:  # what a full or busy disk does not allow is tried again later
                log.exception("removing old versions, or putting files together")
                wait = PAUSE

    thread = threading.Thread(target=rounds, name="keeping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
