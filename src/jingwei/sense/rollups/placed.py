"""Streams and where they are, as finely as it may be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Placed:
    """Streams in order, the code of level 32 where each is, and the finest level at which that is told."""

    streams: NDArray[np.int64]
    cells: NDArray[np.uint64]
    levels: NDArray[np.int8]

    def and_those(self, others: Placed) -> Placed:
        """Return these and those of others that are none of these."""
        new = ~np.isin(others.streams, self.streams)
        streams = np.concatenate([self.streams, others.streams[new]])
        order = np.argsort(streams)
        return Placed(
            streams[order],
            np.concatenate([self.cells, others.cells[new]])[order],
            np.concatenate([self.levels, others.levels[new]])[order],
        )
