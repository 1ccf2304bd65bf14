"""Reads `$filter`: a Pratt parser over the tokens of OData 4.0 (Part 2, 5.1.1), as 18-088 uses them."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple, NoReturn

import shapely

from jingwei.sense.errors import BadQueryError
from jingwei.sense.odata.functions import FUNCTIONS
from jingwei.sense.odata.syntax import (
    Binary,
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
    instant_of_text,
    period_of_text,
)
from jingwei.words import Text

LONGEST = 20_000
"""Characters of a filter."""
DEEPEST = 60
"""Parentheses, calls and `not` within each other."""
MOST_NODES = 2_000

_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+\- ]\d\d:?\d\d)?"
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<typed>(?:geography|geometry|duration|datetime|datetimeoffset|date|time|guid)'(?:[^']|'')*')
  | (?P<text>'(?:[^']|'')*')
  | (?P<period>{_MOMENT}/{_MOMENT})
  | (?P<moment>{_MOMENT})
  | (?P<day>\d{{4}}-\d\d-\d\d)
  | (?P<clock>\d\d:\d\d(?::\d\d(?:\.\d+)?)?)
  | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[dfmlDFML]?)
  | (?P<name>(?:@iot\.\w+|[^\W\d][\w.]*)(?:/(?:@iot\.\w+|[\w.\-]+)|\[\d{{1,9}}\])*)
  | (?P<mark>[(),-])
    """,
    re.VERBOSE,
)
_BINDING = {
    "or": 1, "and": 2, "eq": 4, "ne": 4, "in": 4, "gt": 5, "ge": 5, "lt": 5, "le": 5,
    "add": 6, "sub": 6, "mul": 7, "div": 7, "divby": 7, "mod": 7,
}  # fmt: skip
# OData binds `not` tighter than comparisons. `not a eq b` means the same either way where `a` is true or
# false, and is an error where it is not: read so, it is none.
_NOT, _NEGATIVE = 3, 8
_DURATION = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> Expression:
    """Return the expression of a `$filter`.

    Raises
    ------
    BadQueryError
        Where it cannot be read, with the place.

    """
    if len(text) > LONGEST:
        raise BadQueryError("$filter", Text(f"超过 {LONGEST} 个字符", f"longer than {LONGEST} characters."))
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.next = 0
        self.depth = 0
        self.nodes = 0

    def whole(self) -> Expression:
        found = self.expression(0)
        token = self.tokens[self.next]
        if token.kind != "end":
            _fail(token, Text(f"多余的“{token.text[:40]}”", f"“{token.text[:40]}” is too much."))
        return found

    def expression(self, binding: int) -> Expression:
        """Read an expression whose operators bind tighter than `binding`."""
        self.depth += 1
        if self.depth > DEEPEST:
            _fail(self.tokens[self.next], Text("嵌套过深", "nested too deep."))
        left = self.primary()
        while True:
            token = self.tokens[self.next]
            power = _BINDING.get(token.text) if token.kind == "name" else None
            if power is None or power <= binding:
                break
            self.next += 1
            self._count(token)
            if token.text == "in":
                left = self._in(left)
                continue
            sign = "div" if token.text == "divby" else token.text
            left = Binary(sign, left, self.expression(power))
        self.depth -= 1
        return left

    def primary(self) -> Expression:
        token = self.tokens[self.next]
        self.next += 1
        self._count(token)
        if token.kind == "mark":
            return self._mark(token)
        if token.kind == "name":
            return self._name(token)
        if token.kind == "end":
            _fail(token, Text("表达式不完整", "the expression is not complete."))
        return Literal(_value(token))

    def _count(self, token: _Token) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            _fail(token, Text("表达式过长", "the expression has too many parts."))

    def _mark(self, token: _Token) -> Expression:
        if token.text == "(":
            inner = self.expression(0)
            self._expect(")")
            return inner
        if token.text == "-":
            operand = self.expression(_NEGATIVE)
            if isinstance(operand, Literal) and _is_number(operand.value):
                return Literal(-operand.value)
            return Unary("neg", operand)
        return _fail(token, Text(f"不应有“{token.text}”", f"“{token.text}” does not belong here."))

    def _name(self, token: _Token) -> Expression:
        word = token.text
        following = self.tokens[self.next]
        if following.kind == "mark" and following.text == "(" and word != "not":
            return self._call(token)
        if word == "not":
            return Unary("not", self.expression(_NOT))
        if word in ("true", "false"):
            return Literal(word == "true")
        if word == "null":
            return Literal(None)
        if word in _BINDING:
            _fail(token, Text(f"“{word}”前缺少内容", f"something is missing before “{word}”."))
        return path_of_text(word)

    def _call(self, token: _Token) -> Expression:
        name = token.text.lower()
        function = FUNCTIONS.get(name)
        if function is None:
            _fail(token, Text(f"没有函数 {token.text[:40]}", f"there is no function {token.text[:40]}."))
        self._expect("(")
        arguments: list[Expression] = []
        if not self._accepted(")"):
            arguments.append(self.expression(0))
            while self._accepted(","):
                arguments.append(self.expression(0))
            self._expect(")")
        least, most = function.takes
        if not least <= len(arguments) <= most:
            _fail(token, Text(f"{name} 的参数个数不对", f"{name} takes another number of arguments."))
        if name == "during" and _is_moment(arguments[1]):
            _fail(
                token,
                Text("during 的第二个参数应为一段时间", "during takes a period as its second argument."),
            )
        return Call(name, tuple(arguments))

    def _in(self, left: Expression) -> Expression:
        """Read the list of `in` (OData 4.01, Part 2, 5.1.1.1.12): of values, or a property that holds one."""
        if not self._accepted("("):
            return Call("in", (left, self.expression(_BINDING["in"])))
        whole: Expression = Binary("eq", left, self.expression(0))
        while self._accepted(","):
            whole = Binary("or", whole, Binary("eq", left, self.expression(0)))
        self._expect(")")
        return whole

    def _accepted(self, mark: str) -> bool:
        token = self.tokens[self.next]
        if token.kind == "mark" and token.text == mark:
            self.next += 1
            return True
        return False

    def _expect(self, mark: str) -> None:
        token = self.tokens[self.next]
        if not self._accepted(mark):
            _fail(token, Text(f"此处应为“{mark}”", f"“{mark}” is expected here."))


def path_of_text(text: str) -> Path:
    """Return a path as it is written; `a[1]` is `a/1`."""
    return Path(tuple(text.replace("[", "/").replace("]", "").split("/")))


def _is_moment(node: Expression) -> bool:
    """Say whether an expression cannot be a period."""
    if isinstance(node, Literal):
        return isinstance(node.value, Instant | Day)
    return isinstance(node, Path) and node.parts[-1] in ("resultTime", "time")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fail(token: _Token, what: Text) -> NoReturn:
    raise BadQueryError(
        "$filter",
        Text(f"第 {token.at + 1} 个字符处：{what.zh}", f"at character {token.at + 1}: {what.en}"),
        at=token.at,
    )


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            _fail(
                _Token("", "", at),
                Text(f"无法读出“{text[at : at + 20]}”", f"“{text[at : at + 20]}” cannot be read."),
            )
        if match.lastgroup != "space":
            found.append(_Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return [*found, _Token("end", "", len(text))]


def _value(token: _Token) -> Any:
    """Return the value of a literal."""
    value: Any = None
    match token.kind:
        case "text":
            return token.text[1:-1].replace("''", "'")
        case "number":
            value = _number(token.text)
        case "moment":
            value = instant_of_text(token.text)
        case "period":
            value = period_of_text(token.text)
        case "day":
            moment = instant_of_text(token.text + "T00:00")
            value = Day(moment.micros // 86_400_000_000) if moment else None
        case "clock":
            value = _clock(token.text)
        case "typed":
            kind, _, body = token.text.partition("'")
            value = _typed(kind, body[:-1].replace("''", "'"))
    if value is None:
        _fail(token, Text(f"“{token.text[:60]}”不是有效的值", f"“{token.text[:60]}” is no value."))
    return value


def _number(text: str) -> int | float | None:
    text = text.rstrip("dfmlDFML")
    if text.isdigit():
        return int(text) if len(text) <= 30 else None
    number = float(text)
    return number if math.isfinite(number) else None


def _clock(text: str) -> Clock | None:
    moment = instant_of_text("1970-01-01T" + text)
    return Clock(moment.micros) if moment else None


def _typed(kind: str, body: str) -> Any:
    if kind in ("geography", "geometry"):
        return geometry_of_text(body)
    if kind == "duration":
        return _duration(body)
    if kind == "guid":
        return body
    if kind == "time":
        return _clock(body)
    if kind == "date":
        moment = instant_of_text(body + "T00:00")
        return Day(moment.micros // 86_400_000_000) if moment else None
    return instant_of_text(body)


def _duration(body: str) -> Span | None:
    found = _DURATION.fullmatch(body)
    if found is None or not any(found.groups()[1:]):
        return None
    sign, days, hours, minutes, seconds = found.groups()
    whole = (int(days or 0) * 24 + int(hours or 0)) * 60 + int(minutes or 0)
    micros = whole * 60_000_000 + round(float(seconds or 0) * 1_000_000)
    return Span(-micros if sign else micros)


def geometry_of_text(text: str) -> Any:
    """Return the shapely geometry of a WKT, an SRID before it left out; None where it is none."""
    _, _, body = text.rpartition(";")
    try:
        found = shapely.from_wkt(body)
    except shapely.errors.GEOSException:
        return None
    return found


__all__ = ["Instant", "Period", "geometry_of_text", "parse", "path_of_text"]
