"""A backup of the whole city, taken while it is written to.

Readings that wait for the lake are copied first; what they are in the lake is known by the record store,
which is then copied as it is at one moment; then the files that this moment names. None of those is ever
written over, and what removes files waits for the backup.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

import jingwei
from jingwei import ledger
from jingwei.city.settings import FILE as SETTINGS
from jingwei.keeping import events  # noqa: F401 -- declares them
from jingwei.keeping.copying import Copy, Tell, nothing
from jingwei.keeping.errors import TargetInsideError, TargetNotEmptyError
from jingwei.lake import contracting
from jingwei.lake.models import ReportRow, VersionRow
from jingwei.lake.store import TABLES
from jingwei.ledger.keys import FOLDER as KEYS
from jingwei.ledger.sealer import latest_checkpoint
from jingwei.records import dumping, now_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from jingwei.city import City

CONTENTS = "backup.json"
FORM = "jingwei-backup"
HOME = "home"
"""Below this the files lie as they do in the city's own folder."""
READINGS = "sense/readings/log"
"""In the home of a city: readings that may not be in the lake yet (docs/operating.md)."""
NAMED = ("photos", "intake", "matching")
"""Folders of files that are there before a record names them, and never written over."""
MASK_KEY = "lake/mask-key"
"""In the home of a city: the secret by which hashes of hidden values are made."""
TRIES = 20

KeysChoice = Literal["inside", "without"] | Path
"""Whether the keys and the settings go into the backup, nowhere, or into a folder of their own."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds."""

    folder: Path
    files: int
    bytes: int
    datasets: int
    events: int
    digest: str
    keys: str


def back_up(city: City, folder: Path, *, keys: KeysChoice, actor: str, tell: Tell = nothing) -> Backup:
    """Write a backup of a city into a folder; the city may be served and loaded meanwhile.

    Parameters
    ----------
    city
        The open city.
    folder
        A new or empty folder outside the city's own, or one in which a backup was interrupted.
    keys
        What becomes of the keys and of `settings.toml`, which may hold secrets: `inside` the backup,
        `without` them, or a new folder to put them apart in.
    actor
        Who does it; named in the event.
    tell
        Told of each file that is copied.

    Raises
    ------
    TargetNotEmptyError, TargetInsideError, NoSpaceError
        If the folder cannot be written.
    BusyError
        If versions are being dropped or erased at this moment.

    """
    if isinstance(keys, Path):
        check_apart(keys, city.home, folder)
    about = city.about
    copy = Copy(folder, city.home, tell)
    try:
        with city.lake.store.holding():
            copy_readings(copy, city.home, HOME)
            (copy.folder / HOME).mkdir(mode=0o700, exist_ok=True)
            with dumping.snapshot(city.records, copy.folder / HOME) as session:
                told = _told(session)
                named = list(_lake_files(session, city.home))
            _note_records(copy, city)
            for source, name in named:
                copy.take(source, f"{HOME}/{name}")
        for part in NAMED:
            for path in files_below(city.home / part):
                copy.take(path, f"{HOME}/{path.relative_to(city.home).as_posix()}", may_be_gone=True)
        where = put_keys(copy, city.home, keys)
        told |= {
            "form": FORM,
            "made": now_utc().isoformat(timespec="seconds"),
            "jingwei": jingwei.__version__,
            "city": {"id": about.id, "name": about.name.as_json()},
            "keys": where,
        }
        digest = copy.finish(CONTENTS, told)
    except BaseException:
        copy.abandon()
        raise
    with city.records.write() as session:
        size = told["log"]["size"]
        data = {"files": len(copy.sums), "bytes": copy.bytes, "events": size, "digest": digest, "keys": where}
        ledger.append(session, "keeping.backed_up", actor=actor, subject=f"city/{about.id}", data=data)
    return Backup(folder, len(copy.sums), copy.bytes, len(told["datasets"]), size, digest, where)


def check_apart(keys: Path, home: Path, folder: Path) -> None:
    """Raise unless keys can be put into a folder, apart from the city and its copy."""
    for outer in (home, folder):
        if keys.resolve().is_relative_to(outer.resolve()):
            raise TargetInsideError(keys, outer)
    if keys.exists() and (not keys.is_dir() or any(keys.iterdir())):
        raise TargetNotEmptyError(keys)


def copy_readings(copy: Copy, home: Path, below: str) -> None:
    """Copy the log of readings; where a segment goes to the lake meanwhile, anew."""
    source = home / READINGS
    for _ in range(TRIES):
        before = sorted(source.glob("*.log"))
        try:
            for path in before:
                copy.take(path, f"{below}/{READINGS}/{path.name}")
        except FileNotFoundError:
            before = []
        if before == sorted(source.glob("*.log")):
            return
        shutil.rmtree(copy.folder / below / READINGS, ignore_errors=True)
        for name in [name for name in copy.sums if name.startswith(f"{below}/{READINGS}/")]:
            del copy.sums[name]
    raise TimeoutError("the log of readings changes faster than it can be copied")


def _told(session: Session) -> dict[str, Any]:
    """Return what the moment of the snapshot holds: log, versions, form of the tables."""
    note = latest_checkpoint(session)
    lines = note.splitlines()
    versions = session.execute(select(VersionRow.dataset, VersionRow.number)).all()
    newest: dict[str, int] = {}
    for dataset, number in versions:
        newest[dataset] = max(number, newest.get(dataset, 0))
    return {
        "revision": dumping.revision_of(session.connection()),
        "records": session.get_bind().dialect.name,
        "log": {"size": int(lines[1]) if lines else 0, "checkpoint": note},
        "datasets": newest,
    }


def _note_records(copy: Copy, city: City) -> None:
    if city.records.engine.dialect.name == "sqlite":
        copy.note(f"{HOME}/{dumping.FILE}")
    else:
        copy.note_all(f"{HOME}/{dumping.FOLDER}")


def _lake_files(session: Session, home: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of all versions, and of the Delta logs what leads up to them."""
    paths: dict[str, None] = {}
    newest: dict[tuple[str, str], int] = {}
    for row in session.scalars(select(VersionRow).order_by(VersionRow.dataset, VersionRow.number)):
        for name in TABLES:
            for file in row.content[name]:
                paths[f"lake/{row.dataset}/{name}/{file['path']}"] = None
            if name in row.content["delta"]:
                key: tuple[str, str] = (row.dataset, name)
                newest[key] = max(newest.get(key, 0), int(row.content["delta"][name]))
    for report in session.scalars(select(ReportRow)):
        found = contracting.findings_path(home / "lake", report.dataset, report.intent, report.contract)
        if found.is_file():
            paths[found.relative_to(home).as_posix()] = None
    for (dataset, table), number in newest.items():
        folder = home / "lake" / dataset / table / "_delta_log"
        for entry in sorted(folder.glob("*")):
            version = entry.name.partition(".")[0]
            if version.isdecimal() and int(version) <= number:
                paths[entry.relative_to(home).as_posix()] = None
    for path in paths:
        yield home / path, path


def files_below(folder: Path) -> list[Path]:
    """Return the files below a folder that are whole and cannot be made anew."""
    hidden = (".part", ".small.jpg")  # not whole yet, or made anew
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(hidden)
    )


def put_keys(copy: Copy, home: Path, keys: KeysChoice) -> str:
    """Put keys and settings where it was said; return where that is, as the copy tells it."""
    if keys == "without":
        return "without"
    found = [*sorted((home / KEYS).glob("*")), home / MASK_KEY, home / SETTINGS]
    if keys == "inside":
        for path in found:
            if path.is_file():
                copy.take(path, f"{HOME}/{path.relative_to(home).as_posix()}")
        return "inside"
    apart = Copy(Path(keys), home)
    try:
        for path in found:
            if path.is_file():
                apart.take(path, path.relative_to(home).as_posix())
        apart.finish("keys.json", {"form": "jingwei-keys"})
    except BaseException:
        apart.abandon()
        raise
    return "apart"
