"""Which columns of text are numbers: those whose every value says so and would lose no digit."""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jingwei.lake.raw_texts import bounds_and_bytes

LONGEST_INTEGER = 10**15
"""Integers of more than 15 digits are codes (identity numbers, credit codes, cell codes), not quantities."""

LONGEST_DECIMAL = 17
"""Significant digits that tell any two doubles apart (IEEE 754 binary64); more would be lost."""

LEADING_ZERO = r"^-?0[0-9]"
SIGNED_EXPONENT = r"[eE][+-]"
NOT_SIGNIFICANT = r"[eE].*$|^-?[0.]*|\.|0+$"


class Kind(IntEnum):
    """What a column of text may be read as without losing a digit, the narrowest first."""

    EMPTY = 0
    INTEGER = 1
    DECIMAL = 2
    TEXT = 3

    @property
    def type(self) -> pa.DataType:
        """The Arrow type; a column that never had a value is text."""
        return {Kind.INTEGER: pa.int64(), Kind.DECIMAL: pa.float64()}.get(self, pa.string())


def kind_of(texts: pa.Array, at_least: Kind = Kind.EMPTY) -> Kind:
    """Return the narrowest kind, no narrower than `at_least`, that holds all the texts; nulls say nothing."""
    if at_least is Kind.TEXT:
        return at_least
    texts = texts.drop_null() if texts.null_count else texts
    if len(texts) == 0:
        return at_least
    if at_least < Kind.DECIMAL and are_integers(texts):
        return Kind.INTEGER
    return Kind.DECIMAL if are_decimals(texts) else Kind.TEXT


def kind_and_values(texts: pa.Array, at_least: Kind = Kind.EMPTY) -> tuple[Kind, pa.Array]:
    """Return `kind_of` many texts, and the texts as that kind; nearly all are read by a compiled loop.

    Parameters
    ----------
    texts
        A column as UTF-8 (`string`).
    at_least
        The kind of the rows before these: as numbers they are read at least as that.

    """
    if at_least is Kind.TEXT or len(texts) == texts.null_count:
        return at_least, texts
    from jingwei.lake.forms.kernels_numbers import FRACTIONS, WHOLE, plain_numbers

    whole, fractions = np.empty(len(texts), np.int64), np.empty(len(texts), np.float64)
    kind, empty = plain_numbers(*bounds_and_bytes(texts), whole, fractions)
    if kind in (WHOLE, FRACTIONS) and empty == texts.null_count:
        missing = np.asarray(texts.is_null()) if empty else None
        if kind == WHOLE and at_least < Kind.DECIMAL:
            return Kind.INTEGER, pa.array(whole, mask=missing)
        return Kind.DECIMAL, pa.array(fractions, mask=missing)
    found = kind_of(texts, at_least)
    return found, pc.cast(texts, found.type)


def are_integers(texts: pa.Array) -> bool:
    """Tell whether each text is an integer of at most 15 digits that writes back to the same text."""
    numbers = _cast(texts, pa.int64())
    if numbers is None:
        return False
    bounds = pc.min_max(numbers)
    if bounds["min"].as_py() <= -LONGEST_INTEGER or bounds["max"].as_py() >= LONGEST_INTEGER:
        return False
    return bool(pc.all(pc.equal(pc.cast(numbers, pa.string()), texts)).as_py())


def are_decimals(texts: pa.Array) -> bool:
    """Tell whether each text is a decimal as programs write it, and one that a double holds.

    `007`, `+5`, `1E5`, `1,234`, `0x10` and integers of 16 digits or more are not: they may be codes. Only the
    texts that could be one of these are looked at closely.
    """
    if _cast(texts, pa.float64()) is None:
        return False
    zero = texts.filter(pc.or_(pc.starts_with(texts, "0"), pc.starts_with(texts, "-0")))
    plus = pc.any(pc.starts_with(texts, "+")).as_py()
    if plus or _any_match(zero, LEADING_ZERO):
        return False
    exponents = texts.filter(pc.or_(pc.match_substring(texts, "e"), pc.match_substring(texts, "E")))
    if not _all_match(exponents, SIGNED_EXPONENT):
        return False
    long = texts.filter(pc.greater(pc.binary_length(texts), 15))
    if not _all_match(long, r"[.eEnf]"):
        return False
    longest = long.filter(pc.greater(pc.binary_length(long), LONGEST_DECIMAL + 1))
    digits = pc.replace_substring_regex(longest, NOT_SIGNIFICANT, "")
    return not len(digits) or bool(pc.max(pc.binary_length(digits)).as_py() <= LONGEST_DECIMAL)


def _cast(texts: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Return texts as numbers, or None where one is none.

    A few are tried first: Arrow words an error for every text that fails, which takes longer than all else.
    """
    try:
        pc.cast(texts.slice(0, 64), kind)
        return pc.cast(texts, kind)
    except pa.ArrowInvalid:
        return None


def _any_match(texts: pa.Array, pattern: str) -> bool:
    return bool(len(texts) and pc.any(pc.match_substring_regex(texts, pattern)).as_py())


def _all_match(texts: pa.Array, pattern: str) -> bool:
    return not len(texts) or bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())


def unique_names(names: list[str]) -> tuple[list[str], dict[str, str]]:
    """Give a name to every unnamed column and tell repeated ones apart, ignoring case as query engines do.

    Returns
    -------
    list of str
        the names, unchanged where they were present and unique.
    dict of str to str
        each changed name with what the source had.
    """
    taken = {name.casefold() for name in names}
    used: set[str] = set()
    result: list[str] = []
    changed: dict[str, str] = {}
    for position, name in enumerate(names, start=1):
        chosen = name
        if not name.strip() or name.casefold() in used:
            chosen = _free_name(name.strip() or "column", position, taken | used)
            changed[chosen] = name
        used.add(chosen.casefold())
        result.append(chosen)
    return result, changed


def _free_name(stem: str, position: int, taken: Collection[str]) -> str:
    suffix = position if stem == "column" else 2
    while f"{stem}_{suffix}".casefold() in taken:
        suffix += 1
    return f"{stem}_{suffix}"
