"""What a filter is made of, and the values that it compares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any, NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
MIN_TIME = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICRO
MAX_TIME = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICRO
DATE = re.compile(r"\d{4}-\d\d-\d\d")
DAY = 86_400_000_000
"""Microseconds of a day."""
TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+\- ]\d\d:?\d\d|[+\-]\d\d)?",
    re.IGNORECASE,
)


class Instant(NamedTuple):
    """A moment: UTC microseconds, and the offset in minutes in which it was written."""

    micros: int
    offset: int = 0


class Period(NamedTuple):
    """A period of time in UTC microseconds; a moment is one whose end is its start."""

    start: int
    end: int


class Day(NamedTuple):
    """A date without a time: days since 1970."""

    days: int


class Clock(NamedTuple):
    """A time of day, in microseconds."""

    micros: int


class Span(NamedTuple):
    """A length of time, in microseconds."""

    micros: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: null, a truth value, a number, a text, a time, or a shapely geometry.

    Attributes
    ----------
    written
        Whether it was written in the question; else it was found out, and a text stays a text.

    """

    value: Any
    written: bool = True


@dataclass(frozen=True, slots=True)
class Path:
    """A property: links to go along, the property, and what to take of its JSON."""

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """`not` or `neg` of something."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Among:
    """Whether the id that a path leads to is one of some: what was found out elsewhere."""

    path: Path
    ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Known:
    """What some paths lead to, by the id to which `key` leads: an answer for each choice of links to many."""

    key: Path
    paths: tuple[Path, ...]
    by_id: Mapping[int, Sequence[Mapping[Path, Any]]]

    def of(self, identifier: int) -> Sequence[Mapping[Path, Any]]:
        """Return the choices of an id; all is null where nothing is known of it."""
        return self.by_id.get(identifier) or [dict.fromkeys(self.paths)]


@dataclass(frozen=True, slots=True)
class Bound:
    """An expression some of whose paths are known: true where one choice of what they lead to makes it so."""

    node: Expression
    known: tuple[Known, ...]

    def choices(self, ids: Iterable[int]) -> Iterator[Expression]:
        """Yield the expression with what is known put in, for the ids to which the keys lead."""
        for choice in product(*(one.of(identifier) for one, identifier in zip(self.known, ids, strict=True))):
            yield replaced(self.node, {path: value for part in choice for path, value in part.items()})


Expression = Literal | Path | Call | Unary | Binary | Among | Bound


def paths_of(node: Expression) -> Iterator[Path]:
    """Yield the paths of an expression."""
    match node:
        case Path():
            yield node
        case Among():
            yield node.path
        case Bound():
            yield from paths_of(node.node)
        case Call():
            for one in node.arguments:
                yield from paths_of(one)
        case Unary():
            yield from paths_of(node.operand)
        case Binary():
            yield from paths_of(node.left)
            yield from paths_of(node.right)


def replaced(node: Expression, values: Mapping[Path, Any]) -> Expression:
    """Return an expression with values in place of some of its paths."""
    match node:
        case Path() if node in values:
            return Literal(values[node], written=False)
        case Call(name, arguments):
            return Call(name, tuple(replaced(one, values) for one in arguments))
        case Unary(sign, operand):
            return Unary(sign, replaced(operand, values))
        case Binary(sign, left, right):
            return Binary(sign, replaced(left, values), replaced(right, values))
    return node


def is_truth(node: Expression) -> bool:
    """Say whether an expression is true or false by its form."""
    match node:
        case Among() | Bound():
            return True
        case Unary():
            return node.operator == "not"
        case Binary():
            return node.operator in COMPARISONS or node.operator in LOGIC
        case Call():
            return node.name in TRUTHS
    return False


def conjuncts(node: Expression) -> Iterator[Expression]:
    """Yield what is joined by `and`."""
    if isinstance(node, Binary) and node.operator == "and":
        yield from conjuncts(node.left)
        yield from conjuncts(node.right)
    else:
        yield node


def conjunction(parts: Iterable[Expression]) -> Expression | None:
    """Join expressions by `and`; None where there are none."""
    whole: Expression | None = None
    for one in parts:
        whole = one if whole is None else Binary("and", whole, one)
    return whole


TRUTHS = frozenset(
    {
        "substringof", "contains", "endswith", "startswith", "geo.intersects", "st_equals", "st_disjoint",
        "st_touches", "st_within", "st_overlaps", "st_crosses", "st_intersects", "st_contains", "st_relate",
        "before", "after", "meets", "during", "overlaps", "starts", "finishes",
    }
)  # fmt: skip
"""Functions that say whether something is so."""

COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le"})
LOGIC = frozenset({"and", "or"})
ARITHMETIC = frozenset({"add", "sub", "mul", "div", "mod"})


def instant_of_text(text: str) -> Instant | None:
    """Return a moment as ISO 8601 writes it, in UTC where no zone is named; None where it is none."""
    found = TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    offset = _minutes(zone)
    try:
        # A plus sign that was not percent-encoded arrives as a blank.
        local = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micros,
            tzinfo=timezone(timedelta(minutes=offset)),
        )  # fmt: skip
        return Instant((local - EPOCH) // MICRO, offset)
    except (ValueError, OverflowError):
        return None


def _minutes(zone: str | None) -> int:
    if not zone or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return -minutes if zone[0] == "-" else minutes


def period_of_text(text: str) -> Period | None:
    """Return a period written as `start/end`, or a moment as a period; None where it is neither.

    A date without a time is the whole day, in UTC.
    """
    start, slash, end = text.partition("/")
    if DATE.fullmatch(start.strip()):
        return _days_of_text(start.strip(), end.strip() if slash else start.strip())
    first = instant_of_text(start.strip())
    if first is None:
        return None
    if not slash:
        return Period(first.micros, first.micros)
    last = instant_of_text(end.strip())
    return Period(first.micros, last.micros) if last is not None and first.micros <= last.micros else None


def _days_of_text(start: str, end: str) -> Period | None:
    first = instant_of_text(f"{start}T00:00:00Z")
    last = instant_of_text(f"{end}T00:00:00Z" if DATE.fullmatch(end) else end)
    if first is None or last is None:
        return None
    after = last.micros + (DAY if DATE.fullmatch(end) else 0)
    return Period(first.micros, after) if first.micros <= after else None


def text_of_instant(micros: int) -> str:
    """Return a moment as ISO 8601 in UTC, with no more digits than it has."""
    moment = EPOCH + micros * MICRO
    written = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    fraction = f"{moment.microsecond:06d}".rstrip("0")
    if fraction:
        written += "." + fraction.ljust(3, "0")
    return written + "Z"


def text_of_period(start: int, end: int) -> str:
    """Return a period as `start/end`."""
    return f"{text_of_instant(start)}/{text_of_instant(end)}"
