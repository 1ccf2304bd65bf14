"""The table of sensors at fault."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter


class FaultRow(Base):
    """A stream at fault, from `since` to `until` (UTC microseconds; empty while it lasts).

    `found` is when it was noticed; `call` the number of that event in the log, and `case_number` the case
    that came of it; `mark` what people found: empty, `true` or `false`.
    """

    __tablename__ = "sense_fault"
    __table_args__ = (Index("ix_sense_fault_stream", "stream_id", "kind"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("sense_stream.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    since: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[int | None] = mapped_column(BigInteger, index=True)
    found: Mapped[int] = mapped_column(BigInteger)
    evidence: Mapped[dict[str, Any]]
    call: Mapped[str] = mapped_column(String(40), index=True)
    case_number: Mapped[str] = mapped_column(String(40), index=True)
    mark: Mapped[str] = mapped_column(String(10))
    marked_by: Mapped[str] = mapped_column(String(200))
