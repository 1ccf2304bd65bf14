"""What people in the field need besides the cases: what is around them, and the way that they went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from jingwei.cases import Report, duplicates, field, policy
from jingwei.cases.inventory import components_near
from jingwei.records import now_utc
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES, DeskOf, shows
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out

router = APIRouter(prefix="/cases", tags=["cases"], responses=FAILURES)

Longitude = Annotated[float, Query(ge=-180, le=180)]
Latitude = Annotated[float, Query(ge=-85, le=85)]

COMPONENT_METRES = 30
"""How far a component may be from where its reporter stands."""
MOST_COMPONENTS = 5


class NearComponent(BaseModel):
    """A component near a point."""

    code: str
    name: str
    type: str
    department: str
    lon: float
    lat: float
    metres: float


class NearCase(BaseModel):
    """A case near a point that may be of the same thing."""

    number: str
    state: str
    metres: float
    score: float
    why: TextOut


class Around(BaseModel):
    """What is around a point."""

    area: str = Field(description="The code of its unit grid")
    where: str
    rule: TextOut | None = Field(description="What is done about a place on a border or outside")
    components: list[NearComponent]
    cases: list[NearCase]


class FixIn(BaseModel):
    """Where one was: degrees (WGS84), metres of uncertainty."""

    model_config = ConfigDict(extra="forbid")

    at: AwareDatetime
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    accuracy: float = Field(ge=0, le=100_000, allow_inf_nan=False)


class TrackIn(BaseModel):
    """A stretch of one's own way."""

    model_config = ConfigDict(extra="forbid")

    fixes: list[FixIn] = Field(min_length=1, max_length=500)


class FixOut(BaseModel):
    """Where one was."""

    at: datetime
    lon: float
    lat: float
    accuracy: float


class TrackOut(BaseModel):
    """One's own way on a day of the city."""

    day: str
    days: int = Field(description="For how many days ways are kept")
    fixes: list[FixOut]


class Count(BaseModel):
    """How many."""

    count: int


@router.get("/around", summary="What is around a place", dependencies=shows)
def read_around(
    city: CityOf,
    desk: DeskOf,
    asker: AskerOf,
    lon: Longitude,
    lat: Latitude,
    kind: Annotated[str, Query(max_length=10)] = "",
    type: Annotated[str, Query(max_length=5)] = "",  # noqa: A002
    words: Annotated[str, Query(max_length=400)] = "",
) -> Around:
    """Return the grid of a place, the nearest components, and cases that may be of the same thing."""
    with city.records.read() as session:
        in_force = desk.regime(session)
        found = desk.ground(session).locate(lon, lat)
        wanted = type if kind == "component" else ""
        near = components_near(
            session, lon, lat, metres=COMPONENT_METRES, limit=MOST_COMPONENTS, type_=wanted
        )
        about = Report(kind, type, "collector", words, lon, lat)
        alike = duplicates.proposals(session, in_force, about, at=now_utc())
        seen = [one for one in alike if desk.may_read(session, asker, one.number)]
    return Around(
        area=found.area,
        where=found.where,
        rule=text_out(found.rule) if found.rule.zh else None,
        components=[
            NearComponent(
                code=one.code, name=one.name, type=one.code[6:11], department=one.department,
                lon=one.lon, lat=one.lat, metres=one.metres,
            )
            for one in near
        ],
        cases=[
            NearCase(
                number=one.number, state=one.state, metres=one.metres, score=one.score, why=text_out(one.why)
            )
            for one in seen
        ],
    )  # fmt: skip


@router.post("/track", summary="Keep one's own way", dependencies=[allowed(policy.FIELD, CITY)])
def keep_track(city: CityOf, desk: DeskOf, asker: AskerOf, body: TrackIn) -> Count:
    """Keep where the asker was, as long as the city has decided; what is known already is kept once."""
    fixes = [field.Fix(one.at, one.lon, one.lat, one.accuracy) for one in body.fixes]
    with city.records.write() as session:
        return Count(count=field.keep_track(session, asker, desk.regime(session), fixes))


@router.get("/track", summary="One's own way of a day", dependencies=[allowed(policy.FIELD, CITY)])
def read_track(
    city: CityOf,
    desk: DeskOf,
    asker: AskerOf,
    days_ago: Annotated[int, Query(ge=0, le=400, description="0 for today, in the city's zone")] = 0,
) -> TrackOut:
    """Return where the asker was on a day: nobody is shown the way of another."""
    today = (
        now_utc()
        .astimezone(ZoneInfo(city.about.time_zone))
        .replace(hour=0, minute=0, second=0, microsecond=0)
    )
    since = today - timedelta(days=days_ago)
    with city.records.read() as session:
        fixes = field.track_of(session, asker, since, since + timedelta(days=1))
        days = desk.regime(session).settings.track_days
    told: list[Any] = [FixOut(at=one.at, lon=one.lon, lat=one.lat, accuracy=one.accuracy) for one in fixes]
    return TrackOut(day=since.date().isoformat(), days=days, fixes=told)


@router.delete("/track", summary="Forget one's own way", dependencies=[allowed(policy.FIELD, CITY)])
def forget_track(city: CityOf, asker: AskerOf) -> Count:
    """Remove all that is kept of where the asker was."""
    with city.records.write() as session:
        return Count(count=field.forget_track(session, asker))
