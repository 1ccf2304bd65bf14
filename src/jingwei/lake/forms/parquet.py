"""Parquet, and GeoParquet with its geometry column and coordinate system."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
from pyproj.exceptions import CRSError

from jingwei.lake.forms.errors import CorruptFileError, GeometryEncodingError, UnknownColumnError
from jingwei.lake.forms.geometry import faulty_geometries
from jingwei.lake.forms.reading import BATCH_ROWS, Batch, Evidence, Reading, RowFault
from jingwei.words import Text


class ParquetReading(Reading):
    """A Parquet file; GeoParquet 1.x where it carries `geo` metadata."""

    form = "parquet"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowInvalid, pa.ArrowException) as error:
            raise CorruptFileError(path, "Parquet", str(error)) from error
        source = self._file.schema_arrow
        self.total = self._file.metadata.num_rows
        self._find_geometry(source)
        self.schema = pa.schema([pa.field(column.name, column.type) for column in source])

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows; those whose geometry is broken are faults."""
        start = 1
        try:
            for source in self._file.iter_batches(batch_size=size):
                table = pa.RecordBatch.from_arrays(source.columns, schema=self.schema)
                rows = np.arange(start, start + table.num_rows, dtype=np.int64)
                start += table.num_rows
                self._done = (start - 1) / max(1, self.total or 0)
                yield without_faulty(table, rows, self.geometry)
        except (pa.ArrowException, OSError) as error:
            raise CorruptFileError(self.path, "Parquet", str(error)) from error

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _find_geometry(self, schema: pa.Schema) -> None:
        stated = (schema.metadata or {}).get(b"geo")
        if stated is None:
            return
        try:
            geo: dict[str, Any] = json.loads(stated)
            name = str(geo["primary_column"])
            column: dict[str, Any] = geo["columns"][name]
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptFileError(self.path, "GeoParquet", f"{type(error).__name__}: {error}") from error
        encoding = str(column.get("encoding", "WKB"))
        if name not in schema.names:
            raise UnknownColumnError(self.path, name, schema.names)
        if encoding.upper() != "WKB" or not _is_binary(schema.field(name).type):
            raise GeometryEncodingError(self.path, name, encoding)
        self.geometry = name
        self.declared_crs, reason = _declared(column)
        self.evidence.append(
            Evidence("geometry", self.geometry, Text("GeoParquet 元数据", "GeoParquet metadata"), {})
        )
        self.evidence.append(Evidence("crs", self.declared_crs or "undeclared", reason, {}))


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _declared(column: dict[str, Any]) -> tuple[str | None, Text]:
    """Return the declared coordinate system (GeoParquet 1.1: absent means OGC:CRS84, null means unknown)."""
    if "crs" not in column:
        return "OGC:CRS84", Text(
            "GeoParquet 未写明即为 OGC:CRS84", "GeoParquet without a crs means OGC:CRS84"
        )
    if column["crs"] is None:
        return None, Text("文件写明坐标系未知", "the file says that its coordinate system is unknown")
    return crs_name(pyproj.CRS.from_user_input(column["crs"])), Text(
        "文件声明的坐标系", "declared by the file"
    )


def crs_name(crs: pyproj.CRS) -> str:
    """Return the short name of a coordinate system (`EPSG:4490`), or its WKT where it has none."""
    try:
        authority = crs.to_authority(min_confidence=70)
    except CRSError:
        authority = None
    return ":".join(authority) if authority else crs.to_wkt()


def without_faulty(table: pa.RecordBatch, rows: Any, geometry: str | None) -> Batch:
    """Return a batch without the rows whose geometry is broken, which become its faults."""
    faulty = faulty_geometries(table[geometry]) if geometry and table.num_rows else {}
    if not faulty:
        return Batch(table, rows)
    faults = [
        RowFault(int(rows[at]), rule, reason, shown_row(table, at, geometry))
        for at, (rule, reason) in sorted(faulty.items())
    ]
    kept = np.ones(table.num_rows, dtype=bool)
    kept[list(faulty)] = False
    return Batch(table.filter(pa.array(kept)), rows[kept], faults)


def shown_row(table: pa.RecordBatch, at: int, geometry: str | None) -> str:
    """Return a row as JSON text, its geometry in hexadecimal."""
    row = table.slice(at, 1).to_pylist()[0]
    if geometry and isinstance(row[geometry], bytes):
        row[geometry] = row[geometry].hex()
    return json.dumps(row, ensure_ascii=False, default=str)
