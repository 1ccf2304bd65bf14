"""Says of one row whether an expression holds: what no database says alike is said here.

Truth has two values: a comparison with null is false, except that null equals null and differs from all
else (OData 4.0, Part 2, 5.1.1.1), and what is not true counts as false.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import shapely

from jingwei.sense.odata.functions import FUNCTIONS, is_before, number_of, period_of
from jingwei.sense.odata.syntax import (
    MAX_TIME,
    MIN_TIME,
    Among,
    Binary,
    Bound,
    Call,
    Clock,
    Day,
    Expression,
    Instant,
    Literal,
    Path,
    Period,
    Span,
    Unary,
)

Get = Callable[[Path], Any]
_DAY = 86_400_000_000
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le
}  # fmt: skip


def holds(node: Expression, get: Get) -> bool:
    """Say whether an expression is true; `get` returns the value of a path, None where there is none."""
    return evaluate(node, get) is True


def evaluate(node: Expression, get: Get) -> Any:
    """Return the value of an expression."""
    match node:
        case Literal():
            return node.value
        case Path():
            return get(node)
        case Among():
            return get(node.path) in node.ids
        case Bound():
            return any(holds(one, get) for one in node.choices(get(known.key) for known in node.known))
        case Call():
            return FUNCTIONS[node.name].of(*(evaluate(one, get) for one in node.arguments))
        case Unary():
            if node.operator == "not":
                return _denied(node.operand, get)
            return arithmetic("sub", 0, evaluate(node.operand, get))
        case Binary():
            return _binary(node, get)


def _denied(node: Expression, get: Get) -> bool:
    """Say whether `not` of an expression is true: of a value that is no truth value it is null."""
    if isinstance(node, Path | Literal):
        return evaluate(node, get) is False
    return not holds(node, get)


def _binary(node: Binary, get: Get) -> Any:
    if node.operator == "and":
        return holds(node.left, get) and holds(node.right, get)
    if node.operator == "or":
        return holds(node.left, get) or holds(node.right, get)
    left, right = evaluate(node.left, get), evaluate(node.right, get)
    if node.operator in ("add", "sub", "mul", "div", "mod"):
        return arithmetic(node.operator, left, right)
    return compare(node.operator, left, right, _is_written(node.left), _is_written(node.right))


def _is_written(node: Expression) -> bool:
    return isinstance(node, Literal) and node.written


def compare(
    sign: str, left: Any, right: Any, left_written: bool = False, right_written: bool = False
) -> bool:
    """Compare two values; a text that was written in the question is read as what it is compared with."""
    if left is None or right is None:
        equal = left is None and right is None
        return equal if sign == "eq" else not equal if sign == "ne" else False
    pair = _alike(left, right, left_written, right_written)
    if pair is None:
        return sign == "ne"
    first, second = pair
    if sign in ("eq", "ne"):
        return bool(first == second) == (sign == "eq")
    if isinstance(first, Period):
        return _periods(sign, first, second)
    if isinstance(first, list | dict):
        return False
    return _ORDERED[sign](first, second)


def _periods(sign: str, first: Period, second: Period) -> bool:
    if sign == "lt":
        return is_before(first, second)
    if sign == "gt":
        return is_before(second, first)
    if sign == "le":
        return first.start <= second.start and first.end <= second.end
    return first.start >= second.start and first.end >= second.end


def _alike(left: Any, right: Any, left_written: bool, right_written: bool) -> tuple[Any, Any] | None:
    """Return two values as ones that can be compared, or None."""
    if isinstance(left, bool) or isinstance(right, bool):
        return _both(_truth(left, left_written), _truth(right, right_written))
    if isinstance(left, str) and isinstance(right, str):
        return left, right
    if isinstance(left, int | float) or isinstance(right, int | float):
        return _both(_number(left, left_written), _number(right, right_written))
    if isinstance(left, Instant | Period | Day) or isinstance(right, Instant | Period | Day):
        if isinstance(left, Day) and isinstance(right, Day):
            return left, right
        return _both(period_of(left), period_of(right))
    if isinstance(left, shapely.Geometry) and isinstance(right, shapely.Geometry):
        return [left.wkb], [right.wkb]
    return (left, right) if type(left) is type(right) else None


def _both(left: Any, right: Any) -> tuple[Any, Any] | None:
    return None if left is None or right is None else (left, right)


def _truth(value: Any, written: bool) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if written and isinstance(value, str) else None


def _number(value: Any, written: bool) -> int | float | None:
    if isinstance(value, str) and not written:
        return None
    return number_of(value)


def arithmetic(sign: str, left: Any, right: Any) -> Any:
    """Calculate; null where the values do not fit, or the result is no number. `div` is always exact."""
    if isinstance(left, Instant | Day | Span | Clock | Period) or isinstance(right, Span):
        return _times(sign, left, right)
    first, second = number_of(left), number_of(right)
    if first is None or second is None:
        return None
    try:
        result = _calculated(sign, float(first), float(second))
    except (OverflowError, ZeroDivisionError, ValueError):
        return None
    return result if math.isfinite(result) else None


def _calculated(sign: str, left: float, right: float) -> float:
    match sign:
        case "add":
            return left + right
        case "sub":
            return left - right
        case "mul":
            return left * right
        case "div":
            return left / right
    return math.fmod(left, right)


def _times(sign: str, left: Any, right: Any) -> Any:
    """Move a moment or a period by a length of time, or tell the length between two moments."""
    if sign not in ("add", "sub"):
        return None
    turn = 1 if sign == "add" else -1
    if isinstance(left, Span) and isinstance(right, Span):
        return Span(left.micros + turn * right.micros)
    if isinstance(left, Day) and isinstance(right, Span | Instant | Day):
        left = Instant(left.days * _DAY)
    if isinstance(right, Day):
        right = Instant(right.days * _DAY)
    if isinstance(left, Instant) and isinstance(right, Span):
        micros = left.micros + turn * right.micros
        return Instant(micros, left.offset) if MIN_TIME <= micros <= MAX_TIME else None
    if isinstance(left, Period) and isinstance(right, Span):
        start, end = (one + turn * right.micros for one in (left.start, left.end))
        return Period(start, end) if start >= MIN_TIME and end <= MAX_TIME else None
    if isinstance(left, Instant) and isinstance(right, Instant) and sign == "sub":
        return Span(left.micros - right.micros)
    return None
