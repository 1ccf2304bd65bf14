"""The grid in Polars: importing this module gives expressions the namespace `grid`.

`pl.struct("lon", "lat").grid.encode(23)` is a column of stored cells; `pl.col("jw_cell").grid.beidou(23)`,
`.geosot(23)`, `.parent(23, 19)`, `.low(23)`, `.high(23)`, `.bounds(23)`, `.area_m2(23)` and
`.contains(cover)` go on from there, and `pl.col("code").grid.parse()` reads texts. What is null or no cell is
null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from jingwei.grid import columns
from jingwei.grid.levels import check_level

if TYPE_CHECKING:
    from jingwei.grid.areas import Cover


def _series(values: Any, null: Any) -> pl.Series:
    series = pl.from_arrow(columns.arrow(values, null))
    assert isinstance(series, pl.Series)  # noqa: S101 - an array is a series
    return series


@pl.api.register_expr_namespace("grid")
class GridExpressions:
    """What the grid can say of a column of points, cells or texts."""

    def __init__(self, expression: pl.Expr) -> None:
        self._expression = expression

    def _map(self, function: Any, answer: Any) -> pl.Expr:
        return self._expression.map_batches(function, return_dtype=answer, is_elementwise=True)

    def encode(self, level: int) -> pl.Expr:
        """Return the stored cells of a struct whose first two fields are longitude and latitude."""

        def run(points: pl.Series) -> pl.Series:
            lon, lat = (points.struct.field(name) for name in points.struct.fields[:2])
            return _series(*columns.encode(lon, lat, level))

        return self._map(run, pl.Int64)

    def beidou_of_points(self, level: int) -> pl.Expr:
        """Return the BeiDou codes of a struct whose first two fields are longitude and latitude."""

        def run(points: pl.Series) -> pl.Series:
            lon, lat = (points.struct.field(name) for name in points.struct.fields[:2])
            return _series(*columns.beidou_of_points(lon, lat, level))

        return self._map(run, pl.String)

    def beidou(self, level: int) -> pl.Expr:
        """Return the BeiDou codes of cells."""
        return self._map(lambda cells: _series(*columns.beidou_of_cells(cells, level)), pl.String)

    def geosot(self, level: int) -> pl.Expr:
        """Return the quaternary texts of cells."""
        return self._map(lambda cells: _series(*columns.geosot_of_cells(cells, level)), pl.String)

    def area_m2(self, level: int) -> pl.Expr:
        """Return the true areas of cells in m2."""
        return self._map(lambda cells: _series(*columns.areas(cells, level)), pl.Float64)

    def bounds(self, level: int) -> pl.Expr:
        """Return structs of west, south, east and north in degrees."""
        names = ["west", "south", "east", "north"]

        def run(cells: pl.Series) -> pl.Series:
            edges, null = columns.bounds(cells, level)
            fields = [
                _series(edge.copy(), null).alias(name) for edge, name in zip(edges.T, names, strict=True)
            ]
            return pl.DataFrame(fields).to_struct("bounds")

        return self._map(run, pl.Struct(dict.fromkeys(names, pl.Float64)))

    def parent(self, level: int, to_level: int) -> pl.Expr:
        """Return the stored ancestors of cells at a coarser level."""
        return self._map(lambda cells: _series(*columns.parents(cells, level, to_level)), pl.Int64)

    def low(self, level: int) -> pl.Expr:
        """Return the lowest stored code of the descendants of cells, as a plain expression."""
        return self._expression & ~self._block(level)

    def high(self, level: int) -> pl.Expr:
        """Return the highest stored code of the descendants of cells, as a plain expression."""
        return self._expression | self._block(level)

    @staticmethod
    def _block(level: int) -> int:
        return (1 << (64 - 2 * check_level(level, 1))) - 1

    def contains(self, cover: Cover) -> pl.Expr:
        """Say which cells (or points' cells) begin in a cover."""
        return self._map(lambda cells: pl.Series(cover.contains(cells)), pl.Boolean)

    def parse(self) -> pl.Expr:
        """Return structs of stored `cell` and `level` for texts of either standard."""

        def run(codes: pl.Series) -> pl.Series:
            stored, level, bad = columns.parse(codes)
            return pl.DataFrame(
                [_series(stored, bad).alias("cell"), _series(level, bad).alias("level")]
            ).to_struct()

        return self._map(run, pl.Struct({"cell": pl.Int64, "level": pl.UInt8}))
