"""What the first look at a text file parsed, kept in a folder so that the second need not parse it again."""

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
    """A block as columns of text, its row numbers and faults, and the byte of the file it ends at."""

    table: pa.Table
    rows: npt.NDArray[np.int64]
    faults: list[RowFault]
    end: int


class Spool:
    """A file of parsed blocks: written once from front to back, then read as often as is needed.

    Parameters
    ----------
    folder
        Where it is written, which must exist. It goes with `close`, or with the folder.
    columns
        How many columns of text a block has.

    """

    def __init__(self, folder: Path, columns: int) -> None:
        self.path = folder / f"parsed-{uuid.uuid4()}.arrow"
        fields = [*(pa.field(str(at), pa.string()) for at in range(columns)), pa.field("row", pa.int64())]
        self._schema = pa.schema(fields)
        self._blocks: list[tuple[bool, list[RowFault], int]] = []
        self._faults = 0
        self._sink = pa.OSFile(str(self.path), "wb")
        self._writer = pa.ipc.new_stream(self._sink, self._schema)

    def add(self, parsed: Parsed) -> bool:
        """Write the next block; say whether that is still worth it."""
        table = parsed.table
        columns = [*table.columns, pa.array(parsed.rows, pa.int64())]
        if table.num_rows:
            self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._blocks.append((table.num_rows > 0, parsed.faults, parsed.end))
        self._faults += len(parsed.faults)
        return self._faults <= MOST_FAULTS

    def finish(self) -> None:
        """Say that all blocks are written."""
        if not self._sink.closed:
            self._writer.close()
            self._sink.close()

    def blocks(self, names: list[str]) -> Iterator[Parsed]:
        """Yield the blocks again, their columns under the given names."""
        nothing = pa.Table.from_arrays([pa.array([], pa.string()) for _ in names], names)
        with pa.OSFile(str(self.path), "rb") as source, pa.ipc.open_stream(source) as batches:
            for has_rows, faults, end in self._blocks:
                if not has_rows:
                    yield Parsed(nothing, np.empty(0, np.int64), faults, end)
                    continue
                batch = batches.read_next_batch()
                table = pa.Table.from_arrays(batch.columns[:-1], names)
                yield Parsed(table, batch.column(batch.num_columns - 1).to_numpy(), faults, end)

    def close(self) -> None:
        """Delete the file."""
        self.finish()
        self.path.unlink(missing_ok=True)
