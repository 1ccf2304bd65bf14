"""A compiled loop that reads the numbers that programs write, so that few texts need a second look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jingwei.grid.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZERO, NINE, MINUS, POINT = 48, 57, 45, 46
LONGEST = 15
"""Characters up to which the digits of a number are less than 2**53, and so a double without rounding."""

POWERS = 10.0 ** np.arange(LONGEST)

OTHER, WHOLE, FRACTIONS = 0, 1, 2
"""What some texts are: not all plain numbers, whole numbers, numbers of which some have a fraction."""


@kernel
def _digits(data: Any, at: int, end: int, value: int) -> tuple[int, int]:
    """Return the number that digits add to `value`, and where the first other character stands."""
    while at < end and data[at] >= ZERO and data[at] <= NINE:
        value = 10 * value + data[at] - ZERO
        at += 1
    return value, at


@kernel
def plain_numbers(
    offsets: NDArray[np.int32],
    data: NDArray[np.uint8],
    whole: NDArray[np.int64],
    fractions: NDArray[np.float64],
) -> tuple[int, int]:
    """Read texts like `12`, `-3` or `-0.250`, of at most 15 characters and without needless zeros in front.

    A quotient of two doubles is rounded once, and the digits and the power of ten are exact: so the double is
    the one nearest to what is written (Clinger, How to read floating point numbers accurately, 1990).

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
        at, end = offsets[row], offsets[row + 1]
        whole[row], fractions[row] = 0, 0.0
        if at == end:
            empty += 1
            continue
        if end - at > LONGEST:
            return OTHER, empty
        negative = data[at] == MINUS
        first = at + 1 if negative else at
        value, at = _digits(data, first, end, 0)
        if at == first or (at - first > 1 and data[first] == ZERO):
            return OTHER, empty
        scale = 0
        if at < end:
            point = at
            value, at = _digits(data, point + 1, end, value)
            scale = at - point - 1
            if data[point] != POINT or scale == 0 or at < end:
                return OTHER, empty
            kind = FRACTIONS
        elif negative and value == 0:
            return OTHER, empty
        number = value / POWERS[scale]
        whole[row], fractions[row] = (-value, -number) if negative else (value, number)
    return kind, empty
