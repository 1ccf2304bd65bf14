"""What the first look at a text file parsed, kept in a folder so that the second need not parse it again.

Blocks are kept as what their columns were known to be so far: numbers where all texts before were numbers.
Where that changes, a new stream begins in the file.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from jingwei.lake.forms.reading import RowFault

MOST_FAULTS = 100_000
"""Faults that are held in memory; a file with more is parsed again instead."""


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

    rows: int
    begins: bool
    first: int | None
    faults: list[RowFault]
    end: int


class Spool:
    """A file of parsed blocks: written once from front to back, then read as often as is needed.

    Parameters
    ----------
    folder
        Where it is written, which must exist. It goes with `close`, or with the folder.

    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"parsed-{uuid.uuid4()}.arrow"
        self._blocks: list[_Kept] = []
        self._faults = 0
        self._sink = pa.OSFile(str(self.path), "wb")
        self._writer: pa.RecordBatchStreamWriter | None = None
        self._schema: pa.Schema | None = None

    def add(self, parsed: Parsed) -> bool:
        """Write the next block; say whether that is still worth it."""
        table, count = parsed.table, parsed.table.num_rows
        follow = count > 0 and int(parsed.rows[-1] - parsed.rows[0]) == count - 1
        fields = [pa.field(str(at), kind) for at, kind in enumerate(table.schema.types)]
        schema = pa.schema(fields if follow else [*fields, pa.field("row", pa.int64())])
        begins = count > 0 and schema != self._schema
        if begins:
            self._end_stream()
            self._schema, self._writer = schema, pa.ipc.new_stream(self._sink, schema)
        if count:
            assert self._writer is not None  # noqa: S101 -- begun with the first rows
            columns = table.columns if follow else [*table.columns, pa.array(parsed.rows, pa.int64())]
            self._writer.write_table(pa.Table.from_arrays(columns, schema=schema))
        first = int(parsed.rows[0]) if follow else None
        self._blocks.append(_Kept(count, begins, first, parsed.faults, parsed.end))
        self._faults += len(parsed.faults)
        return self._faults <= MOST_FAULTS

    def finish(self) -> None:
        """Say that all blocks are written."""
        if not self._sink.closed:
            self._end_stream()
            self._sink.close()

    def _end_stream(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def blocks(self, names: list[str]) -> Iterator[Parsed]:
        """Yield the blocks again, their columns under the given names."""
        nothing = pa.Table.from_arrays([pa.array([], pa.string()) for _ in names], names)
        with pa.OSFile(str(self.path), "rb") as source:
            batches: pa.RecordBatchStreamReader | None = None
            for kept in self._blocks:
                if not kept.rows:
                    yield Parsed(nothing, np.empty(0, np.int64), kept.faults, kept.end)
                    continue
                if batches is None or kept.begins:
                    batches = _next_stream(source, batches)
                batch = batches.read_next_batch()
                table = pa.Table.from_arrays(batch.columns[: len(names)], names)
                if kept.first is not None:
                    rows = np.arange(kept.first, kept.first + kept.rows)
                else:
                    rows = batch.column(len(names)).to_numpy()
                yield Parsed(table, rows, kept.faults, kept.end)

    def close(self) -> None:
        """Delete the file."""
        self.finish()
        self.path.unlink(missing_ok=True)


def _next_stream(
    source: pa.NativeFile, ended: pa.RecordBatchStreamReader | None
) -> pa.RecordBatchStreamReader:
    """Open the stream behind one whose batches are all read."""
    if ended is not None:
        list(ended)  # reads the mark of its end
    return pa.ipc.open_stream(source)
