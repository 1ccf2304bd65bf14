"""Open data of cases for everybody: what it is, its contract, and the whole of it as a file."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse, PlainTextResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from jingwei.cases.open_data import DATASET
from jingwei.cases.policy import STRANGER
from jingwei.lake import contracting
from jingwei.lake.errors import UnknownDatasetError
from jingwei.lake.export import export_dataset
from jingwei.web import problems, stopping
from jingwei.web.policies import public
from jingwei.web.rates import address_of
from jingwei.web.reader import GateOf
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.contracts import odcs_of
from jingwei.web.texts import TextOut, text_out

router = APIRouter(prefix="/public", tags=["public"], responses=problems.responses(403, 404, 409, 429))
shows = [public("dataset.export")]

FORMS = {"csv": "text/csv", "geojson": "application/geo+json", "parquet": "application/vnd.apache.parquet"}


class OpenData(BaseModel):
    """The newest version of the open data."""

    title: TextOut
    version: int
    published: datetime
    rows: int
    forms: list[str] = Field(description="Forms in which it can be had")


@router.get("/open-data", summary="The open data of cases", dependencies=shows)
def read_open_data(city: CityOf) -> OpenData:
    """Return which version of the open data of cases there is, where the city publishes them."""
    city.lake.check(STRANGER, "export", DATASET)
    found = city.lake.dataset(STRANGER, DATASET)
    if found.version is None:
        raise UnknownDatasetError(DATASET, [])
    return OpenData(
        title=text_out(found.title), version=found.version.number, published=found.version.published,
        rows=found.version.content.counts.published, forms=list(FORMS),
    )  # fmt: skip


@router.get(
    "/open-data/contract",
    summary="What the open data are agreed to hold",
    dependencies=shows,
    response_class=PlainTextResponse,
    responses={200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}},
)
def read_open_data_contract(city: CityOf) -> PlainTextResponse:
    """Return the contract as an Open Data Contract Standard document (YAML)."""
    city.lake.check(STRANGER, "export", DATASET)
    with city.records.read() as session:
        agreed = contracting.in_force(session, DATASET)
    if agreed is None:
        raise UnknownDatasetError(DATASET, [])
    return odcs_of(city, DATASET, agreed)


@router.get(
    "/open-data.{form}",
    summary="The open data of cases as a file",
    dependencies=shows,
    response_class=FileResponse,
    responses={200: {"content": {one: {"schema": {"type": "string"}} for one in FORMS.values()}}},
)
async def download_open_data(
    request: Request,
    city: CityOf,
    gate: GateOf,
    form: Annotated[Literal["csv", "geojson", "parquet"], Path()],
) -> FileResponse:
    """Return the newest version whole; it is asked for at a rate, for it may be large."""
    if not gate.entry.open:
        gate.rates.count("downloads by address", address_of(request))
    folder = tempfile.mkdtemp(prefix="jingwei-open-data-")
    path = FilePath(folder) / f"{DATASET}.{form}"
    clean = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    try:
        city.lake.check(STRANGER, "export", DATASET)
        await stopping.run(
            request, lambda: export_dataset(city.lake, STRANGER, DATASET, path, form=form, noted=False)
        )
    except BaseException:
        await clean()
        raise
    return FileResponse(path, media_type=FORMS[form], filename=path.name, background=clean)
