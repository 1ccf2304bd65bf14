"""A compiled loop that reads the numbers that programs write, so that few texts need a second look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei.grid.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZERO, NINE, MINUS, POINT = np.uint64(48), np.uint64(9), np.uint64(45), np.uint64(2**64 + 46 - 48)
"""Characters; the point as it is when the one of zero is taken off it."""

LONGEST = np.uint64(15)
"""Characters up to which the digits of a number are less than 2**53, and so a double without rounding."""

POWERS = 10.0 ** np.arange(int(LONGEST))

NONE, ONE, TEN = np.uint64(0), np.uint64(1), np.uint64(10)

OTHER, WHOLE, FRACTIONS = 0, 1, 2
"""What some texts are: not all plain numbers, whole numbers, numbers of which some have a fraction."""


@kernel
def plain_numbers(
    offsets: NDArray[np.int32],
    data: NDArray[np.uint8],
    whole: NDArray[np.int64],
    fractions: NDArray[np.float64],
) -> tuple[int, int]:
    """Read texts like `12`, `-3` or `-0.250`, of at most 15 characters and without needless zeros in front.

    A quotient of two doubles is rounded once, and the digits and the power of ten are exact: so the double is
    the one nearest to what is written (Clinger, How to read floating point numbers accurately, 1990). Places
    are numbers without a sign, which spares the loop the question whether they count from the end.

    Parameters
    ----------
    offsets, data
        Of the texts, as Arrow keeps them; an empty one is left out.
    whole, fractions
        Filled with the numbers; `whole` only where all are whole.

    Returns
    -------
    kind, empty
        `OTHER` as soon as one text is not so written, else `WHOLE` or `FRACTIONS`; and how many are empty.

    """
    kind, empty = WHOLE, 0
    for row in range(len(whole)):
        at, end = np.uint64(offsets[row]), np.uint64(offsets[row + 1])
        if at == end:
            whole[row], fractions[row] = 0, 0.0
            empty += 1
            continue
        if end - at > LONGEST:
            return OTHER, empty
        negative = data[at] == MINUS
        if negative:
            at += ONE
        first, behind_point, digits = at, NONE, NONE
        while at < end:
            digit = np.uint64(data[at]) - ZERO
            at += ONE
            if digit <= NINE:
                digits = digits * TEN + digit
            elif digit == POINT and behind_point == NONE and at > first + ONE:
                behind_point = at
            else:
                return OTHER, empty
        before_point = end - first if behind_point == NONE else behind_point - ONE - first
        if behind_point == end or before_point == NONE:
            return OTHER, empty
        if data[first] == ZERO and before_point > ONE:
            return OTHER, empty
        value = np.int64(digits)
        number = np.float64(value)
        if behind_point != NONE:
            number /= POWERS[end - behind_point]
        if behind_point != NONE or (negative and value == 0):  # as a whole number, -0 would lose its sign
            kind = FRACTIONS
        whole[row], fractions[row] = (-value, -number) if negative else (value, number)
    return kind, empty
