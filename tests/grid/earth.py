"""Places and cells of the whole earth, drawn often where cells meet; and how to ask both sides."""

from fractions import Fraction
from math import nextafter

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from jingwei import grid

from . import reference as ref


def answer(function, *arguments, **options):
    """What the library answers, or None where it refuses in its own words."""
    try:
        return function(*arguments, **options)
    except grid.GridError:
        return None


def wanted(function, *arguments):
    """What the reference answers, or None where it refuses."""
    try:
        return function(*arguments)
    except ValueError:
        return None


def undecided(value) -> bool:
    """Whether a float lies where the rounding within the snap rule decides."""
    if not isinstance(value, float):
        return False
    rest = abs(Fraction(value)) * ref.DEGREE % 1
    return abs(rest - (1 - ref.SNAP)) < ref.SNAP * 6 / 10


UNITS = [
    *(6 * ref.DEGREE, 4 * ref.DEGREE, ref.DEGREE, ref.HALF, ref.HALF // 2, ref.DEGREE // 6),
    *(32 * ref.MINUTE, 8 * ref.MINUTE, ref.MINUTE, 4 * ref.SECOND, ref.SECOND, 512, 64, 1),
]
LANDMARKS = [0, 60, 64, 88, 89, 90, 120, 128, 180]


@st.composite
def angles(draw, limit):
    """Degrees within +-limit: exact or float, often on an edge, a tick or a few roundings beside it."""
    most = limit * ref.DEGREE
    where = draw(st.integers(0, 9))
    if where == 0:
        t = draw(st.sampled_from(LANDMARKS)) * ref.DEGREE * draw(st.sampled_from([1, -1]))
    else:
        t = draw(st.integers(-most, most))
        if where < 7:
            unit = draw(st.sampled_from(UNITS))
            t = t // unit * unit
    t = max(-most, min(most, t + draw(st.sampled_from([0, 0, 1, -1]))))
    value = Fraction(t, ref.DEGREE)
    if draw(st.booleans()):
        return value
    steps = draw(st.integers(-3, 3))
    value = float(value)
    for _ in range(abs(steps)):
        value = nextafter(value, 400 * steps)
    value = max(-float(limit), min(float(limit), value))
    assume(not undecided(value))
    return -0.0 if value == 0 and steps < 0 else value


LATS, LONS, LEVELS = angles(90), angles(180), st.integers(0, 32)


@st.composite
def cells(draw, lowest=0, highest=32, *, polar=False):
    """Cells that exist, found by a point in them."""
    level, lat, lon = draw(st.integers(lowest, highest)), draw(LATS), draw(LONS)
    cell = wanted(ref.geosot_cell, lat, lon, level)
    assume(cell is not None and (polar or not (level >= 8 and ref.ticks(lat) >= ref.POLAR)))
    return cell


def swapped(box):
    """Bounds of the reference as the library gives them: west, south, east, north, east back within +-180."""
    south, west, north, east = box
    return tuple(map(float, (west, south, east - 360 if east > 180 else east, north)))


def line(limit):
    """Degrees along one axis where cells of any level meet, with their neighbouring floats."""
    whole = range(0, limit * ref.DEGREE + 1, ref.HALF)
    minutes = [d * ref.DEGREE + m * ref.MINUTE for d in (0, 39, limit - 1) for m in range(60)]
    seconds = [t + s * ref.SECOND for t in (*minutes[:2], minutes[-1], 39 * ref.DEGREE) for s in range(60)]
    fine = [s + (1 << k) for s in seconds[:2] for k in range(11)]
    near = [t + k for t in {*whole, *minutes, *seconds, *fine} for k in (-1, 0, 1)]
    exactly = [t / ref.DEGREE for t in near if 0 <= t <= limit * ref.DEGREE]
    around = [y for x in exactly for y in (nextafter(x, -1), x, nextafter(x, 400)) if 0 <= y <= limit]
    found = [z for y in around for z in (y, -y)]
    return np.array([value for value in found if not undecided(value)])
