"""From edges to cells: which runs of cells of a level an outline meets and encloses, and their ranges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from jingwei.grid import geosot, ranges
from jingwei.grid.errors import LevelError, PolarUnsupported
from jingwei.grid.levels import (
    LAT_END,
    LON_END,
    PER_UNIT,
    POLAR_FIRST_LEVEL,
    POLAR_START,
    SIZE,
    UNIT,
    count_to,
)
from jingwei.grid.outline import Edges, edges_of, ticks_of

Rule = Literal["intersects", "within", "centre"]
Grid = tuple[int, int, int, int]
Keys = NDArray[np.int64]

MOST_ROWS = 200_000_000
"""Most rows that all edges of a piece may pass together; more would not fit into memory."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows and columns that a piece can meet: the origin of the keys of its runs."""

    level: int
    columns: Grid
    rows: Grid
    first_column: int
    first_row: int


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of cells as sorted disjoint ranges of keys: row, then column, counted from the frame's first."""

    starts: Keys
    ends: Keys


def ranges_of(piece: BaseGeometry, level: int, rule: Rule) -> ranges.Ranges:
    """Return the ranges of the cells of a level that a simple geometry between -180 and 180 degrees has."""
    _refuse_polar(piece, level)
    dimension = shapely.get_dimensions(piece)
    if dimension == 0 or piece.length == 0:
        x, y = ticks_of(shapely.get_coordinates(piece)[0]).tolist()
        code = geosot.code_of_ticks(
            x < 0, min(int(abs(x)), LON_END - 1), y < 0, min(int(abs(y)), LAT_END - 1), level
        )
        return np.array([geosot.range_of(code, level)]) if rule == "intersects" else ranges.EMPTY
    if dimension == 1 and rule != "intersects":
        return ranges.EMPTY
    edges = edges_of(piece)
    frame = _frame(edges, level)
    if dimension == 1:
        runs = _met_by_line(edges, frame)
    elif rule == "centre":
        runs = _enclosed(edges, frame)
    elif rule == "intersects":
        runs = _union(_enclosed(edges, frame), _met_inside(edges, frame))
    else:
        runs = _difference(_enclosed(edges, frame), _met_inside(edges, frame))
    return _packed(runs, frame)


def rows_passed(piece: BaseGeometry, level: int) -> int:
    """Return how many rows of a level the edges of a simple geometry go on into, all together."""
    if shapely.get_dimensions(piece) == 0 or piece.length == 0:
        return 0
    from jingwei.grid import kernels_cover

    edges = edges_of(piece)
    rows: int = kernels_cover.count_rows(
        edges.ay, edges.by, (SIZE[level], UNIT[level], PER_UNIT[level], LAT_END)
    )
    return rows - len(edges)


def _refuse_polar(piece: BaseGeometry, level: int) -> None:
    _, south, _, north = piece.bounds
    reach = max(north, -south)
    if level >= POLAR_FIRST_LEVEL and (reach > 88 or (reach == 88 and shapely.get_dimensions(piece) < 2)):
        raise PolarUnsupported(
            "the geometry reaches 88 degrees of latitude, where cells of levels 8 and finer end: "
            "cut it there, or use level 7 or coarser"
        )


def _frame(edges: Edges, level: int) -> Frame:
    from jingwei.grid import kernels_cover

    columns = (SIZE[level], UNIT[level], PER_UNIT[level], LON_END)
    rows = (SIZE[level], UNIT[level], PER_UNIT[level], LAT_END)
    west, south = float(min(edges.ax.min(), edges.bx.min())), float(min(edges.ay.min(), edges.by.min()))
    return Frame(
        level,
        columns,
        rows,
        kernels_cover.cell_below(west, columns) - 1,
        kernels_cover.cell_below(south, rows) - 1,
    )


def _space(edges: Edges, frame: Frame) -> int:
    from jingwei.grid import kernels_cover

    rows: int = kernels_cover.count_rows(edges.ay, edges.by, frame.rows)
    if rows > MOST_ROWS:
        raise LevelError(
            f"the edges pass {rows} rows of level {frame.level}, more than {MOST_ROWS}: choose a coarser one"
        )
    return rows


def _met_inside(edges: Edges, frame: Frame) -> Runs:
    """Return the cells whose inside an edge meets."""
    from jingwei.grid import kernels_cover

    return _met(kernels_cover.edge_cells, edges, frame)


def _met_by_line(edges: Edges, frame: Frame) -> Runs:
    """Return the cells that own a point of an edge; what lies on 180 degrees belongs to the last cell."""
    from jingwei.grid import kernels_cover

    edges = Edges(
        *(
            np.clip(x, 0.5 - LON_END, LON_END - 0.5)
            if i % 2 == 0
            else np.clip(x, 0.5 - LAT_END, LAT_END - 0.5)
            for i, x in enumerate((edges.ax, edges.ay, edges.bx, edges.by))
        )
    )
    return _met(kernels_cover.line_cells, edges, frame)


def _met(kernel: Callable[..., int], edges: Edges, frame: Frame) -> Runs:
    """Return the cells that a kernel finds along the edges."""
    space = _space(edges, frame)
    starts, ends = np.empty(space, np.int64), np.empty(space, np.int64)
    n = kernel(
        edges.ax,
        edges.ay,
        edges.bx,
        edges.by,
        frame.columns,
        frame.rows,
        frame.first_row,
        frame.first_column,
        starts,
        ends,
    )
    return _joined(starts[:n], ends[:n])


def _enclosed(edges: Edges, frame: Frame) -> Runs:
    """Return the cells whose middle lies inside the outline or on it."""
    lower, tie = _between_crossings(edges, frame, upper=False)
    if not tie:
        return lower
    # Where an edge ends on the middle of a row, what lies just above and just below it together is the closed
    # area.
    upper, _ = _between_crossings(edges, frame, upper=True)
    return _union(lower, upper)


def _between_crossings(edges: Edges, frame: Frame, *, upper: bool) -> tuple[Runs, bool]:
    from jingwei.grid import kernels_cover

    keys = np.empty(_space(edges, frame), np.int64)
    n, tie = kernels_cover.middle_crossings(
        edges.ax,
        edges.ay,
        edges.bx,
        edges.by,
        frame.columns,
        frame.rows,
        frame.first_row,
        frame.first_column,
        upper,
        keys,
    )
    crossings = np.sort(keys[:n])
    # A place 2k is the middle of column k and 2k + 1 lies between k and k + 1: round inwards.
    starts, ends = kernels_cover.columns_between(crossings)
    return _joined(starts, ends), tie


def _joined(starts: Keys, ends: Keys) -> Runs:
    from jingwei.grid import kernels_cover

    starts, ends = np.sort(starts), np.sort(ends)
    n = kernels_cover.join(starts, ends)
    return Runs(starts[:n], ends[:n])


def _union(a: Runs, b: Runs) -> Runs:
    return _joined(np.concatenate((a.starts, b.starts)), np.concatenate((a.ends, b.ends)))


def _difference(a: Runs, b: Runs) -> Runs:
    left = ranges.overlap(
        np.column_stack((a.starts, a.ends)), ranges.complement(np.column_stack((b.starts, b.ends)))
    )
    return Runs(np.ascontiguousarray(left[:, 0]), np.ascontiguousarray(left[:, 1]))


def _packed(runs: Runs, frame: Frame) -> ranges.Ranges:
    """Return the ranges of codes of runs, quadrant by quadrant."""
    from jingwei.grid import kernels_cover

    level = frame.level
    counts = count_to(LON_END, level), count_to(POLAR_START if level >= POLAR_FIRST_LEVEL else LAT_END, level)
    found = []
    for west in (False, True):
        for south in (False, True):
            row, first, last = kernels_cover.quadrant_runs(
                runs.starts,
                runs.ends,
                frame.first_row,
                frame.first_column,
                west,
                south,
                level,
                frame.columns,
                counts[0],
            )
            if south or west:
                order = np.lexsort((first, row))
                row, first, last = row[order], first[order], last[order]
            signs = np.uint64((south << 63) | (west << 62))
            low, high, fits = kernels_cover.pack(row, first, last, level, signs, LAT_END, LON_END)
            if not fits:
                raise LevelError(
                    f"the cover would have more than {kernels_cover.MOST_CELLS} cells of level {level}: "
                    "choose a coarser one"
                )
            found.append((low, high))
    low, high = (np.concatenate(values).view(np.int64) for values in zip(*found, strict=True))
    return ranges.joined(low, high)
