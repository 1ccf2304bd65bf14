"""Bringing a city back from its backup: checked file by file, and then as a whole, before it is there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jingwei import ledger
from jingwei.keeping import events  # noqa: F401 -- declares them
from jingwei.keeping.backup import CONTENTS, FORM, HOME
from jingwei.keeping.checking import check_sqlite, check_whole
from jingwei.keeping.copying import (
    Contents,
    Tell,
    check_sums,
    nothing,
    read_contents,
    sync_folder,
    take_out,
)
from jingwei.keeping.errors import KeysWantedError, TargetNotEmptyError
from jingwei.ledger.sealer import CHECKPOINT_FILE
from jingwei.records import Records, dumping, open_records

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

    @staticmethod
    def of(copy: Contents, home: Path) -> Restored:
        """Return what came of a copy into a home."""
        about = copy.about
        return Restored(
            home,
            about["city"]["id"],
            about["made"],
            about["files"],
            len(about["datasets"]),
            about["log"]["size"],
            any((home / "keys").glob("*")),
        )


@contextmanager
def put_together(home: Path) -> Iterator[Path]:
    """Give a folder beside an empty or new home; it becomes the home if the block ends well, else it goes.

    Raises
    ------
    TargetNotEmptyError
        If there is anything in `home`.

    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise TargetNotEmptyError(home)
    place = home.with_name(home.name + UNDER_WAY)
    shutil.rmtree(place, ignore_errors=True)  # of one that was interrupted
    place.mkdir(mode=0o700, parents=True)
    try:
        yield place
        settle_sqlite(place)
        if home.exists():
            home.rmdir()
        place.rename(home)
        sync_folder(home.parent)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


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
    with put_together(home) as place:
        if copy.about["keys"] == "apart" and keys is None:
            raise KeysWantedError(folder)
        take_out(copy, copy.names(HOME), lambda name: place / name.removeprefix(f"{HOME}/"), tell)
        if isinstance(keys, Path):
            told = keys_told(keys)
            take_out(told, list(told.sums), lambda name: place / name, tell)
        records = _open_records(copy, place, records_url)
        try:
            check_whole(copy, records, place)
            keep_checkpoint(copy, place)
            _tell(copy, records, actor)
        finally:
            records.close()
    return Restored.of(copy, home)


def _open_records(copy: Contents, place: Path, url: str | None) -> Records:
    """Open the record store of a backup: SQLite's file as it is, JSON lines into an empty database."""
    own = f"sqlite:///{place / dumping.FILE}"
    if copy.about["records"] == "sqlite" and url is None:
        check_sqlite(place / dumping.FILE)
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


def keys_told(folder: Path) -> Contents:
    """Return what a folder of keys that were kept apart says it holds.

    Raises
    ------
    NoCopyError, DamagedCopyError
        If it is none, or its list was changed.

    """
    return read_contents(folder, "keys.json", "jingwei-keys")


def keep_checkpoint(copy: Contents, place: Path) -> None:
    """Put down the newest signed head that the copy holds: the log goes on from there."""
    note = copy.about["log"]["checkpoint"]
    if note:
        (place / "log").mkdir(exist_ok=True)
        (place / "log" / CHECKPOINT_FILE).write_text(note, "utf-8")


def _tell(copy: Contents, records: Records, actor: str) -> None:
    with records.write() as session:
        data = {"made": copy.about["made"], "events": copy.about["log"]["size"], "digest": copy.about["sums"]}
        subject = f"city/{copy.about['city']['id']}"
        ledger.append(session, "keeping.restored", actor=actor, subject=subject, data=data)


def settle_sqlite(place: Path) -> None:
    """Remove what accompanies a SQLite database that is closed."""
    for name in (f"{dumping.FILE}-wal", f"{dumping.FILE}-shm"):
        (place / name).unlink(missing_ok=True)
