"""The city itself."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from jingwei.access import Asker
from jingwei.city import City, Ground
from jingwei.city.likeness import measured
from jingwei.city.map_services import MapService
from jingwei.lake import Version
from jingwei.web import answers, problems
from jingwei.web.policies import CITY, allowed
from jingwei.web.reader import AskerOf
from jingwei.web.records_out import geometry_of
from jingwei.web.texts import TextOut, text_out

router = APIRouter(
    prefix="/city",
    tags=["city"],
    responses=problems.responses(403, 404),
    dependencies=[allowed("city.read", CITY)],
)


async def city_of(request: Request) -> City:
    """Return the city that this application serves."""
    city: City = request.app.state.city
    return city


CityOf = Annotated[City, Depends(city_of)]


FEW = 2_000
"""Up to this many named shapes are taken for divisions of the city where the pack names no ground."""


class GroundOut(BaseModel):
    """A dataset on the ground of the map."""

    dataset: str
    version: int
    kind: str = Field(description="border, water, green, building, road, rail or line")
    label: bool = Field(description="Whether names are written")


class MapServiceOut(BaseModel):
    """A map service of the city's own, which a reader may choose as the ground of the map."""

    id: str
    title: TextOut
    attribution: TextOut
    crs: str = Field(description="The coordinate system of its content, as the pack states it")
    layers: list[list[str]] = Field(description="Addresses of the tiles of each layer, from the ground up")
    min_zoom: int
    max_zoom: int
    tile_size: int
    problem: TextOut | None = Field(description="Why it cannot be drawn at the moment")


class CityOut(BaseModel):
    """What a city is."""

    id: str
    name: TextOut
    adcode: str = Field(description="Administrative division code of GB/T 2260")
    time_zone: str
    bounds: tuple[float, float, float, float] | None = Field(
        description="West, south, east, north in degrees"
    )
    generated: bool = Field(description="True for a fictional city")
    description: TextOut | None
    ground: list[GroundOut] = Field(description="Datasets of lines and areas that make the base map")
    map_services: list[MapServiceOut]


def ground_of(city: City, asker: Asker) -> list[GroundOut]:
    """Return what the map's ground is drawn from for an asker: what the pack names, else what has names."""
    drawable = {
        one.id: one.version
        for one in city.lake.datasets(asker)
        if one.version and one.version.content.geometry
    }
    named = city.about.ground or [_guess(version) for version in drawable.values() if version.content.name]
    return [
        GroundOut(dataset=one.dataset, version=version.number, kind=one.kind, label=one.label)
        for one in named
        if (version := drawable.get(one.dataset)) is not None
    ]


def _guess(version: Version) -> Ground:
    """Return how named shapes are drawn where the pack says nothing: few as divisions, many thinly."""
    few = version.content.counts.published <= FEW
    return Ground(version.dataset, "border" if few else "line", label=few)


@router.get("", summary="What the city is")
def read_city(city: CityOf, asker: AskerOf) -> CityOut:
    """Return the city's name, code, time zone and bounds."""
    about = city.about
    return CityOut(
        id=about.id,
        name=text_out(about.name),
        adcode=about.adcode,
        time_zone=about.time_zone,
        bounds=about.bounds,
        generated=about.generated,
        description=text_out(about.description) if about.description else None,
        ground=ground_of(city, asker),
        map_services=[_service_out(service) for service in about.map_services],
    )


class LikenessOut(BaseModel):
    """One row of the comparison of a fictional city with real ones."""

    what: TextOut
    source: TextOut = Field(description="The real data")
    real: TextOut
    demo: TextOut
    measure: TextOut = Field(description="How the distance of the two is measured, and what would be equal")
    value: float


@router.get("/likeness", summary="How like real cities a fictional city is")
def read_likeness(city: CityOf) -> list[LikenessOut]:
    """Return what was measured of the demo city beside public data sets; nothing for a real city."""
    rows = measured() if city.about.generated else []
    return [
        LikenessOut(
            what=text_out(row.what),
            source=text_out(row.source),
            real=text_out(row.real),
            demo=text_out(row.demo),
            measure=text_out(row.measure),
            value=row.value,
        )
        for row in rows
    ]


def _service_out(service: MapService) -> MapServiceOut:
    return MapServiceOut(
        id=service.id,
        title=text_out(service.title),
        attribution=text_out(service.attribution),
        crs=service.crs,
        layers=[list(layer) for layer in service.layers],
        min_zoom=service.min_zoom,
        max_zoom=service.max_zoom,
        tile_size=service.tile_size,
        problem=text_out(service.problem) if service.problem else None,
    )


@router.get(
    "/boundary",
    summary="The city's boundary",
    response_class=Response,
    responses={200: {"content": {answers.GEOJSON: {"schema": {"type": "object"}}}}},
)
def read_boundary(city: CityOf, request: Request) -> Response:
    """Return the boundary as GeoJSON, generalised to a four-thousandth of the city, or to about 50 m."""
    about = city.about
    etag = answers.etag_of("", "boundary", about.id, about.bounds)
    if answers.knows(request, etag):
        return answers.not_modified(etag)
    feature: dict[str, Any] = {
        "type": "Feature",
        "properties": {"adcode": about.adcode, "name": about.name.as_json()},
        "geometry": geometry_of(about.boundary) if about.boundary is not None else None,
    }
    return answers.tagged(JSONResponse(feature, media_type=answers.GEOJSON), etag)
