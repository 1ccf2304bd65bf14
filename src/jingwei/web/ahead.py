"""Reading ahead who sends readings, and to which streams: first readings of many are not kept waiting."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING

from jingwei.access import tokens
from jingwei.ledger.threads import in_thread
from jingwei.records import now_utc
from jingwei.web.senders import AT_MOST, MOST_KEPT, read_all_ahead

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from jingwei.records import Records
    from jingwei.sense.readings import Readings
    from jingwei.sense.taking import Taking
    from jingwei.web.senders import Senders

log = logging.getLogger(__name__)

EVERY = 0.4 * AT_MOST
"""Seconds between two rounds: what was read does not run out meanwhile."""
REST = 4
"""Times as long as a question took none other is put: those who send meanwhile come first."""
PEOPLE = 10
"""People who are read at once: five hundred tokens at most."""
MOST_TOKENS = 3 * MOST_KEPT // 4
"""Tokens that are read ahead; those of others are read as they come."""
MOST_STREAMS = 500_000


class Ahead:
    """Reads ahead, again and again: tokens person by person, streams with their neighbours.

    Nothing depends on it but how long a first reading takes: what was not read ahead is read when it comes.

    Attributes
    ----------
    senders
        To whom people and their tokens are handed.

    """

    def __init__(self, records: Records, taking: Taking, readings: Readings, senders: list[Senders]) -> None:
        self.records = records
        self.taking = taking
        self.readings = readings
        self.senders = senders

    def run(self, stop: threading.Event) -> None:
        """Read ahead until `stop` is set."""
        rest = 0.5  # who begins to send while the city begins is not read ahead yet
        while not stop.is_set():
            try:
                self.read(stop, rest)
            except Exception:  # what a busy record store does not answer now is read in the next round
                log.exception("reading senders ahead")
            rest = REST
            stop.wait(EVERY)

    def read(self, stop: threading.Event, rest: float = 0.0) -> None:
        """Read all once, resting after each question `rest` times as long as it took."""
        self._read_streams(stop, rest)
        self._read_people(stop, rest)

    def _read_streams(self, stop: threading.Event, rest: float) -> None:
        for stream in self.taking.neighbourhoods()[: MOST_STREAMS // 256]:
            began = time.monotonic()
            self.taking.ahead(stream)
            self.readings.facts.of(stream)
            if stop.wait(rest * (time.monotonic() - began)):
                return

    def _read_people(self, stop: threading.Event, rest: float) -> None:
        left, after = MOST_TOKENS, ""
        while left > 0:
            began = time.monotonic()
            with self.records.read() as session:
                people = tokens.people_with_tokens(session, now_utc(), after=after, limit=PEOPLE)
            if not people:
                return
            left -= self._hand_on(people)
            after = people[-1]
            if stop.wait(rest * (time.monotonic() - began)):
                return

    def _hand_on(self, people: list[str]) -> int:
        """Hand on what there is of people; return how many tokens that are."""
        ends = [one.ends for one in self.senders]
        with self.records.read() as session:
            found = read_all_ahead(session, people, now_utc())
        for told in found:
            for one, before in zip(self.senders, ends, strict=True):
                one.hand(told, before)
        return sum(len(told.standing) for told in found)

    @contextlib.contextmanager
    def running(self) -> Iterator[Ahead]:
        """Read ahead in a thread of its own while the block lasts."""
        with in_thread("reading ahead", self.run):
            yield self
