"""The algebra of sorted disjoint ranges of stored codes, both ends inclusive."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jingwei.grid import geosot
from jingwei.grid.arrays import Bools
from jingwei.grid.errors import MalformedCode
from jingwei.grid.polar import zone_of

Ranges = NDArray[np.int64]

EMPTY: Ranges = np.empty((0, 2), dtype=np.int64)
_LOWEST = np.iinfo(np.int64).min
_HIGHEST = np.iinfo(np.int64).max


def normalise(ranges: Ranges) -> Ranges:
    """Return the same set of codes as sorted disjoint ranges, adjacent ones joined."""
    if len(ranges) == 0:
        return EMPTY
    order = np.argsort(ranges[:, 0], kind="stable")
    low, high = ranges[order, 0], np.maximum.accumulate(ranges[order, 1])
    # A range begins where it does not touch what came before; high + 1 cannot overflow where low is greater.
    begins = np.ones(len(low), dtype=bool)
    begins[1:] = (low[1:] > high[:-1]) & (low[1:] - 1 > high[:-1])
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(low)) - 1
    return np.column_stack((low[first], high[last]))


def union(a: Ranges, b: Ranges) -> Ranges:
    """Return the codes in `a` or `b`."""
    return normalise(np.concatenate((a, b)))


def complement(a: Ranges) -> Ranges:
    """Return the codes that are not in `a`."""
    if len(a) == 0:
        return np.array([[_LOWEST, _HIGHEST]], dtype=np.int64)
    low = np.append(_LOWEST, np.where(a[:, 1] < _HIGHEST, a[:, 1] + (a[:, 1] < _HIGHEST), _HIGHEST))
    high = np.append(a[:, 0] - (a[:, 0] > _LOWEST), _HIGHEST)
    keep = np.ones(len(low), dtype=bool)
    keep[0] = a[0, 0] > _LOWEST
    keep[-1] = a[-1, 1] < _HIGHEST
    return np.column_stack((low, high))[keep]


def intersection(a: Ranges, b: Ranges) -> Ranges:
    """Return the codes in both `a` and `b`."""
    first = np.searchsorted(b[:, 1], a[:, 0], side="left")
    end = np.searchsorted(b[:, 0], a[:, 1], side="right")
    counts = np.maximum(end - first, 0)
    left = np.repeat(np.arange(len(a)), counts)
    right = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    return np.column_stack((np.maximum(a[left, 0], b[right, 0]), np.minimum(a[left, 1], b[right, 1])))


def difference(a: Ranges, b: Ranges) -> Ranges:
    """Return the codes in `a` that are not in `b`."""
    return intersection(a, complement(b))


def contains(ranges: Ranges, stored: NDArray[np.int64]) -> Bools:
    """Say for each stored code whether it lies in one of the ranges."""
    if len(ranges) == 0:
        return np.zeros(stored.shape, dtype=bool)
    at = np.searchsorted(ranges[:, 0], stored, side="right") - 1
    inside: Bools = (at >= 0) & (stored <= ranges[np.maximum(at, 0), 1])
    return inside


def cells_of(ranges: Ranges) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    """Return the fewest cells that make up the ranges, as codes and levels in stored order.

    Blocks of codes that name no place (the pads of minutes and seconds) are left out.
    """
    codes: list[int] = []
    levels: list[int] = []
    for low, high in ranges.tolist():
        code, last = low & geosot.MASK64, high & geosot.MASK64
        while code <= last:
            level = _coarsest_level(code)
            while level < 32 and code + (1 << (64 - 2 * level)) - 1 > last:
                level += 1
            if _exists(code, level):
                codes.append(code)
                levels.append(level)
            code += 1 << (64 - 2 * level)
    return np.array(codes, dtype=np.uint64), np.array(levels, dtype=np.uint8)


def _coarsest_level(code: int) -> int:
    zeros = 62 if code == 0 else min(62, (code & -code).bit_length() - 1)
    return 32 - zeros // 2


def _exists(code: int, level: int) -> bool:
    if zone_of(code, level):
        return True
    try:
        geosot.anchor(code, level)
    except MalformedCode:
        return False
    return True
