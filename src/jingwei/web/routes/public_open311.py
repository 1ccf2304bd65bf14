"""Open311 GeoReport v2 over HTTP: XML as the standard demands, JSON as its clients read it (bare arrays)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from jingwei.cases import citizens, open311, policy, updates
from jingwei.cases.calendar import instant
from jingwei.errors import JingweiError, NotFoundError
from jingwei.records import now_utc
from jingwei.web import problems
from jingwei.web.open311_xml import document
from jingwei.web.policies import allowed, public
from jingwei.web.rates import address_of
from jingwei.web.reader import AskerOf, GateOf, LanguageOf
from jingwei.web.routes.case_choice import CITY, BoardOf, DeskOf
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.public_reports import outline_of
from jingwei.words import Language, Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from starlette.datastructures import FormData

    from jingwei.cases.regime import Regime
    from jingwei.city import City
    from jingwei.web.gate import Gate

router = APIRouter(prefix="/open311", tags=["open311"])
managing = APIRouter(
    prefix="/cases/outside-keys", tags=["cases"], responses=problems.responses(400, 403, 409)
)
shows = [public(policy.READ_PUBLIC)]
hears = [public(policy.ATTACH)]

Form = Annotated[Literal["xml", "json"], Path(description="The form of the answer")]
FORMS = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
BEGAN = "2026-11-22T00:00:00Z"
"""When this endpoint last changed in what it offers."""
_ATTRIBUTE = re.compile(r"attribute\[([^\]]{1,60})\](\[\])?")
CONTACT = {"email": "email", "phone": "sms", "first_name": "first_name", "last_name": "last_name"}
"""Parameters that tell who reports, and the names under which that is kept."""
_FORM = "application/x-www-form-urlencoded"
_BOTH: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/xml": {"schema": {"type": "string"}}, "application/json": {"schema": {}}}}
}


class NoJurisdictionError(NotFoundError):
    """The city is another one than the question is for."""

    code = "jurisdiction"

    def __init__(self, given: str) -> None:
        super().__init__(
            Text(f"没有辖区 {given[:40]}", f"there is no jurisdiction {given[:40]}."),
            where={"jurisdiction_id": given[:40]},
        )


def _written(form: str, name: str, content: Any, status: int = 200) -> Response:
    body = document(name, content) if form == "xml" else msgspec.json.encode(content)
    return Response(body, status, media_type=FORMS[form])


def _answered(form: str, language: Language, name: str, work: Callable[[], Any]) -> Response:
    """Return what `work` returns, or its error as the standard tells errors."""
    try:
        return _written(form, name, work())
    except JingweiError as error:
        status = error.status if error.status in (403, 404, 429) else 400
        mend = f" {error.mend.in_language(language)}" if error.mend else ""
        told = [
            {"code": str(status), "description": f"{error.code}: {error.what.in_language(language)}{mend}"}
        ]
        return _written(form, "errors", told, status)


def _given(city: City, values: Mapping[str, str]) -> dict[str, str]:
    """Return parameters that say something, once the jurisdiction is this city.

    Raises
    ------
    NoJurisdictionError
        Where it is another one.

    """
    given = {name: value.strip() for name, value in values.items() if value.strip() and value != "null"}
    wanted = given.get("jurisdiction_id")
    if wanted is not None and wanted not in (city.about.adcode, city.about.id):
        raise NoJurisdictionError(wanted)
    return given


def _regime(city: City, desk: DeskOf) -> Regime:
    with city.records.read() as session:
        return desk.regime(session)


@router.get(
    "/discovery.{form}", summary="What there is", dependencies=shows, response_class=Response, responses=_BOTH
)
def read_discovery(request: Request, city: CityOf, language: LanguageOf, form: Form) -> Response:
    """Return where the endpoints are, and which forms they speak."""
    root = str(request.base_url).rstrip("/")
    told = {
        "changeset": BEGAN,
        "contact": city.about.name.in_language(language),
        "key_service": f"{root}/api/cases/outside-keys",
        "endpoints": [
            {
                "specification": "http://wiki.open311.org/GeoReport_v2",
                "url": f"{root}/api/open311/v2",
                "changeset": BEGAN,
                "type": "test" if city.about.generated else "production",
                "formats": list(FORMS.values()),
            }
        ],
    }
    return _answered(form, language, "discovery", lambda: told)


@router.get(
    "/v2/services.{form}", summary="Services", dependencies=shows, response_class=Response, responses=_BOTH
)
def list_services(request: Request, city: CityOf, desk: DeskOf, language: LanguageOf, form: Form) -> Response:
    """Return the types for which the city has rules."""

    def work() -> Any:
        _given(city, request.query_params)
        return open311.services(_regime(city, desk), language)

    return _answered(form, language, "services", work)


@router.get(
    "/v2/services/{code}.{form}",
    summary="What a service asks", dependencies=shows, response_class=Response, responses=_BOTH,
)  # fmt: skip
def read_service(
    request: Request, city: CityOf, desk: DeskOf, language: LanguageOf, code: str, form: Form
) -> Response:
    """Return the attributes of a service, as its rules make them."""

    def work() -> Any:
        _given(city, request.query_params)
        regime = _regime(city, desk)
        return open311.definition(regime, open311.type_of(regime, code), language)

    return _answered(form, language, "service_definition", work)


@router.get(
    "/v2/requests.{form}", summary="Requests", dependencies=shows, response_class=Response, responses=_BOTH
)
def list_requests(
    request: Request, city: CityOf, desk: DeskOf, board: BoardOf, language: LanguageOf, form: Form
) -> Response:
    """Return requests of the last 90 days or of a range of at most 90, at most 1,000, the newest first.

    Parameters are those of the standard, and `page` and `page_size` for more than one answer holds.
    """

    def work() -> Any:
        given = _given(city, request.query_params)
        question = open311.question_of(_regime(city, desk), given)
        with city.records.read() as session:
            return open311.requests(session, desk, board, question, language)

    return _answered(form, language, "service_requests", work)


@router.get(
    "/v2/requests/{number}.{form}",
    summary="A request", dependencies=shows, response_class=Response, responses=_BOTH,
)  # fmt: skip
def read_request(
    request: Request,
    city: CityOf,
    desk: DeskOf,
    board: BoardOf,
    language: LanguageOf,
    number: str,
    form: Form,
) -> Response:
    """Return one request, as a list of one."""

    def work() -> Any:
        _given(city, request.query_params)
        with city.records.read() as session:
            found = open311.requests(session, desk, board, open311.Question((number,)), language)
        if not found:
            raise open311.NoRequestError(number)
        return found

    return _answered(form, language, "service_requests", work)


@router.get(
    "/v2/tokens/{token}.{form}",
    summary="The request of a token", dependencies=shows, response_class=Response, responses=_BOTH,
)  # fmt: skip
def read_token(
    request: Request, city: CityOf, desk: DeskOf, language: LanguageOf, token: str, form: Form
) -> Response:
    """Return the number of a request: this city gives numbers at once, so that each is its own token."""

    def work() -> Any:
        _given(city, request.query_params)
        with city.records.read() as session:
            if citizens.public_case(session, desk, token) is None:
                raise open311.NoRequestError(token)
        return [{"service_request_id": token, "token": token}]

    return _answered(form, language, "service_requests", work)


@router.post(
    "/v2/requests.{form}",
    summary="Report", dependencies=hears, response_class=Response, responses=_BOTH,
    openapi_extra={"requestBody": {"content": {_FORM: {"schema": {"type": "object"}}}}},
)  # fmt: skip
async def create_request(
    request: Request, city: CityOf, desk: DeskOf, gate: GateOf, language: LanguageOf, form: Form
) -> Response:
    """Take in a request of another system, by its key; answers with the number of the case."""

    def take(session: Session, given: Mapping[str, str], body: FormData) -> dict[str, Any]:
        asker = open311.asker_of_key(session, given.get("api_key", ""))
        wanted = _submission(given, body)
        case = open311.take_in(session, desk, asker, wanted, boundary=outline_of(city))
        return {"service_request_id": case.number, "service_notice": None, "account_id": None}

    return await _heard(request, city, gate, (form, language, "service_requests"), take)


@router.get(
    "/v2/servicerequestupdates.{form}",
    summary="What happened to requests (mySociety's extension)",
    dependencies=shows, response_class=Response, responses=_BOTH,
)  # fmt: skip
def list_updates(
    request: Request, city: CityOf, desk: DeskOf, board: BoardOf, language: LanguageOf, form: Form
) -> Response:
    """Return what happened to public requests within a range, the oldest first, if the city offers it."""

    def work() -> Any:
        regime = _regime(city, desk)
        updates.check_offered(regime.settings)
        since, until = open311.range_of(_given(city, request.query_params))
        root = str(request.base_url).rstrip("/")
        with city.records.read() as session:
            return updates.updates(session, board, instant(since), instant(until), language, root)

    return _answered(form, language, "service_request_updates", work)


@router.post(
    "/v2/servicerequestupdates.{form}",
    summary="Add to a request (mySociety's extension)",
    dependencies=hears, response_class=Response, responses=_BOTH,
    openapi_extra={"requestBody": {"content": {_FORM: {"schema": {"type": "object"}}}}},
)  # fmt: skip
async def create_update(
    request: Request, city: CityOf, desk: DeskOf, gate: GateOf, language: LanguageOf, form: Form
) -> Response:
    """Add words to a request of the same key, or say that it is not fixed (`REOPEN`)."""

    def take(session: Session, given: Mapping[str, str], _body: FormData) -> dict[str, Any]:
        updates.check_offered(desk.regime(session).settings)
        asker = open311.asker_of_key(session, given.get("api_key", ""))
        return {"update_id": updates.take_in(session, desk, asker, _given_update(given))}

    return await _heard(request, city, gate, (form, language, "service_request_updates"), take)


async def _heard(
    request: Request,
    city: City,
    gate: Gate,
    answer: tuple[Any, Language, str],
    take: Callable[[Session, Mapping[str, str], FormData], dict[str, Any]],
) -> Response:
    """Read the form of another system, at a rate, and let `take` take it in within one transaction."""
    form, language, root = answer
    try:
        body = await request.form(max_files=0, max_fields=200)
    except Exception:  # noqa: BLE001 -- whatever a parser raises at what is no form
        return _answered(form, language, "errors", _no_form)

    def work() -> Any:
        if not gate.entry.open:
            gate.rates.count("reports by address", address_of(request))
        given = _given(city, dict(request.query_params) | _single(body))
        with city.records.write() as session:
            return [take(session, given, body)]

    return await run_in_threadpool(_answered, form, language, root, work)


def _given_update(given: Mapping[str, str]) -> updates.GivenUpdate:
    from jingwei.cases.errors import BadFieldError

    for name, says in (
        ("service_request_id", Text("缺少 service_request_id", "the service_request_id is missing.")),
        ("description", Text("缺少 description", "the description is missing.")),
    ):
        if name not in given:
            raise BadFieldError(name, says)
    if len(given["description"]) > updates.LONGEST:
        raise BadFieldError(
            "description", Text("description 至多 2000 字", "the description has at most 2,000 characters.")
        )
    return updates.GivenUpdate(
        given["service_request_id"][:40], given.get("update_id", "")[:100],
        given.get("status", "").upper()[:40], given["description"],
    )  # fmt: skip


def _no_form() -> Any:
    from jingwei.cases.errors import BadFieldError

    raise BadFieldError(
        "body", Text("请求体不是表单", "the body is no form (application/x-www-form-urlencoded).")
    )


def _single(body: FormData) -> dict[str, str]:
    return {
        name: value
        for name, value in body.items()
        if isinstance(value, str) and not _ATTRIBUTE.fullmatch(name)
    }


def _submission(given: Mapping[str, str], body: FormData) -> open311.Submission:
    from jingwei.cases.errors import BadFieldError

    place: list[float | None] = []
    for name, most in (("long", 180), ("lat", 85)):
        try:
            value = float(given[name]) if name in given else None
        except ValueError:
            value = float("nan")
        if value is not None and not -most <= value <= most:
            raise BadFieldError(name, Text(f"{name} 应为 WGS84 度数", f"{name} is degrees, WGS84."))
        place.append(value)
    attributes: dict[str, tuple[str, ...]] = {}
    for name, said in body.multi_items():
        found = _ATTRIBUTE.fullmatch(name)
        if found and isinstance(said, str) and said.strip():
            attributes[found[1]] = (*attributes.get(found[1], ()), said.strip()[:200])
    if "service_code" not in given:
        raise BadFieldError("service_code", Text("缺少 service_code", "the service_code is missing."))
    description = given.get("description", "")
    if len(description) > open311.LONGEST:
        raise BadFieldError(
            "description", Text("description 至多 4000 字", "the description has at most 4,000 characters.")
        )
    return open311.Submission(
        given["service_code"], place[0], place[1], given.get("address_string", "")[:500],
        given.get("address_id", "")[:60], description, given.get("media_url", "")[:500],
        given.get("external_id", "")[:100], attributes,
        {kept: given[name][:254] for name, kept in CONTACT.items() if name in given},
    )  # fmt: skip


# keys of other systems


class KeyIn(BaseModel):
    """Which system a key is for."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=120)]


class KeyOut(BaseModel):
    """A key of another system; the key itself is told once, when it is made."""

    name: str
    made: str
    ended: str | None
    key: str | None = None


@managing.post(
    "", summary="Make a key for another system", status_code=201, dependencies=[allowed(policy.MANAGE, CITY)]
)
def make_key(city: CityOf, asker: AskerOf, body: KeyIn) -> KeyOut:
    """Make a key by which another system may report; it is told this once."""
    with city.records.write() as session:
        key = open311.new_key(session, asker, body.name)
    return KeyOut(name=body.name, made=now_utc().isoformat(), ended=None, key=key)


@managing.get("", summary="Keys of other systems", dependencies=[allowed(policy.MANAGE, CITY)])
def list_keys(city: CityOf) -> list[KeyOut]:
    """Return who has keys, since and until when."""
    with city.records.read() as session:
        return [
            KeyOut(
                name=one.name, made=one.made.isoformat(), ended=one.ended.isoformat() if one.ended else None
            )
            for one in open311.keys(session)
        ]


@managing.delete("", summary="End the keys of another system", dependencies=[allowed(policy.MANAGE, CITY)])
def end_keys(city: CityOf, name: str) -> int:
    """End all keys of a system at once; return how many those were."""
    with city.records.write() as session:
        return open311.end_key(session, name)
