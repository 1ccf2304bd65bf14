"""How the intake of readings fares, for who keeps sensors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from jingwei.records import now_utc
from jingwei.sense import policy
from jingwei.sense.health import MINUTE, Health, Minute, state_of
from jingwei.sense.series import micros_of
from jingwei.web import problems
from jingwei.web.answers import instant_of
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.sense import series_of
from jingwei.web.routes.sta import sensing_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi import FastAPI

    from jingwei.access import Asker
    from jingwei.sense.mqtt.bridge import Bridge, Traffic
    from jingwei.sense.nats.follower import Following
    from jingwei.sense.series import Series

router = APIRouter(
    prefix="/sense/health",
    tags=["sense"],
    responses=problems.responses(403),
    dependencies=[filtered(policy.READ)],
)


class MinuteOut(BaseModel):
    """What came in within one minute."""

    at: str
    taken: int = Field(description="New readings")
    mqtt: int = Field(description="Of these, those that came by MQTT; the others came over HTTP")
    duplicates: int
    apart: int = Field(description="Late, future or impossible: kept apart")
    unknown: int = Field(description="Of a stream that is not there")
    refused: int = Field(description="Sent away because too much waited")
    median: float | None = Field(description="Seconds from phenomenon to receipt: half of them were no later")
    most: float | None = Field(description="Seconds that 95 of 100 were no later than")


class ApartOut(BaseModel):
    """A reading that was kept apart."""

    code: str
    stream: int
    said: dict[str, Any]


class SourceOut(BaseModel):
    """A stream of which much came in the last ten minutes."""

    stream: int
    name: str
    thing: str
    per_minute: float
    newest: str | None
    behind: float | None = Field(
        description="Seconds between its newest reading and now, by the city's clock"
    )


class RejectOut(BaseModel):
    """A message by MQTT that was not understood."""

    topic: str
    text: str


class MqttOut(BaseModel):
    """The way to the broker."""

    kind: Literal["broker", "embedded"] = Field(description="One that the city is a client of, or within it")
    connected: bool
    restarts: int = Field(description="How often the broker ended by itself and was started again")
    messages: int
    readings: int
    duplicates: int
    refused: int
    told: int
    rejects: list[RejectOut] = Field(description="For those who keep sensors")


class NatsOut(BaseModel):
    """The way to the stream of NATS."""

    connected: bool
    messages: int
    readings: int
    duplicates: int
    refused: int
    rejects: list[RejectOut] = Field(description="For those who keep sensors")


class HealthOut(BaseModel):
    """How the intake fares: now, since the city was opened, and minute by minute for three hours."""

    now: str
    readings: int = Field(description="Readings that there are")
    waiting: int = Field(description="Readings that wait for the disk")
    unflushed: int = Field(description="Readings in the log that are not yet in the lake")
    log_bytes: int
    flushed: str | None = Field(description="When readings last moved to the lake")
    sync_ms: float | None = Field(description="Milliseconds that the disk takes to make readings durable")
    taken: int
    duplicates: int
    unknown: int
    refused: int
    apart: dict[str, int] = Field(description="By reason: future, late, impossible")
    examples: list[ApartOut]
    minutes: list[MinuteOut]
    sources: list[SourceOut]
    mqtt: MqttOut | None
    nats: NatsOut | None


@router.get("", summary="How the intake of readings fares")
def read_health(request: Request, asker: AskerOf) -> HealthOut:
    """Return figures of the whole intake; streams and readings only as far as the asker may see them."""
    health: Health = request.app.state.health
    series = series_of(request, asker)
    seen = series.visible()
    apart, rows = health.kept_apart(seen)
    state = state_of(health.readings)
    flushed = state.pop("flushed_at")
    keeps = _keeps(request, asker)
    return HealthOut(
        now=instant_of(micros_of(now_utc())),
        flushed=None if flushed is None else datetime.fromtimestamp(flushed, UTC).isoformat(),
        apart=apart,
        examples=[
            ApartOut(code=row.code, stream=row.stream, said=msgspec.json.decode(row.text))
            for row in rows[:50]
        ],
        minutes=[_minute(one) for one in health.minutes()],
        sources=_sources(series, health.busiest(seen), micros_of(request.app.state.city.clock.now())),
        mqtt=_mqtt(getattr(request.app.state, "bridge", None), keeps=keeps),
        nats=_nats(getattr(request.app.state, "nats", None), keeps=keeps),
        **state,
    )


def taken_by_mqtt(app: FastAPI) -> int:
    """Return how many readings came by MQTT since the city was opened."""
    bridge: Bridge | None = getattr(app.state, "bridge", None)
    return 0 if bridge is None else bridge.traffic.readings


def _minute(one: Minute) -> MinuteOut:
    return MinuteOut(
        at=datetime.fromtimestamp(one.at * MINUTE, UTC).isoformat(),
        taken=one.taken, mqtt=min(one.mqtt, one.taken), duplicates=one.duplicates, apart=one.apart,
        unknown=one.unknown, refused=one.refused, median=one.lag(0.5), most=one.lag(0.95),
    )  # fmt: skip


def _sources(series: Series, busiest: Iterable[tuple[int, float]], now: int) -> list[SourceOut]:
    listed = list(busiest)
    if not listed:
        return []
    newest = {one.stream: one.time for one in series.latest([stream for stream, _ in listed])}
    names = series.named([stream for stream, _ in listed])
    told = []
    for stream, rate in listed:
        at = newest.get(stream)
        name, thing = names.get(stream, ("", ""))
        told.append(
            SourceOut(
                stream=stream, name=name, thing=thing, per_minute=round(rate, 2),
                newest=None if at is None else instant_of(at),
                behind=None if at is None else max(0.0, (now - at) / 1e6),
            )
        )  # fmt: skip
    return told


def _keeps(request: Request, asker: Asker) -> bool:
    """Say whether the asker keeps the sensors of the own department."""
    mine = policy.resource_of("Thing", owner=min(asker.departments, default=""), sharing="none", level=1)
    return bool(sensing_of(request).policies().decide(asker, policy.WRITE, mine).allowed)


def _mqtt(bridge: Bridge | None, *, keeps: bool) -> MqttOut | None:
    if bridge is None:
        return None
    traffic = bridge.traffic
    return MqttOut(
        kind=bridge.kind, connected=bridge.connected.is_set(), restarts=traffic.restarts,
        messages=traffic.messages, readings=traffic.readings, duplicates=traffic.duplicates,
        refused=traffic.refused, told=traffic.told, rejects=_rejects(traffic) if keeps else [],
    )  # fmt: skip


def _nats(following: Following | None, *, keeps: bool) -> NatsOut | None:
    if following is None:
        return None
    traffic = following.traffic
    return NatsOut(
        connected=following.connected.is_set(), messages=traffic.messages, readings=traffic.readings,
        duplicates=traffic.duplicates, refused=traffic.refused, rejects=_rejects(traffic) if keeps else [],
    )  # fmt: skip


def _rejects(traffic: Traffic) -> list[RejectOut]:
    return [RejectOut(topic=topic, text=text) for topic, text in list(traffic.rejects)[::-1][:20]]
