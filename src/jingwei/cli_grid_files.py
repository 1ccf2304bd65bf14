"""Tables in files, batch by batch, for the grid commands: memory stays bounded whatever the file's size."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from jingwei.errors import BadRequestError
from jingwei.words import Text

BATCH_ROWS = 262_144
CSV_BLOCK = 16 << 20
SHAPES = 4096
SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".arrow": "arrow",
    ".feather": "arrow",
}


class TableFileError(BadRequestError):
    """A file cannot be read or written as a table, or lacks a column."""

    code: ClassVar[str] = "table-file"


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table in a file: its columns, its number of rows where the file says it, and its batches."""

    path: Path
    schema: pa.Schema
    rows: int | None
    batches: Callable[[], Iterator[pa.RecordBatch]]


def kind_of(path: Path) -> str:
    """Return the kind of a file by the ending of its name: parquet, csv or arrow."""
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise TableFileError(
            Text(f"无法从文件名判断格式：{path.name}。", f"The name {path.name} does not say its format."),
            mend=Text(
                "请用 .parquet、.csv、.tsv 或 .arrow 结尾。", "Let it end in .parquet, .csv, .tsv or .arrow."
            ),
            where={"file": str(path)},
        )
    return kind


def open_table(path: Path, encoding: str = "utf-8") -> TableFile:
    """Open a table without reading its rows. Columns of CSV are kept as the texts they are.

    Raises
    ------
    TableFileError
        The file is not of the kind its name says.
    """
    kind = kind_of(path)
    try:
        if kind == "parquet":
            return _open_parquet(path)
        return _open_csv(path, encoding) if kind == "csv" else _open_arrow(path)
    except (pa.ArrowException, OSError, LookupError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> TableFileError:
    return TableFileError(
        Text(f"读不了 {path.name}：{error}。", f"{path.name} cannot be read: {error}."),
        mend=Text(
            "检查格式与编码（--encoding gb18030）。", "Check its format and encoding (--encoding gb18030)."
        ),
        where={"file": str(path)},
    )


def _open_parquet(path: Path) -> TableFile:
    file = pq.ParquetFile(path)

    def batches() -> Iterator[pa.RecordBatch]:
        # One row group at a time: an iterator over all of them keeps what it has read to the end.
        for group in range(file.num_row_groups):
            yield from file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group])

    return TableFile(path, file.schema_arrow, file.metadata.num_rows, batches)


def _open_arrow(path: Path) -> TableFile:
    source = pa.memory_map(str(path))
    try:
        file = pa.ipc.open_file(source)
    except pa.ArrowInvalid:  # not the file form, but perhaps the stream form
        source.seek(0)
        stream = pa.ipc.open_stream(source)
        return TableFile(path, stream.schema, None, lambda: iter(stream))
    numbers = range(file.num_record_batches)
    return TableFile(path, file.schema, None, lambda: (file.get_batch(i) for i in numbers))


def _open_csv(path: Path, encoding: str) -> TableFile:
    read = pv.ReadOptions(encoding=encoding, block_size=CSV_BLOCK)
    parse = pv.ParseOptions(delimiter="\t" if path.suffix.lower() == ".tsv" else ",", newlines_in_values=True)
    names = pv.open_csv(path, read, parse).schema.names
    keep = pv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    return TableFile(
        path,
        pa.schema([(name, pa.string()) for name in names]),
        None,
        lambda: iter(pv.open_csv(path, read, parse, keep)),
    )


def column(table: TableFile, name: str) -> str:
    """Return the name of a column that the table has.

    Raises
    ------
    TableFileError
        It has none of this name; the error lists those it has.
    """
    if name not in table.schema.names:
        names = ", ".join(table.schema.names)
        raise TableFileError(
            Text(f"{table.path.name} 没有列“{name}”。", f"{table.path.name} has no column '{name}'."),
            mend=Text(f"它的列：{names}", f"Its columns: {names}"),
            where={"file": str(table.path), "field": name},
        )
    return name


def as_number(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return texts as numbers where all of them are, blanks as nulls; else the texts as they are."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values
    trimmed = pc.utf8_trim_whitespace(values)
    blank_as_null = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, trimmed.type), trimmed)
    try:
        return pc.cast(blank_as_null, kind)
    except pa.ArrowInvalid:
        return blank_as_null


def plain_numbers(values: pa.Array) -> pa.Array:
    """Return texts that are decimal numbers as numbers and all others as nulls; numbers as they are."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values
    trimmed = pc.utf8_trim_whitespace(values)
    plain = pc.match_substring_regex(trimmed, r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$")
    return pc.cast(pc.if_else(plain, trimmed, pa.scalar(None, trimmed.type)), pa.float64())


def geometries_of(path: Path) -> Iterator[Any]:
    """Yield the Shapely geometries of a file, None for none, in degrees (EPSG:4490 if it is in metres).

    Raises
    ------
    TableFileError
        The file cannot be read, or holds no geometry.
    """
    import pyogrio
    import pyproj
    import shapely

    try:
        with pyogrio.raw.open_arrow(path, columns=[], batch_size=SHAPES, use_pyarrow=True) as (meta, reader):
            if meta["geometry_type"] is None:
                raise TableFileError(
                    Text(f"{path.name} 里没有图形。", f"{path.name} holds no geometry."),
                    mend=Text(
                        "点表请用 jingwei grid encode。", "For a table of points use jingwei grid encode."
                    ),
                    where={"file": str(path)},
                )
            move = None
            if meta["crs"] and not pyproj.CRS.from_user_input(meta["crs"]).is_geographic:
                move = pyproj.Transformer.from_crs(meta["crs"], 4490, always_xy=True).transform
            for batch in reader:
                shapes = shapely.from_wkb(
                    batch[meta["geometry_name"] or "wkb_geometry"].to_numpy(zero_copy_only=False)
                )
                if move is not None:
                    shapes = shapely.transform(shapes, lambda xy: np.column_stack(move(*xy.T)))
                yield from shapes
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        shapely.errors.GEOSException,
    ) as error:
        raise TableFileError(
            Text(f"读不了 {path.name}。", f"{path.name} cannot be read: {error}."), where={"file": str(path)}
        ) from error


def rewrite(
    table: TableFile,
    target: Path,
    extend: Callable[[pa.RecordBatch], pa.RecordBatch],
    told: Callable[[int], None],
) -> None:
    """Write a table anew, each batch extended; the target appears whole or not at all.

    Parameters
    ----------
    table : TableFile
    target : Path
        Its name says the format.
    extend : callable
        Gives each batch its new columns.
    told : callable
        Hears the number of rows after each batch.

    Raises
    ------
    TableFileError
        The source is broken half-way, or the target is the source or cannot be written.
    """
    kind = kind_of(target)
    if target.exists() and target.samefile(table.path):
        raise TableFileError(
            Text(f"{target.name} 是输入文件本身。", f"{target.name} is the file that is read."),
            mend=Text("请换一个输出文件名。", "Write to another name."),
            where={"file": str(target)},
        )
    if not (target.parent.is_dir() and os.access(target.parent, os.W_OK)):
        raise TableFileError(
            Text(f"不能写入文件夹 {target.parent}。", f"The folder {target.parent} cannot be written to."),
            mend=Text("请先建好它，或换一个。", "Make it first, or choose another."),
            where={"file": str(target)},
        )
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with contextlib.ExitStack() as stack:
            writer: Any = None
            for batch in table.batches():
                wide = extend(batch)
                if writer is None:
                    writer = stack.enter_context(_writer(kind, partial, wide.schema))
                writer.write_batch(wide)
                told(batch.num_rows)
            if writer is None:
                empty = extend(pa.RecordBatch.from_pylist([], schema=table.schema))
                stack.enter_context(_writer(kind, partial, empty.schema)).write_batch(empty)
        partial.replace(target)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(table.path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def _writer(kind: str, path: Path, schema: pa.Schema) -> Any:
    if kind == "parquet":
        return pq.ParquetWriter(path, schema)
    if kind == "csv":
        return pv.CSVWriter(path, schema)
    return pa.ipc.new_file(str(path), schema)
