"""Which cells lie beside, around and between: on the contiguous numbers of rows and columns.

Rows and columns of a level are numbered without the pads, 0, 1, 2 ... away from the equator and the prime
meridian and -1, -2 ... on the other side. On these numbers a neighbour is one step, over the equator and the
meridians too; columns close at 180 degrees. Never is a neighbour found by arithmetic on digits.
"""

from __future__ import annotations

from collections.abc import Iterable

from jingwei.grid import geosot
from jingwei.grid.beidou import CORNER_STEPS, EDGE_STEPS
from jingwei.grid.errors import OutOfRange, PolarUnsupported
from jingwei.grid.levels import (
    LAT_END,
    LON_END,
    POLAR_FIRST_LEVEL,
    POLAR_START,
    check_level,
    count_to,
    edges_of,
    number_of,
)
from jingwei.grid.polar import zone_of


def column_and_row(code: int, level: int) -> tuple[int, int]:
    """Return the signed contiguous column and row of a cell.

    Raises
    ------
    PolarUnsupported
        Polar cells have neither.
    """
    level = check_level(level, 1)
    code = geosot.unsigned(code) & geosot.level_mask(level)
    if zone_of(code, level):
        raise PolarUnsupported(f"the polar cell {geosot.text_of(code, level)} has no column and row")
    west, x, south, y = geosot.anchor(code, level)
    column, row = number_of(x, level), number_of(y, level)
    return (-column - 1 if west else column), (-row - 1 if south else row)


def code_at(column: int, row: int, level: int) -> int:
    """Return the code of the cell at a signed column and row; columns close at 180 degrees.

    Raises
    ------
    OutOfRange
        The row lies beyond the pole.
    PolarUnsupported
        The row lies in a polar cap, whose cells are not ordered in rows and columns.
    """
    level = check_level(level, 1)
    half = count_to(LON_END, level)
    column = (column + half) % (2 * half) - half
    near_x, _ = edges_of(column if column >= 0 else -column - 1, level, LON_END)
    distance = row if row >= 0 else -row - 1
    if distance >= count_to(LAT_END, level):
        raise OutOfRange(f"row {row} of level {level} lies beyond the pole")
    near_y, _ = edges_of(distance, level, LAT_END)
    if near_y >= POLAR_START and level >= POLAR_FIRST_LEVEL:
        raise PolarUnsupported(f"row {row} of level {level} lies at 88 degrees and beyond")
    return geosot.code_of_ticks(column < 0, near_x, row < 0, near_y, level)


def neighbour(code: int, level: int, east: int, north: int) -> int:
    """Return the code of the cell `east` columns to the east and `north` rows to the north."""
    column, row = column_and_row(code, level)
    return code_at(column + east, row + north, level)


def neighbours(code: int, level: int, *, corners: bool = True) -> list[int]:
    """Return the codes of the cells that share an edge (and, by default, a corner) with a cell.

    Cells beyond the pole or in a polar cap are left out. Order: north, east, south, west, then north-west,
    north-east, south-east, south-west.
    """
    column, row = column_and_row(code, level)
    steps = EDGE_STEPS + CORNER_STEPS if corners else EDGE_STEPS
    return _existing(((column + dx, row + dy) for dx, dy in steps), level, but=geosot.unsigned(code))


def ring(code: int, level: int, distance: int) -> list[int]:
    """Return the codes of the cells exactly `distance` steps over edges or corners away.

    They run clockwise from the north-west; what lies beyond the pole or in a polar cap is left out.
    """
    if distance < 0:
        raise OutOfRange(f"a distance is 0 or more, not {distance}")
    column, row = column_and_row(code, level)
    if distance == 0:
        return [geosot.unsigned(code) & geosot.level_mask(level)]
    k = distance
    around = [(dx, k) for dx in range(-k, k)]
    around += [(k, -dy) for dy in range(-k, k)]
    around += [(-dx, -k) for dx in range(-k, k)]
    around += [(-k, dy) for dy in range(-k, k)]
    cells = _existing(((column + dx, row + dy) for dx, dy in around), level, but=geosot.unsigned(code))
    if 2 * k + 1 > 2 * count_to(LON_END, level):  # the ring closes on itself around the earth
        cells = [cell for cell in cells if grid_distance(code, cell, level) == k]
    return cells


def disk(code: int, level: int, distance: int) -> list[int]:
    """Return the codes of all cells at most `distance` steps away, ring by ring."""
    return [cell for k in range(distance + 1) for cell in ring(code, level, k)]


def grid_distance(code: int, other: int, level: int) -> int:
    """Return the least number of steps over edges or corners between two cells of a level."""
    (c0, r0), (c1, r1) = column_and_row(code, level), column_and_row(other, level)
    around = 2 * count_to(LON_END, level)
    across = abs(c0 - c1)
    return max(min(across, around - across), abs(r0 - r1))


def _existing(places: Iterable[tuple[int, int]], level: int, but: int) -> list[int]:
    found: dict[int, None] = {}
    for column, row in places:
        try:
            found[code_at(column, row, level)] = None
        except (OutOfRange, PolarUnsupported):
            continue
    found.pop(but & geosot.level_mask(level), None)
    return list(found)
