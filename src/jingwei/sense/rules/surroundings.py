"""Rows of a dataset held by where they are: those in a cell, or within so many metres of a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense.rules.network import scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ALWAYS, NEVER_ENDS = -(1 << 62), 1 << 62
"""Of rows without a beginning or an end."""
KEPT = 100_000
"""Places of which it is kept what is around them."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place that is asked about: a cell, or a point (of level 32) in one.

    Attributes
    ----------
    code, level
        The place itself.
    cell_level
        The level of the cell that is meant by `the same cell`.

    """

    code: int
    level: int
    cell_level: int

    @property
    def shape(self) -> Any:
        """The place in degrees: a point, or the box of a cell."""
        if self.level == MAX_LEVEL:
            return shapely.Point(grid.centre(self.code, MAX_LEVEL))
        return shapely.box(*grid.bounds(self.code, self.level))

    @property
    def cell(self) -> tuple[int, int]:
        """The code and level of the cell that is meant by `the same cell`."""
        return int(grid.parent(self.code, self.level, self.cell_level)), self.cell_level


@dataclass(frozen=True, slots=True)
class Around:
    """The rows around a place, the nearest first; `metres` is None where the same cell was asked for."""

    rows: NDArray[np.int64]
    metres: NDArray[np.float64] | None
    since: NDArray[np.int64] | None
    until: NDArray[np.int64] | None

    def at(self, moment: int) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
        """Return the rows that are valid at a moment, and how far they are."""
        if self.since is None or self.until is None:
            return self.rows, self.metres
        valid = (self.since <= moment) & (moment < self.until)
        return self.rows[valid], None if self.metres is None else self.metres[valid]

    def changes_after(self, moment: int) -> int:
        """Return the first moment after this one at which other rows may be valid."""
        if self.since is None or self.until is None:
            return NEVER_ENDS
        edges = np.concatenate([self.since, self.until])
        later = edges[edges > moment]
        return int(later.min()) if len(later) else NEVER_ENDS


@dataclass(frozen=True, slots=True)
class Placed:
    """Where rows are, one element for each.

    Attributes
    ----------
    shapes
        In degrees; None where a row is only known by a cell.
    codes, levels
        Stored cells and the level that they are true to; level 0 for a row without a place.
    since, until
        From when to when each is valid, UTC microseconds, the end not included; None where not asked.

    """

    shapes: NDArray[Any] | None
    codes: NDArray[np.int64]
    levels: NDArray[np.int8]
    since: NDArray[np.int64] | None = None
    until: NDArray[np.int64] | None = None


class Surroundings:
    """Rows by where they are. Safe to share between threads.

    Parameters
    ----------
    placed
        The rows; those without a place are never found.

    """

    def __init__(self, placed: Placed) -> None:
        self._placed = placed
        self._known: dict[tuple[Spot, float | None], Around] = {}
        if placed.shapes is not None:
            self._shapes, self._breadth = placed.shapes, np.zeros(len(placed.shapes))
        else:
            self._shapes, self._breadth = _middles(placed)
        self._tree = shapely.STRtree(self._shapes)
        self._order = np.argsort(placed.codes, kind="stable")
        self._sorted = placed.codes[self._order]

    def __len__(self) -> int:
        return len(self._shapes)

    def around(self, spot: Spot, metres: float | None) -> Around:
        """Return the rows in the cell of a place, or within so many metres of the place.

        Distances are true to a few parts in a thousand, see `jingwei.sense.rules.network.scale`. A row that
        is only known by a cell is in a cell that holds it whole, and is taken to lie in the middle of its
        own where that is not broader than `metres`; it is left out where it is.
        """
        known = self._known.get((spot, metres))
        if known is None:
            rows, far = self._inside(spot) if metres is None else self._near(spot, metres)
            placed = self._placed
            since = None if placed.since is None else placed.since[rows]
            until = None if placed.until is None else placed.until[rows]
            known = Around(rows, far, since, until)
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[spot, metres] = known
        return known

    def _inside(self, spot: Spot) -> tuple[NDArray[np.int64], None]:
        code, level = spot.cell
        if self._placed.shapes is not None:
            box = shapely.box(*grid.bounds(code, level))
            return np.sort(self._tree.query(box, predicate="intersects")), None
        first, last = grid.cell_range(code, level)
        begin = np.searchsorted(self._sorted, int(first))
        end = np.searchsorted(self._sorted, int(last), side="right")
        rows = self._order[begin:end]
        return np.sort(rows[self._placed.levels[rows] >= level]), None

    def _near(self, spot: Spot, metres: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        shape = spot.shape
        west, south, east, north = shape.bounds
        factors = scale((south + north) / 2)
        lon, lat = metres / factors * 1.01
        found = self._tree.query(shapely.box(west - lon, south - lat, east + lon, north + lat))
        found = found[self._breadth[found] <= metres]
        middle = np.array([(west + east) / 2, (south + north) / 2])

        def flat(points: NDArray[np.float64]) -> NDArray[np.float64]:
            moved: NDArray[np.float64] = (points - middle) * factors
            return moved

        far = shapely.distance(shapely.transform(self._shapes[found], flat), shapely.transform(shape, flat))
        found, far = found[far <= metres], far[far <= metres]
        order = np.lexsort((found, far))
        return found[order], far[order]


def _middles(placed: Placed) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the middles of the cells of rows, and how broad the cells are, metres; points are not."""
    lon, lat = np.full(len(placed.codes), np.nan), np.full(len(placed.codes), np.nan)
    breadth = np.zeros(len(placed.codes))
    codes = np.asarray(grid.from_stored(placed.codes), np.uint64)
    for level in _levels(placed.levels):
        of_level = placed.levels == level
        lon[of_level], lat[of_level] = grid.centre(codes[of_level], level)
        if level < MAX_LEVEL:
            breadth[of_level] = np.max(grid.size_m(codes[of_level], level), axis=0)
    shapes = shapely.points(lon, lat)
    shapes[placed.levels == 0] = None
    return shapes, breadth


def _levels(levels: NDArray[np.int8]) -> Sequence[int]:
    return [one for one in np.unique(levels).tolist() if one > 0]
