"""What is done for the city's keeping while it is served: versions past their retention are removed."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

from jingwei.lake.errors import BusyError
from jingwei.lake.retention import drop_old

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.lake import Lake

log = logging.getLogger(__name__)

PAUSE = 3600.0
"""Seconds between two rounds."""
AGAIN = 60.0
"""Seconds after which it is tried again, where another program writes or copies."""


@contextlib.contextmanager
def keeping(lake: Lake) -> Iterator[None]:
    """Remove old versions now and then, in a thread of its own, while the block lasts."""
    stop = threading.Event()

    def rounds() -> None:
        wait = AGAIN
        while not stop.wait(wait):
            try:
                drop_old(lake, actor="jingwei")
                wait = PAUSE
            except BusyError:
                wait = AGAIN
            except Exception:  # what a full or busy disk does not allow is tried again later
                log.exception("removing versions past their retention")
                wait = PAUSE

    thread = threading.Thread(target=rounds, name="keeping", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
