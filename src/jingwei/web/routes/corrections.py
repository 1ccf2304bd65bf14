"""Requests for corrections: for the data bureau that asks, and the department that answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from jingwei import access, corrections
from jingwei.access.policy import Resource
from jingwei.city import intake
from jingwei.corrections.policy import resource_of
from jingwei.records import now_utc
from jingwei.web import jobs, problems
from jingwei.web.policies import CITY, allowed, filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.loading import JobOut
from jingwei.web.texts import TextOut
from jingwei.words import Text

router = APIRouter(
    prefix="/corrections", tags=["corrections"], responses=problems.responses(400, 403, 404, 409, 413, 422)
)

UPLOADS = {"/api/corrections/files": intake.MOST_BYTES}
"""Paths that take a file as their body, and what it may weigh."""

CorrectionPath = Annotated[int, Path(ge=1, le=2**53, description="Number of the request")]


def of_correction(city: CityOf, asker: AskerOf, correction: CorrectionPath) -> Resource:
    """Return the request as policies see it; one that the asker may not read is unknown."""
    found = corrections.correction(city, asker, correction)
    return resource_of(found.id, found.department, found.dataset, city.policies.current())


def of_queried(
    city: CityOf,
    asker: AskerOf,
    correction: Annotated[int, Query(ge=1, le=2**53, description="Number of the request")],
) -> Resource:
    """Return the request named in the query as policies see it."""
    return of_correction(city, asker, correction)


class RuleAsked(BaseModel):
    """A rule whose findings are to be corrected."""

    id: str
    text: TextOut
    rows: int | None
    remaining: int | None
    examples: list[int]


class AnswerOut(BaseModel):
    """What was said about a request."""

    at: datetime
    by: str
    kind: str
    words: str
    file: str | None


class CorrectionOut(BaseModel):
    """A request for corrections."""

    id: int
    dataset: str
    title: TextOut | None = Field(description="The dataset's title, where the reader may see it")
    department: str
    check: str
    rules: list[RuleAsked]
    note: str
    state: str = Field(description="open, answered, closed or withdrawn")
    opened: datetime
    due: datetime
    overdue: bool
    by: str
    version: int | None
    outcome: str
    answers: list[AnswerOut]
    names: dict[str, str] = Field(description="What those who asked, answered and decided are called")
    may_answer: bool
    may_decide: bool


class CorrectionPage(BaseModel):
    """Requests, newest first."""

    corrections: list[CorrectionOut]
    before: int | None


class RequestIn(BaseModel):
    """What is to be corrected."""

    model_config = ConfigDict(extra="forbid")

    dataset: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
    check: str = Field(max_length=40)
    rules: list[str] = Field(min_length=1, max_length=200)
    note: str = Field(default="", max_length=2_000)
    days: int | None = Field(default=None, ge=1, le=365)


class WordsIn(BaseModel):
    """Words to go with it."""

    model_config = ConfigDict(extra="forbid")

    words: str = Field(default="", max_length=4_000)


class DecisionIn(WordsIn):
    """Whether an explanation is accepted."""

    accept: bool


def _out(city: CityOf, asker: AskerOf, one: corrections.Correction) -> CorrectionOut:
    policies = city.policies.current()
    involved = {one.by, *(answer.by for answer in one.answers)}
    with city.records.read() as session:
        names = access.names_of(session, involved)
    thing = resource_of(one.id, one.department, one.dataset, policies)
    titles = {dataset.id: dataset.title for dataset in city.lake.datasets(asker)}
    title = titles.get(one.dataset)
    waiting = one.state in ("open", "answered")
    plain = {name: getattr(one, name) for name in CorrectionOut.model_fields if hasattr(one, name)}
    rules = [
        RuleAsked(
            id=rule["id"],
            text=_text(rule["text"]),
            rows=rule["rows"],
            remaining=rule["remaining"],
            examples=rule["examples"],
        )
        for rule in one.rules
    ]
    return CorrectionOut(
        **{
            **plain,
            "rules": rules,
            "answers": [AnswerOut(**{n: getattr(a, n) for n in AnswerOut.model_fields}) for a in one.answers],
        },
        title=None if title is None else _text(title.as_json()),
        names=names,
        overdue=waiting and one.due < now_utc(),
        may_answer=waiting and policies.decide(asker, "correction.answer", thing).allowed,
        may_decide=waiting and policies.decide(asker, "correction.manage", CITY).allowed,
    )


def _text(words: dict[str, str]) -> TextOut:
    return TextOut(zh=words["zh"], en=words.get("en") or words["zh"])


@router.get("", summary="Requests for corrections, newest first", dependencies=[filtered("correction.read")])
def list_corrections(
    city: CityOf,
    asker: AskerOf,
    state: Annotated[Literal["open", "closed", "withdrawn"] | None, Query()] = None,
    dataset: Annotated[str | None, Query(max_length=60)] = None,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CorrectionPage:
    """Return the requests that the reader may see."""
    found = corrections.corrections(city, asker, state=state, dataset=dataset, before=before, limit=limit + 1)
    page = found[:limit]
    return CorrectionPage(
        corrections=[_out(city, asker, one) for one in page],
        before=page[-1].id if len(found) > limit else None,
    )


@router.post(
    "",
    summary="Ask a department for corrections",
    status_code=201,
    dependencies=[allowed("correction.manage", CITY)],
)
def ask_for_corrections(city: CityOf, asker: AskerOf, body: Annotated[RequestIn, Body()]) -> CorrectionOut:
    """Make the findings of some rules a request to the department that owns the dataset."""
    made = corrections.request(
        city, asker, body.dataset, body.check, body.rules, note=body.note, days=body.days
    )
    return _out(city, asker, made)


@router.get("/{correction}", summary="One request", dependencies=[allowed("correction.read", of_correction)])
def read_correction(city: CityOf, asker: AskerOf, correction: CorrectionPath) -> CorrectionOut:
    """Return a request with its rules and what was said about it."""
    return _out(city, asker, corrections.correction(city, asker, correction))


@router.post(
    "/{correction}/explanation",
    summary="Answer by an explanation",
    dependencies=[allowed("correction.answer", of_correction)],
)
def explain_correction(
    city: CityOf, asker: AskerOf, correction: CorrectionPath, body: Annotated[WordsIn, Body()]
) -> CorrectionOut:
    """Say why the data is right as it is, or when it will be."""
    return _out(city, asker, corrections.answer(city, asker, correction, words=body.words))


@router.post(
    "/files",
    summary="Answer by a corrected file",
    status_code=202,
    dependencies=[allowed("correction.answer", of_queried)],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def correct_by_file(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    correction: Annotated[int, Query(ge=1, le=2**53)],
    name: Annotated[str, Query(min_length=1, max_length=400)],
) -> JobOut:
    """Take the whole file of the dataset in its corrected form, and load it; its columns must be the same."""
    incoming = await run_in_threadpool(intake.Incoming, city, name)
    try:
        async for chunk in request.stream():
            if chunk:
                await run_in_threadpool(incoming.write, chunk)
        received = await run_in_threadpool(incoming.finish, asker)
    finally:
        await run_in_threadpool(incoming.close)
    return await run_in_threadpool(_load, request, city, asker, correction, received)


def _load(
    request: Request, city: CityOf, asker: AskerOf, correction: int, received: intake.Received
) -> JobOut:
    dataset = corrections.correction(city, asker, correction).dataset
    said = {"id": dataset}
    intake.check_layout(city, received, said, new_layout=False)
    corrections.answer(city, asker, correction, file=received.id)

    def work(job: jobs.Job) -> dict[str, Any]:
        tell, stop = job.listener()

        report = intake.load_file(city, asker, received.id, said, listener=tell, stop=stop)
        return {"source": report.id, "stage": report.stage, "problem": report.problem}

    title = Text(f"载入 {received.name}", f"Load {received.name}")
    job = request.app.state.jobs.start(title, asker.id, work)
    return JobOut(id=job.id, events=f"/api/jobs/{job.id}/events")


@router.post(
    "/{correction}/decision",
    summary="Accept an explanation, or send it back",
    dependencies=[allowed("correction.manage", CITY)],
)
def decide_correction(
    city: CityOf, asker: AskerOf, correction: CorrectionPath, body: Annotated[DecisionIn, Body()]
) -> CorrectionOut:
    """Close a request because its explanation holds, or ask again."""
    return _out(
        city, asker, corrections.decide(city, asker, correction, accept=body.accept, words=body.words)
    )


@router.post(
    "/{correction}/withdrawal",
    summary="Take a request back",
    dependencies=[allowed("correction.manage", CITY)],
)
def withdraw_correction(
    city: CityOf, asker: AskerOf, correction: CorrectionPath, body: Annotated[WordsIn, Body()]
) -> CorrectionOut:
    """Close a request that should not have been made."""
    return _out(city, asker, corrections.withdraw(city, asker, correction, words=body.words))
