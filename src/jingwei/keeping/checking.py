"""Whether a city that was put together is whole: its log, its versions, their files."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow.parquet as pq
from deltalake import DeltaTable
from sqlalchemy import select

from jingwei.errors import NotFoundError
from jingwei.keeping.errors import DamagedCopyError
from jingwei.lake.models import DatasetRow, VersionRow
from jingwei.lake.schemas import Content
from jingwei.lake.store import TABLES
from jingwei.ledger import bundle
from jingwei.ledger.keys import check_signature
from jingwei.ledger.verify import check_bundle
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from jingwei.keeping.copying import Contents
    from jingwei.records import Records


def check_sqlite(path: Path) -> None:
    """Raise unless a SQLite database is sound."""
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("PRAGMA integrity_check(5)").fetchall()
    except sqlite3.DatabaseError as error:
        found = [(str(error),)]
    finally:
        connection.close()
    if found != [("ok",)]:
        raise DamagedCopyError([Text(f"数据库：{one}", f"the record store: {one}") for (one,) in found])


def check_whole(copy: Contents, records: Records, place: Path) -> None:
    """Raise unless log, versions and files are those that the backup says it holds, and fit each other."""
    with records.read() as session:
        faults = [*_log_faults(copy, session, place), *_version_faults(copy, session, place / "lake")]
    if faults:
        raise DamagedCopyError(faults)


def _log_faults(copy: Contents, session: Session, place: Path) -> Iterator[Text]:
    if not copy.about["log"]["checkpoint"]:
        return
    with tempfile.NamedTemporaryFile(dir=place, suffix=".zip") as file:
        try:
            bundle.export(session, Path(file.name))
        except NotFoundError as error:
            yield Text(f"日志：{error.what.zh}", f"the log: {error.what.en}")
            return
        report = check_bundle(
            Path(file.name), kept=[copy.about["log"]["checkpoint"]], check=check_signature, processes=1
        )
    for finding in report.findings:
        if finding.fault:
            yield Text(f"日志：{finding.zh}", f"the log: {finding.en}")
    if report.size != copy.about["log"]["size"]:
        yield Text(f"日志只有 {report.size} 条", f"the log has {report.size} events only")


def _version_faults(copy: Contents, session: Session, lake: Path) -> Iterator[Text]:
    newest: dict[str, int] = {}
    for row in session.scalars(select(VersionRow)):
        newest[row.dataset] = max(newest.get(row.dataset, 0), row.number)
        content = Content.from_json(row.content)
        for table in TABLES:
            for file in getattr(content, table):
                path = lake / row.dataset / table / file.path
                if not path.is_file() or path.stat().st_size != file.size:
                    name = path.relative_to(lake).as_posix()
                    yield Text(f"{row.dataset} 第 {row.number} 版缺少 {name}",
                               f"version {row.number} of {row.dataset} lacks {name}")  # fmt: skip
    if newest != copy.about["datasets"]:
        yield Text("数据集的版本与清单不符", "the versions of the datasets are not those that were backed up")
    current = select(VersionRow).join(
        DatasetRow, (DatasetRow.id == VersionRow.dataset) & (DatasetRow.current == VersionRow.number)
    )
    for row in session.scalars(current):
        yield from _content_faults(row.dataset, Content.from_json(row.content), lake)


def _content_faults(dataset: str, content: Content, lake: Path) -> Iterator[Text]:
    """Hold the current version against the files' own footers, and against what Delta says."""
    for table in TABLES:
        files = getattr(content, table)
        folder = lake / dataset / table
        for file in files:
            try:
                rows = pq.read_metadata(folder / file.path).num_rows
            except (OSError, ValueError):
                continue  # told already
            if rows != file.rows:
                yield Text(f"{dataset}：{file.path} 有 {rows} 行，应为 {file.rows}",
                           f"{dataset}: {file.path} has {rows} rows, not {file.rows}")  # fmt: skip
        if table in content.delta and files:
            uris = DeltaTable(str(folder), version=content.delta[table]).file_uris()
            told = {unquote(one).removeprefix(f"{folder.resolve()}/") for one in uris}
            if told != {file.path for file in files}:
                yield Text(f"{dataset}：Delta 表 {table} 与版本不符",
                           f"{dataset}: the Delta table {table} is not what the version names")  # fmt: skip
