"""A network of lines in which something flows: what lies downstream or upstream of a place, and which way."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from heapq import heappop, heappush
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely import ops

from jingwei import grid

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
    """How something gets into a cell: after so many metres, by these lines (numbers), the last one in it."""

    metres: float
    lines: tuple[int, ...]


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
        self._kept: OrderedDict[tuple[Any, ...], dict[int, Entry]] = OrderedDict()
        self._guard = Lock()

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
        with self._guard:
            kept = self._kept.get(key)
        if kept is None:
            kept = self._cells(self.reach(lon, lat, metres, near), level)
            with self._guard:
                self._kept[key] = kept
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return kept

    def _cells(self, stretches: list[Stretch], level: int) -> dict[int, Entry]:
        found: dict[int, Entry] = {}
        for one in stretches:
            shape = self._part(one)
            for code in grid.cover(shape, level=level).cells_at(level).tolist():
                if code in found and found[code].metres <= one.metres:
                    continue
                entered = one.metres + _entered(shape, grid.bounds(code, level)) * (one.high - one.low)
                if code not in found or entered < found[code].metres:
                    found[code] = Entry(entered, self._way(stretches, one))
        return found

    def _way(self, stretches: list[Stretch], last: Stretch) -> tuple[int, ...]:
        """Return by which lines a stretch is reached, itself the last."""
        lines = [last.line]
        while last.before >= 0:
            last = stretches[last.before]
            lines.append(last.line)
        return tuple(reversed(lines))

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
    """Say which lines are drawn against their flow, as the lines that share their nodes tell."""
    first = shapely.get_coordinates(shapely.get_point(shapes, 0))
    last = shapely.get_coordinates(shapely.get_point(shapes, -1))
    of_node: dict[Hashable, list[int]] = {}
    for number, pair in enumerate(ends):
        for node in set(pair):
            of_node.setdefault(node, []).append(number)
    turned = np.zeros(len(shapes), bool)
    for number, pair in enumerate(ends):
        drawn = against = 0.0
        for node, here, there in zip(pair, (first, last), (last, first), strict=True):
            others = [one for one in of_node[node] if one != number]
            if others:
                points = np.concatenate([first[others], last[others]])
                drawn += float(np.hypot(*(points - here[number]).T).min())
                against += float(np.hypot(*(points - there[number]).T).min())
        turned[number] = against < drawn
    return turned


def _entered(shape: Any, bounds: tuple[float, float, float, float]) -> float:
    """Return after which share of a line it is first in a box."""
    inside = shapely.get_coordinates(shapely.intersection(shape, shapely.box(*bounds)))
    if not len(inside):
        return 0.0
    return float(shapely.line_locate_point(shape, shapely.points(inside), normalized=True).min())
