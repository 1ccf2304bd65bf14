"""Tables of the hotline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter, Json


class CallRow(Base):
    """A call: what its events made of it (`body`), by what it is found, and whose number it was.

    `heard`: the caller was asked afterwards and nothing is left to be asked; `reviewed`: a reviewer looked
    at it; `changed` grows with every change in the order in which changes become visible. The number is kept
    sealed by the city's vault, its keyed digest (`caller`) finds earlier calls; both go when the number's
    time is over. `source_key` is the call's number at the telephone exchange.
    """

    __tablename__ = "hotline_call"
    __table_args__ = (
        Index("ix_hotline_call_began", "began", "id"),
        Index("ix_hotline_call_caller", "caller", "began"),
        Index("ix_hotline_call_state", "state", "began"),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    step: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))
    began: Mapped[int] = mapped_column(BigInteger)
    taker: Mapped[str | None] = mapped_column(String(120))
    case: Mapped[str | None] = mapped_column(String(40), index=True)
    caller: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    sealed: Mapped[str | None] = mapped_column(Text)
    source_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    changed: Mapped[int] = mapped_column(BigInteger, index=True)
    heard: Mapped[bool]
    reviewed: Mapped[bool]
    body: Mapped[str] = mapped_column(Text)


class ArticleRow(Base):
    """An article of knowledge as it now is; how often it was used, and how often it helped or did not."""

    __tablename__ = "hotline_article"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    version: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    helped: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)


class ArticleVersion(Base):
    """What an article says, since when and until when it holds, and whose it is."""

    __tablename__ = "hotline_article_version"

    article: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    questions: Mapped[Any] = mapped_column(Json)
    department: Mapped[str] = mapped_column(String(18))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    written: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    note: Mapped[str] = mapped_column(String(400))
