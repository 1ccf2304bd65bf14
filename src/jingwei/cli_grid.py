"""The grid on the command line: files of any size in, the same files with grid columns out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Self

import click
import numpy as np
import pyarrow as pa
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from jingwei import cli_grid_files as files
from jingwei.errors import BadRequestError, JingweiError
from jingwei.grid import columns, sql
from jingwei.grid.errors import GridError
from jingwei.words import Text, language_of_locale

BAD_INPUT = 2


def say(zh: str, en: str) -> str:
    """Return the text in the language of this terminal."""
    return zh if language_of_locale() == "zh" else en


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Turn errors into a message, its mend and an exit code."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except JingweiError as error:
            click.secho(f"{say('错误', 'Error')} [{error.code}] {error.what}", fg="red", err=True)
            if error.mend:
                click.echo(f"  {error.mend}", err=True)
            sys.exit(BAD_INPUT)
        except GridError as error:
            click.secho(f"{say('错误', 'Error')} [{error.code}] {error}", fg="red", err=True)
            sys.exit(BAD_INPUT)
        except KeyboardInterrupt:
            click.echo(say("已停止，没有留下半个文件。", "Stopped; no half-written file is left."), err=True)
            sys.exit(130)

    return run


class Count:
    """Counts rows while a bar shows them."""

    def __init__(self, label: str, total: int | None) -> None:
        self.rows = 0
        self.bad = 0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task(label, total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def add(self, rows: int) -> None:
        """Count rows that are done."""
        self.rows += rows
        self._bar.update(self._task, advance=rows)


source_argument = click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
output_option = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=say("输出文件（默认 名称.grid.后缀）", "the file to write (by default NAME.grid.SUFFIX)"),
)
encoding_option = click.option(
    "--encoding",
    default="utf-8",
    show_default=True,
    help=say("CSV 的编码，如 gb18030", "encoding of a CSV, such as gb18030"),
)


@click.group(
    help=say(
        "网格码：编码、解码、覆盖，文件大小不限。",
        "Grid codes: encode, decode and cover, for files of any size.",
    )
)
def grid() -> None:
    """Work with grid codes."""


@grid.command(
    help=say(
        "给带经纬度的表加上网格列 jw_cell 与 jw_level（WGS84 或 CGCS2000，度）。",
        "Give a table of points its grid columns jw_cell and jw_level (degrees on WGS84 or CGCS2000).",
    )
)
@source_argument
@click.option("--lon", required=True, help=say("经度列", "the column of longitudes"))
@click.option("--lat", required=True, help=say("纬度列", "the column of latitudes"))
@click.option(
    "--level", required=True, type=click.IntRange(1, 32), help=say("GeoSOT 层级", "the GeoSOT level")
)
@click.option(
    "--text",
    "texts",
    multiple=True,
    type=click.Choice(["beidou", "geosot"]),
    help=say("另加文本码列 jw_beidou 或 jw_geosot", "add a column of texts too, jw_beidou or jw_geosot"),
)
@click.option("--strict", is_flag=True, help=say("遇到坏点即停止", "stop at the first bad point"))
@output_option
@encoding_option
@guarded
def encode(
    source: Path,
    lon: str,
    lat: str,
    level: int,
    texts: tuple[str, ...],
    output: Path | None,
    encoding: str,
    *,
    strict: bool,
) -> None:
    """Encode the points of a file."""
    from jingwei import grid as library

    if "beidou" in texts:
        library.beidou.beidou_level(level)  # says at once which levels have a BeiDou code
    table = files.open_table(source, encoding)
    for name in (lon, lat):
        files.column(table, name)
    _refuse_taken(table, ["jw_cell", "jw_level", *(f"jw_{kind}" for kind in texts)])

    def extend(batch: pa.RecordBatch) -> pa.RecordBatch:
        codes, bad = _codes_of(batch.column(lon), batch.column(lat), level)
        if strict and bad.any():
            _stop_at(batch, lon, lat, level, count.rows, int(np.flatnonzero(bad)[0]))
        count.bad += int(bad.sum())
        wide = batch.append_column("jw_cell", columns.arrow(library.to_stored(codes), bad))
        wide = wide.append_column("jw_level", columns.arrow(np.full(len(codes), level, np.uint8), bad))
        for kind in texts:
            found = (columns.beidou_of_cells if kind == "beidou" else columns.geosot_of_cells)(codes, level)
            wide = wide.append_column(f"jw_{kind}", columns.arrow(found[0], found[1] | bad))
        return wide

    target = output or _beside(source)
    with Count(source.name, table.rows) as count:
        files.rewrite(table, target, extend, count.add)
    _report(count, target)


def _codes_of(lon: pa.Array, lat: pa.Array, level: int) -> tuple[Any, Any]:
    """Return the codes of points and which are bad.

    Decimal numbers in a text are read as binary floats, with their snap to cell edges, since programs print
    floats so; all else (degrees, minutes and seconds) exactly. No point depends on the others of its batch.
    """
    from jingwei import grid as library

    codes, bad = library.encode(files.plain_numbers(lon), files.plain_numbers(lat), level, errors="mask")
    if bad.any() and any(pa.types.is_string(v.type) or pa.types.is_large_string(v.type) for v in (lon, lat)):
        rest = np.flatnonzero(bad)
        x, y = (column.take(pa.array(rest)).to_pylist() for column in (lon, lat))
        codes[rest], bad[rest] = library.encode(list(map(str, x)), list(map(str, y)), level, errors="mask")
    return codes, bad


def _stop_at(batch: pa.RecordBatch, lon: str, lat: str, level: int, before: int, index: int) -> None:
    from jingwei import grid as library

    x, y = (batch.column(name)[index].as_py() for name in (lon, lat))
    try:
        library.encode(x, y, level)
        reason = say("坐标为空", "the coordinate is null")
    except GridError as error:
        reason = error.reason
    row = before + index + 1
    raise BadRequestError(
        Text(f"第 {row} 行：{reason}。", f"Row {row}: {reason}."),
        mend=Text(
            "改正后重试，或去掉 --strict，坏点将留空。",
            "Mend it, or leave out --strict: bad points stay empty.",
        ),
        where={"row": row},
    )


@grid.command(
    help=say(
        "把网格列解为经纬度、范围、面积或文本码。",
        "Turn a column of cells into places, bounds, areas or texts.",
    )
)
@source_argument
@click.option(
    "--cell",
    default="jw_cell",
    show_default=True,
    help=say("网格列（整数或文本码）", "the column of cells, integers or texts"),
)
@click.option(
    "--level",
    type=click.IntRange(1, 32),
    help=say(
        "所有单元的层级（默认取列 jw_level）", "the level of all cells (by default the column jw_level)"
    ),
)
@click.option(
    "--give",
    "gives",
    multiple=True,
    type=click.Choice(["centre", "bounds", "area", "beidou", "geosot"]),
    default=["centre"],
    show_default=True,
    help=say("要什么", "what to give"),
)
@output_option
@encoding_option
@guarded
def decode(
    source: Path, cell: str, level: int | None, gives: tuple[str, ...], output: Path | None, encoding: str
) -> None:
    """Decode the cells of a file."""
    table = files.open_table(source, encoding)
    files.column(table, cell)
    names = {"centre": ["lon", "lat"], "bounds": ["west", "south", "east", "north"], "area": ["area_m2"]}
    _refuse_taken(table, [f"jw_{name}" for give in gives for name in names.get(give, [give])])

    def extend(batch: pa.RecordBatch) -> pa.RecordBatch:
        stored, levels, bad = _cells_of(batch, cell, level)
        count.bad += int(bad.sum())
        for give in gives:
            for name, values, null in _given(give, stored, levels):
                batch = batch.append_column(f"jw_{name}", columns.arrow(values, null | bad))
        return batch

    target = output or _beside(source)
    with Count(source.name, table.rows) as count:
        files.rewrite(table, target, extend, count.add)
    _report(count, target)


def _cells_of(batch: pa.RecordBatch, cell: str, level: int | None) -> tuple[Any, Any, Any]:
    """Return stored codes, levels, and which are null or no cell."""
    values = files.as_number(batch.column(cell), pa.int64())
    if not pa.types.is_integer(values.type):
        return columns.parse(values)
    if level is None and "jw_level" not in batch.schema.names:
        raise BadRequestError(
            Text(
                f"列 {cell} 是整数码，还需要层级。", f"The column {cell} holds numbers, which need a level."
            ),
            mend=Text("请给出 --level，或有列 jw_level。", "Give --level, or a column jw_level."),
            where={"field": cell},
        )
    bad = np.asarray(values.is_null())
    if level is not None:
        return values.fill_null(0), np.full(len(values), level), bad
    levels = files.as_number(batch.column("jw_level"), pa.int64())
    return values.fill_null(0), levels.fill_null(0).to_numpy(zero_copy_only=False), bad


def _given(give: str, stored: Any, levels: Any) -> list[tuple[str, Any, Any]]:
    if give == "centre":
        middles, null = columns.centres(stored, levels)
        return [
            (name, np.ascontiguousarray(values), null)
            for name, values in zip(("lon", "lat"), middles.T, strict=True)
        ]
    if give == "bounds":
        edges, null = columns.bounds(stored, levels)
        names = ("west", "south", "east", "north")
        return [
            (name, np.ascontiguousarray(values), null) for name, values in zip(names, edges.T, strict=True)
        ]
    if give == "area":
        return [("area_m2", *columns.areas(stored, levels))]
    found = columns.beidou_of_cells if give == "beidou" else columns.geosot_of_cells
    return [(give, *found(stored, levels))]


@grid.command(
    help=say(
        "求图形的网格覆盖：每个单元一行（feature, jw_cell, jw_level）。",
        "Cover the geometries of a file: one row for each cell (feature, jw_cell, jw_level).",
    )
)
@source_argument
@click.option("--level", type=click.IntRange(1, 32), help=say("单元层级", "the level of the cells"))
@click.option("--error-m", type=float, help=say("或：误差不超过多少米", "or: the error in metres"))
@click.option("--max-cells", type=int, help=say("或：每个图形的单元数上限", "or: most cells of one geometry"))
@click.option(
    "--rule", type=click.Choice(["intersects", "within", "centre"]), default="intersects", show_default=True
)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@guarded
def cover(
    source: Path, level: int | None, error_m: float | None, max_cells: int | None, rule: Any, output: Path
) -> None:
    """Cover the geometries of a file."""
    from jingwei import grid as library

    files.kind_of(output)

    def batches() -> Any:
        for feature, geometry in enumerate(files.geometries_of(source)):
            if geometry is None:
                count.bad += 1
                continue
            found = library.cover(geometry, level=level, error_m=error_m, max_cells=max_cells, rule=rule)
            cells, levels = found.cells()
            number = np.full(len(cells), feature, np.int64)
            yield pa.RecordBatch.from_arrays([number, library.to_stored(cells), levels], schema=schema)

    schema = pa.schema([("feature", pa.int64()), ("jw_cell", pa.int64()), ("jw_level", pa.uint8())])
    with Count(source.name, None) as count:
        files.rewrite(files.TableFile(source, schema, None, batches), output, lambda batch: batch, count.add)
    _report(count, output)


@grid.command("sql", help=say("打印数据库里的网格函数。", "Print the grid's functions for a database."))
@click.argument("dialect", type=click.Choice(["postgres", "spark", "duckdb"]))
@guarded
def sql_command(dialect: Any) -> None:
    """Print SQL."""
    statements = sql.macros() if dialect == "duckdb" else sql.functions(dialect)
    click.echo("\n".join(f"{statement};" for statement in statements))


def _beside(source: Path) -> Path:
    return source.with_name(f"{source.stem}.grid{source.suffix}")


def _refuse_taken(table: files.TableFile, names: list[str]) -> None:
    taken = [name for name in names if name in table.schema.names]
    if taken:
        raise BadRequestError(
            Text(
                f"{table.path.name} 已有列 {', '.join(taken)}。",
                f"{table.path.name} already has the columns {', '.join(taken)}.",
            ),
            mend=Text("先改名或删去。", "Rename or drop them first."),
            where={"file": str(table.path), "field": taken[0]},
        )


def _report(count: Count, target: Path) -> None:
    done = say(f"{target}：{count.rows:,} 行", f"{target}: {count.rows:,} rows")
    bad = say(f"，其中 {count.bad:,} 行没有单元，留空", f", {count.bad:,} of them without a cell, left empty")
    click.echo(done + (bad if count.bad else ""))
