"""The whole record store as files: a copy of SQLite's own, or rows as JSON lines that either kind reads.

In JSON lines a row is an object of its columns; what is NULL is left out, bytes are base64, times are in
UTC, and a JSON column stands as it is (`null` there is JSON's, not SQL's).
"""

from __future__ import annotations

import base64
import json
import sqlite3
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    Connection,
    Date,
    DateTime,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    insert,
    inspect,
    select,
    text,
    type_coerce,
)
from sqlalchemy.orm import Session

from jingwei.records.database import _revision, _without_foreign_keys, open_records, upgrade

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import ColumnElement

    from jingwei.records.database import Records

AT_ONCE = 1_000
"""Rows that are read or written together."""
OF_MIGRATIONS = "alembic_version"
FILE = "records.db"
FOLDER = "records"


@contextmanager
def snapshot(records: Records, folder: Path) -> Iterator[Session]:
    """Write the record store as it is at one moment into `folder`; yield a session that sees that moment.

    Of SQLite it becomes the file `records.db`, by SQLite's backup API; of PostgreSQL a folder `records` of
    JSON lines, read within one transaction (REPEATABLE READ). Writers need not wait.
    """
    if records.engine.dialect.name == "sqlite":
        path = folder / FILE
        _copy_sqlite(str(records.engine.url.database), path)
        copied = open_records(f"sqlite:///{path}", migrate=False)
        try:
            with copied.read() as session:
                yield session
        finally:
            copied.close()
            _as_one_file(path)
        return
    with one_moment(records.engine) as connection:
        dump(connection, folder / FOLDER)
        with Session(connection) as session:
            yield session


@contextmanager
def one_moment(engine: Engine) -> Iterator[Connection]:
    """Yield a connection all of whose questions see one moment."""
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def _copy_sqlite(source: str, target: Path) -> None:
    # All pages at once: one read transaction, which in WAL keeps no writer waiting.
    reading, writing = sqlite3.connect(source), sqlite3.connect(target)
    try:
        reading.backup(writing, pages=-1)
    finally:
        writing.close()
        reading.close()
    target.chmod(0o600)


def _as_one_file(path: Path) -> None:
    """Leave a SQLite database without the files that accompany it in WAL."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()


def revision_of(connection: Connection) -> str | None:
    """Return which migration brought the tables to their form."""
    return _revision(connection)


def is_empty(engine: Engine) -> bool:
    """Say whether a database holds no table."""
    return not inspect(engine).get_table_names()


def dump(
    connection: Connection,
    folder: Path,
    *,
    leave_out: Collection[str] = (),
    only: Mapping[str, Callable[[Table], ColumnElement[bool]]] | None = None,
) -> dict[str, int]:
    """Write every table as `TABLE.jsonl`, in the order of its key; return the rows of each.

    Parameters
    ----------
    connection
        To what is dumped, within a transaction that sees one moment.
    folder
        Where the files go; it is made.
    leave_out
        Tables that are not written.
    only
        Of some tables, which rows.

    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    counts = {}
    for table in _tables(connection):
        if table.name in leave_out:
            continue
        question = select(*(_read(column, connection) for column in table.columns))
        question = question.order_by(*table.primary_key.columns)
        if only and table.name in only:
            question = question.where(only[table.name](table))
        rows = connection.execution_options(yield_per=AT_ONCE).execute(question)
        counts[table.name] = 0
        with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as file:
            for row in rows:
                told = {
                    column.name: _told(column.type, value)
                    for column, value in zip(table.columns, row, strict=True)
                    if value is not None
                }
                file.write(json.dumps(told, ensure_ascii=False) + "\n")
                counts[table.name] += 1
    return counts


def load(engine: Engine, folder: Path, revision: str) -> dict[str, int]:
    """Fill an empty database with what `dump` wrote, then bring it to the newest form.

    Parameters
    ----------
    engine
        Of the database.
    folder
        Of the files.
    revision
        The migration that the dumped tables had.

    """
    upgrade(engine, revision)
    counts = {}
    with _without_foreign_keys(engine) as connection, connection.begin():
        tables = _tables(connection)
        with _constraints_later(connection):
            for table in reversed(tables):  # what migrations put there stands in the files too
                connection.execute(delete(table))
            for table in tables:
                path = folder / f"{table.name}.jsonl"
                counts[table.name] = _fill(connection, table, path) if path.is_file() else 0
        _count_on(connection, tables)
        if engine.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise ValueError(f"rows refer to nothing: {broken[:3]}")
    upgrade(engine)
    return counts


def _tables(connection: Connection) -> list[Table]:
    """Return the tables as the database has them, those first that others refer to."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != OF_MIGRATIONS]


def _fill(connection: Connection, table: Table, path: Path) -> int:
    jsonb = connection.dialect.name == "postgresql"
    values: dict[str, Any] = {}
    for column in table.columns:
        if isinstance(column.type, JSON):
            said = bindparam(column.name, type_=Text())
            values[column.name] = cast(said, column.type) if jsonb else said
        else:
            values[column.name] = bindparam(column.name)
    statement = insert(table).values(values)
    count = 0
    waiting: list[dict[str, Any]] = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            told = json.loads(line)
            waiting.append(
                {
                    column.name: _value(column.type, told[column.name]) if column.name in told else None
                    for column in table.columns
                }
            )
            count += 1
            if len(waiting) == AT_ONCE:
                connection.execute(statement, waiting)
                waiting = []
    if waiting:
        connection.execute(statement, waiting)
    return count


def _read(column: Any, connection: Connection) -> Any:
    """Return how a column is asked for: JSON as its text, so that NULL and `null` stay apart."""
    if isinstance(column.type, JSON):
        as_text = cast if connection.dialect.name == "postgresql" else type_coerce
        return as_text(column, Text()).label(column.name)
    return column


def _told(type_: Any, value: Any) -> Any:
    if isinstance(type_, JSON):
        return json.loads(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _value(type_: Any, told: Any) -> Any:
    if isinstance(type_, JSON):
        return json.dumps(told)
    if isinstance(type_, LargeBinary):
        return base64.b64decode(told)
    if isinstance(type_, DateTime):
        moment = datetime.fromisoformat(told)
        return moment if type_.timezone else moment.replace(tzinfo=None)
    return date.fromisoformat(told) if isinstance(type_, Date) else told


@contextmanager
def _constraints_later(connection: Connection) -> Iterator[None]:
    """Check on PostgreSQL what refers to what once all rows are there: a table may refer to itself."""
    if connection.dialect.name != "postgresql":
        yield
        return
    found = connection.execute(
        text(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
        )
    ).all()
    for table, name, _ in found:
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    yield
    for table, name, definition in found:
        connection.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"))


def _count_on(connection: Connection, tables: list[Table]) -> None:
    """Have PostgreSQL's counters go on behind the numbers that are there."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        for column in table.primary_key.columns:
            named = {"t": f'"{table.name}"', "c": column.name}
            sequence = connection.execute(text("SELECT pg_get_serial_sequence(:t, :c)"), named).scalar()
            if sequence:
                highest = f'SELECT max("{column.name}") FROM "{table.name}"'
                connection.execute(text(f"SELECT setval('{sequence}', coalesce(({highest}), 0) + 1, false)"))
