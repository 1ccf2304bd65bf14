"""Barring abusive senders, and what every public page says in an emergency."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from jingwei.cases import barring, policy, regime
from jingwei.cases.barring import Bar
from jingwei.cases.settings import LONGEST_MESSAGE
from jingwei.web import problems
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, DeskOf, Number
from jingwei.web.routes.city import CityOf

router = APIRouter(prefix="/cases", tags=["cases"], responses=problems.responses(400, 403, 404, 409))
bars = [allowed(policy.BAR, CITY)]
announces = [allowed(policy.ANNOUNCE, CITY)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BarIn(_In):
    """By what a sender is barred, for how long, and why: the sender is told the reason."""

    kinds: Annotated[list[Literal["email", "sms", "address"]], Field(min_length=1, max_length=3)]
    days: Annotated[int, Field(ge=1, le=366)]
    why: Annotated[str, Field(min_length=1, max_length=barring.MOST_WHY)]


class BarOut(BaseModel):
    """A sender that is barred."""

    id: int
    kind: str
    case: str
    why: str
    by: str
    made: datetime
    until: datetime
    lifted: datetime | None


class BarsOut(BaseModel):
    """A page of bars, the newest first."""

    bars: list[BarOut]
    next: int | None


class SenderOut(BaseModel):
    """By what the sender of a case can be barred, and for how many days at most."""

    kinds: dict[str, int]


def _out(one: Bar) -> BarOut:
    return BarOut(
        id=one.id, kind=one.kind, case=one.case, why=one.why, by=one.by, made=one.made, until=one.until,
        lifted=one.lifted,
    )  # fmt: skip


@router.get("/bars", summary="Senders that are barred", dependencies=bars)
def list_bars(
    city: CityOf,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> BarsOut:
    """Return who is or was barred, the newest first; of the senders themselves nothing is known."""
    with city.records.read() as session:
        found = barring.bars(session, before=before, limit=limit)
    return BarsOut(bars=[_out(one) for one in found], next=found[-1].id if len(found) == limit else None)


@router.delete("/bars/{id}", summary="Let a sender in again", status_code=204, dependencies=bars)
def lift_bar(
    city: CityOf,
    asker: AskerOf,
    id: Annotated[int, Path(ge=1, le=2**62)],  # noqa: A002
) -> None:
    """Lift a bar before its time."""
    with city.records.write() as session:
        barring.lift(session, asker, id)


@router.get("/{number}/sender", summary="By what a sender can be barred", dependencies=bars)
def read_sender(city: CityOf, desk: DeskOf, asker: AskerOf, number: Number) -> SenderOut:
    """Return by what a case came, as far as that is still kept; never what that was."""
    with city.records.read() as session:
        desk.get(session, asker, number)
        kinds = barring.kinds_of(session, number)
    return SenderOut(kinds={kind: barring.LONGEST_DAYS[kind] for kind in kinds})


@router.post("/{number}/sender/bars", summary="Bar a sender", status_code=201, dependencies=bars)
def bar_sender(city: CityOf, desk: DeskOf, asker: AskerOf, number: Number, body: BarIn) -> list[BarOut]:
    """Bar who sent a case, for a time and with a reason; the log tells of it."""
    with city.records.write() as session:
        desk.get(session, asker, number)
        return [_out(one) for one in barring.bar(session, asker, number, body.kinds, body.days, body.why)]


class AnnouncementIn(_In):
    """What every public page says at its top, until when; empty to take it away."""

    zh: Annotated[str, Field(max_length=LONGEST_MESSAGE)] = ""
    en: Annotated[str, Field(max_length=LONGEST_MESSAGE)] = ""
    until: AwareDatetime | None = None


class AnnouncementOut(BaseModel):
    """What every public page says at its top."""

    zh: str
    en: str
    until: datetime | None


@router.get("/announcement", summary="What every public page says", dependencies=announces)
def read_announcement(city: CityOf, desk: DeskOf) -> AnnouncementOut:
    """Return what is said in an emergency, also once its time is over."""
    with city.records.read() as session:
        settings = desk.regime(session).settings
    return AnnouncementOut(zh=settings.message_zh, en=settings.message_en, until=settings.message_until)


@router.put("/announcement", summary="Say something on every public page", dependencies=announces)
def put_announcement(city: CityOf, asker: AskerOf, body: AnnouncementIn) -> AnnouncementOut:
    """Say something at the top of every public page until a time, in both languages."""
    with city.records.write() as session:
        regime.announce(session, asker, body.zh, body.en, body.until)
    return AnnouncementOut(zh=body.zh.strip(), en=body.en.strip(), until=body.until)
