"""Regions of the earth that a question can be asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from jingwei import grid
from jingwei.grid.adjacency import code_at, column_and_row
from jingwei.lake.errors import BadRegionError
from jingwei.words import Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_VERTICES = 20_000
MAX_AROUND_LEVEL = 20
MAX_AROUND_LATITUDE = 87.9
"""Beyond it lie the polar cells, which have no rows and columns; no map in Mercator shows them."""

MAX_CELLS = 256
"""Cells by which a region's outline is approximated before the exact test."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the earth: stored cell ranges that cover it, its outline, and the levels above it.

    `ranges` is (n, 2) int64, inclusive, sorted and disjoint; `above` holds the (stored cell, level) of all
    cells that contain one of the covering cells, so that facts known only coarsely are found too. `exact`
    says that the ranges are the region itself and need no test against the outline.
    """

    ranges: NDArray[np.int64]
    above: tuple[tuple[int, int], ...]
    outline: Any
    exact: bool


def region_of_cell(cell: grid.Cell) -> Region:
    """Return one cell as a region."""
    low, high = grid.cell_range(cell.code, cell.level)
    above = tuple(
        (int(grid.to_stored(int(grid.parent(cell.code, cell.level, level)))), level)
        for level in range(1, cell.level)
    )
    return Region(np.array([[low, high]], np.int64), above, shapely.box(*cell.bounds), exact=True)


def region_of_bounds(west: float, south: float, east: float, north: float) -> Region:
    """Return a box in degrees (WGS84) as a region.

    Raises
    ------
    BadRegionError
        If the box is empty, not finite, or off the earth.

    """
    _check_bounds(west, south, east, north)
    return region_of_geometry(shapely.box(west, south, east, north))


def _check_bounds(west: float, south: float, east: float, north: float) -> None:
    if not all(np.isfinite(value) for value in (west, south, east, north)):
        raise BadRegionError(Text("范围含有非数字。", "The box holds something that is not a number."))
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise BadRegionError(
            Text("范围应为“西,南,东,北”，单位为度。", "A box is west, south, east, north, in degrees."),
            mend=Text("例如 114.0,22.5,114.1,22.6", "For example 114.0,22.5,114.1,22.6"),
            where={"bounds": [west, south, east, north]},
        )


def region_around_bounds(west: float, south: float, east: float, north: float, *, most: int = 64) -> Region:
    """Return the whole cells that a box in degrees touches: a little more than the box, in few ranges.

    A map's view needs no sharp edge, and ranges are asked without a second look at each fact. The cells are
    the finest of which at most `most` are needed. See `region_of_bounds` for errors.
    """
    _check_bounds(west, south, east, north)
    south, north = (min(max(edge, -MAX_AROUND_LATITUDE), MAX_AROUND_LATITUDE) for edge in (south, north))
    for level in range(MAX_AROUND_LEVEL, 0, -1):
        first = column_and_row(grid.encode(west, south, level), level)
        last = column_and_row(grid.encode(east, north, level), level)
        if (last[0] - first[0] + 1) * (last[1] - first[1] + 1) <= most:
            break
    spans = sorted(
        grid.cell_range(code_at(column, row, level), level)
        for row in range(first[1], last[1] + 1)
        for column in range(first[0], last[0] + 1)
    )
    merged = [spans[0]]
    for low, high in spans[1:]:
        if low == merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return Region(np.array(merged, np.int64), (), shapely.box(west, south, east, north), exact=True)


def region_of_geometry(outline: Any) -> Region:
    """Return a polygon (shapely, WGS84) as a region.

    Raises
    ------
    BadRegionError
        If it is empty, not an area, invalid, off the earth, or has too many vertices.

    """
    if outline is None or outline.is_empty or outline.geom_type not in ("Polygon", "MultiPolygon"):
        raise BadRegionError(Text("区域应为面。", "A region is a polygon or a multipolygon."))
    vertices = int(shapely.get_num_coordinates(outline))
    if vertices > MAX_VERTICES:
        raise BadRegionError(
            Text(
                f"区域有 {vertices} 个顶点，上限为 {MAX_VERTICES}。",
                f"The region has {vertices} vertices; the most is {MAX_VERTICES}.",
            ),
            mend=Text("请先简化边界。", "Simplify its outline first."),
        )
    if not shapely.is_valid(outline):
        raise BadRegionError(
            Text(
                f"区域的几何无效：{shapely.is_valid_reason(outline)}。",
                f"The region's geometry is invalid: {shapely.is_valid_reason(outline)}.",
            )
        )
    west, south, east, north = outline.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise BadRegionError(Text("区域超出地球范围。", "The region reaches off the earth."))
    cover = grid.cover(outline, max_cells=MAX_CELLS, rule="intersects")
    codes, levels = cover.cells()
    above = _above(np.asarray(codes, np.uint64), np.asarray(levels))
    shapely.prepare(outline)
    return Region(np.asarray(cover.ranges, np.int64), above, outline, exact=False)


def _above(codes: NDArray[np.uint64], levels: NDArray[np.int_]) -> tuple[tuple[int, int], ...]:
    """Return the (stored cell, level) of all that contain one of the cells, level by level from below."""
    found: list[tuple[int, int]] = []
    known = np.empty(0, np.uint64)
    for level in range(int(levels.max(initial=1)), 1, -1):
        below = np.union1d(known, codes[levels == level])
        known = np.unique(np.asarray(grid.parent(below, level, level - 1), np.uint64))
        found += [(cell, level - 1) for cell in grid.to_stored(known).tolist()]
    return tuple(sorted(found))
