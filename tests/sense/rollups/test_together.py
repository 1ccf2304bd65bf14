"""Whatever is told to who may not read the streams: no answers, put together, lay open a few."""

from itertools import product
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei import grid
from jingwei.lake.summing import Figures
from jingwei.sense.rollups import HOUR, Calendar
from jingwei.sense.rollups.chosen import Chosen
from jingwei.sense.rollups.frames import Leaves
from jingwei.sense.rollups.presence import Presence, Who
from jingwei.sense.rollups.together import Asked, Parted, blocks_of_streams

from . import brute

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


class Withheld:
    """Which answers are withheld of some streams with readings in some hours."""

    def __init__(self, cells, hours):
        self.who = Who(np.arange(len(cells)), cells)
        self.parted = Parted(self.who, Chosen(self.who.streams), blocks_of_streams(cells, SMALLEST), SMALLEST)
        self.days = []
        for day in np.unique(CALENDAR.days(hours.start)).tolist():
            bits = np.zeros(len(cells), np.uint64)
            own = CALENDAR.days(hours.start) == day
            bit = np.uint64(1) << ((hours.start[own] - day) // HOUR).astype(np.uint64)
            np.bitwise_or.at(bits, hours.stream[own], bit)
            self.days.append(Presence(day, self.who, bits))

    def of(self, group, groups, since, until):
        """Say of each group of streams whether it is withheld in a period."""
        asked = Asked(self.parted, group[self.parted.at])
        withheld = np.zeros(groups, bool)
        for day in self.days:
            asked.withhold(day, since, until, over=day.start < OVER, withheld=withheld)
        return withheld


def answers(cells, hours):
    """Return of every zone and period that is told which rows it is of."""
    withheld = Withheld(cells, hours)
    found = []
    for code, level, (since, until) in product(CODES, LEVELS, PERIODS):
        since, until = MIDNIGHT + since * HOUR, MIDNIGHT + until * HOUR
        group = np.where(cells >> np.uint64(64 - 2 * level) == code >> np.uint64(64 - 2 * level), 0, -1)
        if not level:
            group[:] = 0
        if not withheld.of(group, 1, since, until)[0]:
            inside = (hours.start >= since) & (hours.start < until) & (group[hours.stream] == 0)
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


@settings(max_examples=200, deadline=None)
@given(rows(), st.data())
def test_it_is_withheld_what_row_by_row_is_found_to_be_so(given_rows, data):
    cells, hours = given_rows
    group = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=len(cells), max_size=len(cells))))
    since, length = data.draw(st.sampled_from(HOURS)), data.draw(st.sampled_from((1, 2, 24, 30, 960)))
    since, until = MIDNIGHT + since * HOUR, MIDNIGHT + (since + length) * HOUR
    block = blocks_of_streams(cells, SMALLEST)
    unit = brute.units_of(hours, block[hours.stream], CALENDAR, SMALLEST, OVER)
    asked = np.where((hours.start >= since) & (hours.start < until), group[hours.stream], -1)
    withheld = brute.told(hours, unit, asked, 3)[1]
    assert Withheld(cells, hours).of(group, 3, since, until).tolist() == withheld.tolist()


def one_place(hours_of_streams):
    """Return which answers are withheld of streams at one place, each with readings in some hours."""
    pairs = [(hour, stream) for stream, hours in enumerate(hours_of_streams) for hour in hours]
    start = MIDNIGHT + HOUR * np.array([hour for hour, _ in pairs])
    stream, ones = np.array([stream for _, stream in pairs]), np.ones(len(pairs))
    cells = np.repeat(CODES[:1], len(hours_of_streams))
    figures = Figures(ones.astype(np.int64), ones, ones, ones, 0 * ones)
    found = Withheld(cells, Leaves(start, stream, cells[stream], figures))
    everybody = np.zeros(len(cells), np.int64)
    return lambda since, until: found.of(everybody, 1, MIDNIGHT + since * HOUR, MIDNIGHT + until * HOUR)[0]


def test_enough_streams_in_every_hour_are_told_hour_by_hour():
    withheld = one_place([(0, 1, 2)] * 3)
    assert not withheld(0, 1)
    assert not withheld(1, 3)


def test_a_day_with_one_poor_hour_is_told_as_a_whole():
    withheld = one_place([(0, 1), (0,), (0,)])
    assert withheld(0, 1)
    assert not withheld(0, 24)


def test_a_day_that_is_not_over_is_withheld():
    assert one_place([(48,)] * 3)(48, 72)
