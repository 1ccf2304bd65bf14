"""Tiles are read by another program (mapbox-vector-tile) as what was put into them."""

from __future__ import annotations

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei.web import mvt
from jingwei.web.tiles import tile_degrees

UNIT = st.integers(-mvt.BUFFER, mvt.EXTENT + mvt.BUFFER)


def decoded(shapes, **columns):
    """Encode shapes in tile units, and decode them with the other program, y to the south."""
    ids = np.arange(10, 10 + len(shapes))
    layer = mvt.TileLayer("drawn", np.array(shapes, object), ids, columns)
    tile = mapbox_vector_tile.decode(mvt.encode([layer]), default_options={"y_coord_down": True})
    if "drawn" not in tile:
        return {}
    assert tile["drawn"]["extent"] == mvt.EXTENT
    assert tile["drawn"]["version"] == 2
    return {
        one["id"]: (shapely.geometry.shape(one["geometry"]), one["properties"])
        for one in tile["drawn"]["features"]
    }


@st.composite
def stars(draw):
    """A star-shaped polygon with whole corners, sometimes with a hole of the same shape."""
    x, y = draw(st.integers(600, 3400)), draw(st.integers(600, 3400))
    count = draw(st.integers(3, 12))
    radii = draw(st.lists(st.integers(60, 500), min_size=count, max_size=count))
    turns = 2 * np.pi * np.arange(count) / count
    ring = np.rint(np.column_stack([x + radii * np.cos(turns), y + radii * np.sin(turns)]))
    hole = [np.rint((ring - (x, y)) * 0.4 + (x, y))] if draw(st.booleans()) else []
    return shapely.Polygon(ring, hole)


@settings(max_examples=60, deadline=None)
@given(st.lists(stars(), min_size=1, max_size=6))
def test_areas_and_their_holes_come_back_as_they_were(shapes):
    whole = [shape for shape in shapes if shape.is_valid and shape.area]
    found = decoded(whole)
    assert len(found) == len(whole)
    for number, shape in enumerate(whole):
        back = found[10 + number][0]
        assert back.is_valid
        assert back.symmetric_difference(shape).area == 0
        assert len(getattr(back, "interiors", [])) == len(shape.interiors)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.tuples(UNIT, UNIT), min_size=2, max_size=30), min_size=1, max_size=6))
def test_lines_come_back_without_their_repeated_points(lines):
    found = decoded([shapely.LineString(line) for line in lines])
    for number, line in enumerate(lines):
        kept = [point for at, point in enumerate(line) if at == 0 or point != line[at - 1]]
        if len(kept) < 2:
            assert 10 + number not in found
        else:
            assert list(found[10 + number][0].coords) == kept


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(UNIT, UNIT), min_size=1, max_size=20))
def test_points_come_back(points):
    found = decoded([shapely.Point(point) for point in points])
    assert [found[10 + number][0].coords[0] for number in range(len(points))] == points


def test_many_parts_stay_one_feature():
    squares = shapely.MultiPolygon([shapely.box(k, k, k + 50, k + 50) for k in (0, 100, 200)])
    ways = shapely.MultiLineString([[(0, 0), (10, 0)], [(20, 20), (30, 40), (50, 60)]])
    found = decoded([squares, ways])
    assert found[10][0].symmetric_difference(squares).area == 0
    assert [list(part.coords) for part in found[11][0].geoms] == [list(part.coords) for part in ways.geoms]


def test_outer_rings_run_clockwise_and_holes_the_other_way():
    # Mapbox Vector Tile 2.1, 4.3.4.4: the surveyor's formula is positive for outer rings, y to the south.
    hole = shapely.box(10, 10, 90, 90).exterior
    for shape in (shapely.box(0, 0, 100, 100), shapely.Polygon(shapely.box(0, 0, 100, 100).exterior, [hole])):
        for turned in (shape, shapely.orient_polygons(shape, exterior_cw=True)):
            back = decoded([turned])[10][0]
            assert back.exterior.is_ccw  # counter-clockwise as drawn upwards: clockwise on the screen
            assert not any(ring.is_ccw for ring in back.interiors)


def test_values_keep_their_type_and_missing_ones_are_left_out():
    columns = {"name": ["一街", None], "rank": [3, -3], "width": [2.5, None]}
    found = decoded([shapely.Point(1, 1), shapely.Point(2, 2)], **columns)
    assert found[10][1] == {"name": "一街", "rank": 3, "width": 2.5}
    assert found[11][1] == {"rank": -3}


def test_what_vanishes_at_a_scale_is_left_out():
    flat = shapely.Polygon([(0, 0), (0.2, 0.1), (0.3, 0)])
    assert decoded([flat, shapely.LineString([(5, 5), (5.1, 5.2)]), shapely.Point(7, 7)]).keys() == {12}


@pytest.mark.parametrize("z", [0, 9, 14, 18])
def test_a_place_lies_in_the_tile_where_the_other_program_expects_it(z):
    lon, lat = 114.0579, 22.5431
    x = int((lon / 360 + 0.5) * 2**z)
    y = int((0.5 - np.log(np.tan(np.pi / 4 + np.radians(lat) / 2)) / (2 * np.pi)) * 2**z)
    shapes = mvt.to_tile(mvt.to_world(np.array([shapely.Point(lon, lat)])), z, x, y)
    back = decoded(list(shapes))[10][0]
    west, south, east, north = tile_degrees(z, x, y)
    unit = (east - west) / mvt.EXTENT
    assert west + back.x * unit == pytest.approx(lon, abs=unit)
    if z > 5:  # within a small tile degrees of latitude are even
        assert north - back.y * (north - south) / mvt.EXTENT == pytest.approx(lat, abs=2 * unit)
