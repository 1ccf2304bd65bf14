"""The map of the public pages: the ground as far as its datasets are open to everybody, as vector tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from jingwei.access.policy import Decision, RefusedError
from jingwei.cases.policy import STRANGER
from jingwei.lake.views import resource_of
from jingwei.web import problems
from jingwei.web.at_once import at_once
from jingwei.web.policies import public
from jingwei.web.records_out import geometry_of
from jingwei.web.routes.city import CityOf, GroundOut, ground_of
from jingwei.web.routes.datasets import DatasetPath
from jingwei.web.routes.features import TILE, check_tile, seen_of, tile_of
from jingwei.web.tiles import MAX_ZOOM

if TYPE_CHECKING:
    from jingwei.city import City
    from jingwei.lake import Version
    from jingwei.lake.views import View

router = APIRouter(prefix="/public", tags=["public"], responses=problems.responses(400, 403, 404, 409, 429))
shows = [public("city.read")]


class PublicGround(BaseModel):
    """What the ground of the public map is drawn from."""

    ground: list[GroundOut]
    boundary: dict[str, Any] | None


@router.get("/ground", summary="What the ground of the public map is drawn from", dependencies=shows)
def read_public_ground(city: CityOf) -> PublicGround:
    """Return the city's outline, and those of its ground's datasets that are open to everybody."""
    about = city.about
    ground = [one for one in ground_of(city, STRANGER) if _decided(city, one.dataset).allowed]
    boundary = None
    if about.boundary is not None:
        geometry = geometry_of(about.boundary)
        boundary = {"type": "Feature", "properties": {}, "geometry": geometry}
    return PublicGround(ground=ground, boundary=boundary)


@router.get(
    "/tiles/{dataset}/{z}/{x}/{y}",
    summary="A vector tile of the public map's ground",
    response_class=Response,
    responses=TILE,
    dependencies=shows,
)
async def read_public_tile(
    request: Request,
    city: CityOf,
    dataset: DatasetPath,
    z: Annotated[int, Path(ge=0, le=MAX_ZOOM)],
    x: Annotated[int, Path(ge=0, lt=1 << MAX_ZOOM)],
    y: Annotated[int, Path(ge=0, lt=1 << MAX_ZOOM)],
) -> Response:
    """Return a Mapbox Vector Tile of a dataset, as the policies show it to a stranger."""
    check_tile(z, x, y)
    view, version = await at_once(city.records, _open_view, city, dataset)
    return await tile_of(request, STRANGER, view, version, z, x, y)


def _open_view(city: City, dataset: str) -> tuple[View, Version]:
    decision = _decided(city, dataset)
    if not decision.allowed:
        raise RefusedError("dataset.read", decision)
    return seen_of(city, STRANGER, dataset)


def _decided(city: City, dataset: str) -> Decision:
    policies = city.policies.current()
    return policies.decide(
        STRANGER, "dataset.read", resource_of(city.lake.dataset(STRANGER, dataset), policies)
    )
