"""Objects by the identifiers they bear: what they are, what became of them, and their label."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from jingwei import grid, ledger, registry
from jingwei.access import Asker
from jingwei.access.policy import Resource
from jingwei.access.policy.masks import coarsened
from jingwei.city import City
from jingwei.lake.errors import UnknownDatasetError
from jingwei.registry.labels import label
from jingwei.web import problems
from jingwei.web.answers import value_of
from jingwei.web.policies import CITY, allowed, policies_of
from jingwei.web.reader import AskerOf
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Text

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


class DatasetRef(BaseModel):
    """A dataset by name."""

    id: str
    title: TextOut


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
    code: str | None = Field(description="The GeoSOT code of the cell")
    dataset: DatasetRef | None = Field(description="The dataset that names the object by its own keys")


class ResolutionOut(BaseModel):
    """What an identifier stands for today."""

    object: ObjectOut
    current: list[ObjectOut] = Field(description="The object itself, or what took its place")


class ChangeOut(BaseModel):
    """Something that happened to an object."""

    type: str
    says: TextOut
    time: datetime
    actor: str | None = Field(description="Who did it; only for those who read the log")
    data: dict[str, Any] | None


issuing = APIRouter(prefix="/objects", tags=["objects"], responses=problems.responses(400, 403))


class NewObjectIn(BaseModel):
    """An object to be named."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(min_length=1, max_length=400, description="How its owner knows it")
    title: str = Field(default="", max_length=400)


class NewObjectsIn(BaseModel):
    """Objects of one owner and kind, to be named together."""

    model_config = ConfigDict(extra="forbid")

    owner: str = Field(min_length=1, max_length=120)
    kind: str = Field(min_length=1, max_length=80)
    objects: list[NewObjectIn] = Field(min_length=1, max_length=10_000)


class IssuedOut(BaseModel):
    """The identifiers, in the order of what was asked for."""

    identifiers: list[str]


@issuing.post(
    "",
    summary="Issue identifiers by table",
    status_code=201,
    dependencies=[allowed("object.manage", CITY)],
)
def issue_objects(city: CityOf, asker: AskerOf, given: NewObjectsIn) -> IssuedOut:
    """Return an identifier for each object; one that its owner has named before keeps its identifier."""
    table = pa.table(
        {"key": [one.key for one in given.objects], "title": [one.title for one in given.objects]}
    )
    with city.records.write() as session:
        issued = registry.issue_table(session, asker, table, owner=given.owner, kind=given.kind)
    return IssuedOut(identifiers=issued.to_pylist())


@router.get("/{identifier}", summary="What an identifier stands for")
def read_object(city: CityOf, asker: AskerOf, identifier: Identifier) -> ResolutionOut:
    """Return the object and, where it was split, merged or retired, what took its place."""
    known = registry.parse_identifier(identifier)
    with city.records.read() as session:
        found = registry.resolve(session, known)
    policies = city.policies.current()
    current = [
        one
        for one in found.current
        if policies.decide(asker, "object.read", resource_of_object(city, one)).allowed
    ]
    return ResolutionOut(
        object=_object_out(city, asker, found.object),
        current=[_object_out(city, asker, one) for one in current],
    )


@router.get("/{identifier}/history", summary="What happened to an object")
def read_history(request: Request, city: CityOf, asker: AskerOf, identifier: Identifier) -> list[ChangeOut]:
    """Return the newest hundred events of an object, newest first."""
    known = registry.parse_identifier(identifier)
    with city.records.read() as session:
        registry.get(session, known)
        told = registry.history(session, known)
    reads_log = policies_of(request).decide(asker, "log.read", Resource("Log")).allowed
    said = {kind.name: kind.says for kind in ledger.event_types()}
    return [
        ChangeOut(
            type=one["type"],
            says=text_out(said.get(one["type"], Text(one["type"], one["type"]))),
            time=one["time"],
            actor=one["actor"] if reads_log else None,
            data=value_of(_without_places(one["data"])) if one["data"] is not None else None,
        )
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


def _without_places(data: dict[str, Any]) -> dict[str, Any]:
    """Return what an event tells but for former places, which no view coarsens."""
    return {name: value for name, value in data.items() if name not in ("cell", "level")}


def _object_out(city: City, asker: Asker, thing: registry.Object) -> ObjectOut:
    """Return an object as the asker is shown it: its place as finely as the dataset's places are."""
    dataset = registry.dataset_of(thing)
    title = None
    placed = thing.cell, thing.level
    if dataset is not None:
        try:
            found = city.lake.dataset(asker, dataset)
            title = DatasetRef(id=dataset, title=text_out(found.title))
            level = found.view.place_level if found.view else 0
        except UnknownDatasetError:
            level = 0
        coarse = None
        if thing.cell is not None and thing.level is not None:
            coarse = coarsened(thing.cell, thing.level, level)
        placed = coarse or (None, None)
    cell, at = placed
    code = grid.Cell(grid.from_stored(cell), at).geosot if cell is not None and at is not None else None
    return ObjectOut(
        id=thing.id,
        kind=thing.kind,
        owner=thing.owner,
        title=thing.title,
        state=thing.state,
        created=thing.created,
        valid_from=thing.valid_from,
        valid_to=thing.valid_to,
        cell=None if cell is None else str(cell),
        level=at,
        code=code,
        dataset=title,
    )
