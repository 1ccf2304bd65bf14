"""What all tests share."""

import gc
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from jingwei.access import passwords
from jingwei.records import open_records

# How long an example takes is told by the machine's other work, and by what is compiled at the first call.
settings.register_profile("jingwei", deadline=None)
settings.load_profile("jingwei")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def pytest_collection_finish() -> None:
    """Let what was imported and collected, which stays until the end, be looked at no more for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real public data; a test that needs it skips where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the public data of ../shared/data is not on this machine")
    return SHARED / "data"


@pytest.fixture(scope="session", autouse=True)
def cheap_hashing():
    """argon2id at its least cost: the rules are the same, the waiting is not."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    kept = hasher.hash("nobody")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: hasher)
        patch.setattr(passwords, "_nobody", lambda: kept)
        yield


TASKS = Path("/proc/self/task")
MOST_LEFT, PATIENCE = 100, 15
"""Threads that a module of tests may leave running (those of libraries, and of what the session shares), and
seconds within which others end: libraries keep some that have nothing to do for ten.
"""


def _threads() -> Counter[str]:
    """Count the threads of this process by their names."""
    names: Counter[str] = Counter()
    for task in TASKS.iterdir():
        try:
            names[(task / "comm").read_text().strip()] += 1
        except OSError:  # it ended meanwhile
            continue
    return names


@pytest.fixture(scope="module", autouse=True)
def nothing_left_running(request):
    """What a module of tests opens, it closes: thousands of threads slow down all that come after."""
    if not TASKS.is_dir():
        yield
        return
    before = _threads()
    yield
    end = time.monotonic() + PATIENCE
    while (left := _threads() - before).total() > MOST_LEFT and time.monotonic() < end:
        gc.collect()
        threading.Event().wait(0.5)
    assert left.total() <= MOST_LEFT, f"{request.node.nodeid} leaves threads running: {left}"


LEAVE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
"""Ends whatever still works in a database."""

LOOK = """
SELECT md5(string_agg(concat_ws(' ', c.relkind, c.relname, a.attname, a.atttypid, a.attnotnull), ','
                      ORDER BY c.relname, a.attnum))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'public'::regnamespace
"""
"""A digest of a database's tables, indexes and sequences, with their columns."""

FILLED = """
SELECT quote_ident(relname) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
AND pg_relation_size(oid) > 0
"""
"""The tables that hold rows; migrations leave none but their own number."""

BEGIN_ANEW = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences
WHERE last_value IS NOT NULL
"""


class PostgresServer:
    """A PostgreSQL of this test session's own, on a socket in a temporary folder: no port, no password."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="jw-pg-"))
        self.numbers = count(1)
        self.free: dict[str, list[str]] = {}
        self.looks: dict[str, object] = {}
        # PostgreSQL refuses to run as root.
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.prefix:
            shutil.chown(self.folder, "postgres")
        self.data = self.folder / "data"
        self._run(
            "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"
        )
        options = {
            "listen_addresses": "''",
            "unix_socket_directories": self.folder,
            # A test's database need not survive the machine, only the processes that use it.
            "fsync": "off",
            "full_page_writes": "off",
        }
        flags = " ".join(f"-c {name}={value}" for name, value in options.items())
        self._run("pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "-o", flags, "start")

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [*self.prefix, self.programs / program, *arguments]
        # A server that inherited our pipes would keep them open for as long as it lives.
        subprocess.run(
            command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        name = f"test_{next(self.numbers)}"
        # As files: through the write-ahead log, as PostgreSQL 15 does by itself, it takes ten times as long.
        way = " STRATEGY FILE_COPY" if int(self.programs.parent.name) >= 15 else ""
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}{way}")
        return name

    @contextmanager
    def lent(self, template: str) -> Iterator[str]:
        """Lend a copy of a database: one that was lent before and is as it was, or else a new one."""
        free = self.free.setdefault(template, [])
        name = free.pop() if free else self.create(template)
        yield name
        if self._is_as(template, name):
            free.append(name)
        else:
            self.drop(name)

    def _is_as(self, template: str, name: str) -> bool:
        """Empty what was filled in a copy; return whether its tables are still those of the template."""
        if template not in self.looks:
            with self._open(template) as connection:
                self.looks[template] = connection.execute(LOOK).fetchone()
        with self._open(name) as connection:
            connection.execute(LEAVE)
            if connection.execute(LOOK).fetchone() != self.looks[template]:
                return False
            filled = [row[0] for row in connection.execute(FILLED)]
            if filled:
                connection.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
            connection.execute(BEGIN_ANEW)
        return True

    def drop(self, name: str) -> None:
        self._sql(f"DROP DATABASE {name} WITH (FORCE)")

    def _sql(self, sql: str) -> None:
        with self._open("postgres") as connection:
            connection.execute(sql)

    def _open(self, database: str) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user="postgres", dbname=database, autocommit=True)

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")
        shutil.rmtree(self.folder)


@pytest.fixture(scope="session")
def postgres():
    """One PostgreSQL server for this test session; skips where the programs are absent, except in CI."""
    programs = max(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]), default=None
    )
    if programs is None:
        reason = "PostgreSQL's server programs are not on this machine (make system installs them)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    server = PostgresServer(programs.parent)
    yield server
    server.stop()


DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=DATABASES)
def records_url(request, tmp_path):
    """The URL of an empty database, of either kind that the record store runs on."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'records.db'}"
        return
    server = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory):
    """A migrated SQLite file to copy: migrations run once a session, not once a test."""
    path = tmp_path_factory.mktemp("migrated") / "records.db"
    open_records(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres):
    """A migrated PostgreSQL database to copy."""
    name = postgres.create()
    open_records(postgres.url(name)).close()
    return name


@contextmanager
def open_migrated(request, folder: Path):
    """Open a migrated record store of the kind that a fixture's parameter names."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / "records.db")
        store = open_records(f"sqlite:///{path}", migrate=False)
        yield store
        store.close()
        return
    server = request.getfixturevalue("postgres")
    with server.lent(request.getfixturevalue("migrated_postgres")) as name:
        store = open_records(server.url(name), migrate=False)
        yield store
        store.close()


@pytest.fixture(params=DATABASES)
def records(request, tmp_path):
    """An open, migrated record store, of either kind."""
    with open_migrated(request, tmp_path) as store:
        yield store


@pytest.fixture(scope="module", params=DATABASES)
def shared_records(request, tmp_path_factory):
    """A record store, of either kind, for tests of one module that change nothing in it."""
    with open_migrated(request, tmp_path_factory.mktemp("shared")) as store:
        yield store
