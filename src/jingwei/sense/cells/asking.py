"""Answers questions of the extended root: those of 18-088, and of cells and their figures (26-057)."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import shapely

from jingwei.sense.asking import Asking, Bare
from jingwei.sense.cells.cells import Cells, shape_of
from jingwei.sense.cells.figures import CellFigures
from jingwei.sense.cells.functions import of_base
from jingwei.sense.cells.kinds import (
    CELL,
    CELL_KINDS,
    CELL_OBSERVATION,
    CELL_PROPERTY,
    CELL_STREAM,
    KINDS,
    is_of_cells,
    with_cell,
)
from jingwei.sense.cells.listing import Work, listed
from jingwei.sense.entities import ENTITIES
from jingwei.sense.errors import BadPathError, BadQueryError, NotYetError, UnknownEntityError
from jingwei.sense.finding import Page, field_of, taken
from jingwei.sense.odata.options import Query
from jingwei.sense.odata.paths import DEEPEST, Step, property_of, resource_of
from jingwei.sense.odata.sql import among
from jingwei.sense.odata.syntax import Path, paths_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jingwei.sense.asking import Row
    from jingwei.sense.entities import Entity, Field, Link
    from jingwei.sense.odata.paths import Resource
    from jingwei.sense.readings import Readings
    from jingwei.sense.rollups import Aggregates
    from jingwei.sense.sight import Sight

_KEYED = re.compile(r"(?P<name>[A-Za-z]+)\('(?P<key>[^']{1,120})'\)")
_TIMES = (("phenomenonTime",), ("resultTime",), ("@iot.id",), ("id",))
"""By what figures are sorted where they are sorted by time."""


class CellAsking(Asking):
    """Answers questions of one asker, cells among them.

    Parameters
    ----------
    aggregates
        Answers what the asker may be told of cells, once that is asked.

    """

    def __init__(
        self, sight: Sight, readings: Readings, root: str, aggregates: Callable[[], Aggregates]
    ) -> None:
        super().__init__(sight, readings, root)
        self._aggregates = aggregates
        self._work = Work()

    @cached_property
    def cells(self) -> Cells:
        """The cells of which the asker may be told."""
        return Cells(self._aggregates())

    @cached_property
    def figures(self) -> CellFigures:
        """The figures of these cells."""
        return CellFigures(self.cells, self._work)

    # paths

    def answer_path(self, path: str, options: str, address: str) -> Any:
        """Return what a path below the root leads to as JSON holds it; None where there is nothing.

        Raises
        ------
        BadPathError, UnknownEntityError, BadQueryError, NotYetError

        """
        parts = [part for part in path.strip("/").split("/") if part]
        if not 0 < len(parts) <= DEEPEST:
            raise BadPathError(path)
        begin = self._begin(parts, path)
        if begin is None:
            resource = resource_of(path)
            last = resource.last
            steps = (*resource.steps[:-1], replace(last, entity=with_cell(last.entity)))
            return self.answer(replace(resource, steps=steps), options, address)
        entity, row, rest = begin
        if row is None:
            return self._answer_set(entity, None, None, rest, path, (options, address))
        while rest:
            name = rest[0].partition("(")[0]
            link = entity.link.get(name)
            if link is None:
                return self._answer_one(entity, row, rest, path, options)
            if link.many and rest[0] == name:
                return self._answer_set(entity, row, link, rest[1:], path, (options, address))
            if link.many:
                here = self._check_linked(row, link, rest[0], path)
                return self.answer_path("/".join([here, *rest[1:]]), options, address)
            page = self._related(entity, link, [row], Query())[row["id"]]
            if rest[0] != name:
                raise BadPathError(path)
            if not page.rows:
                raise UnknownEntityError(name, "-")
            entity, row, rest = KINDS[link.target], page.rows[0], rest[1:]
        return self._answer_one(entity, row, rest, path, options)

    def _begin(self, parts: list[str], path: str) -> tuple[Entity, Row | None, list[str]] | None:
        """Return where the part of a path begins that 18-088 does not have; None where it has all of it."""
        if parts[0] == CELL.collection:
            return CELL, None, parts[1:]
        keyed = _KEYED.fullmatch(parts[0])
        kinds = {one.collection: one for one in CELL_KINDS.values()}
        if keyed is not None and keyed["name"] in kinds:
            entity, key = kinds[keyed["name"]], keyed["key"]
            if entity is CELL or not re.fullmatch(r"-?\d{1,19}", key):
                found = self._keyed(entity, key)
                if found is None:
                    raise UnknownEntityError(entity.name, key)
                return entity, found, parts[1:]
        if "Cell" not in parts:
            return None
        at = parts.index("Cell")
        resource = resource_of("/".join(parts[:at]) or path)
        entity = with_cell(resource.last.entity)
        if resource.inside:
            return None
        if resource.ref or resource.count or not resource.last.one or "Cell" not in entity.link:
            raise BadPathError(path)
        return entity, self.one(resource.steps), parts[at:]

    def _keyed(self, entity: Entity, key: str) -> Row | None:
        if entity is CELL:
            return self.cells.get(key)
        if entity is CELL_STREAM:
            return self.figures.stream(key)
        return self.figures.observation(key) if entity is CELL_OBSERVATION else self.figures.property(key)

    def _check_linked(self, row: Row, link: Link, part: str, path: str) -> str:
        """Return the path from the root of the entity of a part of a path, to which a link of a row leads.

        Raises
        ------
        BadPathError, UnknownEntityError

        """
        target = KINDS[link.target]
        here = target.collection + part.removeprefix(link.name)
        keyed = _KEYED.fullmatch(here)
        if not is_of_cells(target):
            step = resource_of(here).last
            found = None if step.key is None else self.get(step.entity, step.key)
            cell = None if found is None else self._cell_of(found)
        elif keyed is None:
            raise BadPathError(path)
        else:
            found = self._keyed(target, keyed["key"])
            cell = self.cells.parent(found) if found and target is CELL else (found or {}).get("of")
            if found is not None and target is CELL_OBSERVATION and found["stream"]["id"] != row["id"]:
                found = None
            if target is CELL_PROPERTY:
                cell = row if found in self.figures.properties(row) else None
        held = row.get("of", row)
        if found is None or cell is None or cell["id"] not in (row["id"], held["id"]):
            raise UnknownEntityError(target.name, part.partition("(")[2].strip("()'"))
        return here

    # answers

    def _answer_set(
        self,
        entity: Entity,
        row: Row | None,
        link: Link | None,
        rest: list[str],
        path: str,
        asked: tuple[str, str],
    ) -> Any:
        target = entity if link is None else KINDS[link.target]
        target, (options, address) = with_cell(target), asked
        if rest not in ([], ["$ref"], ["$count"]):
            raise BadPathError(path)
        query = self.query(target, options)
        if rest == ["$count"]:
            query = Query(filter=query.filter, top=0, count=True)
        if link is None or row is None:
            page = self.cells.page(query, self._value_of(CELL), self._work)
        else:
            page = self._related(entity, link, [row], query)[row["id"]]
        if rest == ["$count"]:
            return Bare(str(page.count))
        self.expand(target, page.rows, query)
        return self._set(target, page, query, address, ref=rest == ["$ref"])

    def _answer_one(self, entity: Entity, row: Row, rest: list[str], path: str, options: str) -> Any:
        query = self.query(entity, options)
        if rest == ["$ref"]:
            return {"@iot.selfLink": self.address(entity, row["id"])}
        if rest:
            return self._property(entity, row, property_of((Step(entity),), tuple(rest), path))
        self._check_of_one(query)
        self.expand(entity, [row], query)
        return self.shown(entity, row, query)

    def query(self, entity: Entity, options: str) -> Query:
        """Return the query of a query string, see `Asking.query`.

        Raises
        ------
        BadQueryError, NotYetError

        """
        query = super().query(entity, options)
        if query.format == "dataArray" and entity is CELL_OBSERVATION:
            raise BadQueryError(
                "$resultFormat", Text("网格统计不能以 dataArray 给出", "is not for figures of cells.")
            )
        _check_ways(entity, query)
        return query

    # what is linked

    def _related(self, entity: Entity, link: Link, rows: Sequence[Row], query: Query) -> dict[Any, Page]:
        if is_of_cells(entity) or link.target in CELL_KINDS:
            return {row["id"]: self._linked_with(link, row, query) for row in rows}
        return super()._related(entity, link, rows, query)

    def _linked_with(self, link: Link, row: Row, query: Query) -> Page:
        """Return a page of what one entity is linked with, where one of the two is of the extension."""
        if link.name == "Cell":
            cell = row["of"] if "of" in row else self._cell_of(row)
            return Page([] if cell is None else [dict(cell)])
        if link.name == "Parent":
            parent = self.cells.parent(row)
            return Page([] if parent is None else [parent])
        if link.name == "MultiDatastream":
            return Page([dict(row["stream"])])
        target = KINDS[link.target]
        if target is ENTITIES["Datastream"]:
            table = self.finder.alias(target)
            within = among(table.c.id, self.cells.streams(row), self.sight.dialect)
            return self.finder.page(target, query, within, table)
        if target is ENTITIES["Observation"]:
            return self.observations.page(query, set(self.cells.streams(row)))
        if target is CELL_OBSERVATION:
            return self._page_of_figures(row, query)
        if target is CELL:
            children = self.cells.children(row)
            self._work.count(len(children))
            return listed(children, query, self._value_of(CELL))
        found = self.figures.streams(row) if target is CELL_STREAM else self.figures.properties(row)
        return listed(found, query, self._value_of(target))

    def _cell_of(self, row: Row) -> Row | None:
        """Return the cell of a Datastream, or of an Observation: that of its stream."""
        stream: int = row["stream"] if "stream" in row else row["id"]
        return self.cells.of_stream(stream)

    def _page_of_figures(self, stream: Row, query: Query) -> Page:
        newest_first = False
        if len(query.order) == 1 and query.order[0].path.parts in _TIMES:
            newest_first, query = query.order[0].descending, replace(query, order=())
        rows = self.figures.observations(stream, query.filter, newest_first=newest_first)
        return listed(rows, query, self._value_of(CELL_OBSERVATION))

    # writing

    def address(self, entity: Entity, identifier: Any) -> str:
        """Return the address of an entity; ids that are texts stand in quotes."""
        written = f"'{identifier}'" if isinstance(identifier, str) else identifier
        return f"{self.root}/{entity.collection}({written})"

    def shown(self, entity: Entity, row: Row, query: Query) -> dict[str, Any]:
        """Return an entity as it is told, with what is expanded."""
        return super().shown(with_cell(entity), self._with_functions(entity, row), query)

    def _property(self, entity: Entity, row: Row, resource: Resource) -> Any:
        return super()._property(entity, self._with_functions(entity, row), resource)

    def _with_functions(self, entity: Entity, row: Row) -> Row:
        """Return an observed property with what is made of it."""
        if entity is not ENTITIES["ObservedProperty"]:
            return row
        if all(one.observed != row["id"] for one in self.cells.aggregates.quantities):
            return row
        own = row["properties"] if isinstance(row["properties"], dict) else {}
        return row | {"properties": own | of_base(row["id"])}

    def _is_offered(self, entity: Entity, link: Link, row: Row) -> bool:
        return is_of_cells(entity) or super()._is_offered(entity, link, row)

    def _value(self, field: Field, row: Row) -> Any:
        if field.column == "boundary":
            return shapely.geometry.mapping(shape_of(row))
        return super()._value(field, row)

    def _value_of(self, entity: Entity) -> Callable[[Row, Path], Any]:
        """Return what tells a filter of the rows of an entity what a path leads to."""

        def value(row: Row, path: Path) -> Any:
            field, inside = field_of(entity, path.parts[0]), path.parts[1:]
            if field.column == "boundary":
                return taken(self._value(field, row), inside) if inside else shape_of(row)
            return taken(row[field.column], inside)

        return value


def _check_ways(entity: Entity, query: Query) -> None:
    """Raise where a filter or an order goes to or from entities that have no rows of their own.

    Raises
    ------
    NotYetError

    """
    asked = [] if query.filter is None else list(paths_of(query.filter))
    for path in (*asked, *(one.path for one in query.order)):
        at = entity
        for name in path.parts:
            link = at.link.get(name)
            if link is None:
                break
            if is_of_cells(at) or link.target in CELL_KINDS:
                raise NotYetError(
                    Text(
                        "过滤和排序不能经过 Cell 的链接",
                        "filters and orders do not go along links of cells.",
                    )
                )
            at = KINDS[link.target]
    for name, inner in query.expand.items():
        _check_ways(KINDS[entity.link[name].target], inner)
