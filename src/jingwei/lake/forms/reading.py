"""What every form of file is read into: batches, faults by row, and evidence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jingwei.words import Text

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

Progress: TypeAlias = Callable[[float], None]
"""Called with the share done (0 to 1); may raise to stop the work."""

BATCH_ROWS = 65_536
FAULT_TEXT_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was detected about a source, and why.

    Parameters
    ----------
    about
        what was asked: `encoding`, `delimiter`, `header`, `columns`, `crs`, ...
    verdict
        the answer that is used.
    reason
        why, for the person who may correct it.
    figures
        the numbers behind the reason.
    """

    about: str
    verdict: str
    reason: Text
    figures: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that cannot be loaded.

    Parameters
    ----------
    row
        its 1-based number as a person counts it in the file: the physical line where the record starts
        (text), the sheet row (XLSX), else the ordinal of the row or feature.
    rule
        stable kebab-case id of the rule it breaks.
    reason
        what is wrong, in both languages.
    text
        the row as the source has it, cut at `FAULT_TEXT_LIMIT` characters.
    """

    row: int
    rule: str
    reason: Text
    text: str

    def __post_init__(self) -> None:
        if len(self.text) > FAULT_TEXT_LIMIT:
            object.__setattr__(self, "text", self.text[: FAULT_TEXT_LIMIT - 1] + "…")


@dataclass(slots=True)
class Batch:
    """Rows of a source: `rows[i]` is the source's row number of `table`'s row i; `faults` are in neither."""

    table: pa.RecordBatch
    rows: npt.NDArray[np.int64]
    faults: list[RowFault] = field(default_factory=list)


class Reading(ABC):
    """An open source: its schema, what was detected, and its rows.

    Attributes
    ----------
    path
        the file.
    form
        name of the form: `csv`, `parquet`, `geojson`, `json`, `xlsx`, `vector`.
    layer
        sheet or layer, empty where the form has none.
    schema
        the source's own columns, names untouched; the same for every batch.
    geometry
        name of the column that holds geometries as WKB, or None.
    declared_crs
        the coordinate system that the file itself declares (`EPSG:4490`, `OGC:CRS84`, WKT), or None.
    evidence
        what was detected.
    total
        number of rows including faulty ones, or None where it is not known before reading.
    """

    path: Path
    form: str
    layer: str = ""
    schema: pa.Schema
    geometry: str | None = None
    declared_crs: str | None = None
    total: int | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self.evidence: list[Evidence] = []
        self._done = 0.0

    @property
    def columns(self) -> list[str]:
        """Names of the source's columns, in order."""
        return list(self.schema.names)

    @property
    def progress(self) -> float:
        """Share of the source that `batches` has read so far, 0 to 1."""
        return self._done

    @abstractmethod
    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows from the first on, at most `size` a batch; may be called again."""

    def last_batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows as `batches` does, for the last time: what was kept for it may go on the way."""
        return self.batches(size)

    def glance(self) -> pa.RecordBatch | None:
        """Return rows from all over the source as they lie in it, where the first look kept some."""
        return None

    def close(self) -> None:  # noqa: B027 (most forms hold nothing open)
        """Let go of the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def slices(
    table: pa.Table, rows: npt.NDArray[np.int64], faults: list[RowFault], size: int
) -> Iterator[Batch]:
    """Yield `table` in batches of at most `size` rows; the faults travel with the first."""
    if table.num_rows == 0:
        if faults:
            yield Batch(empty_batch(table.schema), rows[:0], faults)
        return
    start = 0
    for record_batch in table.combine_chunks().to_batches(max_chunksize=size):
        stop = start + record_batch.num_rows
        yield Batch(record_batch, rows[start:stop], faults if start == 0 else [])
        start = stop


def empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch of no rows."""
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
