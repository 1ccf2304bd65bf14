"""Cases: lists and maps of them, one case with its clocks, and every step that can be taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from jingwei.cases import Case, Desk, Report, dispatch, duplicates, regime, timeline, words
from jingwei.cases.board import MOST, SORTS, Sort
from jingwei.cases.calendar import instant, moment
from jingwei.cases.field import done_at, note_sent, sent_before
from jingwei.records import now_utc
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import FAILURES, BoardOf, ChoiceOf, DeskOf, Number, shows
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out

router = APIRouter(prefix="/cases", tags=["cases"], responses=FAILURES)
"""Included after the other routes of cases: here alone a case is named by the path."""


Mark = Annotated[
    str, Query(max_length=80, description="`next` or `previous` of another page of the same list")
]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


SentKey = Annotated[
    str | None,
    Field(
        max_length=64, description="Made by who sends: the same key twice is done once (16 to 64 characters)"
    ),
]
DoneAt = Annotated[
    AwareDatetime | None, Field(description="When it was done on the spot, where that was before it is sent")
]


class ReportIn(_In):
    """A report. Coordinates are degrees, CGCS2000 or WGS84."""

    kind: Literal["component", "matter"]
    type: str = Field(max_length=5, examples=["06001"])
    source: str = Field(max_length=40, examples=["collector"])
    description: str = Field(default="", max_length=4000)
    lon: float | None = Field(default=None, ge=-180, le=180)
    lat: float | None = Field(default=None, ge=-90, le=90)
    component: str | None = Field(default=None, max_length=17)
    photos: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=20)
    before: list[Annotated[str, Field(max_length=200)]] = Field(
        default=[], max_length=20, description="Photographs from before what was put right on the spot"
    )
    key: SentKey = None
    at: DoneAt = None
    source_key: str | None = Field(default=None, max_length=200, description="Its number where it came from")
    handled: bool = Field(default=False, description="Put right on the spot by the collector")


class StepIn(_In):
    """A step to be taken."""

    action: str = Field(max_length=40, examples=["register"])
    fields: dict[str, Any] = Field(default={}, max_length=20)
    seen: int | None = Field(default=None, ge=1, description="The step of the case that one saw")
    key: SentKey = None
    at: DoneAt = None


class StepOut(BaseModel):
    """A step that leads on from where a case is."""

    action: str
    says: TextOut
    roles: list[str] = Field(description="Whose step it is where the policies say nothing else")
    needs: list[str]
    takes: list[str]
    may: bool = Field(description="Whether the asker may take it")
    hindered: TextOut | None = Field(description="What stands against it now, whatever is given with it")


class ClockOut(BaseModel):
    """A clock of a case: whose, how long, how much of it is used, and when it is or was over."""

    stage: str
    owner: str
    unit: str
    amount: float
    extensions: int
    running: bool
    ended: str
    started: datetime
    due: datetime
    risk: datetime = Field(description="When the last warning before the end is or was due")
    share: float = Field(description="Used share of the time granted; beyond 1 it is late")
    on_time: bool


class HappeningOut(BaseModel):
    """Something that happened to a case, with what was written."""

    step: int
    action: str
    at: datetime
    actor: str | None
    was: str
    to: str
    data: dict[str, Any]
    words: dict[str, str]


class CaseOut(BaseModel):
    """A case, its clocks, what happened to it, and what can happen next."""

    number: str
    step: int
    state: str
    says: TextOut
    kind: str
    type: str
    type_name: TextOut
    source: str
    area: str
    where: str
    cell: str | None = Field(description="The stored grid code, as text")
    lon: float | None
    lat: float | None
    component: str | None
    rule: str | None
    department: str | None
    handler: str | None
    parts: list[dict[str, str]] = Field(description="Co-handling departments and how far they are")
    main: str | None
    others: list[str]
    clocks: list[ClockOut]
    possible: list[StepOut]
    timeline: list[HappeningOut]


class CasesOut(BaseModel):
    """A page of a list."""

    cases: list[dict[str, Any]]
    count: int = Field(description="How many there are in all")
    next: str | None = Field(description="Go on `after` this")
    previous: str | None = Field(description="Go back `before` this")


class CellOut(BaseModel):
    """How many cases are in a cell."""

    cell: str
    count: int
    lon: float | None
    lat: float | None


@router.get("/map", summary="How many cases are where", dependencies=shows)
def read_case_map(
    board: BoardOf, asker: AskerOf, choice: ChoiceOf, level: Annotated[int, Query(ge=1, le=26)] = 19
) -> list[CellOut]:
    """Return how many of the chosen cases are in each grid cell of a level, and their mean place."""
    rows = board.cells(asker, choice, level).to_pylist()
    return [
        CellOut(cell=str(one["cell"]), count=one["count"], lon=one["lon"], lat=one["lat"]) for one in rows
    ]


@router.get("", summary="A list of cases", dependencies=shows)
def list_cases(
    city: CityOf,
    board: BoardOf,
    asker: AskerOf,
    choice: ChoiceOf,
    sort: Sort = SORTS[0],
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    after: Mark = "",
    before: Mark = "",
) -> CasesOut:
    """Return the cases that the asker may see, a page at a time. Instants are microseconds since 1970 UTC."""
    page = board.page(asker, choice, sort=sort, limit=limit, after=after, before=before)
    with city.records.read() as session:
        said = words.descriptions(session, [row["number"] for row in page.rows])
    for row in page.rows:
        row["description"] = said.get(row["number"], "")
        row["cell"] = None if row["cell"] is None else str(row["cell"])
    return CasesOut(cases=page.rows, count=page.count, next=page.next, previous=page.previous)


@router.post("", summary="Report", status_code=201, dependencies=shows)
def report_case(city: CityOf, desk: DeskOf, asker: AskerOf, body: ReportIn) -> CaseOut:
    """Take a report into the pool; the same report of another system is taken in once."""
    given = body.model_dump(exclude={"handled", "photos", "before", "key", "at"})
    report = Report(
        **given, photos=tuple(body.photos), before=tuple(body.before), at=done_at("report", body.at)
    )

    def take_in(session: Session) -> Case:
        return (desk.report_handled if body.handled else desk.report)(session, asker, report)

    taken = _once(city, desk, asker, body.key, take_in)
    return _case_out(city, desk, asker, taken)


@router.get("/{number}", summary="A case", dependencies=shows)
def read_case(city: CityOf, desk: DeskOf, asker: AskerOf, number: Number) -> CaseOut:
    """Return a case with its clocks, its timeline, and the steps that lead on."""
    with city.records.read() as session:
        case = desk.get(session, asker, number)
    return _case_out(city, desk, asker, case)


@router.post("/{number}/steps", summary="Take a step", dependencies=shows)
def take_step(city: CityOf, desk: DeskOf, asker: AskerOf, number: Number, body: StepIn) -> CaseOut:
    """Take a step of the table; who saw another step of the case than the last is told what changed."""
    at = done_at(body.action, body.at)

    def act(session: Session) -> Case:
        return desk.act(session, asker, number, body.action, body.fields, seen=body.seen, at=at)

    case = _once(city, desk, asker, body.key, act)
    return _case_out(city, desk, asker, case)


@router.get("/{number}/proposals", summary="Departments, rules and duplicates proposed", dependencies=shows)
def read_proposals(
    city: CityOf, desk: DeskOf, board: BoardOf, asker: AskerOf, number: Number
) -> dict[str, Any]:
    """Return which department a case may be for and why, its rules, and which cases it may repeat."""
    now = now_utc()
    board.refresh()
    with city.records.read() as session:
        case = desk.get(session, asker, number)
        in_force = desk.regime(session)
        proposal = dispatch.propose(session, in_force, desk.ground(session), board, case, at=now)
        about = duplicates.report_of(session, case)
        alike = duplicates.proposals(
            session, in_force, about, at=moment(min(case.at.values())), but=case.number
        )
        seen = [one for one in alike if desk.may_read(session, asker, one.number)]
    return {
        "departments": [
            {"department": one.department, "weight": one.weight, "why": [why.as_json() for why in one.why]}
            for one in proposal.departments
        ],
        "rules": [
            {"id": one.id, "condition": one.condition, "closing": one.closing, "unit": one.limit.unit,
             "amount": one.limit.amount}
            for one in proposal.rules
        ],
        "place": proposal.place.as_json() if proposal.place else None,
        "duplicates": [
            {"number": one.number, "score": one.score, "metres": one.metres, "hours": one.hours,
             "state": one.state, "why": one.why.as_json()}
            for one in seen
        ],
    }  # fmt: skip


def _once(city: CityOf, desk: DeskOf, asker: AskerOf, key: str | None, do: Callable[[Session], Case]) -> Case:
    """Do something once for each key; return the case as it is then, or is by now."""
    with city.records.write() as session:
        known = sent_before(session, asker, key) if key is not None else None
        if known is not None:
            return desk.get(session, asker, known)
        case = do(session)
        if key is not None:
            note_sent(session, key, case.number)
    return case


def _case_out(city: CityOf, desk: Desk, asker: AskerOf, case: Case) -> CaseOut:
    with city.records.read() as session:
        in_force = desk.regime(session)
        told = timeline(session, case.number)
    type_ = in_force.catalogue.get(case.kind, case.type)
    lon, lat = duplicates.place_of(case) or (None, None)
    now = instant(now_utc())
    return CaseOut(
        number=case.number,
        step=case.step,
        state=case.state,
        says=text_out(case.stands.says),
        kind=case.kind,
        type=case.type,
        type_name=text_out(type_.name),
        source=case.source,
        area=case.area,
        where=case.where,
        cell=None if case.cell is None else str(case.cell),
        lon=lon,
        lat=lat,
        component=case.component,
        rule=case.rule,
        department=case.department,
        handler=case.handler,
        parts=[{"department": part.department, "state": part.state} for part in case.parts],
        main=case.main,
        others=case.others,
        clocks=[_clock_out(turn, in_force, now) for turn in case.turns],
        possible=[StepOut.model_validate(one) for one in desk.possible(asker, case, in_force)],
        timeline=[
            HappeningOut(
                step=one.step,
                action=one.action,
                at=datetime.fromisoformat(one.at),
                actor=one.actor,
                was=one.was,
                to=one.to,
                data=one.data,
                words=one.words,
            )
            for one in told
        ],
    )  # fmt: skip


def _clock_out(turn: Any, in_force: regime.Regime, now: int) -> ClockOut:
    calendar = in_force.calendar
    budget, used = turn.budget(calendar), turn.used(calendar, now)
    return ClockOut(
        stage=turn.stage,
        owner=turn.owner,
        unit=turn.limit.unit,
        amount=turn.limit.amount,
        extensions=turn.extensions,
        running=turn.running,
        ended=turn.ended,
        started=moment(turn.runs[0].start),
        due=moment(turn.due(calendar)),
        risk=moment(turn.due(calendar, in_force.settings.risk)),
        share=round(used / budget, 4) if budget else 0.0,
        on_time=turn.on_time(calendar, now),
    )
