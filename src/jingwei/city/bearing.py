"""Files that were handed in and bear what was erased: found by reading them as they would be loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from jingwei.city import survey
from jingwei.lake import forms
from jingwei.lake.erasing import erased_marks, without_erased

if TYPE_CHECKING:
    from pathlib import Path

    from jingwei.city.manifest import SourceSpec
    from jingwei.city.service import City

ROWS = 50_000
"""Rows that are read at a time."""


def bears_erased(city: City, spec: SourceSpec, path: Path) -> bool:
    """Say whether a file that was loaded holds rows that were left out, as they had been erased before."""
    marks = erased_marks(city.lake, spec.id)
    if not marks:
        return False
    with survey.open_reading(spec, path) as reading:
        return any(
            not without_erased(city.lake, spec.id, batch.table, marks).all()
            for batch in reading.batches(ROWS)
        )


def says(path: Path, column: str, value: str) -> bool:
    """Say whether a cell of a file is a value: of the column, in tables that have it, else of any.

    Raises
    ------
    FormError
        If the file cannot be read.

    """
    for layer in forms.layers(path):
        with forms.open_form(path, layer=layer or None) as reading:
            looked_at = [column] if column in reading.columns else reading.columns
            for batch in reading.batches(ROWS):
                if any(_among(batch.table.column(name), value) for name in looked_at):
                    return True
    return False


def _among(values: pa.Array, value: str) -> bool:
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type) or pa.types.is_null(values.type):
        return False
    found = pc.equal(pc.utf8_trim_whitespace(values.cast(pa.string())), value)
    return bool(pc.any(found).as_py())
