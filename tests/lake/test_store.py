"""Publishing: a reader sees the old version or the new one, whatever stops a writer, and wherever."""

from dataclasses import replace

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from sqlalchemy import select

from jingwei.access import local_person
from jingwei.lake import Lake
from jingwei.lake.errors import UnknownDatasetError
from jingwei.lake.models import IntentRow
from jingwei.lake.schemas import Content, Counts, Place
from jingwei.lake.store import Description
from jingwei.words import Text

ABOUT = Description("things", {"zh": "物", "en": "Things"}, "", "conditional", "daily")
ASKER = local_person()


class Crash(BaseException):
    """Stands for the power going out: no handler of the writer may run after it."""


def write(store, load, numbers):
    schema = pa.schema(
        [
            ("n", pa.int64()),
            ("jw_cell", pa.int64()),
            ("jw_level", pa.int8()),
            ("jw_source", pa.int16()),
            ("jw_row", pa.int64()),
        ]
    )
    count = len(numbers)
    columns = [numbers, [n << 40 for n in numbers], [32] * count, [0] * count, list(range(count))]
    table = pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema)
    reader = pa.RecordBatchReader.from_batches(schema, table.to_batches())
    store.write_facts(load, reader, ["jw_cell"], "Asia/Shanghai")
    cover = {"jw_fact": [0], "jw_role": [""], "jw_cell": [numbers[0]], "jw_level": [32]}
    store.write_table(load, "covers", pa.table(cover), "jw_cell")
    return Content(
        facts=load.files["facts"],
        covers=load.files["covers"],
        quarantine=[],
        delta={},
        places=[Place("", "point")],
        levels={"": [32]},
        geometry=None,
        time=False,
        name=None,
        keys=[],
        columns=[],
        counts=Counts(count, count, count, 0, 0),
        rules={},
        findings=[],
        bounds=None,
        period=None,
        sources=[],
        fingerprint=str(numbers),
        evidence=[],
        seconds=0.0,
    )


def publish(store, numbers):
    with store.writing(), store.load("things") as load:
        store.publish(load, ABOUT, write(store, load, numbers), actor="test")


def numbers_of(lake):
    version = lake.dataset(ASKER, "things").version
    return sorted(lake.reader.columns(version, ["n"])["n"].to_pylist())


@pytest.fixture
def lake(tmp_path, records):
    lake = Lake(tmp_path / "lake", records)
    yield lake
    lake.close()


def crash_at(monkeypatch, name):
    def crash(*_args, **_kwargs):
        raise Crash

    monkeypatch.setattr(f"jingwei.lake.store.{name}", crash)
    monkeypatch.setattr("jingwei.lake.store.Store._discard_quietly", lambda *_: None)


def test_a_version_is_published_with_its_delta_versions(lake):
    publish(lake.store, [3, 1, 2])
    version = lake.dataset(ASKER, "things").version
    assert version.number == 1
    assert version.content.delta == {"covers": 0, "facts": 0}
    assert numbers_of(lake) == [1, 2, 3]
    table = DeltaTable(str(lake.store.root / "things" / "facts"))
    assert table.version() == 0
    assert table.history(1)[0]["jw_intent"]


def test_what_is_told_of_a_dataset_is_as_new_as_its_record_however_little_changed(lake):
    publish(lake.store, [1, 2])
    assert lake.dataset(ASKER, "things").title.zh == "物"
    about = ABOUT
    for name, value in {
        "title": {"zh": "新物", "en": "Things"},
        "owner": "440305",
        "sharing": "unconditional",
        "update_cycle": "weekly",
        "level": 3,
    }.items():
        about = replace(about, **{name: value})
        lake.store.describe(about)
        told = getattr(lake.dataset(ASKER, "things"), name)
        assert told == (Text(**value) if name == "title" else value)
    publish(lake.store, [1, 2, 3])
    assert lake.dataset(ASKER, "things").version.number == 2
    lake.store.remove("things", actor="local")
    with pytest.raises(UnknownDatasetError):
        lake.dataset(ASKER, "things")


@pytest.mark.parametrize("step", ["_sync", "_commit", "_publish"])
def test_a_crash_leaves_the_old_version(lake, monkeypatch, step):
    publish(lake.store, [1, 2])
    with monkeypatch.context() as patch:
        crash_at(patch, step)
        with pytest.raises(Crash):
            publish(lake.store, [7, 8, 9])
    assert numbers_of(lake) == [1, 2]


def test_a_finished_load_is_completed_at_the_next_start(lake, monkeypatch):
    publish(lake.store, [1, 2])
    with monkeypatch.context() as patch:
        crash_at(patch, "_publish")
        with pytest.raises(Crash):
            publish(lake.store, [7, 8, 9])
    assert lake.store.recover() == [("things", "published")]
    assert numbers_of(lake) == [7, 8, 9]
    assert lake.dataset(ASKER, "things").version.number == 2


@pytest.mark.parametrize("tables", [0, 1])
def test_an_unfinished_load_is_discarded_at_the_next_start(lake, monkeypatch, tables):
    import jingwei.lake.store as module

    publish(lake.store, [1, 2])
    commit, done = module._commit, []

    def commit_some(load, name):
        if len(done) == tables:
            raise Crash
        done.append(name)
        return commit(load, name)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_commit", commit_some)
        patch.setattr(module.Store, "_discard_quietly", lambda *_: None)
        with pytest.raises(Crash):
            publish(lake.store, [7, 8, 9])
    assert lake.store.recover() == [("things", "discarded")]
    assert numbers_of(lake) == [1, 2]
    for name in ("facts", "covers"):
        folder = lake.store.root / "things" / name
        newest = {path.split("/")[-1] for path in DeltaTable(str(folder)).file_uris()}
        assert newest == {path.name for path in folder.glob("*.parquet")}
    publish(lake.store, [4])
    assert numbers_of(lake) == [4]


def test_a_first_load_that_crashes_leaves_no_table(lake, monkeypatch):
    with monkeypatch.context() as patch:
        crash_at(patch, "_sync")
        with pytest.raises(Crash):
            publish(lake.store, [7])
    lake.store.recover()
    assert lake.datasets(ASKER) == []
    assert list((lake.store.root / "things").rglob("*.parquet")) == []


def test_an_error_discards_at_once(lake):
    def fail() -> None:
        with lake.store.writing(), lake.store.load("things") as load:
            write(lake.store, load, [1])
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    with lake.records.read() as session:
        assert [row.state for row in session.scalars(select(IntentRow))] == ["discarded"]
    assert list((lake.store.root / "things").rglob("*.parquet")) == []


def test_old_versions_stay_readable_by_anyone_through_delta(lake):
    publish(lake.store, [1])
    publish(lake.store, [2, 3])
    folder = str(lake.store.root / "things" / "facts")
    import duckdb

    for version, numbers in ((0, [1]), (1, [2, 3])):
        files = DeltaTable(folder, version=version).file_uris()
        found = duckdb.sql(
            "SELECT n FROM read_parquet($files) ORDER BY n", params={"files": files}
        ).fetchall()
        assert [n for (n,) in found] == numbers


def test_dense_days_are_kept_in_files_of_their_own(lake, monkeypatch):
    import jingwei.lake.store as module

    monkeypatch.setattr(module, "DENSE_ROWS_PER_DAY", 3)
    hour = 3_600_000_000
    # 16:00 UTC is midnight in Shanghai: the days are the city's, not UTC's.
    times = [hour * (10 + n) for n in range(12)]
    schema = pa.schema(
        [
            ("jw_cell", pa.int64()),
            ("jw_level", pa.int8()),
            ("jw_time", pa.timestamp("us", "UTC")),
            ("jw_source", pa.int16()),
            ("jw_row", pa.int64()),
        ]
    )
    table = pa.table(
        [
            list(range(12, 0, -1)),
            [32] * 12,
            pa.array(times).cast(pa.timestamp("us", "UTC")),
            [0] * 12,
            list(range(12)),
        ],
        schema=schema,
    )
    with lake.store.writing(), lake.store.load("things") as load:
        reader = pa.RecordBatchReader.from_batches(schema, table.to_batches())
        lake.store.write_facts(load, reader, ["jw_cell"], "Asia/Shanghai")
        assert [(file.path.split("/")[0], file.rows) for file in load.files["facts"]] == [
            ("jw_day=1970-01-01", 6),
            ("jw_day=1970-01-02", 6),
        ]
        assert [file.groups[0].first for file in load.files["facts"]] == [0, 6]
        content = Content(
            **{
                **{name: getattr(write_nothing(), name) for name in Content.__slots__},
                "facts": load.files["facts"],
            }
        )
        lake.store.publish(load, ABOUT, content, actor="test")
    folder = str(lake.store.root / "things" / "facts")
    assert DeltaTable(folder).metadata().partition_columns == ["jw_day"]
    version = lake.dataset(ASKER, "things").version
    assert lake.reader.columns(version, ["jw_fact"])["jw_fact"].to_pylist() == list(range(12))


def write_nothing():
    return Content(
        facts=[],
        covers=[],
        quarantine=[],
        delta={},
        places=[Place("", "point")],
        levels={"": [32]},
        geometry=None,
        time=True,
        name=None,
        keys=[],
        columns=[],
        counts=Counts(),
        rules={},
        findings=[],
        bounds=None,
        period=None,
        sources=[],
        fingerprint="",
        evidence=[],
        seconds=0.0,
    )
