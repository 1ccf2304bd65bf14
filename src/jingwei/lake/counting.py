"""Counts for those who may only count: no answer, and no difference of two, tells of a few.

The earth is cut once for each version into blocks: cells, each of which holds no fact or at least the
smallest number that may be shown (complementary suppression along the fixed hierarchy of the grid, after
Hundepool et al., Statistical Disclosure Control, 2012, 4.2). Whatever is asked, at whichever level and for
whichever region, is answered with sums of whole blocks; so is what two answers differ by. What would let an
answer cut through a block, a filter or a period, is not answered at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import shapely

from jingwei import grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.lake.region import Region

FINEST = 21
"""The finest level that is counted at all for them: one arc-second, about 31 m."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Cells of several levels, none within another, and how many facts each holds."""

    codes: NDArray[np.uint64]
    levels: NDArray[np.int8]
    counts: NDArray[np.int64]

    def density(self, level: int, region: Region | None) -> pa.Table:
        """Return `jw_cell`, `n` and `area_m2` of the cells of `level` that are made of whole blocks.

        Parameters
        ----------
        level
            1 to 32. Cells that lie within one coarser block are left out: how many of its facts they hold
            is what may not be told.
        region
            Only cells that it touches; each is counted whole.

        """
        whole = self.levels >= level
        codes, counts = _summed(self.codes[whole], self.levels[whole], self.counts[whole], level)
        if region is not None and len(codes):
            touched = _touched(codes, level, region)
            codes, counts = codes[touched], counts[touched]
        return pa.table(
            {
                "jw_cell": pa.array(np.asarray(grid.to_stored(codes), np.int64)),
                "n": pa.array(counts),
                "area_m2": pa.array(grid.area_m2(codes, level) if len(codes) else np.empty(0), pa.float64()),
            }
        ).sort_by("jw_cell")


def blocks_of(codes: NDArray[np.uint64], counts: NDArray[np.int64], level: int, smallest: int) -> Blocks:
    """Return the blocks of facts that are counted by cell of one level.

    A parent that holds a child with too few is taken whole, and so on upwards; what is still too little at
    level 1 is left out.

    Parameters
    ----------
    codes, counts
        (n,) different cells of `level`, and how many facts each holds.
    level
        1 to 32.
    smallest
        The smallest number that may be shown.

    """
    there = counts > 0
    codes, counts = codes[there], counts[there]
    done: list[tuple[NDArray[np.uint64], int, NDArray[np.int64]]] = []
    for at in range(level, 0, -1):
        if at == 1:
            parents = np.zeros(len(codes), np.uint64)  # the whole earth
        else:
            parents = np.asarray(grid.parent(codes, at, at - 1), np.uint64)
        upper, child_of = np.unique(parents, return_inverse=True)
        too_few = np.zeros(len(upper), bool)
        too_few[child_of[counts < smallest]] = True
        shown = ~too_few[child_of]
        done.append((codes[shown], at, counts[shown]))
        merged = np.zeros(len(upper), np.int64)
        np.add.at(merged, child_of[~shown], counts[~shown])
        codes, counts = upper[too_few], merged[too_few]
    return Blocks(
        np.concatenate([part for part, _, _ in done]),
        np.concatenate([np.full(len(part), at, np.int8) for part, at, _ in done]),
        np.concatenate([part for _, _, part in done]),
    )


def _summed(
    codes: NDArray[np.uint64], levels: NDArray[np.int8], counts: NDArray[np.int64], level: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    upper = codes.copy()
    for at in np.unique(levels).tolist():
        if at > level:
            here = levels == at
            upper[here] = grid.parent(codes[here], at, level)
    found, which = np.unique(upper, return_inverse=True)
    sums = np.zeros(len(found), np.int64)
    np.add.at(sums, which, counts)
    return found, sums


def _touched(codes: NDArray[np.uint64], level: int, region: Region) -> NDArray[np.bool_]:
    """Say which cells a region touches, as wholes."""
    if not region.exact:
        touched: NDArray[np.bool_] = shapely.intersects(
            region.outline, shapely.box(*grid.bounds(codes, level))
        )
        return touched
    low = np.asarray(grid.to_stored(codes), np.int64)
    span = (1 << (64 - 2 * level)) - 1
    number = np.searchsorted(region.ranges[:, 0], low + span, side="right") - 1
    found: NDArray[np.bool_] = (number >= 0) & (region.ranges[np.maximum(number, 0), 1] >= low)
    return found
