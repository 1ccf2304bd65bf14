"""Covers: which cells an area, a line and points have, and the algebra of their ranges."""

from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei import grid

from . import reference as ref
from .test_reference import points

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


def owns_part(box, a, b):
    """Whether a cell owns a point of the segment a-b, in ticks: nearer faces closed, farther ones open."""
    south, west, north, east = box
    low, high, low_open, high_open = Fraction(0), Fraction(1), False, False
    for start, end, least, most in ((a[0], b[0], west, east), (a[1], b[1], south, north)):
        open_least, open_most = (False, True) if least >= 0 else (True, most == 0)
        step = end - start
        if step == 0:
            if (
                start < least
                or start > most
                or (start == least and open_least)
                or (start == most and open_most)
            ):
                return False
            continue
        ends = [(Fraction(least - start, step), open_least), (Fraction(most - start, step), open_most)]
        (t0, o0), (t1, o1) = sorted(ends)
        if t0 > low or (t0 == low and o0):
            low, low_open = t0, o0
        if t1 < high or (t1 == high and o1):
            high, high_open = t1, o1
    return low < high or (low == high and not low_open and not high_open)


@given(points(80 * ref.DEGREE), st.sampled_from([9, 12, 13, 15, 18, 21, 32]), st.data())
@settings(max_examples=150)
def test_a_line_has_the_cells_that_own_a_point_of_it(point, level, data):
    lat, lon = point
    south, west, north, east = ref.geosot_box(ref.geosot_cell(lat, max(min(lon, 175), -175), level))
    size = max(north - south, east - west)
    corner = st.builds(
        lambda i, j, k: (west + i * size // k, south + j * size // k),
        st.integers(-6, 6),
        st.integers(-6, 6),
        st.sampled_from([1, 2, 3]),
    )
    a, b = data.draw(corner), data.draw(corner)
    line = shapely.LineString([(v[0] / ref.DEGREE, v[1] / ref.DEGREE) for v in (a, b)])
    found = {int(code) for code in grid.cover(line, level=level).cells_at(level)}
    around = {ref.geosot_cell(Fraction(a[1], ref.DEGREE), Fraction(a[0], ref.DEGREE), level)}
    while True:
        wider = {n for cell in around for n in ref.geosot_neighbours(cell)} | around
        wider = {cell for cell in wider if cell in around or near(ref.geosot_box(cell), a, b)}
        if wider == around:
            break
        around = wider
    assert found == {code for code, _ in around if owns_part(ref.geosot_box((code, level)), a, b)}


def near(box, a, b):
    """Whether a box, grown by its own size, meets the box of two points."""
    south, west, north, east = box
    return (
        west <= max(a[0], b[0])
        and east >= min(a[0], b[0])
        and south <= max(a[1], b[1])
        and north >= min(a[1], b[1])
    )


@given(st.lists(points(ref.POLAR - 1), min_size=1, max_size=8), st.integers(1, 32))
def test_points_have_their_own_cells(places, level):
    lon, lat = ([float(value) for value in axis] for axis in ([p[1] for p in places], [p[0] for p in places]))
    found = grid.cover(shapely.MultiPoint(list(zip(lon, lat, strict=True))), level=level)
    assert found == grid.Cover.of_cells(grid.encode(np.array(lon), np.array(lat), level), level)


@st.composite
def covers(draw):
    """Covers of a few cells of several levels in one place, which overlap and complete each other."""
    near = draw(st.sampled_from([(0, 0), (39.9, 116.3), (-33.4, -0.01), (59.99, 179.99)]))
    cells = []
    for _ in range(draw(st.integers(0, 12))):
        level = draw(st.sampled_from([9, 10, 11, 12, 13, 14]))
        cell = (
            grid.Cell.at(near[1], near[0], 9).children(level)
            if level > 9
            else [grid.Cell.at(near[1], near[0], 9)]
        )
        cells.append(cell[draw(st.integers(0, len(cell) - 1))])
    return grid.Cover.of_cells(np.array([c.code for c in cells], np.uint64), [c.level for c in cells]), near


LEAF = 14


def leaves(cover):
    """The cells of the finest level drawn, as a set."""
    return set(cover.cells_at(LEAF).tolist()) if len(cover) else set()


@given(covers(), covers())
@settings(max_examples=200)
def test_the_algebra_of_covers_is_that_of_sets(a, b):
    (a, _), (b, _) = a, b
    one, other = leaves(a), leaves(b)
    for found, wanted in (
        (a | b, one | other),
        (a & b, one & other),
        (a - b, one - other),
        (a | a, one),
        (a - a, set()),
    ):
        assert leaves(found) == wanted
        assert found == grid.Cover.of_cells(np.array(sorted(wanted), np.uint64), LEAF)
        low, high = found.ranges.T
        assert (low <= high).all()
        assert (low[1:] > high[:-1] + 1).all()


@given(covers())
def test_the_cells_of_a_cover_are_the_fewest_and_exist(drawn):
    cover, _ = drawn
    codes, levels = cover.cells()
    cells = [grid.Cell(int(code), int(level)) for code, level in zip(codes, levels, strict=True)]
    assert grid.Cover.of_cells(codes, levels) == cover
    for cell in cells:
        family = cell.parent().children()
        assert not set(family) <= set(cells) or (len(family) == 1 and cell.level == 1)
    area = sum(cell.area_m2 for cell in cells)
    assert cover.area_m2 == pytest.approx(area)


@given(covers())
def test_a_dissolved_cover_covers_itself(drawn):
    cover, _ = drawn
    if not len(cover):
        return
    dissolved = cover.to_geometry()
    assert dissolved.is_valid
    assert grid.cover(dissolved, level=LEAF) == cover
    assert grid.cover(dissolved, level=LEAF, rule="within") == cover
    assert grid.cover(dissolved, level=LEAF, rule="centre") == cover


@given(points(85 * ref.DEGREE), st.integers(1, 32))
def test_a_cell_is_covered_by_itself_and_its_parents_when_coarser(point, level):
    cell = grid.Cell(*ref.geosot_cell(*point, level))
    if level >= 8 or abs(cell.bounds[1]) < 88 > abs(cell.bounds[3]):
        assert grid.cover(cell.bounds, level=level) == grid.Cover.of_cells(cell.code, level)
    if level > 1:
        assert grid.cover(cell.bounds, level=level - 1) == grid.Cover.of_cells(cell.parent().code, level - 1)


def test_the_whole_earth_is_four_cells_and_one_range():
    earth = grid.cover((-180, -90, 180, 90), level=5)
    assert earth.cells()[1].tolist() == [1, 1, 1, 1]
    assert earth.ranges.tolist() == [[-(2**63), 2**63 - 1]]
    assert earth.area_m2 == pytest.approx(510_065_622e6, rel=1e-6)
    assert len(earth - earth) == 0
    assert earth.contains(grid.encode(np.array([-170.0, 170.0, 3.0]), np.array([-80.0, 80.0, 3.0]))).all()


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Polygon([(179, 10), (-179, 10), (-179, 11), (179, 11)]),
        shapely.Polygon([(179, 10), (181, 10), (181, 11), (179, 11)]),
        shapely.MultiPolygon([shapely.box(179, 10, 180, 11), shapely.box(-180, 10, -179, 11)]),
        (179, 10, -179, 11),
    ],
)
def test_an_area_over_180_degrees_is_the_same_however_it_is_drawn(shape):
    found = grid.cover(shape, level=9)
    assert sorted(grid.bounds(code, 9)[0] for code in found.cells_at(9)) == [-180, 179]


def test_an_area_over_180_can_be_taken_as_it_is_drawn():
    strip = shapely.Polygon([(179, 10), (-179, 10), (-179, 11), (179, 11)])
    assert len(grid.cover(strip, level=9, crossing="planar").cells_at(9)) == 358


def test_a_ring_round_the_pole_is_refused():
    with pytest.raises(grid.OutOfRange):
        grid.cover(shapely.Polygon([(0, 60), (120, 60), (-120, 60)]), level=5)


@pytest.mark.parametrize("error_m", [5000.0, 100.0, 3.0])
def test_a_cover_with_a_bound_on_error_reaches_no_farther_than_it(error_m):
    area = shapely.Point(116.3, 39.9).buffer(0.01)
    cover = grid.cover(area, error_m=error_m)
    # The vertices of the dissolved cover are rounded to doubles.
    assert cover.to_geometry().buffer(1e-9).covers(area)
    level = max(level for level in range(1, 28) if grid.cover(area, level=level) == cover)
    assert np.hypot(*grid.Cell.at(116.3, 39.9, level).size_m) <= error_m
    assert np.hypot(*grid.Cell.at(116.3, 39.9, level - 1).size_m) > error_m * 0.95
    for corner in shapely.get_coordinates(cover.to_geometry()):
        metres = shapely.distance(area, shapely.Point(corner)) * 111_320
        assert metres <= error_m


@pytest.mark.parametrize("most", [1, 4, 10, 100, 1000])
def test_a_cover_with_a_bound_on_number_has_no_more(most):
    area = shapely.Point(116.3, 39.9).buffer(0.1)
    cover = grid.cover(area, max_cells=most)
    assert len(cover.cells()[0]) <= most
    assert cover.to_geometry().buffer(1e-9).covers(area)
    if most > 1:
        assert cover.area_m2 <= grid.cover(area, max_cells=most // 2).area_m2


@pytest.mark.parametrize("west", [0.0, 1e-9])
def test_levels_that_follow_a_border_no_closer_are_not_worked_out(west):
    """At level 32 the sides of these boxes pass 885 million rows, more than one cover may."""
    box = (west, 0, 60, 60)
    cover = grid.cover(box, max_cells=1000)
    assert cover == grid.cover(box, level=9)
    assert cover.to_geometry().bounds == pytest.approx((0, 0, 60, 60))


@pytest.mark.parametrize(
    ("area", "options", "error"),
    [
        ((0, 0, 1, 1), {}, grid.LevelError),
        ((0, 0, 1, 1), {"level": 9, "error_m": 5}, grid.LevelError),
        ((0, 0, 1, 1), {"level": 0}, grid.LevelError),
        ((0, 0, 1, 1), {"error_m": 0.001}, grid.OutOfRange),
        ((0, 0, 1, 1), {"max_cells": 0}, grid.OutOfRange),
        ((0, 0, 1, 89), {"level": 9}, grid.PolarUnsupported),
        ((0, 0, 1, 91), {"level": 5}, grid.OutOfRange),
        ((0, 2, 1, 1), {"level": 9}, grid.MalformedCoordinate),
        ((0, 0, 1), {"level": 9}, grid.MalformedCoordinate),
        ("POLYGON((0 0", {"level": 9}, grid.MalformedCoordinate),
        (b"wkb", {"level": 9}, grid.MalformedCoordinate),
        ({"type": "Nonsense"}, {"level": 9}, grid.MalformedCoordinate),
        ("LINESTRING (0 0, NaN 1)", {"level": 9}, grid.MalformedCoordinate),
        (shapely.box(0, 0, 170, 80), {"level": 32}, grid.LevelError),
        (None, {"level": 9}, grid.MalformedCoordinate),
        (shapely.LineString([(0, 0.5), (100, 0.5000001)]), {"level": 32}, grid.LevelError),
    ],
)
def test_what_cannot_be_covered_is_refused(area, options, error):
    with pytest.raises(error):
        grid.cover(area, **options)


def test_every_form_of_a_geometry_gives_the_same_cover():
    area = shapely.Polygon([(116.3, 39.9), (116.4, 39.9), (116.35, 40.0)])
    wanted = grid.cover(area, level=15)
    forms = [shapely.to_wkb(area), shapely.to_wkt(area, rounding_precision=-1), shapely.to_geojson(area)]
    for form in [*forms, shapely.geometry.mapping(area), shapely.GeometryCollection([area, area])]:
        assert grid.cover(form, level=15) == wanted
    assert len(grid.cover(shapely.Polygon(), level=15)) == 0


def test_more_cells_than_fit_are_not_listed():
    with pytest.raises(grid.LevelError):
        grid.cover((0, 0, 80, 80), level=9).cells_at(32)


def test_fine_cells_are_not_listed_at_a_coarser_level():
    with pytest.raises(grid.LevelError):
        grid.Cover.of_cells(0, 12).cells_at(11)
    assert grid.Cover.of_cells(0, 12).cells_at(13).tolist() == [0, 1 << 38, 2 << 38, 3 << 38]


@given(covers(), st.integers(0, 2**32 - 1))
def test_codes_are_found_in_a_cover_by_its_ranges(drawn, seed):
    cover, (lat, lon) = drawn
    rng = np.random.default_rng(seed)
    codes = grid.encode(np.clip(lon + rng.uniform(-2, 2, 200), -180, 180), lat + rng.uniform(-2, 2, 200))
    ends = grid.from_stored(np.clip(cover.ranges.ravel()[:, None] + [-1, 0, 1], -(2**62), 2**62).ravel())
    codes = np.concatenate((codes, ends, np.array([0, 2**63, 2**64 - 1], np.uint64)))
    wanted = [
        any(low <= s <= high for low, high in cover.ranges.tolist()) for s in grid.to_stored(codes).tolist()
    ]
    assert cover.contains(codes).tolist() == wanted
    assert [cover.contains(int(code)) for code in codes[:5]] == wanted[:5]
