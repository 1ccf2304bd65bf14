"""How many different values columns have: counted while rows are few, estimated beyond."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jingwei.lake.raw_texts import bounds_and_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

COUNTED = 100_000
"""Rows up to which values are counted."""

BITS = 14
"""Bits of a hash that choose one of the registers of a sketch: its standard error is 0.8 %."""

REGISTERS = 1 << BITS

BIAS = 0.7213 / (1 + 1.079 / REGISTERS)
"""Flajolet et al. 2007, figure 3: by which the harmonic mean of so many registers is corrected."""


class Distinct:
    """Watches rows go by and tells how many different values each column has; a missing one is none.

    Up to `COUNTED` rows the number is exact, beyond it has a standard error of 0.8 %.

    Parameters
    ----------
    schema
        Of the columns that are watched, by their names; those of bytes are left out.

    """

    def __init__(self, schema: pa.Schema) -> None:
        self._columns = [field.name for field in schema if not pa.types.is_binary(field.type)]
        self._held: list[pa.RecordBatch] = []
        self._rows = 0
        self._sketches: dict[str, NDArray[np.uint8]] = {}

    def note(self, batch: pa.RecordBatch) -> None:
        """Take note of the next rows."""
        self._rows += batch.num_rows
        self._held.append(batch.select(self._columns))
        if self._rows <= COUNTED:
            return
        for held in self._held:
            for name, column in zip(self._columns, held.columns, strict=True):
                _sketch(column, self._sketches.setdefault(name, np.zeros(REGISTERS, np.uint8)))
        self._held = []

    def counts(self) -> dict[str, int]:
        """Return the number of different values by column."""
        if self._sketches:
            return {name: _estimate(registers) for name, registers in self._sketches.items()}
        if not self._held:
            return dict.fromkeys(self._columns, 0)
        table = pa.Table.from_batches(self._held)
        return {name: _counted(table[name]) for name in self._columns}


def distinct_of(paths: Iterable[Path], schema: pa.Schema) -> dict[str, int]:
    """Return how many different values the columns of Parquet files have, by name; see `Distinct`."""
    watching = Distinct(schema)
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(COUNTED, columns=schema.names):
                watching.note(batch)
    return watching.counts()


def _counted(column: pa.ChunkedArray) -> int:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_floating(column.type):
        column = pc.add(column, 0.0)  # there is one zero
    return len(column.drop_null().unique())


def _sketch(column: pa.Array, registers: NDArray[np.uint8]) -> None:
    from jingwei.lake.kernels_distinct import note_numbers, note_texts

    column = column.drop_null() if column.null_count else column
    types = pa.types
    if types.is_dictionary(column.type):
        column = column.dictionary.take(pc.unique(column.indices))
    if types.is_floating(column.type):
        fractions = np.asarray(column.cast(pa.float64())) + 0.0  # there is one zero
        note_numbers(fractions.view(np.uint64), registers)
    elif types.is_integer(column.type) or types.is_timestamp(column.type) or types.is_date32(column.type):
        whole = column.cast(pa.int32()) if types.is_date32(column.type) else column
        note_numbers(np.asarray(whole.cast(pa.int64())).view(np.uint64), registers)
    else:
        texts = column if types.is_string(column.type) else column.cast(pa.string())
        note_texts(*bounds_and_bytes(texts), registers)


def _estimate(registers: NDArray[np.uint8]) -> int:
    """Return how many different values a sketch was shown (Flajolet et al. 2007, figure 3)."""
    estimate = BIAS * REGISTERS**2 / float(np.sum(np.exp2(-registers.astype(np.float64))))
    empty = int((registers == 0).sum())
    if estimate <= 2.5 * REGISTERS and empty:
        estimate = REGISTERS * math.log(REGISTERS / empty)
    return round(estimate)
