"""Linking two tables without a common key: near each other, at the same time, alike in name.

Candidates come from the conditions on place (or, where there is none, on equal values); all conditions must
hold; the score is the product of how well each does. Each link says why: its metres, seconds, likeness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa
import shapely

from jingwei import grid
from jingwei.errors import BadRequestError
from jingwei.lake.engines import open_engine
from jingwei.lake.likeness import likeness
from jingwei.lake.numbers import plain_text
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EARTH_METRES = 6_371_008.8
"""Mean radius of the earth (IUGG)."""
METRES_PER_DEGREE = EARTH_METRES * np.pi / 180
MOST_PAIRS = 200_000_000
"""Candidates of one question; beyond that the conditions are too wide."""

FEW = 64
"""Pairs of one row up to which they are put in order one by one."""

Pairs = Literal["all", "best", "one-to-one"]


@dataclass(frozen=True, slots=True)
class Within:
    """At most `metres` apart, on the sphere."""

    metres: float


@dataclass(frozen=True, slots=True)
class SameCell:
    """In the same cell of `level`, or, if `neighbours`, in one beside it."""

    level: int
    neighbours: bool = False


@dataclass(frozen=True, slots=True)
class Inside:
    """The left one's place lies in the right one's area: the column `geometry` (WKB, WGS84)."""

    geometry: str = "geometry"


@dataclass(frozen=True, slots=True)
class SameTime:
    """At most `seconds` apart."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Alike:
    """Texts whose likeness (1: equal, by the characters to change) is at least so much."""

    left: str
    right: str
    at_least: float = 0.8


@dataclass(frozen=True, slots=True)
class Equal:
    """The same value."""

    left: str
    right: str


Condition = Within | SameCell | Inside | SameTime | Alike | Equal


class LinkError(BadRequestError):
    """The conditions cannot be followed."""

    code = "link-invalid"


@dataclass(slots=True)
class _Found:
    """Candidate pairs, and how well each condition holds for them."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    score: NDArray[np.float64]
    why: dict[str, NDArray[Any]]

    def keep(self, mask: NDArray[np.bool_]) -> None:
        self.left, self.right, self.score = self.left[mask], self.right[mask], self.score[mask]
        self.why = {name: values[mask] for name, values in self.why.items()}


def link(left: pa.Table, right: pa.Table, by: Sequence[Condition], *, pairs: Pairs = "best") -> pa.Table:
    """Link rows of two tables.

    Parameters
    ----------
    left, right
        Tables with the address columns of the container: `jw_cell`, `jw_level`, and `jw_time` where
        conditions speak of time.
    by
        The conditions; all must hold.
    pairs
        `all` pairs, the `best` one for each left row, or `one-to-one`: greedily by score, each row once.

    Returns
    -------
    pyarrow.Table
        `left`, `right` (which rows of the two tables, counted from 0), `score` (0 to 1), and `metres`,
        `seconds`, `likeness` as the conditions ask, in order of left and right.

    Raises
    ------
    LinkError
        If a condition is none or cannot hold, none finds candidates, one names what is not there, or there
        are too many candidates.

    """
    _check(by, pairs)
    found = _candidates(left, right, by)
    for condition in by:
        if isinstance(condition, SameTime):
            _at_the_same_time(found, left, right, condition)
        elif isinstance(condition, Equal):
            _equal(found, left, right, condition)
        elif isinstance(condition, SameCell):
            _in_the_same_cell(found, left, right, condition)
        elif isinstance(condition, Inside):
            _inside(found, left, right, condition)
        elif isinstance(condition, Within):
            _within(found, left, right, condition)
    for condition in by:  # last, on what is left: it is the dearest
        if isinstance(condition, Alike):
            _alike(found, left, right, condition)
    chosen = _chosen(found, pairs, left.num_rows, right.num_rows)
    columns = {"left": found.left[chosen], "right": found.right[chosen], "score": found.score[chosen]}
    return pa.table({**columns, **{name: values[chosen] for name, values in found.why.items()}})


def _check(by: Sequence[Condition], pairs: str) -> None:
    """Refuse what is no condition, or one that means nothing."""
    if pairs not in get_args(Pairs):
        raise LinkError(
            Text(f"pairs 不能是 {pairs!r}。", f"pairs cannot be {pairs!r}."),
            mend=Text(f"可用：{'、'.join(get_args(Pairs))}。", f"It is one of {', '.join(get_args(Pairs))}."),
            where={"pairs": str(pairs)},
        )
    if not isinstance(by, list | tuple) or not all(isinstance(one, get_args(Condition)) for one in by):
        known = ", ".join(one.__name__ for one in get_args(Condition))
        raise LinkError(
            Text("by 应为条件的列表。", "by is a list of conditions."),
            mend=Text(f"条件有 {known}。", f"Conditions are {known}: by=[Within(50)]."),
            where={"by": repr(by)[:200]},
        )
    for one in by:
        for field in fields(one):
            _check_value(one, field.name, getattr(one, field.name))


_BETWEEN = {"metres": (0, math.inf), "seconds": (0, math.inf), "at_least": (0, 1), "level": (1, 32)}


def _check_value(one: Condition, name: str, value: Any) -> None:
    if name not in _BETWEEN:
        right = isinstance(value, bool if name == "neighbours" else str)
        wanted = (
            Text("应为 True 或 False", "is True or False")
            if name == "neighbours"
            else Text("应为列名", "is the name of a column")
        )
    else:
        least, most = _BETWEEN[name]
        kind = (int, np.integer) if name == "level" else (int, float, np.integer, np.floating)
        right = isinstance(value, kind) and type(value) is not bool and math.isfinite(value)
        right = right and least <= value <= most and (name != "metres" or value > 0)
        wanted = Text(
            {"metres": "应大于 0", "seconds": "不小于 0"}.get(name, f"应在 {least} 与 {most} 之间"),
            {"metres": "is more than 0", "seconds": "is 0 or more"}.get(
                name, f"lies between {least} and {most}"
            ),
        )
    if not right:
        of = type(one).__name__
        raise LinkError(
            Text(
                f"{of} 的 {name}{wanted.zh}，不能是 {value!r}。",
                f"{name} of {of} {wanted.en}, not {value!r}.",
            ),
            where={"condition": of, "field": name},
        )


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise LinkError(Text(f"没有列“{name}”。", f"There is no column '{name}'."), where={"column": name})
    return table[name]


def _places(table: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the rows that have a measured place, and where: degrees, WGS84."""
    cells = _column(table, "jw_cell")
    rows = np.flatnonzero(np.asarray(cells.is_valid()))
    codes = np.asarray(grid.from_stored(cells.drop_null().to_numpy()), np.uint64)
    lon, lat = grid.centre(codes, 32) if len(codes) else (np.empty(0), np.empty(0))
    return rows, np.asarray(lon), np.asarray(lat)


def _candidates(left: pa.Table, right: pa.Table, by: Sequence[Condition]) -> _Found:
    within = [one for one in by if isinstance(one, Within)]
    if within:
        return _near(left, right, min(one.metres for one in within))
    for one in by:
        if isinstance(one, Inside):
            rows, lon, lat = _places(left)
            areas = shapely.from_wkb(_column(right, one.geometry).to_numpy())
            point, area = shapely.STRtree(areas).query(shapely.points(lon, lat), predicate="intersects")
            return _Found(rows[point], area.astype(np.int64), np.ones(len(area)), {})
        if isinstance(one, SameCell):
            return _near(left, right, _reach(right, one))
    for one in by:
        if isinstance(one, Equal):
            a, b = _joined(left, right, one)
            return _Found(a, b, np.ones(len(a)), {})
    raise LinkError(
        Text("至少要有一个关于位置或相等的条件。", "There must be a condition on place, or on equal values."),
    )


def _reach(table: pa.Table, condition: SameCell) -> float:
    """Return metres that surely reach across a cell (or two) of a level where a table lies."""
    cells = _column(table, "jw_cell").drop_null()
    if not len(cells):
        return 1.0
    code = np.asarray(grid.from_stored(cells.slice(0, 1).to_numpy()), np.uint64)
    shift = np.uint64(64 - 2 * condition.level)
    west, south, east, north = (float(v[0]) for v in grid.bounds((code >> shift) << shift, condition.level))
    diagonal = float(np.hypot(east - west, north - south)) * METRES_PER_DEGREE
    return 1.2 * diagonal * (2 if condition.neighbours else 1)


def _near(left: pa.Table, right: pa.Table, metres: float) -> _Found:
    from jingwei.lake.kernels_link import near_pairs

    rows_a, lon_a, lat_a = _places(left)
    rows_b, lon_b, lat_b = _places(right)
    if not len(rows_a) or not len(rows_b):
        return _Found(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), {})
    # Where circles of latitude are shortest a distance spans most degrees; distances are exact later.
    shortest = max(0.01, float(np.cos(np.radians(max(np.abs(lat_a).max(), np.abs(lat_b).max())))))
    degrees = 1.001 * metres / METRES_PER_DEGREE
    a, b = near_pairs(lon_a, lat_a, lon_b, lat_b, degrees / shortest, degrees, MOST_PAIRS)
    if a is None or b is None:
        raise LinkError(
            Text(
                f"候选超过 {MOST_PAIRS} 对，条件太宽。",
                f"More than {MOST_PAIRS} candidates: the conditions are too wide.",
            )
        )
    return _Found(rows_a[a], rows_b[b], np.ones(len(a)), {})


def _metres(found: _Found, left: pa.Table, right: pa.Table) -> NDArray[np.float64]:
    """Return the distances of pairs on the sphere, by the haversine formula."""
    from jingwei.lake.kernels_link import metres_of_pairs

    x_a, y_a = (np.radians(one) for one in _spread(left))
    x_b, y_b = (np.radians(one) for one in _spread(right))
    return np.asarray(metres_of_pairs(x_a, y_a, x_b, y_b, found.left, found.right, EARTH_METRES))


def _spread(table: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, lon, lat = _places(table)
    x, y = np.full(table.num_rows, np.nan), np.full(table.num_rows, np.nan)
    x[rows], y[rows] = lon, lat
    return x, y


def _within(found: _Found, left: pa.Table, right: pa.Table, condition: Within) -> None:
    metres = _metres(found, left, right)
    near = metres <= condition.metres
    found.why["metres"] = metres
    found.score = found.score * (1 - 0.5 * metres / condition.metres)
    found.keep(near)


def _in_the_same_cell(found: _Found, left: pa.Table, right: pa.Table, condition: SameCell) -> None:
    shift = np.uint64(64 - 2 * condition.level)
    codes = []
    for table, rows in ((left, found.left), (right, found.right)):
        stored = _column(table, "jw_cell").fill_null(0).to_numpy()
        codes.append((np.asarray(grid.from_stored(stored), np.uint64)[rows] >> shift) << shift)
    same = codes[0] == codes[1]
    if condition.neighbours and len(same):
        boxes = [np.array(grid.bounds(one, condition.level)) for one in codes]
        tiny = 1e-9
        touch = (
            (boxes[0][0] <= boxes[1][2] + tiny)
            & (boxes[1][0] <= boxes[0][2] + tiny)
            & (boxes[0][1] <= boxes[1][3] + tiny)
            & (boxes[1][1] <= boxes[0][3] + tiny)
        )
        found.score = found.score * np.where(same, 1.0, 0.8)
        same = touch
    found.keep(same)


def _inside(found: _Found, left: pa.Table, right: pa.Table, condition: Inside) -> None:
    lon, lat = _spread(left)
    areas = shapely.from_wkb(_column(right, condition.geometry).to_numpy())
    found.keep(shapely.intersects_xy(areas[found.right], lon[found.left], lat[found.left]))


def _at_the_same_time(found: _Found, left: pa.Table, right: pa.Table, condition: SameTime) -> None:
    times = []
    for table in (left, right):
        column = _column(table, "jw_time")
        known = np.asarray(column.is_valid())
        micro = np.asarray(column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).fill_null(0), np.float64)
        times.append(np.where(known, micro / 1e6, np.nan))
    seconds = np.abs(times[0][found.left] - times[1][found.right])
    found.why["seconds"] = seconds
    with np.errstate(invalid="ignore"):
        near = seconds <= condition.seconds
        share = seconds / condition.seconds if condition.seconds else np.zeros(len(seconds))
    found.score = found.score * (1 - 0.5 * np.nan_to_num(share))
    found.keep(near)


def _joined(left: pa.Table, right: pa.Table, one: Equal) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    with open_engine("1GB") as engine:
        for name, table, column in (("a", left, one.left), ("b", right, one.right)):
            rows = pa.array(np.arange(table.num_rows))
            engine.register(name, pa.table({"row": rows, "value": plain_text(_column(table, column))}))
        answer = engine.sql(
            "SELECT a.row AS x, b.row AS y FROM a JOIN b USING (value) WHERE value <> '' "
            f"ORDER BY 1, 2 LIMIT {MOST_PAIRS + 1}"
        ).to_arrow_table()
    if answer.num_rows > MOST_PAIRS:
        raise LinkError(Text("候选太多，条件太宽。", "Too many candidates: the conditions are too wide."))
    return answer["x"].to_numpy(), answer["y"].to_numpy()


def _equal(found: _Found, left: pa.Table, right: pa.Table, one: Equal) -> None:
    a = np.asarray(plain_text(_column(left, one.left)).to_numpy(zero_copy_only=False), object)
    b = np.asarray(plain_text(_column(right, one.right)).to_numpy(zero_copy_only=False), object)
    here, there = a[found.left], b[found.right]
    found.keep(np.asarray((here == there) & (here != "") & (here != None), bool))  # noqa: E711 -- of an array


def _alike(found: _Found, left: pa.Table, right: pa.Table, one: Alike) -> None:
    a = plain_text(_column(left, one.left)).take(pa.array(found.left))
    b = plain_text(_column(right, one.right)).take(pa.array(found.right))
    alike = likeness(a, b)
    known = found.why.get("likeness")
    found.why["likeness"] = alike if known is None else np.minimum(known, alike)
    found.score = found.score * alike
    found.keep(alike >= one.at_least)


def _chosen(found: _Found, pairs: Pairs, rows_a: int, rows_b: int) -> NDArray[np.int64]:
    """Return which candidates are links, in order of left and right."""
    from jingwei.lake.kernels_link import best_of_each, each_once
    from jingwei.lake.kernels_link import in_order as by_left

    if pairs == "all":
        if not len(found.left) or np.bincount(found.left).max() > FEW:
            return np.lexsort((found.right, found.left))
        return np.asarray(by_left(found.left, found.right, rows_a), np.int64)
    if pairs == "best":
        return np.asarray(best_of_each(found.left, found.right, found.score, rows_a), np.int64)
    by_score = np.lexsort((found.right, found.left, -found.score))
    taken = each_once(found.left[by_score], found.right[by_score], rows_a, rows_b)
    chosen = by_score[taken]
    in_order = np.lexsort((found.right[chosen], found.left[chosen]))
    return np.asarray(chosen[in_order], np.int64)
