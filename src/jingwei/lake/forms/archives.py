"""Compressed files, looked into before they are unpacked."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from jingwei.lake.forms.errors import CorruptFileError, ZipBombError

LARGEST_UNPACKED = 2**30
SUSPICIOUS_RATIO = 200
SMALL = 64 * 2**20
"""Below this unpacked size no ratio is suspicious: it fits into memory whatever it is."""
CHUNK = 2**18


def check_archive(path: Path, form: str) -> list[str]:
    """Refuse an archive that unpacks to too much; return the names in it.

    The sizes that its directory declares are checked first, then the real ones: the entries are inflated
    piece by piece and counted, for a directory may lie.

    Raises
    ------
    ZipBombError
        it unpacks to more than `LARGEST_UNPACKED`, or to more than `SUSPICIOUS_RATIO` times its size.
    CorruptFileError
        it is no whole ZIP archive.
    """
    packed = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
        _check(path, packed, sum(entry.file_size for entry in entries))
        unpacked = 0
        with path.open("rb") as file:
            for entry in entries:
                unpacked = _count(path, file, entry, packed, unpacked)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise CorruptFileError(path, form, str(error)) from error
    return [entry.filename for entry in entries]


def _check(path: Path, packed: int, unpacked: int) -> None:
    if unpacked > LARGEST_UNPACKED or (unpacked > SMALL and unpacked > SUSPICIOUS_RATIO * packed):
        raise ZipBombError(path, packed, unpacked)


def _count(path: Path, file: BinaryIO, entry: zipfile.ZipInfo, packed: int, unpacked: int) -> int:
    """Inflate one entry without keeping it; return the bytes unpacked so far."""
    if entry.compress_type == zipfile.ZIP_STORED:
        unpacked += entry.compress_size
        _check(path, packed, unpacked)
        return unpacked
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile(f"compression method {entry.compress_type}")
    file.seek(_start_of_data(file, entry))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = entry.compress_size
    while left > 0 and not inflater.eof:
        chunk = file.read(min(CHUNK, left))
        if not chunk:
            raise EOFError(f"{entry.filename} is cut off")
        left -= len(chunk)
        while chunk:
            unpacked += len(inflater.decompress(chunk, CHUNK))
            chunk = inflater.unconsumed_tail
            _check(path, packed, unpacked)
    return unpacked


def _start_of_data(file: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Return where an entry's bytes begin: after its local header, whose names may differ in length."""
    file.seek(entry.header_offset)
    header = file.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"no entry at the place of {entry.filename}")
    return (
        entry.header_offset
        + 30
        + int.from_bytes(header[26:28], "little")
        + int.from_bytes(header[28:30], "little")
    )
