"""The city itself."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from jingwei.access import Asker
from jingwei.city import City
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


def city_of(request: Request) -> City:
    """Return the city that this application serves."""
    city: City = request.app.state.city
    return city


CityOf = Annotated[City, Depends(city_of)]


class MapService(BaseModel):
    """A map service of the city's own, laid under its layers."""

    title: TextOut
    tiles: str
    attribution: str | None = None


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
    ground: list[str] = Field(description="Datasets of lines and areas that make the base map")


def _ground(city: City, asker: Asker) -> list[str]:
    """Return the datasets whose lines and areas have names: those that people find their way by."""
    return [
        dataset.id
        for dataset in city.lake.datasets(asker)
        if dataset.version is not None and dataset.version.content.geometry and dataset.version.content.name
    ]


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
        ground=_ground(city, asker),
    )


@router.get(
    "/boundary",
    summary="The city's boundary",
    response_class=Response,
    responses={200: {"content": {answers.GEOJSON: {"schema": {"type": "object"}}}}},
)
def read_boundary(city: CityOf, request: Request) -> Response:
    """Return the boundary as GeoJSON, generalised to about 50 m."""
    about = city.about
    etag = answers.etag_of("", "boundary", about.id, about.bounds)
    if answers.knows(request, etag):
        return answers.not_modified(etag)
    feature: dict[str, Any] = {
        "type": "Feature",
        "properties": {"adcode": about.adcode, "name": about.name.as_json()},
        "geometry": geometry_of(about.boundary.simplify(0.0005)) if about.boundary is not None else None,
    }
    return answers.tagged(JSONResponse(feature, media_type=answers.GEOJSON), etag)
