"""The grid as SQL text, for engines that run where Python does not: PostgreSQL, Spark, and DuckDB's macros.

All cells are stored (signed) 64-bit integers. The points' codes are exact as in the library: the same ticks,
the same snap, the same padding; a point out of range, or at 88 degrees of latitude and beyond below level 7,
gives null.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from jingwei.grid.geosot import DEGREE_PAD, MINUTE_PAD, SPREAD_STEPS
from jingwei.grid.levels import LON_END, POLAR_FIRST_LEVEL, POLAR_START, TICKS_PER_DEGREE, TICKS_PER_MINUTE
from jingwei.grid.ticks import SNAP

Dialect = Literal["postgres", "spark"]

_RANGE = (
    ("jw_low", "cell, level", "cell - (cell & (({one} << (64 - 2 * level)) - 1))"),
    ("jw_high", "cell, level", "cell | (({one} << (64 - 2 * level)) - 1)"),
    ("jw_parent", "cell, level", "jw_low(cell, level)"),
    ("jw_contains", "cell, level, other", "other BETWEEN jw_low(cell, level) AND jw_high(cell, level)"),
)


def macros() -> list[str]:
    """Return DuckDB's statements that make the macros of a cell's range and ancestors."""
    one = "1::BIGINT"
    return [
        f"CREATE OR REPLACE MACRO {name}({arguments}) AS ({body.format(one=one)})"
        for name, arguments, body in _RANGE
    ]


def functions(dialect: Dialect) -> list[str]:
    """Return the statements that create the grid's functions in an engine.

    Parameters
    ----------
    dialect : {"postgres", "spark"}
        PostgreSQL 12 or later, or Spark 4 (SQL functions).

    Returns
    -------
    list of str
        `CREATE FUNCTION` statements, in the order in which they need each other: `jw_encode(lon, lat,
        level)`, `jw_parent(cell, level)`, `jw_low` and `jw_high(cell, level)`, `jw_contains(cell, level,
        other)`.
    """
    if dialect not in _CREATE:
        raise ValueError(f"the dialect is one of {', '.join(_CREATE)}, not {dialect!r}")
    return [_function(dialect, *parts) for parts in _parts(dialect)]


_CREATE = {
    "postgres": "CREATE OR REPLACE FUNCTION {name}({arguments}) RETURNS {answer} "
    "LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT {body} $$",
    "spark": "CREATE OR REPLACE FUNCTION {name}({arguments}) RETURNS {answer} RETURN {body}",
}
_TYPES = {
    "postgres": {"float": "double precision", "long": "bigint", "int": "integer", "bool": "boolean"},
    "spark": {"float": "DOUBLE", "long": "BIGINT", "int": "INT", "bool": "BOOLEAN"},
}


def _function(dialect: Dialect, name: str, arguments: str, answer: str, body: str) -> str:
    types = _TYPES[dialect]
    typed = ", ".join(f"{one.split()[0]} {types[one.split()[1]]}" for one in arguments.split(", "))
    return _CREATE[dialect].format(name=name, arguments=typed, answer=types[answer], body=body)


def _parts(dialect: Dialect) -> list[tuple[str, str, str, str]]:
    """Return name, arguments, answer and body of each function."""
    shift = _shift_of(dialect)
    long = _TYPES[dialect]["long"]
    divide = "/" if dialect == "postgres" else "div"
    minutes, degrees = f"tick {divide} {TICKS_PER_MINUTE}", f"tick {divide} {TICKS_PER_DEGREE}"
    padding = f"{MINUTE_PAD} * ({minutes}) + {DEGREE_PAD} * ({degrees})"
    counted = f"CAST(FLOOR(ABS(degrees) * {TICKS_PER_DEGREE}.0 + {SNAP:.6f}) AS {long})"
    nested = "v"
    for bits, _ in SPREAD_STEPS:
        nested = f"jw_spread{bits}({nested})"
    west, south = (f"CASE WHEN {axis} < 0 THEN {1 << 31} ELSE 0 END" for axis in ("lon", "lat"))
    lat_bits = shift(f"jw_spread(jw_pack(jw_ticks(lat)) + {south})", "1")
    lon_bits = f"jw_spread(jw_pack(LEAST(jw_ticks(lon), {LON_END - 1})) + {west})"
    block = f"({shift(f'CAST(1 AS {long})', '(64 - 2 * level)')} - 1)"
    defined = (
        "ABS(lon) <= 180 AND ABS(lat) <= 90 AND level BETWEEN 1 AND 32 "
        f"AND (level < {POLAR_FIRST_LEVEL} OR jw_ticks(lat) < {POLAR_START})"
    )
    spreads = [
        (f"jw_spread{bits}", "v long", "long", f"(v | {shift('v', str(bits))}) & {mask}")
        for bits, mask in SPREAD_STEPS
    ]
    cell = "cell long, level int"
    return [
        ("jw_ticks", "degrees float", "long", counted),
        ("jw_pack", "tick long", "long", f"tick + {padding}"),
        *spreads,
        ("jw_spread", "v long", "long", nested),
        ("jw_code", "lon float, lat float", "long", f"{lat_bits} | {lon_bits}"),
        ("jw_low", cell, "long", f"cell - (cell & {block})"),
        ("jw_high", cell, "long", f"cell | {block}"),
        ("jw_parent", cell, "long", "jw_low(cell, level)"),
        (
            "jw_contains",
            f"{cell}, other long",
            "bool",
            "other BETWEEN jw_low(cell, level) AND jw_high(cell, level)",
        ),
        (
            "jw_encode",
            "lon float, lat float, level int",
            "long",
            f"CASE WHEN {defined} THEN jw_low(jw_code(lon, lat), level) END",
        ),
    ]


def _shift_of(dialect: Dialect) -> Callable[[str, str], str]:
    if dialect == "postgres":
        return "({} << {})".format
    return "shiftleft({}, {})".format
