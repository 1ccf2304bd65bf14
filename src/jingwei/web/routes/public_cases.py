"""What the public is told: lists, a map, figures with their formulas, feeds. Words only as published."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from jingwei.cases import citizens, forwarding, policy
from jingwei.cases import public as the_public
from jingwei.cases.calendar import moment
from jingwei.cases.errors import PhotoUnknownError, UnknownCaseError
from jingwei.cases.photos import MEDIA_TYPE
from jingwei.errors import BadRequestError
from jingwei.web import problems
from jingwei.web.case_feeds import FEEDS, feed_of
from jingwei.web.policies import public
from jingwei.web.reader import LanguageOf
from jingwei.web.routes.case_choice import BoardOf, DeskOf, Number, box_of_text
from jingwei.web.routes.case_photos import PhotosOf
from jingwei.web.routes.cases import CellOut
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_or_none, text_out
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.cases.public import Told

router = APIRouter(prefix="/public", tags=["public"], responses=problems.responses(400, 403, 404, 409, 429))
shows = [public(policy.READ_PUBLIC)]

Area = Annotated[
    str, Query(max_length=15, pattern="^[0-9A-Z]*$", description="The beginning of an area's code")
]
Types = Annotated[list[Annotated[str, Field(pattern="^(component|matter)/[0-9]{5}$")]], Query(max_length=20)]
Ended = Annotated[bool | None, Query(description="Only those that are over, or only those that are not")]
Box = Annotated[str | None, Query(max_length=120, description="west,south,east,north in degrees")]


MOST_CELLS = 10_000
"""Cells of an answer at most: a map shows some hundreds."""


class PublicCase(BaseModel):
    """A case as the public is told of it."""

    number: str
    kind: str
    type: str
    type_name: TextOut
    state: TextOut
    ended: bool
    office: str | None
    area: str
    lon: float | None
    lat: float | None
    reported: datetime
    changed: datetime
    due: datetime | None
    words: str | None = Field(description="What the city published of it in words")


class PublicStep(BaseModel):
    """Something that happened to a case, in plain words."""

    at: datetime
    says: TextOut


class PublicForward(BaseModel):
    """Another city that deals with a case, and how it stands there."""

    to: str
    number: str | None
    status: Literal["", "open", "closed"]


class PublicCaseWhole(PublicCase):
    """A case with what happened to it and the photographs that were published."""

    street_name: TextOut | None
    community_name: TextOut | None
    photos: list[str]
    told: list[PublicStep]
    forwarded: list[PublicForward] = Field(description="To which other cities it went")


class PublicCases(BaseModel):
    """A page of a list, the newest first."""

    cases: list[PublicCase]
    count: int
    next: str | None = Field(description="The mark at which the next page begins")


class PublicFigure(BaseModel):
    """A figure and how it is counted; few cases are not told apart from none."""

    key: str
    name: TextOut
    formula: TextOut
    value: float | None
    unit: Literal["count", "share"]
    fewer: int | None = Field(description="The value is not told, for it is of fewer cases than this")


class PublicArea(BaseModel):
    """An area and its figures."""

    area: str
    name: TextOut | None = Field(description="As the city's settings call it")
    days: int
    figures: list[PublicFigure]


def _out(one: Told) -> PublicCase:
    return PublicCase(
        number=one.number, kind=one.kind, type=one.type, type_name=text_out(one.type_name),
        state=text_out(one.state),
        ended=one.ended, office=one.office, area=one.area, lon=one.lon, lat=one.lat,
        reported=moment(one.reported),
        changed=moment(one.changed), due=moment(one.due) if one.due else None, words=one.words,
    )  # fmt: skip


@router.get("/cases", summary="Cases, as the public is told", dependencies=shows)
def list_public_cases(
    city: CityOf,
    desk: DeskOf,
    board: BoardOf,
    area: Area = "",
    type: Types = [],  # noqa: A002, B006 -- FastAPI copies it
    ended: Ended = None,
    box: Box = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 30,
    after: Annotated[str, Query(max_length=200)] = "",
) -> PublicCases:
    """Return cases of an area and of types, the newest first."""
    choice = the_public.choice(area=area, types=type, ended=ended, box=box_of_text(box))
    with city.records.read() as session:
        told, count, following = the_public.page(session, desk, board, choice, limit=limit, after=after)
    return PublicCases(cases=[_out(one) for one in told], count=count, next=following)


@router.get("/cases/map", summary="How many cases are where", dependencies=shows)
def read_public_map(
    board: BoardOf,
    area: Area = "",
    type: Types = [],  # noqa: A002, B006
    ended: Ended = None,
    box: Box = None,
    level: Annotated[int, Query(ge=1, le=24)] = 16,
) -> list[CellOut]:
    """Return how many cases are in each grid cell of a level, and their mean place."""
    choice = the_public.choice(area=area, types=type, ended=ended, box=box_of_text(box))
    rows = board.cells(policy.STRANGER, choice, level, most=MOST_CELLS + 1).to_pylist()
    if len(rows) > MOST_CELLS:
        raise BadRequestError(
            Text(
                f"格子超过 {MOST_CELLS} 个：请缩小 box 或降低 level",
                f"there are more than {MOST_CELLS} cells: ask for a smaller box or a lower level.",
            ),
            where={"field": "level"},
        )
    return [
        CellOut(cell=str(one["cell"]), count=one["count"], lon=one["lon"], lat=one["lat"]) for one in rows
    ]


@router.get("/figures", summary="Figures of an area, with their formulas", dependencies=shows)
def read_public_figures(
    city: CityOf,
    desk: DeskOf,
    board: BoardOf,
    area: Area = "",
    days: Annotated[int, Query(ge=1, le=366)] = 30,
) -> PublicArea:
    """Return figures of the cases that the public is told of; those of few cases are kept back."""
    with city.records.read() as session:
        settings = desk.regime(session).settings
    least = settings.least_count
    figures = [
        PublicFigure(
            key=one.key, name=text_out(one.name), formula=text_out(one.formula), value=one.value,
            unit=one.unit,
            fewer=least if one.kept_back else None,
        )
        for one in the_public.figures(board, area, days, least)
    ]  # fmt: skip
    name = settings.area_name(area)
    return PublicArea(area=area, name=text_or_none(name), days=days, figures=figures)


@router.get(
    "/feed.{form}",
    summary="A feed of cases by area and type",
    dependencies=shows,
    response_class=Response,
    responses={200: {"content": {one: {"schema": {"type": "string"}} for one in FEEDS.values()}}},
)
def read_public_feed(
    request: Request,
    city: CityOf,
    desk: DeskOf,
    board: BoardOf,
    language: LanguageOf,
    form: Annotated[Literal["atom", "rss"], Path()],
    area: Area = "",
    type: Types = [],  # noqa: A002, B006
    ended: Ended = None,
) -> Response:
    """Return the newest 50 cases as Atom (RFC 4287) or RSS 2.0."""
    choice = the_public.choice(area=area, types=type, ended=ended)
    with city.records.read() as session:
        told = the_public.newest(session, desk, board, choice, limit=50)
    root = str(request.base_url).rstrip("/")
    body = feed_of(
        form,
        told,
        title=city.about.name.in_language(language),
        root=root,
        own=str(request.url),
        language=language,
    )
    return Response(body, media_type=FEEDS[form], headers={"Cache-Control": "public, max-age=60"})


@router.get("/cases/{number}", summary="A case, as the public is told", dependencies=shows)
def read_public_case(city: CityOf, desk: DeskOf, number: Number) -> PublicCaseWhole:
    """Return what the public is told of a case, what happened to it, and its published photographs."""
    with city.records.read() as session:
        case = citizens.public_case(session, desk, number)
        found = the_public.told_of(session, desk, number)
        if case is None or found is None:
            raise UnknownCaseError(number)
        settings = desk.regime(session).settings
        street, community = (settings.area_name(case.area[:digits]) for digits in (9, 12))
        steps = the_public.happened(session, number)
        sent = [one for one in forwarding.of_case(session, settings, number) if one.sent is not None]
    return PublicCaseWhole(
        **_out(found).model_dump(),
        street_name=text_or_none(street), community_name=text_or_none(community),
        photos=list(case.shown),
        told=[PublicStep(at=datetime.fromisoformat(at), says=text_out(says)) for at, says in steps],
        forwarded=[PublicForward(to=one.to, number=one.number, status=one.status) for one in sent],  # type: ignore[arg-type]
    )  # fmt: skip


@router.get(
    "/cases/{number}/photos/{digest}",
    summary="A photograph that was published",
    response_class=FileResponse,
    dependencies=shows,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}},
)
def read_public_photo(
    city: CityOf,
    desk: DeskOf,
    photos: PhotosOf,
    number: Number,
    digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    form: Annotated[Literal["full", "small"], Query()] = "full",
) -> Response:
    """Return a photograph of a case, if somebody of the city published it."""
    with city.records.read() as session:
        case = citizens.public_case(session, desk, number)
        if case is None or digest not in case.shown:
            raise PhotoUnknownError(digest)
        path = photos.of_case(session, number, digest, form)
    return FileResponse(path, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-cache"})
