"""Looking again, once all rows of a source are read: what the first rows showed must hold for the rest.

A source is planned by its first rows. A file that was put together from two systems, or a second file of
another origin, shows only later. So rows are kept from all over the source, and each part of them is asked
whether it speaks against the coordinate system that was chosen.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely

from jingwei.lake.address import GeometryPlacing, Placing, PointPlacing
from jingwei.lake.numbers import read_angles
from jingwei.lake.weighing import check_declared
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jingwei.lake.weighing import Anchor

PARTS = 4
"""Stretches of a source that are looked at separately."""

KEPT = 20_000
"""Rows kept of a source, at most; half as many at least, where it has more."""


class Thinned:
    """Rows kept from all over a source, evenly, however many there will be."""

    def __init__(self, schema: pa.Schema, most: int = KEPT) -> None:
        self._schema = schema
        self._most = most
        self._step = 1
        self._seen = 0
        self._kept: list[pa.RecordBatch] = []
        self._numbers: list[Any] = []

    @property
    def all_kept(self) -> bool:
        """Whether no row was left out."""
        return self._step == 1

    def note(self, batch: pa.RecordBatch) -> None:
        """Take note of the next rows as they stand in the source."""
        first = -self._seen % self._step
        rows = np.arange(first, batch.num_rows, self._step)
        self._kept.append(batch.take(pa.array(rows)))
        self._numbers.append(rows + self._seen)
        self._seen += batch.num_rows
        while sum(each.num_rows for each in self._kept) > self._most:
            self._step *= 2
            keep = [numbers % self._step == 0 for numbers in self._numbers]
            self._kept = [each.filter(pa.array(mask)) for each, mask in zip(self._kept, keep, strict=True)]
            self._numbers = [numbers[mask] for numbers, mask in zip(self._numbers, keep, strict=True)]

    def parts(self) -> list[tuple[int, int, pa.Table]]:
        """Return stretches of the source: first row, last row (from 0), and what was kept of it."""
        table = pa.Table.from_batches(self._kept, self._schema).combine_chunks()
        numbers = np.concatenate(self._numbers) if self._numbers else np.empty(0, np.int64)
        cuts = np.linspace(0, table.num_rows, PARTS + 1).astype(int).tolist()
        return [
            (int(numbers[low]), int(numbers[high - 1]), table.slice(low, high - low))
            for low, high in itertools.pairwise(cuts)
            if high > low
        ]


def contradiction(
    thinned: Thinned, placings: Sequence[Placing], boundary: Any, anchors: Sequence[Anchor]
) -> Text | None:
    """Say which stretch of a source speaks against the coordinate system of one of its places, or None."""
    for placing in placings:
        if not isinstance(placing, (PointPlacing, GeometryPlacing)):
            continue
        for first, last, part in thinned.parts():
            x, y = coordinates(part, placing)
            if not np.isfinite(x).any():
                continue
            names = names_of(part, len(x))
            verdict = check_declared(x, y, placing.crs, boundary=boundary, anchors=anchors, names=names)
            if verdict.contradicted:
                return Text(
                    f"前面的行是 {placing.crs}，但第 {first + 1} 至 {last + 1} 行不是：{verdict.reason.zh}",
                    f"its first rows are {placing.crs}, but rows {first + 1} to {last + 1} are not: "
                    f"{verdict.reason.en}",
                )
    return None


def coordinates(table: pa.Table, placing: PointPlacing | GeometryPlacing) -> tuple[Any, Any]:
    """Return the coordinates of a place as the source has them; of a geometry, those of a point on it."""
    if isinstance(placing, PointPlacing):
        x, _ = read_angles(table[placing.lon])
        y, _ = read_angles(table[placing.lat])
        return x, y
    shapes, _ = placing.shapes(table[placing.column])
    points = shapely.get_coordinates(shapely.point_on_surface(shapes[~shapely.is_missing(shapes)]))
    return points[:, 0], points[:, 1]


def names_of(table: pa.Table, rows: int) -> list[Any] | None:
    """Return the text columns of rows, by which things may be recognised; None where rows were left out."""
    if rows != table.num_rows:
        return None
    return [
        table[field.name].to_numpy()
        for field in table.schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
