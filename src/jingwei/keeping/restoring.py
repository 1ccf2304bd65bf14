"""Bringing a city back from its backup: checked file by file, and then as a whole, before it is there."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

import pyarrow.parquet as pq
from deltalake import DeltaTable
from sqlalchemy import select

from jingwei import ledger
from jingwei.errors import NotFoundError
from jingwei.keeping import events  # noqa: F401 -- declares them
from jingwei.keeping.backup import CONTENTS, FORM, HOME, READINGS
from jingwei.keeping.copying import (
    Contents,
    Tell,
    check_sums,
    nothing,
    read_contents,
    sync_folder,
    take_out,
)
from jingwei.keeping.errors import DamagedCopyError, KeysWantedError, TargetNotEmptyError
from jingwei.lake.models import DatasetRow, VersionRow
from jingwei.lake.schemas import Content
from jingwei.lake.store import TABLES
from jingwei.ledger import bundle
from jingwei.ledger.keys import check_signature
from jingwei.ledger.sealer import CHECKPOINT_FILE
from jingwei.ledger.verify import check_bundle
from jingwei.records import Records, dumping, open_records
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

UNDER_WAY = ".restoring"
"""Ends the name of the folder in which a city is put together, beside the one that it becomes."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back."""

    home: Path
    city: str
    made: str
    files: int
    datasets: int
    events: int
    keys: bool


def read_backup(folder: Path) -> Contents:
    """Return what a backup says it holds, unchecked.

    Raises
    ------
    NoCopyError, DamagedCopyError
        If it is no finished backup, or its list was changed.

    """
    return read_contents(folder, CONTENTS, FORM)


def check_backup(folder: Path, tell: Tell = nothing) -> Contents:
    """Compare every file of a backup with its checksum, and return what it says it holds.

    Raises
    ------
    NoCopyError, DamagedCopyError
        If it is no finished backup, or not what it was.

    """
    copy = read_backup(folder)
    check_sums(copy, tell)
    return copy


def restore(
    folder: Path,
    home: Path,
    *,
    keys: Path | Literal["without"] | None = None,
    records_url: str | None = None,
    actor: str,
    tell: Tell = nothing,
) -> Restored:
    """Bring a city back from a backup into a home that is empty or not there.

    Each file is checked as it is copied; then the log is computed anew and its signatures are checked, and
    of every version each file is there with its rows, also by its Delta table. Only then is it in `home`.

    Parameters
    ----------
    folder
        The backup.
    home
        The city's own folder.
    keys
        The folder of the keys where they were kept apart, or `without`.
    records_url
        An empty database for the record store; SQLite inside `home` by default, if the backup has such.
    actor
        Who does it; named in the event.
    tell
        Told of each file that is copied.

    Raises
    ------
    NoCopyError, DamagedCopyError
        If it is no finished backup, or not what it was.
    TargetNotEmptyError
        If there is anything in `home`, or in the database.
    KeysWantedError
        If the keys were kept apart and it is not said where.

    """
    copy = read_backup(folder)
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise TargetNotEmptyError(home)
    if copy.about["keys"] == "apart" and keys is None:
        raise KeysWantedError(folder)
    place = home.with_name(home.name + UNDER_WAY)
    shutil.rmtree(place, ignore_errors=True)  # of a restore that was interrupted
    place.mkdir(mode=0o700, parents=True)
    try:
        take_out(copy, copy.names(HOME), lambda name: place / name.removeprefix(f"{HOME}/"), tell)
        if isinstance(keys, Path):
            told = read_contents(keys, "keys.json", "jingwei-keys")
            take_out(told, list(told.sums), lambda name: place / name, tell)
        records = _open_records(copy, place, records_url)
        try:
            _check_whole(copy, records, place)
            _go_on(copy, records, place, actor)
        finally:
            records.close()
        _settle_sqlite(place)
        if home.exists():
            home.rmdir()
        place.rename(home)
        sync_folder(home.parent)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return Restored(
        home,
        copy.about["city"]["id"],
        copy.about["made"],
        copy.about["files"],
        len(copy.about["datasets"]),
        copy.about["log"]["size"],
        any((home / "keys").glob("*")),
    )


def _open_records(copy: Contents, place: Path, url: str | None) -> Records:
    """Open the record store of a backup: SQLite's file as it is, JSON lines into an empty database."""
    own = f"sqlite:///{place / dumping.FILE}"
    if copy.about["records"] == "sqlite" and url is None:
        _check_sqlite(place / dumping.FILE)
        return open_records(own)
    lines = place / dumping.FOLDER
    if copy.about["records"] == "sqlite":
        source = open_records(own, migrate=False)
        with dumping.one_moment(source.engine) as connection:
            dumping.dump(connection, lines)
        source.close()
        (place / dumping.FILE).unlink()
    records = open_records(url or own, migrate=False)
    if not dumping.is_empty(records.engine):
        records.close()
        raise TargetNotEmptyError(Path(records.engine.url.render_as_string(hide_password=True)))
    dumping.load(records.engine, lines, copy.about["revision"])
    shutil.rmtree(lines)
    return records


def _check_sqlite(path: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(path)
    try:
        found = connection.execute("PRAGMA integrity_check(5)").fetchall()
    except sqlite3.DatabaseError as error:
        found = [(str(error),)]
    finally:
        connection.close()
    if found != [("ok",)]:
        raise DamagedCopyError([Text(f"数据库：{one}", f"the record store: {one}") for (one,) in found])


def _check_whole(copy: Contents, records: Records, place: Path) -> None:
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


def _go_on(copy: Contents, records: Records, place: Path, actor: str) -> None:
    """Set the log and the readings to go on from where the backup was taken."""
    note = copy.about["log"]["checkpoint"]
    if note:
        (place / "log").mkdir(exist_ok=True)
        (place / "log" / CHECKPOINT_FILE).write_text(note, "utf-8")
    (place / READINGS).mkdir(parents=True, exist_ok=True)
    with records.write() as session:
        data = {"made": copy.about["made"], "events": copy.about["log"]["size"], "digest": copy.about["sums"]}
        subject = f"city/{copy.about['city']['id']}"
        ledger.append(session, "keeping.restored", actor=actor, subject=subject, data=data)


def _settle_sqlite(place: Path) -> None:
    for name in (f"{dumping.FILE}-wal", f"{dumping.FILE}-shm"):
        (place / name).unlink(missing_ok=True)
