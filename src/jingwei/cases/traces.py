"""Which pairs of characters a text may hold, in 256 bits: so that of a million texts few are looked through.

Chinese words are two characters and more, and nothing parts them; so pairs of characters are what texts are
found by, in any language. A bit may stand for several pairs: who passes is still to be looked through.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

COLUMNS = ("trace0", "trace1", "trace2", "trace3")
"""The columns of a trace, 64 bits each."""
_WIDTH = np.uint64(64)
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_TOP = np.uint64(56)
_GAP = "\0"


def plain(text: str) -> str:
    """Return a text as it is looked through: without the difference of capital letters."""
    return text.lower()


def traces(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Return the traces of texts, an array of shape (texts, 4)."""
    if not texts:
        return np.zeros((0, len(COLUMNS)), np.uint64)
    written = (_GAP.join(texts) + _GAP).encode("utf-32-le", "replace")
    codes: NDArray[np.uint64] = np.frombuffer(written, np.uint32).astype(np.uint64)
    after: NDArray[np.uint64] = np.append(codes[1:], np.uint64(0))
    bit = ((codes * _MIX[0]) ^ (after * _MIX[1])) >> _TOP
    whole = (codes != 0) & (after != 0)
    starts = np.concatenate(([0], np.flatnonzero(codes == 0)[:-1] + 1))
    mask = np.where(whole, np.uint64(1) << (bit % _WIDTH), np.uint64(0))
    columns = [
        np.bitwise_or.reduceat(np.where(bit // _WIDTH == column, mask, np.uint64(0)), starts)
        for column in range(len(COLUMNS))
    ]
    return np.stack(columns, axis=1)


def condition(text: str) -> str:
    """Return the condition in SQL on the columns of a trace for texts that may hold `text`."""
    (wanted,) = traces([text.replace(_GAP, "")])
    clauses = [
        f"({name} & {int(bits)}::UBIGINT) = {int(bits)}::UBIGINT"
        for name, bits in zip(COLUMNS, wanted, strict=True)
        if bits
    ]
    return " AND ".join(clauses) or "TRUE"
