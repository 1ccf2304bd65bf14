"""Tables of corrections."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter


class CorrectionRow(Base):
    """A request to the department that owns a dataset. `state`: `open`, `answered`, `closed`, `withdrawn`."""

    __tablename__ = "correction"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    dataset: Mapped[str] = mapped_column(String(80), index=True)
    department: Mapped[str] = mapped_column(String(200), index=True)
    check: Mapped[str] = mapped_column(String(36))
    rules: Mapped[list[Any]]
    note: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(20), index=True)
    opened: Mapped[datetime]
    due: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))
    changed: Mapped[datetime]
    version: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(String(20))


class CorrectionAnswerRow(Base):
    """What was said about a request: by its department, or by who decided on it."""

    __tablename__ = "correction_answer"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    correction: Mapped[int] = mapped_column(ForeignKey("correction.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(Text)
    file: Mapped[str | None] = mapped_column(String(24))
