"""Whatever is told to who may not read the streams: no answers, put together, lay open a few."""

from itertools import product
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei import grid
from jingwei.lake.summing import Figures
from jingwei.sense.rollups import HOUR, Calendar
from jingwei.sense.rollups.frames import Leaves
from jingwei.sense.rollups.withheld import blocks_of_streams, told, units_of

CALENDAR = Calendar(ZoneInfo("Asia/Shanghai"))
MIDNIGHT = CALENDAR.month(1_767_250_000_000_000)
SMALLEST = 3
OVER = MIDNIGHT + 48 * HOUR
PLACES = [(114.06, 22.54), (114.0601, 22.5401), (114.061, 22.541), (114.07, 22.55), (114.4, 30.5)]
CODES = np.array([int(grid.encode(*place, 32)) for place in PLACES], np.uint64)
LEVELS = (0, 9, 14, 17, 19, 20, 21, 24)
PERIODS = [(0, 24 * 40), (0, 24), (24, 48), (0, 48), *((hour, hour + 1) for hour in (0, 1, 2, 24, 25, 48))]
HOURS = (0, 1, 2, 24, 25, 48)

streams = st.lists(st.integers(0, len(PLACES) - 1), min_size=1, max_size=14)


@st.composite
def rows(draw):
    """Streams with their places, and in which hours each has readings."""
    where = draw(streams)
    there = draw(st.lists(st.sets(st.sampled_from(HOURS)), min_size=len(where), max_size=len(where)))
    found = [(hour, stream) for stream, hours in enumerate(there) for hour in sorted(hours)]
    start = MIDNIGHT + HOUR * np.array([hour for hour, _ in found], np.int64)
    stream = np.array([one for _, one in found], np.int64)
    ones = np.ones(len(found))
    figures = Figures(ones.astype(np.int64), stream * ones, stream * ones, stream * ones, 0 * ones)
    return CODES[where], Leaves(start, stream, CODES[where][stream] if found else CODES[:0], figures)


def answers(cells, hours):
    """Return of every zone and period that is told which rows it is of."""
    block = blocks_of_streams(cells, SMALLEST)
    unit = units_of(hours, block[hours.stream], CALENDAR, SMALLEST, OVER)
    found = []
    for code, level, (since, until) in product(CODES, LEVELS, PERIODS):
        inside = hours.start >= MIDNIGHT + since * HOUR
        inside &= hours.start < MIDNIGHT + until * HOUR
        if level:
            inside &= hours.cell >> np.uint64(64 - 2 * level) == code >> np.uint64(64 - 2 * level)
        figures, withheld = told(hours, unit, np.where(inside, 0, -1), 1)
        assert figures.n[0] == (0 if withheld[0] else inside.sum())
        if not withheld[0]:
            found.append(frozenset(np.flatnonzero(inside).tolist()))
    return set(found)


@settings(max_examples=60, deadline=None)
@given(rows())
def test_answers_put_together_lay_open_no_few(given_rows):
    """What is in the same answers cannot be told apart by any sums and differences of them."""
    cells, hours = given_rows
    found = sorted(map(sorted, answers(cells, hours)))
    alike: dict[tuple[bool, ...], set[int]] = {}
    for row in range(len(hours)):
        alike.setdefault(tuple(row in one for one in found), set()).add(int(hours.stream[row]))
    assert all(len(apart) >= SMALLEST for answered, apart in alike.items() if any(answered))


def test_enough_streams_in_every_hour_are_told_hour_by_hour():
    cells = CODES[[0, 0, 0]]
    start = MIDNIGHT + HOUR * np.repeat(np.arange(3), 3)
    ones = np.ones(9)
    figures = Figures(ones.astype(np.int64), ones, ones, ones, 0 * ones)
    hours = Leaves(start, np.tile(np.arange(3), 3), np.repeat(CODES[:1], 9), figures)
    unit = units_of(hours, blocks_of_streams(cells, SMALLEST)[hours.stream], CALENDAR, SMALLEST, OVER)
    figures, withheld = told(hours, unit, np.where(hours.start == MIDNIGHT + HOUR, 0, -1), 1)
    assert (figures.n.tolist(), withheld.tolist()) == ([3], [False])


def test_a_day_with_one_poor_hour_is_told_as_a_whole():
    start = MIDNIGHT + HOUR * np.array([0, 0, 0, 1])
    ones = np.ones(4)
    figures = Figures(ones.astype(np.int64), ones, ones, ones, 0 * ones)
    hours = Leaves(start, np.array([0, 1, 2, 0]), np.repeat(CODES[:1], 4), figures)
    unit = units_of(
        hours, blocks_of_streams(CODES[[0, 0, 0]], SMALLEST)[hours.stream], CALENDAR, SMALLEST, OVER
    )
    assert told(hours, unit, np.where(hours.start == MIDNIGHT, 0, -1), 1)[1].tolist() == [True]
    whole, withheld = told(hours, unit, np.zeros(4, np.int64), 1)
    assert (whole.n.tolist(), withheld.tolist()) == ([4], [False])


def test_a_day_that_is_not_over_is_withheld():
    ones = np.ones(3)
    figures = Figures(ones.astype(np.int64), ones, ones, ones, 0 * ones)
    hours = Leaves(np.repeat(OVER, 3), np.arange(3), np.repeat(CODES[:1], 3), figures)
    unit = units_of(hours, blocks_of_streams(CODES[[0, 0, 0]], SMALLEST), CALENDAR, SMALLEST, OVER)
    assert told(hours, unit, np.zeros(3, np.int64), 1)[1].tolist() == [True]
