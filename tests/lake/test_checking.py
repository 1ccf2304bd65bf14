# ruff: noqa: E501 -- tables of cases
"""Every rule of a contract finds exactly the rows that break it."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import validator_for

from jingwei import grid
from jingwei.city.demo.codes import is_credit_code, is_identity_number
from jingwei.lake import odcs
from jingwei.lake.check_digits import wrong_credit_code, wrong_identity_number
from jingwei.lake.checking import Surroundings, check
from jingwei.lake.contracts import Contract, ContractError
from jingwei.lake.quality import PlainTimes, are_times
from jingwei.lake.schemas import Column, Content, Counts, DataFile, Place, RowGroup
from jingwei.lake.terms import check_terms

AT = datetime(2026, 11, 1, tzinfo=UTC)
CREDIT = "91310000775785552L"
IDENTITY = "11010519491231002X"


def content_of(rows, columns, *, places=(), keys=(), read=None, nulls=None, distinct=None, period=None):
    return Content(
        facts=[], covers=[], quarantine=[], delta={}, places=list(places), levels={}, geometry=None, time=False,
        name=None, keys=list(keys), columns=[Column(n, "string", (nulls or {}).get(n, 0), distinct) for n in columns],
        counts=Counts(read or rows, rows, rows, 0, (read or rows) - rows), rules={}, findings=[], bounds=None,
        period=period, sources=[], fingerprint="", evidence=[], seconds=0.0,
    )  # fmt: skip


def found(tmp_path, columns, fields=(), rules=(), *, points=None, around=None, strict=True, **more):
    """Return the rows (from 1) that break each rule, and the report."""
    table = pa.table(columns)
    own, rows = table.schema, table.num_rows
    places = []
    if points is not None:
        codes = grid.to_stored(grid.encode(np.array(points)[:, 0].copy(), np.array(points)[:, 1].copy(), 32))
        table = table.append_column("jw_cell", pa.array(codes, pa.int64()))
        table = table.append_column("jw_level", pa.array(np.full(rows, 32, np.int8)))
        places = [Place("", "point", ["lon", "lat"])]
    for name, values in (("jw_fact", range(rows)), ("jw_row", range(1, rows + 1)), ("jw_source", [0] * rows)):
        table = table.append_column(name, pa.array(values, pa.int64()))
    path = tmp_path / "facts.parquet"
    pq.write_table(table, path)
    contract = Contract(dataset="things", fields=list(fields), rules=list(rules))
    content = content_of(rows, own.names, places=places, **more)
    report, findings = check(contract, [path], own, content, around or Surroundings(AT), strict=strict)
    broken = {rule.id: [] for rule in report.rules}
    for row in findings.to_pylist():
        broken[row["rule"]].append(row["row"])
    return broken, report


ONE_FIELD = [
    ({"required": True}, ["a", None, " ", "b"], "required", [2, 3]),
    ({"placeholders": ["-1", "-999"], "type": "number"}, ["5", "-1", "-999.0", "7"], "placeholder", [2, 3]),
    ({"type": "integer"}, ["1", "2.5", "x", None, "1,200"], "type", [2, 3]),
    ({"type": "number"}, ["1.5", "1.2万", "约3", "", "-2e3"], "type", [3]),
    ({"type": "integer"}, ["１２", "1.2万", "一百二十", "1.5", "nan"], "type", [4, 5]),
    ({"least": 0, "most": 10_000, "type": "number"}, ["1.2万", "９９９９", "一百二十", "二万"], "range", [1, 4]),
    ({"type": "date"}, ["２０１８年２月８日", "2018年2月8日", "2018年2月30日"], "type", [3]),
    ({"type": "date"}, ["2018年2月8日", "2018-02-30", "20180208", "昨天"], "type", [2, 4]),
    ({"codes": ["甲", "乙"]}, ["甲", "丙", None, " 乙 "], "codes", [2]),
    ({"longest": 3}, ["abc", "abcd"], "longest", [2]),
    ({"pattern": r"[A-Z]\d+"}, ["A1", "a1", "A", None], "pattern", [2, 3]),
    ({"least": 0, "most": 10, "type": "number"}, ["-0.1", "0", "10", "11", None], "range", [1, 4]),
    ({"least": "2020-01-01", "type": "date"}, ["2019-12-31", "2020-01-01"], "range", [1]),
    ({"unique": True}, ["a", "b", "a", "", "", "a"], "unique", [3, 6]),
    ({"unique": True}, ["a", "b", "a ", "　b", "c"], "unique", [3, 4]),
    ({"format": "mobile"}, ["13800138000", "12800138000", "1380013800"], "mobile", [2, 3]),
    ({"format": "division_code"}, ["440305", "440305007", "44030", "040305"], "division_code", [3, 4]),
    ({"format": "credit_code"}, [CREDIT, CREDIT[:-1] + "M", CREDIT[:17]], "credit_code", [2, 3]),
    ({"format": "identity_number"}, [IDENTITY, IDENTITY[:-1] + "1", "110105194902301234"], "identity_number", [2, 3]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "values", "kind", "rows"), ONE_FIELD, ids=[f"{n}-{one[2]}" for n, one in enumerate(ONE_FIELD)]
)
def test_a_field_is_held_to_its_terms(tmp_path, terms, values, kind, rows):
    broken, report = found(tmp_path, {"v": pa.array(values, pa.string())}, [{"name": "v", **terms}])
    assert broken[f"{kind}:v"] == rows
    assert {name for name, at in broken.items() if at} == {f"{kind}:v"}
    assert report.faulty == len(rows)
    assert report.score == pytest.approx(100 * (1 - len(rows) / len(values)), abs=0.01)


@pytest.mark.parametrize(("wrong", "rows"), [("a1", [61, 62]), (None, []), ("B2", [])])
def test_a_pattern_holds_where_few_values_are_in_many_rows(tmp_path, wrong, rows):
    values = pa.array(["A1"] * 60 + [wrong] * 2 + ["B2"] * 60, pa.string())
    broken, _ = found(tmp_path, {"v": values}, [{"name": "v", "pattern": r"[A-Z]\d+"}], distinct=3)
    assert broken == {"pattern:v": rows}


@pytest.mark.parametrize(
    ("values", "rows"), [([1.0, float("nan"), 2.0, None], [2]), ([1, 2, 10], []), ([-1, 11], [1, 2])]
)
def test_numbers_are_held_to_their_range(tmp_path, values, rows):
    broken, _ = found(tmp_path, {"v": values}, [{"name": "v", "type": "number", "least": 0, "most": 10}])
    assert broken == {"range:v": rows}


WRONG_TIMES = [
    "2026-02-30 08:00:00", "2026-01-31 24:00:01", "2026-01-31 08:61:00", "2026-13-01 08:00:00", "昨天", "x" * 19,
    "2026-01-31_08:00:00",
]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        *WRONG_TIMES,
        "-026-01-31 08:00:00",
        "2026-01-31  8:00:00",
        "2026-01-31T08:00:00",
        "2026-01-31",
        "2026-01-31 08:00+08",
        None,
    ],
)
def test_a_time_is_one_whether_all_are_plain_or_not(tmp_path, wrong):
    plain = [f"2026-01-{day:02} 08:30:{day:02}" for day in range(1, 29)]
    terms = [{"name": "v", "type": "time"}]
    alone, _ = found(tmp_path, {"v": pa.array([wrong], pa.string())}, terms)
    among, _ = found(tmp_path, {"v": pa.array([*plain, wrong], pa.string())}, terms)
    assert among["type:v"] == [29 for _ in alone["type:v"]]
    assert bool(alone["type:v"]) == (wrong in WRONG_TIMES)


@settings(max_examples=200)
@given(st.text("0123456789-: T.Z+", min_size=19, max_size=19))
def test_what_is_taken_for_a_plain_time_is_one(text):
    if are_times(pa.array([text, None], pa.string())):
        assert duckdb.execute("SELECT TRY_CAST(? AS TIMESTAMP)", [text]).fetchall() != [(None,)]


@settings(max_examples=200)
@given(
    st.lists(st.from_regex(r"\d{3,4}-[01]\d-[0-3]\d[ T][0-2]\d:[0-6]\d:[0-6]\d", fullmatch=True) | st.none())
)
def test_times_are_known_as_they_pass_by_as_they_are_when_read_again(texts):
    batch = pa.record_batch({"t": pa.array(["2026-01-31 08:05:00", *texts], pa.string())})
    watched = PlainTimes(batch.schema)
    watched.note(batch.slice(0, 1))
    watched.note(batch.slice(1))
    assert ("t" in watched.columns) == are_times(batch.column("t"))


RULES = [
    ({"kind": "repeated"}, {"a": [1, 2, 1, 1], "b": ["x", "x", "x", "y"]}, [3]),
    ({"kind": "repeated", "columns": ["a"]}, {"a": [1, 2, 1, 1], "b": ["x", "x", "x", "y"]}, [3, 4]),
    ({"kind": "never", "where": "age < 6 AND degree = '博士'"}, {"age": [5, 40, 5], "degree": ["博士", "博士", None]}, [1]),
    ({"kind": "order", "first": "a", "second": "b", "most_hours": 24},
     {"a": ["2026-01-02 00:00:00"] * 3, "b": ["2026-01-02 10:00:00", "2026-01-01 23:00:00", "2026-01-04 00:00:00"]}, [2, 3]),
    ({"kind": "stale", "column": "seen", "days": 30}, {"seen": ["2026-10-20", "2026-09-01", None]}, [2]),
    ({"kind": "stale", "column": "seen", "since": "2024-01-01"}, {"seen": ["2023-12-31", "2024-01-01"]}, [1]),
    ({"kind": "one-place", "columns": ["home"], "of": "who", "most": 2}, {"home": ["h"] * 4 + ["k"] * 4, "who": [1, 2, 3, 3, 1, 1, 2, 2]}, [1, 2, 3, 4]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "columns", "rows"), RULES, ids=[f"{n}-{r[0]['kind']}" for n, r in enumerate(RULES)]
)
def test_rows_are_held_to_the_rules(tmp_path, rule, columns, rows):
    broken, _ = found(tmp_path, columns, rules=[rule])
    assert broken == {f"{rule['kind']}:1": rows}


def test_what_is_named_elsewhere_must_be_there(tmp_path):
    around = Surroundings(
        AT, columns=lambda name, names: pa.table({names[0]: ["1", "2"]}) if name == "codes" else None
    )
    rule = {"kind": "reference", "column": "code", "dataset": "codes", "to": "id"}
    broken, _ = found(tmp_path, {"code": ["1", "3", None, "2"]}, rules=[rule], around=around)
    assert broken == {"reference:1": [2]}


def test_a_code_must_be_in_force_on_the_day_of_its_row(tmp_path):
    codes = pa.table(
        {
            "id": ["1", "1", "2"],
            "since": ["2020-01-01", "2026-01-01", "2026-07-01"],
            "until": ["2021-01-01", None, None],
        }
    )
    around = Surroundings(AT, columns=lambda _, names: codes.select(names))
    rule = {"kind": "in-force", "column": "code", "date": "day", "dataset": "codes", "code": "id", "since": "since", "until": "until"}  # fmt: skip
    days = ["2020-05-01", "2023-05-01", "2026-05-01", "2026-06-30", "2026-07-01", "2026-07-01"]
    columns = {"code": ["1", "1", "1", "2", "2", "9"], "day": days}
    broken, _ = found(tmp_path, columns, rules=[rule], around=around)
    assert broken == {"in-force:1": [2, 4, 6]}


@pytest.mark.parametrize(
    ("ends", "rows"),
    [
        (["2003-06-30", "2014-10-19", None], [2, 4]),  # the last day with the code
        (["2003-07-01", "2014-10-20", None], [1, 3, 2, 4]),  # the first day without it
        (["2003-06-30 23:59:59", "2014-10-19 23:59:59", None], [2, 4]),
    ],
)
def test_the_table_tells_whether_a_code_holds_on_the_day_that_it_calls_its_end(tmp_path, ends, rows):
    begins = ["1990-01-01", "2003-07-01", "2014-10-20"]
    codes = pa.table({"id": ["1", "2", "3"], "since": begins, "until": ends})
    around = Surroundings(AT, columns=lambda _, names: codes.select(names))
    rule = {"kind": "in-force", "column": "code", "date": "day", "dataset": "codes", "code": "id", "since": "since", "until": "until"}  # fmt: skip
    last = [str(end)[:10] for end in ends[:2]]
    days = [
        last[0],
        str(date.fromisoformat(last[0]) + timedelta(days=1)),
        last[1],
        "2014-10-21",
        "2014-10-20",
    ]
    columns = {"code": ["1", "1", "2", "2", "3"], "day": days}
    broken, _ = found(tmp_path, columns, rules=[rule], around=around)
    assert broken == {"in-force:1": sorted(rows)}


def test_a_place_on_the_border_is_not_outside(tmp_path):
    corners = [(114.0, 22.5), (114.2, 22.513), (114.187, 22.7), (114.013, 22.7)]
    points = [*corners, (114.1, 22.7), (114.1, 22.7000005), (114.0, 22.499999)]
    rule = {"kind": "inside"}
    around = Surroundings(AT, boundary=shapely.Polygon(corners))
    broken, _ = found(tmp_path, {"n": list(range(7))}, rules=[rule], points=points, around=around)
    assert broken == {"inside:1": [6, 7]}


def test_places_lie_inside_and_not_all_at_one_point(tmp_path):
    points = [(114.05, 22.55), (114.3, 22.55), *[(114.1, 22.6)] * 4, (114.06, 22.55)]
    around = Surroundings(AT, boundary=shapely.box(114.0, 22.5, 114.2, 22.7))
    rules = [{"kind": "inside"}, {"kind": "one-place", "most": 3}]
    broken, _ = found(tmp_path, {"n": list(range(7))}, rules=rules, points=points, around=around)
    assert broken == {"inside:1": [2], "one-place:2": [3, 4, 5, 6]}


def test_places_outside_are_found_whether_row_groups_are_known_or_not(tmp_path):
    random = np.random.default_rng(3)
    codes = np.sort(
        grid.to_stored(grid.encode(random.uniform(113.5, 114.5, 4_000), random.uniform(22, 23, 4_000), 32))
    )
    codes = pa.array(codes, pa.int64(), mask=np.arange(4_000) % 501 == 0)
    numbers = pa.array(range(4_000), pa.int64())
    table = pa.table({"jw_cell": codes, "jw_level": pa.array(np.full(4_000, 32, np.int8)), "jw_fact": numbers,
                      "jw_row": numbers, "jw_source": pa.array(np.zeros(4_000, np.int16))})  # fmt: skip
    path = tmp_path / "facts.parquet"
    pq.write_table(table, path, row_group_size=50)
    groups = []
    for first in range(0, 4_000, 50):
        ends = pc.min_max(codes.slice(first, 50)).as_py()
        groups.append(RowGroup(first, 50, ends["min"], ends["max"]))
    around = Surroundings(AT, boundary=shapely.Point(114, 22.5).buffer(0.3))
    contract = Contract(dataset="things", rules=[{"kind": "inside"}])
    content = content_of(4_000, [], places=[Place("", "point", [])])
    told = [
        check(contract, [path], pa.schema([]), replace(content, facts=files), around)
        for files in ([], [DataFile("facts.parquet", 4_000, 0, groups)])
    ]
    assert told[0] == told[1]
    assert 2_000 < told[0][1].num_rows < 4_000


def test_a_twin_is_a_thing_of_almost_the_same_name_next_to_another(tmp_path):
    names = ["南山实验幼儿园", "南山实验幼儿国", "南山实验幼儿国", "北山实验小学"]
    points = [(114.05, 22.55), (114.0501, 22.55), (114.15, 22.55), (114.05, 22.55)]
    rule = {"kind": "alike", "columns": ["name"], "likeness": 0.8}
    broken, report = found(tmp_path, {"name": names}, rules=[rule], points=points)
    assert broken == {"alike:1": [2]}
    assert report.score == 100.0  # only a warning


def test_what_is_told_twice_in_the_same_words_is_a_twin_and_a_second_phase_or_block_is_none(tmp_path):
    names = ["路面积水", "路面积水", "华安产业园一期运营公司", "华安产业园二期运营公司"]
    names += ["解放路商贸中心大楼A座", "解放路商贸中心大楼B座", "江北东路便民服务站", "江北西路便民服务站"]
    names += ["大众连锁药房第一分店", "大众连锁药房第二分店", "大众连锁药房第十二分店"]
    names += ["柳浪公园公交站上行", "柳浪公园公交站下行", "城市内环高架路牌", "城市外环高架路牌"]
    columns = {"n": list(range(len(names))), "name": names}
    rule = {"kind": "alike", "columns": ["name"], "likeness": 0.8}
    broken, _ = found(tmp_path, columns, rules=[rule], points=[(114.05, 22.55)] * len(names))
    assert broken == {"alike:1": [2]}


def test_one_date_that_is_far_ahead_makes_nothing_fresh(tmp_path):
    ahead = datetime(2206, 1, 1, tzinfo=UTC)
    content = {"period": [0, int(ahead.timestamp() * 1e6)]}
    times = pa.array([AT - timedelta(days=50), ahead], pa.timestamp("us", "UTC"))
    _, report = found(tmp_path, {"jw_time": times}, rules=[{"kind": "fresh", "days": 45}], **content)
    assert [one.kind for one in report.rules if one.failed] == ["fresh"]


def test_a_sudden_change_against_the_version_before_is_told(tmp_path):
    before = content_of(100, ["v"], nulls={"v": 0})
    around = Surroundings(AT, previous=before)
    rule = {"kind": "change", "share": 0.2}
    _, report = found(tmp_path, {"v": ["a"] * 70}, rules=[rule], around=around, nulls={"v": 35})
    assert [one.id for one in report.rules if one.failed] == ["change:1:rows", "change:1:v"]
    _, report = found(tmp_path, {"v": ["a"] * 90}, rules=[rule], around=around, nulls={"v": 9})
    assert not any(one.failed for one in report.rules)


def test_columns_that_are_missing_or_new_are_told(tmp_path):
    _, report = found(tmp_path, {"a": [1], "c": [1]}, [{"name": "a"}, {"name": "b"}])
    assert [(one.kind, one.columns) for one in report.rules if one.failed] == [
        ("missing-column", ["b"]), ("new-column", ["c"]),
    ]  # fmt: skip


BAD_RULES = [
    {"kind": "never", "where": "1; DROP TABLE facts"},
    {"kind": "never", "where": "nothing = 1"},
    {"kind": "repeated", "columns": ["nothing"]},
    {"kind": "inside", "role": "origin"},
    {"kind": "reference", "column": "a", "dataset": "nowhere", "to": "x"},
]


@pytest.mark.parametrize("rule", BAD_RULES)
def test_a_rule_that_cannot_be_checked_is_refused_or_told(tmp_path, rule):
    with pytest.raises(Exception) as caught:
        found(tmp_path, {"a": [1]}, rules=[rule])
    assert caught.value.code in {"contract-invalid", "bad-filter", "unknown-column"}
    _, report = found(tmp_path, {"a": [1]}, rules=[rule], strict=False)
    assert [one.kind for one in report.rules] == ["unchecked"]


DAYS = st.dates(date(1900, 1, 1), date(2099, 12, 31))


@settings(deadline=None)
@given(st.lists(st.tuples(DAYS, st.integers(0, 999)).map(lambda one: f"110105{one[0]:%Y%m%d}{one[1]:03}"), min_size=1))  # fmt: skip
def test_identity_numbers_agree_with_an_independent_reading(texts):
    every = [text + last for text in texts for last in "0123456789X"]
    assert wrong_ones(wrong_identity_number, every) == {
        text
        for text in every
        if not is_identity_number(text) or born(text) > datetime.now(UTC).date() + timedelta(days=1)
    }


def born(text):
    return date(int(text[6:10]), int(text[10:12]), int(text[12:14]))


@settings(deadline=None)
@given(st.lists(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=9, max_size=9), min_size=1))
def test_credit_codes_agree_with_an_independent_reading(tails):
    every = [f"91310000{tail}{last}" for tail in tails for last in "0123456789ABCDEFGHJKLMNPQRTUWXY"]
    assert wrong_ones(wrong_credit_code, every) == {text for text in every if not is_credit_code(text)}


def wrong_ones(wrong, texts):
    with duckdb.connect() as engine:
        engine.register("texts", pa.table({"t": texts}))
        return {text for (text,) in engine.execute(f"SELECT t FROM texts WHERE {wrong('t')}").fetchall()}


FULL = Contract(
    dataset="things",
    title="物",
    purpose="管理",
    owner="城管局",
    gate=95.5,
    deadline_days=5,
    fields=[
        {"name": "id", "required": True, "unique": True, "format": "credit_code", "level": 3, "personal": True},
        {"name": "n", "type": "number", "least": 0, "most": 9.5, "placeholders": ["-1"], "severity": "warning"},
        {"name": "day", "type": "date", "least": "2020-01-01"},
        {"name": "c", "title": "类", "codes": ["甲", "乙"], "longest": 3, "pattern": "."},
    ],
    rules=[
        *[one[0] for one in RULES],
        {"kind": "reference", "column": "c", "dataset": "codes", "to": "id"},
        {"kind": "reference", "column": "id", "dataset": "codes", "to": "id", "says": "须登记", "severity": "warning"},
        {"kind": "in-force", "column": "c", "date": "day", "dataset": "codes", "code": "id"},
        {"kind": "inside"}, {"kind": "fresh", "days": 3, "says": "每三天"}, {"kind": "change"},
        {"kind": "alike", "columns": ["c"], "says": "不应相似"},
    ],
)  # fmt: skip


def test_a_contract_written_as_odcs_is_read_back_as_it_was():
    text = odcs.to_odcs(FULL, version=3, identifier="urn:jingwei:square:things")
    again, not_taken = odcs.from_odcs(text, "things")
    assert not_taken == []
    assert again == FULL


def test_a_contract_is_read_for_another_dataset_as_it_was():
    bare = Contract(
        dataset="things",
        rules=[{"kind": "fresh", "days": 2, "severity": "warning"}, {"kind": "reference", "column": "c", "dataset": "o", "to": "a.b"}],
    )  # fmt: skip
    for contract in (FULL, bare):
        text = odcs.to_odcs(contract, version=1, identifier="urn:x")
        again, not_taken = odcs.from_odcs(text, "elsewhere")
        assert not_taken == []
        assert again.model_copy(update={"dataset": "things"}) == contract


def test_what_is_written_is_valid_by_the_schema_of_the_standard():
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text("utf-8"))
    document = yaml.safe_load(odcs.to_odcs(FULL, version=3, identifier="urn:jingwei:square:things"))
    assert [error.message for error in validator_for(schema).iter_errors(document)] == []


def test_what_a_document_says_beyond_our_rules_is_told():
    text = """
apiVersion: v3.1.0
kind: DataContract
id: x
version: 1.0.0
status: active
schema:
  - name: other
  - name: things
    properties:
      - {name: id, logicalType: string, primaryKey: true, quality: [{metric: nullValues, mustBe: 0}]}
    quality:
      - {type: sql, name: daily, query: SELECT 1, mustBe: 1}
"""
    contract, not_taken = odcs.from_odcs(text, "things")
    assert [(one.name, one.required, one.unique) for one in contract.fields] == [("id", True, True)]
    assert not_taken == ["things: daily", "schema other"]


def test_no_part_of_a_foreign_document_is_lost_in_silence():
    text = """
apiVersion: v3.1.0
kind: DataContract
id: x
version: 1.0.0
status: retired
domain: traffic
tags: [roads]
description: {purpose: to know, limitations: none, usage: reports}
servers: [{server: a, type: postgres, host: h, port: 1, database: d, schema: s}]
slaProperties: [{property: latency, value: 4, unit: w}, {property: frequency, value: 1, unit: d}]
customProperties: [{property: ruleset, value: a}]
schema:
  - name: things
    description: what there is
    customProperties: [{property: grain, value: row}]
    properties:
      - name: id
        classification: restricted
        physicalType: varchar(9)
        logicalTypeOptions: {minLength: 2, maxLength: 9}
        relationships: [{to: Other/Table.id}]
        quality: [{type: library, metric: invalidValues, arguments: {validValues: [a]}, mustBeLessThan: 5}]
      - {name: n, logicalType: integer, logicalTypeOptions: {exclusiveMinimum: 0}}
      - {name: list, logicalType: array, items: {logicalType: string}}
"""
    contract, not_taken = odcs.from_odcs(text, "things")
    assert (contract.fields[0].longest, contract.fields[0].level, contract.fields[0].codes) == (9, None, [])
    assert sorted(not_taken) == sorted(
        [
            "status retired", "domain", "tags", "description.limitations", "description.usage", "servers",
            "sla latency", "sla frequency", "customProperties ruleset", "things.description",
            "things.customProperties grain", "id: classification restricted", "things.id.physicalType",
            "things.id.logicalTypeOptions.minLength", "id: relationship Other/Table.id", "id: invalidValues",
            "things.n.logicalTypeOptions.exclusiveMinimum", "list: logicalType array", "things.list.items",
        ]
    )  # fmt: skip


def test_where_a_document_stops_being_yaml_is_told():
    with pytest.raises(ContractError, match="near line 2"):
        odcs.from_odcs("apiVersion: v3.1.0\n  kind: [", "things")


def test_a_document_that_stands_for_more_than_it_holds_is_refused():
    lines = [
        "a0: &a0 {name: x}",
        *(f"a{n}: &a{n} {{properties: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)),
    ]
    with pytest.raises(ContractError, match="too large"):
        odcs.from_odcs("\n".join(["apiVersion: v3.1.0", *lines]), "things")


@pytest.mark.parametrize(
    "line",
    [
        "customProperties: [{property: 'jingwei:deadlineDays', value: soon}]",
        "customProperties: [{property: 'jingwei:rule', value: 3}]",
    ],
)
def test_our_own_parts_are_refused_where_they_are_malformed(line):
    text = f"apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: '1'\nstatus: active\nschema: [{{name: a}}]\n{line}"
    with pytest.raises(ContractError):
        odcs.from_odcs(text, "things")


@pytest.mark.parametrize(
    ("said", "term"),
    [
        ({"type": "number", "least": 10, "most": 5}, "most"),
        ({"type": "integer", "least": "abc"}, "least"),
        ({"least": "A"}, "least"),
        ({"type": "date", "most": "8月"}, "most"),
        ({"type": "date", "least": "2026-02-01", "most": "2026-01-01"}, "most"),
        ({"pattern": "["}, "pattern"),
    ],
)
def test_terms_that_cannot_be_meant_are_named(said, term):
    with pytest.raises(ContractError) as caught:
        check_terms(Contract(dataset="things", fields=[{"name": "ok"}, {"name": "n", **said}]))
    assert (caught.value.where["field"], caught.value.where["term"]) == ("n", term)


def test_terms_that_can_be_meant_are_taken():
    check_terms(FULL)


@pytest.mark.parametrize("text", ["", "- 1", "a: [", "kind: x\nnonsense: 1", "apiVersion: v2.2.2\nschema: []", "apiVersion: v3.1.0"])  # fmt: skip
def test_what_is_no_odcs_document_is_refused(text):
    with pytest.raises(ContractError):
        odcs.from_odcs(text, "things")
