"""Exactness: every way of writing an angle, every edge of a line of cells, every bad number."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei import grid
from jingwei.grid import levels
from jingwei.grid.ticks import signed_ticks

from . import reference as ref
from .test_reference import points

DEGREE = levels.TICKS_PER_DEGREE


@pytest.mark.parametrize(
    "text",
    [
        "116 18 45.37 E",
        "116°18'45.37\"E",
        "116°18′45.37″E",
        "E116°18'45.37\"",
        "东经116度18分45.37秒",
        "116:18:45.37",
        "116d18m45.37s",
        "+116 18 45.37",
        "１１６°１８′４５．３７″",
        "东经１１６度１８分４５．３７秒",
        "116度18分45.37秒Ｅ",
        "１１６：１８：４５．３７",
        "　116　18　45.37　",
        "116°18.7561666666666666666666666667'",
        "116.31260277777777777777777778",
        "1.1631260277777777777777777778e2",
    ],
)
def test_an_angle_may_be_written_in_many_ways(text):
    assert signed_ticks(text, "lon") == (
        False,
        math.floor(Fraction("116.31260277777777777777777778") * DEGREE),
    )


@pytest.mark.parametrize(
    ("text", "axis", "negative"),
    [
        ("39 59 35.38 S", "lat", True),
        ("-39.9", "lat", True),
        ("南纬39度", "lat", True),
        ("0.5W", "lon", True),
        ("西经1度", "lon", True),
        ("-0", "lon", False),
        ("0 S", "lat", False),
    ],
)
def test_hemispheres_are_signs_letters_or_words(text, axis, negative):
    assert signed_ticks(text, axis)[0] is negative


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "116 60 0",
        "116 18 60",
        "116 18.5 3",
        "-116 18 45 W",
        "116 N",
        "1,5",
        "nan",
        "inf",
        "116 18 45 37",
        "--5",
        "5 E W",
    ],
)
def test_an_unreadable_longitude_is_refused(text):
    with pytest.raises(grid.GridError):
        signed_ticks(text, "lon")


@pytest.mark.parametrize(
    "bad",
    [
        float("nan"),
        math.inf,
        -math.inf,
        180.0000001,
        -181,
        Decimal("NaN"),
        Decimal("1e9"),
        Fraction(361, 2),
        None,
        True,
        1j,
        "N5",
    ],
)
def test_a_bad_longitude_is_refused_alone_and_in_a_column(bad):
    with pytest.raises(grid.GridError):
        grid.encode(bad, 1, 5)
    assert grid.encode(1, 1, 5) == grid.encode(np.array([1.0]), np.array([1.0]), 5)[0]
    if isinstance(bad, float):
        with pytest.raises(grid.GridError) as fault:
            grid.encode(np.array([1.0, bad]), np.array([1.0, 1.0]), 5)
        assert fault.value.position == 1
        codes, wrong = grid.encode(np.array([1.0, bad]), np.array([1.0, 1.0]), 5, errors="mask")
        assert (codes[1], wrong.tolist()) == (0, [False, True])


@pytest.mark.parametrize("level", [-1, 33, 1.5, "9", True, None])
def test_a_bad_level_is_refused(level):
    with pytest.raises(grid.LevelError):
        grid.encode(1.0, 1.0, level)
    with pytest.raises(grid.LevelError):
        grid.bounds(0, level)


@given(st.integers(-180 * DEGREE + 1, 180 * DEGREE - 1), st.integers(-88 * DEGREE + 1, 88 * DEGREE - 1))
def test_a_float_on_a_tick_is_on_it(x, y):
    exact = grid.encode(Fraction(x, DEGREE), Fraction(y, DEGREE))
    assert grid.encode(x / DEGREE, y / DEGREE) == exact
    assert grid.encode(float(f"{x / DEGREE:.13f}"), float(f"{y / DEGREE:.13f}")) == exact
    assert grid.encode(np.array([x / DEGREE]), np.array([y / DEGREE]))[0] == exact


@given(st.decimals(-180, 180, places=10), st.decimals(-87, 87, places=10))
def test_a_float_of_ten_decimals_has_the_cell_of_the_decimal(lon, lat):
    assert grid.encode(float(lon), float(lat)) == grid.encode(lon, lat) == grid.encode(str(lon), str(lat))


def exact_codes(x, y):
    """Codes of points given in ticks with a sign, by integer arithmetic alone."""

    def axis(ticks):
        size = np.minimum(np.abs(ticks), 180 * DEGREE - 1)
        d, m, s, u = size // DEGREE, size // 122_880 % 60, size // 2_048 % 60, size % 2_048
        return (ticks < 0).astype(np.int64) << 31 | d << 23 | m << 17 | s << 11 | u

    code = np.zeros(x.size, dtype=np.uint64)
    for bit in range(32):
        for place, bits in ((2 * bit, axis(x)), (2 * bit + 1, axis(y))):
            code |= (bits >> bit & 1).astype(np.uint64) << np.uint64(place)
    return code


@pytest.mark.parametrize(("unit", "name"), [(2_048, "second"), (122_880, "minute"), (DEGREE, "degree")])
@pytest.mark.parametrize(("east", "north"), [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_every_whole_unit_along_a_line_is_in_its_own_cell(unit, name, east, north):
    """All arc-seconds, minutes and degrees along a parallel and a meridian of each quadrant."""
    assert name
    lon = east * np.arange(0, 180 * DEGREE + 1, unit)
    lat = north * np.arange(0, 88 * DEGREE, unit)
    for x, y in (
        (lon, np.full(lon.size, north * 294_174_720)),  # 39.9 degrees
        (np.full(lat.size, east * 857_456_641), lat),  # 116.3 degrees and a tick
    ):
        expected = exact_codes(x, y)
        assert np.array_equal(grid.encode(x / DEGREE, y / DEGREE), expected)
        texts = grid.beidou_string(x / DEGREE, y / DEGREE, 10)
        assert np.array_equal(grid.parse_beidou(texts)[0], expected)


def test_zero_and_minus_zero_are_east_and_north():
    origin = grid.encode(0, 0)
    assert origin == 0 == grid.encode(-0.0, -0.0) == grid.encode(np.array([-0.0]), np.array([-0.0]))[0]
    assert grid.beidou_string(-0.0, -0.0, 1) == "N31A"


def test_the_180th_meridian_stays_in_its_own_hemisphere():
    east, west = grid.encode(180, 10.1), grid.encode(-180, 10.1)
    assert (east >> 62, west >> 62) == (0, 1)
    assert grid.bounds(east, 32)[2] == 180
    assert grid.bounds(west, 32)[0] == -180
    assert grid.neighbour(east, 32, 1, 0) == west


def test_beyond_88_degrees_there_are_only_the_printed_cells():
    for level in range(8, 11):
        assert grid.Cell.at(10, 89.9, level).bounds[3] == 90
    with pytest.raises(grid.PolarUnsupported):
        grid.encode(10, 88, 11)
    with pytest.raises(grid.PolarUnsupported):
        grid.beidou_string(10, 88, 3)
    codes, bad = grid.encode(np.array([10.0, 10.0]), np.array([87.99, 88.0]), 32, errors="mask")
    assert bad.tolist() == [False, True]
    assert codes[1] == 0


@given(points(ref.POLE), st.integers(0, 32))
def test_the_middle_of_a_cell_is_in_it(point, level):
    code, bad = grid.encode(point[1], point[0], level, errors="mask")
    if bad:
        return
    west, south, east, north = grid.bounds(code, level)
    lon, lat = grid.centre(code, level)
    assert south <= lat <= north
    assert west <= lon <= east or west > east or abs(lat) == 90
    assert level == 0 or grid.encode(lon, lat, level) == code
    assert tuple(axis[0] for axis in grid.centre(np.array([code], np.uint64), level)) == (lon, lat)


def test_shapes_and_empty_columns_are_kept():
    x = np.arange(6.0).reshape(2, 3)
    codes = grid.encode(x, x)
    assert codes.shape == (2, 3)
    assert grid.bounds(codes, 9)[0].shape == (2, 3)
    assert grid.parent(codes.view(np.int64), 32, 9).dtype == np.int64
    empty = grid.encode(np.array([]), np.array([]))
    assert empty.dtype == np.uint64
    assert grid.beidou_string(np.array([]), np.array([]), 8).size == 0
    with pytest.raises(grid.MalformedCoordinate):
        grid.encode(np.zeros(2), np.zeros(3))
    with pytest.raises(grid.MalformedCoordinate):
        grid.encode(np.zeros(2), 1.0)


@pytest.mark.parametrize(
    "text",
    [
        "12",
        "12-",
        "-",
        "x12-5",
        "12-33",
        "1-2-x",
        "99999999999999999999-32",
        "1-5",
        "Q",
        "G4",
        "N99A",
        "",
        "13835058055282163713-9",
    ],
)
def test_texts_that_name_no_cell_are_refused_with_a_position(text):
    with pytest.raises(grid.GridError) as fault:
        grid.parse(text)
    assert fault.value.reason
    assert fault.value.position is not None
    assert 0 <= fault.value.position <= len(text)


def test_codes_in_floats_are_refused():
    with pytest.raises(grid.MalformedCode):
        grid.bounds(np.array([1.5]), 9)
    with pytest.raises(grid.MalformedCode):
        grid.bounds(1.5, 9)


def test_a_code_in_a_pad_is_refused_or_masked():
    with pytest.raises(grid.MalformedCode):
        grid.Cell(grid.geosot.interleave(60 << 17, 0), 15)
    codes = np.array([0, grid.geosot.interleave(60 << 17, 0)], dtype=np.uint64)
    *_, bad = grid.bounds(codes, 15, errors="mask")
    assert bad.tolist() == [False, True]
    with pytest.raises(grid.MalformedCode) as fault:
        grid.bounds(codes, 15)
    assert fault.value.position == 1
