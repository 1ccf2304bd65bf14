"""`$filter` against plain Python: what a database selects is what the rules of the language say.

The oracle below knows the language by its own words: it evaluates text that it wrote itself, on dictionaries.
It shares no code with the parser, the compiler or the evaluator.
"""

import itertools
import math
import operator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import datastream, location, observed, sensor, thing

NAMES = ["a", "b", "ab", "Ba", "é", "中", "中a", "", "it's", "10", "a%b", "a_b"]
NUMBERS = [-2, 0, 1, 2, 2.5, 10, 1e3]
VALUES = [*NUMBERS, "a", "ab", "10", "", True, False, None]


# a city of things, planted


def planted():
    """Things with a name, a description and properties, each with streams of their own names."""
    rows = []
    for number, name in enumerate(NAMES):
        value = VALUES[number % len(VALUES)]
        properties = {"n": NUMBERS[number % len(NUMBERS)], "v": value, "in": {"x": NAMES[-number]}}
        if number % 4 == 3:
            properties = None
        streams = [NAMES[(number + one) % len(NAMES)] for one in range(number % 3)]
        rows.append(
            {
                "id": number + 1,
                "name": name,
                "description": NAMES[-number],
                "properties": properties,
                "streams": streams,
            }
        )
    return rows


ROWS = planted()


@pytest.fixture
def things(station):
    """The planted things in a service of either kind."""
    shared = {
        "Sensor": {"@iot.id": station.post("Sensors", sensor())},
        "ObservedProperty": {"@iot.id": station.post("ObservedProperties", observed())},
    }
    for row in ROWS:
        streams = [datastream(name, **shared) for name in row["streams"]]
        body = thing(row["name"]) | {"description": row["description"], "Datastreams": streams}
        if row["properties"] is not None:
            body["properties"] = row["properties"]
        station.post("Things", body)
    return station


# the oracle: expressions as trees of tuples, written as text and evaluated by its own rules

SIGNS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def text_of(node):
    kind, *rest = node
    match kind:
        case "value":
            (value,) = rest
            if value is None:
                return "null"
            if isinstance(value, bool):
                return str(value).lower()
            return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
        case "path":
            return "/".join(rest)
        case "not":
            return f"not ({text_of(rest[0])})"
        case "call":
            name, *arguments = rest
            return f"{name}({', '.join(map(text_of, arguments))})"
    left, right = rest
    return f"({text_of(left)} {kind} {text_of(right)})"


def paths_in(node):
    if node[0] == "path":
        yield node[1:]
    for one in node[1:]:
        if isinstance(one, tuple):
            yield from paths_in(one)


def choices_of(row, node):
    """Every choice of one stream, if the expression speaks of streams; a row without any has none."""
    if any(path[0] == "Datastreams" for path in paths_in(node)) and row["streams"]:
        return [row | {"stream": {"name": name}} for name in row["streams"]]
    return [row | {"stream": {}}]


def value_of(node, row):
    kind, *rest = node
    if kind == "value":
        return rest[0]
    if kind == "path":
        value = row
        for name in ["stream", *rest[1:]] if rest[0] == "Datastreams" else rest:
            value = value.get(name) if isinstance(value, dict) else None
        return value
    if kind == "call":
        return called(rest[0], [value_of(one, row) for one in rest[1:]])
    left, right = (number(value_of(one, row)) for one in rest)
    if left is None or right is None:
        return None
    try:
        found = {
            "add": operator.add,
            "sub": operator.sub,
            "mul": operator.mul,
            "div": operator.truediv,
            "mod": math.fmod,
        }[kind](left, right)
    except (ZeroDivisionError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def number(value):
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def called(name, values):
    if name in ("round", "floor", "ceiling"):
        found = number(values[0])
        if found is None:
            return None
        return {
            "floor": math.floor,
            "ceiling": math.ceil,
            "round": lambda x: math.copysign(math.floor(abs(x) + 0.5), x),
        }[name](found)
    if not all(isinstance(one, str) for one in values):
        return None
    first, *others = values
    match name:
        case "length":
            return len(first)
        case "tolower":
            return first.lower()
        case "toupper":
            return first.upper()
        case "concat":
            return first + others[0]
        case "indexof":
            return first.find(others[0])
        case "startswith":
            return first[: len(others[0])] == others[0]
        case "endswith":
            return others[0] == "" or first[-len(others[0]) :] == others[0]
    return first in others[0]  # substringof


def true(node, row):
    kind, *rest = node
    match kind:
        case "and":
            return true(rest[0], row) and true(rest[1], row)
        case "or":
            return true(rest[0], row) or true(rest[1], row)
        case "not":
            return not true(rest[0], row)
        case "call":
            return value_of(node, row) is True
    left, right = (value_of(one, row) for one in rest)
    if left is None or right is None:
        return {"eq": left is right, "ne": left is not right}.get(kind, False)
    left, right = alike(rest[0], left, right), alike(rest[1], right, left)
    kinds = [
        ("truth" if isinstance(one, bool) else "text" if isinstance(one, str) else "number")
        for one in (left, right)
    ]
    if kinds[0] != kinds[1]:
        return kind == "ne"
    return SIGNS[kind](left, right)


def alike(node, value, other):
    """A text in the question, compared with a number or a truth value, is read as one."""
    if node[0] != "value" or not isinstance(value, str) or isinstance(other, str):
        return value
    if isinstance(other, bool):
        return {"true": True, "false": False}.get(value, value)
    return value if number(value) is None else number(value)


def expected(node):
    return [row["id"] for row in ROWS if any(true(node, one) for one in choices_of(row, node))]


# expressions

paths = st.sampled_from(
    [("path", "name"), ("path", "description"), ("path", "properties", "n"), ("path", "properties", "v"),
     ("path", "properties", "in", "x"), ("path", "properties", "none"),
     ("path", "Datastreams", "name"), ("path", "id")]
)  # fmt: skip
values = st.sampled_from(
    [("value", one) for one in dict.fromkeys((*map(str, NAMES), *VALUES[:7], True, False, None, "2", "2.5"))]
)
scalars = st.recursive(
    paths | values,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["add", "sub", "mul", "div", "mod"]), inner, inner),
        st.tuples(
            st.just("call"),
            st.sampled_from(["length", "tolower", "toupper", "round", "floor", "ceiling"]),
            inner,
        ),
        st.tuples(st.just("call"), st.sampled_from(["concat", "indexof"]), inner, inner),
    ),
    max_leaves=3,
)
truths = st.one_of(
    st.tuples(st.sampled_from(sorted(SIGNS)), paths, values),
    st.tuples(st.sampled_from(sorted(SIGNS)), scalars, scalars),
    st.tuples(
        st.just("call"),
        st.sampled_from(["startswith", "endswith", "substringof"]),
        paths | values,
        paths | values,
    ),
)
filters = st.recursive(
    truths,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), inner, inner), st.tuples(st.just("not"), inner)
    ),
    max_leaves=5,
)


def test_what_is_selected_is_what_the_language_says(things):
    @settings(
        max_examples=150,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(filters)
    def check(node):
        from urllib.parse import quote

        options = f"$filter={quote(text_of(node))}&$select=id&$orderby=id"
        told = [one["@iot.id"] for one in things.values("Things", options)]
        assert told == expected(node), text_of(node)

    check()


def test_the_oracle_selects_some_and_leaves_some():
    sizes = {len(expected(("gt", ("path", "properties", "n"), ("value", one)))) for one in NUMBERS}
    assert len(sizes) > 3


def test_places_are_found_as_shapely_finds_them(station):
    places = list(itertools.product((116.0, 116.25, 116.5), (39.0, 39.5)))
    for number, (lon, lat) in enumerate(places):
        station.post("Things", thing(f"{number}", Locations=[location(lon=lon, lat=lat)]))
    box = "geography'POLYGON((115.9 38.9,116.3 38.9,116.3 39.2,115.9 39.2,115.9 38.9))'"
    inside = [
        f"{number}" for number, (lon, lat) in enumerate(places) if 115.9 < lon < 116.3 and 38.9 < lat < 39.2
    ]
    assert station.names("Things", f"$filter=st_within(Locations/location, {box})&$orderby=id") == inside
    outside = f"$filter=not st_within(Locations/location, {box})&$orderby=id"
    assert len(station.names("Things", outside)) == len(places) - len(inside)
    near = "$filter=geo.distance(Locations/location, geography'POINT(116 39)') le 0.25&$orderby=id"
    assert station.names("Things", near) == [
        f"{number}" for number, (lon, lat) in enumerate(places) if math.hypot(lon - 116, lat - 39) <= 0.25
    ]
