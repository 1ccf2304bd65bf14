"""Covers: which cells an area, a line and points have, and the algebra of their ranges."""

import numpy as np
import pytest
import shapely

from jingwei import grid

AREAS = {
    "around the origin": shapely.Point(-0.01, 0.013).buffer(0.25, 5),
    "with a hole": shapely.Point(116.3071, 39.9033)
    .buffer(0.4)
    .difference(shapely.Point(116.3, 39.9).buffer(0.15)),
    "two parts": shapely.union(
        shapely.box(-0.31, -0.23, 0.07, 0.11), shapely.Point(1.003, 1.007).buffer(0.2)
    ),
    "over 180": shapely.Point(179.95, -10.2).buffer(0.3),
}
RULES = {
    "intersects": lambda area, boxes: shapely.intersects(area, boxes) & ~shapely.touches(area, boxes),
    "within": shapely.covers,
    "centre": lambda area, boxes: shapely.intersects(area, shapely.centroid(boxes)),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", AREAS)
def test_a_cover_of_a_polygon_is_what_brute_force_finds(name, rule):
    area = AREAS[name]
    shapely.prepare(area)
    west, south, east, north = area.bounds
    lon, lat = (np.arange(v - 0.2, w + 0.2, 1 / 30) for v, w in ((west, east), (south, north)))
    lon, lat = (v.ravel() for v in np.meshgrid(np.where(lon > 180, lon - 360, lon), lat))
    codes = np.unique(grid.encode(lon, lat, 13))
    w, s, e, n = grid.bounds(codes, 13)
    turn = np.where(w < west - 90, 360.0, 0.0)
    wanted = RULES[rule](area, shapely.box(w + turn, s, e + turn, n))
    assert wanted.any()
    assert not wanted.all()
    assert np.array_equal(grid.cover(area, level=13, rule=rule).contains(codes), wanted)
