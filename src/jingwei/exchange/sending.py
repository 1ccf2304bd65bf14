"""Telling subscribers: noted in one transaction with how far the log was read, sent at least once, in order.

What failed is tried again, later each time; behind it the others of that subscriber wait. One that has failed
for too long, or says that it is gone, is switched off, and the log says so. No subscriber waits for another:
each is told in turns that end, side by side, and those that fail or answer slowly have places of their own.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from jingwei import ledger
from jingwei.access import asker_of_person, local_person
from jingwei.access.policy import Resource
from jingwei.city.following import is_shown, wanted
from jingwei.errors import JingweiError
from jingwei.exchange import cloud
from jingwei.exchange.models import DeliveryRow, SubscriberRow
from jingwei.exchange.service import about
from jingwei.ledger.bell import Bell
from jingwei.ledger.followers import Follower
from jingwei.ledger.threads import in_thread
from jingwei.records import now_utc

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.vault import Vault
    from jingwei.city import City
    from jingwei.exchange.posting import Post, Told
    from jingwei.exchange.targets import Targets
    from jingwei.ledger import Entry

log = logging.getLogger(__name__)

DELIVERIES: Table = DeliveryRow.__table__  # type: ignore[assignment]
SUBSCRIBERS: Table = SubscriberRow.__table__  # type: ignore[assignment]
NAME = "webhooks"
ACTOR = "webhooks"
PAUSE = 1.0
AT_ONCE = 100
"""Deliveries that one subscriber is sent in a turn,"""
TURN = 10.0
"""and seconds after which a turn ends; its next comes after those of the others that wait."""
SIDE_BY_SIDE, SLOWLY = 16, 8
"""Subscribers that are told at the same time, and how many of these at most that fail or answer slowly."""
SLOW = 1.0
"""Seconds for an answer from which on a subscriber is slow."""
WAITS = tuple(timedelta(seconds=one) for one in (5, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200))
"""After the first failure, the second, and so on; after the last the subscriber is switched off: 23 hours."""
MOST_WAITING = 100_000
KEPT = timedelta(days=30)
"""For how long it is told what was delivered."""
CLEARED_EVERY = 3600.0
GONE = 410


@dataclass(frozen=True, slots=True)
class _Due:
    """A subscriber whose turn it is, with its secret opened."""

    id: int
    url: str
    secret: str
    asker: Asker | None
    tries: int


class Webhooks:
    """Tells the subscribers of a city.

    Parameters
    ----------
    city
        Whose events.
    vault, targets
        What opens the secrets, and where subscribers may be.
    source
        Which city tells, as a URI.
    is_open
        Whether there is no sign-in: only then are subscribers told that the one at this machine added.
    clock
        Tells whose time has come.

    """

    def __init__(
        self,
        city: City,
        vault: Vault,
        targets: Targets,
        source: str,
        *,
        is_open: bool = False,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self.city, self.vault, self.targets, self.source = city, vault, targets, source
        self._is_open = is_open
        self._clock = clock
        self._cleared = 0.0
        self._stop = threading.Event()
        self._bell, self._guard = Bell(), threading.Lock()
        self._busy: set[int] = set()
        self._slowly: set[int] = set()
        self._slow: set[int] = set()
        self._turns: dict[int, float] = {}
        self.follower = Follower(city.records, NAME, self.note, types=self.types, from_now=True)

    # noting

    @staticmethod
    def types(session: Session) -> Collection[str]:
        """Return the types of events that any subscriber is to be told."""
        asked = select(SubscriberRow.types).where(SubscriberRow.on)
        lists = [frozenset(one) for one in session.scalars(asked)]
        return [
            one.name
            for one in ledger.event_types()
            if any(not names or one.name in names or one.name.partition(".")[0] in names for names in lists)
        ]

    def note(self, session: Session, entries: list[Entry]) -> None:
        """Note for whom events are, in the transaction that notes how far the log was read."""
        told = [one for one in entries if not one.type.startswith("webhook.")]
        for row in session.scalars(select(SubscriberRow).where(SubscriberRow.on)).all():
            types = frozenset(row.types)
            fresh = [one for one in told if wanted(one, types)]
            if not fresh:
                continue
            made = now_utc()
            rows = [
                {
                    "webhook_id": row.id, "position": one.position, "type": one.type, "made": made,
                    "done": None, "result": "", "tries": 0, "status": 0, "fault": "",
                }
                for one in fresh
            ]  # fmt: skip
            dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            session.execute(dialect.insert(DELIVERIES).on_conflict_do_nothing(), rows)
            if self._waiting(session, row.id) > MOST_WAITING:
                self._switch_off(session, row.id, "behind")

    @staticmethod
    def _waiting(session: Session, number: int) -> int:
        asked = select(func.count()).where(DeliveryRow.webhook_id == number, DeliveryRow.done.is_(None))
        return int(session.scalar(asked) or 0)

    # sending

    def step(self, side_by_side: ThreadPoolExecutor) -> list[Future[int]]:
        """Note what happened, and begin a turn of each subscriber for whom it is time and who has a place.

        Returns
        -------
        Of each turn how many events the subscriber took, once it is over.

        """
        self.follower.catch_up()
        begun = []
        for one in self._due():
            with self._guard:
                slowly = one.tries > 0 or one.id in self._slow
                beside = len(self._slowly)
                if len(self._busy) >= SIDE_BY_SIDE or (slowly and beside >= SLOWLY):
                    continue
                self._busy.add(one.id)
                if slowly:
                    self._slowly.add(one.id)
            begun.append(side_by_side.submit(self._take_turn, one))
        return begun

    def _due(self) -> list[_Due]:
        """Return the subscribers for whom something waits and whose turn it is: who waited longest first."""
        with self.city.records.read() as session:
            some = select(DeliveryRow.id).where(
                DeliveryRow.webhook_id == SubscriberRow.id, DeliveryRow.done.is_(None)
            )
            asked = select(SubscriberRow).where(
                SubscriberRow.on,
                (SubscriberRow.next.is_(None)) | (SubscriberRow.next <= self._clock()),
                some.exists(),
            )
            with self._guard:
                asked = asked.where(SubscriberRow.id.not_in(sorted(self._busy)))
            rows = sorted(session.scalars(asked), key=lambda one: self._turns.get(one.id, 0.0))
            return [
                _Due(
                    one.id,
                    one.url,
                    self.vault.unseal(one.secret, about(one.id)),
                    self._asker(session, one),
                    one.tries,
                )
                for one in rows
            ]

    def _asker(self, session: Session, row: SubscriberRow) -> Asker | None:
        """Return with whose rights a subscriber is told: of who added it, as they are now."""
        me = local_person()
        if row.person == me.id:
            return me if self._is_open else None
        try:
            return asker_of_person(session, row.person.removeprefix("person/"))
        except JingweiError:
            return None

    def _take_turn(self, one: _Due) -> int:
        """Send a subscriber what waits for it, until something fails or its turn is over."""
        from jingwei.exchange.posting import Post

        try:
            with Post(self.targets) as post:
                return self._tell(post, one)
        except Exception:  # of one subscriber; the others are told all the same
            log.exception("webhook %s", one.id)
            self._stop.wait(PAUSE)
            return 0
        finally:
            with self._guard:
                self._busy.discard(one.id)
                self._slowly.discard(one.id)
                self._turns[one.id] = time.monotonic()
            self._bell.ring()

    def _tell(self, post: Post, one: _Due) -> int:
        """Send a subscriber what waits for it, in order; return how many it took."""
        with self.city.records.read() as session:
            asked = select(DeliveryRow.id, DeliveryRow.position, DeliveryRow.tries).where(
                DeliveryRow.webhook_id == one.id, DeliveryRow.done.is_(None)
            )
            waiting = session.execute(asked.order_by(DeliveryRow.id).limit(AT_ONCE)).all()
            events = {position: self._event(session, one.asker, position) for _, position, _ in waiting}
        sent, failures, begin = 0, one.tries, time.monotonic()
        for number, position, tries in waiting:
            event, start = events[position], time.monotonic()
            if self._stop.is_set() or start - begin > TURN:
                break
            if event is None:
                self._done(number, one.id, "not-for-it", tries, 0)
                continue
            told = post.send(one.url, one.secret, f"jw_{one.id}_{position}", cloud.body_of(event))
            self._note_pace(one.id, time.monotonic() - start)
            if told.fault:
                self._failed(one.id, failures, number, tries + 1, told)
                break
            self._done(number, one.id, "sent", tries + 1, told.status)
            sent, failures = sent + 1, 0
        return sent

    def _note_pace(self, number: int, seconds: float) -> None:
        with self._guard:
            (self._slow.add if seconds > SLOW else self._slow.discard)(number)

    def _event(self, session: Session, asker: Asker | None, position: int) -> dict[str, object] | None:
        """Return what a subscriber is told of an event now; None where it may not know of it."""
        if asker is None:
            return None
        entry = ledger.entry_at(session, position)
        policies = self.city.policies.current()
        if not is_shown(policies, self.city.lake, asker, entry):
            return None
        whole = policies.decide(asker, "log.read", Resource("Log")).allowed
        return cloud.event_of(entry, self.source, whole=whole)

    def _done(self, number: int, webhook: int, result: str, tries: int, status: int) -> None:
        with self.city.records.write() as session:
            done = {"done": self._clock(), "result": result, "tries": tries, "status": status, "fault": ""}
            session.execute(update(DELIVERIES).where(DELIVERIES.c.id == number).values(done))
            session.execute(
                update(SUBSCRIBERS)
                .where(SUBSCRIBERS.c.id == webhook, SUBSCRIBERS.c.tries > 0)
                .values(next=None, tries=0)
            )

    def _failed(self, webhook: int, failures: int, number: int, tries: int, told: Told) -> None:
        with self.city.records.write() as session:
            noted = {"tries": tries, "status": told.status, "fault": told.fault[:80]}
            session.execute(update(DELIVERIES).where(DELIVERIES.c.id == number).values(noted))
            if told.status == GONE or failures >= len(WAITS):
                self._switch_off(session, webhook, "gone" if told.status == GONE else "failing")
                return
            again = {"next": self._clock() + WAITS[failures], "tries": failures + 1}
            session.execute(update(SUBSCRIBERS).where(SUBSCRIBERS.c.id == webhook).values(again))

    @staticmethod
    def _switch_off(session: Session, number: int, why: str) -> None:
        values = {"on": False, "why": why, "next": None, "tries": 0}
        session.execute(update(SUBSCRIBERS).where(SUBSCRIBERS.c.id == number).values(values))
        data = {"to": "off", "why": why}
        ledger.append(session, "webhook.switched", actor=ACTOR, subject=f"webhook/{number}", data=data)

    def clear(self) -> None:
        """Forget what was delivered long ago."""
        before = self._clock() - KEPT
        with self.city.records.write() as session:
            session.execute(
                delete(DELIVERIES).where(DELIVERIES.c.done.is_not(None), DELIVERIES.c.made < before)
            )

    # running

    def run(self, stop: threading.Event) -> None:
        """Note and send until `stop` is set."""
        self._stop = stop
        hushed = self.follower.bells.sealed.subscribe(self._bell.ring)
        with ThreadPoolExecutor(SIDE_BY_SIDE, "webhook") as side_by_side:
            while not stop.is_set():
                seen = self._bell.count
                try:
                    self.step(side_by_side)
                    if time.monotonic() - self._cleared > CLEARED_EVERY:
                        self.clear()
                        self._cleared = time.monotonic()
                except Exception:  # what a full or busy disk does not allow is tried again
                    log.exception("webhooks")
                    stop.wait(PAUSE)
                self._bell.wait(seen, PAUSE)
        hushed()

    @contextlib.contextmanager
    def running(self) -> Iterator[Webhooks]:
        """Note and send in a thread of its own while the block lasts."""
        with in_thread("webhooks", self.run, self._bell):
            yield self
