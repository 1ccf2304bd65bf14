"""Areas as cells: a cover is a sorted list of disjoint ranges of stored codes, with an algebra."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from jingwei.grid import codes, ellipsoid, geosot, ranges
from jingwei.grid.arrays import Bools, Codes, codes_of, is_scalar, some_codes
from jingwei.grid.errors import LevelError, OutOfRange
from jingwei.grid.filling import Rule, ranges_of, rows_passed
from jingwei.grid.levels import MAX_LEVEL, SIZE, TICKS_PER_DEGREE, check_level
from jingwei.grid.outline import Crossing, geometry_of, pieces_of
from jingwei.grid.ranges import Ranges

METRES_PER_DEGREE = 111_695.0
"""A little more than the longest degree of a meridian on CGCS2000, which is at the poles."""

MOST_MET = 9
"""Cells at most that a piece no larger than a whole one meets: clipped ones lie between whole ones."""

MOST_TRIED = 100_000
"""Rows that the edges of an area may pass, besides four to a cell, at a level that is only tried."""

_SLOTS = 1 << 16


@dataclass(frozen=True, eq=False)
class Cover:
    """A set of cells, held as sorted disjoint ranges of stored codes.

    Equal sets of places have equal ranges: the ranges are those of the fewest cells, joined.

    Attributes
    ----------
    ranges : int64 array of shape (n, 2)
        First and last stored code of each range, both inclusive, ascending; no two touch.
    """

    ranges: Ranges

    @classmethod
    def of_ranges(cls, pairs: Any) -> Cover:
        """Return the cover of any ranges of stored codes, sorted and joined."""
        return cls(ranges.canonical(np.asarray(pairs, dtype=np.int64).reshape(-1, 2)))

    @classmethod
    def of_cells(cls, code: Any, level: Any) -> Cover:
        """Return the cover of cells given as codes (in either form) and one level, or one each.

        Raises
        ------
        LevelError
            A level is not 1 to 32.
        """
        unsigned = some_codes(np.array([geosot.unsigned(code)], np.uint64) if is_scalar(code) else code)
        levels = np.broadcast_to(np.asarray(level, dtype=np.int64), unsigned.shape)
        if levels.size and (levels.min() < 1 or levels.max() > MAX_LEVEL):
            raise LevelError("the cells of a cover have levels 1-32")
        masks = np.array([geosot.level_mask(i) for i in range(MAX_LEVEL + 1)], dtype=np.uint64)[levels]
        low = unsigned & masks
        return cls.of_ranges(np.column_stack((low.view(np.int64), (low | ~masks).view(np.int64))))

    def cells(self) -> tuple[Codes, NDArray[np.uint8]]:
        """Return the fewest cells that make up the cover: unsigned codes and levels, in stored order."""
        return ranges.cells_of(self.ranges)

    def cells_at(self, level: int) -> Codes:
        """Return the unsigned codes of all cells of one level in the cover, in stored order.

        Raises
        ------
        LevelError
            The cover has cells finer than the level.
        """
        level = check_level(level, 1)
        block = np.int64((1 << (64 - 2 * level)) - 1)
        if ((self.ranges[:, 0] & block) != 0).any() or ((self.ranges[:, 1] & block) != block).any():
            raise LevelError(f"the cover has cells finer than level {level}")
        _refuse_too_many(self.ranges, level)
        return ranges.cells_at(self.ranges, level)

    def contains(self, code: Any) -> Any:
        """Say whether each code (of a point, or the anchor of a cell) lies in the cover."""
        if is_scalar(code):
            return bool(self._contains(np.array([geosot.unsigned(code)], dtype=np.uint64))[0])
        unsigned, nulls, _ = codes_of(code)
        inside = self._contains(unsigned.ravel()).reshape(unsigned.shape)
        return inside if nulls is None else inside & ~nulls

    def _contains(self, unsigned: Codes) -> Bools:
        from jingwei.grid import kernels_cover

        inside = np.zeros(unsigned.shape, dtype=bool)
        if len(self.ranges):
            kernels_cover.contains(unsigned, *self._index, inside)
        return inside

    @cached_property
    def _index(self) -> tuple[Codes, Codes, np.uint64, NDArray[np.int64]]:
        """Ranges in unsigned order, and how many of them begin before the end of each slot of high bits."""
        from jingwei.grid import kernels_cover

        pairs = np.column_stack(ranges.split_at_zero(self.ranges))
        pairs = pairs[np.argsort(pairs[:, 0])]
        low, high = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
        shift = max(0, (int(high[-1]) - int(low[0])).bit_length() - _SLOTS.bit_length() + 1)
        slots = (int(high[-1]) >> shift) - (int(low[0]) >> shift) + 1
        table = np.empty(slots, dtype=np.int64)
        kernels_cover.index_table(low, np.uint64(shift), table)
        return low, high, np.uint64(shift), table

    def union(self, other: Cover) -> Cover:
        """Return what is in this cover or the other."""
        return Cover(ranges.union(self.ranges, other.ranges))

    def intersection(self, other: Cover) -> Cover:
        """Return what is in both covers."""
        return Cover(ranges.intersection(self.ranges, other.ranges))

    def difference(self, other: Cover) -> Cover:
        """Return what is in this cover and not in the other."""
        return Cover(ranges.difference(self.ranges, other.ranges))

    __or__ = union
    __and__ = intersection
    __sub__ = difference

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cover) and np.array_equal(self.ranges, other.ranges)

    def __hash__(self) -> int:
        return hash(self.ranges.tobytes())

    def __len__(self) -> int:
        return len(self.ranges)

    @property
    def area_m2(self) -> float:
        """True area in m2 on CGCS2000."""
        return float(np.sum(ellipsoid.area_m2(*self._bounds())))

    def _bounds(self) -> tuple[NDArray[np.float64], ...]:
        code, level = self.cells()
        edges = tuple(np.empty(len(code)) for _ in range(4))
        for one in np.unique(level):
            here = level == one
            for edge, values in zip(edges, codes.bounds(code[here], int(one)), strict=True):
                edge[here] = values
        return edges

    def to_geometry(self) -> BaseGeometry:
        """Return the cover dissolved to polygons in degrees, CGCS2000, cut at 180 degrees."""
        west, south, east, north = self._bounds()
        over = west > east
        boxes = [shapely.box(west, south, np.where(over, 180.0, east), north)]
        if over.any():
            boxes.append(shapely.box(-180.0, south[over], east[over], north[over]))
        return shapely.union_all(np.concatenate(boxes))


def cover(
    area: Any,
    *,
    level: int | None = None,
    max_cells: int | None = None,
    error_m: float | None = None,
    rule: Rule = "intersects",
    crossing: Crossing = "short",
) -> Cover:
    """Return the cells of an area, a line or points.

    Parameters
    ----------
    area : geometry or bounding box
        A Shapely geometry, WKB, WKT, GeoJSON, or (west, south, east, north), in degrees on WGS84/CGCS2000. A
        box with west > east crosses 180 degrees; so does a geometry with longitudes beyond 180. Coordinates
        within 1e-6 tick (15 nm) of a tick are taken to be on it.
    level : int, optional
        The level of the cells, 1 to 32.
    max_cells : int, optional
        Instead of a level: the finest level whose cover has at most so many cells, mixed and the fewest.
        Level 1 where even that has more. Levels at which the edges pass hundreds of rows to a cell, and
        more than a hundred thousand, are not tried.
    error_m : float, optional
        Instead of a level: the coarsest level whose cells have a diagonal of at most so many metres, so that
        no place in the cover is farther than this from the geometry.
    rule : {"intersects", "within", "centre"}
        Cells that share area with an area (or own a point of a line or point), that lie wholly in it, or
        whose middle lies in it or on its border. Lines and points have no cells within and no middles.
    crossing : {"short", "planar"}
        How an edge over more than 180 degrees of longitude runs: the short way over the 180th meridian, or as
        it is drawn on a plane. (An edge over exactly 360 degrees is a whole parallel.)

    Raises
    ------
    LevelError
        Not exactly one of `level`, `max_cells` and `error_m` is given.
    PolarUnsupported
        The geometry reaches 88 degrees of latitude with cells finer than level 7.
    MalformedCoordinate, OutOfRange
        The geometry cannot be read, or leaves the earth.
    """
    if sum(value is not None for value in (level, max_cells, error_m)) != 1:
        raise LevelError("give one of level, max_cells and error_m")
    if rule not in ("intersects", "within", "centre"):
        raise ValueError(f"rule is 'intersects', 'within' or 'centre', not {rule!r}")
    geometry = geometry_of(area)
    if geometry.is_empty:
        return Cover(ranges.EMPTY)
    pieces = list(pieces_of(geometry, crossing))
    if max_cells is not None:
        return _cover_of_number(pieces, max_cells, rule)
    chosen = check_level(level, 1) if level is not None else _level_for(geometry, error_m or 0.0)
    return _cover_at(pieces, chosen, rule)


def _refuse_too_many(pairs: Ranges, level: int) -> None:
    """Raise `LevelError` if ranges hold more cells of a level, pads counted, than can be listed."""
    from jingwei.grid.kernels_cover import MOST_CELLS

    low, high = ranges.split_at_zero(pairs)
    count = float(np.sum((high - low) / float(1 << (64 - 2 * level))))
    if count > 2 * MOST_CELLS:
        raise LevelError(f"the cover has about {count:.0f} cells of level {level}, too many to list")


def _cover_at(pieces: list[BaseGeometry], level: int, rule: Rule) -> Cover:
    found = [ranges_of(piece, level, rule) for piece in pieces]
    if len(found) == 1:
        return Cover(found[0])
    return Cover(ranges.canonical(np.concatenate(found)))


def _cover_of_number(pieces: list[BaseGeometry], max_cells: int, rule: Rule) -> Cover:
    if max_cells < 1:
        raise OutOfRange(f"max_cells is 1 or more, not {max_cells}")
    first = _first_worth_trying(pieces, max_cells)
    best = _cover_at(pieces, first, rule)
    most_rows = MOST_TRIED + 4 * max_cells
    for level in range(first + 1, MAX_LEVEL + 1):
        if sum(rows_passed(piece, level) for piece in pieces) > most_rows:
            break
        finer = _cover_at(pieces, level, rule)
        if len(finer.cells()[0]) > max_cells:
            break
        if finer == best and _is_made_of_cells(pieces, level):
            break
        best = finer
    return best


def _is_made_of_cells(pieces: list[BaseGeometry], level: int) -> bool:
    """Say whether the border runs along cells of a level, so that no finer level follows it any closer."""
    return _cover_at(pieces, level, "intersects") == _cover_at(pieces, level, "within")


def _first_worth_trying(pieces: list[BaseGeometry], max_cells: int) -> int:
    """Return the finest level whose cells are as large as each piece, as that many are surely enough."""
    if max_cells < MOST_MET * len(pieces):
        return 1
    extent = 0.0
    for west, south, east, north in (piece.bounds for piece in pieces):
        extent = max(extent, east - west, north - south)
    return max(1, sum(SIZE[level] / TICKS_PER_DEGREE >= extent for level in range(1, MAX_LEVEL + 1)))


def _level_for(geometry: BaseGeometry, error_m: float) -> int:
    """Return the coarsest level whose cells, where they are widest, have a diagonal of at most `error_m`."""
    _, south, _, north = geometry.bounds
    nearest_equator = 0.0 if south <= 0 <= north else min(abs(south), abs(north))
    for level in range(1, MAX_LEVEL + 1):
        size = min(SIZE[level] / TICKS_PER_DEGREE, 90.0)
        # A cell that holds the southernmost point may begin a whole cell nearer to the equator.
        width, _ = ellipsoid.size_m(0.0, 0.0, size, 2 * max(0.0, nearest_equator - size))
        if np.hypot(width, size * METRES_PER_DEGREE) <= error_m:
            return level
    raise OutOfRange(f"no cells are as small as {error_m} m; those of level 32 measure 0.015 m")
