"""Folders of files with their checksums: written whole or not at all, and read with distrust."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeAlias

from jingwei.keeping.errors import DamagedCopyError, NoCopyError, TargetInsideError, TargetNotEmptyError
from jingwei.lake.errors import NoSpaceError
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable

Tell: TypeAlias = "Callable[[str, int], object]"
"""Told the name of each file and its bytes."""

SUMS = "SHA256SUMS"
"""As `sha256sum -c` reads it."""
UNFINISHED = ".unfinished"
CHUNK = 1 << 20
SPARE = 64 << 20
"""Bytes that are left free on the disk."""


def nothing(_name: str, _bytes: int) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Copy:
    """A folder under way: what was put into it, and the checksum of each.

    Parameters
    ----------
    folder
        Empty, new, or one that an interruption left unfinished, which is begun anew.
    home
        The city's own folder, in which it must not lie.
    tell
        Told of each file.

    Raises
    ------
    TargetNotEmptyError, TargetInsideError
        If the folder cannot be taken.

    """

    folder: Path
    home: Path
    tell: Tell = nothing
    sums: dict[str, str] = field(default_factory=dict)
    bytes: int = 0

    def __post_init__(self) -> None:
        if self.folder.resolve().is_relative_to(self.home.resolve()):
            raise TargetInsideError(self.folder, self.home)
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            if not (self.folder / UNFINISHED).is_file():
                raise TargetNotEmptyError(self.folder)
            shutil.rmtree(self.folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / UNFINISHED).touch()

    def take(self, source: Path, name: str, *, may_be_gone: bool = False) -> None:
        """Copy a file in under a name; one that is gone meanwhile is left out if that may be."""
        target = self.folder / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            size = source.stat().st_size
            if shutil.disk_usage(self.folder).free < size + SPARE:
                raise NoSpaceError(str(self.folder))
            self.sums[name] = copy_file(source, target)
        except FileNotFoundError:
            if not may_be_gone:
                raise
            return
        self._took(name, target)

    def note(self, name: str) -> None:
        """Take note of a file that was written into the folder by others."""
        path = self.folder / name
        self.sums[name] = digest_of(path)
        self._took(name, path)

    def note_all(self, folder: str) -> None:
        """Take note of all files below a folder of this one."""
        for path in sorted((self.folder / folder).rglob("*")):
            if path.is_file():
                self.note(path.relative_to(self.folder).as_posix())

    def _took(self, name: str, path: Path) -> None:
        size = path.stat().st_size
        self.bytes += size
        self.tell(name, size)

    def finish(self, contents: str, about: dict[str, Any]) -> str:
        """Write the checksums, and then durably the contents, which make it a copy; return the digest."""
        text = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.sums.items()))
        (self.folder / SUMS).write_text(text, "utf-8")
        digest = digest_of(self.folder / SUMS)
        told = {**about, "files": len(self.sums), "bytes": self.bytes, "sums": digest}
        fresh = self.folder / f"{contents}.part"
        fresh.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", "utf-8")
        os.sync()  # of thousands of files one by one it would take minutes
        fresh.replace(self.folder / contents)
        (self.folder / UNFINISHED).unlink()
        sync_folder(self.folder)
        return digest

    def abandon(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a finished copy says it holds."""

    folder: Path
    about: dict[str, Any]
    sums: dict[str, str]

    def names(self, below: str) -> list[str]:
        """Return the files below a folder of the copy, in order."""
        return sorted(name for name in self.sums if name.startswith(f"{below}/"))


def read_contents(folder: Path, contents: str, form: str) -> Contents:
    """Read what a copy says it holds.

    Raises
    ------
    NoCopyError
        If there is none, or it was not finished.
    DamagedCopyError
        If the list of checksums is not the one that was written.

    """
    path = folder / contents
    try:
        about = json.loads(path.read_text("utf-8"))
        text = (folder / SUMS).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise NoCopyError(folder, unfinished=(folder / UNFINISHED).is_file()) from error
    if not isinstance(about, dict) or about.get("form") != form:
        raise NoCopyError(folder, unfinished=False)
    if digest_of(folder / SUMS) != about.get("sums"):
        raise DamagedCopyError([Text(f"{SUMS} 被改动", f"{SUMS} was changed")])
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())}
    for name in sums:
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts:
            raise DamagedCopyError([Text(f"{name} 在副本之外", f"{name} lies outside the copy")])
    return Contents(folder, about, sums)


def take_out(copy: Contents, names: list[str], target: Callable[[str], Path], tell: Tell = nothing) -> None:
    """Copy files of a copy to where they belong, each checked as it is read.

    Raises
    ------
    DamagedCopyError
        Naming every file that is missing or changed.

    """
    faults = []
    for name in names:
        path = target(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            found = copy_file(copy.folder / name, path)
        except FileNotFoundError:
            faults.append(Text(f"缺少 {name}", f"{name} is missing"))
            continue
        if found != copy.sums[name]:
            faults.append(Text(f"{name} 被改动", f"{name} was changed"))
        tell(name, path.stat().st_size)
    if faults:
        raise DamagedCopyError(faults)


def check_sums(copy: Contents, tell: Tell = nothing) -> None:
    """Read every file of a copy and compare its checksum.

    Raises
    ------
    DamagedCopyError
        Naming every file that is missing or changed.

    """
    faults = []
    for name, digest in copy.sums.items():
        path = copy.folder / name
        if not path.is_file():
            faults.append(Text(f"缺少 {name}", f"{name} is missing"))
            continue
        if digest_of(path) != digest:
            faults.append(Text(f"{name} 被改动", f"{name} was changed"))
        tell(name, path.stat().st_size)
    if faults:
        raise DamagedCopyError(faults)


def copy_file(source: Path, target: Path) -> str:
    """Copy a file and return the SHA-256 of what was read."""
    digest = hashlib.sha256()
    with source.open("rb") as reading, target.open("wb") as writing:
        while chunk := reading.read(CHUNK):
            digest.update(chunk)
            writing.write(chunk)
    target.chmod(source.stat().st_mode & 0o700)
    return digest.hexdigest()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
