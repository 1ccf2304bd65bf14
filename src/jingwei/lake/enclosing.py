"""Which of many points lie inside an area: most are told by coarse cells that are inside or outside whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from jingwei import grid
from jingwei.grid.levels import SIZE, TICKS_PER_DEGREE

MOST_CELLS = 16_384
"""Cells, about, into which the box of an area is cut at most."""

FEW = 4
"""Runs of points of one coarse cell are worth a question of their own from this mean length on."""


def middles_inside(area: Any, codes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Say of each code of level 32 whether the middle of its cell lies inside an area, not on its edge.

    The answer is that of `shapely.contains_xy` for each middle.

    Parameters
    ----------
    area
        A polygon or several (WGS84 degrees).
    codes
        64-bit codes, shape (n,); best in the order of a space-filling curve, so that neighbours follow one
        another.

    """
    if not len(codes):
        return np.empty(0, bool)
    shapely.prepare(area)
    if area.geom_type not in ("Polygon", "MultiPolygon"):
        return _contained(area, codes)
    level = _level_for(area)
    coarse = grid.parent(codes, 32, level)
    starts = np.flatnonzero(np.concatenate([[True], coarse[1:] != coarse[:-1]]))
    if FEW * len(starts) > len(codes):
        return _contained(area, codes)
    cells, of_run = np.unique(coarse[starts], return_inverse=True)
    boxes = shapely.box(*grid.bounds(cells, level))
    within = shapely.contains_properly(area, boxes)
    parted = shapely.intersects(area, boxes) & ~within
    lengths = np.diff(np.append(starts, len(codes)))
    inside = np.repeat(within[of_run], lengths)
    doubtful = np.flatnonzero(np.repeat(parted[of_run], lengths))
    inside[doubtful] = _contained(area, codes[doubtful])
    return inside


def cells_touch(area: Any, codes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Say of each code of level 32 whether its cell (some 15 mm) has a point in common with an area.

    Of a point on the very edge the middle of its cell may lie beyond; such a point is not outside.

    Parameters
    ----------
    area, codes
        As for `middles_inside`.

    """
    if not len(codes):
        return np.empty(0, bool)
    lon, lat = grid.centre(codes, 32)
    west, south, east, north = area.bounds
    margin = 2.0 * SIZE[32] / TICKS_PER_DEGREE
    near = (lon >= west - margin) & (lon <= east + margin) & (lat >= south - margin) & (lat <= north + margin)
    touched = np.zeros(len(codes), bool)
    shapely.prepare(area)
    touched[near] = shapely.intersects(area, shapely.box(*grid.bounds(codes[near], 32)))
    return touched


def ranges_inside(area: Any, low: NDArray[np.uint64], high: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Say of each range of codes whether it is seen by coarse cells that all of it lies inside an area.

    Where the answer is no, some codes of the range may be inside all the same.

    Parameters
    ----------
    area
        As for `middles_inside`.
    low, high
        The first and the last code of level 32 of each range, both inclusive, shape (n,).

    """
    inside = low <= high
    if (
        area.geom_type not in ("Polygon", "MultiPolygon")
        or np.abs(area.bounds).reshape(2, 2)[:, 1].max() > 88
    ):
        return np.zeros(len(low), bool)
    shapely.prepare(area)
    finest = _level_for(area)
    owner, codes = np.flatnonzero(inside), np.zeros(int(inside.sum()), np.uint64)
    for level in range(1, finest + 1):
        owner, codes = _children_met(owner, codes, level, low, high)
        cells, of_cell = np.unique(codes, return_inverse=True)
        *edges, none = grid.bounds(cells, level, errors="mask")
        boxes = shapely.box(*edges)
        within, apart = shapely.contains_properly(area, boxes), ~shapely.intersects(area, boxes)
        if level == finest:
            apart = ~within
        inside[owner[(apart & ~none)[of_cell]]] = False
        open_ = ~(within | none)[of_cell] & inside[owner]
        owner, codes = owner[open_], codes[open_]
    return inside


def _children_met(
    owner: NDArray[np.int64],
    codes: NDArray[np.uint64],
    level: int,
    low: NDArray[np.uint64],
    high: NDArray[np.uint64],
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return the cells of a level within the cells of the level above that have codes of their ranges."""
    shift = np.uint64(64 - 2 * level)
    rest = (np.uint64(1) << shift) - np.uint64(1)
    owner = np.tile(owner, 4)
    codes = np.concatenate([codes | (np.uint64(digit) << shift) for digit in range(4)])
    met = (codes <= high[owner]) & (codes | rest >= low[owner])
    return owner[met], codes[met]


def _contained(area: Any, codes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    if not len(codes):
        return np.empty(0, bool)
    return np.asarray(shapely.contains_xy(area, *grid.centre(codes, 32)), bool)


def _level_for(area: Any) -> int:
    """Return the finest level of which not too many cells lie in the box of an area."""
    west, south, east, north = area.bounds
    level = 1
    for finer in range(2, 22):
        left, low, right, high = grid.bounds(grid.encode(west, south, finer), finer)
        if (east - west) * (north - south) > MOST_CELLS * abs((right - left) * (high - low)):
            break
        level = finer
    return level
