"""Cases that another city or system deals with: sent to its Open311 endpoint, and followed there.

An administrator sets up who gets what (`neighbours` of the settings). A follower of the log notes in one
transaction what is to be sent, a sender sends it, tries again, and then asks how it stands. What is sent is
what the public is told of the case, by the same policy, when it is sent; whoever reported it is never named.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from jingwei import ledger
from jingwei.cases import citizens, policy
from jingwei.cases.case import Case, decode
from jingwei.cases.duplicates import place_of
from jingwei.cases.errors import ForwardUnknownError
from jingwei.cases.models import ForwardRow
from jingwei.cases.open311_client import Endpoint, EndpointError, Standing, Update
from jingwei.cases.public import published_words
from jingwei.cases.replay import PREFIX
from jingwei.cases.store import CASES, SUBJECT
from jingwei.ledger.followers import Follower
from jingwei.ledger.threads import in_rounds
from jingwei.records import now_utc

if TYPE_CHECKING:
    import httpx2
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.cases.regime import Regime
    from jingwei.cases.service import Desk
    from jingwei.cases.settings import Neighbour, Settings
    from jingwei.ledger import Entry
    from jingwei.records import Records

FORWARDS: Table = ForwardRow.__table__  # type: ignore[assignment]
NAME = "forwarding"
TOLD = "cases/forwarded"
"""The subject of the events that tell of forwarding."""
WHEN = {f"{PREFIX}reported": "reported", f"{PREFIX}registered": "registered"}
EVERYWHERE = "all"
"""Instead of the code of an area: wherever the case is."""
PAUSE = 10.0
MOST = 50
MOST_TRIES = 12
FOLLOWED_EVERY = timedelta(minutes=15)
CLOSED_EVERY, CLOSED_FOR = timedelta(days=1), timedelta(days=30)
"""What is closed there may be opened again: it is looked at more seldom, and then no more."""
OVERLAP = timedelta(minutes=5)
"""By which the spans of two questions for updates overlap: clocks of two cities differ."""
KEPT = 20
"""Updates of a case that are kept, the newest."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Where a case was sent to, and how it stands there."""

    id: int
    case: str
    to: str
    endpoint: str
    number: str | None
    status: str
    notes: str
    fault: str
    sent: datetime | None
    followed: datetime | None
    next: datetime | None
    updates: tuple[dict[str, str], ...]


def destinations(settings: Settings, case: Case, when: str) -> list[Neighbour]:
    """Return who is to get a case, at the moment that `when` names: by its area or place, and its type."""
    place = place_of(case)
    found = []
    for one in settings.neighbours:
        if not one.open311 or one.when != when or service_of(one, case) is None:
            continue
        west, south, east, north = one.box
        beyond = place is not None and west <= place[0] <= east and south <= place[1] <= north
        by_area = any(area == EVERYWHERE or case.area.startswith(area) for area in one.areas)
        if by_area or (not one.areas and beyond and case.where not in ("inside", "border")):
            found.append(one)
    return found


def service_of(neighbour: Neighbour, case: Case) -> str | None:
    """Return as which service a neighbour takes a case; None where it takes none of its type."""
    return neighbour.services.get(f"{case.kind}/{case.type}")


def of_case(session: Session, settings: Settings, number: str) -> list[Forwarded]:
    """Return where a case was sent to."""
    rows = session.scalars(select(ForwardRow).where(ForwardRow.case == number).order_by(ForwardRow.id))
    return [_forwarded(settings, row) for row in rows]


def newest(session: Session, settings: Settings, before: int | None, limit: int) -> list[Forwarded]:
    """Return what was sent, the newest first."""
    question = select(ForwardRow).order_by(ForwardRow.id.desc()).limit(limit)
    if before is not None:
        question = question.where(ForwardRow.id < before)
    return [_forwarded(settings, row) for row in session.scalars(question)]


def again(session: Session, asker: Asker, id_: int) -> None:
    """Try again at once what was given up, or ask anew how it stands.

    Raises
    ------
    ForwardUnknownError
        Where there is no such.

    """
    row = session.get(ForwardRow, id_)
    if row is None:
        raise ForwardUnknownError(id_)
    row.next, row.tries, row.fault = now_utc(), 0, ""
    told = {"case": row.case, "to": row.endpoint}
    ledger.append(session, "case.forward_again", actor=asker.id, subject=TOLD, data=told)


def _forwarded(settings: Settings, row: ForwardRow) -> Forwarded:
    neighbour = _neighbour(settings, row.endpoint)
    return Forwarded(
        row.id, row.case, neighbour.zh if neighbour else row.endpoint, row.endpoint, row.number, row.status,
        row.notes, row.fault, row.sent, row.followed, row.next, tuple(row.updates),
    )  # fmt: skip


def _neighbour(settings: Settings, endpoint: str) -> Neighbour | None:
    return next((one for one in settings.neighbours if one.open311 == endpoint), None)


class Forwards:
    """Notes what is to be sent to others, sends it, and follows it there.

    Parameters
    ----------
    records, desk
        Whose cases, and by whose rules.
    address
        Where the city's own pages are, for links and photographs that were published; without one there
        are none.
    client
        By which endpoints are asked; one of its own if not given.

    """

    def __init__(
        self, records: Records, desk: Desk, address: str | None = None, client: httpx2.Client | None = None
    ) -> None:
        self.records, self.desk, self.address = records, desk, address
        self._client = client
        self.follower = Follower(records, NAME, self.note, types=tuple(WHEN), from_now=True)

    # noting

    def note(self, session: Session, entries: list[Entry]) -> None:
        """Note who is to get the cases of some events, once each."""
        settings = self.desk.regime(session).settings
        if not any(one.open311 for one in settings.neighbours):
            return
        rows = []
        for entry in entries:
            number = (entry.subject or "").removeprefix(SUBJECT)
            body = session.scalar(select(CASES.c.body).where(CASES.c.number == number))
            for one in destinations(settings, decode(body), WHEN[entry.type]) if body is not None else ():
                now = now_utc()
                rows.append(
                    {
                        "case": number, "endpoint": one.open311, "made": now, "next": now, "tries": 0,
                        "status": "", "notes": "", "fault": "", "updates": [],
                    }
                )  # fmt: skip
        if rows:
            dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            session.execute(dialect.insert(FORWARDS).values(rows).on_conflict_do_nothing())

    # sending and following

    def step(self, now: datetime | None = None) -> int:
        """Send and ask what is due; return how many endpoints answered as they should."""
        when = now or now_utc()
        with self.records.read() as session:
            due = select(FORWARDS.c.id).where(FORWARDS.c.next <= when).order_by(FORWARDS.c.next).limit(MOST)
            waiting = list(session.scalars(due))
        return sum(self._advance(id_, when) for id_ in waiting)

    def _advance(self, id_: int, when: datetime) -> bool:
        """Take one case one step further at one endpoint."""
        with self.records.read() as session:
            row = session.get_one(ForwardRow, id_)
            session.expunge(row)
            regime = self.desk.regime(session)
            neighbour = _neighbour(regime.settings, row.endpoint)
            fields = (
                self._fields(session, regime, neighbour, row.case) if neighbour and row.sent is None else None
            )
        if neighbour is None:
            return self._failed(row, when, "not-set-up", final=True)
        if row.sent is None and fields is None:
            return self._failed(row, when, "not-public", final=True)
        try:
            with self._asking() as client:
                there = Endpoint(client, neighbour.open311, neighbour.jurisdiction, neighbour.key)
                if fields is not None:
                    receipt = there.send(fields)
                    self._sent(row, when, receipt.number, receipt.token)
                elif row.number is None:
                    number = there.number_of(row.token or "")
                    if not number:
                        return self._failed(row, when, "no-number-yet")
                    self._sent(row, when, number, row.token or "")
                else:
                    self._follow(there, neighbour, row, when)
        except EndpointError as error:
            return self._failed(row, when, error.why)
        return True

    def _fields(self, session: Session, regime: Regime, one: Neighbour, number: str) -> dict[str, str] | None:
        """Return what is sent of a case: what the public is told of it; None where that is nothing."""
        case = citizens.public_case(session, self.desk, number)
        service = service_of(one, case) if case is not None else None
        if case is None or service is None:
            return None
        place = place_of(case)
        page = f"{self.address}/report/around/{number}" if self.address else ""
        picture = f"{self.address}/api/public/cases/{number}/photos/{case.shown[0]}" if case.shown else ""
        return {
            "service_code": service,
            "description": _says(session, regime, case, page),
            "lat": f"{place[1]:.6f}" if place else "",
            "long": f"{place[0]:.6f}" if place else "",
            "address_id": case.area if place is None else "",
            "media_url": picture if self.address else "",
            "external_id": number,
        }

    def _sent(self, row: ForwardRow, when: datetime, number: str, token: str) -> None:
        values: dict[str, Any] = {
            "number": number or None, "token": token or None, "sent": row.sent or when, "tries": 0,
            "fault": "", "next": when + (FOLLOWED_EVERY if number else timedelta(minutes=1)),
            "asked": row.asked or when,
        }  # fmt: skip
        told = {"case": row.case, "to": row.endpoint, "number": number or token}
        with self.records.write() as session:
            session.execute(update(FORWARDS).where(FORWARDS.c.id == row.id).values(values))
            if number:
                ledger.append(session, "case.forwarded", actor=policy.THE_SYSTEM.id, subject=TOLD, data=told)

    def _follow(self, there: Endpoint, one: Neighbour, row: ForwardRow, when: datetime) -> None:
        """Ask how a case stands, and what happened since it was asked last."""
        number = row.number or ""
        standing = there.standing(number)
        since = (row.asked or row.made) - OVERLAP
        known = {said["id"] for said in row.updates}
        fresh = [
            said
            for said in (there.updates(since, when) if one.updates else ())
            if said.number == number and said.id not in known
        ]
        self._followed(row, when, standing, fresh)

    def _followed(self, row: ForwardRow, when: datetime, standing: Standing, fresh: list[Update]) -> None:
        said = [*row.updates, *({"id": u.id, "status": u.status, "says": u.says, "at": u.at.isoformat()}
                                for u in fresh)][-KEPT:]  # fmt: skip
        changed = row.changed if row.status == standing.status and row.changed else when
        following: datetime | None = when + FOLLOWED_EVERY
        if standing.status == "closed":
            following = when + CLOSED_EVERY if when - changed < CLOSED_FOR else None
        values = {
            "status": standing.status, "notes": standing.notes, "updates": said, "followed": when,
            "asked": when, "changed": changed, "next": following, "tries": 0, "fault": "",
        }  # fmt: skip
        told = {"case": row.case, "to": row.endpoint, "number": row.number or "", "status": standing.status}
        with self.records.write() as session:
            session.execute(update(FORWARDS).where(FORWARDS.c.id == row.id).values(values))
            if standing.status != row.status or fresh:
                ledger.append(
                    session, "case.forward_moved", actor=policy.THE_SYSTEM.id, subject=TOLD,
                    data=told | {"updates": len(fresh)},
                )  # fmt: skip

    def _failed(self, row: ForwardRow, when: datetime, why: str, *, final: bool = False) -> bool:
        """Note that something did not work; what has failed often is given up, and the log says so."""
        tries = row.tries + 1
        over = final or (row.number is None and tries >= MOST_TRIES)
        pause = min(timedelta(minutes=2 ** min(tries, 11)), timedelta(days=1))
        with self.records.write() as session:
            session.execute(
                update(FORWARDS)
                .where(FORWARDS.c.id == row.id)
                .values(tries=tries, fault=why[:40], next=None if over else when + pause)
            )
            if over:
                told = {"case": row.case, "to": row.endpoint, "why": why[:40]}
                ledger.append(
                    session, "case.forward_failed", actor=policy.THE_SYSTEM.id, subject=TOLD, data=told
                )
        return False

    @contextlib.contextmanager
    def _asking(self) -> Iterator[httpx2.Client]:
        if self._client is not None:
            yield self._client
            return
        import httpx2

        with httpx2.Client(headers={"User-Agent": "Jingwei"}) as client:
            yield client

    # running

    def round(self) -> None:
        """Note, send and follow once."""
        self.follower.catch_up()
        self.step()

    @contextlib.contextmanager
    def running(self) -> Iterator[Forwards]:
        """Forward in a thread of its own while the block lasts."""
        with in_rounds("forwarding", self.round, PAUSE):
            yield self


def _says(session: Session, regime: Regime, case: Case, page: str) -> str:
    """Return the words that go along: those that were published, else of what type and by which rule."""
    published = [(case.number, case.published)] if case.published else []
    words = published_words(session, published).get(case.number)
    if words is None:
        type_ = regime.catalogue.get(case.kind, case.type).name
        rule = regime.rules.get(case.rule or "")
        words = "\n".join(one for one in (f"{type_.zh} / {type_.en}", rule.condition if rule else "") if one)
    return f"{words}\n\n{case.number} {page}".strip()[:4000]
