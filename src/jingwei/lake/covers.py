"""The cover table: which grid cells each line, area or further place of a fact touches.

One row per (fact, role, canonical cell). "What touches this cell" is then its ancestors by equality and its
descendants by range, in any engine; the exact geometry decides the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from jingwei import grid
from jingwei.lake.address import MEASURED, level_of_extent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from jingwei.lake.schemas import Place

CELLS_PER_OBJECT = 16
"""Boundary cells of one line or area at which its cover is fine enough: the exact test does the rest."""

SCHEMA = pa.schema(
    [
        ("jw_fact", pa.int64()),
        ("jw_role", pa.string()),
        ("jw_cell", pa.int64()),
        ("jw_level", pa.int8()),
    ]
)

BATCH_ROWS = 20_000


def cover_table(paths: Sequence[Path], places: Sequence[Place], geometry: str | None) -> pa.Table:
    """Return the cover table of written facts.

    Parameters
    ----------
    paths
        The Parquet files of the facts, in order; they hold `jw_fact` and the address columns.
    places
        The dataset's address roles. Lines and areas are covered; of several points, all but the first
        (by which the facts themselves are sorted) get one row each.
    geometry
        Name of the column with the geometry (WKB, WGS84), if any.

    """
    parts: list[pa.Table] = []
    for path in paths:
        for number, place in enumerate(places):
            if place.kind == "geometry" and geometry is not None:
                parts += _geometry_rows(path, place.role, geometry)
            elif number > 0:
                parts.append(_point_rows(path, place))
    return pa.concat_tables(parts) if parts else SCHEMA.empty_table()


def _point_rows(path: Path, place: Place) -> pa.Table:
    table = pq.read_table(path, columns=["jw_fact", place.cell, place.level], partitioning=None)
    table = table.rename_columns(["jw_fact", "jw_cell", "jw_level"]).drop_null()
    role = pa.array(np.full(table.num_rows, place.role), pa.string())
    return pa.table([table["jw_fact"], role, table["jw_cell"], table["jw_level"]], schema=SCHEMA)


def _geometry_rows(path: Path, role: str, geometry: str) -> Iterator[pa.Table]:
    for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS, columns=["jw_fact", geometry]):
        shapes = shapely.from_wkb(batch.column(geometry).to_numpy(zero_copy_only=False))
        owner, codes, levels = covers(shapes)
        yield pa.table(
            [
                pa.array(batch.column("jw_fact").to_numpy()[owner]),
                pa.array(np.full(len(owner), role), pa.string()),
                pa.array(grid.to_stored(codes), pa.int64()),
                pa.array(levels, pa.int8()),
            ],
            schema=SCHEMA,
        )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of a geometry (by its index) and a cell that touches it, with the cell as a box."""

    owner: NDArray[np.int64]
    codes: NDArray[np.uint64]
    levels: NDArray[np.int8]
    boxes: NDArray[Any]

    def those(self, chosen: NDArray[np.bool_]) -> _Pairs:
        return _Pairs(self.owner[chosen], self.codes[chosen], self.levels[chosen], self.boxes[chosen])

    @staticmethod
    def joined(parts: list[_Pairs]) -> _Pairs:
        if not parts:
            return _Pairs(
                np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.int8), np.empty(0, object)
            )
        return _Pairs(
            np.concatenate([part.owner for part in parts]),
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.levels for part in parts]),
            np.concatenate([part.boxes for part in parts]),
        )


def covers(shapes: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int8]]:
    """Cover many geometries by the grid cells that they touch.

    Every geometry starts from the cells of about its own size and is refined level by level, all at once,
    until it has `CELLS_PER_OBJECT` boundary cells. Cells that lie wholly inside an area are kept coarse.

    Parameters
    ----------
    shapes
        (n,) geometries in degrees, WGS84; missing and empty ones get no cells.

    Returns
    -------
    owner, codes, levels
        Three arrays of one length: index into `shapes`, the unsigned 64-bit code, and its level.

    """
    shapes = np.asarray(shapes, object)
    shapely.prepare(shapes)
    areal = shapely.get_dimensions(shapes) == 2
    pairs = _first_cells(shapes)
    done: list[_Pairs] = []
    while len(pairs.owner):
        coarse = np.bincount(pairs.owner, minlength=len(shapes))[pairs.owner] < CELLS_PER_OBJECT
        coarse &= pairs.levels < MEASURED
        tested = coarse & areal[pairs.owner]
        coarse[tested] = ~shapely.contains_properly(shapes[pairs.owner[tested]], pairs.boxes[tested])
        done.append(pairs.those(~coarse))
        pairs = _split(shapes, pairs.those(coarse))
    found = _Pairs.joined(done)
    order = np.lexsort((found.codes, found.owner))
    return found.owner[order], found.codes[order], found.levels[order]


def _first_cells(shapes: NDArray[Any]) -> _Pairs:
    """Return the up to four cells at the corners of each geometry's box, at the level of its size."""
    boxes = shapely.bounds(shapes)
    there = np.flatnonzero(np.isfinite(boxes).all(axis=1))
    boxes = boxes[there]
    # Twice the extent leaves room for cells that are cut short where minutes and seconds end.
    levels = level_of_extent(2 * (boxes[:, 2] - boxes[:, 0]), 2 * (boxes[:, 3] - boxes[:, 1]))
    found: list[_Pairs] = []
    for level in np.unique(levels).tolist():
        chosen = levels == level
        corners = boxes[chosen]
        codes = np.concatenate(
            [
                np.asarray(grid.encode(corners[:, x].copy(), corners[:, y].copy(), level), np.uint64)
                for x in (0, 2)
                for y in (1, 3)
            ]
        )
        pairs = np.unique(np.stack([np.tile(there[chosen], 4).astype(np.uint64), codes], axis=1), axis=0)
        owner, codes = pairs[:, 0].astype(np.int64), pairs[:, 1].copy()
        found.append(_touching(shapes, owner, codes, np.full(len(codes), level, np.int8)))
    return _Pairs.joined(found)


def _split(shapes: NDArray[Any], pairs: _Pairs) -> _Pairs:
    """Replace each cell by those of its children that exist and touch the geometry."""
    finer = (pairs.levels + 1).astype(np.int8)
    shift = (64 - 2 * finer.astype(np.int64)).astype(np.uint64)
    children = np.concatenate([pairs.codes | (np.uint64(digit) << shift) for digit in range(4)])
    return _touching(shapes, np.tile(pairs.owner, 4), children, np.tile(finer, 4))


def _touching(
    shapes: NDArray[Any], owner: NDArray[np.int64], codes: NDArray[np.uint64], levels: NDArray[np.int8]
) -> _Pairs:
    """Return the pairs whose cell exists (beyond 60 minutes or seconds there is none) and touches."""
    edges = np.zeros((4, len(codes)))
    exists = np.zeros(len(codes), bool)
    for level in np.unique(levels).tolist():
        chosen = levels == level
        *corners, bad = grid.bounds(codes[chosen], level, errors="mask")
        edges[:, chosen] = corners
        exists[chosen] = ~bad
    owner, codes, levels = owner[exists], codes[exists], levels[exists]
    boxes = shapely.box(*edges[:, exists])
    return _Pairs(owner, codes, levels, boxes).those(shapely.intersects(shapes[owner], boxes))
