"""The storm drains: pipes under the streets that fall to the river, with the ground or below it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from jingwei.city.demo.arrays import Bools, Floats, Geometries, Ints, totals
from jingwei.city.demo.fabric import Fabric
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.lines import Line, Lines
from jingwei.city.demo.roads import Roads

COVER = 1.6
LEAST_FALL = 0.0012
METRES_PER_CLIMB = 400.0  # what a metre against the slope is worth in metres of detour
STANDARD_DIAMETERS = np.array([0.4, 0.6, 0.8, 1.0, 1.2, 1.5, 1.8, 2.2, 2.6, 3.0])


@dataclass(frozen=True, slots=True)
class Drains:
    """A forest of storm drains: every junction in town has one way down to an outfall.

    Attributes
    ----------
    node
        Junction (of the road graph) of each drain node.
    ground, invert
        Heights of the cover and of the pipe's bottom, metres.
    downstream
        Drain node that each one flows to, -1 at outfalls.
    distance
        Metres along the pipes to the outfall.
    area
        Land drained through the node, m2.
    pipes
        Centre lines from each node to its downstream node; empty at outfalls.
    diameter
        Metres; 0 at outfalls.

    """

    node: Ints
    x: Floats
    y: Floats
    ground: Floats
    invert: Floats
    downstream: Ints
    distance: Floats
    area: Floats
    pipes: Geometries
    diameter: Floats


def lay_drains(layout: Layout) -> Drains:
    """Lay storm drains under the streets, each node draining the way that climbs least."""
    fabric, lines, roads, terrain = layout.fabric, layout.lines, layout.roads, layout.terrain
    street = (roads.kinds >= Line.BRANCH) & (roads.kinds != Line.COUNTY) & ~roads.bridges
    used = np.unique(np.concatenate([roads.start[street], roads.end[street]]))
    index = np.full(len(roads.x), -1, dtype=np.int64)
    index[used] = np.arange(len(used))
    x, y = roads.x[used], roads.y[used]
    ground = terrain.at(x, y)
    start, end = index[roads.start[street]], index[roads.end[street]]
    outfall = _outfalls(lines, x, y, start, end)
    down, distance = _flow(start, end, roads.length[street], ground, outfall)
    reached = np.isfinite(distance)
    area = _drained(fabric, x, y, down, distance)
    order = np.argsort(-np.where(reached, distance, -1.0), kind="stable")
    invert = ground - COVER - 0.8
    for node in order[down[order] >= 0]:  # from the farthest node down: each pipe falls, deeper where it must
        below = down[node]
        fall = LEAST_FALL * (distance[node] - distance[below])
        invert[below] = min(invert[below], invert[node] - max(fall, 0.01))
    keep = reached & ((down >= 0) | outfall)
    renumber = np.full(len(used) + 1, -1, dtype=np.int64)
    renumber[:-1][keep] = np.arange(int(keep.sum()))
    needed = np.sqrt(area / 1e4 * 0.085)
    diameter = STANDARD_DIAMETERS[
        np.minimum(np.searchsorted(STANDARD_DIAMETERS, needed), len(STANDARD_DIAMETERS) - 1)
    ]
    return Drains(
        node=used[keep],
        x=x[keep],
        y=y[keep],
        ground=ground[keep],
        invert=np.round(invert[keep], 2),
        downstream=renumber[down[keep]],
        distance=np.round(distance[keep], 1),
        area=np.round(area[keep]),
        pipes=_pipes(roads, street, start, end, down)[keep],
        diameter=np.where(down[keep] >= 0, diameter[keep], 0.0),
    )


def _outfalls(lines: Lines, x: Floats, y: Floats, start: Ints, end: Ints) -> Bools:
    """Return the nodes beside river or tributary that are lower than all their neighbours towards it."""
    banks = shapely.multilinestrings(lines.shapes[np.isin(lines.kinds, (Line.BANK, Line.STREAM))])
    shapely.prepare(banks)
    away = shapely.distance(banks, shapely.points(x, y))
    nearest = np.full(len(x), np.inf)
    np.minimum.at(nearest, start, away[end])
    np.minimum.at(nearest, end, away[start])
    outfall = (away < 75.0) & (away <= nearest + 1.0)
    outfall[away.argmin()] = True
    return np.asarray(outfall)


def _flow(start: Ints, end: Ints, length: Floats, ground: Floats, outfall: Bools) -> tuple[Ints, Floats]:
    """Return the downstream node of each node by least effort, and its distance to the outfall."""
    climb = ground[end] - ground[start]
    up_to_end = length + METRES_PER_CLIMB * np.maximum(-climb, 0.0)
    up_to_start = length + METRES_PER_CLIMB * np.maximum(climb, 0.0)
    count = len(ground)
    cost, first, second = (
        np.concatenate([up_to_end, up_to_start]),
        np.concatenate([start, end]),
        np.concatenate([end, start]),
    )
    order = np.lexsort((cost, second, first))
    first, second, cost = first[order], second[order], cost[order]
    once = np.concatenate([[True], (first[1:] != first[:-1]) | (second[1:] != second[:-1])]) & (
        first != second
    )
    graph = coo_array((cost[once], (first[once], second[once])), shape=(count, count)).tocsr()
    _, down, _ = dijkstra(graph, indices=np.flatnonzero(outfall), min_only=True, return_predecessors=True)
    down = np.where(down < 0, -1, down).astype(np.int64)
    return down, _distance(down, outfall, start, end, length)


def _distance(down: Ints, outfall: Bools, start: Ints, end: Ints, length: Floats) -> Floats:
    """Return metres along the flow to the outfall, infinite where there is none."""
    step = np.full(len(down), np.inf)
    for one, other in ((start, end), (end, start)):
        flows = down[one] == other
        np.minimum.at(step, one[flows], length[flows])
    jump, total = np.where(down < 0, np.arange(len(down)), down), np.where(down < 0, 0.0, step)
    for _ in range(int(np.ceil(np.log2(len(down) + 1))) + 1):  # pointer doubling along the tree
        total = total + total[jump]
        jump = jump[jump]
    return np.where(outfall[jump], total, np.inf)


def _drained(fabric: Fabric, x: Floats, y: Floats, down: Ints, distance: Floats) -> Floats:
    """Return the land drained through each node: that of the faces nearest to it, and all above it."""
    town = np.flatnonzero((fabric.remoteness < 1.0) & (fabric.surface < 0))
    nearest = shapely.STRtree(shapely.points(x, y)).nearest(shapely.centroid(fabric.faces[town]))
    area = totals(np.asarray(nearest), shapely.area(fabric.faces[town]), len(x))
    order = np.argsort(-np.where(np.isfinite(distance), distance, -1.0), kind="stable")
    for node in order:
        if down[node] >= 0:
            area[down[node]] += area[node]
    return area


def _pipes(roads: Roads, street: Bools, start: Ints, end: Ints, down: Ints) -> Geometries:
    """Return the shape of the street between each node and its downstream node, drawn downstream."""
    pipes = np.full(len(down), None, dtype=object)
    shapes, length = roads.shapes[street], roads.length[street]
    order = np.argsort(-length, kind="stable")
    for one, other, turn in ((start, end, False), (end, start, True)):
        for edge in order[down[one[order]] == other[order]]:
            pipes[one[edge]] = shapely.reverse(shapes[edge]) if turn else shapes[edge]
    return pipes
