"""The one row that says which city this is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base


class CityRow(Base):
    """The city of this home: what it is called, and where its pack and its files were last found."""

    __tablename__ = "city"

    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    about: Mapped[dict[str, Any]]
    pack: Mapped[str]
    data: Mapped[str]
    changed: Mapped[datetime]


class DecisionRow(Base):
    """What a person decided about a source that the evidence left undecided."""

    __tablename__ = "source_decision"

    source: Mapped[str] = mapped_column(String(60), primary_key=True)
    crs: Mapped[str]
    actor: Mapped[str] = mapped_column(String(200))
    decided: Mapped[datetime]
