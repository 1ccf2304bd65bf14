"""Heights: the golden vectors, and the library against the exact reference."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei import grid

from . import reference as ref
from .test_against_reference import outcome
from .test_reference import points
from .vectors import place, vectors

PROFILES = ["mixed", "c3_literal_twos", "c3_literal_signabs"]
TICKS = st.one_of(
    st.integers(-256 * ref.DEGREE, 256 * ref.DEGREE - 1),
    st.integers(-100_000, 3_000_000),
    st.builds(
        lambda unit, n, off: max(-256 * ref.DEGREE, min(256 * ref.DEGREE - 1, unit * n + off)),
        st.sampled_from([ref.DEGREE, ref.MINUTE, ref.SECOND, 512, 64, 8]),
        st.integers(-300, 300),
        st.integers(-1, 1),
    ),
)


def middle_of(ticks):
    """A height in the middle of a layer of one tick, as a float."""
    return float(ref.layer_bottom(ticks) + ref.layer_bottom(ticks + 1)) / 2


@pytest.mark.parametrize("row", vectors("beidou3d", "height"), ids=lambda row: str(row["input"]["H_m"]))
def test_height_codes_are_those_of_the_standard(row):
    height = row["input"]["H_m"]
    assert grid.beidou3d.height_digits(height, 10) == row["code"]
    assert grid.beidou3d.height_digits(float(height), 10) == row["code"]
    for profile, code in row.get("alt", {}).items():
        assert grid.beidou3d.height_digits(height, 10, profile) == code
    for level, code in row.get("levels", {}).items():
        assert grid.beidou3d.height_digits(height, int(level)) == code


@pytest.mark.parametrize("row", vectors("beidou3d", "encode3d"), ids=lambda row: row["code"])
def test_solid_codes_are_those_of_the_standard(row):
    lat, lon = place(row)
    height = str(row["input"]["H_m"])
    assert grid.beidou3d_string(lon, lat, height, row["level"]) == row["code"]
    column = (np.array([float(value)]) for value in (lon, lat, height))
    assert grid.beidou3d_string(*column, row["level"]).astype(str).tolist() == [row["code"]]
    solid = grid.parse_beidou3d(row["code"])
    assert solid.profile == "mixed"
    assert solid.bottom_m <= float(height) < solid.top_m
    assert solid.cell.text == grid.beidou_string(lon, lat, row["level"])


def test_the_printed_example_is_woven_as_the_standard_weaves_it():
    (row,) = vectors("beidou3d", "interleave")
    assert grid.beidou3d.weave(row["input"]["code2d"], row["input"]["height_code"]) == row["code"]
    assert grid.parse_beidou3d(row["code"]).height_digits == row["input"]["height_code"]


@pytest.mark.parametrize("row", vectors("beidou3d", "height_of_layer"), ids=lambda row: row["code"])
def test_layers_lie_where_the_standard_prints_them(row):
    printed = float(Decimal(row["code"].removesuffix(" km")) * 1000)
    assert grid.height_of(row["input"]["n"] * ref.DEGREE) == pytest.approx(printed, rel=1e-12)


@pytest.mark.parametrize(
    "row", vectors("geosot", "height_bits"), ids=lambda row: f"{row['level']} {row['code']}"
)
def test_geosot_height_codes_are_those_of_the_standard(row):
    height = row["input"]["H_m"]
    raw = grid.geosot_height(height, row["level"])
    assert (raw.bits, raw.number) == (row["code"], row["n"])
    assert grid.geosot_height(height, row["level"], "nested").bits == row["alt_nested"]


@given(TICKS)
def test_heights_are_counted_as_the_reference_counts(ticks):
    height = middle_of(ticks)
    assert grid.height_ticks(height) == ref.height_count(height)
    assert grid.height_ticks(np.array([height])).tolist() == [ref.height_count(height)]
    bottom = float(ref.layer_bottom(ticks))
    assert grid.height_ticks(bottom) == ref.height_count(bottom)
    assert grid.height_ticks(np.array([bottom])).tolist() == [ref.height_count(bottom)]


@given(TICKS, st.integers(0, 10), st.sampled_from(PROFILES))
def test_height_digits_name_the_layer_they_were_cut_from(ticks, level, profile):
    height = middle_of(ticks)
    digits = grid.beidou3d.height_digits(height, level, profile)
    assert digits == ref.beidou_height_digits(ref.height_count(height), level, profile)
    low, high = grid.beidou3d.layer_of(digits, profile)
    assert low <= grid.height_ticks(height) < high
    assert (low, high) == ref.beidou_height_interval(digits, profile)


@given(points(), TICKS, st.integers(0, 10), st.sampled_from(PROFILES))
def test_solid_cells_round_trip_and_stack(point, ticks, level, profile):
    lat, lon = point
    height = middle_of(ticks)
    text = grid.beidou3d_string(lon, lat, height, level, profile)
    assert text == ref.beidou3d_encode(lat, lon, height, level, profile)
    solid = grid.parse_beidou3d(text, profile)
    assert solid.text == text
    above = outcome(solid.above)
    if above is not ValueError:
        assert above.low == solid.high
        assert above.above(-1) == solid


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("level", range(11))
def test_from_the_outermost_layers_one_comes_in_and_goes_back(level, profile):
    end = 256 * ref.DEGREE
    for ticks, inward in ((-end, 1), (end - 1, -1)):
        text = ref.beidou3d_encode(39.9, 116.3, middle_of(ticks), level, profile)
        solid = grid.parse_beidou3d(text, profile)
        within = solid.above(inward)
        assert within != solid
        assert within.above(-inward) == solid


@given(TICKS, st.integers(1, 32), st.sampled_from(["raw", "nested"]))
def test_geosot_layers_are_those_of_the_reference(ticks, level, profile):
    layer = grid.geosot_height(middle_of(ticks), level, profile)
    nested = profile == "nested"
    count = ref.height_count(middle_of(ticks))
    assert layer.bits == (ref.geosot_height_nested if nested else ref.geosot_height_raw)(count, level)
    assert (layer.low, layer.high) == ref.geosot_height_interval(layer.bits, nested=nested)
    if not nested:
        sign = "-" if layer.bits[0] == "1" else "+"
        dropped = layer.bits.lstrip("0") if sign == "+" else layer.bits
        assert grid.parse_signed_height(sign + dropped, level) == layer


@given(points(), TICKS, st.integers(0, 10), st.data())
def test_one_wrong_character_of_a_solid_code_is_found_where_it_is(point, ticks, level, data):
    text = grid.beidou3d_string(point[1], point[0], middle_of(ticks), level)
    at = data.draw(st.integers(0, len(text) - 1))
    wrong = text[:at] + "Z" + text[at + 1 :]
    with pytest.raises(grid.MalformedCode) as fault:
        grid.parse_beidou3d(wrong)
    assert fault.value.position == at


def test_the_profiles_agree_up_to_one_minute_of_height_and_nowhere_else():
    codes = {
        h: {grid.beidou3d.height_digits(h, 10, p) for p in PROFILES} for h in (0, 50, 1839.58, 1839.6, -0.5)
    }
    assert {h: len(found) for h, found in codes.items()} == {0: 1, 50: 1, 1839.58: 1, 1839.6: 2, -0.5: 3}


@pytest.mark.parametrize("height", [float("nan"), float("inf"), "high", None, True, -6_378_137, 6e8])
def test_heights_that_are_none_are_refused(height):
    with pytest.raises(grid.GridError):
        grid.height_ticks(height)
