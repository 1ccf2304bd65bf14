"""Tables that people hand in: whatever form the container reads, as rows by heading."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa

from jingwei.lake.errors import BadTableError
from jingwei.lake.forms import open_form
from jingwei.lake.forms.errors import FormError
from jingwei.words import Text

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".json", ".geojson", ".parquet", ".gpkg")
MOST_ROWS = 2_000_000


def read_table(name: str, content: bytes) -> tuple[pa.Table, str | None]:
    """Return the table in a file, codes as text, and the column of its geometries (WKB) if it has one.

    Parameters
    ----------
    name
        The file's name: its end says the form.
    content
        The file.

    Raises
    ------
    BadTableError
        Where it cannot be read, or has rows that cannot: a table is taken whole or not at all.

    """
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise BadTableError(
            name[:120],
            Text(f"应为 {'、'.join(SUFFIXES)} 之一", f"is none of {', '.join(SUFFIXES)}."),
        )
    with tempfile.TemporaryDirectory(prefix="jingwei-") as folder:
        path = Path(folder) / f"table{suffix}"
        path.write_bytes(content)
        try:
            with open_form(path) as reading:
                codes = [one for one in reading.columns if one != reading.geometry]
                geometry = reading.geometry
            with open_form(path, columns_as_text=codes) as reading:
                parts = []
                for batch in reading.batches():
                    if batch.faults:
                        fault = batch.faults[0]
                        what = Text(
                            f"第 {fault.row} 行：{fault.reason.zh}", f"row {fault.row}: {fault.reason.en}"
                        )
                        raise BadTableError(name[:120], what)
                    parts.append(batch.table)
                schema = reading.schema
        except FormError as error:
            raise BadTableError(name[:120], error.what) from error
    table = pa.Table.from_batches(parts, schema=parts[0].schema if parts else schema)
    if table.num_rows > MOST_ROWS:
        raise BadTableError(name[:120], Text(f"超过 {MOST_ROWS} 行", f"has more than {MOST_ROWS} rows."))
    return table, geometry


def rows_of(name: str, content: bytes) -> list[dict[str, Any]]:
    """Return the rows of a table in a file, values as text without the space around them."""
    table, _ = read_table(name, content)
    return [
        {heading: value.strip() if isinstance(value, str) else value for heading, value in row.items()}
        for row in table.to_pylist()
    ]


def named(name: str, row: dict[str, Any], headings: tuple[str, ...], *, needed: bool = True) -> str:
    """Return what stands under one of some headings, as text; empty where it is not needed and not there.

    Raises
    ------
    BadTableError
        Where none of the headings is there and it is needed.

    """
    for heading in headings:
        if heading in row:
            value = row[heading]
            return "" if value is None else str(value).strip()
    if needed:
        listed = "、".join(headings)
        raise BadTableError(
            name[:120], Text(f"缺少列：{listed} 之一", f"needs one of the columns {', '.join(headings)}.")
        )
    return ""
