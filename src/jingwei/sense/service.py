"""SensorThings as one service: a method, a path and a body in; a status and JSON out.

Every door (HTTP, a part of a batch, MQTT) is answered here, in the same way and by the same policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from jingwei.sense.arrays import MOST, create_observations
from jingwei.sense.asking import Asking, Bare
from jingwei.sense.entities import COLLECTIONS, OBSERVATION, Entity
from jingwei.sense.errors import BadEntityError, BadPathError, NotOfThisKindError
from jingwei.sense.linking import change_link
from jingwei.sense.odata.options import Query
from jingwei.sense.odata.paths import Resource, resource_of
from jingwei.sense.sight import Sight
from jingwei.sense.writing import Writing, back, finish
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.policy import Policies
    from jingwei.records import Records
    from jingwei.sense.readings import Readings
    from jingwei.sense.rules.grounds import Grounds
    from jingwei.sense.rules.networks import Networks

SPEC = "http://www.opengis.net/spec/iot_sensing/1.1/"
MQTT_CREATE = SPEC + "req/create-observations-via-mqtt/observations-creation"
MQTT_RECEIVE = SPEC + "req/receive-updates-via-mqtt/receive-updates"
CONFORMANCE = tuple(
    SPEC + "req/" + one
    for one in (
        *(f"datamodel/{name}" for name in (
            "thing", "location", "historical-location", "datastream", "sensor", "observed-property",
            "observation", "feature-of-interest", "entity-control-information",
        )),
        "resource-path/resource-path-to-entities",
        *(f"request-data/{name}" for name in (
            "order", "expand", "select", "status-codes", "query-status-codes", "orderby", "top", "skip",
            "count", "filter", "built-in-filter-operations", "built-in-query-functions", "pagination",
        )),
        *(f"create-update-delete/{name}" for name in (
            "create-entity", "link-to-existing-entities", "deep-insert", "deep-insert-status-codes",
            "update-entity", "update-entity-put", "update-entity-jsonpatch", "delete-entity",
            "historical-location-auto-creation", "historical-location-manual-creation",
        )),
        "batch-request/batch-request", "multi-datastream", "data-array/data-array",
    )
)  # fmt: skip
PATCH_TYPE = "application/json-patch+json"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, however it came.

    Attributes
    ----------
    path, options
        Below the root, decoded; and the query string as it came.
    body
        The JSON of the body.
    media_type
        What the body is, for PATCH.

    """

    method: str
    path: str
    options: str = ""
    body: Any = None
    media_type: str = ""


@dataclass(slots=True)
class Answered:
    """An answer: a status, JSON (or a bare value, or nothing), and headers."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """What a change did: to which entity, by id; a new observation gets its id when the change is whole."""

    entity: Entity
    id: int = 0
    status: int = HTTPStatus.OK
    reading: int | None = None
    """The place of a new observation among those of the change."""


class Sensing:
    """SensorThings over a city's record store and its store of readings."""

    def __init__(
        self,
        records: Records,
        policies: Callable[[], Policies],
        readings: Readings,
        networks: Networks | None = None,
        grounds: Grounds | None = None,
    ) -> None:
        self.records = records
        self.policies = policies
        self.readings = readings
        self.networks = networks
        """Networks of the city's lake, over which states go."""
        self.grounds = grounds
        """Rows of its datasets that rules ask."""
        self.mqtt: Mapping[str, Any] | None = None
        """Where readings are taken and told by MQTT, once a broker is up."""

    def sight(self, session: Session, asker: Asker) -> Sight:
        """Return what an asker sees."""
        return Sight(session, self.policies(), asker, self.grounds)

    # asking

    def ask(self, asker: Asker, asked: Asked, root: str) -> Answered:
        """Answer a question.

        Parameters
        ----------
        asker, asked
            Who asks what.
        root
            The address of the service, without a slash at its end.

        """
        if not asked.path.strip("/"):
            return Answered(HTTPStatus.OK, root_of(root, self.mqtt))
        resource = resource_of(asked.path)
        with self.records.read() as session:
            asking = Asking(self.sight(session, asker), self.readings, root)
            told = asking.answer(resource, asked.options, f"{root}/{asked.path.strip('/')}")
        if told is None:
            return Answered(HTTPStatus.NO_CONTENT)
        return Answered(HTTPStatus.OK, told)

    # changing

    def change(self, asker: Asker, asked: Asked, root: str) -> Answered:
        """Make a change whole, and tell what it did."""
        if asked.path.strip("/") == "CreateObservations":
            return create_observations(self, asker, asked.body, root)
        if asked.method == "POST" and isinstance(asked.body, list):
            return self._create_several(asker, asked, root)
        with self.records.write() as session:
            writing = Writing(self.sight(session, asker), self.readings)
            done = self.do(writing, asked)
        ids = finish(writing.after, self.readings)
        return self.told(asker, done, ids, root)

    def _create_several(self, asker: Asker, asked: Asked, root: str) -> Answered:
        """Create the observations of an array, all or none; tell their addresses as a data array is told."""
        if resource_of(asked.path).last.entity is not OBSERVATION:
            raise BadEntityError("", Text("应为 JSON 对象", "is a JSON object."))
        if not 0 < len(asked.body) <= MOST:
            raise BadEntityError("", Text(f"一次 1 至 {MOST} 条", f"holds 1 to {MOST} observations."))
        with self.records.write() as session:
            writing = Writing(self.sight(session, asker), self.readings)
            for one in asked.body:
                self.do(writing, replace(asked, body=one))
        ids = finish(writing.after, self.readings)
        return Answered(HTTPStatus.CREATED, [f"{root}/{OBSERVATION.collection}({one})" for one in ids])

    def do(self, writing: Writing, asked: Asked) -> Done:
        """Make a change within a transaction.

        Raises
        ------
        NotOfThisKindError
            Where the resource does not take the method.

        """
        resource = resource_of(asked.path)
        entity = resource.last.entity
        if resource.ref:
            options = dict(parse_qsl(asked.options))
            entity, identifier = change_link(writing, resource, asked.method, asked.body, options, asked.path)
            return Done(entity, identifier)
        if resource.count or (resource.value and asked.method != "PUT"):
            raise NotOfThisKindError(asked.method, asked.path)
        if asked.method == "POST":
            return self._create(writing, resource, asked)
        if not resource.last.one:
            raise NotOfThisKindError(asked.method, asked.path)
        row = writing.asking.one(resource.steps)
        if resource.inside:
            return self._change_property(writing, entity, row, resource, asked)
        match asked.method:
            case "DELETE":
                writing.delete(entity, row)
                return Done(entity, 0)
            case "PUT":
                writing.change(entity, row, asked.body, whole=True)
            case "PATCH" if asked.media_type.startswith(PATCH_TYPE):
                writing.patch(entity, row, asked.body)
            case "PATCH":
                writing.change(entity, row, asked.body, whole=False)
            case _:
                raise NotOfThisKindError(asked.method, asked.path)
        return Done(entity, row["id"])

    @staticmethod
    def _create(writing: Writing, resource: Resource, asked: Asked) -> Done:
        if resource.last.one or resource.inside:
            raise NotOfThisKindError("POST", asked.path)
        entity, link = resource.last.entity, resource.last.link
        given: dict[str, list[int]] = {}
        if link is not None:
            holder = resource.steps[-2].entity
            parent = writing.asking.one(resource.steps[:-1])
            given = {back(holder, link): [parent["id"]]}
        place = len(writing.after.readings)
        made = writing.create(entity, asked.body, given)
        if entity is OBSERVATION:
            return Done(entity, 0, HTTPStatus.CREATED, reading=place)
        return Done(entity, made, HTTPStatus.CREATED)

    @staticmethod
    def _change_property(
        writing: Writing, entity: Entity, row: dict[str, Any], resource: Resource, asked: Asked
    ) -> Done:
        """Change one property by its address: `PUT Things(1)/name` with `{"name": ...}`.

        `PUT Things(1)/name/$value` has the value alone.
        """
        name = resource.inside[0]
        if len(resource.inside) > 1 or entity.by_name[name].kept:
            raise NotOfThisKindError(asked.method, asked.path)
        if asked.method == "DELETE":
            if entity.by_name[name].required:
                raise BadEntityError(name, Text("不能为空", "cannot be null."))
            writing.change(entity, row, {name: None}, whole=False)
        elif resource.value:
            writing.change(entity, row, {name: asked.body}, whole=False)
        elif asked.method in ("PUT", "PATCH"):
            if not isinstance(asked.body, dict) or name not in asked.body:
                raise BadEntityError(name, Text("缺少这一项", "is required."))
            writing.change(entity, row, {name: asked.body[name]}, whole=False)
        else:
            raise NotOfThisKindError(asked.method, asked.path)
        return Done(entity, row["id"])

    def told(self, asker: Asker, done: Done, ids: list[int], root: str) -> Answered:
        """Tell what a change did: the entity as it is now, and its address where it is new."""
        return self.told_by(
            lambda session: Asking(self.sight(session, asker), self.readings, root), done, ids, root
        )

    def told_by(
        self, asking_in: Callable[[Session], Asking], done: Done, ids: list[int], root: str
    ) -> Answered:
        """Tell what a change did: the entity as it is now, and its address where it is new.

        Parameters
        ----------
        asking_in
            What answers the asker in a session.
        done, ids
            What was done, and the ids of new readings.
        root
            The address of the service, without a slash at its end.

        """
        identifier = done.id if done.reading is None else ids[done.reading]
        if not identifier:
            return Answered(done.status)
        address = f"{root}/{done.entity.collection}({identifier})"
        headers = {"Location": address} if done.status == HTTPStatus.CREATED else {}
        with self.records.read() as session:
            asking = asking_in(session)
            row = asking.get(done.entity, identifier)
            body = None if row is None else asking.shown(done.entity, row, Query())
        return Answered(done.status, body, headers)


def root_of(root: str, mqtt: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what the root of the service tells: its sets, and what it conforms to (18-088, 9.2.1)."""
    settings: dict[str, Any] = {"conformance": list(CONFORMANCE)}
    if mqtt:
        settings["conformance"] += [MQTT_CREATE, MQTT_RECEIVE]
        settings |= {MQTT_CREATE: mqtt, MQTT_RECEIVE: mqtt}
    names = sorted(COLLECTIONS, key=list(COLLECTIONS).index)
    return {
        "value": [{"name": name, "url": f"{root}/{name}"} for name in names],
        "serverSettings": settings,
    }


__all__ = ["Answered", "Asked", "BadPathError", "Bare", "Done", "Sensing", "root_of"]
