"""Covers of areas, lines and points: the library against the reference, which tries every cell."""

from fractions import Fraction
from itertools import pairwise

import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jingwei import grid

from . import reference as ref
from .earth import UNITS, answer

DIRECTIONS = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
RULES = st.sampled_from(["intersects", "within", "centre"])


@st.composite
def stars(draw, level):
    """Stars of whole ticks a few cells wide, many with corners on cell edges, some with a hole."""
    limit = ref.geosot_limit(level, "lat")
    x, y = draw(st.integers(-ref.HALF_TURN, ref.HALF_TURN)), draw(st.integers(-limit, limit))
    unit = draw(st.sampled_from(UNITS))
    x, y = x // unit * unit, max(-limit + 1, min(limit - 1, y // unit * unit))
    south, west, north, east = ref.geosot_box(
        ref.geosot_cell(Fraction(y, ref.DEGREE), Fraction(max(x, -ref.HALF_TURN), ref.DEGREE), level)
    )
    size, grain = max(north - south, east - west), draw(st.sampled_from([1, 2, 7]))
    x, y = draw(st.sampled_from([(west, south), (x, y)]))
    reach = [draw(st.integers(grain, 3 * grain)) for _ in DIRECTIONS]
    ring = [
        (x + a * r * size // grain, y + b * r * size // grain)
        for (a, b), r in zip(DIRECTIONS, reach, strict=True)
    ]
    assume(max(abs(b) for _, b in ring) <= limit and max(abs(a) for a, _ in ring) <= ref.HALF_TURN)
    hole = [(x + a * (size // 3), y + b * (size // 3)) for a, b in DIRECTIONS]
    return [ring, hole] if size >= 8 and draw(st.booleans()) else [ring]


@given(st.integers(1, 32).flatmap(lambda level: st.tuples(st.just(level), stars(level))), RULES)
@settings(max_examples=60)
def test_cover_of_a_polygon(level_and_rings, rule):
    level, rings = level_and_rings
    rings = in_degrees(rings)
    polygon = shape(rings)
    assume(polygon.is_valid)
    # An edge over more than half the earth would else run the short way, over 180.
    found = grid.cover(polygon, level=level, rule=rule, crossing="planar")
    expected = ref.geosot_cover(rings, level, rule)
    assert cells_of(found, level) == expected
    assert area_of(found) == sum(square(ref.geosot_box(cell)) for cell in expected)


LEVEL_AND_STAR = st.integers(3, 32).flatmap(lambda level: st.tuples(st.just(level), stars(level)))


def in_degrees(rings):
    return [[(Fraction(x, ref.DEGREE), Fraction(y, ref.DEGREE)) for x, y in ring] for ring in rings]


@given(LEVEL_AND_STAR, st.floats(0.6, 3.0))
@settings(max_examples=60)
def test_no_place_of_a_compact_cover_is_farther_than_its_error(level_and_rings, times):
    level, rings = level_and_rings
    rings = in_degrees(rings)
    polygon = shape(rings)
    assume(polygon.is_valid and max(abs(y) for y in polygon.bounds[1::2]) < 88)
    (x, y), *_ = rings[0]
    error_m = times * float(ref.reach(ref.geosot_box(ref.geosot_cell(y, x, level))))
    found = answer(grid.cover, polygon, error_m=error_m, crossing="planar")
    if found is None:  # no cells are as small as that
        assert level == 32
        return
    # Every cell of some level meets the area, and none of its places is farther from it than it reaches.
    for level in range(1, 33):
        if grid.cover(polygon, level=level, crossing="planar") == found:
            expected = ref.geosot_cover(rings, level, "intersects")
            assert cells_of(found, level) == expected
            if max(ref.reach(ref.geosot_box(cell)) for cell in expected) <= error_m:
                break
    else:
        pytest.fail("no level explains this cover")
    coarser = {ref.geosot_parent(cell) for cell in expected if level > 1}
    assert not coarser or max(ref.reach(ref.geosot_box(cell)) for cell in coarser) > error_m / 4


@given(LEVEL_AND_STAR, st.integers(1, 24), RULES)
@settings(max_examples=60)
def test_a_cover_bounded_in_number_is_the_finest_and_has_the_fewest_cells(level_and_rings, most, rule):
    level, rings = level_and_rings
    rings = in_degrees(rings)
    polygon = shape(rings)
    assume(polygon.is_valid and max(abs(y) for y in polygon.bounds[1::2]) < 88)
    best = set()
    for finer in range(1, min(level + 2, 32) + 1):
        cells = ref.fewest(ref.geosot_cover(rings, finer, rule))
        if len(cells) > most and finer > 1:
            break
        best = cells
    else:
        assume(level + 2 >= 32)  # else finer cells, too many to try one by one, might do
    codes, levels = grid.cover(polygon, max_cells=most, rule=rule, crossing="planar").cells()
    assert set(zip(codes.tolist(), levels.tolist(), strict=True)) == best


@given(st.integers(3, 32).flatmap(lambda level: st.tuples(st.just(level), stars(level), stars(level))))
@settings(max_examples=40)
def test_area_and_algebra_of_covers(level_and_stars):
    level, *pair = level_and_stars
    pair = [in_degrees(rings) for rings in pair]
    shapes = [shape(rings) for rings in pair]
    assume(all(one.is_valid and max(abs(y) for y in one.bounds[1::2]) < 88 for one in shapes))
    covers = [grid.cover(one, level=level, crossing="planar") for one in shapes]
    sets = [ref.geosot_cover(rings, level, "intersects") for rings in pair]
    for found, cells in (
        (covers[0] | covers[1], sets[0] | sets[1]),
        (covers[0] & covers[1], sets[0] & sets[1]),
        (covers[0] - covers[1], sets[0] - sets[1]),
    ):
        assert cells_of(found, level) == cells
        codes, levels = found.cells()
        assert set(zip(codes.tolist(), levels.tolist(), strict=True)) == ref.fewest(cells)
        area = float(sum(ref.area(ref.geosot_box(cell)) for cell in cells))
        assert found.area_m2 == pytest.approx(area, rel=1e-11)


def shape(rings):
    shell, *holes = ([(float(x), float(y)) for x, y in ring] for ring in rings)
    return shapely.Polygon(shell, holes)


def cells_of(cover, level):
    return {(code, level) for code in cover.cells_at(level).tolist()}


def area_of(cover):
    """Square ticks of the fewest cells of a cover."""
    codes, levels = cover.cells()
    return sum(square(ref.geosot_box(cell)) for cell in zip(codes.tolist(), levels.tolist(), strict=True))


def square(box):
    south, west, north, east = box
    return (north - south) * (east - west)


@st.composite
def free_stars(draw):
    """A level and a ring of floats that lie anywhere."""
    level = draw(st.integers(1, 32))
    y, x = draw(st.floats(-80, 80)), draw(st.floats(-170, 170))
    size = (
        float(2 ** (9 - level))
        if level <= 9
        else 2 ** (15 - level) / 60
        if level <= 15
        else 2 ** (21 - level) / 3600
    )
    reach = [draw(st.floats(0.1, 3.0)) for _ in DIRECTIONS]
    ring = [
        (max(-180.0, min(180.0, x + a * r * size)), max(-87.9, min(87.9, y + b * r * size)))
        for (a, b), r in zip(DIRECTIONS, reach, strict=True)
    ]
    return level, ring


@given(free_stars(), RULES)
@settings(max_examples=150)
def test_cover_of_a_polygon_of_floats(level_and_ring, rule):
    level, ring = level_and_ring
    polygon = shape([ring])
    assume(polygon.is_valid and polygon.area > 0)
    snapped = [tuple(map(ref.on_tick, point)) for point in ring]
    found = cells_of(grid.cover(polygon, level=level, rule=rule, crossing="planar"), level)
    different = found ^ ref.geosot_cover([snapped], level, rule)
    assert not [cell for cell in different if is_clear(ref.in_ticks([snapped]), ref.geosot_box(cell), rule)]


def is_clear(rings, box, rule):
    """Whether the answer stays when the cell's edges or its middle move by the snap.

    Coordinates between ticks cannot be held exactly as ticks in a float: what hangs on their last digit is
    not asked.
    """
    south, west, north, east = map(Fraction, box)
    if rule == "centre":
        lat, lon = (south + north) / 2, (west + east) / 2
        near = (lat - ref.SNAP, lon - ref.SNAP, lat + ref.SNAP, lon + ref.SNAP)
        return ref.covers(rings, near, "touches") == ref.covers(rings, near, "within")
    sizes = [(south - k, west - k, north + k, east + k) for k in (-ref.SNAP, ref.SNAP)]
    return len({ref.covers(rings, size, rule) for size in sizes}) == 1


@given(
    free_stars() | st.integers(1, 32).flatmap(lambda k: st.tuples(st.just(k), stars(k).map(lambda r: r[0])))
)
@settings(max_examples=200)
def test_cover_of_a_line_and_its_points(level_and_ring):
    level, ring = level_and_ring
    on_ticks = isinstance(ring[0][0], int)
    if on_ticks:
        ring = [(x / ref.DEGREE, y / ref.DEGREE) for x, y in ring]
    assume(max(abs(y) for _, y in ring) < 88)
    snapped = [tuple(map(ref.on_tick, point)) for point in ring]
    found = grid.cover(shapely.LineString(ring), level=level, crossing="planar")
    different = cells_of(found, level) ^ ref.geosot_cover_line(snapped, level)
    (scaled,) = ref.in_ticks([snapped])
    assert not [c for c in different if on_ticks or line_is_clear(scaled, ref.geosot_box(c))]
    points = grid.cover(shapely.MultiPoint(ring), level=level)
    assert cells_of(points, level) == {ref.geosot_cell(y, x, level) for x, y in snapped}


def line_is_clear(line, box):
    """Whether a line meets a cell, or misses it, by more than the snap (see `is_clear`)."""
    south, west, north, east = box
    met = [
        any(
            ref.segment_meets(a, b, (west - k, south - k), (east + k, north + k), inner=True)
            for a, b in pairwise(line)
        )
        for k in (-ref.SNAP, ref.SNAP)
    ]
    return met[0] == met[1]


@pytest.mark.parametrize("level", [3, 4, 5])
def test_cells_cut_at_180_are_within_areas_that_end_there(level):
    ring = [(120, 0), (180, 0), (180, 64), (120, 64)]
    found = grid.cover(shape([ring]), level=level, rule="within")
    assert cells_of(found, level) == ref.geosot_cover([ring], level, "within")


def test_the_whole_earth_has_cells():
    for level in (1, 3, 7):
        assert area_of(grid.cover(shapely.box(-180, -90, 180, 90), level=level)) == ref.TURN * ref.HALF_TURN


@given(
    st.integers(1, 7), st.integers(100, 179), st.integers(-180, -100), st.integers(-90, 0), st.integers(1, 90)
)
def test_cover_of_a_box_across_180(level, west, east, south, north):
    halves = [(west, 180), (-180, east)]
    rings = [[(w, south), (e, south), (e, north), (w, north)] for w, e in halves if w < e]
    expected = {cell for ring in rings for cell in ref.geosot_cover([ring], level, "intersects")}
    assert cells_of(grid.cover((west, south, east, north), level=level), level) == expected
