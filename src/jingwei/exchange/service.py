"""What can be done with subscribers: add, change, switch, remove; and see what they were told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select, update

from jingwei import ledger
from jingwei.exchange import signing
from jingwei.exchange.errors import NoSuchSubscriberError, TooManySubscribersError, UnknownTypeError
from jingwei.exchange.models import DeliveryRow, SubscriberRow
from jingwei.records import now_utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.vault import Vault
    from jingwei.exchange.targets import Targets

MOST = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a subscriber is to be told, and where."""

    title: str
    url: str
    types: tuple[str, ...] = ()


def subscribers(session: Session) -> Sequence[SubscriberRow]:
    """Return all subscribers."""
    return session.scalars(select(SubscriberRow).order_by(SubscriberRow.id)).all()


def subscriber(session: Session, number: int) -> SubscriberRow:
    """Return a subscriber.

    Raises
    ------
    NoSuchSubscriberError

    """
    found = session.get(SubscriberRow, number)
    if found is None:
        raise NoSuchSubscriberError(number)
    return found


class Waiting(NamedTuple):
    """How many deliveries wait, and what came of the first: a status, 0 for none, and the fault."""

    deliveries: int = 0
    status: int = 0
    fault: str = ""


def waiting(session: Session) -> dict[int, Waiting]:
    """Return what waits, by subscriber."""
    first = select(DeliveryRow.webhook_id, func.count(), func.min(DeliveryRow.id))
    counted = session.execute(first.where(DeliveryRow.done.is_(None)).group_by(DeliveryRow.webhook_id)).all()
    asked = select(DeliveryRow.webhook_id, DeliveryRow.status, DeliveryRow.fault)
    rows = session.execute(asked.where(DeliveryRow.id.in_([row[2] for row in counted])))
    answered = {row[0]: (row[1], row[2]) for row in rows}
    return {row[0]: Waiting(row[1], *answered.get(row[0], (0, ""))) for row in counted}


def subscribe(
    session: Session, vault: Vault, targets: Targets, asker: Asker, wanted: Wanted, secret: str | None = None
) -> tuple[SubscriberRow, str]:
    """Add a subscriber, who is told with the rights of who adds it; return it with its secret.

    Raises
    ------
    BadTargetError, BadSecretError, UnknownTypeError, TooManySubscribersError

    """
    count = session.scalar(select(func.count()).select_from(SubscriberRow)) or 0
    if count >= MOST:
        raise TooManySubscribersError(MOST)
    _check(targets, wanted)
    shown = secret or signing.new_secret()
    signing.key_of(shown)
    row = SubscriberRow(
        title=wanted.title, url=wanted.url, types=list(wanted.types), secret="", person=asker.id, on=True,
        why="", made=now_utc(), next=None, tries=0,
    )  # fmt: skip
    session.add(row)
    session.flush()
    row.secret = vault.seal(shown, about(row.id))
    data = {"types": list(wanted.types), "for": asker.id}
    ledger.append(session, "webhook.subscribed", actor=asker.id, subject=f"webhook/{row.id}", data=data)
    return row, shown


def change(session: Session, targets: Targets, asker: Asker, number: int, wanted: Wanted) -> SubscriberRow:
    """Change what a subscriber is told, or where.

    Raises
    ------
    NoSuchSubscriberError, BadTargetError, UnknownTypeError

    """
    row = subscriber(session, number)
    _check(targets, wanted)
    new = {"title": wanted.title, "url": wanted.url, "types": list(wanted.types)}
    changed = [name for name, value in new.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, new[name])
    if "url" in changed:  # elsewhere it has not failed yet
        row.next, row.tries = None, 0
    if changed:
        _tell(session, asker, row, "webhook.changed", {"fields": changed})
    return row


def renew_secret(session: Session, vault: Vault, asker: Asker, number: int) -> str:
    """Give a subscriber a new secret, and return it; the old one signs nothing more.

    Raises
    ------
    NoSuchSubscriberError

    """
    row = subscriber(session, number)
    shown = signing.new_secret()
    row.secret = vault.seal(shown, about(row.id))
    _tell(session, asker, row, "webhook.changed", {"fields": ["secret"]})
    return shown


def switch(session: Session, asker: Asker, number: int, *, on: bool) -> SubscriberRow:
    """Switch a subscriber on or off. What waited when it went off is sent when it comes on again.

    Raises
    ------
    NoSuchSubscriberError

    """
    row = subscriber(session, number)
    if row.on != on:
        row.on, row.why, row.next, row.tries = on, "", None, 0
        _tell(session, asker, row, "webhook.switched", {"to": "on" if on else "off", "why": ""})
    return row


def remove(session: Session, asker: Asker, number: int) -> None:
    """Remove a subscriber, with what was noted of its deliveries.

    Raises
    ------
    NoSuchSubscriberError

    """
    row = subscriber(session, number)
    _tell(session, asker, row, "webhook.switched", {"to": "removed", "why": ""})
    session.query(DeliveryRow).filter(DeliveryRow.webhook_id == number).delete()
    session.delete(row)


def deliveries(
    session: Session, number: int, *, before: int | None = None, limit: int = 50
) -> Sequence[DeliveryRow]:
    """Return what a subscriber was told, or is to be, the newest first.

    Raises
    ------
    NoSuchSubscriberError

    """
    subscriber(session, number)
    asked = select(DeliveryRow).where(DeliveryRow.webhook_id == number).order_by(DeliveryRow.id.desc())
    if before is not None:
        asked = asked.where(DeliveryRow.id < before)
    return session.scalars(asked.limit(limit)).all()


def send_again(session: Session, number: int, delivery: int) -> None:
    """Have a delivery that was given up, or done, tried once more.

    Raises
    ------
    NoSuchSubscriberError

    """
    row = session.get(DeliveryRow, delivery)
    if row is None or row.webhook_id != number:
        raise NoSuchSubscriberError(number)
    row.done, row.result, row.tries, row.fault = None, "", 0, ""
    session.execute(update(SubscriberRow).where(SubscriberRow.id == number).values(next=None, tries=0))


def about(number: int) -> str:
    """Return what the secret of a subscriber is sealed for."""
    return f"webhook {number}"


def _check(targets: Targets, wanted: Wanted) -> None:
    known = {one.name for one in ledger.event_types()}
    parts = {one.partition(".")[0] for one in known}
    for name in wanted.types:
        if name not in known and name not in parts:
            raise UnknownTypeError(name)
    targets.of(wanted.url)


def _tell(session: Session, asker: Asker, row: SubscriberRow, type_: str, data: dict[str, object]) -> None:
    ledger.append(session, type_, actor=asker.id, subject=f"webhook/{row.id}", data=data)
