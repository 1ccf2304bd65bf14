"""The append log: what is written here and synced is not lost.

A segment is a file of records: length, checksum (CRC-32) and a MessagePack map. A record that was being
written when the power went is torn: its checksum fails, and it and all behind it are cut off when the log
is opened again. Nothing in it had been acknowledged, for that waits for the sync.
"""

from __future__ import annotations

import contextlib
import logging
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from jingwei.sense.readings.columns import Rows, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

HEAD = struct.Struct("<4sII")
"""Mark, length and checksum of a record."""
MARK = b"JWr1"
LONGEST = 2**30
"""Bytes of a record at most: a greater length is not one."""


class Log:
    """The segments of a log in one folder; the last one is written to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.number = max([self._number(path) for path in self._paths()], default=1)
        self._file = -1
        self.size = 0

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.log"))

    @staticmethod
    def _number(path: Path) -> int:
        return int(path.stem)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:012}.log"

    def records(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield every whole record with the number of its segment, oldest first; cut off a torn tail."""
        for path in self._paths():
            data = path.read_bytes()
            whole = 0
            for record, end in _records(data):
                whole = end
                yield self._number(path), record
            if whole < len(data):
                _cut_off(path, data, whole)

    def open(self) -> None:
        """Begin to write behind what is there."""
        path = self._path(self.number)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        self.size = os.fstat(self._file).st_size
        self._sync_folder()

    def write(self, records: list[dict[str, Any]]) -> None:
        """Write records and return when they are durable.

        Raises
        ------
        OSError
            If the disk does not take them; the log is then as it was before.

        """
        parts: list[bytes] = []
        for record in records:
            body = msgspec.msgpack.encode(record)
            parts += [HEAD.pack(MARK, len(body), zlib.crc32(body)), body]
        data = b"".join(parts)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
            os.fdatasync(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self.size)
                os.fdatasync(self._file)
            raise
        self.size += len(data)

    def rotate(self) -> int:
        """Begin a new segment; return the number of the one that is now closed."""
        os.close(self._file)
        closed = self.number
        self.number += 1
        self.open()
        return closed

    def drop(self, until: int) -> None:
        """Delete the segments up to a number."""
        for path in self._paths():
            if self._number(path) <= until and self._number(path) != self.number:
                path.unlink()
        self._sync_folder()

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _sync_folder(self) -> None:
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _cut_off(path: Path, data: bytes, whole: int) -> None:
    """Cut off what is not whole at the end of a segment; what looks like more than a torn write is kept."""
    tail = data[whole:]
    if tail.find(MARK, 1) > 0:
        kept = path.with_suffix(".torn")
        kept.write_bytes(tail)
        log.error("%s was damaged at byte %d; the rest of it is kept as %s", path, whole, kept)
    with path.open("r+b") as file:
        file.truncate(whole)
        os.fsync(file.fileno())


def _records(data: bytes) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield whole records and where each ends."""
    at = 0
    while at + HEAD.size <= len(data):
        mark, length, checksum = HEAD.unpack_from(data, at)
        body = memoryview(data)[at + HEAD.size : at + HEAD.size + length]
        if mark != MARK or length > LONGEST or len(body) < length or zlib.crc32(body) != checksum:
            return
        at += HEAD.size + length
        yield msgspec.msgpack.decode(body), at


def packed(rows: Rows) -> dict[str, Any]:
    """Return rows as a record holds them."""
    return {
        name: values.tolist() if values.dtype == object else values.tobytes()
        for name, values in rows.columns.items()
    }


def unpacked(columns: dict[str, Any]) -> Rows:
    """Return what `packed` made of rows."""
    return Rows(
        {
            name: texts_of(values)
            if isinstance(values, list)
            else np.frombuffer(values, np.float64 if name == "result" else np.int64)
            for name, values in columns.items()
        }
    )
