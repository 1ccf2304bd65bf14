"""The files of what is measured: two years of readings, with the sensors' own faults in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import shapely

from jingwei.city.demo import clock
from jingwei.city.demo.arrays import Bools, Floats, Ints, Texts
from jingwei.city.demo.clock import STEPS_PER_DAY, STEPS_PER_HOUR, WORKDAY
from jingwei.city.demo.devices import Group
from jingwei.city.demo.files_people import mixed_dates
from jingwei.city.demo.forms import table_of, write_csv
from jingwei.city.demo.pack import ZONE, Pack
from jingwei.city.demo.process import POLLUTANTS, Readings, advance, open_process
from jingwei.words import Text

DAYS_AT_ONCE = 31
MISSING = -999.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one sensor: from a step on, or between two."""

    column: int
    kind: str
    start: int
    end: int
    size: float = 0.0

    def apply(self, steps: Ints, values: Floats) -> Bools:
        """Change the readings of the sensor in place; return which of them are still sent."""
        sent = np.ones(len(steps), dtype=bool)
        during = (steps >= self.start) & (steps < self.end)
        if self.kind == "dead":
            sent[during] = False
        elif self.kind == "stuck":
            values[during] = self.size
        elif self.kind == "drift":
            values[during] += self.size * (steps[during] - self.start) / max(self.end - self.start, 1)
        return sent


@dataclass(slots=True)
class Series:
    """One file of readings in long form: device, time, values; written month by month."""

    pack: Pack
    source: str
    path: Path
    group: Group
    value: str
    decimals: int
    faults: list[Fault] = field(default_factory=list)
    writer: pq.ParquetWriter | None = None

    def plan_faults(self, kinds: tuple[tuple[str, float], ...]) -> None:
        """Decide which sensors fail, and record it; the first sensor of a kind never does."""
        random = self.pack.town.settings.draws(f"faults:{self.source}")
        world = self.pack.town.world
        span = world.last_step - world.first_step
        order = 1 + random.permutation(max(len(self.group) - 1, 0))
        for (kind, size), column in zip(kinds, order, strict=False):
            start = world.first_step + int(random.uniform(0.25, 0.8) * span)
            length = int(random.uniform(8, 40) * STEPS_PER_DAY)
            end = world.last_step if kind in {"dead", "drift"} else min(start + length, world.last_step)
            self.faults.append(Fault(int(column), kind, start, end, size))
            self.pack.truth.note_device(
                self.source, str(self.group.code[column]), kind, start, end, f"size {size}"
            )

    def write(
        self, steps: Ints, values: Floats, kept: Bools | None = None, minutes: Ints | None = None
    ) -> None:
        """Write the readings of some steps; `kept` says which of them are sent at all."""
        rows = np.ones(values.shape, dtype=bool) if kept is None else kept.copy()
        values = values.copy()
        for fault in self.faults:
            rows[:, fault.column] &= fault.apply(steps, values[:, fault.column])
        at, column = np.nonzero(rows)
        columns: dict[str, Any] = {
            "设备编码": self.group.code[column],
            "观测时间": local_times(steps[at]),
            self.value: np.round(values[at, column], self.decimals),
        }
        if minutes is not None:
            columns["时段分钟"] = minutes[at]
        table = table_of(columns)
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self.writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        if self.writer is not None:
            self.writer.close()


def local_times(steps: Ints) -> Any:
    """Return the local time of steps as naive timestamps in seconds."""
    return ((np.asarray(steps) + clock.ZONE_STEPS) * clock.MINUTES * 60).astype("datetime64[s]")


def write_series(pack: Pack, told: Callable[[str, float], None]) -> None:
    """Write the registers of devices and all files of readings."""
    _registers(pack)
    files = _open_files(pack)
    air: list[dict[str, Any]] = []
    flu: list[Floats] = []
    for number, readings in enumerate(_months(pack)):
        told("series", (number * DAYS_AT_ONCE) / max(pack.town.settings.scale.days, 1))
        _write_month(files, readings)
        air.append(_air_rows(pack, readings))
        flu.append(readings.flu.reshape(-1, STEPS_PER_DAY).mean(axis=1))
    for series in files.values():
        series.close()
    _describe_series(pack)
    _write_air(pack, air)
    _write_visits(pack, np.concatenate(flu))
    _write_service(pack)


def _months(pack: Pack) -> Iterator[Readings]:
    world = pack.town.world
    state = open_process(world)
    while state.step < world.last_step:
        state, readings = advance(
            world, state, min(DAYS_AT_ONCE * STEPS_PER_DAY, world.last_step - state.step)
        )
        yield readings


def _open_files(pack: Pack) -> dict[str, Series]:
    devices = pack.town.devices

    def series(
        source: str, file: str, group: Group, value: str, decimals: int, *kinds: tuple[str, float]
    ) -> Series:
        made = Series(pack, source, pack.folder / file, group, value, decimals)
        made.plan_faults(kinds)
        return made

    return {
        "rain": series("rainfall", "雨量.parquet", devices.rain, "雨量", 2, ("stuck", 0.0)),
        "river": series("river_levels", "河道水位.parquet", devices.river, "水位", 2, ("drift", 0.8)),
        "drain": series(
            "drain_levels",
            "管网液位.parquet",
            devices.drain,
            "液位",
            3,
            ("dead", 0.0),
            ("stuck", 0.41),
            ("drift", 0.3),
        ),
        "traffic": series(
            "road_speeds", "路段车速.parquet", devices.traffic, "平均车速", 1, ("stuck", 37.0), ("dead", 0.0)
        ),
        "power": series("power_use", "社区用电.parquet", devices.meter, "用电量", 1),
        "water": series("water_use", "社区用水.parquet", devices.meter, "用水量", 2),
        "footfall": series("footfall", "客流.parquet", devices.footfall, "人次", 0, ("dead", 0.0)),
    }


def _write_month(files: dict[str, Series], readings: Readings) -> None:
    """Write one month: hourly, and every quarter of an hour where it is wet."""
    steps = readings.steps
    hourly = steps[::STEPS_PER_HOUR]
    on_the_hour = (steps % STEPS_PER_HOUR == 0)[:, None]
    wet = readings.rain > 0.0
    wet_hour = np.repeat(wet.reshape(-1, STEPS_PER_HOUR, wet.shape[1]).any(axis=1), STEPS_PER_HOUR, axis=0)
    minutes = np.where(wet_hour.any(axis=1), 15, 60)
    any_wet = np.asarray(wet_hour.any(axis=1, keepdims=True))
    files["rain"].write(steps, readings.rain, np.broadcast_to(on_the_hour | any_wet, wet.shape), minutes)
    soon = _for_hours(any_wet, 4)
    files["river"].write(steps, readings.river, np.broadcast_to(on_the_hour, readings.river.shape))
    files["drain"].write(steps, readings.drain, np.broadcast_to(on_the_hour | soon, readings.drain.shape))
    files["traffic"].write(hourly, _by_hour(readings.speed).mean(axis=1))
    files["power"].write(hourly, _by_hour(readings.electricity).sum(axis=1))
    files["water"].write(hourly, _by_hour(readings.water).sum(axis=1))
    files["footfall"].write(hourly, _by_hour(readings.footfall).sum(axis=1))


def _by_hour(values: Floats) -> Floats:
    return values.reshape(-1, STEPS_PER_HOUR, *values.shape[1:])


def _for_hours(wet: Bools, hours: int) -> Bools:
    """Return the steps that follow a wet one within some hours."""
    lasting = wet.copy()
    for shift in range(1, hours * STEPS_PER_HOUR + 1):
        lasting[shift:] |= wet[:-shift]
    return lasting


def _registers(pack: Pack) -> None:
    """Write the registers of devices, by department."""
    devices = pack.town.devices
    random = pack.town.settings.draws("device-files")
    for identifier, file, title, owner, groups, crs, encoding in (
        (
            "water_gauges",
            "水务监测站点.csv",
            Text("水务监测站点", "Water gauges"),
            "water",
            (devices.rain, devices.river, devices.drain),
            "CGCS2000",
            "GB18030",
        ),
        (
            "road_sections",
            "监测路段.csv",
            Text("监测路段", "Watched road sections"),
            "police",
            (devices.traffic,),
            "GCJ-02",
            "GB18030",
        ),
        (
            "air_stations",
            "空气自动站.csv",
            Text("空气自动站", "Air stations"),
            "environment",
            (devices.air,),
            "WGS84",
            "UTF-8",
        ),
        (
            "community_meters",
            "社区总表.csv",
            Text("社区总表", "Community meters"),
            "waterworks",
            (devices.meter,),
            "BD-09",
            "GB18030",
        ),
        (
            "counters",
            "客流计.csv",
            Text("客流计", "Footfall counters"),
            "culture",
            (devices.footfall,),
            "WGS84",
            "UTF-8",
        ),
    ):
        x = np.concatenate([group.x for group in groups])
        y = np.concatenate([group.y for group in groups])
        code = np.concatenate([group.code for group in groups])
        longitude, latitude = pack.degrees(x, y, crs)
        columns: dict[str, Any] = {
            "设备编码": code,
            "名称": np.concatenate([group.name for group in groups]),
            "安装日期": mixed_dates(random, random.integers(17_500, 19_600, len(code))),
            "经度": longitude,
            "纬度": latitude,
        }
        if identifier in _FIXED_TO:
            columns["部件标识码"] = _nearest_components(pack, x, y, _FIXED_TO[identifier])
        if identifier == "community_meters":
            columns["社区代码"] = pack.town.layout.divisions.communities.codes[devices.meter.bearer]
        pack.truth.identify(identifier, "device", code)
        pack.csv(
            identifier,
            file,
            title,
            owner,
            columns,
            encoding=encoding,
            keys=["设备编码"],
            name="名称",
            text=[column for column in ("设备编码", "社区代码", "部件标识码") if column in columns],
            place={"lon": "经度", "lat": "纬度", "crs": crs},
            time={"none": True},
            update_cycle="yearly",
            sharing="unconditional",
        )


# The kind of component that the devices of a register are fixed to: well covers, traffic cameras.
_FIXED_TO = {"water_gauges": "01003", "road_sections": "01050"}


def _nearest_components(pack: Pack, x: Floats, y: Floats, code: str) -> Texts:
    """Return the identifier of the component of a kind that each device is fixed to: the nearest."""
    components = pack.town.components
    mine = np.flatnonzero(components.code == code)
    if not len(mine):
        return np.full(len(x), "", dtype=object)
    tree = shapely.STRtree(shapely.points(components.x[mine], components.y[mine]))
    return np.asarray(components.identifier[mine[tree.nearest(shapely.points(x, y))]])


def _describe_series(pack: Pack) -> None:
    for identifier, file, title, owner, register in (
        ("rainfall", "雨量.parquet", Text("雨量", "Rainfall"), "water", "water_gauges"),
        ("river_levels", "河道水位.parquet", Text("河道水位", "River levels"), "water", "water_gauges"),
        ("drain_levels", "管网液位.parquet", Text("管网液位", "Drain levels"), "water", "water_gauges"),
        ("road_speeds", "路段车速.parquet", Text("路段车速", "Road speeds"), "police", "road_sections"),
        (
            "power_use",
            "社区用电.parquet",
            Text("社区用电", "Electricity use"),
            "grid-company",
            "community_meters",
        ),
        ("water_use", "社区用水.parquet", Text("社区用水", "Water use"), "waterworks", "community_meters"),
        ("footfall", "客流.parquet", Text("客流", "Footfall"), "culture", "counters"),
    ):
        pack.describe(
            identifier,
            file,
            title,
            owner,
            keys=["设备编码", "观测时间"],
            place={"by": register, "columns": ["设备编码"], "key": ["设备编码"]},
            time={"column": "观测时间", "zone": ZONE, "precision": "minute"},
            update_cycle="real-time",
            sharing="unconditional" if owner != "grid-company" else "conditional",
        )


def _air_rows(pack: Pack, readings: Readings) -> dict[str, Any]:
    """Return hourly rows of all stations, wide: six pollutants and the weather."""
    group = pack.town.devices.air
    hours = readings.steps[::STEPS_PER_HOUR]
    count = len(group)
    air = _by_hour(readings.air).mean(axis=1).reshape(-1, len(POLLUTANTS))
    columns: dict[str, Any] = {
        "站点编码": np.tile(group.code, len(hours)),
        "监测时间": np.repeat(hours, count),
    }
    for number, name in enumerate(POLLUTANTS):
        columns[name] = np.round(air[:, number], 2 if name == "CO" else 0)
    for name, values in (
        ("气温", readings.temperature),
        ("相对湿度", readings.humidity),
        ("风速", readings.wind),
        ("气压", readings.pressure),
    ):
        columns[name] = np.round(_by_hour(values).mean(axis=1).ravel(), 1)
    return columns


def _write_air(pack: Pack, parts: list[dict[str, Any]]) -> None:
    """Write air and weather as one CSV: missing values as -999, some readings late, some in the future."""
    random = pack.town.settings.draws("air-file")
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    steps = columns["监测时间"]
    rows = len(steps)
    for name in POLLUTANTS:
        lost = np.flatnonzero(random.random(rows) < 0.004)
        pack.truth.note("air_quality", lost, name, "minus-one", columns[name][lost])
        columns[name][lost] = MISSING
    future = np.sort(random.choice(rows, max(1, rows // 12_000), replace=False))
    punctual = np.setdiff1d(np.arange(rows), future)
    late = np.sort(random.choice(punctual, max(2, rows // 2_500), replace=False))
    pack.truth.note("air_quality", future, "监测时间", "future", _texts(steps[future]))
    pack.truth.note("air_quality", late, "入库时间", "late", _texts(steps[late]))
    arrival = steps + 1
    arrival[late] += random.integers(2, 9, len(late)) * STEPS_PER_DAY
    shown = steps.copy()
    shown[future] += 365 * STEPS_PER_DAY
    columns["监测时间"] = _texts(shown)
    columns["入库时间"] = _texts(arrival)
    write_csv(pack.folder / "空气质量.csv", columns)
    pack.describe(
        "air_quality",
        "空气质量.csv",
        Text("空气质量与气象", "Air quality and weather"),
        "environment",
        keys=["站点编码", "监测时间"],
        place={"by": "air_stations", "columns": ["站点编码"], "key": ["设备编码"]},
        time={"column": "监测时间", "zone": ZONE, "precision": "hour"},
        update_cycle="real-time",
        sharing="unconditional",
    )


def _texts(steps: Ints) -> Texts:
    return np.char.replace(np.datetime_as_string(local_times(steps), unit="s"), "T", " ").astype(object)


def _write_visits(pack: Pack, flu: Floats) -> None:
    """Write daily visits to hospitals: a weekly rhythm, the waves of flu, more in the cold."""
    facilities, world = pack.town.facilities, pack.town.world
    hospitals = facilities.of("医院")
    random = pack.town.settings.draws("visits")
    first = int(clock.local_day(world.first_step))
    days = first + np.arange(len(flu))
    weekday = (days + 3) % 7
    rhythm = np.array([1.32, 1.12, 1.05, 1.02, 1.0, 0.84, 0.66])[weekday]
    parts = []
    for name, share, sensitive in (
        ("内科", 0.30, 0.9),
        ("儿科", 0.18, 1.5),
        ("外科", 0.20, 0.0),
        ("急诊", 0.14, 0.6),
        ("发热门诊", 0.06, 3.2),
        ("妇产科", 0.12, 0.0),
    ):
        lagged = np.concatenate([np.zeros(3), flu])[: len(flu)]
        for hospital in hospitals:
            mean = facilities.capacity[hospital] * 2.1 * share * rhythm * (1.0 + sensitive * lagged)
            parts.append(
                (
                    np.full(len(days), facilities.name[hospital], dtype=object),
                    np.full(len(days), name, dtype=object),
                    days,
                    random.poisson(mean),
                )
            )
    columns = {
        "日期": np.array(
            [str(np.datetime64(int(day), "D")) for day in np.concatenate([part[2] for part in parts])],
            dtype=object,
        ),
        "医疗机构": np.concatenate([part[0] for part in parts]),
        "科室": np.concatenate([part[1] for part in parts]),
        "就诊人次": np.concatenate([part[3] for part in parts]),
    }
    pack.csv(
        "hospital_visits",
        "门急诊人次.csv",
        Text("门急诊人次", "Hospital visits"),
        "health",
        columns,
        encoding="GB18030",
        keys=["日期", "医疗机构", "科室"],
        place={"by": "hospitals", "columns": ["医疗机构"], "key": ["名称"]},
        time={"column": "日期", "zone": ZONE, "precision": "day"},
        update_cycle="daily",
        sharing="conditional",
    )


_ITEMS = (
    ("不动产登记", 2.4, 0.0),
    ("企业设立登记", 1.1, 0.2),
    ("社会保险参保登记", 2.0, 0.1),
    ("医疗保险报销", 1.6, 0.0),
    ("居民身份证申领", 1.3, 0.3),
    ("婚姻登记", 0.5, 0.4),
    ("施工许可", 0.12, 0.0),
    ("食品经营许可", 0.5, 0.1),
    ("户口迁移", 0.7, 0.3),
    ("老年人优待证", 0.3, 0.0),
)


def _write_service(pack: Pack) -> None:
    """Write daily numbers of applications for government services: on workdays, more after holidays."""
    world = pack.town.world
    random = pack.town.settings.draws("service")
    thousand = pack.town.settings.scale.population / 1000.0
    first = int(clock.local_day(world.first_step))
    days = first + np.arange(pack.town.settings.scale.days)
    works = np.array([clock.kind_of_day(int(day)) == WORKDAY for day in days])
    after = works & ~np.concatenate([[True], works[:-1]])
    parts = []
    for name, rate, weekend in _ITEMS:
        mean = rate * thousand * np.where(works, 1.0 + 0.25 * after, weekend) * 0.8
        parts.append((np.full(len(days), name, dtype=object), days, random.poisson(mean)))
    day = np.concatenate([part[1] for part in parts])
    count = np.concatenate([part[2] for part in parts])
    columns = {
        "办件日期": mixed_dates(random, day),
        "事项名称": np.concatenate([part[0] for part in parts]),
        "申请数": count,
        "网办数": random.binomial(count, 0.71),
    }
    pack.csv(
        "service_demand",
        "政务服务办件.csv",
        Text("政务服务办件", "Service applications"),
        "data",
        columns,
        encoding="GB18030",
        place={"none": True},
        time={"column": "办件日期", "zone": ZONE, "precision": "day"},
        update_cycle="daily",
        sharing="unconditional",
    )
