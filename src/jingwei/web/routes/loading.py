"""Finishing what was held back: the candidates, the decision, the load and its progress."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from jingwei.access import Asker
from jingwei.access.policy import Resource
from jingwei.city import City, decide_system, load_pack, read_manifest
from jingwei.lake.datums import to_wgs84
from jingwei.web import jobs, problems
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.datasets import DatasetPath, of_dataset
from jingwei.words import Text

router = APIRouter(tags=["loading"], responses=problems.responses(400, 403, 404, 409))

Coordinates = list[tuple[float, float]]


class Fit(BaseModel):
    """How well places agree with those of another dataset under one coordinate system."""

    against: str
    matched: int
    misfit: float = Field(description="Metres")


class Candidate(BaseModel):
    """A coordinate system in which the source may be, and where its places would lie."""

    crs: str
    share_inside: float = Field(description="Share of the places inside the city")
    fits: list[Fit]
    points: Coordinates = Field(description="Longitude and latitude, WGS84")


class Candidates(BaseModel):
    """What a held-back source may be."""

    candidates: list[Candidate]


class Decision(BaseModel):
    """A person's word on the coordinate system of a source."""

    model_config = ConfigDict(extra="forbid")

    crs: str = Field(min_length=1, max_length=40, examples=["GCJ-02"])


class JobOut(BaseModel):
    """A piece of long work under way."""

    id: str
    events: str = Field(description="Address of its server-sent events")


@router.get(
    "/datasets/{dataset}/candidates",
    summary="What a held-back source may be",
    dependencies=[allowed("dataset.inspect", of_dataset)],
)
def list_candidates(city: CityOf, asker: AskerOf, dataset: DatasetPath) -> Candidates:
    """Return each candidate with its evidence and a sample of the places it would give."""
    found = city.lake.dataset(asker, dataset)
    evidence = ((found.problem or {}).get("where") or {}).get("evidence") or []
    figures = next((one["figures"] for one in evidence if "sample" in one.get("figures", {})), None)
    if figures is None:
        return Candidates(candidates=[])
    sample = np.array(figures["sample"], np.float64).reshape(-1, 2)
    return Candidates(candidates=[_candidate(one, sample) for one in figures["candidates"]])


def _candidate(figures: dict[str, Any], sample: np.ndarray[Any, Any]) -> Candidate:
    lon, lat = to_wgs84(sample[:, 0], sample[:, 1], figures["datum"])
    points = [(round(float(x), 7), round(float(y), 7)) for x, y in zip(lon, lat, strict=True)]
    fits = [
        Fit(against=fit["against"], matched=fit["matched"], misfit=fit["misfit"])
        for fit in figures.get("fits", [])
        if fit.get("matched")
    ]
    return Candidate(crs=figures["datum"], share_inside=figures["share_inside"], fits=fits, points=points)


@router.post(
    "/datasets/{dataset}/decision",
    summary="Decide, and finish the load",
    status_code=202,
    dependencies=[allowed("dataset.publish", of_dataset)],
)
def decide(
    request: Request, city: CityOf, asker: AskerOf, dataset: DatasetPath, decision: Decision
) -> JobOut:
    """Record the decision, then load the source and those that waited for it."""
    system = decide_system(city, asker, dataset, decision.crs)
    title = Text(f"按 {system} 载入 {dataset}", f"Load {dataset} as {system}")
    job = request.app.state.jobs.start(title, asker.id, lambda job: _load(city, asker, job))
    return JobOut(id=job.id, events=f"/api/jobs/{job.id}/events")


def _load(city: City, asker: Asker, job: jobs.Job) -> dict[str, Any]:
    """Load the pack again: what is loaded already is left as it is."""
    about = city.about
    tell, stop = job.listener()

    pack = FilePath(about.pack)
    report = load_pack(city, read_manifest(pack), pack, FilePath(about.data), asker, listener=tell, stop=stop)
    return {"sources": [{"id": source.id, "stage": source.stage} for source in report.sources]}


JobPath = Annotated[str, Path(max_length=40)]


def of_job(request: Request, job: JobPath) -> Resource:
    """Return the job of a request as policies see it."""
    return Resource("Job", job, {"starter": request.app.state.jobs.get(job).starter})


@router.get(
    "/jobs/{job}/events",
    summary="Progress of a job, live",
    response_class=StreamingResponse,
    dependencies=[allowed("job.follow", of_job)],
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def follow_job(request: Request, job: JobPath) -> StreamingResponse:
    """Send the job as it stands whenever it changes, as server-sent events, until it ends."""
    found = request.app.state.jobs.get(job)
    return StreamingResponse(
        jobs.follow(found, request.app.state.ending),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


@router.post("/jobs/{job}/pause", summary="Pause a job", dependencies=[allowed("job.follow", of_job)])
def pause_job(request: Request, job: JobPath) -> JobOut:
    """Ask a job to wait at its next step; other loads wait with it."""
    found = request.app.state.jobs.get(job)
    found.hold()
    return JobOut(id=found.id, events=f"/api/jobs/{found.id}/events")


@router.post("/jobs/{job}/resume", summary="Let a job go on", dependencies=[allowed("job.follow", of_job)])
def resume_job(request: Request, job: JobPath) -> JobOut:
    """Let a job that was paused go on."""
    found = request.app.state.jobs.get(job)
    found.go_on()
    return JobOut(id=found.id, events=f"/api/jobs/{found.id}/events")


@router.delete(
    "/jobs/{job}",
    summary="Stop a job",
    status_code=202,
    dependencies=[allowed("job.follow", of_job)],
)
def stop_job(request: Request, job: JobPath) -> JobOut:
    """Ask a job to stop; what it had not finished leaves nothing behind."""
    found = request.app.state.jobs.get(job)
    found.wish.set()
    return JobOut(id=found.id, events=f"/api/jobs/{found.id}/events")
