"""Compiled loops that note values in a sketch of how many different ones there are (HyperLogLog)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jingwei.grid.kernels import kernel
from jingwei.lake.distinct import BITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

REST = np.uint64(64 - BITS)
STOP = np.uint64(1 << (BITS - 1))
"""Ends the run of zeros that is counted."""

TOP, ALL = np.uint64(1 << 63), np.uint64((1 << 64) - 1)
ONE, EIGHT, SHIFT = np.uint64(1), np.uint64(8), np.uint64(BITS)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
THIRTY, TWENTY_SEVEN, THIRTY_ONE, HALF = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)


@kernel
def _mixed(value: Any) -> Any:
    """Return 64 bits of which each depends on all of `value` (SplitMix64, Steele, Lea and Flood 2014)."""
    value = (value ^ (value >> THIRTY)) * FIRST
    value = (value ^ (value >> TWENTY_SEVEN)) * SECOND
    return value ^ (value >> THIRTY_ONE)


@kernel
def _note(registers: Any, value: Any) -> None:
    rest = (value << SHIFT) | STOP
    register = value >> REST
    if rest > ALL >> np.uint64(registers[register]):  # as it mostly is: a run as long was seen before
        return
    rank = 1
    while rest < TOP:
        rest <<= ONE
        rank += 1
    registers[register] = rank


@kernel
def note_numbers(values: NDArray[np.uint64], registers: NDArray[np.uint8]) -> None:
    """Note numbers, as their 64 bits.

    Parameters
    ----------
    values
        (n,) bits; equal values have equal ones.
    registers
        (`REGISTERS`,) the longest run seen in each share of the hashes, renewed in place (Flajolet et al.,
        HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm, 2007).

    """
    for row in range(len(values)):
        _note(registers, _mixed(values[row] + GOLDEN))


@kernel
def note_texts(bounds: NDArray[np.int32], data: NDArray[np.uint8], registers: NDArray[np.uint8]) -> None:
    """Note texts; see `note_numbers`.

    Parameters
    ----------
    bounds, data
        Of n texts, as Arrow keeps them: (n + 1,) where each begins and the last ends, and their bytes.
    registers
        Renewed in place.

    """
    for row in range(len(bounds) - 1):
        at, end = np.uint64(bounds[row]), np.uint64(bounds[row + 1])
        value = (end - at) * GOLDEN
        while at + EIGHT <= end:
            word = np.uint64(0)
            for place in range(EIGHT):
                word |= np.uint64(data[at + place]) << (EIGHT * place)
            value = (value ^ word) * FIRST
            value ^= value >> HALF
            at += EIGHT
        word = np.uint64(0)
        while at < end:
            word = (word << EIGHT) | np.uint64(data[at])
            at += ONE
        _note(registers, _mixed((value ^ word) * SECOND))
