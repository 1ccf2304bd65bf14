"""Sensors as pages, charts and programs ask for them: the map, time series, live values."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from jingwei.access import Asker
from jingwei.errors import JingweiError
from jingwei.sense import devices, policy
from jingwei.sense.asking import Asking
from jingwei.sense.entities import ENTITIES, STREAMS
from jingwei.sense.errors import UnknownEntityError
from jingwei.sense.faults import service as faults
from jingwei.sense.odata.options import Query as Asked
from jingwei.sense.readings import Reading
from jingwei.sense.series import (
    SECOND,
    BadSeriesError,
    Buckets,
    Series,
    bucketed,
    last_of_each,
    micros_of,
    numbers_of,
)
from jingwei.web import problems
from jingwei.web.answers import instant_of, value_of
from jingwei.web.policies import filtered
from jingwei.web.questions import Moment, moment_of
from jingwei.web.reader import AskerOf, still_asker_of
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.sta import root_of_request, sensing_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from jingwei.sense.service import Sensing
    from jingwei.web.ending import Ending
    from jingwei.web.live import Live

router = APIRouter(
    prefix="/sense",
    tags=["sense"],
    responses=problems.responses(400, 403, 404),
    dependencies=[filtered(policy.READ)],
)

MOST_STREAMS = 10_000
MOST_THINGS = 10_000
MOST_SPARKS = 300
MOST_DAYS = 31
BEAT = 0.4
"""Seconds between two tellings of live values to one page."""
LOOK_AGAIN = 15.0
"""Seconds after which it is asked anew what a page may be told."""

StreamId = Annotated[int, Path(ge=1, lt=1 << 63)]
StreamIds = Annotated[list[Annotated[int, Field(ge=1, lt=1 << 63)]], Query(max_length=MOST_STREAMS)]


class LatestOut(BaseModel):
    """The newest reading of a stream."""

    stream: int
    time: str
    result: Any


class StreamOut(BaseModel):
    """A stream of a thing, with its newest reading."""

    id: int
    name: str
    symbol: str
    multi: bool
    time: str | None
    result: Any
    faults: list[str] = Field(description="silent, stuck, drifting, noisy, implausible: what lasts now")


class SensorOut(BaseModel):
    """A thing on the map. Degrees, WGS84; coarsened where the policies say so."""

    id: int
    name: str
    lon: float
    lat: float
    exact: bool = Field(description="Whether the place is the thing's own, and not the middle of a cell")
    kind: str
    state: str
    streams: list[StreamOut]


class SensorsOut(BaseModel):
    """The things that the asker sees."""

    sensors: list[SensorOut]
    more: bool = Field(description="Whether there are more than are told")


class SeriesOut(BaseModel):
    """A chart's points: instants and numbers; null breaks the line at a gap."""

    stream: int
    name: str
    symbol: str
    thing: int
    thing_name: str
    points: list[tuple[str, float | None]]
    count: int = Field(description="Readings in the period")
    other: int = Field(description="Readings of which the result is no number")
    usual: float | None = Field(description="The usual seconds between readings")


class BucketOut(BaseModel):
    """Aggregates of one interval; null where there is no reading."""

    start: str
    count: int
    mean: float | None
    min: float | None
    max: float | None
    sum: float | None
    last: float | None


class DayOut(BaseModel):
    """A day of the city."""

    day: date
    buckets: list[BucketOut]


class SparkOut(BaseModel):
    """The last day of a stream in few points."""

    stream: int
    values: list[float | None]


def series_of(request: Request, asker: Asker) -> Series:
    """Return the time series that an asker sees."""
    return Series(sensing_of(request), asker)


def _latest(one: Reading) -> LatestOut:
    return LatestOut(stream=one.stream, time=instant_of(one.time), result=value_of(one.result))


def _bucket_list(found: Buckets) -> list[BucketOut]:
    columns = (found.starts, found.count, found.mean, found.least, found.greatest, found.total, found.last)
    rows = zip(*(one.tolist() for one in columns), strict=True)
    return [
        BucketOut(
            start=instant_of(start), count=count, mean=value_of(mean), min=value_of(least),
            max=value_of(greatest), sum=value_of(total), last=value_of(last),
        )
        for start, count, mean, least, greatest, total, last in rows
    ]  # fmt: skip


def _period(city: CityOf, from_: Moment, to: Moment, hours: int = 24) -> tuple[int, int]:
    """Return a period in UTC microseconds; the last `hours` where nothing is said."""
    zone = city.about.zone
    end = micros_of(city.clock.now()) + SECOND if to is None else moment_of(to, zone)[1]
    start = end - hours * 3_600 * SECOND if from_ is None else moment_of(from_, zone)[0]
    if start >= end:
        raise BadSeriesError(Text("结束早于开始", "The period ends before it begins."))
    return start, end


From = Annotated[Moment, Query(alias="from")]


@router.get("/latest", summary="The newest readings of many streams at once")
def read_latest(request: Request, asker: AskerOf, stream: StreamIds = []) -> list[LatestOut]:  # noqa: B006
    """Return the newest reading of each of some streams, of all that the asker sees where none is named."""
    found = series_of(request, asker).latest(stream or None)
    return [_latest(one) for one in found]


@router.get("/streams", summary="Streams by name")
def read_streams(
    request: Request,
    asker: AskerOf,
    search: Annotated[str, Query(max_length=80)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[dict[str, Any]]:
    """Return streams whose name, or the name of whose thing, contains a text."""
    found = series_of(request, asker).names(search, limit)
    return [
        {"id": one["id"], "name": one["name"], "thing": one["thing"], "symbol": symbol_of(one)}
        for one in found
    ]


def symbol_of(stream: Any) -> str:
    """Return the symbol of the unit of a stream."""
    unit = stream["unit"]
    return str(unit.get("symbol") or "") if isinstance(unit, dict) else ""


@router.get("/streams/{stream}", summary="A stream, with its thing, sensor and property")
def read_stream(request: Request, asker: AskerOf, stream: StreamId) -> dict[str, Any]:
    """Return a stream as SensorThings tells it, with what it is linked with."""
    sensing = sensing_of(request)
    with sensing.records.read() as session:
        asking = Asking(sensing.sight(session, asker), sensing.readings, root_of_request(request))
        for name in STREAMS:
            entity = ENTITIES[name]
            row = asking.finder.get(entity, stream)
            if row is None:
                continue
            expand = {link.name: Asked() for link in entity.links if link.target != "Observation"}
            query = Asked(expand=expand)
            asking.expand(entity, [row], query)
            return asking.shown(entity, row, query) | {"count": sensing.readings.extent(stream).count}
    raise UnknownEntityError("Datastream", stream)


@router.get("/streams/{stream}/series", summary="A stream as a chart draws it")
def read_series(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    stream: StreamId,
    from_: From = None,
    to: Moment = None,
    points: Annotated[int, Query(ge=3, le=20_000, description="How many points to draw at most")] = 1_000,
) -> SeriesOut:
    """Return the readings of a period in few points that look like all of them; gaps are null."""
    start, end = _period(city, from_, to)
    drawn = series_of(request, asker).drawn(stream, start, end, points)
    about = read_stream(request, asker, stream)
    unit = about.get("unitOfMeasurement") or {}
    thing = about.get("Thing", {})
    return SeriesOut(
        stream=stream, name=about["name"], symbol=str(unit.get("symbol") or ""),
        thing=thing.get("@iot.id", 0), thing_name=thing.get("name", ""),
        points=[
            (instant_of(at), value_of(value))
            for at, value in zip(drawn.times.tolist(), drawn.values.tolist(), strict=True)
        ],
        count=drawn.count, other=drawn.other, usual=None if drawn.usual is None else drawn.usual / SECOND,
    )  # fmt: skip


Interval = Annotated[int, Query(ge=1, le=366 * 86_400, description="Seconds of an interval")]


@router.get("/streams/{stream}/aggregates", summary="Aggregates of a stream by interval")
def read_aggregates(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    stream: StreamId,
    interval: Interval = 3_600,
    from_: From = None,
    to: Moment = None,
) -> list[BucketOut]:
    """Return count, mean, least, greatest, sum and last of each interval of the period."""
    start, end = _period(city, from_, to)
    return _bucket_list(series_of(request, asker).buckets(stream, start, end, interval * SECOND))


@router.get("/streams/{stream}/days", summary="Days of a stream side by side")
def read_days(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    stream: StreamId,
    day: Annotated[list[date], Query(min_length=1, max_length=MOST_DAYS)],
    interval: Annotated[int, Query(ge=60, le=86_400)] = 3_600,
) -> list[DayOut]:
    """Return each of some days, from its midnight in the city."""
    if any(not 1900 <= one.year <= 2200 for one in day):
        raise BadSeriesError(Text("日期不在 1900 至 2200 年间", "A day lies outside the years 1900 to 2200."))
    found = series_of(request, asker).days(stream, day, interval * SECOND, city.about.zone)
    return [DayOut(day=one, buckets=_bucket_list(buckets)) for one, buckets in found]


@router.get("/sparklines", summary="The last day of many streams in few points")
def read_sparklines(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    stream: Annotated[
        list[Annotated[int, Field(ge=1, lt=1 << 63)]], Query(min_length=1, max_length=MOST_SPARKS)
    ],
    points: Annotated[int, Query(ge=2, le=96)] = 24,
) -> list[SparkOut]:
    """Return the means of equal parts of the last 24 hours; null where there is no reading."""
    series = series_of(request, asker)
    end = micros_of(city.clock.now())
    step = 24 * 3_600 * SECOND // points
    start = end - step * points
    told = []
    for one in sorted(series.visible(stream)):
        times, values, _ = numbers_of(series.readings.read([one], since=start, until=end))
        means = bucketed(times, values, start, end, step).mean.tolist()
        told.append(SparkOut(stream=one, values=[value_of(value) for value in means]))
    return told


@router.get("/map", summary="Sensors on the map, with their newest readings")
def read_map(
    request: Request,
    asker: AskerOf,
    limit: Annotated[int, Query(ge=1, le=MOST_THINGS)] = 5_000,
    at: Annotated[
        AwareDatetime | None, Query(description="As it was at this moment: readings of the hour before it")
    ] = None,
) -> SensorsOut:
    """Return the things that have a place, their streams, and each stream's newest reading."""
    sensing = sensing_of(request)
    moment = None if at is None else micros_of(at)
    with sensing.records.read() as session:
        sight = sensing.sight(session, asker)
        asking = Asking(sight, sensing.readings, root_of_request(request))
        thing = ENTITIES["Thing"]
        page = asking.finder.page(thing, Asked(top=limit))
        ids = [row["id"] for row in page.rows]
        places = asking.finder.related(thing, thing.link["Locations"], ids, Asked(top=1)) if ids else {}
        streams = devices.streams_of(session, ids)
        known = {row["thing_id"]: row for row in devices.listed(sight, limit=limit)}
        shown = [one["id"] for listed in streams.values() for one in listed]
        newest = _newest(sensing, shown, moment)
        faulty = faults.of_streams(session, shown, moment)
        told = []
        for row in page.rows:
            place = next(iter(places[row["id"]].rows), None)
            shape = None if place is None else sight.shape(place)
            if place is None or shape is None or shape.is_empty:
                continue
            device = known.get(row["id"], {})
            middle = shape.centroid
            told.append(
                SensorOut(
                    id=row["id"], name=row["name"], lon=middle.x, lat=middle.y,
                    exact=sight.place_level(place) >= policy.FINEST,
                    kind=device.get("kind", ""), state=device.get("state", ""),
                    streams=[
                        _stream_out(one, newest.get(one["id"]), faulty.get(one["id"], []))
                        for one in streams[row["id"]]
                    ],
                )
            )  # fmt: skip
    return SensorsOut(sensors=told, more=page.more)


def _newest(sensing: Sensing, streams: Iterable[int], at: int | None) -> dict[int, LatestOut]:
    from jingwei.sense.readings import readings_of

    if at is None:
        found = sensing.readings.latest(set(streams))
    else:
        found = last_of_each(sensing.readings.read(set(streams), since=at - 3_600 * SECOND, until=at + 1))
    return {one.stream: _latest(one) for one in readings_of(found)}


def _stream_out(stream: Any, newest: LatestOut | None, faulty: list[str]) -> StreamOut:
    return StreamOut(
        id=stream["id"], name=stream["name"], symbol=symbol_of(stream), multi=stream["multi"],
        time=newest.time if newest else None, result=newest.result if newest else None,
        faults=faulty,
    )  # fmt: skip


@router.get(
    "/live",
    summary="The newest readings as they come in",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def follow_live(request: Request, asker: AskerOf) -> StreamingResponse:
    """Tell each stream's newest reading whenever there is one; the stream ends when the right to it does."""
    await run_in_threadpool(series_of(request, asker).visible)
    return StreamingResponse(
        _live(request, request.app.state.live, request.app.state.ending),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _live(request: Request, live: Live, ending: Ending) -> AsyncIterator[bytes]:
    rung = asyncio.Event()
    end = live.listen(rung)
    number = live.number
    clock = asyncio.get_running_loop()
    looked, seen = -LOOK_AGAIN, frozenset[int]()
    try:
        yield b"retry: 2000\n\n"
        while not ending.begun:
            if clock.time() - looked > LOOK_AGAIN:
                try:
                    seen = await run_in_threadpool(_still_seen, request)
                except JingweiError as error:
                    yield f"event: end\ndata: {json.dumps({'code': error.code})}\n\n".encode()
                    return
                looked = clock.time()
            number, told = live.since(number, seen)
            if told:
                shown = [
                    one | {"time": instant_of(one["time"]), "result": value_of(one["result"])} for one in told
                ]
                yield f"data: {json.dumps(shown, ensure_ascii=False)}\n\n".encode()
            await asyncio.sleep(BEAT)
            try:
                with ending.heard_by(rung):
                    await asyncio.wait_for(rung.wait(), LOOK_AGAIN)
            except TimeoutError:
                yield b": still here\n\n"
            rung.clear()
    finally:
        end()


def _still_seen(request: Request) -> frozenset[int]:
    return frozenset(series_of(request, still_asker_of(request)).visible())


# Grafana, by its generic JSON data source


class TargetIn(BaseModel):
    """What a panel asks for: the id of a stream, or its name behind it."""

    model_config = ConfigDict(extra="ignore")

    target: str = Field(default="", max_length=400)


class RangeIn(BaseModel):
    """A period, ISO 8601."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    from_: str = Field(alias="from", max_length=40)
    to: str = Field(max_length=40)


class QueryIn(BaseModel):
    """A question of a dashboard."""

    model_config = ConfigDict(extra="ignore")

    range: RangeIn
    targets: list[TargetIn] = Field(max_length=200)
    maxDataPoints: int = Field(default=1_000, ge=1, le=100_000)  # noqa: N815 -- as Grafana writes it


class SearchIn(BaseModel):
    """A text to look for."""

    model_config = ConfigDict(extra="ignore")

    target: str = Field(default="", max_length=400)


@router.get("/grafana", summary="Whether the data source for Grafana is there")
def test_grafana(asker: AskerOf) -> dict[str, str]:
    """Answer the test of a data source."""
    return {"status": "ok", "asker": asker.name}


@router.get("/grafana/", summary="The same for data sources that ask with a slash at the end")
def test_grafana_with_slash(asker: AskerOf) -> dict[str, str]:
    """Answer the test of a data source."""
    return test_grafana(asker)


@router.post("/grafana/search", summary="Streams for Grafana")
def search_grafana(request: Request, asker: AskerOf, body: SearchIn | None = None) -> list[dict[str, str]]:
    """Return streams to choose from: what is shown, and what is asked for then."""
    found = series_of(request, asker).names(body.target if body else "", 500)
    return [
        {"text": text, "label": text, "value": str(one["id"])}
        for one in found
        for text in (f"{one['thing']} · {one['name']} ({symbol_of(one)})",)
    ]


@router.post("/grafana/metrics", summary="Streams for Grafana, in its newer form")
def list_grafana_metrics(
    request: Request, asker: AskerOf, body: SearchIn | None = None
) -> list[dict[str, str]]:
    """Return streams to choose from."""
    return search_grafana(request, asker, body)


@router.post("/grafana/query", summary="Series for Grafana")
def query_grafana(request: Request, city: CityOf, asker: AskerOf, body: QueryIn) -> list[dict[str, Any]]:
    """Return the points of each stream that a panel asks for: number and Unix milliseconds; null at a gap."""
    start, end = _period(city, body.range.from_, body.range.to)
    series = series_of(request, asker)
    told = []
    for one in body.targets:
        text = one.target.strip().split(" ")[0]
        if not text.isdecimal() or not text.isascii() or not 0 < int(text[:20]) < 1 << 63:
            continue
        drawn = series.drawn(int(text), start, end, max(body.maxDataPoints, 3))
        points = zip(drawn.values.tolist(), drawn.times.tolist(), strict=True)
        told.append(
            {"target": one.target, "datapoints": [[value_of(value), at // 1000] for value, at in points]}
        )
    return told
