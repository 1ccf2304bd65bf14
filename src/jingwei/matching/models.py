"""Tables of matching."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter


class MatchingRow(Base):
    """What is to be matched, as the document that a person wrote."""

    __tablename__ = "matching"

    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    changed: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))


class MatchingRunRow(Base):
    """One run: of which versions, what it learnt. Its pairs are in a file of the city's folder."""

    __tablename__ = "matching_run"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    matching: Mapped[str] = mapped_column(ForeignKey("matching.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    versions: Mapped[dict[str, Any]]
    rows: Mapped[dict[str, Any]]
    learnt: Mapped[dict[str, Any]]


class MatchingDecisionRow(Base):
    """What a person decided on two records, which are named by marks that tell nothing of them."""

    __tablename__ = "matching_decision"

    matching: Mapped[str] = mapped_column(ForeignKey("matching.id"), primary_key=True)
    left: Mapped[str] = mapped_column(String(32), primary_key=True)
    right: Mapped[str] = mapped_column(String(32), primary_key=True)
    choice: Mapped[str] = mapped_column(String(10))
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))
