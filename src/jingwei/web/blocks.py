"""Density by cell for a view, kept in blocks so that a pan asks only for what is new.

A block is a cell some levels coarser than those that are counted: its descendants are one range of codes,
so a block is asked with one comparison, and all readers of one scope share it.
"""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely

from jingwei import grid
from jingwei.errors import BadRequestError
from jingwei.grid.adjacency import code_at, column_and_row
from jingwei.lake import Region
from jingwei.records.recent import Recent
from jingwei.web.answers import Packed, stream_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.access import Asker
    from jingwei.lake import Lake, Version
    from jingwei.lake.views import View

BLOCK = 5
"""Levels between a block and its cells: at most 32 by 32 cells."""

MAX_BLOCKS = 96
BLOCKS_KEPT = 8_192
STREAMS_KEPT = 1_024
COUNTED_WHOLE = 2_000_000
"""Facts up to which a whole dataset is counted at once: that takes some ten milliseconds."""

SCHEMA = pa.schema(
    [
        ("cell", pa.int64()),
        ("west", pa.int32()),
        ("south", pa.int32()),
        ("east", pa.int32()),
        ("north", pa.int32()),
        ("n", pa.int32()),
        ("area_m2", pa.float32()),
    ]
)
"""Edges travel as whole numbers of 1e-7 degree (about 1 cm), which a browser takes without conversion."""

E7 = 10_000_000
Bounds = tuple[float, float, float, float]


class TooManyCellsError(BadRequestError):
    """The level is too fine for the box."""

    code = "too-many-cells"


class Blocks:
    """The densities of a city, by block."""

    def __init__(self, lake: Lake, bounds: Bounds | None) -> None:
        self.lake = lake
        self.bounds = bounds
        self._kept: Recent[tuple[object, ...], pa.Table] = Recent(BLOCKS_KEPT)
        self._streams: Recent[tuple[object, ...], Packed] = Recent(STREAMS_KEPT)
        self._mutex = threading.Lock()
        self._counting: dict[tuple[object, ...], tuple[threading.Lock, int]] = {}

    def kept_stream(
        self,
        view: View,
        version: Version,
        level: int,
        box: Bounds | None,
        *,
        role: str | None = None,
        period: tuple[int, int] | None = None,
        where: str | None = None,
    ) -> Packed | None:
        """Return the Arrow stream of `density` where one was made of the same blocks, else `None`."""
        wanted = _common(version.content.bounds or self.bounds, box)
        span = wanted and _span(wanted, level)
        return self._streams.get((view.key, role, level, period, where, span))

    def stream(
        self,
        asker: Asker,
        view: View,
        version: Version,
        level: int,
        box: Bounds | None,
        *,
        role: str | None = None,
        period: tuple[int, int] | None = None,
        where: str | None = None,
    ) -> Packed:
        """Return `density` as an Arrow stream, and keep it."""
        table = self.density(asker, view, version, level, box, role=role, period=period, where=where)
        wanted = _common(version.content.bounds or self.bounds, box)
        span = wanted and _span(wanted, level)
        packed = Packed.of(stream_of(table.combine_chunks()))
        return self._streams.put((view.key, role, level, period, where, span), packed)

    def density(
        self,
        asker: Asker,
        view: View,
        version: Version,
        level: int,
        box: Bounds | None,
        *,
        role: str | None = None,
        period: tuple[int, int] | None = None,
        where: str | None = None,
    ) -> pa.Table:
        """Return the cells of `level` that hold facts in the blocks that `box` touches; see `SCHEMA`.

        What is kept is kept under what the asker may see: a right that ends finds nothing that was kept.

        Raises
        ------
        TooManyCellsError
            The box would take more than `MAX_BLOCKS` blocks.

        """
        wanted = _common(version.content.bounds or self.bounds, box)
        if wanted is None:
            return SCHEMA.empty_table()
        blocks = blocks_of(wanted, level)
        question = (view.key, role, level, period, where)

        def held() -> list[pa.Table | None]:
            return [self._kept.get((*question, block)) for block, _ in blocks]

        found = held()
        if None in found:
            with self._one_at_a_time(question):
                found = held()
                if None in found:
                    asked: dict[str, Any] = {"role": role, "period": period, "where": where}
                    worth = self._worth_counting(version, blocks, level)
                    counted = self._count(asker, version, level, worth, question, asked)
                    found = [
                        counted[block] if part is None else part
                        for part, (block, _) in zip(found, blocks, strict=True)
                    ]
        return pa.concat_tables(found)

    def _worth_counting(
        self, version: Version, blocks: list[tuple[int, int]], level: int
    ) -> list[tuple[int, int]]:
        """Return the blocks to count now: all of a dataset that is soon counted."""
        bounds = version.content.bounds
        if bounds is None or version.content.counts.published > COUNTED_WHOLE:
            return blocks
        try:
            return blocks_of(bounds, level)
        except TooManyCellsError:
            return blocks

    def _count(
        self,
        asker: Asker,
        version: Version,
        level: int,
        blocks: list[tuple[int, int]],
        question: tuple[object, ...],
        asked: dict[str, Any],
    ) -> dict[int, pa.Table]:
        """Count the cells of those of `blocks` that are not kept, with one question, and keep them."""
        missing = [pair for pair in blocks if self._kept.get((*question, pair[0])) is None]
        spans = sorted((*grid.cell_range(*pair), pair[0]) for pair in missing)
        ranges = np.array([span[:2] for span in spans], np.int64)
        region = Region(ranges, (), shapely.Polygon(), exact=True)
        table = drawn(self.lake.density(asker, version.dataset, level, region=region, **asked), level)
        cells = table["cell"].to_numpy()
        counted = {}
        for low, high, block in spans:
            start, end = np.searchsorted(cells, low), np.searchsorted(cells, high, side="right")
            counted[block] = self._kept.put((*question, block), table.slice(start, end - start))
        return counted

    @contextmanager
    def _one_at_a_time(self, question: tuple[object, ...]) -> Iterator[None]:
        """Let readers of one question wait for the first of them, rather than count the same cells."""
        with self._mutex:
            lock, waiting = self._counting.get(question, (threading.Lock(), 0))
            self._counting[question] = lock, waiting + 1
        try:
            with lock:
                yield
        finally:
            with self._mutex:
                lock, waiting = self._counting.pop(question)
                if waiting > 1:
                    self._counting[question] = lock, waiting - 1


def _common(bounds: Bounds | None, box: Bounds | None) -> Bounds | None:
    if bounds is None or box is None:
        return bounds or box
    west, south, east, north = (
        max(bounds[0], box[0]),
        max(bounds[1], box[1]),
        min(bounds[2], box[2]),
        min(bounds[3], box[3]),
    )
    return (west, south, east, north) if west <= east and south <= north else None


def blocks_of(box: Bounds, level: int) -> list[tuple[int, int]]:
    """Return (code, level) of the blocks that a box touches, for cells of `level`.

    Raises
    ------
    TooManyCellsError
        There are more than `MAX_BLOCKS`.

    """
    block_level = max(1, level - BLOCK)
    first, last = _span(box, level)
    columns, rows = last[0] - first[0] + 1, last[1] - first[1] + 1
    if columns * rows > MAX_BLOCKS:
        coarser = level - math.ceil(math.log(columns * rows / MAX_BLOCKS, 4))
        raise TooManyCellsError(
            Text(f"这个范围内第 {level} 级的网格太多", f"The box holds too many cells of level {level}"),
            mend=Text(f"请缩小范围，或用第 {coarser} 级。", f"Take a smaller box, or level {coarser}."),
            where={"level": level, "coarser": coarser},
        )
    return [
        (code_at(column, row, block_level), block_level)
        for row in range(first[1], last[1] + 1)
        for column in range(first[0], last[0] + 1)
    ]


def _span(box: Bounds, level: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return column and row of the first and of the last block that a box touches, for cells of `level`."""
    block_level = max(1, level - BLOCK)
    west, south, east, north = box
    return (
        column_and_row(grid.encode(west, south, block_level), block_level),
        column_and_row(grid.encode(east, north, block_level), block_level),
    )


def drawn(counted: pa.Table, level: int) -> pa.Table:
    """Return counted cells with the edges that a page draws."""
    if not counted.num_rows:
        return SCHEMA.empty_table()
    cells = counted["jw_cell"].to_numpy()
    edges = grid.bounds(grid.from_stored(cells), level)
    west, south, east, north = (np.rint(np.asarray(edge) * E7).astype(np.int32) for edge in edges)
    return pa.table(
        [
            pa.array(cells),
            *(pa.array(edge) for edge in (west, south, east, north)),
            counted["n"].cast(pa.int32()),
            counted["area_m2"].cast(pa.float32()),
        ],
        schema=SCHEMA,
    )
