"""Metro and bus lines with their stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from scipy.interpolate import CubicSpline
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from jingwei.city.demo.addresses import Addresses
from jingwei.city.demo.arrays import Floats, Geometries, Ints, Texts
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.lines import Line
from jingwei.city.demo.plan import Plan
from jingwei.city.demo.roads import SPEEDS, Roads

STREET_NEAR = 260.0  # metres within which a stop bears the name of a street


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
    """Run metro lines from the rim through the centres and past the station to the far rim.

    Lines that pass the same place share a station there.
    """
    plan, scale = layout.plan, layout.settings.scale
    middle = float(plan.road_of_row(np.array(float(plan.centre[1]))))
    old, new, station = plan.old_town, plan.new_town, (float(plan.centre[0]), plan.rail)

    def rim(east: float, north: float) -> tuple[float, float]:
        """Return the end of a line in a direction: out in the fields, but before the hills."""
        uphill = east * np.cos(plan.hills) + north * np.sin(plan.hills)
        reach = min((1.25 - 0.4 * max(uphill, 0.0)) * plan.urban, plan.centre[0] - 0.4)
        road = np.clip(middle + north * reach, 0.3, len(plan.rows) - 4.3)
        row = road if road <= plan.strip else max(road + 3.0, plan.strip + 4.0)
        return plan.centre[0] + east * reach, float(row)

    east = 1.0 if new[0] >= old[0] else -1.0
    if scale.metro_lines == 1:
        courses: tuple[tuple[tuple[float, float], ...], ...] = (
            (rim(-east, 0.3), station, old, new, rim(east, 0.1)),
        )
    else:
        away = [float(np.hypot(place[0] - new[0], place[1] - new[1])) for place in plan.subcentres]
        far = plan.subcentres[int(np.argmax(away))]
        beyond = (new[0] + 0.55 * (new[0] - station[0]), new[1] + 0.55 * (new[1] - station[1]))
        courses = (
            (rim(-east, -0.12), (old[0] - 0.35 * east * plan.urban, old[1]), old, new, rim(east, 0.1)),
            (rim(0.12, 1.0), station, old, (old[0] - 0.1 * plan.urban, plan.strip - 2.0), rim(-0.2, -1.0)),
            ((float(far[0]), float(far[1])), station, new, beyond),
        )
    marks = {old: "鼓楼站", new: "市民中心站", station: "火车站"}
    shapes, names, stops = [], [], []
    for number, course in enumerate(courses[: scale.metro_lines], start=1):
        shape, at = _course(plan, course, apart=float(np.clip(0.15 * plan.extent, 260.0, 1_250.0)))
        shapes.append(shape)
        names.append(f"地铁{number}号线")
        stops.append(at)
    known = [(shapely.Point(*_point(plan, place)), name) for place, name in marks.items()]
    return _with_stops(
        np.array(names, dtype=object),
        np.array(shapes, dtype=object),
        stops,
        known,
        layout,
    )


def _point(plan: Plan, place: tuple[float, float]) -> tuple[float, float]:
    x, y = plan.place(np.array(place[0]), np.array(place[1]))
    return float(x), float(y)


def _course(
    plan: Plan, places: Sequence[tuple[float, float]], apart: float
) -> tuple[shapely.LineString, Floats]:
    """Return a smooth line through places of the lattice, and how far along it its stations are, metres.

    Every place is a station; between two places stations lie at even distances.
    """
    through = np.array([_point(plan, place) for place in places])
    steps = np.sqrt(np.hypot(*np.diff(through, axis=0).T))  # centripetal: no loops at sharp turns (Lee, 1989)
    part = np.concatenate([[0.0], np.cumsum(steps)])
    fine = np.unique(np.concatenate([np.linspace(0.0, part[-1], 240), part]))
    points = CubicSpline(part, through, bc_type="natural")(fine)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    ends = np.interp(part, fine, along)
    pieces = [
        np.linspace(low, high, max(1, round((high - low) / apart)) + 1)[:-1] for low, high in pairwise(ends)
    ]
    return shapely.LineString(points), np.append(np.concatenate(pieces), ends[-1])


def run_buses(layout: Layout) -> Transit:
    """Run bus lines by the quickest way between two far ends, by way of a stop near the middle."""
    settings, roads = layout.settings, layout.roads
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
    lines = np.array(shapes, dtype=object)
    stops = [np.linspace(0.0, length, max(2, round(length / 480.0)) + 1) for length in shapely.length(lines)]
    return _with_stops(np.array(names, dtype=object), lines, stops, (), layout)


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
    names: Texts,
    shapes: Geometries,
    stops: Sequence[Floats],
    known: Sequence[tuple[shapely.Point, str]],
    layout: Layout,
) -> Transit:
    """Set stops at distances along lines, named after a known place, a street or the quarter."""
    tail = "站" if known else ""
    count = np.array([len(at) for at in stops])
    line = np.repeat(np.arange(len(shapes)), count)
    order = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)
    points = shapely.line_interpolate_point(shapes[line], np.concatenate(stops))
    x, y = shapely.get_coordinates(points).T
    stop = _crossing_names(points, layout.roads, layout.addresses)
    face = shapely.STRtree(layout.fabric.faces).nearest(points)
    communities = layout.divisions.communities.names[layout.divisions.community[face]]
    quarter = np.array([name.removesuffix("社区").removesuffix("村") for name in communities], dtype=object)
    place = np.full(len(stop), "", dtype=object)
    for point, name in known:
        place[shapely.distance(points, point) < 1.0] = name
    return Transit(
        names,
        shapes,
        line,
        order + 1,
        _told_apart(line, stop, quarter, place, tail),
        np.round(x, 2),
        np.round(y, 2),
    )


def _crossing_names(points: Geometries, roads: Roads, addresses: Addresses) -> Texts:
    """Return for each stop the greatest street near it other than the one it lies on; empty in the fields."""
    streets = np.flatnonzero((roads.kinds >= Line.BRANCH) & (roads.kinds != Line.COUNTY))
    tree = shapely.STRtree(roads.shapes[streets])
    nearest = streets[tree.nearest(points)]
    near = shapely.distance(points, roads.shapes[nearest]) < STREET_NEAR
    names = np.where(near, addresses.road_names[nearest], "").astype(object)
    stop, found = tree.query(points, predicate="dwithin", distance=STREET_NEAR)
    road = streets[found]
    away = shapely.distance(points[stop], roads.shapes[road])
    order = np.lexsort((away, -roads.kinds[road], stop))
    on = names.copy()
    for index in order[::-1]:  # the best of each stop comes last and stays
        if addresses.road_names[road[index]] != on[stop[index]]:
            names[stop[index]] = addresses.road_names[road[index]]
    return np.asarray(names)


def _told_apart(line: Ints, streets: Texts, quarters: Texts, places: Texts, tail: str) -> Texts:
    """Name the stops of each line apart: by place, else by street, else by quarter, else by a side of it."""
    told = np.empty(len(streets), dtype=object)
    taken: set[tuple[int, str]] = set()
    rows = zip(line.tolist(), streets.tolist(), quarters.tolist(), places.tolist(), strict=True)
    for index, (number, street, quarter, place) in enumerate(rows):
        sides = [f"{base}{side}" for side in ("", *"东南西北中口") for base in (street, quarter) if base]
        free = (name + tail for name in sides if (number, name + tail) not in taken)
        told[index] = place or next(free, f"{quarter}{index}{tail}")
        taken.add((number, told[index]))
    return told
