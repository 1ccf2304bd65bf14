"""Which columns of text are numbers: those whose every value says so and would lose no digit."""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum

import pyarrow as pa
import pyarrow.compute as pc

LONGEST_INTEGER = 10**15
"""Integers of more than 15 digits are codes (identity numbers, credit codes, cell codes), not quantities."""

LONGEST_DECIMAL = 17
"""Significant digits that tell any two doubles apart (IEEE 754 binary64); more would be lost."""

DECIMAL = r"^(?:-?(?:0|[1-9][0-9]*|)(?:\.[0-9]*)?(?:[eE][+-][0-9]+)?|-?(?i:nan|inf|infinity))$"
"""Decimals as programs write them. `007`, `+5`, `1E5`, `1,234`, `0x10` stay text: they may be codes."""

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


def are_integers(texts: pa.Array) -> bool:
    """Tell whether each text is an integer of at most 15 digits that writes back to the same text."""
    try:
        numbers = pc.cast(texts, pa.int64())
    except pa.ArrowInvalid:
        return False
    bounds = pc.min_max(numbers)
    if bounds["min"].as_py() <= -LONGEST_INTEGER or bounds["max"].as_py() >= LONGEST_INTEGER:
        return False
    return bool(pc.all(pc.equal(pc.cast(numbers, pa.string()), texts)).as_py())


def are_decimals(texts: pa.Array) -> bool:
    """Tell whether each text is a decimal that a double holds, and no integer of 16 digits or more."""
    if not pc.all(pc.match_substring_regex(texts, DECIMAL)).as_py():
        return False
    try:
        pc.cast(texts, pa.float64())
    except pa.ArrowInvalid:
        return False
    long = texts.filter(pc.greater(pc.binary_length(texts), 15))
    if len(long) == 0:
        return True
    if not pc.all(pc.match_substring_regex(long, r"[.eE]")).as_py():
        return False
    digits = pc.replace_substring_regex(long, NOT_SIGNIFICANT, "")
    return bool(pc.max(pc.binary_length(digits)).as_py() <= LONGEST_DECIMAL)


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
