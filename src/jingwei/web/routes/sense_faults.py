"""Sensors at fault: which, by what it is told, and whether it was true."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from jingwei.sense import policy
from jingwei.sense.faults import service
from jingwei.web import problems
from jingwei.web.answers import instant_of, value_of
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.sense_alarms import MarkIn
from jingwei.web.routes.sta import sensing_of
from jingwei.web.texts import TextOut, text_out

router = APIRouter(prefix="/sense/faults", tags=["sense"], responses=problems.responses(403, 404))
reads = [filtered(policy.READ)]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]
Id = Annotated[int | None, Query(ge=1, lt=1 << 62)]


class FaultOut(BaseModel):
    """A sensor at fault, and what tells it."""

    id: int
    stream: int
    stream_name: str
    thing: int
    thing_name: str
    owner: str
    kind: Literal["silent", "stuck", "drifting", "noisy", "implausible"]
    since: str
    until: str | None = Field(description="Null while it lasts")
    found: str = Field(description="When it was noticed")
    evidence: dict[str, float] = Field(description="Numbers that tell it, and `bound`, which they passed")
    says: TextOut
    case: str = Field(description="The case that came of it, or empty")
    mark: str = Field(description="What people found: true, false or empty")


class FaultsOut(BaseModel):
    """A page of faults, the newest first."""

    faults: list[FaultOut]
    before: int | None
    lasting: dict[str, int] = Field(description="How many last, by kind, without those that were false")


class FaultChartOut(BaseModel):
    """A fault and two weeks before it by hours: what the sensor says, and would say by its neighbours."""

    fault: FaultOut
    points: list[tuple[str, float | None, float | None]]


@router.get("", summary="Sensors at fault", dependencies=reads)
def list_sense_faults(
    request: Request,
    asker: AskerOf,
    lasting: Annotated[bool | None, Query(description="Only those that last, or that ended")] = None,
    kind: Annotated[Literal["silent", "stuck", "drifting", "noisy", "implausible"] | None, Query()] = None,
    stream: Id = None,
    thing: Id = None,
    before: Annotated[int | None, Query(ge=1, lt=1 << 62, description="Only with lower numbers")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> FaultsOut:
    """Return the faults of streams that the reader may read, the newest first."""
    sensing = sensing_of(request)
    with sensing.records.read() as session:
        sight = sensing.sight(session, asker)
        found = service.listed(
            session, sight, lasting=lasting, kind=kind, stream=stream, thing=thing, before=before, limit=limit
        )
        lasts = service.counted(session, sight)
    return FaultsOut(
        faults=[_fault(one) for one in found],
        before=found[-1].id if len(found) == limit else None,
        lasting=lasts,
    )


@router.get("/{number}", summary="A sensor at fault, as a chart", dependencies=reads)
def read_sense_fault(request: Request, asker: AskerOf, number: Number) -> FaultChartOut:
    """Return a fault with the hours that tell it."""
    sensing = sensing_of(request)
    with sensing.records.read() as session:
        sight = sensing.sight(session, asker)
        told = service.one(session, sight, number)
        drawn = service.drawn(session, sight, request.app.state.rollups(), told)
    columns = (drawn.start.tolist(), drawn.own.tolist(), drawn.expected.tolist())
    points = [
        (instant_of(at), value_of(own), value_of(other)) for at, own, other in zip(*columns, strict=True)
    ]
    return FaultChartOut(fault=_fault(told), points=points)


@router.post("/{number}/mark", summary="Say whether a fault was true", dependencies=[filtered(policy.WRITE)])
def mark_sense_fault(request: Request, asker: AskerOf, number: Number, body: MarkIn) -> FaultOut:
    """Keep what was found; a fault that was false is none, and is not found again while it lasts."""
    sensing = sensing_of(request)
    with sensing.records.write() as session:
        sight = sensing.sight(session, asker)
        service.mark(session, sight, number, body.mark)
        session.flush()
        return _fault(service.one(session, sight, number))


def _fault(one: service.Told) -> FaultOut:
    return FaultOut(
        id=one.id, stream=one.stream, stream_name=one.stream_name, thing=one.thing, thing_name=one.thing_name,
        owner=one.owner, kind=one.kind, since=instant_of(one.since),  # type: ignore[arg-type]  # one of `KINDS`
        until=None if one.until is None else instant_of(one.until), found=instant_of(one.found),
        evidence=one.evidence, says=text_out(one.says), case=one.case, mark=one.mark,
    )  # fmt: skip
