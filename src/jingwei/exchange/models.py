"""Tables of subscribers, and of what they were told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter


class SubscriberRow(Base):
    """A system that is told of events: where, of which types, and with whose rights.

    `secret` is sealed by the vault. `next` is when its first waiting delivery is tried again, after `tries`
    that failed; `why` says why it is off, empty where a person switched it.
    """

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    title: Mapped[str] = mapped_column(String(120))
    url: Mapped[str] = mapped_column(String(1000))
    types: Mapped[list[Any]]
    secret: Mapped[str] = mapped_column(Text)
    person: Mapped[str] = mapped_column(String(120))
    on: Mapped[bool]
    why: Mapped[str] = mapped_column(String(40))
    made: Mapped[datetime]
    next: Mapped[datetime | None]
    tries: Mapped[int]


class DeliveryRow(Base):
    """An event for a subscriber: it waits until `done`; `status` is the last answer's, 0 without one."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_once", "webhook_id", "position", unique=True),
        Index("ix_webhook_delivery_waiting", "webhook_id", "done", "id"),
        Index("ix_webhook_delivery_made", "made"),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(String(80))
    made: Mapped[datetime]
    done: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(String(20))
    tries: Mapped[int]
    status: Mapped[int]
    fault: Mapped[str] = mapped_column(String(80))
