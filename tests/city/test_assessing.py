"""Loads are checked by contract: findings, the score over time, and the gate."""

import pytest

from jingwei.city.assessing import adopt_contract, check_again
from jingwei.lake import contracting
from jingwei.lake.contracting import ContractChangedError
from jingwei.lake.contracts import Contract

from .packs import write_stops

GOOD = [(f"{n:03}", f"第{n}站", 114.01 + n / 1000, 22.55) for n in range(40)]
SPOILT = [*GOOD[:30], *[(code, "", lon, lat) for code, _, lon, lat in GOOD[30:]]]


def agreed(**more):
    return Contract(dataset="stops", fields=[{"name": "name", "required": True}], **more)


def scores(opened):
    return [
        (one.version, one.report.score, one.gated)
        for one in contracting.reports(opened.lake, opened.asker, "stops")
    ]


def test_each_load_is_checked_and_the_score_kept(opened, pack):
    write_stops(pack, GOOD)
    opened.load(pack)
    adopt_contract(opened.city, opened.asker, agreed(), after=0)
    check_again(opened.city, opened.asker, "stops")
    write_stops(pack, SPOILT)
    opened.load(pack)
    assert scores(opened) == [(2, 75.0, False), (1, 100.0, False)]
    newest = contracting.reports(opened.lake, opened.asker, "stops")[0]
    table, total = contracting.findings(opened.lake, opened.asker, "stops", newest.intent)
    assert total == 10
    assert table["row"].to_pylist() == list(range(32, 42))
    assert all(cell is not None for cell in table["cell"].to_pylist())


def test_what_is_below_the_gate_is_held_back_and_the_version_before_stays(opened, pack):
    write_stops(pack, GOOD)
    opened.load(pack)
    adopt_contract(opened.city, opened.asker, agreed(gate=90), after=0)
    write_stops(pack, SPOILT)
    report = opened.load(pack)["stops"]
    assert report.stage == "held"
    assert report.problem["code"] == "below-gate"
    assert report.problem["where"]["rules"][0]["rows"] == 10
    dataset = opened.dataset("stops")
    assert (dataset.state, dataset.version.number) == ("held", 1)
    assert len(opened.rows("stops")) == 40
    assert all(row["name"] for row in opened.rows("stops"))
    assert scores(opened) == [(None, 75.0, True)]
    write_stops(pack, [*GOOD, ("999", "新站", 114.1, 22.6)])
    assert opened.load(pack)["stops"].stage == "published"
    assert scores(opened) == [(2, 100.0, False), (None, 75.0, True)]


def test_a_contract_is_not_put_over_one_that_was_not_seen(opened, pack):
    opened.load(pack)
    adopt_contract(opened.city, opened.asker, agreed(), after=0)
    with pytest.raises(ContractChangedError):
        adopt_contract(opened.city, opened.asker, agreed(), after=0)
    assert contracting.contract_of(opened.lake, opened.asker, "stops").number == 1


def test_swapped_and_default_points_are_called_so(opened, pack):
    rows = [*GOOD, ("s", "换", 22.6, 114.05), ("d", "零", 0, 0), ("e", "满", 999, 999), ("f", "远", 100, 30)]
    write_stops(pack, rows)
    rules = opened.load(pack)["stops"].rules
    assert rules == {"swapped-coordinates": 1, "default-place": 2, "far-from-city": 1}
