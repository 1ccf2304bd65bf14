"""Alarms and incidents that come of rules over readings, and the state of cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from jingwei import grid
from jingwei.errors import BadRequestError
from jingwei.grid import Cell
from jingwei.sense import policy
from jingwei.sense.rules import standing
from jingwei.sense.series import micros_of
from jingwei.web import problems
from jingwei.web.answers import instant_of, value_of
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf
from jingwei.web.reading import read_place
from jingwei.web.routes.sta import sensing_of
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.sense.readings import Reading
    from jingwei.sense.rules.downstream import Way

router = APIRouter(prefix="/sense", tags=["sense"], responses=problems.responses(400, 403, 404))
watches = [filtered(policy.WATCH)]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]
Before = Annotated[int | None, Query(ge=1, lt=1 << 62, description="Only with lower numbers")]
Lasting = Annotated[bool | None, Query(description="Only those that last, or that ended")]


class MarkIn(BaseModel):
    """What was found of an alarm."""

    model_config = ConfigDict(extra="forbid")
    mark: Literal["", "true", "false"]


class SignOut(BaseModel):
    """What a rule looked for, in the version that raised the alarm."""

    observes: str
    kind: str
    unit: str | None = None
    value: float | None = None
    until: float | None = None
    seconds: float = 0.0
    least: int = 1


class ReasonOut(BaseModel):
    """A sign in a stream: since when it was there, and by which reading."""

    sign: int
    stream: int
    name: str = Field(description="What the stream is called")
    thing: str = Field(description="What its thing is called")
    symbol: str = Field(description="Of its unit")
    since: str
    time: str
    value: float | None


class DatasetSignOut(BaseModel):
    """What a rule asked of a dataset, in the version that raised the alarm."""

    dataset: str
    kind: str = Field(default="has", description="`has` at least `count` rows, or `lacks` so many")
    where: str | None = None
    metres: float | None = Field(default=None, description="How near; in the same cell where it is left out")
    valid: bool = False
    count: int = 1


class GroundRowOut(BaseModel):
    """A row of a dataset."""

    row: int = Field(description="Its number in the version")
    name: str = Field(description="What it is called, and its keys")
    object: str = Field(description="The identifier of its object, or empty")
    metres: float | None = Field(description="How far it is; null where the same cell was asked for")


class GroundOut(BaseModel):
    """What a dataset said at the place of an alarm."""

    sign: int = Field(description="Which of `datasets`")
    dataset: str
    title: TextOut
    version: int
    time: str = Field(description="When it was asked")
    told: bool = Field(description="Whether the reader may be told of the rows")
    count: int | None = Field(description="How many rows")
    rows: list[GroundRowOut] = Field(description="The nearest, at most 5")


class PassedOut(BaseModel):
    """A line of a network by which a state came."""

    name: str = Field(description="Its keys")
    object: str = Field(description="The identifier of its object, or empty")


class WayOut(BaseModel):
    """How the state of an alarm came to a cell over a network."""

    dataset: str
    title: TextOut
    stream: int = Field(description="The one whose sensor is upstream")
    metres: float = Field(description="Along the network, from the sensor to where it enters the cell")
    steps: int = Field(description="How many lines")
    lines: list[PassedOut] = Field(description="The last 20 of them in the order of flow")


class AlarmOut(BaseModel):
    """An alarm with its reasons, as far as the reader may know them."""

    id: int
    rule: int
    version: int
    title: TextOut
    owner: str
    subject: str = Field(description="stream/<id>, thing/<id> or zone/<stored code>")
    severity: str
    cell: str | None = Field(description="The stored code of its place, as text")
    level: int
    code: str = Field(description="The GeoSOT code of its place; empty where it is not told")
    lon: float | None = Field(description="Of its centre, degrees")
    lat: float | None
    began: str
    ended: str | None
    signs: list[SignOut]
    reasons: list[ReasonOut]
    ended_by: list[ReasonOut]
    hidden: int = Field(description="How many reasons are not told to the reader")
    datasets: list[DatasetSignOut] = Field(description="What the rule asked of datasets")
    grounds: list[GroundOut] = Field(description="By which of their rows it was raised")
    ended_grounds: list[GroundOut] = Field(description="What they no longer said when it ended")
    incident: int
    called: str | None
    case: str = Field(description="The case that came of it, or empty")
    mark: str
    way: WayOut | None = Field(
        default=None, description="In the state of a cell downstream of its sensors: how it came there"
    )


class AlarmsOut(BaseModel):
    """A page of alarms, the newest first."""

    alarms: list[AlarmOut]
    before: int | None


class IncidentOut(BaseModel):
    """An incident, and how many of its alarms the reader may see."""

    id: int
    title: TextOut = Field(description="Of the rule of its gravest alarm")
    cause: str
    severity: str
    began: str
    last: str
    ended: str | None
    alarms: int
    lasting: int
    cases: list[str] = Field(description="What became of it")


class IncidentsOut(BaseModel):
    """A page of incidents, the newest first."""

    incidents: list[IncidentOut]
    before: int | None


class StateOut(BaseModel):
    """The state of a cell, and why."""

    cell: str
    code: str = Field(description="As GeoSOT text")
    bounds: tuple[float, float, float, float] = Field(description="West, south, east, north; degrees")
    severity: str
    alarms: list[AlarmOut]


class StatesOut(BaseModel):
    """The cells of a level that are not as they should be."""

    level: int
    states: list[StateOut]


class CellStreamOut(BaseModel):
    """A stream in a cell, with its newest reading."""

    id: int
    name: str
    thing: str
    symbol: str
    time: str | None
    result: Any


class CellStateOut(BaseModel):
    """The state of one cell: why it is so, and how it was."""

    code: str
    level: int
    bounds: tuple[float, float, float, float] = Field(description="West, south, east, north; degrees")
    severity: str = Field(
        description="Of the gravest alarm; empty where all is well; `unknown` after a day of silence"
    )
    alarms: list[AlarmOut] = Field(description="Those that last, the gravest first")
    past: list[AlarmOut] = Field(description="Those that ended, the newest first")
    streams: list[CellStreamOut]


@router.get("/alarms", summary="Alarms", dependencies=watches)
async def list_sense_alarms(
    request: Request,
    asker: AskerOf,
    lasting: Lasting = None,
    incident: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    rule: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    case: Annotated[str | None, Query(min_length=1, max_length=40, description="What came of them")] = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AlarmsOut:
    """Return the alarms that the reader may see, the newest first."""
    sensing = sensing_of(request)

    def work() -> AlarmsOut:
        with sensing.records.read() as session:
            found = standing.alarms(
                session,
                sensing.sight(session, asker),
                lasting=lasting,
                incident=incident,
                rule_number=rule,
                case=case,
                before=before,
                limit=limit,
            )
        full = len(found) == limit
        return AlarmsOut(alarms=[_alarm(one) for one in found], before=found[-1].id if full else None)

    return await run_in_threadpool(work)


@router.post("/alarms/{number}/mark", summary="Say whether an alarm was true", dependencies=watches)
async def mark_sense_alarm(request: Request, asker: AskerOf, number: Number, body: MarkIn) -> AlarmOut:
    """Keep what was found of an alarm."""
    sensing = sensing_of(request)

    def work() -> AlarmOut:
        with sensing.records.write() as session:
            standing.mark(session, sensing.policies(), asker, number, body.mark)
            session.flush()
            (found,) = standing.alarms(session, sensing.sight(session, asker), number=number)
            return _alarm(found)

    return await run_in_threadpool(work)


@router.get("/incidents", summary="Incidents", dependencies=watches)
async def list_sense_incidents(
    request: Request,
    asker: AskerOf,
    lasting: Lasting = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> IncidentsOut:
    """Return the incidents of which the reader may see alarms, the newest first."""
    sensing = sensing_of(request)

    def work() -> IncidentsOut:
        with sensing.records.read() as session:
            sight = sensing.sight(session, asker)
            found = standing.incidents(session, sight, lasting=lasting, before=before, limit=limit)
            listed = [_incident(one) for one in found]
        full = len(listed) == limit
        return IncidentsOut(incidents=listed, before=listed[-1].id if full else None)

    return await run_in_threadpool(work)


@router.get("/states", summary="The state of cells, and why", dependencies=watches)
async def list_sense_states(
    request: Request,
    asker: AskerOf,
    level: Annotated[int, Query(ge=9, le=23, description="Of GeoSOT")] = 17,
    at: Annotated[
        AwareDatetime | None, Query(description="As it was at this moment, by the times of readings")
    ] = None,
) -> StatesOut:
    """Return the cells of a level in which alarms last, as far as the reader may be told their places."""
    sensing = sensing_of(request)
    moment = None if at is None else micros_of(at)

    def work() -> StatesOut:
        with sensing.records.read() as session:
            found = standing.states(session, sensing.sight(session, asker), level, moment, sensing.networks)
        states = [
            _state(Cell(int(grid.from_stored(one)), level), listed) for one, listed in sorted(found.items())
        ]
        return StatesOut(level=level, states=states)

    return await run_in_threadpool(work)


@router.get("/states/{code}", summary="The state of one cell, why, and how it was", dependencies=watches)
async def read_sense_state(
    request: Request,
    asker: AskerOf,
    code: Annotated[
        str, Path(max_length=60, description="A BeiDou or GeoSOT code", examples=["G001132013-003220"])
    ],
) -> CellStateOut:
    """Return the alarms in a cell and its streams, as far as the reader may be told places so finely."""
    sensing, cell = sensing_of(request), _cell(code)

    def work() -> CellStateOut:
        with sensing.records.read() as session:
            sight = sensing.sight(session, asker)
            found = standing.of_cell(session, sight, sensing.readings, cell, sensing.networks)
        return CellStateOut(
            code=cell.geosot,
            level=cell.level,
            bounds=cell.bounds,
            severity=found.severity,
            alarms=[_alarm(one) for one in found.alarms],
            past=[_alarm(one) for one in found.past],
            streams=[_stream(*one) for one in found.streams],
        )

    return await run_in_threadpool(work)


def _cell(code: str) -> Cell:
    """Return the cell of GeoSOT that a code names.

    Raises
    ------
    BadRequestError
        Where it is the whole earth, or one of the few BeiDou cells that are no cell of GeoSOT.

    """
    cell = read_place(code).cell
    if not isinstance(cell, Cell) or cell.level < 1:
        raise BadRequestError(
            Text("请给出第 1 至 32 级的网格", "Name a cell of the levels 1 to 32"), where={"code": code}
        )
    return cell


def _incident(one: standing.Incident) -> IncidentOut:
    return IncidentOut(
        id=one.row.id,
        title=text_out(one.title),
        cause=one.row.cause,
        severity=one.row.severity,
        began=instant_of(one.row.began),
        last=instant_of(one.row.last),
        ended=instant_or_none(one.row.ended),
        alarms=one.alarms,
        lasting=one.lasting,
        cases=one.cases,
    )


def _state(cell: Cell, alarms: list[standing.Alarm]) -> StateOut:
    return StateOut(
        cell=str(cell.stored),
        code=cell.geosot,
        bounds=cell.bounds,
        severity=alarms[0].severity,
        alarms=[_alarm(one) for one in alarms],
    )


def _stream(number: int, named: standing.Named, newest: Reading | None) -> CellStreamOut:
    return CellStreamOut(
        id=number,
        name=named.name,
        thing=named.thing,
        symbol=named.symbol,
        time=None if newest is None else instant_of(newest.time),
        result=None if newest is None else value_of(newest.result),
    )


def _alarm(one: standing.Alarm) -> AlarmOut:
    place = None if one.cell is None else Cell(int(grid.from_stored(one.cell)), one.level)
    lon, lat = (None, None) if place is None else place.centre
    return AlarmOut(
        id=one.id,
        rule=one.rule,
        version=one.version,
        title=text_out(one.title),
        owner=one.owner,
        subject=one.subject,
        severity=one.severity,
        cell=None if one.cell is None else str(one.cell),
        level=one.level,
        code="" if place is None else place.geosot,
        lon=lon,
        lat=lat,
        began=instant_of(one.began),
        ended=instant_or_none(one.ended),
        signs=[
            SignOut(**{name: sign[name] for name in SignOut.model_fields if name in sign})
            for sign in one.signs
        ],
        reasons=reasons_out(one.reasons),
        ended_by=reasons_out(one.ended_by),
        hidden=one.hidden,
        datasets=[DatasetSignOut(**told) for told in one.datasets],
        grounds=grounds_out(one.grounds),
        ended_grounds=grounds_out(one.ended_grounds),
        incident=one.incident,
        called=instant_or_none(one.called),
        case=one.case,
        mark=one.mark,
        way=None if one.way is None else _way(one.way),
    )


def _way(one: Way) -> WayOut:
    return WayOut(
        dataset=one.dataset,
        title=text_out(one.title),
        stream=one.stream,
        metres=round(one.metres, 1),
        steps=one.steps,
        lines=[PassedOut(name=line.name, object=line.object) for line in one.lines],
    )


def grounds_out(grounds: list[dict[str, Any]]) -> list[GroundOut]:
    """Return what datasets said as it is answered."""
    return [
        GroundOut(
            sign=one["sign"],
            dataset=one["dataset"],
            title=text_out(one["title"]),
            version=one["version"],
            time=instant_of(one["time"]),
            told=one["told"],
            count=one["count"],
            rows=[GroundRowOut(**row) for row in one["rows"]],
        )
        for one in grounds
    ]


def reasons_out(reasons: list[dict[str, Any]]) -> list[ReasonOut]:
    """Return reasons as they are answered."""
    return [
        ReasonOut(
            sign=one["sign"],
            stream=one["stream"],
            name=one.get("name", ""),
            thing=one.get("thing", ""),
            symbol=one.get("symbol", ""),
            since=instant_of(one["since"]),
            time=instant_of(one["time"]),
            value=one["value"],
        )
        for one in reasons
    ]


def instant_or_none(micros: int | None) -> str | None:
    """Return a moment as it is answered, None where there is none."""
    return None if micros is None else instant_of(micros)
