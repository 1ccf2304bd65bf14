"""Tables of the registry."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base


class ObjectRow(Base):
    """An object, under the identifier it was given once."""

    __tablename__ = "registry_object"
    __table_args__ = (
        Index("ix_registry_object_key", "owner", "key", unique=True),
        Index("ix_registry_object_cell", "owner", "cell"),
    )

    id: Mapped[str] = mapped_column(String(13), primary_key=True)
    kind: Mapped[str] = mapped_column(String(80))
    owner: Mapped[str] = mapped_column(String(120))
    key: Mapped[str] = mapped_column(String(400))
    title: Mapped[str] = mapped_column(String(400))
    state: Mapped[str] = mapped_column(String(10))
    created: Mapped[datetime]
    valid_from: Mapped[datetime | None]
    valid_to: Mapped[datetime | None]
    cell: Mapped[int | None] = mapped_column(BigInteger)
    level: Mapped[int | None]
    placed: Mapped[datetime | None]


class FormerPlace(Base):
    """Where an object was before it was moved."""

    __tablename__ = "registry_former_place"

    object: Mapped[str] = mapped_column(ForeignKey("registry_object.id"), primary_key=True)
    until: Mapped[datetime] = mapped_column(primary_key=True)
    since: Mapped[datetime | None]
    cell: Mapped[int | None] = mapped_column(BigInteger)
    level: Mapped[int | None]


class Successor(Base):
    """What took the place of an object that was split, merged or retired."""

    __tablename__ = "registry_successor"

    object: Mapped[str] = mapped_column(ForeignKey("registry_object.id"), primary_key=True)
    successor: Mapped[str] = mapped_column(ForeignKey("registry_object.id"), primary_key=True, index=True)
