"""Sensors at fault are found, by faults that were planted here and elsewhere; healthy ones are left alone."""

from pathlib import Path

import numpy as np
import pytest

from jingwei.sense.faults.finding import faults_of, over_time
from jingwei.sense.faults.hours import HOUR, Hours, hours_of_readings
from jingwei.sense.faults.words import described
from sense import ageing
from sense.faults import planted as elsewhere
from sense.planting import KINDS, scored, town

ASKED = ("silent", "stuck", "drifting")
REAL = Path(__file__).parents[2] / ".." / "shared" / "data" / "sense"


def test_planted_faults_are_found_and_nothing_else():
    asked, hit, found, true = 0, 0, 0, 0
    for name in KINDS:
        for seed in (11, 12):
            built = town(name, seed)
            told = faults_of(built.hours())
            right, real = scored(built.planted, told, built.until)
            asked += sum(one.kind in ASKED for one in built.planted)
            hit += sum(one.kind in ASKED for one in right)
            found, true = found + len(told), true + len(real)
    assert asked >= 36
    assert hit >= 0.95 * asked
    assert true >= 0.95 * found


def test_sensors_that_grow_old_are_found_however_they_do():
    """Drifts of at least four times what can be told at all, and clocks that end hours late."""
    missed, asked, found, true = [], 0, 0, 0
    for name in ageing.KINDS:
        for seed in (1, 2):
            town_ = ageing.aged(name, seed, least=4, most=16)
            told = faults_of(town_.hours())
            right, real = ageing.scored(town_, told)
            missed += [(name, seed, one) for one in town_.planted if one not in right]
            asked, found, true = asked + len(town_.planted), found + len(told), true + len(real)
    assert asked >= 60
    assert len(missed) <= 0.05 * asked, missed
    assert true >= 0.95 * found


def test_a_clock_that_tells_the_time_of_elsewhere_is_told_with_its_hours():
    hours = ageing.aged("thermometers", seed=4, faults=False).hours()
    columns = [one.copy() for one in (hours.mean, hours.low, hours.high, hours.spread)]
    for one in columns:  # from a Monday on it tells the time of Greenwich
        one[840:, 2] = np.roll(one[:, 2], -8)[840:]
    places = (hours.start, hours.stream, hours.lon, hours.lat, hours.count)
    (found,) = faults_of(Hours(*places, *columns))
    assert (found.stream, found.kind) == (3, "drifting")
    assert found.evidence["late"] == pytest.approx(-8, abs=0.5)
    assert abs(found.since - int(hours.start[840])) <= 4 * 24 * HOUR
    assert described(found).zh == "漂移：时钟比以往早 8 小时（与邻近传感器相比）"


@pytest.mark.parametrize("name", ageing.KINDS)
def test_other_healthy_sensors_are_left_alone_from_the_first_weeks_on(name):
    hours = ageing.aged(name, seed=3, faults=False).hours()
    assert over_time(hours, every=120) == []


@pytest.mark.parametrize("name", KINDS)
def test_healthy_sensors_are_left_alone(name):
    assert faults_of(town(name, seed=5, faults=False).hours()) == []


def test_faults_planted_elsewhere_are_found_while_time_goes_by():
    city = elsewhere.planted(21)
    found = []
    for streams in _kinds(city).values():
        hours = _hours(city, streams)
        for one in over_time(hours, every=72, excused=_excused(hours, streams)):
            until = city.end if one.until is None else _moment(one.until)
            found.append((streams[one.stream].id, one.kind, _moment(one.since), until))
    marks = elsewhere.judge(city.faults, found)
    for kind in ASKED:
        assert marks[kind].recall >= 0.95
    right, false = (sum(getattr(one, name) for one in marks.values()) for name in ("right", "false"))
    assert right >= 0.95 * (right + false)


def test_work_that_was_declared_is_no_fault():
    city = elsewhere.planted(21)
    streams = [one for one in city.streams.values() if one.maintenance]
    hours = _hours(city, list(_kinds(city)[streams[0].property]))
    alone = _excused(hours, list(_kinds(city)[streams[0].property]))
    assert alone.any()
    assert not [
        one for one in faults_of(hours, None, alone) if alone[:, one.stream].any() and one.kind == "stuck"
    ]


def test_what_is_silent_with_all_its_neighbours_is_not_at_fault():
    built = town("warmth", seed=5, faults=False)
    hours = built.hours()
    gone = np.zeros(hours.mean.shape, bool)
    gone[500:560] = True
    assert faults_of(hours.without(gone)) == []
    gone[:, 1:] = False
    (found,) = faults_of(hours.without(gone))
    assert (found.stream, found.kind, found.since) == (1, "silent", int(hours.start[500]))
    assert found.until == int(hours.start[560])


def test_a_dry_spell_is_not_a_stuck_gauge():
    hours = town("rain", seed=5, faults=False).hours()
    dry = np.where(np.isfinite(hours.mean), 0.0, np.nan)
    nothing = Hours(hours.start, hours.stream, hours.lon, hours.lat, hours.count, dry, dry, dry, dry)
    assert faults_of(nothing) == []


def test_the_air_of_beijing_has_few_faults():
    """Half a year of carbon monoxide at twelve stations, looked at as it went by."""
    file = REAL / "beijing_air_prsa_observations.parquet"
    if not file.exists():
        pytest.skip("the readings of Beijing are not here")
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    begin = 1_420_070_400_000  # 2015-01-01
    table = pq.read_table(file).filter(
        (pc.field("time_ms") >= begin)
        & (pc.field("time_ms") < begin + 182 * 86_400_000)
        & pc.is_in(pc.field("datastream_id"), pc.cast(np.arange(12) * 11 + 5, "int16"))
    )
    stations = np.genfromtxt(REAL / "beijing_air_stations.csv", delimiter=",", skip_header=1, usecols=(2, 3))
    streams = np.arange(12) * 11 + 5
    columns = (
        table["datastream_id"].to_numpy(),
        table["time_ms"].to_numpy() * 1_000,
        table["result"].to_numpy(),
    )
    until = int(columns[1].max()) + HOUR
    hours = hours_of_readings(
        streams,
        stations[:, 0],
        stations[:, 1],
        (columns[0].astype(np.int64), columns[1], columns[2].astype(float)),
        until,
    )
    found = over_time(hours, every=336)
    silent = [one for one in found if one.kind == "silent"]
    assert len(found) - len(silent) <= 2
    assert all(one.evidence["hours"] >= 24 for one in silent)
    assert len(silent) <= 12


def _kinds(city):
    kinds = {}
    for one in city.streams.values():
        kinds.setdefault(one.property, []).append(one)
    return kinds


def _hours(city, streams):
    number = np.concatenate([np.full(len(one.times), at) for at, one in enumerate(streams)])
    time = np.concatenate([_micros(one.times) for one in streams])
    value = np.concatenate([one.values for one in streams])
    lon, lat = np.array([one.lon for one in streams]), np.array([one.lat for one in streams])
    return hours_of_readings(np.arange(len(streams)), lon, lat, (number, time, value), int(_micros(city.end)))


def _excused(hours, streams):
    out = np.zeros(hours.mean.shape, bool)
    for at, one in enumerate(streams):
        for begin, end in one.maintenance:
            out[(hours.start + HOUR > _micros(begin)) & (hours.start < _micros(end)), at] = True
    return out


def _micros(moments):
    return np.asarray(moments).astype("datetime64[us]").astype(np.int64)


def _moment(micros):
    return np.datetime64(int(micros), "us")
