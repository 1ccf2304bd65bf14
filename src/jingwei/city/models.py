"""The one row that says which city this is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, Integer, String
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


class ClockRow(Base):
    """The clock of a fictional city: its instant `at` at the present one `since`, and its pace."""

    __tablename__ = "city_clock"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    since: Mapped[datetime]
    at: Mapped[datetime]
    speed: Mapped[float] = mapped_column(Float)
    paused: Mapped[bool]
    closed: Mapped[bool]


class DecisionRow(Base):
    """What a person decided about a source that the evidence left undecided."""

    __tablename__ = "source_decision"

    source: Mapped[str] = mapped_column(String(60), primary_key=True)
    crs: Mapped[str]
    actor: Mapped[str] = mapped_column(String(200))
    decided: Mapped[datetime]


class IntakeFileRow(Base):
    """A file that was handed in by itself. `state` is `received`, `loaded`, `held`, `failed` or `erased`."""

    __tablename__ = "intake_file"

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    received: Mapped[datetime] = mapped_column(index=True)
    by: Mapped[str] = mapped_column(String(200))
    source: Mapped[str | None] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(20))


class IntakeSourceRow(Base):
    """How a source that came as a single file is read: its part of the manifest, its columns, its name."""

    __tablename__ = "intake_source"

    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    spec: Mapped[dict[str, Any]]
    layout: Mapped[dict[str, Any]]
    pattern: Mapped[str] = mapped_column(String(200))
    by: Mapped[str] = mapped_column(String(200))
    changed: Mapped[datetime]


class IntakeTableRow(Base):
    """A table of a database outside that was read: by which column what is new is known, and up to where."""

    __tablename__ = "intake_table"

    database: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    cursor: Mapped[str | None] = mapped_column(String(200))
    keys: Mapped[list[Any]]
    mark: Mapped[dict[str, Any] | None]
    file: Mapped[str] = mapped_column(String(24))
    rows: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(200))
    read: Mapped[datetime]
