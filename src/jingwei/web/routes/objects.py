"""Objects by the identifiers they bear: what they are, what became of them, and their label."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from jingwei import registry
from jingwei.access.policy import Resource
from jingwei.city import City
from jingwei.registry.labels import label
from jingwei.web import problems
from jingwei.web.answers import value_of
from jingwei.web.policies import allowed
from jingwei.web.routes.city import CityOf

Identifier = Annotated[str, Path(max_length=40, examples=["7Q2K-9M4T-1BXA-5"])]


def of_object(city: CityOf, identifier: Identifier) -> Resource:
    """Return the object of a request as policies see it: by the dataset or the department that it is of."""
    known = registry.parse_identifier(identifier)
    with city.records.read() as session:
        return resource_of_object(city, registry.get(session, known))


def resource_of_object(city: City, thing: registry.Object) -> Resource:
    """Return an object as policies see it."""
    attributes: dict[str, Any] = {"kind": thing.kind}
    dataset = registry.dataset_of(thing)
    if dataset is not None:
        found = city.lake.resource(dataset)
        # What is left of a dataset that nobody knows any more is shown to nobody but who may see all.
        attributes |= {"dataset": dataset} | dict(found.attributes if found else {})
    else:
        code = city.policies.current().department(thing.owner)
        attributes |= {"owner": code} if city.policies.current().knows(code) else {}
    return Resource("Object", thing.id, attributes)


router = APIRouter(
    prefix="/objects",
    tags=["objects"],
    responses=problems.responses(400, 403, 404),
    dependencies=[allowed("object.read", of_object)],
)


class ObjectOut(BaseModel):
    """An object as it is registered."""

    id: str
    kind: str
    owner: str
    title: str
    state: str
    created: datetime
    valid_from: datetime | None
    valid_to: datetime | None
    cell: str | None = Field(description="The stored grid code, as text")
    level: int | None


class ResolutionOut(BaseModel):
    """What an identifier stands for today."""

    object: ObjectOut
    current: list[ObjectOut] = Field(description="The object itself, or what took its place")


class ChangeOut(BaseModel):
    """Something that happened to an object."""

    type: str
    time: datetime
    actor: str | None
    data: dict[str, Any] | None


@router.get("/{identifier}", summary="What an identifier stands for")
def read_object(city: CityOf, identifier: Identifier) -> ResolutionOut:
    """Return the object and, where it was split, merged or retired, what took its place."""
    known = registry.parse_identifier(identifier)
    with city.records.read() as session:
        found = registry.resolve(session, known)
    return ResolutionOut(
        object=_object_out(found.object), current=[_object_out(one) for one in found.current]
    )


@router.get("/{identifier}/history", summary="What happened to an object")
def read_history(city: CityOf, identifier: Identifier) -> list[ChangeOut]:
    """Return the newest hundred events of an object, newest first."""
    known = registry.parse_identifier(identifier)
    with city.records.read() as session:
        registry.get(session, known)
        told = registry.history(session, known)
    return [
        ChangeOut(type=one["type"], time=one["time"], actor=one["actor"], data=value_of(one["data"]))
        for one in told
    ]


@router.get(
    "/{identifier}/label",
    summary="A label with a QR code",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}},
)
def read_label(city: CityOf, identifier: Identifier, request: Request) -> Response:
    """Return a label of 90 by 40 mm as SVG; its code opens the object's page."""
    known = registry.parse_identifier(identifier)
    with city.records.read() as session:
        thing = registry.get(session, known)
    page = str(request.base_url.replace(path=f"/objects/{known}", query=""))
    return Response(label(thing, page), media_type="image/svg+xml")


def _object_out(thing: registry.Object) -> ObjectOut:
    return ObjectOut(
        id=thing.id,
        kind=thing.kind,
        owner=thing.owner,
        title=thing.title,
        state=thing.state,
        created=thing.created,
        valid_from=thing.valid_from,
        valid_to=thing.valid_to,
        cell=None if thing.cell is None else str(thing.cell),
        level=thing.level,
    )
