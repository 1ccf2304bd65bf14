"""The fault sets tell the truth about themselves, worked out a second way."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, datetime

import openpyxl
import pytest
import shapely
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from lake.faults.places import AREA, DIVISIONS
from lake.faults.planted import Planted, planted
from lake.faults.sheets import Fault, judge

HUNDRED = "0123456789ABCDEFGHJKLMNPQRTUWXY"
NAMED = {
    "wrong-check-digit",
    "division-not-in-force",
    "swapped-coordinates",
    "default-coordinates",
    "outside-area",
    "exact-duplicate",
    "near-duplicate",
    "duplicate-key",
    "stale",
    "end-before-start",
    "birthday-vs-identity",
    "sex-vs-identity",
    "age-vs-birth",
    "not-in-code-list",
    "out-of-range",
    "missing-required",
    "broken-reference",
    "wrong-type",
    "impossible-birthday",
}


@pytest.fixture(scope="module")
def city() -> Planted:
    return planted(7)


def healthy(city: Planted, name: str) -> list[dict]:
    spoilt = {f.row for f in city.faults if f.file == name}
    return [r for i, r in enumerate(city.files[name].rows) if i not in spoilt]


def credit_fits(code: str) -> bool:
    """ISO 7064 pure MOD 31-3 by Horner's scheme from the left, which needs no table of weights."""
    if len(code) != 18 or any(c not in HUNDRED for c in code):
        return False
    total = 0
    for i, c in enumerate(code):
        total += HUNDRED.index(c) * pow(3, i, 31) if i < 17 else HUNDRED.index(c)
    return total % 31 == 0


def person_fits(number: str) -> bool:
    """ISO 7064 pure MOD 11-2, recursively (clause 7.1 of the standard)."""
    held = 0
    for c in number[:-1]:
        held = (held + int(c)) * 2 % 11
    return (held + (10 if number[-1] == "X" else int(number[-1]))) % 11 == 1


def test_the_same_seed_gives_the_same_bytes_and_truth_and_another_one_others(city):
    again, other = planted(7), planted(8)
    assert again.faults == city.faults
    assert {n: f.content() for n, f in again.files.items()} == {n: f.content() for n, f in city.files.items()}
    assert other.faults != city.faults


def test_every_kind_that_is_promised_is_planted_twenty_times_and_more(city):
    kinds = Counter(f.kind for f in city.faults)
    assert set(kinds) == NAMED
    assert all(n >= 20 or kind == "impossible-birthday" for kind, n in kinds.items())
    assert all(2_000 <= len(f.rows) <= 5_000 for n, f in city.files.items() if n != "行政区划")


def test_a_row_holds_one_fault_and_an_oddity_holds_none(city):
    at = Counter((f.file, f.row) for f in city.faults)
    assert set(at.values()) == {1}
    assert not {(o.file, o.row) for o in city.oddities} & set(at)


def test_codes_of_enterprises_fit_exactly_where_no_fault_says_otherwise(city):
    wrong = {f.row for f in city.faults if (f.file, f.kind) == ("企业登记", "wrong-check-digit")}
    codes = [r["统一社会信用代码"] for r in city.files["企业登记"].rows]
    assert wrong == {i for i, code in enumerate(codes) if code and not credit_fits(code)}


def test_the_standard_s_own_example_of_an_identity_number_fits():
    assert person_fits("11010519491231002X")
    assert person_fits("440524188001010014")


def test_identity_numbers_agree_with_birthday_sex_and_age_exactly_where_no_fault_says_otherwise(city):
    rows = city.files["人口"].rows
    truth = {
        kind: {f.row for f in city.faults if f.file == "人口" and kind in {f.kind} | f.also} for kind in NAMED
    }
    for i, row in enumerate(rows):
        number, birth = row["证件号码"], row["出生日期"]
        if number is None:
            continue
        if not person_fits(number):
            assert i in truth["wrong-check-digit"]
        if number[6:14] != f"{birth:%Y%m%d}":
            assert i in truth["birthday-vs-identity"]
        if row["性别"] != ("男" if int(number[14:17]) % 2 else "女"):
            assert i in truth["sex-vs-identity"]
        whole = sum(
            1
            for y in range(birth.year + 1, city.today.year + 1)
            if (y, birth.month, birth.day) <= city.today.timetuple()[:3]
        )
        if row["年龄"] != whole:
            assert i in truth["age-vs-birth"]


def test_places_lie_inside_the_area_exactly_where_no_fault_says_otherwise(city):
    area = shapely.Polygon(AREA)
    assert area.is_valid
    assert json_area(city).equals(area)
    for name in ("地址", "路灯", "案件"):
        inside = shapely.contains_xy(
            area, [r["经度"] for r in city.files[name].rows], [r["纬度"] for r in city.files[name].rows]
        )
        excused = {f.row for f in city.faults if f.file == name and "outside-area" in {f.kind} | f.also}
        assert {i for i, held in enumerate(inside) if not held} == excused


def json_area(city: Planted) -> shapely.Geometry:
    return shapely.get_geometry(shapely.from_geojson(city.area), 0)


def test_more_than_five_things_on_one_point_are_exactly_the_default_points(city):
    for name in ("地址", "路灯", "案件"):
        points = Counter((r["经度"], r["纬度"]) for r in city.files[name].rows)
        crowded = {i for i, r in enumerate(city.files[name].rows) if points[r["经度"], r["纬度"]] > 5}
        assert crowded == {f.row for f in city.faults if (f.file, f.kind) == (name, "default-coordinates")}


@pytest.mark.parametrize(
    ("name", "code", "at"),
    [
        ("地址", "行政区划代码", "启用日期"),
        ("企业登记", "行政区划代码", "成立日期"),
        ("路灯", "行政区划代码", "安装日期"),
        ("人口", "户籍区划代码", "登记日期"),
        ("案件", "区划代码", "上报时间"),
    ],
)
def test_codes_hold_on_their_day_exactly_where_no_fault_says_otherwise(city, name, code, at):
    periods = {c: (s, e or date.max) for c, _, s, e in DIVISIONS}

    def held(row: dict) -> bool:
        day = row[at].date() if isinstance(row[at], datetime) else row[at]
        return not isinstance(day, date) or periods[row[code]][0] <= day < periods[row[code]][1]

    broken = {i for i, r in enumerate(city.files[name].rows) if not held(r)}
    assert broken == {f.row for f in city.faults if (f.file, f.kind) == (name, "division-not-in-force")}


@pytest.mark.parametrize(
    ("name", "first", "then"),
    [
        ("地址", "启用日期", "停用日期"),
        ("企业登记", "成立日期", "核准日期"),
        ("路灯", "安装日期", "最近巡检"),
        ("人口", "登记日期", "迁出日期"),
        ("案件", "上报时间", "结案时间"),
        ("案件", "上报时间", "立案时间"),
    ],
)
def test_what_ends_before_it_begins_was_planted(city, name, first, then):
    rows = city.files[name].rows
    broken = {
        i
        for i, r in enumerate(rows)
        if isinstance(r[first], date) and isinstance(r[then], date) and r[then] < r[first]
    }
    truth = {f.row for f in city.faults if (f.file, f.kind, f.field) == (name, "end-before-start", then)}
    assert broken == truth
    assert broken


def test_no_case_is_reported_after_today_but_where_it_was_planted(city):
    rows = city.files["案件"].rows
    ahead = {i for i, r in enumerate(rows) if r["上报时间"] and r["上报时间"].date() > city.today}
    assert ahead == {f.row for f in city.faults if (f.field, f.kind) == ("上报时间", "out-of-range")}


def test_contracts_are_documents_of_the_standard_and_name_every_column(city):
    for file in city.files.values():
        contract = OpenDataContractStandard.from_string(yaml.safe_dump(file.contract, allow_unicode=True))
        assert [p.name for p in contract.schema_[0].properties] == list(file.rows[0])


def test_values_keep_to_the_contract_exactly_where_no_fault_says_otherwise(city):
    """Code lists, ranges, required columns, keys and references, by plain Python."""
    for name, file in city.files.items():
        broken: set[tuple[int, str]] = set()
        for column in file.contract["schema"][0]["properties"]:
            field, options = column["name"], column.get("logicalTypeOptions", {})
            values = [r[field] for r in file.rows]
            codes = column["quality"][0]["arguments"]["validValues"] if "quality" in column else None
            known = None
            if "relationships" in column:
                table, key = column["relationships"][0]["to"].split(".")
                known = {r[key] for r in city.files[table].rows}
            seen: set[object] = set()
            for i, value in enumerate(values):
                if value is None:
                    broken |= {(i, "missing-required")} if column["required"] else set()
                    continue
                broken |= {(i, "not-in-code-list")} if codes and value not in codes else set()
                broken |= {(i, "broken-reference")} if known is not None and value not in known else set()
                broken |= {(i, "duplicate-key")} if column["unique"] and value in seen else set()
                seen.add(value)
                if column["logicalType"] in {"integer", "number"}:
                    if isinstance(value, str):
                        broken.add((i, "wrong-type"))
                    elif not options.get("minimum", value) <= value <= options.get("maximum", value):
                        broken.add((i, "out-of-range"))
                elif column["logicalType"] in {"date", "timestamp"} and not isinstance(value, date):
                    broken.add((i, "wrong-type"))
        kinds = {kind for _, kind in broken}
        planted_here = {
            (f.row, k) for f in city.faults if f.file == name for k in {f.kind} | f.also if k in kinds
        }
        times = {f.row for f in city.faults if f.field == "上报时间" and f.kind == "out-of-range"}
        assert {b for b in broken if b not in planted_here} == set()
        must = {(f.row, f.kind) for f in city.faults if f.file == name and f.kind in kinds}
        assert {m for m in must if m not in broken and m[0] not in times} == set()


def test_rows_that_repeat_another_one_repeat_it(city):
    for fault in (f for f in city.faults if f.kind == "exact-duplicate"):
        rows = city.files[fault.file].rows
        assert rows[fault.row] == rows[fault.of]
        assert fault.of < fault.row
    for file in city.files.values():
        again = Counter(tuple(map(str, r.values())) for r in file.rows)
        assert sum(n - 1 for n in again.values()) == sum(
            (f.file, f.kind) == (file.name, "exact-duplicate") for f in city.faults
        )


def test_files_are_read_back_as_they_were_written(city):
    for file in city.files.values():
        if file.form == "xlsx":
            sheet = openpyxl.load_workbook(io.BytesIO(file.content()), read_only=True).active
            lines = list(sheet.iter_rows(values_only=True))
        else:
            lines = list(
                csv.reader(
                    io.StringIO(file.content().decode(file.encoding), newline=""), delimiter=file.delimiter
                )
            )
        assert list(lines[0]) == list(file.rows[0])
        assert len(lines) == len(file.rows) + 1


def test_later_versions_change_as_much_as_they_say(city):
    usual, fewer, emptier = city.versions
    count = len(city.files["企业登记"].rows)
    assert len(usual.file.rows) > 0.98 * count
    assert 0.5 * count < len(fewer.file.rows) < 0.7 * count
    assert sum(r["联系电话"] is None for r in emptier.file.rows) > 0.4 * count
    assert not usual.faults
    assert fewer.faults[0].kind == emptier.faults[0].kind == "sudden-change"


def test_the_judge_counts_right_false_and_missed():
    truth = [
        Fault("a", 3, None, "near-duplicate", of=1),
        Fault("a", 5, "x", "swapped-coordinates", frozenset({"outside-area"})),
        Fault("a", 9, "x", "stale"),
    ]
    marks = judge(
        truth,
        {
            ("a", 1, "near-duplicate"),
            ("a", 5, "outside-area"),
            ("a", 5, "swapped-coordinates"),
            ("a", 7, "stale"),
        },
    )
    assert (marks["near-duplicate"].precision, marks["near-duplicate"].recall) == (1, 1)
    assert (marks["swapped-coordinates"].precision, marks["swapped-coordinates"].recall) == (1, 1)
    assert marks["outside-area"].false == 0
    assert (marks["stale"].right, marks["stale"].false, marks["stale"].missed) == (0, 1, 1)
