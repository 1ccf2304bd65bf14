"""Holding more rows than memory has until it is known how their time is cut, then sorting each slice by cell.

Systems write their rows in the order of time, or nearly. So rows are kept as they come, in runs that are each
in the order of time (which mostly they are already), and a slice of time is found in a run by two searches.
Only the rows of one slice are then put together and sorted by cell, once; a slice that memory should not hold
is sorted in runs of its own instead (`jingwei.lake.sorting`).

Where it is known beforehand how times are spread (`Outlook`), a slice goes as soon as rows behind it come.
"""

from __future__ import annotations

import shutil
import uuid
from collections import deque
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jingwei.lake import sorting
from jingwei.lake.sorting import LAST, Sorter, behind, gathered, in_order, order_of, rises, taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

TIME = "jw_time"

SLICE = 256 * 2**20
"""Bytes of a slice of time up to which it is sorted at once."""

FEW = 1_000
"""Different texts of a column in a batch up to which they are kept as places in a dictionary."""

LATE = 0.01
"""Share of rows that may come behind those of a later slice."""

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
class Outlook:
    """What is known of rows before they come: how many, and the times of some of them (UTC microseconds)."""

    rows: int
    times: NDArray[np.int64]

    def is_timely(self, cuts: NDArray[np.int64]) -> bool:
        """Say whether nearly no row lies behind one of a later slice."""
        highest = np.maximum.accumulate(self.times)
        late = cuts.searchsorted(self.times, "right") < cuts.searchsorted(highest, "right")
        return bool(np.mean(late) <= LATE)


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one span of time: how many, of which columns, and in the order of cells in some megabytes each.

    Each slice may be asked for its pieces by a thread of its own.
    """

    rows: int
    schema: pa.Schema
    pieces: Callable[[], Iterator[pa.RecordBatch]]


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows that came one after the other, in memory or in a file, and the times that they span."""

    first: int
    last: int
    size: int
    """Bytes that they take in memory."""
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
        self._held = 0
        self._files = 0
        self._runs: list[_Run] = []
        self._late: list[_Run] = []
        self._goes = False
        self._gone = FIRST

    def add(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Take in batches; a second thread stores them while the next are being made."""
        with behind(self._add) as hand_over:
            for run in gathered(batches):
                hand_over(run)

    def hand_on(
        self,
        batches: Iterable[pa.RecordBatch],
        cuts: NDArray[np.int64],
        take: Callable[[Slice], None],
    ) -> None:
        """Take in batches, and hand on each slice with rows as soon as rows behind it have come.

        Rows that come after their slice went are slices of their own, behind all others.
        """
        self._goes = True
        waiting = deque(spans(cuts))

        def add(run: list[pa.RecordBatch]) -> None:
            self._add(run)
            while waiting[0].high is not None and self._came_behind(waiting[0].high):
                self._let_go(waiting.popleft(), take)

        with behind(add) as hand_over:
            for run in gathered(batches):
                hand_over(run)
        for span in waiting:
            self._let_go(span, take)
        self._runs, self._late = self._late, []
        for span in spans(cuts):
            self._let_go(span, take)

    def _came_behind(self, time: int) -> bool:
        """Say whether the rows that came last are all of this time or a later one."""
        return bool(self._runs) and self._runs[-1].first >= time

    def _let_go(self, span: Span, take: Callable[[Slice], None]) -> None:
        """Hand on a slice if it has rows, which are held no longer."""
        slice_ = self.slice(span)
        self._gone = LAST if span.high is None else span.high
        kept = [run for run in self._runs if span.high is not None and run.last >= span.high]
        self._held -= sum(run.size for run in self._runs) - sum(run.size for run in kept)
        self._runs = kept
        if slice_.rows:
            take(slice_)

    def _add(self, batches: list[pa.RecordBatch]) -> None:
        if not self.rows:
            self.schema = _with_dictionaries(batches[0])
        timed = _without_nulls(self._listed(_by_time(batches)))
        self.rows += sum(batch.num_rows for batch in timed)
        if not self._goes:
            self._runs.append(self._run(timed))
            return
        late, timely = _divided(timed, self._gone)
        timely, timeless = _divided(timely, LAST)
        for runs, rows in ((self._late, late), (self._runs, timeless), (self._runs, timely)):
            if rows:
                runs.append(self._run(rows))

    def _run(self, batches: list[pa.RecordBatch]) -> _Run:
        """Keep batches that are each in the order of time; in the folder if memory should not hold them."""
        keys = [time_keys(batch) for batch in batches]
        first, last = min(int(one[0]) for one in keys), max(int(one[-1]) for one in keys)
        size = sum(batch.nbytes for batch in batches)
        if self._held + size <= sorting.IN_MEMORY:
            self._held += size
            return _Run(first, last, size, batches, None)
        path = self.folder / f"times-{self._files}.arrow"
        self._files += 1
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, batches[0].schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        return _Run(first, last, 0, [], path)

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

    def slice(self, span: Span) -> Slice:
        """Return the rows of a span among those that came."""
        schema, runs = self.schema, [*self._runs]
        rows = sum(part.num_rows for run in runs for part in run.between(*span, as_come=False))
        return Slice(rows, schema, lambda: self._sorted(runs, span, schema))

    def _sorted(self, runs: list[_Run], span: Span, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        rows = (_as_kept(part, schema) for run in runs for part in run.between(*span))
        if self.cell is None:
            yield from rows
            return
        parts, size = [], 0
        for part in rows:
            parts.append(part)
            size += part.nbytes
            if size > SLICE:
                yield from self._sorted_in_runs(chain(parts, rows), schema)
                return
        if parts:
            yield from _pieces(parts, self.cell)

    def _sorted_in_runs(self, rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        folder = self.folder / f"slice-{uuid.uuid4()}"
        folder.mkdir()
        try:
            sorter = Sorter(schema, self.cell, folder)
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


def _as_kept(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return rows by the schema, with texts where a dictionary was given up after them."""
    columns = []
    for column, type_ in zip(batch.columns, schema.types, strict=True):
        if pa.types.is_null(column.type):
            columns.append(pa.nulls(len(column), type_))
        else:
            columns.append(column if column.type == type_ else column.cast(type_))
    return _with_columns(batch, columns)


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


def _divided(batches: list[pa.RecordBatch], time: int) -> tuple[list[pa.RecordBatch], list[pa.RecordBatch]]:
    """Cut batches in the order of time into the rows before a time and those from it on; none is empty."""
    before: list[pa.RecordBatch] = []
    after: list[pa.RecordBatch] = []
    for batch in batches:
        at = int(time_keys(batch).searchsorted(time))
        if at in (0, batch.num_rows):
            (before if at else after).append(batch)
            continue
        first, rest = batch.slice(0, at), batch.slice(at)
        if at < batch.num_rows // 2:
            first = _copied(first)
        else:
            rest = _copied(rest)
        before.append(first)
        after.append(rest)
    return before, after


def _copied(few: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows that no longer hold those that they were cut from."""
    return few.take(pa.array(np.arange(few.num_rows)))


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
