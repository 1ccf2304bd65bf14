"""Finds entities in the record store: filtered, sorted, in pages, with those that they are linked with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Text, and_, cast, func, nulls_first, nulls_last, select, true

from jingwei.sense.entities import ENTITIES, Entity, Link
from jingwei.sense.entities import Field as EntityField
from jingwei.sense.errors import NotYetError
from jingwei.sense.odata.evaluate import Get, holds
from jingwei.sense.odata.functions import NEAR
from jingwei.sense.odata.options import Order, Query
from jingwei.sense.odata.sql import Operand, among, condition
from jingwei.sense.odata.syntax import (
    Among,
    Binary,
    Call,
    Expression,
    Instant,
    Literal,
    Path,
    Period,
    Unary,
    conjunction,
    conjuncts,
    is_truth,
    paths_of,
    replaced,
)
from jingwei.words import Text as Words

if TYPE_CHECKING:
    from sqlalchemy import FromClause, Select

    from jingwei.sense.sight import Row, Sight

ExtentOf = Callable[[int], dict[str, Period | None]]
"""Answers over which times a stream was observed, by the names of the two properties."""
ObservedBy = Callable[[Entity, Expression, frozenset[int] | None], set[int]]
"""Answers which streams or features (of some, or of all) have an observation of which something is true."""


@dataclass
class Page:
    """Entities of a set, whether there are more, and how many there are if that was asked."""

    rows: list[dict[str, Any]]
    more: bool = False
    count: int | None = None


@dataclass
class _Joins:
    """Tables joined to that of an entity, each under an alias of its own, and only what the asker sees."""

    entity: Entity
    sight: Sight
    root: FromClause
    prefix: str
    whole: Any = None
    known: dict[tuple[str, ...], tuple[Entity, FromClause]] = field(default_factory=dict)
    many: bool = False

    def __post_init__(self) -> None:
        self.whole = self.root
        self.known[()] = (self.entity, self.root)

    def of(self, path: Path) -> tuple[Entity, FromClause, tuple[str, ...]]:
        """Return the entity and table that a path leads to, and what is left of the path."""
        way: tuple[str, ...] = ()
        entity, table = self.known[()]
        parts = path.parts
        while parts[0] in entity.link:
            link = entity.link[parts[0]]
            way = (*way, link.name)
            if way not in self.known:
                self.known[way] = self._join(link, table)
            entity, table = self.known[way]
            parts = parts[1:]
        return entity, table, parts

    def _join(self, link: Link, here: FromClause) -> tuple[Entity, FromClause]:
        target = ENTITIES[link.target]
        if not target.owned:
            raise NotYetError(
                Words(
                    "此处不能把 Observations 的属性与其他实体的属性放在同一个比较里",
                    "a comparison cannot mix properties of Observations with those of other entities.",
                )
            )
        number = len(self.known)
        there = target.table.alias(f"{self.prefix}{number}")
        seen = and_(self.sight.visible(target, there), of_kind(target, there))
        if link.up:
            self.whole = self.whole.outerjoin(there, and_(here.c[link.up] == there.c.id, seen))
        elif link.down:
            self.whole = self.whole.outerjoin(there, and_(there.c[link.down] == here.c.id, seen))
        else:
            via = link.via.alias(f"{self.prefix}v{number}")
            pair = via.join(there, and_(via.c[link.there] == there.c.id, seen))
            self.whole = self.whole.outerjoin(pair, via.c[link.here] == here.c.id)
        self.many = self.many or link.many
        return target, there


def of_kind(entity: Entity, table: FromClause) -> ColumnElement[bool]:
    """Return the condition that tells Datastreams from MultiDatastreams."""
    return true() if entity.multi is None else table.c.multi.is_(entity.multi)


def field_of(entity: Entity, name: str) -> EntityField:
    """Return a property of an entity; `id` is short for `@iot.id`."""
    return entity.by_name["@iot.id" if name == "id" else name]


class Finder:
    """Finds entities on behalf of an asker.

    Parameters
    ----------
    sight
        What the asker sees.
    extent
        Answers over which times a stream was observed.
    observed
        Answers which streams, or features, have observations of which an expression is true.

    """

    def __init__(self, sight: Sight, extent: ExtentOf, observed: ObservedBy) -> None:
        self.sight = sight
        self.session = sight.session
        self.extent = extent
        self.observed = observed
        self._aliases = 0

    # what is asked

    def page(
        self,
        entity: Entity,
        query: Query,
        within: ColumnElement[bool] | None = None,
        table: FromClause | None = None,
    ) -> Page:
        """Return one page of a set, in the order asked for and then by id.

        Parameters
        ----------
        entity
            Of which kind.
        query
            What is asked; `expand` and `select` are not heeded here.
        within
            A further condition on `table`.
        table
            The alias of the entity's table to which `within` refers.

        """
        table = self.alias(entity) if table is None else table
        where = [self.sight.visible(entity, table), of_kind(entity, table)]
        if within is not None:
            where.append(within)
        if query.filter is not None:
            where.append(self.condition(entity, query.filter, table))
        count = None
        if query.count:
            count = self.session.scalar(select(func.count()).select_from(table).where(*where))
        if query.size == 0:
            return Page([], more=False, count=count)
        if any(self._by_extent(entity, one) for one in query.order):
            rows = self._sorted_by_extent(entity, query, where, table)
        else:
            joins = _Joins(entity, self.sight, table, f"{table.name}o")  # type: ignore[attr-defined]
            keys = self._keys(joins, query.order)
            asked = select(table).select_from(joins.whole).where(*where).order_by(*keys, table.c.id)
            rows = self._rows(asked.offset(query.skip).limit(query.size + 1))
        return Page(rows[: query.size], len(rows) > query.size, count)

    def alias(self, entity: Entity) -> FromClause:
        """Return the table of an entity under a name that nothing else bears."""
        self._aliases += 1
        found: FromClause = entity.table.alias(f"t{self._aliases}")
        return found

    def get(self, entity: Entity, identifier: int) -> dict[str, Any] | None:
        """Return one entity, None where there is none or the asker may not know of it."""
        if not 0 < identifier < 1 << 63:
            return None
        table = self.alias(entity)
        found = self._rows(
            select(table).where(
                table.c.id == identifier, of_kind(entity, table), self.sight.visible(entity, table)
            )
        )
        return found[0] if found else None

    def related(self, entity: Entity, link: Link, ids: Sequence[int], query: Query) -> dict[int, Page]:
        """Return for each of some entities the page of those that one link leads to."""
        target = ENTITIES[link.target]
        here, table = self.alias(entity), self.alias(target)
        if link.up:
            whole: Any = here.join(table, here.c[link.up] == table.c.id)
            parent: Any = here.c.id
        elif link.down:
            whole, parent = table, table.c[link.down]
        else:
            whole = link.via.join(table, link.via.c[link.there] == table.c.id)
            parent = link.via.c[link.here]
        where = [
            among(parent, list(ids), self.sight.dialect),
            self.sight.visible(target, table),
            of_kind(target, table),
        ]
        if query.filter is not None:
            where.append(self.condition(target, query.filter, table))
        counts: dict[int, int] = {}
        if query.count:
            counted = select(parent, func.count()).select_from(whole).where(*where).group_by(parent)
            counts = dict(self.session.execute(counted).all())
        joins = _Joins(target, self.sight, table, f"{table.name}o")  # type: ignore[attr-defined]
        joins.whole = whole
        keys: list[Any] = self._keys(joins, query.order)
        if not keys and link.name == "ObservedProperties":
            keys = [link.via.c.rank]
        rank = func.row_number().over(partition_by=parent, order_by=[*keys, table.c.id])
        inner = (
            select(table, parent.label("jw_parent"), rank.label("jw_rank"))
            .select_from(joins.whole)
            .where(*where)
        ).subquery()
        asked = (
            select(inner)
            .where(inner.c.jw_rank > query.skip, inner.c.jw_rank <= query.skip + query.size + 1)
            .order_by(inner.c.jw_parent, inner.c.jw_rank)
        )
        pages = {one: Page([], count=counts.get(one, 0) if query.count else None) for one in ids}
        for key, rows in groupby(self._rows(asked), lambda row: row["jw_parent"]):
            listed = list(rows)
            pages[key].rows, pages[key].more = listed[: query.size], len(listed) > query.size
        return pages

    def ids(self, entity: Entity, node: Expression) -> set[int]:
        """Return the ids of all entities of a kind that the asker sees and of which an expression is true."""
        table = self.alias(entity)
        where = (self.sight.visible(entity, table), of_kind(entity, table))
        return set(
            self.session.scalars(select(table.c.id).where(*where, self.condition(entity, node, table)))
        )

    def linked_to(
        self, entity: Entity, link: Link, identifier: int, table: FromClause
    ) -> ColumnElement[bool]:
        """Return the condition that rows of `table` are those to which a link leads from one entity."""
        if link.up:
            here = entity.table
            return table.c.id.in_(select(here.c[link.up]).where(here.c.id == identifier))
        if link.down:
            found: ColumnElement[bool] = table.c[link.down] == identifier
            return found
        via = link.via
        return table.c.id.in_(select(via.c[link.there]).where(via.c[link.here] == identifier))

    def _rows(self, asked: Select[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in self.session.execute(asked).mappings()]

    # filters

    def condition(self, entity: Entity, node: Expression, table: FromClause) -> ColumnElement[bool]:
        """Return a filter as a condition on a table of the entity.

        A filter along links to many is true where some choice of one of each makes it true; where there is
        none, its properties are null.
        """
        node = self._without_observations(entity, node)
        own = self._alone(entity, node)
        if own:
            found = condition(node, lambda path: self._operand(entity, table, path.parts), self.sight.dialect)
            if found is not None:
                return found
        root = self.alias(entity)
        joins = _Joins(entity, self.sight, root, f"{root.name}f")  # type: ignore[attr-defined]
        for path in paths_of(node):
            joins.of(path)

        def resolve(path: Path) -> Operand | None:
            _, there, parts = joins.of(path)
            return self._operand(joins.of(path)[0], there, parts)

        written: list[ColumnElement[bool]] = []
        rest: list[Expression] = []
        for part in conjuncts(node):
            found = condition(part, resolve, self.sight.dialect)
            if found is not None:
                written.append(found)
                continue
            rest.append(part)
            near = self._near(joins, part)
            if near is not None:
                written.append(near)
        base = (self.sight.visible(entity, root), of_kind(entity, root), *written)
        left = conjunction(rest)
        if left is None:
            return table.c.id.in_(select(root.c.id).select_from(joins.whole).where(*base))
        return among(table.c.id, self._surviving(joins, root, base, left), self.sight.dialect)

    @staticmethod
    def _alone(entity: Entity, node: Expression) -> bool:
        return all(path.parts[0] not in entity.link for path in paths_of(node))

    def _operand(self, entity: Entity, table: FromClause, parts: tuple[str, ...]) -> Operand | None:
        field = field_of(entity, parts[0])
        if field.kind == "geometry" or field.kind == "extent":  # noqa: PLR1714 -- as mypy reads it
            return None
        if any(part.isdigit() for part in parts[1:]):
            return None
        return Operand(field.kind, table.c[field.column], inside=parts[1:])

    def _near(self, joins: _Joins, node: Expression) -> ColumnElement[bool] | None:
        """Return that the bounds of two geometries meet, where nothing else can make an expression true."""
        if not isinstance(node, Call) or node.name not in NEAR or not self.sight.sees_places:
            return None
        paths = [one for one in node.arguments if isinstance(one, Path)]
        shapes = [one.value for one in node.arguments if isinstance(one, Literal)]
        if len(paths) != 1 or not shapes or not hasattr(shapes[0], "bounds") or shapes[0].is_empty:
            return None
        entity, table, parts = joins.of(paths[0])
        if field_of(entity, parts[0]).kind != "geometry" or len(parts) > 1:
            return None
        west, south, east, north = shapes[0].bounds
        c = table.c
        return and_(c.west <= east, c.east >= west, c.south <= north, c.north >= south)

    def _surviving(
        self, joins: _Joins, root: FromClause, where: Iterable[ColumnElement[bool]], node: Expression
    ) -> set[int]:
        """Return the ids of the rows for which an expression holds that no database is asked about."""
        found: set[int] = set()
        for identifier, get in self._valued(joins, root, where, list(paths_of(node))):
            if identifier not in found and holds(node, get):
                found.add(identifier)
        return found

    def _valued(
        self, joins: _Joins, root: FromClause, where: Iterable[ColumnElement[bool]], asked: Sequence[Path]
    ) -> Iterator[tuple[int, Get]]:
        """Yield the id of each row, and what answers paths for it until the next one."""
        paths = {path: joins.of(path) for path in asked}
        columns: list[Any] = [root.c.id.label("jw_root")]
        readers: dict[Path, Callable[[Any], Any]] = {}
        for number, (path, (entity, table, parts)) in enumerate(paths.items()):
            field = field_of(entity, parts[0])
            names = _columns_for(field)
            columns += [table.c[name].label(f"jw{number}_{name}") for name in names]
            readers[path] = self._reader(field, parts[1:], number, names)
        rows = self.session.execute(select(*columns).select_from(joins.whole).where(*where)).mappings()
        for row in rows.all():

            def get(path: Path) -> Any:
                return readers[path](row)  # noqa: B023 -- called before the next row

            yield row["jw_root"], get

    def _reader(
        self, field: EntityField, inside: tuple[str, ...], number: int, names: Sequence[str]
    ) -> Callable[[Any], Any]:
        def of(found: Any) -> Any:
            row = {name: found[f"jw{number}_{name}"] for name in names}
            if row.get("owner", "") is None:  # joined with nothing
                return None
            return self.value(field, row, inside)

        return of

    def value(self, field: EntityField, row: Row, inside: tuple[str, ...] = ()) -> Any:
        """Return a property of a row as filters compare it, as far as the asker may know it."""
        if field.kind == "geometry":
            if not inside:
                return self.sight.shape(row)
            return taken(self.sight.document(row, field.column), inside)
        if field.kind == "extent":
            return None if row["id"] is None else self.extent(row["id"])[field.name]
        found = row[field.column]
        if field.kind == "time":
            return None if found is None else Instant(found)
        return taken(found, inside) if field.kind == "json" else found

    def _without_observations(self, entity: Entity, node: Expression) -> Expression:
        """Replace what is said of observations by the ids of the streams, or features, that have such."""
        ways = {way for path in paths_of(node) if (way := _way_to_observations(entity, path)) is not None}
        if not ways:
            return node
        if len(ways) > 1:
            return self._parts_of(entity, node)
        (way,) = ways
        parts = list(conjuncts(node))
        mine = [one for one in parts if _of_observations(entity, one) is not False]
        whole = conjunction(mine) or node
        if is_truth(whole) and all(_of_observations(entity, one) for one in mine):
            # What is joined by `and` is said of one and the same observation.
            inner = shortened(whole, len(way) + 1)
            ids = frozenset(self.observed(_at_end(entity, way), inner, None))
            among_them = Among(Path((*way, "@iot.id")), ids)
            return conjunction([among_them, *(one for one in parts if one not in mine)]) or among_them
        if isinstance(node, Unary | Binary) and node.operator in ("not", "or"):
            return self._parts_of(entity, node)
        return self._of_both(entity, node, way)

    def _parts_of(self, entity: Entity, node: Expression) -> Expression:
        match node:
            case Unary("not", operand):
                return Unary("not", self._without_observations(entity, operand))
            case Binary(sign, left, right) if sign in ("and", "or"):
                return Binary(
                    sign, self._without_observations(entity, left), self._without_observations(entity, right)
                )
        raise NotYetError(
            Words(
                "一个比较里不能同时使用不同路径的 Observations",
                "a comparison cannot mix Observations along different ways.",
            )
        )

    def _of_both(self, entity: Entity, node: Expression, way: tuple[str, ...]) -> Expression:
        """Replace what is said of observations and of others together by the ids of which it is true."""
        holder, key = _at_end(entity, way), Path((*way, "@iot.id"))
        others = [path for path in paths_of(node) if _way_to_observations(entity, path) is None]
        root = self.alias(entity)
        joins = _Joins(entity, self.sight, root, f"{root.name}b")  # type: ignore[attr-defined]
        where = (self.sight.visible(entity, root), of_kind(entity, root))
        alike: dict[tuple[Any, ...], tuple[Expression, dict[int, set[int]]]] = {}
        for identifier, get in self._valued(joins, root, where, [*others, key]):
            values = {path: get(path) for path in others}
            at = get(key)
            if at is None:
                continue
            known = tuple(getattr(one, "wkb", None) or repr(one) for one in values.values())
            if known not in alike:
                alike[known] = (shortened(replaced(node, values), len(way) + 1), {})
            alike[known][1].setdefault(at, set()).add(identifier)
        found: set[int] = set()
        for inner, roots in alike.values():
            for at in self.observed(holder, inner, frozenset(roots)):
                found |= roots.get(at, set())
        return Among(Path(("@iot.id",)), frozenset(found))

    def known(
        self, entity: Entity, paths: Sequence[Path], ids: Iterable[int] | None = None
    ) -> dict[int, list[dict[Path, Any]]]:
        """Return what paths lead to from entities that the asker sees, by id.

        There is one answer for each choice along links to many; `ids` None asks of all.
        """
        root = self.alias(entity)
        joins = _Joins(entity, self.sight, root, f"{root.name}k")  # type: ignore[attr-defined]
        where = [self.sight.visible(entity, root), of_kind(entity, root)]
        if ids is not None:
            where.append(among(root.c.id, list(ids), self.sight.dialect))
        found: dict[int, list[dict[Path, Any]]] = {}
        for identifier, get in self._valued(joins, root, where, paths):
            found.setdefault(identifier, []).append({path: get(path) for path in paths})
        return found

    # order

    def _keys(self, joins: _Joins, order: Iterable[Order]) -> list[Any]:
        keys: list[Any] = []
        for one in order:
            entity, table, parts = joins.of(one.path)
            field = field_of(entity, parts[0])
            if field.kind == "geometry" and not self.sight.sees_places:
                continue  # an order by places would tell where they are
            column = self._sort_key(field, table, parts[1:])
            keys.append(nulls_last(column.desc()) if one.descending else nulls_first(column.asc()))
        return keys

    def _sort_key(self, field: EntityField, table: FromClause, inside: tuple[str, ...]) -> Any:
        column: Any = table.c[field.column]
        if field.kind in ("id", "time"):
            return column
        if self.sight.dialect == "sqlite":
            if field.kind == "text":
                return column
            if not inside:
                return cast(column, Text)
            steps = (f"[{one}]" if one.isdigit() else f'."{one}"' for one in inside)
            return func.json_extract(cast(column, Text), "$" + "".join(steps))
        if field.kind == "text":
            return column.collate("C")
        return func.jsonb_extract_path(column, *inside) if inside else column

    def _by_extent(self, entity: Entity, order: Order) -> bool:
        parts = order.path.parts
        while parts[0] in entity.link:
            entity = ENTITIES[entity.link[parts[0]].target]
            parts = parts[1:]
        return field_of(entity, parts[0]).kind == "extent"

    def _sorted_by_extent(
        self, entity: Entity, query: Query, where: Sequence[ColumnElement[bool]], table: FromClause
    ) -> list[dict[str, Any]]:
        """Sort by when streams were observed, which the record store does not know."""
        joins = _Joins(entity, self.sight, table, f"{table.name}o")  # type: ignore[attr-defined]
        columns: list[Any] = [table.c.id]
        getters: list[tuple[Any, bool]] = []
        for one in query.order:
            holder, there, parts = joins.of(one.path)
            field = field_of(holder, parts[0])
            if field.kind == "extent":
                columns.append(there.c.id.label(f"k{len(columns)}"))
                getters.append((field.name, one.descending))
            else:
                columns.append(self._sort_key(field, there, parts[1:]).label(f"k{len(columns)}"))
                getters.append((None, one.descending))
        found = [
            list(row) for row in self.session.execute(select(*columns).select_from(joins.whole).where(*where))
        ]
        found.sort(key=lambda row: row[0])
        for number, (name, descending) in reversed(list(enumerate(getters, 1))):
            for row in found:
                if name is not None:
                    row[number] = self.extent(row[number])[name] if row[number] is not None else None
            found.sort(key=lambda row: (row[number] is not None, row[number] or 0), reverse=descending)
        ids = [row[0] for row in found[query.skip : query.skip + query.size + 1]]
        again = self.alias(entity)
        rows = {
            row["id"]: row
            for row in self._rows(select(again).where(among(again.c.id, ids, self.sight.dialect)))
        }
        return [rows[one] for one in ids]


def taken(document: Any, inside: Sequence[str]) -> Any:
    """Return a part of a document, None where there is none."""
    for name in inside:
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def _of_observations(entity: Entity, node: Expression) -> bool | None:
    """Say whether all that an expression names is of observations; None where some of it is."""
    ways = [_way_to_observations(entity, path) is not None for path in paths_of(node)]
    return all(ways) if all(ways) == any(ways) and ways else (None if any(ways) else False)


def _at_end(entity: Entity, way: Iterable[str]) -> Entity:
    for name in way:
        entity = ENTITIES[entity.link[name].target]
    return entity


def _columns_for(field: EntityField) -> tuple[str, ...]:
    if field.kind == "geometry":
        return (field.column, "geometry", "west", "south", "east", "north", "owner", "sharing", "level")
    return ("id",) if field.kind == "extent" else (field.column,)


def _way_to_observations(entity: Entity, path: Path) -> tuple[str, ...] | None:
    """Return the links up to the one to observations, None where a path has none."""
    for number, name in enumerate(path.parts):
        if name not in entity.link:
            return None
        entity = ENTITIES[entity.link[name].target]
        if entity.name == "Observation":
            return path.parts[:number]
    return None


def shortened(node: Expression, by: int) -> Expression:
    """Return an expression of which each path has lost its first parts."""
    match node:
        case Path(parts):
            return Path(parts[by:])
        case Among(path, ids):
            return Among(Path(path.parts[by:]), ids)
        case Unary(sign, operand):
            return Unary(sign, shortened(operand, by))
        case Binary(sign, left, right):
            return Binary(sign, shortened(left, by), shortened(right, by))
        case Call(name, arguments):
            return Call(name, tuple(shortened(one, by) for one in arguments))
    return node
