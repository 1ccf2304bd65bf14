"""The road graph: junctions, and the carriageways between them with class, lanes and speed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from jingwei.city.demo.arrays import Bools, Floats, Geometries, Ints, Texts
from jingwei.city.demo.fabric import Fabric
from jingwei.city.demo.lines import Line
from jingwei.city.demo.settings import Settings

# Width of the right of way (m), lanes in both directions, and speed limit (km/h) by class: ordinary values of
# Chinese towns.
WIDTHS = {
    Line.LANE: 7.0,
    Line.BRANCH: 14.0,
    Line.COUNTY: 14.0,
    Line.SECONDARY: 26.0,
    Line.PRIMARY: 40.0,
    Line.EXPRESSWAY: 52.0,
}
LANES = {Line.LANE: 1, Line.BRANCH: 2, Line.COUNTY: 2, Line.SECONDARY: 4, Line.PRIMARY: 6, Line.EXPRESSWAY: 8}
SPEEDS = {
    Line.LANE: 20,
    Line.BRANCH: 30,
    Line.COUNTY: 60,
    Line.SECONDARY: 50,
    Line.PRIMARY: 60,
    Line.EXPRESSWAY: 80,
}
CLASS_NAMES = {
    Line.LANE: "街巷",
    Line.BRANCH: "支路",
    Line.COUNTY: "公路",
    Line.SECONDARY: "次干路",
    Line.PRIMARY: "主干路",
    Line.EXPRESSWAY: "快速路",
}


@dataclass(frozen=True, slots=True)
class Roads:
    """A strongly connected road graph.

    Attributes
    ----------
    x, y
        Junctions, metres.
    shapes
        Centre lines, metres, each drawn from its `start` to its `end` junction.
    kinds
        `Line` of each.
    ways
        The way that each is a piece of.
    bridges
        True for the pieces over the river.
    one_way
        True where traffic runs from start to end only.
    length
        Metres.

    """

    x: Floats
    y: Floats
    shapes: Geometries
    kinds: Ints
    ways: Texts
    bridges: Bools
    start: Ints
    end: Ints
    one_way: Bools
    length: Floats

    def table(self, values: dict[Line, float] | dict[Line, int]) -> Floats:
        """Return a value of each road by its class."""
        of_kind = np.zeros(len(Line))
        for kind, value in values.items():
            of_kind[kind] = value
        return of_kind[self.kinds]

    @property
    def degree(self) -> Ints:
        """The number of roads that meet at each junction."""
        return np.bincount(np.concatenate([self.start, self.end]), minlength=len(self.x)).astype(np.int64)


def build_roads(settings: Settings, fabric: Fabric) -> Roads:
    """Build the road graph from the fabric's edges; what is not connected to the rest is left out."""
    is_road = fabric.edge_kinds >= Line.LANE
    shapes, kinds = fabric.edges[is_road], fabric.edge_kinds[is_road]
    ways, bridges = fabric.edge_ways[is_road], fabric.edge_bridges[is_road]
    start, end, _ = _ends(shapes)
    keep = _in_largest_part(start, end) & ~_is_stub(shapes, start, end)
    shapes, kinds, ways, bridges = shapes[keep], kinds[keep], ways[keep], bridges[keep]
    shapes, first = _join_chains(shapes, kinds, ways, bridges)
    start, end, points = _ends(shapes)
    one_way = _one_ways(settings, fabric, shapes, kinds[first], start, end, len(points))
    return Roads(
        x=points[:, 0],
        y=points[:, 1],
        shapes=shapes,
        kinds=kinds[first],
        ways=ways[first],
        bridges=bridges[first],
        start=start,
        end=end,
        one_way=one_way,
        length=np.round(shapely.length(shapes), 2),
    )


def is_strongly_connected(roads: Roads) -> bool:
    """Tell whether every junction can be reached from every other by car."""
    count, _ = _strong_parts(roads.start, roads.end, roads.one_way, len(roads.x))
    return count == 1


def _ends(shapes: Geometries) -> tuple[Ints, Ints, Floats]:
    """Return the start and end node of lines, and the nodes' points (n, 2), ordered by place."""
    first = shapely.get_coordinates(shapely.get_point(shapes, 0))
    last = shapely.get_coordinates(shapely.get_point(shapes, -1))
    keys = np.round(np.concatenate([first, last]) * 100.0).astype(np.int64)
    points, number = np.unique(keys, axis=0, return_inverse=True)
    number = number.ravel()
    return number[: len(shapes)], number[len(shapes) :], points / 100.0


def _in_largest_part(start: Ints, end: Ints) -> Bools:
    count = int(max(start.max(), end.max())) + 1
    _, part = connected_components(
        coo_array((np.ones(len(start)), (start, end)), shape=(count, count)), directed=False
    )
    return np.asarray(part[start] == np.bincount(part[start]).argmax())


def _is_stub(shapes: Geometries, start: Ints, end: Ints) -> Bools:
    """Return which pieces are the shreds that a cut leaves beyond the line it ends on."""
    degree = np.bincount(np.concatenate([start, end]))
    return np.asarray((shapely.length(shapes) < 1.0) & ((degree[start] == 1) | (degree[end] == 1)))


def _join_chains(shapes: Geometries, kinds: Ints, ways: Texts, bridges: Bools) -> tuple[Geometries, Ints]:
    """Join pieces of one way between junctions; return the roads and the first piece of each."""
    start, end, points = _ends(shapes)
    degree = np.bincount(np.concatenate([start, end]), minlength=len(points))
    _, way = np.unique(ways.astype(str), return_inverse=True)
    key = (way.astype(np.int64) * len(Line) + kinds) * 2 + bridges
    ends = np.concatenate([start, end])
    piece = np.tile(np.arange(len(shapes)), 2)
    order = np.argsort(ends, kind="stable")
    ends, piece = ends[order], piece[order]
    middle = np.flatnonzero(
        (ends[1:] == ends[:-1]) & (degree[ends[1:]] == 2) & (key[piece[1:]] == key[piece[:-1]])
    )
    links = coo_array(
        (np.ones(len(middle)), (piece[middle], piece[middle + 1])), shape=(len(shapes), len(shapes))
    )
    _, chain = connected_components(links, directed=False)
    order = np.argsort(chain, kind="stable")
    grouped = shapely.multilinestrings(shapes[order], indices=chain[order])
    _, first = np.unique(chain, return_index=True)
    merged = shapely.line_merge(grouped)
    single = shapely.get_type_id(merged) == 1
    if single.all():
        return merged, first
    parts, index = shapely.get_parts(merged, return_index=True)
    return parts, first[index]


def _strong_parts(start: Ints, end: Ints, one_way: Bools, count: int) -> tuple[int, Ints]:
    both = ~one_way
    source = np.concatenate([start, end[both]])
    target = np.concatenate([end, start[both]])
    graph = coo_array((np.ones(len(source)), (source, target)), shape=(count, count))
    parts, part = connected_components(graph, directed=True, connection="strong")
    return int(parts), part


def _one_ways(
    settings: Settings, fabric: Fabric, shapes: Geometries, kinds: Ints, start: Ints, end: Ints, count: int
) -> Bools:
    """Make some small streets of the inner city one-way, as long as every junction stays reachable."""
    random = settings.draws("one-way")
    tree = shapely.STRtree(shapely.centroid(fabric.faces))
    remote = fabric.remoteness[tree.nearest(shapely.centroid(shapes))]
    one_way = (kinds == Line.BRANCH) & (remote < 0.4) & (random.random(len(shapes)) < 0.12) & (start != end)
    while True:
        parts, part = _strong_parts(start, end, one_way, count)
        if parts == 1:
            return np.asarray(one_way)
        one_way &= part[start] == part[end]
