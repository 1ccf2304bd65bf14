"""The running city's story: an hour replayed is the hour recorded; its storm and its faults are known."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei.city.demo import tiny_town
from jingwei.city.living.stations import PERIOD
from jingwei.city.living.storms import EVERY_DAYS, LEAD, next_storm, settings_of_city, storm_of
from jingwei.city.living.story import Story

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def same(one, other) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in one.__slots__)


def joined(parts):
    return [np.concatenate([getattr(one, name) for one in parts]) for name in parts[0].__slots__]


@settings(max_examples=6, deadline=None)
@given(cuts=st.lists(st.integers(1, 2 * 86_400 - 1), max_size=4))
def test_readings_are_the_same_however_the_time_is_cut(story, cuts) -> None:
    end = NOON + timedelta(days=2)
    whole = story.readings(NOON, end)
    edges = [NOON, *(NOON + timedelta(seconds=cut) for cut in sorted(set(cuts))), end]
    parts = [story.readings(one, other) for one, other in pairwise(edges)]
    for name, found in zip(whole.__slots__, joined(parts), strict=True):
        assert np.array_equal(getattr(whole, name), found)
    people = [one for start, stop in pairwise(edges) for one in story.told(start, stop)]
    assert people == story.told(NOON, end)


def test_another_process_tells_the_same_hour(story) -> None:
    again = Story(tiny_town(seed=1))
    assert same(again.readings(NOON, NOON + HOUR), story.readings(NOON, NOON + HOUR))
    assert again.told(NOON, NOON + 24 * HOUR) == story.told(NOON, NOON + 24 * HOUR)


def test_each_stream_is_read_once_a_period(story) -> None:
    sent = story.readings(NOON, NOON + HOUR, sound=True)
    assert np.array_equal(np.bincount(sent.stream), np.full(len(story.streams), 3600 // PERIOD))
    assert np.all(np.diff(sent.time) >= 0)


def test_reports_come_by_all_three_doors_and_each_has_its_own_key(story) -> None:
    told = story.told(NOON, NOON + timedelta(days=9))
    assert {one.way for one in told} == {"public", "hotline", "patrol"}
    assert len({one.key for one in told}) == len(told)


def test_a_storm_is_never_further_than_the_clock_may_run() -> None:
    demo = settings_of_city("demo_tiny_1")
    for hours in range(0, 24 * 12, 5):
        after = NOON + hours * HOUR
        storm = next_storm(demo, after)
        assert after < storm <= after + timedelta(days=EVERY_DAYS, hours=3)


@pytest.mark.parametrize("city", ["shenzhen", "demo_xl_1", "demo_s_", "demo_s_1_2"])
def test_a_city_of_another_kind_has_no_settings(city) -> None:
    assert settings_of_city(city) is None


def test_underpasses_flood_in_the_planted_storm_and_are_dry_before_it(story) -> None:
    begins = NOON
    for _ in range(6):
        begins = next_storm(story.town.settings, begins)
        assert not story.flooded(begins - 6 * HOUR, begins + LEAD)
        assert story.flooded(begins, begins + 6 * HOUR)
        assert not story.flooded(begins + 12 * HOUR, begins + 18 * HOUR)


def test_only_days_of_storms_have_one(story) -> None:
    found = [storm_of(story.town.settings, day) is not None for day in range(20_000, 20_030)]
    assert sum(found) == 10


def test_planted_faults_are_few_bounded_and_each_is_in_the_readings(story) -> None:
    midnight = datetime(2026, 11, 23, 16, tzinfo=UTC)
    found = story.faults(midnight, midnight + 24 * HOUR)
    assert sorted({one.kind for one in found}) == ["drift", "silent", "stuck"]
    assert len(found) <= len(story.streams) / 10
    sent = story.readings(midnight, midnight + 24 * HOUR)
    sound = story.readings(midnight, midnight + 24 * HOUR, sound=True)
    for fault in found:
        mine = sent.take((sent.stream == fault.stream) & (sent.time >= fault.start) & (sent.time < fault.end))
        true = sound.take(
            (sound.stream == fault.stream) & (sound.time >= fault.start) & (sound.time < fault.end)
        )
        match fault.kind:
            case "silent":
                assert len(mine) == 0
            case "stuck":
                assert len(np.unique(mine.result)) == 1
            case "drift":
                assert mine.result[-1] - true.result[-1] == pytest.approx(fault.size, rel=0.05)


def test_what_is_not_named_as_a_fault_is_true(story) -> None:
    day = NOON + 24 * HOUR
    sent, sound = story.readings(NOON, day), story.readings(NOON, day, sound=True)
    broken = {one.stream for one in story.faults(NOON, day)}
    healthy = ~np.isin(sent.stream, list(broken))
    assert same(sent.take(healthy), sound.take(~np.isin(sound.stream, list(broken))))
