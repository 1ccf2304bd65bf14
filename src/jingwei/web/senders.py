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
from jingwei.ledger.watch import News
from jingwei.records import now_utc
from jingwei.sense.wire import NotPlainError

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.policy.store import PolicyKeeper
    from jingwei.sense.taking import Taking
    from jingwei.web.gate import Gate

TRUSTED = 1.0
"""Seconds for which it is not asked whether tokens still stand: a revoked one ends within them."""
AT_MOST = 600.0
"""Seconds after which a person's tokens are read anew, whatever happened."""
MOST_KEPT = 200_000
ENDING = (
    "person.disabled",
    "person.enabled",
    "person.role_given",
    "person.role_taken",
    "person.vouched_for",
    "person.token_revoked",
)
"""Events after which the tokens of a person may be nobody's, or be good for something else."""


@dataclass(slots=True)
class Sender:
    """Who sends, and what is known of the streams: the tokens of a person that allow the same are one."""

    asker: Asker
    looked: int = 0
    state: tuple[Any, ...] = ()
    features: dict[int, int] = field(default_factory=dict)
    readable: dict[int, bool] = field(default_factory=dict)


@dataclass(slots=True)
class _Person:
    """A person whose tokens are known: all were read at one moment."""

    asker: Asker
    read: float
    until: datetime | None
    senders: dict[frozenset[str], Sender] = field(default_factory=dict)
    tokens: list[tuple[bytes, str]] = field(default_factory=list)

    def sender(self, only: frozenset[str]) -> Sender:
        found = self.senders.get(only)
        if found is None:
            found = self.senders[only] = Sender(replace(self.asker, only=only))
        return found


@dataclass(slots=True)
class Shown:
    """What a token stands for.

    Attributes
    ----------
    sender
        Who sends by it.
    person, number, expires
        Whose it is, by which number it is known, and until when it is good.
    looked
        When it was last looked at, in turns.

    """

    sender: Sender
    person: str
    number: str
    expires: datetime | None
    looked: int = 0


class Senders:
    """Knows senders by what they show.

    With the first token of a person all of that person are read, and they are let go of together: by what the
    log tells of the person, by time, and when a role of the person ends.

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
        self._news = News(gate.records, ENDING)
        self._people: dict[str, _Person] = {}
        self._by_digest: dict[bytes, Shown] = {}
        self._by_number: dict[str, Shown] = {}
        self._shown: dict[bytes, Shown] = {}
        self._logins: dict[str, tuple[float, str]] = {}
        self._open = Shown(Sender(local_person()), "", "", None)
        self._turn = 0
        self._looked = float("-inf")
        self._moment = now_utc()
        self._used: set[str] = set()
        self._noted = time.monotonic()

    def of(self, token: bytes) -> Shown:
        """Return who shows a token; who shows none is the one person of an open city.

        Raises
        ------
        NotPlainError
            Where there is no such token, or no longer: the routes say what is wrong.

        """
        if not token and not self._gate.entry.open:
            raise NotPlainError
        now = time.monotonic()
        if now - self._looked > TRUSTED:
            self._look(now)
        found = self._shown.get(token) if token else self._open
        if found is None or found.looked != self._turn:
            try:
                found = self._found(token, now)
            except JingweiError:
                raise NotPlainError from None
        return found

    def of_number(self, number: str) -> Shown:
        """Return who sends by the token of a number, for a door that has seen the token itself.

        Raises
        ------
        NotPlainError
            Where there is no such token, or no longer.

        """
        now = time.monotonic()
        if now - self._looked > TRUSTED:
            self._look(now)
        found = self._by_number.get(number)
        if found is None or found.looked != self._turn:
            try:
                if found is None or not self._stands(found, now):
                    found = self._read_number(number, now)
                self._freshen(found, now)
            except JingweiError:
                raise NotPlainError from None
        return found

    def feature(self, sender: Sender, stream: int) -> int:
        """Return the feature of interest of what a sender tells of a stream.

        Raises
        ------
        NotPlainError
            Where the sender may not write plain readings to it.

        """
        feature = sender.features.get(stream)
        if feature is None:
            feature = self._taking.feature_of(sender.asker, stream)
            if feature is None:
                raise NotPlainError
            sender.features[stream] = feature
        return feature

    def _look(self, now: float) -> None:
        """Look what ended since the last look, once for all senders."""
        subjects = self._news.subjects()
        if subjects is None:
            self._forget_all()
        else:
            for subject in subjects:
                self._forget(subject.rpartition("/")[2])
        self._turn += 1
        self._looked = now
        self._moment = now_utc()

    def _forget_all(self) -> None:
        self._people, self._by_digest, self._by_number = {}, {}, {}
        self._shown, self._logins = {}, {}

    def _forget(self, person: str) -> None:
        known = self._people.pop(person, None)
        for digest, number in () if known is None else known.tokens:
            self._by_digest.pop(digest, None)
            self._by_number.pop(number, None)
        # Of `_shown` those are let go of when they are next looked at: their person is no longer known.

    def _found(self, token: bytes, now: float) -> Shown:
        """Return what a token stands for in this turn."""
        self._gate.check_set_up()
        found = self._open if not token else self._standing(token, now)
        self._freshen(found, now)
        return found

    def _freshen(self, found: Shown, now: float) -> None:
        """Let go of what is known of streams where policies or streams changed; once in a turn."""
        sender = found.sender
        if sender.looked != self._turn:
            policies = self._policies.current()
            state = (policies.version, policies.scope(sender.asker), self._taking.state())
            if state != sender.state:
                sender.state, sender.features, sender.readable = state, {}, {}
            sender.looked = self._turn
        found.looked = self._turn
        self._note(found.number, now)

    def _standing(self, token: bytes, now: float) -> Shown:
        digest = tokens.digest(token.decode("latin-1"))
        found = self._by_digest.get(digest)
        if found is None or not self._stands(found, now):
            self._shown.pop(token, None)
            found = self._read(token, digest, now)
        if len(self._shown) >= MOST_KEPT:
            self._shown.clear()
        self._shown[token] = found
        return found

    def _stands(self, found: Shown, now: float) -> bool:
        person = self._people[found.person]
        return self._holds(person, now) and (found.expires is None or self._moment < found.expires)

    def _holds(self, person: _Person, now: float) -> bool:
        return now - person.read <= AT_MOST and (person.until is None or self._moment < person.until)

    def _read(self, token: bytes, digest: bytes, now: float) -> Shown:
        moment = now_utc()
        with self._gate.records.read() as session:
            shown = tokens.standing_of_token(session, token.decode("latin-1"), moment)
            self._read_person(session, shown.person, moment, now)
        found = self._by_digest.get(digest)
        if found is None:  # it ended just now
            raise NotPlainError
        return found

    def _read_number(self, number: str, now: float) -> Shown:
        moment = now_utc()
        with self._gate.records.read() as session:
            self._read_person(session, tokens.person_of_number(session, number, moment), moment, now)
        found = self._by_number.get(number)
        if found is None:
            raise NotPlainError
        return found

    def _read_person(self, session: Session, person: str, moment: datetime, now: float) -> None:
        """Read all tokens of a person."""
        if len(self._by_digest) >= MOST_KEPT:
            self._forget_all()
        self._forget(person)
        known = self._person(session, person, now)
        for digest, told in tokens.standing_of_person(session, person, moment).items():
            one = Shown(known.sender(told.only), person, told.id, told.expires)
            self._by_digest[digest] = self._by_number[told.id] = one
            known.tokens.append((digest, told.id))

    def _person(self, session: Session, person: str, now: float) -> _Person:
        kept = self._people.get(person)
        if kept is None or not self._holds(kept, now):
            self._forget(person)
            until = end_of_duties(session, person)
            kept = self._people[person] = _Person(asker_of_person(session, person), now, until)
        return kept

    def of_person(self, login: str) -> Asker:
        """Return a person by the name to sign in with, as one who asks.

        Raises
        ------
        NotPlainError
            Where there is none.

        """
        now = time.monotonic()
        if now - self._looked > TRUSTED:
            self._look(now)
        at, person = self._logins.get(login, (float("-inf"), ""))
        with self._gate.records.read() as session:
            if now - at > AT_MOST:
                found = session.scalar(select(PersonRow.id).where(PersonRow.login == login))
                if found is None:
                    raise NotPlainError
                person = found
                self._logins[login] = (now, person)
            return self._person(session, person, now).asker

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
        self._changes = -1
        self._asker = local_person()
        self._features: dict[int, int | None] = {}
        self._lacking = False

    def feature_of(self, stream: int) -> int | None:
        """Return the feature of interest of a stream's readings, None where they are not taken in."""
        now = time.monotonic()
        if now - self._looked > TRUSTED or self._changes != self._taking.changes:
            try:
                self._look(now)
            except (NotPlainError, JingweiError):
                return None
        if stream not in self._features:
            if len(self._features) >= MOST_KEPT:
                self._features.clear()
            feature = self._features[stream] = self._taking.feature_of(self._asker, stream)
            self._lacking |= feature is None
        return self._features[stream]

    def _look(self, now: float) -> None:
        if self._login is not None:
            self._asker = self._senders.of_person(self._login)
        policies = self._policies.current()
        state = (self._asker, policies.version, policies.scope(self._asker), self._taking.state())
        if state != self._state or self._lacking:
            self._features, self._lacking = {}, False
        self._state, self._looked, self._changes = state, now, self._taking.changes
