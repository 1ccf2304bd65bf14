"""The files about what happened: cases, hotline orders, and the registers of single departments."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from jingwei.city.demo import clock
from jingwei.city.demo.arrays import Bools, Ints, Texts
from jingwei.city.demo.cases import COLLECTOR, Cases
from jingwei.city.demo.files_places import default_point
from jingwei.city.demo.forms import Sheet, write_xlsx
from jingwei.city.demo.latent import Events
from jingwei.city.demo.matters import MATTERS
from jingwei.city.demo.pack import ZONE, Pack, Table, serial
from jingwei.words import Text

# GB/T 47678.5-2026 came into force on 1 July 2026; cases before it bear the codes of GB/T 30428.2-2013.
NEW_CODES_FROM = "2026-07-01"
RATINGS = ("非常满意", "满意", "基本满意", "不满意", "非常不满意")
STATES = ("待派遣", "处置中", "待核查", "已结案")


def write_cases(pack: Pack, events: Events) -> Cases:
    """Write the cases and everything else that departments file about what happened; return the cases."""
    town, world = pack.town, pack.town.world
    cases = town.desk.between(world.first_step, world.last_step)
    _case_table(pack, cases)
    _code_tables(pack)
    _hotline(pack, cases)
    _collisions(pack, events)
    _permits(pack, events)
    _gatherings(pack, events)
    return cases


def old_code(code: str) -> str:
    """Return the code of a matter in the table before: components keep their major, events lose five."""
    major, minor = int(code[:2]), int(code[2:])
    return f"{major if major <= 5 else major - 5:02d}{minor % 100:02d}"


def _moments(seconds: Ints) -> Any:
    return (seconds + clock.ZONE_STEPS * clock.MINUTES * 60).astype("datetime64[s]")


def _unless(missing: Bools, values: Any) -> Texts:
    """Return values with nothing where they are missing."""
    out = np.array(values, dtype=object)
    out[missing] = None
    return out


def _texts(seconds: Ints, form: str = "-") -> Texts:
    texts = np.char.replace(np.datetime_as_string(_moments(seconds), unit="s"), "T", " ")
    return (np.char.replace(texts, "-", form) if form != "-" else texts).astype(object)


def numbers_of(cases: Cases) -> Texts:
    """Return a number for each case: the local day and a sequence within it."""
    day = np.char.replace(np.datetime_as_string(_moments(cases.second), unit="D"), "-", "")
    starts = (
        np.flatnonzero(np.concatenate([[True], day[1:] != day[:-1]]))
        if len(day)
        else np.array([], dtype=np.int64)
    )
    rank = np.arange(len(day)) - np.repeat(starts, np.diff(np.append(starts, len(day)))) + 1
    return np.char.add(np.char.add("CG", day), np.char.zfill(rank.astype("U5"), 5)).astype(object)


def _addresses(pack: Pack, cases: Cases) -> Texts:
    """Return where each case is, in words."""
    layout = pack.town.layout
    street = layout.divisions.streets.names[layout.divisions.street[cases.face]]
    near = layout.addresses.road_names[cases.road]
    gate = layout.addresses.gate[cases.building].astype(str).astype(object)
    at_building = (
        layout.addresses.road_names[layout.addresses.road[cases.building]]
        + gate
        + "号"
        + layout.addresses.compound[cases.building]
    )
    return np.asarray(street + np.where(cases.building >= 0, at_building, near + "附近"), dtype=object)


def _case_table(pack: Pack, cases: Cases) -> None:
    town, divisions = pack.town, pack.town.layout.divisions
    matter_code = np.array([matter.code for matter in MATTERS], dtype=object)[cases.matter]
    before = _moments(cases.second) < np.datetime64(NEW_CODES_FROM)
    old = np.array([old_code(matter.code) for matter in MATTERS], dtype=object)[cases.matter]
    department = np.array([town.departments[matter.department].name for matter in MATTERS], dtype=object)[
        cases.matter
    ]
    longitude, latitude = pack.degrees(cases.x, cases.y)
    end = town.world.last_step * clock.MINUTES * 60
    stages = {
        name: cases.second + 60 * minutes
        for name, minutes in (
            ("受理时间", cases.accept),
            ("派遣时间", cases.dispatch),
            ("处置时间", cases.handle),
            ("结案时间", cases.check),
        )
    }
    limit = np.array([matter.limit for matter in MATTERS])[cases.matter]
    done = sum(moment <= end for moment in (stages["派遣时间"], stages["处置时间"], stages["结案时间"]))
    component = np.where(cases.component >= 0, town.components.identifier[cases.component], "")
    columns: dict[str, Any] = {
        "案件编号": numbers_of(cases),
        "上报时间": _texts(cases.second),
        "问题来源": cases.channel,
        "诉求性质": cases.nature,
        "类别代码": np.where(before, old, matter_code),
        "类别名称": np.array([matter.name for matter in MATTERS], dtype=object)[cases.matter],
        "大类": np.array([matter.category for matter in MATTERS], dtype=object)[cases.matter],
        "问题描述": cases.text,
        "地址描述": _addresses(pack, cases),
        "经度": longitude,
        "纬度": latitude,
        "单元网格": divisions.grid_codes[cases.face],
        "社区代码": divisions.communities.codes[divisions.community[cases.face]],
        "街道": divisions.streets.names[divisions.street[cases.face]],
        "部件标识码": component,
        "处置部门": department,
        "处置时限小时": limit,
    }
    for name, moment in stages.items():
        columns[name] = _unless(moment > end, _texts(moment))
    columns["截止时间"] = _texts(stages["派遣时间"] + (limit * 3600).astype(np.int64))
    columns["状态"] = np.array(STATES, dtype=object)[np.asarray(done, dtype=np.int64)]
    columns["是否超期"] = _unless(stages["处置时间"] > end, np.where(cases.overdue, "逾期", "按期"))
    columns["返工次数"] = cases.reopened
    unasked = (stages["结案时间"] > end) | (cases.channel == COLLECTOR)
    columns["满意度"] = _unless(unasked, np.array(RATINGS, dtype=object)[cases.rating - 1])
    table = Table(pack, "cases", columns)
    table.default_point("经度", "纬度", 0.012, default_point(pack))
    table.swap("经度", "纬度", 0.0015)
    table.blank("社区代码", 0.01)
    entity = table.repeat(0.003, columns["案件编号"])
    new_code = dict(zip(columns["案件编号"], matter_code, strict=True))
    old_rows = np.flatnonzero(table.columns["上报时间"] < NEW_CODES_FROM)
    true_codes = np.array([new_code[number] for number in table.columns["案件编号"][old_rows]], dtype=object)
    table.mark(old_rows, "类别代码", "code-table", true_codes)
    pack.truth.identify("cases", "case", entity)
    cause = np.flatnonzero(cases.cause >= 0)
    pack.truth.entity_source.append(np.full(len(cause), "cases:cause", dtype=object))
    pack.truth.entity_row.append(cause + 1)
    pack.truth.entity.append(np.array([f"event/{serial}" for serial in cases.cause[cause]], dtype=object))
    pack.csv(
        "cases",
        "城管案件.csv",
        Text("城市管理案件", "Urban management cases"),
        "urban-management",
        table.columns,
        encoding="GB18030",
        keys=["案件编号"],
        name="问题描述",
        text=["案件编号", "类别代码", "单元网格", "社区代码", "部件标识码"],
        place={"lon": "经度", "lat": "纬度", "crs": "CGCS2000"},
        time={"column": "上报时间", "end": "结案时间", "zone": ZONE, "precision": "second"},
        update_cycle="real-time",
        sharing="conditional",
    )


def _code_tables(pack: Pack) -> None:
    """Write the two tables of codes, the one that was in force and the one that replaced it in mid-year."""
    for identifier, file, year, codes in (
        (
            "case_codes_2013",
            "案件类别代码_2013.csv",
            "GB/T 30428.2-2013",
            [old_code(matter.code) for matter in MATTERS],
        ),
        (
            "case_codes_2026",
            "案件类别代码_2026.csv",
            "GB/T 47678.5-2026",
            [matter.code for matter in MATTERS],
        ),
    ):
        columns = {
            "类别代码": np.array(codes, dtype=object),
            "类别名称": np.array([matter.name for matter in MATTERS], dtype=object),
            "种类": np.array(["部件" if matter.is_component else "事项" for matter in MATTERS], dtype=object),
            "大类": np.array([matter.category for matter in MATTERS], dtype=object),
            "处置部门": np.array(
                [pack.town.departments[matter.department].name for matter in MATTERS], dtype=object
            ),
            "处置时限小时": np.array([matter.limit for matter in MATTERS]),
            "依据": np.full(len(MATTERS), year, dtype=object),
        }
        pack.csv(
            identifier,
            file,
            Text(f"案件类别代码（{year[-4:]}）", f"Case codes of {year[-4:]}"),
            "urban-management",
            columns,
            keys=["种类", "类别代码"],
            name="类别名称",
            text=["类别代码"],
            place={"none": True},
            time={"none": True},
            update_cycle="once",
            sharing="unconditional",
        )


def _hotline(pack: Pack, cases: Cases) -> None:
    """Write the hotline's own orders for the cases that came by telephone: other numbers, no coordinates."""
    mine = np.flatnonzero(cases.channel == "12345热线")
    part = cases.take(mine)
    random = pack.town.settings.draws("hotline-file")
    called = part.second - random.integers(60, 900, len(mine))
    slashed, plain = _texts(called, "/"), _texts(called)
    order = np.char.add("RX", np.char.zfill((np.arange(len(mine)) * 37 + 100_000).astype("U9"), 9)).astype(
        object
    )
    columns = {
        "工单号": order,
        "来电时间": np.where(random.random(len(mine)) < 0.4, slashed, plain),
        "诉求内容": part.text,
        "诉求地址": pack.town.layout.name.zh + _addresses(pack, part),
        "诉求类型": part.nature,
        "承办单位": np.array(
            [pack.town.departments[matter.department].name for matter in MATTERS], dtype=object
        )[part.matter],
        "等待秒数": np.rint(random.gamma(2.0, 7.0, len(mine))).astype(np.int64),
    }
    table = Table(pack, "hotline_orders", columns)
    table.blank("诉求地址", 0.03)
    table.mark(np.arange(len(table)), "诉求地址", "no-place")
    pack.truth.identify("hotline_orders", "case", numbers_of(cases)[mine])
    pack.csv(
        "hotline_orders",
        "12345工单.csv",
        Text("12345热线工单", "Hotline orders"),
        "hotline",
        table.columns,
        encoding="GB18030",
        keys=["工单号"],
        name="诉求内容",
        text=["工单号"],
        place={"none": True},
        time={"column": "来电时间", "zone": ZONE, "precision": "second"},
        update_cycle="daily",
        sharing="conditional",
    )


def _known(random: np.random.Generator, events: Events, share: float) -> Events:
    """Return the events that a department heard of."""
    return events.take(np.flatnonzero(random.random(len(events)) < share))


def _event_columns(pack: Pack, events: Events, crs: str) -> dict[str, Any]:
    layout = pack.town.layout
    longitude, latitude = pack.degrees(events.x, events.y, crs)
    road = (
        shapely.STRtree(layout.roads.shapes).nearest(shapely.points(events.x, events.y))
        if len(events)
        else np.array([], dtype=np.int64)
    )
    return {"道路": layout.addresses.road_names[road], "经度": longitude, "纬度": latitude}


def _within_history(pack: Pack, events: Events) -> Bools:
    world = pack.town.world
    return (events.start >= world.first_step) & (events.start < world.last_step)


def _collisions(pack: Pack, events: Events) -> None:
    random = pack.town.settings.draws("collision-file")
    known = _known(random, events.of("collision"), 0.82)
    known = known.take(np.flatnonzero(_within_history(pack, known)))
    if not len(known):
        return
    second = known.start * clock.MINUTES * 60 + random.integers(0, 900, len(known))
    table = Table(
        pack,
        "collisions",
        {
            "事故编号": serial("SG", len(known), 6),
            "发生时间": _texts(second),
            **_event_columns(pack, known, "GCJ-02"),
            "受伤人数": random.poisson(0.25, len(known)),
            "简要情况": np.array(["追尾", "侧面碰撞", "剐蹭", "撞护栏", "电动车与机动车碰撞"], dtype=object)[
                random.integers(0, 5, len(known))
            ],
        },
    )
    pack.truth.identify("collisions", "event", known.serial)
    pack.csv(
        "collisions",
        "交通事故.csv",
        Text("交通事故", "Collisions"),
        "police",
        table.columns,
        encoding="GB18030",
        keys=["事故编号"],
        name="简要情况",
        place={"lon": "经度", "lat": "纬度", "crs": "GCJ-02"},
        time={"column": "发生时间", "zone": ZONE, "precision": "second"},
        update_cycle="daily",
        sharing="conditional",
    )


def _permits(pack: Pack, events: Events) -> None:
    """Write the building permits: a workbook with a title, merged headings, dates without times."""
    random = pack.town.settings.draws("permit-file")
    known = _known(random, events.of("construction"), 0.85)
    if not len(known):
        return
    day = clock.local_day(known.start)
    last = clock.local_day(known.end)
    firms = pack.town.organisations
    builders = np.flatnonzero(firms.industry == "E4710")
    builder = (
        firms.name[builders[random.integers(0, len(builders), len(known))]]
        if len(builders)
        else np.full(len(known), "", dtype=object)
    )
    columns = {
        "许可证号": serial("SGXK", len(known), 4),
        "施工单位": builder,
        "开工日期": np.array([str(np.datetime64(int(value), "D")) for value in day], dtype=object),
        "竣工日期": np.array([str(np.datetime64(int(value), "D")) for value in last], dtype=object),
        **_event_columns(pack, known, "CGCS2000"),
    }
    pack.truth.identify("building_permits", "event", known.serial)
    sheet = Sheet(
        "施工许可",
        columns,
        f"{pack.town.layout.name.zh}建筑工程施工许可台账",
        [("许可", 2), ("工期", 2), ("地点", 3)],
    )
    write_xlsx(pack.folder / "施工许可.xlsx", [sheet])
    pack.describe(
        "building_permits",
        "施工许可.xlsx",
        Text("施工许可", "Building permits"),
        "housing",
        layer="施工许可",
        header_row=3,
        keys=[sheet.flat("许可证号")],
        name=sheet.flat("施工单位"),
        place={"lon": sheet.flat("经度"), "lat": sheet.flat("纬度"), "crs": "CGCS2000"},
        time={
            "column": sheet.flat("开工日期"),
            "end": sheet.flat("竣工日期"),
            "zone": ZONE,
            "precision": "day",
        },
        update_cycle="weekly",
        sharing="unconditional",
    )


def _gatherings(pack: Pack, events: Events) -> None:
    known = events.of("concert")
    known = known.take(np.flatnonzero(_within_history(pack, known)))
    if not len(known):
        return
    columns = {
        "活动编号": serial("HD", len(known), 4),
        "活动名称": np.array(["广场音乐会", "戏曲专场", "草坪音乐节", "社区文艺汇演"], dtype=object)[
            np.arange(len(known)) % 4
        ],
        "开始时间": _texts(known.start * clock.MINUTES * 60),
        "结束时间": _texts(known.end * clock.MINUTES * 60),
        "预计人数": np.rint(known.strength * 2400.0).astype(np.int64),
        **_event_columns(pack, known, "WGS84"),
    }
    pack.truth.identify("gatherings", "event", known.serial)
    pack.csv(
        "gatherings",
        "大型活动.csv",
        Text("大型活动", "Gatherings"),
        "culture",
        columns,
        keys=["活动编号"],
        name="活动名称",
        place={"lon": "经度", "lat": "纬度", "crs": "WGS84"},
        time={"column": "开始时间", "end": "结束时间", "zone": ZONE, "precision": "minute"},
        update_cycle="weekly",
        sharing="unconditional",
    )
