"""Subscribers of events: who is told of what, and how that went."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from jingwei.exchange import service
from jingwei.exchange.policy import MANAGE
from jingwei.web import problems
from jingwei.web.policies import CITY, allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.city import CityOf

if TYPE_CHECKING:
    from jingwei.exchange.models import DeliveryRow, SubscriberRow
    from jingwei.exchange.targets import Targets
    from jingwei.web.gate import Gate

router = APIRouter(
    prefix="/webhooks",
    tags=["webhooks"],
    responses=problems.responses(400, 403, 404, 409),
    dependencies=[allowed(MANAGE, CITY)],
)
Number = Annotated[int, Path(ge=1, lt=1 << 62)]


class SubscriberIn(BaseModel):
    """What a subscriber is to be told, and where."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=120)
    url: str = Field(min_length=1, max_length=1000)
    types: list[Annotated[str, Field(max_length=80)]] = Field(
        default=[], max_length=100, description="Types of events, or parts as `sense`; all where empty"
    )


class NewSubscriberIn(SubscriberIn):
    """A subscriber to be added."""

    secret: str | None = Field(
        default=None, max_length=120, description="`whsec_` and base64; one is made where it is left out"
    )


class SwitchIn(BaseModel):
    """Whether a subscriber is on."""

    model_config = ConfigDict(extra="forbid")
    to: Literal["on", "off"]


class SubscriberOut(BaseModel):
    """A subscriber. Its secret is not shown again."""

    id: int
    title: str
    url: str
    types: list[str]
    person: str = Field(description="With whose rights it is told")
    on: bool
    why: str = Field(description="Why it was switched off: `failing`, `gone`, `behind`; empty by a person")
    made: datetime
    waiting: int
    tries: int = Field(description="How often the first that waits has failed")
    next: datetime | None = Field(description="When that is tried again")
    status: int = Field(description="What it answered last to that, 0 for nothing")
    fault: str = Field(description="Why that did not work; empty where it was not tried")


class NewSubscriberOut(BaseModel):
    """A subscriber with its secret, which is shown this once."""

    subscriber: SubscriberOut
    secret: str


class SecretOut(BaseModel):
    """A new secret, which is shown this once."""

    secret: str


class SubscribersOut(BaseModel):
    """All subscribers."""

    subscribers: list[SubscriberOut]


class DeliveryOut(BaseModel):
    """An event for a subscriber."""

    id: int
    position: int = Field(description="Of the event in the log")
    type: str
    made: datetime
    done: datetime | None
    result: str = Field(
        description="`sent`, or `not-for-it` where it may not know of it; empty while it waits"
    )
    tries: int
    status: int = Field(description="Of the last answer; 0 where there was none")
    fault: str


class DeliveriesOut(BaseModel):
    """A page of deliveries, the newest first."""

    deliveries: list[DeliveryOut]
    before: int | None


@router.get("", summary="Subscribers of events")
def list_webhooks(city: CityOf) -> SubscribersOut:
    """Return all subscribers, and how many deliveries wait for each."""
    with city.records.read() as session:
        waiting = service.waiting(session)
        rows = service.subscribers(session)
        return SubscribersOut(subscribers=[_subscriber(one, waiting.get(one.id)) for one in rows])


@router.post("", summary="Add a subscriber", status_code=201)
def add_webhook(request: Request, city: CityOf, asker: AskerOf, body: NewSubscriberIn) -> NewSubscriberOut:
    """Add a subscriber. It is told what the one who adds it may follow."""
    gate: Gate = request.app.state.gate
    wanted = service.Wanted(body.title, body.url, tuple(body.types))
    with city.records.write() as session:
        row, secret = service.subscribe(session, gate.vault, _targets(request), asker, wanted, body.secret)
        return NewSubscriberOut(subscriber=_subscriber(row), secret=secret)


@router.put("/{number}", summary="Change a subscriber")
def change_webhook(
    request: Request, city: CityOf, asker: AskerOf, number: Number, body: SubscriberIn
) -> SubscriberOut:
    """Change what a subscriber is told, or where."""
    wanted = service.Wanted(body.title, body.url, tuple(body.types))
    with city.records.write() as session:
        row = service.change(session, _targets(request), asker, number, wanted)
        return _subscriber(row, service.waiting(session).get(number))


@router.delete("/{number}", summary="Remove a subscriber", status_code=204)
def remove_webhook(city: CityOf, asker: AskerOf, number: Number) -> None:
    """Remove a subscriber, with the list of its deliveries."""
    with city.records.write() as session:
        service.remove(session, asker, number)


@router.post("/{number}/switch", summary="Switch a subscriber on or off")
def switch_webhook(city: CityOf, asker: AskerOf, number: Number, body: SwitchIn) -> SubscriberOut:
    """Switch a subscriber; what waited is sent when it is on again."""
    with city.records.write() as session:
        row = service.switch(session, asker, number, on=body.to == "on")
        return _subscriber(row, service.waiting(session).get(number))


@router.post("/{number}/secret", summary="Give a subscriber a new secret")
def renew_webhook_secret(request: Request, city: CityOf, asker: AskerOf, number: Number) -> SecretOut:
    """Return a new secret; the old one signs nothing more."""
    gate: Gate = request.app.state.gate
    with city.records.write() as session:
        return SecretOut(secret=service.renew_secret(session, gate.vault, asker, number))


@router.get("/{number}/deliveries", summary="What a subscriber was told")
def list_deliveries(
    city: CityOf,
    number: Number,
    before: Annotated[int | None, Query(ge=1, lt=1 << 62, description="Only with lower numbers")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveriesOut:
    """Return what a subscriber was told or is to be, the newest first."""
    with city.records.read() as session:
        rows = service.deliveries(session, number, before=before, limit=limit)
        listed = [_delivery(one) for one in rows]
    return DeliveriesOut(deliveries=listed, before=listed[-1].id if len(listed) == limit else None)


@router.post("/{number}/deliveries/{delivery}/again", summary="Send an event again", status_code=204)
def send_delivery_again(city: CityOf, number: Number, delivery: Number) -> None:
    """Have an event sent once more."""
    with city.records.write() as session:
        service.send_again(session, number, delivery)


def _targets(request: Request) -> Targets:
    targets: Targets = request.app.state.targets
    return targets


def _subscriber(row: SubscriberRow, waits: service.Waiting | None = None) -> SubscriberOut:
    waits = waits or service.Waiting()
    return SubscriberOut(
        id=row.id, title=row.title, url=row.url, types=row.types, person=row.person, on=row.on, why=row.why,
        made=row.made, waiting=waits.deliveries, tries=row.tries, next=row.next, status=waits.status,
        fault=waits.fault,
    )  # fmt: skip


def _delivery(row: DeliveryRow) -> DeliveryOut:
    return DeliveryOut(
        id=row.id, position=row.position, type=row.type, made=row.made, done=row.done, result=row.result,
        tries=row.tries, status=row.status, fault=row.fault,
    )  # fmt: skip
