"""The city's clock: that of a fictional city can be set; that of a real one is the present."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from jingwei.city import City
from jingwei.city.living import clock, policy
from jingwei.city.living.clock import AHEAD, Clock
from jingwei.city.living.storms import next_storm, settings_of_city
from jingwei.errors import BadRequestError
from jingwei.records import now_utc
from jingwei.web import problems
from jingwei.web.policies import CITY, allowed, policies_of
from jingwei.web.reader import AskerOf
from jingwei.web.routes.city import CityOf
from jingwei.words import Text

router = APIRouter(prefix="/city/clock", tags=["city"], responses=problems.responses(400, 403, 409))


class ClockOut(BaseModel):
    """What time it is in the city, and how its clock goes."""

    generated: bool = Field(description="Whether the city is fictional, and may have a clock of its own")
    living: bool = Field(
        description="Whether its clock was set going: what happens in it is told by its sensors"
    )
    now: datetime = Field(description="The city's instant")
    present: datetime = Field(description="The present instant")
    speed: float = Field(description="Seconds of the city in one of ours")
    paused: bool
    until: datetime | None = Field(description="How far the clock may run at present")
    storm: datetime | None = Field(
        description="Shortly before the next planted storm, if it may be jumped to"
    )
    may_set: bool = Field(description="Whether the asker may set it")


class ClockIn(BaseModel):
    """How the clock is to go on; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    speed: Annotated[float, Field(ge=clock.SLOWEST, le=clock.FASTEST, allow_inf_nan=False)] | None = None
    paused: bool | None = None
    to: AwareDatetime | None = Field(default=None, description="The city's instant to go on from")
    storm: bool = Field(default=False, description="Go on from shortly before the next planted storm")


@router.get("", summary="What time it is in the city", dependencies=[allowed("city.read", CITY)])
def read_clock(request: Request, city: CityOf, asker: AskerOf) -> ClockOut:
    """Return the city's clock; in a real city, and in one whose clock was never set going, the present."""
    may = policies_of(request).decide(asker, policy.SET, CITY).allowed
    return _out(city, city.clock.clock(), may=may)


@router.post("", summary="Set the clock of a demo city", dependencies=[allowed(policy.SET, CITY)])
def set_clock(city: CityOf, asker: AskerOf, body: ClockIn) -> ClockOut:
    """Set the clock going, faster or slower, let it stand, or let it jump forward."""
    if body.storm and body.to is not None:
        raise BadRequestError(
            Text("to 与 storm 只能给出一个", "`to` and `storm` are not named together."),
            where={"field": "to"},
        )
    with city.records.write() as session:
        to = _storm(city, clock.read(session)) if body.storm else body.to
        found = clock.change(
            session, asker, generated=city.about.generated, speed=body.speed, paused=body.paused, to=to
        )
    city.clock.forget()
    return _out(city, found, may=True)


def _storm(city: City, found: Clock | None) -> datetime | None:
    """Return the instant before the next planted storm, None where the city has none."""
    settings = settings_of_city(city.about.id) if city.about.generated else None
    present = now_utc()
    return next_storm(settings, found.now(present) if found else present) if settings else None


def _out(city: City, found: Clock | None, *, may: bool) -> ClockOut:
    present = now_utc()
    generated = city.about.generated
    storm = _storm(city, found) if generated else None
    return ClockOut(
        generated=generated,
        living=found is not None and not found.closed,
        now=found.now(present) if found else present,
        present=present,
        speed=found.speed if found else 1.0,
        paused=found.paused if found else False,
        until=present + AHEAD if generated else None,
        storm=storm if storm is not None and storm <= present + AHEAD - timedelta(minutes=1) else None,
        may_set=may and generated,
    )
