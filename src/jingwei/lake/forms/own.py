"""Files that Jingwei itself wrote, handed in again: their address columns are made anew."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from jingwei.lake.forms.reading import BATCH_ROWS, Batch, Evidence, Reading
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = re.compile(
    r"jw_(?:cell|level)(?:__\w+)?|jw_(?:object|fact|source|row|height(?:_datum)?|valid_(?:from|to))"
    r"|jw_time(?:_end|_precision)?",
    re.IGNORECASE,
)
"""Names of the columns that stand beside a source's own ones."""


def without_address(reading: Reading) -> Reading:
    """Return a reading without the address columns of an export; itself where it has none."""
    own = [name for name in reading.columns if not ADDRESS.fullmatch(name) or name == reading.geometry]
    return reading if not own or len(own) == len(reading.columns) else _WithoutAddress(reading, own)


class _WithoutAddress(Reading):
    """A reading of the source's own columns."""

    def __init__(self, reading: Reading, own: list[str]) -> None:
        super().__init__(reading.path)
        self._reading, self._own = reading, own
        self.form, self.layer, self.geometry = reading.form, reading.layer, reading.geometry
        self.declared_crs, self.total = reading.declared_crs, reading.total
        left = [name for name in reading.columns if name not in own]
        self.schema = pa.schema([reading.schema.field(name) for name in own])
        reason = Text(
            f"{'、'.join(left)} 是本系统导出时加上的，载入时重新计算",
            f"{', '.join(left)} were added when the file was exported; they are computed anew",
        )
        self.evidence = [*reading.evidence, Evidence("columns", "left out", reason, {"columns": [*left]})]

    @property
    def progress(self) -> float:
        """Share of the source that `batches` has read so far, 0 to 1."""
        return self._reading.progress

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows."""
        return self._selected(self._reading.batches(size))

    def last_batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows for the last time."""
        return self._selected(self._reading.last_batches(size))

    def _selected(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            yield replace(batch, table=batch.table.select(self._own))

    def close(self) -> None:
        """Let go of the file."""
        self._reading.close()
