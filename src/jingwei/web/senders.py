"""Who sends readings: what is known of a token is kept in memory, and ends with what it follows from."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.access import asker_of_person, local_person, tokens
from jingwei.access.models import PersonRow
from jingwei.access.people import end_of_duties
from jingwei.access.sessions import SEEN_EVERY
from jingwei.errors import JingweiError
from jingwei.ledger.watch import Watch
from jingwei.records import now_utc
from jingwei.sense.wire import NotPlainError

if TYPE_CHECKING:
    from datetime import datetime

    from jingwei.access import Asker
    from jingwei.access.policy.store import PolicyKeeper
    from jingwei.sense.taking import Taking
    from jingwei.web.gate import Gate

TRUSTED = 1.0
"""Seconds for which it is not asked whether a token still stands: a revoked one ends within them and the
second of the watch."""
AT_MOST = 600.0
"""Seconds after which it is read anew, whatever happened."""
MOST_KEPT = 200_000
ENDING = (
    "person.disabled",
    "person.enabled",
    "person.role_given",
    "person.role_taken",
    "person.vouched_for",
    "person.token_revoked",
)
"""Events after which a token may be another's, or nobody's, or be good for something else."""


@dataclass(slots=True)
class Sender:
    """Who a token is and what it may, since when."""

    at: float
    read: float
    until: datetime | None
    number: str
    asker: Asker
    state: tuple[Any, ...] = ()
    features: dict[int, int] = field(default_factory=dict)
    readable: dict[int, bool] = field(default_factory=dict)


class Senders:
    """Knows senders by what they show.

    Parameters
    ----------
    gate
        Says who comes in how, and where the records are.
    policies
        The policies in force.
    taking
        Answers about streams.

    """

    def __init__(self, gate: Gate, policies: PolicyKeeper, taking: Taking) -> None:
        self._gate = gate
        self._policies = policies
        self._taking = taking
        self._watch = Watch(gate.records, ENDING)
        self._known: dict[bytes, Sender] = {}
        self._people: dict[str, tuple[float, Asker, datetime | None]] = {}
        self._used: set[str] = set()
        self._noted = time.monotonic()

    def of(self, token: bytes) -> Sender:
        """Return who shows a token; who shows none is the one person of an open city.

        Raises
        ------
        NotPlainError
            Where there is no such token, or no longer: the routes say what is wrong.

        """
        now = time.monotonic()
        known = self._known.get(token)
        if known is not None and now - known.at <= TRUSTED:
            return known
        try:
            self._gate.check_set_up()
            if known is None or not self._stands(known, now):
                known = self._read(token, now)
        except JingweiError:
            self._known.pop(token, None)
            raise NotPlainError from None
        policies = self._policies.current()
        state = (policies.version, policies.scope(known.asker), self._taking.changes)
        if state != known.state:
            known.state, known.features, known.readable = state, {}, {}
        known.at = now
        self._note(known.number, now)
        return known

    def _stands(self, known: Sender, now: float) -> bool:
        """Say whether nothing happened since a sender was read."""
        return self._holds(known.read, known.until, now)

    def _holds(self, read: float, until: datetime | None, now: float) -> bool:
        if read <= self._watch.moved() or now - read > AT_MOST:
            return False
        return until is None or now_utc() < until

    def _read(self, token: bytes, now: float) -> Sender:
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        if not token:
            found = Sender(now, now, None, "", local_person())
        else:
            moment = now_utc()
            with self._gate.records.read() as session:
                shown = tokens.standing_of_token(session, token.decode("latin-1"), moment)
                person, end = self._person(session, shown.person, now)
            until = shown.expires if end is None else min(end, shown.expires)
            found = Sender(now, now, until, shown.id, replace(person, only=shown.only))
            if shown.used is None or shown.used + SEEN_EVERY < moment:
                self._used.add(shown.id)
        self._known[token] = found
        return found

    def _person(self, session: Any, person: str, now: float) -> tuple[Asker, datetime | None]:
        kept = self._people.get(person)
        if kept is None or not self._holds(kept[0], kept[2], now):
            if len(self._people) >= MOST_KEPT:
                self._people.clear()
            kept = (now, asker_of_person(session, person), end_of_duties(session, person))
            self._people[person] = kept
        return kept[1], kept[2]

    def of_person(self, login: str) -> Asker:
        """Return a person by the name to sign in with, as one who asks.

        Raises
        ------
        NotPlainError
            Where there is none.

        """
        now = time.monotonic()
        kept = self._people.get(f"@{login}")
        if kept is None or not self._holds(kept[0], kept[2], now):
            with self._gate.records.read() as session:
                person = session.scalar(select(PersonRow.id).where(PersonRow.login == login))
                if person is None:
                    raise NotPlainError
                kept = self._people[f"@{login}"] = (now, *self._person(session, person, now))
        return kept[1]

    def _note(self, number: str, now: float) -> None:
        """Note, a minute's tokens at once and beside what is asked, that they were used."""
        if number:
            self._used.add(number)
        if now - self._noted > SEEN_EVERY.total_seconds() and self._used:
            used, self._used, self._noted = self._used, set(), now
            threading.Thread(
                target=tokens.note_used, args=(self._gate.records, used), name="tokens used", daemon=True
            ).start()


class Collector:
    """Answers for what comes by a broker: taken in with the rights of one person.

    Parameters
    ----------
    senders
        Know the person.
    policies
        The policies in force.
    taking
        Answers about streams.
    login
        Whose rights; None for the one person of an open city.

    """

    def __init__(self, senders: Senders, policies: PolicyKeeper, taking: Taking, login: str | None) -> None:
        self._senders = senders
        self._policies = policies
        self._taking = taking
        self._login = login
        self._looked = float("-inf")
        self._state: tuple[Any, ...] = ()
        self._asker = local_person()
        self._features: dict[int, int | None] = {}

    def feature_of(self, stream: int) -> int | None:
        """Return the feature of interest of a stream's readings, None where they are not taken in."""
        now = time.monotonic()
        if now - self._looked > TRUSTED or self._state[-1] != self._taking.changes:
            try:
                self._look(now)
            except (NotPlainError, JingweiError):
                return None
        if stream not in self._features:
            if len(self._features) >= MOST_KEPT:
                self._features.clear()
            self._features[stream] = self._taking.feature_of(self._asker, stream)
        return self._features[stream]

    def _look(self, now: float) -> None:
        if self._login is not None:
            self._asker = self._senders.of_person(self._login)
        policies = self._policies.current()
        state = (self._asker, policies.version, policies.scope(self._asker), self._taking.changes)
        if state != self._state or None in self._features.values():
            self._features = {}
        self._state, self._looked = state, now
