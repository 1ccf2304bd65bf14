"""Open Parquet files of published versions, kept open between questions because they never change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from jingwei.lake.schemas import DataFile

MAX_OPEN = 512
"""Files kept open at once; the one not asked for longest is closed first."""

MAX_SPANS = 4_096

MAX_COPIES = 4
"""Open handles of one file: a handle serves one question at a time."""


@dataclass(frozen=True, slots=True)
class Spans:
    """The cells (stored, inclusive) that the row groups of a file span; those without any are left out."""

    numbers: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]

    def meeting(self, ranges: NDArray[np.int64]) -> list[int]:
        """Return the numbers of the groups that may hold a cell of one of the (n, 2) ranges."""
        met = np.zeros(len(self.numbers), bool)
        for low, high in ranges.tolist():
            met |= (self.low <= high) & (self.high >= low)
        return [int(number) for number in self.numbers[met]]


class OpenFiles:
    """A pool of open files under one folder. Opening costs more than reading a few thousand rows."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._idle: OrderedDict[str, list[pq.ParquetFile]] = OrderedDict()
        self._spans: OrderedDict[str, Spans] = OrderedDict()
        self._mutex = threading.Lock()

    def spans(self, dataset: str, folder: str, file: DataFile) -> Spans:
        """Return which cells the row groups of a file span."""
        path = f"{dataset}/{folder}/{file.path}"
        with self._mutex:
            kept = self._spans.get(path)
        if kept is None:
            placed = [(n, g.low, g.high) for n, g in enumerate(file.groups) if g.low is not None]
            table = np.array(placed, np.int64).reshape(-1, 3)
            kept = Spans(table[:, 0], table[:, 1], table[:, 2])
            with self._mutex:
                self._spans[path] = kept
                if len(self._spans) > MAX_SPANS:
                    self._spans.popitem(last=False)
        return kept

    @contextmanager
    def opened(self, dataset: str, folder: str, file: DataFile) -> Iterator[pq.ParquetFile]:
        """Lend an open file to one question."""
        path = f"{self.root}/{dataset}/{folder}/{file.path}"
        with self._mutex:
            idle = self._idle.get(path)
            handle = idle.pop() if idle else None
        if handle is None:
            handle = pq.ParquetFile(path, memory_map=True)
        try:
            yield handle
        finally:
            self._give_back(path, handle)

    def _give_back(self, path: str, handle: pq.ParquetFile) -> None:
        with self._mutex:
            idle = self._idle.setdefault(path, [])
            self._idle.move_to_end(path)
            if len(idle) < MAX_COPIES:
                idle.append(handle)
                handle = None
            closing = [] if len(self._idle) <= MAX_OPEN else self._idle.popitem(last=False)[1]
        for old in (*closing, *([handle] if handle is not None else [])):
            old.close()

    def close(self) -> None:
        """Close all files that no question holds."""
        with self._mutex:
            handles = [handle for idle in self._idle.values() for handle in idle]
            self._idle.clear()
        for handle in handles:
            handle.close()
