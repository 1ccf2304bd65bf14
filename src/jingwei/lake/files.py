"""Open Parquet files of published versions, kept open between questions because they never change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jingwei.records.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from jingwei.lake.schemas import DataFile

FACT = "jw_fact"

MAX_OPEN = 512
"""Files kept open at once; the one not asked for longest is closed first."""

FEW = 2
"""Row groups up to which threads do not help."""

MAX_SPANS = 4_096

MAX_COPIES = 4
"""Open handles of one file: a handle serves one question at a time."""

_EARLIEST, _LATEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Spans:
    """The cells, or the times in UTC microseconds, that the row groups of a file span, both inclusive.

    Groups without any are left out.
    """

    numbers: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]

    def meeting(self, ranges: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the numbers of the groups that may hold a value of one of the (n, 2) ranges, sorted."""
        begun = np.searchsorted(ranges[:, 0], self.high, side="right")  # how many do before the group ends
        furthest = np.maximum.accumulate(np.append(_EARLIEST, ranges[:, 1]))
        return self.numbers[(begun > 0) & (furthest[begun] >= self.low)]


@dataclass(frozen=True, slots=True)
class Footer:
    """What a file of facts tells of its rows without being read.

    Attributes
    ----------
    times
        Which times its row groups span, of instants or whole intervals. Groups of which it tells nothing
        span all times.
    same
        The address columns that are the same in all rows, with what they hold.

    """

    times: Spans
    same: dict[str, pa.Scalar]


class OpenFiles:
    """A pool of open files under one folder. Opening costs more than reading a few thousand rows."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._idle: OrderedDict[str, list[pq.ParquetFile]] = OrderedDict()
        self._spans: Recent[str, Spans] = Recent(MAX_SPANS)
        self._footers: Recent[str, Footer] = Recent(MAX_SPANS)
        self._mutex = threading.Lock()

    def spans(self, dataset: str, folder: str, file: DataFile) -> Spans:
        """Return which cells the row groups of a file span."""
        return self._spans.of(f"{dataset}/{folder}/{file.path}", lambda: _cells(file))

    def footer(self, dataset: str, file: DataFile) -> Footer:
        """Return what the footer of a file of facts tells."""

        def read() -> Footer:
            with self.opened(dataset, "facts", file) as opened:
                return Footer(_times(opened.metadata), _same(opened))

        return self._footers.of(f"{dataset}/{file.path}", read)

    def facts(self, dataset: str, file: DataFile, groups: list[int], names: list[str]) -> pa.Table:
        """Read columns of some row groups of facts; what the index and the footer tell is not read."""
        same = self.footer(dataset, file).same
        sizes = [file.groups[number].rows for number in groups]
        read = [name for name in names if name not in same and name != FACT]
        columns: dict[str, Any] = {}
        if read:
            with self.opened(dataset, "facts", file) as opened:
                table = opened.read_row_groups(groups, read, use_threads=len(groups) > FEW)
            columns = dict(zip(read, table.columns, strict=True))
        for name in names:
            if name in same:
                columns[name] = pa.repeat(same[name], sum(sizes))
            elif name == FACT:
                firsts = np.array([file.groups[number].first for number in groups], np.int64)
                begins = np.cumsum(sizes) - sizes
                columns[name] = pa.array(np.repeat(firsts - begins, sizes) + np.arange(sum(sizes)))
        return pa.table([columns[name] for name in names], names)

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


def _cells(file: DataFile) -> Spans:
    """Return which cells the row groups span, as the index of a file tells."""
    placed = [(n, g.low, g.high) for n, g in enumerate(file.groups) if g.low is not None]
    table = np.array(placed, np.int64).reshape(-1, 3)
    return Spans(table[:, 0], table[:, 1], table[:, 2])


def _times(footer: pq.FileMetaData) -> Spans:
    """Read from a footer which times the row groups span."""
    names = _names(footer)
    if "jw_time" not in names:
        return Spans(*np.empty((3, 0), np.int64))
    columns = [names.index(name) for name in ("jw_time", "jw_time_end")]
    numbers, spans = [], []
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        told = [group.column(column).statistics for column in columns]
        known = [(one.min_raw, one.max_raw) for one in told if one is not None and one.has_min_max]
        if not all(_is_told(one, group.num_rows) for one in told):
            known = [(_EARLIEST, _LATEST)]
        if known:
            numbers.append(number)
            spans.append((min(low for low, _ in known), max(high for _, high in known)))
    low, high = np.array(spans, np.int64).reshape(-1, 2).T
    return Spans(np.array(numbers, np.int64), low, high)


def _is_told(column: pq.Statistics | None, rows: int) -> bool:
    """Say whether it is known what a column spans in a row group, be it nothing."""
    return column is not None and (
        column.has_min_max or (column.has_null_count and column.null_count == rows)
    )


def _same(opened: pq.ParquetFile) -> dict[str, pa.Scalar]:
    """Return the address columns that hold the same in all rows of a file, or nothing."""
    footer, schema = opened.metadata, opened.schema_arrow
    if not footer.num_row_groups:
        return {}
    found = {}
    for column, name in enumerate(_names(footer)):
        if not name.startswith("jw_") or name == FACT:
            continue
        type_, values = schema.field(name).type, _values(footer, column)
        if len(values) == 1 and not pa.types.is_floating(
            type_
        ):  # of those, a footer leaves out what is no number
            found[name] = pa.scalar(values.pop(), type_)
    return found


def _values(footer: pq.FileMetaData, column: int) -> set[Any]:
    """Return up to two values that a column holds; none where the footer does not tell."""
    values: set[Any] = set()
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        told = group.column(column).statistics
        if told is None or not told.has_null_count:
            return set()
        if told.null_count == group.num_rows:
            values.add(None)
        elif told.null_count or not told.has_min_max:
            return set()
        else:
            values |= {told.min, told.max}
        if len(values) > 1:
            return values
    return values


def _names(footer: pq.FileMetaData) -> list[str]:
    return [footer.schema.column(number).path for number in range(footer.num_columns)]
