"""From a path to a reading: which form a file is of, and which layers it has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from jingwei.lake.forms.delimited import DelimitedReading
from jingwei.lake.forms.errors import (
    DirectoryGivenError,
    EmptyFileError,
    MisnamedFileError,
    MissingFileError,
    UnknownFormError,
    UnknownLayerError,
    UnreadableFileError,
)
from jingwei.lake.forms.features import GeoJsonReading
from jingwei.lake.forms.own import without_address
from jingwei.lake.forms.parquet import ParquetReading
from jingwei.lake.forms.reading import Progress, Reading
from jingwei.lake.forms.records import RecordsReading, first_byte, lines_of, read_record
from jingwei.lake.forms.vector import VECTOR_SUFFIXES, VectorReading, layer_names
from jingwei.lake.forms.workbook import WorkbookReading, open_workbook, sheet_names, table_sheet

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab")
PARQUET_SUFFIXES = (".parquet", ".geoparquet", ".pq")
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
FEATURE_SUFFIXES = (".geojson", ".json")
RECORD_SUFFIXES = (".jsonl", ".ndjson", ".geojsonl", ".geojsons")
KNOWN_SUFFIXES = (
    *TEXT_SUFFIXES,
    *PARQUET_SUFFIXES,
    *WORKBOOK_SUFFIXES,
    *FEATURE_SUFFIXES,
    *RECORD_SUFFIXES,
    *VECTOR_SUFFIXES,
)

SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix")


def open_form(
    path: str | Path,
    *,
    layer: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header_row: int | None = None,
    columns_as_text: Iterable[str] = (),
    progress: Progress | None = None,
    spool: Path | None = None,
) -> Reading:
    """Open a file of any known form.

    Parameters
    ----------
    path
        the file.
    layer
        sheet or layer; needed only where a file has several.
    encoding, delimiter, header_row
        what is known about a text file (`header_row`: 1-based physical line or sheet row, 0 for none); what
        is left out is detected.
    columns_as_text
        columns to keep as text whatever their values.
    progress
        told the share done while the file is looked through before the first batch; may raise to stop.
    spool
        a folder for what need not be parsed twice, about as large as the file; without it, it is.

    Raises
    ------
    FormError
        one of its subclasses: missing, empty, unreadable, unknown, corrupt, too large ...
    """
    path = Path(path)
    check_file(path)
    suffix = path.suffix.lower()
    reading: Reading
    try:
        if suffix in TEXT_SUFFIXES:
            check_is_text(path, encoding)
            reading = DelimitedReading(
                path,
                encoding=encoding,
                delimiter=delimiter,
                header_row=header_row,
                columns_as_text=columns_as_text,
                progress=progress,
                spool=spool,
            )
        elif suffix in WORKBOOK_SUFFIXES:
            check_is_workbook(path)
            reading = WorkbookReading(
                path,
                layer=layer,
                header_row=header_row,
                columns_as_text=columns_as_text,
                progress=progress,
            )
        elif suffix in VECTOR_SUFFIXES:
            reading = VectorReading(path, layer=layer, encoding=encoding, columns_as_text=columns_as_text)
        elif layer:
            raise UnknownLayerError(path, layer, layers(path))
        elif suffix in PARQUET_SUFFIXES:
            reading = ParquetReading(path)
        elif suffix in RECORD_SUFFIXES or (suffix == ".json" and _holds_records(path)):
            reading = RecordsReading(path, columns_as_text=columns_as_text, progress=progress)
        elif suffix in FEATURE_SUFFIXES:
            reading = GeoJsonReading(path)
        else:
            raise UnknownFormError(path, KNOWN_SUFFIXES)
    except OSError as error:
        raise UnreadableFileError(path, error) from error
    return without_address(reading)


MAGIC = (
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "XLSX / ZIP"),
    (b"\xd0\xcf\x11\xe0", "XLS"),
    (b"SQLite format 3\0", "GeoPackage / SQLite"),
    (b"%PDF", "PDF"),
    (b"\x1f\x8b", "GZIP"),
)
"""First bytes of the forms that come under the name of a text file."""
CONTROL = bytes({*range(32)} - {*b"\t\n\r\x01\x1a\x0c"})


def check_is_text(path: Path, encoding: str | None = None) -> None:
    """Refuse a file that is named as a text and is of another form.

    Raises
    ------
    MisnamedFileError
        its first bytes are those of another form; or, where no encoding is stated, many of them are control
        characters and few are zero (UTF-16 has many zeros).
    """
    with path.open("rb") as file:
        head = file.read(2**16)
    really = next((form for magic, form in MAGIC if head.startswith(magic)), None)
    zeros = head.count(0)
    control = len(head) - len(head.translate(None, CONTROL)) - zeros
    marked = head.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"))
    binary = encoding is None and not marked and control > 0.02 * len(head) and zeros < 0.05 * len(head)
    binary = binary or zeros > 0.9 * len(head)
    if really or binary:
        raise MisnamedFileError(path, really or "binary")


def check_is_workbook(path: Path) -> None:
    """Refuse a text that is named as a workbook, as many systems write their reports.

    Raises
    ------
    MisnamedFileError
        it is a page of HTML, a spreadsheet in XML, or lines of text.
    """
    with path.open("rb") as file:
        head = file.read(2**12)
    if head.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return
    said = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").lower()
    if said.startswith(b"<") and (b"<html" in said or b"<table" in said):
        raise MisnamedFileError(path, "HTML")
    if said.startswith(b"<?xml"):
        raise MisnamedFileError(path, "XML")
    if b"\n" in said and not set(said) & set(CONTROL):
        raise MisnamedFileError(path, "CSV")


def _holds_records(path: Path) -> bool:
    """Tell whether a `.json` file is an array, or objects line by line, rather than one GeoJSON object."""
    if first_byte(path) == b"[":
        return True
    first = list(islice(lines_of(path), 2))
    return len(first) == 2 and all(isinstance(read_record(*line), dict) for line in first)


def check_file(path: Path) -> None:
    """Raise the error that says what is wrong with a path that is no readable file with something in it."""
    try:
        if not path.exists():
            raise MissingFileError(path)
        if path.is_dir():
            raise DirectoryGivenError(path)
        if path.stat().st_size == 0:
            raise EmptyFileError(path)
        with path.open("rb"):
            pass
    except OSError as error:
        raise UnreadableFileError(path, error) from error


def layers(path: str | Path) -> list[str]:
    """Return the sheets or layers of a file; `[""]` for a form that has none."""
    path = Path(path)
    check_file(path)
    if path.suffix.lower() in WORKBOOK_SUFFIXES:
        check_is_workbook(path)
        return sheet_names(open_workbook(path))
    if path.suffix.lower() in VECTOR_SUFFIXES:
        return layer_names(path)
    return [""]


def likeliest_layer(path: str | Path) -> str:
    """Return the sheet or layer to begin with: the sheet that holds a table, else the first layer."""
    path = Path(path)
    if path.suffix.lower() in WORKBOOK_SUFFIXES:
        check_is_workbook(path)
        return table_sheet(path) or layers(path)[0]
    return layers(path)[0]


def digest(path: str | Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; of a shapefile, of all its parts by their suffixes."""
    path = Path(path)
    check_file(path)
    parts = [path]
    if path.suffix.lower() == ".shp":
        parts = sorted(
            part
            for part in path.parent.iterdir()
            if part.stem == path.stem and part.suffix.lower() in SHAPEFILE_PARTS
        )
    whole = hashlib.sha256()
    try:
        for part in parts:
            with part.open("rb") as file:
                while chunk := file.read(2**20):
                    whole.update(chunk)
    except OSError as error:
        raise UnreadableFileError(path, error) from error
    return whole.hexdigest()
