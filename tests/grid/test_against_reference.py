"""Texts of both standards, in columns too, and BeiDou families: the library against the reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei import grid

from . import reference as ref
from .test_reference import points


def outcome(function, *arguments):
    """The value, or ValueError where it is refused."""
    try:
        return function(*arguments)
    except ValueError:
        return ValueError


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
