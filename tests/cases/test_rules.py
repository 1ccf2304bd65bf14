import json

import pytest

from jingwei.access import local_person
from jingwei.cases import regime
from jingwei.cases.clocks import Limit
from jingwei.cases.errors import BadFieldError, BadRulesError
from jingwei.cases.rules import read_limit, read_rules
from jingwei.cases.types import Catalogue

ROW = {"种类": "事项", "类别代码": "06001", "立案条件": "有", "结案条件": "拆除", "处置时限": "2紧急工作时"}


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("2紧急工作时", Limit("urgent_hour", 2)),
        ("4小时", Limit("work_hour", 4)),
        ("15天", Limit("work_day", 15)),
        ("2紧急工作日", Limit("natural_day", 2)),
        ("1紧急工作时制止", Limit("urgent_hour", 1)),
        ("很快", None),
    ],
)
def test_limits_as_tables_write_them(text, limit):
    assert read_limit(text) == limit


def test_every_fault_of_a_table_is_named_and_nothing_is_taken():
    rows = [ROW, {**ROW, "处置时限": "很快"}, {**ROW, "种类": "人"}, {**ROW, "立案条件": ""}]
    with pytest.raises(BadRulesError) as caught:
        read_rules(rows, Catalogue())
    assert [fault["row"] for fault in caught.value.where["faults"]] == [2, 3, 4]


def test_a_type_of_the_citys_own_keeps_the_english_name_that_the_table_gives():
    rows = [
        {**ROW, "类别代码": "10099", "小类": "噪声", "小类英文": "Noise"},
        {**ROW, "类别代码": "0499", "小类": "异味"},
    ]
    assert [(one.name.zh, one.name.en) for one in read_rules(rows, Catalogue()).types] == [
        ("噪声", "Noise"),
        ("异味", ""),
    ]


def test_a_real_citys_519_rules_load_whole(shared_data, records):
    raw = json.loads((shared_data / "cases" / "yuncheng_rules.json").read_text("utf-8"))["rules"]
    table = read_rules(raw, Catalogue())
    assert len(table.rules) == 519
    # 409 rows state their code of 2026; the others are the city's own types, or renamed by the standard.
    assert table.mapped["stated"] == 409
    assert sum(table.mapped.values()) == 519
    city = Catalogue(table.types)
    for rule in table.rules:
        city.get(rule.kind, rule.type)
    units = [rule.limit.unit for rule in table.rules]
    assert {unit: units.count(unit) for unit in set(units)} == {
        "work_day": 412,
        "work_hour": 61,
        "urgent_hour": 42,
        "natural_day": 4,
    }
    for rule, row in zip(table.rules, raw, strict=True):
        assert read_limit(row["limit_text"]) == rule.limit
    with records.write() as session:
        regime.adopt(session, local_person(), "types", table.types)
        regime.adopt(session, local_person(), "rules", table.rules, note="运城市")
    with records.read() as session:
        kept = regime.load(session)
    assert list(kept.rules.values()) == table.rules
    assert len(kept.catalogue) == 403 + len(table.types)


def test_a_new_version_stands_beside_the_one_before(records):
    with records.write() as session:
        assert regime.adopt(session, local_person(), "settings", {"extensions": 1}) == 1
        assert regime.adopt(session, local_person(), "settings", {"extensions": 3}) == 2
    with records.read() as session:
        assert regime.load(session).settings.extensions == 3
        assert regime.versions(session) == tuple(2 if part == "settings" else 0 for part in regime.PARTS)


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("settings", {"nothing": 1}),
        ("settings", {"number": "{what}"}),
        ("calendar", {"periods": [["09:00:00", "08:00:00"]]}),
        ("rules", [{"id": "1"}]),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(records, part, content):
    with pytest.raises(BadFieldError), records.write() as session:
        regime.adopt(session, local_person(), part, content)
    with records.read() as session:
        assert set(regime.versions(session)) == {0}
