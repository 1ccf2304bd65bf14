"""Numbers as people write them: full-width, with separators, in 万; angles in degrees and minutes."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

NUMBER = (
    r"^(?P<sign>[-+]?)(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:[eE][-+]?\d+)?)"
    r"(?P<unit>万|亿|万亿|%)?$"
)
UNITS = {"万": 1e4, "亿": 1e8, "万亿": 1e12, "%": 0.01}

ANGLE = (
    r"^(?P<before>[EWNSewns]|东经|西经|北纬|南纬)?\s*(?P<sign>[-+]?)(?P<degrees>\d{1,3}(?:\.\d+)?)\s*[°º度d]?\s*"
    r"(?:(?P<minutes>\d{1,2}(?:\.\d+)?)\s*['′’‘分m]\s*)?"
    r"(?:(?P<seconds>\d{1,2}(?:\.\d+)?)\s*(?:[\"″”“秒s]|''|′′)?\s*)?(?P<after>[EWNSewns]|东经|西经|北纬|南纬)?$"
)
NEGATIVE_SIDES = ("W", "S", "w", "s", "西经", "南纬")


def plain_text(column: pa.Array) -> pa.Array:
    """Return a column as text without surrounding blanks, full-width characters made half-width (NFKC)."""
    texts = pc.cast(_flat(column), pa.string())
    return pc.utf8_trim_whitespace(pc.utf8_normalize(texts, "NFKC"))


def read_numbers(column: pa.Array | pa.ChunkedArray) -> tuple[Floats, Mask]:
    """Read a column of any type as numbers.

    Returns
    -------
    values
        float64, NaN where there is none.
    unreadable
        True where something is written that is no number; blank and null are simply absent.
    """
    column = _flat(column)
    if _is_numeric(column.type):
        return _floats(column), np.zeros(len(column), dtype=bool)
    if not _is_text(column.type):
        return np.full(len(column), np.nan), np.asarray(pc.is_valid(column))
    texts = plain_text(column)
    parts = pc.extract_regex(texts, NUMBER)
    digits = pc.replace_substring(pc.struct_field(parts, "digits"), ",", "")
    usable = pc.match_substring_regex(digits, r"\d")
    values = _floats(pc.cast(pc.if_else(usable, digits, None), pa.float64()))
    values *= np.where(_equal(pc.struct_field(parts, "sign"), "-"), -1.0, 1.0)
    for unit, factor in UNITS.items():
        values[_equal(pc.struct_field(parts, "unit"), unit)] *= factor
    return values, _written(texts) & np.isnan(values)


def read_angles(column: pa.Array | pa.ChunkedArray) -> tuple[Floats, Mask]:
    """Read a column of longitudes or latitudes, decimal or as degrees, minutes and seconds, in degrees.

    Returns
    -------
    values
        float64 degrees, west and south negative; NaN where there is none.
    unreadable
        True where something is written that is no angle.
    """
    column = _flat(column)
    values, unreadable = read_numbers(column)
    if not _is_text(column.type) or not unreadable.any():
        return values, unreadable
    parts = pc.extract_regex(plain_text(column), ANGLE)
    degrees = _part(parts, "degrees")
    minutes, seconds = _part(parts, "minutes"), _part(parts, "seconds")
    angle = degrees + np.nan_to_num(minutes) / 60 + np.nan_to_num(seconds) / 3600
    negative = _equal(pc.struct_field(parts, "sign"), "-")
    for side in NEGATIVE_SIDES:
        negative |= _equal(pc.struct_field(parts, "before"), side) | _equal(
            pc.struct_field(parts, "after"), side
        )
    angle = np.where(negative, -angle, angle)
    angle[(minutes >= 60) | (seconds >= 60)] = np.nan
    values = np.where(unreadable, angle, values)
    return values, unreadable & np.isnan(values)


def are_sexagesimal(column: pa.Array | pa.ChunkedArray) -> bool:
    """Tell whether most written values of a column are angles in degrees and minutes."""
    column = _flat(column)
    if not _is_text(column.type):
        return False
    _, no_number = read_numbers(column)
    _, no_angle = read_angles(column)
    written = int(_written(plain_text(column)).sum())
    return bool(written and (no_number & ~no_angle).sum() > 0.5 * written)


def _flat(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _floats(column: pa.Array) -> Floats:
    values = pc.cast(column, pa.float64(), safe=False)
    return np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def _part(parts: pa.Array, name: str) -> Floats:
    text = pc.struct_field(parts, name)
    return _floats(pc.cast(pc.if_else(pc.not_equal(text, ""), text, None), pa.float64()))


def _equal(texts: pa.Array, wanted: str) -> Mask:
    return np.asarray(pc.fill_null(pc.equal(texts, wanted), fill_value=False))


def _written(texts: pa.Array) -> Mask:
    return np.asarray(pc.fill_null(pc.not_equal(texts, ""), fill_value=False))
