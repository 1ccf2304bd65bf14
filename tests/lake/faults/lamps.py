"""Street lamps (路灯.csv): masts at equal steps, pairs 3 m apart, two lamps on one point."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from lake.faults.places import BEGINS, CITY_HALL, Street, moved, not_in_force, well_outside
from lake.faults.sheets import Agreement, Column, File, Row, Sheet, days, pick

KINDS = ("LED", "高压钠灯", "金卤灯", "无极灯")
STATES = ("在用", "停用", "故障", "拆除")
WATTS = (30, 60, 90, 120, 150, 180, 250, 400)
DEPOT = (120.1687012, 30.3150449)  # a maintenance depot's gate, where a phone was left switched on


def lamps(
    rng: np.random.Generator, streets: list[Street], owners: list[str], today: date, size: int = 3000
) -> Sheet:
    """Set lamps along the streets, 28 to 35 m apart on one side, until there are ``size``."""
    rows: list[Row] = []
    share = size // len(streets) + 1
    for street in streets:
        step, along, mast, owner, count = float(rng.uniform(28, 35)), 0.0, 0, pick(rng, owners), 0
        built = days(rng, max(date(2005, 1, 1), BEGINS[street.division]), today - timedelta(days=1700))
        while count < share:
            mast, along = mast + 1, along + step
            arms = [(0.0, "")]
            if mast % 19 == 0:
                arms = [(0.0, ""), (3.0, "two masts 3 m apart")]
            elif mast % 23 == 0:
                arms = [(0.0, "two arms of one mast, one point"), (0.0, "two arms of one mast, one point")]
            for arm, (beside, odd) in enumerate(arms):
                lon, lat = street.at(along, 9 + beside)
                values = {
                    "部件编码": "",
                    "道路": street.name,
                    "杆号": f"{mast:03d}{'AB'[arm] if len(arms) > 1 else ''}",
                    "行政区划代码": street.division,
                    "经度": lon,
                    "纬度": lat,
                    "灯具类型": pick(rng, KINDS),
                    "功率": pick(rng, WATTS),
                    "杆高": round(float(rng.uniform(6, 14)), 1),
                    "安装日期": built + timedelta(days=int(rng.integers(0, 90))),
                    "最近巡检": days(rng, today - timedelta(days=150), today),
                    "状态": "在用" if rng.random() < 0.95 else pick(rng, STATES[1:3]),
                    "养护单位代码": owner,
                }
                rows.append(Row(values, odd))
                count += 1
    rows = rows[:size]
    for i, row in enumerate(rows):
        row["部件编码"] = f"{row['行政区划代码']}0104{i + 1:06d}"
    return Sheet("路灯", rng, rows)


def spoil(sheet: Sheet, owners: list[str], today: date) -> None:
    """Plant what goes wrong in a register of lamps."""
    rng = sheet.rng
    for row in sheet.untouched(30):
        row["经度"], row["纬度"] = row["纬度"], row["经度"]
        sheet.plant(row, "经度", "swapped-coordinates", "outside-area", "out-of-range")
    for point, count, also in (
        (CITY_HALL, 34, ()),
        (DEPOT, 14, ()),
        ((0, 0), 20, ("outside-area", "out-of-range")),
    ):
        for row in sheet.untouched(count):
            row["经度"], row["纬度"] = point
            sheet.plant(row, "经度", "default-coordinates", *also)
    for row in sheet.untouched(24):
        row["经度"], row["纬度"] = well_outside(rng)
        sheet.plant(row, "经度", "outside-area")
    for row in sheet.untouched(25, lambda r: r["杆号"].isdigit()):
        lon, lat = moved(
            row["经度"], row["纬度"], float(rng.uniform(-0.9, 0.9)), float(rng.uniform(-0.9, 0.9))
        )
        new = {
            **row.values,
            "经度": lon,
            "纬度": lat,
            "杆号": pick(rng, (f"{row['杆号']}号", f" {row['杆号']}", f"#{row['杆号']}")),
        }
        new["部件编码"] = f"{row['行政区划代码']}0104{700_000 + len(sheet.rows):06d}"
        sheet.plant(sheet.insert_after(row, new), None, "near-duplicate", of=row)
    sheet.repeat(20)
    sheet.same_key("部件编码", 12)
    sheet.spoil(
        "stale",
        "最近巡检",
        25,
        lambda _: days(rng, today - timedelta(days=1500), today - timedelta(days=500)),
    )
    for row in sheet.untouched(18):
        row["最近巡检"] = row["安装日期"] - timedelta(days=int(rng.integers(3, 400)))
        sheet.plant(row, "最近巡检", "end-before-start", "stale")
    sheet.spoil(
        "not-in-code-list", "灯具类型", 20, lambda _: pick(rng, ("白炽", "led灯", "钠灯", "1", "其它"))
    )
    sheet.spoil("out-of-range", "功率", 16, lambda _: pick(rng, (0, -60, 15000, 99999)))
    sheet.spoil("out-of-range", "杆高", 12, lambda _: pick(rng, (0.8, 120.0, 999.0)))
    sheet.spoil("missing-required", "部件编码", 12, lambda _: None)
    sheet.spoil("missing-required", "安装日期", 10, lambda _: None)
    sheet.spoil("broken-reference", "养护单位代码", 24, lambda r: _unknown(r["养护单位代码"], owners, rng))
    sheet.spoil("wrong-type", "功率", 12, lambda _: pick(rng, ("同上", "60/120", "待查", "W")))
    sheet.spoil(
        "division-not-in-force",
        "行政区划代码",
        22,
        lambda r: pick(rng, not_in_force(r["安装日期"])),
        where=_dated,
    )
    for row in sheet.untouched(10):
        row["行政区划代码"], row["安装日期"] = "330103", date(2021, 4, 8)
        row.odd = "the last day on which this code held"


def _dated(row: Row) -> bool:
    return row["安装日期"] is not None


def _unknown(code: str, known: list[str], rng: np.random.Generator) -> str:
    while code in known:
        at = int(rng.integers(8, 18))
        code = code[:at] + pick(rng, "0123456789ABCDEFG") + code[at + 1 :]
    return code


def file(sheet: Sheet, rows: tuple[dict[str, object], ...]) -> File:
    """Put the file and its contract together."""
    agreement = Agreement(
        sheet.name,
        "部件编码",
        [
            Column("部件编码", pattern=r"^\d{16}$"),
            Column("道路", required=True),
            Column("杆号", required=True),
            Column("行政区划代码", required=True),
            Column("经度", "number", least=-180, most=180),
            Column("纬度", "number", least=-90, most=90),
            Column("灯具类型", codes=KINDS),
            Column("功率", "integer", least=10, most=1000),
            Column("杆高", "number", least=3, most=40),
            Column("安装日期", "date", required=True),
            Column("最近巡检", "date"),
            Column("状态", codes=STATES),
            Column("养护单位代码", to="企业登记.统一社会信用代码"),
        ],
        [
            {"rule": "not-repeated"},
            {"rule": "nearly-equal", "words": ["道路", "杆号"], "lon": "经度", "lat": "纬度", "metres": 2},
            {"rule": "inside", "lon": "经度", "lat": "纬度", "area": "市域"},
            {"rule": "one-place", "lon": "经度", "lat": "纬度", "at_most": 5},
            {"rule": "in-order", "first": "安装日期", "then": "最近巡检"},
            {"rule": "not-older", "field": "最近巡检", "days": 365},
            {"rule": "in-force", "code": "行政区划代码", "at": "安装日期", "table": "行政区划"},
        ],
    )
    return File(sheet.name, "csv", "utf-8-sig", ",", rows, agreement.odcs())
