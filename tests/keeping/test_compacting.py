"""What lies in many files is put into few, sorted by cell: the same rows, and nobody is disturbed."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from tests.city.packs import STOPS, write_pack, write_stops
from tests.keeping.test_backup import ASKER, answers

from jingwei import ledger
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.city.assessing import adopt_contract, check_again
from jingwei.keeping.compacting import compact_all
from jingwei.keeping.forgetting import erase
from jingwei.lake import contracting, writing

ROWS = 40


def place_of(n):
    return 114.01 + (n * 7 % ROWS) / 1000, 22.55


class Scattered:
    """A city whose stops lie in a row group for every few rows: others were erased in between."""

    def __init__(self, folder, monkeypatch):
        monkeypatch.setattr(writing, "GROUPS", ((500_000, 2_048),))
        self.pack = write_pack(folder / "pack", STOPS)
        self.city = open_city(folder / "home", create=True)
        rows = [(f"{n:03}", f"{n}站", *place_of(n)) for n in range(ROWS)]
        write_stops(self.pack, rows)
        load_pack(self.city, read_manifest(self.pack), self.pack, None, ASKER)
        agreed = contracting.contract_of(self.city.lake, ASKER, "stops")
        fields = [
            one.model_copy(update={"longest": 2}) if one.name == "name" else one
            for one in agreed.contract.fields
        ]
        contract = agreed.contract.model_copy(update={"fields": fields, "gate": None})
        adopt_contract(self.city, ASKER, contract, after=agreed.number)
        check_again(self.city, ASKER, "stops")
        for n in range(3, ROWS, 6):
            erase(self.city, "stops", "code", f"{n:03}", reason="x", actor=ASKER.id)

    def compact(self):
        return compact_all(self.city, actor=ASKER.id)

    @property
    def version(self):
        return self.city.lake.dataset(ASKER, "stops").version


@pytest.fixture
def town(tmp_path, monkeypatch):
    found = Scattered(tmp_path, monkeypatch)
    yield found
    found.city.close()


def without_numbers(rows):
    return sorted(str({k: v for k, v in row.items() if k != "jw_fact"}) for row in rows)


def test_the_next_version_has_the_same_rows_sorted_and_the_one_before_answers_on(town):
    before = answers(town.city)
    (made,) = town.compact()
    assert (made.dataset, made.version) == ("stops", 2)
    after = answers(town.city)
    assert after["stops", 1] == before["stops", 1]
    assert without_numbers(after["stops", 2]) == without_numbers(before["stops", 1])
    (file,) = town.version.content.facts
    assert len(file.groups) == 1
    written = pq.read_table(town.city.home / "lake/stops/facts" / file.path)
    assert np.all(np.diff(written["jw_cell"].to_numpy()) >= 0)
    assert written["jw_fact"].to_pylist() == list(range(len(before["stops", 1])))
    assert len(DeltaTable(town.city.home / "lake/stops/facts").to_pyarrow_table()) == len(written)


def test_done_once_there_is_nothing_to_do_and_the_same_file_changes_nothing(town):
    town.compact()
    assert town.compact() == []
    load_pack(town.city, read_manifest(town.pack), town.pack, None, ASKER)
    assert town.version.number == 2


def test_it_is_an_event(town):
    town.compact()
    with town.city.records.read() as session:
        (event,) = [e for e in ledger.events_of(session, "dataset/stops") if e.type == "dataset.compacted"]
    assert (event.data["version"], event.data["before"], event.data["files"]) == (2, 1, 1)


def test_findings_name_the_same_rows(town):
    lake = town.city.lake

    def found(version):
        intent = contracting.intent_of(lake, "stops", version)
        return contracting.findings(lake, ASKER, "stops", intent)[0].to_pylist()

    town.compact()
    rows = {row["jw_fact"]: row["code"] for row in answers(town.city)["stops", 2]}
    assert [rows[one["fact"]] for one in found(2)] == [f"{one['row'] - 2:03}" for one in found(1)]
    assert len(found(2)) > 10


def test_places_of_areas_are_still_found(town):
    lake = town.city.lake
    from jingwei.lake.compacting import compact

    before = town.city.lake.query(ASKER, "districts").table.to_pylist()
    made = compact(lake, "districts", zone="Asia/Shanghai", actor=ASKER.id, least=1)
    assert made.version == 2
    content = lake.dataset(ASKER, "districts").version.content
    covers = pq.read_table(town.city.home / "lake/districts/covers" / content.covers[0].path)
    facts = {row["jw_fact"]: row["name"] for row in answers(town.city)["districts", 2]}
    assert set(covers["jw_fact"].to_pylist()) == set(facts)
    assert without_numbers(answers(town.city)["districts", 2]) == without_numbers(before)
