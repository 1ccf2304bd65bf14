"""Files handed in one by one: upload, what was detected, corrections, the load."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from jingwei.access import Asker
from jingwei.city import intake, outside, tables
from jingwei.lake.checking import Report
from jingwei.web import jobs, problems
from jingwei.web.policies import CITY, allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.loading import JobOut
from jingwei.web.texts import TextOut
from jingwei.words import Text

router = APIRouter(
    prefix="/intake", tags=["intake"], responses=problems.responses(400, 403, 404, 409, 413, 422, 502)
)

UPLOADS = {"/api/intake/files": intake.MOST_BYTES}
"""Paths that take a file as their body, and what it may weigh."""

manages = [allowed("intake.manage", CITY)]
FilePath = Annotated[str, Path(max_length=24, description="Identifier of the file")]


class FileOut(BaseModel):
    """A file that was handed in."""

    id: str
    name: str
    size: int
    digest: str = Field(description="SHA-256")
    received: datetime
    by: str
    source: str | None
    state: str = Field(description="received, loaded, held, failed or erased")
    loading: bool = Field(description="Whether it is being loaded now")
    job: JobOut | None = Field(description="Its load under way, for who began it")


class FilePage(BaseModel):
    """Files, newest first."""

    files: list[FileOut]
    before: datetime | None = Field(description="Pass as `before` for the next page; null at the end")


class KnownOut(BaseModel):
    """Whether the file is the next one of a known source."""

    source: str | None
    match: str = Field(description="same, changed or none")
    missing: list[str]
    new: list[str]


class ColumnSeen(BaseModel):
    """A column of the file."""

    name: str
    type: str


class RuleSeen(BaseModel):
    """A rule that rows of the sample break."""

    id: str
    text: TextOut
    severity: str
    rows: int | None
    examples: list[int]


class FaultSeen(BaseModel):
    """A row that could not be published."""

    row: int
    rule: str
    reason: TextOut
    text: str


class ExaminedOut(BaseModel):
    """A file as it was understood."""

    file: FileOut
    layers: list[str]
    form: str
    spec: dict[str, Any] = Field(description="How it will be read, with the keys of a source in a manifest")
    known: KnownOut
    columns: list[ColumnSeen]
    rows: list[list[str]]
    total: int | None
    evidence: list[dict[str, Any]]
    problem: dict[str, Any] | None = Field(description="What keeps it from being loaded as it stands")
    points: list[tuple[float, float]] = Field(description="Longitude and latitude, WGS84")
    looked_at: int
    placed: int
    faults: dict[str, int]
    examples: list[FaultSeen]
    score: float | None
    rules: list[RuleSeen]


class Changes(BaseModel):
    """What a person says of a file; the keys are those of a source in a city's manifest."""

    model_config = ConfigDict(extra="forbid")

    changes: dict[str, Any] = Field(default_factory=dict, max_length=40)


class LoadIn(Changes):
    """A file to load."""

    new_layout: bool = Field(default=False, description="Take it although its columns are not the known ones")


def _file(one: intake.Received, asker: Asker, works: jobs.Jobs) -> FileOut:
    job = works.running(about_file(one.id))
    told = {name: getattr(one, name) for name in FileOut.model_fields if name not in ("loading", "job")}
    mine = JobOut(id=job.id, events=f"/api/jobs/{job.id}/events") if job and job.starter == asker.id else None
    return FileOut(**told, loading=job is not None, job=mine)


def about_file(file: str) -> str:
    """Return by what name a load of a file is found among the works under way."""
    return f"file/{file}"


@router.post(
    "/files",
    summary="Hand in a file",
    status_code=201,
    dependencies=manages,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    name: Annotated[str, Query(min_length=1, max_length=400, description="What the file is called")],
) -> FileOut:
    """Keep a file as it comes in, piece by piece."""
    incoming = await run_in_threadpool(intake.Incoming, city, name)
    try:
        async for chunk in request.stream():
            if chunk:
                await run_in_threadpool(incoming.write, chunk)
        return _file(await run_in_threadpool(incoming.finish, asker), asker, request.app.state.jobs)
    finally:
        await run_in_threadpool(incoming.close)


@router.get("/files", summary="Files that were handed in, newest first", dependencies=manages)
def list_files(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    before: Annotated[AwareDatetime | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> FilePage:
    """Return what was handed in, by whom, and what became of it."""
    found = intake.received_files(city, before=before, limit=limit + 1)
    page = found[:limit]
    return FilePage(
        files=[_file(one, asker, request.app.state.jobs) for one in page],
        before=page[-1].received if len(found) > limit else None,
    )


@router.post(
    "/files/{file}/examination",
    summary="What a file is, and what it would become",
    dependencies=manages,
)
def examine_file(
    request: Request, city: CityOf, asker: AskerOf, file: FilePath, body: Annotated[Changes, Body()]
) -> ExaminedOut:
    """Return what was detected with the evidence, where its rows lie, and the first findings."""
    found = intake.examine(city, file, body.changes)
    seen = found.preview
    return ExaminedOut(
        file=_file(found.file, asker, request.app.state.jobs),
        layers=found.layers,
        form=seen.form,
        spec=found.spec.model_dump(mode="json", exclude_defaults=True, exclude={"file"}),
        known=KnownOut(
            source=found.known.source,
            match=found.known.match,
            missing=found.known.missing,
            new=found.known.new,
        ),
        columns=[ColumnSeen(name=name, type=type_) for name, type_ in seen.columns],
        rows=seen.rows,
        total=seen.total,
        evidence=seen.evidence,
        problem=seen.problem,
        points=seen.points,
        looked_at=seen.looked_at,
        placed=seen.placed,
        faults=seen.faults,
        examples=[
            FaultSeen(row=one["row"], rule=one["rule"], reason=_text(one["reason"]), text=one["text"])
            for one in seen.examples
        ],
        score=seen.report.score if seen.report else None,
        rules=_rules(seen.report),
    )


def _text(words: dict[str, str]) -> TextOut:
    return TextOut(zh=words["zh"], en=words.get("en") or words["zh"])


def _rules(report: Report | None) -> list[RuleSeen]:
    return [
        RuleSeen(id=one.id, text=_text(one.text), severity=one.severity, rows=one.rows, examples=one.examples)
        for one in (report.rules if report else [])
        if one.failed and not one.id.startswith("quarantine:")
    ]


@router.post("/files/{file}/load", summary="Load a file", status_code=202, dependencies=manages)
def load_file(
    request: Request, city: CityOf, asker: AskerOf, file: FilePath, body: Annotated[LoadIn, Body()]
) -> JobOut:
    """Load a file in the background; what was said of it is remembered for the next one."""
    found = intake.received_file(city, file)
    intake.check_layout(city, found, body.changes, new_layout=body.new_layout)
    title = Text(f"载入 {found.name}", f"Load {found.name}")

    def work(job: jobs.Job) -> dict[str, Any]:
        tell, stop = job.listener()

        report = intake.load_file(
            city, asker, file, body.changes, listener=tell, stop=stop, new_layout=body.new_layout
        )
        return {"source": report.id, "stage": report.stage, "problem": report.problem}

    job = request.app.state.jobs.start(title, asker.id, work, about_file(file))
    return JobOut(id=job.id, events=f"/api/jobs/{job.id}/events")


def begin_anew(app: FastAPI) -> None:
    """Begin the loads anew that were cut off when the city was last served."""
    city = app.state.city
    for file in intake.interrupted(city):
        title = Text(
            f"重新载入 {file.name}（上次中断）",
            f"Load {file.name} again: it was cut off when the city stopped",
        )

        def work(job: jobs.Job, file: str = file.id) -> dict[str, Any]:
            tell, stop = job.listener()
            report = intake.load_again(city, file, listener=tell, stop=stop)
            return {"source": report.id, "stage": report.stage, "problem": report.problem}

        app.state.jobs.start(title, file.by, work, about_file(file.id))


class TableColumnOut(BaseModel):
    """A column of a table outside."""

    name: str
    type: str
    rises: bool = Field(description="Whether what is new can be known by it")
    key: bool = Field(description="Whether the database has it as a key")


class DatabaseOut(BaseModel):
    """A database that the administrators let be read."""

    name: str
    kind: str = Field(description="postgresql, mysql, mariadb or sqlite")


class KnownTableOut(BaseModel):
    """A table that was read before."""

    database: str
    table: str
    cursor: str | None
    keys: list[str]
    rows: int
    read: datetime
    by: str
    file: str
    source: str | None


class DatabasesOut(BaseModel):
    """What can be read, and what was."""

    databases: list[DatabaseOut]
    tables: list[KnownTableOut] = Field(description="Those read before, the latest first")


class TableIn(BaseModel):
    """How a table is read."""

    model_config = ConfigDict(extra="forbid")

    table: str = Field(min_length=1, max_length=200)
    cursor: str | None = Field(default=None, max_length=200, description="Column that rises with what is new")
    keys: list[str] = Field(default_factory=list, max_length=8, description="By which a row is known again")
    whole: bool = Field(default=False, description="Read all rows anew")
    load: bool = Field(default=False, description="Load it at once, as the source that it is known as")


DatabaseName = Annotated[str, Path(max_length=40, description="What the administrators call it")]


@router.get("/databases", summary="Databases that may be read, and tables that were", dependencies=manages)
def list_databases(city: CityOf) -> DatabasesOut:
    """Return what the administrators named; never where it is."""
    return DatabasesOut(
        databases=[DatabaseOut(name=one.name, kind=one.kind) for one in outside.databases(city.home)],
        tables=[
            KnownTableOut(**{name: getattr(one, name) for name in KnownTableOut.model_fields})
            for one in tables.known_tables(city)
        ],
    )


@router.get("/databases/{database}/tables", summary="Tables of a database", dependencies=manages)
def list_tables(city: CityOf, database: DatabaseName) -> list[str]:
    """Return the tables and views that may be read."""
    return outside.database(city.home, database).tables()


@router.get("/databases/{database}/columns", summary="Columns of a table", dependencies=manages)
def list_columns(
    city: CityOf, database: DatabaseName, table: Annotated[str, Query(min_length=1, max_length=200)]
) -> list[TableColumnOut]:
    """Return the columns of a table, and by which of them it can be read bit by bit."""
    return [
        TableColumnOut(name=one.name, type=str(one.type), rises=one.rises, key=one.key)
        for one in outside.database(city.home, database).columns(table)
    ]


@router.post("/databases/{database}/readings", summary="Read a table", status_code=202, dependencies=manages)
def read_table(
    request: Request, city: CityOf, asker: AskerOf, database: DatabaseName, body: Annotated[TableIn, Body()]
) -> JobOut:
    """Read what is new in a table in the background; the job's result names the file that holds all of it."""
    outside.database(city.home, database)
    how = tables.Reading(database, body.table, body.cursor, tuple(body.keys), body.whole)
    title = Text(f"读取 {database}.{body.table}", f"Read {database}.{body.table}")

    def work(job: jobs.Job) -> dict[str, Any]:
        tell, stop = job.listener()
        if not body.load:
            read = tables.read_table(city, asker, how, listener=tell, stop=stop)
            return {"file": read.file.id, "rows": read.rows, "total": read.total, "new": read.new}
        read, report = tables.load_table(city, asker, how, listener=tell, stop=stop)
        told = {"source": report.id, "stage": report.stage, "problem": report.problem}
        return told | {"file": read.file.id, "rows": read.rows, "total": read.total, "new": read.new}

    job = request.app.state.jobs.start(title, asker.id, work)
    return JobOut(id=job.id, events=f"/api/jobs/{job.id}/events")
