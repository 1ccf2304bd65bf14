"""Lanes to the villages: along the edges of fields, to the nearest road."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from jingwei.city.demo.arrays import Bools, Ints
from jingwei.city.demo.fabric import Fabric
from jingwei.city.demo.lines import Line


def lead_lanes(fabric: Fabric, villages: Ints) -> Fabric:
    """Turn edges of fields into lanes, so that every village face that can has a way to the road network.

    Parameters
    ----------
    fabric
        The faces and edges.
    villages
        Faces that hold a village.

    """
    field = np.flatnonzero((fabric.edge_kinds == Line.BOUNDARY) & ~_at_river(fabric))
    road = np.flatnonzero(fabric.edge_kinds >= Line.LANE)
    if not len(field) or not len(villages):
        return fabric
    ends = shapely.get_coordinates(
        np.concatenate([shapely.get_point(fabric.edges, 0), shapely.get_point(fabric.edges, -1)])
    )
    points, node = np.unique(np.round(ends * 100.0).astype(np.int64), axis=0, return_inverse=True)
    start, end = np.split(node.ravel(), 2)
    count = len(points)
    length = shapely.length(fabric.edges[field])
    order = np.argsort(length, kind="stable")
    pair = np.sort(np.column_stack([start[field], end[field]]), axis=1)[order]
    _, once = np.unique(pair[:, 0] * count + pair[:, 1], return_index=True)
    chosen = field[order[once]]
    one, other = start[chosen], end[chosen]
    graph = coo_array((shapely.length(fabric.edges[chosen]), (one, other)), shape=(count, count)).tocsr()
    at_road = np.unique(np.concatenate([start[road], end[road]]))
    distance, before, _ = dijkstra(
        graph, directed=False, indices=at_road, min_only=True, return_predecessors=True
    )
    edge_of = {
        (min(a, b), max(a, b)): edge
        for a, b, edge in zip(one.tolist(), other.tolist(), chosen.tolist(), strict=True)
    }
    kinds, ways = fabric.edge_kinds.copy(), fabric.edge_ways.copy()
    tree = shapely.STRtree(shapely.points(points / 100.0))
    for number, face in enumerate(villages.tolist()):
        corners = tree.query(fabric.faces[face], predicate="touches")
        corners = corners[np.isfinite(distance[corners])]
        if not len(corners):
            continue
        here = int(corners[distance[corners].argmin()])
        while before[here] >= 0:
            there = int(before[here])
            edge = edge_of[min(here, there), max(here, there)]
            if kinds[edge] == Line.BOUNDARY:
                kinds[edge], ways[edge] = Line.LANE, f"lane:{number}"
            here = there
    return replace(fabric, edge_kinds=kinds, edge_ways=ways)


def _at_river(fabric: Fabric) -> Bools:
    """Return which edges lie in the river's strip, where no lane can be."""
    strip = fabric.faces[fabric.surface >= 0]
    found = np.zeros(len(fabric.edges), dtype=bool)
    if len(strip):
        middle = shapely.line_interpolate_point(fabric.edges, 0.5, normalized=True)
        edge, _ = shapely.STRtree(strip).query(middle, predicate="intersects")
        found[edge] = True
    return found
