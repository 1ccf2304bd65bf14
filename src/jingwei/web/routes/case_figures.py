"""The indicators, their formulas, and their values by area, department, post, type and period."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from jingwei.cases.calendar import instant
from jingwei.cases.comparing import compared, scoreboards, scored
from jingwei.cases.findings import findings, kinds
from jingwei.cases.formulas import in_words
from jingwei.cases.indicators import DIMENSIONS, Figure, figures, indicators
from jingwei.errors import NotFoundError
from jingwei.records import now_utc
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES, BoardOf, ChoiceOf, Words
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Text

router = APIRouter(prefix="/cases", tags=["cases"], responses=FAILURES)


class IndicatorOut(BaseModel):
    """An indicator and its formula."""

    key: str
    says: TextOut
    formula: str = Field(description="The conditions as they are counted")
    said: TextOut = Field(description="The formula in words")
    waits: TextOut | None = Field(description="Which data it waits for, where there is none of it yet")


class FigureOut(BaseModel):
    """A value, with what is above and below the line."""

    top: int
    bottom: int | None
    value: float | None


class GroupOut(BaseModel):
    """The figures of one group."""

    by: list[str | int | None]
    figures: dict[str, FigureOut]


@router.get(
    "/indicators", summary="The indicators and their formulas", dependencies=[allowed("city.read", CITY)]
)
def read_indicators() -> list[IndicatorOut]:
    """Return every indicator with the formula that is counted."""
    return [
        IndicatorOut(
            key=one.key,
            says=text_out(one.says),
            formula=one.formula if one.rows else "",
            said=text_out(in_words(one, "cases")),
            waits=text_out(Text(one.waits_zh, one.waits)) if one.waits else None,
        )
        for one in indicators().values()
    ]


@router.get("/figures", summary="The values of indicators", dependencies=[allowed("case.figures", CITY)])
def read_figures(
    board: BoardOf,
    asker: AskerOf,
    choice: ChoiceOf,
    by: Annotated[list[Literal[tuple(DIMENSIONS)]], Query(max_length=2)] = [],  # type: ignore[valid-type]  # noqa: B006
    key: Words = [],  # noqa: B006
) -> list[GroupOut]:
    """Return the figures of the chosen cases, as a whole or by up to two dimensions."""
    found = figures(board, asker, choice, now=instant(now_utc()), by=by, keys=key or None)
    return [
        GroupOut(
            by=one["by"],
            figures={name: _figure_out(figure) for name, figure in one["figures"].items()},
        )
        for one in found
    ]


class ComparedOut(BaseModel):
    """A figure beside that of the period before (环比) and of the same period a year earlier (同比)."""

    now: FigureOut
    before: FigureOut
    year_before: FigureOut
    change: float | None = Field(description="Value less that of the period before")
    year_change: float | None = Field(description="Value less that of a year earlier")


class ComparedGroupOut(BaseModel):
    """The compared figures of one group."""

    by: list[str | int | None]
    figures: dict[str, ComparedOut]


class ScoreboardOut(BaseModel):
    """What is scored, and the indicators that make the score."""

    key: str
    says: TextOut
    dimension: str
    indicators: list[dict[str, Any]]


class ScoreOut(BaseModel):
    """A score; `rank` counts equal ones alike."""

    by: str | int
    rank: int | None
    score: float | None
    grade: TextOut | None
    figures: dict[str, FigureOut]


class FindingKindOut(BaseModel):
    """A kind of finding and its rule."""

    key: str
    says: TextOut
    rule: str


class FindingOut(BaseModel):
    """Something that stands out, with the cases behind it: people look at them and judge."""

    key: str
    by: dict[str, str | int]
    count: int
    of: int
    cases: list[str]


def _figure_out(figure: Figure) -> FigureOut:
    return FigureOut(top=figure.top, bottom=figure.bottom, value=figure.value)


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


@router.get(
    "/figures/compared",
    summary="Figures beside those of the time before",
    dependencies=[allowed("case.figures", CITY)],
)
def read_compared(
    city: CityOf,
    board: BoardOf,
    asker: AskerOf,
    choice: ChoiceOf,
    by: Annotated[list[Literal[tuple(DIMENSIONS)]], Query(max_length=2)] = [],  # type: ignore[valid-type]  # noqa: B006
    key: Words = [],  # noqa: B006
) -> list[ComparedGroupOut]:
    """Return figures of a period (`since`, `until`), of the one before, and of the same a year earlier."""
    zone = ZoneInfo(city.about.time_zone)
    found = compared(board, asker, choice, now=instant(now_utc()), zone=zone, by=by, keys=key or None)
    return [
        ComparedGroupOut(
            by=one["by"],
            figures={
                name: ComparedOut(
                    now=_figure_out(told.now),
                    before=_figure_out(told.before),
                    year_before=_figure_out(told.year_before),
                    change=_less(told.now.value, told.before.value),
                    year_change=_less(told.now.value, told.year_before.value),
                )
                for name, told in one["figures"].items()
            },
        )
        for one in found
    ]


@router.get("/scoreboards", summary="What is scored, and by what", dependencies=[allowed("city.read", CITY)])
def read_scoreboards() -> list[ScoreboardOut]:
    """Return the scoreboards: what they score, and the weights of their indicators."""
    return [
        ScoreboardOut(
            key=one.key,
            says=text_out(one.says),
            dimension=one.dimension,
            indicators=[
                {"key": part.key, "weight": part.weight, "less": part.less} for part in one.indicators
            ],
        )
        for one in scoreboards().values()
    ]


@router.get("/scoreboards/{key}", summary="The scores", dependencies=[allowed("case.figures", CITY)])
def read_scores(
    board: BoardOf, asker: AskerOf, choice: ChoiceOf, key: Annotated[str, Path(max_length=40)]
) -> list[ScoreOut]:
    """Return the scores of the chosen cases, the best first; what has no figures comes last."""
    wanted = scoreboards().get(key)
    if wanted is None:
        raise NotFoundError(Text(f"没有评分表 {key}", f"there is no scoreboard {key}."), where={"key": key})
    found = scored(board, asker, choice, wanted, now=instant(now_utc()))
    known = [one.score for one in found if one.score is not None]
    return [
        ScoreOut(
            by=one.by,
            rank=None if one.score is None else known.index(one.score) + 1,
            score=one.score,
            grade=text_out(one.grade) if one.grade else None,
            figures={name: _figure_out(figure) for name, figure in one.figures.items()},
        )
        for one in found
    ]


@router.get("/findings/kinds", summary="What stands out, by rule", dependencies=[allowed("city.read", CITY)])
def read_finding_kinds() -> list[FindingKindOut]:
    """Return the kinds of findings with the rule of each."""
    return [FindingKindOut(key=one.key, says=text_out(one.says), rule=one.rule) for one in kinds().values()]


@router.get(
    "/findings",
    summary="What makes figures look better than the work",
    dependencies=[allowed("case.figures", CITY)],
)
def read_findings(board: BoardOf, asker: AskerOf, choice: ChoiceOf) -> list[FindingOut]:
    """Return what stands out among the chosen cases: mass closing, twins, quota-filling; with the cases."""
    return [
        FindingOut(key=one.key, by=one.by, count=one.count, of=one.of, cases=one.cases)
        for one in findings(board, asker, choice)
    ]
