"""What makes figures look better than the work is: findings as data, each with the cases behind it.

A finding says that something stands out, never why: people look at the cases and judge.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jingwei.cases.calendar import DAY, HOUR
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.cases.board import Board, Choice
    from jingwei.cases.recount import Recount

TWIN_WITHIN = DAY
"""A collector's report of the same type in the same unit grid within this time is a twin of the first."""
BURST_WITHIN, BURST = HOUR // 2, 5
"""So many reports of one type by one collector within this time are a burst."""
MOST, MOST_CASES = 200, 200
PER: dict[str, str] = {
    "department": "department", "collector": "collector", "day": "day", "month": "day // 100",
    "handled_hour": f"handled_at // {HOUR} * {HOUR}",
}  # fmt: skip
"""For what findings are told, and the expression for it; `handled_hour` is an instant in microseconds."""

_MORE = f"""
    source = 'collector' AND area <> '' AND coalesce(reported - lag(reported) OVER (
        PARTITION BY source, collector, kind, type, area ORDER BY reported, number) <= {TWIN_WITHIN}, FALSE
    ) AS own_twin,
    source = 'collector' AND count(*) OVER (
        PARTITION BY source, collector, kind, type ORDER BY reported
        RANGE BETWEEN {BURST_WITHIN} PRECEDING AND {BURST_WITHIN} FOLLOWING) >= {BURST} AS in_burst
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding; see the data file."""

    key: str
    says: Text
    per: tuple[str, ...]
    rows: str
    of: str
    least: int
    percent: int

    @property
    def rule(self) -> str:
        """The rule for people."""
        per = ", ".join(self.per)
        return f"count [{self.rows}] >= {self.least}, >= {self.percent} % of [{self.of}], per {per}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that stands out: for what, how many cases of how many, and which."""

    key: str
    by: dict[str, Any]
    count: int
    of: int
    cases: list[str]


@cache
def kinds() -> dict[str, Kind]:
    """Return the kinds of findings by key."""
    table = json.loads((files("jingwei.cases") / "data" / "findings.json").read_text("utf-8"))
    found = {}
    for one in table["findings"]:
        says = Text(one.pop("zh"), one.pop("en"))
        found[one["key"]] = Kind(says=says, **{**one, "per": tuple(one["per"])})
    return found


def findings(board: Board | Recount, asker: Asker, choice: Choice) -> list[Finding]:
    """Return what stands out among the cases of a choice that an asker may see, the largest of a kind first.

    At most `MOST` of a kind, each with its first `MOST_CASES` cases.
    """
    board.refresh()
    where, given = board.allowed(asker, choice)
    found: list[Finding] = []
    for kind in kinds().values():
        per = [PER[name] for name in kind.per]
        groups = ", ".join(str(index + 1) for index in range(len(per)))
        sql = (
            f"SELECT {', '.join(per)}, count(*) FILTER (WHERE {kind.rows}) AS n,"
            f" count(*) FILTER (WHERE {kind.of}) AS m,"
            f" list(number ORDER BY number) FILTER (WHERE {kind.rows})"
            f" FROM (SELECT *, {_MORE} FROM cases WHERE {where})"
            f" WHERE {' AND '.join(f'({one}) IS NOT NULL' for one in per)} GROUP BY {groups}"
            f" HAVING n >= {kind.least} AND n * 100 >= m * {kind.percent}"
            f" ORDER BY n DESC, {groups} LIMIT {MOST}"
        )
        for row in board.rows(sql, given):
            *values, count, of, numbers = row
            found.append(
                Finding(kind.key, dict(zip(kind.per, values, strict=True)), count, of, numbers[:MOST_CASES])
            )
    return found
