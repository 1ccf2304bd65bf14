"""The library against the exact reference, over the whole earth with edges drawn often."""

from fractions import Fraction

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei import grid

from . import reference as ref
from .test_reference import points, polygons


def in_degrees(box):
    """West, south, east, north as the library gives them: floats, polar boxes over 180 wrapped."""
    south, west, north, east = (value / ref.DEGREE for value in box)
    return (west, south, east - 360 if east > 180 else east, north)


def outcome(function, *arguments):
    """The value, or ValueError where it is refused."""
    try:
        return function(*arguments)
    except ValueError:
        return ValueError


@given(points(ref.POLE), st.integers(0, 32))
def test_points_have_the_codes_of_the_reference(point, level):
    lat, lon = point
    wanted = outcome(ref.geosot_cell, lat, lon, level)
    for x, y in ((lon, lat), (float(lon), float(lat))):
        found = outcome(grid.encode, x, y, level)
        assert found == (wanted if wanted is ValueError else wanted[0])
    codes, bad = grid.encode(np.array([float(lon)]), np.array([float(lat)]), level, errors="mask")
    assert bad[0] == (wanted is ValueError)
    assert codes[0] == (0 if bad[0] else wanted[0])


@given(points(ref.POLE), st.integers(0, 10))
def test_points_have_the_beidou_codes_of_the_reference(point, level):
    lat, lon = point
    wanted = outcome(ref.beidou_encode, lat, lon, level)
    assert outcome(grid.beidou_string, lon, lat, level) == wanted
    assert outcome(grid.beidou_string, float(lon), float(lat), level) == wanted
    if wanted is not ValueError:
        assert grid.parse_beidou(wanted).bounds == in_degrees(ref.beidou_parse(wanted)[1])


@given(points(ref.POLE), st.integers(0, 32))
def test_cells_are_those_of_the_reference(point, level):
    cell = outcome(ref.geosot_cell, *point, level)
    if cell is ValueError:
        return
    code = cell[0]
    bounds = in_degrees(ref.geosot_box(cell))
    assert grid.bounds(code, level) == bounds
    assert tuple(edge[0] for edge in grid.bounds(np.array([code], np.uint64), level)) == bounds
    assert grid.geosot_string(code, level) == ref.geosot_text(cell)
    assert grid.parse(ref.geosot_text(cell)) == grid.Cell(code, level)
    assert grid.parse(f"{code}-{level}").stored == ref.to_int64(code)
    assert grid.from_stored(grid.to_stored(code)) == code
    assert grid.area_m2(code, level) == pytest.approx(float(ref.area(ref.geosot_box(cell))), rel=1e-9)


@given(points(ref.POLE), st.integers(1, 31))
def test_the_family_of_a_cell_is_that_of_the_reference(point, level):
    cell = outcome(ref.geosot_cell, *point, level)
    if cell is ValueError:
        return
    mine = grid.Cell(*cell)
    children = outcome(ref.geosot_children, cell)
    found = outcome(mine.children)
    assert ([(c.code, c.level) for c in found] if found is not ValueError else []) == (
        children if children is not ValueError else []
    )
    parent = outcome(ref.geosot_parent, cell)
    found = outcome(mine.parent)
    assert ((found.code, found.level) if found is not ValueError else found) == parent


@given(points(), st.integers(1, 32), st.booleans())
def test_neighbours_are_those_of_the_reference(point, level, corners):
    cell = ref.geosot_cell(*point, level)
    wanted = ref.geosot_neighbours(cell, corners=corners)
    found = grid.Cell(*cell).neighbours(corners=corners)
    assert {(c.code, c.level) for c in found} == {c for c in wanted if not ref._is_polar(c)}
    assert len(found) == len(set(found))
    for other in found:
        assert grid.Cell(*cell) in other.neighbours(corners=corners)


@given(points(), st.sampled_from([4, 5, 6, 7, 8, 9, 10]))
def test_the_two_standards_name_the_same_cell(point, level):
    text = ref.beidou_encode(*point, level)
    cell = ref.geosot_of_beidou(text)
    assert grid.parse(text) == grid.Cell(*cell)
    assert grid.beidou_of(*cell) == text
    assert grid.Cell(*cell).beidou == text


@given(points(), st.integers(0, 32), points(), st.integers(0, 32))
def test_containment_and_common_ancestors(point, level, other, other_level):
    a, b = ref.geosot_cell(*point, level), ref.geosot_cell(*other, other_level)
    assert grid.contains(*a, *b) == ref.geosot_contains(a, b)
    shared = grid.Cell(*a).common_ancestor(grid.Cell(*b))
    assert shared.contains(grid.Cell(*a))
    assert shared.contains(grid.Cell(*b))
    if shared.level < min(level, other_level):
        deeper = shared.level + 1
        assert grid.parent(*a, deeper) != grid.parent(*b, deeper)


RULES = ["intersects", "within", "centre"]


@given(st.data(), st.sampled_from([7, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 21, 27]), st.sampled_from(RULES))
@settings(max_examples=150, deadline=None)
def test_covers_are_those_of_the_reference(data, level, rule):
    rings = data.draw(polygons(level))
    exact = [[(Fraction(x, ref.DEGREE), Fraction(y, ref.DEGREE)) for x, y in ring] for ring in rings]
    if max(abs(y) for _, y in exact[0]) > 88 or max(abs(x) for x, _ in exact[0]) > 180:
        return
    shell, *holes = ([(float(x), float(y)) for x, y in ring] for ring in exact)
    polygon = shapely.Polygon(shell, holes)
    wanted = {code for code, _ in ref.geosot_cover(exact, level, rule)}
    found = grid.cover(polygon, level=level, rule=rule)
    assert set(found.cells_at(level).tolist()) == wanted
    assert found == grid.Cover.of_cells(np.array(sorted(wanted), dtype=np.uint64), level)


@given(st.lists(points(ref.POLE), min_size=1, max_size=20), st.integers(0, 10))
def test_columns_of_beidou_codes_are_those_of_single_points(places, level):
    lat, lon = (np.array([float(value) for value in axis]) for axis in zip(*places, strict=True))
    wanted = [outcome(ref.beidou_encode, y, x, level) for y, x in places]
    texts, bad = grid.beidou_string(lon, lat, level, errors="mask")
    assert bad.tolist() == [text is ValueError for text in wanted]
    assert texts.astype(str).tolist() == ["" if text is ValueError else text for text in wanted]
    codes, levels, none = grid.parse_beidou(texts, errors="mask")
    twins = [outcome(ref.geosot_of_beidou, text) for text in texts.astype(str)]
    assert none.tolist() == [twin is ValueError for twin in twins]
    assert list(zip(codes.tolist(), levels.tolist(), strict=True)) == [
        (0, 0) if twin is ValueError else twin for twin in twins
    ]


@given(st.lists(points(), min_size=1, max_size=20), st.integers(0, 32), st.booleans())
def test_columns_of_geosot_texts_are_those_of_single_cells(places, level, separators):
    lat, lon = (np.array([float(value) for value in axis]) for axis in zip(*places, strict=True))
    codes = grid.encode(lon, lat, level)
    texts = grid.geosot_string(codes, level, separators)
    assert texts.astype(str).tolist() == [
        ref.geosot_text((int(code), level), separators=separators) for code in codes
    ]
    again, levels = grid.parse_geosot(texts)
    assert again.tolist() == codes.tolist()
    assert set(levels.tolist()) == {level}


@given(st.text("NSABCGUV0123456789EFZnw .-東", max_size=22))
def test_no_text_is_read_that_the_reference_refuses(text):
    for mine, theirs in ((grid.parse_beidou, ref.beidou_parse), (grid.parse_geosot, ref.geosot_parse)):
        found = outcome(mine, text)
        if found is not ValueError:
            assert outcome(theirs, text.strip()) is not ValueError


@given(points(ref.POLE), st.integers(0, 10), st.data())
def test_one_wrong_character_is_found_where_it_is(point, level, data):
    code = outcome(ref.beidou_encode, *point, level)
    if code is ValueError:
        return
    at = data.draw(st.integers(0, len(code) - 1))
    wrong = code[:at] + data.draw(st.sampled_from("Z*é~")) + code[at + 1 :]
    with pytest.raises(grid.MalformedCode) as fault:
        grid.parse_beidou(wrong)
    assert fault.value.position == at
    texts = np.array([code, wrong])
    with pytest.raises(grid.GridError) as fault:
        grid.parse_beidou(texts)
    assert fault.value.position in (0, 1)


@given(points(), st.integers(1, 10), st.booleans())
def test_neighbours_of_beidou_cells_are_those_of_the_reference(point, level, corners):
    code = ref.beidou_encode(*point, level)
    wanted = {text for text in ref.beidou_neighbours(code, corners=corners) if text[1:4] != "000"}
    assert {cell.text for cell in grid.parse_beidou(code).neighbours(corners=corners)} == wanted


@given(points(ref.POLE), st.integers(0, 10))
def test_the_family_of_a_beidou_cell_is_that_of_the_reference(point, level):
    code = outcome(ref.beidou_encode, *point, level)
    if code is ValueError:
        return
    cell = grid.parse_beidou(code)
    parent = outcome(cell.parent)
    assert (parent if parent is ValueError else parent.text) == outcome(ref.beidou_parent, code)
    if level < 10 and level != 0:
        children, wanted = outcome(cell.children), outcome(ref.beidou_children, code)
        assert ([c.text for c in children] if children is not ValueError else children) == wanted
