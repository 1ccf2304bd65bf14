"""Numbers as people write them: full-width, in 万, in words; angles in degrees and minutes."""

from __future__ import annotations

import re
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

_FIGURES = "〇零一二两三四五六七八九十百千万亿点壹贰叁肆伍陆柒捌玖拾佰仟"
IN_WORDS = rf"^[-+负]?[\d.,]*[{_FIGURES}][\d.,{_FIGURES}]*$"
"""What may be a number in Chinese figures, or in figures of both kinds."""
FIGURES = str.maketrans("零壹贰叁肆伍陆柒捌玖拾佰仟两负", "〇一二三四五六七八九十百千二-")
DIGITS = "〇一二三四五六七八九"
PLACES = {"十": 10, "百": 100, "千": 1000}
GROUPS = (("亿", 1e8), ("万", 1e4))

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
    unread = _written(texts) & np.isnan(values)
    if unread.any():
        _read_words(texts, unread, values)
        unread &= np.isnan(values)
    return values, unread


def _read_words(texts: pa.Array, unread: Mask, values: Floats) -> None:
    """Put the numbers that are written in words where they stand."""
    may_be = unread & np.asarray(pc.fill_null(pc.match_substring_regex(texts, IN_WORDS), fill_value=False))
    if may_be.any():
        words = texts.filter(pa.array(may_be)).dictionary_encode()
        known = [number_in_words(word) for word in words.dictionary.to_pylist()]
        values[may_be] = np.array([np.nan if one is None else one for one in known])[words.indices.to_numpy()]


def number_in_words(text: str) -> float | None:
    """Read a number in Chinese figures: 一百二十, 三千零五, 两亿三千万, 二点五万, 二〇一八, 1亿2千万.

    The last figure of 一百二 and 三万五 counts tens and thousands, as it is spoken.

    Returns
    -------
    The number; `None` where the figures do not make one.
    """
    plain = text.translate(FIGURES).replace(",", "")
    sign = -1.0 if plain.startswith("-") else 1.0
    value = _of_groups(plain.lstrip("-+"), GROUPS)
    return None if value is None else sign * value


def _of_groups(text: str, groups: tuple[tuple[str, float], ...]) -> float | None:
    """Read what stands before and after 亿, then 万, then the figures of one group."""
    if not groups:
        return _of_group(text)
    (name, size), rest = groups[0], groups[1:]
    before, there, after = text.rpartition(name)
    if not there:
        return _of_groups(text, rest)
    head = _of_groups(before, groups if name == "亿" else rest)
    if head is None:
        return None
    if not after:
        return head * size
    spoken = len(after) == 1 and after in DIGITS[1:]
    tail = DIGITS.index(after) * size / 10 if spoken else _of_groups(after.removeprefix("〇"), rest)
    return None if tail is None or tail >= size else head * size + tail


def _of_group(text: str) -> float | None:
    """Read figures without 万 and 亿: all of them digits, or each with its place."""
    whole, point, parts = text.partition("点")
    written = f"{whole}.{parts}" if point else whole
    digits = written.translate({ord(one): str(number) for number, one in enumerate(DIGITS)})
    if not re.search("[十百千]", digits):
        return float(digits) if re.fullmatch(r"\d+(\.\d+)?|\.\d+", digits) else None
    if re.search("[一二三四五六七八九]{2}|[十百千]〇$", whole):
        return None
    if point:
        fraction = _of_group("〇点" + parts)
        before = _of_group(whole)
        return None if fraction is None or before is None else before + fraction
    return _of_places(digits)


def _of_places(text: str) -> float | None:
    """Read figures such as 1千〇5 or 3百2十: each place at most once, from the largest down."""
    total, least = 0.0, 10_000
    for gap, figure, place in re.findall(r"(0?)(\d+(?:\.\d+)?|)([十百千]|$)", text):
        if not figure and not place:
            continue
        size = PLACES.get(place, 1)
        if size >= least or (not figure and (place != "十" or total)):
            return None
        spoken = not place and not gap and least > 10 and least < 10_000 and len(figure) == 1
        total += float(figure or 1) * (least // 10 if spoken else size)
        least = size
    return total


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
