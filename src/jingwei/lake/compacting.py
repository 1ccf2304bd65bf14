"""Compaction: what a version has in many files is put into few, sorted by cell, as the next version.

The rows are the same and answer equally; only their numbers (`jw_fact`) are new, so that the version before
keeps its files until its retention is over, and who reads it reads on. A crash leaves the old version or the
new one, as of any load.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import select

from jingwei.lake import contracting, writing
from jingwei.lake.engines import open_engine
from jingwei.lake.errors import UnknownDatasetError
from jingwei.lake.models import DatasetRow, ReportRow
from jingwei.lake.stopping import stoppable
from jingwei.lake.store import MEMORY, Description, Load, load_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jingwei.lake.schemas import Content, DataFile
    from jingwei.lake.service import Lake

READ_ROWS = 65_536
"""Rows that are read at once."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What a compaction made: the new version, and files and bytes of the facts before and after."""

    dataset: str
    version: int
    rows: int
    files: tuple[int, int]
    bytes: tuple[int, int]


def scattered(content: Content, *, least: int = 2) -> bool:
    """Say whether the facts of a version lie in files of more loads, or in more row groups, than they need.

    Parameters
    ----------
    content
        What the version holds.
    least
        From how many loads whose files lie in one place (of one day, where there are days) they count as
        scattered.

    """
    in_place: dict[PurePosixPath, set[str]] = {}
    for file in content.facts:
        path = PurePosixPath(file.path)
        in_place.setdefault(path.parent, set()).add(load_of(path))
    rows, groups = sum(file.rows for file in content.facts), sum(len(file.groups) for file in content.facts)
    enough = 2 * (rows // writing.group_rows(rows) + 1) + len(content.facts)
    return max(map(len, in_place.values()), default=0) >= least or groups > enough


def compact(lake: Lake, dataset: str, *, zone: str, actor: str, least: int = 2) -> Compacted | None:
    """Publish the next version of a dataset: the same rows, sorted by cell, in few files.

    Parameters
    ----------
    lake, dataset
        Where, and which.
    zone
        The city's time zone (IANA), whose days partition dense tables.
    actor
        Who does it; named in the events.
    least
        As for `scattered`.

    Returns
    -------
    What was made; `None` where the files are as they should be.

    Raises
    ------
    UnknownDatasetError
        If nothing of the kind is published.
    BusyError, NoSpaceError
        If another program writes into the city, or the disk is full.

    """
    started = time.monotonic()
    with lake.store.writing(brief=True):
        found = next((one for one in lake.catalogue() if one.id == dataset), None)
        if found is None or found.version is None:
            raise UnknownDatasetError(dataset, [one.id for one in lake.catalogue()])
        old = found.version.content
        if not scattered(old, least=least):
            return None
        with lake.store.load(dataset) as load:
            _write(lake, load, old, zone)
            with lake.records.read() as session:
                before = contracting.intent_of(lake, dataset, found.version.number)
                reports = _reports(session, before)
            _refer_anew(lake, load, old, before, reports)
            content = replace(
                old,
                facts=load.files["facts"],
                covers=load.files["covers"],
                seconds=time.monotonic() - started,
                erased=0,
                compacted=found.version.number,
            )
            with lake.records.write() as session:
                session.add_all(_again(load.intent, one) for one in reports)
            number = lake.store.publish(load, _about(lake, dataset), content, actor=actor)
    sizes = (sum(file.size for file in old.facts), sum(file.size for file in content.facts))
    files = (len(old.facts), len(content.facts))
    return Compacted(dataset, number, sum(file.rows for file in content.facts), files, sizes)


def _about(lake: Lake, dataset: str) -> Description:
    """Describe a dataset as it is; what was found of its fields stays."""
    with lake.records.read() as session:
        row = session.get_one(DatasetRow, dataset)
        return Description(
            row.id, row.title, row.owner, row.sharing, row.update_cycle, row.position, row.level
        )


def _write(lake: Lake, load: Load, old: Content, zone: str) -> None:
    """Sort and write the facts; what was kept apart stays where it is."""
    folder = lake.root / load.dataset / "facts"
    schema = pq.read_schema(folder / old.facts[0].path)
    schema = schema.remove(schema.get_field_index(writing.FACT.name)).remove_metadata()
    stream = pa.RecordBatchReader.from_batches(schema, _rows(folder, old.facts, schema))
    lake.store.write_facts(load, stream, [place.cell for place in old.places], zone)
    load.files["quarantine"] = old.quarantine


def _rows(folder: Path, files: list[DataFile], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for file in files:
        with pq.ParquetFile(folder / file.path) as source:
            for batch in source.iter_batches(READ_ROWS, columns=schema.names):
                yield pa.RecordBatch.from_arrays(
                    [batch.column(name).cast(schema.field(name).type) for name in schema.names], schema=schema
                )


def _reports(session: Session, intent: str) -> list[ReportRow]:
    found = session.scalars(select(ReportRow).where(ReportRow.intent == intent)).all()
    session.expunge_all()
    return list(found)


def _again(intent: str, row: ReportRow) -> ReportRow:
    told = {name: getattr(row, name) for name in ("contract", "dataset", "at", "gated", "score", "body")}
    return ReportRow(intent=intent, **told)


def _refer_anew(lake: Lake, load: Load, old: Content, before: str, reports: list[ReportRow]) -> None:
    """Have covers and findings name the facts by their new numbers."""
    folder = lake.root / load.dataset
    found = [
        (one.contract, path)
        for one in reports
        if (path := contracting.findings_path(lake.root, load.dataset, before, one.contract)).is_file()
    ]
    if not old.covers and not found:
        return
    with open_engine(MEMORY, load.scratch) as engine:
        for name, files in (("earlier", old.facts), ("later", load.files["facts"])):
            paths = [str(folder / "facts" / file.path) for file in files]
            engine.read_parquet(paths, hive_partitioning=False).select(
                duckdb.ColumnExpression("jw_fact"),
                duckdb.ColumnExpression("jw_source"),
                duckdb.ColumnExpression("jw_row"),
            ).create_view(name)
        with stoppable(engine):
            engine.execute(
                "CREATE TABLE renumbered AS SELECT e.jw_fact AS old, l.jw_fact AS new "
                "FROM earlier e JOIN later l USING (jw_source, jw_row)"
            )
        if old.covers:
            covers = pa.concat_tables([pq.read_table(folder / "covers" / file.path) for file in old.covers])
            lake.store.write_table(load, "covers", _renumbered(engine, covers, "jw_fact"), "jw_cell")
        for contract, path in found:
            table = _renumbered(engine, pq.read_table(path), "fact")
            target = contracting.findings_path(lake.root, load.dataset, load.intent, contract)
            pq.write_table(table, target, compression="zstd")


def _renumbered(engine: duckdb.DuckDBPyConnection, table: pa.Table, column: str) -> pa.Table:
    """Return a table with the new numbers of the facts that a column names, in the same order."""
    old = np.unique(table[column].drop_null().to_numpy())
    with engine.cursor() as cursor:
        cursor.register("wanted", pa.table({"old": old}))
        pairs = cursor.sql("SELECT old, new FROM wanted JOIN renumbered USING (old) ORDER BY old")
        known: pa.Table = pairs.to_arrow_table()
    place = pc.index_in(table[column], value_set=known["old"])
    return table.set_column(
        table.column_names.index(column),
        table.schema.field(column),
        known["new"].take(place).cast(table.schema.field(column).type),
    )
