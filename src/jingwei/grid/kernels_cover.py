"""The compiled loops of covers: which cells the edges of an area meet, what they enclose, and how it packs.

Everything is in signed ticks. Columns and rows are numbered without pads, 0 and up in the east and north, -1
and down in the west and south, so that number `k` reaches from line `k` to line `k + 1`. Where an edge passes
a line or the middle of a cell is decided exactly; floating point only proposes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jingwei.grid.kernels import kernel

COLUMN_BITS = 33
"""A row and twice a column fit into one 64-bit key, the row in front."""

LAST_INDEX = (179 << 23) | (59 << 17) | (59 << 11) | 2047
"""The padded index of the last tick before 180 degrees; what a run has beyond it does not exist."""

MOST_CELLS = 100_000_000
"""Most cells that one cover may have, or list; more would not fit into memory."""

_NEAR = 1e-3
"""Ticks. A crossing computed in floating point errs by less than 1e-5; what is nearer is decided exactly."""


@kernel
def line(number: Any, grid: Any) -> Any:
    """Return the tick of a grid line; `grid` is (size, unit, cells per unit, end)."""
    size, unit, per_unit, end = grid
    n = abs(number)
    tick = min((n // per_unit) * unit + (n % per_unit) * size, end)
    return -tick if number < 0 else tick


@kernel
def cell_above(tick: Any, grid: Any) -> Any:
    """Return the number of the cell just above (east or north of) a tick."""
    size, unit, per_unit, _ = grid
    distance = abs(tick)
    whole = np.int64(np.floor(distance))
    number = (whole // unit) * per_unit + (whole % unit) // size
    if tick >= 0.0:  # the last cell may be cut at the end, which then lies below the next
        return number + 1 if np.float64(line(number + 1, grid)) <= tick else number
    if np.float64(line(number, grid)) < distance:
        number += 1
    return -number


@kernel
def cell_below(tick: Any, grid: Any) -> Any:
    """Return the number of the cell just below (west or south of) a tick."""
    number = cell_above(tick, grid)
    return number - 1 if np.float64(line(number, grid)) == tick else number


@kernel
def middle(number: Any, grid: Any) -> Any:
    """Return the middle of a cell in ticks; halves are exact."""
    return 0.5 * np.float64(line(number, grid) + line(number + 1, grid))


@kernel
def _product_error(a: Any, b: Any, product: Any) -> Any:
    """Return a * b - product exactly (Dekker 1971), without a fused multiply-add."""
    t = 134_217_729.0 * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = 134_217_729.0 * b
    b_high = t - (t - b)
    b_low = b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


@kernel
def side(ax: Any, ay: Any, bx: Any, by: Any, x: Any, y: Any) -> Any:
    """Return 1, 0 or -1: an upward edge passes the height `y` east of `x`, through it, or west of it."""
    p = (bx - ax) * (y - ay)
    q = (by - ay) * (x - ax)
    if p == q:
        d = _product_error(bx - ax, y - ay, p) - _product_error(by - ay, x - ax, q)
    else:
        d = (p - q) + (_product_error(bx - ax, y - ay, p) - _product_error(by - ay, x - ax, q))
    return np.int64(d > 0.0) - np.int64(d < 0.0)


@kernel
def _crossing(ax: Any, ay: Any, bx: Any, by: Any, y: Any) -> Any:
    return ax + (y - ay) * ((bx - ax) / (by - ay))


@kernel
def _columns_at(ax: Any, ay: Any, bx: Any, by: Any, y: Any, grid: Any) -> Any:
    """Return the columns just west and just east of where an upward edge passes `y`."""
    if ax == bx or y == ay:
        return cell_below(ax, grid), cell_above(ax, grid)
    if y == by:
        return cell_below(bx, grid), cell_above(bx, grid)
    x = _crossing(ax, ay, bx, by, y)
    at = cell_above(x, grid)
    if x - np.float64(line(at, grid)) < _NEAR:
        near = at
    elif np.float64(line(at + 1, grid)) - x < _NEAR:
        near = at + 1
    else:
        return at, at
    where = side(ax, ay, bx, by, np.float64(line(near, grid)), y)
    return (near - 1 if where <= 0 else near), (near if where >= 0 else near - 1)


@kernel
def _place_among_middles(ax: Any, ay: Any, bx: Any, by: Any, y: Any, grid: Any) -> Any:
    """Return where an upward edge passes `y`: 2k on the middle of column k, 2k + 1 between k and k + 1."""
    x = _crossing(ax, ay, bx, by, y)
    at = cell_above(x, grid)
    if line(at, grid) == line(at + 1, grid):  # on the end of the axis, above which there is no cell
        return 2 * at - 1
    distance = x - middle(at, grid)
    where = (
        side(ax, ay, bx, by, middle(at, grid), y) if abs(distance) < _NEAR else np.int64(np.sign(distance))
    )
    return 2 * at + where


@kernel
def count_rows(ay: Any, by: Any, rows: Any) -> Any:
    """Return an upper bound on the number of rows that all edges together pass."""
    total = np.int64(0)
    for i in range(ay.size):
        total += cell_above(max(ay[i], by[i]), rows) - cell_below(min(ay[i], by[i]), rows) + 1
    return total


@kernel
def edge_cells(
    ax: Any,
    ay: Any,
    bx: Any,
    by: Any,
    columns: Any,
    rows: Any,
    first_row: Any,
    first_column: Any,
    starts: Any,
    ends: Any,
) -> Any:
    """Write the cells whose inside an edge meets, as runs of keys; return the number of runs."""
    n = np.int64(0)
    for i in range(ax.size):
        x0, y0, x1, y1 = ax[i], ay[i], bx[i], by[i]
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        if y0 == y1:
            row = cell_above(y0, rows)
            if x0 != x1 and np.float64(line(row, rows)) != y0:
                west, east = cell_above(min(x0, x1), columns), cell_below(max(x0, x1), columns)
                key = (row - first_row) << COLUMN_BITS
                starts[n], ends[n] = key + west - first_column, key + east - first_column
                n += 1
            continue
        last = cell_below(y1, rows)
        low_west, low_east = _columns_at(x0, y0, x1, y1, y0, columns)
        for row in range(cell_above(y0, rows), last + 1):
            top = y1 if row == last else np.float64(line(row + 1, rows))
            high_west, high_east = _columns_at(x0, y0, x1, y1, top, columns)
            # The edge is open at both ends of the row: a vertical one on a line meets no inside.
            west, east = (low_east, high_west) if x1 >= x0 else (high_east, low_west)
            if x0 == x1:
                west, east = low_east, low_west
            if west <= east:
                key = (row - first_row) << COLUMN_BITS
                starts[n], ends[n] = key + west - first_column, key + east - first_column
                n += 1
            low_west, low_east = high_west, high_east
    return n


@kernel
def line_cells(
    ax: Any,
    ay: Any,
    bx: Any,
    by: Any,
    columns: Any,
    rows: Any,
    first_row: Any,
    first_column: Any,
    starts: Any,
    ends: Any,
) -> Any:
    """Write the cells that own a point of an edge, as runs of keys; return the number of runs.

    A cell owns its faces nearest the equator and the prime meridian (GB/T 40087, C.3); zero is north and
    east.
    """
    n = np.int64(0)
    for i in range(ax.size):
        x0, y0, x1, y1 = ax[i], ay[i], bx[i], by[i]
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        first, last = owner(y0, rows), owner(y1, rows)
        for row in range(first, last + 1):
            if y0 == y1 or x0 == x1:
                west, east = owner(min(x0, x1), columns), owner(max(x0, x1), columns)
            else:
                bottom, bottom_owned = y0, True
                if row != first:
                    bottom, bottom_owned = np.float64(line(row, rows)), row >= 0
                top, top_owned = y1, True
                if row != last:
                    top, top_owned = np.float64(line(row + 1, rows)), row + 1 < 0
                low_west, low_east = _columns_at(x0, y0, x1, y1, bottom, columns)
                high_west, high_east = _columns_at(x0, y0, x1, y1, top, columns)
                low = _owner_of(low_west, low_east, bottom_owned, x1 > x0)
                high = _owner_of(high_west, high_east, top_owned, x1 < x0)
                west, east = min(low, high), max(low, high)
            key = (row - first_row) << COLUMN_BITS
            starts[n], ends[n] = key + west - first_column, key + east - first_column
            n += 1
    return n


@kernel
def _owner_of(west: Any, east: Any, owned: Any, eastward: Any) -> Any:
    """Return the column that an edge is in where it enters or leaves a row, eastward being into the row."""
    if west == east:
        return east
    if owned:
        return east if east >= 0 else west
    return east if eastward else west


@kernel
def owner(tick: Any, grid: Any) -> Any:
    """Return the cell that owns a tick: the one above in the east and north, the one below elsewhere."""
    return cell_above(tick, grid) if tick >= 0.0 else cell_below(tick, grid)


@kernel
def middle_crossings(
    ax: Any,
    ay: Any,
    bx: Any,
    by: Any,
    columns: Any,
    rows: Any,
    first_row: Any,
    first_column: Any,
    upper: Any,
    keys: Any,
) -> Any:
    """Write where edges cross the middles of rows, as keys; return how many, and whether one ends there.

    An edge owns its lower end, or with `upper` its upper end, so that every middle is crossed an even number
    of times.
    """
    n = np.int64(0)
    tie = False
    for i in range(ax.size):
        x0, y0, x1, y1 = ax[i], ay[i], bx[i], by[i]
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        for row in range(cell_above(y0, rows), cell_below(y1, rows) + 1):
            y = middle(row, rows)
            tie = tie or y in (y0, y1)
            if (y0 < y <= y1) if upper else (y0 <= y < y1):
                place = _place_among_middles(x0, y0, x1, y1, y, columns)
                keys[n] = ((row - first_row) << COLUMN_BITS) + place - 2 * first_column
                n += 1
    return n, tie


@kernel
def columns_between(crossings: Any) -> Any:
    """Return the runs of columns whose middles lie between the crossings, two by two, of each row."""
    starts, ends = np.empty(crossings.size // 2, np.int64), np.empty(crossings.size // 2, np.int64)
    places = (np.int64(1) << COLUMN_BITS) - 1
    n = np.int64(0)
    for i in range(0, crossings.size - 1, 2):
        row = crossings[i] & ~places
        first, last = ((crossings[i] & places) + 1) >> 1, (crossings[i + 1] & places) >> 1
        if first <= last:
            starts[n], ends[n] = row + first, row + last
            n += 1
    return starts[:n], ends[:n]


@kernel
def quadrant_runs(
    starts: Any,
    ends: Any,
    first_row: Any,
    first_column: Any,
    west: Any,
    south: Any,
    level: Any,
    columns: Any,
    count: Any,
) -> Any:
    """Return padded row, first and last column of the runs in one quadrant; west and south, backwards."""
    row, first, last = (
        np.empty(starts.size, np.int64),
        np.empty(starts.size, np.int64),
        np.empty(starts.size, np.int64),
    )
    mask = (np.int64(1) << COLUMN_BITS) - 1
    n = np.int64(0)
    for i in range(starts.size):
        r = (starts[i] >> COLUMN_BITS) + first_row
        a, b = (starts[i] & mask) + first_column, (ends[i] & mask) + first_column
        if (r < 0) != south:
            continue
        if west:
            a, b = max(-b - 1, np.int64(0)), -a - 1
        else:
            a = max(a, np.int64(0))
        if a <= b:
            row[n] = padded(-r - 1 if south else r, level, columns, count)
            first[n], last[n] = padded(a, level, columns, count), padded(b + 1, level, columns, count) - 1
            n += 1
    return row[:n], first[:n], last[:n]


@kernel
def join(starts: Any, ends: Any) -> Any:
    """Return the union of ranges whose starts and ends are sorted separately; write it over them."""
    n = np.int64(0)
    depth = np.int64(0)
    i = np.int64(0)
    j = np.int64(0)
    begin = np.int64(0)
    while j < ends.size:
        if i < starts.size and (starts[i] <= ends[j] or starts[i] == ends[j] + 1):
            if depth == 0:
                begin = starts[i]
            depth += 1
            i += 1
        else:
            depth -= 1
            if depth == 0:
                starts[n], ends[n] = begin, ends[j]
                n += 1
            j += 1
    return n


@kernel
def exists(index: Any, level: Any, end: Any) -> Any:
    """Say whether a padded index of a level (without its sign) names a column or row before `end` ticks."""
    e = index << (32 - level)
    degrees, minutes, seconds = e >> 23, (e >> 17) & 63, (e >> 11) & 63
    return minutes < 60 and seconds < 60 and e - 8_192 * (60 * degrees + minutes) - 524_288 * degrees < end


@kernel
def padded(number: Any, level: Any, grid: Any, count: Any) -> Any:
    """Return the padded index at which a cell begins; past the last cell, the end of the axis."""
    if number >= count:
        return np.int64(1) << (level - 1)
    tick = line(number, grid)
    return (tick + 8_192 * (tick // 122_880) + 524_288 * (tick // 7_372_800)) >> (32 - level)


@kernel
def _spread(value: Any) -> Any:
    v = np.uint64(value)
    v = (v | v << np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    v = (v | v << np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    v = (v | v << np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    v = (v | v << np.uint64(2)) & np.uint64(0x3333333333333333)
    return (v | v << np.uint64(1)) & np.uint64(0x5555555555555555)


@kernel
def _grown(array: Any, need: Any) -> Any:
    if need <= array.size:
        return array
    larger = np.empty(max(need, 2 * array.size), dtype=array.dtype)
    larger[: array.size] = array
    return larger


@kernel
def pack(row: Any, first: Any, last: Any, level: Any, quadrant: Any, lat_end: Any, lon_end: Any) -> Any:
    """Return the ranges of codes of the fewest cells that make up runs of cells in one quadrant.

    Parameters
    ----------
    row, first, last : int64 arrays
        Padded indices of a row and of the first and last column of each run, sorted; runs do not touch.
        A run may reach over pads. They are overwritten.
    level : int
        The level of the cells.
    quadrant : uint64
        Bits of the signs, in place in the code.

    Notes
    -----
    Two rows of one parent keep what they share, cut to pairs of columns, for the next coarser level; the rest
    are cells. A row or column that does not exist (a pad) lacks nothing. The third value is False, and the
    ranges are none, if there are more than `MOST_CELLS`.
    """
    low = np.empty(max(16, 8 * row.size), dtype=np.uint64)
    high = np.empty(low.size, dtype=np.uint64)
    n = np.int64(0)
    runs = row.size
    next_row, next_first, next_last = np.empty_like(row), np.empty_like(row), np.empty_like(row)
    while runs > 0:
        upward = np.int64(0)
        i = np.int64(0)
        while i < runs:
            j = i
            while j < runs and row[j] == row[i]:
                j += 1
            k = j
            while k < runs and row[k] == row[i] ^ 1:
                k += 1
            begin = upward
            if level > 1 and k > j:
                upward = _share(first, last, i, j, k, next_first, next_last, upward)
            elif level > 1 and not exists(row[i] ^ 1, level, lat_end):
                upward = _share_alone(first, last, i, j, next_first, next_last, upward)
            next_row[begin:upward] = row[i] >> 1
            for run in range(i, k):
                low, high, n = _emit(
                    row[run],
                    first[run],
                    last[run],
                    next_first[begin:upward],
                    next_last[begin:upward],
                    level,
                    quadrant,
                    lon_end,
                    low,
                    high,
                    n,
                )
                if n > MOST_CELLS:
                    return low[:0], high[:0], False
            i = k
        row, next_row = next_row, row
        first, next_first = next_first, first
        last, next_last = next_last, last
        runs = upward
        level -= 1
    return low[:n], high[:n], True


@kernel
def _share(first: Any, last: Any, i: Any, j: Any, k: Any, next_first: Any, next_last: Any, n: Any) -> Any:
    """Write the pairs of columns that runs i-j and runs j-k have in common; return the new number of runs."""
    a, b = i, j
    while a < j and b < k:
        begin, end = max(first[a], first[b]), min(last[a], last[b])
        left, right = (begin + 1) >> 1, (end - 1) >> 1
        if left <= right:
            next_first[n], next_last[n] = left, right
            n += 1
        if last[a] < last[b]:
            a += 1
        else:
            b += 1
    return n


@kernel
def _share_alone(first: Any, last: Any, i: Any, j: Any, next_first: Any, next_last: Any, n: Any) -> Any:
    """Write the pairs of columns of runs i-j, whose sibling row is a pad; return the new number of runs."""
    for a in range(i, j):
        left, right = (first[a] + 1) >> 1, (last[a] - 1) >> 1
        if left <= right:
            next_first[n], next_last[n] = left, right
            n += 1
    return n


@kernel
def _emit(
    row: Any,
    first: Any,
    last: Any,
    shared_first: Any,
    shared_last: Any,
    level: Any,
    quadrant: Any,
    lon_end: Any,
    low: Any,
    high: Any,
    n: Any,
) -> Any:
    """Write the cells of a run that its parent does not take; return the arrays and their new length."""
    shift = np.uint64(64 - 2 * level)
    block = (np.uint64(1) << shift) - np.uint64(1)
    lat_bits = quadrant | _spread(row) << np.uint64(1) << shift
    column = first
    shared = 0
    last = min(last, LAST_INDEX >> (32 - level))
    while column <= last:
        while shared < shared_first.size and 2 * shared_last[shared] + 1 < column:
            shared += 1
        stop = last
        skip = last + 1
        if shared < shared_first.size and 2 * shared_first[shared] <= last:
            stop = 2 * shared_first[shared] - 1
            skip = 2 * shared_last[shared] + 2
        need = n + max(np.int64(0), stop - column + 1)
        if need > MOST_CELLS:
            return low, high, need
        low, high = _grown(low, need), _grown(high, need)
        for c in range(column, stop + 1):
            if exists(c, level, lon_end):
                code = lat_bits | _spread(c) << shift
                low[n], high[n] = code, code + block
                n += 1
        column = skip
    return low, high, n


@kernel
def _zone_exists(code: Any, level: Any, zone_codes: Any, zone_levels: Any) -> Any:
    return np.any((zone_codes == code) & (zone_levels == level))


@kernel
def _gather(code: Any) -> Any:
    v = np.uint64(code) & np.uint64(0x5555555555555555)
    v = (v | v >> np.uint64(1)) & np.uint64(0x3333333333333333)
    v = (v | v >> np.uint64(2)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    v = (v | v >> np.uint64(4)) & np.uint64(0x00FF00FF00FF00FF)
    v = (v | v >> np.uint64(8)) & np.uint64(0x0000FFFF0000FFFF)
    return np.int64((v | v >> np.uint64(16)) & np.uint64(0x000000007FFFFFFF))


@kernel
def _cell_exists(code: Any, level: Any, zone_codes: Any, zone_levels: Any) -> Any:
    x, y = _gather(code), _gather(code >> np.uint64(1))
    if not (
        exists(x, np.int64(32), np.int64(1_327_104_000)) and exists(y, np.int64(32), np.int64(663_552_000))
    ):
        return False
    if level >= 8 and y >= (88 << 23):
        return _zone_exists(code & np.uint64(0x7FFFFFFFFFFFFFFF), level, zone_codes, zone_levels)
    return True


@kernel
def _full_parent(codes: Any, levels: Any, n: Any) -> Any:
    """Return how many of the last cells are all the children of one parent, or 0."""
    level = levels[n - 1]
    if level < 2:
        return 0
    step = np.uint64(1) << np.uint64(64 - 2 * level)
    parent = codes[n - 1] & ~(np.uint64(3) * step)
    x, y = _gather(parent), _gather(parent >> np.uint64(1))
    if level >= 8 and y >= (88 << 23):
        return 0
    half = np.int64(1) << (32 - level)
    columns = 1 + np.int64(exists(x + half, np.int64(32), np.int64(1_327_104_000)))
    rows = 1 + np.int64(exists(y + half, np.int64(32), np.int64(663_552_000)))
    count = rows * columns
    if n < count:
        return 0
    for i in range(n - count, n):
        if levels[i] != level or codes[i] & ~(np.uint64(3) * step) != parent:
            return 0
    return count


@kernel
def _coarsest(code: Any, high: Any) -> Any:
    """Return the coarsest level whose cell begins at a code and ends by `high`."""
    level = np.int64(32)
    while level > 1:
        block = (np.uint64(1) << np.uint64(66 - 2 * level)) - np.uint64(1)
        if code & block != 0 or high - code < block:
            break
        level -= 1
    return level


@kernel
def cells_of(low: Any, high: Any, zone_codes: Any, zone_levels: Any) -> Any:
    """Return codes and levels of the fewest existing cells that make up ranges of unsigned codes."""
    codes = np.empty(max(16, 4 * low.size), dtype=np.uint64)
    levels = np.empty(codes.size, dtype=np.uint8)
    n = np.int64(0)
    for i in range(low.size):
        code = low[i]
        while True:
            level = _coarsest(code, high[i])
            block = (np.uint64(1) << np.uint64(64 - 2 * level)) - np.uint64(1)
            if _cell_exists(code, level, zone_codes, zone_levels):
                codes, levels = _grown(codes, n + 1), _grown(levels, n + 1)
                codes[n], levels[n] = code, level
                n = _merge(codes, levels, n + 1)
            if high[i] - code <= block:
                break
            code += block + np.uint64(1)
    return codes[:n], levels[:n]


@kernel
def _merge(codes: Any, levels: Any, n: Any) -> Any:
    """Replace complete families at the end of a list of cells by their parents; return its new length."""
    full = _full_parent(codes, levels, n)
    while full > 0:
        n -= full - 1
        level = np.int64(levels[n - 1]) - 1
        codes[n - 1] &= ~((np.uint64(1) << np.uint64(64 - 2 * level)) - np.uint64(1))
        levels[n - 1] = level
        full = _full_parent(codes, levels, n)
    return n


@kernel
def expand(low: Any, high: Any, level: Any) -> Any:
    """Return the codes of all existing cells of a level in ranges of unsigned codes, in their order."""
    step = np.uint64(1) << np.uint64(64 - 2 * level)
    lat_end = np.int64(648_806_400) if level >= 8 else np.int64(663_552_000)
    out = np.empty(max(16, 4 * low.size), dtype=np.uint64)
    n = np.int64(0)
    for i in range(low.size):
        for k in range(np.int64((high[i] - low[i]) // step) + 1):
            code = low[i] + np.uint64(k) * step
            x, y = _gather(code), _gather(code >> np.uint64(1))
            if exists(x, np.int64(32), np.int64(1_327_104_000)) and exists(y, np.int64(32), lat_end):
                out = _grown(out, n + 1)
                out[n] = code
                n += 1
    return out[:n]


@kernel
def index_table(low: Any, shift: Any, table: Any) -> int:
    """Write for each slot of the codes' high bits the number of ranges that begin before the slot ends."""
    at = np.int64(0)
    base = np.uint64(low[0]) >> shift
    for slot in range(table.size):
        while at < low.size and (np.uint64(low[at]) >> shift) - base <= np.uint64(slot):
            at += 1
        table[slot] = at
    return 0


@kernel
def contains(codes: Any, low: Any, high: Any, shift: Any, table: Any, out: Any) -> int:
    """Write whether each code lies in one of the sorted ranges; all codes have their order as unsigned.

    `table` narrows the search to the ranges that begin in the slot of the code's high bits.
    """
    base = low[0] >> shift
    first, final = low[0], high[high.size - 1]
    for i in range(codes.size):
        code = codes[i]
        if code < first or code > final:
            out[i] = False
            continue
        slot = np.int64((code >> shift) - base)
        begin = table[slot - 1] - 1 if slot > 0 else np.int64(0)
        end = table[slot]
        begin = max(begin, np.int64(0))
        while end - begin > 1:
            half = (begin + end) >> 1
            ahead = low[half] <= code
            begin = half if ahead else begin
            end = end if ahead else half
        out[i] = code <= high[begin]
    return 0
