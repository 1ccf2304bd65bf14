"""Who is erased is in no version, no file and no list, does not come again, and that is an event."""

import json

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from sqlalchemy import inspect, text
from tests.city.packs import write_pack
from tests.keeping.test_backup import ASKER, answers, back_up_of, restored

from jingwei import ledger
from jingwei.city import intake, load_pack, open_city, read_manifest
from jingwei.city.assessing import adopt_contract, check_again
from jingwei.errors import JingweiError
from jingwei.keeping.forgetting import erase
from jingwei.lake import contracting
from jingwei.ledger.sealer import Sealer, key_folder_of

VALUE = "110105194912310021"
PEOPLE = """
[[source]]
id = "people"
file = "people.csv"
title = { zh = "人员" }
keys = ["证件号"]
object = "person"
place = { lon = "lon", lat = "lat", crs = "WGS84" }
"""


def number_of(n):
    return VALUE if n == 4 else f"44030419900101{n:04}"


class Town:
    """People in two versions, one of them to be erased; one of the rows lies outside the world."""

    def __init__(self, folder):
        self.pack = write_pack(folder / "pack", PEOPLE.replace('object = "person"\n', ""))
        self.city = open_city(folder / "home", create=True)
        for count in (9, 12):
            self.load(count)
        agreed = contracting.contract_of(self.city.lake, ASKER, "people")
        adopt_contract(self.city, ASKER, agreed.contract, after=agreed.number)
        check_again(self.city, ASKER, "people")
        Sealer(self.city.records, self.city.home / "log", key_folder=key_folder_of(self.city.home)).seal_all()

    def text(self, count):
        rows = [f"{number_of(n)},第{n}人,{114.01 + n / 1000},{22.55}" for n in range(count)]
        return "\n".join(["证件号,姓名,lon,lat", *rows, f"{VALUE},走失,999,999", ""])

    def load(self, count):
        (self.pack / "people.csv").write_text(self.text(count), "utf-8")
        load_pack(self.city, read_manifest(self.pack), self.pack, None, ASKER)

    def erase(self, value=VALUE, reason="本人申请"):
        return erase(self.city, "people", "证件号", value, reason=reason, actor=ASKER.id)


@pytest.fixture
def town(tmp_path):
    found = Town(tmp_path)
    yield found
    found.city.close()


def said_anywhere(city, value):
    """Return every file and table in a city's home in which a value stands."""
    found = []
    for path in city.home.rglob("*"):
        if path.suffix == ".parquet":
            if value in json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False):
                found.append(path.name)
        elif path.is_file() and value.encode() in path.read_bytes():
            found.append(path.name)
    with city.records.read() as session:
        for name in inspect(city.records.engine).get_table_names():
            rows = session.execute(text(f'SELECT * FROM "{name}"')).all()
            found += [name] if value in str(rows) else []
    return found


def test_who_is_erased_is_nowhere_and_all_others_are_there(town):
    before = answers(town.city)
    assert said_anywhere(town.city, VALUE)
    done = town.erase()
    assert (done.rows, done.quarantined, done.elsewhere) == ({1: 1, 2: 1}, 2, ["people.csv"])
    assert said_anywhere(town.city, VALUE) == []
    after = answers(town.city)
    for version in (1, 2):
        left = [row for row in before["people", version] if row["证件号"] != VALUE]
        assert after["people", version] == left
        assert len(left) == len(before["people", version]) - 1
    assert after["districts", 1] == before["districts", 1]
    lake = town.city.lake
    told = lake.dataset(ASKER, "people").version.content
    assert (told.counts.read, told.counts.published, told.counts.quarantined) == (11, 11, 0)
    table = DeltaTable(str(town.city.home / "lake/people/facts")).to_pyarrow_table()
    assert VALUE not in table["证件号"].to_pylist()
    assert len(table) == 11
    last = after["people", 2][-1]["jw_fact"]
    assert last == 11  # what is left keeps its number, and is found by it


def test_it_is_an_event_that_names_nobody(town):
    town.erase()
    with town.city.records.read() as session:
        (event,) = [e for e in ledger.events_of(session, "dataset/people") if e.type == "dataset.rows_erased"]
    assert (event.data["versions"], event.data["rows"], event.data["reason"]) == ([1, 2], 2, "本人申请")
    assert VALUE not in json.dumps(event.data)


def test_who_is_erased_does_not_come_again(town):
    town.erase()
    town.load(15)
    names = [row["姓名"] for row in town.city.lake.query(ASKER, "people").table.to_pylist()]
    assert sorted(names) == sorted(f"第{n}人" for n in range(15) if n != 4)
    assert said_anywhere(town.city, VALUE) == []


def test_the_file_that_was_handed_in_goes_and_the_dataset_stays(town):
    received = intake.receive(town.city, ASKER, "people.csv", [town.text(10).encode()])
    intake.load_file(town.city, ASKER, received.id, {"id": "people"}, new_layout=True)
    assert VALUE in str(answers(town.city)["people", 3])
    done = town.erase()
    assert len(done.files) == 1
    assert said_anywhere(town.city, VALUE) == []
    load_pack(town.city, read_manifest(town.pack), town.pack, None, ASKER)
    dataset = town.city.lake.dataset(ASKER, "people")
    assert (dataset.state, dataset.version.number, dataset.version.content.counts.published) == (
        "published",
        3,
        9,
    )


def test_a_file_that_was_only_looked_at_goes_too(town):
    waiting = intake.receive(
        town.city, ASKER, "other.csv", [town.text(3).encode()]
    )  # with the row of the lost
    none = intake.receive(town.city, ASKER, "none.csv", [f"证件号,姓名\n{VALUE}0,别人\n".encode()])
    assert len(town.erase().files) == 1
    assert said_anywhere(town.city, VALUE) == [none.name]
    assert intake.received_file(town.city, waiting.id).state == "erased"


def test_a_file_of_another_dataset_that_says_the_value_is_named_and_stays(town):
    other = intake.receive(town.city, ASKER, "visits.csv", [f"病人,lon,lat\n{VALUE},114.05,22.55\n".encode()])
    said = {"id": "visits", "title": {"zh": "就诊"}, "place": {"lon": "lon", "lat": "lat", "crs": "WGS84"}}
    intake.load_file(town.city, ASKER, other.id, said)
    assert town.erase().elsewhere == ["people.csv", "visits: visits.csv"]
    assert len(answers(town.city)["visits", 1]) == 1


def test_a_file_that_bears_who_was_erased_is_not_kept_after_its_load(town):
    town.erase()
    again = intake.receive(town.city, ASKER, "people.csv", [town.text(11).encode()])
    assert (
        intake.load_file(town.city, ASKER, again.id, {"id": "people"}, new_layout=True).stage == "published"
    )
    assert len(answers(town.city)["people", 3]) == 10
    assert said_anywhere(town.city, VALUE) == []
    assert intake.received_file(town.city, again.id).state == "erased"
    after = intake.receive(town.city, ASKER, "people.csv", [town.text(4).replace(VALUE, "1").encode()])
    intake.load_file(town.city, ASKER, after.id, {"id": "people"}, new_layout=True)
    assert intake.path_of(town.city, after).is_file()


def test_a_crash_leaves_what_the_next_writer_completes(town, monkeypatch):
    def power_cut(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("jingwei.lake.store.Store.rebuild", power_cut)
        with pytest.raises(KeyboardInterrupt):
            town.erase()
    with town.city.lake.store.writing():
        pass
    assert said_anywhere(town.city, VALUE) == []
    assert len(DeltaTable(str(town.city.home / "lake/people/facts")).to_pyarrow_table()) == 11


def test_after_it_a_city_is_backed_up_and_restored(town, tmp_path):
    town.erase()
    back_up_of(town.city, tmp_path / "copy")
    with restored(tmp_path / "copy", tmp_path / "new") as city:
        assert answers(city) == answers(town.city)


@pytest.mark.parametrize(
    ("value", "reason", "code"),
    [
        ("440304199001019999", "本人申请", "nothing-to-erase"),
        (VALUE, f"删 {VALUE}", "bad-request"),
        (" ", "x", "bad-request"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(town, value, reason, code):
    before = answers(town.city)
    with pytest.raises(JingweiError) as caught:
        town.erase(value, reason)
    assert caught.value.code == code
    assert answers(town.city) == before
