"""What of one property an asker may be told, worked out once for as long as streams and policies stay."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.records.recent import Recent
from jingwei.sense.rollups.chosen import Chosen
from jingwei.sense.rollups.placed import Placed
from jingwei.sense.rollups.together import Parted, blocks_among, blocks_of_streams

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.lake.counting import Blocks
    from jingwei.sense.rollups.presence import Who
    from jingwei.sense.rollups.scope import Others, Seen

MOST_PARTED = 8
"""Sets of streams that are kept parted into blocks: of days when there were others."""


class Among:
    """The streams of a property of which an asker may be told, and how.

    Parameters
    ----------
    who
        All streams of the property and where they are.
    seen, others, named
        As in `Scope`; those named of this property.

    """

    def __init__(
        self,
        who: Who,
        seen: Seen | None,
        others: Others | None,
        named: Placed | None = None,
    ) -> None:
        self.who = who
        self.streams, self.cells = who.streams[who.order], who.cells[who.order]
        self._seen, self.others, self._named = seen, others, named
        self._chosen: dict[tuple[int, bool], Chosen] = {}
        self._parted: Recent[Who, Parted] = Recent(MOST_PARTED)
        self._zones: dict[int, NDArray[np.uint64]] = {}

    @cached_property
    def all_cells(self) -> NDArray[np.uint64]:
        """The different cells of level 32 in which streams of the property are, in order."""
        return np.unique(self.cells)

    @cached_property
    def placed(self) -> Placed:
        """The streams that the asker may read, with their places.

        Those of whose places only cells are known are there before they have readings.
        """
        if self._seen is None:
            return Placed(self.streams, self.cells, np.full(len(self.streams), MAX_LEVEL, np.int8))
        _, mine, his = np.intersect1d(
            self.streams, self._seen.streams, assume_unique=True, return_indices=True
        )
        found = Placed(self.streams[mine], self.cells[mine], self._seen.levels[his])
        return found if self._named is None else found.and_those(self._named)

    def chosen(self, level: int, *, others: bool) -> Chosen | None:
        """Return the streams of which figures of zones of a level are; None for all.

        They are those that the asker may read and of whose places the asker may be told so finely, and where
        `others` are wanted those of which the asker may be told together.
        """
        if self._seen is None:
            return None
        finer = self.placed.levels[self.placed.levels >= level]
        key = int(finer.min()) if len(finer) else MAX_LEVEL + 1, others
        if key not in self._chosen:
            mine = self.placed.streams[self.placed.levels >= level]
            self._chosen[key] = Chosen(np.union1d(mine, self._apart.streams) if others else mine)
        return self._chosen[key]

    def are_others(self, level: int) -> bool:
        """Say whether there are streams of which the asker may be told together in zones of a level."""
        return self.others is not None and level <= self.others.level and bool(len(self._apart))

    def parted(self, who: Who) -> Parted:
        """Return those of some streams of which the asker may be told together, by their blocks."""
        assert self.others is not None  # noqa: S101 -- for mypy: it is asked only where there are some
        smallest = self.others.smallest
        return self._parted.of(who, lambda: Parted(who, self._apart, self._block, smallest))

    def zones(self, level: int) -> NDArray[np.uint64]:
        """Return the cells of a level in which something may be told, in order; see `Aggregates.zones`."""
        if level not in self._zones:
            codes = [_coarse(self.placed.cells[self.placed.levels >= level], MAX_LEVEL, level)]
            if self.others is not None:
                codes += [
                    _coarse(self._blocks.codes[self._blocks.levels == at], at, level)
                    for at in np.unique(self._blocks.levels[self._blocks.levels >= level]).tolist()
                ]
            self._zones[level] = np.unique(np.concatenate(codes))
        return self._zones[level]

    @cached_property
    def _apart(self) -> Chosen:
        """The streams of which the asker may be told only together."""
        if self.others is None:
            return Chosen(np.empty(0, np.int64))
        return Chosen(np.intersect1d(self.streams, self.others.streams, assume_unique=True))

    @cached_property
    def _places(self) -> NDArray[np.uint64]:
        return self.cells[np.searchsorted(self.streams, self._apart.streams)]

    @cached_property
    def _blocks(self) -> Blocks:
        assert self.others is not None  # noqa: S101 -- for mypy, as above
        return blocks_among(self._places, self.others.smallest, self.others.level)

    @cached_property
    def _block(self) -> NDArray[np.int64]:
        """The number of the block of each stream of which the asker may be told only together."""
        assert self.others is not None  # noqa: S101 -- for mypy, as above
        return blocks_of_streams(self._places, self.others.smallest, self.others.level, self._blocks)


def _coarse(codes: NDArray[np.uint64], level: int, upper: int) -> NDArray[np.uint64]:
    """Return the cells of a coarser level in which cells lie; of level 0 there is one."""
    if not upper or not len(codes):
        return np.zeros_like(codes)
    return np.asarray(grid.parent(codes, level, upper), np.uint64)
