"""Sorting more rows by cell than memory holds.

Rows come in batches; each batch is sorted by itself and becomes a *run*. Runs stay in memory up to a bound
and go to the city's own folder beyond it. The runs are then cut at common splitters, positions in the final
order (cell, run, row of the run), so that the pieces between two splitters can be put together, sorted and
handed on while the rest waits: a merge that moves arrays, never single rows.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jingwei.lake.raw_texts import bounds_and_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

Work = TypeVar("Work")

IN_MEMORY = 256 * 2**20
"""Bytes of sorted runs that are kept in memory; what comes after them is written to the folder."""

PIECE = 32 * 2**20
"""Bytes, about, of a run as it is sorted, and of the pieces in which sorted rows are handed on."""

PIECE_ROWS = 262_144
"""The same in rows, where rows are narrow."""

SPILLED_ROWS = 8_192
"""Rows of the batches of a run in the folder: so many are held of each while runs are merged."""

MAX_RUNS = 256
"""Runs in the folder that are merged at once; more are first merged into one."""

SAMPLED = 64
"""Every so many rows, one is looked at to find the splitters."""

WAITING = 2
"""Batches that may wait for the thread behind."""

MANY_KEYS = 65_536
"""Keys from which on the compiled loop that orders them is worth loading."""

LAST = np.iinfo(np.int64).max
"""Where rows without a cell are sorted: behind all others."""


class Splitter(NamedTuple):
    """A position in the final order: everything before it is handed on."""

    cell: int
    run: int
    row: int


@dataclass(slots=True)
class _Run:
    """Sorted rows, read once from front to back."""

    number: int
    batches: Iterator[pa.RecordBatch]
    cell: str | None
    batch: pa.RecordBatch | None = None
    cells: NDArray[np.int64] | None = None
    done: int = 0
    at: int = 0

    def until(self, splitter: Splitter | None) -> Iterator[pa.RecordBatch]:
        """Yield the rows before a splitter that were not yielded before; all that is left without one."""
        while self._fill():
            assert self.batch is not None  # noqa: S101 -- _fill has put one there
            end = self.batch.num_rows if splitter is None else self._before(splitter)
            if end > self.at:
                yield self.batch.slice(self.at, end - self.at)
            if end < self.batch.num_rows:
                self.at = end
                return
            self.done += self.batch.num_rows
            self.batch = None

    def _fill(self) -> bool:
        while self.batch is None:
            self.batch = next(self.batches, None)
            if self.batch is None:
                return False
            self.cells, self.at = sort_keys(self.batch, self.cell), 0
            if self.batch.num_rows == 0:
                self.batch = None
        return True

    def _before(self, splitter: Splitter) -> int:
        assert self.batch is not None  # noqa: S101 -- asked for by `until`
        assert self.cells is not None  # noqa: S101 -- set with the batch
        found: int
        if splitter.run == self.number:
            found = min(self.batch.num_rows, splitter.row - self.done)
        elif self.number < splitter.run:
            found = int(self.cells.searchsorted(splitter.cell, "right"))
        else:
            found = int(self.cells.searchsorted(splitter.cell, "left"))
        return max(self.at, found)


class Sorter:
    """Collects addressed rows and hands them on in the order of their cells.

    Parameters
    ----------
    schema
        Of the rows.
    cell
        The int64 column that sorts, nulls last; None keeps the order in which rows come. Rows of one cell
        keep that order too.
    folder
        Where runs go that memory should not hold; it must exist. The caller removes it.

    """

    def __init__(self, schema: pa.Schema, cell: str | None, folder: Path) -> None:
        self.schema = schema
        self.cell = cell
        self.folder = folder
        self.rows = 0
        self.bytes = 0
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self._spilled: list[Path] = []
        self._files = 0
        self._samples: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []

    def add(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Take in batches; each is sorted by a second thread while the next is being made."""
        with behind(self._add) as hand_over:
            for run in gathered(batches):
                hand_over(run)

    def _add(self, batches: list[pa.RecordBatch]) -> None:
        batch = in_order(batches, self.cell)
        self.rows += batch.num_rows
        self.bytes += batch.nbytes
        if self._held_bytes + batch.nbytes <= IN_MEMORY and not self._spilled:
            self._held.append(batch)
            self._held_bytes += batch.nbytes
            self._samples.append(self._sample(batch))
            return
        if len(self._spilled) == MAX_RUNS:
            self._gather()
        self._spill([batch])

    def _sample(self, batch: pa.RecordBatch, first: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return some of the keys of a run's batch, and their rows in the run; `first` is the batch's own."""
        rows = np.arange(SAMPLED // 2, batch.num_rows, SAMPLED)
        return sort_keys(batch, self.cell)[rows], rows + first

    def _spill(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write sorted batches to the folder as one run."""
        path = self.folder / f"run-{self._files}.arrow"
        self._files += 1
        rows, samples = 0, []
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, self.schema) as writer:
            for batch in batches:
                samples.append(self._sample(batch, rows))
                rows += batch.num_rows
                for start in range(0, batch.num_rows, SPILLED_ROWS):
                    writer.write_batch(batch.slice(start, SPILLED_ROWS))
        keys, places = zip(*samples, strict=True)
        self._samples.append((np.concatenate(keys), np.concatenate(places)))
        self._spilled.append(path)

    def _gather(self) -> None:
        """Merge the runs of the folder into one, which then stands for them all."""
        first, paths = len(self._held), self._spilled
        runs = [_Run(number, _stored(path), self.cell) for number, path in enumerate(paths, first)]
        splitters = self._splitters(first, first + len(runs))
        self._spilled, self._samples = [], self._samples[:first]
        self._spill(self._merged(runs, splitters))
        for path in paths:
            path.unlink()

    def pieces(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows in order, in pieces of some megabytes; can be asked for as often as needed."""
        held = [iter([batch]) for batch in self._held]
        runs = [*held, *(_stored(path) for path in self._spilled)]
        numbered = [_Run(number, batches, self.cell) for number, batches in enumerate(runs)]
        yield from self._merged(numbered, self._splitters(0, len(numbered)))

    def _merged(self, runs: list[_Run], splitters: list[Splitter]) -> Iterator[pa.RecordBatch]:
        for splitter in [*splitters, None]:
            parts = [batch for run in runs for batch in run.until(splitter)]
            if parts:
                yield in_order(parts, self.cell)

    def _splitters(self, first: int, last: int) -> list[Splitter]:
        """Return positions that cut the runs from `first` to before `last` into pieces of like size."""
        samples = self._samples[first:last]
        if not samples:
            return []
        keys = np.concatenate([keys for keys, _ in samples])
        rows = np.concatenate([rows for _, rows in samples])
        runs = np.repeat(np.arange(first, last), [len(keys) for keys, _ in samples])
        order = np.lexsort((rows, runs, keys)) if self.cell else np.arange(len(keys))
        step = max(1, rows_of_a_piece(self.bytes, self.rows) // SAMPLED)
        return [Splitter(int(keys[n]), int(runs[n]), int(rows[n])) for n in order[step::step]]


def rows_of_a_piece(size: int, rows: int) -> int:
    """Return how many rows a piece has of `rows` rows that take `size` bytes."""
    width = max(1, size // max(1, rows))
    return max(1, min(PIECE_ROWS, PIECE // width))


def sort_keys(batch: pa.RecordBatch, cell: str | None) -> NDArray[np.int64]:
    """Return the numbers by which rows are sorted; where nothing sorts, they are all the same."""
    if cell is None:
        return np.zeros(batch.num_rows, np.int64)
    return np.asarray(pc.fill_null(batch.column(cell), LAST))


def in_order(parts: list[pa.RecordBatch], cell: str | None) -> pa.RecordBatch:
    """Return the rows of some batches sorted by cell; rows of one cell keep their order."""
    if cell is not None:
        keys = np.concatenate([sort_keys(part, cell) for part in parts])
        if not rises(keys):
            return taken(parts, order_of(keys))
    return pa.concat_batches(parts) if len(parts) > 1 else parts[0]


def rises(keys: NDArray[np.int64]) -> bool:
    """Say whether no key is less than the one before."""
    return bool((keys[1:] >= keys[:-1]).all())


def order_of(keys: NDArray[np.int64]) -> NDArray[np.integer]:
    """Return the places of keys in rising order; equal ones keep theirs."""
    if len(keys) < MANY_KEYS:
        return np.argsort(keys, kind="stable")
    from jingwei.lake.kernels_order import rising

    places: NDArray[np.int32] = rising(keys)
    return places


def taken(parts: list[pa.RecordBatch], order: NDArray[np.integer]) -> pa.RecordBatch:
    """Return rows of some batches in the order of their places in all of them together.

    Column by column, so that what is put together is small enough to be near the processor when it is moved.
    """
    schema, places = parts[0].schema, pa.array(order)
    columns = []
    for number, type_ in enumerate(schema.types):
        whole = [part.column(number) for part in parts]
        if all(one.null_count == len(one) for one in whole):
            columns.append(pa.nulls(len(places), type_))
            continue
        column = _by_width(pa.concat_arrays(whole) if len(whole) > 1 else whole[0])
        columns.append(_as(type_, pc.take(column, places, boundscheck=False)))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _by_width(column: pa.Array) -> pa.Array:
    """Return texts that are all of one length as bytes of that width, which are quicker to move."""
    if not pa.types.is_string(column.type) or column.null_count or not len(column):
        return column
    bounds, data = bounds_and_bytes(column)
    width = int(bounds[1] - bounds[0])
    if width == 0 or not bool((np.diff(bounds) == width).all()):
        return column
    bytes_ = pa.py_buffer(data[bounds[0] : bounds[-1]])
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(column), [None, bytes_])


def _as(type_: pa.DataType, column: pa.Array) -> pa.Array:
    """Return what `_by_width` made of texts as texts again, anything else as it is."""
    if not pa.types.is_string(type_) or pa.types.is_string(column.type):
        return column
    width = column.type.byte_width
    bounds = np.arange(0, (len(column) + 1) * width, width, dtype=np.int32)
    data = column.buffers()[1].slice(column.offset * width, len(column) * width)
    return pa.StringArray.from_buffers(len(column), pa.py_buffer(bounds), data)


def _stored(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(path), "rb") as source, pa.ipc.open_stream(source) as reader:
        yield from reader


def gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Put batches together until they are worth sorting."""
    run: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.num_rows:
            run.append(batch)
        if sum(each.num_rows for each in run) >= PIECE_ROWS or sum(each.nbytes for each in run) >= PIECE:
            yield run
            run = []
    if run:
        yield run


@contextmanager
def behind(work: Callable[[Work], None]) -> Iterator[Callable[[Work], None]]:
    """Yield a function that hands what it is given to `work` in a second thread, in order.

    A few items wait at most. An error of the work is raised where the next item is handed over, or at the
    end of the block.
    """
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, "jingwei-sort") as thread:

        def hand_over(item: Work) -> None:
            while len(waiting) >= WAITING:
                waiting.popleft().result()
            waiting.append(thread.submit(work, item))

        yield hand_over
        while waiting:
            waiting.popleft().result()


def ahead(items: Iterable[Work], work: Callable[[Work], None]) -> None:
    """Do `work` on each item in a second thread, while this one makes the next."""
    with behind(work) as hand_over:
        for item in items:
            hand_over(item)
