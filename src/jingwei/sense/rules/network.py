"""A network of lines in which something flows: what lies downstream or upstream of a place, and which way."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely import ops

from jingwei import grid
from jingwei.records.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

FINEST = 23
"""Level of GeoSOT, about 4 to 8 m, up to which cells are told in which a network goes."""
BESIDE = 1.0
"""Metres within which a place is at a line's end, or at each of several lines."""
TOUCHING = 0.5
"""Metres within which the ends of two lines are one node, where lines name none."""
MOST = 5_000
"""Lines that are followed from one place at most."""
KEPT = 2_000
"""Places of which it is kept in which cells they are downstream."""
MOST_CELLS = 200_000
"""Cells that are kept of all places together."""
MOST_NAMED = 20
"""Lines of a way that are named: the last ones."""
HUB = 64
"""Lines at a node from which on the nearest end is looked up in a tree, and not compared with each."""
ALIKE = 1e-6
"""Metres by which distances must differ to tell a direction: less is what rounding makes."""
AT_ONCE = 1_000_000
"""Pairs of lines that are compared at once."""
_EQUATOR, _FLATTENING = 6_378_137.0, 1 / 298.257_222_101  # CGCS2000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a network: how it is named, and the identifier of its object, empty where it has none."""

    name: str
    object: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a line that is reached from a place.

    Attributes
    ----------
    line
        Its number.
    low, high
        Where the part begins and ends, metres along the line in the direction of flow.
    metres
        From the place to where the part is entered, along the network.
    before
        Number of the stretch by which it is reached, -1 for the first.

    """

    line: int
    low: float
    high: float
    metres: float
    before: int


@dataclass(frozen=True, slots=True)
class Entry:
    """How something gets into a cell.

    Attributes
    ----------
    metres
        Along the network, to where the cell is entered.
    lines
        The numbers of the last `MOST_NAMED` lines of the way, of which the last one is in the cell.
    steps
        How many lines there are in all.

    """

    metres: float
    lines: tuple[int, ...]
    steps: int


class Network:
    """Lines that flow from one node to another.

    Parameters
    ----------
    lines
        What they are called.
    shapes
        LineStrings in degrees; in the direction of flow where nodes are not named.
    ends
        For each line the node from which and the one to which it flows. Where left out, ends that touch
        are one node.

    """

    def __init__(
        self,
        lines: Sequence[Line],
        shapes: NDArray[Any],
        ends: Sequence[tuple[Hashable, Hashable]] | None = None,
    ) -> None:
        self.lines = lines
        middle = np.array(shapely.total_bounds(shapes)) if len(shapes) else np.zeros(4)
        self._scale = scale(float(middle[1] + middle[3]) / 2)
        metric = shapely.transform(shapes, lambda points: points * self._scale)
        if ends is None:
            self._ends: Sequence[tuple[Hashable, Hashable]] = _touching(metric)
        else:
            self._ends = ends
            turned = _turned(metric, ends)
            metric[turned] = shapely.reverse(metric[turned])
        self._shapes = metric
        self._length = shapely.length(metric)
        self._tree = shapely.STRtree(metric)
        self._out: tuple[dict[Hashable, list[int]], ...] = ({}, {})
        for number, (upper, lower) in enumerate(self._ends):
            self._out[0].setdefault(upper, []).append(number)
            self._out[1].setdefault(lower, []).append(number)
        self._kept: Recent[tuple[Any, ...], dict[int, Entry]] = Recent(
            MOST_CELLS, lambda cells: max(len(cells), MOST_CELLS // KEPT)
        )
        self._crossings: dict[tuple[int, int], list[tuple[int, float]]] = {}
        self._singles: dict[int, tuple[NDArray[np.uint64], NDArray[np.bool_]]] = {}

    def reach(self, lon: float, lat: float, metres: float, near: float, *, up: bool = False) -> list[Stretch]:
        """Return what lies downstream of a place, the nearest first.

        Parameters
        ----------
        lon, lat
            Degrees.
        metres
            How far along the network.
        near
            A place farther than so many metres from every line is not on the network.
        up
            What lies upstream instead.

        """
        found: list[Stretch] = []
        first: dict[int, float] = {}
        waiting: list[tuple[float, int, Hashable, int]] = []  # metres, turn, node, stretch
        for line, along in self._beside(lon, lat, near):
            first[line] = along
            left = along if up else float(self._length[line]) - along
            if left > BESIDE:
                found.append(self._stretch(line, along, min(left, metres), 0.0, -1, up=up))
            if left <= metres:
                before = len(found) - 1 if left > BESIDE else -1
                heappush(waiting, (left, len(waiting), self._ends[line][0 if up else 1], before))
        settled: set[Hashable] = set()
        turn = len(waiting)
        while waiting and len(found) < MOST:
            gone, _, node, before = heappop(waiting)
            if node in settled:
                continue
            settled.add(node)
            for line in self._out[1 if up else 0].get(node, ()):
                whole = float(self._length[line])
                start = whole if up else 0.0
                part = whole if line not in first else abs(first[line] - start)
                if part > BESIDE and gone < metres:
                    found.append(self._stretch(line, start, min(part, metres - gone), gone, before, up=up))
                if line not in first and gone + whole <= metres:
                    turn += 1
                    ahead = self._ends[line][0 if up else 1]
                    heappush(
                        waiting, (gone + whole, turn, ahead, len(found) - 1 if part > BESIDE else before)
                    )
        return found

    def is_on(self, lon: float, lat: float, near: float, stretches: Sequence[Stretch]) -> bool:
        """Say whether a place lies on one of some stretches."""
        by_line: dict[int, list[Stretch]] = {}
        for one in stretches:
            by_line.setdefault(one.line, []).append(one)
        return any(
            one.low - BESIDE <= along <= one.high + BESIDE
            for line, along in self._beside(lon, lat, near)
            for one in by_line.get(line, ())
        )

    def cells(self, lon: float, lat: float, metres: float, near: float, level: int) -> dict[int, Entry]:
        """Return the cells (unsigned codes) of a level that lie downstream of a place, and how they do.

        Parameters
        ----------
        lon, lat, metres, near
            As for `reach`.
        level
            Of GeoSOT, at most `FINEST`.

        """
        key = (lon, lat, metres, near, level)
        return self._kept.of(key, lambda: self._cells(self.reach(lon, lat, metres, near), level))

    def _cells(self, stretches: list[Stretch], level: int) -> dict[int, Entry]:
        found: dict[int, Entry] = {}
        ways: list[tuple[tuple[int, ...], int]] = []
        for one in stretches:
            lines, steps = ways[one.before] if one.before >= 0 else ((), 0)
            ways.append(((*lines, one.line)[-MOST_NAMED:], steps + 1))
            length = one.high - one.low
            for code, share in self._through(one, level):
                entered = one.metres + share * length
                if code not in found or entered < found[code].metres:
                    found[code] = Entry(entered, *ways[-1])
        return found

    def _through(self, one: Stretch, level: int) -> Sequence[tuple[int, float]]:
        """Return the cells through which a stretch goes, each with the share of it that lies before."""
        single = self._single(level)
        if single[1][one.line]:
            return [(int(single[0][one.line]), 0.0)]
        if one.low > 0 or one.high < self._length[one.line]:
            return _crossed(self._part(one), level)
        key = one.line, level
        kept = self._crossings.get(key)
        if kept is None:
            if len(self._crossings) >= MOST_CELLS:
                self._crossings.clear()
            kept = self._crossings[key] = _crossed(self._part(one), level)
        return kept

    def _single(self, level: int) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """Return of each line the cell in which its first corner lies, and whether all of it lies there."""
        if level not in self._singles:
            west, south, east, north = (shapely.bounds(self._shapes) / np.tile(self._scale, 2)).T
            codes = np.asarray(grid.encode(west, south, level), np.uint64)
            self._singles[level] = codes, codes == np.asarray(grid.encode(east, north, level), np.uint64)
        return self._singles[level]

    def _beside(self, lon: float, lat: float, near: float) -> list[tuple[int, float]]:
        """Return the lines at which a place is, and how many metres along each."""
        place = shapely.Point(np.array([lon, lat]) * self._scale)
        around = self._tree.query(place, predicate="dwithin", distance=near)
        if not len(around):
            return []
        away = shapely.distance(self._shapes[around], place)
        chosen = np.sort(around[away <= away.min() + BESIDE])
        along = shapely.line_locate_point(self._shapes[chosen], place)
        return list(zip(chosen.tolist(), along.tolist(), strict=True))

    def _stretch(
        self, line: int, start: float, part: float, gone: float, before: int, *, up: bool
    ) -> Stretch:
        low, high = (start - part, start) if up else (start, start + part)
        return Stretch(line, max(low, 0.0), min(high, float(self._length[line])), gone, before)

    def _part(self, one: Stretch) -> Any:
        """Return the shape of a stretch in degrees."""
        part = ops.substring(self._shapes[one.line], one.low, one.high)
        return shapely.transform(part, lambda points: points / self._scale)


def scale(lat: float) -> NDArray[np.float64]:
    """Return how many metres a degree of longitude and of latitude have on CGCS2000 at a latitude.

    From the radii of curvature of the ellipsoid in the prime vertical and in the meridian; over a city these
    lengths are true to a few parts in ten thousand.
    """
    square = _FLATTENING * (2 - _FLATTENING)
    bent = 1 - square * np.sin(np.radians(lat)) ** 2
    east = _EQUATOR / np.sqrt(bent) * np.cos(np.radians(lat))
    north = _EQUATOR * (1 - square) / bent**1.5
    return np.array([np.radians(east), np.radians(north)])


def _touching(shapes: NDArray[Any]) -> list[tuple[Hashable, Hashable]]:
    """Return the nodes of lines of which ends that touch are one."""
    from scipy.sparse import coo_array  # few cities have lines without nodes
    from scipy.sparse.csgraph import connected_components

    points = np.concatenate([shapely.get_point(shapes, 0), shapely.get_point(shapes, -1)])
    one, other = shapely.STRtree(points).query(points, predicate="dwithin", distance=TOUCHING)
    size = len(points)
    _, node = connected_components(coo_array((np.ones(len(one), bool), (one, other)), shape=(size, size)))
    return list(zip(node[: size // 2].tolist(), node[size // 2 :].tolist(), strict=True))


def _turned(shapes: NDArray[Any], ends: Sequence[tuple[Hashable, Hashable]]) -> NDArray[np.bool_]:
    """Say which lines are drawn against their flow, as the lines that share their nodes tell.

    A line is turned where its first point lies nearer to the lines of its lower node, and its last to those
    of its upper one.
    """
    numbers: dict[Hashable, int] = {}
    nodes = np.array([[numbers.setdefault(one, len(numbers)) for one in pair] for pair in ends], np.int64)
    nodes = nodes.reshape(-1, 2)
    # At a line that ends where it begins nothing is told by that node.
    lines = np.flatnonzero(nodes[:, 0] != nodes[:, 1])
    first = shapely.get_coordinates(shapely.get_point(shapes, 0))
    last = shapely.get_coordinates(shapely.get_point(shapes, -1))
    member = np.concatenate([lines, lines, np.flatnonzero(nodes[:, 0] == nodes[:, 1])])
    node = np.concatenate([nodes[lines, 0], nodes[lines, 1], nodes[member[2 * len(lines) :], 0]])
    order = np.argsort(node, kind="stable")
    away = np.empty((len(order), 2))
    away[order] = _to_others(first, last, member[order], node[order])
    of_upper, of_lower = away[: len(lines)], away[len(lines) : 2 * len(lines)]
    turned = np.zeros(len(shapes), bool)
    drawn, against = of_upper[:, 0] + of_lower[:, 1], of_upper[:, 1] + of_lower[:, 0]
    turned[lines] = against < drawn - ALIKE
    return turned


def _to_others(
    first: NDArray[np.float64], last: NDArray[np.float64], line: NDArray[np.int64], node: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how far the first and last point of lines are from the nearest end of others at a node.

    Parameters
    ----------
    first, last
        (lines, 2) points of all lines, metres.
    line, node
        Which line is at which node, in the order of the nodes.

    Returns
    -------
    (n, 2) metres; 0 where there are no others.

    """
    found = np.zeros((len(node), 2))
    begins = np.flatnonzero(np.diff(node, prepend=-1))
    sizes = np.diff(np.append(begins, len(node)))
    for begin, size in zip(begins[sizes > HUB].tolist(), sizes[sizes > HUB].tolist(), strict=True):
        own = line[begin : begin + size]
        found[begin : begin + size] = _to_nearest(first[own], last[own])
    begin_of, size_of = np.repeat(begins, sizes), np.repeat(sizes, sizes)
    few = np.flatnonzero((size_of > 1) & (size_of <= HUB))
    step = AT_ONCE // HUB
    for some in (few[at : at + step] for at in range(0, len(few), step)):
        count = size_of[some]
        starts = np.cumsum(count) - count
        here = np.repeat(some, count)
        there = np.repeat(begin_of[some] - starts, count) + np.arange(int(count.sum()))
        for side, points in enumerate((first, last)):
            place = points[line[here]]
            apart = np.minimum(
                np.hypot(*(place - first[line[there]]).T), np.hypot(*(place - last[line[there]]).T)
            )
            apart[here == there] = np.inf
            found[some, side] = np.minimum.reduceat(apart, starts)
    return found


def _to_nearest(first: NDArray[np.float64], last: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far the ends of each of many lines are from the nearest end of another, (n, 2) metres."""
    from scipy.spatial import cKDTree  # few networks have nodes with so many lines

    points = np.concatenate([first, last])
    # Of the three nearest ends two at most are those of the line itself.
    apart, nearest = cKDTree(points).query(points, k=3)
    own = nearest % len(first) == (np.arange(len(points)) % len(first))[:, None]
    found: NDArray[np.float64] = np.where(own, np.inf, apart).min(1)
    return found.reshape(2, -1).T


def _crossed(shape: Any, level: int) -> list[tuple[int, float]]:
    """Return the cells of a level through which a line goes, each with the share of it that lies before."""
    codes = grid.cover(shape, level=level).cells_at(level).tolist()
    return [(code, _entered(shape, grid.bounds(code, level))) for code in codes]


def _entered(shape: Any, bounds: tuple[float, float, float, float]) -> float:
    """Return after which share of a line it is first in a box."""
    inside = shapely.get_coordinates(shapely.intersection(shape, shapely.box(*bounds)))
    if not len(inside):
        return 0.0
    return float(shapely.line_locate_point(shape, shapely.points(inside), normalized=True).min())
