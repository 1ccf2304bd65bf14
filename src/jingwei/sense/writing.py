"""Creates, changes and deletes entities, each change whole and told to the log (18-088, clause 10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jsonpatch
from sqlalchemy import delete, func, insert, select, update

from jingwei import ledger
from jingwei.records import now_utc
from jingwei.sense import features, policy
from jingwei.sense.asking import Asking
from jingwei.sense.checking import observation_values, values_of
from jingwei.sense.entities import ENTITIES, OBSERVATION, STREAMS, Entity, Link
from jingwei.sense.errors import BadEntityError, UnknownEntityError
from jingwei.sense.models import (
    FeatureRow,
    HistoricalLocationRow,
    HistoricalPlace,
    LocationRow,
    StreamFeature,
    StreamProperty,
    StreamRow,
    ThingLocation,
)
from jingwei.sense.odata.options import Query
from jingwei.sense.odata.syntax import EPOCH, MICRO
from jingwei.sense.readings import Reading
from jingwei.sense.readings.batch import encode, plain_number
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.sense.readings import Readings
    from jingwei.sense.sight import Sight

MOST_AT_ONCE = 5_000
"""Entities in one deep insert."""
_PLACE: Any = ThingLocation.__table__
_WAS: Any = HistoricalPlace.__table__
_HISTORY: Any = HistoricalLocationRow.__table__
_STREAMS: Any = StreamRow.__table__
_OBSERVED: Any = StreamProperty.__table__
_FEATURES: Any = FeatureRow.__table__
_SEEN: Any = StreamFeature.__table__


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose an entity is, and who may see it."""

    owner: str
    sharing: str = policy.DEFAULT_SHARING
    level: int = policy.DEFAULT_LEVEL

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Ownership:
        """Return that of an entity."""
        return cls(row["owner"], row["sharing"], row["level"])

    def columns(self) -> dict[str, Any]:
        """Return the columns that hold it."""
        return {"owner": self.owner, "sharing": self.sharing, "level": self.level}


@dataclass
class Aftermath:
    """What is to be done in the store of readings once the change of the record store is committed."""

    readings: list[Reading] = field(default_factory=list)
    corrections: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    removed_streams: list[int] = field(default_factory=list)
    removed_features: list[tuple[int, list[int]]] = field(default_factory=list)
    changed_streams: set[int] = field(default_factory=set)


def back(entity: Entity, link: Link) -> str:
    """Return the name of the link that leads back."""
    return next(one.name for one in ENTITIES[link.target].links if one.target == entity.name)


class Writing:
    """Changes entities on behalf of an asker, within one transaction of the record store."""

    def __init__(self, sight: Sight, readings: Readings) -> None:
        self.sight = sight
        self.session: Session = sight.session
        self.asking = Asking(sight, readings, "")
        self.after = Aftermath()
        self.asker: Asker = sight.asker
        self._count = 0
        self.most = MOST_AT_ONCE
        self._features: dict[int, int] = {}

    # creating

    def create(
        self,
        entity: Entity,
        body: Any,
        given: Mapping[str, list[int]] | None = None,
        ownership: Ownership | None = None,
        inside: str = "",
    ) -> int:
        """Create an entity with all that is inside it; return its id, 0 for an observation.

        Parameters
        ----------
        entity, body
            Of which kind, and what was sent.
        given
            The entities that it is linked with by where it stands, by the name of the link.
        ownership
            Whose it is; else that of what it is a part of.
        inside
            Where in what was sent it stands, for errors.

        Raises
        ------
        BadEntityError, UnknownEntityError, RefusedError

        """
        self._count += 1
        if self._count > self.most:
            raise BadEntityError(
                inside or entity.name, Text("一次新增的实体过多", "too many entities at once.")
            )
        given = dict(given or {})
        if entity is OBSERVATION:
            self._observe(body, given, inside)
            return 0
        values = values_of(entity, body, whole=True, inside=inside)
        ups = {link.up: self._one(link, body, given, ownership, inside) for link in entity.links if link.up}
        ownership = ownership or self._inherited(ups, given) or self._default()
        resource = policy.resource_of(entity.name, **ownership.columns())
        self.sight.policies.check(self.asker, policy.WRITE, resource)
        if entity.multi is not None:
            values["multi"] = entity.multi
            observed = self._observed(entity, body, given, ownership, values, inside)
        statement = insert(entity.table).values(**values, **ups, **ownership.columns())
        identifier = int(self.session.execute(statement.returning(entity.table.c.id)).scalar_one())
        if entity.multi is not None:
            self._set_observed(identifier, observed)
            self.after.changed_streams.add(identifier)  # whoever was told that there is none is told anew
        linked = self._many(entity, identifier, body, given, ownership, inside)
        links = {name: ids for name, ids in linked.items() if ids}
        links |= {link.name: [ups[link.up]] for link in entity.links if link.up}
        self._tell("sense.created", entity, identifier, {"owner": ownership.owner, "links": links})
        return identifier

    def _default(self) -> Ownership:
        """Return the ownership of what stands by itself: that of the asker's department."""
        return Ownership(min(self.asker.departments, default=""))

    def _inherited(self, ups: Mapping[str, int], given: Mapping[str, list[int]]) -> Ownership | None:
        thing = ups.get("thing_id") or next(iter(given.get("Thing") or given.get("Things") or []), None)
        if thing is not None:
            return self._ownership(ENTITIES["Thing"], thing)
        return None

    def _ownership(self, entity: Entity, identifier: int) -> Ownership:
        table = entity.table
        found = (
            self.session.execute(
                select(table.c.owner, table.c.sharing, table.c.level).where(table.c.id == identifier)
            )
            .mappings()
            .one()
        )
        return Ownership.of(dict(found))

    def _one(
        self,
        link: Link,
        body: Mapping[str, Any],
        given: Mapping[str, list[int]],
        ownership: Ownership | None,
        inside: str,
    ) -> int:
        """Return the id of the one entity that a link leads to, creating it where it is inline."""
        if given.get(link.name):
            return given[link.name][0]
        where = f"{inside}{link.name}"
        sent = body.get(link.name)
        if sent is None:
            raise BadEntityError(where, Text("缺少关联实体", "is required."))
        return self._referred(ENTITIES[link.target], sent, {}, ownership, where)

    def _referred(
        self,
        target: Entity,
        sent: Any,
        given: Mapping[str, list[int]],
        ownership: Ownership | None,
        where: str,
    ) -> int:
        """Return the id of an entity that was sent: by `@iot.id`, whatever stands beside it, or inline."""
        if not isinstance(sent, dict):
            raise BadEntityError(where, Text("应为 JSON 对象", "is a JSON object."))
        if "@iot.id" in sent:
            return int(self.existing(target, sent["@iot.id"], where)["id"])
        return self.create(target, sent, given, ownership, f"{where}.")

    def existing(self, entity: Entity, identifier: Any, where: str) -> dict[str, Any]:
        """Return an entity that is referred to.

        Raises
        ------
        BadEntityError
            Where there is none, or the asker may not know of it.

        """
        number = int(identifier) if isinstance(identifier, str) and identifier.isdecimal() else identifier
        found = None
        if isinstance(number, int) and not isinstance(number, bool):
            found = self.asking.get(entity, number)
        if found is None:
            shown = str(identifier)[:40]
            raise BadEntityError(
                where, Text(f"没有 {entity.name}({shown})", f"there is no {entity.name}({shown}).")
            )
        return found

    def _observed(
        self,
        entity: Entity,
        body: Mapping[str, Any],
        given: Mapping[str, list[int]],
        ownership: Ownership,
        values: Mapping[str, Any],
        inside: str,
    ) -> list[int]:
        """Return what a stream observes: one property, or as many as a MultiDatastream has parts."""
        target = ENTITIES["ObservedProperty"]
        name = "ObservedProperties" if entity.multi else "ObservedProperty"
        sent = body.get(name)
        where = f"{inside}{name}"
        if sent is None and given.get(name):
            return self._as_many(given[name], entity, values, where)
        if sent is None:
            raise BadEntityError(where, Text("缺少关联实体", "is required."))
        listed = sent if entity.multi else [sent]
        if not isinstance(listed, list):
            raise BadEntityError(where, Text("应为 JSON 数组", "is a JSON array."))
        ids = [self._referred(target, one, {}, ownership, where) for one in listed]
        return self._as_many(ids, entity, values, where)

    @staticmethod
    def _as_many(ids: list[int], entity: Entity, values: Mapping[str, Any], where: str) -> list[int]:
        if entity.multi and len(ids) != len(values["part_types"]):
            raise BadEntityError(
                where,
                Text("个数应与 multiObservationDataTypes 相同", "are as many as multiObservationDataTypes."),
            )
        return ids

    def _set_observed(self, stream: int, ids: Sequence[int]) -> None:
        self.session.execute(delete(_OBSERVED).where(_OBSERVED.c.stream_id == stream))
        rows = [
            {"stream_id": stream, "rank": rank, "observed_property_id": one} for rank, one in enumerate(ids)
        ]
        self.session.execute(insert(_OBSERVED), rows)

    def _many(
        self,
        entity: Entity,
        identifier: int,
        body: Mapping[str, Any],
        given: Mapping[str, list[int]],
        ownership: Ownership,
        inside: str,
    ) -> dict[str, list[int]]:
        """Link a new entity with the many of its links, creating those that are inline."""
        found: dict[str, list[int]] = {}
        # Places first: readings inside are of the place of their thing.
        for link in sorted(entity.links, key=lambda one: one.target != "Location"):
            if not link.many or link.name == "ObservedProperties":
                continue
            ids = list(given.get(link.name, []))
            made = self._parts(entity, identifier, link, body, ownership, ids, inside)
            if ids:
                self.connect(entity, identifier, link, ids)
            elif link.required:
                raise BadEntityError(f"{inside}{link.name}", Text("缺少关联实体", "is required."))
            found[link.name] = ids + made
        return found

    def _parts(
        self,
        entity: Entity,
        identifier: int,
        link: Link,
        body: Mapping[str, Any],
        ownership: Ownership,
        ids: list[int],
        inside: str,
    ) -> list[int]:
        """Create what is inline in one link and return it; add to `ids` what is yet to be connected."""
        sent = body.get(link.name)
        if sent is None:
            return []
        if not isinstance(sent, list):
            raise BadEntityError(f"{inside}{link.name}", Text("应为 JSON 数组", "is a JSON array."))
        target, made = ENTITIES[link.target], []
        for number, one in enumerate(sent):
            where = f"{inside}{link.name}[{number}]"
            if isinstance(one, dict) and "@iot.id" in one and target.owned:
                ids.append(self.existing(target, one["@iot.id"], where)["id"])
            elif target.name == "Location":
                ids.append(self.create(target, one, {}, ownership, f"{where}."))
            else:
                made.append(self.create(target, one, {back(entity, link): [identifier]}, None, f"{where}."))
        return [one for one in made if one]

    def _take(self, entity: Entity, link: Link, identifier: int, sent: Mapping[str, Any], where: str) -> None:
        """Make an entity that is there a part of this one: a Datastream of another Thing, say."""
        target = ENTITIES[link.target]
        if not target.owned:
            raise BadEntityError(where, Text("观测值不能改属", "an observation stays with its stream."))
        row = self.existing(target, sent["@iot.id"], where)
        self.sight.check(policy.WRITE, target, row)
        if link.down:
            self.session.execute(
                update(target.table).where(target.table.c.id == row["id"]).values({link.down: identifier})
            )
            if target.multi is not None:
                self.after.changed_streams.add(row["id"])
            self._tell("sense.changed", target, row["id"], {"fields": [back(entity, link)]})

    def connect(self, entity: Entity, identifier: int, link: Link, ids: Sequence[int]) -> None:
        """Link an entity with others; a thing that gets places moves there."""
        match entity.name, link.target:
            case "Thing", "Location":
                self.move(identifier, ids)
            case "Location", "Thing":
                for thing in ids:
                    self.move(thing, [identifier])
            case "Thing", "HistoricalLocation":
                self._take_all(entity, link, identifier, ids)
            case "HistoricalLocation", "Location":
                self._set_history(identifier, ids)
            case "Location", "HistoricalLocation":
                for one in ids:
                    self._add(_WAS, historical_location_id=one, location_id=identifier)
            case "ObservedProperty", _:
                for one in ids:
                    self._observe_of(link, one, identifier)
            case _:
                self._take_all(entity, link, identifier, ids)

    def _observe_of(self, link: Link, stream: int, observed: int) -> None:
        """Let a Datastream observe another property; what a MultiDatastream observes has an order."""
        target = ENTITIES[link.target]
        row = self.existing(target, stream, link.name)
        self.sight.check(policy.WRITE, target, row)
        now = select(_OBSERVED.c.observed_property_id).where(_OBSERVED.c.stream_id == stream)
        if observed in self.session.scalars(now).all():
            return
        if target.multi:
            raise BadEntityError(
                link.name,
                Text(
                    "MultiDatastream 自己写明其 ObservedProperties",
                    "a MultiDatastream names its ObservedProperties.",
                ),
            )
        self._set_observed(stream, [observed])
        self.after.changed_streams.add(stream)
        self._tell("sense.changed", target, stream, {"fields": ["ObservedProperty"]})

    def _take_all(self, entity: Entity, link: Link, identifier: int, ids: Sequence[int]) -> None:
        for one in ids:
            self._take(entity, link, identifier, {"@iot.id": one}, link.name)

    def _add(self, table: Any, **values: int) -> None:
        where = [table.c[name] == value for name, value in values.items()]
        if self.session.execute(select(table).where(*where)).first() is None:
            self.session.execute(insert(table).values(**values))

    # places of things

    def move(
        self, thing: int, locations: Sequence[int], *, when: int | None = None, record: bool = True
    ) -> None:
        """Put a thing at places, and keep where it was (18-088, 10.2, historical-location-auto-creation)."""
        row = self.existing(ENTITIES["Thing"], thing, "Things")
        self.sight.check(policy.WRITE, ENTITIES["Thing"], row)
        self.session.execute(delete(_PLACE).where(_PLACE.c.thing_id == thing))
        ids = list(dict.fromkeys(locations))
        if ids:
            self.session.execute(insert(_PLACE), [{"thing_id": thing, "location_id": one} for one in ids])
        if record and ids:
            time = (now_utc() - EPOCH) // MICRO if when is None else when
            values = {"time": time, "thing_id": thing, **Ownership.of(row).columns()}
            made = self.session.execute(
                insert(_HISTORY).values(**values).returning(_HISTORY.c.id)
            ).scalar_one()
            self.session.execute(
                insert(_WAS), [{"historical_location_id": made, "location_id": one} for one in ids]
            )
        streams = self.session.scalars(select(_STREAMS.c.id).where(_STREAMS.c.thing_id == thing))
        self.after.changed_streams.update(streams)
        self._tell("sense.changed", ENTITIES["Thing"], thing, {"fields": ["Locations"]})

    def _set_history(self, identifier: int, ids: Sequence[int]) -> None:
        """Set the places of a HistoricalLocation; the thing is there now if it is the latest."""
        self.session.execute(delete(_WAS).where(_WAS.c.historical_location_id == identifier))
        for one in dict.fromkeys(ids):
            self._add(_WAS, historical_location_id=identifier, location_id=one)
        mine = self.session.execute(
            select(_HISTORY.c.thing_id, _HISTORY.c.time).where(_HISTORY.c.id == identifier)
        ).one()
        latest = self.session.scalar(
            select(func.max(_HISTORY.c.time)).where(
                _HISTORY.c.thing_id == mine.thing_id, _HISTORY.c.id != identifier
            )
        )
        if latest is None or mine.time > latest:
            self.move(mine.thing_id, ids, record=False)

    # observations

    def _observe(self, body: Any, given: Mapping[str, list[int]], inside: str) -> None:
        if not isinstance(body, dict):
            raise BadEntityError(inside or "Observation", Text("应为 JSON 对象", "is a JSON object."))
        self.observe(self._stream_of(body, given, inside), body, given, inside)

    def observe(
        self,
        stream: Mapping[str, Any],
        body: Mapping[str, Any],
        given: Mapping[str, list[int]] | None = None,
        inside: str = "",
    ) -> None:
        """Take in an observation of a stream to which the asker may add readings.

        Raises
        ------
        BadEntityError

        """
        values = observation_values(body, whole=True, inside=inside)
        self.check_result(stream, values["result"], f"{inside}result")
        values["feature"] = self._feature_of(body, given or {}, stream, inside)
        self.after.readings.append(Reading(stream=stream["id"], **values))

    def _stream_of(
        self, body: Mapping[str, Any], given: Mapping[str, list[int]], inside: str
    ) -> dict[str, Any]:
        named = [name for name in STREAMS if given.get(name) or body.get(name) is not None]
        if len(named) != 1:
            raise BadEntityError(
                f"{inside}Datastream",
                Text(
                    "须恰好关联一个 Datastream 或 MultiDatastream",
                    "belongs to exactly one Datastream or MultiDatastream.",
                ),
            )
        (name,) = named
        entity, where = ENTITIES[name], f"{inside}{name}"
        identifier = (
            given[name][0] if given.get(name) else self._referred(entity, body[name], {}, None, where)
        )
        row = self.existing(entity, identifier, where)
        self.check_observe(entity, row)
        return row

    def check_observe(self, entity: Entity, row: Mapping[str, Any]) -> None:
        """Raise unless the asker may add readings to a stream."""
        self.sight.check(policy.OBSERVE, entity, row)

    @staticmethod
    def check_result(stream: Mapping[str, Any], result: Any, where: str) -> None:
        """Raise unless a result has as many parts as a MultiDatastream."""
        if not stream["multi"]:
            return
        parts = len(stream["part_types"] or [])
        if not isinstance(result, list) or len(result) != parts:
            raise BadEntityError(where, Text(f"应为 {parts} 个值的数组", f"is an array of {parts} values."))

    def _feature_of(
        self, body: Mapping[str, Any], given: Mapping[str, list[int]], stream: Mapping[str, Any], inside: str
    ) -> int:
        link = OBSERVATION.link["FeatureOfInterest"]
        where = f"{inside}{link.name}"
        if given.get(link.name):
            found = given[link.name][0]
        elif body.get(link.name) is not None:
            found = self._referred(ENTITIES[link.target], body[link.name], {}, Ownership.of(stream), where)
        else:
            return self._default_feature(stream["id"])
        features.seen(self.session, stream["id"], found)
        return found

    def _default_feature(self, stream: int) -> int:
        if stream not in self._features:
            self._features[stream] = features.default_of(self.session, stream, self.asker.id)
        return self._features[stream]

    # changing

    def change(self, entity: Entity, row: Mapping[str, Any], body: Any, *, whole: bool) -> None:
        """Change an entity: what is named where not `whole` (PATCH), all of it else (PUT).

        Raises
        ------
        BadEntityError, RefusedError

        """
        if not isinstance(body, dict):
            raise BadEntityError(entity.name, Text("应为 JSON 对象", "is a JSON object."))
        if entity is OBSERVATION:
            self._correct(row, body, whole=whole)
            return
        self.sight.check(policy.WRITE, entity, row)
        asked = dict(body)
        if entity.place is not None and not whole and entity.place.name in body:
            asked.setdefault("encodingType", row.get("encoding_type", "application/geo+json"))
        values = values_of(entity, asked, whole=whole)
        links = self._named_links(entity, body)
        changed = [
            one.name
            for one in entity.fields
            if (one.column in values and one.name in body) or (whole and not one.kept)
        ]
        if entity.multi and not whole:
            self._check_parts(row, values, links)
        for link, ids in links:
            changed.append(link.name)
            if link.up:
                values[link.up] = ids[0]
        if values:
            self.session.execute(update(entity.table).where(entity.table.c.id == row["id"]).values(**values))
        for link, ids in links:
            if link.target == "ObservedProperty":
                self._set_observed(row["id"], ids)
            elif not link.up:
                self.connect(entity, row["id"], link, ids)
        if entity.multi is not None:
            self.after.changed_streams.add(row["id"])
        elif entity.name == "Location":
            self.after.changed_streams.update(self._streams_at(row["id"]))
            self._follow(row["id"])
        self._tell("sense.changed", entity, row["id"], {"fields": list(dict.fromkeys(changed))})

    def _follow(self, location: int) -> None:
        """Let the feature that was made of a place ahead of all readings change with it."""
        readings = self.asking.observations.readings
        feature = features.follow(self.session, location, lambda one: readings.extent(one).count > 0)
        if feature is not None:
            self._tell("sense.changed", ENTITIES["FeatureOfInterest"], feature, {"fields": ["feature"]})

    def _named_links(self, entity: Entity, body: Mapping[str, Any]) -> list[tuple[Link, list[int]]]:
        """Return the links that a change names; entities inline cannot be created so (18-088, 10.3)."""
        found = []
        for link in entity.links:
            sent = body.get(link.name)
            if sent is None:
                continue
            listed = sent if link.many else [sent]
            if not isinstance(listed, list):
                raise BadEntityError(link.name, Text("应为 JSON 数组", "is a JSON array."))
            for one in listed:
                if not isinstance(one, dict) or "@iot.id" not in one:
                    raise BadEntityError(
                        link.name,
                        Text("修改时只能引用已有实体", "a change can only refer to entities that exist."),
                        mend=Text('请写 {"@iot.id": 编号}', 'Write {"@iot.id": number}.'),
                    )
            target = ENTITIES[link.target]
            ids = [self.existing(target, one["@iot.id"], link.name)["id"] for one in listed]
            if ids:
                found.append((link, ids))
        return found

    @staticmethod
    def _check_parts(
        row: Mapping[str, Any], values: Mapping[str, Any], links: Sequence[tuple[Link, list[int]]]
    ) -> None:
        parts = len(values.get("part_types", row["part_types"]))
        units = len(values.get("unit", row["unit"]))
        observed = next((len(ids) for link, ids in links if link.target == "ObservedProperty"), parts)
        if not parts == units == observed:
            raise BadEntityError(
                "multiObservationDataTypes",
                Text(
                    "类型、单位与观测属性的个数应相同",
                    "types, units and observed properties are equally many.",
                ),
            )

    def _correct(self, row: Mapping[str, Any], body: Mapping[str, Any], *, whole: bool) -> None:
        stream = self._own_stream(row)
        values = observation_values(body, whole=whole)
        for link, ids in self._named_links(OBSERVATION, body):
            if link.name == "FeatureOfInterest":
                features.seen(self.session, stream["id"], ids[0])
                values["feature"] = ids[0]
            elif ids[0] != stream["id"]:
                raise BadEntityError(
                    link.name, Text("观测值不能改属另一数据流", "an observation stays with its stream.")
                )
        if "result" in values:
            self.check_result(stream, values["result"], "result")
            number = plain_number(values["result"])
            plain = number == number  # noqa: PLR0124 -- only NaN differs from itself
            values["result_json"] = None if plain else encode(values["result"])
            values["result"] = number if plain else None
        for name in ("quality", "parameters"):
            if values.get(name) is not None:
                values[name] = encode(values[name])
        self.after.corrections.append((row["id"], values))

    def _own_stream(self, row: Mapping[str, Any]) -> dict[str, Any]:
        for name in STREAMS:
            stream = self.asking.get(ENTITIES[name], row["stream"])
            if stream is not None:
                self.check_observe(ENTITIES[name], stream)
                return stream
        raise UnknownEntityError("Observation", row["id"])

    def patch(self, entity: Entity, row: dict[str, Any], operations: Any) -> None:
        """Change an entity by a JSON Patch (RFC 6902).

        Raises
        ------
        BadEntityError
            Where it cannot be applied.

        """
        shown = self.asking.shown(entity, row, Query())
        document = {name: value for name, value in shown.items() if "@" not in name}
        kept = {one.name for one in entity.fields if one.kept}
        try:
            patched = jsonpatch.JsonPatch(operations).apply(document)
        except (
            jsonpatch.JsonPatchException,
            jsonpatch.JsonPointerException,
            TypeError,
            ValueError,
            AttributeError,
            KeyError,
            IndexError,
        ) as error:
            raise BadEntityError(
                "JSON Patch", Text("无法应用", f"cannot be applied: {str(error)[:200]}.")
            ) from None
        if not isinstance(patched, dict):
            raise BadEntityError("JSON Patch", Text("结果应为 JSON 对象", "leaves no JSON object."))
        self.change(entity, row, {name: one for name, one in patched.items() if name not in kept}, whole=True)

    # deleting

    def delete(self, entity: Entity, row: Mapping[str, Any]) -> None:
        """Delete an entity and what cannot be without it (18-088, 10.5, table 25).

        Raises
        ------
        RefusedError

        """
        if entity is OBSERVATION:
            self._own_stream(row)
            self.after.removed.append(row["id"])
            return
        self.sight.check(policy.WRITE, entity, row)
        streams = self._streams_of(entity, row["id"])
        for stream in streams:
            kind = ENTITIES[STREAMS[1 if stream["multi"] else 0]]
            self.sight.check(policy.WRITE, kind, stream)
        gone = {"Datastreams": len(streams)} if streams else {}
        if entity.name == "Location":
            self.after.changed_streams.update(self._streams_at(row["id"]))
            was = select(_WAS.c.historical_location_id).where(_WAS.c.location_id == row["id"])
            ids = list(self.session.scalars(was))
            for one in ids:
                self.session.execute(delete(_HISTORY).where(_HISTORY.c.id == one))
            gone |= {"HistoricalLocations": len(ids)} if ids else {}
        if entity.name == "FeatureOfInterest":
            holding = select(_SEEN.c.stream_id).where(_SEEN.c.feature_id == row["id"])
            holders = list(self.session.scalars(holding))
            self.after.changed_streams.update(holders)
            self.after.removed_features.append((row["id"], holders))
        self.after.removed_streams += [stream["id"] for stream in streams]
        if streams and entity.multi is None:
            ids = [stream["id"] for stream in streams]
            for one in ids:
                self.session.execute(delete(_STREAMS).where(_STREAMS.c.id == one))
        self.session.execute(delete(entity.table).where(entity.table.c.id == row["id"]))
        self._tell("sense.deleted", entity, row["id"], {"with": gone})

    def _streams_at(self, location: int) -> list[int]:
        """Return the streams of the things at a place."""
        asked = select(_STREAMS.c.id).join(_PLACE, _PLACE.c.thing_id == _STREAMS.c.thing_id)
        return list(self.session.scalars(asked.where(_PLACE.c.location_id == location)))

    def _streams_of(self, entity: Entity, identifier: int) -> list[dict[str, Any]]:
        """Return the streams that cannot be without an entity."""
        match entity.name:
            case "Datastream" | "MultiDatastream":
                where = _STREAMS.c.id == identifier
            case "Thing":
                where = _STREAMS.c.thing_id == identifier
            case "Sensor":
                where = _STREAMS.c.sensor_id == identifier
            case "ObservedProperty":
                observing = select(_OBSERVED.c.stream_id).where(
                    _OBSERVED.c.observed_property_id == identifier
                )
                where = _STREAMS.c.id.in_(observing)
            case _:
                return []
        return [dict(row) for row in self.session.execute(select(_STREAMS).where(where)).mappings()]

    def _tell(self, type_: str, entity: Entity, identifier: int, data: dict[str, Any]) -> None:
        ledger.append(
            self.session,
            type_,
            actor=self.asker.id,
            subject=f"sense/{entity.collection}({identifier})",
            data=data,
        )


def finish(after: Aftermath, readings: Readings) -> list[int]:
    """Do in the store of readings what a committed change asks for; return the ids of new readings.

    Raises
    ------
    BadEntityError
        Where the store refuses a reading, with the reason.

    """
    from jingwei.sense.readings import Batch

    for stream in after.changed_streams:
        readings.forget_facts(stream)
    for stream in after.removed_streams:
        readings.remove_stream(stream)
        readings.forget_facts(stream)
    for feature, streams in after.removed_features:
        _remove_of_feature(readings, feature, streams)
    for one in after.removed:
        readings.remove(one)
    for one, changes in after.corrections:
        readings.correct(one, changes)
    if not after.readings:
        return []
    receipt = readings.append(Batch.of(after.readings))
    if receipt.refused:
        first = receipt.refused[0]
        raise BadEntityError(f"Observations[{first.index}]", first.reason)
    return [int(one) for one in receipt.ids]


def _remove_of_feature(readings: Readings, feature: int, streams: Iterable[int]) -> None:
    import pyarrow.compute as pc

    listed = list(streams)
    if listed:
        table = readings.read(listed, where=pc.field("feature") == feature)
        for one in table["id"].to_pylist():
            readings.remove(one)


__all__ = ["Aftermath", "LocationRow", "Ownership", "Writing", "back", "finish"]
