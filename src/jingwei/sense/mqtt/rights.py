"""What a broker of the city's own is told: who signs in, and which topics they may use.

mosquitto reads it from two files, again whenever it is told so. A token's number is the name, the token the
password. Whoever signs in publishes below `devices/<number>/`, where the city knows who it is and asks the
policies at each message; the topics of SensorThings are opened to those who may use few streams, or all.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, bindparam, select

from jingwei.access import tokens
from jingwei.access.people import standing_asker
from jingwei.ledger.news import News
from jingwei.ledger.threads import in_thread
from jingwei.records import Prepared, now_utc
from jingwei.sense import policy
from jingwei.sense.models import StreamRow
from jingwei.sense.mqtt.topics import OF_TOKEN, ROOT

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Mapping as Mapping_
    from pathlib import Path

    from jingwei.access import Asker
    from jingwei.access.policy import Policies, Resource
    from jingwei.records import Records
    from jingwei.sense.mqtt.topics import Mapping

    Rest = Callable[[float], object]

log = logging.getLogger(__name__)

CITY = "jingwei"
"""The name by which the city signs in to its broker."""
MOST_OPENED = 200
"""Streams of one token whose topics of SensorThings are opened one by one."""
MOST_LISTED = 5_000
"""Tokens with topics of their own that the broker is told of: each it takes in, it looks for among all before
(mosquitto 2.0: 0.6 s for so many, 10 s for 20,000). The others have those below their name, as all do."""
LOOK = 0.5
"""Seconds between two looks at whether anything changed."""
TYPES = (
    "person.disabled",
    "person.enabled",
    "person.role_given",
    "person.role_taken",
    "person.vouched_for",
    "person.token_issued",
    "person.token_revoked",
    "policy.adopted",
    "department.added",
    "department.changed",
    "department.closed",
    "sense.created",
    "sense.changed",
    "sense.deleted",
)
AT_MOST = 600.0
"""Seconds after which it is worked out anew, whatever happened: roles and tokens end by themselves."""
REST = 4
"""Times as long as a part took none other is worked out where nothing happened: who sends comes first."""
STREAMS_AT_ONCE = 2_000
_TABLE: Any = StreamRow.__table__
_STREAMS = Prepared(
    select(_TABLE.c.id, _TABLE.c.multi, _TABLE.c.owner, _TABLE.c.sharing, _TABLE.c.level)
    .where(_TABLE.c.id > bindparam("after", type_=BigInteger))
    .order_by(_TABLE.c.id)
    .limit(bindparam("most", type_=Integer))
)


@dataclass(frozen=True, slots=True)
class Opened:
    """The topics of SensorThings that are open to those of one scope: all, or those of some streams."""

    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield what the file of topics says of it."""
        yield from (f"topic write {one}" for one in self.writes)
        yield from (f"topic read {one}" for one in self.reads)


@dataclass(slots=True)
class _Streams:
    """The streams of a city, those together of which the policies say the same."""

    alike: dict[tuple[Any, ...], tuple[Resource, dict[int, str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Records, policies: Policies, rest: Rest) -> _Streams:
        single = policies.names_any(policy.KIND)
        found, after = cls(), 0
        while True:
            began = time.monotonic()
            with records.read() as session:
                rows = _STREAMS.rows(session, after=after, most=STREAMS_AT_ONCE)
            for number, multi, *kind in rows:
                found.add(number, ("MultiDatastream" if multi else "Datastream", *kind), single=single)
            if len(rows) < STREAMS_AT_ONCE:
                return found
            after = rows[-1][0]
            rest(time.monotonic() - began)

    def add(self, number: int, kind: tuple[Any, ...], *, single: bool) -> None:
        """Put a stream, by its name, owner, sharing and level, to those that are like it."""
        name, owner, sharing, level = kind
        key = (*kind, number if single else 0)
        if key not in self.alike:
            shown = policy.resource_of(name, number, owner=owner, sharing=sharing, level=level)
            self.alike[key] = (shown, {})
        self.alike[key][1][number] = f"{ROOT}/{name}s({number})/Observations"

    def of_which(self, policies: Policies, asker: Asker, action: str) -> dict[int, str]:
        """Return the topics of the streams with which one who asks may do something, by their numbers."""
        found: dict[int, str] = {}
        for resource, listed in self.alike.values():
            if policies.decide(asker, action, resource).allowed:
                found |= listed
        return found


def opened(policies: Policies, streams: _Streams, asker: Asker, mappings: Iterable[Mapping] = ()) -> Opened:
    """Return which topics of SensorThings, and of mappings, are open to one who asks."""
    if policies.rows(asker, policy.OBSERVE, policy.KIND).everything:
        writes = [f"{ROOT}/+/Observations", f"{ROOT}/Observations", *(one.topic for one in mappings)]
    else:
        may = streams.of_which(policies, asker, policy.OBSERVE)
        writes = few(may) + [one.topic for one in mappings if one.goes_to and one.goes_to <= may.keys()]
    if policies.rows(asker, policy.READ, policy.KIND).everything:
        reads = [f"{ROOT}/#"]
    else:
        reads = few(streams.of_which(policies, asker, policy.READ))
    return Opened(tuple(writes), tuple(reads))


def few(topics: Mapping_[int, str]) -> list[str]:
    """Return topics where they are few enough to be opened one by one, else none."""
    return list(topics.values()) if len(topics) <= MOST_OPENED else []


def files(
    records: Records,
    policies: Policies,
    city: str,
    mappings: Iterable[Mapping] = (),
    rest: Rest = lambda _: None,
) -> tuple[str, str]:
    """Return the file of passwords and that of topics, worked out in parts.

    Parameters
    ----------
    records, policies, mappings
        As in `Rights`.
    city
        The digest of the city's own password.
    rest
        Called after each part with how long that took, in seconds.

    """
    passwords = [f"{CITY}:{city}"]
    rights = [f"pattern write {OF_TOKEN}/%u/#", "", f"user {CITY}", "topic readwrite #", "topic read $SYS/#"]
    streams = _Streams.of(records, policies, rest)
    single = policies.names_any("Person")
    by_scope: dict[str, list[str]] = {}
    scopes: dict[tuple[str, frozenset[str]], str] = {}  # most tokens of a person allow the same
    listed = 0
    for one, asker in _signing_in(records, rest):
        scope = scopes.get((one.person, one.only))
        if scope is None:
            scope = f"{asker.id if single else ''}|{policies.scope(asker)}"
            scopes[one.person, one.only] = scope
        if scope not in by_scope:
            by_scope[scope] = list(opened(policies, streams, asker, mappings).lines())
        passwords.append(f"{one.number}:{one.password}")
        if own := by_scope[scope]:
            listed += 1
            if listed <= MOST_LISTED:
                rights += ["", f"user {one.number}", *own]
    if listed > MOST_LISTED:
        log.warning("%s tokens have no topics of SensorThings at the broker", listed - MOST_LISTED)
    return "\n".join(passwords) + "\n", "\n".join(rights) + "\n"


def _signing_in(records: Records, rest: Rest) -> Iterator[tuple[tokens.BrokerSignIn, Asker]]:
    """Yield the tokens that are good for readings, each with on whose behalf it asks."""
    people: dict[tuple[str, frozenset[str]], Asker] = {}
    after = ""
    while True:
        began = time.monotonic()
        with records.read() as session:
            told = tokens.sign_ins_of_broker(session, now_utc(), after=after)
            good = [one for one in told if not one.only.isdisjoint((policy.OBSERVE, policy.READ))]
            for person, only in {(one.person, one.only) for one in good} - people.keys():
                people[person, only] = replace(standing_asker(session, person), only=only)
        yield from ((one, people[one.person, one.only]) for one in good)
        if len(told) < tokens.TOLD_AT_ONCE:
            return
        after = told[-1].number
        rest(time.monotonic() - began)


class Rights:
    """Keeps the two files as the records have it.

    Parameters
    ----------
    records, policies
        Of the city.
    folder
        Where the files are.
    city
        The digest of the password by which the city itself signs in.
    mappings
        Topics of plain JSON: open to those who may write to all streams to which one leads.

    """

    def __init__(
        self,
        records: Records,
        policies: Callable[[], Policies],
        folder: Path,
        city: str,
        mappings: tuple[Mapping, ...] = (),
    ) -> None:
        self.passwords = folder / "passwords"
        self.topics = folder / "topics"
        self._records = records
        self._policies = policies
        self._city = city
        self._mappings = mappings
        # Features of interest are made in great numbers, and nobody's rights follow from them.
        self._news = News(records, TYPES, but="sense/FeaturesOfInterest(")
        self._told: dict[Path, str] = {}
        self._worked = float("-inf")

    def renew(self, rest: Rest = lambda _: None) -> bool:
        """Write the files anew where anything changed; return whether they did.

        Where nothing happened that is known of, `rest` is called after each part with how long that took.
        """
        now = time.monotonic()
        subjects = self._news.subjects()  # asked each time: what it tells is then no news the next time
        if subjects is not None and not subjects and now < self._worked + AT_MOST:
            return False
        self._worked = float("-inf")  # until it is done
        known = subjects is not None and not subjects and bool(self._told)
        passwords, topics = files(
            self._records, self._policies(), self._city, self._mappings, rest if known else lambda _: None
        )
        self._worked = now
        return self._write({self.passwords: passwords, self.topics: topics})

    def _write(self, texts: Mapping_[Path, str]) -> bool:
        changed = False
        for path, text in texts.items():
            if self._told.get(path) == text:
                continue
            new = path.with_suffix(".new")
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(text)
            new.replace(path)
            self._told[path] = text
            changed = True
        return changed

    @contextlib.contextmanager
    def followed(self, told: Callable[[], None]) -> Iterator[None]:
        """Follow the records in a thread of its own while the block lasts; `told` is called after changes."""

        def run(stop: threading.Event) -> None:
            pause = LOOK
            while not stop.wait(pause):
                began = time.monotonic()
                try:
                    if self.renew(lambda took: stop.wait(REST * took)):
                        told()
                except Exception:  # what a busy or full disk does not allow is tried again
                    log.exception("telling the broker who signs in")
                # A city of many devices does not spend its time with this.
                pause = max(LOOK, 5 * (time.monotonic() - began))

        with in_thread("rights at the broker", run):
            yield
