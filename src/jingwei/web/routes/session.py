"""Signing in and out, the first set-up, and, in open mode, acting as someone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from jingwei import access, ledger
from jingwei.access import Asker, sessions, signing_in
from jingwei.access.errors import CodeNeededError, NotSetUpError, NotSignedInError
from jingwei.access.outside import person_vouched_for
from jingwei.access.passwords import LONGEST
from jingwei.access.policy import Policies, Resource
from jingwei.access.policy.vocabulary import actions, resource_type
from jingwei.access.signing_in import Credentials
from jingwei.access.vault import SealBrokenError
from jingwei.errors import BadRequestError, JingweiError, NotFoundError
from jingwei.web import problems
from jingwei.web.gate import CALLBACK, STATE_LASTS, Gate
from jingwei.web.people_out import DutyOut, PersonOut, duties_out, people_out
from jingwei.web.policies import open_to_all, policies_of
from jingwei.web.rates import address_of
from jingwei.web.reader import GateOf
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.web.oidc import Provider

router = APIRouter(
    prefix="/session",
    tags=["session"],
    responses=problems.responses(400, 401, 403, 404, 409, 429, 503),
    dependencies=[open_to_all(before_set_up=True)],
)

Password = Annotated[str, Field(max_length=LONGEST)]
LOCAL = Text("本机用户", "The one at this machine")


class SessionOut(BaseModel):
    """Who reads, as the pages need to know."""

    open: bool = Field(description="Whether the city runs without sign-in, at its own machine")
    set_up: bool = Field(description="Whether the administrator has set a password yet")
    person: str | None = Field(description="The identifier of who is signed in, or acted as")
    name: str | None
    login: str | None
    duties: list[DutyOut]
    may: list[str] = Field(description="The actions on the city as a whole that the reader may take")
    provider: TextOut | None = Field(description="What else one may sign in with")
    generated: bool = Field(description="Whether the city is a fiction, which every page says")


class SignInIn(BaseModel):
    """What a person gives to be let in."""

    model_config = ConfigDict(extra="forbid")

    login: str = Field(max_length=120)
    password: Password
    code: str = Field(default="", max_length=40, description="Of the device, or a recovery code")


class SetupCodeIn(BaseModel):
    """A setup code."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=80)


class SetUpIn(SetupCodeIn):
    """A setup code and the password that is set with it."""

    password: Password


class WhoOut(BaseModel):
    """The name to sign in with that goes with a setup code."""

    login: str


class LeftOut(BaseModel):
    """That one has signed out."""

    leave: str | None = Field(description="Where to go on to sign out of the provider as well")


class ActingIn(BaseModel):
    """As whom to act."""

    model_config = ConfigDict(extra="forbid")

    person: str | None = Field(max_length=40, description="Null for the one at this machine")


class ActingPeopleOut(BaseModel):
    """People as whom one may act."""

    people: list[PersonOut]
    after: str | None = Field(description="Where the next page begins")


@router.get("", summary="Who reads")
def read_session(request: Request, gate: GateOf, city: CityOf) -> SessionOut:
    """Return who is signed in, or acted as, and what that person may do; tells of nobody if nobody is."""
    try:
        asker = gate.asker_of(request)
    except NotSetUpError:
        return _session(request, gate, city, None, set_up=False)
    except NotSignedInError:
        return _session(request, gate, city, None)
    return _session(request, gate, city, asker)


@router.post("", summary="Sign in")
def sign_in(request: Request, response: Response, gate: GateOf, city: CityOf, given: SignInIn) -> SessionOut:
    """Let a person in by password and, if set up, a code; answers with a cookie."""
    _check_closed(gate)
    gate.check_set_up()
    gate.rates.count("sign-in by address", address_of(request))
    gate.rates.count("sign-in by name", gate.vault.digest(given.login.strip().lower()).hex())
    return _let_in(request, response, gate, city, given)


@router.delete("", summary="Sign out")
def sign_out(request: Request, response: Response, gate: GateOf) -> LeftOut:
    """End the session; says where to go on to sign out of the provider that vouched for the person."""
    gate.let_out(response)
    token = gate.session_of(request)
    if token is None:
        return LeftOut(leave=None)
    with gate.records.write() as session:
        sealed = sessions.sign_out(session, token)
    if sealed is None or gate.provider is None:
        return LeftOut(leave=None)
    try:
        id_token = gate.vault.unseal(sealed, "id_token")
    except SealBrokenError:
        id_token = None
    return LeftOut(leave=gate.provider.leave(id_token))


@router.post("/set-up/who", summary="Whose setup code this is")
def read_setup_code(request: Request, gate: GateOf, given: SetupCodeIn) -> WhoOut:
    """Return the name to sign in with of the person who was given a setup code."""
    _check_closed(gate)
    gate.rates.count("set-up by address", address_of(request))
    with gate.records.read() as session:
        return WhoOut(login=signing_in.whose_setup_code(session, given.code))


@router.post("/set-up", summary="Set a password with a setup code")
def set_up(request: Request, response: Response, gate: GateOf, city: CityOf, given: SetUpIn) -> SessionOut:
    """Set the password of the person who was given the code, and let the person in."""
    _check_closed(gate)
    gate.rates.count("set-up by address", address_of(request))
    with gate.records.write() as session:
        login = signing_in.set_first_password(session, given.code, given.password)
    try:
        return _let_in(request, response, gate, city, SignInIn(login=login, password=given.password))
    except CodeNeededError:  # the second factor outlasts the password
        return _session(request, gate, city, None)


@router.get("/oidc", summary="Sign in with the provider", response_class=RedirectResponse, status_code=303)
def begin_oidc(
    request: Request,
    gate: GateOf,
    to: Annotated[str, Query(max_length=500, description="The page to come back to")] = "/",
) -> Response:
    """Send the browser to the OpenID provider."""
    gate.check_set_up()
    gate.rates.count("sign-in by address", address_of(request))
    url, carried = _provider(gate).begin(to if _is_own_page(to) else "/")
    answer = RedirectResponse(url, 303)
    # The browser comes back from another site: this cookie, unlike the session's, must come with it.
    answer.set_cookie(
        f"{gate.cookie_prefix}jingwei-oidc",
        carried,
        max_age=STATE_LASTS,
        httponly=True,
        secure=gate.entry.secure,
        samesite="lax",
    )
    return answer


@router.get(
    CALLBACK.removeprefix("/api/session"),
    summary="Where the provider sends the browser back to",
    response_class=RedirectResponse,
    status_code=303,
)
def finish_oidc(request: Request, gate: GateOf) -> Response:
    """Let in the person whom the provider vouches for; a person reads this, so failures lead to a page."""
    cookie = f"{gate.cookie_prefix}jingwei-oidc"
    try:
        gate.check_set_up()
        gate.rates.count("sign-in by address", address_of(request))
        provider = _provider(gate)
        vouched, id_token, place = provider.finish(request.query_params, request.cookies.get(cookie))
        with gate.records.write() as session:
            person = person_vouched_for(session, vouched, may_add=provider.settings.add_people)
            token = signing_in.vouched_for(
                session, person, **_from(request), id_token=gate.vault.seal(id_token, "id_token")
            )
    except JingweiError as error:
        answer = RedirectResponse(f"/?sign-in={quote(error.code)}", 303)
    else:
        answer = RedirectResponse(place, 303)
        gate.let_in(answer, token)
    answer.delete_cookie(cookie, httponly=True, secure=gate.entry.secure, samesite="lax")
    return answer


@router.put("/acting", summary="Act as a person, in open mode")
def act_as(request: Request, response: Response, gate: GateOf, city: CityOf, given: ActingIn) -> SessionOut:
    """Let the browser act as any person of the city, so that every role can be tried."""
    _check_open(gate)
    if given.person is None:
        gate.act_as(response, None)
        return _session(request, gate, city, access.local_person())
    with gate.records.write() as session:
        asker = access.asker_of_person(session, given.person)
        ledger.append(session, "person.acted_as", actor="local", subject=asker.id, data={})
    gate.act_as(response, given.person)
    return _session(request, gate, city, asker)


@router.get("/acting/people", summary="The people as whom one may act, in open mode")
def read_acting_people(
    gate: GateOf,
    search: Annotated[str, Query(max_length=80)] = "",
    role: Annotated[str, Query(max_length=60)] = "",
    after: Annotated[str, Query(max_length=120)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 30,
) -> ActingPeopleOut:
    """Return the city's people by name to sign in with, with their roles."""
    _check_open(gate)
    with gate.records.read() as session:
        found = access.people(session, search=search, role=role, after=after, limit=limit)
        listed = people_out(session, found)
    return ActingPeopleOut(people=listed, after=found[-1].login if len(found) == limit else None)


def _let_in(request: Request, response: Response, gate: Gate, city: CityOf, given: SignInIn) -> SessionOut:
    credentials = Credentials(given.login, given.password, given.code, **_from(request))
    token = signing_in.sign_in(gate.records, gate.vault, credentials)
    if (before := gate.session_of(request)) is not None:
        with gate.records.write() as session:
            sessions.sign_out(session, before)
    gate.let_in(response, token)
    return _session(request, gate, city, sessions.asker_of_session(gate.records, token))


def _session(
    request: Request, gate: Gate, city: CityOf, asker: Asker | None, *, set_up: bool = True
) -> SessionOut:
    known = asker is not None and asker.id.startswith("person/")
    provider = gate.provider
    with city.records.read() as session:
        person = access.person(session, asker.id) if known and asker else None
        duties = duties_out(session, person.duties) if person else []
    return SessionOut(
        open=gate.entry.open,
        set_up=set_up,
        person=person.id if person else None,
        name=person.name if person else asker.name if asker else None,
        login=person.login if person else None,
        duties=duties,
        may=_may(policies_of(request), asker) if asker else [],
        provider=text_out(provider.settings.title.model_dump()) if provider else None,
        generated=city.about.generated,
    )


def _may(policies: Policies, asker: Asker) -> list[str]:
    """Return the actions that need no more to be known than who asks."""
    whole = [
        (name, kind)
        for name, action in actions().items()
        for kind in action.resources
        if not resource_type(kind).required
    ]
    return [name for name, kind in whole if policies.decide(asker, name, Resource(kind)).allowed]


def _from(request: Request) -> dict[str, str]:
    host = request.client.host if request.client else ""
    return {"address": host, "agent": request.headers.get("user-agent", "")}


def _is_own_page(place: str) -> bool:
    """Say whether an address is a page of ours: to others nobody is sent."""
    return place.startswith("/") and place[1:2] not in ("/", "\\") and place.isprintable()


def _provider(gate: Gate) -> Provider:
    if gate.provider is None:
        raise NotFoundError(Text("没有配置统一身份认证", "no OpenID provider is configured."))
    return gate.provider


def _check_open(gate: Gate) -> None:
    if not gate.entry.open:
        raise NotFoundError(Text("仅开放模式可用", "this is for open mode only."))


def _check_closed(gate: Gate) -> None:
    if gate.entry.open:
        raise BadRequestError(Text("开放模式下无需登录", "in open mode nobody signs in."))
