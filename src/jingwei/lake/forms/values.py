"""Columns of values that already have types (JSON, sheets): the narrowest Arrow type that keeps them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import TypeAlias

import pyarrow as pa

from jingwei.lake.forms.columns import LONGEST_INTEGER
from jingwei.lake.forms.reading import JSON

Value: TypeAlias = "JSON | dt.date | dt.datetime | dt.time | dt.timedelta"

EXACT = 2**53
"""Integers up to here are whole doubles (IEEE 754 binary64)."""


class ValueWatch:
    """Watches the values of a column and keeps the narrowest type for all of them.

    Parameters
    ----------
    as_text
        hold the column as text whatever its values.
    """

    def __init__(self, *, as_text: bool = False) -> None:
        self._kinds: set[str] = {"text"} if as_text else set()

    def see(self, value: Value) -> None:
        """Take one value into account; None says nothing."""
        if value is not None:
            self._kinds.add(_kind(value))

    @property
    def type(self) -> pa.DataType:
        """`bool`, `int64`, `float64`, `date32`, `timestamp[us]` or `string`."""
        kinds = self._kinds
        if kinds == {"truth"}:
            return pa.bool_()
        if kinds and kinds <= {"integer", "large integer"}:
            return pa.int64()
        if kinds and kinds <= {"integer", "decimal"}:
            return pa.float64()
        if kinds == {"day"}:
            return pa.date32()
        if kinds and kinds <= {"day", "moment"}:
            return pa.timestamp("us")
        return pa.string()


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int):
        if abs(value) <= EXACT:
            return "integer"
        return "large integer" if -(2**63) <= value < 2**63 else "text"
    if isinstance(value, float):
        return "decimal"
    if isinstance(value, dt.datetime):
        return "moment"
    return "day" if isinstance(value, dt.date) else "text"


def as_column(values: Iterable[Value], kind: pa.DataType) -> pa.Array:
    """Return values as an array of a type that `ValueWatch` gave; in `string`, all become text."""
    if pa.types.is_string(kind):
        return pa.array([as_text(value) for value in values], kind)
    if pa.types.is_floating(kind):
        return pa.array([None if value is None else float(value) for value in values], kind)  # type: ignore[arg-type]
    if pa.types.is_timestamp(kind):
        return pa.array([_as_moment(value) for value in values], kind)
    return pa.array(values, kind)


def as_text(value: Value) -> str | None:
    """Return a value as text: numbers as short as they can be, lists and objects as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dt.date | dt.time):
        return value.isoformat(sep=" ") if isinstance(value, dt.datetime) else value.isoformat()
    if isinstance(value, dt.timedelta):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def whole_if_whole(value: Value) -> Value:
    """Return a double that is a whole number of at most 15 digits as an integer: sheets know doubles only."""
    if isinstance(value, float) and value.is_integer() and abs(value) < LONGEST_INTEGER:
        return int(value)
    return value


def _as_moment(value: Value) -> dt.datetime | None:
    if isinstance(value, dt.datetime) or value is None:
        return value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 (sheets know no zones)
    raise TypeError(value)
