"""What is removed in time: uploads that no step named, ways, keys of telephones, numbers of callers."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jingwei.cases import barring, field, regime
from jingwei.cases.hotline import calls
from jingwei.records import now_utc

if TYPE_CHECKING:
    from datetime import datetime

    from jingwei.cases.photos import Photos
    from jingwei.records import Records

log = logging.getLogger(__name__)

PAUSE = 3600
"""Seconds between two rounds."""


def tidy(records: Records, photos: Photos, now: datetime | None = None) -> int:
    """Remove what is kept no longer; return how many things that were."""
    now = now or now_utc()
    removed = photos.remove_unused(records, now)
    with records.write() as session:
        removed += barring.forget(session, now)
        in_force = regime.load(session)
        removed += field.remove_old(session, in_force, now)
        return removed + calls.forget_numbers(session, in_force, now)


@contextlib.contextmanager
def tidying(records: Records, photos: Photos) -> Iterator[None]:
    """Tidy now and then, in a thread of its own, while the block lasts."""
    stop = threading.Event()

    def rounds() -> None:
        while not stop.is_set():
            try:
                tidy(records, photos)
            except Exception:  # what a full or busy disk does not allow is tried again later
                log.exception("removing what is kept no longer")
            stop.wait(PAUSE)

    thread = threading.Thread(target=rounds, name="tidying", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
