"""Some streams, and which of many rows are of them."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPARE = 1_000_000
"""Numbers beyond four for each stream up to which a table says it of every number."""
_names = count(1)


class Chosen:
    """Streams, by number.

    Parameters
    ----------
    streams
        Different numbers, in order.

    Attributes
    ----------
    name
        A number that no other choice has.

    """

    def __init__(self, streams: NDArray[np.int64]) -> None:
        self.streams = streams
        self.name = next(_names)
        last = int(streams[-1]) if len(streams) else -1
        self._table: NDArray[np.int32] | None = None
        if (not len(streams) or streams[0] >= 0) and last < 4 * len(streams) + SPARE:
            self._table = np.full(last + 2, -1, np.int32)
            self._table[streams] = np.arange(len(streams), dtype=np.int32)

    def __len__(self) -> int:
        return len(self.streams)

    def places(self, streams: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return of each stream which one it is of the chosen, -1 where it is none of them."""
        if self._table is not None:
            beyond = len(self._table) - 1  # of it the table says -1
            return self._table[np.where((streams < 0) | (streams > beyond), beyond, streams)]
        at = np.minimum(np.searchsorted(self.streams, streams), len(self.streams) - 1)
        return np.where(self.streams[at] == streams, at, -1).astype(np.int32)

    def holds(self, streams: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say of each stream whether it is chosen."""
        held: NDArray[np.bool_] = self.places(streams) >= 0
        return held
