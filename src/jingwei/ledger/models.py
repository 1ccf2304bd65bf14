"""Tables of the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter


class Event(Base):
    """One thing that happened to the city's record."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_subject", "subject", "id"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    type: Mapped[str] = mapped_column(String(80), index=True)
    time: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(120))
    subject: Mapped[str] = mapped_column(String(200))
    data: Mapped[dict[str, Any]]
