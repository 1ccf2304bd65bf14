"""Writing facts as Parquet: one file or one a local day, with row groups that a question can skip."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

GROUPS = ((500_000, 2_048), (20_000_000, 8_192), (50_000_000, 16_384))
"""Up to so many rows, a table is cut into row groups of this size: one cell costs reading one group."""

LARGE_GROUP = 65_536

SLICED = 500_000
"""From so many rows on, a table with times is cut by time too."""

BROAD = 2.5
"""So many times fewer slices of time there are than if time and place were cut alike."""

DAY = 86_400_000_000
"""Microseconds."""

REPEATED = 0.2
"""Share of different values in a column up to which it is written with a dictionary."""

LOOKED_AT = 20_000
"""Rows by which the encoding of a column is chosen."""

FACT = pa.field("jw_fact", pa.int64())


def group_rows(rows: int) -> int:
    """Return how many rows a row group of a table of `rows` rows holds."""
    return next((size for most, size in GROUPS if rows <= most), LARGE_GROUP)


def encoding(sample: pa.RecordBatch) -> dict[str, Any]:
    """Return how the columns of rows like these are best written, as options of `ParquetWriter`.

    Repeated values go to a dictionary; numbers that differ are packed by their differences (whole ones,
    times) or split by byte (fractions): smaller, and quicker to write and to read than a dictionary that
    overflows. Geometries get no statistics: their bytes have no useful order.
    """
    sample = sample.slice(0, LOOKED_AT)
    repeated, columns, ordered = [], {}, []
    for number, field in enumerate(sample.schema):
        values, types = sample.column(number), pa.types
        if not types.is_binary(field.type):
            ordered.append(field.name)
        if _is_repeated(values):
            repeated.append(field.name)
        elif types.is_floating(field.type):
            columns[field.name] = "BYTE_STREAM_SPLIT"
        elif types.is_timestamp(field.type) or types.is_int64(field.type) or types.is_int32(field.type):
            columns[field.name] = "DELTA_BINARY_PACKED"
    if FACT.name not in sample.schema.names:  # of rows that are numbered as they are written
        columns[FACT.name] = "DELTA_BINARY_PACKED"
        ordered.append(FACT.name)
    return {
        "use_dictionary": repeated or False,
        "column_encoding": columns or None,
        "write_statistics": ordered or False,
    }


def _is_repeated(values: pa.Array) -> bool:
    types = pa.types
    if types.is_dictionary(values.type):
        return True
    if types.is_boolean(values.type) or types.is_binary(values.type):
        return False
    different: int = pc.count_distinct(values, mode="all").as_py()
    if different <= 1 and not types.is_string(values.type):
        return False  # zstd makes as little of one number, and needs not look it up for each row
    return different <= 2 + REPEATED * len(values)


def slices(times: NDArray[np.int64], rows: int, zone: str) -> NDArray[np.int64]:
    """Return the instants at which a table of `rows` rows is cut into slices of time.

    A question of a short time in a small place reads the fewer rows the more slices there are, and one of all
    times in a cell the more, see `BROAD`. Slices hold whole days of the city, and like numbers of rows.

    Parameters
    ----------
    times
        A sample of the rows' times, in UTC microseconds.
    rows
        How many rows there are.
    zone
        The city's time zone (IANA).

    """
    number = round(math.sqrt(rows / group_rows(rows)) / BROAD)
    if rows < SLICED or not len(times) or number < 2:
        return np.empty(0, np.int64)
    cuts = np.quantile(times, np.arange(1, number) / number, method="lower").astype(np.int64)
    local = np.asarray(pc.local_timestamp(pa.array(cuts).cast(pa.timestamp("us", zone))).cast(pa.int64()))
    midnights: NDArray[np.int64] = np.unique(cuts - local % DAY)
    inner: NDArray[np.int64] = midnights[midnights > times.min()]
    return inner


class FactsFile:
    """One Parquet file of facts, written from sorted pieces of any size.

    Parameters
    ----------
    path
        Where.
    schema
        Of the pieces.
    group
        How many rows a row group holds.
    first
        The number of the first fact.

    """

    def __init__(self, path: Path, schema: pa.Schema, group: int, first: int) -> None:
        self.path = path
        self.group = group
        self.next = first
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0
        self._schema = schema
        self._writer: pq.ParquetWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Take in the next rows; whole row groups are written."""
        if self._writer is None:
            self._writer = self._begun(encoding(batch))
        self._waiting.append(batch)
        self._rows += batch.num_rows
        if self._rows >= self.group:
            self._flush(self._rows - self._rows % self.group)

    def end_group(self) -> None:
        """Write what waits: the next rows begin a row group."""
        if self._rows:
            self._flush(self._rows)

    def _begun(self, options: dict[str, Any]) -> pq.ParquetWriter:
        return pq.ParquetWriter(
            self.path,
            self._schema.append(FACT),
            compression="zstd",
            compression_level=1,
            store_schema=False,
            **options,
        )

    def _flush(self, rows: int) -> None:
        assert self._writer is not None  # noqa: S101 -- begun with the first rows
        table = pa.Table.from_batches(self._waiting, self._schema)
        numbers = pa.array(np.arange(self.next, self.next + rows))
        self.next += rows
        self._writer.write_table(table.slice(0, rows).append_column(FACT, numbers), row_group_size=self.group)
        self._waiting = table.slice(rows).to_batches()
        self._rows -= rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.end_group()
                self._writer = self._writer or self._begun({})
        finally:
            if self._writer is not None:
                self._writer.close()


def midnights(first: datetime, last: datetime, zone: str) -> dict[date, int]:
    """Return the local days of a city from one instant to another, and when each begins (UTC microseconds).

    A day that begins within an hour that the clock leaves out begins when the clock goes on.
    """
    ends = pc.local_timestamp(pa.array([first, last], pa.timestamp("us", zone))).cast(pa.date32(), safe=False)
    low, high = np.asarray(ends.cast(pa.int32())).tolist()
    days = pa.array(np.arange(low, high + 1, dtype=np.int32)).cast(pa.date32())
    begin = pc.assume_timezone(
        days.cast(pa.timestamp("us")), zone, ambiguous="earliest", nonexistent="latest"
    )
    return dict(zip(days.to_pylist(), begin.cast(pa.int64()).to_pylist(), strict=True))
