"""Columns and single values give the same answers; what is bad is raised with its place, or marked."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei import grid

from . import reference as ref
from .earth import LATS, LONS, answer, cells, wanted
from .test_heights import PROFILES, TICKS, middle_of
from .test_reference import points

NO_CODE = grid.geosot.interleave(60 << 17, 0)
"""The 60th minute of a degree."""


@given(points(ref.POLE), st.integers(1, 32))
def test_180_degrees_may_be_taken_as_west(point, level):
    lat, _ = point
    east = answer(grid.encode, 180, lat, level)
    west = answer(grid.encode, -180, lat, level)
    assert answer(grid.encode, 180, lat, level, normalize_lon=True) == west
    found, bad = grid.encode(
        np.array([180.0, -180.0, 179.5, np.nan]),
        np.full(4, float(lat)),
        level,
        normalize_lon=True,
        errors="mask",
    )
    assert found[:2].tolist() == [west or 0] * 2
    assert found[2] == (answer(grid.encode, 179.5, float(lat), level) or 0)
    assert bad.tolist() == [west is None] * 3 + [True]
    assert east != west or east is None or abs(lat) >= 88


def test_normalizing_leaves_all_other_longitudes_alone():
    for lon in ("179.99999999999", 179.9999, -180, 0, Decimal("-179.5")):
        assert grid.beidou_string(lon, 10, 10, normalize_lon=True) == grid.beidou_string(lon, 10, 10)
    assert grid.beidou_string("180", 10, 1, normalize_lon=True) == "N01C"
    assert grid.beidou_string(np.array([180.0]), np.array([10.0]), 1, normalize_lon=True).tolist() == [
        b"N01C"
    ]
    assert grid.beidou3d_string(180, 10, 0, 1, normalize_lon=True) == "N001C00"
    assert grid.Cell.at(180, 10, 9, normalize_lon=True).bounds[0] == -180
    for lon in (180.00000000000003, "180.0000000001", 540):
        assert answer(grid.encode, lon, 10, normalize_lon=True) is None


@pytest.mark.parametrize(
    "column",
    [
        [1.5, None],
        np.array([1.5, None], dtype=object),
        np.ma.array([1.5, 0], mask=[False, True]),
        pa.array([1.5, None]),
        pa.chunked_array([[1.5], [None]]),
        pl.Series([1.5, None]),
        pd.Series([1.5, None], dtype="Float64"),
        ["1.5", None],
        [Decimal("1.5"), None],
        pa.array(["1.5", None]),
        pl.Series(["1.5", "x"]),
        pd.Series(["1.5", None], dtype="string"),
    ],
    ids=lambda column: f"{type(column).__module__}.{type(column).__name__}",
)
def test_nulls_are_marked_or_raised_with_their_index(column):
    codes, bad = grid.encode(column, column, 9, errors="mask")
    assert codes.tolist() == [grid.encode("1.5", "1.5", 9), 0]
    assert bad.tolist() == [False, True]
    texts, bad = grid.beidou_string(column, column, 3, errors="mask")
    assert texts.tolist() == [grid.beidou_string("1.5", "1.5", 3).encode(), b""]
    assert bad.tolist() == [False, True]
    solids, bad = grid.beidou3d_string(column, column, column, 3, errors="mask")
    assert solids.tolist() == [grid.beidou3d_string("1.5", "1.5", "1.5", 3).encode(), b""]
    assert bad.tolist() == [False, True]
    for function in (grid.encode, grid.beidou_string):
        with pytest.raises(grid.MalformedCoordinate) as fault:
            function(column, column, 3)
        assert fault.value.position == 1
    with pytest.raises(grid.MalformedCoordinate) as fault:
        grid.height_ticks(column)
    assert fault.value.position == 1


@pytest.mark.parametrize(
    "column", [[3 << 62, None], pa.array([-(1 << 62), None]), pd.Series([-(1 << 62), None], dtype="Int64")]
)
def test_null_codes_are_never_taken_for_cells(column):
    for function in (grid.bounds, grid.centre, grid.area_m2, grid.size_m):
        *_, bad = function(column, 9, errors="mask")
        assert bad.tolist() == [False, True]
    found, bad = grid.parent(column, 9, 5, errors="mask")
    assert bad.tolist() == [False, True]
    assert found[1] == 0
    for refused in (
        lambda: grid.bounds(column, 9),
        lambda: grid.parent(column, 9, 5),
        lambda: grid.neighbour(column, 9, 1, 0),
        lambda: grid.to_stored(column),
        lambda: grid.from_stored(column),
        lambda: grid.cell_range(column, 9),
        lambda: grid.contains(0, 9, column, 9),
        lambda: grid.geosot_string(column, 9),
        lambda: grid.grid_distance(0, column, 9),
        lambda: grid.Cover.of_cells(column, 9),
    ):
        with pytest.raises(grid.MalformedCode) as fault:
            refused()
        assert fault.value.position == 1


def test_lists_of_codes_keep_all_their_bits():
    codes = [1, (1 << 63) + 1, -1]
    assert grid.to_stored(codes).tolist() == [1, -(1 << 63) + 1, -1]
    for beyond in (1 << 64, -(1 << 63) - 1):
        with pytest.raises(grid.MalformedCode) as fault:
            grid.to_stored([0, beyond])
        assert fault.value.position == 1
    for wrong in ([0.5], [True], ["1"]):
        with pytest.raises(grid.MalformedCode):
            grid.to_stored(wrong)


def test_single_values_are_marked_too():
    nan = pytest.approx(float("nan"), nan_ok=True)
    assert grid.encode(200, 1, errors="mask") == (0, True)
    assert grid.encode(1, 1, 9, errors="mask") == (grid.encode(1, 1, 9), False)
    assert grid.beidou_string(1, 89, 5, errors="mask") == ("", True)
    assert grid.beidou3d_string(1, 1, "x", 5, errors="mask") == ("", True)
    assert grid.beidou_of(NO_CODE, 15, errors="mask") == ("", True)
    assert grid.height_ticks(1e12, errors="mask") == (0, True)
    assert grid.geosot_height_string(-7e6, 5, errors="mask") == ("", True)
    assert grid.centre(NO_CODE, 15, errors="mask") == (nan, nan, True)
    assert grid.bounds(NO_CODE, 15, errors="mask") == (nan, nan, nan, nan, True)
    assert grid.area_m2(NO_CODE, 15, errors="mask") == (nan, True)
    assert grid.neighbour(grid.encode(1, 87.99, 9), 9, 0, 5, errors="mask") == (0, True)
    with pytest.raises(ValueError, match="raise"):
        grid.encode(1, 1, errors="ignore")


def test_shapes_are_kept():
    lon, lat = np.arange(6.0).reshape(2, 3), np.full((2, 3), 0.5)
    assert grid.beidou_string(lon, lat, 8).shape == (2, 3)
    assert grid.encode(lon.astype(str), lat, 8).shape == (2, 3)
    assert grid.height_ticks(lon).shape == (2, 3)
    assert grid.geosot_height_string(lon, 8).shape == (2, 3)
    solids = grid.beidou3d_string(lon, lat, lon, 8)
    assert solids.shape == (2, 3)
    assert [values.shape for values in grid.parse_beidou3d(solids)] == [(2, 3)] * 4
    codes = grid.encode(lon, lat)
    assert grid.neighbour(codes, 32, 1, 1).shape == (2, 3)
    assert grid.parse_geosot(grid.geosot_string(codes, 32))[0].shape == (2, 3)
    with pytest.raises(grid.MalformedCoordinate):
        grid.beidou3d_string(lon, lat, np.zeros(6), 8)
    with pytest.raises(grid.MalformedCoordinate):
        grid.encode(["1", "2"], ["1"])


@given(st.lists(st.tuples(LATS, LONS, TICKS), min_size=1, max_size=12), st.integers(0, 10), st.data())
def test_columns_of_three_dimensional_codes_are_those_of_single_points(places, level, data):
    profile = data.draw(st.sampled_from(PROFILES))
    lat, lon, ticks = ([*column] for column in zip(*places, strict=True))
    lat, lon, height = [float(v) for v in lat], [float(v) for v in lon], [middle_of(t) for t in ticks]
    expected = [
        answer(grid.beidou3d_string, *point, level, profile) for point in zip(lon, lat, height, strict=True)
    ]
    texts, bad = grid.beidou3d_string(lon, lat, height, level, profile, errors="mask")
    assert texts.astype(str).tolist() == [text or "" for text in expected]
    assert bad.tolist() == [text is None for text in expected]
    column = [text for text in expected if text is not None]
    if data.draw(st.booleans()) and column:
        at = data.draw(st.integers(0, len(column[0]) - 1))
        column[0] = column[0][:at] + data.draw(st.sampled_from("0159EFGZ-")) + column[0][at + 1 :]
    codes, levels, low, high, none = grid.parse_beidou3d(np.array(column, str), profile, errors="mask")
    for i, text in enumerate(column):
        solid = answer(grid.parse_beidou3d, text, profile)
        twin = answer(lambda one=solid: one.cell.code) if solid else None
        assert none[i] == (twin is None)
        if twin is not None:
            assert (codes[i], low[i], high[i]) == (twin, solid.low, solid.high)
            assert ref.BEIDOU_TO_GEOSOT[solid.level] == levels[i]
    if none.any():
        with pytest.raises(grid.GridError) as fault:
            grid.parse_beidou3d(np.array(column, str), profile)
        assert fault.value.position == none.argmax()


@given(st.lists(TICKS, min_size=1, max_size=12), st.integers(1, 32), st.sampled_from(["raw", "nested"]))
def test_columns_of_height_codes_are_those_of_single_heights(ticks, level, profile):
    heights = [middle_of(tick) for tick in ticks]
    write = ref.geosot_height_raw if profile == "raw" else ref.geosot_height_nested
    found = grid.geosot_height_string(np.array(heights), level, profile)
    assert found.astype(str).tolist() == [write(ref.height_count(h), level) for h in heights]
    assert [grid.geosot_height_string(h, level, profile) for h in heights] == found.astype(str).tolist()


@given(st.lists(cells(0, polar=True), min_size=1, max_size=12), st.data())
def test_columns_of_quaternary_texts_are_read_as_single_ones(found, data):
    texts = [ref.geosot_text(cell, separators=data.draw(st.booleans())) for cell in found]
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(texts[0])))
        texts[0] = texts[0][:at] + data.draw(st.sampled_from("0123456789-.G ")) + texts[0][at:]
    texts[-1] = f" {texts[-1]}\t"
    codes, levels, bad = grid.parse_geosot(texts, errors="mask")
    expected = [wanted(ref.geosot_parse, text.strip()) for text in texts]
    singles = [answer(grid.parse_geosot, text) for text in texts]
    assert bad.tolist() == [single is None for single in singles]
    for single, other, code, level in zip(singles, expected, codes.tolist(), levels.tolist(), strict=True):
        if single is not None:
            assert (single.code, single.level) == (code, level) == other


def test_texts_with_spaces_are_read_in_columns_as_alone():
    for column in (
        [" N50J47539B825534 "],
        np.array([b"\tN50J47539B825534 "]),
        pa.array(["N50J47539B825534\n"]),
    ):
        codes, levels = grid.parse_beidou(column)
        assert (codes[0], levels[0]) == (grid.parse("N50J47539B825534").code, 26)


def test_lower_case_is_read_on_request_only():
    text = "n50j47539b825534"
    cell = grid.parse(text.upper())
    assert grid.parse(text, lower_case=True) == cell
    assert grid.parse_beidou(text, lower_case=True).code == cell.code
    assert grid.parse_beidou([text], lower_case=True)[0].tolist() == [cell.code]
    assert grid.parse_geosot(str(cell).lower(), lower_case=True) == cell
    assert grid.parse_geosot([str(cell).lower()], lower_case=True)[0].tolist() == [cell.code]
    solid = grid.BeidouSolid.at(116.3, 39.9, 50, 8)
    assert grid.parse_beidou3d(solid.text.lower(), lower_case=True) == solid
    assert grid.parse_beidou3d([solid.text.lower()], lower_case=True)[0].tolist() == [solid.cell.code]
    for read in (grid.parse, grid.parse_beidou, lambda t: grid.parse_beidou([t]), grid.parse_geosot):
        with pytest.raises(grid.MalformedCode):
            read(text)


@given(cells(0))
def test_the_binary_form_has_the_bits_of_both_axes(cell):
    code, level = cell
    lat, lon = (f"{axis >> (32 - level):0{level}b}" if level else "" for axis in ref.geosot_axes(code))
    assert grid.Cell(code, level).binary == (lat, lon)
    assert grid.parse_geosot_binary(lat, lon) == grid.Cell(code, level)


@pytest.mark.parametrize(
    ("lat", "lon"), [("01", "0"), ("02", "00"), ("0" * 33, "0" * 33), ("0" * 9 + "1111", "0" * 13)]
)
def test_bits_that_are_no_cell_are_refused(lat, lon):
    with pytest.raises(grid.MalformedCode):
        grid.parse_geosot_binary(lat, lon)


@given(LATS, LONS, st.integers(0, 10))
def test_a_cell_at_a_point_is_the_one_its_code_names(lat, lon, level):
    text = answer(grid.beidou_string, lon, lat, level)
    cell = answer(grid.BeidouCell.at, lon, lat, level)
    assert (cell and cell.text) == text
    solid = answer(grid.BeidouSolid.at, lon, lat, Fraction(101, 2), level, "c3_literal_twos")
    assert (solid and solid.profile) == (text and "c3_literal_twos")
    assert (solid and solid.cell) == cell


@pytest.mark.parametrize(
    ("text", "position"),
    [
        *(("", 0), ("  ", 2), ("n50J", 0), ("N5", 2), ("N5J", 2), ("N61A", 1), ("N00A", 3), ("N50W", 3)),
        *(("N50JZ", 4), ("N50J4", 5), ("N50JC0", 4), ("N50J08", 5), ("N50J476", 6), ("N50J475F0", 7)),
        *(("N50J4753A", 8), ("N50J4753 4", 8), ("N50J47539F0", 9), ("N50J47539B08", 11)),
        *(
            ("N50J47539B880", 11),
            ("N50J47539B82553400000000", 20),
            ("N50J\0", 4),
            (" N50JZ0 ", 5),
            ("N00019", 4),
        ),
    ],
)
def test_a_malformed_beidou_code_is_refused_at_its_first_wrong_character(text, position):
    with pytest.raises(grid.MalformedCode) as fault:
        grid.parse_beidou(text)
    assert (fault.value.position, fault.value.text) == (position, text)
    assert fault.value.reason
