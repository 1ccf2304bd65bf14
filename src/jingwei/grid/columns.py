"""Columns of codes as data frames and databases want them: stored integers, levels, nulls.

The faces for pandas, Polars, DuckDB and Arrow all come here, so that they answer alike: what is null, or is
no cell, is null in the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jingwei.grid import beidou, codes, ellipsoid, texts
from jingwei.grid.arrays import Bools, codes_of, floats_of, is_scalar, texts_of
from jingwei.grid.levels import check_level

if TYPE_CHECKING:
    import pyarrow as pa

Column = tuple[NDArray[Any], Bools]
"""Values, and which of them are null."""


def encode(lon: Any, lat: Any, level: Any) -> Column:
    """Return the stored codes of points in degrees."""
    x, y, null = _points(lon, lat)

    def of_level(rows: Any, one: int) -> Column:
        unsigned, bad = codes.encode(x[rows], y[rows], one, errors="mask")
        return unsigned.view(np.int64), bad

    return _by_level(level, np.empty(x.size, np.int64), null, of_level)


def beidou_of_points(lon: Any, lat: Any, level: Any) -> Column:
    """Return the BeiDou codes of points in degrees, as ASCII bytes."""
    x, y, null = _points(lon, lat)
    return _by_level(
        level,
        np.zeros(x.size, "S20"),
        null,
        lambda rows, one: texts.beidou_string(x[rows], y[rows], one, errors="mask"),
    )


def beidou_of_cells(cell: Any, level: Any) -> Column:
    """Return the BeiDou codes of the cells that have one, as ASCII bytes."""
    unsigned, null = _cells(cell)

    def of_level(rows: Any, one: int) -> Column:
        here = unsigned[rows]
        if one not in beidou.BEIDOU_LEVEL:
            return np.zeros(here.size, "S20"), np.ones(here.size, dtype=bool)
        found: Column = texts.beidou_of(here, one, errors="mask")
        return found

    return _by_level(level, np.zeros(unsigned.size, "S20"), null, of_level)


def geosot_of_cells(cell: Any, level: Any) -> Column:
    """Return the quaternary texts of cells, as ASCII bytes."""
    unsigned, null = _cells(cell)

    def of_level(rows: Any, one: int) -> Column:
        here = unsigned[rows]
        return texts.geosot_string(here, one), np.zeros(here.size, dtype=bool)

    return _by_level(level, np.zeros(unsigned.size, "S36"), null, of_level)


def bounds(cell: Any, level: Any) -> tuple[NDArray[np.float64], Bools]:
    """Return west, south, east, north of cells, as four columns of an array."""
    unsigned, null = _cells(cell)

    def of_level(rows: Any, one: int) -> Column:
        *edges, bad = codes.bounds(unsigned[rows], one, errors="mask")
        return np.column_stack(edges), bad

    return _by_level(level, np.full((unsigned.size, 4), np.nan), null, of_level)


def centres(cell: Any, level: Any) -> tuple[NDArray[np.float64], Bools]:
    """Return longitude and latitude of the middles of cells, as two columns of an array."""
    unsigned, null = _cells(cell)

    def of_level(rows: Any, one: int) -> Column:
        lon, lat, bad = codes.centre(unsigned[rows], one, errors="mask")
        return np.column_stack((lon, lat)), bad

    return _by_level(level, np.full((unsigned.size, 2), np.nan), null, of_level)


def areas(cell: Any, level: Any) -> Column:
    """Return the true areas of cells in m2."""
    edges, null = bounds(cell, level)
    return ellipsoid.area_m2(*np.where(null, 0.0, edges.T)), null


def parents(cell: Any, level: Any, to_level: int) -> Column:
    """Return the stored codes of the ancestors of cells at a level; null where a cell is coarser."""
    unsigned, null = _cells(cell)
    to_level = check_level(to_level, 1)

    def of_level(rows: Any, one: int) -> Column:
        here = unsigned[rows]
        if one < to_level:
            return np.zeros(here.size, np.int64), np.ones(here.size, dtype=bool)
        found, bad = codes.parent(here, one, to_level, errors="mask")
        return found.view(np.int64), bad

    return _by_level(level, np.zeros(unsigned.size, np.int64), null, of_level)


def parse(column: Any) -> tuple[NDArray[np.int64], NDArray[np.uint8], Bools]:
    """Return stored codes and levels of texts in the form of either standard, and which name no cell."""
    unsigned, level, bad = texts.parse_beidou_texts(column, errors="mask")
    if bad.any():
        rest = np.flatnonzero(bad)
        written, _ = texts_of(column)
        unsigned[rest], level[rest], bad[rest] = texts.parse_geosot_texts(written[rest], errors="mask")
    return unsigned.view(np.int64), level, bad


def arrow(values: NDArray[Any], null: Bools) -> pa.Array:
    """Return a column as an Arrow array; ASCII bytes become strings."""
    import pyarrow as pa

    if values.dtype.kind != "S":
        return pa.array(values, mask=null)
    width = values.dtype.itemsize
    lengths = np.where(null, 0, np.char.str_len(values)).astype(np.int64)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    rows = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), width)
    data = rows[np.arange(width) < lengths[:, None]].tobytes()
    valid = pa.py_buffer(np.packbits(~null, bitorder="little")) if null.any() else None
    buffers = [valid, pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(values), buffers).cast(pa.string())


def _points(lon: Any, lat: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], Bools]:
    (x, x_null), (y, y_null) = floats_of(lon, "longitude"), floats_of(lat, "latitude")
    null = np.zeros(x.size, dtype=bool)
    for nulls in (x_null, y_null):
        if nulls is not None:
            null |= nulls
    return x, y, null


def _cells(cell: Any) -> tuple[NDArray[np.uint64], Bools]:
    unsigned, null, _ = codes_of(cell)
    return unsigned, np.zeros(unsigned.size, dtype=bool) if null is None else null


def _by_level(
    level: Any, out: NDArray[Any], null: Bools, of_level: Callable[[Any, int], Column]
) -> tuple[NDArray[Any], Bools]:
    """Fill `out` level by level, where the level is a number or a column."""
    if is_scalar(level):
        values, bad = of_level(slice(None), check_level(level))
        return values, null | bad
    levels, level_null = floats_of(level, "level")
    null = null.copy() if level_null is None else null | level_null
    for one in np.unique(levels[~null]):
        rows = np.flatnonzero((levels == one) & ~null)
        values, bad = of_level(rows, check_level(int(one)))
        out[rows] = values
        null[rows] |= bad
    return out, null
