"""E-mail alerts for everybody: asked for here, wanted only once the address's owner has said so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from jingwei.cases import alerts, policy
from jingwei.cases.errors import NoMailError, NoSuchAlertError
from jingwei.web import problems
from jingwei.web.policies import public
from jingwei.web.rates import address_of
from jingwei.web.reader import GateOf, LanguageOf
from jingwei.web.routes.case_choice import DeskOf
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases import Desk
    from jingwei.cases.alerts import Alert
    from jingwei.web.gate import Gate
    from jingwei.web.proof import Stamps

router = APIRouter(prefix="/public", tags=["public"], responses=problems.responses(400, 403, 404, 409, 429))
shows = [public(policy.READ_PUBLIC)]

Code = Annotated[
    str, Header(alias="Jingwei-Alert", max_length=20, description="The code that every message bears")
]


class AlertIn(BaseModel):
    """An alert that somebody wants. `secret` is any 128 random bits, for the proof of work."""

    model_config = ConfigDict(extra="forbid")

    secret: Annotated[str, Field(pattern="^[0-9a-f]{32,64}$")]
    stamp: Annotated[str, Field(max_length=80)]
    nonce: Annotated[str, Field(max_length=40)]
    email: Annotated[str, Field(max_length=254)]
    area: Annotated[str, Field(pattern="^[0-9A-Z]{0,15}$", description="The beginning of an area's code")] = (
        ""
    )
    types: Annotated[
        list[Annotated[str, Field(pattern="^(component|matter)/[0-9]{5}$")]],
        Field(max_length=20, description="Of these types; of all where there are none"),
    ] = []
    every: Literal["hour", "day", "week"] = "day"


class AlertAsked(BaseModel):
    """What happens next."""

    days: int = Field(description="Within so many days the address is to answer, else it is forgotten")


class AlertOut(BaseModel):
    """An alert, to who has its code."""

    what: TextOut
    area: str
    types: list[str]
    every: str
    confirmed: bool


def _out(session: Session, desk: Desk, one: Alert) -> AlertOut:
    what = alerts.what_of(desk.regime(session), one.area, one.types)
    return AlertOut(
        what=text_out(what), area=one.area, types=list(one.types), every=one.every, confirmed=one.confirmed
    )


def _count(gate: Gate, request: Request, what: str) -> None:
    if not gate.entry.open:
        gate.rates.count(what, address_of(request))


@router.post("/alerts", summary="Ask for alerts by e-mail", status_code=202, dependencies=shows)
def ask_for_alert(
    request: Request, city: CityOf, gate: GateOf, language: LanguageOf, body: AlertIn
) -> AlertAsked:
    """Send a code to an address, with which the alert begins. Whether it is known already is not told."""
    stamps: Stamps = request.app.state.stamps
    stamps.check(body.stamp, body.secret, body.nonce)
    _count(gate, request, "reports by address")
    if "email" not in request.app.state.channels:
        raise NoMailError
    with city.records.write() as session:
        alerts.ask(session, body.email.strip(), body.area, body.types, body.every, language)
    return AlertAsked(days=alerts.LASTS.days)


@router.get("/alerts/mine", summary="An alert by its code", dependencies=shows)
def read_alert(request: Request, city: CityOf, desk: DeskOf, gate: GateOf, code: Code) -> AlertOut:
    """Return of what an alert tells, and whether its owner said yes."""
    _count(gate, request, "codes by address")
    with city.records.read() as session:
        return _out(session, desk, alerts.read(session, code))


@router.post("/alerts/mine", summary="Say yes to an alert", dependencies=shows)
def confirm_alert(request: Request, city: CityOf, desk: DeskOf, gate: GateOf, code: Code) -> AlertOut:
    """Let an alert begin; a second yes changes nothing."""
    _count(gate, request, "codes by address")
    with city.records.write() as session:
        return _out(session, desk, alerts.confirm(session, code))


@router.delete("/alerts/mine", summary="End an alert", status_code=204, dependencies=shows)
def end_alert(request: Request, city: CityOf, gate: GateOf, code: Code) -> Response:
    """End an alert at once; nothing of it is kept."""
    _count(gate, request, "codes by address")
    with city.records.write() as session:
        alerts.end(session, code)
    return Response(status_code=204)


OneClick = Annotated[str, Path(max_length=20, description="The code that every message bears")]


@router.get("/alerts/one-click/{code}", summary="The page of an alert", dependencies=shows)
def show_alert(code: OneClick) -> RedirectResponse:
    """Lead to the page of an alert; looking at an address ends nothing."""
    return RedirectResponse(f"/report/alerts#{quote(code, safe='')}", 303)


@router.post(
    "/alerts/one-click/{code}", summary="End an alert (RFC 8058)", status_code=204, dependencies=shows
)
def end_alert_at_once(request: Request, city: CityOf, gate: GateOf, code: OneClick) -> Response:
    """End an alert, as mail programs do at the press of their own button.

    One server of a mail provider may end many: only what leads nowhere is counted.
    """
    try:
        with city.records.write() as session:
            alerts.end(session, code)
    except NoSuchAlertError:
        _count(gate, request, "codes by address")
        raise
    return Response(status_code=204)
