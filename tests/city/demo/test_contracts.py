"""What checking by contract finds in the demo city is what was planted there, kind by kind.

The contracts are those that are proposed from the data, with what a person of the department would add.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.city.assessing import adopt_contract, check_again
from jingwei.lake import contracting
from jingwei.lake.contracts import Contract

from .conftest import Read

ME = local_person()
SOURCES = (
    "addresses", "air_quality", "cases", "components", "firms_insurance", "firms_market", "firms_tax",
    "hotline_orders", "parking", "residents", "storm_wells",
)  # fmt: skip
ADDED: dict[str, dict] = {
    "residents": {
        "rules": [
            {"kind": "never", "where": "联系电话 IS NULL AND 出生日期 <= '2015-10-31'", "says": "缺电话"},
            {"kind": "stale", "column": "核实日期", "since": "2024-01-01"},
            {"kind": "one-place", "columns": ["住址"], "of": "户号", "most": 5},
        ]
    },
    "firms_market": {"rules": [{"kind": "never", "where": "登记状态 = '存续' AND 最近年报年度 < 2025"}]},
    "air_quality": {"late": 24},
    "cases": {
        "rules": [
            {"kind": "reference", "column": "类别代码", "dataset": "case_codes_2026", "to": "类别代码"}
        ],
        "optional": ["处置时间", "结案时间", "是否超期"],
        "one_place": 8,
    },
}
"""What the data alone cannot say: rules of the trade, and which fields may be empty."""

OF_KIND = {
    "null": ("required", "never"),
    "minus-one": ("placeholder",),
    "default-point": ("one-place", "quarantine"),
    "swapped": ("quarantine",),
    "duplicate": ("repeated",),
    "check-digit": ("credit_code", "identity_number"),
    "stale": ("stale", "never"),
    "late": ("order",),
    "future": ("order",),
    "code-table": ("reference",),
    "one-address": ("one-place",),
}


@pytest.fixture(scope="module")
def city(pack: Path, tmp_path_factory):
    with open_city(tmp_path_factory.mktemp("checked") / "home", create=True) as city:
        load_pack(city, read_manifest(pack), pack, None, ME)
        yield city


def contract_for(city, source) -> Contract:
    proposed = contracting.contract_of(city.lake, ME, source).contract.model_dump()
    added = ADDED.get(source, {})
    rules = [rule for rule in proposed["rules"] if rule["kind"] not in ("fresh", "alike")]
    for rule in rules:
        if rule["kind"] == "order" and "late" in added:
            rule["most_hours"] = added["late"]
        if rule["kind"] == "one-place" and "one_place" in added:
            rule["most"] = added["one_place"]
    for terms in proposed["fields"]:
        terms["required"] &= terms["name"] not in added.get("optional", [])
    return Contract.model_validate({**proposed, "rules": [*rules, *added.get("rules", [])]})


@pytest.fixture(scope="module")
def checked(city, read: Read):
    """Return by source and kind of rule the rows of the file (from 1, without its header) that were found."""
    found = defaultdict(set)
    for source in SOURCES:
        adopt_contract(city, ME, contract_for(city, source), after=0)
        done = check_again(city, ME, source)
        table, _ = contracting.findings(city.lake, ME, source, done.intent, limit=100_000)
        first = first_row(city, source)
        for row in table.to_pylist():
            kind, *rest = row["rule"].split(":")
            found[source, kind].add((row["row"] - first + 1, tuple(rest)))
        for row in city.lake.quarantine(ME, source, limit=100_000).to_pylist():
            found[source, "quarantine"].add((row["row"] - first + 1, (row["rule"],)))
    return found


def first_row(city, source):
    """Return the number that a person gives the first row of data in a source's file."""
    content = contracting.current(city.lake, source).version.content
    paths = contracting.facts_of(city.lake.root / source, content)
    numbers = [n for path in paths for n in pq.read_table(path, columns=["jw_row"])["jw_row"].to_pylist()]
    numbers += [row["row"] for row in city.lake.quarantine(ME, source, limit=100_000).to_pylist()]
    return min(numbers)


@pytest.fixture(scope="module")
def planted(pack: Path):
    found = defaultdict(set)
    for row in pq.read_table(pack / "truth" / "faults.parquet").to_pylist():
        found[row["source"], row["fault"]].add((row["row"], row["column"]))
    return found


def rows_found(checked, source, fault, planted_rows):
    """Return the rows that the rules for a kind of fault found, of those columns in which it was planted."""
    columns = {column for _, column in planted_rows}
    rows = set()
    for kind in OF_KIND[fault]:
        for row, rest in checked.get((source, kind), ()):
            if (
                kind in ("required", "placeholder", "credit_code", "identity_number")
                and rest[0] not in columns
            ):
                continue
            if kind == "quarantine" and (rest[0] == "swapped-coordinates") != (fault == "swapped"):
                continue
            rows.add(row)
    return rows


@pytest.mark.parametrize("fault", OF_KIND)
def test_every_planted_fault_is_found_and_hardly_anything_else(checked, planted, fault):
    hits = planted_total = found_total = 0
    for source in SOURCES:
        truth = planted.get((source, fault), set())
        if not truth:
            continue
        wanted = {row for row, _ in truth}
        rows = rows_found(checked, source, fault, truth)
        if fault in ("null", "stale"):  # one rule of the trade stands for each
            other = {row for row, _ in planted.get((source, "stale" if fault == "null" else "null"), set())}
            rows -= other - wanted
        if fault in ("late", "future"):  # one rule finds both
            rows -= {row for row, _ in planted[source, "future" if fault == "late" else "late"]} - wanted
        hits += len(wanted & rows)
        planted_total += len(wanted)
        found_total += len(rows)
    assert planted_total > 0
    assert hits / planted_total >= 0.98
    assert hits / found_total >= 0.98


def test_a_proposed_contract_finds_nothing_wrong_in_a_sound_register(city):
    for source in ("schools", "junctions", "metro_stops", "departments", "taxi_trips"):
        done = check_again(city, ME, source)
        assert done.contract == contracting.PROPOSED
        wrong = [rule.id for rule in done.report.rules if rule.failed and rule.severity == "error"]
        assert (source, done.report.score, wrong) == (source, 100.0, [])
