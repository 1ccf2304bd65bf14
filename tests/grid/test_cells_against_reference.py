"""From codes to cells, their families and neighbours: the library against the reference.

Neighbours of polar cells are left out: the library gives none, since they stand in no rows and columns.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jingwei import grid

from . import reference as ref
from .earth import LATS, LEVELS, LONS, answer, cells, swapped, wanted


@given(cells(polar=True))
@settings(max_examples=400)
def test_what_a_cell_covers_and_is_called(cell):
    code, level = cell
    west, south, east, north = swapped(ref.geosot_bounds(cell))
    assert grid.bounds(code, level) == (west, south, east, north)
    assert grid.bounds(ref.to_int64(code), level) == (west, south, east, north)
    assert [float(edge[0]) for edge in grid.bounds(np.array([code], np.uint64), level)] == [
        *(west, south, east, north)
    ]
    assert grid.geosot_string(code, level) == ref.geosot_text(cell)
    for separators in (True, False):
        assert grid.parse_geosot(ref.geosot_text(cell, separators=separators)) == grid.Cell(code, level)
    assert answer(grid.beidou_of, code, level) == wanted(ref.beidou_of_geosot, cell)
    assert grid.to_stored(code) == ref.to_int64(code)
    assert grid.from_stored(ref.to_int64(code)) == code


@given(cells(1))
@settings(max_examples=200)
def test_middle_and_area_of_a_cell(cell):
    south, west, north, east = ref.geosot_bounds(cell)
    assert grid.centre(*cell) == pytest.approx(
        (float((west + east) / 2), float((south + north) / 2)), rel=0, abs=1e-13
    )
    assert grid.area_m2(*cell) == pytest.approx(float(ref.area(ref.geosot_box(cell))), rel=1e-12)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50), LEVELS, st.data())
@settings(max_examples=300)
def test_which_codes_are_cells(codes, level, data):
    """Any 64 bits, and codes of cells with a bit or two turned over."""
    near = [ref.geosot_cell(lat, 7, 32)[0] for lat in (0, Fraction(119, 120), "-39.99", 87)]
    flips = data.draw(st.lists(st.integers(0, 63), min_size=4, max_size=4))
    codes += [code ^ 1 << flip for code, flip in zip(near, flips, strict=True)]
    codes = [code >> (64 - 2 * level) << (64 - 2 * level) for code in codes]
    *edges, bad = grid.bounds(np.array(codes, np.uint64), level, errors="mask")
    for code, wrong, *box in zip(codes, bad, *edges, strict=True):
        bounds = wanted(ref.geosot_bounds, (code, level))
        assert wrong == (bounds is None)
        assert (answer(grid.Cell, code, level) is None) == (bounds is None)
        if bounds is not None:
            assert tuple(box) == swapped(bounds)


def test_every_printed_polar_code_is_a_cell_and_its_neighbours_in_code_are_not():
    for level, table in ref.GEOSOT_POLAR.items():
        last = 64 - 2 * level
        for digits in table:
            code = ref.geosot_of_digits(digits)[0]
            for other in (code ^ k << last for k in range(1 << 6)):
                assert (answer(grid.Cell, other, level) is None) == (
                    wanted(ref.geosot_box, (other, level)) is None
                )


@given(LATS, LONS, st.integers(0, 10), st.data())
@settings(max_examples=400)
def test_which_texts_are_beidou_codes(lat, lon, level, data):
    """Codes, and codes with a character changed, put in or left out."""
    text = wanted(ref.beidou_encode, lat, lon, level)
    assume(text is not None)
    at = data.draw(st.integers(0, len(text)))
    letter = data.draw(st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-.n٣"))
    text = data.draw(
        st.sampled_from(
            [text, text[:at] + letter + text[at + 1 :], text[:at] + letter + text[at:], text[:at]]
        )
    )
    expected, cell = wanted(ref.beidou_parse, text), answer(grid.parse_beidou, text)
    assert (cell is None) == (expected is None)
    if cell:
        assert (cell.level, cell.bounds) == (expected[0], swapped(ref.degrees(expected[1])))
        assert answer(lambda: str(cell.parent())) == wanted(ref.beidou_parent, text)
        assert answer(lambda: cell.code) == (wanted(ref.geosot_of_beidou, text) or (None,))[0]


@given(LATS, LONS, st.integers(1, 10))
def test_anchor_and_children_of_a_beidou_cell(lat, lon, level):
    text = wanted(ref.beidou_encode, lat, lon, level)
    assume(text is not None)
    cell = grid.parse_beidou(text)
    anchor = wanted(ref.beidou_anchor, text)
    assert answer(lambda: cell.anchor) == (anchor and (float(anchor[1]), float(anchor[0])))
    children = answer(lambda: [str(child) for child in cell.children()])
    assert children == wanted(ref.beidou_children, text)


@given(cells(1, polar=True))
@settings(max_examples=400)
def test_parent_and_children(cell):
    code, level = cell
    parent = wanted(ref.geosot_parent, cell)
    assert answer(grid.parent, code, level, level - 1) == (parent and parent[0])
    children = wanted(ref.geosot_children, cell)
    # The library refuses to name children beyond 88 degrees where the reference finds none.
    found = answer(grid.children, code, level) if level < 32 else None
    assert (found.tolist() if found is not None else []) == [child[0] for child in children or []]


@given(cells(0), cells(0), st.integers(0, 32))
@settings(max_examples=400)
def test_containment_and_ranges(cell, other, level):
    for outer in (cell, (other[0] >> (64 - 2 * level) << (64 - 2 * level), level)):
        if wanted(ref.geosot_box, outer) is None:
            continue
        expected = ref.geosot_contains(outer, other)
        assert grid.contains(*outer, *other) == expected
        if outer[1] and other[1] >= outer[1]:
            first, last = grid.cell_range(*outer)
            assert (first <= ref.to_int64(other[0]) <= last) == expected


POLAR_CELLS = [
    ref.geosot_of_digits(digits)
    for level, table in ref.GEOSOT_POLAR.items()
    for northern in table
    for digits in (northern, ref.southern_digits(northern))
]
OUTER_CELLS = sorted(
    {
        ref.geosot_cell(south * lat, lon, level)
        for level in range(11)
        for south in (1, -1)
        for lat in map(Fraction, ("0", "80", "88", "88.6", "89.2", "89.6"))
        for lon in (0, 50, 70, 129, 179, -1, -70, -150, -180)
    }
)


def test_which_cells_contain_polar_cells():
    for outer in OUTER_CELLS:
        contained = [inner for inner in POLAR_CELLS if grid.contains(*outer, *inner)]
        assert contained == [inner for inner in POLAR_CELLS if ref.geosot_contains(outer, inner)]


@pytest.mark.parametrize("level", [8, 9, 10])
def test_which_cells_contain_polar_cells_of_a_column(level):
    inner = [cell for cell in POLAR_CELLS if cell[1] == level]
    codes = np.array([code for code, _ in inner], np.uint64)
    for outer in OUTER_CELLS:
        expected = [ref.geosot_contains(outer, cell) for cell in inner]
        assert grid.contains(*outer, codes, level).tolist() == expected


@given(cells(1), st.booleans())
@settings(max_examples=400)
def test_neighbours(cell, corners):
    expected = {each for each in ref.geosot_neighbours(cell, corners=corners) if not ref.is_polar(each)}
    found = grid.neighbours(*cell, corners=corners)
    assert len(set(found)) == len(found)
    assert {(code, cell[1]) for code in found} == expected


@given(cells(15), st.sampled_from([4, 5, 6, 7, 8, 9, 10]))
def test_the_two_standards_name_the_same_cell(cell, level):
    cell = cell[0] >> (64 - 2 * ref.BEIDOU_TO_GEOSOT[level]) << (64 - 2 * ref.BEIDOU_TO_GEOSOT[level])
    cell = cell, ref.BEIDOU_TO_GEOSOT[level]
    text = ref.beidou_of_geosot(cell)
    assert grid.parse(text) == grid.Cell(*cell)
    assert grid.Cell(*cell).beidou == text
    assert grid.parse(f"{cell[0]}-{cell[1]}") == grid.Cell(*cell)
