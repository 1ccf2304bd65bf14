"""Tables of the log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Dialect, Index, LargeBinary, String, Text, TypeDecorator, text
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter


class ExactJson(TypeDecorator[Any]):
    """JSON whose bytes stay as they were written.

    Digests are taken of the bytes; a database that rewrites a document (`jsonb` turns 1e22 into an
    integer) would break them.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write compactly, keys sorted."""
        return None if value is None else encode_json(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Read back."""
        return None if value is None else msgspec.json.decode(value)


def encode_json(value: Any) -> bytes:
    """Return compact JSON with sorted keys: equal values give equal bytes."""
    return msgspec.json.encode(value, order="sorted")


_SEALED: dict[str, Any] = {
    "sqlite_where": text("position IS NOT NULL"),
    "postgresql_where": text("position IS NOT NULL"),
}
"""An append then writes to the table and two indexes, not to five; the sealer to the others, in groups."""


class Event(Base):
    """One thing that happened to the city's record.

    `position` and `sealed` are null until the sealer has put the event in its place. An erased event
    keeps its type, time, position and digest, and nothing else. Whoever looks for events by type or actor
    says that they are sealed, or is answered without an index: `ledger.of_types` asks for both.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_subject", "subject", "id"),
        Index("ix_event_actor", "actor", "position", **_SEALED),
        Index("ix_event_type", "type", "position", **_SEALED),
        Index("ix_event_position", "position", unique=True, **_SEALED),
        Index(
            "ix_event_unsealed",
            "id",
            sqlite_where=text("position IS NULL"),
            postgresql_where=text("position IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    type: Mapped[str] = mapped_column(String(80))
    time: Mapped[datetime]
    actor: Mapped[str | None] = mapped_column(String(120))
    subject: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[dict[str, Any] | None] = mapped_column(ExactJson)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    position: Mapped[int | None] = mapped_column(BigInteger)
    sealed: Mapped[datetime | None]


class Head(Base):
    """The state of the log: one row. Whoever seals holds its lock."""

    __tablename__ = "log_head"

    origin: Mapped[str] = mapped_column(String(200), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[datetime]
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    checkpoint: Mapped[str] = mapped_column(Text)


class Tile(Base):
    """Up to 256 consecutive hashes of one level of the tree (C2SP tlog-tiles)."""

    __tablename__ = "log_tile"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)
    inner: Mapped[bytes | None] = mapped_column(LargeBinary(512))
    """Of a full tile, the roots over each 16 hashes: a proof then hashes 22 times, not 247. Evidence is
    `hashes` alone; were this changed, proofs made with it would not hold."""


class PastCheckpoint(Base):
    """A checkpoint that was signed; `handover` where it passes the log to a new key."""

    __tablename__ = "log_checkpoint"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(Text)
    handover: Mapped[bool]


class Progress(Base):
    """How far a follower has read: the position of the next event for it."""

    __tablename__ = "log_follower"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    time: Mapped[datetime]
