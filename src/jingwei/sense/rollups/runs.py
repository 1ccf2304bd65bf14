"""What a frame has of some of its streams, run by run, so that a large zone need not be added up anew.

A frame's nodes are of all streams (`jingwei.sense.rollups.frames`). Whoever may be told of some alone has no
use for them; instead the figures of those in each run of a frame's streams are kept in memory, and an answer
reads one by one only the streams of the runs in which a zone begins and ends. They hold as long as the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jingwei.lake.summing import Figures, combined, joined, spread, taken
from jingwei.records.recent import Recent
from jingwei.sense.rollups.frames import Leaves, figures_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from jingwei.sense.rollups.chosen import Chosen
    from jingwei.sense.rollups.frames import Stored

RUN = 128
"""Streams of a run."""
FEW = 1_024
"""Streams of a frame in a zone that are read one by one: so few need no runs."""
MOST_BYTES = 1 << 27
NONE = Leaves.none().figures
Key = tuple[int, Any, int]


@dataclass(frozen=True, slots=True)
class Runs:
    """Figures of the chosen of a frame's streams, run by run; `bounds` are the first codes, and the last."""

    bounds: NDArray[np.uint64]
    figures: Figures

    @property
    def size(self) -> int:
        """How many bytes it takes up."""
        return 48 * len(self.bounds)


def runs_of(leaves: NDArray[Any], chosen: Chosen) -> Runs:
    """Return the runs of all streams of a frame, as rows of `LEAF`."""
    kept = np.flatnonzero(chosen.holds(leaves["stream"]))
    begins = np.flatnonzero(np.diff(kept // RUN, prepend=-1))
    figures = combined(figures_of(leaves[kept]), begins)
    count = -(-len(leaves) // RUN)
    return Runs(
        np.append(leaves["cell"][::RUN], leaves["cell"][-1:]), spread(figures, kept[begins] // RUN, count)
    )


class KeptRuns:
    """The runs that were asked for last."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._kept: Recent[Key, dict[int, Runs]] = Recent(
            most, lambda kept: sum(one.size for one in kept.values())
        )

    def forget(self, frames: Iterable[Key]) -> None:
        """Let go of those of some frames."""
        for key in frames:
            self._kept.forget(key)

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()

    def of(self, key: Key, frame: Stored, ranges: Sequence[tuple[int, int]], chosen: Chosen) -> Figures:
        """Return what the chosen streams have in some ranges of a frame's cells: figures of any number.

        Parameters
        ----------
        key
            Property, kind and start of the frame.
        frame
            Where it lies.
        ranges
            First and last code of level 32 of each, none of which has a cell in common with another.
        chosen
            The streams.

        """
        kept = self._kept.get(key) or {}
        runs = kept.get(chosen.name)
        parts: list[Figures] = []
        for first, last in ranges:
            if runs is None:
                low, high = frame.between(first, last)
                if high - low <= FEW:
                    rows = frame.leaves(low, high)
                    parts.append(figures_of(rows[chosen.holds(rows["stream"])]))
                    continue
                runs = runs_of(frame.leaves(0, len(frame)), chosen)
                self._kept.put(key, kept | {chosen.name: runs})
            parts += _within(runs, frame, first, last, chosen)
        return parts[0] if len(parts) == 1 else joined([NONE, *parts])


def _within(runs: Runs, frame: Stored, first: int, last: int, chosen: Chosen) -> list[Figures]:
    """Return the figures of the runs within a range, and of the streams of those at its ends."""
    low = int(np.searchsorted(runs.bounds[:-1], np.uint64(first)))
    high = int(np.searchsorted(runs.bounds, np.uint64(last), "right")) - 1
    found: list[Figures] = []
    if low < high:
        whole = taken(runs.figures, slice(low, high))
        found.append(taken(whole, whole.n > 0))
    for run in {low - 1, high}:
        if 0 <= run < len(runs.figures.n):
            rows = frame.leaves(run * RUN, min((run + 1) * RUN, len(frame)))
            inside = (rows["cell"] >= np.uint64(first)) & (rows["cell"] <= np.uint64(last))
            found.append(figures_of(rows[inside & chosen.holds(rows["stream"])]))
    return found
