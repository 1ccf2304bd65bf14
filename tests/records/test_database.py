"""The record store opens, migrates and keeps transactions whole."""

import importlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import jingwei
from jingwei import ledger
from jingwei.records import Base, open_records
from jingwei.records.database import Statement, after_commit, newest_revision, run_as_one, upgrade
from jingwei.words import Text

ledger.declare(
    "test.done", Text("测试", "Tested"), subject="s", fields={"n": ledger.Field(int, Text("数", "number"))}
)


def test_migrations_give_exactly_the_declared_tables(records_url):
    root = Path(jingwei.__file__).parent.parent
    for models in root.rglob("models.py"):
        importlib.import_module(".".join(models.relative_to(root).with_suffix("").parts))
    records = open_records(records_url)
    with records.engine.connect() as connection:
        migrations = MigrationContext.configure(connection)
        difference = compare_metadata(migrations, Base.metadata)
        assert migrations.get_current_revision() == newest_revision()
    records.close()
    assert difference == []


def test_a_city_loaded_before_a_migration_keeps_its_datasets(records_url):
    records = open_records(records_url, migrate=False)
    upgrade(records.engine, "0010")
    tables = sa.MetaData()
    tables.reflect(records.engine)
    now = datetime(2026, 11, 1, tzinfo=UTC)
    with records.write() as session:
        for name, row in {
            "intent": {"id": "i", "dataset": "d", "state": "published", "opened": now, "content": {}},
            "dataset": {
                "id": "d",
                "title": {"zh": "物"},
                "owner": "",
                "sharing": "open",
                "update_cycle": "daily",
                "position": 0,
                "state": "published",
                "changed": now,
                "current": 1,
            },
            "dataset_version": {"dataset": "d", "number": 1, "published": now, "intent": "i", "content": {}},
        }.items():
            session.execute(tables.tables[name].insert().values(row))
    records.close()
    records = open_records(records_url)
    with records.read() as session:
        assert session.execute(sa.text("SELECT id, level FROM dataset")).all() == [("d", 4)]
        assert session.execute(sa.text("SELECT dataset FROM dataset_version")).all() == [("d",)]
    with pytest.raises(sa.exc.IntegrityError), records.write() as session:
        session.execute(sa.text("DELETE FROM dataset"))
    records.close()


def test_an_error_leaves_nothing_behind(records):
    def append_then_fail() -> None:
        with records.write() as session:
            ledger.append(session, "test.done", actor="a", subject="s", data={"n": 1})
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        append_then_fail()
    with records.read() as session:
        assert ledger.events_of(session, "s") == []
    with records.write() as session:
        ledger.append(session, "test.done", actor="a", subject="s", data={"n": 2})
    with records.read() as session:
        assert [event.data for event in ledger.events_of(session, "s")] == [{"n": 2}]


def test_what_is_undone_within_a_write_takes_its_events_with_it(records):
    def append_then_fail(session, n) -> None:
        with session.begin_nested():
            ledger.append(session, "test.done", actor="a", subject="s", data={"n": n})
            raise RuntimeError

    with records.write() as session:
        ledger.append(session, "test.done", actor="a", subject="s", data={"n": 1})
        with pytest.raises(RuntimeError):
            append_then_fail(session, 2)
        ledger.append(session, "test.done", actor="a", subject="s", data={"n": 3})
    with records.read() as session:
        assert [event.data["n"] for event in ledger.events_of(session, "s")] == [3, 1]


def test_what_is_to_follow_a_commit_follows_it_alone(records):
    seen = []

    def look() -> None:
        with records.read() as session:
            seen.append([event.data["n"] for event in ledger.events_of(session, "s")])

    def write(n: int, *, fails: bool) -> None:
        with records.write() as session:
            after_commit(session, look)
            after_commit(session, look)
            ledger.append(session, "test.done", actor="a", subject="s", data={"n": n})
            if fails:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        write(1, fails=True)
    assert seen == []
    write(2, fails=False)
    assert seen == [[2]]


def test_threads_write_one_after_another(records):
    def write(n: int) -> None:
        with records.write() as session:
            ledger.append(session, "test.done", actor="a", subject="s", data={"n": n})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    with records.read() as session:
        assert {event.data["n"] for event in ledger.events_of(session, "s")} == set(range(40))


def test_a_commit_that_fails_is_undone_and_the_next_write_is_whole(records):
    with records.write() as session:
        session.execute(sa.text("CREATE TABLE whole (id INTEGER PRIMARY KEY)"))
        session.execute(
            sa.text("CREATE TABLE part (id INTEGER REFERENCES whole (id) DEFERRABLE INITIALLY DEFERRED)")
        )
    for with_orm in (False, True):
        with pytest.raises(sa.exc.IntegrityError), records.write() as session:
            (session if with_orm else session.connection()).execute(sa.text("INSERT INTO part VALUES (7)"))
    with records.write() as session:
        session.execute(sa.text("INSERT INTO whole VALUES (1)"))
    with records.read() as session:
        assert session.execute(sa.text("SELECT count(*) FROM whole")).scalar_one() == 1
        assert session.execute(sa.text("SELECT count(*) FROM part")).scalar_one() == 0


def test_statements_that_run_as_one_are_undone_as_one(records):
    with records.write() as session:
        session.execute(sa.text("CREATE TABLE one (id INTEGER PRIMARY KEY)"))
        session.execute(sa.text("CREATE TABLE other (id INTEGER PRIMARY KEY)"))
    place = "?" if records.engine.dialect.name == "sqlite" else "%s"
    both = [Statement(f"INSERT INTO {name} VALUES ({place})", (7,)) for name in ("one", "other")]
    with records.write() as session:
        assert run_as_one(session.connection(), both[1:]) == 1
    with pytest.raises(Exception, match=r"(?i)unique"), records.write() as session:
        run_as_one(session.connection(), both)
    with records.read() as session:
        assert session.execute(sa.text("SELECT count(*) FROM one")).scalar_one() == 0


@pytest.mark.postgres
def test_a_connection_that_the_server_ended_is_not_given_to_anybody(postgres):
    name = postgres.create()
    records, other = open_records(postgres.url(name)), open_records(postgres.url(name), migrate=False)
    with records.read() as session:
        ended = session.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    with other.read() as session:
        session.execute(sa.text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": ended})
    with records.write() as session:
        assert session.execute(sa.text("SELECT pg_backend_pid()")).scalar_one() != ended
    for one in (records, other):
        one.close()
    postgres.drop(name)


@pytest.mark.postgres
def test_a_database_lent_again_is_empty_and_as_it_was_migrated(postgres, migrated_postgres):
    """What the tests themselves rest on: none finds what another left."""
    with postgres.lent(migrated_postgres) as first:
        opened = open_records(postgres.url(first), migrate=False)
        with opened.write() as session:
            assert ledger.append(session, "test.done", actor="a", subject="s", data={"n": 1}) == 1
    with postgres.lent(migrated_postgres) as second:
        assert second == first
        again = open_records(postgres.url(second), migrate=False)
        with again.write() as session:
            assert ledger.append(session, "test.done", actor="a", subject="s", data={"n": 1}) == 1
            session.execute(sa.text("ALTER TABLE event ADD COLUMN more integer"))
    with postgres.lent(migrated_postgres) as third:
        assert third != second
