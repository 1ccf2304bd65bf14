"""Residents (人口.xlsx): identity numbers, birthdays, sexes, ages; twins, leap days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np

from lake.faults.digits import another_check, identity_number, mistyped, person_check
from lake.faults.enterprises import person_name
from lake.faults.places import in_force, not_in_force
from lake.faults.sheets import Agreement, Column, File, Row, Sheet, days, pick

SEXES = ("男", "女")
NATIONS = ("汉族", "蒙古族", "回族", "藏族", "维吾尔族", "苗族", "彝族", "壮族", "布依族", "朝鲜族", "满族", "侗族", "瑶族", "白族", "土家族", "哈尼族", "畲族")  # noqa: E501 # fmt: skip
RELATIONS = ("户主", "配偶", "子女", "父母", "其他")
HOMES = ("330102", "330104", "330106", "330125", "330181", "310105", "340123", "362330", "411522", "422101", "512501", "610113")  # noqa: E501 # fmt: skip
PERMITS = ("810000", "820000", "830000")  # residence permits of 香港, 澳门 and 台湾 residents


def age_on(birth: date, day: date) -> int:
    """Count full years: who is born on 29 February is a year older on 1 March of a common year."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def person(
    rng: np.random.Generator, birth: date, today: date, homes: tuple[str, ...] = HOMES
) -> dict[str, Any]:
    """Write one resident down."""
    order = int(rng.integers(0, 1000))
    registered = days(rng, max(birth, date(1996, 1, 1)), today)
    return {
        "证件号码": identity_number(pick(rng, homes), birth, order),
        "姓名": person_name(rng),
        "性别": SEXES[1 - order % 2],
        "民族": "汉族" if rng.random() < 0.94 else pick(rng, NATIONS),
        "出生日期": birth,
        "年龄": age_on(birth, today),
        "户籍区划代码": pick(rng, in_force(registered)),
        "登记日期": registered,
        "迁出日期": None,
        "与户主关系": pick(rng, RELATIONS),
        "住址编码": None,
        "统计日期": today,
    }


def people(rng: np.random.Generator, addresses: list[str], today: date, size: int = 4000) -> Sheet:
    """Write residents down, nobody's number twice, and among them those who look like a fault."""
    rows: list[Row] = []
    numbers: set[str] = set()

    def add(values: dict[str, Any], odd: str = "") -> Row | None:
        if values["证件号码"] in numbers:
            return None
        numbers.add(values["证件号码"])
        values["住址编码"] = values["住址编码"] or pick(rng, addresses)
        rows.append(Row(values, odd))
        return rows[-1]

    for _ in range(20):
        add(person(rng, date(int(rng.integers(12, 31)) * 4 + 1900, 2, 29), today), "born on a leap day")
    for _ in range(24):
        add(person(rng, days(rng, date(1950, 1, 1), today), today, PERMITS), "a permit of 港澳台 residents")
    for _ in range(6):
        add(
            person(rng, days(rng, date(1960, 1, 1), date(2004, 1, 1)), today, ("933826", "933840", "933392")),
            "a foreigner's card of 2023",
        )
    for years in (100, 103, 108):
        add(person(rng, today - timedelta(days=int(365.25 * years) + 40), today), "a centenarian")
    for _ in range(8):
        add(person(rng, today - timedelta(days=int(rng.integers(0, 20))), today), "a newborn child")
    for _ in range(15):
        one = person(rng, days(rng, date(1960, 1, 1), date(2022, 1, 1)), today)
        one["住址编码"], order = pick(rng, addresses), int(one["证件号码"][14:17])
        first = one["证件号码"][:14] + f"{order + 2 if order < 998 else order - 2:03d}"
        two = {
            **one,
            "姓名": one["姓名"][:-1] + pick(rng, "伟芳娜敏静丽强磊"),
            "证件号码": first + person_check(first),
        }
        if one["姓名"] != two["姓名"]:
            add(one, "a twin")
            add(two, "a twin")
    for _ in range(10):
        birth = days(rng, date(1950, 1, 1), date(2010, 1, 1))
        one, two = person(rng, birth, today), person(rng, birth, today)
        two["姓名"] = one["姓名"]
        add(one, "two people of one name and birthday")
        add(two, "two people of one name and birthday")
    while len(rows) < size:
        add(person(rng, days(rng, date(1930, 1, 1), today), today))
    order = rng.permutation(len(rows))
    return Sheet("人口", rng, [rows[int(i)] for i in order])


def spoil(sheet: Sheet, addresses: list[str], today: date) -> None:
    """Plant what goes wrong in a register of residents."""
    rng, number = sheet.rng, "证件号码"
    figures = "0123456789"
    sheet.spoil("wrong-check-digit", number, 26, lambda r: another_check(r[number], rng, figures + "X"))
    sheet.spoil(
        "wrong-check-digit",
        number,
        16,
        lambda r: mistyped(r[number], rng, figures, range(14, 17)),
        "sex-vs-identity",
    )
    for row in sheet.untouched(10):
        first = (
            row[number][:6] + pick(rng, ("19900231", "19851301", "20010431", "19770229")) + row[number][14:17]
        )
        row[number] = first + person_check(first)
        sheet.plant(row, number, "impossible-birthday", "birthday-vs-identity", "wrong-check-digit")
    for row in sheet.untouched(36, lambda r: r["出生日期"].day != r["出生日期"].month):
        row["出生日期"] = _another_birthday(row["出生日期"], rng)
        row["年龄"] = age_on(row["出生日期"], today)
        sheet.plant(row, "出生日期", "birthday-vs-identity", "end-before-start", "out-of-range")
    sheet.spoil("sex-vs-identity", "性别", 34, lambda r: SEXES[1 - SEXES.index(r["性别"])])
    sheet.spoil("age-vs-birth", "年龄", 30, lambda r: _another_age(r["年龄"], rng))
    sheet.spoil("out-of-range", "年龄", 14, lambda _: pick(rng, (-1, 150, 199, 999)), "age-vs-birth")
    sheet.spoil(
        "not-in-code-list", "性别", 14, lambda _: pick(rng, ("1", "M", "未知", "男性")), "sex-vs-identity"
    )
    sheet.spoil("not-in-code-list", "民族", 14, lambda _: pick(rng, ("汉", "01", "中国", "无")))
    sheet.spoil("missing-required", number, 16, lambda _: None)
    sheet.spoil("missing-required", "姓名", 12, lambda _: None)
    sheet.spoil("wrong-type", "年龄", 12, lambda _: pick(rng, ("三岁多", "不详", "成年")), "age-vs-birth")
    sheet.spoil("wrong-type", "登记日期", 12, lambda _: pick(rng, ("2021年", "0000-00-00", "去年冬天")))
    sheet.spoil(
        "broken-reference", "住址编码", 26, lambda _: f"DZ330106{int(rng.integers(950_000, 999_999))}"
    )
    sheet.spoil(
        "division-not-in-force",
        "户籍区划代码",
        30,
        lambda r: pick(rng, not_in_force(r["登记日期"])),
        where=_registered,
    )
    gone = sheet.untouched(70, _registered)
    for row in gone[:45]:
        row["迁出日期"] = days(rng, row["登记日期"], today)
        row.odd = "moved away, after coming"
    for row in gone[45:]:
        row["迁出日期"] = row["登记日期"] - timedelta(days=int(rng.integers(2, 3000)))
        sheet.plant(row, "迁出日期", "end-before-start")
    sheet.same_key(number, 14, "birthday-vs-identity", "sex-vs-identity")
    sheet.repeat(24)


def _registered(row: Row) -> bool:
    return isinstance(row["登记日期"], date)


def _another_birthday(birth: date, rng: np.random.Generator) -> date:
    wrong = [date(1900, 1, 1), birth - timedelta(days=3653), birth - timedelta(days=1)]
    if birth.day <= 12 and birth.replace(month=birth.day, day=birth.month) < birth:
        wrong.append(birth.replace(month=birth.day, day=birth.month))
    return pick(rng, wrong)


def _another_age(age: int, rng: np.random.Generator) -> int:
    swapped = int(f"{age:02d}"[::-1]) if 10 <= age < 100 else age
    return (
        swapped
        if abs(swapped - age) > 2
        else (age + int(rng.integers(3, 30))) % 110
        if age < 75
        else age - 20
    )


def file(sheet: Sheet, rows: tuple[dict[str, Any], ...]) -> File:
    """Put the file and its contract together."""
    agreement = Agreement(
        sheet.name,
        "证件号码",
        [
            Column("证件号码", standard="GB 11643"),
            Column("姓名", required=True),
            Column("性别", codes=SEXES),
            Column("民族", codes=NATIONS),
            Column("出生日期", "date", required=True),
            Column("年龄", "integer", least=0, most=125),
            Column("户籍区划代码", required=True),
            Column("登记日期", "date", required=True),
            Column("迁出日期", "date"),
            Column("与户主关系", codes=RELATIONS),
            Column("住址编码", to="地址.地址编码"),
            Column("统计日期", "date", required=True),
        ],
        [
            {"rule": "not-repeated"},
            {"rule": "birthday-in-number", "number": "证件号码", "birth": "出生日期"},
            {"rule": "sex-in-number", "number": "证件号码", "sex": "性别", "male": "男", "female": "女"},
            {"rule": "age-by-birth", "age": "年龄", "birth": "出生日期", "on": "统计日期"},
            {"rule": "in-order", "first": "登记日期", "then": "迁出日期"},
            {"rule": "in-force", "code": "户籍区划代码", "at": "登记日期", "table": "行政区划"},
        ],
    )
    return File(sheet.name, "xlsx", "", "", rows, agreement.odcs())
