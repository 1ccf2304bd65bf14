"""China's grid codes: GB/T 39409-2020 (BeiDou) and GB/T 40087-2021 (GeoSOT), as pure functions.

One key serves both: the 64-bit GeoSOT code and its level. Numba loads at the first call with an array and
Shapely at the first cover; single numbers need neither.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from jingwei.grid.adjacency import disk, grid_distance, neighbour, neighbours, ring
from jingwei.grid.beidou import BeidouCell
from jingwei.grid.beidou3d import BeidouSolid, beidou3d_string, parse_beidou3d
from jingwei.grid.cells import (
    Cell,
    parse,
    parse_beidou,
    parse_geosot,
    parse_geosot_binary,
)
from jingwei.grid.codes import (
    ancestors,
    area_m2,
    bounds,
    cell_range,
    centre,
    children,
    common_ancestor,
    contains,
    encode,
    from_stored,
    parent,
    size_m,
    to_stored,
)
from jingwei.grid.errors import (
    GridError,
    LevelError,
    MalformedCode,
    MalformedCoordinate,
    NoTwin,
    OutOfRange,
    PolarUnsupported,
)
from jingwei.grid.heights import (
    Layer,
    geosot_height,
    geosot_height_string,
    height_of,
    height_ticks,
    parse_geosot_height,
    parse_signed_height,
)
from jingwei.grid.texts import beidou_of, beidou_string, geosot_string

if TYPE_CHECKING:
    from jingwei.grid.areas import Cover, cover

__all__ = [
    "BeidouCell",
    "BeidouSolid",
    "Cell",
    "Cover",
    "GridError",
    "Layer",
    "LevelError",
    "MalformedCode",
    "MalformedCoordinate",
    "NoTwin",
    "OutOfRange",
    "PolarUnsupported",
    "ancestors",
    "area_m2",
    "beidou3d_string",
    "beidou_of",
    "beidou_string",
    "bounds",
    "cell_range",
    "centre",
    "children",
    "common_ancestor",
    "contains",
    "cover",
    "disk",
    "encode",
    "from_stored",
    "geosot_height",
    "geosot_height_string",
    "geosot_string",
    "grid_distance",
    "height_of",
    "height_ticks",
    "neighbour",
    "neighbours",
    "parent",
    "parse",
    "parse_beidou",
    "parse_beidou3d",
    "parse_geosot",
    "parse_geosot_binary",
    "parse_geosot_height",
    "parse_signed_height",
    "ring",
    "size_m",
    "to_stored",
]

_LAZY = {"Cover": "areas", "cover": "areas"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(import_module(f"jingwei.grid.{_LAZY[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
