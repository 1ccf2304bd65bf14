"""Indicators of grid city management: formulas as data, one question for all of them.

Each is a number of cases, a sum over cases, or one of these over another number of cases. So every figure
leads to the cases it is made of, and the formula that is shown is the one that was counted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from jingwei.cases.board import Choice
from jingwei.cases.calendar import DAY
from jingwei.cases.errors import BadFieldError
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.cases.board import Board
    from jingwei.cases.recount import Recount

Dimension = Literal[
    "street", "community", "area", "department", "source", "type", "major", "kind", "collector", "acceptor",
    "dispatcher", "handler", "day", "month",
]  # fmt: skip
DIMENSIONS: dict[str, str] = {
    "street": "street", "community": "community", "area": "area", "department": "department",
    "source": "source",
    "type": "kind || '/' || type", "major": "kind || '/' || major", "kind": "kind", "collector": "collector",
    "acceptor": "acceptor", "dispatcher": "dispatcher", "handler": "handler", "day": "day",
    "month": "day // 100",
}  # fmt: skip
"""What figures can be told by, and the expression for it."""

REPEAT_DAYS = 30
FREQUENT = 10
"""So many types of a period are the frequent ones."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator. `rows` and `of` are conditions on the columns of a case; see the data file.

    `waits`, in Chinese `waits_zh`, says which data it waits for, where there is none of it yet.
    """

    key: str
    says: Text
    rows: str = ""
    of: str = ""
    measure: str = ""
    scale: int = 1
    second: bool = False
    waits: str = ""
    waits_zh: str = ""

    @property
    def top(self) -> str:
        """The aggregate above the line, or the whole."""
        if self.measure:
            return f"COALESCE(sum({self.measure}) FILTER (WHERE {self.rows}), 0)"
        return f"count(*) FILTER (WHERE {self.rows})"

    @property
    def bottom(self) -> str:
        """The aggregate below the line; empty where there is none."""
        return f"count(*) FILTER (WHERE {self.of})" if self.of else ""

    @property
    def formula(self) -> str:
        """The formula for people."""
        above = f"sum({self.measure}) [{self.rows}]" if self.measure else f"count [{self.rows}]"
        return f"{above} / count [{self.of}]" if self.of else above


@cache
def indicators() -> dict[str, Indicator]:
    """Return all indicators by key, in the order of the table."""
    table = json.loads((files("jingwei.cases") / "data" / "indicators.json").read_text("utf-8"))
    found = {}
    for one in table["indicators"]:
        says = Text(one.pop("zh"), one.pop("en"))
        found[one["key"]] = Indicator(says=says, **one)
    return found


@dataclass(frozen=True, slots=True)
class Figure:
    """The value of an indicator: what is above and below the line, and what comes out."""

    top: int
    bottom: int | None
    value: float | int | None


def figures(
    board: Board | Recount,
    asker: Asker,
    choice: Choice,
    *,
    now: int,
    by: Sequence[Dimension] = (),
    keys: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return the values of indicators over a choice of cases, one entry for each value of `by`.

    Parameters
    ----------
    board, asker
        Whose cases, as far as the asker may see them.
    choice
        Which cases: period, area, department, type ...
    now
        The instant at which what is still open is judged, microseconds.
    by
        Up to two dimensions.
    keys
        Which indicators; all if not given.

    Returns
    -------
    list of dict
        `by`: the value of each dimension; `figures`: each indicator's `Figure`.

    """
    wanted = _wanted(keys)
    if len(by) > 2 or any(one not in DIMENSIONS for one in by):
        raise BadFieldError(
            "by", Text("至多按两个已知维度分组", "figures are told by at most two known dimensions.")
        )
    board.refresh()
    known: dict[str, int] = {}
    for one in wanted:
        for aggregate in (one.top, one.bottom) if one.rows else ():
            if aggregate:
                known.setdefault(aggregate, len(known))
    where, given = board.allowed(asker, choice)
    groups = [DIMENSIONS[one] for one in by]
    listed = [*groups, *("0" if one == _REPEATED else one for one in known)] or ["count(*)"]
    sql = f"SELECT {', '.join(listed)} FROM ({_source(wanted, where)})"
    if groups:
        numbers = ", ".join(str(index + 1) for index in range(len(groups)))
        sql += f" GROUP BY {numbers} ORDER BY {numbers}"
    stock = board.stock_days * DAY
    rows = board.rows(sql.replace("{now}", str(int(now))).replace("{stock}", str(stock)), given)
    repeated = _repeats(board, where, given, groups) if _REPEATED in known else {}
    return [
        {
            "by": list(row[: len(groups)]),
            "figures": {
                one.key: _figure(one, row[len(groups) :], known, repeated.get(row[: len(groups)], 0))
                for one in wanted
            },
        }
        for row in rows
    ]


def _wanted(keys: Sequence[str] | None) -> list[Indicator]:
    table = indicators()
    for key in keys or ():
        if key not in table:
            raise BadFieldError(
                "indicator", Text(f"没有指标 {key[:40]}", f"there is no indicator {key[:40]}.")
            )
    return [table[key] for key in keys] if keys else list(table.values())


def _source(wanted: Sequence[Indicator], where: str) -> str:
    """Return the cases with what some indicators need to know of their neighbours."""
    more = ""
    needs = " ".join(f"{one.rows} {one.of}" for one in wanted)
    if "frequent" in needs:
        chosen = f"SELECT kind, type FROM cases WHERE ({where}) AND registered GROUP BY 1, 2"
        more = f", (kind, type) IN ({chosen} ORDER BY count(*) DESC, kind, type LIMIT {FREQUENT}) AS frequent"
    return f"SELECT *{more} FROM cases WHERE {where}"


_REPEATED = "count(*) FILTER (WHERE registered AND repeated)"


def _repeats(
    board: Board | Recount, where: str, given: Sequence[Any], groups: Sequence[str]
) -> dict[tuple[Any, ...], int]:
    """Return how many registered cases follow one of the same place and type within `REPEAT_DAYS`.

    Asked by itself: what is sorted should be narrow.
    """
    named = [f"{one} AS by{index}" for index, one in enumerate(groups)]
    by = [f"by{index}" for index in range(len(groups))]
    inner = ", ".join([*named, "reported - lag(reported) OVER same AS gap"])
    sql = (
        f"SELECT {', '.join([*by, 'count(*)'])} FROM (SELECT {inner} FROM cases"
        f" WHERE ({where}) AND registered AND area <> ''"
        " WINDOW same AS (PARTITION BY area, kind, type ORDER BY reported, number))"
        f" WHERE gap <= {REPEAT_DAYS * DAY}{' GROUP BY ' + ', '.join(by) if by else ''}"
    )
    return {tuple(row[:-1]): row[-1] for row in board.rows(sql, given)}


def _figure(one: Indicator, row: Sequence[Any], known: dict[str, int], repeated: int) -> Figure:
    if not one.rows:
        return Figure(0, None, None)
    top = repeated if one.top == _REPEATED else int(row[known[one.top]])
    if not one.of:
        return Figure(top, None, top)
    bottom = int(row[known[one.bottom]])
    return Figure(top, bottom, top / (bottom * one.scale) if bottom else None)


def cases_of(key: str, *, now: int, stock_days: int, below: bool = False) -> str:
    """Return the condition for the cases that a figure is made of; with `below`, those below the line."""
    (one,) = _wanted([key])
    if not one.rows:
        return "FALSE"
    condition = one.of if below and one.of else one.rows
    return condition.replace("{now}", str(int(now))).replace("{stock}", str(stock_days * DAY))
