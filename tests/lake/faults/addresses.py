"""Addresses (地址.tsv): streets with gates and buildings; written again in other words."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from lake.faults.places import (
    BEGINS,
    CITY_HALL,
    NAMES,
    Street,
    moved,
    not_in_force,
    well_inside,
    well_outside,
)
from lake.faults.sheets import Agreement, Column, File, Row, Sheet, days, pick

WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
USES = ("住宅", "商业", "办公", "工业", "公共服务", "其他")


def written(street: Street, number: str, building: int | None) -> str:
    """Write an address out as the standard has it."""
    tail = f"{building}幢" if building else ""
    return f"浙江省杭州市{NAMES[street.division]}{street.subdistrict}街道{street.name}{number}号{tail}"


def addresses(rng: np.random.Generator, streets: list[Street], today: date, size: int = 3600) -> Sheet:
    """Number every street, odd on the left, even on the right, until there are ``size`` addresses."""
    rows: list[dict[str, object]] = []
    share = size // len(streets) + 1
    for street in streets:
        number = along = count = 0
        while count < share:
            number += 1
            along += float(rng.uniform(12, 24)) / (2 if number % 2 else 1)
            side = 15 if number % 2 else -15
            buildings = [*range(1, int(rng.integers(2, 7)))] if rng.random() < 0.12 else [None]
            for building in buildings:
                label = f"{number}-1" if building is None and rng.random() < 0.04 else str(number)
                place = street.at(along, side + (building or 0) * 22 * (1 if side > 0 else -1))
                opened = days(rng, date(2016, 1, 1), today - timedelta(days=30))
                rows.append(
                    {
                        "地址编码": "",
                        "标准地址": written(street, label, building),
                        "行政区划代码": street.division,
                        "街道": street.subdistrict + "街道",
                        "道路": street.name,
                        "门牌号": label,
                        "楼栋": building,
                        "经度": place[0],
                        "纬度": place[1],
                        "用途": pick(rng, USES),
                        "启用日期": max(opened, BEGINS[street.division]),
                        "停用日期": None,
                    }
                )
                count += 1
    rows = rows[:size]
    for i, row in enumerate(rows):
        row["地址编码"] = f"DZ{row['行政区划代码']}{i + 1:06d}"
    return Sheet("地址", rng, rows)


def other_words(text: str, rng: np.random.Generator) -> str:
    """Write the same address as another clerk does."""
    ways = [
        lambda t: t.replace("浙江省杭州市", ""),
        lambda t: t.replace("浙江省", "").replace("杭州市", "杭州"),
        lambda t: t.translate(WIDE),
        lambda t: t.replace("幢", "栋") if "幢" in t else t.replace("号", "號"),
        lambda t: t[: t.index("街道") + 2] + " " + t[t.index("街道") + 2 :],
        lambda t: t.replace("幢", "号楼") if "幢" in t else t.removeprefix("浙江省"),
    ]
    return pick(rng, ways)(text)


def spoil(sheet: Sheet, today: date) -> None:
    """Plant what goes wrong in an address table."""
    rng = sheet.rng
    known = {r["标准地址"] for r in sheet.rows}
    ended = sheet.untouched(60)
    for row in ended[:45]:
        row["停用日期"] = days(rng, row["启用日期"] + timedelta(days=20), today - timedelta(days=1))
        row.odd = "withdrawn: it ends after it began"
    for row in ended[45:]:
        row["停用日期"] = row["启用日期"] - timedelta(days=int(rng.integers(1, 900)))
        sheet.plant(row, "停用日期", "end-before-start")

    def east_of_everything(row: Row) -> None:
        row["经度"], row["纬度"] = well_outside(rng)

    for row in sheet.untouched(24):
        row["经度"], row["纬度"] = row["纬度"], row["经度"]
        sheet.plant(row, "经度", "swapped-coordinates", "outside-area", "out-of-range")
    for row in sheet.untouched(20):
        east_of_everything(row)
        sheet.plant(row, "经度", "outside-area")
    for row in sheet.untouched(16):
        row["经度"], row["纬度"] = 0, 0
        sheet.plant(row, "经度", "default-coordinates", "outside-area", "out-of-range")
    for row in sheet.untouched(26):
        row["经度"], row["纬度"] = CITY_HALL
        sheet.plant(row, "经度", "default-coordinates")
    for row in sheet.untouched(30):
        words = other_words(row["标准地址"], rng)
        while words in known:
            words = other_words(row["标准地址"], rng)
        known.add(words)
        lon, lat = moved(row["经度"], row["纬度"], float(rng.uniform(-2, 2)), float(rng.uniform(-2, 2)))
        new = {**row.values, "标准地址": words, "经度": lon, "纬度": lat}
        new["地址编码"] = f"DZ{row['行政区划代码']}{900_000 + len(sheet.rows):06d}"
        sheet.plant(sheet.insert_after(row, new), "标准地址", "near-duplicate", of=row)
    sheet.repeat(22)
    sheet.spoil(
        "division-not-in-force",
        "行政区划代码",
        26,
        lambda r: pick(rng, not_in_force(r["启用日期"])),
        where=_after_2003,
    )
    sheet.spoil(
        "not-in-code-list", "用途", 18, lambda _: pick(rng, ("住宅用地", "民用", "A", "商住两用", "未知"))
    )
    sheet.spoil("missing-required", "标准地址", 16, lambda _: None)
    sheet.spoil(
        "wrong-type", "启用日期", 14, lambda _: pick(rng, ("不详", "2019年春", "20191301", "2021-02-30"))
    )
    sheet.spoil("wrong-type", "楼栋", 10, lambda _: pick(rng, ("东楼", "甲", "见附图")))
    for row in sheet.untouched(12):
        row.odd = "a leap day"
        row["启用日期"] = date(2024, 2, 29)
        row["停用日期"] = None


def _after_2003(row: Row) -> bool:
    return isinstance(row["启用日期"], date)


def file(sheet: Sheet, rows: tuple[dict[str, object], ...]) -> File:
    """Put the file and its contract together."""
    agreement = Agreement(
        sheet.name,
        "地址编码",
        [
            Column("地址编码", pattern=r"^DZ\d{12}$"),
            Column("标准地址", required=True),
            Column("行政区划代码", required=True),
            Column("街道", required=True),
            Column("道路", required=True),
            Column("门牌号", required=True),
            Column("楼栋", "integer", least=1, most=99),
            Column("经度", "number", least=-180, most=180),
            Column("纬度", "number", least=-90, most=90),
            Column("用途", codes=USES),
            Column("启用日期", "date", required=True),
            Column("停用日期", "date"),
        ],
        [
            {"rule": "not-repeated"},
            {"rule": "nearly-equal", "words": ["标准地址"], "lon": "经度", "lat": "纬度", "metres": 10},
            {"rule": "inside", "lon": "经度", "lat": "纬度", "area": "市域"},
            {"rule": "one-place", "lon": "经度", "lat": "纬度", "at_most": 5},
            {"rule": "in-order", "first": "启用日期", "then": "停用日期"},
            {"rule": "in-force", "code": "行政区划代码", "at": "启用日期", "table": "行政区划"},
        ],
    )
    return File(sheet.name, "tsv", "utf-8", "\t", rows, agreement.odcs())


def anywhere(rng: np.random.Generator) -> tuple[float, float]:
    """Draw a point well inside the area."""
    while True:
        lon, lat = float(rng.uniform(119.95, 120.55)), float(rng.uniform(30.05, 30.48))
        if well_inside(lon, lat):
            return round(lon, 7), round(lat, 7)
