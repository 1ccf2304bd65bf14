"""Telling subscribers: noted in one transaction with how far the log was read, sent at least once, in order.

What failed is tried again, later each time; behind it the others of that subscriber wait. One that has failed
for too long, or says that it is gone, is switched off, and the log says so.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
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
from jingwei.exchange import cloud, signing
from jingwei.exchange.errors import BadTargetError
from jingwei.exchange.models import DeliveryRow, SubscriberRow
from jingwei.exchange.service import about
from jingwei.ledger.bell import in_thread
from jingwei.ledger.followers import Follower
from jingwei.records import now_utc

if TYPE_CHECKING:
    import httpx2
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.vault import Vault
    from jingwei.city import City
    from jingwei.exchange.targets import Targets
    from jingwei.ledger import Entry

log = logging.getLogger(__name__)

DELIVERIES: Table = DeliveryRow.__table__  # type: ignore[assignment]
SUBSCRIBERS: Table = SubscriberRow.__table__  # type: ignore[assignment]
NAME = "webhooks"
ACTOR = "webhooks"
PAUSE = 1.0
PATIENCE = 10.0
"""Seconds that a subscriber is given to answer."""
AT_ONCE = 100
"""Deliveries that one subscriber is sent before others are looked at again."""
SIDE_BY_SIDE = 8
"""Subscribers that are told at the same time."""
WAITS = tuple(timedelta(seconds=one) for one in (5, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200))
"""After the first failure, the second, and so on; after the last the subscriber is switched off: 26 hours."""
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
    client
        By which subscribers are told; one of its own if not given.

    """

    def __init__(
        self,
        city: City,
        vault: Vault,
        targets: Targets,
        source: str,
        *,
        is_open: bool = False,
        client: httpx2.Client | None = None,
    ) -> None:
        self.city, self.vault, self.targets, self.source = city, vault, targets, source
        self._client, self._is_open = client, is_open
        self._cleared = 0.0
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

    def step(self, now: datetime | None = None) -> int:
        """Send what is due; return how many deliveries were taken."""
        when = now or now_utc()
        due = self._due(when)
        if not due:
            return 0
        with self._asking() as client, ThreadPoolExecutor(SIDE_BY_SIDE) as side_by_side:
            return sum(side_by_side.map(lambda one: self._tell(client, one, when), due))

    def _due(self, when: datetime) -> list[_Due]:
        """Return the subscribers for whom something waits and whose turn it is."""
        with self.city.records.read() as session:
            some = select(DeliveryRow.id).where(
                DeliveryRow.webhook_id == SubscriberRow.id, DeliveryRow.done.is_(None)
            )
            asked = select(SubscriberRow).where(
                SubscriberRow.on, (SubscriberRow.next.is_(None)) | (SubscriberRow.next <= when), some.exists()
            )
            return [
                _Due(
                    one.id,
                    one.url,
                    self.vault.unseal(one.secret, about(one.id)),
                    self._asker(session, one),
                    one.tries,
                )
                for one in session.scalars(asked)
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

    def _tell(self, client: httpx2.Client, one: _Due, when: datetime) -> int:
        """Send a subscriber what waits for it, in order, until something fails."""
        with self.city.records.read() as session:
            asked = select(DeliveryRow.id, DeliveryRow.position, DeliveryRow.tries).where(
                DeliveryRow.webhook_id == one.id, DeliveryRow.done.is_(None)
            )
            waiting = session.execute(asked.order_by(DeliveryRow.position).limit(AT_ONCE)).all()
            events = {position: self._event(session, one.asker, position) for _, position, _ in waiting}
        sent = 0
        for number, position, tries in waiting:
            event = events[position]
            if event is None:
                self._done(number, one.id, "not-for-it", tries, 0, when)
                continue
            status, fault = self._post(client, one, f"jw_{one.id}_{position}", cloud.body_of(event))
            if fault:
                self._failed(one, number, tries + 1, status, fault, when)
                return sent
            self._done(number, one.id, "sent", tries + 1, status, when)
            sent += 1
        return sent

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

    def _post(self, client: httpx2.Client, one: _Due, identifier: str, body: bytes) -> tuple[int, str]:
        """Send one event; return the status of the answer, and why it did not work, empty where it did."""
        import httpx2

        try:
            target = self.targets.of(one.url)
        except BadTargetError as error:
            return 0, f"address-{error.where['why']}"
        url = httpx2.URL(one.url)
        headers = signing.headers(one.secret, identifier, round(time.time()), body)
        headers |= {"Content-Type": cloud.MEDIA_TYPE, "Host": url.netloc.decode("ascii")}
        try:
            answer = client.post(
                url.copy_with(host=str(target.address)),
                content=body,
                headers=headers,
                extensions={"sni_hostname": target.host},
            )
        except (httpx2.HTTPError, OSError) as error:
            return 0, type(error).__name__
        return answer.status_code, "" if answer.is_success else "status"

    def _done(self, number: int, webhook: int, result: str, tries: int, status: int, when: datetime) -> None:
        with self.city.records.write() as session:
            done = {"done": when, "result": result, "tries": tries, "status": status, "fault": ""}
            session.execute(update(DELIVERIES).where(DELIVERIES.c.id == number).values(done))
            session.execute(
                update(SUBSCRIBERS)
                .where(SUBSCRIBERS.c.id == webhook, SUBSCRIBERS.c.tries > 0)
                .values(next=None, tries=0)
            )

    def _failed(self, one: _Due, number: int, tries: int, status: int, fault: str, when: datetime) -> None:
        with self.city.records.write() as session:
            told = {"tries": tries, "status": status, "fault": fault[:80]}
            session.execute(update(DELIVERIES).where(DELIVERIES.c.id == number).values(told))
            if status == GONE or one.tries >= len(WAITS):
                self._switch_off(session, one.id, "gone" if status == GONE else "failing")
                return
            again = {"next": when + WAITS[one.tries], "tries": one.tries + 1}
            session.execute(update(SUBSCRIBERS).where(SUBSCRIBERS.c.id == one.id).values(again))

    @staticmethod
    def _switch_off(session: Session, number: int, why: str) -> None:
        values = {"on": False, "why": why, "next": None, "tries": 0}
        session.execute(update(SUBSCRIBERS).where(SUBSCRIBERS.c.id == number).values(values))
        data = {"to": "off", "why": why}
        ledger.append(session, "webhook.switched", actor=ACTOR, subject=f"webhook/{number}", data=data)

    def clear(self, now: datetime | None = None) -> None:
        """Forget what was delivered long ago."""
        before = (now or now_utc()) - KEPT
        with self.city.records.write() as session:
            session.execute(
                delete(DELIVERIES).where(DELIVERIES.c.done.is_not(None), DELIVERIES.c.made < before)
            )

    @contextlib.contextmanager
    def _asking(self) -> Iterator[httpx2.Client]:
        if self._client is not None:
            yield self._client
            return
        import httpx2

        # no redirects, which lead where nobody looked; no proxy of the environment
        with httpx2.Client(
            timeout=PATIENCE, follow_redirects=False, trust_env=False, headers={"User-Agent": "Jingwei"}
        ) as client:
            yield client

    # running

    def run(self, stop: threading.Event) -> None:
        """Note and send until `stop` is set."""
        while not stop.is_set():
            seen = self.follower.bells.sealed.count
            try:
                self.follower.catch_up()
                while self.step() and not stop.is_set():
                    pass
                if time.monotonic() - self._cleared > CLEARED_EVERY:
                    self.clear()
                    self._cleared = time.monotonic()
            except Exception:  # what a full or busy disk does not allow is tried again
                log.exception("webhooks")
            self.follower.bells.sealed.wait(seen, PAUSE)

    @contextlib.contextmanager
    def running(self) -> Iterator[Webhooks]:
        """Note and send in a thread of its own while the block lasts."""
        with in_thread("webhooks", self.run, self.follower.bells.sealed):
            yield self
