"""Masks as SQL: what `jingwei.access.policy.masks.masked` shows, said to the query engine.

Whatever is asked of a masked column, a filter as much as an answer, is asked of what is shown: so no series
of filters can find out what is hidden.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from jingwei.access.policy.engine import Mask

KEY_SIZE = 32
_BLOCK = 64
"""Bytes of a block of SHA-256 (RFC 2104)."""


def mask_key(path: Path) -> bytes:
    """Return the city's secret for hashes, made at the first call and readable by its owner only."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    key = secrets.token_bytes(KEY_SIZE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def prepare(engine: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Give the engine the secret, in a table that no filter can name, so that no question carries it."""
    padded = key.ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
    engine.execute(
        "CREATE OR REPLACE TABLE jw_mask_key AS SELECT ?::BLOB AS inside, ?::BLOB AS outside", [inner, outer]
    )


def masked_sql(column: str, type_: str, mask: Mask) -> str:
    """Return the SQL of what is shown of a column.

    Parameters
    ----------
    column
        The column, quoted.
    type_
        Its Arrow type, as `Column.type` names it.
    mask
        How it is shown.

    """
    if mask == "clear":
        return column
    if mask == "hidden":
        return "NULL"
    text = f"CAST({column} AS VARCHAR)"
    if mask == "hash":
        inner = f"unhex(sha256((SELECT inside FROM jw_mask_key) || encode({text})))"
        return f"left(sha256((SELECT outside FROM jw_mask_key) || {inner}), 16)"
    if mask == "partial":
        return _partial(text)
    return _generalised(column, type_)


def _partial(text: str) -> str:
    length = f"length({text})"
    head = f"CASE WHEN {length} IN (2, 3) THEN 1 ELSE least(3, {length} // 4) END"
    tail = f"CASE WHEN {length} IN (2, 3) THEN 0 ELSE least(4, {length} // 4) END"
    return f"left({text}, {head}) || repeat('*', {length} - ({head}) - ({tail})) || right({text}, {tail})"


def _generalised(column: str, type_: str) -> str:
    if type_ == "bool":
        return "CAST(NULL AS BOOLEAN)"
    if type_.startswith(("int", "uint", "float", "double", "decimal")):
        whole = f"trunc(abs(CAST({column} AS DOUBLE)))"
        size = f"pow(10, length(CAST(CAST({whole} AS HUGEINT) AS VARCHAR)) - 1)"
        return (
            f"CASE WHEN isfinite(CAST({column} AS DOUBLE)) AND abs(CAST({column} AS DOUBLE)) < 1e37 "
            f"THEN sign({column}) * trunc({whole} / {size}) * {size} END"
        )
    if type_.startswith(("timestamp", "date")):
        return f"CAST(year({column}) AS VARCHAR)"
    return f"left(CAST({column} AS VARCHAR), 1) || '*'"


def shown_type(type_: str, mask: Mask) -> str:
    """Return the Arrow type of a column as it is shown."""
    if mask == "clear":
        return type_
    if mask == "generalise" and type_.startswith(("int", "uint", "float", "double", "decimal")):
        return "double"
    return "bool" if mask == "generalise" and type_ == "bool" else "string"
