"""Which figures are withheld from those who may know streams only together: of enough of them, or none.

Streams are parted into blocks, cells of the grid by the rule of counts (`jingwei.lake.counting`), and each
day of a block into units: its hours, or the whole day where one of its hours has too few streams. Each unit
has readings of at least the smallest number of streams. An answer is a sum of whole units or is withheld, so
whatever two answers differ by is a sum of whole units again (complementary suppression along both
hierarchies, after Hundepool et al., Statistical Disclosure Control, 2012, 4.2).

Only days that are over have units: else an hour would be told before the next one has too few, and be taken
off the whole day afterwards. What comes late for such a day still shows by what an answer changes.

Which unit a reading belongs to follows from the hours in which streams have readings, and from nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.lake.counting import FINEST, Blocks, blocks_of
from jingwei.sense.rollups.presence import HOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from jingwei.sense.rollups.chosen import Chosen
    from jingwei.sense.rollups.presence import Presence, Who

NO_BLOCK = -1
HOURLY, DAILY, UNTOLD = 0, 1, 2
"""Of what the units of a day of a block are: of its hours, of the day; or there are none."""
ONE = np.uint64(1)


def blocks_among(cells: NDArray[np.uint64], smallest: int, level: int = FINEST) -> Blocks:
    """Return the blocks into which streams are parted, see `blocks_of_streams`."""
    codes, counts = np.unique(np.asarray(grid.parent(cells, MAX_LEVEL, level), np.uint64), return_counts=True)
    return blocks_of(codes, counts, level, smallest)


def blocks_of_streams(
    cells: NDArray[np.uint64], smallest: int, level: int = FINEST, blocks: Blocks | None = None
) -> NDArray[np.int64]:
    """Return the number of the block of each stream; -1 where there are too few streams for any.

    Parameters
    ----------
    cells
        (n,) code of level 32 where each stream is.
    smallest
        The smallest number of streams of which figures are told.
    level
        The finest level of blocks.
    blocks
        What `blocks_among` says, where it is known.

    """
    found = np.full(len(cells), NO_BLOCK, np.int64)
    if not len(cells):
        return found
    blocks = blocks or blocks_among(cells, smallest, level)
    for at in range(level, 0, -1):
        here = np.flatnonzero(blocks.levels == at)
        if not len(here):
            continue
        order = here[np.argsort(blocks.codes[here])]
        own = np.asarray(grid.parent(cells, MAX_LEVEL, at), np.uint64)
        place = np.minimum(np.searchsorted(blocks.codes[order], own), len(order) - 1)
        # What lies in a finer block was taken by that one.
        mine = (found == NO_BLOCK) & (blocks.codes[order][place] == own)
        found[mine] = order[place[mine]]
    return found


class Parted:
    """Streams of which is told only together, with their blocks, in the order of the blocks.

    Parameters
    ----------
    who
        Streams and their places, among which they are.
    chosen, blocks
        They themselves, and the number of the block of each; -1 for none.
    smallest
        The smallest number of streams of a unit.

    """

    def __init__(self, who: Who, chosen: Chosen, blocks: NDArray[np.int64], smallest: int) -> None:
        place = chosen.places(who.streams)
        at = np.flatnonzero(place >= 0)
        block = blocks[place[at]]
        order = np.argsort(block, kind="stable")
        self.who, self.smallest = who, smallest
        self.at, block = at[order], block[order]
        self.cells = who.cells[self.at]
        self._begins = np.flatnonzero(np.diff(block, prepend=NO_BLOCK - 1))
        self._left_over = block[self._begins] == NO_BLOCK
        self.number = np.repeat(np.arange(len(self._begins)), np.diff(np.append(self._begins, len(block))))
        self._units: dict[int, tuple[Presence, NDArray[np.int8]]] = {}

    def units(self, presence: Presence) -> NDArray[np.int8]:
        """Return of each block of what its units of a day that is over are."""
        kept = self._units.get(presence.start)
        if kept is None or kept[0] is not presence:
            kept = self._units[presence.start] = presence, self._work_out(presence)
        return kept[1]

    def _work_out(self, presence: Presence) -> NDArray[np.int8]:
        bits, begins = presence.bits[self.at], self._begins
        poor = np.zeros(len(begins), bool)
        for hour in hours_in(np.bitwise_or.reduce(bits)):
            count = np.add.reduceat((bits >> np.uint64(hour) & ONE).astype(np.int64), begins)
            poor |= (count > 0) & (count < self.smallest)
        enough = np.add.reduceat((bits > 0).astype(np.int64), begins) >= self.smallest
        units = np.where(~poor, HOURLY, np.where(enough, DAILY, UNTOLD))
        return np.where(self._left_over, UNTOLD, units).astype(np.int8)


class Asked:
    """Groups of cells of which is asked, as they cut through blocks.

    Parameters
    ----------
    parted
        The streams.
    group
        (parted,) the group of each, -1 for none.

    """

    def __init__(self, parted: Parted, group: NDArray[np.int64]) -> None:
        touched = np.zeros(int(parted.number[-1]) + 1 if len(parted.number) else 0, bool)
        touched[parted.number[group >= 0]] = True
        rows = np.flatnonzero(touched[parted.number])
        rows = rows[np.lexsort((group[rows], parted.number[rows]))]
        block, group = parted.number[rows], group[rows]
        new = np.ones(len(rows), bool)
        new[1:] = (block[1:] != block[:-1]) | (group[1:] != group[:-1])
        self.parted = parted
        self._at, self._begins = parted.at[rows], np.flatnonzero(new)
        self._group = group[self._begins]
        self._number = block[self._begins]
        self._firsts = np.flatnonzero(np.diff(self._number, prepend=-1))
        self._block = np.cumsum(np.diff(self._number, prepend=-1) > 0) - 1
        self._cuts = len(self._firsts) < len(self._number)

    def withhold(
        self, presence: Presence, since: int, until: int, *, over: bool, withheld: NDArray[np.bool_]
    ) -> None:
        """Mark the groups of which nothing is told, because of a day of which hours are asked.

        Parameters
        ----------
        presence
            The day.
        since, until
            UTC microseconds: hours that begin then.
        over
            Whether the day is over.
        withheld
            (groups,) which are, to be added to.

        """
        if not len(self._at):
            return
        asked = presence.asked(since, until)
        bits = np.bitwise_or.reduceat(presence.bits[self._at], self._begins)
        told = (bits & asked > 0) & (self._group >= 0)
        of_block = np.bitwise_or.reduceat(bits, self._firsts)
        if over:
            units = self.parted.units(presence)[self._number]
            several = self._shared(of_block, bits)[self._block]
            parted = (of_block & ~asked > 0)[self._block] | (self._several(bits > 0) > 1)[self._block]
            cut = np.where(units == DAILY, parted, several & bits & asked > 0)
            told &= cut | (units == UNTOLD)
        withheld[self._group[told]] = True

    def _shared(self, of_block: NDArray[np.uint64], bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return of each block the hours in which streams of several groups have readings."""
        found = np.zeros(len(of_block), np.uint64)
        if self._cuts:
            for hour in hours_in(np.bitwise_or.reduce(of_block)):
                both = self._several(bits >> np.uint64(hour) & ONE > 0) > 1
                found[both] |= np.uint64(1 << hour)
        return found

    def _several(self, there: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return of how many groups each block has some."""
        found: NDArray[np.int64] = np.add.reduceat(there.astype(np.int64), self._firsts)
        return found


def hours_in(bits: np.uint64) -> Sequence[int]:
    """Return the numbers of the hours of which bits are set."""
    return [hour for hour in range(HOURS) if int(bits) >> hour & 1]
