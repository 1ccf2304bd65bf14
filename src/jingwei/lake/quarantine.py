"""Rows that are not published: where they stand and why, beside the facts of their dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int64()),
        ("rule", pa.string()),
        ("reason_zh", pa.string()),
        ("reason_en", pa.string()),
        ("text", pa.string()),
    ]
)

Quarantined = tuple[str, int, str, str, str, str]
"""File, row, rule, reason in Chinese and in English, and what stood there."""


def quarantine_of(rows: Iterable[Quarantined]) -> pa.Table:
    """Return rows as the table in which they are kept."""
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    return pa.table([list(column) for column in columns], schema=SCHEMA)
