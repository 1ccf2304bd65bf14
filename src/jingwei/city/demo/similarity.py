"""How alike the demo city is to real ones: measured against public data sets, as a table.

Run `python -m jingwei.city.demo.similarity DATA PAGE`: `DATA` is a folder of the public data sets, `PAGE` the
Markdown page whose table is renewed between its two marks.
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

from jingwei.city.demo import clock
from jingwei.city.demo.arrays import Floats, Ints
from jingwei.city.demo.cases import Cases
from jingwei.city.demo.clock import STEPS_PER_HOUR
from jingwei.city.demo.matters import CATEGORIES, MATTERS
from jingwei.city.demo.process import Readings, advance, demand_by_hour, open_process
from jingwei.city.demo.settings import settings_of
from jingwei.city.demo.town import Town, build_town
from jingwei.lake.datums import bd09_to_wgs84

BEGIN, END = "<!-- similarity: begin -->", "<!-- similarity: end -->"
EARTH = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Likeness:
    """One row of the table: what is compared, with what, and how near the two are."""

    what: str
    real: str
    real_value: str
    demo_value: str
    measure: str
    value: float


@dataclass(frozen=True, slots=True)
class Past:
    """The demo city with its whole history."""

    town: Town
    readings: Readings
    cases: Cases


def live_through(scale: str, seed: int) -> Past:
    """Build a demo city and run through its history."""
    town = build_town(settings_of(scale, seed))
    world = town.world
    _, readings = advance(world, open_process(world), world.last_step - world.first_step)
    return Past(town, readings, town.desk.between(world.first_step, world.last_step))


def compare(past: Past, data: Path) -> list[Likeness]:
    """Compare a demo city with the public data sets of a folder."""
    return [
        *_compare_cases(past, data / "shenzhen" / "pingshan_cases.parquet"),
        *_compare_trips(past, data / "shenzhen" / "taxi_trips.csv"),
        *_compare_air(past, data / "sense" / "beijing_air_prsa_observations.parquet"),
        *_compare_stops(past, data / "shenzhen" / "公交站点.csv"),
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
    source = "Pingshan cases, 10,000, 2018"
    yield Likeness(
        "Shares of case categories",
        source,
        f"{names[top]} {one[top]:.1%}",
        f"{names[top]} {other[top]:.1%}",
        "total variation",
        _apart(one, other),
    )
    late = float(np.mean([status == "overtime" for status in real["archive_status"].to_pylist()]))
    yield Likeness(
        "Overdue share",
        source,
        f"{late:.2%}",
        f"{past.cases.overdue.mean():.2%}",
        "difference",
        float(past.cases.overdue.mean()) - late,
    )
    days = real["create_time"].to_numpy().astype("datetime64[D]").astype(np.int64)
    weekday = (past.cases.second + clock.ZONE_STEPS * clock.MINUTES * 60) // 86_400
    one, other = _shares((days + 3) % 7, 7), _shares((weekday + 3) % 7, 7)
    yield Likeness(
        "Cases by weekday",
        source,
        f"Sunday {one[6]:.1%}",
        f"Sunday {other[6]:.1%}",
        "total variation",
        _apart(one, other),
    )
    per_real = np.sort(np.unique(np.array(real["community"].to_pylist(), dtype=str), return_counts=True)[1])[
        ::-1
    ]
    community = past.town.layout.divisions.community[past.cases.face]
    per_demo = np.sort(np.bincount(community))[::-1]
    shares = [float(per[: max(1, round(0.2 * len(per)))].sum() / per.sum()) for per in (per_real, per_demo)]
    yield Likeness(
        "Cases in the busiest fifth of communities",
        source,
        f"{shares[0]:.0%}",
        f"{shares[1]:.0%}",
        "difference",
        shares[1] - shares[0],
    )


def _compare_trips(past: Past, path: Path) -> Iterator[Likeness]:
    table = pyarrow.csv.read_csv(path)
    hours = pc.hour(table["Stime"]).to_numpy()
    travel = demand_by_hour(past.town.world)
    real = _shares(np.asarray(hours, dtype=np.int64), 24)
    source = "Shenzhen taxi trips, 10,619"
    night = float(real[1:6].sum()), float(travel[1:6].sum() / travel.sum())
    yield Likeness(
        "Travel by hour of the day",
        source,
        f"{night[0]:.0%} from 1 to 6 h",
        f"{night[1]:.0%}, all traffic",
        "total variation",
        _apart(real, travel),
    )
    lengths = _metres(table["Lng"], table["Lat"], table["ELng"], table["ELat"])
    people, buildings = past.town.people, past.town.layout.buildings
    working = np.flatnonzero(people.employer >= 0)
    home, job = people.home[working], past.town.organisations.building[people.employer[working]]
    ways = np.hypot(buildings.x[home] - buildings.x[job], buildings.y[home] - buildings.y[job])
    spread = [
        float(np.percentile(part[part > 50.0], 90) / np.median(part[part > 50.0])) for part in (lengths, ways)
    ]
    yield Likeness(
        "Trip lengths: 90th percentile over median",
        source,
        f"{spread[0]:.2f} (median {np.median(lengths) / 1000:.1f} km)",
        f"{spread[1]:.2f} (commutes, median {np.median(ways) / 1000:.1f} km)",
        "difference",
        spread[1] - spread[0],
    )


def _metres(lon: object, lat: object, to_lon: object, to_lat: object) -> Floats:
    one, two, three, four = (
        np.radians(np.asarray(values, dtype=np.float64)) for values in (lon, lat, to_lon, to_lat)
    )
    half = np.sin((four - two) / 2.0) ** 2 + np.cos(two) * np.cos(four) * np.sin((three - one) / 2.0) ** 2
    return np.asarray(2.0 * EARTH * np.arcsin(np.sqrt(half)))


def _compare_air(past: Past, path: Path) -> Iterator[Likeness]:
    source = "Beijing air, 12 stations, 2013-2017"
    for name, property_index, column in (("PM2.5", 0, 0), ("O3", 5, 4), ("NO2", 3, 2)):
        table = pq.read_table(
            path,
            filters=pc.field("datastream_id").isin(
                [11 * station + property_index + 1 for station in range(12)]
            ),
        )
        when = table["time_ms"].to_numpy() // 3_600_000 + 8
        value = table["result"].to_numpy().astype(np.float64)
        real_hour = _mean_by(when % 24, value, 24)
        month = (np.asarray(when, dtype="datetime64[h]").astype("datetime64[M]").astype(np.int64)) % 12
        real_month = _mean_by(month, value, 12)
        readings = past.readings.air[:, :, column].mean(axis=1)
        hourly = readings.reshape(-1, STEPS_PER_HOUR).mean(axis=1)
        local = (past.readings.steps[::STEPS_PER_HOUR] + clock.ZONE_STEPS) // STEPS_PER_HOUR
        demo_hour = _mean_by(local % 24, hourly, 24)
        demo_month = _mean_by(
            local.astype("datetime64[h]").astype("datetime64[M]").astype(np.int64) % 12, hourly, 12
        )
        yield Likeness(
            f"{name} by hour of the day",
            source,
            f"swing {_swing(real_hour):.0%} of the mean",
            f"swing {_swing(demo_hour):.0%}",
            "correlation",
            float(np.corrcoef(real_hour, demo_hour)[0, 1]),
        )
        yield Likeness(
            f"{name} by month",
            source,
            f"swing {_swing(real_month):.0%}",
            f"swing {_swing(demo_month):.0%}",
            "correlation",
            float(np.corrcoef(real_month, demo_month)[0, 1]),
        )
    first = (
        pq.read_table(path, filters=pc.field("datastream_id") == 1)["result"].to_numpy().astype(np.float64)
    )
    mine = past.readings.air[:, 0, 0].reshape(-1, STEPS_PER_HOUR).mean(axis=1)
    memory = [float(np.corrcoef(part[:-1], part[1:])[0, 1]) for part in (first, mine)]
    yield Likeness(
        "PM2.5 from hour to hour",
        source,
        f"autocorrelation {memory[0]:.2f}",
        f"{memory[1]:.2f}",
        "difference",
        memory[1] - memory[0],
    )


def _mean_by(key: Ints, values: Floats, count: int) -> Floats:
    return np.asarray(
        np.bincount(key, values, minlength=count) / np.maximum(np.bincount(key, minlength=count), 1)
    )


def _swing(profile: Floats) -> float:
    return float((profile.max() - profile.min()) / profile.mean())


def _compare_stops(past: Past, path: Path) -> Iterator[Likeness]:
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
    yield Likeness(
        "Distance between bus stops, median",
        "Shenzhen bus stops, 61,026",
        f"{np.median(gaps):.0f} m",
        f"{np.median(mine):.0f} m",
        "ratio",
        float(np.median(mine) / np.median(gaps)),
    )


def table_of(rows: list[Likeness]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| What | Real data | Real | Demo | Measure | Value |", "|---|---|---|---|---|---:|"]
    lines += [
        f"| {row.what} | {row.real} | {row.real_value} | {row.demo_value} | {row.measure} | {row.value:.3f} |"
        for row in rows
    ]
    return "\n".join(lines)


def renew(page: Path, table: str) -> None:
    """Set the table between the marks of a page."""
    text = page.read_text("utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    renew(Path(sys.argv[2]), table_of(compare(live_through("S", 1), Path(sys.argv[1]))))
