"""The indicators, their formulas, and their values by area, department, post, type and period."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from jingwei.cases.calendar import instant
from jingwei.cases.indicators import DIMENSIONS, figures, indicators
from jingwei.records import now_utc
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES, BoardOf, ChoiceOf, Words
from jingwei.web.texts import TextOut, text_out

router = APIRouter(prefix="/cases", tags=["cases"], responses=FAILURES)


class IndicatorOut(BaseModel):
    """An indicator and its formula."""

    key: str
    says: TextOut
    formula: str
    waits: str = Field(description="Which data it waits for, where there is none of it yet")


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
            key=one.key, says=text_out(one.says), formula=one.formula if one.rows else "", waits=one.waits
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
            figures={
                name: FigureOut(top=figure.top, bottom=figure.bottom, value=figure.value)
                for name, figure in one["figures"].items()
            },
        )
        for one in found
    ]
