"""What the hotline is set to, its rates with their formulas, and what callers speak of."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from jingwei import access
from jingwei.cases import regime as the_regime
from jingwei.cases.calendar import instant
from jingwei.cases.errors import RulesChangedError
from jingwei.cases.formulas import in_words
from jingwei.cases.hotline import policy as rules
from jingwei.cases.hotline import topics as the_topics
from jingwei.cases.hotline.afterwards import ANSWERS
from jingwei.cases.hotline.counting import CallBoard
from jingwei.cases.hotline.rates import DIMENSIONS, Dimension, rates_known
from jingwei.cases.hotline.steps import CALLS
from jingwei.cases.hotline.switchboard import CHANNELS
from jingwei.cases.indicators import Figure
from jingwei.cases.regime import PARTS
from jingwei.errors import BadRequestError
from jingwei.records import now_utc
from jingwei.web.policies import allowed, policies_of
from jingwei.web.reader import AskerOf, LanguageOf
from jingwei.web.routes.case_choice import CITY, FAILURES, DeskOf
from jingwei.web.routes.case_regime import AdoptedOut
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.hotline import SwitchboardOf
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Language, Text

router = APIRouter(prefix="/hotline", tags=["hotline"], responses=FAILURES)
figures = [allowed(rules.FIGURES, CITY)]


async def calls_of(request: Request) -> CallBoard:
    """Return the calls in columns."""
    found: CallBoard = request.app.state.calls
    return found


CallsOf = Annotated[CallBoard, Depends(calls_of)]
MOST_DAYS = 400
MOST_TOPICS = 50


class SettingsOut(BaseModel):
    """What the hotline is set to: kinds, urgencies, clocks, sheet; and its version."""

    version: int
    content: dict[str, Any]
    channels: dict[str, TextOut]
    answers: list[str]


class SettingsIn(BaseModel):
    """What the hotline is to be set to."""

    model_config = ConfigDict(extra="forbid")

    content: dict[str, Any] = Field(max_length=20)
    seen: int = Field(ge=0, description="The version that one saw")
    note: str = Field(default="", max_length=400)


class RateOut(BaseModel):
    """A rate and its formula."""

    key: str
    says: TextOut
    formula: str = Field(description="The conditions as they are counted")
    said: TextOut = Field(description="The formula in words")
    share: bool = Field(description="Whether it is a share of calls; else a number")


class RateValue(BaseModel):
    """A value, with what is above and below the line."""

    top: int
    bottom: int | None
    value: float | None


class RatesOut(BaseModel):
    """The rates of a group of calls."""

    by: str | int | None
    name: str | None
    figures: dict[str, RateValue]


class TopicOut(BaseModel):
    """What callers of a street speak of more than before; null where so few that it is not told."""

    street: str
    name: str | None
    term: str
    callers: int
    of: int
    before: int | None
    of_before: int | None
    weight: float
    calls: list[str] = Field(description="The calls behind it, as far as the asker may see them")


class TopicsOut(BaseModel):
    """The topics of a week, from a Monday on, beside some weeks before."""

    monday: date
    weeks: int
    smallest: int = Field(description="What fewer callers said is not told")
    topics: list[TopicOut]


@router.get("/settings", summary="What the hotline is set to", dependencies=[allowed(rules.KNOW, CITY)])
def read_hotline_settings(city: CityOf, desk: DeskOf) -> SettingsOut:
    """Return kinds of demand, how pressing they may be, their clocks, and the sheet of reviews."""
    with city.records.read() as session:
        regime = desk.regime(session)
    return SettingsOut(
        version=regime.versions[PARTS.index("hotline")],
        content=msgspec.to_builtins(regime.hotline),
        channels={name: text_out(says) for name, says in CHANNELS.items()},
        answers=list(ANSWERS),
    )


@router.put("/settings", summary="Set the hotline", dependencies=[allowed(rules.MANAGE, CITY)])
def put_hotline_settings(city: CityOf, desk: DeskOf, asker: AskerOf, body: SettingsIn) -> AdoptedOut:
    """Adopt a new version; who saw an older one than that in force is told so, and nothing is kept."""
    with city.records.write() as session:
        now = desk.regime(session).versions[PARTS.index("hotline")]
        if body.seen != now:
            raise RulesChangedError("hotline", body.seen, now)
        return AdoptedOut(version=the_regime.adopt(session, asker, "hotline", body.content, note=body.note))


@router.get("/rates/formulas", summary="The rates and their formulas", dependencies=figures)
def read_rate_formulas() -> list[RateOut]:
    """Return every rate with the formula that is counted."""
    return [
        RateOut(
            key=one.key,
            says=text_out(one.says),
            formula=one.formula,
            said=text_out(in_words(one, "calls")),
            share=bool(one.of) and (not one.measure or one.scale == 1000),
        )
        for one in rates_known().values()
    ]


@router.get("/rates", summary="The rates of the hotline", dependencies=figures)
def read_rates(
    calls: CallsOf,
    city: CityOf,
    desk: DeskOf,
    language: LanguageOf,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    by: Literal[tuple(DIMENSIONS)] | None = None,  # type: ignore[valid-type]
) -> list[RatesOut]:
    """Return the rates of the calls of a period, 400 days at most; the last thirty where none is told."""
    now = now_utc()
    end = until or now
    start = since or end - timedelta(days=30)
    if not timedelta() < end - start <= timedelta(days=MOST_DAYS):
        raise BadRequestError(
            Text(f"时段应在 {MOST_DAYS} 天之内", f"a period is {MOST_DAYS} days at most."),
            where={"field": "since"},
        )
    found = calls.told(since=instant(start), until=instant(end), now=instant(now), by=by)
    with city.records.read() as session:
        regime = desk.regime(session)
        names = _names(session, regime, by, [one["by"] for one in found], language)
    return [
        RatesOut(
            by=one["by"],
            name=names.get(one["by"]),
            figures={key: _value(figure) for key, figure in one["figures"].items()},
        )
        for one in found
    ]


def _value(figure: Figure) -> RateValue:
    return RateValue(top=figure.top, bottom=figure.bottom, value=figure.value)


def _names(
    session: Any, regime: the_regime.Regime, by: Dimension | None, values: list[Any], language: Language
) -> dict[Any, str]:
    """Return what groups are called, as far as that is not told by their keys."""
    known = [one for one in values if one]
    if by == "department":
        return dict(access.titles_of(session, known))
    if by == "taker":
        return dict(access.names_of(session, known))
    if by in ("street", "community"):
        areas = {one: regime.settings.area_name(one) for one in known}
        return {one: name.in_language(language) for one, name in areas.items() if name is not None}
    return {}


@router.get("/topics", summary="What callers speak of", dependencies=figures)
def read_topics(
    request: Request,
    city: CityOf,
    desk: DeskOf,
    board: SwitchboardOf,
    asker: AskerOf,
    week: Annotated[date | None, Query(description="A day of the week; this week if not given")] = None,
    weeks: Annotated[int, Query(ge=1, le=the_topics.MOST_BEFORE)] = 4,
    *,
    language: LanguageOf,
    by_street: bool = True,
) -> TopicsOut:
    """Return what callers of each street, or of the whole city, speak of more than in the weeks before."""
    zone = ZoneInfo(city.about.time_zone)
    day = week or datetime.now(zone).date()
    if not date(2000, 1, 10) <= day <= date(2100, 1, 1):
        raise BadRequestError(Text("日期超出范围", "that day is out of reach."), where={"field": "week"})
    monday = day - timedelta(days=day.weekday())
    decision = policies_of(request).decide(asker, rules.FIGURES, CITY)
    smallest = the_topics.smallest_of(decision)
    with city.records.read() as session:
        said = the_topics.said_in(session, monday, zone, weeks)
        found = the_topics.topics(said, smallest=smallest, by_street=by_street, limit=MOST_TOPICS)
        settings = desk.regime(session).settings
        seen = _readable(session, board, asker, {one for topic in found for one in topic.calls})
    return TopicsOut(
        monday=monday,
        weeks=weeks,
        smallest=smallest,
        topics=[
            TopicOut(
                street=one.street, name=None if name is None else name.in_language(language), term=one.term,
                callers=one.callers, of=one.of,
                before=one.before, of_before=one.of_before, weight=one.weight,
                calls=[call for call in one.calls if call in seen],
            )
            for one, name in ((one, settings.area_name(one.street)) for one in found)
        ],
    )  # fmt: skip


def _readable(session: Any, board: SwitchboardOf, asker: AskerOf, numbers: set[str]) -> set[str]:
    from sqlalchemy import select

    from jingwei.cases.hotline.call import decode

    bodies = session.scalars(select(CALLS.c.body).where(CALLS.c.number.in_(numbers)))
    calls = map(decode, bodies)
    return {call.number for call in calls if board.may_read(asker, call)}
