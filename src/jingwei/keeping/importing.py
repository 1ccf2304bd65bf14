"""A city from an export: checked as it is read, and equal in its answers."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
from sqlalchemy import select

from jingwei import ledger
from jingwei.keeping import events  # noqa: F401 -- declares them
from jingwei.keeping.checking import check_whole
from jingwei.keeping.copying import Contents, Tell, check_sums, nothing, read_contents, take_out
from jingwei.keeping.errors import TargetNotEmptyError
from jingwei.keeping.exporting import CONTENTS, FILES, FORM, POINT
from jingwei.keeping.restoring import Restored, keep_checkpoint, keys_told, put_together
from jingwei.lake import writing
from jingwei.lake.models import VersionRow
from jingwei.lake.schemas import Content, DataFile
from jingwei.lake.store import TABLES, Store
from jingwei.records import Records, dumping, open_records

if TYPE_CHECKING:
    import pyarrow as pa

    from jingwei.lake.store import TableName


def check_export(folder: Path, tell: Tell = nothing) -> Contents:
    """Compare every file of an export with its checksum, and return what it says it holds.

    Raises
    ------
    NoCopyError, DamagedCopyError
        If it is no finished export, or not what it was.

    """
    copy = read_contents(folder, CONTENTS, FORM)
    check_sums(copy, tell)
    return copy


def import_city(
    folder: Path,
    home: Path,
    *,
    keys: Path | None = None,
    records_url: str | None = None,
    actor: str,
    tell: Tell = nothing,
) -> Restored:
    """Make a city of an export, in a home that is empty or not there.

    Parameters
    ----------
    folder
        The export.
    home
        The city's own folder.
    keys
        The folder of the keys; without them the log does not go on until its key is put into `keys/`.
    records_url
        An empty database for the record store; SQLite inside `home` by default.
    actor
        Who does it; named in the event.
    tell
        Told of each file.

    Raises
    ------
    NoCopyError, DamagedCopyError
        If it is no finished export, or not what it was.
    TargetNotEmptyError
        If there is anything in `home`, or in the database.

    """
    copy = check_export(folder, tell)
    with put_together(home) as place:
        take_out(copy, copy.names(FILES), lambda name: place / name.removeprefix(f"{FILES}/"), tell)
        if keys is not None:
            told = keys_told(keys)
            take_out(told, list(told.sums), lambda name: place / name, tell)
        records = open_records(records_url or f"sqlite:///{place / dumping.FILE}", migrate=False)
        try:
            if not dumping.is_empty(records.engine):
                raise TargetNotEmptyError(Path(records.engine.url.render_as_string(hide_password=True)))
            dumping.load(records.engine, folder / "records", copy.about["revision"])
            _settle_datasets(copy, records, place / "lake")
            check_whole(copy, records, place)
            keep_checkpoint(copy, place)
            _tell(copy, records, actor)
        finally:
            records.close()
    return Restored.of(copy, home)


def _tell(copy: Contents, records: Records, actor: str) -> None:
    with records.write() as session:
        data = {"made": copy.about["made"], "digest": copy.about["sums"]}
        subject = f"city/{copy.about['city']['id']}"
        ledger.append(session, "keeping.imported", actor=actor, subject=subject, data=data)


def _settle_datasets(copy: Contents, records: Records, lake: Path) -> None:
    """Put the files of each dataset into the container, as new Delta tables."""
    store = Store(lake, records)
    with records.read() as session:
        rows = session.scalars(select(VersionRow)).all()
    for row in rows:
        content = Content.from_json(row.content)
        files: dict[TableName, list[DataFile]] = {}
        schemas: dict[TableName, pa.Schema] = {}
        for table in TABLES:
            files[table] = [
                _settle_file(copy.folder / "datasets", lake, f"{row.dataset}/{table}", table, file)
                for file in getattr(content, table)
            ]
            if files[table]:
                first = lake / row.dataset / table / files[table][0].path
                schemas[table] = pq.read_schema(first)
        findings = copy.folder / "datasets" / row.dataset / "findings"
        if findings.is_dir():
            shutil.copytree(findings, lake / row.dataset / "findings")
        delta = store.settle(row.dataset, row.intent, files, schemas)
        kept = replace(
            content,
            facts=files["facts"],
            covers=files["covers"],
            quarantine=files["quarantine"],
            delta=delta,
        )
        with records.write() as session:
            session.get_one(VersionRow, row.id).content = asdict(kept)


def _settle_file(datasets: Path, lake: Path, folder: str, table: str, file: DataFile) -> DataFile:
    source, target = datasets / folder / file.path, lake / folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if table != "facts":
        shutil.copyfile(source, target)
        return replace(file, size=target.stat().st_size)
    with pq.ParquetFile(source) as told:
        names = [name for name in told.schema_arrow.names if name != POINT]
        schema = None
        writer = None
        try:
            for number in range(told.num_row_groups):
                rows = told.read_row_group(number, names).replace_schema_metadata(None)
                if writer is None:
                    schema = rows.schema
                    sample = rows.slice(0, writing.LOOKED_AT).combine_chunks().to_batches()
                    options = writing.encoding(sample[0]) if sample else {}
                    writer = pq.ParquetWriter(
                        target, schema, compression="zstd", compression_level=1, store_schema=False, **options
                    )
                writer.write_table(rows, row_group_size=max(1, rows.num_rows))
            if writer is None:
                pq.write_table(told.read(names).replace_schema_metadata(None), target, store_schema=False)
        finally:
            if writer is not None:
                writer.close()
    return replace(file, size=target.stat().st_size)
