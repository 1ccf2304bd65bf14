"""Heights and three-dimensional codes: the library against the reference, and its 60-digit height law."""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import isfinite, nextafter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jingwei import grid

from . import reference as ref
from .earth import LATS, LONS, answer, wanted

FACES = [ref.DEGREE, ref.HALF, ref.MINUTE, 32 * ref.MINUTE, 4 * ref.SECOND, ref.SECOND, 512, 64, 8, 1]
PROFILES = st.sampled_from(ref.PROFILES)
STRANGE = [0, 0.0, -0.0, 1e-12, -1e-12, "1839.585", "-0.5", -6_378_137, 1e12, float("nan"), float("inf")]


@st.composite
def counts(draw):
    """Layers of 1/2048 second, half of them near the ground, most of them the first of a coarser layer."""
    low, high = draw(st.sampled_from([(ref.LOWEST, ref.HIGHEST - 1), (-(10**6), 10**6)]))
    count = draw(st.integers(low, high))
    unit = draw(st.sampled_from(FACES))
    return max(ref.LOWEST, min(ref.HIGHEST - 1, count // unit * unit + draw(st.integers(-1, 1))))


@st.composite
def heights(draw):
    """Metres: strange ones, plain ones, and faces of layers as decimals or floats, a trifle beside."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(STRANGE))
    if draw(st.booleans()):
        return draw(st.decimals("-11000", "20000", places=3))
    face = ref.layer_bottom(draw(counts()))
    if draw(st.booleans()):
        return face + draw(st.sampled_from([-1, 1])) * Decimal("1e-10")
    height, steps = float(face), draw(st.integers(-2, 2))
    for _ in range(abs(steps)):
        height = nextafter(height, steps * 1e18)
    assume(not undecided(height))
    return height


def undecided(height):
    """Whether double precision itself decides the snap: a double of metres is 1e-8 to 3e-6 ticks wide."""
    with localcontext(prec=60):
        metres = 1 + ref.decimal(Fraction(height)) / ref.RADIUS
        if metres <= 0:
            return True
        count = metres.ln() / (1 + ref.PI / 180).ln() * ref.DEGREE
        rounding = Decimal("5e-7") if abs(count) < 10**8 else Decimal("2e-6")
        return abs(count - count.to_integral_value() + ref.decimal(ref.SNAP)) < rounding


@given(heights())
@settings(max_examples=600)
def test_the_layer_of_a_height(height):
    expected = wanted(ref.height_count, height)
    assert answer(grid.height_ticks, height) == expected
    if isinstance(height, float) and expected is not None:
        assert grid.height_ticks(np.array([height])).tolist() == [expected]


@given(counts())
def test_the_height_of_a_layer(count):
    exact = ref.layer_bottom(count)
    assert grid.height_of(count) == pytest.approx(float(exact), rel=4e-15, abs=1e-9)


@given(LATS, LONS, heights(), st.integers(0, 10), PROFILES)
@settings(max_examples=600)
def test_three_dimensional_codes(lat, lon, height, level, profile):
    expected = wanted(ref.beidou3d_encode, lat, lon, height, level, profile)
    assert answer(grid.beidou3d_string, lon, lat, height, level, profile) == expected
    if expected and all(isinstance(value, float) for value in (lat, lon, height)):
        columns = (np.array([value]) for value in (lon, lat, height))
        assert grid.beidou3d_string(*columns, level, profile).astype(str).tolist() == [expected]


@given(LATS, LONS, counts(), st.integers(0, 10), PROFILES, PROFILES, st.data())
@settings(max_examples=600)
def test_reading_three_dimensional_codes(lat, lon, count, level, written, read, data):
    """Codes of one profile read by another, many with one height character changed."""
    code = wanted(ref.beidou_encode, lat, lon, level)
    assume(code is not None)
    digits = ref.beidou_height_digits(count, level, written)
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(digits) - 1))
        digits = digits[:at] + data.draw(st.sampled_from("0123456789ABCDEFG")) + digits[at + 1 :]
    text = ref.beidou3d_weave(code, digits)
    expected, solid = wanted(ref.beidou3d_decode, text, read), answer(grid.parse_beidou3d, text, read)
    assert (solid and (solid.low, solid.high)) == (expected and expected[1])
    if solid:
        assert (solid.cell.text, solid.height_digits, solid.level) == (code, digits, level)
        assert solid.bottom_m == pytest.approx(float(ref.layer_bottom(solid.low)), rel=4e-15, abs=1e-9)
        if read == "mixed" and level:
            assert answer(lambda: solid.above(1).text) == wanted(ref.beidou3d_upper_neighbour, text)


@given(heights().filter(lambda h: not isinstance(h, float) or isfinite(h)), st.integers(1, 32), st.booleans())
@settings(max_examples=400)
def test_geosot_heights(height, level, nested):
    count = wanted(ref.height_count, height)
    layer = answer(grid.geosot_height, height, level, "nested" if nested else "raw")
    assert (layer is None) == (count is None)
    if layer:
        write = ref.geosot_height_nested if nested else ref.geosot_height_raw
        assert layer.bits == write(count, level)
        assert (layer.low, layer.high) == ref.geosot_height_interval(layer.bits, nested=nested)


@given(st.text("01", min_size=1, max_size=33), st.booleans())
@settings(max_examples=400)
def test_reading_geosot_heights(bits, nested):
    expected = wanted(lambda: ref.geosot_height_interval(bits, nested=nested))
    layer = answer(grid.parse_geosot_height, bits, "nested" if nested else "raw")
    assert (layer and (layer.low, layer.high)) == expected
