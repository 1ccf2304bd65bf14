"""Cases: lists, maps and figures of them, one case with its clocks, and every step that can be taken."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from jingwei.access.policy import Resource
from jingwei.cases import Case, Desk, Report, dispatch, duplicates, lifecycle, regime, timeline
from jingwei.cases.board import FARTHEST, MOST, SORTS, Board, Choice, Sort
from jingwei.cases.calendar import instant, moment
from jingwei.cases.indicators import DIMENSIONS, cases_of, figures, indicators
from jingwei.cases.rules import read_rules
from jingwei.cases.schemas import SOURCES
from jingwei.errors import BadRequestError
from jingwei.records import now_utc
from jingwei.web import problems
from jingwei.web.policies import allowed, filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Text

router = APIRouter(prefix="/cases", tags=["cases"], responses=problems.responses(400, 401, 403, 404, 409))

CITY = Resource("City")
shows = [filtered("case.read")]
"""The desk itself asks the policies about the very case."""

MOST_RULES = 20_000


def desk_of(request: Request) -> Desk:
    """Return where cases are taken in and moved on."""
    desk: Desk = request.app.state.desk
    return desk


def board_of(request: Request) -> Board:
    """Return the cases in columns."""
    board: Board = request.app.state.board
    return board


DeskOf = Annotated[Desk, Depends(desk_of)]
BoardOf = Annotated[Board, Depends(board_of)]
Number = Annotated[str, Path(max_length=40, examples=["4403012026110300001"])]
Words = Annotated[list[Annotated[str, Field(max_length=120)]], Query(max_length=50)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


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
    source_key: str | None = Field(default=None, max_length=200, description="Its number where it came from")
    handled: bool = Field(default=False, description="Put right on the spot by the collector")


class StepIn(_In):
    """A step to be taken."""

    action: str = Field(max_length=40, examples=["register"])
    fields: dict[str, Any] = Field(default={}, max_length=20)
    seen: int | None = Field(default=None, ge=1, description="The step of the case that one saw")


class StepOut(BaseModel):
    """A step that leads on from where a case is."""

    action: str
    says: TextOut
    roles: list[str] = Field(description="Whose step it is where the policies say nothing else")
    needs: list[str]
    takes: list[str]
    may: bool = Field(description="Whether the asker may take it")


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
    next: int | None = Field(description="Where the next page begins")


class CellOut(BaseModel):
    """How many cases are in a cell."""

    cell: str
    count: int
    lon: float | None
    lat: float | None


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


def choice_of(
    board: BoardOf,
    state: Words = [],  # noqa: B006 -- FastAPI copies it
    kind: Words = [],  # noqa: B006
    type: Words = [],  # noqa: A002, B006
    source: Words = [],  # noqa: B006
    street: Words = [],  # noqa: B006
    area: Words = [],  # noqa: B006
    department: Words = [],  # noqa: B006
    handler: Words = [],  # noqa: B006
    reporter: Words = [],  # noqa: B006
    collector: Words = [],  # noqa: B006
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    ended: bool | None = None,
    overdue: bool = False,
    box: Annotated[str | None, Query(max_length=120, description="west,south,east,north in degrees")] = None,
    search: Annotated[str, Query(max_length=40, description="Part of a number")] = "",
    beyond: Annotated[str, Query(max_length=40, description="Numbers after this one; with sort=number")] = "",
    indicator: Annotated[
        str | None, Query(max_length=60, description="The cases that its figure counts")
    ] = None,
) -> Choice:
    """Return which cases are asked for; lists, maps and figures take the same parameters."""
    given = {
        "state": state, "kind": kind, "type": type, "source": source, "street": street, "area": area,
        "department": department, "handler": handler, "reporter": reporter, "collector": collector,
    }  # fmt: skip
    now = instant(now_utc())
    condition = cases_of(indicator, now=now, stock_days=board.stock_days) if indicator else ""
    if "repeated" in condition or "frequent" in condition:
        condition = "registered"  # what such a figure chooses from
    return Choice(
        values={name: values for name, values in given.items() if values},
        flags={} if ended is None else {"ended": ended},
        since=None if since is None else instant(since),
        until=None if until is None else instant(until),
        overdue_at=now if overdue else None,
        box=_box(box),
        text=search,
        beyond=beyond,
        sql=condition,
    )


ChoiceOf = Annotated[Choice, Depends(choice_of)]


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadRequestError(
            Text("box 应为 西,南,东,北（度）", "box is west,south,east,north in degrees."),
            where={"field": "box"},
        )
    return west, south, east, north


@router.get("/lifecycle", summary="The table of states and steps", dependencies=[allowed("city.read", CITY)])
def read_lifecycle() -> dict[str, Any]:
    """Return every state, step, role and source: the table by which the engine runs."""
    return {**lifecycle.as_json(), "sources": {name: says.as_json() for name, says in SOURCES.items()}}


@router.get("/types", summary="The types in force", dependencies=[allowed("city.read", CITY)])
def read_case_types(city: CityOf, desk: DeskOf) -> list[dict[str, Any]]:
    """Return the types of components and matters: the standard's and the city's own."""
    with city.records.read() as session:
        catalogue = desk.regime(session).catalogue
    return [
        {"kind": one.kind, "code": one.code, "name": one.name.as_json(), "major": one.major.as_json(),
         "code_2013": one.code_2013, "local": one.local}
        for one in catalogue
    ]  # fmt: skip


@router.get("/rules", summary="The rules of a type", dependencies=[allowed("city.read", CITY)])
def read_rules_of(
    city: CityOf,
    desk: DeskOf,
    kind: Literal["component", "matter"],
    type: Annotated[str, Query(max_length=5)],  # noqa: A002
) -> list[dict[str, Any]]:
    """Return when a case of a type is registered, how long it may take, and when it is done."""
    with city.records.read() as session:
        rules = desk.regime(session).by_type.get((kind, type), ())
    return [
        {"id": one.id, "condition": one.condition, "closing": one.closing, "unit": one.limit.unit,
         "amount": one.limit.amount, "handler": one.handler, "supervisor": one.supervisor}
        for one in rules
    ]  # fmt: skip


@router.post("/rules", summary="Adopt a table of rules", dependencies=[allowed("case.manage", CITY)])
def adopt_rules(
    city: CityOf,
    desk: DeskOf,
    asker: AskerOf,
    rows: Annotated[list[dict[str, Any]], Field(max_length=MOST_RULES)],
) -> dict[str, Any]:
    """Adopt a table of register-handle-close rules as a new version, whole or not at all."""
    with city.records.write() as session:
        now = desk.regime(session)
        table = read_rules(rows, now.catalogue)
        if table.types:
            regime.adopt(session, asker, "types", [*now.types, *table.types])
        version = regime.adopt(session, asker, "rules", table.rules)
    return {"version": version, "rules": len(table.rules), "types": len(table.types), "mapped": table.mapped}


@router.get("/map", summary="How many cases are where", dependencies=shows)
def read_case_map(
    board: BoardOf, asker: AskerOf, choice: ChoiceOf, level: Annotated[int, Query(ge=1, le=26)] = 19
) -> list[CellOut]:
    """Return how many of the chosen cases are in each grid cell of a level, and their mean place."""
    rows = board.cells(asker, choice, level).to_pylist()
    return [
        CellOut(cell=str(one["cell"]), count=one["count"], lon=one["lon"], lat=one["lat"]) for one in rows
    ]


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


@router.get("", summary="A list of cases", dependencies=shows)
def list_cases(
    board: BoardOf,
    asker: AskerOf,
    choice: ChoiceOf,
    sort: Sort = SORTS[0],
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    after: Annotated[int, Query(ge=0, le=FARTHEST)] = 0,
) -> CasesOut:
    """Return the cases that the asker may see, a page at a time. Instants are microseconds since 1970 UTC."""
    rows, count = board.page(asker, choice, sort=sort, limit=limit, after=after)
    for row in rows:
        row["cell"] = None if row["cell"] is None else str(row["cell"])
    end = after + len(rows)
    return CasesOut(cases=rows, count=count, next=end if end < count and end <= FARTHEST else None)


@router.post("", summary="Report", status_code=201, dependencies=shows)
def report_case(city: CityOf, desk: DeskOf, asker: AskerOf, body: ReportIn) -> CaseOut:
    """Take a report into the pool; the same report of another system is taken in once."""
    given = body.model_dump(exclude={"handled", "photos"})
    report = Report(**given, photos=tuple(body.photos))
    with city.records.write() as session:
        taken = (desk.report_handled if body.handled else desk.report)(session, asker, report)
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
    with city.records.write() as session:
        case = desk.act(session, asker, number, body.action, body.fields, seen=body.seen)
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
        possible=[StepOut.model_validate(one) for one in desk.possible(asker, case)],
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
        share=round(used / budget, 4) if budget else 0.0,
        on_time=used <= budget,
    )
