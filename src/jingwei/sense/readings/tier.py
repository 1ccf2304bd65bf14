"""The readings that are in the lake: published files, each in the order of stream, time and id.

Beside every file lies a summary of its streams (how many readings, over which times, the latest one). As a
stream's readings stand together in a file, the summary also says where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jingwei.lake.files import OpenFiles
from jingwei.records.recent import Recent
from jingwei.sense.readings.batch import SCHEMA
from jingwei.sense.readings.columns import Rows, joined, no_rows, rows_of
from jingwei.sense.readings.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from jingwei.lake.schemas import Content, DataFile

COLUMNS = {"id": "reading", "time": "jw_time", "time_end": "jw_time_end"}
"""What columns are called in the lake, where that is not what they are called here."""
MOST_KEPT = 512
"""Row groups that are kept after they were read."""


def lake_name(column: str) -> str:
    """Return what a column of `SCHEMA` is called in the lake."""
    return COLUMNS.get(column, column)


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """One file of the lake, and where in it the readings of each stream are."""

    file: DataFile
    summary: pa.Table
    streams: NDArray[np.int64]
    starts: NDArray[np.int64]
    last: NDArray[np.int64]
    first: NDArray[np.int64]

    def holds(self, stream: int, time: int | None) -> bool:
        """Say whether a reading of a stream, of some time if given, may be in it."""
        at = int(np.searchsorted(self.streams, stream))
        if at == len(self.streams) or self.streams[at] != stream:
            return False
        return time is None or bool(self.first[at] <= time <= self.last[at])

    def span(self, stream: int) -> tuple[int, int]:
        """Return from which row to which the readings of a stream are."""
        at = int(np.searchsorted(self.streams, stream))
        if at == len(self.streams) or self.streams[at] != stream:
            return 0, 0
        return int(self.starts[at]), int(self.starts[at + 1])


class Tier:
    """Reads one dataset of readings. Safe to share between threads: `files` is replaced, never changed."""

    def __init__(self, root: Path, dataset: str, summaries: Path) -> None:
        self.dataset = dataset
        self.folder = root / dataset / "facts"
        self.summaries = summaries
        summaries.mkdir(parents=True, exist_ok=True)
        self.files: tuple[Stored, ...] = ()
        self._open = OpenFiles(root)
        self._kept: Recent[tuple[str, int], Rows] = Recent(MOST_KEPT)

    def stored(self, content: Content) -> tuple[Stored, ...]:
        """Return the files of a version with their summaries."""
        known = {one.file.path: one for one in self.files}
        return tuple(known.get(file.path) or self._stored(file) for file in content.facts)

    def _stored(self, file: DataFile) -> Stored:
        path = self.summaries / f"{file.path}.arrow"
        if path.is_file():
            with pa.memory_map(str(path)) as source:
                summary = pa.ipc.open_file(source).read_all()
        else:
            summary = self.summarise(file.path, joined(list(self._whole(file))))
        counts = summary["count"].to_numpy()
        return Stored(
            file,
            summary,
            summary["stream"].to_numpy(),
            np.concatenate([[0], np.cumsum(counts)]),
            summary["time"].cast(pa.int64()).to_numpy(),
            summary["first"].to_numpy(),
        )

    def summarise(self, name: str, ordered: Rows) -> pa.Table:
        """Write the summary of a file's rows. It can be made again: nothing rests on its being durable."""
        standing = Standing()
        standing.add(ordered)
        summary = standing.summary()
        path = self.summaries / f"{name}.arrow"
        part = path.with_suffix(".part")
        with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, summary.schema) as writer:
            writer.write_table(summary)
        part.rename(path)
        return summary

    def _whole(self, file: DataFile) -> Iterator[Rows]:
        for group in range(len(file.groups)):
            yield self._group(file, group, keep=False)

    def whole(self, stored: Stored) -> Iterator[Rows]:
        """Yield all rows of a file, in order and in pieces."""
        yield from self._whole(stored.file)

    def rows(self, stored: Stored, first: int, end: int) -> Rows:
        """Return the rows of a file from one number to another."""
        if end <= first:
            return no_rows()
        groups = stored.file.groups
        base = groups[0].first
        firsts = np.array([group.first - base for group in groups], np.int64)
        low, high = (int(np.searchsorted(firsts, row, "right")) - 1 for row in (first, end - 1))
        parts = [self._group(stored.file, group) for group in range(low, high + 1)]
        return joined(parts).take(slice(first - int(firsts[low]), end - int(firsts[low])))

    def of_stream(
        self, stored: Stored, stream: int, since: int | None, until: int | None, ends: tuple[int, int] | None
    ) -> Rows:
        """Return the readings of a stream in a period, in order.

        `ends`, where given, says how many of the first and of the last ones are enough (one of them is 0).
        """
        first, end = stored.span(stream)
        if ends is not None and since is None and until is None:
            first, end = _cut(first, end, ends)
        rows = self.rows(stored, first, end)
        low, high = rows.between(stream, since, until)
        if ends is not None:
            low, high = _cut(low, high, ends)
        return rows.take(slice(low, high))

    def _group(self, file: DataFile, group: int, *, keep: bool = True) -> Rows:
        key = (file.path, group)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        with self._open.opened(self.dataset, "facts", file) as opened:
            table = opened.read_row_group(
                group, [lake_name(name) for name in SCHEMA.names], use_threads=False
            )
        rows = rows_of(as_readings(table))
        return self._kept.put(key, rows) if keep else rows

    def find(self, number: int, files: tuple[Stored, ...]) -> Rows:
        """Return the reading of a number: by the span of numbers of each row group."""
        for stored in files:
            with self._open.opened(self.dataset, "facts", stored.file) as opened:
                footer = opened.metadata
                column = footer.schema.names.index("reading")
                for group in range(footer.num_row_groups):
                    span = footer.row_group(group).column(column).statistics
                    if span is None or not span.has_min_max or span.min <= number <= span.max:
                        ids = opened.read_row_group(group, ["reading"], use_threads=False)[
                            "reading"
                        ].to_numpy()
                        if number in ids:
                            return self._group(stored.file, group).take(ids == number)
        return no_rows()

    def close(self) -> None:
        """Let go of the files."""
        self._open.close()


def as_readings(table: pa.Table) -> pa.Table:
    """Return rows of the lake as a table of `SCHEMA`."""
    columns = []
    for one in SCHEMA:
        values = table[lake_name(one.name)]
        columns.append(values if values.type == one.type else pc.cast(values, one.type))
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _cut(first: int, end: int, ends: tuple[int, int]) -> tuple[int, int]:
    head, tail = ends
    return (first, min(end, first + head)) if head else (max(first, end - tail), end)
