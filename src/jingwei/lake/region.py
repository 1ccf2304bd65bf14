"""Regions of the earth that a question can be asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from jingwei import grid
from jingwei.lake.errors import BadRegionError
from jingwei.words import Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_VERTICES = 20_000
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
    if not all(np.isfinite(value) for value in (west, south, east, north)):
        raise BadRegionError(Text("范围含有非数字。", "The box holds something that is not a number."))
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise BadRegionError(
            Text("范围应为“西,南,东,北”，单位为度。", "A box is west, south, east, north, in degrees."),
            mend=Text("例如 114.0,22.5,114.1,22.6", "For example 114.0,22.5,114.1,22.6"),
            where={"bounds": [west, south, east, north]},
        )
    return region_of_geometry(shapely.box(west, south, east, north))


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
    above: set[tuple[int, int]] = set()
    for code, level in zip(codes.tolist(), levels.tolist(), strict=True):
        for upper in range(1, level):
            above.add((int(grid.to_stored(int(grid.parent(code, level, upper)))), upper))
    shapely.prepare(outline)
    return Region(np.asarray(cover.ranges, np.int64), tuple(sorted(above)), outline, exact=False)
