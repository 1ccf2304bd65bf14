"""The compiled loops between numbers and texts: codes as rows of ASCII bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from jingwei.grid import beidou, geosot
from jingwei.grid.kernels import (
    LAT_LAST,
    LON_LAST,
    SNAP,
    TICKS_PER_DEGREE,
    _gather,
    _pack,
    _spread,
    _unpack,
    kernel,
)

HEX = np.frombuffer(beidou.HEX.encode(), dtype=np.uint8)
VALUE = np.full(256, 255, dtype=np.uint8)
VALUE[HEX] = np.arange(16)
LETTER = np.full(256, 255, dtype=np.uint8)
LETTER[np.frombuffer(beidou.ROWS.encode(), dtype=np.uint8)] = np.arange(22)
LENGTH = np.array(beidou.LENGTH)
LEVEL_OF_LENGTH = np.full(22, -1)
LEVEL_OF_LENGTH[LENGTH] = np.arange(11)
TWIN_MASK = np.array(
    [geosot.level_mask(beidou.TWIN_LEVEL.get(level, 0)) for level in range(11)], dtype=np.uint64
)
TWIN_LEVEL = np.array([beidou.TWIN_LEVEL.get(level, 0) for level in range(11)], dtype=np.uint8)
LAT_LIMIT = 88.0 * TICKS_PER_DEGREE
ZERO, NORTH, SOUTH, FIRST_ROW, LEAD = (np.uint8(ord(letter)) for letter in "0NSAG")
DASH, POINT, THREE = (np.uint8(ord(letter)) for letter in "-.3")
SPACE = np.zeros(256, dtype=np.bool_)
SPACE[[code for code in range(128) if chr(code).isspace()]] = True
LENGTH_3D = np.full(34, -1)
LENGTH_3D[[beidou.LENGTH[level] + level + (2 if level else 1) for level in range(11)]] = np.arange(11)
"""Level of a three-dimensional code by its length."""


@kernel
def _write(row: Any, west: Any, x: Any, south: Any, y: Any, level: Any) -> Any:
    """Write the BeiDou code of a point in ticks; constant divisors compile to multiplications."""
    x, y = np.uint64(x), np.uint64(y)
    column, band = x // np.uint64(44_236_800), y // np.uint64(29_491_200)
    x -= column * np.uint64(44_236_800)
    y -= band * np.uint64(29_491_200)
    sheet = np.uint64(30) - column if west else np.uint64(31) + column
    row[0] = SOUTH if south else NORTH
    row[1] = ZERO + np.uint8(sheet // np.uint64(10))
    row[2] = ZERO + np.uint8(sheet % np.uint64(10))
    row[3] = FIRST_ROW + np.uint8(band)
    if level < 2:
        return
    a, b = x // np.uint64(3_686_400), y // np.uint64(3_686_400)
    x -= a * np.uint64(3_686_400)
    y -= b * np.uint64(3_686_400)
    row[4], row[5] = HEX[a], HEX[b]
    if level < 3:
        return
    a, b = x // np.uint64(1_843_200), y // np.uint64(1_228_800)
    x -= a * np.uint64(1_843_200)
    y -= b * np.uint64(1_228_800)
    row[6] = HEX[np.uint64(2) * b + a]
    if level < 4:
        return
    a, b = x // np.uint64(122_880), y // np.uint64(122_880)
    x -= a * np.uint64(122_880)
    y -= b * np.uint64(122_880)
    row[7], row[8] = HEX[a], HEX[b]
    if level < 5:
        return
    row[9], row[10] = HEX[x >> np.uint64(13)], HEX[y >> np.uint64(13)]
    if level < 6:
        return
    one, seven = np.uint64(1), np.uint64(7)
    row[11] = HEX[(y >> np.uint64(12) & one) * np.uint64(2) + (x >> np.uint64(12) & one)]
    if level < 7:
        return
    row[12], row[13] = HEX[x >> np.uint64(9) & seven], HEX[y >> np.uint64(9) & seven]
    if level < 8:
        return
    row[14], row[15] = HEX[x >> np.uint64(6) & seven], HEX[y >> np.uint64(6) & seven]
    if level < 9:
        return
    row[16], row[17] = HEX[x >> np.uint64(3) & seven], HEX[y >> np.uint64(3) & seven]
    if level < 10:
        return
    row[18], row[19] = HEX[x & seven], HEX[y & seven]


@kernel
def beidou_of_points(lon: Any, lat: Any, level: Any, out: Any) -> int:
    """Write the BeiDou code of each point, zeros for a bad or polar one; return how many are bad or polar."""
    bad = np.int64(0)
    for i in range(lon.size):
        x, y = abs(lon[i]), abs(lat[i])
        tx = min(np.floor(x * TICKS_PER_DEGREE + SNAP), LON_LAST)
        ty = np.floor(y * TICKS_PER_DEGREE + SNAP)
        if x <= 180.0 and y <= 90.0 and ty < LAT_LIMIT:
            _write(out[i], lon[i] < 0.0, tx, lat[i] < 0.0, ty, level)
        else:
            out[i, :] = np.uint8(0)
            bad += 1
    return int(bad)


@kernel
def beidou_of_codes(codes: Any, mask: Any, level: Any, out: Any) -> int:
    """Write the BeiDou code of each GeoSOT cell, zeros for a code that is none; return how many are none."""
    bad = np.int64(0)
    for i in range(codes.size):
        code = codes[i] & mask
        ex, ey = np.int64(_gather(code)), np.int64(_gather(code >> np.uint64(1)))
        x, x_ok = _unpack(ex & 0x7FFFFFFF)
        y, y_ok = _unpack(ey & 0x7FFFFFFF)
        if x_ok and y_ok and x <= LON_LAST and y < LAT_LIMIT:
            _write(out[i], ex >> 31 == 1, x, ey >> 31 == 1, y, level)
        else:
            out[i, :] = np.uint8(0)
            bad += 1
    return int(bad)


@kernel
def _read(row: Any, length: Any) -> Any:
    """Return validity, hemispheres, ticks and level of a BeiDou code; polar codes are not valid here."""
    level = LEVEL_OF_LENGTH[length] if length <= 20 else -1
    if level < 1:
        return False, False, 0, False, 0, 0
    south = row[0] == SOUTH
    tens, ones, band = VALUE[row[1]], VALUE[row[2]], LETTER[row[3]]
    sheet = np.int64(tens) * 10 + np.int64(ones)
    ok = (south or row[0] == NORTH) and tens < 10 and ones < 10 and 1 <= sheet <= 60 and band < 22
    west = sheet <= 30
    x = (30 - sheet if west else sheet - 31) * 44_236_800
    y = np.int64(band) * 29_491_200
    if level >= 2:
        a, b = VALUE[row[4]], VALUE[row[5]]
        ok = ok and a < 12 and b < 8
        x, y = x + np.int64(a) * 3_686_400, y + np.int64(b) * 3_686_400
    if level >= 3:
        a = VALUE[row[6]]
        ok = ok and a < 6
        x, y = x + np.int64(a & 1) * 1_843_200, y + np.int64(a >> 1) * 1_228_800
    if level >= 4:
        a, b = VALUE[row[7]], VALUE[row[8]]
        ok = ok and a < 15 and b < 10
        x, y = x + np.int64(a) * 122_880, y + np.int64(b) * 122_880
    if level >= 5:
        a, b = VALUE[row[9]], VALUE[row[10]]
        ok = ok and a < 15 and b < 15
        x, y = x + np.int64(a) * 8_192, y + np.int64(b) * 8_192
    if level >= 6:
        a = VALUE[row[11]]
        ok = ok and a < 4
        x, y = x + np.int64(a & 1) * 4_096, y + np.int64(a >> 1) * 4_096
    size = 512
    for at in range(12, length, 2):
        a, b = VALUE[row[at]], VALUE[row[at + 1]]
        ok = ok and a < 8 and b < 8
        x, y = x + np.int64(a) * size, y + np.int64(b) * size
        size >>= 3
    return ok, west, x, south, y, level


@kernel
def _extent(row: Any) -> Any:
    """Return where a text begins and ends within its row, without padding and spaces."""
    end = row.size
    while end > 0 and (row[end - 1] == 0 or SPACE[row[end - 1]]):
        end -= 1
    begin = 0
    while begin < end and SPACE[row[begin]]:
        begin += 1
    return begin, end


@kernel
def _twin(west: Any, x: Any, south: Any, y: Any, level: Any) -> Any:
    lat = _pack(float(y)) | np.int64(south) << 31
    lon = _pack(float(x)) | np.int64(west) << 31
    return (_spread(lat) << np.uint64(1) | _spread(lon)) & TWIN_MASK[level]


@kernel
def codes_of_beidou(rows: Any, codes: Any, levels: Any) -> int:
    """Write code and GeoSOT level of each BeiDou code of levels 4-10, zeros for others; count the others."""
    bad = np.int64(0)
    for i in range(rows.shape[0]):
        begin, end = _extent(rows[i])
        ok, west, x, south, y, level = _read(rows[i, begin:], end - begin)
        if ok and level >= 4:
            codes[i] = _twin(west, x, south, y, level)
            levels[i] = TWIN_LEVEL[level]
        else:
            codes[i], levels[i] = np.uint64(0), np.uint8(0)
            bad += 1
    return int(bad)


@kernel
def codes_of_quaternary(rows: Any, codes: Any, levels: Any) -> int:
    """Write code and level of each quaternary text, zeros for what is none, polar or `G`; count those."""
    bad = np.int64(0)
    for i in range(rows.shape[0]):
        begin, end = _extent(rows[i])
        code, level, ok = _digits(rows[i, begin:end])
        if ok:
            x, x_ok = _unpack(np.int64(_gather(code)) & 0x7FFFFFFF)
            y, y_ok = _unpack(np.int64(_gather(code >> np.uint64(1))) & 0x7FFFFFFF)
            ok = x_ok and y_ok and x <= LON_LAST and y <= LAT_LAST and (level < 8 or y < LAT_LIMIT)
        codes[i], levels[i] = (code, np.uint8(level)) if ok else (np.uint64(0), np.uint8(0))
        bad += np.int64(not ok)
    return int(bad)


@kernel
def _digits(row: Any) -> Any:
    """Return the code and level of `G` and digits, with separators where figure 12 has them or without."""
    code, level = np.uint64(0), np.int64(0)
    ok = row.size > 1 and row[0] == LEAD
    after = False
    for at in range(1, row.size):
        digit = row[at]
        if ZERO <= digit <= THREE and level < 32:
            code |= np.uint64(digit - ZERO) << np.uint64(62 - 2 * level)
            level += 1
            after = False
        elif not after and ((digit == DASH and (level in (9, 15))) or (digit == POINT and level == 21)):
            after = True
        else:
            ok = False
    return code, level, ok and not after


@kernel
def solids_of_texts(
    rows: Any, units: Any, last: Any, twos: Any, end: Any, codes: Any, levels: Any, low: Any, high: Any
) -> int:
    """Write code, GeoSOT level and layer of each three-dimensional code of levels 4-10; count the others.

    Parameters
    ----------
    units, last : int64 arrays of 11
        Thickness of a layer and highest digit of each level, in a profile.
    twos : bool
        Below ground the count is a complement (of `units[0]`), else an absolute value.
    end : int
        Ticks at which the layers end, above and below.
    """
    bad = np.int64(0)
    plane, height = np.zeros(20, np.uint8), np.zeros(12, np.int64)
    for i in range(rows.shape[0]):
        begin, stop = _extent(rows[i])
        length = stop - begin
        level = LENGTH_3D[length] if length <= 32 else -1
        ok = level >= 4
        if ok:
            at, n, h = begin, 0, 0
            for stage in range(level + 1):
                while n < LENGTH[stage]:
                    plane[n] = rows[i, at]
                    n, at = n + 1, at + 1
                for _ in range(2 if stage == 1 else 1):
                    height[h] = VALUE[rows[i, at]]
                    h, at = h + 1, at + 1
            ok, west, x, south, y, _ = _read(plane, LENGTH[level])
            good, count = _count(height, level, units, last)
            negative = height[0] == 1
            bottom, top = count, count + units[level]
            if negative and twos:
                bottom, top = bottom - units[0], top - units[0]
            elif negative:
                bottom, top = 1 - top, min(1 - bottom, 0)
            bottom, top = max(bottom, -end), min(top, end)
            ok = ok and good and bottom < top
        if ok:
            codes[i], levels[i] = _twin(west, x, south, y, level), TWIN_LEVEL[level]
            low[i], high[i] = bottom, top
        else:
            codes[i], levels[i], low[i], high[i] = np.uint64(0), np.uint8(0), 0, 0
            bad += 1
    return int(bad)


@kernel
def _count(height: Any, level: Any, units: Any, last: Any) -> Any:
    """Return whether height digits are of their alphabets, and the ticks that they count, without a sign."""
    ok = height[0] <= 1 and height[1] <= 9 and height[2] <= 9
    number = 10 * height[1] + height[2]
    ok = ok and number <= last[1]
    count = number * units[1]
    for deeper in range(2, level + 1):
        ok = ok and height[deeper + 1] <= last[deeper]
        count += height[deeper + 1] * units[deeper]
    return ok, count


@kernel
def quaternary_of_codes(codes: Any, level: Any, separators: Any, out: Any) -> int:
    """Write `G` and the digits of each code, with the separators of GB/T 40087, figure 12."""
    for i in range(codes.size):
        at = 1
        out[i, 0] = np.uint8(71)
        for digit in range(level):
            if separators and digit in (9, 15, 21):
                out[i, at] = np.uint8(46) if digit == 21 else np.uint8(45)
                at += 1
            out[i, at] = ZERO + np.uint8(codes[i] >> np.uint64(62 - 2 * digit) & np.uint64(3))
            at += 1
    return 0
