"""The zones of the two grids as a discrete global grid reference system (OGC 21-038r1) knows them.

A zone is named by its text. Sub-zones come in one order, on which clients of the zone data rely: the children
of a zone in the order of their codes, those of each child in turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import shapely

from jingwei import grid
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.grid import BeidouCell, Cell, Cover, LevelError, PolarUnsupported, beidou, geosot
from jingwei.grid.ellipsoid import area_m2
from jingwei.grid.levels import (
    LON_END,
    MAX_LEVEL,
    POLAR_FIRST_LEVEL,
    POLAR_START,
    SIZE,
    TICKS_PER_DEGREE,
    check_level,
)
from jingwei.grid.polar import BEIDOU_ZONES, GEOSOT_ZONES, zone_code, zone_of
from jingwei.grid.texts import beidou_of, geosot_string
from jingwei.lake import Region
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

MAX_ZONES = 65_536
"""Zones that one answer is worked out from: eight levels of GeoSOT below a zone."""

POLAR = POLAR_START / TICKS_PER_DEGREE
MINUTES = 15
"""The GeoSOT level of one minute, of which all coarser cells of BeiDou are made."""

Bounds = tuple[float, float, float, float]


class TooManyZonesError(BadRequestError):
    """An answer would hold more zones than are worked out at once."""

    code = "too-many-zones"

    def __init__(self, count: float) -> None:
        super().__init__(
            Text(
                f"约有 {count:.0f} 个网格，一次至多 {MAX_ZONES} 个",
                f"There are about {count:.0f} zones; at most {MAX_ZONES} are worked out at once",
            ),
            mend=Text(
                "请用更粗的层级、更小的范围或更浅的深度。",
                "Take a coarser level, a smaller box or less depth.",
            ),
            where={"most": MAX_ZONES},
        )


@dataclass(frozen=True)
class Zone:
    """A zone: its text, its level, and the cell of the grid library that it is."""

    id: str
    level: int
    cell: Cell | BeidouCell

    @cached_property
    def bounds(self) -> Bounds:
        """West, south, east, north in degrees; west > east where it crosses 180 degrees."""
        return self.cell.bounds

    @property
    def centroid(self) -> tuple[float, float]:
        """Longitude and latitude of the middle in degrees."""
        return self.cell.centre

    @property
    def area_m2(self) -> float:
        """True area in m2 on the ellipsoid of CGCS2000."""
        return float(area_m2(*self.bounds))

    @property
    def is_cap(self) -> bool:
        """Whether it goes all the way round a pole."""
        west, south, east, north = self.bounds
        return west == -180 and east == 180 and (south >= POLAR or north <= -POLAR)

    @property
    def outline(self) -> Any:
        """The zone as a shapely area in degrees, cut at 180 degrees."""
        return shapely.union_all([shapely.box(*part) for part in parts_of(self.bounds)])


class System(Protocol):
    """A reference system: a hierarchy of zones and how they are named."""

    id: str
    first: int
    last: int
    default_depth: int
    deepest: int

    def read(self, text: str) -> Zone:
        """Return the zone of a text, or raise the grid's error with the place of the fault."""

    def parent(self, zone: Zone) -> str | None:
        """Return the zone of the level above that holds this one, if there is exactly one."""

    def children(self, zone: Zone) -> list[str]:
        """Return the zones of the level below that make up this one, in order."""

    def neighbours(self, zone: Zone) -> list[str]:
        """Return the zones of the same level that share an edge or a corner."""

    def sub_zones(self, zone: Zone, depth: int) -> list[str]:
        """Return the zones so many levels below, in order."""

    def touching(self, box: Bounds, level: int) -> list[str]:
        """Return the zones of a level that share area with a box in degrees."""

    def compact(self, ids: Sequence[str], level: int) -> list[str]:
        """Return the fewest zones that make up zones of one level, in order."""

    def counted_at(self, level: int) -> int:
        """Return the GeoSOT level by whose cells the zones of a level are counted."""

    def is_counted_whole(self, level: int) -> bool:
        """Say whether each zone of a level is one of the cells by which it is counted."""

    def ids_of(self, codes: NDArray[np.uint64], level: int) -> list[str]:
        """Return the zones of a level that hold cells of `counted_at`."""

    def region(self, zone: Zone) -> Region | None:
        """Return the zone as an exact region of the container; `None` for the whole earth."""

    def integers(self, ids: Sequence[str]) -> NDArray[np.uint64] | None:
        """Return the 64-bit identifiers of zones, or `None` where the system has none."""


def parts_of(box: Bounds) -> list[Bounds]:
    """Return a box in degrees as one or two that do not cross 180 degrees."""
    west, south, east, north = box
    if west <= east:
        return [box]
    return [part for part in ((west, south, 180.0, north), (-180.0, south, east, north)) if part[0] < part[2]]


def share_area(a: Bounds, b: Bounds) -> bool:
    """Say whether two boxes in degrees share more than an edge."""
    return any(
        max(one[0], two[0]) < min(one[2], two[2]) and max(one[1], two[1]) < min(one[3], two[3])
        for one in parts_of(a)
        for two in parts_of(b)
    )


class Geosot:
    """GB/T 40087-2021: levels 0-32, four children or fewer."""

    id = "geosot"
    first, last = 0, MAX_LEVEL
    default_depth, deepest = 3, 8

    def read(self, text: str) -> Zone:
        """Return the zone of a quaternary text or of a BeiDou code of the same cell."""
        cell = grid.parse(text)
        return Zone(cell.geosot, cell.level, cell)

    def parent(self, zone: Zone) -> str | None:
        """See `System`. Polar zones of level 8 lie in many cells of level 7, and have none."""
        cell = _cell(zone)
        try:
            return None if cell.level == 0 else cell.parent().geosot
        except PolarUnsupported:
            return None

    def children(self, zone: Zone) -> list[str]:
        """See `System`; none where the standard defines none."""
        if zone.level == self.last:
            return []
        try:
            return self.sub_zones(zone, 1)
        except PolarUnsupported:
            return []

    def neighbours(self, zone: Zone) -> list[str]:
        """See `System`; none in the polar caps, which have no rows and columns."""
        try:
            return [cell.geosot for cell in _cell(zone).neighbours()]
        except (PolarUnsupported, LevelError):
            return []

    def sub_zones(self, zone: Zone, depth: int) -> list[str]:
        """See `System`.

        Raises
        ------
        TooManyZonesError, LevelError
            It is too deep.
        PolarUnsupported
            The standard defines no cells there.

        """
        if depth == 0:
            return [zone.id]
        if 4**depth > MAX_ZONES:
            raise TooManyZonesError(4.0**depth)
        level = check_level(zone.level + depth)
        return _texts(_descendants(_cell(zone), level), level)

    def touching(self, box: Bounds, level: int) -> list[str]:
        """See `System`; beyond 88 degrees there are polar zones of levels 8-10, and none of finer levels."""
        if level == 0:
            return ["G"]
        _check_count(box, SIZE[level], SIZE[level])
        south, north = box[1], box[3]
        polar: list[int] = []
        if level >= POLAR_FIRST_LEVEL:
            south, north = max(south, -POLAR), min(north, POLAR)
            polar = [
                zone_code(zone, pole)
                for zone in GEOSOT_ZONES
                for pole in (False, True)
                if zone.level == level and share_area((*_pair(zone.longitudes(), zone.latitudes(pole)),), box)
            ]
        codes = np.array(polar, np.uint64)
        if south < north:
            parts = parts_of((box[0], south, box[2], north))
            ordinary = [grid.cover(part, level=level).cells_at(level) for part in parts]
            codes = np.unique(np.concatenate([codes, *ordinary]))
        return _texts(np.sort(codes), level)

    def compact(self, ids: Sequence[str], level: int) -> list[str]:
        """See `System`."""
        if level == 0 or not ids:
            return list(ids)
        codes = self._codes(ids)[0]
        is_polar = np.array([zone_of(int(code), level) is not None for code in codes])
        found = _polar_compacted({int(code) for code in codes[is_polar]}, level)
        if not is_polar.all():
            pairs = Cover.of_cells(codes[~is_polar], level).cells()
            cells = [(int(code), int(at)) for code, at in zip(*pairs, strict=True)]
            found += _without_caps(cells) if level >= POLAR_FIRST_LEVEL else cells
        if [at for _, at in found] == [1, 1, 1, 1]:
            return ["G"]
        return [grid.geosot_string(code, at) for code, at in sorted(found)]

    def counted_at(self, level: int) -> int:
        """See `System`: its own, and quadrants for the whole earth."""
        return max(1, level)

    def is_counted_whole(self, level: int) -> bool:
        """See `System`."""
        return level > 0

    def ids_of(self, codes: NDArray[np.uint64], level: int) -> list[str]:
        """See `System`."""
        return ["G"] * len(codes) if level == 0 else _texts(codes, level)

    def region(self, zone: Zone) -> Region | None:
        """See `System`."""
        cell = _cell(zone)
        if cell.level == 0:
            return None
        return _region(np.array([cell.range], np.int64))

    def integers(self, ids: Sequence[str]) -> NDArray[np.uint64]:
        """Return the code with a one after its last bit, which tells the level.

        Where that has no room: at level 32 the highest bit of the latitude's degrees, bit 61, which no code
        has, is set; at level 1, whose mark would be that bit, the lowest bit is set.
        """
        codes, levels = self._codes(ids)
        mark = np.where(levels == 32, 61, np.where(levels == 1, 0, 63 - 2 * levels)).astype(np.uint64)
        return codes | (np.uint64(1) << mark)

    def _codes(self, ids: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        cells = [grid.parse_geosot(text) for text in ids]
        return (
            np.array([cell.code for cell in cells], np.uint64),
            np.array([cell.level for cell in cells], np.int64),
        )


class Beidou:
    """GB/T 39409-2020, clause 5: levels 1-10, each with a split of its own."""

    id = "beidou"
    first, last = 1, beidou.LAST_LEVEL
    default_depth, deepest = 1, 3

    def read(self, text: str) -> Zone:
        """Return the zone of a BeiDou code of levels 1-10."""
        cell = grid.parse_beidou(text)
        check_level(cell.level, self.first, self.last)
        return Zone(cell.text, cell.level, cell)

    def parent(self, zone: Zone) -> str | None:
        """See `System`."""
        return None if zone.level == self.first else zone.id[: beidou.LENGTH[zone.level - 1]]

    def children(self, zone: Zone) -> list[str]:
        """See `System`; none where the standard defines none."""
        if zone.level == self.last:
            return []
        try:
            return [cell.text for cell in _beidou(zone).children()]
        except PolarUnsupported:
            return []

    def neighbours(self, zone: Zone) -> list[str]:
        """See `System`."""
        return [cell.text for cell in _beidou(zone).neighbours()]

    def sub_zones(self, zone: Zone, depth: int) -> list[str]:
        """See `System`, and `Geosot.sub_zones` for the errors."""
        last = check_level(zone.level + depth, self.first, self.last)
        count = 1
        for level in range(zone.level + 1, last + 1):
            count *= beidou.COLUMNS[level] * beidou.ROWS_PER_PARENT[level]
        if count > MAX_ZONES:
            raise TooManyZonesError(count)
        found = [zone.id]
        for level in range(zone.level + 1, last + 1):
            if zone.id[1:4] == "000" or not found:
                found = [child.text for text in found for child in grid.parse_beidou(text).children()]
            else:
                endings = _endings(level)
                found = [text + ending for text in found for ending in endings]
        return found

    def touching(self, box: Bounds, level: int) -> list[str]:
        """See `System`; beyond 88 degrees there are polar zones of levels 1 and 2, and none of finer ones."""
        width, height = beidou.WIDTH[level], beidou.HEIGHT[level]
        _check_count(box, width, height)
        found = set()
        for west, south, east, north in parts_of(box):
            low, high = (max(min(edge, POLAR), -POLAR) for edge in (south, north))
            rows = _steps(low, high, height)
            columns = _steps(west, east, width)
            found |= {
                beidou.text_of_ticks(column < 0, _near(column) * width, row < 0, _near(row) * height, level)
                for row in rows
                for column in columns
            }
        polar = [
            f"{pole}000{zone.digits}"
            for zone in BEIDOU_ZONES
            for pole in "NS"
            if zone.level == level
            and share_area((*_pair(zone.longitudes(), zone.latitudes(pole == "S")),), box)
        ]
        return sorted([*found, *polar])

    def compact(self, ids: Sequence[str], level: int) -> list[str]:
        """See `System`."""
        done: list[str] = []
        here = sorted(ids)
        for at in range(level, self.first, -1):
            families: dict[str, list[str]] = {}
            for text in here:
                families.setdefault(text[: beidou.LENGTH[at - 1]], []).append(text)
            here = []
            for parent, members in families.items():
                whole = len(members) == self._children_of(parent, at)
                here += [parent] if whole else []
                done += [] if whole else members
        return sorted([*done, *here])

    def _children_of(self, parent: str, level: int) -> int:
        if parent[1:4] == "000":
            return sum(zone.level == level for zone in BEIDOU_ZONES)
        return beidou.COLUMNS[level] * beidou.ROWS_PER_PARENT[level]

    def counted_at(self, level: int) -> int:
        """See `System`: the equal level of GeoSOT, and minutes for the levels that have none."""
        return beidou.TWIN_LEVEL.get(level, MINUTES)

    def is_counted_whole(self, level: int) -> bool:
        """See `System`."""
        return level in beidou.TWIN_LEVEL

    def ids_of(self, codes: NDArray[np.uint64], level: int) -> list[str]:
        """See `System`."""
        if not len(codes):
            return []
        texts: list[str] = beidou_of(codes, self.counted_at(level)).astype(str).tolist()
        return [text[: beidou.LENGTH[level]] for text in texts]

    def region(self, zone: Zone) -> Region | None:
        """See `System`. The polar zones hold no cells of a minute, and no facts."""
        cell = _beidou(zone)
        if cell.level in beidou.TWIN_LEVEL:
            return _region(np.array([grid.cell_range(cell.code, self.counted_at(cell.level))], np.int64))
        if zone.id[1:4] == "000":
            return _region(np.empty((0, 2), np.int64))
        return _region(np.asarray(grid.cover(cell.bounds, level=MINUTES, rule="within").ranges, np.int64))

    def integers(self, ids: Sequence[str]) -> None:
        """Return `None`: the standard has no 64-bit identifiers."""


SYSTEMS: dict[str, System] = {system.id: system for system in (Geosot(), Beidou())}


def system_of(name: str) -> System:
    """Return a reference system by its identifier.

    Raises
    ------
    NotFoundError
        There is none of this name.

    """
    found = SYSTEMS.get(name)
    if found is None:
        raise NotFoundError(
            Text(f"没有网格参考系“{name}”", f"There is no reference system '{name}'"),
            mend=Text(f"可选：{'、'.join(SYSTEMS)}。", f"Known are: {', '.join(SYSTEMS)}."),
            where={"system": name},
        )
    return found


def in_parent(system: System, parent: Zone, level: int, ids: Iterable[str]) -> list[str]:
    """Return those of the zones of a level that lie within a parent, in its order."""
    if level < parent.level:
        raise LevelError(f"level {level} is coarser than level {parent.level} of the zone {parent.id}")
    held = set(ids)
    return [one for one in system.sub_zones(parent, level - parent.level) if one in held]


def _cell(zone: Zone) -> Cell:
    assert isinstance(zone.cell, Cell)  # noqa: S101 - zones of GeoSOT are cells of GeoSOT
    return zone.cell


def _beidou(zone: Zone) -> BeidouCell:
    assert isinstance(zone.cell, BeidouCell)  # noqa: S101
    return zone.cell


def _descendants(cell: Cell, level: int) -> NDArray[np.uint64]:
    """Return what `grid.children` returns, for many at a time where no polar zones are among them."""
    _, south, _, north = cell.bounds
    if zone_of(cell.code, cell.level) or (level >= POLAR_FIRST_LEVEL and (north > POLAR or south < -POLAR)):
        return grid.children(cell.code, cell.level, level)
    found = np.array([cell.code], np.uint64)
    for at in range(cell.level + 1, level + 1):
        digits = np.arange(4, dtype=np.uint64) << np.uint64(64 - 2 * at)
        found = (found[:, None] | digits[None, :]).ravel()
        *_, bad = grid.bounds(found, at, errors="mask")
        found = found[~bad]
    return found


def _polar_compacted(codes: set[int], level: int) -> list[tuple[int, int]]:
    """Return the fewest polar zones that make up those of one level; their codes share no prefix."""
    done: list[tuple[int, int]] = []
    while codes and level > POLAR_FIRST_LEVEL:
        upper = {geosot.parent_of(code, level, level - 1) for code in codes}
        whole = {code for code in upper if codes.issuperset(geosot.children_of(code, level - 1))}
        done += [(code, level) for code in codes if geosot.parent_of(code, level, level - 1) not in whole]
        codes, level = whole, level - 1
    return [*done, *((code, level) for code in codes)]


def _without_caps(cells: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return cells with those that reach beyond 88 degrees parted: the zones there are not theirs."""
    kept = []
    for code, level in cells:
        _, south, _, north = geosot.bounds_in_degrees(code, level)
        if north <= POLAR and south >= -POLAR:
            kept.append((code, level))
        elif south < POLAR and north > -POLAR:
            kept += _without_caps([(child, level + 1) for child in geosot.children_of(code, level)])
    return kept


def _texts(codes: NDArray[np.uint64], level: int) -> list[str]:
    if not len(codes):
        return []
    texts: list[str] = geosot_string(codes, level).astype(str).tolist()
    return texts


def _region(ranges: NDArray[np.int64]) -> Region:
    return Region(ranges, (), shapely.Polygon(), exact=True)


def _pair(lon: tuple[float, float], lat: tuple[float, float]) -> Bounds:
    return lon[0], lat[0], lon[1], lat[1]


def _check_count(box: Bounds, width: int, height: int) -> None:
    count = 0.0
    for west, south, east, north in parts_of(box):
        columns = (east - west) * TICKS_PER_DEGREE / width + 2
        count += columns * ((north - south) * TICKS_PER_DEGREE / height + 2)
    if count > 2 * MAX_ZONES:
        raise TooManyZonesError(count)


def _steps(low: float, high: float, size: int) -> range:
    """Return the signed numbers of the rows or columns that share more than an edge with a span."""
    if low >= high:
        return range(0)
    snap = 1e-6
    first = floor((low * TICKS_PER_DEGREE + snap) / size)
    last = ceil((high * TICKS_PER_DEGREE - snap) / size)
    half = LON_END // size
    return range(max(first, -half), min(last, half))


def _near(step: int) -> int:
    return step if step >= 0 else -step - 1


def _endings(level: int) -> list[str]:
    """Return what a code of the level above goes on with, in the order of the standard."""
    columns, rows = beidou.COLUMNS[level], beidou.ROWS_PER_PARENT[level]
    if level in beidou.ONE_DIGIT:
        return [beidou.HEX[index] for index in range(columns * rows)]
    return [beidou.HEX[a] + beidou.HEX[b] for a in range(columns) for b in range(rows)]
