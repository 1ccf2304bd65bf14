"""Tables of databases outside as sources: what is new is read, and becomes the next file of the source.

The rows read before are kept as a file; new ones take the place of those with the same key, or come behind
them. So a table goes the way of any file: looked at, checked whole, and loaded by one click when it is known.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import select

from jingwei import ledger
from jingwei.city import intake, outside
from jingwei.city.kept import FOLDER
from jingwei.city.models import IntakeFileRow, IntakeTableRow
from jingwei.city.progress import Listener, Progress, Stop
from jingwei.lake.engines import in_files, open_engine
from jingwei.lake.errors import NoSpaceError, StoppedError, did_you_mean
from jingwei.lake.rules import name_of
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from jingwei.access import Asker
    from jingwei.city.loader import SourceReport
    from jingwei.city.outside import Mark, TableColumn
    from jingwei.city.service import City

MEMORY = "400MB"
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table is read.

    Parameters
    ----------
    database, table
        Which one; the database is one of the settings.
    cursor
        The column that rises with every new or changed row; all is read each time without one.
    keys
        The columns by which a row is known again: a row with the same key takes the place of the one before,
        and where the table then has another number of rows (deleted, or come late) all are read anew.
        Without keys rows only come behind those that are there.
    whole
        Read all rows anew.
    """

    database: str
    table: str
    cursor: str | None = None
    keys: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: the file that all rows are in, how many came, how many there are; `new` or unchanged."""

    file: intake.Received
    rows: int
    total: int
    new: bool


@dataclass(frozen=True, slots=True)
class KnownTable:
    """A table that was read before; `source` is the dataset that it became, if it was loaded."""

    database: str
    table: str
    cursor: str | None
    keys: list[str]
    rows: int
    read: datetime
    by: str
    file: str
    source: str | None


def known_tables(city: City) -> list[KnownTable]:
    """Return the tables that were read, the latest first."""
    question = (
        select(IntakeTableRow, IntakeFileRow.source)
        .join(IntakeFileRow, IntakeFileRow.id == IntakeTableRow.file)
        .order_by(IntakeTableRow.read.desc())
    )
    with city.records.read() as session:
        return [
            KnownTable(
                row.database, row.name, row.cursor, row.keys, row.rows, row.read, row.by, row.file, source
            )
            for row, source in session.execute(question)
        ]


def read_table(
    city: City,
    asker: Asker,
    how: Reading,
    *,
    listener: Listener = lambda _: None,
    stop: Stop | None = None,
) -> Read:
    """Read what is new in a table, and keep all of it as a file that can be looked at and loaded.

    Parameters
    ----------
    city, asker
        Where to, and who reads.
    how
        Which table, and by what.
    listener, stop
        As for `load_pack`; what was read when it is stopped is forgotten.

    Raises
    ------
    UnknownDatabaseError, UnknownTableError, TableColumnError, DatabaseFailedError
        If it cannot be read so.
    FileRefusedError, NoSpaceError, StoppedError
        If it is empty or too large, or the reading cannot go on.

    """
    database = outside.database(city.home, how.database)
    columns = database.columns(how.table)
    _check_columns(how, columns)
    known = None if how.whole else _known(city, how, columns)
    folder = city.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    work = folder / f".incoming-{secrets.token_hex(8)}"
    work.mkdir()
    stop = stop or Stop()
    try:
        fetched = _Fetched(how, columns, work / "new.parquet", listener, stop)
        mark = known.mark if known else None
        again = bool(how.keys) or _equal_as_here(database, columns, how.cursor)
        counted = fetched.count if known is not None and how.keys else None
        fetched.write(
            database.rows(how.table, columns, how.cursor, mark, again=again, counted=counted), folder
        )
        whole = work / "new.parquet"
        changed = True
        if known is not None:
            whole = work / "all.parquet"
            changed = _merge(known, work / "new.parquet", whole, how)
        total = pq.read_metadata(whole).num_rows if changed or known is None else known.rows
        if fetched.there not in (None, total):
            return read_table(city, asker, replace(how, whole=True), listener=listener, stop=stop)
        if known is not None and not changed:
            _remember(city, asker, how, known.file, fetched.mark or mark, known.rows, 0)
            return Read(intake.received_file(city, known.file), 0, known.rows, new=False)
        file = intake.receive(city, asker, f"{how.database}.{how.table}.parquet", _chunks(whole))
        _remember(city, asker, how, file.id, fetched.mark or mark, total, fetched.rows)
        return Read(file, fetched.rows, total, new=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def load_table(
    city: City,
    asker: Asker,
    how: Reading,
    *,
    listener: Listener = lambda _: None,
    stop: Stop | None = None,
) -> tuple[Read, SourceReport]:
    """Read what is new in a table that is known as a source, and load it: the one click of next time.

    Raises
    ------
    As `read_table` and `jingwei.city.intake.load_file`.

    """
    read = read_table(city, asker, how, listener=listener, stop=stop)
    return read, intake.load_file(city, asker, read.file.id, listener=listener, stop=stop)


def _check_columns(how: Reading, columns: list[TableColumn]) -> None:
    names = [one.name for one in columns]
    for name in (*how.keys, *([how.cursor] if how.cursor else [])):
        if name not in names:
            what = Text(f"表“{how.table}”没有列“{name}”。", f"Table '{how.table}' has no column '{name}'.")
            raise outside.TableColumnError(how.table, name, what, mend=did_you_mean(name, names))
    cursor = next((one for one in columns if one.name == how.cursor), None)
    if cursor is not None and not cursor.rises:
        raise outside.TableColumnError(
            how.table,
            cursor.name,
            Text(
                f"列“{cursor.name}”的值没有先后，不能据以增量读取。",
                f"The values of '{cursor.name}' have no order by which new rows could be known.",
            ),
        )


@dataclass(frozen=True, slots=True)
class _Known:
    path: Path
    file: str
    mark: Mark
    rows: int


def _known(city: City, how: Reading, columns: list[TableColumn]) -> _Known | None:
    """Return where the last reading ended, if this one can go on from there."""
    with city.records.read() as session:
        row = session.get(IntakeTableRow, (how.database, how.table))
        if row is None or row.mark is None or (row.cursor, tuple(row.keys)) != (how.cursor, how.keys):
            return None
        found = _Known(
            intake.path_of(city, intake.received_file(city, row.file)), row.file, row.mark, row.rows
        )
    if not found.path.is_file() or pq.read_schema(found.path) != _schema(columns):
        return None
    return found


def _schema(columns: list[TableColumn]) -> pa.Schema:
    return pa.schema([(one.name, one.type) for one in columns])


class _Fetched:
    """Rows on their way from the database into a file."""

    def __init__(
        self, how: Reading, columns: list[TableColumn], path: Path, listener: Listener, stop: Stop
    ) -> None:
        self.how, self.columns, self.path = how, columns, path
        self.listener, self.stop = listener, stop
        self.rows = 0
        self.there: int | None = None
        self.mark: Mark | None = None

    def count(self, rows: int) -> None:
        self.there = rows

    def write(self, batches: Iterator[pa.RecordBatch], folder: Path) -> None:
        with pq.ParquetWriter(self.path, _schema(self.columns), compression="zstd") as writer:
            for batch in batches:
                self.listener(Progress(self.how.table, self.how.table, "reading", 0.0, self.rows))
                if self.stop.asked:
                    raise StoppedError(self.how.table)
                if shutil.disk_usage(folder).free < intake.SPARE_BYTES + batch.nbytes:
                    raise NoSpaceError(str(folder))
                writer.write_batch(batch)
                self.rows += batch.num_rows
                self._note(batch)
                if self.path.stat().st_size > intake.MOST_BYTES:
                    limit = intake.MOST_BYTES >> 30
                    what = Text(f"表超过 {limit} GiB。", f"The table is larger than {limit} GiB.")
                    raise intake.FileRefusedError(what, where={"table": self.how.table})

    def _note(self, batch: pa.RecordBatch) -> None:
        """Note how far the cursor has come: rows come in its order, those without a value first or last."""
        if self.how.cursor is None:
            return
        values = batch.column(self.how.cursor).drop_null()
        if len(values):
            self.mark = outside.mark_of(values[-1].as_py())


def _equal_as_here(database: outside.Outside, columns: list[TableColumn], cursor: str | None) -> bool:
    """Say whether values are equal there only if they are here: texts of MariaDB may differ in case."""
    kind = next((one.type for one in columns if one.name == cursor), None)
    return kind is not None and not (pa.types.is_string(kind) and database.kind in ("mysql", "mariadb"))


def _merge(known: _Known, new: Path, whole: Path, how: Reading) -> bool:
    """Write the rows of before with the new ones; say whether that is anything else than before.

    Rows without a value of the cursor come each time, those at its last value mostly: those of before make
    way for them, and so do those with the key of a new one.
    """
    before, after = (in_files([path]) for path in (known.path, new))
    assert how.cursor is not None  # noqa: S101 -- without one all rows are read anew
    cursor = name_of(how.cursor)
    with open_engine(MEMORY, whole.parent) as engine:
        engine.execute("SET VARIABLE edge = ?", [outside.value_of(known.mark)])
        edge = "getvariable('edge')"
        if how.keys:
            same = " AND ".join(f"o.{name_of(key)} = n.{name_of(key)}" for key in how.keys)
            gives_way = f"o.{cursor} IS NULL OR EXISTS (SELECT 1 FROM {after} AS n WHERE {same})"
        else:
            came_again = f"EXISTS (SELECT 1 FROM {after} WHERE {cursor} = {edge})"
            gives_way = f"o.{cursor} IS NULL OR (o.{cursor} = {edge} AND {came_again})"
        replaced = f"FROM {before} AS o WHERE {gives_way}"
        changed = f"(FROM {after} EXCEPT ALL {replaced}) UNION ALL ({replaced} EXCEPT ALL FROM {after})"
        if not engine.sql(f"SELECT 1 FROM ({changed}) LIMIT 1").fetchall():
            return False
        answer = engine.sql(f"FROM {before} AS o WHERE NOT ({gives_way}) UNION ALL FROM {after}")
        schema = pq.read_schema(known.path)
        with pq.ParquetWriter(whole, schema, compression="zstd") as writer:
            for batch in answer.to_arrow_reader(100_000):
                writer.write_batch(_cast(batch, schema))
    return True


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    arrays = [pc.cast(batch.column(one.name), one.type) for one in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _remember(
    city: City, asker: Asker, how: Reading, file: str, mark: Mark | None, total: int, rows: int
) -> None:
    with city.records.write() as session:
        row = session.get(IntakeTableRow, (how.database, how.table))
        if row is None:
            row = IntakeTableRow(database=how.database, name=how.table)
            session.add(row)
        row.cursor, row.keys, row.mark = how.cursor, list(how.keys), mark
        row.file, row.rows, row.by, row.read = file, total, asker.id, now_utc()
        ledger.append(
            session,
            "table.read",
            actor=asker.id,
            subject=f"table/{how.database}/{how.table}",
            data={
                "cursor": how.cursor or "",
                "rows": rows,
                "total": total,
                "file": file,
                "digest": session.get_one(IntakeFileRow, file).digest,
            },
        )
