"""The array types in which the generator's modules speak."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Geometries = NDArray[np.object_]
Texts = NDArray[Any]


def totals(group: Ints, values: Floats, count: int = 0) -> Floats:
    """Return the sum of values in each group; groups are numbered from 0."""
    return np.asarray(np.bincount(group, values, minlength=count), dtype=np.float64)
