"""What the contracts of the fault sets ask for is found: 98 of 100 of every kind, and nothing else."""

from __future__ import annotations

import copy
from collections import defaultdict
from datetime import date
from typing import Any

import pytest
import yaml

from jingwei.access import local_person
from jingwei.city import load_pack, open_city, parse_manifest
from jingwei.city.assessing import adopt_contract, check_again
from jingwei.lake import contracting, odcs
from lake.faults.planted import Planted, planted
from lake.faults.sheets import Fault, File, judge

ASKER = local_person()
IDS = {
    "行政区划": "divisions",
    "地址": "addresses",
    "企业登记": "enterprises",
    "路灯": "lamps",
    "人口": "people",
    "案件": "cases",
}
PLACED = ("地址", "路灯", "案件")
KINDS = {
    "identity_number": "wrong-check-digit",
    "credit_code": "wrong-check-digit",
    "required": "missing-required",
    "unique": "duplicate-key",
    "codes": "not-in-code-list",
    "range": "out-of-range",
    "type": "wrong-type",
    "reference": "broken-reference",
    "in-force": "division-not-in-force",
    "inside": "outside-area",
    "far-from-city": "outside-area",
    "one-place": "default-coordinates",
    "default-place": "default-coordinates",
    "order": "end-before-start",
    "repeated": "exact-duplicate",
    "alike": "near-duplicate",
    "age": "age-vs-birth",
}
STANDARDS = {"GB 32100": "credit_code", "GB 11643": "identity_number"}


def agreed(file: File) -> tuple[Any, dict[str, str]]:
    """Return the contract in our words, and what the rules that it adds are about."""
    document = copy.deepcopy(file.contract)
    (table,) = document["schema"]
    formats = {}
    for column in table["properties"]:
        for link in column.get("relationships", []):
            name, _, key = link["to"].partition(".")
            link["to"] = f"{IDS[name]}.{key}"
        for custom in column.get("customProperties", []):
            formats[column["name"]] = STANDARDS[custom["value"]]
    contract, not_taken = odcs.from_odcs(yaml.safe_dump(document, allow_unicode=True), IDS[file.name])
    own_words = [
        one for one in not_taken if one.endswith((".customProperties rules", ".customProperties standard"))
    ]
    assert not_taken == own_words, "but for what the set says in words of its own, which follows"
    fields = [one.model_copy(update={"format": formats.get(one.name)}) for one in contract.fields]
    rules = [*(one.model_dump() for one in contract.rules)]
    for said in table["customProperties"][0]["value"]:
        rules += ours(said)
    whole = contract.model_dump() | {"fields": [one.model_dump() for one in fields], "rules": rules}
    about = {
        f"{rule['kind']}:{n}": {"birth": "birthday-vs-identity", "sex": "sex-vs-identity"}[rule["tells"]]
        for n, rule in enumerate(rules, start=1)
        if rule["kind"] == "in-number"
    }
    return type(contract).model_validate(whole), about


def ours(said: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a rule of the set's own words as a rule of a contract."""
    match said["rule"]:
        case "not-repeated":
            return [{"kind": "repeated"}]
        case "nearly-equal":
            # Where no place says that they are near, the words alone must.
            near = (
                {"metres": said["metres"], "holds": len(said["words"]) == 1}
                if "metres" in said
                else {"likeness": 0.95}
            )
            soon = {"at": said["at"], "minutes": said["minutes"]} if "at" in said else {}
            return [{"kind": "alike", "columns": said["words"], "severity": "error", **near, **soon}]
        case "inside":
            return [{"kind": "inside"}]
        case "one-place":
            return [{"kind": "one-place", "most": said["at_most"]}]
        case "in-order":
            return [{"kind": "order", "first": said["first"], "second": said["then"]}]
        case "in-force":
            table = {"dataset": "divisions", "code": "代码", "since": "启用日期", "until": "废止日期"}
            return [{"kind": "in-force", "column": said["code"], "date": said["at"], **table}]
        case "not-older":
            return [{"kind": "stale", "column": said["field"], "days": said["days"]}]
        case "birthday-in-number":
            return [
                {"kind": "in-number", "number": said["number"], "tells": "birth", "column": said["birth"]}
            ]
        case "sex-in-number":
            return [{"kind": "in-number", "number": said["number"], "tells": "sex", "column": said["sex"]}]
        case "age-by-birth":
            return [{"kind": "age", "age": said["age"], "birth": said["birth"], "on": said["on"]}]
        case "change":
            return [{"kind": "change", "share": said["rows_percent"] / 100}]
    raise ValueError(said)


def manifest(truth: Planted) -> Any:
    sources: list[dict[str, Any]] = [
        {
            "id": "area",
            "file": "area.geojson",
            "title": {"zh": "市域"},
            "place": {"geometry": "geometry", "crs": "WGS84"},
        }
    ]
    for name, file in truth.files.items():
        place = {"lon": "经度", "lat": "纬度", "crs": "WGS84"} if name in PLACED else {"none": True}
        sources.append({"id": IDS[name], "file": file.filename, "title": {"zh": name}, "place": place})
    city = {
        "id": "faults",
        "name": {"zh": "错误"},
        "adcode": "330100",
        "boundary": {"source": "area"},
    }
    return parse_manifest({"city": city, "source": sources})


def found_in(city: Any, file: File) -> set[tuple[str, int | None, str]]:
    """Check a file as it was loaded, and return what was found: file, row from 0, kind."""
    dataset = IDS[file.name]
    contract, about = agreed(file)
    adopt_contract(city, ASKER, contract, after=0)
    checked = check_again(city, ASKER, dataset)
    table, total = contracting.findings(city.lake, ASKER, dataset, checked.intent, limit=1_000_000)
    assert total == table.num_rows
    broken = [(row["rule"], row["row"], row["value"]) for row in table.to_pylist()]
    held = city.lake.quarantine(ASKER, dataset, limit=10_000).to_pylist()
    broken += [(row["rule"], row["row"], "") for row in held]
    found: set[tuple[str, int | None, str]] = set()
    for rule, row, value in broken:
        name = rule.partition(":")[0]
        kind = about.get(rule) or KINDS.get(name, name)
        found.add((file.name, row - 2, kind))
        if name == "identity_number" and not a_day(value[6:14]):
            found.add((file.name, row - 2, "impossible-birthday"))
    return found


def a_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("seed", [7, 20261])
def test_every_kind_of_fault_is_found_and_what_is_odd_and_right_is_not(tmp_path, seed):
    truth = planted(seed, date.today())  # noqa: DTZ011 -- ages are counted on the day of the check
    for file in truth.files.values():
        (tmp_path / file.filename).write_bytes(file.content())
    (tmp_path / "area.geojson").write_bytes(truth.area)
    with open_city(tmp_path / "home", create=True) as city:
        assert load_pack(city, manifest(truth), tmp_path, None, ASKER).complete
        found = set().union(
            *(found_in(city, file) for name, file in truth.files.items() if name != "行政区划")
        )
    marks = judge(truth.faults, found)
    known = {(one.file, one.row): one.kind for one in truth.faults}
    wrong = defaultdict(list)
    for file, row, kind in sorted(found, key=str):
        if known.get((file, row)) != kind:
            wrong[kind].append((file, row, known.get((file, row))))
    short = {
        kind: (round(mark.precision, 3), round(mark.recall, 3), wrong[kind][:8])
        for kind, mark in marks.items()
        if min(mark.precision, mark.recall) < 0.98
    }
    missed = [one for one in truth.faults if one.kind in short and not said_of(one, found)]
    assert not short, missed[:20]


def said_of(fault: Fault, found: set[tuple[str, int | None, str]]) -> bool:
    return any((fault.file, row, fault.kind) in found for row in (fault.row, fault.of))
