"""Holding more rows than memory has until it is known how their time is cut, then sorting each slice by cell.

Systems write their rows in the order of time, or nearly. So rows are kept as they come, in runs that are each
in the order of time (which mostly they are already), and a slice of time is found in a run by two searches.
Only the rows of one slice are then put together and sorted by cell, once; a slice that memory should not hold
is sorted in runs of its own instead (`jingwei.lake.sorting`).
"""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jingwei.lake import sorting
from jingwei.lake.sorting import LAST, Sorter, behind, gathered, in_order, order_of, rises, taken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

TIME = "jw_time"

SLICE = 256 * 2**20
"""Bytes of a slice of time up to which it is sorted at once."""

FEW = 1_000
"""Different texts of a column in a batch up to which they are kept as places in a dictionary."""

FIRST = np.iinfo(np.int64).min

ARRIVAL = pa.field("jw_arrival", pa.int64())
"""In a run that had to be put in the order of time: the place at which each of its rows came."""


class Span(NamedTuple):
    """The times from `low` to before `high` (UTC microseconds), rows without a time being of the time `LAST`.

    Without `high` it has no end.
    """

    low: int
    high: int | None


def spans(cuts: NDArray[np.int64]) -> list[Span]:
    """Return the slices of time that rising cuts make, in order; without cuts all times are one.

    Rows without a time are a slice of their own, the last.
    """
    if not len(cuts):
        return [Span(FIRST, None)]
    return [*(Span(low, high) for low, high in pairwise([FIRST, *cuts.tolist(), LAST])), Span(LAST, None)]


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows that came one after the other, in memory or in a file, and the times that they span."""

    first: int
    last: int
    held: list[pa.RecordBatch]
    path: Path | None

    def between(self, low: int, high: int | None, *, as_come: bool = True) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the times from `low` to before `high`, if asked in the order they came."""
        if self.last < low or (high is not None and self.first >= high):
            return
        for batch in self._batches():
            times = time_keys(batch)
            begin = int(times.searchsorted(low))
            end = len(times) if high is None else int(times.searchsorted(high))
            if end > begin:
                rows = batch.slice(begin, end - begin)
                yield _as_come(rows) if as_come else rows

    def _batches(self) -> Iterator[pa.RecordBatch]:
        if self.path is None:
            yield from self.held
            return
        with pa.memory_map(str(self.path)) as source, pa.ipc.open_stream(source) as reader:
            yield from reader


class TimedSorter:
    """Collects addressed rows with times, and hands them on slice by slice, each in the order of its cells.

    Parameters
    ----------
    schema
        Of the rows; they bear `jw_time`. Once rows came, `schema` says which texts are in dictionaries.
    cell
        The int64 column that sorts, nulls last; None keeps the order in which rows come. Rows of one cell
        keep that order too.
    folder
        Where rows go that memory should not hold; it must exist. The caller removes it.

    """

    def __init__(self, schema: pa.Schema, cell: str | None, folder: Path) -> None:
        self.schema = schema
        self.cell = cell
        self.folder = folder
        self.rows = 0
        self._bytes = 0
        self._runs: list[_Run] = []

    def add(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Take in batches; a second thread stores them while the next are being made."""
        with behind(self._add) as hand_over:
            for run in gathered(batches):
                hand_over(run)

    def _add(self, batches: list[pa.RecordBatch]) -> None:
        if not self._runs:
            self.schema = _with_dictionaries(batches[0])
        timed = _without_nulls(self._listed(_by_time(batches)))
        self.rows += sum(batch.num_rows for batch in timed)
        self._bytes += sum(batch.nbytes for batch in timed)
        keys = [time_keys(batch) for batch in timed]
        path = None
        if self._bytes > sorting.IN_MEMORY:
            path = self.folder / f"times-{len(self._runs)}.arrow"
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, timed[0].schema) as writer:
                for batch in timed:
                    writer.write_batch(batch)
        first, last = min(int(one[0]) for one in keys), max(int(one[-1]) for one in keys)
        self._runs.append(_Run(first, last, [] if path else timed, path))

    def _listed(self, batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
        """Return rows with repeated texts as places in a dictionary; one with many texts is none any more."""
        for number, type_ in enumerate(self.schema.types):
            if not pa.types.is_dictionary(type_) or batches[0].column(number).type == type_:
                continue
            listed = [batch.column(number).dictionary_encode() for batch in batches]
            if max(len(one.dictionary) for one in listed) > FEW:
                self.schema = self.schema.set(number, batches[0].schema.field(number))
                continue
            batches = [
                _with_columns(batch, [*batch.columns[:number], one, *batch.columns[number + 1 :]])
                for batch, one in zip(batches, listed, strict=True)
            ]
        return batches

    def _as_kept(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows by the schema, with texts where a dictionary was given up after them."""
        columns = []
        for column, type_ in zip(batch.columns, self.schema.types, strict=True):
            if pa.types.is_null(column.type):
                columns.append(pa.nulls(len(column), type_))
            else:
                columns.append(column if column.type == type_ else column.cast(type_))
        return _with_columns(batch, columns)

    def before(self, time: int) -> int:
        """Return how many rows are of a time before this one, in UTC microseconds."""
        return sum(part.num_rows for run in self._runs for part in run.between(FIRST, time, as_come=False))

    def pieces(self, span: Span) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a span in the order of cells, in pieces of some megabytes.

        Several threads may do so at once, each with spans of its own.
        """
        yield from self._sorted(*span)

    def _sorted(self, low: int, high: int | None) -> Iterator[pa.RecordBatch]:
        rows = (self._as_kept(part) for run in self._runs for part in run.between(low, high))
        if self.cell is None:
            yield from rows
            return
        parts, size = [], 0
        for part in rows:
            parts.append(part)
            size += part.nbytes
            if size > SLICE:
                yield from self._sorted_in_runs(chain(parts, rows))
                return
        if parts:
            yield from _pieces(parts, self.cell)

    def _sorted_in_runs(self, rows: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        folder = self.folder / f"slice-{uuid.uuid4()}"
        folder.mkdir()
        try:
            sorter = Sorter(self.schema, self.cell, folder)
            sorter.add(rows)
            yield from sorter.pieces()
        finally:
            shutil.rmtree(folder)


def _with_dictionaries(sample: pa.RecordBatch) -> pa.Schema:
    """Return the schema of rows like these, texts that are much repeated in dictionaries.

    Their places in it are sorted, moved and written in a third of the time.
    """
    fields = [
        field.with_type(pa.dictionary(pa.int32(), field.type))
        if pa.types.is_string(field.type) and pc.count_distinct(sample.column(number)).as_py() <= FEW
        else field
        for number, field in enumerate(sample.schema)
    ]
    return pa.schema(fields)


def _without_nulls(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Return batches in which columns without any value, but for the times, take no room."""
    empty = {
        number
        for number, name in enumerate(batches[0].schema.names)
        if name != TIME and all(batch.column(number).null_count == batch.num_rows for batch in batches)
    }
    if not empty:
        return batches
    return [
        _with_columns(
            batch,
            [pa.nulls(len(one)) if n in empty else one for n, one in enumerate(batch.columns)],
        )
        for batch in batches
    ]


def _with_columns(batch: pa.RecordBatch, columns: list[pa.Array]) -> pa.RecordBatch:
    """Return a batch with columns that may be of another type."""
    fields = [field.with_type(column.type) for field, column in zip(batch.schema, columns, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))


def time_keys(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Return the times of rows in UTC microseconds; `LAST` for rows without one."""
    times = batch.column(TIME).cast(pa.int64())
    return np.asarray(pc.fill_null(times, LAST) if times.null_count else times)


def _by_time(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Return batches that are each in the order of time, the same ones if they are already."""
    wide = sum(batch.num_rows for batch in batches) >= len(batches) * sorting.SPILLED_ROWS
    if wide and all(rises(time_keys(batch)) for batch in batches):
        return batches
    whole = pa.concat_batches(batches)
    keys = time_keys(whole)
    if rises(keys):
        return [whole]
    order = order_of(keys)
    columns = [*taken([whole], order).columns, pa.array(order, pa.int64())]
    return [pa.RecordBatch.from_arrays(columns, schema=whole.schema.append(ARRIVAL))]


def _as_come(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows in the order in which they came."""
    if batch.schema.names[-1] != ARRIVAL.name:
        return batch
    order = order_of(np.asarray(batch.column(ARRIVAL.name)))
    return taken([batch.select(batch.schema.names[:-1])], order)


def _pieces(parts: list[pa.RecordBatch], cell: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows of some batches in the order of cells."""
    batch = in_order(parts, cell)
    step = sorting.rows_of_a_piece(batch.nbytes, batch.num_rows)
    for begin in range(0, batch.num_rows, step):
        yield batch.slice(begin, step)
