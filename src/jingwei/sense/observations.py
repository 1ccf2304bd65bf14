"""Observations as SensorThings asks for them: filters and orders put to the store of readings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jingwei.sense.entities import ENTITIES, OBSERVATION, STREAMS, Entity
from jingwei.sense.finding import Finder, Page, shortened, taken
from jingwei.sense.odata.evaluate import evaluate, holds
from jingwei.sense.odata.functions import number_of
from jingwei.sense.odata.options import Order, Query
from jingwei.sense.odata.syntax import (
    COMPARISONS,
    Among,
    Binary,
    Bound,
    Expression,
    Instant,
    Known,
    Literal,
    Path,
    Period,
    Unary,
    conjuncts,
    is_truth,
    paths_of,
    period_of_text,
)
from jingwei.sense.readings import NONE, Reading, UnknownReadingError, readings_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.sense.readings import Readings
    from jingwei.sense.sight import Sight

_STREAM, _FEATURE = Path(("#stream",)), Path(("#feature",))
_LINKS = {"Datastream": _STREAM, "MultiDatastream": _STREAM, "FeatureOfInterest": _FEATURE}
_COLUMNS = {
    "phenomenonTime": "time",
    "resultTime": "result_time",
    "result": "result",
    "@iot.id": "id",
    "id": "id",
}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": np.equal, "gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal
}  # fmt: skip
Mask = Any
ALWAYS = Literal(value=True)
_NEWEST = Order(Path(("phenomenonTime",)), descending=True)


class Observations:
    """Finds observations on behalf of an asker: only those of streams that the asker sees."""

    def __init__(self, sight: Sight, readings: Readings) -> None:
        self.sight = sight
        self.readings = readings
        self.finder = Finder(sight, self.extent, self.observed)

    # what the finder of entities asks

    def extent(self, stream: int) -> dict[str, Period | None]:
        """Return over which times a stream was observed, by property."""
        found = self.readings.extent(stream)
        return {
            "phenomenonTime": _period(found.first, found.last),
            "resultTime": _period(found.first_result_time, found.last_result_time),
        }

    def observed(self, entity: Entity, node: Expression, within: frozenset[int] | None) -> set[int]:
        """Return which streams, or features, have an observation of which an expression is true."""
        column = "feature" if entity.name == "FeatureOfInterest" else "stream"
        streams = self.streams([entity.name] if entity.name in STREAMS else STREAMS)
        if within is not None and column == "stream" and streams is not None:
            streams &= within
        found = self._read(node, streams, None, (), None, 0)
        return {one for one in pc.unique(found[column]).to_pylist() if one is not None}

    def streams(self, kinds: Iterable[str] = STREAMS) -> set[int] | None:
        """Return the streams whose observations the asker sees; None where these are all there are."""
        listed = set(kinds)
        found: set[int] = set()
        for name in listed:
            found |= self.finder.ids(ENTITIES[name], ALWAYS)
        return found

    # what pages ask

    def page(self, query: Query, streams: Collection[int] | None, feature: int | None = None) -> Page:
        """Return one page of the observations of some streams, or of one feature of interest."""
        streams = self.streams() if streams is None else streams
        count = None
        if query.count:
            count = self._count(query.filter, streams, feature)
        if query.size == 0 or not streams:
            return Page([], more=False, count=count)
        found = self._read(query.filter, streams, feature, query.order, query.size + 1, query.skip)
        rows = [row_of(one) for one in readings_of(found)]
        return Page(rows[: query.size], len(rows) > query.size, count)

    def get(self, identifier: int) -> dict[str, Any] | None:
        """Return one observation, None where there is none or the asker may not know of it."""
        if not 0 < identifier < 1 << 63:
            return None
        try:
            (found,) = readings_of(self.readings.get(identifier))
        except UnknownReadingError:
            return None
        if not any(self.finder.get(ENTITIES[name], found.stream) for name in STREAMS):
            return None
        return row_of(found)

    def related(self, entity: Entity, ids: Sequence[int], query: Query) -> dict[int, Page]:
        """Return the page of observations of each of some streams or features."""
        if entity.name == "FeatureOfInterest":
            streams = self.streams()
            return {one: self.page(query, streams, one) for one in ids}
        newest = bool(query.order) and query.order == (_NEWEST,)
        if newest and query.size == 1 and not query.skip and not query.count and query.filter is None:
            return self._latest(ids)
        return {one: self.page(query, {one}) for one in ids}

    def _latest(self, streams: Sequence[int]) -> dict[int, Page]:
        """Return the newest observation of each stream, which the store keeps at hand."""
        pages = {one: Page([]) for one in streams}
        for one in readings_of(self.readings.latest(set(streams))):
            more = self.readings.extent(one.stream).count > 1
            pages[one.stream] = Page([row_of(one)], more)
        return pages

    # filters

    def _read(
        self,
        node: Expression | None,
        streams: Collection[int] | None,
        feature: int | None,
        order: Sequence[Order],
        limit: int | None,
        skip: int,
    ) -> pa.Table:
        chosen = self._chosen(node, streams, feature)
        columns = [_column(one) for one in order]
        if all(columns):
            named = [(str(name), one.descending) for name, one in zip(columns, order, strict=True)]
            found: pa.Table = self.readings.read(**chosen, order=named, limit=limit, offset=skip)
            return found
        table = self.readings.read(**chosen)
        keys = [self._ranks(one, table) for one in order]
        signed = [-ranks if one.descending else ranks for one, ranks in zip(order, keys, strict=True)]
        places = np.lexsort(signed[::-1])
        return table.take(pa.array(places[skip : None if limit is None else skip + limit]))

    def _ranks(self, order: Order, table: pa.Table) -> NDArray[np.int64]:
        """Return numbers that sort readings as their values would; what is null comes first."""
        column, first = _column(order), order.path.parts[0]
        if column is not None:
            values = table[column].combine_chunks()
            ranks = np.asarray(pc.rank(values, tiebreaker="dense")).astype(np.int64)
            ranks[np.asarray(values.is_null())] = 0
            return ranks
        if first not in OBSERVATION.link:
            return _ranked([_sortable(evaluate(order.path, getter(row))) for row in readings_of(table)])
        ids, inverse = np.unique(
            table[_LINKS[first].parts[0][1:]].fill_null(0).to_numpy(), return_inverse=True
        )
        path = Path(order.path.parts[1:])
        known = self.finder.known(ENTITIES[first], [path], ids.tolist())
        return _ranked([_sortable(known[one][0][path] if one in known else None) for one in ids.tolist()])[
            inverse
        ]

    def _count(self, node: Expression | None, streams: Collection[int] | None, feature: int | None) -> int:
        return self.readings.count(**self._chosen(node, streams, feature))

    def _chosen(
        self, node: Expression | None, streams: Collection[int] | None, feature: int | None
    ) -> dict[str, Any]:
        """Return what to ask of the store for a filter: streams and times, and a mask for the rest."""
        chosen: dict[str, Any] = {"streams": streams, "since": None, "until": None}
        parts: list[Expression] = []
        if node is not None:
            parts = list(conjuncts(self._linked(node)))
        for part in parts:
            if isinstance(part, Among) and part.path == _STREAM:
                known = chosen["streams"]
                chosen["streams"] = part.ids if known is None else part.ids & set(known)
            since, until = _times(part)
            if since is not None:
                chosen["since"] = since if chosen["since"] is None else max(since, chosen["since"])
            if until is not None:
                chosen["until"] = until if chosen["until"] is None else min(until, chosen["until"])
        if feature is not None:
            parts.insert(0, Among(_FEATURE, frozenset({feature})))
        if parts:

            def where(table: pa.Table) -> Mask:
                return pa.array(_all_of(parts, table))

            chosen["where"] = where
        return chosen

    def _linked(self, node: Expression) -> Expression:
        """Replace what is said of streams and features of interest by the ids of those that fit."""
        links = {path.parts[0] if path.parts[0] in OBSERVATION.link else "" for path in paths_of(node)}
        if links <= {""}:
            return node
        if len(links) == 1 and is_truth(node):
            (name,) = links
            return Among(_LINKS[name], self._ids(name, shortened(node, 1)))
        match node:
            case Unary("not", operand):
                return Unary("not", self._linked(operand))
            case Binary(sign, left, right) if sign in ("and", "or"):
                return Binary(sign, self._linked(left), self._linked(right))
        return self._bound(node)

    def _bound(self, node: Expression) -> Bound:
        """Return an expression of observations and of what they are linked with, the latter looked up."""
        ways: dict[str, list[Path]] = {}
        for path in dict.fromkeys(paths_of(node)):
            if path.parts[0] in OBSERVATION.link:
                ways.setdefault(path.parts[0], []).append(path)
        known = []
        for name, paths in ways.items():
            inner = {path: Path(path.parts[1:]) for path in paths}
            found = self.finder.known(ENTITIES[name], list(inner.values()))
            by_id = {
                one: [{path: choice[inner[path]] for path in paths} for choice in choices]
                for one, choices in found.items()
            }
            known.append(Known(_LINKS[name], tuple(paths), by_id))
        return Bound(node, tuple(known))

    def _ids(self, name: str, node: Expression) -> frozenset[int]:
        ids = self.finder.ids(ENTITIES[name], node)
        if holds(node, lambda _: None):  # true, too, of an observation without such a link
            ids |= {0} if name == "FeatureOfInterest" else self._of_others(name)
        return frozenset(ids)

    def _of_others(self, name: str) -> set[int]:
        return self.finder.ids(ENTITIES[next(one for one in STREAMS if one != name)], ALWAYS)


def _period(first: int, last: int) -> Period | None:
    return None if NONE in (first, last) else Period(first, last)


def row_of(one: Reading) -> dict[str, Any]:
    """Return a reading as a row, in the form in which entities of the record store come."""
    return {
        "id": one.id,
        "stream": one.stream,
        "feature": one.feature,
        "phenomenon_time": Instant(one.time) if one.time_end is None else Period(one.time, one.time_end),
        "result_time": None if one.result_time is None else Instant(one.result_time),
        "result": one.result,
        "result_quality": one.quality,
        "valid_time": None
        if one.valid_from is None
        else Period(one.valid_from, one.valid_to or one.valid_from),
        "parameters": one.parameters,
    }


def getter(one: Reading) -> Callable[[Path], Any]:
    """Return what answers paths into an observation."""
    row = row_of(one)

    def get(path: Path) -> Any:
        name = path.parts[0]
        if name in ("#stream", "#feature"):
            return row[name[1:]] or 0
        field = OBSERVATION.by_name["@iot.id" if name == "id" else name]
        value = row[field.column]
        return taken(value, path.parts[1:]) if field.kind == "json" else value

    return get


def _column(order: Order) -> str | None:
    parts = order.path.parts
    if len(parts) == 1:
        return _COLUMNS.get(parts[0])
    if parts[1:] not in (("id",), ("@iot.id",)):
        return None
    return _LINKS[parts[0]].parts[0][1:] if parts[0] in STREAMS else None


def _sortable(value: Any) -> tuple[Any, ...]:
    """Return what sorts values of any kind: none, truth, numbers, texts, times, the rest."""
    if value is None:
        return (0,)
    if isinstance(value, bool):
        return (1, value)
    if isinstance(value, int | float):
        return (2, value)
    if isinstance(value, str):
        return (3, value)
    if isinstance(value, Instant | Period):
        return (4, *(value if isinstance(value, Period) else (value.micros, value.micros)))
    return (5, str(value))


def _ranked(values: Sequence[tuple[Any, ...]]) -> NDArray[np.int64]:
    ranks = {value: rank for rank, value in enumerate(sorted(set(values)))}
    return np.array([ranks[value] for value in values], np.int64)


def _times(node: Expression) -> tuple[int | None, int | None]:
    """Return between which times `[since, until)` a reading must lie for a comparison to be true."""
    if (
        not isinstance(node, Binary)
        or node.left != Path(("phenomenonTime",))
        or not isinstance(node.right, Literal)
    ):
        return None, None
    value = node.right.value
    if isinstance(value, str):
        value = period_of_text(value)
    if isinstance(value, Instant):
        value = Period(value.micros, value.micros)
    if not isinstance(value, Period):
        return None, None
    match node.operator:
        case "ge":
            return value.start, None
        case "gt":
            return value.end + (value.start == value.end), None
        case "le":
            return None, value.start + 1
        case "lt":
            return None, value.start
        case "eq":
            return value.start, value.start + 1
    return None, None


# masks


def _all_of(parts: Sequence[Expression], table: pa.Table) -> NDArray[np.bool_]:
    """Say of each reading whether all expressions are true; what is dear is asked of few."""
    left = np.ones(table.num_rows, np.bool_)
    for part in sorted(parts, key=lambda one: not _is_cheap(one)):
        if _is_cheap(part):
            left &= _mask(part, table)
        elif left.any():
            places = np.flatnonzero(left)
            left[places] = _mask(part, table.take(pa.array(places)))
    return left


def _is_cheap(node: Expression) -> bool:
    match node:
        case Among():
            return True
        case Unary("not", operand):
            return _is_cheap(operand)
        case Binary(sign, left, right):
            if sign in ("and", "or"):
                return _is_cheap(left) and _is_cheap(right)
            return sign in COMPARISONS and isinstance(left, Path) and left.parts[0] in _COLUMNS
    return False


def _mask(node: Expression, table: pa.Table) -> NDArray[np.bool_]:
    match node:
        case Among(path, ids):
            values = table[path.parts[0][1:]].fill_null(0).to_numpy()
            return np.isin(values, np.fromiter(ids, np.int64, len(ids)))
        case Bound():
            return _bound_mask(node, table)
        case Unary("not", operand) if not isinstance(operand, Path | Literal):
            return ~_mask(operand, table)
        case Binary("and", left, right):
            return _mask(left, table) & _mask(right, table)
        case Binary("or", left, right):
            return _mask(left, table) | _mask(right, table)
        case Binary(sign, Path((name,)), Literal(value, written)) if sign in _COMPARE:
            found = _compared(sign, name, value, table) if written or not isinstance(value, str) else None
            if found is not None:
                return found
    rows = readings_of(table)
    return np.fromiter((holds(node, getter(one)) for one in rows), np.bool_, len(rows))


def _bound_mask(node: Bound, table: pa.Table) -> NDArray[np.bool_]:
    """Ask of the readings of each stream, or feature, together: what is known is the same for them."""
    keys = [table[one.key.parts[0][1:]].fill_null(0).to_numpy() for one in node.known]
    whole = np.zeros(table.num_rows, np.bool_)
    order = np.lexsort(keys[::-1])
    listed = np.stack([key[order] for key in keys], axis=1)
    new = np.flatnonzero((listed[1:] != listed[:-1]).any(axis=1)) + 1
    for start, end in pairwise([0, *new.tolist(), len(order)] if len(order) else [0]):
        places = order[start:end]
        part = table.take(pa.array(places))
        for one in node.choices(listed[start].tolist()):
            whole[places] |= _mask(one, part)
    return whole


def _compared(sign: str, name: str, value: Any, table: pa.Table) -> NDArray[np.bool_] | None:
    """Compare a column with a value at once; None where that takes a look at each row."""
    compare = _COMPARE[sign]
    if name == "result":
        number = None if value is None or isinstance(value, bool) else number_of(value)
        column = table["result"]
        if number is None or column.null_count:  # texts, lists, numbers beyond what a float holds
            return None
        return np.asarray(compare(column.to_numpy(), float(number)))
    if name in ("phenomenonTime", "resultTime") and isinstance(value, Instant):
        column = table[_COLUMNS[name]]
        if name == "phenomenonTime" and table["time_end"].null_count < table.num_rows:
            return None
        known = column.is_valid().to_numpy(zero_copy_only=False)
        micros = column.cast(pa.int64()).fill_null(0).to_numpy()
        return np.asarray(compare(micros, value.micros) & known)
    if name in ("@iot.id", "id") and isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 1 << 63:
            return None
        return np.asarray(compare(table["id"].to_numpy(), value))
    return None
