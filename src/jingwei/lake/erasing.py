"""Erasing rows through all versions: a person's rows are gone as if they had never been handed in.

Files are written anew without the rows, and named by the versions in one transaction; then the Delta tables
are made anew and the old files deleted, by the next start if a crash comes between. What is left keeps its
number (`jw_fact`), so that covers and row groups hold.
"""

from __future__ import annotations

import hmac
import os
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import func, select

from jingwei.lake import contracting, quality, writing
from jingwei.lake.errors import UnknownColumnError, UnknownDatasetError
from jingwei.lake.masking import mask_key
from jingwei.lake.models import DatasetRow, ReportRow, VersionRow
from jingwei.lake.schemas import Content, DataFile, RowGroup, SourceFile
from jingwei.lake.store import MEMORY
from jingwei.ledger import of_types
from jingwei.ledger.models import Event
from jingwei.records import now_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from jingwei.lake.service import Lake


@dataclass(slots=True)
class Erased:
    """What was erased of a dataset: rows by version, of quarantine and findings; objects, and sources."""

    rows: dict[int, int] = field(default_factory=dict)
    quarantined: int = 0
    findings: int = 0
    objects: set[str] = field(default_factory=set)
    sources: dict[str, SourceFile] = field(default_factory=dict)

    @property
    def anything(self) -> bool:
        """Whether anything was there."""
        return bool(self.rows or self.quarantined or self.findings)


@dataclass(slots=True)
class _Rewritten:
    file: DataFile
    facts: NDArray[np.int64]
    placed: int = 0
    objects: set[str] = field(default_factory=set)
    rules: dict[str, int] = field(default_factory=dict)


Within: TypeAlias = "Callable[[Session, Erased], None]"


_Done: TypeAlias = "dict[tuple[str, str], _Rewritten | None]"
"""By table and path, as files of several tables of one load bear one name."""


def mark_of(lake: Lake, dataset: str, column: str, value: str) -> str:
    """Return by what an erased value is known when it comes again; only with the city's secret."""
    return _mark(mask_key(lake.root / "mask-key"), dataset, column, value)


def _mark(key: bytes, dataset: str, column: str, value: str) -> str:
    return hmac.digest(key, f"{dataset}\x1f{column}\x1f{value}".encode(), "sha256").hex()


def erased_marks(lake: Lake, dataset: str) -> dict[str, set[str]]:
    """Return by column the marks of all values that were erased from a dataset."""
    found: dict[str, set[str]] = {}
    with lake.records.read() as session:
        question = of_types(["dataset.rows_erased"], Event.subject, Event.data)
        for subject, data in session.execute(question):
            if subject == f"dataset/{dataset}" and data is not None:
                found.setdefault(data["column"], set()).add(data["mark"])
    return found


def without_erased(
    lake: Lake, dataset: str, table: pa.RecordBatch, marks: dict[str, set[str]]
) -> NDArray[np.bool_]:
    """Say of each row of a file whether it may come in: not if it holds a value that was erased."""
    kept = np.ones(table.num_rows, bool)
    key = mask_key(lake.root / "mask-key")
    for column in marks.keys() & set(table.schema.names):
        texts = table.column(column).cast(pa.string())
        gone = [
            value
            for value in texts.unique().drop_null().to_pylist()
            if _mark(key, dataset, column, value) in marks[column]
        ]
        if gone:
            kept &= ~np.asarray(pc.is_in(texts, value_set=pa.array(gone)))
    return kept


def erase_rows(lake: Lake, dataset: str, column: str, value: str, within: Within) -> Erased:
    """Erase the rows of a dataset whose `column` says `value`, in every version that has rows.

    Parameters
    ----------
    lake
        The container.
    dataset, column, value
        Which rows; the value as text.
    within
        Called in the transaction that makes it so, to erase elsewhere and to append the event.

    Raises
    ------
    UnknownDatasetError, UnknownColumnError
        If there is no such dataset, or no version of it has the column.
    BusyError
        If another program writes into the city, or copies it.

    """
    with lake.store.writing(brief=True), lake.store.removing():
        with lake.records.read() as session:
            rows = session.scalars(
                select(VersionRow)
                .where(VersionRow.dataset == dataset, VersionRow.dropped.is_(None))
                .order_by(VersionRow.number)
            ).all()
            checks = session.execute(
                select(ReportRow.intent, ReportRow.contract).where(ReportRow.dataset == dataset)
            ).all()
        if not rows:
            raise UnknownDatasetError(dataset, [one.id for one in lake.catalogue()])
        contents = {row.number: Content.from_json(row.content) for row in rows}
        known = {one.name for content in contents.values() for one in content.columns}
        if column not in known:
            raise UnknownColumnError(dataset, column, sorted(known))
        lake.store.begin_rebuild(dataset)
        erased = Erased()
        changed: dict[int, Content] = {}
        try:
            _rewrite(lake, rows, contents, checks, (column, value), erased, changed)
            with lake.records.write() as session:
                _put(session, dataset, changed)
                within(session, erased)
        finally:
            lake.store.rebuild(dataset)
    return erased


def _rewrite(
    lake: Lake,
    rows: Sequence[VersionRow],
    contents: dict[int, Content],
    checks: Sequence[Any],
    which: tuple[str, str],
    erased: Erased,
    changed: dict[int, Content],
) -> None:
    """Write the files of all versions anew without the rows; note what they hold then."""
    column, value = which
    dataset = rows[0].dataset
    done: _Done = {}
    for number, content in contents.items():
        new = _of_version(lake.root / dataset, content, column, value, erased, done, number)
        if new is not None:
            changed[number] = new
    gone: dict[str, set[int]] = {}
    for row in rows:
        for file in contents[row.number].facts:
            new_file = done.get(("facts", file.path))
            if new_file is not None:
                gone.setdefault(row.intent, set()).update(new_file.facts.tolist())
    for intent, number in checks:
        path = contracting.findings_path(lake.root, dataset, intent, number)
        erased.findings += _of_findings(path, gone.get(intent, set()), value)


def _of_version(
    folder: Path,
    content: Content,
    column: str,
    value: str,
    erased: Erased,
    done: _Done,
    number: int,
) -> Content | None:
    """Return the content of a version without the rows; None where it has none of them."""
    own = [one.name for one in content.columns]
    cell = content.places[0].cell if content.places else None
    files: dict[str, list[DataFile]] = {}
    rewritten: dict[str, list[_Rewritten]] = {}

    def each(table: str, mask: Callable[[pa.Table], Any]) -> None:
        files[table], rewritten[table] = [], []
        for file in getattr(content, table):
            which = (table, file.path)
            if which not in done:
                sort = {"facts": cell, "covers": "jw_cell"}.get(table)
                done[which] = _without(folder / table, file, mask, sort)
            new = done[which]
            files[table].append(file if new is None else new.file)
            if new is not None:
                rewritten[table].append(new)

    each("facts", lambda rows: _says(rows, column, value) if column in own else None)
    facts = np.concatenate([np.empty(0, np.int64), *(one.facts for one in rewritten["facts"])])
    gone = pa.array(facts)
    each("covers", lambda rows: pc.is_in(rows["jw_fact"], value_set=gone) if len(gone) else None)
    each("quarantine", lambda rows: _holds(rows["text"], value))
    apart = sum(len(one.facts) for one in rewritten["quarantine"])
    if not len(facts) and not apart:
        return None
    erased.rows[number] = len(facts)
    erased.quarantined += apart
    erased.sources |= {one.digest: one for one in content.sources}
    for one in rewritten["facts"]:
        erased.objects |= one.objects
    rules = dict(content.rules)
    for one in rewritten["quarantine"]:
        for rule, count in one.rules.items():
            rules[rule] = max(0, rules.get(rule, 0) - count)
    counts, placed = content.counts, sum(one.placed for one in rewritten["facts"])
    paths = [folder / "facts" / file.path for file in files["facts"]]
    columns, _ = quality.describe(paths, contracting.own_schema(paths, content), content.keys, MEMORY)
    return replace(
        content,
        facts=files["facts"],
        covers=files["covers"],
        quarantine=files["quarantine"],
        columns=columns,
        rules=rules,
        counts=replace(
            counts,
            read=counts.read - len(facts) - apart,
            published=counts.published - len(facts),
            addressed=counts.addressed - placed,
            without_place=counts.without_place - (len(facts) - placed),
            quarantined=counts.quarantined - apart,
        ),
        erased=content.erased + 1,
    )


def _says(rows: pa.Table, column: str, value: str) -> Any:
    return pc.fill_null(pc.equal(rows[column].cast(pa.string()), value), fill_value=False)


def _holds(texts: pa.ChunkedArray, value: str) -> Any:
    return pc.fill_null(pc.match_substring(texts, value), fill_value=False)


def _without(
    folder: Path, file: DataFile, mask: Callable[[pa.Table], Any], cell: str | None
) -> _Rewritten | None:
    """Write a file anew without the rows of a mask; None where there are none, and nothing is written.

    Where rows are taken from within a row group, what is left becomes several: each holds facts whose
    numbers follow each other.
    """
    with pq.ParquetFile(folder / file.path) as source:
        masks = [mask(source.read_row_group(number)) for number in range(source.num_row_groups)]
        if not any(one is not None and pc.any(one).as_py() for one in masks):
            return None
        name = f"{uuid.uuid4()}-0.parquet"
        target = (folder / file.path).with_name(name)
        found = _Rewritten(file, np.empty(0, np.int64))
        groups: list[RowGroup] = []
        schema = source.schema_arrow
        sample = source.read_row_group(0).slice(0, writing.LOOKED_AT).combine_chunks().to_batches()[0]
        options = writing.encoding(sample)
        with pq.ParquetWriter(target, schema, compression="zstd", store_schema=False, **options) as writer:
            for number, out in enumerate(masks):
                rows = source.read_row_group(number)
                taken = np.zeros(rows.num_rows, bool) if out is None else np.asarray(out.combine_chunks())
                _note(found, rows.filter(pa.array(taken)), cell)
                for begin, end in _runs(~taken):
                    part = rows.slice(begin, end - begin)
                    writer.write_table(part, row_group_size=part.num_rows)
                    low, high = _span(part, cell)
                    groups.append(RowGroup(file.groups[number].first + begin, part.num_rows, low, high))
    with target.open("rb") as handle:
        os.fsync(handle.fileno())
    path = target.relative_to(folder).as_posix()
    size = target.stat().st_size
    found.file = DataFile(path, sum(group.rows for group in groups), size, groups)
    return found


def _note(found: _Rewritten, taken: pa.Table, cell: str | None) -> None:
    if not taken.num_rows:
        return
    if "jw_fact" in taken.schema.names:
        numbers = taken["jw_fact"].to_numpy()
    else:
        numbers = np.zeros(taken.num_rows, np.int64)
        for rule in taken["rule"].to_pylist():
            found.rules[rule] = found.rules.get(rule, 0) + 1
    found.facts = np.concatenate([found.facts, numbers])
    if cell is not None and cell in taken.schema.names:
        found.placed += taken.num_rows - taken[cell].null_count
    if "jw_object" in taken.schema.names:
        found.objects |= set(taken["jw_object"].drop_null().to_pylist())


def _runs(kept: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return from where to where rows stay, one after another."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _span(rows: pa.Table, cell: str | None) -> tuple[int | None, int | None]:
    if cell is None or cell not in rows.schema.names:
        return None, None
    span = pc.min_max(rows[cell]).as_py()
    return span["min"], span["max"]


def _of_findings(path: Path, facts: set[int], value: str) -> int:
    """Take the rows out of what a check found."""
    if not path.is_file():
        return 0
    table = pq.read_table(path)
    gone = pc.or_(
        pc.fill_null(
            pc.is_in(table["fact"], value_set=pa.array(sorted(facts), pa.int64())), fill_value=False
        ),
        _holds(table["value"], value),
    )
    left = table.filter(pc.invert(gone))
    if left.num_rows < table.num_rows:
        pq.write_table(left, path.with_suffix(".new"), compression="zstd")
        path.with_suffix(".new").replace(path)
    return int(table.num_rows - left.num_rows)


def _put(session: Session, dataset: str, changed: dict[int, Content]) -> None:
    """Have versions say what they hold now, under new keys: what is kept under the old ones is forgotten."""
    session.get_one(DatasetRow, dataset).changed = now_utc()
    for number, content in changed.items():
        old = session.scalars(
            select(VersionRow).where(VersionRow.dataset == dataset, VersionRow.number == number)
        ).one()
        told = {name: getattr(old, name) for name in ("dataset", "number", "published", "intent", "dropped")}
        key = {}
        if session.get_bind().dialect.name == "sqlite":  # which would give the same key again
            key = {"id": (session.scalar(select(func.max(VersionRow.id))) or 0) + 1}
        session.delete(old)
        session.flush()
        session.add(VersionRow(**told, **key, content=content.as_json()))
        session.flush()
