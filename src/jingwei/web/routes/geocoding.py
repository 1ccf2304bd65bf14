"""Where addresses are, by the city's own table of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field

from jingwei.web import problems
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf

router = APIRouter(prefix="/geocode", tags=["search"], responses=problems.responses(400, 404, 422))

Address = Annotated[str, Field(max_length=200)]


class GeocodeIn(BaseModel):
    """Addresses to look for."""

    model_config = ConfigDict(extra="forbid")

    addresses: list[Address] = Field(min_length=1, max_length=1_000)
    dataset: str | None = Field(
        default=None, max_length=60, description="The table of addresses, if there are several"
    )


class AlternativeOut(BaseModel):
    """Another address that fits."""

    address: str
    score: float


class AddressOut(BaseModel):
    """Where an address is."""

    text: str
    precision: str = Field(description="building, gate, compound, road, street, district or none")
    score: float = Field(description="0 to 1: the share of what was said that agrees with the table")
    sure: bool = Field(description="Whether it may be taken without a look")
    address: str = Field(description="As the table has it")
    lon: float | None = Field(description="Degrees, WGS84")
    lat: float | None
    alternatives: list[AlternativeOut]


class GeocodeOut(BaseModel):
    """The addresses in the order in which they were asked for."""

    dataset: str = Field(description="The table of addresses by which they were found")
    version: int = Field(description="Its version, for the lineage of what is made of the answer")
    found: list[AddressOut]


@router.post("", summary="Find the places of addresses", dependencies=[filtered("dataset.read")])
def geocode(request: Request, asker: AskerOf, body: Annotated[GeocodeIn, Body()]) -> GeocodeOut:
    """Return the place of each address, how precise and how sure it is, and what else fits."""
    answered = request.app.state.geocoder.find(asker, body.addresses, body.dataset)
    return GeocodeOut(
        dataset=answered.dataset,
        version=answered.version,
        found=[
            AddressOut(
                text=one.text,
                precision=one.precision,
                score=one.score,
                sure=one.sure,
                address=one.address,
                lon=one.lon,
                lat=one.lat,
                alternatives=[AlternativeOut(address=text, score=score) for text, score in one.alternatives],
            )
            for one in answered.found
        ],
    )
