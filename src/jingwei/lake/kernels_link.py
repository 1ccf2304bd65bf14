"""Compiled loops of linking: pairs of near points by a hash of squares, and each row once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jingwei.grid.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


def near_pairs(
    lon_a: NDArray[np.float64],
    lat_a: NDArray[np.float64],
    lon_b: NDArray[np.float64],
    lat_b: NDArray[np.float64],
    reach_x: float,
    reach_y: float,
    most: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | tuple[None, None]:
    """Return pairs of points no further apart than a reach in each direction (degrees).

    The points of b are sorted by squares of the reach; each point of a looks into three rows of three. None
    if there would be more than `most` pairs.
    """
    west = min(lon_a.min(), lon_b.min()) - reach_x
    south = min(lat_a.min(), lat_b.min()) - reach_y
    wide = int((max(lon_a.max(), lon_b.max()) - west) / reach_x) + 3
    column = ((lon_b - west) / reach_x).astype(np.int64)
    row = ((lat_b - south) / reach_y).astype(np.int64)
    square = row * wide + column
    order = np.argsort(square, kind="stable")
    square, x, y = square[order], lon_b[order], lat_b[order]
    first_a = np.argsort(
        ((lat_a - south) / reach_y).astype(np.int64) * wide + ((lon_a - west) / reach_x).astype(np.int64),
        kind="stable",
    )
    xs, ys = lon_a[first_a], lat_a[first_a]
    counts = _count(xs, ys, square, x, y, west, south, wide, reach_x, reach_y)
    total = int(counts.sum())
    if total > most:
        return None, None
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    a, b = np.empty(total, np.int64), np.empty(total, np.int64)
    _fill(xs, ys, square, x, y, west, south, wide, reach_x, reach_y, starts, a, b)
    return first_a[a], order[b]


@kernel
def _low(values: Any, wanted: int) -> int:
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _count(
    xs: Any, ys: Any, square: Any, x: Any, y: Any, west: float, south: float, wide: int, rx: float, ry: float
) -> Any:
    counts = np.zeros(len(xs), np.int64)
    for i in range(len(xs)):
        column = int((xs[i] - west) / rx)
        row = int((ys[i] - south) / ry)
        for r in range(row - 1, row + 2):
            k = _low(square, r * wide + column - 1)
            last = r * wide + column + 1
            while k < len(square) and square[k] <= last:
                if abs(x[k] - xs[i]) <= rx and abs(y[k] - ys[i]) <= ry:
                    counts[i] += 1
                k += 1
    return counts


@kernel
def _fill(
    xs: Any,
    ys: Any,
    square: Any,
    x: Any,
    y: Any,
    west: float,
    south: float,
    wide: int,
    rx: float,
    ry: float,
    starts: Any,
    a: Any,
    b: Any,
) -> None:
    for i in range(len(xs)):
        column = int((xs[i] - west) / rx)
        row = int((ys[i] - south) / ry)
        at = starts[i]
        for r in range(row - 1, row + 2):
            k = _low(square, r * wide + column - 1)
            last = r * wide + column + 1
            while k < len(square) and square[k] <= last:
                if abs(x[k] - xs[i]) <= rx and abs(y[k] - ys[i]) <= ry:
                    a[at] = i
                    b[at] = k
                    at += 1
                k += 1


@kernel
def best_of_each(left: Any, right: Any, score: Any, rows_a: int) -> Any:
    """Return for each left row that has any the pair of the highest score, of equals the lowest right row."""
    best = np.full(rows_a, -1, np.int64)
    for i in range(len(left)):
        k = best[left[i]]
        if k < 0 or score[i] > score[k] or (score[i] == score[k] and right[i] < right[k]):
            best[left[i]] = i
    return best[best >= 0]


@kernel
def metres_of_pairs(x_a: Any, y_a: Any, x_b: Any, y_b: Any, left: Any, right: Any, radius: float) -> Any:
    """Return the distances of pairs on the sphere (haversine); places in radians, in the unit of `radius`."""
    metres = np.empty(len(left), np.float64)
    cos_a, cos_b = np.cos(y_a), np.cos(y_b)
    for i in range(len(left)):
        p, q = left[i], right[i]
        half = np.sin((y_b[q] - y_a[p]) / 2) ** 2 + cos_a[p] * cos_b[q] * np.sin((x_b[q] - x_a[p]) / 2) ** 2
        metres[i] = 2 * radius * np.arcsin(np.sqrt(half))
    return metres


@kernel
def each_once(left: Any, right: Any, rows_a: int, rows_b: int) -> Any:
    """Return which pairs, taken in the given order, use no row a second time."""
    used_a, used_b = np.zeros(rows_a, np.bool_), np.zeros(rows_b, np.bool_)
    taken = np.zeros(len(left), np.bool_)
    for i in range(len(left)):
        if not used_a[left[i]] and not used_b[right[i]]:
            used_a[left[i]] = used_b[right[i]] = True
            taken[i] = True
    return taken


@kernel
def changes_of_pairs(a: Any, starts_a: Any, b: Any, starts_b: Any) -> Any:
    """Return how many characters of each left text must be changed to make the right one."""
    pairs = len(starts_a) - 1
    longest = 0
    for i in range(pairs):
        longest = max(longest, starts_b[i + 1] - starts_b[i])
    row = np.zeros(longest + 1, np.int64)
    changes = np.zeros(pairs, np.int64)
    for i in range(pairs):
        size_b = starts_b[i + 1] - starts_b[i]
        for y in range(size_b + 1):
            row[y] = y
        for x in range(starts_a[i], starts_a[i + 1]):
            diagonal = row[0]
            row[0] += 1
            for y in range(size_b):
                cost = diagonal + (a[x] != b[starts_b[i] + y])
                diagonal = row[y + 1]
                row[y + 1] = min(cost, diagonal + 1, row[y] + 1)
        changes[i] = row[size_b]
    return changes


@kernel
def in_order(left: NDArray[np.int64], right: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Return pairs in order of left and right: by counting, then those of one left one by one."""
    starts = np.zeros(rows + 1, np.int64)
    for n in range(len(left)):
        starts[left[n] + 1] += 1
    for row in range(rows):
        starts[row + 1] += starts[row]
    ends = starts[:-1].copy()
    order = np.empty(len(left), np.int64)
    for n in range(len(left)):
        row = left[n]
        at = ends[row]
        ends[row] += 1
        while at > starts[row] and right[order[at - 1]] > right[n]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = n
    return order
