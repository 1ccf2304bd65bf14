"""The same words written otherwise: what clerks leave out, add or exchange without meaning another thing.

Figures never count as written otherwise: gate 12 is not gate 14, however alike the rest is; nor do the
letters and words that number as figures do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jingwei.lake.likeness import likeness
from jingwei.lake.numbers import plain_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

ONE_WORD = (
    (r"[\p{P}\p{S}\p{Z}\p{C}]", ""),
    ("號", "号"),
    (r"([\d])(?:栋|座|号楼|號樓|楼栋)", r"\1幢"),
    ("有限责任公司|有限責任公司", "有限公司"),
    ("特别行政区|自治区|自治州|[省市]", ""),
    (r"^(#?\d+)号$", r"\1"),
)
"""Patterns (RE2), and what they are all written as: punctuation, buildings, companies, divisions, signs."""
MARK = re.compile(
    r"(?<=第)[一二三四五六七八九十百]+"
    r"|[一二三四五六七八九十百]+(?=[期号栋幢座楼层单区组村队店厂校院中小路街巷弄环分])"
    r"|[a-z甲乙丙丁戊](?=[座栋幢区馆楼口段门])"
    r"|[东西南北](?=[路街巷门段区苑侧座塔馆园口])"
    r"|[上下](?=行)|[内外](?=环)|[左右](?=[岸幅侧线])"
)
"""What tells things of one name apart as figures do: phase one and two, block A and B, roads east, west.

Also branches, and the two sides of a way."""
LEAST_HELD = 4
"""Characters of a text that counts as held in another one; fewer may be part of anything."""


def same_words(left: pa.Array, right: pa.Array, at_least: float, *, holds: bool) -> NDArray[np.bool_]:
    """Say which pairs of texts are the same words.

    Parameters
    ----------
    left, right
        Texts, of one length.
    at_least
        The likeness (1 less the share of characters to change) from which on they are.
    holds
        Whether they are, too, where one holds the other and is at most twice as long.

    """
    a, b = plain_words(left), plain_words(right)
    same = likeness(a, b) >= at_least
    same[same] = _equal_marks(a.filter(pa.array(same)), b.filter(pa.array(same)))
    both_empty = np.asarray(pc.and_(pc.equal(a, ""), pc.equal(b, "")))
    if holds:
        same |= _holds(a, b)
    figures = np.asarray(pc.equal(_figures(left), _figures(right)), bool)
    return np.asarray((same | both_empty) & figures, bool)


def plain_words(texts: pa.Array) -> pa.Array:
    """Return texts as they are compared: half-width, without punctuation, exchangeable words made one."""
    plain = pc.utf8_lower(pc.fill_null(plain_text(texts), ""))
    for pattern, word in ONE_WORD:
        plain = pc.replace_substring_regex(plain, pattern, word)
    return plain


def _figures(texts: pa.Array) -> pa.Array:
    """Return the whole numbers in texts, in their order, without leading zeros."""
    plain = pc.fill_null(plain_text(texts), "")
    parted = pc.utf8_trim_whitespace(pc.replace_substring_regex(plain, r"\D+", " "))
    return pc.replace_substring_regex(parted, r"\b0+(\d)", r"\1")


def _equal_marks(a: pa.Array, b: pa.Array) -> NDArray[np.bool_]:
    """Say which pairs of texts bear the same marks, in their order."""
    pairs = zip(a.to_pylist(), b.to_pylist(), strict=True)
    return np.array([MARK.findall(one) == MARK.findall(other) for one, other in pairs], bool)


def _holds(a: pa.Array, b: pa.Array) -> NDArray[np.bool_]:
    """Say where the shorter text of a pair stands whole in the longer one."""
    here, there = a.to_pylist(), b.to_pylist()
    held = [
        len(short) >= LEAST_HELD and 2 * len(short) >= len(long) and short in long
        for short, long in (sorted(pair, key=len) for pair in zip(here, there, strict=True))
    ]
    return np.array(held, bool)
