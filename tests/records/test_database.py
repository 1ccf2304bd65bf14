"""The record store opens, migrates and keeps transactions whole."""

import importlib
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import jingwei
from jingwei import ledger
from jingwei.records import Base, open_records
from jingwei.words import Text

ledger.declare(
    "test.done", Text("测试", "Tested"), subject="s", fields={"n": ledger.Field(int, Text("数", "number"))}
)


def test_migrations_give_exactly_the_declared_tables(records_url):
    for models in Path(jingwei.__file__).parent.glob("*/models.py"):
        importlib.import_module(f"jingwei.{models.parent.name}.models")
    records = open_records(records_url)
    with records.engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    records.close()
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
