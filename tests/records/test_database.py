"""The record store opens, migrates and keeps transactions whole."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import jingwei.ledger.models  # noqa: F401
from jingwei import ledger
from jingwei.records import Base, open_records


@pytest.fixture
def records(tmp_path):
    records = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    yield records
    records.close()


def test_migrations_give_exactly_the_declared_tables(records):
    with records.engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert difference == []


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
