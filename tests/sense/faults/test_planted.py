"""The planted readings tell the truth about themselves, worked out from the readings alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from sense.faults.planted import KINDS, Planted, judge, planted
from sense.faults.weather import DAYS

DAY = np.timedelta64(24, "h")


@pytest.fixture(scope="module")
def city() -> Planted:
    return planted(3)


def within(city: Planted, name: str, start: np.datetime64, end: np.datetime64) -> np.ndarray:
    stream = city.streams[name]
    return stream.values[(stream.times >= start) & (stream.times < end)]


def test_the_same_seed_gives_the_same_readings_and_another_one_others(city):
    again, other = planted(3), planted(4)
    assert again.faults == city.faults
    assert all(np.array_equal(again.streams[n].values, s.values) for n, s in city.streams.items())
    assert not np.array_equal(other.streams["t01"].values[:100], city.streams["t01"].values[:100])


def test_sixty_eight_streams_of_five_properties_over_five_weeks(city):
    assert Counter(s.property for s in city.streams.values()) == {
        "air temperature": 16,
        "PM2.5": 12,
        "water level": 16,
        "sound level": 12,
        "active power": 12,
    }
    assert city.end - city.start == np.timedelta64(DAYS, "D")
    for stream in city.streams.values():
        assert np.all(np.diff(stream.times) > np.timedelta64(0, "s"))
        assert np.all((stream.times >= city.start) & (stream.times < city.end))


def test_every_kind_is_planted_on_streams_of_its_own(city):
    assert set(Counter(f.kind for f in city.faults)) == set(KINDS)
    assert min(Counter(f.kind for f in city.faults).values()) >= 5
    assert len({f.stream for f in city.faults}) == len(city.faults)
    odd = {n for n, s in city.streams.items() if s.odd or s.maintenance}
    assert not odd & {f.stream for f in city.faults}
    assert len(city.streams) - len(city.faults) > len(city.faults)


def test_readings_come_in_steps_of_the_resolution(city):
    for stream in city.streams.values():
        steps = stream.values / stream.resolution
        assert np.allclose(steps, np.round(steps), atol=1e-6), stream.id


def test_a_day_without_readings_is_a_silent_stream_or_declared_and_no_other_gap_is_longer_than_half_a_day(
    city,
):
    silent = {f.stream: f for f in city.faults if f.kind == "silent"}
    for name, stream in city.streams.items():
        times = np.concatenate([[city.start], stream.times, [city.end]])
        for i in np.flatnonzero(np.diff(times) > np.timedelta64(12, "h")):
            declared = any(times[i] <= a + DAY and b <= times[i + 1] + DAY for a, b in stream.maintenance)
            assert name in silent or declared, name
            if name in silent:
                assert times[i] < silent[name].start + np.timedelta64(6, "h")
                assert times[i + 1] > silent[name].end - np.timedelta64(6, "h")
    assert all(within(city, f.stream, f.start, f.end).size == 0 for f in silent.values())


def test_a_stuck_stream_stays_within_one_step_for_two_days_while_the_others_move(city):
    for fault in (f for f in city.faults if f.kind == "stuck"):
        stream = city.streams[fault.stream]
        values = within(city, fault.stream, fault.start, fault.end)
        assert fault.end - fault.start > 2 * DAY
        assert np.ptp(values) <= (2 * stream.resolution + 1e-9 if "flickers" in fault.form else 0)
        peers = [
            s.id
            for s in city.streams.values()
            if s.property == stream.property and not s.odd and s.id != stream.id
        ]
        still = [
            np.ptp(v) <= 3 * stream.resolution
            for p in peers
            if (v := within(city, p, fault.start, fault.end)).size
        ]
        assert np.mean(still) < 0.2


def test_what_drifts_leaves_the_middle_of_the_others_and_did_not_before(city):
    for fault in (f for f in city.faults if f.kind == "drifting"):
        stream = city.streams[fault.stream]
        before = away(city, stream.id, fault.start - 7 * DAY, fault.start)
        after = away(city, stream.id, fault.end - 3 * DAY, fault.end)
        scale = np.std(within(city, stream.id, fault.start - 3 * DAY, fault.start))
        assert abs(after - before) > 0.9 * scale, stream.id


def away(city: Planted, name: str, start: np.datetime64, end: np.datetime64) -> float:
    stream = city.streams[name]
    spoilt = {f.stream for f in city.faults}
    peers = [
        s for s in city.streams.values()
        if s.property == stream.property and s.network == stream.network and not s.odd and s.id not in spoilt
    ]  # fmt: skip
    medians = [np.median(within(city, s.id, start, end)) for s in peers]
    return float(np.median(within(city, name, start, end)) - np.median(medians))


def test_a_noisy_stream_jumps_three_times_as_far_as_before(city):
    for fault in (f for f in city.faults if f.kind == "noisy"):
        before = np.abs(np.diff(within(city, fault.stream, fault.start - 5 * DAY, fault.start)))
        during = np.abs(np.diff(within(city, fault.stream, fault.start, fault.end)))
        assert np.median(during) > 3 * np.median(before), fault.stream


def test_a_storm_cools_every_thermometer_within_two_hours(city):
    spoilt = {f.stream for f in city.faults}
    sound = [n for n, s in city.streams.items() if s.property == "air temperature" and n not in spoilt]
    for storm in (e for e in city.events if e.name == "storm"):
        for name in sound:
            before = within(city, name, storm.start - np.timedelta64(40, "m"), storm.start)
            after = within(
                city, name, storm.start + np.timedelta64(60, "m"), storm.start + np.timedelta64(110, "m")
            )
            if before.size and after.size:
                assert np.median(before) - np.median(after) > 2.5, (name, storm)


def test_what_looks_stuck_and_is_not_is_there(city):
    assert np.all(city.streams["w15"].values == 0)
    assert np.mean(city.streams["w16"].values == 0) > 0.95
    assert city.streams["w16"].values.max() > 0.1
    assert np.mean(city.streams["n09"].values == 30.0) > 0.2
    assert set(np.unique(city.streams["v10"].values)) <= {0.0, 18.0}


def test_the_judge_counts_right_false_missed_and_what_is_excused(city):
    first = next(f for f in city.faults if f.kind == "drifting")
    found = [
        (first.stream, "drifting", first.start + DAY, first.end),
        (first.stream, "implausible", first.start + DAY, first.end),
        ("t05", "drifting", city.start, city.end),
    ]
    marks = judge(city.faults, found)
    drifting = sum(f.kind == "drifting" for f in city.faults)
    assert (marks["drifting"].right, marks["drifting"].false, marks["drifting"].missed) == (
        1,
        1,
        drifting - 1,
    )
    assert marks["implausible"].false == 0
