"""Reporting without an account, and following it: who has a report's secret is its reporter."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import shapely
from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from jingwei import access
from jingwei.cases import barring, citizens, duplicates, open_data, plain, policy, proposing, timeline
from jingwei.cases.calendar import DAY, instant, moment
from jingwei.cases.case import Case
from jingwei.cases.citizens import CitizenReport, Contact
from jingwei.cases.field import done_at
from jingwei.cases.guards import Attempt, hindrance
from jingwei.cases.lifecycle import TRANSITIONS
from jingwei.cases.photos import MEDIA_TYPE, MOST_BYTES
from jingwei.cases.schemas import Report
from jingwei.cases.words import LONGEST
from jingwei.records import now_utc
from jingwei.web import problems
from jingwei.web.policies import public
from jingwei.web.rates import address_of
from jingwei.web.reader import GateOf, LanguageOf
from jingwei.web.routes.case_choice import BoardOf, DeskOf
from jingwei.web.routes.case_photos import PhotoOut, PhotosOf, PlaceOut
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.cases import Desk
    from jingwei.city import City
    from jingwei.web.gate import Gate
    from jingwei.web.proof import Stamps

router = APIRouter(prefix="/public", tags=["public"], responses=problems.responses(400, 403, 404, 409, 429))

UPLOADS = "/api/public/photos"
shows = [public(policy.READ_PUBLIC)]
hears = [public(policy.ATTACH)]
"""Who may add photographs to reports may report; the desk asks the policies about the very report."""

Secret = Annotated[
    str, Header(alias="Jingwei-Report", max_length=80, description="The report's secret, or its code")
]
Longitude = Annotated[float, Query(ge=-180, le=180)]
Latitude = Annotated[float, Query(ge=-85, le=85)]
Short = Annotated[str, Field(max_length=200)]


class TypeOut(BaseModel):
    """A type that something may be of."""

    kind: str
    code: str
    name: TextOut
    major: TextOut
    why: TextOut | None = None


class PublicCity(BaseModel):
    """What the page of a report needs to know."""

    name: TextOut
    zone: str
    bounds: tuple[float, float, float, float] | None
    generated: bool = Field(description="Whether the city is fictional")
    message: TextOut | None = Field(description="What the city has to say at once")
    types: list[TypeOut] = Field(description="Offered before a word is written")
    open_data: bool = Field(description="Whether all cases can be had as a file")
    sign_in: TextOut | None = Field(description="The account elsewhere by which one may enter one's own")
    channels: list[str] = Field(description="By what reporters can be told: `email`, `sms`, `wechat`")
    most_bytes: int
    longest: int


class StampOut(BaseModel):
    """What the proof of work is done on: SHA-256 of `stamp:secret:nonce` begins with `bits` zero bits."""

    stamp: str
    bits: int


class NearOut(BaseModel):
    """A report that may be of the same thing."""

    number: str
    type: TextOut
    state: TextOut
    metres: float
    reported: datetime
    words: str | None


class AroundOut(BaseModel):
    """What a report at a place may be of, and what was reported there already."""

    types: list[TypeOut]
    near: list[NearOut]


class ContactIn(BaseModel):
    """How a reporter wants to be told, and of what."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, Field(max_length=254)] = ""
    sms: Annotated[str, Field(max_length=20)] = ""
    wechat: Annotated[str, Field(max_length=120)] = ""
    wishes: Annotated[list[Literal["received", "progress", "done"]], Field(max_length=3)] = []

    def contact(self) -> Contact:
        """Return it as cases know it."""
        return Contact(self.email.strip(), self.sms.strip(), self.wechat.strip(), tuple(self.wishes))


class ReportIn(BaseModel):
    """A report without an account. The place is degrees, WGS84."""

    model_config = ConfigDict(extra="forbid")

    secret: Annotated[
        str, Field(pattern="^[0-9a-f]{32,64}$", description="Made by the telephone; once for each report")
    ]
    stamp: Annotated[str, Field(max_length=80)]
    nonce: Annotated[str, Field(max_length=40)]
    kind: Literal["component", "matter"]
    type: Annotated[str, Field(max_length=5)]
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-85, le=85, allow_inf_nan=False)
    description: Annotated[str, Field(max_length=LONGEST)] = ""
    photos: Annotated[list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]], Field(max_length=6)] = []
    at: AwareDatetime | None = Field(default=None, description="When it was written, for what was sent later")
    join: Annotated[str, Field(max_length=40, description="A case that this is the same as")] = ""
    private: bool = Field(default=False, description="Keep it from the public")
    contact: ContactIn = ContactIn()


class StepIn(BaseModel):
    """Something that a reporter does with the own report."""

    model_config = ConfigDict(extra="forbid")

    action: Annotated[str, Field(max_length=20)]
    fields: dict[str, Any] = {}
    seen: int | None = None


class ToldOut(BaseModel):
    """Something that happened, in plain words."""

    at: datetime
    says: TextOut
    words: str | None
    photos: list[str]


class MayOut(BaseModel):
    """Something that the reporter may do now; `hindered` says why not yet."""

    action: str
    hindered: TextOut | None


class FollowOut(BaseModel):
    """A report as its reporter sees it."""

    number: str
    code: str | None = Field(description="To follow it without the link; told when it is reported")
    step: int
    main: str | None = Field(description="The case with which it is dealt")
    type: TextOut
    kind: str
    type_code: str
    state: str
    title: TextOut
    meaning: TextOut
    office: TextOut
    due: datetime | None = Field(description="When this should be done")
    late: bool
    ended: bool
    disputed: int
    description: str
    lon: float | None
    lat: float | None
    area: str
    hidden: bool
    rated: int | None
    others: int = Field(description="How many more reported the same")
    told: list[ToldOut]
    may: list[MayOut]
    contact: ContactIn


@router.get("/city", summary="What a report needs to know of the city", dependencies=shows)
def read_public_city(
    request: Request, city: CityOf, desk: DeskOf, board: BoardOf, gate: GateOf
) -> PublicCity:
    """Return the city's name, zone and bounds, what it has to say, and the types reported most."""
    about = city.about
    with city.records.read() as session:
        regime = desk.regime(session)
        published = open_data.published_at(session) is not None
    types = proposing.offered(board, regime, instant(now_utc()) - proposing.FREQUENT_DAYS * DAY)
    message = regime.settings.message(now_utc())
    return PublicCity(
        name=text_out(about.name), zone=about.time_zone, bounds=about.bounds, generated=about.generated,
        message=text_out(message) if message else None, open_data=published,
        types=[_type_out(one) for one in types], channels=request.app.state.channels,
        most_bytes=MOST_BYTES, longest=LONGEST,
        sign_in=text_out(gate.citizens.settings.title.model_dump()) if gate.citizens else None,
    )  # fmt: skip


def _type_out(one: Any, why: Text | None = None) -> TypeOut:
    return TypeOut(
        kind=one.kind, code=one.code, name=text_out(one.name), major=text_out(one.major),
        why=text_out(why) if why else None,
    )  # fmt: skip


@router.get("/stamp", summary="What the proof of work is done on", dependencies=hears)
def read_stamp(request: Request, gate: GateOf) -> StampOut:
    """Return a stamp; the more reports came from one address within the hour, the more work it asks for."""
    stamps: Stamps = request.app.state.stamps
    stamp, bits = stamps.give(gate.rates.counted("reports by address", address_of(request)))
    return StampOut(stamp=stamp, bits=bits)


@router.get(
    "/around", summary="What a report may be of, and what was reported there already", dependencies=shows
)
def read_public_around(
    city: CityOf,
    desk: DeskOf,
    words: Annotated[str, Query(max_length=400)] = "",
    lon: Longitude | None = None,
    lat: Latitude | None = None,
    kind: Annotated[str, Query(max_length=10)] = "",
    type: Annotated[str, Query(max_length=5)] = "",  # noqa: A002
) -> AroundOut:
    """Return types proposed from words and place, and open reports nearby that may be of the same.

    Raises
    ------
    ElsewhereError
        Where the place is another city's; whose, is told.

    """
    place = (lon, lat) if lon is not None and lat is not None else None
    with city.records.read() as session:
        regime = desk.regime(session)
        if place is not None:
            citizens.check_place(regime.settings, desk.ground(session), *place, outline_of(city))
        types = proposing.types_for(session, regime, words, place)
        about = Report(kind, type, "public", words, *(place or (None, None)))
        alike = duplicates.proposals(session, regime, about, at=now_utc())
        near = [out for one in alike if (out := _near_out(session, desk, one)) is not None]
    return AroundOut(types=[_type_out(one.type, one.why) for one in types], near=near)


def _near_out(session: Session, desk: Desk, one: duplicates.Proposal) -> NearOut | None:
    """Return a report nearby as the public may know it; None where it is over, or not for the public."""
    case = citizens.public_case(session, desk, one.number)
    if case is None or case.stands.terminal:
        return None
    type_ = desk.regime(session).catalogue.get(case.kind, case.type)
    return NearOut(
        number=case.number, type=text_out(type_.name), state=text_out(plain.says(case.state)["title"]),
        metres=one.metres, reported=moment(min(case.at.values())), words=public_words(session, case),
    )  # fmt: skip


def public_words(session: Session, case: Case) -> str | None:
    """Return what the public is told of a case in words: what somebody of the city published."""
    if not case.published:
        return None
    from jingwei.cases.words import words_of

    return words_of(session, case.number).get((case.published, "words"))


@router.post(
    "/photos",
    summary="Upload a photograph for a report",
    status_code=201,
    dependencies=hears,
    responses=problems.responses(413),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                name: {"schema": {"type": "string", "format": "binary", "maxLength": MOST_BYTES}}
                for name in ("image/jpeg", "image/png", "image/webp")
            },
        }
    },
)
async def upload_public_photo(
    request: Request, city: CityOf, photos: PhotosOf, gate: GateOf, secret: Secret
) -> PhotoOut:
    """Take a photograph for the report with this secret; nothing but its pixels is kept.

    When and where it was taken, by its file, is told once as a proposal.
    """
    asker = await run_in_threadpool(_uploader, city, secret)
    _count(gate, request, "reports by address")
    content = await request.body()
    picture = await run_in_threadpool(photos.keep, city.records, asker, content, city.about.zone)
    return PhotoOut(
        digest=picture.digest, width=picture.width, height=picture.height, size=len(picture.full),
        taken=picture.taken,
        place=PlaceOut(lon=picture.place[0], lat=picture.place[1]) if picture.place else None,
    )  # fmt: skip


def _uploader(city: City, secret: str) -> Asker:
    """Return who adds a photograph: whose the secret is, new or known, or whose the code."""
    if citizens.SECRET.fullmatch(secret):
        return citizens.reporter_of(secret)
    with city.records.read() as session:
        return citizens.follow(session, secret)[1]


@router.post("/reports", summary="Report without an account", status_code=201, dependencies=hears)
def report_in_public(
    request: Request, city: CityOf, desk: DeskOf, gate: GateOf, language: LanguageOf, body: ReportIn
) -> FollowOut:
    """Take in a report, once for each secret: sent again, because its answer was lost, it changes nothing."""
    stamps: Stamps = request.app.state.stamps
    stamps.check(body.stamp, body.secret, body.nonce)
    _count(gate, request, "reports by address")
    given = CitizenReport(
        secret=body.secret, kind=body.kind, type=body.type, lon=body.lon, lat=body.lat,
        description=body.description, photos=tuple(body.photos), at=done_at("report", body.at),
        join=body.join, private=body.private, language=language, contact=body.contact.contact(),
    )  # fmt: skip
    marks = barring.marks_of(gate.vault.digest, given.contact, address_of(request))
    with city.records.write() as session:
        barring.check(session, desk.regime(session).settings, marks)
        case, asker = citizens.take_in(session, desk, given, boundary=outline_of(city))
        barring.note(session, case.number, marks)
    return _follow_out(city, desk, case, asker, body.secret)


@router.get("/reports/mine", summary="One's own report", dependencies=hears)
def read_own_report(request: Request, city: CityOf, desk: DeskOf, gate: GateOf, secret: Secret) -> FollowOut:
    """Return what became of a report, to who has its secret or its code."""
    case, asker = _known(request, city, gate, secret)
    return _follow_out(city, desk, case, asker, secret)


@router.post("/reports/mine/steps", summary="Do something with one's own report", dependencies=hears)
def act_on_own_report(
    request: Request, city: CityOf, desk: DeskOf, gate: GateOf, secret: Secret, body: StepIn
) -> FollowOut:
    """Add, correct, hide personal data, withdraw, rate, or say that it is not fixed."""
    _known(request, city, gate, secret)
    with city.records.write() as session:
        citizens.act(session, desk, secret, body.action, body.fields, seen=body.seen)
        case, asker = citizens.follow(session, secret)
    return _follow_out(city, desk, case, asker, secret)


@router.put("/reports/mine/contact", summary="How one is told", dependencies=hears)
def set_own_contact(
    request: Request, city: CityOf, desk: DeskOf, gate: GateOf, secret: Secret, body: ContactIn
) -> FollowOut:
    """Keep by what and of what the reporter wants to be told from now on; nothing at all if empty."""
    case, asker = _known(request, city, gate, secret)
    with city.records.write() as session:
        citizens.set_contact(session, secret, body.contact())
    return _follow_out(city, desk, case, asker, secret)


@router.get(
    "/reports/mine/photos/{digest}",
    summary="A photograph of one's own report",
    response_class=FileResponse,
    dependencies=hears,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}},
)
def read_own_photo(
    request: Request,
    city: CityOf,
    photos: PhotosOf,
    gate: GateOf,
    secret: Secret,
    digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    form: Annotated[Literal["full", "small"], Query()] = "small",
) -> Response:
    """Return a photograph of the report, or of the work that was done on it."""
    case, _ = _known(request, city, gate, secret)
    with city.records.read() as session:
        main = citizens.main_of(session, case)
        mine = {one for _, shown in _shown_photos(session, case, main) for one in shown}
        number = (
            main.number if digest in mine and photos.belongs(session, main.number, digest) else case.number
        )
        path = photos.of_case(session, number, digest if digest in mine else "0" * 64, form)
    return FileResponse(path, media_type=MEDIA_TYPE, headers={"Cache-Control": "private, no-store"})


# what the routes share


def _count(gate: Gate, request: Request, what: str) -> None:
    if not gate.entry.open:
        gate.rates.count(what, address_of(request))


def _known(request: Request, city: City, gate: Gate, secret: str) -> tuple[Case, Asker]:
    if not citizens.SECRET.fullmatch(secret):  # a code is short enough to be guessed by who asks often
        _count(gate, request, "codes by address")
    with city.records.read() as session:
        return citizens.follow(session, secret)


def outline_of(city: City) -> Any:
    """Return the outline within which places are the city's, where it has no grids."""
    about = city.about
    if about.boundary is not None:
        return about.boundary
    return shapely.box(*about.bounds) if about.bounds else None


def _shown_photos(session: Session, case: Case, main: Case) -> list[tuple[int, list[str]]]:
    """Return the photographs that a reporter sees, by their time: the own ones, and the result's."""
    found = []
    for one in {case.number: case, main.number: main}.values():
        mine = one.number == case.number
        for event in timeline(session, one.number):
            name = event.type.removeprefix("case.")
            if name == "submitted" or (mine and name in ("reported", "supplemented", "reopened")):
                found.append((instant(datetime.fromisoformat(event.at)), list(event.data.get("photos", ()))))
    return found


def _follow_out(city: City, desk: Desk, case: Case, asker: Asker, secret: str) -> FollowOut:
    now = now_utc()
    with city.records.read() as session:
        regime = desk.regime(session)
        main = citizens.main_of(session, case)
        joined = main.number != case.number
        titles = access.titles_of(session, [main.department] if main.department else [])
        told = _told(session, case, main)
        said = [one.words for one in told if one.words is not None and one.says.en in _OWN_WORDS]
        contact = citizens.contact_of(session, secret)
        may = _may(desk, regime, asker, case, main, now)
    type_ = regime.catalogue.get(main.kind, main.type)
    words = plain.says(main.state)
    turn = main.current if main.stands.stage == "handle" else main.last_turn("overall")
    due = None if turn is None or main.stands.terminal else moment(turn.due(regime.calendar))
    office = titles.get(main.department or "")
    lon, lat = duplicates.place_of(case) or (None, None)
    return FollowOut(
        number=case.number, step=case.step, main=main.number if joined else None,
        code=citizens.code_of(secret) if citizens.SECRET.fullmatch(secret) else None,
        type=text_out(type_.name), kind=main.kind, type_code=main.type, state=main.state,
        title=text_out(words["title"]), meaning=text_out(words["meaning"]),
        office=text_out(Text(office, office) if office else _DESK), due=due,
        late=due is not None and due < now, ended=main.stands.terminal, disputed=main.disputed,
        description=said[-1] if said else "", lon=lon, lat=lat, area=case.area, hidden=bool(case.hidden),
        rated=main.result_score, others=len(main.others) - joined, told=told, may=may,
        contact=ContactIn(
            email=contact.email, sms=contact.sms, wechat=contact.wechat, wishes=list(contact.wishes)  # type: ignore[arg-type]
        ),
    )  # fmt: skip


_DESK = Text("城市管理受理中心", "the city's case desk")
_OWN_WORDS = {plain.HAPPENED[name].en for name in ("reported", "corrected", "redacted")}


def _told(session: Session, case: Case, main: Case) -> list[ToldOut]:
    """Return what happened to a report and to the case that it joined, in the order of time."""
    told = []
    for one in {case.number: case, main.number: main}.values():
        mine = one.number == case.number
        for event in timeline(session, one.number):
            name = event.type.removeprefix("case.")
            own = name in (
                "reported",
                "supplemented",
                "corrected",
                "redacted",
                "hidden",
                "reopened",
                "evaluated",
            )
            if name not in plain.HAPPENED or (own and not mine and name != "reopened"):
                continue
            words = event.words.get(plain.TOLD_WORDS.get(name, "")) if mine or not own else None
            shown = name in ("reported", "supplemented", "reopened", "submitted") and (
                mine or name == "submitted"
            )
            told.append(
                ToldOut(
                    at=datetime.fromisoformat(event.at), says=text_out(plain.HAPPENED[name]), words=words,
                    photos=event.data.get("photos", []) if shown else [],
                )
            )  # fmt: skip
    return sorted(told, key=lambda one: one.at)


def _may(desk: Desk, regime: Any, asker: Asker, case: Case, main: Case, now: datetime) -> list[MayOut]:
    """Return what a reporter may do now, by the table and the policies."""
    found = []
    for action in citizens.STEPS:
        step = TRANSITIONS[action]
        about = main if action in policy.FOR_ALL_REPORTERS else case
        if about.state not in step.sources:
            continue
        resource = policy.resource_of(about, step, {}, asker)
        if not desk.policies().decide(asker, step.policy_action, resource).allowed:
            continue
        attempt = Attempt(about, step, asker, {}, regime, instant(now), lambda: False)
        why = hindrance(attempt)
        found.append(MayOut(action=action, hindered=text_out(why) if why else None))
    return found
