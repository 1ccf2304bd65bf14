"""The grid in DuckDB: `register(connection)` adds functions and macros; all cells are stored BIGINTs.

============================================ =====================================================
`jw_encode(lon, lat, level)`                 the cell of a point
`jw_beidou(lon, lat, level)`                 the BeiDou code of a point
`jw_beidou_of(cell, level)`                  the BeiDou code of a cell, null where it has none
`jw_geosot(cell, level)`                     the quaternary text of a cell
`jw_cell_of(text)`, `jw_level_of(text)`      cell and level of a text of either standard
`jw_bounds(cell, level)`                     a struct of west, south, east, north in degrees
`jw_area(cell, level)`                       true area in m2
`jw_parent(cell, level)`                     the ancestor at a coarser level
`jw_low(cell, level)`, `jw_high(cell, level)` the range of a cell's descendants, both ends inclusive
`jw_contains(cell, level, other)`            whether a cell contains the cell or point `other`
============================================ =====================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from jingwei.grid import columns, sql

if TYPE_CHECKING:
    import duckdb

    from jingwei.grid.areas import Cover


def _encode(lon: Any, lat: Any, level: Any) -> pa.Array:
    return columns.arrow(*columns.encode(lon, lat, level))


def _beidou(lon: Any, lat: Any, level: Any) -> pa.Array:
    return columns.arrow(*columns.beidou_of_points(lon, lat, level))


def _beidou_of(cell: Any, level: Any) -> pa.Array:
    return columns.arrow(*columns.beidou_of_cells(cell, level))


def _geosot(cell: Any, level: Any) -> pa.Array:
    return columns.arrow(*columns.geosot_of_cells(cell, level))


def _cell_of(text: Any) -> pa.Array:
    stored, _, bad = columns.parse(text)
    return columns.arrow(stored, bad)


def _level_of(text: Any) -> pa.Array:
    _, level, bad = columns.parse(text)
    return columns.arrow(level.astype(np.int32), bad)


def _bounds(cell: Any, level: Any) -> pa.Array:
    edges, null = columns.bounds(cell, level)
    parts = [pa.array(np.ascontiguousarray(edge)) for edge in edges.T]
    return pa.StructArray.from_arrays(parts, names=["west", "south", "east", "north"], mask=pa.array(null))


def _area(cell: Any, level: Any) -> pa.Array:
    return columns.arrow(*columns.areas(cell, level))


_POINT, _CELL = ["DOUBLE", "DOUBLE", "INTEGER"], ["BIGINT", "INTEGER"]
_BOX = "STRUCT(west DOUBLE, south DOUBLE, east DOUBLE, north DOUBLE)"
_FUNCTIONS: tuple[tuple[str, Any, Any, str], ...] = (
    ("jw_encode", _encode, _POINT, "BIGINT"),
    ("jw_beidou", _beidou, _POINT, "VARCHAR"),
    ("jw_beidou_of", _beidou_of, _CELL, "VARCHAR"),
    ("jw_geosot", _geosot, _CELL, "VARCHAR"),
    ("jw_cell_of", _cell_of, ["VARCHAR"], "BIGINT"),
    ("jw_level_of", _level_of, ["VARCHAR"], "INTEGER"),
    ("jw_bounds", _bounds, _CELL, _BOX),
    ("jw_area", _area, _CELL, "DOUBLE"),
)


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the grid's functions and macros to a connection; what is null or no cell answers null."""
    from duckdb.func import FunctionNullHandling, PythonUDFType

    for name, function, parameters, answer in _FUNCTIONS:
        connection.create_function(
            name,
            function,
            parameters,
            answer,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )
    for statement in sql.macros():
        connection.execute(statement)


def register_cover(connection: duckdb.DuckDBPyConnection, name: str, cover: Cover) -> None:
    """Make a cover a table of `low` and `high`, for `JOIN name ON jw_cell BETWEEN low AND high`."""
    connection.register(name, pa.table({"low": cover.ranges[:, 0].copy(), "high": cover.ranges[:, 1].copy()}))
