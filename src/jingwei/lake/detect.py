"""What a source leaves unsaid, found with evidence: places, times, keys, names and coordinate system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pyarrow as pa
import pyarrow.compute as pc

from jingwei.lake.forms.reading import Evidence
from jingwei.lake.names import tokens
from jingwei.lake.places import (
    PlaceColumns,
    Points,
    find_places,
    geometry_encoding,
    read_geometries,
    read_pair_text,
)
from jingwei.lake.times import PRECISIONS, Precision, TimeColumns, TimeForm, Times, find_times, read_times
from jingwei.lake.weighing import (
    Anchor,
    BoundaryFault,
    Candidate,
    DatumVerdict,
    DeclaredVerdict,
    Fit,
    check_boundary,
    check_declared,
    folded,
    weigh_datums,
)
from jingwei.words import Text

__all__ = [
    "PRECISIONS",
    "Anchor",
    "BoundaryFault",
    "Candidate",
    "DatumVerdict",
    "DeclaredVerdict",
    "Fit",
    "KeyColumns",
    "PlaceColumns",
    "Points",
    "Precision",
    "TimeColumns",
    "TimeForm",
    "Times",
    "check_boundary",
    "check_declared",
    "find_keys",
    "find_names",
    "find_places",
    "find_times",
    "geometry_encoding",
    "read_geometries",
    "read_pair_text",
    "read_times",
    "weigh_datums",
]

_KEY_WORDS = (
    "id code no key uid guid uuid oid fid number num bh bm dm xh "
    "编号 编码 代码 序号 号 主键 标识 标识码 流水号"
)
KEY_WORDS = frozenset(_KEY_WORDS.split())
KEY_ENDINGS = ("id", "code", "编号", "编码", "代码", "序号", "号")
WIDEST_KEY = 4
MOST_KEY_COLUMNS = 8
TRIAL = 5_000
"""Rows on which a group of columns is tried before it is tried on all."""


@dataclass(frozen=True, slots=True)
class KeyColumns:
    """Columns whose values together are never missing and never repeated in the rows that were looked at."""

    columns: tuple[str, ...]
    named: bool
    evidence: Evidence


def find_keys(table: pa.Table) -> list[KeyColumns]:
    """Find the columns that each tell all rows apart, those named like keys first, else the narrowest group.

    Numbers with fractions and geometries are no keys; a column of whole numbers is one by itself only if it
    is named like one, for quantities are often all different too. Of fewer than two rows nothing can be told.
    """
    if table.num_rows < 2:
        return []
    usable = [name for name in table.column_names if _may_be_key(table[name])]
    trial = table.slice(0, TRIAL)
    whole = {name for name in usable if pa.types.is_integer(table[name].type)}
    single = [name for name in usable if name not in whole or names_key(name)]
    single = [name for name in single if _tells_apart(trial, (name,)) and _tells_apart(table, (name,))]
    if single:
        ordered = sorted(single, key=lambda name: (not names_key(name), table.column_names.index(name)))
        return [_as_key((name,), table.num_rows) for name in ordered]
    likely = sorted(usable, key=lambda name: not names_key(name))[:MOST_KEY_COLUMNS]
    for width in range(2, WIDEST_KEY + 1):
        for group in combinations(likely, width):
            if _tells_apart(trial, group) and _tells_apart(table, group):
                return [_as_key(group, table.num_rows)]
    return []


def names_key(name: str) -> bool:
    """Tell whether a column's name speaks of an identifier."""
    words = tokens(name)
    return any(word in KEY_WORDS for word in words) or bool(words and words[-1].endswith(KEY_ENDINGS))


def _may_be_key(column: pa.ChunkedArray) -> bool:
    kind = column.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(text or pa.types.is_integer(kind)) and column.null_count == 0


def _tells_apart(table: pa.Table, columns: Sequence[str]) -> bool:
    if len(columns) == 1:
        return bool(pc.count_distinct(table[columns[0]]).as_py() == table.num_rows)
    return bool(table.select(columns).group_by(list(columns)).aggregate([]).num_rows == table.num_rows)


def _as_key(columns: tuple[str, ...], rows: int) -> KeyColumns:
    shown = "、".join(columns)
    reason = Text(
        f"“{shown}”在 {rows:,} 行中没有缺失，也没有重复",
        f"“{', '.join(columns)}” is neither missing nor repeated in {rows:,} rows",
    )
    named = all(names_key(name) for name in columns)
    return KeyColumns(columns, named, Evidence("key", shown, reason, {"rows": rows, "named": named}))


def find_names(table: pa.Table, anchor: Anchor) -> tuple[str, float] | None:
    """Return the text column that shares most names with an anchor, and the share of its rows that do."""
    if anchor.names is None:
        return None
    known = {folded(name) for name in anchor.names if name is not None}
    best: tuple[str, float] | None = None
    for name in table.column_names:
        kind = table[name].type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            continue
        counts = pc.value_counts(table[name].drop_null().combine_chunks())
        shared = sum(entry["counts"] for entry in counts.to_pylist() if folded(entry["values"]) in known)
        share = shared / max(1, table.num_rows)
        if shared and (best is None or share > best[1]):
            best = name, share
    return best
