"""How alike two texts are, by the characters that must be changed (Levenshtein), for columns of millions.

DuckDB's own function counts bytes, of which a Chinese character has three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from numpy.typing import NDArray


def likeness(left: pa.Array | pa.ChunkedArray, right: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """Return 1 - changes / length of the longer text, pair by pair; 0 where one is missing or empty.

    Parameters
    ----------
    left, right
        Texts, of one length.

    """
    from jingwei.lake.kernels_link import changes_of_pairs

    a, starts_a = _characters(left)
    b, starts_b = _characters(right)
    lengths_a, lengths_b = np.diff(starts_a), np.diff(starts_b)
    longest = np.maximum(lengths_a, lengths_b)
    changes = changes_of_pairs(a, starts_a, b, starts_b)
    alike = 1.0 - changes / np.maximum(longest, 1)
    return np.where((lengths_a > 0) & (lengths_b > 0), alike, 0.0)


def _characters(texts: Any) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the code points of all texts one after another, and where each begins (one more at the end)."""
    flat = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    flat = pc.fill_null(flat.cast(pa.large_string()), "")
    starts = np.zeros(len(flat) + 1, np.int64)
    np.cumsum(pc.utf8_length(flat).to_numpy(zero_copy_only=False), out=starts[1:])
    offsets = np.frombuffer(flat.buffers()[1], np.int64)[flat.offset : flat.offset + len(flat) + 1]
    data = flat.buffers()[2]
    bytes_ = data.to_pybytes()[offsets[0] : offsets[-1]] if data is not None and len(flat) else b""
    return np.frombuffer(bytes_.decode().encode("utf-32-le"), np.uint32), starts
