"""Areas as cells: a cover is a sorted list of disjoint ranges of stored codes, with an algebra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from jingwei.grid import codes, ellipsoid, geosot, ranges
from jingwei.grid.arrays import Bools, Codes, codes_of, is_scalar
from jingwei.grid.errors import LevelError, MalformedCoordinate, OutOfRange, PolarUnsupported
from jingwei.grid.levels import MAX_LEVEL, POLAR_FIRST_LEVEL, SIZE, TICKS_PER_DEGREE, check_level

Rule = Literal["intersects", "within", "centre"]
Ranges = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cover:
    """A set of cells, held as sorted disjoint ranges of stored codes.

    Attributes
    ----------
    ranges : int64 array of shape (n, 2)
        First and last stored code of each range, both inclusive, ascending; no two touch.
    """

    ranges: Ranges

    @classmethod
    def of_ranges(cls, pairs: Any) -> Cover:
        """Return the cover of any ranges of stored codes, sorted and joined."""
        return cls(ranges.normalise(np.asarray(pairs, dtype=np.int64).reshape(-1, 2)))

    @classmethod
    def of_cells(cls, code: Any, level: Any) -> Cover:
        """Return the cover of cells given as codes (in either form) and one level or one each."""
        unsigned, _, _ = codes_of(np.atleast_1d(code) if is_scalar(code) else code)
        levels = np.broadcast_to(np.asarray(level, dtype=np.int64), unsigned.shape)
        if levels.size and (levels.min() < 1 or levels.max() > MAX_LEVEL):
            raise LevelError("the cells of a cover have levels 1-32")
        masks = np.array([geosot.level_mask(i) for i in range(MAX_LEVEL + 1)], dtype=np.uint64)[levels]
        low = unsigned & masks
        return cls.of_ranges(np.column_stack((low.view(np.int64), (low | ~masks).view(np.int64))))

    def cells(self) -> tuple[Codes, NDArray[np.uint8]]:
        """Return the fewest cells that make up the cover: unsigned codes and levels, in stored order."""
        return ranges.cells_of(self.ranges)

    def contains(self, code: Any) -> Any:
        """Say whether each code (of a point, or the anchor of a cell) lies in the cover."""
        if is_scalar(code):
            return bool(ranges.contains(self.ranges, np.array([geosot.stored(geosot.unsigned(code))]))[0])
        unsigned, nulls, _ = codes_of(code)
        inside: Bools = ranges.contains(self.ranges, unsigned.view(np.int64))
        return inside if nulls is None else inside & ~nulls

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
        """Return the cover dissolved to a polygon or multipolygon in degrees, CGCS2000."""
        west, south, east, north = self._bounds()
        return shapely.union_all(shapely.box(west, south, east, north))


def cover(
    area: Any,
    *,
    level: int | None = None,
    max_cells: int | None = None,
    error_m: float | None = None,
    rule: Rule = "intersects",
) -> Cover:
    """Return the cells of an area, a line or points.

    Parameters
    ----------
    area : geometry or bounding box
        A Shapely geometry, WKB, WKT, GeoJSON mapping, or (west, south, east, north), in degrees on
        WGS84/CGCS2000.
        A box with west > east crosses 180 degrees; so does a geometry with longitudes beyond 180.
    level : int, optional
        The level of the cells, 1 to 32.
    max_cells : int, optional
        Instead of a level: the finest level whose cover has no more cells (mixed, the fewest).
    error_m : float, optional
        Instead of a level: the coarsest level whose cells have a diagonal of at most so many metres.
    rule : {"intersects", "within", "centre"}
        Cells that share area with the geometry (own a point of it, for lines and points), that lie
        wholly in it, or whose middle lies in it.

    Raises
    ------
    LevelError
        Not exactly one of `level`, `max_cells` and `error_m` is given.
    PolarUnsupported
        The geometry reaches 88 degrees of latitude with cells finer than level 7.
    """
    geometry = _geometry(area)
    if sum(value is not None for value in (level, max_cells, error_m)) != 1:
        raise LevelError("give one of level, max_cells and error_m")
    if rule not in ("intersects", "within", "centre"):
        raise ValueError(f"rule is 'intersects', 'within' or 'centre', not {rule!r}")
    if error_m is not None:
        level = _level_for(geometry, error_m)
    if level is not None:
        return _cover_at(geometry, check_level(level, 1), rule)
    best = None
    for finer in range(1, MAX_LEVEL + 1):
        found = _cover_at(geometry, finer, rule)
        if best is not None and len(found.cells()[0]) > (max_cells or 0):
            break
        best = found
    assert best is not None  # noqa: S101 - the loop always runs
    return best


def _geometry(area: Any) -> BaseGeometry:
    if isinstance(area, BaseGeometry):
        return area
    if isinstance(area, bytes):
        return shapely.from_wkb(area)
    if isinstance(area, str):
        return shapely.from_wkt(area)
    if isinstance(area, Mapping):
        return shapely.geometry.shape(area)
    west, south, east, north = (float(v) for v in area)
    if not (south <= north and np.isfinite([west, south, east, north]).all()):
        raise MalformedCoordinate(
            "a bounding box is west, south, east, north in degrees, with south <= north"
        )
    return shapely.box(west, south, east + 360 if east < west else east, north)


def _level_for(geometry: BaseGeometry, error_m: float) -> int:
    _, south, _, north = geometry.bounds
    nearest_equator = 0.0 if south <= 0 <= north else min(abs(south), abs(north))
    for level in range(1, MAX_LEVEL + 1):
        size = min(SIZE[level] / TICKS_PER_DEGREE, 90.0)
        width, height = ellipsoid.size_m(0.0, nearest_equator, size, nearest_equator)[0], size * 111_695.0
        if np.hypot(width, height) <= error_m:
            return level
    raise OutOfRange(f"the finest cells are wider than {error_m} m")


def _cover_at(geometry: BaseGeometry, level: int, rule: Rule) -> Cover:
    if geometry.is_empty:
        return Cover(ranges.EMPTY)
    _, south, _, north = geometry.bounds
    if max(north, -south) > 88 and level >= POLAR_FIRST_LEVEL:
        raise PolarUnsupported(
            "the geometry reaches beyond 88 degrees of latitude: cut it there, or use level 7"
        )
    if max(north, -south) > 90:
        raise OutOfRange("the geometry reaches beyond 90 degrees of latitude")
    found = [_descend(piece, level, rule) for piece in _wrapped(geometry)]
    return Cover(ranges.normalise(np.concatenate(found))) if found else Cover(ranges.EMPTY)


def _wrapped(geometry: BaseGeometry) -> list[BaseGeometry]:
    west, _, east, _ = geometry.bounds
    if west >= -180 and east <= 180:
        return [geometry]
    if west < -540 or east > 540:
        raise OutOfRange("longitudes of a geometry lie between -540 and 540 degrees")
    pieces = []
    for turn in (-360, 0, 360):
        window = shapely.intersection(geometry, shapely.box(-180 + turn, -90, 180 + turn, 90))
        if not window.is_empty:
            pieces.append(shapely.transform(window, lambda xy, turn=turn: xy - [turn, 0]))
    return pieces


def _descend(geometry: BaseGeometry, level: int, rule: Rule) -> Ranges:
    shapely.prepare(geometry)
    areal = geometry.area > 0
    frontier = np.arange(4, dtype=np.uint64) << np.uint64(62)
    found = [ranges.EMPTY]
    for at in range(1, level + 1):
        west, south, east, north, bad = codes.bounds(frontier, at, errors="mask")
        keep = ~bad
        frontier = frontier[keep]
        boxes = shapely.box(west[keep], south[keep], east[keep], north[keep])
        inside = shapely.covers(geometry, boxes)
        found.append(Cover.of_cells(frontier[inside], at).ranges)
        touched = shapely.intersects(geometry, boxes) & ~inside
        if areal:
            touched[touched] = ~shapely.touches(geometry, boxes[touched])
        frontier, boxes = frontier[touched], boxes[touched]
        if at < level:
            step = np.arange(4, dtype=np.uint64) << np.uint64(62 - 2 * at)
            frontier = (frontier[:, None] + step).ravel()
    if rule == "centre":
        lon, lat = codes.centre(frontier, level)
        frontier = frontier[shapely.intersects_xy(geometry, lon, lat)]
    if rule != "within":
        found.append(Cover.of_cells(frontier, level).ranges)
    return ranges.normalise(np.concatenate(found))
