"""One's own account: name, password, second factor, sign-ins, tokens."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Annotated

import segno
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from jingwei import access
from jingwei.access import second_factor, sessions, signing_in, tokens
from jingwei.access.passwords import LONGEST
from jingwei.access.policy.vocabulary import actions
from jingwei.access.tokens import NOT_FOR_TOKENS
from jingwei.errors import NotFoundError
from jingwei.records import now_utc
from jingwei.web import problems
from jingwei.web.people_out import PersonOut, people_out
from jingwei.web.policies import allowed_own_account
from jingwei.web.reader import AskerOf, GateOf
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Text

router = APIRouter(
    prefix="/account",
    tags=["account"],
    responses=problems.responses(400, 401, 403, 404, 409, 429),
    dependencies=[allowed_own_account()],
)

Password = Annotated[str, Field(max_length=LONGEST)]
Code = Annotated[str, Field(max_length=40)]


def own_person(asker: AskerOf) -> str:
    """Return the identifier of who asks; in open mode nobody may have been chosen yet."""
    if not asker.id.startswith("person/"):
        raise NotFoundError(
            Text("本机用户没有账号", "the one at this machine has no account."),
            mend=Text("请先选择以某人身份操作", "Choose a person to act as first."),
        )
    return asker.id.removeprefix("person/")


Own = Annotated[str, Depends(own_person)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NameIn(_In):
    """What one is called."""

    name: str = Field(min_length=1, max_length=120)


class PasswordIn(_In):
    """The password, and the one that takes its place."""

    old: Password
    new: Password
    keep_tokens: bool = Field(
        default=False, description="Whether programs go on with the tokens they have; else all are revoked"
    )


class SecondFactorIn(_In):
    """What turns the second factor on: the offer handed back, and a code of the device."""

    password: Password
    offer: str = Field(max_length=400)
    code: Code


class ConfirmIn(_In):
    """Both factors once more, for what lasts."""

    password: Password
    code: Code = ""


class OfferOut(BaseModel):
    """A new secret for the device."""

    secret: str
    address: str = Field(description="What the QR code says (otpauth)")
    qr: str = Field(description="The QR code as SVG")
    offer: str = Field(description="To be handed back with a code")


class RecoveryCodesOut(BaseModel):
    """Recovery codes, shown this once."""

    codes: list[str]


class SignInOut(BaseModel):
    """A sign-in that goes on."""

    id: str
    started: datetime
    seen: datetime
    address: str
    agent: str
    this: bool


class TokenOut(BaseModel):
    """A token by which a program acts for a person."""

    id: str
    title: str
    actions: list[str]
    created: datetime
    expires: datetime
    used: datetime | None


class NewTokenOut(TokenOut):
    """A new token, shown this once."""

    token: str


class TokenIn(_In):
    """What a new token is for, and for how long; with both factors once more, for it lasts."""

    title: str = Field(min_length=1, max_length=120)
    actions: list[Annotated[str, Field(max_length=80)]] = Field(min_length=1, max_length=100)
    days: int = Field(ge=1, le=365)
    password: Password = Field(default="", description="One's own; none where another authority vouches")
    code: Code = ""


class ActionOut(BaseModel):
    """Something a token may be for."""

    name: str
    says: TextOut


@router.get("", summary="One's own account")
def read_account(person: Own, city: CityOf) -> PersonOut:
    """Return what is known of who asks."""
    with city.records.read() as session:
        return people_out(session, [access.person(session, person)])[0]


@router.patch("", summary="Change one's name")
def change_name(person: Own, asker: AskerOf, city: CityOf, given: NameIn) -> PersonOut:
    """Change what one is called."""
    with city.records.write() as session:
        access.rename(session, asker, person, given.name)
        return people_out(session, [access.person(session, person)])[0]


@router.post("/password", summary="Change one's password", status_code=204)
def change_password(
    person: Own, request: Request, response: Response, gate: GateOf, given: PasswordIn
) -> None:
    """Set another password. Sign-ins end, and tokens unless kept; the sign-in that asks goes on anew."""
    signing_in.change_password(
        gate.records, gate.vault, person, given.old, given.new, keep_tokens=given.keep_tokens
    )
    if gate.session_of(request) is not None:
        _begin_anew(request, response, gate, person)


@router.post("/second-factor/offer", summary="Begin to set up a second factor")
def offer_second_factor(person: Own, gate: GateOf, city: CityOf) -> OfferOut:
    """Return a secret for one's device; nothing is changed yet."""
    with city.records.read() as session:
        offer = second_factor.offer(session, gate.vault, person, city.about.name.zh)
    drawn = io.BytesIO()
    segno.make(offer.address, error="m").save(
        drawn, kind="svg", xmldecl=False, svgns=True, border=2, scale=4, light="#fff"
    )
    return OfferOut(
        secret=offer.secret, address=offer.address, qr=drawn.getvalue().decode(), offer=offer.sealed
    )


@router.put("/second-factor", summary="Turn the second factor on")
def set_second_factor(person: Own, gate: GateOf, given: SecondFactorIn) -> RecoveryCodesOut:
    """Turn it on with a code of the device; returns the recovery codes."""
    signing_in.check(gate.records, gate.vault, person, given.password)
    with gate.records.write() as session:
        codes = second_factor.set_up(session, gate.vault, person, given.offer, given.code)
    return RecoveryCodesOut(codes=codes)


@router.post("/second-factor/removal", summary="Turn the second factor off", status_code=204)
def remove_second_factor(person: Own, asker: AskerOf, gate: GateOf, given: ConfirmIn) -> None:
    """Turn it off, with both factors once more."""
    signing_in.check(gate.records, gate.vault, person, given.password, given.code)
    with gate.records.write() as session:
        second_factor.remove(session, asker, person)


@router.post("/recovery-codes", summary="Get new recovery codes")
def renew_recovery_codes(person: Own, gate: GateOf, given: ConfirmIn) -> RecoveryCodesOut:
    """Return new recovery codes, with both factors once more; those given before end."""
    signing_in.check(gate.records, gate.vault, person, given.password, given.code)
    with gate.records.write() as session:
        return RecoveryCodesOut(codes=second_factor.renew_recovery_codes(session, person))


@router.get("/sign-ins", summary="One's own sign-ins that go on")
def read_sign_ins(person: Own, request: Request, gate: GateOf) -> list[SignInOut]:
    """Return one's sign-ins, newest first."""
    with gate.records.read() as session:
        found = sessions.sign_ins(session, person, gate.session_of(request) or "")
    return [
        SignInOut(
            id=one.id,
            started=one.started,
            seen=one.seen,
            address=one.address,
            agent=one.agent,
            this=one.this,
        )
        for one in found
    ]


@router.delete("/sign-ins", summary="End all other sign-ins", status_code=204)
def end_other_sign_ins(person: Own, request: Request, gate: GateOf) -> None:
    """End all of one's sign-ins but the one that asks."""
    with gate.records.write() as session:
        sessions.end_all(session, person, but=gate.session_of(request) or "")


@router.delete("/sign-ins/{identifier}", summary="End one sign-in", status_code=204)
def end_sign_in(person: Own, gate: GateOf, identifier: Annotated[str, Path(max_length=40)]) -> None:
    """End one of one's own sign-ins."""
    with gate.records.write() as session:
        sessions.end_sign_in(session, person, identifier)


@router.get("/tokens", summary="One's own tokens")
def read_tokens(person: Own, city: CityOf) -> list[TokenOut]:
    """Return one's tokens, newest first; never the tokens themselves."""
    with city.records.read() as session:
        return [_token_out(one) for one in tokens.tokens(session, person)]


@router.get("/tokens/actions", summary="What a token may be for")
def read_token_actions() -> list[ActionOut]:
    """Return the actions that a token may name; it never does more than its person may."""
    return [
        ActionOut(name=name, says=text_out(action.says))
        for name, action in actions().items()
        if name not in NOT_FOR_TOKENS
    ]


@router.post("/tokens", summary="Get a token", status_code=201)
def issue_token(person: Own, gate: GateOf, given: TokenIn) -> NewTokenOut:
    """Return a new token; it is shown this once."""
    gate.rates.count("tokens by person", person)
    if not gate.entry.open:
        signing_in.check_anew(gate.records, gate.vault, person, given.password, given.code)
    expires = now_utc() + timedelta(days=given.days)
    with gate.records.write() as session:
        token, kept = tokens.issue_token(session, person, given.title, frozenset(given.actions), expires)
    return NewTokenOut(token=token, **_token_out(kept).model_dump())


@router.delete("/tokens/{identifier}", summary="Revoke a token", status_code=204)
def revoke_token(
    person: Own, asker: AskerOf, city: CityOf, identifier: Annotated[str, Path(max_length=40)]
) -> None:
    """End a token."""
    with city.records.write() as session:
        tokens.revoke_token(session, asker, person, identifier)


def _begin_anew(request: Request, response: Response, gate: GateOf, person: str) -> None:
    token = sessions.new_token()
    host = request.client.host if request.client else ""
    with gate.records.write() as session:
        sessions.begin(session, person, token, address=host, agent=request.headers.get("user-agent", ""))
    gate.let_in(response, token)


def _token_out(one: tokens.Token) -> TokenOut:
    return TokenOut(
        id=one.id,
        title=one.title,
        actions=list(one.actions),
        created=one.created,
        expires=one.expires,
        used=one.used,
    )
