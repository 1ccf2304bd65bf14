"""Every kind of fault can be found in the files alone, just where the truth says it is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from jingwei.city.demo.codes import is_credit_code, is_identity_number
from jingwei.city.demo.files_cases import old_code
from jingwei.city.demo.files_people import TOILET_HOUSEHOLDS
from jingwei.city.demo.truth import FAULTS
from jingwei.city.manifest import Manifest

Read = Callable[[str], dict[str, list[Any]]]
Found = dict[tuple[str, str, str], dict[int, str]]
HOUR = timedelta(hours=1)
EPOCH = datetime.fromisoformat("1970-01-01")


@pytest.fixture(scope="module")
def truth(pack: Path) -> Found:
    """Return the true value of every faulty row by source, column and kind of fault."""
    table = pq.read_table(pack / "truth" / "faults.parquet").to_pydict()
    found: Found = {}
    for source, row, column, fault, value in zip(*table.values(), strict=True):
        found.setdefault((source, column, fault), {})[row] = value
    return found


@pytest.fixture(scope="module")
def sensors(pack: Path) -> dict[tuple[str, str], dict[str, tuple[datetime, datetime]]]:
    """Return the span of every sensor's fault by source and kind."""
    found: dict[tuple[str, str], dict[str, tuple[datetime, datetime]]] = {}
    for row in json.loads((pack / "truth" / "devices.json").read_text("utf-8"))["faults"]:
        span = tuple(
            datetime.fromisoformat(row[end]).replace(tzinfo=None) + 8 * HOUR for end in ("from", "to")
        )
        found.setdefault((row["source"], row["fault"]), {})[row["device"]] = span
    return found


def of_kind(truth: Found, fault: str) -> list[tuple[str, str]]:
    places = [(source, column) for source, column, kind in truth if kind == fault]
    assert places, fault
    return places


def rows_where(column: list[Any], wrong: Callable[[Any], bool]) -> set[int]:
    return {number for number, value in enumerate(column, start=1) if wrong(value)}


def test_every_kind_of_fault_is_planted(truth: Found, sensors: dict[tuple[str, str], Any]) -> None:
    assert {kind for *_, kind in truth} | {kind for _, kind in sensors} == set(FAULTS)


def test_missing_values(truth: Found, read: Read) -> None:
    for source, column in of_kind(truth, "null"):
        table = read(source)
        empty = rows_where(table[column], lambda value: value in (None, ""))
        if (source, column) == ("residents", "联系电话"):  # children under eleven have none
            empty -= rows_where(table["出生日期"], lambda born: born > "2015-10-31")
        assert empty == set(truth[source, column, "null"]), (source, column)


def test_minus_one_for_missing(truth: Found, read: Read) -> None:
    for source, column in of_kind(truth, "minus-one"):
        marked = rows_where(read(source)[column], lambda value: float(value) in (-1.0, -999.0))
        assert marked == set(truth[source, column, "minus-one"]), (source, column)


def test_default_points(truth: Found, read: Read, manifest: Manifest) -> None:
    for source in {source for source, _ in of_kind(truth, "default-point")}:
        place = next(spec.place for spec in manifest.source if spec.id == source)
        assert place
        assert place.lon
        assert place.lat
        table = read(source)
        points = list(zip(map(float, table[place.lon]), map(float, table[place.lat]), strict=True))
        planted = truth[source, place.lon, "default-point"]
        default = points[next(iter(planted)) - 1]
        there = {row for row, point in enumerate(points, start=1) if point == default}
        assert there == set(planted), source
        for row, value in planted.items():
            assert abs(points[row - 1][0] - float(value)) > 1e-6


def test_swapped_coordinates(truth: Found, read: Read, manifest: Manifest) -> None:
    for source in {source for source, _ in of_kind(truth, "swapped")}:
        place = next(spec.place for spec in manifest.source if spec.id == source)
        assert place
        table = read(source)
        lon, lat = (np.array(table[name], dtype=float) for name in (place.lon, place.lat))
        assert set((np.flatnonzero(lat > lon) + 1).tolist()) == set(truth[source, place.lon, "swapped"])
        for row, value in truth[source, place.lon, "swapped"].items():
            assert lat[row - 1] == float(value)


def test_duplicates(truth: Found, read: Read) -> None:
    for source, _ in of_kind(truth, "duplicate"):
        first: dict[tuple[Any, ...], int] = {}
        copies = {}
        for number, row in enumerate(zip(*read(source).values(), strict=True), start=1):
            if row in first:
                copies[number] = str(first[row])
            first.setdefault(row, number)
        assert copies == truth[source, "", "duplicate"], source


@pytest.mark.parametrize(
    ("source", "column", "valid"),
    [
        ("residents", "公民身份号码", is_identity_number),
        ("firms_market", "统一社会信用代码", is_credit_code),
    ],
)
def test_wrong_check_digits(
    truth: Found, read: Read, source: str, column: str, valid: Callable[[str], bool]
) -> None:
    planted = truth[source, column, "check-digit"]
    assert rows_where(read(source)[column], lambda number: not valid(number)) == set(planted)
    assert all(valid(value) for value in planted.values())


def test_rows_that_have_gone_stale(truth: Found, read: Read) -> None:
    seen = read("residents")["核实日期"]
    assert rows_where(seen, lambda day: day < "2024-01-01") == set(truth["residents", "住址", "stale"])
    firms = read("firms_market")
    silent = {
        number
        for number, (state, year) in enumerate(
            zip(firms["登记状态"], firms["最近年报年度"], strict=True), start=1
        )
        if state == "存续" and int(year) < 2025
    }
    assert silent == set(truth["firms_market", "登记状态", "stale"])


def test_twelve_households_at_one_public_toilet(truth: Found, read: Read) -> None:
    toilets = set(read("toilets")["地址"])
    residents = read("residents")
    there = rows_where(residents["住址"], lambda address: address in toilets)
    assert there == set(truth["residents", "住址", "one-address"])
    assert len({residents["户号"][row - 1] for row in there}) == TOILET_HOUSEHOLDS


def test_the_code_table_that_changed_in_mid_year(truth: Found, read: Read) -> None:
    cases = read("cases")
    planted = truth["cases", "类别代码", "code-table"]
    assert rows_where(cases["类别代码"], lambda code: len(code) == 4) == set(planted)
    assert rows_where(cases["上报时间"], lambda moment: moment < "2026-07-01") == set(planted)
    new = read("case_codes_2026")
    code_of = dict(zip(new["类别名称"], new["类别代码"], strict=True))
    for row, value in planted.items():
        assert code_of[cases["类别名称"][row - 1]] == value
        assert cases["类别代码"][row - 1] == old_code(value)
    assert [old_code(code) for code in ("01003", "06013", "09001")] == ["0103", "0113", "0401"]


def test_addresses_without_a_place(truth: Found, read: Read, manifest: Manifest) -> None:
    specs = {spec.id: spec for spec in manifest.source}
    for source, column in of_kind(truth, "no-place"):
        table = read(source)
        place = specs[source].place
        assert place
        assert place.none
        assert not {"经度", "纬度", "lng", "lat"} & set(table)
        assert set(truth[source, column, "no-place"]) == set(range(1, len(table[column]) + 1))


def test_late_and_future_readings(truth: Found, read: Read) -> None:
    air = read("air_quality")
    taken = [datetime.fromisoformat(text) for text in air["监测时间"]]
    arrived = [datetime.fromisoformat(text) for text in air["入库时间"]]
    waited = [there - then for there, then in zip(arrived, taken, strict=True)]
    late, future = truth["air_quality", "入库时间", "late"], truth["air_quality", "监测时间", "future"]
    assert rows_where(waited, lambda wait: wait > timedelta(days=1)) == set(late)
    assert rows_where(waited, lambda wait: wait < timedelta()) == set(future)
    assert all(datetime.fromisoformat(value) == taken[row - 1] for row, value in late.items())
    assert all(datetime.fromisoformat(value) < taken[row - 1] for row, value in future.items())


def series(read: Read, source: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the times (hours since 1970, local) and values of each device of a source."""
    table = read(source)
    device, moment, value, *_ = (np.array(column) for column in table.values())
    hours = moment.astype("datetime64[s]").astype(np.int64) / 3600.0
    return {code: (hours[device == code], value[device == code]) for code in np.unique(device).tolist()}


def near(hour: float, moment: datetime, tolerance: float = 1.01) -> bool:
    return abs(hour - (moment - EPOCH) / HOUR) <= tolerance


@pytest.mark.parametrize("source", ["drain_levels", "road_speeds", "footfall"])
def test_sensors_that_fell_silent(sensors: dict[tuple[str, str], Any], read: Read, source: str) -> None:
    devices = series(read, source)
    end = max(hours[-1] for hours, _ in devices.values())
    silent = {code: hours[-1] for code, (hours, _) in devices.items() if hours[-1] < end - 24}
    assert set(silent) == set(sensors[source, "dead"])
    assert all(near(hour, sensors[source, "dead"][code][0]) for code, hour in silent.items())


def longest_run(hours: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Return the start and end of the longest time that a series stays at one value, hours."""
    edges = np.flatnonzero(np.diff(values) != 0)
    starts, ends = np.append(0, edges + 1), np.append(edges, len(values) - 1)
    longest = int((hours[ends] - hours[starts]).argmax())
    return float(hours[starts[longest]]), float(hours[ends[longest]])


@pytest.mark.parametrize("source", ["drain_levels", "road_speeds"])
def test_sensors_that_repeat_one_value(sensors: dict[tuple[str, str], Any], read: Read, source: str) -> None:
    runs = {code: longest_run(*readings) for code, readings in series(read, source).items()}
    stuck = {code: run for code, run in runs.items() if run[1] - run[0] > 72}
    assert set(stuck) == set(sensors[source, "stuck"])
    for code, (start, end) in stuck.items():
        since, until = sensors[source, "stuck"][code]
        assert near(start, since)
        assert near(end, until)


def test_a_rain_gauge_that_stays_dry_while_the_others_fill(
    sensors: dict[tuple[str, str], Any], read: Read
) -> None:
    gauges = series(read, "rainfall")
    shared = np.array(sorted(set.intersection(*(set(hours.tolist()) for hours, _ in gauges.values()))))
    rain = {code: values[np.isin(hours, shared)] for code, (hours, values) in gauges.items()}
    dry = {}
    for code, values in rain.items():
        others = np.mean([other for name, other in rain.items() if name != code], axis=0)
        wet = np.flatnonzero(values > 0.0)
        gaps = [(low, high) for low, high in pairwise(wet.tolist()) if high - low > 1]
        missed = {gap: others[gap[0] + 1 : gap[1]].sum() for gap in gaps}
        worst = max(missed, key=lambda gap: missed[gap])
        if missed[worst] > 5.0:
            dry[code] = (shared[worst[0]], shared[worst[1]])
    assert set(dry) == set(sensors["rainfall", "stuck"])
    for code, (last, first) in dry.items():
        since, until = sensors["rainfall", "stuck"][code]
        assert last <= (since - EPOCH) / HOUR + 1
        assert first >= (until - EPOCH) / HOUR - 1


@pytest.mark.parametrize(("source", "size"), [("river_levels", 0.8), ("drain_levels", 0.3)])
def test_sensors_that_drift_away(
    sensors: dict[tuple[str, str], Any], read: Read, source: str, size: float
) -> None:
    devices = {code: _risen(*readings) for code, readings in series(read, source).items()}
    days = set().union(*devices.values())
    usual = {day: np.median([rise[day] for rise in devices.values() if day in rise]) for day in days}
    away = {
        code: float(np.median([rise[day] - usual[day] for day in sorted(rise)[-7:]]))
        for code, rise in devices.items()
    }
    gone = {code: change for code, change in away.items() if abs(change) > 0.5 * size}
    assert set(gone) == set(sensors[source, "drift"])
    for change in gone.values():
        assert change == pytest.approx(size, rel=0.3)


def _risen(hours: np.ndarray, values: np.ndarray) -> dict[int, float]:
    """Return the lowest value of each day, what a level falls back to, above that of the first two weeks."""
    day = (hours // 24).astype(int)
    days = np.unique(day)
    lowest = np.array([values[day == one].min() for one in days])
    return dict(zip(days.tolist(), (lowest - np.median(lowest[:14])).tolist(), strict=True))


def test_no_fault_hides_in_a_file_that_the_truth_calls_sound(truth: Found, read: Read) -> None:
    """A register without planted duplicates has unique keys, and one without nulls has no gaps."""
    spoiled = {source for source, *_ in truth}
    for source in {"schools", "junctions", "metro_stops", "taxi_trips", "departments"} - spoiled:
        table = read(source)
        rows = Counter(zip(*table.values(), strict=True))
        assert max(rows.values()) == 1, source
        gaps = {column for column, values in table.items() if None in values or "" in values}
        assert gaps <= {"上级代码"}, source
