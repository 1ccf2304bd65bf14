"""What the city has decided about its cases: types, rules, and the table of steps that it runs by."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from jingwei.access import Asker
from jingwei.cases import Desk, lifecycle, regime
from jingwei.cases.calendar import FIRST_YEAR, LAST_YEAR, is_announced, official
from jingwei.cases.clocks import Limit
from jingwei.cases.errors import RulesChangedError
from jingwei.cases.events import INPUTS
from jingwei.cases.fields import CHOICES
from jingwei.cases.rules import Rule, read_rules
from jingwei.cases.schemas import SOURCES
from jingwei.city import City
from jingwei.lake.errors import BadTableError
from jingwei.lake.tables import named, rows_of
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES, DeskOf
from jingwei.web.routes.case_ground import A_TABLE, TOO_LARGE, FileName, manages
from jingwei.web.routes.city import CityOf
from jingwei.words import Text

router = APIRouter(prefix="/cases", tags=["cases"], responses=FAILURES)

MOST_RULES = 20_000
DAY, WORKS = ("day", "日期"), ("works", "是否上班", "安排")
_WORKS = {
    "上班": True, "是": True, "true": True, "1": True, "works": True,
    "休息": False, "否": False, "false": False, "0": False, "rests": False,
}  # fmt: skip


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


@router.get("/lifecycle", summary="The table of states and steps", dependencies=[allowed("city.read", CITY)])
def read_lifecycle() -> dict[str, Any]:
    """Return every state, step, role, source and field: the table by which the engine runs."""
    return {
        **lifecycle.as_json(),
        "sources": {name: says.as_json() for name, says in SOURCES.items()},
        "inputs": {name: says.as_json() for name, says in INPUTS.items()},
        "choices": {name: list(choices) for name, choices in CHOICES.items()},
    }


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


class RuleOut(BaseModel):
    """When a case is registered, how long handling may take, and when it is done."""

    id: str
    kind: str
    type: str
    condition: str
    closing: str
    unit: str
    amount: float
    handler: str
    supervisor: str


class RulesOut(BaseModel):
    """A page of the rules in force."""

    version: int
    rules: list[RuleOut]
    count: int
    next: int | None = Field(description="Where the next page begins")


class RuleIn(_In):
    """A rule as it is to be."""

    id: str = Field(min_length=1, max_length=40)
    kind: Literal["component", "matter"]
    type: str = Field(pattern=r"^\d{5}$")
    condition: str = Field(min_length=1, max_length=1000)
    closing: str = Field(min_length=1, max_length=1000)
    unit: Literal["urgent_hour", "work_hour", "work_day", "natural_day"]
    amount: float = Field(gt=0, le=3650)
    handler: str = Field(default="", max_length=200)
    supervisor: str = Field(default="", max_length=200)


class RuleChangesIn(_In):
    """Rules to be changed, added, removed."""

    put: list[RuleIn] = Field(default=[], max_length=2_000)
    remove: list[Annotated[str, Field(max_length=40)]] = Field(default=[], max_length=2_000)
    seen: int | None = Field(default=None, ge=0, description="The version that one saw")
    note: str = Field(default="", max_length=400)


class AdoptedOut(BaseModel):
    """The number of a version that was adopted."""

    version: int


class VersionOut(BaseModel):
    """A version: when and by whom it was adopted, and how many entries it has."""

    number: int
    adopted: datetime
    by: str
    note: str
    count: int


class ChangeOut(BaseModel):
    """An entry that differs between two versions; null on the side where it is not."""

    key: str
    before: Any
    after: Any


class DayOut(BaseModel):
    """A day of the city's calendar."""

    day: date
    works: bool
    official: bool = Field(description="As the State Council announced it, or Monday to Friday")
    decided: bool = Field(description="Whether the city decided it otherwise")


class CalendarOut(BaseModel):
    """The working time of a year."""

    version: int
    zone: str
    periods: list[tuple[time, time]]
    announced: bool = Field(description="Whether the holidays of the year are known")
    days: list[DayOut]


class DaysIn(_In):
    """Days that the city decides: true works, false rests, null is as announced."""

    days: dict[date, bool | None] = Field(min_length=1, max_length=1_000)
    note: str = Field(default="", max_length=400)


class PhrasesOut(BaseModel):
    """The phrases that a city offers for what is written at a step; a step that is not named has our own."""

    version: int
    phrases: dict[str, list[str]]


class PhrasesIn(_In):
    """Phrases of steps as they are to be; null gives a step back those of the product."""

    phrases: dict[
        Annotated[str, Field(max_length=40)],
        Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=100)] | None,
    ] = Field(max_length=100)
    seen: int | None = Field(default=None, ge=0, description="The version that one saw")
    note: str = Field(default="", max_length=400)


class CalendarIn(_In):
    """Zone and working periods of a day, local, in order."""

    zone: str = Field(default="Asia/Shanghai", max_length=60)
    periods: list[tuple[time, time]] = Field(min_length=1, max_length=10)
    seen: int | None = Field(default=None, ge=0, description="The version that one saw")
    note: str = Field(default="", max_length=400)


def _rule_out(one: Rule) -> RuleOut:
    return RuleOut(
        id=one.id, kind=one.kind, type=one.type, condition=one.condition, closing=one.closing,
        unit=one.limit.unit, amount=one.limit.amount, handler=one.handler, supervisor=one.supervisor,
    )  # fmt: skip


@router.get("/rules", summary="The rules of a type", dependencies=[allowed("city.read", CITY)])
def read_rules_of(
    city: CityOf,
    desk: DeskOf,
    kind: Literal["component", "matter"],
    type: Annotated[str, Query(max_length=5)],  # noqa: A002
) -> list[RuleOut]:
    """Return when a case of a type is registered, how long it may take, and when it is done."""
    with city.records.read() as session:
        rules = desk.regime(session).by_type.get((kind, type), ())
    return [_rule_out(one) for one in rules]


@router.get("/rules/all", summary="All rules in force", dependencies=[allowed("city.read", CITY)])
def read_all_rules(
    city: CityOf,
    desk: DeskOf,
    search: Annotated[str, Query(max_length=60, description="Part of its words, its number or type")] = "",
    after: Annotated[int, Query(ge=0, le=MOST_RULES)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> RulesOut:
    """Return the rules in force in their order, a page at a time."""
    with city.records.read() as session:
        in_force = desk.regime(session)
    found = [
        one
        for one in in_force.rules.values()
        if not search
        or any(search in text for text in (one.id, one.type, one.condition, one.closing, one.handler))
    ]
    page, end = found[after : after + limit], after + limit
    return RulesOut(
        version=in_force.versions[regime.PARTS.index("rules")],
        rules=[_rule_out(one) for one in page],
        count=len(found),
        next=end if end < len(found) else None,
    )


@router.post("/rules", summary="Adopt a table of rules", dependencies=manages)
def adopt_rules(
    city: CityOf,
    desk: DeskOf,
    asker: AskerOf,
    rows: Annotated[list[dict[str, Any]], Field(max_length=MOST_RULES)],
) -> dict[str, Any]:
    """Adopt a table of register-handle-close rules as a new version, whole or not at all."""
    return _adopt_table(city, desk, asker, rows)


@router.post(
    "/rules/table",
    summary="Adopt the rules of a file",
    dependencies=manages,
    responses=TOO_LARGE,
    openapi_extra=A_TABLE,
)
async def adopt_rule_file(
    request: Request, city: CityOf, desk: DeskOf, asker: AskerOf, name: FileName
) -> dict[str, Any]:
    """Adopt the rules of a file (CSV, XLSX ...) as a new version, whole or not at all."""
    content = await request.body()

    def adopt() -> dict[str, Any]:
        return _adopt_table(city, desk, asker, rows_of(name, content))

    return await run_in_threadpool(adopt)


def _adopt_table(city: City, desk: Desk, asker: Asker, rows: list[dict[str, Any]]) -> dict[str, Any]:
    with city.records.write() as session:
        now = desk.regime(session)
        table = read_rules(rows, now.catalogue)
        if table.types:
            regime.adopt(session, asker, "types", [*now.types, *table.types])
        version = regime.adopt(session, asker, "rules", table.rules)
    return {"version": version, "rules": len(table.rules), "types": len(table.types), "mapped": table.mapped}


@router.post("/rules/changes", summary="Change single rules", dependencies=manages)
def change_rules(city: CityOf, asker: AskerOf, body: RuleChangesIn) -> AdoptedOut:
    """Make a new version of the rules from that in force; who saw an older one is told what holds now.

    Cases that were registered by a rule keep its limit.
    """
    put = [
        Rule(
            one.id, one.kind, one.type, one.condition, one.closing, Limit(one.unit, one.amount), one.handler,
            one.supervisor,
        )
        for one in body.put
    ]  # fmt: skip
    with city.records.write() as session:
        number = regime.change_rules(session, asker, put, body.remove, seen=body.seen, note=body.note)
    return AdoptedOut(version=number)


@router.get("/regime/{part}/versions", summary="The versions of rules, calendar ...", dependencies=manages)
def read_versions(
    city: CityOf,
    part: regime.PartName,
    before: Annotated[int | None, Query(ge=1, le=2**31)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[VersionOut]:
    """Return the versions of a part, the newest first; go on with `before`."""
    with city.records.read() as session:
        found = regime.history(session, part, before=before, limit=limit)
    return [
        VersionOut(number=one.number, adopted=one.adopted, by=one.by, note=one.note, count=one.count)
        for one in found
    ]


@router.get("/regime/{part}/versions/{number}", summary="A version whole", dependencies=manages)
def read_version(
    city: CityOf, part: regime.PartName, number: Annotated[int, Path(ge=0, le=2**31 - 1)]
) -> Any:
    """Return what a version says; number 0 is what holds where nothing was decided."""
    with city.records.read() as session:
        return regime.content_of(session, part, number)


@router.get("/regime/{part}/difference", summary="What differs between versions", dependencies=manages)
def read_difference(
    city: CityOf,
    part: regime.PartName,
    one: Annotated[int, Query(ge=0, le=2**31 - 1)],
    other: Annotated[int, Query(ge=0, le=2**31 - 1)],
) -> list[ChangeOut]:
    """Return the entries that differ between two versions of a part."""
    with city.records.read() as session:
        found = regime.difference(session, part, one, other)
    return [ChangeOut(key=change.key, before=change.before, after=change.after) for change in found]


@router.get("/settings", summary="The settings of cases", dependencies=[allowed("city.read", CITY)])
def read_settings(city: CityOf) -> Any:
    """Return the settings in force: limits of stages, shares of warnings, numbers, and the like."""
    with city.records.read() as session:
        number = regime.versions(session)[regime.PARTS.index("settings")]
        content = regime.content_of(session, "settings", number)
    return {"version": number, "settings": content}


@router.put("/settings", summary="Adopt settings of cases", dependencies=manages)
def adopt_settings(
    city: CityOf,
    asker: AskerOf,
    settings: Annotated[dict[str, Any], Field(max_length=40)],
    seen: Annotated[int | None, Query(ge=0, le=2**31, description="The version that one saw")] = None,
) -> AdoptedOut:
    """Adopt settings as a new version: those given; the others are as where nothing was decided."""
    with city.records.write() as session:
        _check_seen(session, "settings", seen)
        return AdoptedOut(version=regime.adopt(session, asker, "settings", settings))


def _check_seen(session: Session, part: regime.PartName, seen: int | None) -> None:
    """Raise if another version is in force than the one that somebody saw."""
    now = regime.versions(session)[regime.PARTS.index(part)]
    if seen is not None and seen != now:
        raise RulesChangedError(part, seen, now)


@router.get("/phrases", summary="What steps offer to write", dependencies=[allowed("city.read", CITY)])
def read_phrases(city: CityOf) -> PhrasesOut:
    """Return the phrases that the city offers for what is written at a step."""
    with city.records.read() as session:
        number = regime.versions(session)[regime.PARTS.index("phrases")]
        return PhrasesOut(version=number, phrases=regime.content_of(session, "phrases", number))


@router.put("/phrases", summary="Adopt phrases of steps", dependencies=manages)
def adopt_phrases(city: CityOf, asker: AskerOf, body: PhrasesIn) -> AdoptedOut:
    """Adopt the phrases of some steps as a new version; those of the others stay."""
    with city.records.write() as session:
        number = regime.put_phrases(session, asker, body.phrases, seen=body.seen, note=body.note)
    return AdoptedOut(version=number)


@router.get("/calendar", summary="The working time of a year", dependencies=[allowed("city.read", CITY)])
def read_calendar(
    city: CityOf, desk: DeskOf, year: Annotated[int, Query(ge=FIRST_YEAR, le=LAST_YEAR)]
) -> CalendarOut:
    """Return the days of a year as they work or rest, and the periods of a working day."""
    with city.records.read() as session:
        in_force = desk.regime(session)
    calendar = in_force.calendar
    first = date(year, 1, 1)
    days = [first + timedelta(days=n) for n in range((date(year + 1, 1, 1) - first).days)]
    return CalendarOut(
        version=in_force.versions[regime.PARTS.index("calendar")],
        zone=in_force.content.zone,
        periods=list(in_force.content.periods),
        announced=is_announced(year),
        days=[
            DayOut(day=day, works=calendar.works(day), official=official(day), decided=day in calendar.days)
            for day in days
        ],
    )


@router.put("/calendar", summary="Adopt working periods", dependencies=manages)
def adopt_calendar(city: CityOf, desk: DeskOf, asker: AskerOf, body: CalendarIn) -> AdoptedOut:
    """Adopt zone and working periods as a new version of the calendar; the days decided stay.

    Who saw an older version is told so, and nothing changes.
    """
    with city.records.write() as session:
        _check_seen(session, "calendar", body.seen)
        fresh = {
            "zone": body.zone,
            "periods": [[start.isoformat(), end.isoformat()] for start, end in body.periods],
            "days": {day.isoformat(): works for day, works in desk.regime(session).content.days.items()},
        }
        return AdoptedOut(version=regime.adopt(session, asker, "calendar", fresh, note=body.note))


@router.post("/calendar/days", summary="Decide days", dependencies=manages)
def decide_days(city: CityOf, asker: AskerOf, body: DaysIn) -> AdoptedOut:
    """Let days work or rest, or be as announced again, as a new version of the calendar."""
    with city.records.write() as session:
        return AdoptedOut(version=regime.change_days(session, asker, body.days, note=body.note))


@router.post(
    "/calendar/table",
    summary="Decide the days of a file",
    dependencies=manages,
    responses=TOO_LARGE,
    openapi_extra=A_TABLE,
)
async def decide_day_file(request: Request, city: CityOf, asker: AskerOf, name: FileName) -> AdoptedOut:
    """Let the days of a file (CSV, XLSX ...) work or rest: columns `day` (日期) and `works` (是否上班)."""
    content = await request.body()

    def decide() -> AdoptedOut:
        days = {}
        for number, row in enumerate(rows_of(name, content), start=1):
            day, works = named(name, row, DAY), named(name, row, WORKS)
            if works.lower() not in _WORKS:
                what = Text(f"第 {number} 行应为上班或休息", f"row {number}: it works or it rests.")
                raise BadTableError(name, what)
            try:
                days[datetime.fromisoformat(day).date()] = _WORKS[works.lower()]
            except ValueError as error:
                raise BadTableError(
                    name, Text(f"第 {number} 行 {day[:20]} 不是日期", f"row {number}: {day[:20]} is no day.")
                ) from error
        with city.records.write() as session:
            return AdoptedOut(version=regime.change_days(session, asker, days, note=name))

    return await run_in_threadpool(decide)
