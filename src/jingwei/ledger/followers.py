"""Following the log: in order, from where one stopped, missing nothing."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from jingwei.ledger.bell import bells_of
from jingwei.ledger.models import Progress
from jingwei.ledger.service import Entry, entries, holds_any, size
from jingwei.ledger.threads import in_thread
from jingwei.records import Prepared, now_utc

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.records import Records

log = logging.getLogger(__name__)

Types = Collection[str] | None
Handle = Callable[["Session", list[Entry]], None]

BATCH = 1000
"""Positions read at a time."""
LOOK_AGAIN = 0.5
"""Seconds after which a follower looks for what another process sealed."""
FAR = BATCH
"""Positions without anything for a follower after which it is noted all the same that they were read."""
AGAIN = 5.0
"""Seconds until it is tried again after the store did not allow it."""


_POSITION = Prepared(select(Progress.position).where(Progress.name == bindparam("name")))


class Follower:
    """Reads the log in order and keeps how far it has come.

    What `handle` does in the session it is given is done exactly once, for it is committed together
    with the progress. What it does elsewhere is done at least once.

    Parameters
    ----------
    records
        The record store.
    name
        The name under which progress is kept.
    handle
        Called with a session and entries in order of position; never with none.
    types
        The types of events to hand over, or what tells them; all, if not given.
    from_now
        Whether a follower that is new begins at the end of the log instead of its beginning.

    """

    def __init__(
        self,
        records: Records,
        name: str,
        handle: Handle,
        *,
        types: Types | Callable[[Session], Types] = None,
        from_now: bool = False,
    ) -> None:
        self.records = records
        self._passed = 0
        self.name = name
        self.handle = handle
        self.types = types
        self.bells = bells_of(records.engine)
        self._enter(from_now=from_now)

    def _enter(self, *, from_now: bool) -> None:
        try:
            with self.records.write() as session:
                if session.get(Progress, self.name) is None:
                    position = size(session) if from_now else 0
                    session.add(Progress(name=self.name, position=position, time=now_utc()))
        except IntegrityError:
            pass  # another process entered the same follower first

    def step(self) -> int:
        """Handle the next batch; return how many positions it covered, 0 at the end of the log."""
        with self.records.write() as session:
            progress = session.scalars(
                select(Progress).where(Progress.name == self.name).with_for_update()
            ).one()
            start = progress.position
            end = min(start + BATCH, size(session))
            if end <= start:
                return 0
            found = entries(session, start, end, types=self._types(session))
            if found:
                self.handle(session, found)
            progress.position, progress.time = end, now_utc()
            return end - start

    def catch_up(self) -> None:
        """Handle all there is."""
        while self.step():
            pass

    def run(self, stop: threading.Event) -> None:
        """Follow until `stop` is set."""
        while not stop.is_set():
            seen = self.bells.sealed.count
            if not (self._behind() and self.step()):
                self.bells.sealed.wait(seen, LOOK_AGAIN)

    def run_on(self, stop: threading.Event) -> None:
        """Follow until `stop` is set, whatever goes wrong in between."""
        while not stop.is_set():
            try:
                self.run(stop)
            except Exception:  # what a full or busy disk does not allow is tried again
                log.exception("following the log: %s", self.name)
                stop.wait(AGAIN)

    @contextlib.contextmanager
    def running(self) -> Iterator[Follower]:
        """Follow in a thread of its own while the block lasts."""
        with in_thread(f"follower: {self.name}", self.run_on, self.bells.sealed):
            yield self

    def _types(self, session: Session) -> Types:
        return self.types(session) if callable(self.types) else self.types

    def _behind(self) -> bool:
        """Look, without the lock that a write takes, whether anything waits that concerns this follower.

        In a busy city hardly an event does: to write down after each how far one has come would cost more
        than the event.
        """
        with self.records.read() as session:
            ((noted,),) = _POSITION.rows(session, name=self.name)
            start, end = max(noted, self._passed), size(session)
            while start < end:
                near = min(start + BATCH, end)
                if near - noted >= FAR or holds_any(session, start, near, types=self._types(session)):
                    return True
                self._passed = start = near
        return False


def position_of(session: Session, name: str) -> int:
    """Return the position that the follower `name` will read next; 0 for one not known."""
    progress = session.get(Progress, name)
    return progress.position if progress else 0
