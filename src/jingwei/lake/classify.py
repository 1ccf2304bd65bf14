"""How sensitive each field of a dataset is: as the manifest says, else by what the field looks like.

Levels follow the four of general data in GB/T 43697-2024 (annex H): 1 harms nobody, 4 gravely. A field gets
its level when it is first loaded and keeps it until the manifest says otherwise, so that a file in which it
happens to look harmless lowers nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from jingwei.lake.names import simplified

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from jingwei.lake.schemas import Column

LEVELS = {"unconditional": 1, "conditional": 2, "none": 3}
"""The level of a dataset by its sharing type, where the manifest gives none."""
PERSONAL = 3
"""The level of a personal field, where the manifest gives none."""
SAMPLE = 2_000
"""Rows whose values are looked at."""

_NAMES = re.compile(
    r"姓名|身[份分]证|证件号|手机|联[系络]电话|联[系络]方式|住址|家庭地址|户籍|出生日期|生日|来电人|报案人|上报人|申请人|联[系络]人|举报人|户主"
    r"|(?:^|_)(?:phone|mobile|id_?card|birth(?:day|_?date)?|surname|given_?name)(?:$|_)",
    re.IGNORECASE,
)
_MOBILE = re.compile(r"(?:\+?86[- ]?)?1[3-9][0-9]{9}")
_IDENTITY = re.compile(r"[1-9][0-9]{16}[0-9Xx]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""GB 11643-1999, annex A: the check character of an identity number."""


@dataclass(frozen=True, slots=True)
class FieldClass:
    """How sensitive a field is, and by what that was found: `manifest`, `name`, `values` or `default`."""

    level: int
    personal: bool
    by: str


def classify(
    columns: Iterable[Column],
    sample: Path | None,
    *,
    level: int,
    declared: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, Mapping[str, Any]],
) -> dict[str, FieldClass]:
    """Return the class of each column.

    Parameters
    ----------
    columns
        The department's own columns.
    sample
        A Parquet file whose first rows are looked at; none are, if it is `None`.
    level
        That of the dataset.
    declared
        What the manifest says of fields: `level` and `personal`, each if known.
    known
        What was found when a field was first loaded.

    """
    listed = list(columns)
    unknown = [column.name for column in listed if column.name not in known]
    looks = _looks_personal(sample, unknown) if sample is not None and unknown else set()
    found = {}
    for column in listed:
        before = known.get(column.name)
        if before is not None:
            first = FieldClass(before["level"], before["personal"], before["by"])
        elif _NAMES.search(simplified(column.name)):
            first = FieldClass(max(level, PERSONAL), personal=True, by="name")
        elif column.name in looks:
            first = FieldClass(max(level, PERSONAL), personal=True, by="values")
        else:
            first = FieldClass(level, personal=False, by="default")
        found[column.name] = _as_declared(first, declared.get(column.name), level)
    return found


def _as_declared(first: FieldClass, said: Mapping[str, Any] | None, level: int) -> FieldClass:
    if not said:
        return first
    personal = first.personal if said.get("personal") is None else bool(said["personal"])
    usual = max(level, PERSONAL) if personal else level
    given = said.get("level")
    return FieldClass(usual if given is None else int(given), personal=personal, by="manifest")


def _looks_personal(sample: Path, names: list[str]) -> set[str]:
    """Return the columns of text of which at least half are telephone or identity numbers of persons."""
    file = pq.ParquetFile(sample)
    texts = [name for name in names if pa.types.is_string(file.schema_arrow.field(name).type)]
    if not texts:
        return set()
    batch = next(file.iter_batches(SAMPLE, columns=texts), None)
    if batch is None:
        return set()
    found = set()
    for name in texts:
        values = [value for value in batch.column(name).to_pylist() if value]
        if values and 2 * sum(map(_is_of_a_person, values)) >= len(values):
            found.add(name)
    return found


def _is_of_a_person(value: str) -> bool:
    if _MOBILE.fullmatch(value):
        return True
    if not _IDENTITY.fullmatch(value):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(value, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == value[17].upper()
