"""Texts as Arrow keeps them, for compiled loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


def bounds_and_bytes(texts: pa.Array) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return where each text begins and the last one ends, (n + 1,), and the UTF-8 bytes of all; no copy.

    Parameters
    ----------
    texts
        (n,) a column of `string`; a missing text has no bytes.

    """
    _, bounds, data = texts.buffers()
    return np.frombuffer(bounds, np.int32, len(texts) + 1, 4 * texts.offset), np.frombuffer(
        data or b"", np.uint8
    )
