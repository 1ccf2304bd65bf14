"""The clock of the desk, while a city is open: it sleeps until a case needs it, and no longer.

When it next has something to say is kept with every case; a step, another calendar or other settings change
that. Several clocks may run at one record store: each takes cases that no other holds.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from jingwei.cases.calendar import SECOND, instant
from jingwei.cases.store import next_alarm
from jingwei.ledger.bell import bells_of
from jingwei.ledger.threads import in_thread
from jingwei.records import now_utc

if TYPE_CHECKING:
    from jingwei.cases.service import Desk
    from jingwei.records import Records

log = logging.getLogger(__name__)

LONGEST = 60.0
"""Seconds after which it looks for what another process did, whose steps do not wake it."""
AT_ONCE = 40
"""Cases of one transaction: others who write wait for no longer than it takes."""
PAUSE = 1.0
"""Seconds between two looks: what happens meanwhile is looked at together."""


class Ticker:
    """Lets the clock speak when it is time.

    Parameters
    ----------
    records, desk
        Whose cases.
    clock
        Where the time comes from.

    """

    def __init__(self, records: Records, desk: Desk, clock: Callable[[], datetime] = now_utc) -> None:
        self.records, self.desk, self.clock = records, desk, clock
        self.bells = bells_of(records.engine)

    def step(self) -> float:
        """Let the clock say what it has to say; return in how many seconds it has more, `LONGEST` at most."""
        now = self.clock()
        with self.records.read() as session:
            alarm = next_alarm(session)
        if alarm is not None and alarm <= instant(now):
            with self.records.write() as session:
                self.desk.tick(session, now, limit=AT_ONCE)
            return 0.0
        return LONGEST if alarm is None else min(LONGEST, (alarm - instant(now)) / SECOND)

    def run(self, stop: threading.Event) -> None:
        """Tick until `stop` is set."""
        while not stop.is_set():
            seen = self.bells.appended.count
            try:
                seconds = self.step()
            except Exception:  # what a full or busy disk does not allow is tried again
                log.exception("the clock of cases")
                seconds = LONGEST
            if seconds:
                self.bells.appended.wait(seen, seconds)
                stop.wait(min(PAUSE, seconds))

    @contextlib.contextmanager
    def running(self) -> Iterator[Ticker]:
        """Tick in a thread of its own while the block lasts."""
        with in_thread("clock of cases", self.run, self.bells.appended):
            yield self
