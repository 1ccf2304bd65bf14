"""Metro and bus lines with their stops."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from jingwei.city.demo.addresses import Addresses
from jingwei.city.demo.arrays import Floats, Geometries, Ints, Texts
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.lines import Line
from jingwei.city.demo.roads import SPEEDS, Roads


@dataclass(frozen=True, slots=True)
class Transit:
    """Lines of one kind and the stops on them, in order.

    Attributes
    ----------
    names, shapes
        Of each line.
    line, order
        The line of each stop, and its place on the line from 1.
    stop_names, x, y
        Of each stop.

    """

    names: Texts
    shapes: Geometries
    line: Ints
    order: Ints
    stop_names: Texts
    x: Floats
    y: Floats


def run_metro(layout: Layout) -> Transit:
    """Run metro lines below the axes: along the river, across it, and from corner to corner."""
    settings, plan, roads, addresses = layout.settings, layout.plan, layout.roads, layout.addresses
    reach = 0.92 * plan.urban
    middle_u, middle_v = float(plan.centre[0]), float(plan.road_of_row(np.array(float(plan.centre[1]))))
    part = np.linspace(-reach, reach, 80)
    bend = np.clip(part / reach, -1.0, 1.0)
    courses = (
        (part, np.zeros_like(part)),
        (np.zeros_like(part), part),
        (0.72 * reach * np.sin(bend * np.pi / 2.0), 0.62 * reach * bend**3),
    )
    shapes, names = [], []
    for number, (u, v) in enumerate(courses[: settings.scale.metro_lines], start=1):
        road = middle_v + v
        row = np.where(
            road <= plan.strip,
            road,
            np.where(road >= plan.strip + 1, road + 3.0, plan.strip + 4.0 * (road - plan.strip)),
        )
        shapes.append(shapely.linestrings(np.column_stack(plan.place(middle_u + u, row))))
        names.append(f"地铁{number}号线")
    return _with_stops(
        np.array(names, dtype=object), np.array(shapes, dtype=object), None, "站", roads, addresses
    )


def run_buses(layout: Layout) -> Transit:
    """Run bus lines by the quickest way between two far ends, by way of a stop near the middle."""
    settings, roads, addresses = layout.settings, layout.roads, layout.addresses
    random = settings.draws("buses")
    wide = np.flatnonzero(roads.kinds >= Line.SECONDARY)
    hours = roads.length / 1000.0 / roads.table(SPEEDS)
    preferred = hours * np.where(roads.kinds >= Line.SECONDARY, 1.0, 2.5)
    count = len(roads.x)
    order = np.argsort(preferred, kind="stable")
    pairs = np.sort(np.column_stack([roads.start, roads.end])[order], axis=1)
    _, once = np.unique(pairs[:, 0] * count + pairs[:, 1], return_index=True)
    edges = order[once]
    edges = edges[roads.start[edges] != roads.end[edges]]
    graph = coo_array(
        (preferred[edges], (roads.start[edges], roads.end[edges])), shape=(count, count)
    ).tocsr()
    edge_of = {
        (int(min(a, b)), int(max(a, b))): int(edge)
        for edge, a, b in zip(edges, roads.start[edges], roads.end[edges], strict=True)
    }
    nodes = np.unique(np.concatenate([roads.start[wide], roads.end[wide]]))
    radius = np.hypot(roads.x[nodes], roads.y[nodes])
    rim, core = nodes[radius > np.percentile(radius, 72)], nodes[radius < np.percentile(radius, 30)]
    shapes, names = [], []
    for number in range(settings.scale.bus_lines):
        first, last = random.choice(rim, 2, replace=False)
        middle = int(random.choice(core))
        _, before = dijkstra(graph, directed=False, indices=middle, return_predecessors=True)
        way = _trace(before, int(first))[:-1] + _trace(before, int(last))[::-1]
        line = _shape(roads, edge_of, way)
        if line is not None:
            shapes.append(line)
            names.append(f"{number + 1}路")
    return _with_stops(
        np.array(names, dtype=object), np.array(shapes, dtype=object), 480.0, "", roads, addresses
    )


def _trace(before: Ints, node: int) -> list[int]:
    way = [node]
    while before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    return way


def _shape(roads: Roads, edge_of: dict[tuple[int, int], int], way: list[int]) -> shapely.LineString | None:
    points: list[Floats] = []
    for one, other in pairwise(way):
        if one == other:
            continue
        edge = edge_of[min(one, other), max(one, other)]
        line = shapely.get_coordinates(roads.shapes[edge])
        points.append(line if roads.start[edge] == one else line[::-1])
    return shapely.LineString(np.concatenate(points)) if points else None


def _with_stops(
    names: Texts, shapes: Geometries, apart: float | None, tail: str, roads: Roads, addresses: Addresses
) -> Transit:
    """Set stops at even distances, each named after a street that it crosses."""
    length = shapely.length(shapes)
    apart = apart or np.clip(length / 5.0, 300.0, 1_150.0)
    count = np.maximum(2, np.rint(length / apart)).astype(np.int64) + 1
    line = np.repeat(np.arange(len(shapes)), count)
    order = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)
    points = shapely.line_interpolate_point(shapes[line], order / (count[line] - 1), normalized=True)
    x, y = shapely.get_coordinates(points).T
    stop = _crossing_names(points, roads, addresses) + tail
    return Transit(
        names, shapes, line, order + 1, _told_apart(line, stop, tail), np.round(x, 2), np.round(y, 2)
    )


def _crossing_names(points: Geometries, roads: Roads, addresses: Addresses) -> Texts:
    """Return for each stop the greatest street near it other than the one that it lies on."""
    tree = shapely.STRtree(roads.shapes)
    on = addresses.road_names[tree.nearest(points)]
    stop, road = tree.query(points, predicate="dwithin", distance=260.0)
    away = shapely.distance(points[stop], roads.shapes[road])
    order = np.lexsort((away, -roads.kinds[road], stop))
    names = on.copy()
    for index in order[::-1]:  # the best of each stop comes last and stays
        if addresses.road_names[road[index]] != on[stop[index]]:
            names[stop[index]] = addresses.road_names[road[index]]
    return np.asarray(names)


def _told_apart(line: Ints, names: Texts, tail: str) -> Texts:
    """Tell stops of one line that would bear the same name apart by direction and number."""
    told = names.copy()
    seen: dict[tuple[int, str], int] = {}
    for index, (number, name) in enumerate(zip(line.tolist(), names.tolist(), strict=True)):
        times = seen.get((number, name), 0)
        seen[number, name] = times + 1
        if times:
            base = name.removesuffix(tail) if tail else name
            told[index] = base + ("口", "东", "南", "西", "北", "中")[min(times - 1, 5)] + tail
    return told
