"""Photographs of cases: uploaded before a step names them, shown to who may see the case."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from jingwei.cases import policy
from jingwei.cases.photos import MEDIA_TYPE, MOST_BYTES, Photos
from jingwei.web import problems
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES, DeskOf, Number, shows
from jingwei.web.routes.city import CityOf

router = APIRouter(prefix="/cases", tags=["cases"], responses=FAILURES)

UPLOADS = "/api/cases/photos"
"""Where photographs are uploaded: the one address that takes bodies of up to `MOST_BYTES`."""


async def photos_of(request: Request) -> Photos:
    """Return the folder of the photographs."""
    photos: Photos = request.app.state.photos
    return photos


PhotosOf = Annotated[Photos, Depends(photos_of)]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The SHA-256 of the file")]


class PlaceOut(BaseModel):
    """A place in degrees, WGS84."""

    lon: float
    lat: float


class PhotoOut(BaseModel):
    """A photograph as it is kept, and what its file said of itself, which is not kept: a proposal."""

    digest: str = Field(description="SHA-256 of the kept file; steps name the photograph by it")
    width: int
    height: int
    size: int = Field(description="Bytes")
    taken: datetime | None = Field(description="When it was taken, as its file says")
    place: PlaceOut | None = Field(description="Where it was taken, as its file says")


_IMAGE = {"schema": {"type": "string", "format": "binary", "maxLength": MOST_BYTES}}


@router.post(
    "/photos",
    summary="Upload a photograph",
    status_code=201,
    dependencies=[allowed(policy.ATTACH, CITY)],
    responses=problems.responses(413),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/jpeg": _IMAGE, "image/png": _IMAGE, "image/webp": _IMAGE},
        }
    },
)
async def upload_photo(request: Request, city: CityOf, photos: PhotosOf, asker: AskerOf) -> PhotoOut:
    """Take a JPEG, PNG or WebP of at most 16 MiB and 64 million pixels as the body.

    Only its pixels are kept. A step of the same person names it by its digest within a day; after that it is
    removed. The same picture twice is kept once.
    """
    content = await request.body()
    zone = ZoneInfo(city.about.time_zone)
    picture = await run_in_threadpool(photos.keep, city.records, asker, content, zone)
    return PhotoOut(
        digest=picture.digest,
        width=picture.width,
        height=picture.height,
        size=len(picture.full),
        taken=picture.taken,
        place=PlaceOut(lon=picture.place[0], lat=picture.place[1]) if picture.place else None,
    )


@router.get(
    "/{number}/photos/{digest}",
    summary="A photograph of a case",
    response_class=FileResponse,
    dependencies=shows,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}},
)
def read_photo(
    request: Request,
    city: CityOf,
    desk: DeskOf,
    photos: PhotosOf,
    asker: AskerOf,
    number: Number,
    digest: Digest,
    form: Annotated[Literal["full", "small"], Query(description="`small` for lists")] = "full",
) -> Response:
    """Return a photograph that a step of the case names, to who may see the case."""
    with city.records.read() as session:
        desk.get(session, asker, number)
        path = photos.of_case(session, number, digest, form)
    # Each look asks whether it is still allowed; the picture itself comes from the browser's own store.
    etag = f'"{digest}-{form}"'
    headers = {
        "Cache-Control": "private, no-cache",
        "ETag": etag,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type=MEDIA_TYPE, headers=headers)
