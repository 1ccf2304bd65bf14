"""Work that goes on in a thread of its own while a block lasts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jingwei.ledger.bell import Bell

log = logging.getLogger(__name__)


@contextmanager
def in_thread(name: str, run: Callable[[threading.Event], None], bell: Bell | None = None) -> Iterator[None]:
    """Run `run(stop)` in a thread of its own while the block lasts; a bell that it waits for is rung then."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        if bell is not None:
            bell.ring()
        thread.join()


@contextmanager
def in_rounds(
    name: str, work: Callable[[], float | None], rest: float, *, first: float = 0.0
) -> Iterator[None]:
    """Do `work` again and again in a thread of its own while the block lasts.

    What fails (as a full or busy disk does not allow it) is told in the program's log, and tried again.

    Parameters
    ----------
    name
        Of the thread, and in the log.
    work
        One round; it may return how many seconds to rest after this one.
    rest, first
        Seconds between two rounds, and before the first one.

    """

    def run(stop: threading.Event) -> None:
        wait = first
        while not stop.wait(wait):
            try:
                told = work()
            except Exception:
                log.exception("%s", name)
                told = None
            wait = rest if told is None else told

    with in_thread(name, run):
        yield
