"""Old versions answer for as long as was agreed, then their rows are gone, and that is seen."""

from datetime import timedelta

import pytest
from deltalake import DeltaTable
from tests.keeping.test_backup import ASKER, Kept, answers, back_up_of, restored

from jingwei import ledger
from jingwei.city.assessing import adopt_contract, check_again
from jingwei.lake import contracting, odcs
from jingwei.lake.contracts import Contract
from jingwei.lake.errors import BusyError, VersionDroppedError
from jingwei.lake.retention import drop_old
from jingwei.records import now_utc

DAYS = 30


@pytest.fixture
def kept(tmp_path):
    found = Kept(tmp_path)
    agreed = contracting.contract_of(found.city.lake, ASKER, "stops")
    contract = agreed.contract.model_copy(update={"retention_days": DAYS})
    adopt_contract(found.city, ASKER, contract, after=agreed.number)
    check_again(found.city, ASKER, "stops")
    found.load(7)
    yield found
    found.city.close()


def drop(kept, days):
    return drop_old(kept.city.lake, actor="a", now=now_utc() + timedelta(days=days))


def files(kept):
    return {path.name for path in (kept.home / "lake/stops").rglob("*.parquet")}


def test_within_its_retention_every_version_answers(kept):
    before = answers(kept.city)
    assert drop(kept, DAYS - 1) == []
    assert answers(kept.city) == before
    assert {number for name, number in before if name == "stops"} == {1, 2, 3}


def test_past_it_the_rows_are_gone_and_that_is_seen(kept):
    before, there = answers(kept.city), files(kept)
    assert drop(kept, DAYS + 1) == [("stops", 1), ("stops", 2)]
    lake = kept.city.lake
    told = {one.number: one for one in lake.versions(ASKER, "stops")}
    assert [told[n].dropped is not None for n in (1, 2, 3)] == [True, True, False]
    assert told[1].content.counts.published == 3
    assert told[1].content.sources[0].digest
    for number in (1, 2):
        with pytest.raises(VersionDroppedError):
            lake.query(ASKER, "stops", version=number)
    assert lake.query(ASKER, "stops").table.to_pylist() == before["stops", 3]
    assert lake.query(ASKER, "districts").table.to_pylist() == before["districts", 1]
    assert len(DeltaTable(str(kept.home / "lake/stops/facts")).to_pyarrow_table()) == 7
    gone = there - files(kept)
    assert len(gone) == 3  # the facts of two versions, and what a check found of one
    with kept.city.records.read() as session:
        events = [
            e for e in ledger.events_of(session, "dataset/stops") if e.type == "dataset.version_dropped"
        ]
    assert sorted((e.data["version"], e.data["rows"]) for e in events) == [(1, 3), (2, 5)]
    assert drop(kept, DAYS + 1) == []


def test_what_a_crash_left_is_removed_by_the_next_round(kept, monkeypatch):
    def power_cut(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("jingwei.lake.store.Store.sweep", power_cut)
        with pytest.raises(KeyboardInterrupt):
            drop(kept, DAYS + 1)
    left = files(kept)
    drop(kept, DAYS + 1)
    assert len(left - files(kept)) == 3
    assert len(kept.city.lake.query(ASKER, "stops").table) == 7


def test_a_city_with_dropped_versions_is_backed_up_and_restored(kept, tmp_path):
    drop(kept, DAYS + 1)
    back_up_of(kept.city, tmp_path / "copy")
    with restored(tmp_path / "copy", tmp_path / "new") as city:
        assert city.lake.query(ASKER, "stops").table.num_rows == 7
        with pytest.raises(VersionDroppedError):
            city.lake.query(ASKER, "stops", version=1)


def test_nothing_is_dropped_while_it_is_copied(kept):
    with kept.city.lake.store.holding(), pytest.raises(BusyError):
        drop(kept, DAYS + 1)
    assert drop(kept, DAYS + 1)


def test_the_retention_goes_through_the_standard():
    contract = Contract(dataset="stops", title="站点", retention_days=400)
    text = odcs.to_odcs(contract, version=1, identifier="urn:x")
    assert odcs.from_odcs(text, "stops") == (contract, [])
    assert odcs.from_odcs(text.replace("value: 400", "value: 2").replace("unit: d", "unit: y"), "stops")[
        0
    ].retention_days == round(2 * 365.25)
