"""A backup is the whole city as it was at one moment, or it is none."""

import json
import shutil
import threading

import pytest
from sqlalchemy import create_engine, func, inspect, select
from tests.city.packs import STOPS, write_pack, write_stops

from jingwei import ledger
from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.errors import JingweiError
from jingwei.keeping import back_up, check_backup, restore
from jingwei.lake.errors import BusyError
from jingwei.ledger.models import Event
from jingwei.ledger.sealer import Sealer, WrongKeyError, key_folder_of
from jingwei.sense.readings import Reading
from jingwei.sense.readings.batch import Batch
from jingwei.sense.readings.opening import open_readings

ASKER = local_person()


class Kept:
    """A city with two versions of its stops, a sealed log, and its pack."""

    def __init__(self, folder, records_url=None):
        self.pack = write_pack(folder / "pack", STOPS)
        self.home = folder / "home"
        self.city = open_city(self.home, create=True, records_url=records_url)
        for rows in (3, 5):
            self.load(rows)
        Sealer(self.city.records, self.home / "log", key_folder=key_folder_of(self.home)).seal_all()

    def load(self, rows):
        write_stops(self.pack, [(f"{n:03}", f"{n}站", 114.01 + n / 1000, 22.55) for n in range(rows)])
        load_pack(self.city, read_manifest(self.pack), self.pack, None, ASKER)


@pytest.fixture
def kept(tmp_path):
    found = Kept(tmp_path)
    yield found
    found.city.close()


def back_up_of(city, folder, keys="inside", **how):
    return back_up(city, folder, keys=keys, actor=ASKER.id, **how)


def restored(folder, home, **how):
    restore(folder, home, actor=ASKER.id, **how)
    return open_city(home, records_url=how.get("records_url"))


def answers(city):
    """What a city answers: every row of every version of every dataset."""
    return {
        (dataset.id, version.number): city.lake.query(
            ASKER, dataset.id, version=version.number
        ).table.to_pylist()
        for dataset in city.lake.datasets(ASKER)
        for version in city.lake.versions(ASKER, dataset.id)
    }


def refusal(call):
    with pytest.raises(JingweiError) as caught:
        call()
    return caught.value


def test_a_restored_city_answers_as_before_and_goes_on(kept, tmp_path):
    made = back_up_of(kept.city, tmp_path / "copy")
    before = answers(kept.city)
    with restored(tmp_path / "copy", tmp_path / "new") as city:
        assert answers(city) == before
        assert {(name, number) for name, number in before} == {("districts", 1), ("stops", 1), ("stops", 2)}
        sealer = Sealer(city.records, city.home / "log", key_folder=key_folder_of(city.home))
        assert sealer.seal_all() == 1
        with city.records.read() as session:
            last = ledger.entry_at(session, ledger.size(session) - 1)
        assert (last.type, last.data["events"]) == ("keeping.restored", made.events)
        write_stops(kept.pack, [("001", "新站", 114.05, 22.55)])
        load_pack(city, read_manifest(kept.pack), kept.pack, None, ASKER)
        assert [one["name"] for one in answers(city)["stops", 3]] == ["新站"]


def test_a_backup_taken_while_versions_come_is_one_of_its_moments(kept, tmp_path):
    going, rows = threading.Event(), [6]

    def write():
        while not going.is_set() and rows[0] < 60:
            kept.load(rows[0])
            rows[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            back_up_of(kept.city, tmp_path / f"copy{number}")
    finally:
        going.set()
        writer.join()
    for number in range(3):
        with restored(tmp_path / f"copy{number}", tmp_path / f"new{number}") as city:
            found = answers(city)
            for version in range(3, max(n for name, n in found if name == "stops") + 1):
                assert len(found["stops", version]) == version + 3


def test_readings_that_wait_for_the_lake_are_in_the_backup(kept, tmp_path):
    readings = open_readings(kept.city, lambda _: None)
    readings.facts.__init__(None)
    first = [Reading(stream=7, time=n * 1_000_000, result=n) for n in range(4)]
    readings.append(Batch.of(first[:2]))
    readings.flush()
    readings.append(Batch.of(first[2:]))
    back_up_of(kept.city, tmp_path / "copy")
    readings.close()
    with restored(tmp_path / "copy", tmp_path / "new") as city:
        back = open_readings(city, lambda _: None)
        assert back.extent(7).count == 4
        assert back.unflushed == 2
        back.close()


def test_what_cannot_be_trusted_is_not_restored(kept, tmp_path):
    back_up_of(kept.city, tmp_path / "copy")
    victims = [*(tmp_path / "copy/home").rglob("*.parquet"), tmp_path / "copy/home/records.db"]
    for victim in victims:
        whole = victim.read_bytes()
        victim.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        error = refusal(lambda: restore(tmp_path / "copy", tmp_path / "new", actor="a"))
        assert (error.code, victim.name in str(error)) == ("copy-damaged", True)
        assert refusal(lambda: check_backup(tmp_path / "copy")).code == "copy-damaged"
        assert not (tmp_path / "new").exists()
        victim.unlink()
        assert "missing" in str(refusal(lambda: check_backup(tmp_path / "copy")).what.en)
        victim.write_bytes(whole)
    check_backup(tmp_path / "copy")
    about = json.loads((tmp_path / "copy/backup.json").read_text())
    (tmp_path / "copy/backup.json").unlink()
    assert refusal(lambda: check_backup(tmp_path / "copy")).code == "no-copy"
    about["datasets"]["stops"] = 1  # a list that was forged together with the record store is found too
    (tmp_path / "copy/backup.json").write_text(json.dumps(about))
    assert refusal(lambda: restore(tmp_path / "copy", tmp_path / "new", actor="a")).code == "copy-damaged"


def test_nothing_is_written_over(kept, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter").touch()
    assert refusal(lambda: back_up_of(kept.city, tmp_path / "full")).code == "target-not-empty"
    assert refusal(lambda: back_up_of(kept.city, kept.home / "copy")).code == "target-inside"
    back_up_of(kept.city, tmp_path / "copy")
    assert refusal(lambda: back_up_of(kept.city, tmp_path / "copy")).code == "target-not-empty"
    assert refusal(lambda: restore(tmp_path / "copy", kept.home, actor="a")).code == "target-not-empty"
    assert [one.name for one in (tmp_path / "full").iterdir()] == ["letter"]


def test_an_interrupted_backup_is_none_and_is_begun_anew(kept, tmp_path):
    class Killed(BaseException):
        pass

    def stop(name, _size):
        if name.endswith(".parquet"):
            shutil.copytree(tmp_path / "copy", tmp_path / "half")
            raise Killed

    with pytest.raises(Killed):
        back_up_of(kept.city, tmp_path / "copy", tell=stop)
    assert not (tmp_path / "copy").exists()
    assert refusal(lambda: check_backup(tmp_path / "half")).code == "no-copy"
    back_up_of(kept.city, tmp_path / "half")
    check_backup(tmp_path / "half")


def test_keys_go_where_it_was_said(kept, tmp_path):
    back_up_of(kept.city, tmp_path / "copy", keys=tmp_path / "safe")
    assert not list((tmp_path / "copy").rglob("*.pem"))
    assert refusal(lambda: restore(tmp_path / "copy", tmp_path / "new", actor="a")).code == "keys-undecided"
    with restored(tmp_path / "copy", tmp_path / "new", keys=tmp_path / "safe") as city:
        Sealer(city.records, city.home / "log", key_folder=key_folder_of(city.home)).seal_all()
    with (
        restored(tmp_path / "copy", tmp_path / "bare", keys="without") as city,
        pytest.raises(WrongKeyError),
    ):
        Sealer(city.records, city.home / "log", key_folder=key_folder_of(city.home))


def test_no_file_is_removed_while_it_is_copied(kept, tmp_path):
    refused = []

    def tell(name, _size):
        if name.endswith(".parquet") and not refused:
            with pytest.raises(BusyError) as caught, kept.city.lake.store.removing():
                pass
            refused.append(caught.value.code)

    back_up_of(kept.city, tmp_path / "copy", tell=tell)
    assert len(refused) == 1


def rows_of(url):
    engine = create_engine(url)
    with engine.connect() as connection:
        return {
            name: connection.exec_driver_sql(f'SELECT count(*) FROM "{name}"').scalar()
            for name in inspect(engine).get_table_names()
        }


def test_a_city_changes_between_the_kinds_of_record_store(records_url, postgres, tmp_path):
    kept = Kept(tmp_path, records_url)
    before = answers(kept.city)
    back_up_of(kept.city, tmp_path / "copy")
    kept.city.close()
    name = postgres.create()
    with restored(tmp_path / "copy", tmp_path / "new", records_url=postgres.url(name)) as city:
        assert answers(city) == before
        Sealer(city.records, city.home / "log", key_folder=key_folder_of(city.home)).seal_all()
        back_up_of(city, tmp_path / "again")
        with city.records.read() as session:
            events = session.scalar(select(func.count()).select_from(Event))
    with restored(tmp_path / "again", tmp_path / "home3") as city:
        assert answers(city) == before
        with city.records.read() as session:
            assert session.scalar(select(func.count()).select_from(Event)) == events
    postgres.drop(name)
