"""Figures beside those of the time before: 环比 month on month, 同比 year on year, and scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jingwei.cases.calendar import instant, moment
from jingwei.cases.errors import BadFieldError
from jingwei.cases.indicators import Dimension, Figure, figures
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.cases.board import Board, Choice
    from jingwei.cases.recount import Recount


EARLIEST, LATEST = (instant(datetime(year, 1, 1, tzinfo=UTC)) for year in (1990, 2100))


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure, that of the period before, and that of the same period a year earlier."""

    now: Figure
    before: Figure
    year_before: Figure


def earlier(since: int, until: int, zone: ZoneInfo) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the period before one, and the same a year earlier, in microseconds.

    Before whole months (of the city's time) come as many whole months, before anything else as much time.
    """
    start, end = moment(since).astimezone(zone), moment(until).astimezone(zone)
    months = (end.year - start.year) * 12 + end.month - start.month
    if months and _begins_month(start) and _begins_month(end):
        before = (instant(_months_back(start, months)), since)
    else:
        before = (since - (until - since), since)
    return before, (instant(_months_back(start, 12)), instant(_months_back(end, 12)))


def _begins_month(when: datetime) -> bool:
    return (when.day, when.hour, when.minute, when.second, when.microsecond) == (1, 0, 0, 0, 0)


def _months_back(when: datetime, months: int) -> datetime:
    """Return the same moment of an earlier month, its last day where it is too short."""
    year, month = divmod(when.year * 12 + when.month - 1 - months, 12)
    for day in range(when.day, 27, -1):
        try:
            return when.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return when.replace(year=year, month=month + 1)


_NOTHING = Figure(0, None, None)


def compared(
    board: Board | Recount,
    asker: Asker,
    choice: Choice,
    *,
    now: int,
    zone: ZoneInfo,
    by: Sequence[Dimension] = (),
    keys: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Return figures as `indicators.figures` does, each a `Compared`; groups of any of the three periods.

    Raises
    ------
    BadFieldError
        Where the choice has no period: both `since` and `until` must be given.

    """
    if choice.since is None or choice.until is None or choice.since >= choice.until:
        raise BadFieldError(
            "since", Text("比较需要起止时间", "a comparison needs a period: since and until.")
        )
    if choice.since < EARLIEST or choice.until > LATEST:
        raise BadFieldError("since", Text("比较限于 1990 至 2100 年", "comparisons are of 1990 to 2100."))
    periods = [(choice.since, choice.until), *earlier(choice.since, choice.until, zone)]
    told: list[dict[tuple[Any, ...], dict[str, Figure]]] = []
    for since, until in periods:
        part = figures(board, asker, replace(choice, since=since, until=until), now=now, by=by, keys=keys)
        told.append({tuple(one["by"]): one["figures"] for one in part})
    groups = list(dict.fromkeys(group for part in told for group in part))
    names = list(next((one for part in told for one in part.values()), {}))
    return [
        {
            "by": list(group),
            "figures": {
                name: Compared(*(part.get(group, {}).get(name, _NOTHING) for part in told)) for name in names
            },
        }
        for group in groups
    ]


# scores


@dataclass(frozen=True, slots=True)
class Weighed:
    """An indicator's part of a score; `less` counts what is missing to 1."""

    key: str
    weight: int
    less: bool = False


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """What is scored by which indicators."""

    key: str
    says: Text
    dimension: Dimension
    indicators: tuple[Weighed, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """A score of 100 at most, its grade, and the figures that it is made of; None where there are none."""

    by: Any
    score: float | None
    grade: Text | None
    figures: dict[str, Figure]


@cache
def _table() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(
        (files("jingwei.cases") / "data" / "scoreboards.json").read_text("utf-8")
    )
    return read


@cache
def scoreboards() -> dict[str, Scoreboard]:
    """Return the scoreboards by key."""
    return {
        one["key"]: Scoreboard(
            one["key"],
            Text(one["zh"], one["en"]),
            one["dimension"],
            tuple(Weighed(**part) for part in one["indicators"]),
        )
        for one in _table()["scoreboards"]
    }


def scored(
    board: Board | Recount, asker: Asker, choice: Choice, scoreboard: Scoreboard, *, now: int
) -> list[Score]:
    """Return the scores of a choice of cases, the best first; what has no figures comes last.

    A score is the weighed mean of those indicators that have a value.
    """
    keys = [one.key for one in scoreboard.indicators]
    found = figures(board, asker, choice, now=now, by=[scoreboard.dimension], keys=keys)
    scores = [
        _score(scoreboard, group["by"][0], group["figures"]) for group in found if group["by"][0] is not None
    ]
    return sorted(scores, key=lambda one: (one.score is None, -(one.score or 0), str(one.by)))


def _score(scoreboard: Scoreboard, by: Any, told: dict[str, Figure]) -> Score:
    whole = total = 0.0
    for one in scoreboard.indicators:
        value = told[one.key].value
        if value is not None:
            total += one.weight
            whole += one.weight * (1 - value if one.less else value)
    if not total:
        return Score(by, None, None, told)
    score = round(100 * whole / total, 2)
    _, zh, en = next(grade for grade in _table()["grades"] if score >= grade[0])
    return Score(by, score, Text(zh, en), told)
