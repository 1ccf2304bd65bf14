"""A table of a database outside: read bit by bit, merged by key, loaded as any file is."""

import contextlib
import datetime as dt
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pymysql
import pytest
from pydantic import ValidationError
from sqlalchemy import select
from tests.city.packs import write_pack

from jingwei.access import local_person
from jingwei.city import intake, load_pack, open_city, outside, read_manifest, tables
from jingwei.city.settings import DatabaseSettings
from jingwei.city.tables import Reading, load_table, read_table
from jingwei.errors import JingweiError
from jingwei.ledger.models import Event

ASKER = local_person()
SECRET = "geheim-7719"
DAY = dt.datetime(2026, 9, 1, 8, 0)  # noqa: DTZ001 -- as the database holds it


def row(n, day=0, name=None, minute=None):
    at = DAY + dt.timedelta(days=day, minutes=n if minute is None else minute)
    return n, name or f"第{n}站", 114.01 + n / 1000, 22.55, at


class Source:
    """A database with a table of stations, of either kind."""

    def __init__(self, connection, url, mark):
        self.connection, self.url, self.mark = connection, url, mark
        stamp = "TIMESTAMP" if mark == "%s" else "TEXT"
        self.run(
            f"CREATE TABLE stations (id INTEGER PRIMARY KEY, name VARCHAR(40), lon DOUBLE PRECISION, "
            f"lat DOUBLE PRECISION, changed {stamp})"
        )

    def run(self, sql, values=()):
        self.connection.execute(sql, values)
        self.connection.commit()

    def put(self, rows):
        marks = ", ".join([self.mark] * 5)
        for one in rows:
            values = one if self.mark == "%s" else (*one[:4], one[4].isoformat(" "))
            self.run(
                f"INSERT INTO stations VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET name = excluded.name, "
                "changed = excluded.changed",
                values,
            )


class MariaSource(Source):
    """The same in MariaDB, whose words for it are its own."""

    def run(self, sql, values=()):
        with self.connection.cursor() as cursor:
            cursor.execute(sql.replace("TIMESTAMP", "DATETIME"), values or None)
        self.connection.commit()

    def put(self, rows):
        for one in rows:
            self.run("REPLACE INTO stations VALUES (%s, %s, %s, %s, %s)", one)


@pytest.fixture(scope="session")
def mariadb():
    """The socket of a MariaDB of this test session's own, in a temporary folder: no port."""
    program = shutil.which("mariadbd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if program is None:
        pytest.skip("MariaDB (Debian's mariadb-server-core) is not on this machine")
    folder = Path(tempfile.mkdtemp(prefix="jw-maria-"))
    own = ["--no-defaults", f"--datadir={folder}/data", *(["--user=root"] if os.geteuid() == 0 else [])]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(["mariadb-install-db", *own, "--skip-test-db"], check=True, **quiet)
    command = [program, *own, "--skip-networking", f"--socket={folder}/socket", "--skip-log-bin"]
    server = subprocess.Popen(command, **quiet)
    try:
        until = time.monotonic() + 60
        asked = ["mariadb", "--no-defaults", f"--socket={folder}/socket", "--execute=SELECT 1"]
        while subprocess.run(asked, timeout=60, check=False, **quiet).returncode:
            assert server.poll() is None, "it ended by itself"
            assert time.monotonic() < until, "it does not answer"
        yield folder / "socket"
    finally:
        server.terminate()
        server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def in_mariadb(socket):
    with pymysql.connect(unix_socket=str(socket), user="root", autocommit=True) as root:
        with root.cursor() as cursor:
            cursor.execute("CREATE DATABASE bureau CHARACTER SET utf8mb4")
            cursor.execute(f"CREATE OR REPLACE USER 'reader'@'localhost' IDENTIFIED BY '{SECRET}'")
            cursor.execute("GRANT ALL ON bureau.* TO 'reader'@'localhost'")
        with pymysql.connect(unix_socket=str(socket), user="root", database="bureau") as connection:
            yield MariaSource(connection, f"mariadb://reader:{SECRET}@/bureau?unix_socket={socket}", "%s")
        with root.cursor() as cursor:
            cursor.execute("DROP DATABASE bureau")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres), "mariadb"])
def source(request, tmp_path):
    if request.param == "mariadb":
        with in_mariadb(request.getfixturevalue("mariadb")) as found:
            yield found
        return
    if request.param == "sqlite":
        with sqlite3.connect(tmp_path / "bureau.db") as connection:
            yield Source(connection, f"sqlite:///{tmp_path / 'bureau.db'}", "?")
        return
    server = request.getfixturevalue("postgres")
    name = server.create()
    with psycopg.connect(host=str(server.folder), user="postgres", dbname=name) as connection:
        url = server.url(name).replace("+psycopg", "").replace("postgres@", f"postgres:{SECRET}@")
        yield Source(connection, url, "%s")
    server.drop(name)


@pytest.fixture
def city(tmp_path, source):
    pack = write_pack(tmp_path / "pack", "")
    with open_city(tmp_path / "home", create=True) as opened:
        load_pack(opened, read_manifest(pack), pack, None, ASKER)
        settings = f'[[database]]\nname = "bureau"\nurl = "{source.url}"\n'
        (opened.home / "settings.toml").write_text(settings, "utf-8")
        yield opened


HOW = Reading("bureau", "stations", "changed", ("id",))
SAID = {"id": "stations", "title": {"zh": "车站"}, "place": {"lon": "lon", "lat": "lat", "crs": "WGS84"}}


def names(city):
    rows = city.lake.query(ASKER, "stations").table.to_pylist()
    return sorted((one["id"], one["name"]) for one in rows)


def test_only_what_is_new_is_read_and_a_known_table_loads_by_one_step(city, source):
    source.put(row(n) for n in range(6))
    first = read_table(city, ASKER, HOW)
    assert (first.rows, first.total, first.new) == (6, 6, True)
    intake.load_file(city, ASKER, first.file.id, SAID)
    source.put([row(2, 3, "改名站"), row(6, 4)])
    read, report = load_table(city, ASKER, HOW)
    assert (read.rows, read.total, report.stage) == (3, 7, "published")  # with the last one of before
    assert names(city) == sorted((n, "改名站" if n == 2 else f"第{n}站") for n in range(7))
    again, unchanged = load_table(city, ASKER, HOW)
    assert (again.new, unchanged.stage) == (False, "unchanged")
    (known,) = tables.known_tables(city)
    assert (known.table, known.cursor, known.source, known.rows) == ("stations", "changed", "stations", 7)


def test_rows_of_the_same_moment_that_come_later_are_not_missed(city, source):
    source.put([row(0), row(1)])
    read_table(city, ASKER, HOW)
    source.put([row(2, minute=1)])
    assert read_table(city, ASKER, HOW).total == 3


@pytest.mark.parametrize("keys", [("id",), ()])
def test_rows_without_a_value_of_the_cursor_are_not_missed_and_are_there_once(city, source, keys):
    how = Reading("bureau", "stations", "changed", keys)
    source.put([row(0), row(1)])
    read_table(city, ASKER, how)
    source.run("INSERT INTO stations (id, name) VALUES (7, '新站')")
    assert read_table(city, ASKER, how).total == 3
    assert not read_table(city, ASKER, how).new
    source.run("DELETE FROM stations WHERE id = 7")
    source.put([row(8, 2)])
    assert read_table(city, ASKER, how).total == 3


def test_without_a_cursor_all_is_read_each_time(city, source):
    source.put(row(n) for n in range(3))
    how = Reading("bureau", "stations")
    assert read_table(city, ASKER, how).total == 3
    source.run("DELETE FROM stations WHERE id = 1")
    assert read_table(city, ASKER, how).total == 2


def test_rows_that_were_deleted_or_came_late_are_noticed_by_their_number(city, source):
    source.put(row(n) for n in range(4))
    read_table(city, ASKER, HOW)
    source.put([row(7, minute=1)])  # written late, with a moment that was passed
    assert read_table(city, ASKER, HOW).total == 5
    source.run("DELETE FROM stations WHERE id = 0")
    assert read_table(city, ASKER, HOW).total == 4
    source.run("DELETE FROM stations")  # and begun anew, from an earlier moment
    source.put([row(1, -3)])
    assert (read_table(city, ASKER, HOW).total, read_table(city, ASKER, HOW).new) == (1, False)


def test_without_a_key_rows_of_the_last_moment_that_come_later_are_there_once(city, source):
    how = Reading("bureau", "stations", "changed")
    source.put([row(0), row(1)])
    read_table(city, ASKER, how)
    assert not read_table(city, ASKER, how).new
    source.put([row(2, minute=1)])
    read = read_table(city, ASKER, how)
    assert (read.rows, read.total) == (2, 3)
    assert not read_table(city, ASKER, how).new


NUMBERS = [Decimal(12345678901234567890), Decimal(12345678901234567891)]


@pytest.fixture
def numbered(source):
    """A table whose keys have more digits than a double, on databases that hold such."""
    if source.mark == "?":
        pytest.skip("SQLite holds no decimals")
    source.run("CREATE TABLE numbered (id NUMERIC(20, 0) PRIMARY KEY, exact NUMERIC(30, 10))")
    for number in NUMBERS:
        source.run("INSERT INTO numbered VALUES (%s, %s)", (number, number + Decimal("0.0000000001")))
    return Reading("bureau", "numbered", "id", ("id",))


def test_numbers_beyond_doubles_are_kept_to_the_last_digit(city, source, numbered):
    file = read_table(city, ASKER, numbered).file
    assert pq.read_table(intake.path_of(city, file))["id"].to_pylist() == NUMBERS
    assert pq.read_table(intake.path_of(city, file))["exact"].to_pylist()[0] == NUMBERS[0] + Decimal("1e-10")
    source.run("INSERT INTO numbered (id) VALUES (%s)", (NUMBERS[1] + 1,))
    read = read_table(city, ASKER, numbered)
    assert (read.rows, read.total) == (2, 3)


@pytest.mark.postgres
@pytest.mark.parametrize("source", ["postgresql"], indirect=True)
def test_whole_numbers_that_no_column_could_hold_are_refused_not_rounded(city, source):
    source.run("CREATE TABLE free (id NUMERIC)")
    source.run("INSERT INTO free VALUES (0.333333333333333333333), (9007199254740992)")
    assert read_table(city, ASKER, Reading("bureau", "free")).total == 2
    source.run("INSERT INTO free VALUES (9007199254740993)")
    with pytest.raises(JingweiError, match="'id'") as caught:
        read_table(city, ASKER, Reading("bureau", "free"))
    assert caught.value.code == "table-column"


@pytest.mark.postgres
@pytest.mark.parametrize("source", ["postgresql"], indirect=True)
def test_infinity_is_a_missing_date_and_a_table_may_be_called_anything(city, source):
    source.run('CREATE TABLE "a.b ""c" (id INTEGER, until DATE)')
    source.run("""INSERT INTO "a.b ""c" VALUES (1, '2026-09-01'), (2, 'infinity')""")
    file = read_table(city, ASKER, Reading("bureau", 'a.b "c', "until", ("id",))).file
    rows = pq.read_table(intake.path_of(city, file)).sort_by("id")
    assert rows["until"].to_pylist() == [dt.date(2026, 9, 1), None]


@pytest.mark.parametrize("source", ["sqlite"], indirect=True)
def test_a_column_without_a_type_is_no_cursor(city, source):
    source.run("CREATE VIEW numbered AS SELECT id, id + 0 AS number FROM stations")
    told = {one.name: one.rises for one in outside.database(city.home, "bureau").columns("numbered")}
    assert told == {"id": True, "number": False}


@pytest.mark.parametrize("source", ["mariadb"], indirect=True)
def test_what_is_of_mariadb_alone_is_understood(city, source):
    source.run("SET sql_mode = '', time_zone = '+08:00'")
    source.run("CREATE TABLE odd (id BIGINT UNSIGNED PRIMARY KEY, at timestamp NULL, day DATE)")
    source.run("INSERT INTO odd VALUES (18446744073709551615, '2026-09-01 08:00:00', '0000-00-00')")
    file = read_table(city, ASKER, Reading("bureau", "odd", "at", ("id",))).file
    (only,) = pq.read_table(intake.path_of(city, file)).to_pylist()
    assert only == {"id": 2**64 - 1, "at": dt.datetime(2026, 9, 1, tzinfo=dt.UTC), "day": None}


def test_a_file_that_was_deleted_is_made_anew_from_all_rows(city, source):
    source.put(row(n) for n in range(3))
    first = read_table(city, ASKER, HOW)
    intake.path_of(city, first.file).unlink()
    assert read_table(city, ASKER, HOW).rows == 3


def test_tables_and_columns_are_told_with_what_can_be_a_cursor(city):
    bureau = outside.database(city.home, "bureau")
    assert bureau.tables() == ["stations"]
    told = {one.name: (one.rises, one.key) for one in bureau.columns("stations")}
    assert told["id"] == (True, True)
    assert told["changed"] == (True, False)


def test_nothing_can_be_written_there(city):
    with pytest.raises(JingweiError) as caught, outside.database(city.home, "bureau").reading() as connection:
        connection.exec_driver_sql("DROP TABLE stations")
    assert caught.value.code == "database-failed"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (Reading("other", "stations"), "unknown-database"),
        (Reading("bureau", "stations; DROP TABLE stations"), "unknown-table"),
        (Reading("bureau", "stations", "nothing"), "table-column"),
    ],
)
def test_what_cannot_be_read_is_said(city, how, code):
    with pytest.raises(JingweiError) as caught:
        read_table(city, ASKER, how)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"url": "postgresql://reader:geheim@127.0.0.1:1/tax"}, "it is not reached"),
        ({"url": "mysql://reader:geheim@127.0.0.1:1/tax"}, "it is not reached"),
        ({"url": "sqlite:////nowhere/tax.db"}, "there is no such database or file"),
        ({"url": "postgresql://reader@/tax", "password_file": "/nowhere/secret"}, "its password_file"),
    ],
)
def test_why_a_database_is_not_read_is_said_in_words(changed, told):
    bureau = outside.Outside(DatabaseSettings.model_validate({"name": "tax", **changed}))
    with pytest.raises(JingweiError) as caught:
        bureau.tables()
    assert told in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.postgres
def test_an_account_without_the_right_to_read_is_told_so(postgres):
    name = postgres.create()
    with psycopg.connect(host=str(postgres.folder), user="postgres", dbname=name, autocommit=True) as root:
        root.execute("CREATE TABLE firms (id INTEGER)")
        root.execute(f"CREATE ROLE {name}_reader LOGIN")
    url = postgres.url(name).replace("+psycopg", "").replace("postgres@", f"{name}_reader@")
    bureau = outside.Outside(DatabaseSettings(name="tax", url=url))
    with pytest.raises(JingweiError, match="the account may not read it"):
        list(bureau.rows("firms", bureau.columns("firms"), None, None, again=False))
    postgres.drop(name)


def test_an_address_that_is_none_is_refused_without_a_word_of_it():
    with pytest.raises(ValidationError) as caught:
        DatabaseSettings(name="tax", url="postgresql://reader:g@h:eheim@10.2.0.8/tax")
    assert "eheim" not in str(caught.value.errors()[0]["msg"])


def test_where_it_is_and_its_password_are_nowhere(city, source, tmp_path):
    source.put([row(0)])
    file = read_table(city, ASKER, HOW).file
    intake.load_file(city, ASKER, file.id, SAID)
    path = city.home / "settings.toml"
    path.write_text(
        path.read_text("utf-8")
        .replace("bureau.db", "gone.db")
        .replace("host=", "host=/no")
        .replace("socket=", "socket=/no"),
        "utf-8",
    )
    with pytest.raises(JingweiError) as caught:
        read_table(city, ASKER, HOW)
    told = f"{caught.value} {caught.value.where} {caught.value.__cause__}"
    with city.records.read() as session:
        told += str([(event.subject, event.data) for event in session.scalars(select(Event))])
    told += str(city.lake.dataset(ASKER, "stations").version.content.sources)
    told += str(pq.read_metadata(intake.path_of(city, file)).metadata)
    assert "bureau.stations.parquet" in told
    for hidden in (SECRET, source.url, str(tmp_path / "bureau.db"), "gone.db"):
        assert hidden not in told
