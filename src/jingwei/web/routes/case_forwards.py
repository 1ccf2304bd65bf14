"""Cases that were forwarded to other cities: where to, how they stand there, trying again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from jingwei.cases import forwarding, policy
from jingwei.cases.forwarding import Forwarded
from jingwei.web import problems
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, DeskOf
from jingwei.web.routes.city import CityOf

router = APIRouter(prefix="/cases/forwards", tags=["cases"], responses=problems.responses(400, 403, 404))
manages = [allowed(policy.MANAGE, CITY)]


class ForwardUpdate(BaseModel):
    """Something that the other city told of a case."""

    at: datetime
    status: str
    says: str


class ForwardOut(BaseModel):
    """A case at another city."""

    id: int
    case: str
    to: str
    number: str | None = Field(description="Its number there")
    status: str = Field(description="`open` or `closed` there; empty until it was asked")
    notes: str
    fault: str = Field(description="Why it did not work last; empty where it did")
    sent: datetime | None
    followed: datetime | None
    next: datetime | None = Field(description="When it is taken up again; nothing where it is over")
    updates: list[ForwardUpdate]


class ForwardsOut(BaseModel):
    """A page of what was forwarded, the newest first."""

    forwards: list[ForwardOut]
    next: int | None


def forward_out(one: Forwarded) -> ForwardOut:
    """Return what was forwarded as it is answered."""
    return ForwardOut(
        id=one.id, case=one.case, to=one.to, number=one.number, status=one.status, notes=one.notes,
        fault=one.fault, sent=one.sent, followed=one.followed, next=one.next,
        updates=[
            ForwardUpdate(at=datetime.fromisoformat(said["at"]), status=said["status"], says=said["says"])
            for said in one.updates
        ],
    )  # fmt: skip


@router.get("", summary="What was forwarded to other cities", dependencies=manages)
def list_forwards(
    city: CityOf,
    desk: DeskOf,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ForwardsOut:
    """Return what was forwarded, the newest first."""
    with city.records.read() as session:
        found = forwarding.newest(session, desk.regime(session).settings, before, limit)
    following = found[-1].id if len(found) == limit else None
    return ForwardsOut(forwards=[forward_out(one) for one in found], next=following)


@router.post("/{id}/again", summary="Try again at once", status_code=204, dependencies=manages)
def forward_again(
    city: CityOf,
    asker: AskerOf,
    id: Annotated[int, Path(ge=1, le=2**62)],  # noqa: A002
) -> None:
    """Try again what was given up, or ask anew how it stands."""
    with city.records.write() as session:
        forwarding.again(session, asker, id)
