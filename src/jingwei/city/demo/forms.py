"""Writing tables in the forms in which departments hand them over."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import shapely
import xlsxwriter

from jingwei.city.demo.arrays import Geometries

Columns = Mapping[str, Any]
ROWS_PER_GROUP = 262_144
CREATED = datetime(2020, 1, 1, tzinfo=UTC)  # a fixed time of creation keeps equal workbooks equal


def table_of(columns: Columns) -> pa.Table:
    """Return columns as an Arrow table; `None`, NaN in floats and NaT become nulls."""
    return pa.table({name: _array(values) for name, values in columns.items()})


def _array(values: Any) -> pa.Array:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    return pa.array(values, from_pandas=True)


def write_csv(path: Path, columns: Columns, encoding: str = "UTF-8") -> None:
    """Write a CSV file with a header row, in an encoding (`UTF-8`, `UTF-8-SIG` or `GB18030`)."""
    buffer = io.BytesIO()
    options = pyarrow.csv.WriteOptions(quoting_style="needed", quoting_header="none")
    pyarrow.csv.write_csv(table_of(columns), buffer, options)
    content = buffer.getvalue()
    if encoding != "UTF-8":
        content = content.decode("utf-8").encode(encoding)
    path.write_bytes(content)


def write_parquet(path: Path, columns: Columns) -> None:
    """Write a Parquet file."""
    pq.write_table(table_of(columns), path, compression="zstd", row_group_size=ROWS_PER_GROUP)


def write_geoparquet(path: Path, columns: Columns, geometry: Geometries) -> None:
    """Write a GeoParquet 1.1 file whose geometry column is WKB in longitude and latitude, WGS84."""
    kinds = sorted({_KINDS[int(kind)] for kind in np.unique(shapely.get_type_id(geometry))})
    meta = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": kinds}},
    }
    table = table_of({**columns, "geometry": pa.array(shapely.to_wkb(geometry), pa.binary())})
    table = table.replace_schema_metadata({"geo": json.dumps(meta)})
    pq.write_table(table, path, compression="zstd", row_group_size=ROWS_PER_GROUP)


_KINDS = {0: "Point", 1: "LineString", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon"}


def write_geojson(path: Path, columns: Columns, geometry: Geometries) -> None:
    """Write a GeoJSON file (RFC 7946)."""
    names = list(columns)
    rows = zip(*(np.asarray(columns[name], dtype=object).tolist() for name in names), strict=True)
    shapes = shapely.to_geojson(geometry).tolist()
    features = [
        f'{{"type":"Feature","properties":{_properties(names, row)},"geometry":{shape}}}'
        for row, shape in zip(rows, shapes, strict=True)
    ]
    path.write_text('{"type":"FeatureCollection","features":[\n' + ",\n".join(features) + "\n]}\n", "utf-8")


def _properties(names: Sequence[str], row: Sequence[Any]) -> str:
    return json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook.

    Attributes
    ----------
    name
        Of the sheet.
    columns
        The table.
    title
        A title in the first row, merged over all columns; none if empty.
    groups
        Headings over several columns, merged: pairs of heading and number of columns.

    """

    name: str
    columns: Columns
    title: str = ""
    groups: Sequence[tuple[str, int]] = ()

    def flat(self, column: str) -> str:
        """Return the name under which a reader of both header rows knows a column: heading and name."""
        at = list(self.columns).index(column)
        for heading, width in self.groups:
            if at < width:
                return f"{heading}_{column}"
            at -= width
        return column


def write_xlsx(path: Path, sheets: Sequence[Sheet]) -> None:
    """Write a workbook; header cells are merged as departments like them."""
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_numbers": False,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": CREATED.replace(tzinfo=None), "author": ""})
        centred = book.add_format({"bold": True, "align": "center", "valign": "vcenter", "border": 1})
        for sheet in sheets:
            _fill(book.add_worksheet(sheet.name), sheet, centred)
    path.write_bytes(buffer.getvalue())


def _fill(page: Any, sheet: Sheet, centred: Any) -> None:
    names = list(sheet.columns)
    row = 0
    if sheet.title:
        page.merge_range(row, 0, row, len(names) - 1, sheet.title, centred)
        row += 1
    if sheet.groups:
        column = 0
        for heading, width in sheet.groups:
            if width > 1:
                page.merge_range(row, column, row, column + width - 1, heading, centred)
            else:
                page.write_string(row, column, heading, centred)
            column += width
        row += 1
    page.write_row(row, 0, names, centred)
    for column, name in enumerate(names):
        values = np.asarray(sheet.columns[name], dtype=object).tolist()
        page.write_column(row + 1, column, [None if _is_missing(value) else value for value in values])
        page.set_column(column, column, 16)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))
