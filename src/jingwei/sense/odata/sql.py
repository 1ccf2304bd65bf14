"""Writes expressions as SQL, where SQLite and PostgreSQL say exactly what `evaluate` says.

What cannot be written so is left to `evaluate`. Every condition written here is true or false, never null.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from typing import Literal as Choice

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Text,
    and_,
    bindparam,
    case,
    cast,
    collate,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import ARRAY

from jingwei.sense.odata.functions import number_of
from jingwei.sense.odata.syntax import (
    COMPARISONS,
    Among,
    Binary,
    Call,
    Expression,
    Instant,
    Literal,
    Path,
    Period,
    Unary,
    period_of_text,
)

EXACT = 1 << 53
LARGEST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Operand:
    """A column as conditions see it; for a document, `inside` leads to the part that is meant."""

    kind: Choice["id", "text", "json", "time", "period"]
    column: ColumnElement[Any]
    until: ColumnElement[Any] | None = None
    inside: tuple[str, ...] = ()


Resolve = Callable[[Path], "Operand | None"]


class _NotSqlError(Exception):
    """The expression is not one of those that both databases see alike."""


def condition(node: Expression, resolve: Resolve, dialect: str) -> ColumnElement[bool] | None:
    """Return an expression as SQL, or None where it is left to `evaluate`.

    Parameters
    ----------
    node
        The expression.
    resolve
        Returns the column of a path, None where it must not be looked at in SQL.
    dialect
        `sqlite` or `postgresql`.

    """
    try:
        return _Writer(resolve, dialect).condition(node)
    except _NotSqlError:
        return None


class _Writer:
    def __init__(self, resolve: Resolve, dialect: str) -> None:
        self.resolve = resolve
        self.dialect = dialect

    def condition(self, node: Expression) -> ColumnElement[bool]:
        match node:
            case Literal(value) if isinstance(value, bool):
                return true() if value else false()
            case Unary("not", operand):
                return not_(self.condition(operand))
            case Binary("and", left, right):
                return and_(self.condition(left), self.condition(right))
            case Binary("or", left, right):
                return or_(self.condition(left), self.condition(right))
            case Binary(sign, left, right) if sign in COMPARISONS:
                return self._comparison(sign, left, right)
            case Among(path, ids):
                return among(self._operand(path).column, ids, self.dialect)
            case Call(name, (left, right)) if name in ("startswith", "endswith", "substringof", "contains"):
                whole, part = (right, left) if name == "substringof" else (left, right)
                return self._part(name, whole, part)
        raise _NotSqlError

    def _operand(self, path: Path) -> Operand:
        found = self.resolve(path)
        if found is None:
            raise _NotSqlError
        return found

    def _comparison(self, sign: str, left: Expression, right: Expression) -> ColumnElement[bool]:
        if isinstance(left, Literal) and isinstance(right, Path):
            turned = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge"}
            sign, left, right = turned.get(sign, sign), right, left
        if not isinstance(left, Path) or not isinstance(right, Literal):
            raise _NotSqlError
        operand, value = self._operand(left), right.value
        if value is None:
            return self._null(sign, operand)
        if isinstance(value, str) and not right.written and operand.kind != "text":
            raise _NotSqlError  # a text that was found out is not read as a number
        match operand.kind:
            case "text" if isinstance(value, str):
                return _signed(sign, collate(operand.column, self._bytewise), value)
            case "id":
                return _of_id(sign, operand.column, number_of(value))
            case "time" | "period":
                return _of_time(sign, operand, value)
            case "json":
                return self._of_json(sign, operand, value)
        raise _NotSqlError

    @property
    def _bytewise(self) -> str:
        return "C" if self.dialect == "postgresql" else "BINARY"

    def _null(self, sign: str, operand: Operand) -> ColumnElement[bool]:
        if sign not in ("eq", "ne"):
            return false()
        if operand.kind == "json":
            type_ = self._type(operand)
            missing = or_(type_.is_(None), type_ == "null")
        else:
            missing = operand.column.is_(None)
        return missing if sign == "eq" else not_(missing)

    # documents

    def _type(self, operand: Operand) -> ColumnElement[Any]:
        if self.dialect == "sqlite":
            return func.json_type(cast(operand.column, Text), _sqlite_path(operand.inside))
        return func.jsonb_typeof(self._inside(operand))

    def _inside(self, operand: Operand) -> ColumnElement[Any]:
        return func.jsonb_extract_path(operand.column, *operand.inside) if operand.inside else operand.column

    def _value(self, operand: Operand, as_: Any) -> ColumnElement[Any]:
        if self.dialect == "sqlite":
            return cast(func.json_extract(cast(operand.column, Text), _sqlite_path(operand.inside)), as_)
        return cast(self._inside(operand).op("#>>")(literal_column("'{}'")), as_)

    def _of_json(self, sign: str, operand: Operand, value: Any) -> ColumnElement[bool]:
        if isinstance(value, bool):
            return self._of_json_truth(sign, operand, value)
        number = number_of(value)
        if number is not None and abs(number) >= EXACT:
            raise _NotSqlError
        numbers, texts = (
            (("integer", "real"), ("text",)) if self.dialect == "sqlite" else (("number",), ("string",))
        )
        type_ = self._type(operand)
        if number is not None and isinstance(value, int | float):
            return self._typed(sign, type_, numbers, self._value(operand, Float(53)), float(number))
        if isinstance(value, str) and number is None and value not in ("true", "false"):
            text = collate(self._value(operand, Text), self._bytewise)
            return self._typed(sign, type_, texts, text, value)
        raise _NotSqlError

    def _of_json_truth(self, sign: str, operand: Operand, value: bool) -> ColumnElement[bool]:
        if sign not in ("eq", "ne"):
            raise _NotSqlError
        if self.dialect == "sqlite":
            found = func.coalesce(self._type(operand) == ("true" if value else "false"), false())
        else:
            is_one = and_(self._type(operand) == "boolean", self._value(operand, Text) == str(value).lower())
            found = func.coalesce(is_one, false())
        return found if sign == "eq" else not_(found)

    @staticmethod
    def _typed(
        sign: str, type_: ColumnElement[Any], types: tuple[str, ...], column: ColumnElement[Any], value: Any
    ) -> ColumnElement[bool]:
        """Compare only what is of a type: databases evaluate a branch of CASE only where it is taken."""
        compared = case(
            (type_.in_(types), _signed("eq" if sign == "ne" else sign, column, value)), else_=false()
        )
        found = func.coalesce(compared, false())
        return not_(found) if sign == "ne" else found

    # texts

    def _part(self, name: str, whole: Expression, part: Expression) -> ColumnElement[bool]:
        if not isinstance(whole, Path) or not isinstance(part, Literal) or not isinstance(part.value, str):
            raise _NotSqlError
        operand, text = self._operand(whole), part.value
        if operand.kind != "text" or "\0" in text:
            raise _NotSqlError
        column = operand.column
        if text == "":
            return column.is_not(None)
        if name == "startswith":
            found = func.substr(column, 1, len(text)) == text
        elif name == "endswith" and self.dialect == "sqlite":
            found = func.substr(column, -len(text)) == text
        elif name == "endswith":
            found = func.right(column, len(text)) == text
        else:
            found = (func.instr if self.dialect == "sqlite" else func.strpos)(column, text) > 0
        return func.coalesce(found, false())


def _sqlite_path(inside: tuple[str, ...]) -> str:
    """Return a path into a document as SQLite writes it; a number may be the place in a list."""
    if any('"' in one or "\\" in one for one in inside):
        raise _NotSqlError
    return "$" + "".join(f"[{int(one)}]" if one.isdigit() else f'."{one}"' for one in inside)


def _signed(sign: str, column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    if isinstance(value, str) and "\0" in value:
        raise _NotSqlError
    found: ColumnElement[bool]
    match sign:
        case "eq":
            found = column == value
        case "ne":
            return func.coalesce(column != value, true())
        case "gt":
            found = column > value
        case "ge":
            found = column >= value
        case "lt":
            found = column < value
        case _:
            found = column <= value
    return func.coalesce(found, false())


def _of_id(sign: str, column: ColumnElement[Any], number: float | None) -> ColumnElement[bool]:
    if number is None:
        return true() if sign == "ne" else false()  # nothing of another kind equals an id
    if isinstance(number, float):
        if not number.is_integer():
            raise _NotSqlError
        number = int(number)
    if abs(number) > LARGEST:
        raise _NotSqlError
    value = literal(number, BigInteger)
    if sign == "eq":
        return and_(column.is_not(None), column == value)
    return _signed(sign, column, value)


def _of_time(sign: str, operand: Operand, value: Any) -> ColumnElement[bool]:
    if isinstance(value, str):
        value = period_of_text(value)
    if isinstance(value, Instant):
        value = Period(value.micros, value.micros)
    if not isinstance(value, Period):
        raise _NotSqlError
    start, end = operand.column, operand.until if operand.until is not None else operand.column
    first, last = literal(value.start, BigInteger), literal(value.end, BigInteger)
    found: ColumnElement[bool]
    match sign:
        case "eq" | "ne":
            found = func.coalesce(and_(start == first, end == last), false())
            return found if sign == "eq" else not_(found)
        case "lt":
            found = or_(end < first, and_(start < end, end == first))
        case "gt":
            found = start >= last if value.start < value.end else start > last
        case "le":
            found = and_(start <= first, end <= last)
        case _:
            found = and_(start >= first, end >= last)
    return func.coalesce(found, false())


def among(
    column: ColumnElement[Any], ids: frozenset[int] | set[int] | list[int], dialect: str
) -> ColumnElement[bool]:
    """Say that an id is one of some, however many: they travel as one parameter."""
    if not ids:
        return false()
    listed = sorted(ids)
    if len(listed) <= 30:
        return func.coalesce(column.in_(listed), false())
    if dialect == "sqlite":
        table = func.json_each(bindparam(None, "[" + ",".join(map(str, listed)) + "]", Text)).table_valued(
            "value"
        )
        return func.coalesce(column.in_(select(table.c.value)), false())
    return func.coalesce(column == func.any(bindparam(None, listed, ARRAY(BigInteger))), false())
