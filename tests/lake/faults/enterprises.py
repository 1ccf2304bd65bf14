"""Enterprises (企业登记.csv, GB18030): credit codes, divisions at their date, names that look alike."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from lake.faults.digits import CREDIT_CHARACTERS, another_check, body_code, credit_code, mistyped
from lake.faults.places import NAMES, in_force, not_in_force
from lake.faults.sheets import Agreement, Column, File, Row, Sheet, days, pick

TRADES = ("贸易", "科技", "商贸", "信息技术", "建筑工程", "物业管理", "餐饮管理", "环保科技", "园林绿化", "机械制造", "文化传媒", "医疗器械", "食品", "电子商务", "照明工程", "物流")  # noqa: E501 # fmt: skip
TYPES = ("有限责任公司", "股份有限公司", "个人独资企业", "合伙企业", "个体工商户", "分公司")
STATES = ("存续", "吊销", "注销", "迁出")
FIRST = "恒信宏远瑞丰嘉诚泰和金盛华茂新锐博雅德润中天久安明达广聚万通亿佳永兴祥云凯歌思源启航正阳东升"
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国志文玉兰海燕晓东红梅"


def person_name(rng: np.random.Generator) -> str:
    """Draw a name of two or three characters."""
    return pick(rng, SURNAMES) + "".join(pick(rng, GIVEN) for _ in range(1 if rng.random() < 0.3 else 2))


def enterprises(
    rng: np.random.Generator, places: list[tuple[str, str, str]], today: date, size: int = 3200
) -> Sheet:
    """Register enterprises at known addresses (code, division, words)."""
    rows: list[dict[str, Any]] = []
    names: set[str] = set()
    while len(rows) < size:
        founded = days(rng, date(1994, 5, 1), today - timedelta(days=60))
        address, _, words = pick(rng, places)
        division = pick(rng, in_force(founded))
        first = "".join(pick(rng, FIRST) for _ in range(2 if rng.random() < 0.75 else 3))
        name = f"杭州{first}{pick(rng, TRADES)}有限公司"
        if name in names:
            continue
        names.add(name)
        changed = days(rng, founded, today)
        rows.append(
            {
                "统一社会信用代码": credit_code(
                    division, body_code(rng), pick(rng, ("91", "91", "91", "92", "93"))
                ),
                "企业名称": name,
                "企业类型": pick(rng, TYPES[:4]),
                "行政区划代码": division,
                "成立日期": founded,
                "核准日期": changed,
                "经营期限止": None
                if rng.random() < 0.6
                else founded + timedelta(days=365 * int(rng.integers(10, 50))),
                "注册资本": pick(rng, (10, 50, 100, 300, 500, 1000, 5000)) * 1.0,
                "从业人数": int(rng.integers(0, 400)),
                "经营状态": "存续" if rng.random() < 0.8 else pick(rng, STATES),
                "法定代表人": person_name(rng),
                "地址编码": address,
                "住所": words,
                "联系电话": None
                if rng.random() < 0.03
                else f"1{pick(rng, '35789')}{int(rng.integers(0, 10**9)):09d}",
                "更新日期": days(rng, today - timedelta(days=300), today),
            }
        )
    return Sheet("企业登记", rng, rows)


def look_alikes(sheet: Sheet) -> None:
    """Add what looks repeated and is not: branches, sister companies, chains, codes of old."""
    rng = sheet.rng
    for row in sheet.untouched(15):
        branch = {**row.values, "企业类型": "分公司", "法定代表人": person_name(rng), "注册资本": 0.0}
        branch["企业名称"] = f"{row['企业名称']}{NAMES[row['行政区划代码']][:-1]}分公司"
        branch["统一社会信用代码"] = credit_code(row["行政区划代码"], body_code(rng))
        sheet.insert_after(row, branch, "a branch beside its enterprise")
        row.odd = "an enterprise beside its branch"
    names = {r["企业名称"] for r in sheet.rows}
    for row in sheet.untouched(15):
        old = next(
            t for t in sorted(TRADES, key=len, reverse=True) if row["企业名称"].endswith(f"{t}有限公司")
        )
        sister = {
            **row.values,
            "企业名称": row["企业名称"].replace(f"{old}有限公司", f"{pick(rng, TRADES)}有限公司"),
        }
        if sister["企业名称"] in names:
            continue
        names.add(sister["企业名称"])
        sister["统一社会信用代码"] = credit_code(row["行政区划代码"], body_code(rng))
        sheet.insert_after(row, sister, "a sister company in the same rooms, in another trade")
        row.odd = "an enterprise beside its sister"
    shop = "便民水果店"
    for row in sheet.untouched(12):
        row["企业名称"], row["企业类型"] = f"{NAMES[row['行政区划代码']]}{shop}", "个体工商户"
        row.odd = "a shop's name that many shops have"
    for row in sheet.untouched(10):
        row["核准日期"] = row["成立日期"]
        row.odd = "approved on the day of founding"
    for row in sheet.untouched(8):
        row["成立日期"] = row["核准日期"] = date(2020, 2, 29)
        row["行政区划代码"] = "330103"
        row["统一社会信用代码"] = credit_code("330103", body_code(rng))
        row["经营期限止"] = None
        row.odd = "a code that held then and holds no more, on a leap day"


def spoil(sheet: Sheet, kept: set[str], today: date) -> None:
    """Plant what goes wrong in a register; enterprises in ``kept`` are named elsewhere and stay."""
    rng, code = sheet.rng, "统一社会信用代码"

    def free(row: Row) -> bool:
        return row[code] not in kept

    sheet.spoil(
        "wrong-check-digit", code, 24, lambda r: another_check(r[code], rng, CREDIT_CHARACTERS), where=free
    )
    sheet.spoil(
        "wrong-check-digit",
        code,
        16,
        lambda r: mistyped(r[code], rng, CREDIT_CHARACTERS, range(8, 17)),
        where=free,
    )
    sheet.spoil(
        "wrong-check-digit", code, 8, lambda r: r[code][:9] + pick(rng, "IOSVZ") + r[code][10:], where=free
    )
    sheet.spoil(
        "division-not-in-force",
        "行政区划代码",
        36,
        lambda r: pick(rng, not_in_force(r["成立日期"])),
        where=_old_enough,
    )
    for row in sheet.untouched(24):
        row["核准日期"] = row["成立日期"] - timedelta(days=int(rng.integers(1, 2000)))
        sheet.plant(row, "核准日期", "end-before-start")
    sheet.spoil(
        "stale",
        "更新日期",
        26,
        lambda _: days(rng, today - timedelta(days=2500), today - timedelta(days=500)),
    )
    sheet.spoil(
        "not-in-code-list", "经营状态", 22, lambda _: pick(rng, ("正常", "在业", "开业", "1", "停业整顿中"))
    )
    sheet.spoil("out-of-range", "注册资本", 14, lambda _: pick(rng, (-100.0, -1.0, 99999999.0)))
    sheet.spoil("out-of-range", "从业人数", 14, lambda _: pick(rng, (-1, 9999999, 888888)))
    sheet.spoil("missing-required", code, 14, lambda _: None, where=free)
    sheet.spoil("missing-required", "企业名称", 10, lambda _: None)
    sheet.spoil(
        "broken-reference",
        "地址编码",
        26,
        lambda r: f"DZ{r['行政区划代码']}{int(rng.integers(950_000, 999_999))}",
    )
    sheet.spoil("wrong-type", "注册资本", 12, lambda _: pick(rng, ("详见章程", "人民币", "以批文为准")))
    sheet.spoil("wrong-type", "成立日期", 10, lambda _: pick(rng, ("2015-13-01", "2019-02-29", "九几年")))
    sheet.same_key(code, 12, where=free)
    sheet.repeat(20, where=free)
    for row in sheet.untouched(24, free):
        # one body under two codes: the old register's, and the one written again after it moved
        elsewhere = pick(rng, [c for c in in_force(row["成立日期"]) if c != row[code][2:8]])
        new = {**row.values, code: credit_code(elsewhere, row[code][8:17], row[code][:2])}
        ways = (
            lambda t: t.replace("杭州", "杭州市"),
            lambda t: t.replace("有限公司", "有限责任公司"),
            lambda t: t.replace("杭州", "（杭州）"),
            lambda t: t.replace("有限公司", " 有限公司"),
        )
        new["企业名称"] = pick(rng, ways)(row["企业名称"])
        sheet.plant(sheet.insert_after(row, new), "企业名称", "near-duplicate", of=row)


def _old_enough(row: Row) -> bool:
    return isinstance(row["成立日期"], date)


def file(sheet: Sheet, rows: tuple[dict[str, Any], ...]) -> File:
    """Put the file and its contract together."""
    agreement = Agreement(
        sheet.name,
        "统一社会信用代码",
        [
            Column("统一社会信用代码", standard="GB 32100"),
            Column("企业名称", required=True),
            Column("企业类型", codes=TYPES),
            Column("行政区划代码", required=True),
            Column("成立日期", "date", required=True),
            Column("核准日期", "date"),
            Column("经营期限止", "date"),
            Column("注册资本", "number", least=0, most=10_000_000),
            Column("从业人数", "integer", least=0, most=500_000),
            Column("经营状态", codes=STATES),
            Column("法定代表人"),
            Column("地址编码", to="地址.地址编码"),
            Column("住所"),
            Column("联系电话"),
            Column("更新日期", "date", required=True),
        ],
        [
            {"rule": "not-repeated"},
            {"rule": "nearly-equal", "words": ["企业名称", "住所"]},
            {"rule": "in-order", "first": "成立日期", "then": "核准日期"},
            {"rule": "in-order", "first": "成立日期", "then": "经营期限止"},
            {"rule": "not-older", "field": "更新日期", "days": 400},
            {"rule": "in-force", "code": "行政区划代码", "at": "成立日期", "table": "行政区划"},
            {"rule": "change", "rows_percent": 20, "empty_percent_points": 10},
        ],
    )
    return File(sheet.name, "csv", "gb18030", ",", rows, agreement.odcs())
