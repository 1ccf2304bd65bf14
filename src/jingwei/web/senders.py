"""Who sends readings: what is known of a token is kept in memory, and ends with what it follows from."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.access import asker_of_person, local_person, tokens
from jingwei.access.errors import NotSignedInError
from jingwei.access.models import PersonRow
from jingwei.access.people import askers_of_people, end_of_duties
from jingwei.access.sessions import SEEN_EVERY
from jingwei.errors import JingweiError
from jingwei.ledger.news import News
from jingwei.records import now_utc
from jingwei.sense.taking import LACKING
from jingwei.sense.wire import NotPlainError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.policy import Policies
    from jingwei.access.policy.store import PolicyKeeper
    from jingwei.sense.taking import Known, Taking
    from jingwei.web.gate import Gate

AGAIN = 1.0
"""Seconds after which it is worked out anew what policies say: they may speak of the hour."""
AT_MOST = 600.0
"""Seconds after which a person's tokens are read anew, whatever happened."""
MOST_KEPT = 200_000
NEVER = datetime.max.replace(tzinfo=UTC)
ENDING = (
    "department.added",
    "department.changed",
    "department.closed",
    "person.disabled",
    "person.enabled",
    "person.role_given",
    "person.role_taken",
    "person.vouched_for",
    "person.token_revoked",
    "policy.adopted",
)
"""Events after which a token may be nobody's, or be good for something else."""


@dataclass(slots=True)
class Sender:
    """Who sends, and what is known of the streams: the tokens of a person that allow the same are one."""

    asker: Asker
    looked: int = 0
    state: tuple[Any, str] = (None, "")
    features: dict[int, Known] = field(default_factory=dict)
    readable: dict[int, tuple[Known, bool]] = field(default_factory=dict)


@dataclass(slots=True)
class _Person:
    """A person whose tokens are known: all were read at one moment."""

    asker: Asker
    read: float
    until: datetime
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
    person, number, until
        Whose it is, by which number it is known, and until when it is good.
    whose
        What was known of the person then.
    looked
        When it was last looked at, in turns.

    """

    sender: Sender
    person: str
    number: str
    until: datetime
    whose: _Person | None = None
    looked: int = 0


@dataclass(frozen=True, slots=True)
class Ahead:
    """What was read of a person before a token of the person was shown.

    Attributes
    ----------
    read
        When, in seconds of `time.monotonic`.
    until
        When a role of the person ends.
    standing
        What each token says, by its digest.

    """

    person: str
    asker: Asker
    read: float
    until: datetime
    standing: dict[bytes, tokens.Standing]


class Senders:
    """Knows senders by what they show.

    With the first token of a person all of that person are read, and they are let go of together: by what the
    log tells of the person, by time, and when a role of the person ends. The log is asked before each answer;
    in a loop of events, before those that one round of it brings together.

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
        self._keeper = policies
        self._taking = taking
        self._news = News(gate.records, ENDING)
        self._people: dict[str, _Person] = {}
        self._by_digest: dict[bytes, Shown] = {}
        self._by_number: dict[str, Shown] = {}
        self._shown: dict[bytes, Shown] = {}
        self._logins: dict[str, tuple[float, str]] = {}
        self._open = Shown(Sender(local_person()), "", "", NEVER)
        self._turn = 0
        self._now = self._looked = float("-inf")
        self._moment = now_utc()
        self._is_fresh = False
        self._changes = -1
        self._in_force: Policies | None = None
        self._lacking: dict[int, str] = {}
        self._used: set[str] = set()
        self._noted = time.monotonic()
        self._ahead: dict[str, Ahead] = {}
        self._ahead_of: dict[bytes | str, str] = {}
        self._handing = threading.Lock()
        self._ends = 0
        self._news.subjects()  # what is read from now on is as new as this

    def of(self, token: bytes) -> Shown:
        """Return who shows a token; who shows none is the one person of an open city.

        Raises
        ------
        NotPlainError
            Where there is no such token, or no longer: the routes say what is wrong.

        """
        if not token and not self._gate.entry.open:
            raise NotPlainError
        if not self._is_fresh:
            self._look()
        found = self._shown.get(token) if token else self._open
        if found is None or found.looked != self._turn or found.until <= self._moment:
            try:
                found = self._found(token)
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
        if not self._is_fresh:
            self._look()
        found = self._by_number.get(number)
        if found is None or found.looked != self._turn or found.until <= self._moment:
            try:
                if found is None or not self._stands(found):
                    self._take_up_ahead(number)
                    found = self._by_number.get(number)
                if found is None or not self._stands(found):
                    found = self._read_number(number)
                self._freshen(found)
            except JingweiError:
                raise NotPlainError from None
        return found

    def of_person(self, login: str) -> Asker:
        """Return a person by the name to sign in with, as one who asks.

        Raises
        ------
        NotPlainError
            Where there is none.

        """
        if not self._is_fresh:
            self._look()
        at, person = self._logins.get(login, (float("-inf"), ""))
        known = self._people.get(person)
        if known is not None and self._now - at <= AT_MOST and self._holds(known):
            return known.asker
        with self._gate.records.read() as session:
            found = session.scalar(select(PersonRow.id).where(PersonRow.login == login))
            if found is None:
                raise NotPlainError
            self._logins[login] = (self._now, found)
            return self._person(session, found).asker

    def turn(self) -> int:
        """Return a number that is another one whenever anything may be other than before."""
        if not self._is_fresh:
            self._look()
        return self._turn

    def feature(self, sender: Sender, stream: int) -> int:
        """Return the feature of interest of what a sender tells of a stream; `LACKING` as `Taking` does.

        Raises
        ------
        NotPlainError
            Where the sender may not write plain readings to it.

        """
        known = sender.features.get(stream)
        if known is None or not known.stands:
            known = self._taking.written(self.policies, sender.asker, sender.state[1], stream)
            if known is None:
                raise NotPlainError
            sender.features[stream] = known
        if known.feature == LACKING:
            self._lacking[stream] = sender.asker.id
        return known.feature

    def lacking(self, streams: Iterable[int]) -> dict[int, str]:
        """Return on whose behalf `Taking.make` is to make the features that streams lack.

        Nothing is let go of: others may wait for the feature of the same stream, at this door or another.
        """
        return {stream: self._lacking[stream] for stream in set(streams) if stream in self._lacking}

    def may_read(self, sender: Sender, stream: int) -> bool:
        """Say whether a sender may read the observations of a stream."""
        known, may = sender.readable.get(stream, (None, False))
        if known is None or not known.stands:
            known, may = self._taking.read(self.policies, sender.asker, sender.state[1], stream)
            if known is not None:
                sender.readable[stream] = known, may
        return may

    def state_of(self, asker: Asker) -> tuple[Policies, str]:
        """Return what is other than before whenever policies may say something else of streams."""
        return self.policies, self.policies.scope(asker)

    @property
    def policies(self) -> Policies:
        """The policies in force in this turn."""
        if self._in_force is None:
            self._in_force = self._keeper.current()
        return self._in_force

    # what is read ahead, by another thread

    @property
    def ends(self) -> int:
        """How often it was seen that something ended: to be asked before a person is read ahead."""
        return self._ends

    def hand(self, told: Ahead, ends: int) -> None:
        """Take what was read of a person for when a token of the person is first shown; from any thread.

        Parameters
        ----------
        told
            What was read, by `read_ahead`.
        ends
            What `ends` was before it was read; where it is another by now this may be out of date, and is
            let go of.

        """
        with self._handing:
            if ends == self._ends:
                if (
                    len(self._ahead_of) > 3 * MOST_KEPT
                ):  # two names a token, and those of tokens that are gone
                    self._ahead, self._ahead_of = {}, {}
                self._ahead[told.person] = told
                for digest, one in told.standing.items():
                    self._ahead_of[digest] = self._ahead_of[one.id] = told.person

    def _end_ahead(self, people: Iterable[str] | None) -> None:
        """Let go of what was read ahead of people, or of all, and of what is just being read."""
        with self._handing:
            self._ends += 1
            if people is None:
                self._ahead, self._ahead_of = {}, {}
            for person in people or ():
                self._ahead.pop(person, None)

    def _take_up_ahead(self, shown: bytes | str) -> None:
        """Take up a person of whom a token, by its digest or number, was read ahead."""
        person = self._ahead_of.get(shown)
        if person is None:
            return
        told = self._ahead.get(person)
        if told is not None and self._now - told.read <= AT_MOST:
            self._take_up(told)

    def _take_up(self, told: Ahead) -> None:
        """Know all tokens of a person by what was read."""
        if len(self._by_digest) >= MOST_KEPT:
            self._forget_all()
        self._forget(told.person)
        known = self._people[told.person] = _Person(told.asker, told.read, told.until)
        for digest, token in told.standing.items():
            until = min(token.expires, told.until)
            one = Shown(known.sender(token.only), told.person, token.id, until, known)
            self._by_digest[digest] = self._by_number[token.id] = one
            known.tokens.append((digest, token.id))

    def _look(self) -> None:
        """Look what ended since the last look, once for all senders."""
        self._now, self._moment = time.monotonic(), now_utc()
        subjects = self._news.subjects()
        if subjects is None:
            self._forget_all()
            self._end_ahead(None)
        elif subjects:
            people = [name for kind, _, name in (one.rpartition("/") for one in subjects) if kind == "person"]
            for person in people:
                self._forget(person)
            self._end_ahead(people)
        changes = self._taking.changes
        if subjects is None or subjects or changes != self._changes or self._now - self._looked > AGAIN:
            self._turn += 1
            self._looked, self._changes, self._in_force = self._now, changes, None
        with contextlib.suppress(RuntimeError):  # without a loop each answer is looked at by itself
            asyncio.get_running_loop().call_soon(self._grow_stale)
            self._is_fresh = True

    def _grow_stale(self) -> None:
        self._is_fresh = False

    def _forget_all(self) -> None:
        self._people, self._by_digest, self._by_number = {}, {}, {}
        self._shown, self._logins = {}, {}

    def _forget(self, person: str) -> None:
        known = self._people.pop(person, None)
        for digest, number in () if known is None else known.tokens:
            self._by_digest.pop(digest, None)
            self._by_number.pop(number, None)
        # Of `_shown` those are let go of when they are next looked at: their person is no longer known.

    def _found(self, token: bytes) -> Shown:
        """Return what a token stands for in this turn."""
        self._gate.check_set_up()
        found = self._open if not token else self._standing(token)
        self._freshen(found)
        return found

    def _freshen(self, found: Shown) -> None:
        """Let go of what is known of streams where policies or streams changed; once in a turn."""
        sender = found.sender
        if sender.looked != self._turn:
            state = self.state_of(sender.asker)
            if state != sender.state:
                sender.state, sender.features, sender.readable = state, {}, {}
            sender.looked = self._turn
        found.looked = self._turn
        self._note(found.number)

    def _standing(self, token: bytes) -> Shown:
        found = self._shown.get(token)
        if found is not None and self._people.get(found.person) is found.whose and self._stands(found):
            return found
        digest = tokens.digest(token.decode("latin-1"))
        found = self._by_digest.get(digest)
        if found is None or not self._stands(found):
            self._take_up_ahead(digest)
            found = self._by_digest.get(digest)
        if found is None or not self._stands(found):
            self._shown.pop(token, None)
            found = self._read(token, digest)
        if len(self._shown) >= MOST_KEPT:
            self._shown.clear()
        self._shown[token] = found
        return found

    def _stands(self, found: Shown) -> bool:
        return self._moment < found.until and self._holds(self._people[found.person])

    def _holds(self, person: _Person) -> bool:
        return self._now - person.read <= AT_MOST and self._moment < person.until

    def _read(self, token: bytes, digest: bytes) -> Shown:
        moment = now_utc()
        with self._gate.records.read() as session:
            shown = tokens.standing_of_token(session, token.decode("latin-1"), moment)
            self._read_person(session, shown.person, moment)
        found = self._by_digest.get(digest)
        if found is None:  # it ended just now
            raise NotPlainError
        return found

    def _read_number(self, number: str) -> Shown:
        moment = now_utc()
        with self._gate.records.read() as session:
            self._read_person(session, tokens.person_of_number(session, number, moment), moment)
        found = self._by_number.get(number)
        if found is None:
            raise NotPlainError
        return found

    def _read_person(self, session: Session, person: str, moment: datetime) -> None:
        """Read all tokens of a person."""
        self._take_up(read_ahead(session, person, moment))

    def _person(self, session: Session, person: str) -> _Person:
        kept = self._people.get(person)
        if kept is None or not self._holds(kept):
            self._forget(person)
            until = end_of_duties(session, person) or NEVER
            kept = self._people[person] = _Person(asker_of_person(session, person), self._now, until)
        return kept

    def _note(self, number: str) -> None:
        """Note, a minute's tokens at once and beside what is asked, that they were used."""
        if number:
            self._used.add(number)
        if self._now - self._noted > SEEN_EVERY.total_seconds() and self._used:
            used, self._used, self._noted = self._used, set(), self._now
            threading.Thread(
                target=tokens.note_used, args=(self._gate.records, used), name="tokens used", daemon=True
            ).start()


def read_ahead(session: Session, person: str, moment: datetime) -> Ahead:
    """Read all that tokens of a person say for themselves.

    Raises
    ------
    NotSignedInError
        Where the person is let in no more.

    """
    found = read_all_ahead(session, [person], moment)
    if not found:
        raise NotSignedInError
    return found[0]


def read_all_ahead(session: Session, people: Collection[str], moment: datetime) -> list[Ahead]:
    """Read all that tokens of some people say for themselves; who is let in no more is left out."""
    read = time.monotonic()
    standing = tokens.standing_of_people(session, people, moment)
    return [
        Ahead(person, asker, read, until or NEVER, standing[person])
        for person, (asker, until) in askers_of_people(session, people).items()
    ]


class Collector:
    """Answers for what comes by a broker: taken in with the rights of one person.

    Parameters
    ----------
    senders
        Know the person.
    login
        Whose rights; None for the one person of an open city.

    """

    def __init__(self, senders: Senders, login: str | None) -> None:
        self._senders = senders
        self._login = login
        self._turn = -1
        self._sender = Sender(local_person())
        self._refused: set[int] = set()

    def asker(self) -> Asker | None:
        """Return with whose rights it is taken in; None where there is no such person."""
        try:
            self._renew()
        except (NotPlainError, JingweiError):
            return None
        return self._sender.asker

    def _renew(self) -> None:
        turn = self._senders.turn()
        if turn != self._turn:
            self._look()
            self._turn = turn

    def feature_of(self, stream: int) -> int | None:
        """Return the feature of interest of a stream's readings, as `Taking` does."""
        try:
            self._renew()
            return None if stream in self._refused else self._senders.feature(self._sender, stream)
        except (NotPlainError, JingweiError):
            self._refused.add(stream)
            return None

    def _look(self) -> None:
        self._refused.clear()
        asker = local_person() if self._login is None else self._senders.of_person(self._login)
        state = self._senders.state_of(asker)
        if (asker, state) != (self._sender.asker, self._sender.state):
            self._sender = Sender(asker, state=state)
