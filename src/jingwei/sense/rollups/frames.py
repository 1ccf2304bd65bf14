"""Frames: the figures of one property in one interval, of every stream and of every cell that holds several.

A frame has its streams in the order of their cells, and above them the nodes of a compressed prefix tree
(D. R. Morrison, PATRICIA, 1968): a node for every set of streams that some cell of the grid holds together.
So a cell of any level is a slice of the streams, and what it has is one stream, or one node, or nothing; and
all levels together have fewer nodes than there are streams.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from jingwei.lake.summing import Figures, combined, taken

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_FIGURES = [("n", "<i8"), ("mean", "<f8"), ("m2", "<f8"), ("minimum", "<f8"), ("maximum", "<f8")]
LEAF = np.dtype([("stream", "<i8"), ("cell", "<u8"), *_FIGURES])
NODE = np.dtype([("low", "<u4"), ("high", "<u4"), *_FIGURES])
"""A node: from which stream of the frame to before which, and their figures."""
_HEAD = 4


@dataclass(frozen=True, slots=True)
class Leaves:
    """Figures of streams in intervals: columns of one length.

    Attributes
    ----------
    start
        int64: start of the interval, UTC microseconds.
    stream
        int64.
    cell
        uint64: GeoSOT code of level 32 where the stream is.
    figures
        Of its readings in the interval.

    """

    start: NDArray[np.int64]
    stream: NDArray[np.int64]
    cell: NDArray[np.uint64]
    figures: Figures

    def __len__(self) -> int:
        return len(self.start)

    def take(self, chosen: NDArray[Any] | slice) -> Leaves:
        """Return some rows, by number, mask or slice."""
        return Leaves(self.start[chosen], self.stream[chosen], self.cell[chosen], taken(self.figures, chosen))

    def merged(self) -> Leaves:
        """Return the rows in the order of frames, those of one stream and interval put together."""
        ordered = self.take(np.lexsort((self.stream, self.cell, self.start)))
        new = np.ones(len(ordered), bool)
        new[1:] = (ordered.start[1:] != ordered.start[:-1]) | (ordered.stream[1:] != ordered.stream[:-1])
        if new.all():
            return ordered
        begins = np.flatnonzero(new)
        first = ordered.take(begins)
        return Leaves(first.start, first.stream, first.cell, combined(ordered.figures, begins))

    def of_intervals(self, starts: NDArray[np.int64]) -> Leaves:
        """Return the figures of longer intervals: `starts` says in which one each row lies."""
        return Leaves(starts, self.stream, self.cell, self.figures).merged()

    @staticmethod
    def joined(parts: Sequence[Leaves]) -> Leaves:
        """Put rows together, in the order of the parts."""
        return Leaves(
            np.concatenate([one.start for one in parts]),
            np.concatenate([one.stream for one in parts]),
            np.concatenate([one.cell for one in parts]),
            Figures(
                *(
                    np.concatenate(columns)
                    for columns in zip(*(_columns(one.figures) for one in parts), strict=True)
                )
            ),
        )

    @classmethod
    def none(cls) -> Self:
        """Return rows of which there are none."""
        empty = np.empty(0)
        return cls(
            empty.astype(np.int64),
            empty.astype(np.int64),
            empty.astype(np.uint64),
            Figures(empty.astype(np.int64), empty, empty, empty, empty),
        )


class Stored:
    """A frame where it lies: only what is asked for is read.

    Parameters
    ----------
    body
        As `framed` made it.

    """

    def __init__(self, body: sqlite3.Blob) -> None:
        self._body = body
        self._count = int.from_bytes(self._read(0, _HEAD), "little")
        self._above = _HEAD + self._count * LEAF.itemsize

    def __len__(self) -> int:
        return self._count

    def between(self, first: int, last: int) -> tuple[int, int]:
        """Return from which of the frame's streams to before which lie in a span of codes."""
        streams = range(self._count)
        low = bisect_left(streams, first, key=self._cell)
        return low, bisect_right(streams, last, low, key=self._cell)

    def leaves(self, low: int, high: int) -> NDArray[Any]:
        """Return some of the frame's streams, as rows of `LEAF`."""
        begin, end = (_HEAD + at * LEAF.itemsize for at in (low, high))
        return np.frombuffer(self._read(begin, end - begin), LEAF)

    def together(self, low: int, high: int) -> NDArray[Any]:
        """Return the figures of streams that a cell holds, as one row of `LEAF` or `NODE`, or none."""
        if high - low < 2:
            return self.leaves(low, high)
        nodes = range((len(self._body) - self._above) // NODE.itemsize)
        begin = self._above + bisect_left(nodes, (low, high), key=self._span) * NODE.itemsize
        return np.frombuffer(self._read(begin, NODE.itemsize), NODE)

    def _cell(self, at: int) -> int:
        begin = _HEAD + at * LEAF.itemsize + 8
        return int.from_bytes(self._read(begin, 8), "little")

    def _span(self, at: int) -> tuple[int, int]:
        begin = self._above + at * NODE.itemsize
        said = self._read(begin, 8)
        return int.from_bytes(said[:4], "little"), int.from_bytes(said[4:], "little")

    def _read(self, begin: int, size: int) -> bytes:
        self._body.seek(begin)
        return self._body.read(size)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a property has in one interval."""

    leaves: NDArray[Any]
    nodes: NDArray[Any]

    def between(self, first: int, last: int) -> tuple[int, int]:
        """Return from which of the frame's streams to before which lie in a span of codes."""
        cells = self.leaves["cell"]
        return bisect_left(cells, first), bisect_right(cells, last)


def framed(leaves: Leaves) -> Iterator[tuple[int, bytes]]:
    """Yield start and body of each frame of ordered leaves, see `Leaves.merged`."""
    if not len(leaves):
        return
    begins = np.flatnonzero(np.append(True, leaves.start[1:] != leaves.start[:-1]))
    ends = np.append(begins[1:], len(leaves))
    low, high, figures = _nodes(leaves)
    own = np.searchsorted(begins, low, "right") - 1
    rows = np.empty(len(leaves), LEAF)
    rows["stream"], rows["cell"] = leaves.stream, leaves.cell
    above = np.empty(len(low), NODE)
    above["low"], above["high"] = low - begins[own], high - begins[own]
    for name in ("n", "mean", "m2", "minimum", "maximum"):
        rows[name], above[name] = getattr(leaves.figures, name), getattr(figures, name)
    lower, upper = rows.tobytes(), above.tobytes()
    cuts = np.searchsorted(own, np.arange(len(begins) + 1)) * NODE.itemsize
    for start, begin, end, cut, after in zip(
        leaves.start[begins].tolist(),
        begins.tolist(),
        ends.tolist(),
        cuts[:-1].tolist(),
        cuts[1:].tolist(),
        strict=True,
    ):
        head = (end - begin).to_bytes(_HEAD, "little")
        yield start, head + lower[begin * LEAF.itemsize : end * LEAF.itemsize] + upper[cut:after]


def frame_of(body: bytes) -> Frame:
    """Return the frame that a body holds."""
    count = int.from_bytes(body[:_HEAD], "little")
    return Frame(
        np.frombuffer(body, LEAF, count, _HEAD),
        np.frombuffer(body, NODE, offset=_HEAD + count * LEAF.itemsize),
    )


def leaves_of(frames: Sequence[tuple[int, bytes]]) -> Leaves:
    """Return the streams of frames, given as start and body, in their order."""
    if not frames:
        return Leaves.none()
    counts = [int.from_bytes(body[:_HEAD], "little") for _, body in frames]
    parts = (
        body[_HEAD : _HEAD + count * LEAF.itemsize] for (_, body), count in zip(frames, counts, strict=True)
    )
    rows = np.frombuffer(b"".join(parts), LEAF)
    starts = np.repeat(np.array([start for start, _ in frames], np.int64), counts)
    return Leaves(starts, rows["stream"], rows["cell"], figures_of(rows))


def figures_of(rows: NDArray[Any]) -> Figures:
    """Return the figures of rows of `LEAF` or `NODE`."""
    return Figures(rows["n"], rows["minimum"], rows["maximum"], rows["mean"], rows["m2"])


def shared_level(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the finest level of the cell that holds both of two codes of level 32; 0 is the whole earth."""
    differ = one ^ other
    upper, lower = differ >> np.uint64(32), differ & np.uint64(0xFFFFFFFF)
    _, of_upper = np.frexp(upper.astype(np.float64))
    _, of_lower = np.frexp(lower.astype(np.float64))
    bits = np.where(upper > 0, of_upper.astype(np.int64) + 32, of_lower)
    return (64 - bits) // 2


def _nodes(leaves: Leaves) -> tuple[NDArray[np.int64], NDArray[np.int64], Figures]:
    """Return all nodes above ordered leaves: the first leaf, the one after the last, figures."""
    low = np.arange(len(leaves))
    high = low + 1
    figures = leaves.figures
    shared = np.where(
        leaves.start[1:] == leaves.start[:-1], shared_level(leaves.cell[1:], leaves.cell[:-1]), -1
    )
    lows, highs, all_figures = [low[:0]], [low[:0]], [taken(figures, slice(0, 0))]
    for level in np.unique(shared[shared >= 0])[::-1].tolist():
        joins = shared == level
        to_last, to_next = np.append(False, joins), np.append(joins, False)
        members = np.flatnonzero(to_last | to_next)
        merged = combined(taken(figures, members), np.flatnonzero(~to_last[members]))
        firsts, lasts = np.flatnonzero(~to_last & to_next), np.flatnonzero(to_last & ~to_next)
        lows.append(low[firsts])
        highs.append(high[lasts])
        all_figures.append(merged)
        kept = np.flatnonzero(~to_last)
        place = np.searchsorted(kept, firsts)
        high[firsts] = high[lasts]
        low, high, figures = low[kept], high[kept], taken(figures, kept)
        for column, values in zip(_columns(figures), _columns(merged), strict=True):
            column[place] = values
        shared = shared[~joins]
    low, high = np.concatenate(lows), np.concatenate(highs)
    order = np.lexsort((high, low))
    columns = zip(*(_columns(one) for one in all_figures), strict=True)
    figures = Figures(*(np.concatenate(parts)[order] for parts in columns))
    return low[order], high[order], figures


def _columns(figures: Figures) -> tuple[NDArray[Any], ...]:
    return figures.n, figures.minimum, figures.maximum, figures.mean, figures.m2
