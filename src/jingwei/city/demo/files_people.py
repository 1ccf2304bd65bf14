"""The files about people and firms, as three bureaus each keep them, with no key in common."""

from __future__ import annotations

import numpy as np
import shapely

from jingwei.city.demo.arrays import Ints, Texts
from jingwei.city.demo.clock import EPOCH
from jingwei.city.demo.forms import Sheet, write_xlsx
from jingwei.city.demo.households import RELATIONS
from jingwei.city.demo.names import FIRM_FIRST, FIRM_SECOND
from jingwei.city.demo.pack import Pack, Table
from jingwei.city.demo.people import EDUCATION
from jingwei.words import Text

TOILET_HOUSEHOLDS = 12
XLSX_ROWS = 60_000


def write_people(pack: Pack) -> None:
    """Write the register of residents and the three registers of firms."""
    _residents(pack)
    _market(pack)
    _tax(pack)
    _insurance(pack)


def _days(days: Ints, year: str = "-", month: str = "-", day: str = "") -> Texts:
    """Return days since 1970-01-01 as text, with these signs after year, month and day."""
    if not len(days):
        return np.array([], dtype=object)
    low = int(days.min())
    texts = np.datetime_as_string(np.arange(low, int(days.max()) + 1).astype("datetime64[D]"))
    parts = [text.split("-") for text in texts.tolist()]
    return np.array([part[0] + year + part[1] + month + part[2] + day for part in parts], dtype=object)[
        days - low
    ]


def _today(pack: Pack) -> int:
    """Return the last day of the history, counted from 1970-01-01."""
    return (pack.town.settings.last_day - EPOCH).days


def mixed_dates(random: np.random.Generator, days: Ints) -> Texts:
    """Return dates in the forms that many hands write: 2026-03-09, 20260309, 2026年03月09日, 2026/03/09."""
    forms = [_days(days), _days(days, "", ""), _days(days, "年", "月", "日"), _days(days, "/", "/")]
    pick = random.choice(4, len(days), p=[0.55, 0.15, 0.15, 0.15])
    out = np.empty(len(days), dtype=object)
    for number, texts in enumerate(forms):
        out[pick == number] = texts[pick == number]
    return out


def _residents(pack: Pack) -> None:
    people, layout = pack.town.people, pack.town.layout
    random = pack.town.settings.draws("resident-file")
    address = layout.addresses.full[people.building] + people.room.astype(str).astype(object) + "室"
    address = _toilet(pack, random, address)
    code = np.array([f"H{number:08d}" for number in range(1, len(people.building) + 1)], dtype=object)
    community = layout.divisions.communities.codes[
        layout.divisions.community[layout.buildings.face[people.home]]
    ]
    table = Table(
        pack,
        "residents",
        {
            "公民身份号码": people.identity,
            "姓名": people.name,
            "性别": np.where(people.male, "男", "女"),
            "出生日期": _days(people.born),
            "户号": code[people.household],
            "与户主关系": np.array(RELATIONS, dtype=object)[people.relation],
            "文化程度": np.array(EDUCATION, dtype=object)[people.education],
            "户籍": np.where(people.registered_here, "本地", "外地"),
            "住址": address[people.household],
            "社区代码": community,
            "联系电话": people.phone,
            "核实日期": _days(_today(pack) - random.integers(20, 500, len(people.name))),
        },
    )
    shared = np.flatnonzero(np.isin(people.household, _last_households(pack)))
    table.mark(shared, "住址", "one-address", layout.addresses.full[people.home[shared]])
    table.sound[shared] = False
    table.wrong_check("公民身份号码", 0.0015)
    entity = table.repeat(0.002, np.arange(len(table)))
    table.blank("联系电话", 0.01)
    table.blank("文化程度", 0.02)
    gone = table.some(0.004)  # moved away: nobody has seen them for years
    table.mark(gone, "住址", "stale", "已迁出")
    table.columns["核实日期"][gone] = _days(_today(pack) - table.random.integers(1_300, 2_600, len(gone)))
    pack.truth.identify("residents", "person", entity)
    pack.csv(
        "residents",
        "实有人口登记.csv",
        Text("实有人口", "Residents"),
        "police",
        table.columns,
        encoding="GB18030",
        keys=["公民身份号码"],
        name="姓名",
        text=["公民身份号码", "户号", "社区代码", "联系电话"],
        place={"by": "communities", "columns": ["社区代码"], "key": ["代码"]},
        time={"none": True},
        update_cycle="monthly",
        sharing="none",
    )


def _last_households(pack: Pack) -> Ints:
    return np.arange(len(pack.town.people.building))[-TOILET_HOUSEHOLDS:]


def _toilet(pack: Pack, random: np.random.Generator, address: Texts) -> Texts:
    """Register twelve households at a public toilet, and write the list of toilets."""
    components, layout = pack.town.components, pack.town.layout
    toilets = np.flatnonzero(components.code == "03001")
    road = shapely.STRtree(layout.roads.shapes).nearest(
        shapely.points(components.x[toilets], components.y[toilets])
    )
    district = layout.divisions.districts.names[layout.divisions.district[components.face[toilets]]]
    street = layout.divisions.streets.names[layout.divisions.street[components.face[toilets]]]
    gate = (700 + np.arange(len(toilets)) * 2).astype(str).astype(object)
    where = layout.name.zh + district + street + layout.addresses.road_names[road] + gate + "号"
    longitude, latitude = pack.degrees(components.x[toilets], components.y[toilets])
    pack.csv(
        "toilets",
        "公共厕所.csv",
        Text("公共厕所", "Public toilets"),
        "urban-management",
        {
            "部件标识码": components.identifier[toilets],
            "名称": layout.addresses.road_names[road] + "公共厕所",
            "地址": where,
            "等级": np.array(["一类", "二类", "三类"], dtype=object)[random.integers(0, 3, len(toilets))],
            "经度": longitude,
            "纬度": latitude,
        },
        keys=["部件标识码"],
        name="名称",
        text=["部件标识码"],
        place={"lon": "经度", "lat": "纬度", "crs": "CGCS2000"},
        time={"none": True},
        update_cycle="yearly",
        sharing="unconditional",
    )
    address = address.copy()
    if len(toilets):
        address[_last_households(pack)] = where[0]
    return address


def _market(pack: Pack) -> None:
    """Write the market bureau's register: the full names, credit codes, addresses without coordinates."""
    firms, layout = pack.town.organisations, pack.town.layout
    random = pack.town.settings.draws("market-file")
    grown = random.random(len(firms.name)) < 0.05
    state = np.where(grown, "注销", "存续").astype(object)
    year = pack.town.settings.last_day.year
    table = Table(
        pack,
        "firms_market",
        {
            "统一社会信用代码": firms.code,
            "企业名称": firms.name,
            "类型": firms.kind,
            "行业代码": firms.industry,
            "行业": firms.industry_name,
            "法定代表人": firms.head,
            "注册资本": firms.capital,
            "成立日期": mixed_dates(random, firms.since),
            "住所": layout.addresses.full[firms.building],
            "登记状态": state,
            "最近年报年度": np.where(grown, year - 2 - random.integers(0, 3, len(grown)), year - 1),
            "联系电话": firms.phone,
        },
    )
    stale = np.flatnonzero(grown)[::3]  # closed long ago, as their annual reports show; the register lags
    table.mark(stale, "登记状态", "stale", "注销")
    table.columns["登记状态"][stale] = "存续"
    table.sound[stale] = False
    table.wrong_check("统一社会信用代码", 0.004)
    table.minus_one("注册资本", 0.006)
    table.blank("法定代表人", 0.005)
    entity = table.repeat(0.006, np.arange(len(table)))
    table.mark(np.arange(len(table)), "住所", "no-place")
    pack.truth.identify("firms_market", "organisation", entity)
    pack.csv(
        "firms_market",
        "企业登记信息.csv",
        Text("企业登记", "Register of firms"),
        "market",
        table.columns,
        encoding="GB18030",
        keys=["统一社会信用代码"],
        name="企业名称",
        text=["统一社会信用代码", "联系电话"],
        place={"none": True},
        time={"column": "成立日期", "zone": "Asia/Shanghai", "precision": "day"},
        update_cycle="daily",
    )


def _spelled_otherwise(pack: Pack, random: np.random.Generator, names: Texts) -> Texts:
    """Return names as other hands write them: shortened, without the city, with brackets, with slips."""
    city = pack.town.layout.name.zh
    bare = city.removesuffix("市")
    out = names.copy()
    choice = random.random(len(names))
    for index, name in enumerate(names.tolist()):
        part = choice[index]
        if part < 0.22:
            out[index] = name.removeprefix(city).replace("有限责任公司", "有限公司")
        elif part < 0.40:
            out[index] = name.replace("有限责任公司", "公司").replace("有限公司", "公司")
        elif part < 0.55:
            out[index] = name.removeprefix(city) + f"（{bare}）"
        elif part < 0.66:
            at = len(city) + int(part * 1e4) % 2
            swap = FIRM_FIRST + FIRM_SECOND
            out[index] = name[:at] + swap[int(part * 1e6) % len(swap)] + name[at + 1 :]
        elif part < 0.74:
            out[index] = " ".join((name[: len(city)], name[len(city) :]))
    return out


def _tax(pack: Pack) -> None:
    """Write the tax bureau's workbook: its own numbers, shortened names, BD-09, a merged header."""
    firms, layout = pack.town.organisations, pack.town.layout
    random = pack.town.settings.draws("tax-file")
    known = np.flatnonzero(random.random(len(firms.name)) < 0.88)[:XLSX_ROWS]
    known = known[np.argsort(random.random(len(known)), kind="stable")]
    buildings = layout.buildings
    off = random.normal(0.0, 18.0, (2, len(known)))
    longitude, latitude = pack.degrees(
        buildings.x[firms.building[known]] + off[0], buildings.y[firms.building[known]] + off[1], "BD-09"
    )
    columns = {
        "税务登记号": np.array(
            [f"T{number:09d}" for number in 104729 * np.arange(1, len(known) + 1) % 999_999_937], dtype=object
        ),
        "纳税人名称": _spelled_otherwise(pack, random, firms.name[known]),
        "负责人": firms.head[known],
        "经营地址": _short_addresses(pack, firms.building[known]),
        "经度": longitude,
        "纬度": latitude,
        "从业人数": firms.size[known],
        "年纳税额(万元)": np.round(firms.size[known] * random.lognormal(0.4, 0.8, len(known)), 2),
    }
    groups = [("登记信息", 3), ("经营地点", 3), ("规模", 2)]
    table = Table(pack, "firms_tax", columns, groups)
    table.minus_one("从业人数", 0.01)
    table.default_point("经度", "纬度", 0.006, (116.404, 39.915))
    pack.truth.identify("firms_tax", "organisation", known)
    sheet = Sheet(
        "纳税人",
        table.columns,
        f"{layout.name.zh}纳税人登记情况表",
        groups,
    )
    write_xlsx(pack.folder / "纳税人登记.xlsx", [sheet])
    pack.describe(
        "firms_tax",
        "纳税人登记.xlsx",
        Text("纳税人登记", "Taxpayers"),
        "tax",
        layer="纳税人",
        header_row=3,
        keys=[sheet.flat("税务登记号")],
        name=sheet.flat("纳税人名称"),
        place={"lon": sheet.flat("经度"), "lat": sheet.flat("纬度"), "crs": "BD-09"},
        time={"none": True},
        update_cycle="monthly",
        sharing="none",
    )


def _short_addresses(pack: Pack, building: Ints) -> Texts:
    """Return addresses without city and district, as people write them."""
    layout = pack.town.layout
    road = layout.addresses.road_names[layout.addresses.road[building]]
    gate = layout.addresses.gate[building].astype(str).astype(object)
    return np.asarray(road + gate + "号" + layout.addresses.compound[building], dtype=object)


def _insurance(pack: Pack) -> None:
    """Write the social insurance bureau's list: its own numbers, other spellings, GCJ-02."""
    firms, people, layout = pack.town.organisations, pack.town.people, pack.town.layout
    random = pack.town.settings.draws("insurance-file")
    staff = np.bincount(people.employer[people.employer >= 0], minlength=len(firms.name))
    known = np.flatnonzero((random.random(len(firms.name)) < 0.72) & (staff > 0))
    buildings = layout.buildings
    longitude, latitude = pack.degrees(
        buildings.x[firms.building[known]], buildings.y[firms.building[known]], "GCJ-02"
    )
    begun = firms.since[known] + random.integers(10, 200, len(known))
    columns = {
        "单位编号": np.array(
            [f"39{number:08d}" for number in 7919 * np.arange(1, len(known) + 1) % 99_999_989], dtype=object
        ),
        "单位名称": _spelled_otherwise(pack, random, firms.name[known]),
        "参保人数": np.rint(staff[known] * random.uniform(0.8, 1.0, len(known))).astype(np.int64),
        "参保日期": mixed_dates(random, begun),
        "联系人": firms.head[known],
        "通讯地址": _short_addresses(pack, firms.building[known]),
        "lng": longitude,
        "lat": latitude,
    }
    table = Table(pack, "firms_insurance", columns)
    entity = table.repeat(0.004, known)
    table.swap("lng", "lat", 0.004)
    pack.truth.identify("firms_insurance", "organisation", entity)
    pack.csv(
        "firms_insurance",
        "参保单位.csv",
        Text("参保单位", "Insured employers"),
        "human-resources",
        table.columns,
        encoding="GB18030",
        keys=["单位编号"],
        name="单位名称",
        text=["单位编号"],
        place={"lon": "lng", "lat": "lat", "crs": "GCJ-02"},
        time={"column": "参保日期", "zone": "Asia/Shanghai", "precision": "day"},
        update_cycle="monthly",
        sharing="conditional",
    )
