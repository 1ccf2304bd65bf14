"""How finely a place is known: at level 32 where it was measured, coarser where only its cell was named."""

from __future__ import annotations

from typing import Any

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL

SYSTEM = "GeoSOT"
SYSTEM_NAME = "dggs.system"
CELL_NAME = "dggs.cell"
"""The members of a Location's properties that say in which cell it is, where no more is known."""


def properties_of(cell: grid.Cell) -> dict[str, Any]:
    """Return the properties of a place of which only a cell is known."""
    return {SYSTEM_NAME: SYSTEM, CELL_NAME: cell.geosot}


def level_known(properties: Any, code: int) -> int:
    """Return the finest level at which a place is known.

    Parameters
    ----------
    properties
        Of the Location.
    code
        GeoSOT code of level 32 of its point. A cell in which that does not lie is not heeded.

    """
    told = properties.get(CELL_NAME) if isinstance(properties, dict) else None
    if not isinstance(told, str):
        return MAX_LEVEL
    try:
        cell = grid.parse(told)
    except grid.GridError:
        return MAX_LEVEL
    level = int(cell.level)
    lies = not level or int(grid.parent(code, MAX_LEVEL, level)) == int(cell.code)
    return level if cell.geosot == told and lies else MAX_LEVEL
