"""From points to codes: the library against the reference, over the whole earth and wherever cells meet."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jingwei import grid

from . import reference as ref
from .earth import LATS, LEVELS, LONS, answer, line, undecided, wanted


@given(LATS, LONS, LEVELS)
@settings(max_examples=800)
def test_geosot_code_of_a_point(lat, lon, level):
    expected = wanted(ref.geosot_cell, lat, lon, level)
    assert answer(grid.encode, lon, lat, level) == (None if expected is None else expected[0])


@given(LATS, LONS, st.integers(0, 10))
@settings(max_examples=800)
def test_beidou_code_of_a_point(lat, lon, level):
    assert answer(grid.beidou_string, lon, lat, level) == wanted(ref.beidou_encode, lat, lon, level)


STRANGE = st.sampled_from([float("nan"), float("inf"), -float("inf"), 180.00000000000003, -91.0, 1e300])


@given(st.lists(st.tuples(LATS | STRANGE, LONS | STRANGE), min_size=1, max_size=30), LEVELS)
@settings(max_examples=300)
def test_a_column_is_its_elements(points, level):
    points = [(float(lat), float(lon)) for lat, lon in points]
    expected = [wanted(ref.geosot_cell, lat, lon, level) for lat, lon in points]
    assume(not any(undecided(value) for point in points for value in point if abs(value) <= 180))
    lat, lon = np.array(points).T
    codes, bad = grid.encode(lon, lat, level, errors="mask")
    assert bad.tolist() == [each is None for each in expected]
    assert codes.tolist() == [0 if each is None else each[0] for each in expected]
    singles = [answer(grid.encode, x, y, level) for y, x in points]
    assert singles == [each and each[0] for each in expected]
    if bad.any():
        with pytest.raises(grid.GridError) as fault:
            grid.encode(lon, lat, level)
        assert fault.value.position == bad.argmax()


@given(st.lists(st.tuples(LATS, LONS), min_size=1, max_size=5), LEVELS)
@settings(max_examples=200)
def test_a_column_of_exact_numbers_or_texts_is_exact(points, level):
    points = [(Fraction(lat), Fraction(lon)) for lat, lon in points]
    expected = [wanted(ref.geosot_cell, lat, lon, level) for lat, lon in points]
    assume(None not in expected)
    lats, lons = zip(*points, strict=True)
    assert grid.encode(lons, lats, level).tolist() == [code for code, _ in expected]
    texts = [[sexagesimal(value, marks) for value in axis] for axis, marks in ((lons, "EW"), (lats, "NS"))]
    assert grid.encode(*texts, level).tolist() == [code for code, _ in expected]


def sexagesimal(degrees, letters):
    """An angle written out to its last digit: in seconds, ticks and floats are finite decimals."""
    d, rest = divmod(abs(degrees), 1)
    m, rest = divmod(rest * 60, 1)
    with localcontext(prec=1200):
        seconds = Decimal((rest * 60).numerator) / (rest * 60).denominator
    return f"{d} {m} {seconds:f} {letters[degrees < 0]}"


@pytest.mark.parametrize("lat", [0.0, 39.9, -87.99])
def test_every_edge_along_a_parallel(lat):
    lons = line(180)
    codes = grid.encode(lons, np.full_like(lons, lat), 32)
    assert codes.tolist() == [ref.geosot_cell(lat, lon, 32)[0] for lon in lons.tolist()]


@pytest.mark.parametrize("level", [1, 7, 8, 9, 10, 32])
def test_every_edge_along_a_meridian(level):
    lats = line(90)
    codes, bad = grid.encode(np.full_like(lats, -116.3), lats, level, errors="mask")
    expected = [wanted(ref.geosot_cell, lat, -116.3, level) for lat in lats.tolist()]
    assert codes.tolist() == [each[0] if each else 0 for each in expected]
    assert bad.tolist() == [each is None for each in expected]


@pytest.mark.parametrize("level", range(11))
def test_every_edge_in_beidou_codes(level):
    lons, lats = line(180)[::5], line(90)[::5]
    lats = lats[np.abs(lats) < (90 if level <= 2 else 87.999)]
    lats = np.resize(lats, lons.size)
    expected = [ref.beidou_encode(*point, level) for point in zip(lats.tolist(), lons.tolist(), strict=True)]
    assert grid.beidou_string(lons, lats, level).astype(str).tolist() == expected
