"""What a version looks like from within: columns, nulls, ranges, repeated keys and repeated rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jingwei.lake.distinct import distinct_of
from jingwei.lake.engines import in_files, open_engine
from jingwei.lake.raw_texts import bounds_and_bytes
from jingwei.lake.rules import name_of
from jingwei.lake.schemas import Column, Finding
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jingwei.lake.schemas import Content

MOST_SORTED = 20_000_000
"""Rows whose keys are sorted in memory (160 MB)."""

LOOKED_AT = 262_144
"""Rows that are looked at at once."""

SECONDS = len("2026-01-31 08:05:00")

NOT_UNIQUE = "key-not-unique"

SHOWN = 60
"""Characters of a minimum or maximum that are kept."""


class KeyOrder:
    """Watches rows go by in the order of their file: a key that always rises cannot repeat."""

    def __init__(self, schema: pa.Schema, keys: list[str]) -> None:
        whole = len(keys) == 1 and pa.types.is_integer(schema.field(keys[0]).type)
        self._key = keys[0] if whole else None
        self._last: int | None = None
        self.rising = whole

    def note(self, batch: pa.RecordBatch) -> None:
        """Take note of the next rows."""
        if not self.rising or batch.num_rows == 0:
            return
        column = batch.column(self._key)
        if column.null_count or pa.types.is_decimal(column.type):
            self.rising = False
            return
        numbers = column.to_numpy()
        follows = self._last is None or numbers[0] > self._last
        self.rising = bool(follows and (numbers[1:] > numbers[:-1]).all())
        self._last = int(numbers[-1])


class PlainTimes:
    """Watches rows go by: which columns of texts hold times to the second only; see `are_plain_times`."""

    def __init__(self, schema: pa.Schema) -> None:
        self.columns = {field.name for field in schema if pa.types.is_string(field.type)}

    def note(self, batch: pa.RecordBatch) -> None:
        """Take note of the next rows."""
        for name in [*self.columns]:
            texts = batch.column(name)
            if not pa.types.is_string(texts.type) or not are_times(texts):
                self.columns.discard(name)


def describe(
    paths: list[Path],
    schema: pa.Schema,
    keys: list[str],
    memory: str,
    *,
    rising: bool = False,
    distinct: dict[str, int] | None = None,
) -> tuple[list[Column], list[Finding]]:
    """Measure the department's own columns of written facts.

    Parameters
    ----------
    paths
        The Parquet files of the version.
    schema
        The own columns.
    keys
        Columns that are said to identify a row.
    memory
        What DuckDB may hold.
    rising
        Whether the keys were seen to rise from row to row (`KeyOrder`).
    distinct
        How many different values the columns have, where that was noted as they were written (`Distinct`).

    """
    different = dict(distinct_of(paths, schema) if distinct is None else distinct)
    if rising:
        different.pop(keys[0])
    with open_engine(memory) as engine:
        engine.execute("SET parquet_metadata_cache = true")  # the same files are asked many times
        columns = _columns(engine, paths, schema, different)
        source = in_files(paths)
        if rising or is_plainly_unique(paths, schema, keys):
            return columns, []
        repeated = _repeated_keys(engine, source, keys) if keys else []
        if keys and not repeated:
            return columns, []
        return columns, [*repeated, *_repeated_rows(engine, source, schema)]


def has_unique_key(content: Content, column: str) -> bool:
    """Say whether a column is the whole key of a version, and was seen to repeat in none of its rows."""
    return content.keys == [column] and not any(one.rule == NOT_UNIQUE for one in content.findings)


def is_plainly_unique(paths: Sequence[Path], schema: pa.Schema, keys: list[str]) -> bool:
    """Say whether a key of one whole-number column is seen to be unique; then no two rows are equal.

    Sorting the numbers takes a tenth of the time of grouping by them.
    """
    if len(keys) != 1 or not pa.types.is_integer(schema.field(keys[0]).type):
        return False
    if not paths or sum(pq.read_metadata(path).num_rows for path in paths) > MOST_SORTED:
        return False
    columns = [pq.read_table(path, columns=keys, partitioning=None)[keys[0]] for path in paths]
    if any(column.null_count for column in columns):
        return False
    numbers = np.sort(np.concatenate([column.to_numpy() for column in columns]))
    return not bool((numbers[1:] == numbers[:-1]).any())


def are_plain_times(paths: Sequence[Path], column: str) -> bool:
    """Say whether all texts of a column are times to the second, as `2026-01-31 08:05:00`, or missing.

    A compiled loop reads them in a tenth of the time that the engine takes.
    """
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(LOOKED_AT, columns=[column]):
                texts = batch.column(0)
                if not pa.types.is_string(texts.type) or not are_times(texts):
                    return False
    return True


def are_times(texts: pa.Array) -> bool:
    """Say whether all of some texts are times to the second, or missing; see `are_plain_times`."""
    told = texts.drop_null() if texts.null_count else texts
    if not len(told):
        return True
    bounds, data = bounds_and_bytes(told)
    if not bool((np.diff(bounds) == SECONDS).all()):
        return False
    # Numba takes a moment to load, which texts that are none of these are not worth.
    from jingwei.lake.kernels_times import are_to_the_second

    return bool(are_to_the_second(bounds[:-1], data))


def _columns(
    engine: duckdb.DuckDBPyConnection, paths: Sequence[Path], schema: pa.Schema, distinct: dict[str, int]
) -> list[Column]:
    if not schema.names:
        return []
    # By themselves, numbers and limits are answered from what each file tells of its parts.
    counted = [f"count({name_of(field.name)})" for field in schema]
    rows, *given = _over_all(engine, paths, ["count(*)", *counted], "sum({})::BIGINT")
    ends = ["NULL" if pa.types.is_binary(field.type) else name_of(field.name) for field in schema]
    least, greatest = (
        _over_all(
            engine, paths, [f"{end}({name})" for name in ends], f"left(CAST({end}({{}}) AS VARCHAR), {SHOWN})"
        )
        for end in ("min", "max")
    )
    columns = []
    for number, field in enumerate(schema):
        # An estimate may exceed the rows; what is not estimated never repeats.
        different = min(distinct.get(field.name, rows), given[number])
        known = None if pa.types.is_binary(field.type) else different
        limits = least[number], greatest[number]
        columns.append(Column(field.name, str(field.type), rows - given[number], known, *limits))
    return columns


def _over_all(
    engine: duckdb.DuckDBPyConnection, paths: Sequence[Path], parts: list[str], together: str
) -> tuple[Any, ...]:
    """Ask each file for some figures, and return what they make together."""
    asked = ", ".join(f"{part} AS jw_{number}" for number, part in enumerate(parts))
    each = " UNION ALL ".join(f"SELECT {asked} FROM {in_files([path])}" for path in paths)
    made = ", ".join(together.format(f"jw_{number}") for number in range(len(parts)))
    return engine.execute(f"SELECT {made} FROM ({each})").fetchall()[0]


def _repeated_keys(engine: duckdb.DuckDBPyConnection, source: str, keys: list[str]) -> list[Finding]:
    listed = ", ".join(name_of(key) for key in keys)
    found = engine.execute(
        f"SELECT sum(n), list(row ORDER BY row)[:10] FROM (SELECT count(*) AS n, min(jw_row) AS row "
        f"FROM {source} GROUP BY {listed} HAVING count(*) > 1)"
    ).fetchall()[0]
    if not found[0]:
        return []
    text = Text(
        f"键（{'、'.join(keys)}）不唯一：{found[0]} 行的键重复出现。",
        f"The key ({', '.join(keys)}) is not unique: {found[0]} rows share theirs with another.",
    )
    return [Finding(NOT_UNIQUE, text.as_json(), int(found[0]), list(found[1]))]


def _repeated_rows(engine: duckdb.DuckDBPyConnection, source: str, schema: pa.Schema) -> list[Finding]:
    if not schema.names:
        return []
    listed = ", ".join(name_of(name) for name in schema.names)
    found = engine.execute(
        f"SELECT sum(n - 1), list(row ORDER BY row)[:10] FROM (SELECT count(*) AS n, min(jw_row) AS row "
        f"FROM {source} GROUP BY hash({listed}) HAVING count(*) > 1)"
    ).fetchall()[0]
    if not found[0]:
        return []
    text = Text(
        f"{found[0]} 行与另一行完全相同。",
        f"{found[0]} rows are equal to another row in every column.",
    )
    return [Finding("repeated-row", text.as_json(), int(found[0]), list(found[1]))]
