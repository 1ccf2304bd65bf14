"""Datasets in open formats, written as streams and put in place only when whole."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from jingwei import grid, ledger
from jingwei.errors import BadRequestError
from jingwei.lake.query import paged
from jingwei.lake.stamping import stamp_of, stamped
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from jingwei.access import Asker
    from jingwei.lake.query import Rows
    from jingwei.lake.service import Lake

PAGE = 100_000
FORMS = ("parquet", "csv", "geojson", "arrow")


def export_dataset(
    lake: Lake,
    asker: Asker,
    dataset: str,
    output: Path,
    *,
    form: str | None = None,
    where: str | None = None,
    again: Callable[[], Asker] | None = None,
    noted: bool = True,
) -> int:
    """Write a dataset to a file and return the number of rows.

    Parameters
    ----------
    lake, asker, dataset
        What is asked for, and by whom.
    output
        The file to write. It appears only when it is whole.
    form
        `parquet`, `csv`, `geojson` or `arrow`; by the file's suffix if left out.
    where
        A filter on the department's columns.
    again
        Finds out anew who asks, before each page: an export ends with the right to it.
    noted
        Whether the log is told; not of what is there for everybody.

    Raises
    ------
    RefusedError
        If the asker may not export it, or no longer.
    BadRequestError
        If the form is unknown, or the folder does not exist.

    """
    form = form or output.suffix.lstrip(".").lower()
    if form not in FORMS:
        raise BadRequestError(
            Text(f"不支持的格式“{form}”。", f"There is no export as '{form}'."),
            mend=Text(f"可选：{'、'.join(FORMS)}。", f"Known are: {', '.join(FORMS)}."),
            where={"format": form},
        )
    if not output.absolute().parent.is_dir():
        raise BadRequestError(
            Text(f"没有文件夹 {output.parent}。", f"There is no folder {output.parent}."),
            where={"path": str(output)},
        )
    part = output.with_name(output.name + ".part")
    writers = {"parquet": _write_parquet, "arrow": _write_arrow, "csv": _write_csv, "geojson": _write_geojson}
    pages = _Pages(lake, again or (lambda: asker), dataset, where)
    try:
        rows = writers[form](iter(pages), part)
        if noted:
            _note(lake, asker, dataset, pages.version, form, rows, chosen=where is not None)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
    return rows


@dataclass(slots=True)
class _Pages:
    """The rows of one version, page by page, each as who asks may see it then; `version` once known."""

    lake: Lake
    who: Callable[[], Asker]
    dataset: str
    where: str | None
    version: int | None = None

    def __iter__(self) -> Iterator[Rows]:
        return paged(self._page)

    def _page(self, after: int | None) -> Rows:
        asker = self.who()
        self.lake.check(asker, "export", self.dataset)
        rows = self.lake.query(
            asker, self.dataset, version=self.version, where=self.where, after=after, limit=PAGE
        )
        self.version = rows.version.number
        return rows


def _note(
    lake: Lake, asker: Asker, dataset: str, version: int | None, form: str, rows: int, *, chosen: bool
) -> None:
    told = {"version": version, "form": form, "rows": rows, "chosen": chosen}
    with lake.records.write() as session:
        ledger.append(session, "dataset.exported", actor=asker.id, subject=f"dataset/{dataset}", data=told)


def _schema(page: Rows) -> pa.Schema:
    """Return the schema of a page, which says what it was read from."""
    return stamped(page.table.schema, [stamp_of(page.version)])


def _write_parquet(pages: Iterator[Rows], path: Path) -> int:
    count, writer = 0, None
    try:
        for page in pages:
            schema = _schema(page)
            writer = writer or pq.ParquetWriter(path, schema, compression="zstd")
            writer.write_table(page.table.replace_schema_metadata(schema.metadata))
            count += page.table.num_rows
    finally:
        if writer is not None:
            writer.close()
    return count


def _write_arrow(pages: Iterator[Rows], path: Path) -> int:
    count, writer = 0, None
    try:
        for page in pages:
            writer = writer or pa.ipc.new_file(path, _schema(page))
            writer.write_table(page.table)
            count += page.table.num_rows
    finally:
        if writer is not None:
            writer.close()
    return count


def _write_csv(pages: Iterator[Rows], path: Path) -> int:
    """Write UTF-8 with a byte order mark, which spreadsheets need to show Chinese; geometry as WKT."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        for page in pages:
            if count == 0:
                writer.writerow([_formula_safe(name) for name in page.table.column_names])
            columns = [_csv_column(page.table[name]) for name in page.table.column_names]
            writer.writerows(zip(*columns, strict=True))
            count += page.table.num_rows
    return count


def _csv_column(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_binary(column.type):
        return [
            None if text is None else text for text in shapely.to_wkt(shapely.from_wkb(column.to_numpy()))
        ]
    return [_formula_safe(value) for value in column.to_pylist()]


_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|[\t\r\n]")
"""How texts begin that a spreadsheet may run (OWASP, CSV Injection), the full-width signs of a Chinese
keyboard included."""
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def _formula_safe(value: Any) -> Any:
    """Keep a spreadsheet from running a text as a formula; numbers stay as they are."""
    if isinstance(value, list | tuple | dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return "'" + value
    return value.isoformat() if hasattr(value, "isoformat") else value


def _write_geojson(pages: Iterator[Rows], path: Path) -> int:
    """Write RFC 7946: WGS84; a point is the centre of its cell."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type":"FeatureCollection","features":[')
        for page in pages:
            for row in features(page):
                file.write(",\n" if count else "\n")
                file.write(json.dumps(row, ensure_ascii=False, default=str))
                count += 1
        file.write("\n]}\n")
    return count


def features(rows: Rows) -> Iterator[dict[str, Any]]:
    """Yield rows as GeoJSON features; 64-bit codes travel as strings."""
    content = rows.version.content
    place = content.places[0] if content.places else None
    geometry = content.geometry
    for row in rows.table.to_pylist():
        shape = None
        if geometry is not None and row.get(geometry) is not None:
            shape = json.loads(shapely.to_geojson(shapely.from_wkb(row[geometry])))
        elif place is not None and row.get(place.cell) is not None:
            lon, lat = grid.centre(int(grid.from_stored(row[place.cell])), row[place.level])
            shape = {"type": "Point", "coordinates": [round(lon, 9), round(lat, 9)]}
        properties = {
            name: str(value) if name.startswith("jw_cell") and value is not None else value
            for name, value in row.items()
            if name != geometry
        }
        yield {"type": "Feature", "id": row.get("jw_fact"), "geometry": shape, "properties": properties}
