"""What GDAL makes of a KML's columns, put right: those it adds, and names of data that are not ASCII."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK = 2**20
LONGEST_TAG = 2**12

KML_COLUMNS = {
    "id": rb"<Placemark[^>]*\sid=",
    "timestamp": rb"<when>",
    "begin": rb"<begin>",
    "end": rb"<end>",
    "altitudeMode": rb"altitudeMode>",
    "tessellate": rb"<tessellate>",
    "extrude": rb"<extrude>",
    "visibility": rb"<visibility>",
    "drawOrder": rb"<drawOrder>",
    "icon": rb"<Icon>",
    "description": rb"<description",
}
"""Columns that GDAL gives every KML, and what stands in a file that has something to put into them."""
DECLARED = re.compile(rb"^[^>]*encoding=[\"']([\w-]+)[\"']")
DATA = re.compile(rb"(<Data\s+name=)([\"'])(.*?)\2")


def absent_columns(path: Path) -> set[str]:
    """Return the columns of a KML that GDAL adds although the file says nothing of them."""
    absent = {name: re.compile(said) for name, said in KML_COLUMNS.items()}
    for piece in _pieces(path):
        absent = {name: said for name, said in absent.items() if not said.search(piece)}
        if not absent:
            break
    return set(absent)


def with_ascii_names(path: Path, copy: Path) -> dict[str, str]:
    """Write a copy of a KML in which data have names of ASCII; return the names that they had.

    GDAL writes an underscore for every other byte of a name, so that columns of different names become one.
    """
    known: dict[bytes, str] = {}

    def renamed(found: re.Match[bytes]) -> bytes:
        start, quote, name = found.groups()
        if name.isascii():
            return found.group()
        given = known.setdefault(name, f"jw_data_{len(known) + 1}")
        return start + quote + given.encode() + quote

    encoding = "utf-8"
    with copy.open("wb") as file:
        for number, piece in enumerate(_pieces(path)):
            if number == 0 and (said := DECLARED.search(piece[:200])):
                encoding = said.group(1).decode()
            file.write(DATA.sub(renamed, piece))
    return {given: html.unescape(name.decode(encoding, "replace")) for name, given in known.items()}


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield a file in pieces that part no tag, but for tags of more than `LONGEST_TAG` bytes."""
    left = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            text = left + chunk
            cut = text.rfind(b"<")
            cut = cut if cut > 0 and len(text) - cut <= LONGEST_TAG else len(text)
            left = text[cut:]
            yield text[:cut]
    if left:
        yield left
