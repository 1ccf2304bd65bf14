"""The ground of cases: unit grids, duties since when and until when, default points, components."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

import shapely
from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from jingwei import access
from jingwei.access import Asker
from jingwei.cases import Desk, inventory
from jingwei.cases.ground import (
    Duty,
    Grid,
    default_points,
    default_points_version,
    duties,
    end_duty,
    put_default_points,
    put_duties,
    put_grids,
    unit_grids,
)
from jingwei.city import City
from jingwei.lake.errors import BadTableError
from jingwei.lake.tables import named, read_table, rows_of
from jingwei.web import problems
from jingwei.web.jobs import Job
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES, DeskOf
from jingwei.web.routes.case_desk import MOST_NAMED, Named
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.loading import JobOut
from jingwei.words import Text

router = APIRouter(prefix="/cases", tags=["cases"], responses=FAILURES)

MOST_BYTES = 64 << 20
"""Of a table that is handed in."""
MOST_COMPONENTS = 50_000
"""Rows of one request; a larger inventory is taken in by a job, which shows how far it is."""
UPLOADS = {
    f"/api/cases/{path}": MOST_BYTES
    for path in (
        "grids",
        "duties/table",
        "components",
        "components/jobs",
        "rules/table",
        "calendar/table",
    )
}
"""Paths that take a table as their body, and what it may weigh."""

manages = [allowed("case.manage", CITY)]
reads = [allowed("city.read", CITY)]
TOO_LARGE = problems.responses(413)
A_TABLE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def _in_reason(when: datetime) -> datetime:
    if not 1990 <= when.year <= 2100:
        msg = "a year of 1990 to 2100"
        raise ValueError(msg)
    return when


Moment = Annotated[AwareDatetime, AfterValidator(_in_reason)]
FileName = Annotated[
    str,
    Query(max_length=200, examples=["grids.geojson"], description="The file's name: its end says the form"),
]
Limit = Annotated[int, Query(ge=1, le=500)]
Area = Annotated[str, Query(max_length=40, description="The beginning of an area's code, or a duty grid")]

CODE = ("code", "网格编码", "单元网格编码", "BGCODE", "编码")
DUTY_GRID = ("duty_grid", "责任网格", "责任网格编码")
GRADE = ("grade", "管理等级")
AREA, KIND, TYPE = ("area", "区域代码", "区域"), ("kind", "种类"), ("type", "类别代码")
DEPARTMENT, PERSON = ("department", "部门代码", "责任单位代码"), ("person", "人员")
SINCE, UNTIL = ("since", "起始时间"), ("until", "截止时间")
COMPONENT = ("code", "标识码", "部件标识码", "管理部件标识码")
NAME = ("name", "名称", "部件名称", "管理部件名称")
IN_CHARGE = ("department", "主管部门代码", "权属单位代码")
GRID = ("area", "所在单元网格", "所在单元网格标识码", "单元网格")
LON, LAT = ("lon", "经度", "longitude"), ("lat", "纬度", "latitude")


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GridOut(BaseModel):
    """A unit grid."""

    code: str
    duty_grid: str
    grade: str
    since: datetime
    until: datetime | None
    outline: dict[str, Any] | None = Field(description="GeoJSON geometry, degrees, CGCS2000; where asked for")


class GridsOut(BaseModel):
    """A page of unit grids."""

    grids: list[GridOut]
    next: str | None = Field(description="Go on after this code")


class DutyIn(_In):
    """A duty: who is responsible for what and where."""

    area: str = Field(
        default="", max_length=40, description="6 to 15 digits, a duty grid, empty for the city"
    )
    kind: Literal["component", "matter", ""] = ""
    type: str = Field(default="", pattern=r"^(\d{2}|\d{5})?$", description="Major, type, or empty for all")
    department: str = Field(min_length=18, max_length=18)
    person: str = Field(default="", max_length=120, description="person/<id>; empty for a whole department")
    since: Moment | None = None
    until: Moment | None = None


class DutyOut(BaseModel):
    """A duty as it is kept."""

    id: int
    area: str
    kind: str
    type: str
    department: str
    title: str = Field(description="The department's")
    person: str
    name: str = Field(description="The person's, where one is named")
    since: datetime | None
    until: datetime | None


class DutiesOut(BaseModel):
    """A page of duties."""

    duties: list[DutyOut]
    next: int | None = Field(description="Go on after this number")


class EndIn(_In):
    """When a duty ends."""

    until: Moment | None = Field(default=None, description="Now if not given")


class PointIn(_In):
    """A point at which reports are put whose place nobody knows."""

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    says: str = Field(max_length=200)


class PointsOut(BaseModel):
    """The default points, and the version by which one says which he saw."""

    version: int
    points: list[PointIn]


class ComponentOut(BaseModel):
    """A component of the inventory."""

    code: str
    object: str = Field(description="Its identifier in the registry")
    department: str
    area: str


class ComponentsOut(BaseModel):
    """A page of the inventory."""

    components: list[ComponentOut]
    next: str | None = Field(description="Go on after these digits")


class TakenOut(BaseModel):
    """What came of a table."""

    count: int
    mapped: int = Field(default=0, description="Codes of 2013 that were mapped")
    faults: list[dict[str, Any]] = Field(default=[], description="Rows left out and why, the first hundred")


@router.get("/grids", summary="The unit grids in force", dependencies=reads)
def read_grids(
    city: CityOf,
    area: Area = "",
    at: Moment | None = None,
    after: Annotated[str, Query(max_length=15)] = "",
    limit: Limit = 100,
    outline: bool = False,
) -> GridsOut:
    """Return the unit grids in force at a moment, now if not given, a page at a time."""
    with city.records.read() as session:
        found = unit_grids(session, area=area, at=at, after=after, limit=limit)
    listed = [
        GridOut(
            code=one.code, duty_grid=one.duty_grid, grade=one.grade, since=since, until=until,
            outline=json.loads(shapely.to_geojson(one.outline)) if outline else None,
        )
        for one, since, until in found
    ]  # fmt: skip
    return GridsOut(grids=listed, next=listed[-1].code if len(listed) == limit else None)


@router.put(
    "/grids", summary="Adopt unit grids", dependencies=manages, responses=TOO_LARGE, openapi_extra=A_TABLE
)
async def adopt_grids(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    name: FileName,
    since: Annotated[Moment | None, Query(description="From when on; now if not given")] = None,
) -> TakenOut:
    """Take a file of outlines (degrees, CGCS2000) as the unit grids from a moment on, whole or not at all.

    Columns: `code` (网格编码, 15 digits), and as known `duty_grid` (责任网格), `grade` (管理等级).
    Those before stay for the time in which they were in force.
    """
    content = await request.body()
    return await run_in_threadpool(_adopt_grids, city, asker, name, content, since)


def _adopt_grids(city: City, asker: Asker, name: str, content: bytes, since: datetime | None) -> TakenOut:
    table, geometry = read_table(name, content)
    if geometry is None:
        raise BadTableError(name, Text("没有边界（几何列）", "it has no outlines (a column of geometries)."))
    grids = [
        Grid(
            named(name, row, CODE),
            shapely.from_wkb(row[geometry]),
            named(name, row, DUTY_GRID, needed=False)[:40],
            named(name, row, GRADE, needed=False)[:10],
        )
        for row in table.to_pylist()
    ]
    with city.records.write() as session:
        return TakenOut(count=put_grids(session, asker, grids, since=since))


@router.get("/duties", summary="Who is responsible for what and where", dependencies=manages)
def read_duties(
    city: CityOf,
    area: Area = "",
    department: Annotated[str, Query(max_length=18)] = "",
    person: Annotated[str, Query(max_length=120)] = "",
    at: Moment | None = None,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Limit = 100,
) -> DutiesOut:
    """Return duties in the order in which they were given; with `at`, those that hold at a moment."""
    with city.records.read() as session:
        found = duties(
            session, area=area, department=department, person=person, at=at, after=after, limit=limit
        )
        titles = access.titles_of(session, {one.duty.department for one in found})
        names = access.names_of(session, {one.duty.person for one in found if one.duty.person})
    listed = [
        DutyOut(
            id=one.id, area=one.duty.area, kind=one.duty.kind, type=one.duty.type,
            department=one.duty.department, title=titles.get(one.duty.department, ""),
            person=one.duty.person, name=names.get(one.duty.person, ""), since=one.duty.since,
            until=one.duty.until,
        )
        for one in found
    ]  # fmt: skip
    return DutiesOut(duties=listed, next=listed[-1].id if len(listed) == limit else None)


@router.get("/duties/people", summary="People who can be given duties", dependencies=manages)
def read_duty_people(
    city: CityOf,
    department: Annotated[str, Query(max_length=18)] = "",
    search: Annotated[str, Query(max_length=80, description="Part of a name")] = "",
) -> list[Named]:
    """Return people who hold a role in a department, or anywhere, the first fifty."""
    with city.records.read() as session:
        found = access.people(session, search=search, department=department, limit=MOST_NAMED)
    return [Named(id=f"person/{one.id}", name=one.name) for one in found if not one.disabled]


@router.post("/duties", summary="Give duties", status_code=201, dependencies=manages)
def give_duties(
    city: CityOf, asker: AskerOf, given: Annotated[list[DutyIn], Field(min_length=1, max_length=5_000)]
) -> TakenOut:
    """Add duties, all or none; those before stay until they are ended."""
    with city.records.write() as session:
        return TakenOut(count=put_duties(session, asker, [_duty(one) for one in given]))


@router.post(
    "/duties/table",
    summary="Give the duties of a table",
    status_code=201,
    dependencies=manages,
    responses=TOO_LARGE,
    openapi_extra=A_TABLE,
)
async def give_duty_table(request: Request, city: CityOf, asker: AskerOf, name: FileName) -> TakenOut:
    """Add the duties of a table (CSV, XLSX ...), whole or not at all.

    Columns: `department` (部门代码), and as known `area` (区域代码), `kind` (种类), `type` (类别代码),
    `person`, `since`, `until` (ISO 8601 with zone).
    """
    content = await request.body()
    return await run_in_threadpool(_give_duty_table, city, asker, name, content)


def _give_duty_table(city: City, asker: Asker, name: str, content: bytes) -> TakenOut:
    given = []
    for number, row in enumerate(rows_of(name, content), start=1):
        values = {
            key: named(name, row, headings, needed=key == "department")
            for key, headings in (
                ("area", AREA), ("kind", KIND), ("type", TYPE), ("department", DEPARTMENT),
                ("person", PERSON), ("since", SINCE), ("until", UNTIL),
            )
        }  # fmt: skip
        try:
            values["kind"] = {"部件": "component", "事项": "matter"}.get(values["kind"], values["kind"])
            given.append(DutyIn.model_validate({key: value for key, value in values.items() if value}))
        except ValueError as error:
            field = str(error.errors()[0]["loc"][0]) if hasattr(error, "errors") else ""
            raise BadTableError(
                name, Text(f"第 {number} 行 {field} 有误", f"row {number}: {field} is not valid.")
            ) from error
    with city.records.write() as session:
        return TakenOut(count=put_duties(session, asker, [_duty(one) for one in given]))


def _duty(one: DutyIn) -> Duty:
    return Duty(one.area, one.department, one.kind, one.type, one.person, one.since, one.until)


@router.post("/duties/{number}/end", summary="End a duty", status_code=204, dependencies=manages)
def finish_duty(
    city: CityOf, asker: AskerOf, number: Annotated[int, Path(ge=1, le=2**53)], body: EndIn
) -> None:
    """Let a duty end; what it was until then stays."""
    with city.records.write() as session:
        end_duty(session, asker, number, body.until)


@router.get("/default-points", summary="The default points", dependencies=reads)
def read_default_points(city: CityOf) -> PointsOut:
    """Return the points at which reports are put whose place nobody knows."""
    with city.records.read() as session:
        points = [PointIn(lon=lon, lat=lat, says=says) for lon, lat, says in default_points(session)]
        return PointsOut(version=default_points_version(session), points=points)


@router.put("/default-points", summary="Name the default points", dependencies=manages)
def name_default_points(
    city: CityOf,
    asker: AskerOf,
    points: Annotated[list[PointIn], Field(max_length=1_000)],
    seen: Annotated[int | None, Query(ge=0, le=2**53, description="The version that one saw")] = None,
) -> TakenOut:
    """Name the default points instead of those before; who saw others is told so, and nothing changes."""
    with city.records.write() as session:
        given = [(one.lon, one.lat, one.says) for one in points]
        return TakenOut(count=put_default_points(session, asker, given, seen=seen))


@router.get("/components", summary="The inventory of components", dependencies=reads)
def read_components(
    city: CityOf,
    area: Area = "",
    type: Annotated[str, Query(pattern=r"^\d{0,5}$")] = "",  # noqa: A002
    department: Annotated[str, Query(max_length=18)] = "",
    after: Annotated[str, Query(pattern=r"^\d{0,17}$")] = "",
    limit: Limit = 100,
) -> ComponentsOut:
    """Return components by their digits, a page at a time."""
    with city.records.read() as session:
        found = inventory.components(
            session, area=area, type_=type, department=department, after=after, limit=limit
        )
    listed = [
        ComponentOut(code=one.code, object=one.object, department=one.department, area=one.area)
        for one in found
    ]
    return ComponentsOut(components=listed, next=listed[-1].code if len(listed) == limit else None)


@router.put(
    "/components",
    summary="Take in an inventory",
    dependencies=manages,
    responses=TOO_LARGE,
    openapi_extra=A_TABLE,
)
async def take_components(
    request: Request, city: CityOf, desk: DeskOf, asker: AskerOf, name: FileName
) -> TakenOut:
    """Take in a table of components; rows with faults are told and left out, those known are renewed.

    Columns: `code` (标识码: 17 digits, or the 16 of 2013, which are mapped), and as known `name`,
    `department` (主管部门代码), `area` (所在单元网格), `lon` and `lat` (degrees, CGCS2000).
    """
    content = await request.body()
    return await run_in_threadpool(_take_components, city, desk, asker, name, content)


def _take_components(city: City, desk: Desk, asker: Asker, name: str, content: bytes) -> TakenOut:
    given = _inventory(name, content)
    if len(given) > MOST_COMPONENTS:
        raise BadTableError(
            name,
            Text(
                f"一次至多 {MOST_COMPONENTS} 行；更大的台账请作为任务导入",
                f"at most {MOST_COMPONENTS} rows at once; take a larger inventory in as a job.",
            ),
        )
    with city.records.write() as session:
        taken = inventory.put_components(session, asker, desk.regime(session), given)
    return TakenOut(count=taken.count, mapped=taken.mapped, faults=taken.faults[:100])


def _inventory(name: str, content: bytes) -> list[dict[str, Any]]:
    """Return the rows of an inventory."""
    given: list[dict[str, Any]] = []
    for number, row in enumerate(rows_of(name, content), start=1):
        one: dict[str, Any] = {
            "code": named(name, row, COMPONENT),
            "name": named(name, row, NAME, needed=False),
            "department": named(name, row, IN_CHARGE, needed=False),
            "area": named(name, row, GRID, needed=False),
        }
        place = [named(name, row, headings, needed=False) for headings in (LON, LAT)]
        if all(place):
            try:
                one |= {"lon": float(place[0]), "lat": float(place[1])}
            except ValueError as error:
                what = Text(f"第 {number} 行坐标有误", f"row {number}: the coordinates are no numbers.")
                raise BadTableError(name, what) from error
        given.append(one)
    return given


@router.post(
    "/components/jobs",
    summary="Take in an inventory, with progress",
    status_code=202,
    dependencies=manages,
    responses=TOO_LARGE,
    openapi_extra=A_TABLE,
)
async def begin_components(
    request: Request, city: CityOf, desk: DeskOf, asker: AskerOf, name: FileName
) -> JobOut:
    """Take in a table of components, of any number, in the background: as with `PUT /api/cases/components`.

    A job that is stopped keeps what it has taken in; the same table again goes on from there.
    """
    content = await request.body()
    title = Text(f"导入部件台账 {name[:80]}", f"Take in the inventory {name[:80]}")

    def work(job: Job) -> dict[str, Any]:
        return _take_in(job, city, desk, asker, name, content)

    job = request.app.state.jobs.start(title, asker.id, work)
    return JobOut(id=job.id, events=f"/api/jobs/{job.id}/events")


def _take_in(job: Job, city: City, desk: Desk, asker: Asker, name: str, content: bytes) -> dict[str, Any]:
    job.tell("components", stage="reading", share=0.0, rows=0)
    given = _inventory(name, content)

    def heed(done: int) -> bool:
        job.tell("components", stage="taking", share=done / max(1, len(given)), rows=done)
        return not job.wish.is_set()

    with city.records.read() as session:
        in_force = desk.regime(session)
    taken = inventory.put_in_parts(city.records, asker, in_force, given, heed=heed)
    return {"count": taken.count, "mapped": taken.mapped, "faults": taken.faults[:100]}
