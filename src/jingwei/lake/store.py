"""The container's files: Delta tables, and the publishing that makes their versions visible together.

A load opens an intent, writes sorted Parquet files, commits them to up to three Delta tables (facts,
covers, quarantine) under the intent's id, and then, in one transaction of the record store, publishes the
new version and appends the event. Readers only ever open files that a published version names, so a crash
at any moment leaves the old version or the new one; `recover` completes or discards what it left between.
"""

from __future__ import annotations

import errno
import fcntl
import json
import math
import os
import shutil
import threading
import time
import uuid
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions
from sqlalchemy import func, select

from jingwei import ledger
from jingwei.lake import writing
from jingwei.lake.classify import LEVELS, classify
from jingwei.lake.errors import BusyError, NoSpaceError, ReadOnlyError
from jingwei.lake.models import DatasetRow, IntentRow, VersionRow
from jingwei.lake.schemas import Column, Content, DataFile, RowGroup
from jingwei.lake.slicing import FIRST, TIME, Outlook, Slice, Span, TimedSorter, spans
from jingwei.lake.sorting import Sorter, ahead
from jingwei.records import Records, now_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import date, datetime
    from pathlib import Path, PurePath
    from types import TracebackType
    from typing import TextIO

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

TableName = Literal["facts", "covers", "quarantine"]
TABLES: tuple[TableName, ...] = ("quarantine", "covers", "facts")

DENSE_ROWS_PER_DAY = 1_000_000
"""Above this many rows a day, a table is partitioned by the city's local day (design.md, section 4)."""

REBUILD = ".rebuild"
"""In the folder of a dataset whose files are being replaced."""

BRIEF = "brief"
"""Stands in the file of the lock while housekeeping holds it."""

PATIENCE = 600.0
"""Seconds for which a load waits for housekeeping."""

AT_ONCE = 2
"""Files of a table that are sorted and written at once."""

SAMPLED = 256
"""Every so many rows, a time is looked at to find how the rows are spread."""

MEMORY = "400MB"
"""What the query engine may hold in memory while it puts together or describes a version."""


@dataclass(frozen=True, slots=True)
class Description:
    """What the city's records say of a dataset beside its versions."""

    id: str
    title: dict[str, str]
    owner: str
    sharing: str
    update_cycle: str
    position: int = 0
    level: int | None = None
    """Classification level of its rows; by the sharing type, if not given."""
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What is declared of fields: `level`, `personal`."""


@dataclass(slots=True)
class Load:
    """One load under way: the files that it has written and not yet published."""

    intent: str
    dataset: str
    root: Path
    scratch: Path
    files: dict[TableName, list[DataFile]] = field(default_factory=lambda: {name: [] for name in TABLES})
    schemas: dict[TableName, pa.Schema] = field(default_factory=dict)
    before: dict[TableName, list[DataFile]] = field(default_factory=dict)
    """Of tables that are added to, not replaced: the files of the version before. Those that are in `files`
    too are kept, the others are taken out."""
    behind: ThreadPoolExecutor | None = None
    """Makes facts durable while they are described and checked."""
    durable: dict[Path, Future[None]] = field(default_factory=dict)

    def table(self, name: TableName) -> Path:
        """Return the folder of the Delta table `name` of this dataset."""
        return self.root / self.dataset / name


class Store:
    """The files of one city's container and the rules of publishing them."""

    def __init__(self, root: Path, records: Records) -> None:
        self.root = root
        self.records = records
        self._mutex = threading.Lock()

    @contextmanager
    def writing(self, *, brief: bool = False, waiting: Callable[[], object] | None = None) -> Iterator[None]:
        """Hold the one right to write into this city; completes or discards what a crash left behind.

        Parameters
        ----------
        brief
            Whether this is housekeeping, which another writer may wait for.
        waiting
            Called again and again while housekeeping is waited for; may raise to give up. Without it,
            nothing is waited for.

        Raises
        ------
        BusyError
            If another program holds it, or housekeeping that takes longer than `PATIENCE`.
        ReadOnlyError
            If the folder cannot be written to.

        """
        path = self.root / "writer.lock"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            handle = path.open("a")
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise NoSpaceError(str(self.root)) from error
            raise ReadOnlyError(str(self.root)) from error
        with handle:
            self._take(handle, path, waiting)
            try:
                handle.truncate(0)
                handle.write(BRIEF if brief else "")
                handle.flush()
                self.recover()
                yield
            finally:
                self._mutex.release()

    def _take(self, handle: TextIO, path: Path, waiting: Callable[[], object] | None) -> None:
        """Take the right to write, within this process and among all, or raise `BusyError`."""
        until = time.monotonic() + PATIENCE
        while True:
            if self._mutex.acquire(blocking=False):
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self._mutex.release()
                else:
                    return
            if waiting is None or path.read_text("utf-8") != BRIEF or time.monotonic() > until:
                raise BusyError(str(path))
            waiting()
            time.sleep(0.05)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """See to it that no file of a published version is removed while the block lasts."""
        with self._lock("keeping.lock", fcntl.LOCK_SH):
            yield

    @contextmanager
    def removing(self) -> Iterator[None]:
        """Hold the right to remove files of published versions.

        Raises
        ------
        BusyError
            While anyone copies them.

        """
        with self._lock("keeping.lock", fcntl.LOCK_EX):
            yield

    @contextmanager
    def _lock(self, name: str, kind: int) -> Iterator[None]:
        path = self.root / name
        self.root.mkdir(parents=True, exist_ok=True)
        with path.open("a") as handle:
            try:
                fcntl.flock(handle, kind | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BusyError(str(path)) from error
            yield

    @contextmanager
    def load(self, dataset: str) -> Iterator[Load]:
        """Open an intent and yield the load; whatever leaves the block unpublished is discarded."""
        intent = str(uuid.uuid4())
        scratch = self.root / "scratch" / intent
        with self.records.write() as session:
            session.add(
                IntentRow(id=intent, dataset=dataset, state="open", opened=now_utc(), content={}),
            )
        load = Load(intent, dataset, self.root, scratch)
        try:
            scratch.mkdir(parents=True)
            with ThreadPoolExecutor(1, "jingwei-sync") as load.behind:
                yield load
        except BaseException as error:
            self._discard_quietly(intent)
            if _is_no_space(error):
                raise NoSpaceError(str(self.root)) from error
            raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def write_facts(
        self,
        load: Load,
        batches: pa.RecordBatchReader,
        cells: list[str],
        zone: str,
        outlook: Outlook | None = None,
    ) -> None:
        """Sort a stream of addressed rows by cell and write it, numbering the facts in `jw_fact`.

        Parameters
        ----------
        load
            The load that the files belong to.
        batches
            Rows with the department's columns and the address columns, in the order of source and row.
        cells
            Names of the cell columns; the first one sorts. Empty for a table without places.
        zone
            The city's time zone (IANA), whose days partition dense tables.
        outlook
            What is known of the rows before they come: those in the order of time are written as they do.

        """
        folder = load.table("facts")
        folder.mkdir(parents=True, exist_ok=True)
        load.schemas["facts"] = pa.schema([*(_plain(field) for field in batches.schema), writing.FACT])
        cell = cells[0] if cells else None
        with _Files(load) as files:
            if TIME in batches.schema.names:
                _write_timed(batches, cell, zone, files, outlook if cell is not None else None)
            else:
                _write_untimed(batches, cell, files)
        load.files["facts"] = _described(files.paths, folder, cells[:1])

    def write_table(self, load: Load, name: TableName, table: pa.Table, sort: str | None) -> None:
        """Write the covers or the quarantine of a load, sorted by `sort`."""
        if table.num_rows == 0:
            return
        folder = load.table(name)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{load.intent}-0.parquet"
        if sort is not None:
            table = table.sort_by(sort)
        load.schemas[name] = table.schema
        pq.write_table(table, path, compression="zstd", row_group_size=writing.group_rows(table.num_rows))
        load.files[name] = _described([path], folder, [sort] if sort else [])

    def add_table(
        self, load: Load, name: TableName, table: pa.Table, *, kept: list[DataFile], before: list[DataFile]
    ) -> DataFile | None:
        """Write rows as they come, as one further file of a table that grows.

        Parameters
        ----------
        load
            The load that the file belongs to.
        name
            Which table. Facts bear no `jw_fact` yet: they are numbered behind all that are in `before`.
        table
            The rows, in the order in which they are to lie; no file is written for none.
        kept, before
            The files of the version before, and those of them that stay.

        """
        load.before[name], load.files[name] = before, [*kept]
        folder = load.table(name)
        folder.mkdir(parents=True, exist_ok=True)
        first = max((file.groups[-1].first + file.groups[-1].rows for file in before), default=0)
        schema = table.schema.append(writing.FACT) if name == "facts" else table.schema
        load.schemas[name] = schema
        if not table.num_rows:
            return None
        path = folder / f"{load.intent}-0.parquet"
        if name == "facts":
            numbers = pa.array(np.arange(first, first + table.num_rows))
            table = pa.table([*table.columns, numbers], schema=schema)
        sample = table.slice(0, writing.LOOKED_AT).combine_chunks().to_batches()[0]
        options = writing.encoding(sample)
        group = writing.group_rows(table.num_rows)
        pq.write_table(
            table,
            path,
            compression="zstd",
            compression_level=1,
            store_schema=False,
            row_group_size=group,
            **options,
        )
        cells = [one for one in ("jw_cell",) if one in schema.names]
        (written,) = _described([path], folder, cells)
        written = replace(
            written, groups=[replace(group, first=group.first + first) for group in written.groups]
        )
        load.files[name].append(written)
        return written

    def publish(self, load: Load, about: Description, content: Content, *, actor: str) -> int:
        """Commit the load's files to Delta, then publish them as one new version; returns its number."""
        _sync(load)
        with self.records.write() as session:
            intent = session.get_one(IntentRow, load.intent)
            intent.content = {
                "about": _about_json(about),
                "content": content.as_json(),
                "actor": actor,
                "tables": sorted(load.schemas),
            }
        versions: dict[str, int] = {name: _commit(load, name) for name in TABLES if name in load.schemas}
        with self.records.write() as session:
            return _publish(session, load.intent, versions, self.root)

    def settle(
        self,
        dataset: str,
        intent: str,
        files: dict[TableName, list[DataFile]],
        schemas: dict[TableName, pa.Schema],
    ) -> dict[str, int]:
        """Commit files that lie in their place already as Delta tables of their own; return the versions."""
        load = Load(intent, dataset, self.root, self.root / "scratch", files, schemas)
        _sync(load)
        return {name: _commit(load, name) for name in TABLES if name in schemas}

    def begin_rebuild(self, dataset: str) -> None:
        """Note that a dataset's files are being replaced; `rebuild` ends it, now or at the next start."""
        path = self.root / dataset / REBUILD
        with path.open("w") as handle:
            os.fsync(handle.fileno())

    def rebuild(self, dataset: str) -> None:
        """Make the Delta tables of a dataset anew from what its versions name, and delete all other files."""
        with self.records.read() as session:
            rows = session.scalars(
                select(VersionRow)
                .where(VersionRow.dataset == dataset, VersionRow.dropped.is_(None))
                .order_by(VersionRow.number)
            ).all()
        for name in TABLES:
            shutil.rmtree(self.root / dataset / name / "_delta_log", ignore_errors=True)
        delta = {}
        for row in rows:
            content = Content.from_json(row.content)
            schemas: dict[TableName, pa.Schema] = {}
            for name in TABLES:
                files = getattr(content, name)
                if files:
                    schemas[name] = pq.read_schema(self.root / dataset / name / files[0].path)
            by_table: dict[TableName, list[DataFile]] = {name: getattr(content, name) for name in TABLES}
            delta[row.id] = self.settle(dataset, row.intent, by_table, schemas)
        with self.records.write() as session:
            for key, versions in delta.items():
                row = session.get_one(VersionRow, key)
                row.content = {**row.content, "delta": versions}
        self.sweep(dataset)
        self.records.forget()
        (self.root / dataset / REBUILD).unlink(missing_ok=True)

    def sweep(self, dataset: str, gone: Collection[str] = ()) -> None:
        """Delete the files of a dataset that no version names; whoever calls it is the one who writes.

        Parameters
        ----------
        dataset
            Its identifier.
        gone
            Intents whose findings go too.

        """
        with self.records.read() as session:
            contents = session.scalars(select(VersionRow.content).where(VersionRow.dataset == dataset)).all()
        folder = self.root / dataset
        named = {folder / name / file["path"] for one in contents for name in TABLES for file in one[name]}
        lying = (path for name in TABLES for path in (folder / name).rglob("*.parquet"))
        findings = (folder / "findings").glob("*.parquet")
        for path in [*lying]:
            if path not in named and "_delta_log" not in path.parts:  # Delta's own summaries of its log
                path.unlink(missing_ok=True)
        for path in [*findings]:
            if path.stem.rpartition("-")[0] in gone:
                path.unlink(missing_ok=True)

    def set_problem(self, about: Description, state: str, problem: dict[str, Any], *, actor: str) -> None:
        """Record that a dataset is held back or failed; a version published before stays readable."""
        with self.records.write() as session:
            row = _upsert(session, about)
            if row.state == state and row.problem == problem:
                return
            row.state = state
            row.problem = problem
            row.changed = now_utc()
            ledger.append(
                session,
                f"dataset.{state}",
                actor=actor,
                subject=f"dataset/{about.id}",
                data={"code": str(problem.get("code", state))},
            )

    def describe(self, about: Description) -> None:
        """Renew title, owner and order of a dataset whose data did not change."""
        with self.records.write() as session:
            row = _upsert(session, about)
            if row.current is not None:
                content = self._content(session, row)
                folder = self.root / about.id / "facts"
                sample = folder / content.facts[0].path if content.facts else None
                _classify(row, about, content.columns, sample)
            if row.current is not None and row.state != "published":
                row.state, row.problem, row.changed = "published", None, now_utc()

    @staticmethod
    def _content(session: Session, row: DatasetRow) -> Content:
        which = (VersionRow.dataset == row.id, VersionRow.number == row.current)
        return Content.from_json(session.scalars(select(VersionRow).where(*which)).one().content)

    def remove(self, dataset: str, *, actor: str) -> None:
        """Withdraw a dataset that the pack no longer names; its files and versions stay."""
        with self.records.write() as session:
            row = session.get_one(DatasetRow, dataset)
            row.state, row.problem, row.changed = "removed", None, now_utc()
            ledger.append(session, "dataset.removed", actor=actor, subject=f"dataset/{dataset}", data={})

    def recover(self) -> list[tuple[str, str]]:
        """Complete or discard every intent that a crash left open; returns (dataset, what was done)."""
        with self.records.read() as session:
            intents = session.scalars(select(IntentRow).where(IntentRow.state == "open")).all()
        done = []
        for intent in intents:
            versions = self._committed(intent)
            if versions is None:
                self._discard(intent.id)
                done.append((intent.dataset, "discarded"))
            else:
                with self.records.write() as session:
                    _publish(session, intent.id, versions, self.root)
                done.append((intent.dataset, "published"))
        for marker in sorted(self.root.glob(f"*/{REBUILD}")):
            self.rebuild(marker.parent.name)
            done.append((marker.parent.name, "rebuilt"))
        shutil.rmtree(self.root / "scratch", ignore_errors=True)
        return done

    def _committed(self, intent: IntentRow) -> dict[str, int] | None:
        """Return the Delta versions an intent committed, or None unless all of its tables are there."""
        tables = intent.content.get("tables")
        if not tables:
            return None
        versions = {}
        for name in tables:
            found = _version_of(self.root / intent.dataset / name, intent.id)
            if found is None:
                return None
            versions[name] = found
        return versions

    def _discard_quietly(self, intent: str) -> None:
        """Discard at once if the disk allows; else the next start does."""
        try:
            self._discard(intent)
        except Exception:  # noqa: BLE001 - the first error is the one to tell; recover() will discard later
            return

    def _discard(self, intent_id: str) -> None:
        with self.records.write() as session:
            intent = session.get_one(IntentRow, intent_id)
            if intent.state != "open":
                return
            current = session.scalar(
                select(VersionRow)
                .join(DatasetRow, DatasetRow.id == VersionRow.dataset)
                .where(VersionRow.dataset == intent.dataset, VersionRow.number == DatasetRow.current)
            )
            kept = dict(current.content["delta"]) if current else {}
            for name in TABLES:
                _roll_back(self.root / intent.dataset / name, intent_id, kept.get(name))
            intent.state = "discarded"
            ledger.append(
                session,
                "dataset.discarded",
                actor="jingwei",
                subject=f"dataset/{intent.dataset}",
                data={"intent": intent_id},
            )


def _about_json(about: Description) -> dict[str, Any]:
    return {name: getattr(about, name) for name in Description.__slots__}


def _upsert(session: Session, about: Description) -> DatasetRow:
    row = session.get(DatasetRow, about.id)
    if row is None:
        row = DatasetRow(id=about.id, state="failed", problem=None, current=None, changed=now_utc())
        row.fields = {}
        session.add(row)
    row.title, row.owner, row.sharing = about.title, about.owner, about.sharing
    row.update_cycle, row.position = about.update_cycle, about.position
    row.level = about.level or LEVELS[about.sharing]
    return row


def _classify(row: DatasetRow, about: Description, columns: list[Column], sample: Path | None) -> None:
    """Give the fields of a dataset their classes; who may see what may have changed with them."""
    found = classify(columns, sample, level=row.level, declared=about.fields, known=row.fields)
    classes = {name: asdict(one) for name, one in found.items()}
    if classes != row.fields:
        row.fields, row.changed = classes, now_utc()


def _publish(session: Session, intent_id: str, versions: dict[str, int], root: Path) -> int:
    intent = session.get_one(IntentRow, intent_id)
    data = intent.content
    about = Description(**data["about"])
    content = {**data["content"], "delta": {**data["content"]["delta"], **versions}}
    row = _upsert(session, about)
    session.flush()
    written = Content.from_json(content)
    folder = root / about.id / "facts"
    _classify(row, about, written.columns, folder / written.facts[0].path if written.facts else None)
    newest = session.scalar(select(func.max(VersionRow.number)).where(VersionRow.dataset == about.id))
    number = (newest or 0) + 1
    session.add(
        VersionRow(
            dataset=about.id,
            number=number,
            published=now_utc(),
            intent=intent_id,
            content=content,
            dropped=None,
        )
    )
    row.state, row.problem, row.current, row.changed = "published", None, number, now_utc()
    intent.state, intent.content = "published", {}
    told: dict[str, Any] = {
        "version": number,
        "delta": content["delta"],
        "counts": content["counts"],
        "sources": [{"path": s["path"], "digest": s["digest"]} for s in content["sources"]],
    }
    if written.reads is not None:
        told["reads"] = [asdict(one) for one in written.reads]
    subject = f"dataset/{about.id}"
    ledger.append(session, "dataset.published", actor=data["actor"], subject=subject, data=told)
    if written.compacted is not None:
        told = {"version": number, "before": written.compacted, "rows": written.counts.published}
        told["files"] = len(written.facts)
        ledger.append(session, "dataset.compacted", actor=data["actor"], subject=subject, data=told)
    return number


class _Period:
    """Over how many days the rows of a stream lie, and a sample of their times."""

    def __init__(self) -> None:
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._sampled: list[NDArray[np.int64]] = []

    def watched(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass batches on, and take note of their times."""
        for batch in batches:
            times = batch.column(TIME)
            span = pc.min_max(times).as_py()
            if span["min"] is not None:
                self._first = min(self._first or span["min"], span["min"])
                self._last = max(self._last or span["max"], span["max"])
                known = times.drop_null() if times.null_count else times
                self._sampled.append(np.asarray(known.cast(pa.int64()))[::SAMPLED].copy())
            yield batch

    @property
    def days(self) -> float:
        """How many days; without end where no row has a time."""
        if self._first is None or self._last is None:
            return math.inf
        return (self._last - self._first).days + 1

    def midnights(self, zone: str) -> dict[date, int]:
        """Return the local days of `zone` that the rows lie in, and when each begins."""
        if self._first is None or self._last is None:
            return {}
        return writing.midnights(self._first, self._last, zone)

    def sample(self) -> NDArray[np.int64]:
        """Return some of the times, in UTC microseconds."""
        return np.concatenate([np.empty(0, np.int64), *self._sampled])


def _known_cuts(outlook: Outlook, zone: str) -> NDArray[np.int64]:
    """Return where rows are cut by time that come in its order; nowhere if they do not, or go by days."""
    times = outlook.times
    if not len(times) or outlook.rows > DENSE_ROWS_PER_DAY * ((times.max() - times.min()) // writing.DAY + 1):
        return np.empty(0, np.int64)
    cuts = writing.slices(times, outlook.rows, zone)
    return cuts if outlook.is_timely(cuts) else cuts[:0]


def _write_untimed(batches: pa.RecordBatchReader, cell: str | None, files: _Files) -> None:
    """Write rows of a table without times, sorted, as one file."""
    sorter = Sorter(batches.schema, cell, files.load.scratch)
    sorter.add(batches)
    files.write(Slice(sorter.rows, sorter.schema, sorter.pieces), sorter.rows)


def _write_timed(
    batches: pa.RecordBatchReader, cell: str | None, zone: str, files: _Files, outlook: Outlook | None
) -> None:
    """Write rows with times, sorted, one file for each slice of time or each day."""
    sorter = TimedSorter(batches.schema, cell, files.load.scratch)
    if outlook is not None and len(cuts := _known_cuts(outlook, zone)):
        rows = outlook.rows
        sorter.hand_on(batches, cuts, lambda one: files.write(one, rows))
        if not sorter.rows:
            files.write(sorter.slice(Span(FIRST, None)), 0)
        return
    period = _Period()
    sorter.add(period.watched(batches))
    if sorter.rows > DENSE_ROWS_PER_DAY * period.days:
        begins = period.midnights(zone)
        for day, span in zip([*begins, None], spans(np.array([*begins.values()], np.int64))[1:], strict=True):
            files.write(sorter.slice(span), sorter.rows, f"jw_day={day or '__HIVE_DEFAULT_PARTITION__'}")
        return
    cuts = writing.slices(period.sample(), sorter.rows, zone)
    for span in spans(cuts if cell is not None else cuts[:0]):
        files.write(sorter.slice(span), sorter.rows)


class _Files:
    """The files of facts of a load, written a few at once; their facts are numbered in the order given."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.paths: list[Path] = []
        self._first = 0
        self._threads = ThreadPoolExecutor(AT_ONCE, "jingwei-write")
        self._written: deque[Future[None]] = deque()

    def write(self, slice_: Slice, rows: int, folder: str = "") -> None:
        """Write rows as the next file, if there are any; wait where enough files are being written.

        Parameters
        ----------
        slice_
            What is written.
        rows
            How many rows the whole table has, which decides how large row groups are.
        folder
            Where below the table the file lies.

        """
        if not slice_.rows and rows:
            return
        while len(self._written) >= AT_ONCE:
            self._written.popleft().result()
        within = self.load.table("facts") / folder
        within.mkdir(exist_ok=True)
        path = within / f"{self.load.intent}-{len(self.paths)}.parquet"
        self._written.append(self._threads.submit(self._write, path, slice_, rows, self._first))
        self.paths.append(path)
        self._first += slice_.rows

    def _write(self, path: Path, slice_: Slice, rows: int, first: int) -> None:
        with writing.FactsFile(path, slice_.schema, writing.group_rows(rows), first) as file:
            ahead(slice_.pieces(), file.write)
        if self.load.behind is not None:
            self.load.durable[path] = self.load.behind.submit(_make_durable, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._threads:
            while kind is None and self._written:
                self._written.popleft().result()


def load_of(path: PurePath) -> str:
    """Return what wrote a file of a table, by its name."""
    return path.stem.rpartition("-")[0]


def _plain(field: pa.Field) -> pa.Field:
    """Return a field as it is stored: a dictionary is a matter of memory only."""
    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field


def _described(paths: list[Path], folder: Path, cells: list[str]) -> list[DataFile]:
    """Read the footers of written files into the index of which rows and cells lie where."""
    files = []
    first = 0
    for path in paths:
        footer = pq.read_metadata(path)
        column = footer.schema.names.index(cells[0]) if cells else None
        groups = []
        for number in range(footer.num_row_groups):
            group = footer.row_group(number)
            span = group.column(column).statistics if column is not None else None
            low, high = (span.min, span.max) if span is not None and span.has_min_max else (None, None)
            groups.append(RowGroup(first, group.num_rows, low, high))
            first += group.num_rows
        files.append(
            DataFile(
                path=path.relative_to(folder).as_posix(),
                rows=footer.num_rows,
                size=path.stat().st_size,
                groups=groups,
            )
        )
    return files


def _sync(load: Load) -> None:
    """Make the written files durable before anything refers to them."""
    for name in load.schemas:
        for file in _new(load, name):
            path = load.table(name) / file.path
            if path in load.durable:
                load.durable[path].result()
            else:
                _make_durable(path)


def _make_durable(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def _new(load: Load, name: TableName) -> list[DataFile]:
    """Return the files of a load that were not there before."""
    before = {file.path for file in load.before.get(name, [])}
    return [file for file in load.files[name] if file.path not in before]


def _commit_more(load: Load, name: TableName) -> int:
    """Commit what a load adds to a Delta table and takes out of it; returns the Delta version."""
    folder = load.table(name)
    kept = {file.path for file in load.files[name]}
    gone = [file for file in load.before[name] if file.path not in kept]
    table = DeltaTable(str(folder))
    table.create_write_transaction(
        [*(_add_action(file) for file in _new(load, name)), *(_remove_action(file) for file in gone)],
        "append",
        Schema.from_arrow(load.schemas[name]),
        commit_properties=CommitProperties(custom_metadata={"jw_intent": load.intent}),
    )
    return int(DeltaTable(str(folder)).version())


def _commit(load: Load, name: TableName) -> int:
    """Commit the load's files to a Delta table, as its whole new content or beside what it holds.

    Returns the Delta version.
    """
    folder = load.table(name)
    if load.before.get(name) and DeltaTable.is_deltatable(str(folder)):
        return _commit_more(load, name)
    partitioned = any("jw_day=" in file.path for file in load.files[name])
    actions = [_add_action(file) for file in load.files[name]]
    schema = load.schemas[name]
    if partitioned:
        schema = schema.append(pa.field("jw_day", pa.date32()))
    properties = CommitProperties(custom_metadata={"jw_intent": load.intent})
    if DeltaTable.is_deltatable(str(folder)):
        table = DeltaTable(str(folder))
        same_layout = bool(table.metadata().partition_columns) == partitioned
        if same_layout:
            table.create_write_transaction(
                [*actions],
                "overwrite",
                Schema.from_arrow(schema),
                partition_by=["jw_day"] if partitioned else None,
                commit_properties=properties,
            )
            return int(DeltaTable(str(folder)).version())
    create_table_with_add_actions(
        str(folder),
        Schema.from_arrow(schema),
        actions,
        mode="overwrite",
        partition_by=["jw_day"] if partitioned else None,
        commit_properties=properties,
    )
    return int(DeltaTable(str(folder)).version())


def _remove_action(file: DataFile) -> RemoveAction:
    return RemoveAction(file.path, True, int(time.time() * 1000), file.size, {})  # noqa: FBT003 - the library's own order of arguments


def _add_action(file: DataFile) -> AddAction:
    day = file.path.split("/")[0].removeprefix("jw_day=") if "jw_day=" in file.path else None
    known = None if day == "__HIVE_DEFAULT_PARTITION__" else day
    return AddAction(
        file.path,
        file.size,
        {} if day is None else {"jw_day": known},
        int(time.time() * 1000),
        True,  # noqa: FBT003 - the library's own order of arguments
        json.dumps({"numRecords": file.rows}),
    )


def _version_of(folder: Path, intent: str) -> int | None:
    """Return the Delta version that `intent` committed to the table at `folder`, if it did."""
    if not DeltaTable.is_deltatable(str(folder)):
        return None
    for commit in DeltaTable(str(folder)).history(4):
        if commit.get("jw_intent") == intent:
            return int(commit["version"])
    return None


def _roll_back(folder: Path, intent: str, kept: int | None) -> None:
    """Take an unpublished intent out of a Delta table and delete its files."""
    if not folder.exists():
        return
    if _version_of(folder, intent) is not None:
        if kept is None:
            shutil.rmtree(folder)
            return
        DeltaTable(str(folder)).restore(kept)
    for path in folder.rglob(f"{intent}-*.parquet"):
        path.unlink(missing_ok=True)


def _is_no_space(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return isinstance(error, (duckdb.Error, pa.ArrowException, OSError)) and "o space left" in str(error)
