"""Opening the record store: engine, sessions, migrations."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

MIGRATIONS = Path(__file__).parent / "migrations"


class Records:
    """An open record store. `read()` and `write()` give sessions; a write is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(jingwei_write=True)
        # SQLite lets one write at a time and has the others look again after growing pauses; threads of one
        # process wait in a queue of their own, which wakes them at once.
        one_at_a_time = engine.dialect.name == "sqlite"
        self._turn: AbstractContextManager[Any] = threading.RLock() if one_at_a_time else nullcontext()
        self._watch: sqlite3.Connection | None = None
        self._watching = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session that sees one consistent state and changes nothing."""
        with Session(self.engine, expire_on_commit=False) as session:
            try:
                yield session
            finally:
                session.expunge_all()  # a rollback would empty what was read
                session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session whose changes are committed together, or not at all after an error."""
        with self._turn, Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def state(self) -> int | None:
        """Return a number that is another one after any program has changed anything in the store.

        A connection of its own asks SQLite in some microseconds. `None` where that cannot be told so
        cheaply (PostgreSQL, a store in memory).
        """
        if self.engine.dialect.name != "sqlite" or not self.engine.url.database:
            return None
        with self._watching:
            if self._watch is None:
                self._watch = sqlite3.connect(self.engine.url.database, check_same_thread=False)
            return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close all connections."""
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self.engine.dispose()


def open_records(url: str, *, migrate: bool = True) -> Records:
    """Open the record store at a SQLAlchemy URL and bring its tables to the newest form.

    Parameters
    ----------
    url
        `sqlite:////path/records.db` or `postgresql+psycopg://...`.
    migrate
        Apply outstanding migrations first.

    """
    # Errors name the statement, not the values: those may be secrets, and errors end in logs.
    engine = create_engine(url, pool_pre_ping=url.startswith("postgresql"), hide_parameters=True)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    records = Records(engine)
    if migrate:
        upgrade(engine)
    return records


def _prepare_sqlite(engine: Engine) -> None:
    """Set WAL, full durability and foreign keys, and let writers queue instead of failing half-way."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, see on_begin
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        # A deferred transaction that turns into a writer fails at once when another writes;
        # an immediate one waits.
        write = connection.get_execution_options().get("jingwei_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def upgrade(engine: Engine, to: str = "head") -> None:
    """Bring the tables of a database to the form of a revision; all of it happens, or nothing."""
    with engine.connect() as connection:
        if _revision(connection) == newest_revision():
            return
    from alembic import command  # a fifth of a start: only where there is something to do
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _without_foreign_keys(engine) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(
                "SELECT pg_advisory_xact_lock(7461)"
            )  # two processes may start at once
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        if engine.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"a migration left rows that refer to nothing: {broken[:3]}")


def newest_revision() -> str:
    """Return the revision that the newest migration makes: the number that its file's name begins with."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _revision(connection: Connection) -> str | None:
    """Return the revision of a database's tables; `None` where there are none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


@contextmanager
def _without_foreign_keys(engine: Engine) -> Iterator[Connection]:
    """Yield a connection whose SQLite does not refuse that a table others refer to is built anew."""
    with engine.execution_options(jingwei_write=True).connect() as connection:
        raw: Any = connection.connection.driver_connection
        if engine.dialect.name == "sqlite":
            raw.execute("PRAGMA foreign_keys=OFF")  # SQLite heeds this only outside a transaction
        try:
            yield connection
        finally:
            if engine.dialect.name == "sqlite":
                raw.execute("PRAGMA foreign_keys=ON")
