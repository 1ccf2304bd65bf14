"""Tables of the container: datasets, their published versions, and the intents of writers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter


class DatasetRow(Base):
    """One dataset of the city. `state` is `published`, `held`, `failed` or `removed`."""

    __tablename__ = "dataset"

    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    title: Mapped[dict[str, Any]]
    owner: Mapped[str] = mapped_column(String(200))
    sharing: Mapped[str] = mapped_column(String(20))
    update_cycle: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    problem: Mapped[dict[str, Any] | None]
    current: Mapped[int | None]
    position: Mapped[int]
    changed: Mapped[datetime]
    level: Mapped[int]
    fields: Mapped[dict[str, Any]]


class VersionRow(Base):
    """One published version of a dataset: which Delta versions hold it, and what is in it."""

    __tablename__ = "dataset_version"
    __table_args__ = (UniqueConstraint("dataset", "number"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    dataset: Mapped[str] = mapped_column(ForeignKey("dataset.id"), index=True)
    number: Mapped[int]
    published: Mapped[datetime]
    intent: Mapped[str] = mapped_column(String(36))
    content: Mapped[dict[str, Any]]
    dropped: Mapped[datetime | None]
    """When its files were removed, after its retention; what it was, and from what, stays."""


class IntentRow(Base):
    """What a writer is about to publish. `state` goes from `open` to `published` or `discarded`.

    A Delta commit lies outside the database transaction; the intent, whose id every commit carries, lets
    start-up tell a finished load from an unfinished one.
    """

    __tablename__ = "intent"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    dataset: Mapped[str] = mapped_column(String(80), index=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    opened: Mapped[datetime]
    content: Mapped[dict[str, Any]]


class ContractRow(Base):
    """A version of a dataset's contract; the highest number is in force."""

    __tablename__ = "dataset_contract"

    dataset: Mapped[str] = mapped_column(String(80), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[dict[str, Any]]
    adopted: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(200))


class ReportRow(Base):
    """What a check found of what one intent wrote, by one version of the contract (0: as proposed).

    `gated` says that the contract's gate kept it from being published. The version is the one that was
    published by the same intent, if any.
    """

    __tablename__ = "quality_report"

    intent: Mapped[str] = mapped_column(String(36), primary_key=True)
    contract: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    dataset: Mapped[str] = mapped_column(String(80), index=True)
    at: Mapped[datetime]
    gated: Mapped[bool]
    score: Mapped[float] = mapped_column(Float)
    body: Mapped[dict[str, Any]]


class UseRow(Base):
    """That a version was used, as an event of the log tells it: kept by what was used, see `uses.py`.

    `of` is the version, or the load or the file that it came of; `number` the version that was made, `intent`
    the load that made it.
    """

    __tablename__ = "version_use"
    __table_args__ = (Index("ix_version_use_of", "of", "at", "id"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    of: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(200))
    number: Mapped[int | None]
    event: Mapped[int] = mapped_column(BigInteger, index=True)
    at: Mapped[datetime]
    how: Mapped[str] = mapped_column(String(200))
    times: Mapped[int]
    intent: Mapped[str | None] = mapped_column(String(36))
