"""The functions of `$filter` (18-088, 9.3.3.5.2), each on values; a value that does not fit gives null."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import shapely

from jingwei.records import now_utc
from jingwei.sense.odata.syntax import (
    EPOCH,
    MAX_TIME,
    MICRO,
    MIN_TIME,
    Clock,
    Day,
    Instant,
    Period,
    Span,
    period_of_text,
)

DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Function:
    """A function: how many arguments it takes, what it returns of them, and whether it is of geometries."""

    takes: tuple[int, int]
    of: Callable[..., Any]
    spatial: bool = False


def number_of(value: Any) -> float | int | None:
    """Return a value as a number; a text that is one counts."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return None


def _texts(function: Callable[..., Any]) -> Callable[..., Any]:
    def of(*values: Any) -> Any:
        return function(*values) if all(isinstance(one, str) for one in values) else None

    return of


def _substring(text: Any, start: Any, length: Any = None) -> Any:
    first = number_of(start)
    if not isinstance(text, str) or first is None:
        return None
    first = max(int(first), 0)
    if length is None:
        return text[first:]
    count = number_of(length)
    return None if count is None else text[first : first + max(int(count), 0)]


def _moment(value: Any) -> datetime | None:
    """Return the local time of a moment as it was written; of a period, of its start."""
    if isinstance(value, Period):
        value = Instant(value.start)
    if isinstance(value, Day):
        return EPOCH + timedelta(days=value.days)
    if not isinstance(value, Instant):
        return None
    try:
        return EPOCH + value.micros * MICRO + timedelta(minutes=value.offset)
    except OverflowError:
        return None


def _part(name: str) -> Callable[[Any], Any]:
    def of(value: Any) -> Any:
        if isinstance(value, Clock):
            value = Instant(value.micros)
            if name in ("year", "month", "day"):
                return None
        moment = _moment(value)
        return None if moment is None else getattr(moment, name)

    return of


def _fraction(value: Any) -> Any:
    moment = _moment(Instant(value.micros) if isinstance(value, Clock) else value)
    return None if moment is None else moment.microsecond / 1_000_000


def _date(value: Any) -> Any:
    moment = _moment(value)
    return None if moment is None else Day((moment - EPOCH) // timedelta(days=1))


def _time(value: Any) -> Any:
    moment = _moment(value)
    return None if moment is None else Clock((moment - EPOCH) // MICRO % DAY)


def _offset(value: Any) -> Any:
    return value.offset if isinstance(value, Instant) else 0 if isinstance(value, Period) else None


def _now() -> Instant:
    return Instant((now_utc().astimezone(UTC) - EPOCH) // MICRO)


def period_of(value: Any) -> Period | None:
    """Return a time of any kind as a period; None where it is none."""
    if isinstance(value, Instant):
        return Period(value.micros, value.micros)
    if isinstance(value, Day):
        return Period(value.days * DAY, value.days * DAY)
    if isinstance(value, str):
        return period_of_text(value)
    return value if isinstance(value, Period) else None


def is_before(first: Period, second: Period) -> bool:
    """Say whether a time is over when another begins; a period does not hold its end."""
    return first.end < second.start or first.start < first.end == second.start


def _is_during(first: Period, second: Period) -> bool:
    if first.start == first.end:
        return second.start <= first.start < second.end
    return second.start <= first.start and first.end <= second.end and second.start < second.end


def _overlap(first: Period, second: Period) -> bool:
    return not is_before(first, second) and not is_before(second, first)


def _periods(function: Callable[[Period, Period], bool]) -> Callable[[Any, Any], Any]:
    def of(left: Any, right: Any) -> Any:
        first, second = period_of(left), period_of(right)
        return None if first is None or second is None else function(first, second)

    return of


def _number(function: Callable[[float], Any]) -> Callable[[Any], Any]:
    def of(value: Any) -> Any:
        number = number_of(value)
        return None if number is None or not math.isfinite(number) else function(number)

    return of


def _round(number: float) -> int:
    """Round half away from zero, as OData does (Part 2, 5.1.1.9.1)."""
    return math.floor(abs(number) + 0.5) * (1 if number >= 0 else -1)


def _shapes(function: Callable[..., Any]) -> Callable[..., Any]:
    def of(*values: Any) -> Any:
        shapes = values[:2]
        if not all(isinstance(one, shapely.Geometry) for one in shapes):
            return None
        try:
            found = function(*values)
        except shapely.errors.GEOSException:  # a polygon that crosses itself
            return None
        return found.item() if hasattr(found, "item") else found

    return of


def _relate(left: Any, right: Any, pattern: Any) -> Any:
    if not isinstance(pattern, str) or len(pattern) != 9 or set(pattern.upper()) - set("TF*012"):
        return None
    return shapely.relate_pattern(left, right, pattern.upper())


def _length(shape: Any) -> Any:
    return shapely.length(shape) if shape.geom_type.endswith(("LineString", "LinearRing")) else 0.0


def _joined(left: Any, right: Any) -> Any:
    return left + right


def _is_in(value: Any, listed: Any) -> Any:
    """Say whether a list holds a value; truth values are no numbers."""
    if value is None or not isinstance(listed, list):
        return None
    return any(one == value and isinstance(one, bool) == isinstance(value, bool) for one in listed)


_TEXT: Mapping[str, Function] = {
    "substringof": Function((2, 2), _texts(lambda part, text: part in text)),
    "contains": Function((2, 2), _texts(lambda text, part: part in text)),
    "endswith": Function((2, 2), _texts(str.endswith)),
    "startswith": Function((2, 2), _texts(str.startswith)),
    "length": Function((1, 1), _texts(len)),
    "indexof": Function((2, 2), _texts(str.find)),
    "substring": Function((2, 3), _substring),
    "tolower": Function((1, 1), _texts(str.lower)),
    "toupper": Function((1, 1), _texts(str.upper)),
    "trim": Function((1, 1), _texts(str.strip)),
    "concat": Function((2, 2), _texts(_joined)),
}
_TIMES: Mapping[str, Function] = {
    **{name: Function((1, 1), _part(name)) for name in ("year", "month", "day", "hour", "minute", "second")},
    "fractionalseconds": Function((1, 1), _fraction),
    "date": Function((1, 1), _date),
    "time": Function((1, 1), _time),
    "totaloffsetminutes": Function((1, 1), _offset),
    "now": Function((0, 0), _now),
    "mindatetime": Function((0, 0), lambda: Instant(MIN_TIME)),
    "maxdatetime": Function((0, 0), lambda: Instant(MAX_TIME)),
}
_RELATIONS: Mapping[str, Function] = {
    "before": Function((2, 2), _periods(is_before)),
    "after": Function((2, 2), _periods(lambda a, b: is_before(b, a))),
    "meets": Function((2, 2), _periods(lambda a, b: a.end == b.start or b.end == a.start)),
    "during": Function((2, 2), _periods(_is_during)),
    "overlaps": Function((2, 2), _periods(_overlap)),
    "starts": Function((2, 2), _periods(lambda a, b: a.start == b.start)),
    "finishes": Function((2, 2), _periods(lambda a, b: a.end == b.end)),
}
"""How two times lie to each other; beyond 18-088, known to clients from other servers."""
_NUMBERS: Mapping[str, Function] = {
    "round": Function((1, 1), _number(_round)),
    "floor": Function((1, 1), _number(math.floor)),
    "ceiling": Function((1, 1), _number(math.ceil)),
}
_PREDICATES = ("equals", "disjoint", "touches", "within", "overlaps", "crosses", "intersects", "contains")
_SPATIAL: Mapping[str, Function] = {
    "geo.distance": Function((2, 2), _shapes(shapely.distance), spatial=True),
    "geo.length": Function((1, 1), _shapes(_length), spatial=True),
    "geo.intersects": Function((2, 2), _shapes(shapely.intersects), spatial=True),
    **{f"st_{name}": Function((2, 2), _shapes(getattr(shapely, name)), spatial=True) for name in _PREDICATES},
    "st_relate": Function((3, 3), _shapes(_relate), spatial=True),
}
_LISTS: Mapping[str, Function] = {"in": Function((2, 2), _is_in)}
"""`9 in properties/list`; beyond 18-088."""
FUNCTIONS: Mapping[str, Function] = {**_LISTS, **_TEXT, **_TIMES, **_RELATIONS, **_NUMBERS, **_SPATIAL}
NEAR = frozenset({"geo.intersects", *(f"st_{one}" for one in _PREDICATES if one != "disjoint")})
"""Functions that can be true only where the bounds of both geometries meet."""
__all__ = ["FUNCTIONS", "NEAR", "Function", "Span", "is_before", "number_of", "period_of"]
