"""The cells of which an asker may be told: they follow from where streams are, and are kept nowhere."""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import shapely

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense.cells.functions import COARSEST, FINEST, GEOJSON, SYSTEM
from jingwei.sense.finding import Page
from jingwei.sense.odata.evaluate import holds
from jingwei.sense.odata.syntax import conjuncts, paths_of
from jingwei.sense.rollups.placed import Placed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from jingwei.sense.cells.listing import Row, Value, Work
    from jingwei.sense.odata.options import Query
    from jingwei.sense.rollups import Aggregates, Quantity

ALL = (1 << 64) - 1
FIXED = ("zoneLevel", "system", "encodingType")
"""Properties that all cells of a level have in common."""


class Cells:
    """The cells of levels 0-21 with streams of which an asker may be told something.

    Whatever holds such a cell is one: of each all parents are there.

    Parameters
    ----------
    aggregates
        What the asker may be told.

    """

    def __init__(self, aggregates: Aggregates) -> None:
        self.aggregates = aggregates
        self._zones: dict[tuple[int, int], NDArray[np.uint64]] = {}
        self._codes: dict[int, NDArray[np.uint64]] = {}

    # which there are

    def zones(self, quantity: Quantity, level: int) -> NDArray[np.uint64]:
        """Return the codes of the cells of a level in which something may be told of a quantity, in order."""
        key = quantity.key, level
        if key not in self._zones:
            self._zones[key] = self.aggregates.zones(quantity, level)
        return self._zones[key]

    def codes(self, level: int) -> NDArray[np.uint64]:
        """Return the codes of the cells of a level, in order."""
        if level not in self._codes:
            each = [self.zones(one, level) for one in self.aggregates.quantities]
            self._codes[level] = np.unique(np.concatenate([np.empty(0, np.uint64), *each]))
        return self._codes[level]

    def get(self, zone: str) -> Row | None:
        """Return the cell of a text, None where there is none or the asker may not know of it."""
        try:
            cell = grid.parse(zone)
        except grid.GridError:
            return None
        if cell.geosot != zone or not COARSEST <= cell.level <= FINEST:
            return None
        return self._row_at(int(cell.code), cell.level)

    def parent(self, row: Row) -> Row | None:
        """Return the cell of the next coarser level that holds a cell."""
        level = row["zoneLevel"] - 1
        return None if level < COARSEST else self._row_at(_within(row["code"], level), level)

    def children(self, row: Row) -> list[Row]:
        """Return the cells of the next finer level within a cell, in order of code."""
        level = row["zoneLevel"] + 1
        if level > FINEST:
            return []
        first, last = ends(row)
        codes = self.codes(level)
        low, high = np.searchsorted(codes, np.array([first, last], np.uint64))
        high += int(high < len(codes) and int(codes[high]) == last)
        return rows_of(codes[low:high], level)

    def page(self, query: Query, value: Value, work: Work) -> Page:
        """Return a page of all cells: coarse ones first, those of a level in the order of their codes."""
        from jingwei.sense.cells.listing import listed

        levels = [level for level in range(COARSEST, FINEST + 1) if _may_hold(query, level, value)]
        if query.filter is not None or query.order:
            work.count(sum(len(self.codes(level)) for level in levels))
            return listed(chain.from_iterable(map(self._of_level, levels)), query, value)
        total = sum(len(self.codes(level)) for level in levels)
        rows: list[Row] = []
        skip = query.skip
        for level in levels:
            codes = self.codes(level)
            rows += rows_of(codes[skip : skip + query.size - len(rows)], level)
            skip = max(0, skip - len(codes))
        more = total > query.skip + query.size and query.size > 0
        return Page(rows, more, total if query.count else None)

    def _of_level(self, level: int) -> Iterator[Row]:
        yield from rows_of(self.codes(level), level)

    def _row_at(self, code: int, level: int) -> Row | None:
        codes = self.codes(level)
        at = int(np.searchsorted(codes, np.uint64(code)))
        if at == len(codes) or int(codes[at]) != code:
            return None
        return rows_of(codes[at : at + 1], level)[0]

    # what streams they have

    @cached_property
    def _placed(self) -> Placed:
        """The streams that the asker may read, in order, with the level of the cell of each."""
        each = [self.aggregates.placed(one) for one in self.aggregates.quantities]
        streams = np.concatenate([np.empty(0, np.int64), *(one.streams for one in each)])
        order = np.argsort(streams)
        cells = np.concatenate([np.empty(0, np.uint64), *(one.cells for one in each)])
        levels = np.concatenate([np.empty(0, np.int8), *(one.levels for one in each)])
        return Placed(streams[order], cells[order], np.minimum(levels[order], FINEST))

    def of_stream(self, stream: int) -> Row | None:
        """Return the cell of a Datastream: as fine as its place may be told, but no finer than level 21."""
        placed = self._placed
        at = int(np.searchsorted(placed.streams, stream))
        if at == len(placed.streams) or int(placed.streams[at]) != stream:
            return None
        level = int(placed.levels[at])
        return self._row_at(_within(int(placed.cells[at]), level), level)

    def streams(self, row: Row) -> list[int]:
        """Return the Datastreams whose cell is this one, in order."""
        placed, (first, last) = self._placed, ends(row)
        inside = (placed.cells >= np.uint64(first)) & (placed.cells <= np.uint64(last))
        return [int(one) for one in placed.streams[inside & (placed.levels == row["zoneLevel"])]]


def rows_of(codes: NDArray[np.uint64], level: int) -> list[Row]:
    """Return cells of one level as rows."""
    if not len(codes):
        return []
    texts: list[str] = np.asarray(grid.geosot_string(codes, level)).astype(str).tolist()
    fixed = {"system": SYSTEM, "zoneLevel": level, "encodingType": GEOJSON}
    return [
        {"id": text, "zoneId": text, "code": int(code)} | fixed
        for text, code in zip(texts, codes.tolist(), strict=True)
    ]


def ends(row: Row) -> tuple[int, int]:
    """Return the first and last code of level 32 in a cell."""
    size = 1 << (2 * (MAX_LEVEL - row["zoneLevel"]))
    return row["code"], row["code"] + size - 1


def shape_of(row: Row) -> shapely.Geometry:
    """Return the area of a cell, in degrees (WGS84)."""
    return shapely.box(*grid.parse(row["zoneId"]).bounds)


def _within(code: int, level: int) -> int:
    """Return the code of the cell of a level in which a finer one lies."""
    return code & (ALL ^ ((1 << (2 * (MAX_LEVEL - level))) - 1)) if level else 0


def _may_hold(query: Query, level: int, value: Value) -> bool:
    """Say whether a filter may be true of cells of a level, by what they all have in common."""
    if query.filter is None:
        return True
    row = {"zoneLevel": level, "system": SYSTEM, "encodingType": GEOJSON}
    return all(
        holds(part, lambda path: value(row, path))
        for part in conjuncts(query.filter)
        if all(path.parts[0] in FIXED for path in paths_of(part))
    )
