"""Cases (案件.csv): times in order, places, types, the lamp they are about, reports made twice."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np

from lake.faults.addresses import anywhere
from lake.faults.places import CITY_HALL, Street, in_force, moved, not_in_force, well_outside
from lake.faults.sheets import Agreement, Column, File, Row, Sheet, pick

TYPES = {
    "0101": ("井盖破损", ("井盖边上裂开了一块", "井盖缺角能看见里面", "井盖塌下去半边")),
    "0104": ("路灯不亮", ("这盏路灯晚上不亮", "路灯一闪一闪的像要坏", "灯罩掉了一半")),
    "0203": ("占道经营", ("水果摊占了整条人行道", "烧烤摊摆到机动车道边上", "早餐车停在公交站里")),
    "0207": ("乱堆物料", ("建筑垃圾堆在路边没人管", "旧沙发扔在绿化带里", "沙子水泥堆了半条路")),
    "0301": ("道路积水", ("雨停了两个小时水还没退", "下穿通道积水过膝盖", "雨水口堵了水往店里流")),
    "0405": ("施工噪声", ("半夜一点还在打桩", "切割机从早响到晚", "工地放炮没有通知")),
}
SOURCES = ("采集员", "热线", "公众号", "视频", "领导交办")
ASIDES = ("", "", "请尽快处理", "已经好几天了", "希望有人管一管", "上次来过没弄好", "老人小孩走路很危险")


def cases(
    rng: np.random.Generator,
    streets: list[Street],
    lamps: list[dict[str, Any]],
    today: date,
    size: int = 4400,
) -> Sheet:
    """Report cases over a year before ``today``; texts name a street and a number, so few are alike."""
    rows: list[Row] = []
    start = datetime.combine(today - timedelta(days=365), time())
    moments = np.sort(rng.integers(0, 364 * 86_400, size))
    for i, seconds in enumerate(moments):
        at = start + timedelta(seconds=int(seconds))
        rows.append(_case(rng, pick(rng, streets), lamps, at, i, today))
    return Sheet("案件", rng, rows)


def _case(
    rng: np.random.Generator, street: Street, lamps: list[dict[str, Any]], at: datetime, i: int, today: date
) -> Row:
    kind = pick(rng, list(TYPES))
    along = float(rng.uniform(0, street.length))
    place, lamp = street.at(along, float(rng.uniform(-12, 12))), None
    if kind == "0104" and rng.random() < 0.7:
        lamp = pick(rng, lamps)
        place = moved(lamp["经度"], lamp["纬度"], float(rng.uniform(-4, 4)), float(rng.uniform(-4, 4)))
    registered = at + timedelta(seconds=int(rng.integers(20, 5400)))
    sent = registered + timedelta(seconds=int(rng.integers(5, 7200)))
    closed = sent + timedelta(seconds=int(rng.integers(600, 6 * 86_400)))
    open_still = closed > datetime.combine(today, time()) or rng.random() < 0.04
    text = f"{lamp['道路'] if lamp else street.name}{int(along / 15) + 1}号附近，{pick(rng, TYPES[kind][1])}"
    aside = pick(rng, ASIDES)
    return Row(
        {
            "案件编号": f"{at:%Y%m%d}{i + 1:06d}",
            "类型代码": kind,
            "描述": f"{text}，{aside}" if aside else text,
            "来源": pick(rng, SOURCES),
            "区划代码": pick(rng, in_force(at.date())),
            "经度": place[0],
            "纬度": place[1],
            "部件编码": lamp["部件编码"] if lamp else None,
            "上报时间": at,
            "立案时间": registered,
            "派遣时间": sent,
            "结案时间": None if open_still else closed,
            "时限小时": pick(rng, (2, 4, 12, 24, 72, 168)),
            "满意度": None if open_still or rng.random() < 0.5 else int(rng.integers(1, 6)),
        }
    )


def look_alikes(sheet: Sheet) -> None:
    """Add what looks repeated and is not, and what looks impossible and is not."""
    rng = sheet.rng
    newest = max(r["上报时间"] for r in sheet.rows) - timedelta(days=45)
    for row in sheet.untouched(30, lambda r: r["结案时间"] is not None and r["上报时间"] < newest):
        later = timedelta(days=int(rng.integers(15, 40)), seconds=int(rng.integers(0, 3600)))
        new = {k: v + later if isinstance(v, datetime) else v for k, v in row.values.items()}
        new["案件编号"] = f"{new['上报时间']:%Y%m%d}{500_000 + len(sheet.rows):06d}"
        new["经度"], new["纬度"] = moved(
            row["经度"], row["纬度"], float(rng.uniform(-3, 3)), float(rng.uniform(-3, 3))
        )
        sheet.insert_after(row, new, "the same trouble again, weeks after the first was closed")
        row.odd = "a trouble that came back"
    for row in sheet.untouched(15, lambda r: r["结案时间"] is not None):
        row["结案时间"] = row["派遣时间"] = row["立案时间"] = row["上报时间"]
        row.odd = "put right on the spot: all times are one"
    for row in sheet.untouched(12):
        row["描述"] = '他说："没人管"，\t三次了, 电话里也没人接'
        row["经度"], row["纬度"] = anywhere(rng)
        row["部件编码"] = None
        row.odd = "the same words with quotes and commas, kilometres apart"


def spoil(sheet: Sheet, today: date) -> None:
    """Plant what goes wrong in case records."""
    rng = sheet.rng

    def closed(row: Row) -> bool:
        return row["结案时间"] is not None

    for row in sheet.untouched(26, closed):
        row["结案时间"] = row["上报时间"] - timedelta(seconds=int(rng.integers(60, 90 * 86_400)))
        sheet.plant(row, "结案时间", "end-before-start")
    for row in sheet.untouched(16):
        row["立案时间"] = row["上报时间"] - timedelta(hours=12, seconds=int(rng.integers(0, 600)))
        sheet.plant(row, "立案时间", "end-before-start")
    for row in sheet.untouched(10):
        ahead = timedelta(days=365 * int(rng.integers(2, 60)))
        for column in ("上报时间", "立案时间", "派遣时间", "结案时间"):
            row[column] = None if row[column] is None else row[column] + ahead
        sheet.plant(row, "上报时间", "out-of-range")
    for row in sheet.untouched(22):
        row["经度"], row["纬度"] = row["纬度"], row["经度"]
        sheet.plant(row, "经度", "swapped-coordinates", "outside-area", "out-of-range")
    for row in sheet.untouched(24):
        row["经度"], row["纬度"] = well_outside(rng)
        sheet.plant(row, "经度", "outside-area")
    for point, count, also in ((CITY_HALL, 60, ()), ((0, 0), 22, ("outside-area", "out-of-range"))):
        for row in sheet.untouched(count):
            row["经度"], row["纬度"] = point
            sheet.plant(row, "经度", "default-coordinates", *also)
    for row in sheet.untouched(34, closed):
        new = dict(row.values)
        soon = timedelta(seconds=int(rng.integers(60, 1500)))
        for column in ("上报时间", "立案时间", "派遣时间", "结案时间"):
            new[column] = row[column] + soon
        new["案件编号"] = f"{new['上报时间']:%Y%m%d}{600_000 + len(sheet.rows):06d}"
        new["来源"] = pick(rng, [s for s in SOURCES if s != row["来源"]])
        new["描述"] = pick(rng, ("您好，{}", "{}！！", "{}，麻烦了", "我要反映{}")).format(row["描述"])
        new["经度"], new["纬度"] = moved(
            row["经度"], row["纬度"], float(rng.uniform(-6, 6)), float(rng.uniform(-6, 6))
        )
        sheet.plant(sheet.insert_after(row, new), "描述", "near-duplicate", of=row)
    sheet.repeat(26)
    sheet.same_key("案件编号", 14)
    sheet.spoil("not-in-code-list", "类型代码", 22, lambda _: pick(rng, ("9999", "104", "路灯不亮", "A1")))
    sheet.spoil("not-in-code-list", "来源", 14, lambda _: pick(rng, ("12345", "其他渠道", "微信")))
    sheet.spoil("out-of-range", "满意度", 18, lambda _: pick(rng, (0, 6, 100, -1)))
    sheet.spoil("missing-required", "案件编号", 12, lambda _: None)
    sheet.spoil("missing-required", "上报时间", 12, lambda _: None)
    sheet.spoil(
        "broken-reference", "部件编码", 28, lambda _: f"3301020104{int(rng.integers(950_000, 999_999))}"
    )
    sheet.spoil(
        "wrong-type", "结案时间", 16, lambda _: pick(rng, ("已办", "2025-11-31 08:00:00", "25:61", "明天"))
    )
    sheet.spoil("wrong-type", "时限小时", 10, lambda _: pick(rng, ("两天内", "尽快", "-")))
    sheet.spoil(
        "division-not-in-force",
        "区划代码",
        24,
        lambda r: pick(rng, not_in_force(r["上报时间"].date())),
        where=_reported,
    )


def _reported(row: Row) -> bool:
    return isinstance(row["上报时间"], datetime)


def file(sheet: Sheet, rows: tuple[dict[str, Any], ...], today: date) -> File:
    """Put the file and its contract together."""
    agreement = Agreement(
        sheet.name,
        "案件编号",
        [
            Column("案件编号", pattern=r"^\d{14}$"),
            Column("类型代码", required=True, codes=tuple(TYPES)),
            Column("描述", required=True),
            Column("来源", codes=SOURCES),
            Column("区划代码", required=True),
            Column("经度", "number", least=-180, most=180),
            Column("纬度", "number", least=-90, most=90),
            Column("部件编码", to="路灯.部件编码"),
            Column(
                "上报时间", "timestamp", required=True, least=date(2000, 1, 1), most=today + timedelta(days=1)
            ),
            Column("立案时间", "timestamp"),
            Column("派遣时间", "timestamp"),
            Column("结案时间", "timestamp"),
            Column("时限小时", "integer", least=1, most=720),
            Column("满意度", "integer", least=1, most=5),
        ],
        [
            {"rule": "not-repeated"},
            {
                "rule": "nearly-equal",
                "words": ["描述"],
                "lon": "经度",
                "lat": "纬度",
                "metres": 20,
                "at": "上报时间",
                "minutes": 60,
            },
            {"rule": "inside", "lon": "经度", "lat": "纬度", "area": "市域"},
            {"rule": "one-place", "lon": "经度", "lat": "纬度", "at_most": 5},
            {"rule": "in-order", "first": "上报时间", "then": "立案时间"},
            {"rule": "in-order", "first": "上报时间", "then": "结案时间"},
            {"rule": "in-force", "code": "区划代码", "at": "上报时间", "table": "行政区划"},
        ],
    )
    return File(sheet.name, "csv", "utf-8", ",", rows, agreement.odcs())
