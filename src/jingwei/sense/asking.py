"""Answers what is asked of entities and observations, as SensorThings writes it (18-088, 8.1 and 9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jingwei.sense.cells.kinds import KINDS
from jingwei.sense.entities import ENTITIES, STREAMS, Entity, Link
from jingwei.sense.entities import Field as EntityField
from jingwei.sense.errors import BadPathError, BadQueryError, UnknownEntityError
from jingwei.sense.finding import Page, taken
from jingwei.sense.observations import Observations
from jingwei.sense.odata.options import Query, next_page, query_of
from jingwei.sense.odata.syntax import Instant, Period, text_of_instant, text_of_period
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.sense.odata.paths import Resource, Step
    from jingwei.sense.readings import Readings
    from jingwei.sense.sight import Sight

Row = dict[str, Any]
EXPANDED = "#expanded"
ARRAY = ("id", "phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters")
"""The components of a data array, in the order in which they are told (18-088, 11.3)."""


@dataclass(frozen=True, slots=True)
class Bare:
    """The bare value of a property, as `$value` asks for it."""

    value: Any


class Asking:
    """Answers questions of one asker.

    Parameters
    ----------
    sight
        What the asker sees.
    readings
        The store of readings.
    root
        The address of the service, without a slash at its end; all links begin with it.

    """

    def __init__(self, sight: Sight, readings: Readings, root: str) -> None:
        self.sight = sight
        self.observations = Observations(sight, readings)
        self.finder = self.observations.finder
        self.root = root

    def answer(self, resource: Resource, options: str = "", address: str = "") -> Any:
        """Return what a path leads to as JSON holds it; None where a property has no value.

        Parameters
        ----------
        resource
            The path.
        options
            The query string as it came.
        address
            The address that was asked, for links to further pages.

        Raises
        ------
        BadPathError, UnknownEntityError, BadQueryError

        """
        entity = resource.last.entity
        query = self.query(entity, options)
        if resource.count:
            asked = Query(filter=query.filter, top=0, count=True)
            return Bare(str(self.set_of(resource.steps, asked).count))
        if not resource.last.one:
            page = self.set_of(resource.steps, query)
            return self._set(entity, page, query, address, ref=resource.ref)
        row = self.one(resource.steps)
        if resource.ref:
            return {"@iot.selfLink": self.address(entity, row["id"])}
        if resource.inside:
            return self._property(entity, row, resource)
        self._check_of_one(query)
        self.expand(entity, [row], query)
        return self.shown(entity, row, query)

    def query(self, entity: Entity, options: str) -> Query:
        """Return the query of a query string.

        Raises
        ------
        BadQueryError

        """
        return query_of(entity, options)

    @staticmethod
    def _check_of_one(query: Query) -> None:
        for name, _ in query.raw:
            if name not in ("$select", "$expand"):
                raise BadQueryError(name, Text("只用于集合", "is for sets, not for one entity."), mend=None)

    # finding what a path leads to

    def one(self, steps: Sequence[Step]) -> Row:
        """Return the entity that a path leads to.

        Raises
        ------
        UnknownEntityError, BadPathError

        """
        row: Row | None = None
        before: Entity | None = None
        for step in steps:
            if step.link is None or before is None or row is None:
                row = None if step.key is None else self.get(step.entity, step.key)
            else:
                row = self._linked(before, step, row)
            if row is None:
                raise UnknownEntityError(step.entity.name, step.key if step.key is not None else "-")
            before = step.entity
        if row is None:
            raise BadPathError("")
        return row

    def get(self, entity: Entity, identifier: int) -> Row | None:
        """Return one entity by its id, None where there is none or the asker may not know of it."""
        if entity.owned:
            return self.finder.get(entity, identifier)
        return self.observations.get(identifier)

    def _linked(self, before: Entity, step: Step, row: Row) -> Row | None:
        link = step.link
        assert link is not None  # noqa: S101 -- for mypy: the first step alone has none
        if step.key is None:
            page = self._related(before, link, [row], Query(top=1))[row["id"]]
            return page.rows[0] if page.rows else None
        found = self.get(step.entity, step.key)
        if found is None:
            return None
        if not step.entity.owned:
            name = "feature" if before.name == "FeatureOfInterest" else "stream"
            return found if found[name] == row["id"] else None
        table = self.finder.alias(step.entity)
        within = self.finder.linked_to(before, link, row["id"], table) & (table.c.id == step.key)
        page = self.finder.page(step.entity, Query(top=1), within, table)
        return page.rows[0] if page.rows else None

    def set_of(self, steps: Sequence[Step], query: Query) -> Page:
        """Return a page of the set that a path leads to, with what is expanded."""
        entity, link = steps[-1].entity, steps[-1].link
        if link is None:
            page = self.finder.page(entity, query) if entity.owned else self.observations.page(query, None)
        else:
            parent = self.one(steps[:-1])
            page = self._related(steps[-2].entity, link, [parent], query)[parent["id"]]
        self.expand(entity, page.rows, query)
        return page

    # expanding

    def expand(self, entity: Entity, rows: Sequence[Row], query: Query) -> None:
        """Put beside rows those that they are linked with, all of one link at once."""
        if not rows:
            return
        for name, inner in query.expand.items():
            link = entity.link[name]
            pages = self._related(entity, link, rows, inner)
            for row in rows:
                row.setdefault(EXPANDED, {})[name] = pages.get(row["id"], Page([]))
            children = [child for page in pages.values() for child in page.rows]
            self.expand(KINDS[link.target], children, inner)

    def _related(self, entity: Entity, link: Link, rows: Sequence[Row], query: Query) -> dict[Any, Page]:
        ids = list(dict.fromkeys(row["id"] for row in rows))
        if not entity.owned:
            return self._of_observations(link, rows)
        if not ENTITIES[link.target].owned:
            return self.observations.related(entity, ids, query)
        return self.finder.related(entity, link, ids, query)

    def _of_observations(self, link: Link, rows: Sequence[Row]) -> dict[int, Page]:
        """Return the stream, or the feature of interest, of each observation."""
        target = ENTITIES[link.target]
        column = "feature" if target.name == "FeatureOfInterest" else "stream"
        wanted = {row[column] for row in rows if row[column]}
        table = self.finder.alias(target)
        ids = sorted(wanted)
        found: dict[int, Row] = {}
        for start in range(0, len(ids), 500):
            within = table.c.id.in_(ids[start : start + 500])
            page = self.finder.page(target, Query(top=500), within, table)
            found |= {row["id"]: row for row in page.rows}
        return {row["id"]: Page([dict(found[row[column]])] if row[column] in found else []) for row in rows}

    # writing

    def address(self, entity: Entity, identifier: Any) -> str:
        """Return the address of an entity."""
        return f"{self.root}/{entity.collection}({identifier})"

    def _set(self, entity: Entity, page: Page, query: Query, address: str, *, ref: bool) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if page.count is not None:
            told["@iot.count"] = page.count
        if page.more and query.size:
            told["@iot.nextLink"] = f"{address}?{next_page(query)}"
        if ref:
            told["value"] = [{"@iot.selfLink": self.address(entity, row["id"])} for row in page.rows]
        elif query.format == "dataArray":
            if query.expand:
                raise BadQueryError(
                    "$resultFormat", Text("dataArray 不能与 $expand 同用", "goes without $expand.")
                )
            told["value"] = self._arrays(page.rows, query)
        else:
            told["value"] = [self.shown(entity, row, query) for row in page.rows]
        return told

    def shown(self, entity: Entity, row: Row, query: Query) -> dict[str, Any]:
        """Return an entity as it is told, with what is expanded."""
        chosen = query.select
        here = self.address(entity, row["id"])
        told: dict[str, Any] = {}
        if not chosen or "@iot.id" in chosen:
            told["@iot.id"] = row["id"]
        if not chosen or "@iot.selfLink" in chosen:
            told["@iot.selfLink"] = here
        for field in entity.fields[1:]:
            if chosen and field.name not in chosen:
                continue
            value = self._value(field, row)
            if value is not None or field.required or (field.name == "resultTime" and not entity.owned):
                told[field.name] = value
        expanded = row.get(EXPANDED, {})
        for link in entity.links:
            if link.name in expanded:
                self._inline(told, link, expanded[link.name], query.expand[link.name], here)
            elif (not chosen or link.name in chosen) and self._is_offered(entity, link, row):
                told[f"{link.name}@iot.navigationLink"] = f"{here}/{link.name}"
        return told

    def _is_offered(self, entity: Entity, link: Link, row: Row) -> bool:
        """Say whether a link leads anywhere: an observation is of one kind of stream only."""
        if entity.owned or link.name not in STREAMS:
            return True
        table = ENTITIES["MultiDatastream"].table
        kinds = self.sight.session.info.setdefault("sense kinds", {})
        if row["stream"] not in kinds:
            from sqlalchemy import select

            kinds[row["stream"]] = self.sight.session.scalar(
                select(table.c.multi).where(table.c.id == row["stream"])
            )
        return bool(kinds[row["stream"]]) == (link.name == "MultiDatastream")

    def _inline(self, told: dict[str, Any], link: Link, page: Page, query: Query, here: str) -> None:
        target = KINDS[link.target]
        if not link.many:
            if page.rows:
                told[link.name] = self.shown(target, page.rows[0], query)
            return
        if page.count is not None:
            told[f"{link.name}@iot.count"] = page.count
        told[link.name] = [self.shown(target, row, query) for row in page.rows]
        if page.more and query.size:
            told[f"{link.name}@iot.nextLink"] = f"{here}/{link.name}?{next_page(query)}"

    def _value(self, field: EntityField, row: Row) -> Any:
        if field.kind == "geometry":
            return None if row[field.column] is None else self.sight.document(row, field.column)
        if field.kind == "extent":
            found = self.observations.extent(row["id"])[field.name]
            return None if found is None else text_of_period(*found)
        value = row[field.column]
        if field.kind in ("time", "period"):
            return _time(value)
        return value

    def _property(self, entity: Entity, row: Row, resource: Resource) -> Any:
        field = entity.by_name[resource.inside[0]]
        value = taken(self._value(field, row), resource.inside[1:])
        if value is None:
            return None
        return Bare(value) if resource.value else {resource.name: value}

    def _arrays(self, rows: Iterable[Row], query: Query) -> list[dict[str, Any]]:
        """Return observations as data arrays, one of each stream."""
        chosen = [{"@iot.id": "id"}.get(name, name) for name in query.select]
        names = [name for name in ARRAY if not chosen or name in chosen]
        fields = [ENTITIES["Observation"].by_name["@iot.id" if name == "id" else name] for name in names]
        by_stream: dict[int, list[Row]] = {}
        for row in rows:
            by_stream.setdefault(row["stream"], []).append(row)
        told = []
        for stream, listed in by_stream.items():
            kind = next(one for one in STREAMS if self._is_offered_to(one, stream))
            entity = ENTITIES[kind]
            told.append(
                {
                    f"{kind}@iot.navigationLink": self.address(entity, stream),
                    "components": names,
                    "dataArray@iot.count": len(listed),
                    "dataArray": [[self._value(field, row) for field in fields] for row in listed],
                }
            )
        return told

    def _is_offered_to(self, kind: str, stream: int) -> bool:
        observation = ENTITIES["Observation"]
        return self._is_offered(observation, observation.link[kind], {"stream": stream})


def _time(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Instant):
        return text_of_instant(value.micros)
    if isinstance(value, Period):
        return text_of_period(value.start, value.end)
    return text_of_instant(int(value))
