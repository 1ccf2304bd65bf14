"""The areas and types by which the public looks at cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from jingwei.cases import areas, policy
from jingwei.web import problems
from jingwei.web.policies import public
from jingwei.web.routes.case_choice import BoardOf, DeskOf
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.public_cases import Area, Ended
from jingwei.web.routes.public_reports import Latitude, Longitude
from jingwei.web.texts import TextOut, text_or_none, text_out

if TYPE_CHECKING:
    from jingwei.cases.areas import Area as KnownArea

router = APIRouter(prefix="/public", tags=["public"], responses=problems.responses(400, 403, 404, 409, 429))
shows = [public(policy.READ_PUBLIC)]


class AreaOut(BaseModel):
    """A street (nine digits) or community (twelve)."""

    code: str
    name: TextOut | None = Field(description="As the city's settings call it")
    open: int = Field(description="Cases there that are not over; 0 where they are not counted")


class HereOut(BaseModel):
    """In which community a place lies, and in which street that is."""

    community: AreaOut | None
    street: AreaOut | None


class TypeCount(BaseModel):
    """A type of which something was reported, and how often."""

    kind: str
    code: str
    name: TextOut
    count: int


def _out(one: KnownArea) -> AreaOut:
    return AreaOut(code=one.code, name=text_or_none(one.name), open=one.open)


@router.get("/areas", summary="Streets, or the communities of one", dependencies=shows)
def list_public_areas(
    city: CityOf,
    desk: DeskOf,
    board: BoardOf,
    within: Annotated[str, Query(pattern="^([0-9]{9})?$", description="The code of a street")] = "",
) -> list[AreaOut]:
    """Return the streets of the city or the communities of a street, 1,000 at most."""
    with city.records.read() as session:
        return [_out(one) for one in areas.areas(session, desk, board, within)]


@router.get("/areas/here", summary="In which community a place lies", dependencies=shows)
def read_area_here(city: CityOf, desk: DeskOf, lon: Longitude, lat: Latitude) -> HereOut:
    """Return the community and street of a place in degrees, WGS84; nothing where no unit grid holds it."""
    with city.records.read() as session:
        community = areas.area_at(session, desk, lon, lat)
        if community is None:
            return HereOut(community=None, street=None)
        street = areas.area_named(session, desk, community.code[: areas.STREET])
    return HereOut(community=_out(community), street=_out(street))


@router.get("/cases/types", summary="Of which types something was reported", dependencies=shows)
def list_public_types(
    city: CityOf,
    desk: DeskOf,
    board: BoardOf,
    area: Area = "",
    ended: Ended = None,
    limit: Annotated[int, Query(ge=1, le=areas.MOST)] = areas.MOST,
) -> list[TypeCount]:
    """Return the types of an area's cases, the most frequent first."""
    with city.records.read() as session:
        found = areas.kinds(session, desk, board, area, ended=ended, limit=limit)
    return [
        TypeCount(kind=one.kind, code=one.code, name=text_out(one.name), count=one.count) for one in found
    ]
