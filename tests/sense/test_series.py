"""Time series: what is drawn, what is averaged, and that a gap stays one."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei.errors import NotFoundError
from jingwei.sense.series import SECOND, BadSeriesError, Series, bucketed, largest_triangles, with_gaps

from .conftest import datastream, location, reading, somebody, thing

HOUR = 3_600 * SECOND
lines = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200)


@given(lines, st.integers(3, 50))
def test_few_points_of_a_line_are_points_of_it_with_both_ends(values, most):
    times = np.arange(len(values), dtype=np.int64) * SECOND
    kept = largest_triangles(times, np.array(values), most)
    assert len(kept) == min(most, len(values))
    assert (kept[0], kept[-1]) == (0, len(values) - 1)
    assert (np.diff(kept) > 0).all()


def test_a_peak_is_drawn_however_few_points_there_are():
    times, values = np.arange(10_000, dtype=np.int64) * SECOND, np.zeros(10_000)
    values[4_321] = 100
    assert 4_321 in largest_triangles(times, values, 20)


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(-50, 50)), max_size=80), st.integers(1, 400))
def test_aggregates_are_those_of_each_interval(points, step):
    times = np.array([time for time, _ in points], np.int64)
    values = np.array([value for _, value in points], np.float64)
    found = bucketed(times, values, 0, 1_000, step)
    for number, start in enumerate(found.starts.tolist()):
        inside = [
            (time, place, value)
            for place, (time, value) in enumerate(points)
            if start <= time < min(start + step, 1_000)
        ]
        assert found.count[number] == len(inside)
        if inside:
            numbers = [value for _, _, value in inside]
            told = (found.least[number], found.greatest[number], found.total[number], found.last[number])
            assert told == (min(numbers), max(numbers), sum(numbers), max(inside)[2])
            assert found.mean[number] == pytest.approx(sum(numbers) / len(numbers))
        else:
            assert np.isnan([found.mean[number], found.least[number], found.last[number]]).all()


def test_a_line_breaks_at_a_silence_and_nowhere_else():
    times = np.array([0, 1, 2, 3, 20, 21, 22], np.int64) * HOUR
    values = np.arange(7, dtype=np.float64)
    at, shown = with_gaps(times, values, np.array([0, 6]), HOUR)
    assert np.isnan(shown).sum() == 1
    assert at[np.isnan(shown)].tolist() == [4 * HOUR]
    assert (np.diff(at) > 0).all()
    assert not np.isnan(with_gaps(times[:4], values[:4], np.arange(4), HOUR)[1]).any()


def test_too_many_intervals_are_refused():
    with pytest.raises(BadSeriesError):
        bucketed(np.zeros(0, np.int64), np.zeros(0), 0, 10**12, 1)


def test_a_day_of_the_city_begins_at_its_midnight(station):
    station.post(
        "Things",
        thing(
            Locations=[location()], Datastreams=[datastream(Observations=[reading(15, 1), reading(16, 2)])]
        ),
    )
    zone = ZoneInfo("Asia/Shanghai")
    ((_, first), (_, second)) = Series(station.sensing, station.asker).days(
        1, [date(2026, 11, 1), date(2026, 11, 2)], 24 * HOUR, zone
    )
    assert (first.total.tolist(), second.total.tolist()) == ([1], [2])


def test_a_series_leaves_out_what_is_no_number_and_says_so(station):
    station.post(
        "Things",
        thing(
            Locations=[location()],
            Datastreams=[datastream(Observations=[reading(1, 1), reading(2, "坏"), reading(3, 3)])],
        ),
    )
    drawn = Series(station.sensing, station.asker).drawn(1, 0, 2**60, 100)
    assert (drawn.values.tolist(), drawn.other) == ([1, 3], 1)


def test_series_are_for_who_sees_the_stream(station, air):
    stranger = Series(station.sensing, somebody("citizen"))
    assert stranger.latest() == []
    assert stranger.names() == []
    with pytest.raises(NotFoundError):
        stranger.drawn(1, 0, 2**60, 100)
    assert [one.result for one in Series(station.sensing, somebody("operator")).latest([1, 99])] == [20]
