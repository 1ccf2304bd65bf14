"""The algebra of sorted disjoint ranges of stored codes, both ends inclusive."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jingwei.grid.arrays import Codes
from jingwei.grid.polar import GEOSOT_ZONES, zone_code

Ranges = NDArray[np.int64]

EMPTY: Ranges = np.empty((0, 2), dtype=np.int64)
_LOWEST = np.iinfo(np.int64).min
_HIGHEST = np.iinfo(np.int64).max
_ZONE_CODES = np.array([zone_code(zone, south=False) for zone in GEOSOT_ZONES], dtype=np.uint64)
_ZONE_LEVELS = np.array([zone.level for zone in GEOSOT_ZONES], dtype=np.int64)


def joined(low: NDArray[np.int64], high: NDArray[np.int64]) -> Ranges:
    """Return the union of any ranges as sorted disjoint ranges, adjacent ones joined."""
    from jingwei.grid import kernels_cover

    # The union needs the starts in order and the ends in order, not which belongs to which.
    starts, ends = np.sort(low), np.sort(high)
    n = kernels_cover.join(starts, ends)
    return np.column_stack((starts[:n], ends[:n]))


def canonical(pairs: Ranges) -> Ranges:
    """Return the one form of a set of cells: ranges of the fewest existing cells, joined.

    Codes that name no place (the pads of minutes and seconds) belong to a set with the cell that holds them,
    so that equal sets of places have equal ranges.
    """
    if len(pairs) == 0:
        return EMPTY
    return of_cells(*cells_of(joined(pairs[:, 0], pairs[:, 1])))


def cells_of(pairs: Ranges) -> tuple[Codes, NDArray[np.uint8]]:
    """Return the fewest cells that make up sorted disjoint ranges, as codes and levels in stored order."""
    from jingwei.grid import kernels_cover

    low, high = split_at_zero(pairs)
    codes, levels = kernels_cover.cells_of(low, high, _ZONE_CODES, _ZONE_LEVELS)
    return codes, levels


def cells_at(pairs: Ranges, level: int) -> Codes:
    """Return the codes of all existing cells of a level in sorted disjoint ranges, in stored order."""
    from jingwei.grid import kernels_cover

    codes: Codes = kernels_cover.expand(*split_at_zero(pairs), level)
    return codes


def split_at_zero(pairs: Ranges) -> tuple[Codes, Codes]:
    """Return starts and ends as unsigned codes, a range over the stored zero cut in two."""
    over = np.flatnonzero((pairs[:, 0] < 0) & (pairs[:, 1] >= 0))
    low, high = np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
    if len(over):
        low, high = np.insert(low, over + 1, 0), np.insert(high, over, -1)
    return low.view(np.uint64), high.view(np.uint64)


def of_cells(codes: Codes, levels: NDArray[np.uint8]) -> Ranges:
    """Return the ranges of cells in stored order, adjacent ones joined."""
    block = (np.uint64(1) << (64 - 2 * levels.astype(np.uint64))) - np.uint64(1)
    low, high = codes.view(np.int64), (codes | block).view(np.int64)
    apart = np.ones(len(low) + 1, dtype=bool)
    apart[1:-1] = low[1:] - high[:-1] != 1
    return np.column_stack((low[apart[:-1]], high[apart[1:]]))


def union(a: Ranges, b: Ranges) -> Ranges:
    """Return the codes in `a` or `b`."""
    return canonical(np.concatenate((a, b)))


def complement(a: Ranges) -> Ranges:
    """Return the codes that are not in `a`."""
    low = np.concatenate(([_LOWEST], a[:, 1] + 1))
    high = np.concatenate((a[:, 0] - 1, [_HIGHEST]))
    keep = np.ones(len(low), dtype=bool)
    if len(a):
        # The step beyond an end of the number line wraps round; there is nothing there.
        keep[0] = a[0, 0] > _LOWEST
        keep[-1] = a[-1, 1] < _HIGHEST
    return np.column_stack((low, high))[keep]


def overlap(a: Ranges, b: Ranges) -> Ranges:
    """Return the codes in both, as ranges that may touch."""
    first = np.searchsorted(b[:, 1], a[:, 0], side="left")
    end = np.searchsorted(b[:, 0], a[:, 1], side="right")
    counts = np.maximum(end - first, 0)
    left = np.repeat(np.arange(len(a)), counts)
    right = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    return np.column_stack((np.maximum(a[left, 0], b[right, 0]), np.minimum(a[left, 1], b[right, 1])))


def intersection(a: Ranges, b: Ranges) -> Ranges:
    """Return the codes in both `a` and `b`."""
    return canonical(overlap(a, b))


def difference(a: Ranges, b: Ranges) -> Ranges:
    """Return the codes in `a` that are not in `b`."""
    return canonical(overlap(a, complement(b)))
