"""What is told of streams of which one sees some, and knows others together, is what brute force tells."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from jingwei import grid
from jingwei.lake.summing import Figures
from jingwei.sense.readings import Batch, Readings, StreamFacts
from jingwei.sense.rollups import HOUR, Address, Aggregates, Calendar, Quantity, Rollups, runs
from jingwei.sense.rollups.frames import Leaves
from jingwei.sense.rollups.scope import Others, Scope, Seen
from jingwei.sense.rollups.together import blocks_of_streams

from . import brute

CALENDAR = Calendar(ZoneInfo("Asia/Kathmandu"))
START = CALENDAR.month(int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000_000)
STREAMS, HOURS = 240, 60
OVER = CALENDAR.day(START + HOURS * HOUR)
PM = Quantity(1, 1, "PM2.5", "ug/m3")
LEVELS = (0, 9, 12, 14, 15, 17, 19, 21, 24)


class Planted:
    """Streams around a place, of which some are silent now and then, and one is far away."""

    def __init__(self, home):
        self.random = np.random.default_rng(7)
        near = [114.0, 30.5] + self.random.integers(0, 12, (STREAMS, 2)) / 400
        near[-1] = [114.6, 30.9]
        self.cells = np.asarray(grid.encode(near[:, 0], near[:, 1], 32), np.uint64)
        self.numbers = np.arange(1, STREAMS + 1)
        self.store = Readings(home / "sense", StreamFacts)
        where = {int(one): Address(1, int(cell)) for one, cell in zip(self.numbers, self.cells, strict=True)}
        self.rollups = Rollups(home / "rollups", self.store, CALENDAR, lambda _: where)
        self.rows: list[tuple[int, int, float]] = []
        for hour in range(HOURS):
            speaks = self.numbers[self.random.random(STREAMS) < (0.6 if hour % 20 == 3 else 1)]
            self.add(speaks, START + hour * HOUR)

    def add(self, streams, time):
        values = self.random.normal(1e4, 3, len(streams))
        self.store.append(Batch(streams, np.full(len(streams), time), values))
        self.rows += zip(streams.tolist(), [time] * len(streams), values.tolist(), strict=True)
        self.rollups.keep_up()

    def aggregates(self, seen, others):
        """Ask for somebody who sees some streams down to a level each, and knows others together."""
        return Aggregates(None, self.rollups, None, now=OVER, scope=Scope(seen, others, [PM]))

    def expected(self, seen, others, level, group, groups, period):
        """Return the figures of groups of streams, and which are withheld, from the readings one by one."""
        stream = np.array([one for one, _, _ in self.rows])
        hour = CALENDAR.hours(np.array([time for _, time, _ in self.rows]))
        value = np.array([value for _, _, value in self.rows])
        own = np.where((hour >= period[0]) & (hour < period[1]), group[stream - 1], -1)
        told = np.isin(stream, seen.streams[seen.levels >= level])
        withheld = np.zeros(groups, bool)
        if level <= others.level:
            apart = np.isin(stream, others.streams)
            ones = np.ones(apart.sum())
            cells = self.cells[stream[apart] - 1]
            leaves = Leaves(
                hour[apart], stream[apart], cells, Figures(ones.astype(int), ones, ones, ones, ones)
            )
            block = np.full(STREAMS + 1, -1)
            of_others = self.cells[others.streams - 1]
            block[others.streams] = blocks_of_streams(of_others, others.smallest, others.level)
            unit = brute.units_of(leaves, block[stream[apart]], CALENDAR, others.smallest, OVER)
            withheld = brute.told(leaves, unit, own[apart], groups)[1]
            told |= apart
        found = []
        for number in range(groups):
            values = value[told & (own == number)]
            found.append([] if withheld[number] else values.tolist())
        return found, withheld


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    found = Planted(tmp_path_factory.mktemp("told"))
    yield found
    found.rollups.close()
    found.store.close()


@pytest.fixture(autouse=True)
def runs_of_few(monkeypatch):
    monkeypatch.setattr(runs, "RUN", 8)
    monkeypatch.setattr(runs, "FEW", 16)


def somebody(planted, share=0.4):
    sees = planted.random.random(STREAMS) < share
    levels = planted.random.choice(np.array([32, 17, 0], np.int8), sees.sum())
    seen = Seen(planted.numbers[sees], levels)
    return seen, Others(planted.numbers[~sees], 3, 20)


def zones_of(planted, level):
    """Return the first and last code of each zone of a level with streams."""
    if not level:
        return np.array([[0, (1 << 64) - 1]], np.uint64)
    codes = np.unique(np.asarray(grid.parent(planted.cells, 32, level), np.uint64))
    return np.stack([codes, codes + np.uint64((1 << (64 - 2 * level)) - 1)], axis=1)


def same(told, number, values):
    figures = told.figures
    assert figures.n[number] == len(values)
    if values:
        mean = math.fsum(values) / len(values)
        assert (figures.minimum[number], figures.maximum[number]) == (min(values), max(values))
        assert math.isclose(figures.mean[number], mean, rel_tol=1e-9)
        spread = math.fsum((one - mean) ** 2 for one in values)
        assert math.isclose(figures.m2[number], spread, rel_tol=1e-9, abs_tol=1e-5)


def periods(planted):
    yield START, START + HOURS * HOUR
    yield START, CALENDAR.day(START + 47 * HOUR) + HOUR // 4
    for _ in range(3):
        low, high = np.sort(planted.random.integers(0, HOURS + 1, 2)) * HOUR + START
        yield int(low), int(high) + HOUR


def test_zones_have_what_the_readings_say_or_are_withheld(planted):
    answers = []
    for share in (0.0, 0.4, 0.9):
        seen, others = somebody(planted, share)
        aggregates = planted.aggregates(seen, others)
        for level in LEVELS:
            zones = zones_of(planted, level)
            for first, last in planted.random.choice(zones, min(3, len(zones)), replace=False):
                group = np.where((planted.cells >= first) & (planted.cells <= last), 0, -1)
                for period in periods(planted):
                    ranges = np.array([[first, last]], np.uint64)
                    told = aggregates.of_ranges(PM, level, ranges, period)
                    values, withheld = planted.expected(seen, others, level, group, 1, told.covered)
                    assert told.withheld.tolist() == withheld.tolist()
                    same(told, 0, values[0])
                    answers.append((bool(withheld[0]), bool(values[0])))
    assert {(True, False), (False, True)} <= set(answers), "some are withheld, and some are told"


def test_zones_of_several_parts_have_them_all(planted):
    seen, others = somebody(planted)
    ranges = zones_of(planted, 14)[::2]
    inside = (planted.cells[:, None] >= ranges[:, 0]) & (planted.cells[:, None] <= ranges[:, 1])
    for level in (14, 21):
        told = planted.aggregates(seen, others).of_ranges(PM, level, ranges, (START, START + 24 * HOUR))
        group = np.where(inside.any(1), 0, -1)
        values, withheld = planted.expected(seen, others, level, group, 1, told.covered)
        assert told.withheld.tolist() == withheld.tolist()
        same(told, 0, values[0])


@pytest.mark.parametrize("level", [12, 14, 17, 21])
def test_all_zones_of_a_level_have_what_the_readings_say(planted, level):
    seen, others = somebody(planted)
    codes = np.unique(np.asarray(grid.parent(planted.cells, 32, level), np.uint64))
    group = np.searchsorted(codes, np.asarray(grid.parent(planted.cells, 32, level), np.uint64))
    for period in periods(planted):
        told = planted.aggregates(seen, others).of_groups(
            PM, level, lambda those: np.searchsorted(codes, those), len(codes), period
        )
        values, withheld = planted.expected(seen, others, level, group, len(codes), told.covered)
        assert told.withheld.tolist() == withheld.tolist()
        for number, own in enumerate(values):
            same(told, number, own)


@pytest.mark.parametrize("kind", ["hour", "day", "month"])
def test_each_interval_of_a_zone_has_what_the_readings_say(planted, kind):
    seen, others = somebody(planted)
    aggregates = planted.aggregates(seen, others)
    starts = aggregates.starts_of(PM, kind, START, START + HOURS * HOUR)
    for level in (9, 14, 17):
        first, last = zones_of(planted, level)[0]
        group = np.where((planted.cells >= first) & (planted.cells <= last), 0, -1)
        told = aggregates.of_intervals(PM, level, (int(first), int(last)), kind, starts)
        for number, start in enumerate(starts):
            period = CALENDAR.next_hour(start), CALENDAR.next_hour(CALENDAR.after(kind, start))
            values, withheld = planted.expected(seen, others, level, group, 1, period)
            assert told.withheld[number] == withheld[0]
            same(told, number, values[0])


def test_what_comes_late_is_in_the_next_answer(planted):
    seen, others = somebody(planted)
    aggregates = planted.aggregates(seen, others)
    whole = np.array([[0, (1 << 64) - 1]], np.uint64)
    near = np.unique(np.asarray(grid.parent(planted.cells[:-1], 32, 9), np.uint64))
    for late in (planted.numbers[:-1], planted.numbers[3:9]):
        for ranges, level in ((whole, 0), (zones_of(planted, 9)[: len(near)], 9)):
            group = np.zeros(STREAMS, int) if not level else np.where(planted.cells <= ranges[-1, 1], 0, -1)
            told = aggregates.of_ranges(PM, level, ranges, (START, START + 30 * HOUR))
            values, withheld = planted.expected(seen, others, level, group, 1, told.covered)
            assert told.withheld.tolist() == withheld.tolist()
            same(told, 0, values[0])
        planted.add(late, START + HOUR // 3)
