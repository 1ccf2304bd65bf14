"""Opening the record store: engine, sessions, migrations."""

from __future__ import annotations

import errno
import re
import select
import sqlite3
import threading
import time
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import Connection, Dialect, Engine, create_engine, event, exc, inspect
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from jingwei.records.durable import Together
from jingwei.records.errors import BadRecordsUrlError, RecordsUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import ClauseElement

    from jingwei.records.prepared import Prepared

MIGRATIONS = Path(__file__).parent / "migrations"
WRITER_CACHE = 65_536
"""KiB of pages that the one connection that writes to SQLite keeps; a reader keeps SQLite's 2 MiB."""


TRUSTED_IDLE = 30.0
"""Seconds after which a connection to PostgreSQL that nobody used is asked whether it still stands."""


AFTER_COMMIT = "jingwei_after_commit"
"""Under this a session notes what is called once it is committed, each once, in the order of asking."""


class Writing(Session):
    """A session within the transaction of a connection, which commits for it.

    Parameters
    ----------
    line
        A connection whose driver has begun a transaction. The engine is told of it once it is asked to do
        something: an event told to the driver itself never pays for that.

    """

    def __init__(self, line: Connection) -> None:
        super().__init__(line, expire_on_commit=False)
        self._line = line

    def connection(self, *args: Any, **named: Any) -> Connection:
        """Return the connection; who asks for no more is spared the session's book-keeping."""
        return super().connection(*args, **named) if self.in_transaction() else self._line

    def get_bind(self, *args: Any, **named: Any) -> Engine | Connection:
        """Return the connection, with a transaction that the session joins and does not end."""
        if not self._line.in_transaction():
            self._line.begin()
        return super().get_bind(*args, **named)


def after_commit(session: Session, call: Callable[[], object]) -> None:
    """Have `call` called once what `Records.write` yielded as `session` is committed."""
    session.info.setdefault(AFTER_COMMIT, {})[call] = None


class Records:
    """An open record store. `read()` and `write()` give sessions; a write is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(jingwei_write=True)
        # SQLite lets one write at a time and has the others look again after growing pauses; threads of one
        # process wait in a queue of their own, which wakes them at once.
        one_at_a_time = engine.dialect.name == "sqlite"
        self.turn: AbstractContextManager[Any] = threading.RLock() if one_at_a_time else nullcontext()
        # Who has the turn writes over one connection that stays open: to take one from the pool, and to
        # give it back clean, costs as much as what is written.
        self._keeps_line = one_at_a_time and bool(engine.url.database)
        self.one_line: Connection | None = None
        self._raw: Any = None  # its driver
        # Its commits become durable after the turn has passed on: one sync for all who wait by then.
        self.together: Together | None = None
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

    def write(self) -> AbstractContextManager[Session]:
        """Yield a session whose changes are committed together, or not at all after an error."""
        return _Write(self)

    def line(self) -> Connection:
        """Return over what to write; to be asked by who has the turn, who closes what is not `one_line`."""
        if self.one_line is None and self._keeps_line:
            self._open_line()
        if self.together is not None and self.together.failed:
            self._carry(self.together)
        # A write within a write of the same thread is a mistake, which the wait of another connection shows.
        if self.one_line is not None and not self._raw.in_transaction:
            return self.one_line
        return self._writer.connect()

    def _open_line(self) -> None:
        self.one_line = self._writer.connect()
        self._raw = raw = cast("Any", self.one_line.connection.driver_connection)
        self.one_line.rollback()
        raw.execute(f"PRAGMA cache_size=-{WRITER_CACHE}")
        log = Path(raw.execute("PRAGMA database_list").fetchone()[2] + "-wal")
        if log.exists():
            together = Together(log)
            raw.execute("PRAGMA synchronous=NORMAL")
            self.together = together

    def _carry(self, together: Together) -> None:
        """Carry the log into the database after the disk did not take it, before anything more is written."""
        line = self.one_line
        if line is None or line.in_transaction():
            return  # a write within a write, which will not get the lock either
        raw: Any = line.connection.driver_connection
        busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise OSError(errno.EIO, "the disk did not take what was committed, and others still read it")
        together.carried()

    def _close_line(self) -> None:
        if self.together is not None:
            self.together.close()
            self.together = None
        if self.one_line is not None:
            self.one_line.close()
            self.one_line = None

    def hang_up(self, line: Connection, *, committed: bool) -> None:
        """Give back what `line` gave."""
        if not committed:
            # The engine takes a commit that failed for the end of the transaction; SQLite does not. Where the
            # connection itself was lost there is nothing to undo, and the first error is the one to tell.
            with suppress(Exception):
                line.connection.rollback()
        if line is not self.one_line:
            line.close()
        elif line.get_transaction() is not None or self._raw.in_transaction:
            self._close_line()

    def forget(self) -> bool:
        """Empty the log of writes, so that what was deleted is in no file; say whether readers let it happen.

        PostgreSQL keeps its log as its own administrators say.
        """
        if self.engine.dialect.name != "sqlite":
            return False
        with self.engine.connect() as line:
            line.rollback()
            raw: Any = line.connection.driver_connection
            busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def state(self) -> int | None:
        """Return a number that is another one after any program has changed anything in the store.

        A connection of its own asks SQLite in some microseconds. `None` where that cannot be told so
        cheaply (PostgreSQL, a store in memory).
        """
        if self.engine.dialect.name != "sqlite" or not self.engine.url.database:
            return None
        with self._watching:
            return int(self._watcher().execute("PRAGMA data_version").fetchone()[0])

    def told(self, question: Prepared) -> list[tuple[Any, ...]]:
        """Return what a small question is answered at this moment, by the connection that `state` asks."""
        with self._watching:
            return question.of(self.engine.dialect).rows(self._watcher(), {})

    def _watcher(self) -> sqlite3.Connection:
        if self._watch is None:
            self._watch = sqlite3.connect(str(self.engine.url.database), check_same_thread=False)
        return self._watch

    def close(self) -> None:
        """Close all connections."""
        with self.turn:
            self._close_line()
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self.engine.dispose()


class _Write(AbstractContextManager[Session]):
    """A write, once: written out where context managers within each other would take half its time."""

    __slots__ = ("_before", "_line", "_number", "_raw", "_records", "_session", "_together")

    def __init__(self, records: Records) -> None:
        self._records = records
        self._number = 0

    def __enter__(self) -> Session:
        self._records.turn.__enter__()
        try:
            self._line = self._records.line()
            try:
                self._begin()
                self._session = Writing(self._line)
            except BaseException:
                self._records.hang_up(self._line, committed=False)
                raise
        except BaseException:
            self._records.turn.__exit__(None, None, None)
            raise
        return self._session

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._end(commit=error is None)
        finally:
            self._records.turn.__exit__(None, None, None)
        if error is None:
            if self._together is not None and self._number:
                self._together.until_durable(self._number)
            for call in self._session.info.get(AFTER_COMMIT, ()):
                call()

    def _begin(self) -> None:
        """Begin; on the line that stays open by telling its driver alone: the engine costs as much again."""
        self._together: Together | None = None
        self._raw: Any = None
        if self._line is self._records.one_line:
            self._together = self._records.together
            self._raw = cast("Any", self._line.connection.driver_connection)
            self._raw.execute("BEGIN IMMEDIATE")
        else:
            self._line.begin()
        self._before = self._changes()

    def _changes(self) -> int:
        """Return how many rows the line has changed since it was opened; only `upgrade` changes tables."""
        return 0 if self._together is None else int(self._raw.total_changes)

    def _end(self, *, commit: bool) -> None:
        session, line, committed = self._session, self._line, False
        try:
            # The session's own transaction lies within the line's, and flushes: the line commits.
            if session.in_transaction():
                with session:
                    if commit:
                        session.commit()
            if commit:
                if self._raw is not None and not line.in_transaction():
                    self._raw.execute("COMMIT")
                else:
                    line.commit()
                committed = True
                if self._together is not None and self._changes() != self._before:
                    self._number = self._together.written()
            elif line.in_transaction():
                line.rollback()
        finally:
            self._records.hang_up(line, committed=committed)


def open_records(url: str, *, migrate: bool = True) -> Records:
    """Open the record store at a SQLAlchemy URL and bring its tables to the newest form.

    Parameters
    ----------
    url
        `sqlite:////path/records.db` or `postgresql+psycopg://...`.
    migrate
        Apply outstanding migrations first.

    Raises
    ------
    BadRecordsUrlError
        If the URL is none, or of another kind of database.
    RecordsUnreachableError
        If the server does not answer, or lets nobody in by this name.

    """
    # Errors name the statement, not the values: those may be secrets, and errors end in logs.
    try:
        engine = create_engine(url, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise BadRecordsUrlError from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    elif engine.driver == "psycopg":
        _check_connections(engine)
        _check_reached(engine)
    else:
        raise BadRecordsUrlError
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
        cursor.execute("PRAGMA secure_delete=ON")  # what is erased is overwritten, whoever built SQLite
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        # A deferred transaction that turns into a writer fails at once when another writes;
        # an immediate one waits.
        write = connection.get_execution_options().get("jingwei_write")
        # Told to the driver itself: through the engine a statement costs ten times what it does.
        driver = connection.connection.driver_connection
        if not driver.in_transaction:  # as it is where `Records.write` has begun one
            driver.execute("BEGIN IMMEDIATE" if write else "BEGIN")


def _check_reached(engine: Engine) -> None:
    """Connect once, so that who opens a store hears at once, and in words, why it cannot be."""
    try:
        engine.connect().close()
    except OperationalError as error:
        place = engine.url.render_as_string(hide_password=True)
        raise RecordsUnreachableError(place, str(error.orig).strip()) from error


def _check_connections(engine: Engine) -> None:
    """Let nobody be given a connection that the server has ended.

    A server that ends a connection says so in its socket, which is looked at without asking the server; a
    network in between may drop one silently, so that one that nobody used for a while is asked.
    """

    @event.listens_for(engine, "checkin")
    def on_checkin(_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def on_checkout(connection: Any, record: Any, _proxy: Any) -> None:
        used = record.info.pop("used", None)
        if used is None or connection is None:
            return
        heard = connection.closed or _has_heard(connection.fileno())
        idle = time.monotonic() - used > TRUSTED_IDLE
        if (heard or idle) and not _stands(engine.dialect, connection):
            raise exc.InvalidatePoolError


def _has_heard(socket: int) -> bool:
    """Say whether something waits to be read; `poll` knows sockets of any number."""
    watch = select.poll()
    watch.register(socket, select.POLLIN)
    return bool(watch.poll(0))


def _stands(dialect: Dialect, connection: Any) -> bool:
    try:
        return bool(dialect.do_ping(connection))
    except Exception:  # noqa: BLE001 -- whatever it is, the connection is of no use
        return False


class Statement(NamedTuple):
    """What `driver_text` gave, with its values by place."""

    text: str
    values: tuple[Any, ...] = ()


def driver_text(statement: ClauseElement, dialect: Dialect, names: tuple[str, ...]) -> str:
    """Return a statement as the driver understands it, with its values by place, in the order of `names`."""
    make: Any = type(dialect)
    compiled: Any = statement.compile(
        dialect=make(paramstyle="qmark" if dialect.name == "sqlite" else "format")
    )
    if tuple(compiled.positiontup or ()) != names:
        msg = f"the values of a statement go in another order: {compiled.positiontup}"
        raise TypeError(msg)
    return str(compiled)


def insert(connection: Connection, statement: str, values: tuple[Any, ...]) -> int:
    """Insert a row by what `driver_text` gave; return its number. On PostgreSQL the statement returns it."""
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection.driver_connection
        return int(raw.execute(statement, values).lastrowid)
    return int(connection.exec_driver_sql(statement, values).scalar_one())


def run(connection: Connection, statement: str, values: tuple[Any, ...]) -> list[Any]:
    """Run what `driver_text` gave within the connection's transaction; return its rows.

    For what is asked thousands of times a second. The driver is asked itself, where the engine
    would cost three times what the statement does; its errors are then those of the driver.
    """
    raw: Any = connection.connection.driver_connection
    return list(raw.execute(statement, values).fetchall())


def run_as_one(connection: Connection, statements: Sequence[Statement]) -> int:
    """Run statements that write to different tables; return how many rows the last one touched.

    To PostgreSQL they go as one, so that they cost one exchange with the server. They do not see what the
    others write. Errors are those of the driver.
    """
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return int([raw.execute(*one) for one in statements][-1].rowcount)
    *others, last = statements
    parts = ", ".join(f"_{number} AS ({one.text})" for number, one in enumerate(others))
    text = f"WITH {parts} {last.text}" if others else last.text
    return int(raw.execute(text, sum((one.values for one in statements), ())).rowcount)


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
    """Return the revision that no other follows: it need not have the greatest number."""
    told = [path.read_text("utf-8") for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py")]
    own, before = (
        {found[1] for text in told if (found := re.search(rf'^{name} = "(.+)"$', text, re.MULTILINE))}
        for name in ("revision", "down_revision")
    )
    (newest,) = own - before
    return newest


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
