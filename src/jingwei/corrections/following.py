"""Checks of newer versions, as the log tells of them, are held against the open requests."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jingwei.corrections.service import review
from jingwei.lake import contracting
from jingwei.ledger.followers import Follower

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.ledger import Entry
    from jingwei.records import Records

log = logging.getLogger(__name__)

NAME = "corrections"
AGAIN = 5.0
"""Seconds until it is tried again after the store did not allow it."""


class Reviewer:
    """Follows the log for checks and publications, and closes what was corrected."""

    def __init__(self, records: Records) -> None:
        self.follower = Follower(records, NAME, self.handle, types=("dataset.published", "dataset.checked"))

    def handle(self, session: Session, entries: list[Entry]) -> None:
        """Hold what was checked against the open requests of its dataset, each dataset once."""
        for dataset in dict.fromkeys((entry.subject or "").removeprefix("dataset/") for entry in entries):
            newest = next(iter(contracting.latest(session, dataset, 1)), None)
            if newest is not None:
                review(session, dataset, newest.intent, newest.version, newest.report, newest.at)

    def run(self, stop: threading.Event) -> None:
        """Follow the log until `stop` is set."""
        while not stop.is_set():
            try:
                self.follower.run(stop)
            except Exception:  # what a full or busy disk does not allow is tried again
                log.exception("corrections that a check may close")
                stop.wait(AGAIN)

    @contextlib.contextmanager
    def running(self) -> Iterator[Reviewer]:
        """Follow in a thread of its own while the block lasts."""
        stop = threading.Event()
        thread = threading.Thread(target=self.run, args=(stop,), name="corrections", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            self.follower.bells.sealed.ring()
            thread.join()
