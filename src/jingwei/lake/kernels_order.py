"""A compiled loop that finds the order of whole numbers; to compare them would take several times as long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei.grid.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

BITS = 8
"""Bits of a digit: its counts fit into the processor's nearest cache."""

DIGIT = np.uint64((1 << BITS) - 1)


@kernel
def rising(keys: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the places of keys in rising order; equal ones keep theirs (radix sort from the last digit).

    Parameters
    ----------
    keys
        (n,) any numbers, n being at least 1 and less than 2**31.

    """
    count = len(keys)
    least, greatest = keys.min(), keys.max()
    span = np.uint64(greatest) - np.uint64(least)
    digits = 0
    while digits * BITS < 64 and span >> np.uint64(digits * BITS) > 0:
        digits += 1
    begins = np.zeros((max(digits, 1), 1 << BITS), np.int64)
    values, places = np.empty(count, np.uint64), np.empty(count, np.int32)
    for row in range(count):
        value = np.uint64(keys[row]) - np.uint64(least)
        values[row], places[row] = value, row
        for digit in range(digits):
            begins[digit, (value >> np.uint64(digit * BITS)) & DIGIT] += 1
    further, theirs = np.empty(count, np.uint64), np.empty(count, np.int32)
    for digit in range(digits):
        begin, shift, total = begins[digit], np.uint64(digit * BITS), 0
        if begin.max() == count:  # the same in all keys
            continue
        for each in range(1 << BITS):
            total, begin[each] = total + begin[each], total
        for row in range(count):
            each = (values[row] >> shift) & DIGIT
            at = begin[each]
            begin[each] = at + 1
            further[at], theirs[at] = values[row], places[row]
        values, further = further, values
        places, theirs = theirs, places
    return places
