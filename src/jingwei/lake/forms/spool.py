"""What the first look at a text file parsed, kept in a folder so that the second need not parse it again.

Blocks are kept as what their columns were known to be so far: numbers where all texts before were numbers.
Where that changes, a new stream begins in the file.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from jingwei.lake.forms.reading import RowFault

MOST_FAULTS = 100_000
"""Faults that are held in memory; a file with more is parsed again instead."""

PART = 64 * 2**20
"""Bytes of one file of those that are kept, so that what was read for the last time can go."""


GLANCED = 4_096
"""Every so many rows of a block, one is kept in memory for a glance."""


@dataclass(slots=True)
class Parsed:
    """A block as columns, its row numbers and faults, and the byte of the file it ends at."""

    table: pa.Table
    rows: npt.NDArray[np.int64]
    faults: list[RowFault]
    end: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is held in memory of a block: how many rows of it are in the file, and what a stream tells of it.

    Numbers of rows that follow one another are told by the first.
    """

    part: int
    rows: int
    begins: bool
    first: int | None
    faults: list[RowFault]
    end: int

    def numbers(self, batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
        """Return the numbers of the rows of the block, of which `batch` was kept."""
        if self.first is None:
            told: npt.NDArray[np.int64] = batch.column(batch.num_columns - 1).to_numpy()
            return told
        return np.arange(self.first, self.first + self.rows)


class Spool:
    """Files of parsed blocks: written once from front to back, then read as often as is needed.

    Parameters
    ----------
    folder
        Where they are written, which must exist. They go with `close`, or with the folder.

    """

    def __init__(self, folder: Path) -> None:
        self._stem = folder / f"parsed-{uuid.uuid4()}"
        self._blocks: list[_Kept] = []
        self._glanced: list[pa.Table] = []
        self._faults = 0
        self._parts = 0
        self._sink: pa.NativeFile | None = None
        self._writer: pa.RecordBatchStreamWriter | None = None
        self._schema: pa.Schema | None = None
        self.is_whole = True

    def add(self, parsed: Parsed) -> bool:
        """Write the next block; say whether that is still worth it."""
        table, count = parsed.table, parsed.table.num_rows
        follow = count > 0 and int(parsed.rows[-1] - parsed.rows[0]) == count - 1
        fields = [pa.field(str(at), kind) for at, kind in enumerate(table.schema.types)]
        schema = pa.schema(fields if follow else [*fields, pa.field("row", pa.int64())])
        if self._sink is not None and self._sink.tell() > PART:
            self.finish()
        begins = count > 0 and (schema != self._schema or self._sink is None)
        if begins:
            self._begin_stream(schema)
        if count:
            self._glanced.append(table.take(pa.array(np.arange(0, count, GLANCED))))
            assert self._writer is not None  # noqa: S101 -- begun with the first rows
            columns = table.columns if follow else [*table.columns, pa.array(parsed.rows, pa.int64())]
            self._writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        first = int(parsed.rows[0]) if follow else None
        self._blocks.append(_Kept(self._parts - 1, count, begins, first, parsed.faults, parsed.end))
        self._faults += len(parsed.faults)
        return self._faults <= MOST_FAULTS

    def finish(self) -> None:
        """Say that all blocks are written."""
        if self._sink is not None:
            self._end_stream()
            self._sink.close()
            self._sink = None

    def _begin_stream(self, schema: pa.Schema) -> None:
        if self._sink is None:
            self._sink = pa.OSFile(str(self._path(self._parts)), "wb")
            self._parts += 1
        self._end_stream()
        self._schema, self._writer = schema, pa.ipc.new_stream(self._sink, schema)

    def _end_stream(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _path(self, part: int) -> Path:
        return self._stem.with_name(f"{self._stem.name}-{part}.arrow")

    def blocks(self, names: list[str], *, last: bool = False) -> Iterator[Parsed]:
        """Yield the blocks again, their columns under the given names.

        Parameters
        ----------
        names
            Of the columns.
        last
            Whether this is the last time: what was read is deleted on the way, and nothing is whole any more.

        """
        self.is_whole = not last
        nothing = pa.Table.from_arrays([pa.array([], pa.string()) for _ in names], names)
        for part, listed in groupby(self._blocks, key=lambda kept: kept.part):
            with ExitStack() as opened:
                batches: pa.RecordBatchStreamReader | None = None
                for kept in listed:
                    if not kept.rows:
                        yield Parsed(nothing, np.empty(0, np.int64), kept.faults, kept.end)
                        continue
                    if batches is None:
                        source = opened.enter_context(pa.OSFile(str(self._path(part)), "rb"))
                    if batches is None or kept.begins:
                        batches = _next_stream(source, batches)
                    batch = batches.read_next_batch()
                    table = pa.Table.from_arrays(batch.columns[: len(names)], names)
                    yield Parsed(table, kept.numbers(batch), kept.faults, kept.end)
            if last:
                self._path(part).unlink(missing_ok=True)

    def glance(self, schema: pa.Schema) -> pa.RecordBatch:
        """Return some of the rows of each block, by the schema that all of them have."""
        columns = [
            pa.concat_arrays(
                [
                    pa.array([], kind),
                    *(chunk.cast(kind) for table in self._glanced for chunk in table[at].chunks),
                ]
            )
            for at, kind in enumerate(schema.types)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def close(self) -> None:
        """Delete the files."""
        self.finish()
        for part in range(self._parts):
            self._path(part).unlink(missing_ok=True)


def _next_stream(
    source: pa.NativeFile, ended: pa.RecordBatchStreamReader | None
) -> pa.RecordBatchStreamReader:
    """Open the stream behind one whose batches are all read."""
    if ended is not None:
        list(ended)  # reads the mark of its end
    return pa.ipc.open_stream(source)
