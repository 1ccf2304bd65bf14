"""How alike the demo city is to real ones: measured against public data sets, as a table.

Run `python -m jingwei.city.demo.similarity DATA PAGE`: `DATA` is a folder of the public data sets, `PAGE` the
Markdown page whose table is renewed between its two marks. The table is also kept for the pages
(`jingwei.city.likeness`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import shapely

from jingwei.city.demo import clock
from jingwei.city.demo.arrays import Floats, Ints
from jingwei.city.demo.cases import Cases
from jingwei.city.demo.clock import STEPS_PER_HOUR
from jingwei.city.demo.matters import CATEGORIES, MATTERS
from jingwei.city.demo.process import Readings, advance, open_process
from jingwei.city.demo.settings import settings_of
from jingwei.city.demo.town import Town, build_town
from jingwei.city.demo.trips import Taxis, Trips, join
from jingwei.city.likeness import Likeness, keep
from jingwei.lake.datums import bd09_to_wgs84
from jingwei.words import Text

BEGIN, END = "<!-- similarity: begin -->", "<!-- similarity: end -->"
EARTH = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Past:
    """The demo city with its whole history, and a large one as it stands."""

    town: Town
    readings: Readings
    cases: Cases
    large: Town


PINGSHAN = Text("坪山民生案件，1 万件，2018 年", "Pingshan cases, 10,000, 2018")
TAXIS = Text("深圳出租车行程，10,619 条", "Shenzhen taxi trips, 10,619")
BEIJING = Text("北京空气质量，12 站，2013-2017 年", "Beijing air, 12 stations, 2013-2017")
STOPS = Text("深圳公交站点，61,026 个", "Shenzhen bus stops, 61,026")
COMMUTES = Text("《2023年度中国主要城市通勤监测报告》", "Commuting report of 45 Chinese cities, 2023")
VARIATION = Text("总变差（0 为相同）", "total variation (0: equal)")
DIFFERENCE = Text("差（0 为相同）", "difference (0: equal)")
CORRELATION = Text("相关系数（1 为相同）", "correlation (1: equal)")
RATIO = Text("比（1 为相同）", "ratio (1: equal)")
KOLMOGOROV = Text("分布函数最大差（0 为相同）", "largest gap of distributions (0: equal)")

# Share of commutes within 5 km in cities of one to three million people in 2022 (the same report).
NEAR_COMMUTES = 0.55


def live_through(scale: str, seed: int) -> Past:
    """Build a demo city and run through its history; build a large one beside it."""
    town = build_town(settings_of(scale, seed))
    world = town.world
    _, readings = advance(world, open_process(world), world.last_step - world.first_step)
    cases = town.desk.between(world.first_step, world.last_step)
    return Past(town, readings, cases, build_town(settings_of("M", seed)))


def compare(past: Past, data: Path) -> list[Likeness]:
    """Compare a demo city with the public data sets of a folder."""
    return [
        *_compare_cases(past, data / "shenzhen" / "pingshan_cases.parquet"),
        *_compare_trips(past, data / "shenzhen" / "taxi_trips.csv"),
        _compare_commutes(past.large),
        *_compare_air(past, data / "sense" / "beijing_air_prsa_observations.parquet"),
        _compare_stops(past, data / "shenzhen" / "公交站点.csv"),
    ]


def _shares(values: Ints, count: int) -> Floats:
    return np.bincount(values, minlength=count) / max(len(values), 1)


def _apart(one: Floats, other: Floats) -> float:
    """Return the total variation distance of two distributions: 0 equal, 1 disjoint."""
    return float(np.abs(one / one.sum() - other / other.sum()).sum() / 2.0)


def _compare_cases(past: Past, path: Path) -> Iterator[Likeness]:
    real = pq.read_table(path, columns=["event_type", "archive_status", "create_time", "community"])
    names = list(CATEGORIES)
    of_real = np.array(
        [names.index(name) if name in names else len(names) - 1 for name in real["event_type"].to_pylist()]
    )
    of_demo = np.array([names.index(MATTERS[matter].category) for matter in past.cases.matter])
    one, other = _shares(of_real, len(names)), _shares(of_demo, len(names))
    top = int(one.argmax())
    yield Likeness(
        Text("案件大类占比", "Shares of case categories"),
        PINGSHAN,
        Text(f"{names[top]} {one[top]:.1%}"),
        Text(f"{names[top]} {other[top]:.1%}"),
        VARIATION,
        _apart(one, other),
    )
    late = float(np.mean([status == "overtime" for status in real["archive_status"].to_pylist()]))
    mine = float(past.cases.overdue.mean())
    yield Likeness(
        Text("超期率", "Overdue share"),
        PINGSHAN,
        Text(f"{late:.2%}"),
        Text(f"{mine:.2%}"),
        DIFFERENCE,
        mine - late,
    )
    days = real["create_time"].to_numpy().astype("datetime64[D]").astype(np.int64)
    weekday = (past.cases.second + clock.ZONE_STEPS * clock.MINUTES * 60) // 86_400
    one, other = _shares((days + 3) % 7, 7), _shares((weekday + 3) % 7, 7)
    yield Likeness(
        Text("案件的星期分布", "Cases by weekday"),
        PINGSHAN,
        Text(f"周日 {one[6]:.1%}", f"Sunday {one[6]:.1%}"),
        Text(f"周日 {other[6]:.1%}", f"Sunday {other[6]:.1%}"),
        VARIATION,
        _apart(one, other),
    )
    of_place = np.unique(np.array(real["community"].to_pylist(), dtype=str), return_counts=True)[1]
    community = past.town.layout.divisions.community[past.cases.face]
    shares = [_busiest_fifth(of_place), _busiest_fifth(np.bincount(community))]
    yield Likeness(
        Text("案件最多的五分之一社区所占", "Cases in the busiest fifth of communities"),
        PINGSHAN,
        Text(f"{shares[0]:.0%}"),
        Text(f"{shares[1]:.0%}"),
        DIFFERENCE,
        shares[1] - shares[0],
    )


def _busiest_fifth(counts: Ints) -> float:
    falling = np.sort(counts)[::-1]
    return float(falling[: max(1, round(0.2 * len(falling)))].sum() / falling.sum())


def _compare_trips(past: Past, path: Path) -> Iterator[Likeness]:
    table = pyarrow.csv.read_csv(path)
    trips = {scale: _week_of_trips(town) for scale, town in (("S", past.town), ("M", past.large))}
    real = _shares(np.asarray(pc.hour(table["Stime"]).to_numpy(), dtype=np.int64), 24)
    demo = _shares((trips["S"].start // 3600 + 8) % 24, 24)
    night = float(real[1:6].sum()), float(demo[1:6].sum())
    yield Likeness(
        Text("出租车行程的小时分布", "Taxi trips by hour of the day"),
        TAXIS,
        Text(f"1 至 6 时 {night[0]:.1%}", f"{night[0]:.1%} from 1 to 6 h"),
        Text(f"1 至 6 时 {night[1]:.1%}", f"{night[1]:.1%} from 1 to 6 h"),
        VARIATION,
        _apart(real, demo),
    )
    ends = [table[name].to_numpy() for name in ("Lng", "Lat", "ELng", "ELat")]
    for scale, town in (("S", past.town), ("M", past.large)):
        reach = _reach(town)
        seen = _trips_within(ends, reach)
        made = trips[scale].straight
        yield Likeness(
            Text(f"出租车行程长度，规模 {scale}", f"Lengths of taxi trips, scale {scale}"),
            Text(
                f"{TAXIS.zh}中起讫都在闹市 {reach / 1000:.1f} 公里内的 {len(seen):,} 条",
                f"{TAXIS.en}: the {len(seen):,} within {reach / 1000:.1f} km of the busiest place",
            ),
            _middle_and_long(seen),
            _middle_and_long(made),
            KOLMOGOROV,
            _largest_gap(seen, made),
        )


def _week_of_trips(town: Town) -> Trips:
    taxis = Taxis(town.layout)
    last = int(clock.local_day(town.world.last_step - 1))
    return join([taxis.on_day(last - back) for back in range(7)])


def _reach(town: Town) -> float:
    """Return the radius of a circle as large as the built-up area, metres."""
    fabric = town.layout.fabric
    return float(np.sqrt(shapely.area(fabric.faces[fabric.remoteness < 1.0]).sum() / np.pi))


def _trips_within(ends: list[Floats], reach: float) -> Floats:
    """Return the lengths of trips that start and end within a reach (metres) of the busiest place.

    `ends` are longitude and latitude of the starts, then of the ends.
    """
    lon, lat, to_lon, to_lat = ends
    cell = np.stack([np.floor(lon / 0.01), np.floor(lat / 0.01)], axis=1)
    _, place, count = np.unique(cell, axis=0, return_inverse=True, return_counts=True)
    busy = place.ravel() == count.argmax()
    middle = np.full_like(lon, lon[busy].mean()), np.full_like(lat, lat[busy].mean())
    inside = (_metres(lon, lat, *middle) < reach) & (_metres(to_lon, to_lat, *middle) < reach)
    return _metres(lon, lat, to_lon, to_lat)[inside]


def _middle_and_long(lengths: Floats) -> Text:
    middle, long = np.percentile(lengths, [50, 90]) / 1000.0
    return Text(
        f"中位 {middle:.2f} 公里，九成 {long:.2f} 公里内",
        f"median {middle:.2f} km, nine in ten below {long:.2f} km",
    )


def _largest_gap(one: Floats, other: Floats) -> float:
    """Return the largest gap of two empirical distribution functions (Kolmogorov and Smirnov)."""
    both = np.concatenate([one, other])
    below = [np.searchsorted(np.sort(part), both, side="right") / len(part) for part in (one, other)]
    return float(np.abs(below[0] - below[1]).max())


def _compare_commutes(town: Town) -> Likeness:
    people, buildings = town.people, town.layout.buildings
    working = np.flatnonzero(people.employer >= 0)
    home, job = people.home[working], town.organisations.building[people.employer[working]]
    ways = np.hypot(buildings.x[home] - buildings.x[job], buildings.y[home] - buildings.y[job])
    near = float((ways < 5_000.0).mean())
    return Likeness(
        Text("5 公里以内的通勤，规模 M", "Commutes within 5 km, scale M"),
        COMMUTES,
        Text(f"{NEAR_COMMUTES:.0%}（Ⅱ型大城市）", f"{NEAR_COMMUTES:.0%} (cities of 1 to 3 million)"),
        Text(f"{near:.0%}"),
        DIFFERENCE,
        near - NEAR_COMMUTES,
    )


def _metres(lon: object, lat: object, to_lon: object, to_lat: object) -> Floats:
    one, two, three, four = (
        np.radians(np.asarray(values, dtype=np.float64)) for values in (lon, lat, to_lon, to_lat)
    )
    half = np.sin((four - two) / 2.0) ** 2 + np.cos(two) * np.cos(four) * np.sin((three - one) / 2.0) ** 2
    return np.asarray(2.0 * EARTH * np.arcsin(np.sqrt(half)))


def _compare_air(past: Past, path: Path) -> Iterator[Likeness]:
    local = (past.readings.steps[::STEPS_PER_HOUR] + clock.ZONE_STEPS) // STEPS_PER_HOUR
    for name, series, column in (("PM2.5", 0, 0), ("O3", 5, 4), ("NO2", 3, 2)):
        wanted = [11 * station + series + 1 for station in range(12)]
        table = pq.read_table(path, filters=pc.field("datastream_id").isin(wanted))
        when = table["time_ms"].to_numpy() // 3_600_000 + 8
        value = table["result"].to_numpy().astype(np.float64)
        hourly = past.readings.air[:, :, column].mean(axis=1).reshape(-1, STEPS_PER_HOUR).mean(axis=1)
        for zh, en, key, count in (
            ("小时", "hour of the day", _hour_of, 24),
            ("月份", "month", _month_of, 12),
        ):
            real, demo = _mean_by(key(when), value, count), _mean_by(key(local), hourly, count)
            yield Likeness(
                Text(f"{name} 的{zh}变化", f"{name} by {en}"),
                BEIJING,
                _swing_of(real),
                _swing_of(demo),
                CORRELATION,
                float(np.corrcoef(real, demo)[0, 1]),
            )
    first = (
        pq.read_table(path, filters=pc.field("datastream_id") == 1)["result"].to_numpy().astype(np.float64)
    )
    mine = past.readings.air[:, 0, 0].reshape(-1, STEPS_PER_HOUR).mean(axis=1)
    memory = [float(np.corrcoef(part[:-1], part[1:])[0, 1]) for part in (first, mine)]
    yield Likeness(
        Text("PM2.5 逐时延续", "PM2.5 from hour to hour"),
        BEIJING,
        Text(f"自相关 {memory[0]:.2f}", f"autocorrelation {memory[0]:.2f}"),
        Text(f"自相关 {memory[1]:.2f}", f"autocorrelation {memory[1]:.2f}"),
        DIFFERENCE,
        memory[1] - memory[0],
    )


def _hour_of(hours: Ints) -> Ints:
    return np.asarray(hours % 24)


def _month_of(hours: Ints) -> Ints:
    months = np.asarray(hours, dtype="datetime64[h]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months % 12)


def _swing_of(profile: Floats) -> Text:
    swing = (profile.max() - profile.min()) / profile.mean()
    return Text(f"起伏为均值的 {swing:.0%}", f"swing {swing:.0%} of the mean")


def _mean_by(key: Ints, values: Floats, count: int) -> Floats:
    return np.asarray(
        np.bincount(key, values, minlength=count) / np.maximum(np.bincount(key, minlength=count), 1)
    )


def _compare_stops(past: Past, path: Path) -> Likeness:
    text = path.read_bytes().decode("gb18030").encode()
    table = pyarrow.csv.read_csv(pyarrow.BufferReader(text))
    lon, lat = bd09_to_wgs84(table["经度"].to_numpy(), table["纬度"].to_numpy())
    line = np.array(table["线路名称"].to_pylist(), dtype=object)
    order = table["站序"].to_numpy()
    follows = (line[1:] == line[:-1]) & (order[1:] == order[:-1] + 1)
    gaps = _metres(lon[:-1], lat[:-1], lon[1:], lat[1:])[follows]
    buses = past.town.buses
    same = buses.line[1:] == buses.line[:-1]
    mine = np.hypot(np.diff(buses.x), np.diff(buses.y))[same]
    return Likeness(
        Text("公交站距，中位数", "Distance between bus stops, median"),
        STOPS,
        Text(f"{np.median(gaps):.0f} m"),
        Text(f"{np.median(mine):.0f} m"),
        RATIO,
        float(np.median(mine) / np.median(gaps)),
    )


def table_of(rows: list[Likeness]) -> str:
    """Return the rows as a Markdown table in English."""
    lines = ["| What | Real data | Real | Demo | Measure | Value |", "|---|---|---|---|---|---:|"]
    for row in rows:
        words = (row.what, row.source, row.real, row.demo, row.measure)
        lines.append(f"| {' | '.join(word.in_language('en') for word in words)} | {row.value:.3f} |")
    return "\n".join(lines)


def renew(page: Path, table: str) -> None:
    """Set the table between the marks of a page."""
    text = page.read_text("utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    found = compare(live_through("S", 1), Path(sys.argv[1]))
    keep(found)
    renew(Path(sys.argv[2]), table_of(found))
