"""A compiled loop that reads the times that programs write, so that few need a second, slower look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jingwei.grid.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZERO, NINE = 48, 57
ONE = np.uint64(1)
DASH, SLASH, BLANK, COLON, POINT, LETTER_T, LETTER_Z = 45, 47, 32, 58, 46, 84, 90
DAY, MINUTE, SECOND, MILLISECOND, MICROSECOND = 2, 4, 5, 6, 7
"""Places in `jingwei.lake.times.PRECISIONS`."""


@kernel
def _number(data: Any, at: int, digits: int) -> int:
    """Return so many digits as a number, -1 where one is none."""
    value = 0
    for place in range(at, at + digits):
        if data[place] < ZERO or data[place] > NINE:
            return -1
        value = 10 * value + data[place] - ZERO
    return value


@kernel
def _month(year: int, month: int) -> tuple[int, int]:
    """Return the days from 1970-01-01 to the day before a month, and its length, 0 for none (Gregorian)."""
    if year < 1 or month < 1 or month > 12:
        return 0, 0
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    longest = 31
    if month == 2:
        longest = 29 if leap else 28
    elif month in (4, 6, 9, 11):
        longest = 30
    # Howard Hinnant, days_from_civil: years begin in March, eras have 400 of them.
    shifted = year - (1 if month <= 2 else 0)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5
    return int(era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_469), longest


@kernel
def _clock(data: Any, at: int, end: int) -> tuple[int, int]:
    """Return microseconds since midnight and the precision of `HH:MM[:SS[.ffffff]]`, -1 where it is none."""
    hour, minute, second, micro = _number(data, at, 2), _number(data, at + 3, 2), 0, 0
    if data[at + 2] != COLON:
        return -1, 0
    precision = MINUTE
    if end > at + 5:
        if end < at + 8 or data[at + 5] != COLON:
            return -1, 0
        second, precision = _number(data, at + 6, 2), SECOND
    if end > at + 8:
        digits = end - at - 9
        if data[at + 8] != POINT or digits < 1 or digits > 6:
            return -1, 0
        micro = _number(data, at + 9, digits)
        if micro < 0:
            return -1, 0
        for _ in range(6 - digits):
            micro *= 10
        precision = MILLISECOND if digits <= 3 else MICROSECOND
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return -1, 0
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + micro, precision


@kernel
def plain_times(
    offsets: NDArray[np.int32],
    data: NDArray[np.uint8],
    local: NDArray[np.int64],
    precision: NDArray[np.int8],
    in_utc: NDArray[np.bool_],
) -> int:
    """Read texts like `2026-01-31`, `2026/01/31 08:30`, `2026-01-31T08:30:15.25Z`; return how many were read.

    Parameters
    ----------
    offsets, data
        Of the texts, as Arrow keeps them.
    local
        Filled with microseconds since 1970-01-01 as written.
    precision
        Filled with the place in `PRECISIONS`, -1 for a text that is none of these.
    in_utc
        Filled with whether a `Z` ends the text.

    """
    read = 0
    year, month, before, longest = 0, 0, 0, 0
    for row in range(len(local)):
        precision[row] = -1
        start, end = offsets[row], offsets[row + 1]
        if end - start < 10:
            continue
        mark = data[start + 4]
        if (mark not in (DASH, SLASH)) or data[start + 7] != mark:
            continue
        of_year, of_month = _number(data, start, 4), _number(data, start + 5, 2)
        if of_year != year or of_month != month:  # mostly it is the month of the row before
            year, month = of_year, of_month
            before, longest = _month(year, month)
        day = _number(data, start + 8, 2)
        if day < 1 or day > longest:
            continue
        micro, known = 0, DAY
        if end - start > 10:
            between = data[start + 10]
            in_utc[row] = data[end - 1] == LETTER_Z
            if in_utc[row]:
                end -= 1
            if (between not in (BLANK, LETTER_T)) or end - start < 16:
                continue
            micro, known = _clock(data, start + 11, end)
            if micro < 0:
                continue
        local[row] = (before + day) * 86_400_000_000 + micro
        precision[row] = known
        read += 1
    return read


@kernel
def _two(data: Any, at: Any) -> int:
    """Return two digits as a number, -1 where one is none."""
    tens, ones = data[at] - ZERO, data[at + ONE] - ZERO
    return 10 * tens + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -1


@kernel
def are_to_the_second(begins: NDArray[np.int32], data: NDArray[np.uint8]) -> bool:
    """Say whether texts are all times like `2026-01-31 08:30:15` (or with `T`) of the years from 1000 on.

    Parameters
    ----------
    begins
        Where each text begins, which is of 19 bytes.
    data
        The bytes of all.

    """
    seen = np.uint64(0)
    for row in range(len(begins)):
        at = np.uint64(begins[row])
        again = row > 0  # mostly it is the day of the row before
        for place in range(10):
            again = again and data[at + np.uint64(place)] == data[seen + np.uint64(place)]
        if not again:
            century, year = _two(data, at), _two(data, at + np.uint64(2))
            month, day = _two(data, at + np.uint64(5)), _two(data, at + np.uint64(8))
            if century < 10 or year < 0 or data[at + np.uint64(4)] != DASH or data[at + np.uint64(7)] != DASH:
                return False
            if day < 1 or day > _month(100 * century + year, month)[1]:
                return False
            seen = at
        between = data[at + np.uint64(10)]
        if between not in (BLANK, LETTER_T):
            return False
        if data[at + np.uint64(13)] != COLON or data[at + np.uint64(16)] != COLON:
            return False
        hour, minute = _two(data, at + np.uint64(11)), _two(data, at + np.uint64(14))
        second = _two(data, at + np.uint64(17))
        if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
            return False
    return True
