"""What subscribers are told: of entities that are new or changed (18-088, clause 14.2), and of alarms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from jingwei.access import policy
from jingwei.errors import JingweiError
from jingwei.ledger.followers import Follower
from jingwei.sense.asking import Asking
from jingwei.sense.entities import COLLECTIONS, ENTITIES, OBSERVATION, Entity
from jingwei.sense.mqtt.topics import ROOT, observations_topic
from jingwei.sense.odata.options import Query, query_of
from jingwei.sense.odata.paths import resource_of
from jingwei.sense.writing import back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.ledger.service import Entry
    from jingwei.sense.odata.paths import Resource
    from jingwei.sense.service import Sensing

NAME = "sense-mqtt"
TYPES = ("sense.created", "sense.changed")
EVENTS = f"{ROOT}/events"
ALARMS_NAME = "sense-mqtt-alarms"
ALARM_TYPES = (
    "sense.alarm_raised",
    "sense.alarm_called",
    "sense.alarm_escalated",
    "sense.alarm_ended",
    "sense.incident_opened",
    "sense.incident_ended",
)
COLUMNS = {
    "time": "phenomenonTime",
    "time_end": "phenomenonTime",
    "result": "result",
    "result_json": "result",
    "result_time": "resultTime",
    "valid_from": "validTime",
    "valid_to": "validTime",
    "quality": "resultQuality",
    "parameters": "parameters",
}
"""Properties of an observation by the columns of the store."""
MOST_BY_LINKS = 100
"""Topics by links that are told: each is looked up at each change of what it may lead to."""
MOST_SELECTIONS = 1_000
"""Topics with `$select` that are told; of more, those that were asked for first are."""
_SUBJECT = re.compile(r"sense/(\w+)\((\d+)\)")

Message = tuple[str, bytes]


class Selections:
    """The topics that someone subscribed to and that are told only then: with `$select`, and by links.

    Attributes
    ----------
    by_links
        Topics of sets and entities that lead by links to what they tell of: `v1.1/Datastreams(1)/Thing`.

    """

    def __init__(self) -> None:
        self._known: dict[str, dict[str, tuple[str, ...]]] = {}
        self._count = 0
        self.by_links: dict[str, Resource] = {}

    def note(self, topic: str) -> None:
        """Note that a topic was subscribed to; what is no selection of properties is let be."""
        base, mark, options = topic.partition("?")
        if not mark and len(topic) <= 400 and len(self.by_links) < MOST_BY_LINKS:
            self._note_links(topic)
        found = _entity_of(base)
        if not mark or found is None or self._count >= MOST_SELECTIONS or len(topic) > 400:
            return
        try:
            query = query_of(found, unquote(options))
        except JingweiError:
            return
        if query.select and {name for name, _ in query.raw} == {"$select"}:
            of_base = self._known.setdefault(base, {})
            self._count += topic not in of_base
            of_base[topic] = query.select

    def _note_links(self, topic: str) -> None:
        root, _, path = topic.partition("/")
        try:
            found = resource_of(path)
        except JingweiError:
            return
        bare = not (found.inside or found.ref or found.count)
        if root == ROOT and bare and len(found.steps) > 1 and found.last.entity.owned:
            self.by_links[topic] = found

    def __len__(self) -> int:
        return self._count

    def of(self, base: str, text: bytes) -> Iterator[Message]:
        """Yield what the selections of a topic are told of the JSON of an entity."""
        known = self._known.get(base)
        if known:
            told = msgspec.json.decode(text)
            for topic, names in known.items():
                chosen = {
                    name: one for name, one in told.items() if name in names or name.split("@")[0] in names
                }
                yield topic, msgspec.json.encode(chosen)


def _entity_of(topic: str) -> Entity | None:
    """Return the kind of entities of which a topic tells, None where it is none of a set or an entity."""
    root, _, rest = topic.partition("/")
    parts = [part.partition("(")[0] for part in rest.split("/")]
    if root != ROOT or parts[0] not in COLLECTIONS or len(parts) > 2:
        return None
    entity = COLLECTIONS[parts[0]]
    if len(parts) == 1:
        return entity
    link = entity.link.get(parts[1])
    return None if link is None else ENTITIES[link.target]


def following(
    sensing: Sensing,
    asker: Callable[[Session], Asker | None],
    root: str,
    tell: Callable[[list[Message]], None],
    nobody: Callable[[], bool] = lambda: False,
    by_links: Callable[[], Mapping[str, Resource]] = dict,
) -> Follower:
    """Return what follows the log and tells of entities, as far as one asker may read them.

    While `nobody` says that there is nobody to be told, nothing is.
    """

    def handle(session: Session, entries: list[Entry]) -> None:
        if nobody():
            return
        who = asker(session)
        if who is None:
            return
        asking = Asking(sensing.sight(session, who), sensing.readings, root)
        topics = dict(by_links())
        tell([one for entry in entries for one in messages(asking, entry, topics)])

    return Follower(sensing.records, NAME, handle, types=TYPES, from_now=True)


def corrections_told(
    sensing: Sensing,
    asker: Callable[[Session], Asker | None],
    root: str,
    tell: Callable[[list[Message]], None],
    nobody: Callable[[], bool] = lambda: False,
) -> Callable[[int, tuple[str, ...]], None]:
    """Return what tells of an observation that was corrected: for `Readings.when_corrected`."""

    def told(reading: int, columns: tuple[str, ...]) -> None:
        if nobody():
            return
        with sensing.records.read() as session:
            who = asker(session)
            asking = None if who is None else Asking(sensing.sight(session, who), sensing.readings, root)
            row = None if asking is None else asking.get(OBSERVATION, reading)
            if asking is None or row is None:
                return
            shown = asking.shown(OBSERVATION, row, Query())
        text, sets = msgspec.json.encode(shown), f"{ROOT}/{OBSERVATION.collection}"
        here = f"{sets}({reading})"
        stream = row["stream"]
        topics = (sets, here, observations_topic(stream, sensing.readings.facts.of(stream)))
        names = dict.fromkeys(COLUMNS[one] for one in columns if one in COLUMNS)
        tell(
            [(topic, text) for topic in topics]
            + [(f"{here}/{name}", _property(shown, name)) for name in names if name in shown]
        )

    return told


def alarms_following(
    sensing: Sensing,
    asker: Callable[[Session], Asker | None],
    tell: Callable[[list[Message]], None],
    nobody: Callable[[], bool] = lambda: False,
) -> Follower:
    """Return what follows the log and tells of alarms and incidents, if the asker may follow these.

    The topic is `v1.1/events/<type>`, below the root that a broker opens only to those who read every stream.
    """

    def handle(session: Session, entries: list[Entry]) -> None:
        who = None if nobody() else asker(session)
        if who is not None:
            told = [one for one in entries if _may_follow(sensing, who, one)]
            tell([(f"{EVENTS}/{one.type}", _event(one)) for one in told])

    return Follower(sensing.records, ALARMS_NAME, handle, types=ALARM_TYPES, from_now=True)


def _may_follow(sensing: Sensing, asker: Asker, entry: Entry) -> bool:
    about = {"type": entry.type, "part": "sense", "subject": entry.subject or ""}
    return bool(sensing.policies().decide(asker, "event.follow", policy.Resource("Event", "", about)).allowed)


def _event(entry: Entry) -> bytes:
    return msgspec.json.encode(
        {
            "position": entry.position,
            "type": entry.type,
            "time": entry.time.isoformat(),
            "subject": entry.subject,
            "data": entry.data,
        }
    )


def messages(asking: Asking, entry: Entry, by_links: Mapping[str, Resource] | None = None) -> list[Message]:
    """Return the topics and texts by which an event of an entity is told."""
    found = _SUBJECT.fullmatch(entry.subject or "")
    if found is None or found[1] not in COLLECTIONS:
        return []
    entity, identifier = COLLECTIONS[found[1]], int(found[2])
    row = asking.get(entity, identifier)
    if row is None:
        return []
    shown = asking.shown(entity, row, Query())
    text = msgspec.json.encode(shown)
    here = f"{ROOT}/{entity.collection}({identifier})"
    told = [(f"{ROOT}/{entity.collection}", text), (here, text)]
    data = entry.data or {}
    told += [(topic, text) for topic in _sets_of(entity, data.get("links") or {})]
    told += [(f"{here}/{name}", _property(shown, name)) for name in data.get("fields", ()) if name in shown]
    if entity.name == "Thing" and "Locations" in data.get("fields", ()):
        told += _history(asking, here, identifier)
    known = {topic for topic, _ in told}
    for topic, resource in (by_links or {}).items():
        if topic not in known and resource.last.entity is entity and _leads_to(asking, resource, identifier):
            told.append((topic, text))
    return told


def _history(asking: Asking, thing: str, identifier: int) -> list[Message]:
    """Return by what it is told that a thing was put at a place: the last of its HistoricalLocations."""
    entity = ENTITIES["HistoricalLocation"]
    found = asking.answer(resource_of(f"Things({identifier})/{entity.collection}"), "$top=1&$orderby=id desc")
    if not found["value"]:
        return []
    (one,) = found["value"]
    here = f"{ROOT}/{entity.collection}"
    topics = (here, f"{here}({one['@iot.id']})", f"{thing}/{entity.collection}")
    return [(topic, msgspec.json.encode(one)) for topic in topics]


def _leads_to(asking: Asking, resource: Resource, identifier: int) -> bool:
    """Say whether a path leads to an entity now, or to a set that holds it."""
    try:
        if resource.last.one:
            return bool(asking.one(resource.steps)["id"] == identifier)
        found = asking.answer(resource, f"$top=0&$count=true&$filter=id eq {identifier}")
    except JingweiError:
        return False
    return bool(found["@iot.count"])


def _property(shown: dict[str, Any], name: str) -> bytes:
    return msgspec.json.encode({name: shown[name]})


def _sets_of(entity: Entity, links: dict[str, Sequence[int]]) -> Iterator[str]:
    """Yield the topics of the sets of others into which a new entity came."""
    for name, ids in links.items():
        link = entity.link.get(name)
        if link is None or not ENTITIES[link.target].owned:
            continue
        reverse = ENTITIES[link.target].link[back(entity, link)]
        if reverse.many:
            for one in ids:
                yield f"{ROOT}/{ENTITIES[link.target].collection}({one})/{reverse.name}"
