"""Rings, distances, ancestors, sizes and areas: the library against the reference.

The earth of a coarse level is walked whole, so that every ring closes over 180 degrees and ends at the poles;
finer cells are drawn, often those that are cut at the end of a degree or a minute.
"""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei import grid

from . import reference as ref
from .earth import answer, cells, wanted

CUT_LEVELS = (10, 11, 12, 16, 17, 18)
POLAR_CELLS = [
    ref.geosot_of_digits(digits)
    for table in ref.GEOSOT_POLAR.values()
    for northern in table
    for digits in (northern, ref.southern_digits(northern))
]


@st.composite
def cut_cells(draw):
    """Cells at or beside the end of a degree or a minute, in all hemispheres."""
    level = draw(st.sampled_from(CUT_LEVELS))
    unit = ref.DEGREE if level < 16 else ref.MINUTE
    y, x = (draw(st.integers(1, limit * ref.DEGREE // unit)) * unit - 1 for limit in (87, 180))
    size = ref.geosot_layer_ticks(level)
    y, x = (t - draw(st.sampled_from([0, 0, size, -1])) for t in (y, x))
    signs = draw(st.sampled_from(list(product((1, -1), repeat=2))))
    lat, lon = (ref.Fraction(sign * max(0, t), ref.DEGREE) for sign, t in zip(signs, (y, x), strict=True))
    return ref.geosot_cell(lat, max(-180, min(180, lon)), level)


ANY_CELLS = cells(1) | cut_cells()


def whole_earth(level):
    """All ordinary cells of a level."""
    found, front = set(), {ref.geosot_cell(0, 0, level)}
    while front:
        found |= front
        front = {each for cell in front for each in ref.geosot_neighbours(cell)} - found
    return {cell for cell in found if not ref.is_polar(cell)}


@pytest.mark.parametrize("level", [1, 2, 3, 4, pytest.param(5, marks=pytest.mark.soak)])
def test_rings_of_the_whole_earth(level):
    earth = whole_earth(level)
    some = sorted(earth)[:: max(1, len(earth) // 12)]
    for code, _ in some:
        rings = ref.geosot_walk((code, level), 40)
        for far, ring in enumerate(rings):
            found = grid.ring(code, level, far)
            assert len(set(found)) == len(found)
            assert {(each, level) for each in found} == ring
            assert {grid.grid_distance(code, each, level) for each, _ in ring} <= {far}
        assert set().union(*rings) == earth
        assert {(each, level) for each in grid.disk(code, level, 40)} == earth


@given(ANY_CELLS.filter(lambda cell: cell[1] > 5), st.integers(0, 4))
@settings(max_examples=60)
def test_rings_of_fine_cells(cell, distance):
    code, level = cell
    rings = ref.geosot_walk(cell, distance)
    assert {(each, level) for each in grid.ring(code, level, distance)} == rings[-1]
    assert {(each, level) for each in grid.disk(code, level, distance)} == set().union(*rings)
    for far, ring in enumerate(rings):
        for other in ring:
            assert grid.grid_distance(code, other[0], level) == ref.geosot_distance(cell, other) == far


@given(ANY_CELLS, ANY_CELLS)
@settings(max_examples=150)
def test_distances_over_the_whole_earth(one, other):
    level = min(one[1], other[1])
    pair = [(code >> (64 - 2 * level) << (64 - 2 * level), level) for code, _ in (one, other)]
    expected = ref.geosot_distance(*pair)
    codes = [code for code, _ in pair]
    assert grid.grid_distance(*codes, level) == expected == grid.grid_distance(*reversed(codes), level)
    column = np.array(codes, np.uint64)
    assert grid.grid_distance(column, column[::-1], level).tolist() == [expected, expected]


@given(ANY_CELLS, st.integers(-400, 400), st.integers(-400, 400))
@settings(max_examples=150)
def test_a_step_is_as_long_as_its_distance_and_can_be_undone(cell, east, north):
    code, level = cell
    found = answer(grid.neighbour, code, level, east, north)
    column, bad = grid.neighbour(np.array([code], np.uint64), level, east, north, errors="mask")
    assert bad.tolist() == [found is None]
    assert column.tolist() == [found or 0]
    if found is None:
        with pytest.raises(grid.GridError):
            grid.neighbour(np.array([code], np.uint64), level, east, north)
        return
    around = 2 * (ref.geosot_strip_number(level, ref.HALF_TURN - 1) + 1)
    across = min(east % around, -east % around)
    assert ref.geosot_distance(cell, (found, level)) == max(across, abs(north))
    assert grid.neighbour(found, level, -east, -north) == code


@given(cells(0, polar=True) | cut_cells())
@settings(max_examples=150)
def test_ancestors(cell):
    code, level = cell
    expected = ref.geosot_ancestors(cell)
    assert grid.ancestors(code, level) == expected
    for outer in expected:
        assert grid.parent(code, level, outer[1]) == outer[0]
        column = grid.parent(np.array([ref.to_int64(code)]), level, outer[1])
        assert column.tolist() == [ref.to_int64(outer[0])]
        assert ref.geosot_contains(outer, cell)


def test_no_cell_of_a_coarse_level_holds_a_polar_cell_whole():
    for code, level in POLAR_CELLS:
        assert answer(grid.parent, code, level, 7) is None
        column = np.array([code, 0], np.uint64)
        found, bad = grid.parent(column, level, 7, errors="mask")
        assert (found.tolist(), bad.tolist()) == ([0, 0], [True, False])
        with pytest.raises(grid.PolarUnsupported) as fault:
            grid.parent(column, level, 7)
        assert fault.value.position == 0


@given(cells(0, polar=True), cells(0, polar=True))
@settings(max_examples=150)
def test_common_ancestor(one, other):
    assert grid.common_ancestor(*one, *other) == ref.common_ancestor(one, other)


def test_common_ancestors_of_polar_cells():
    others = [ref.geosot_cell(lat, lon, level) for lat in (87, -87) for lon in (10, -170) for level in (3, 9)]
    for one, other in product(POLAR_CELLS, POLAR_CELLS + others):
        expected = ref.common_ancestor(one, other)
        found = grid.common_ancestor(*one, *other)
        assert found[1] == expected[1]
        assert ref.geosot_contains(found, one)
        assert ref.geosot_contains(found, other)


@given(cells(0, polar=True) | cut_cells())
@settings(max_examples=150)
def test_size_and_area(cell):
    code, level = cell
    box = ref.geosot_box(cell)
    area, (width, height) = float(ref.area(box)), map(float, ref.size(box))
    assert grid.area_m2(code, level) == pytest.approx(area, rel=1e-12)
    assert grid.size_m(code, level) == pytest.approx((width, height), rel=1e-12, abs=1e-9)
    column = np.array([code], np.uint64)
    assert grid.area_m2(column, level)[0] == pytest.approx(area, rel=1e-12)
    assert [float(v[0]) for v in grid.size_m(column, level)] == pytest.approx((width, height), rel=1e-12)
    assert (answer(lambda: grid.Cell(code, level).size_m) is None) == (wanted(ref.size, box) is None)


def test_siblings_of_cut_cells_differ_in_size():
    code = ref.geosot_cell("39.99", "116.99", 10)[0]
    far, near = (grid.size_m(each, 10)[1] for each in (code, grid.neighbour(code, 10, 0, -1)))
    assert far / near == pytest.approx(28 / 32, rel=1e-3)
