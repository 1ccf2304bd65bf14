"""Accounts of citizens, for who wants one: by e-mail, without a password, gathering one's reports."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

from fastapi import APIRouter, BackgroundTasks, Header, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from jingwei.cases import accounts, plain, policy
from jingwei.cases.case import decode
from jingwei.cases.errors import NoMailError
from jingwei.cases.store import CASES
from jingwei.city.channels import Notice
from jingwei.errors import JingweiError, NotFoundError
from jingwei.web import problems
from jingwei.web.gate import CITIZENS_CALLBACK, STATE_LASTS
from jingwei.web.policies import public
from jingwei.web.rates import address_of
from jingwei.web.reader import GateOf, LanguageOf
from jingwei.web.routes.case_choice import DeskOf
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.city.channels import Channel
    from jingwei.web.gate import Gate
    from jingwei.web.oidc import Provider
    from jingwei.web.proof import Stamps

log = logging.getLogger(__name__)
router = APIRouter(
    prefix="/public/account", tags=["public"], responses=problems.responses(400, 403, 404, 409, 429)
)
hears = [public(policy.ATTACH)]

Token = Annotated[str, Header(alias="Jingwei-Account", max_length=400, description="Told when one enters")]
Email = Annotated[str, Field(max_length=254)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CodeIn(_In):
    """An address that a code is to be sent to. `secret` is any 128 random bits, for the proof of work."""

    secret: Annotated[str, Field(pattern="^[0-9a-f]{32,64}$")]
    stamp: Annotated[str, Field(max_length=80)]
    nonce: Annotated[str, Field(max_length=40)]
    email: Email


class CodeAsked(BaseModel):
    """What happens next."""

    minutes: int = Field(description="For how long the code holds")


class EnterIn(_In):
    """An address and the code that was sent to it."""

    email: Email
    code: Annotated[str, Field(max_length=20)]


class Entered(BaseModel):
    """By what a telephone is in from now on."""

    token: str


class SecretsIn(_In):
    """Reports that are to be kept in the account, by their secrets."""

    secrets: Annotated[list[Annotated[str, Field(pattern="^[0-9a-f]{32,64}$")]], Field(max_length=200)]


class KeptOut(BaseModel):
    """A report of the account; by its secret it is followed."""

    secret: str
    number: str
    type: TextOut
    title: TextOut
    at: datetime


class AccountOut(BaseModel):
    """One's reports, the newest first."""

    reports: list[KeptOut]


@router.post("/code", summary="Ask for a code by e-mail", status_code=202, dependencies=hears)
def ask_for_code(
    request: Request, city: CityOf, gate: GateOf, language: LanguageOf, later: BackgroundTasks, body: CodeIn
) -> CodeAsked:
    """Send a code to an address. Whether it has an account is told to nobody."""
    stamps: Stamps = request.app.state.stamps
    stamps.check(body.stamp, body.secret, body.nonce)
    _count(gate, request, "reports by address")
    mail: Channel | None = request.app.state.mail
    if mail is None:
        raise NoMailError
    email = body.email.strip()
    with city.records.write() as session:
        code = accounts.ask(session, gate.vault, email)
    if code is not None:
        told = {"city": city.about.name.in_language(language), "code": code}
        subject, text = (one.in_language(language).format(**told) for one in (_SUBJECT, _BODY))
        notice = Notice(f"account.{secrets.token_hex(8)}", "email", email, subject, text, "")
        later.add_task(_send, mail, notice)
    return CodeAsked(minutes=int(accounts.CODE_LASTS.total_seconds() // 60))


def _send(mail: Channel, notice: Notice) -> None:
    try:
        mail.send(notice)
    except Exception as error:  # noqa: BLE001 -- whatever a channel raises: who waits asks again
        log.warning("a code was not sent: %s", type(error).__name__)


@router.post("", summary="Enter by a code", dependencies=hears)
def enter_account(request: Request, city: CityOf, gate: GateOf, body: EnterIn) -> Entered:
    """Enter the account of an address, which is made where there was none."""
    _count(gate, request, "codes by address")
    with city.records.write() as session:
        token = accounts.enter(session, gate.vault, body.email.strip(), body.code)
    if token is None:  # once the failed attempt is kept
        raise accounts.wrong_code()
    return Entered(token=token)


@router.get(
    "/oidc",
    summary="Enter by an account elsewhere",
    response_class=RedirectResponse,
    status_code=303,
    dependencies=hears,
)
def begin_citizen_oidc(request: Request, gate: GateOf) -> Response:
    """Send the browser to the OpenID provider of citizens, where the city has one."""
    gate.rates.count("sign-in by address", address_of(request))
    url, carried = _provider(gate).begin(_PAGE)
    answer = RedirectResponse(url, 303)
    _carry(gate, answer, "citizen-oidc", carried, STATE_LASTS)
    return answer


@router.get(
    CITIZENS_CALLBACK.removeprefix("/api/public/account"),
    summary="Where the provider of citizens sends the browser back to",
    response_class=RedirectResponse,
    status_code=303,
    dependencies=hears,
)
def finish_citizen_oidc(request: Request, gate: GateOf) -> Response:
    """Let in whom the provider vouches for; a person reads this, so failures lead to a page."""
    try:
        gate.rates.count("sign-in by address", address_of(request))
        provider = _provider(gate)
        vouched, _, place = provider.finish(
            request.query_params, request.cookies.get(_cookie(gate, "citizen-oidc"))
        )
        with gate.records.write() as session:
            token = accounts.enter_vouched(session, gate.vault, vouched.issuer, vouched.subject)
    except JingweiError as error:
        answer = RedirectResponse(f"{_PAGE}?sign-in={quote(error.code)}", 303)
    else:
        answer = RedirectResponse(f"{place}?sign-in=done", 303)
        _carry(gate, answer, "citizen-entered", token, _HANDED_WITHIN)
    answer.delete_cookie(
        _cookie(gate, "citizen-oidc"), httponly=True, secure=gate.entry.secure, samesite="lax"
    )
    return answer


@router.post("/oidc", summary="Take what the provider's account entered by", dependencies=hears)
def take_citizen_oidc(request: Request, response: Response, city: CityOf, gate: GateOf) -> Entered:
    """Hand the page, once, what the browser brought back: no address of a page ever holds it."""
    name = _cookie(gate, "citizen-entered")
    token = request.cookies.get(name, "")
    with city.records.read() as session:
        accounts.account_of(session, gate.vault, token)
    response.delete_cookie(name, httponly=True, secure=gate.entry.secure, samesite="lax")
    return Entered(token=token)


_PAGE = "/report/mine"
_HANDED_WITHIN = 120
"""Seconds within which the page takes what the browser brought back."""


def _provider(gate: Gate) -> Provider:
    if gate.citizens is None:
        raise NotFoundError(
            Text("没有为市民配置统一身份认证", "no OpenID provider of citizens is configured.")
        )
    return gate.citizens


def _cookie(gate: Gate, name: str) -> str:
    return f"{gate.cookie_prefix}jingwei-{name}"


def _carry(gate: Gate, answer: Response, name: str, value: str, seconds: int) -> None:
    """Give the browser what it brings back; it comes from another site, so that `lax` is the strictest."""
    answer.set_cookie(
        _cookie(gate, name), value, max_age=seconds, httponly=True, secure=gate.entry.secure, samesite="lax"
    )


@router.get("", summary="One's reports", dependencies=hears)
def read_citizen_account(city: CityOf, desk: DeskOf, gate: GateOf, token: Token) -> AccountOut:
    """Return the reports of one's account, each with the secret by which it is followed."""
    with city.records.read() as session:
        account = accounts.account_of(session, gate.vault, token)
        catalogue = desk.regime(session).catalogue
        told = []
        for one in accounts.reports(session, gate.vault, account):
            body = session.scalar(select(CASES.c.body).where(CASES.c.number == one.case))
            if body is None:
                continue
            case = decode(body)
            told.append(
                KeptOut(
                    secret=one.secret, number=case.number, at=one.at,
                    type=text_out(catalogue.get(case.kind, case.type).name),
                    title=text_out(plain.says(case.state)["title"]),
                )
            )  # fmt: skip
    return AccountOut(reports=told)


@router.put("/reports", summary="Keep reports in one's account", status_code=204, dependencies=hears)
def put_account_reports(city: CityOf, gate: GateOf, token: Token, body: SecretsIn) -> Response:
    """Keep reports in one's account by their secrets; what is there already stays."""
    with city.records.write() as session:
        account = accounts.account_of(session, gate.vault, token)
        accounts.put(session, gate.vault, account, body.secrets)
    return Response(status_code=204)


@router.delete("", summary="End one's account", status_code=204, dependencies=hears)
def end_citizen_account(city: CityOf, gate: GateOf, token: Token) -> Response:
    """End one's account at once; the reports themselves stay, and are followed by their links."""
    with city.records.write() as session:
        accounts.end(session, accounts.account_of(session, gate.vault, token))
    return Response(status_code=204)


def _count(gate: Gate, request: Request, what: str) -> None:
    if not gate.entry.open:
        gate.rates.count(what, address_of(request))


_SUBJECT = Text("{city}：登录码 {code}", "{city}: your code {code}")
_BODY = Text(
    "您好！\n\n查看您的上报的登录码是：{code}\n15 分钟内有效，用一次。请不要告诉别人。\n"
    "如果不是您在登录，不必理会。\n",
    "Hello,\n\nThe code to see your reports is: {code}\n"
    "It holds for 15 minutes and once. Keep it to yourself.\nIf you did not ask for it, do nothing.\n",
)
