"""Cells of a sheet (XLSX) that say something and are read as empty: errors, and formulas without a result."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast
from xml.etree.ElementTree import Element, XMLPullParser

CHUNK = 2**18
SUFFIXES = (".xlsx", ".xlsm")
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
TELLING = re.compile(rb"""\bt\s*=\s*["']e["']|<(?:\w+:)?f[\s/>]""")
"""What stands in a sheet that holds an error or a formula (ECMA-376 part 1, 18.3.1.4 and 18.3.1.40)."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A cell that is read as empty. `said` is its error (`#N/A`), or empty for a formula without a result."""

    row: int
    column: int
    said: str


def gaps(path: Path, sheet: str, progress: Callable[[], None] = lambda: None) -> Iterator[Gap]:
    """Yield the cells of a sheet that are read as empty although something stands in them.

    Parameters
    ----------
    path
        A workbook whose archive was checked before. Forms other than XLSX do not tell: nothing is yielded.
    sheet
        Name of the sheet.
    progress
        Called again and again; may raise to stop.

    """
    if path.suffix.lower() not in SUFFIXES:
        return
    with zipfile.ZipFile(path) as archive:
        name = _part_of(archive, sheet)
        if name is None or not _tells(archive, name, progress):
            return
        with archive.open(name) as part:
            yield from _gaps(part, progress)


def _tells(archive: zipfile.ZipFile, name: str, progress: Callable[[], None]) -> bool:
    """Tell whether a sheet holds any error or formula: most hold none, and need not be taken apart."""
    before = b""
    with archive.open(name) as part:
        while chunk := part.read(CHUNK):
            progress()
            if TELLING.search(before + chunk):
                return True
            before = chunk[-64:]
    return False


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the name of the part of an archive that holds a sheet."""
    names = set(archive.namelist())
    book = "xl/workbook.xml"
    relations = "xl/_rels/workbook.xml.rels"
    if book not in names or relations not in names:
        return None
    wanted = [one.get(RELATION) for one in _elements(archive, book, "sheet") if one.get("name", "") == sheet]
    targets = {one.get("Id"): one.get("Target", "") for one in _elements(archive, relations, "Relationship")}
    target = targets.get(wanted[0]) if wanted else None
    if target is None:
        return None
    part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
    return part if part in names else None


def _elements(archive: zipfile.ZipFile, part: str, tag: str) -> list[Element]:
    parser: XMLPullParser[Element] = XMLPullParser(["end"])
    with archive.open(part) as file:
        parser.feed(file.read())
    return [element for _, element in _events(parser) if _local(element.tag) == tag]


def _gaps(part: IO[bytes], progress: Callable[[], None]) -> Iterator[Gap]:
    parser: XMLPullParser[Element] = XMLPullParser(["start", "end"])
    row = column = 0
    above: list[Element] = []
    while chunk := part.read(CHUNK):
        progress()
        parser.feed(chunk)
        for event, element in _events(parser):
            tag = _local(element.tag)
            if event == "start" and tag == "sheetData":
                above.append(element)
            elif event == "start" and tag == "row":
                row, column = int(element.get("r") or row + 1), 0
            elif event == "end" and tag == "c":
                column = _column(element.get("r")) or column + 1
                said = _said(element)
                if said is not None:
                    yield Gap(row, column, said)
            elif event == "end" and tag == "row" and above:
                above[0].clear()


def _events(parser: XMLPullParser[Element]) -> Iterator[tuple[str, Element]]:
    return cast("Iterator[tuple[str, Element]]", parser.read_events())


def _said(cell: Element) -> str | None:
    """Return what a cell says that is read as empty; None where there is nothing or a value."""
    parts = {_local(part.tag): part for part in cell}
    value = "".join(parts["v"].itertext()) if "v" in parts else ""
    if cell.get("t") == "e":
        return value or "#"
    return "" if "f" in parts and not value and cell.get("t") != "str" else None


def _column(reference: str | None) -> int:
    """Return the number of the column of a reference such as `AB12` (28); 0 for none."""
    number = 0
    for letter in reference or "":
        if not letter.isalpha():
            break
        number = number * 26 + ord(letter.upper()) - 64
    return number


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
