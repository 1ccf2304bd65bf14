"""Reads query options: what is asked for, of which entities, in which order (18-088, 9.3)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus

from jingwei.sense.cells.kinds import KINDS
from jingwei.sense.errors import BadQueryError
from jingwei.sense.odata.parsing import parse, path_of_text
from jingwei.sense.odata.syntax import Expression, Path, paths_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jingwei.sense.entities import Entity

TOP = 100
MOST = 10_000
DEEPEST_EXPAND = 8
MOST_SKIPPED = 1 << 40
KNOWN = ("$filter", "$select", "$expand", "$orderby", "$top", "$skip", "$count", "$resultFormat")
_NAMES = {name.lower(): name for name in KNOWN}
"""Options by their names in small letters: `$orderBy` is understood (OData 4.01, Part 2, 5.1)."""


@dataclass(frozen=True, slots=True)
class Order:
    """By what to sort."""

    path: Path
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a set of entities, or of one.

    Attributes
    ----------
    raw
        The options as they were written, for links to further pages.

    """

    filter: Expression | None = None
    select: tuple[str, ...] = ()
    expand: dict[str, Query] = field(default_factory=dict)
    order: tuple[Order, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    format: str = ""
    raw: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """How many entities a page holds."""
        return min(TOP if self.top is None else self.top, MOST)


def query_of(entity: Entity, options: str) -> Query:
    """Return the query of a URL's query string, percent-encoded as it came.

    Raises
    ------
    BadQueryError
        Where an option is unknown, given twice or cannot be read.

    """
    pairs = []
    for part in options.split("&"):
        if "=" not in part:  # clients that encode an option as a whole encode this mark too
            part = unquote_plus(part)
            name, _, value = part.partition("=")
        else:
            name, value = map(unquote_plus, part.split("=", 1))
        if name:
            pairs.append((name, value))
    return _query(entity, [pair for pair in pairs if pair[0].startswith("$")], 0)


def _query(entity: Entity, pairs: list[tuple[str, str]], depth: int) -> Query:
    pairs = [(_NAMES.get(name.lower(), name), value) for name, value in pairs]
    query = Query(raw=tuple(pairs))
    seen = set()
    for name, value in pairs:
        if name not in KNOWN:
            known = ", ".join(KNOWN)
            raise BadQueryError(
                name[:40],
                Text("没有这个查询选项", "there is no such option."),
                mend=Text(f"可用：{known}", f"There are {known}."),
            )
        if name in seen:
            raise BadQueryError(name, Text("给出了两次", "given twice."))
        seen.add(name)
        query = _with(query, entity, name, value.strip(), depth)
    return query


def _with(query: Query, entity: Entity, name: str, value: str, depth: int) -> Query:
    match name:
        case "$filter":
            return replace(query, filter=_filter(entity, value))
        case "$select":
            return replace(query, select=_select(entity, value))
        case "$expand":
            return replace(query, expand=_expand(entity, value, depth + 1))
        case "$orderby":
            return replace(query, order=_order(entity, value))
        case "$top":
            return replace(query, top=_number(name, value))
        case "$skip":
            return replace(query, skip=_number(name, value))
        case "$count":
            if value.lower() not in ("true", "false"):
                raise BadQueryError(name, Text("应为 true 或 false", "is true or false."))
            return replace(query, count=value.lower() == "true")
    if value not in ("dataArray", "json", "GeoJSON"):
        raise BadQueryError(name, Text("应为 dataArray", "is dataArray."))
    if value == "dataArray" and entity.name != "Observation":
        raise BadQueryError(name, Text("dataArray 只用于 Observations", "dataArray is for Observations."))
    return replace(query, format=value)


def _number(name: str, value: str) -> int:
    if not value.isdecimal() or not value.isascii() or int(value) > MOST_SKIPPED:
        raise BadQueryError(name, Text("应为非负整数", "is a whole number, not below 0."))
    return int(value)


def _filter(entity: Entity, value: str) -> Expression:
    found = parse(value)
    for path in paths_of(found):
        check_path(entity, path, "$filter")
    return found


def _select(entity: Entity, value: str) -> tuple[str, ...]:
    names = []
    if value == "*":
        return ()
    for part in value.split(","):
        name = part.strip()
        name = {"id": "@iot.id", "selfLink": "@iot.selfLink"}.get(name, name)
        head = name.split("/")[0]
        if head not in entity.by_name and head not in entity.link and name != "@iot.selfLink":
            raise _unknown("$select", entity, part)
        names.append(head)
    return tuple(dict.fromkeys(names))


def _order(entity: Entity, value: str) -> tuple[Order, ...]:
    found = []
    for part in value.split(","):
        words = part.split()
        if not 1 <= len(words) <= 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
            raise BadQueryError(
                "$orderby", Text(f"读不出“{part[:60]}”", f"“{part[:60]}” cannot be read."),
                mend=Text("例如 name desc", "For example: name desc"),
            )  # fmt: skip
        path = path_of_text(words[0])
        check_path(entity, path, "$orderby", many=False)
        found.append(Order(path, len(words) == 2 and words[1].lower() == "desc"))
    return tuple(found)


def check_path(entity: Entity, path: Path, option: str, *, many: bool = True) -> None:
    """Raise unless a path leads from an entity to a property of it or of others."""
    at, parts = entity, list(path.parts)
    while parts and parts[0] in at.link:
        link = at.link[parts.pop(0)]
        if link.many and not many:
            raise BadQueryError(
                option,
                Text(f"{link.name} 有多个，不能据以排序", f"there are many {link.name}: nothing to sort by."),
            )
        at = KINDS[link.target]
    if not parts or (parts[0] not in ("id", "@iot.id") and parts[0] not in at.by_name):
        raise _unknown(option, at, "/".join(path.parts))
    inside = at.by_name["@iot.id" if parts[0] == "id" else parts[0]]
    if len(parts) > 1 and inside.kind not in ("json", "geometry"):
        raise _unknown(option, at, "/".join(path.parts))


def _unknown(option: str, entity: Entity, name: str) -> BadQueryError:
    known = ", ".join([*entity.by_name, *entity.link])
    return BadQueryError(
        option,
        Text(f"{entity.name} 没有“{name[:60]}”", f"{entity.name} has no “{name[:60]}”."),
        mend=Text(f"可用：{known}", f"It has {known}."),
    )


def _expand(entity: Entity, value: str, depth: int) -> dict[str, Query]:
    if depth > DEEPEST_EXPAND:
        raise BadQueryError("$expand", Text("嵌套过深", "nested too deep."))
    found: dict[str, Query] = {}
    for part in split(value, ","):
        name, query = _expanded(entity, part.strip(), depth)
        found[name] = merged(found[name], query) if name in found else query
    return found


def _expanded(entity: Entity, part: str, depth: int) -> tuple[str, Query]:
    """Read one item of `$expand`: links in a row, and options of the last of them."""
    way, bracket, rest = part.partition("(")
    if bracket and not rest.endswith(")"):
        raise BadQueryError("$expand", Text("括号不成对", "a parenthesis is not closed."))
    first, _, further = way.strip().partition("/")
    if first not in entity.link:
        raise _unknown("$expand", entity, first)
    target = KINDS[entity.link[first].target]
    if further:
        inner = further + (f"({rest}" if bracket else "")
        return first, Query(expand=_expand(target, inner, depth + 1), raw=(("$expand", inner),))
    if not bracket:
        return first, Query()
    pairs = []
    for option in split(rest[:-1], ";"):
        name, _, value = option.partition("=")
        if name.strip() == "$levels":
            _check_levels(value.strip())
        elif name.strip():
            pairs.append((name.strip(), value))
    return first, _query(target, pairs, depth)


def _check_levels(value: str) -> None:
    """Raise unless a depth of recursion is one; no entity of SensorThings is linked with its own kind."""
    if value != "max" and not (value.isascii() and value.isdecimal() and int(value) > 0):
        raise BadQueryError("$levels", Text("应为正整数或 max", "is a whole number above 0, or max."))


def merged(one: Query, other: Query) -> Query:
    """Return two queries for the same link as one: what the later says counts, what both expand is joined."""
    expand = dict(one.expand)
    for name, query in other.expand.items():
        expand[name] = merged(expand[name], query) if name in expand else query
    options = dict(one.raw) | dict(other.raw)
    inner = [value for query in (one, other) for name, value in query.raw if name == "$expand"]
    if inner:
        options["$expand"] = ",".join(inner)
    return Query(
        filter=other.filter if other.filter is not None else one.filter,
        select=other.select or one.select,
        expand=expand,
        order=other.order or one.order,
        top=other.top if other.top is not None else one.top,
        skip=other.skip or one.skip,
        count=other.count or one.count,
        raw=tuple(options.items()),
    )


def split(text: str, mark: str) -> Iterator[str]:
    """Split a text at a mark that stands in no parentheses and no quotes."""
    depth, quoted, start = 0, False, 0
    for at, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == mark and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def written(pairs: Iterable[tuple[str, str]]) -> str:
    """Return options as a query string."""
    return "&".join(f"{quote(name, safe='$')}={quote(value, safe='/$(),:;=@')}" for name, value in pairs)


def next_page(query: Query) -> str:
    """Return the options by which the page after this one is asked for."""
    options = dict(query.raw)
    options["$top"] = str(query.size)
    options["$skip"] = str(query.skip + query.size)
    return written(options.items())
