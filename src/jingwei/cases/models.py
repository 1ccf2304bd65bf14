"""Tables of cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter, Json


class CaseRow(Base):
    """A case: what its events made of it (`body`), and the few columns by which the store finds it.

    `changed` grows with every change in the order in which changes become visible; `alarm` is when the
    clock next has something to say.
    """

    __tablename__ = "city_case"
    __table_args__ = (
        Index("ix_city_case_cell", "cell", "reported"),
        Index("ix_city_case_source", "source", "source_key", unique=True),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    step: Mapped[int]
    changed: Mapped[int] = mapped_column(BigInteger, index=True)
    state: Mapped[str] = mapped_column(String(20))
    alarm: Mapped[int | None] = mapped_column(BigInteger, index=True)
    cell: Mapped[int | None] = mapped_column(BigInteger)
    reported: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(String(40))
    source_key: Mapped[str | None] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)


class CaseWords(Base):
    """What somebody wrote at a step of a case; its event holds the digest of salt and words."""

    __tablename__ = "case_words"

    case: Mapped[str] = mapped_column(String(40), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    field: Mapped[str] = mapped_column(String(20), primary_key=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    words: Mapped[str] = mapped_column(Text)


class CaseCount(Base):
    """The last number given out of each series."""

    __tablename__ = "case_count"

    series: Mapped[str] = mapped_column(String(40), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


class RegimePart(Base):
    """A version of one of the things that a city decides about its cases; the highest number is in force."""

    __tablename__ = "case_regime"

    part: Mapped[str] = mapped_column(String(20), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[Any] = mapped_column(Json)
    adopted: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    note: Mapped[str] = mapped_column(String(400))


class UnitGrid(Base):
    """A unit grid (单元网格): its 15 digits, its outline (WKB, CGCS2000), and when it is in force."""

    __tablename__ = "case_unit_grid"

    code: Mapped[str] = mapped_column(String(15), primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime | None]
    grade: Mapped[str] = mapped_column(String(10))
    duty_grid: Mapped[str] = mapped_column(String(40), index=True)
    outline: Mapped[bytes] = mapped_column(LargeBinary)


class Responsibility(Base):
    """Who is responsible for what, where and when.

    `area` is the beginning of a grid code (6, 9, 12 or 15 digits; empty for the whole city) or the code of a
    duty grid; `type` the beginning of a type's code (2 or 5 digits; empty for all). `person` is empty where a
    department as a whole is meant.
    """

    __tablename__ = "case_responsibility"
    __table_args__ = (Index("ix_case_responsibility_area", "area", "kind", "type"),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    area: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    type: Mapped[str] = mapped_column(String(5))
    department: Mapped[str] = mapped_column(String(18))
    person: Mapped[str] = mapped_column(String(120))
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class ComponentRow(Base):
    """A component of the inventory: its 17 digits, its identifier in the registry, who is in charge of it."""

    __tablename__ = "case_component"

    code: Mapped[str] = mapped_column(String(17), primary_key=True)
    object: Mapped[str] = mapped_column(String(13))
    department: Mapped[str] = mapped_column(String(18))
    area: Mapped[str] = mapped_column(String(15))


class DefaultPoint(Base):
    """A point at which reports are put whose place nobody knows: the centre of the city, a call centre."""

    __tablename__ = "case_default_point"

    cell: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    lon: Mapped[float] = mapped_column(Float)
    lat: Mapped[float] = mapped_column(Float)
    says: Mapped[str] = mapped_column(String(200))


class CasePhoto(Base):
    """A photograph, by the SHA-256 of the file that is kept; `case` and `step` once a step has named it."""

    __tablename__ = "case_photo"
    __table_args__ = (
        Index("ix_case_photo_by", "by", "case"),
        Index("ix_case_photo_at", "at"),
    )

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    by: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]
    case: Mapped[str | None] = mapped_column(String(40), index=True)
    step: Mapped[int | None]


class CaseSent(Base):
    """A key that a telephone made for something that it sent, and the case to which that led."""

    __tablename__ = "case_sent"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    by: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(index=True)
    case: Mapped[str] = mapped_column(String(40))


class TrackPoint(Base):
    """Where a person was, who agreed to that; degrees (WGS84), metres of uncertainty."""

    __tablename__ = "case_track"

    person: Mapped[str] = mapped_column(String(120), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    lon: Mapped[float] = mapped_column(Float)
    lat: Mapped[float] = mapped_column(Float)
    accuracy: Mapped[float] = mapped_column(Float)


class Following(Base):
    """A report without an account: who has its secret stands as its reporter. Only digests are kept.

    `contact` holds what the reporter chose to be told by: personal data, kept nowhere else, gone on request.
    """

    __tablename__ = "case_following"

    secret: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    code: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    reporter: Mapped[str] = mapped_column(String(120), index=True)
    case: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[datetime]
    language: Mapped[str] = mapped_column(String(5))
    contact: Mapped[Any] = mapped_column(Json)


class HeardRow(Base):
    """An alarm of which a case came, or that joined it: the case hears how it goes on.

    `joined` counts the alarms that came to its incident since.
    """

    __tablename__ = "case_heard"

    alarm: Mapped[str] = mapped_column(String(60), primary_key=True)
    case: Mapped[str] = mapped_column(String(40), index=True)
    incident: Mapped[int] = mapped_column(BigInteger, index=True)
    joined: Mapped[int]


class OutsideKey(Base):
    """A key by which another system may report (Open311); of the key only its digest is kept."""

    __tablename__ = "case_outside_key"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    made: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    ended: Mapped[datetime | None]


class NoticeRow(Base):
    """A message that a reporter is to be sent; `next` is when it is tried, null once that is over."""

    __tablename__ = "case_notice"
    __table_args__ = (
        Index("ix_case_notice_once", "event", "reporter", "channel", unique=True),
        Index("ix_case_notice_next", "next"),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    event: Mapped[int] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(String(80))
    case: Mapped[str] = mapped_column(String(40))
    reporter: Mapped[str] = mapped_column(String(120))
    channel: Mapped[str] = mapped_column(String(20))
    next: Mapped[datetime | None]
    tries: Mapped[int]


class AlertRow(Base):
    """Who is told by e-mail of new cases in an area and of types; unanswered until `confirmed`.

    `mark` is the row of the last case that was looked at, `next` when a message is due, null while none is.
    """

    __tablename__ = "case_alert"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    code: Mapped[str] = mapped_column(String(10), unique=True)
    email: Mapped[str] = mapped_column(String(254), index=True)
    area: Mapped[str] = mapped_column(String(15))
    types: Mapped[Any] = mapped_column(Json)
    every: Mapped[str] = mapped_column(String(6))
    language: Mapped[str] = mapped_column(String(5))
    made: Mapped[datetime]
    confirmed: Mapped[datetime | None]
    mark: Mapped[int] = mapped_column(BigInteger)
    next: Mapped[datetime | None] = mapped_column(index=True)
    tries: Mapped[int]


class ForwardRow(Base):
    """A case that another city is to deal with, at one endpoint; `next` is when it is taken up again.

    `number` and `token` are theirs; `asked` is until when updates were asked for, `changed` since when its
    status is what it is.
    """

    __tablename__ = "case_forward"
    __table_args__ = (Index("ix_case_forward_once", "case", "endpoint", unique=True),)

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    case: Mapped[str] = mapped_column(String(40))
    endpoint: Mapped[str] = mapped_column(String(300))
    made: Mapped[datetime]
    sent: Mapped[datetime | None]
    number: Mapped[str | None] = mapped_column(String(100))
    token: Mapped[str | None] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20))
    notes: Mapped[str] = mapped_column(String(500))
    updates: Mapped[Any] = mapped_column(Json)
    asked: Mapped[datetime | None]
    followed: Mapped[datetime | None]
    changed: Mapped[datetime | None]
    fault: Mapped[str] = mapped_column(String(40))
    next: Mapped[datetime | None] = mapped_column(index=True)
    tries: Mapped[int]


class SenderRow(Base):
    """By what a report came, as a keyed digest: kept for some days, so that abuse can be barred."""

    __tablename__ = "case_sender"

    case: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    mark: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime] = mapped_column(index=True)


class BarRow(Base):
    """A sender that is barred until a moment, by a keyed digest; `case` is where the abuse was met."""

    __tablename__ = "case_bar"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(10))
    mark: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    case: Mapped[str] = mapped_column(String(40))
    why: Mapped[str] = mapped_column(String(200))
    by: Mapped[str] = mapped_column(String(120))
    made: Mapped[datetime]
    until: Mapped[datetime]
    lifted: Mapped[datetime | None]


class AccountRow(Base):
    """A citizen's account: a keyed digest of the e-mail address, and nothing of a person."""

    __tablename__ = "case_account"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    mark: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made: Mapped[datetime]


class AccountReportRow(Base):
    """A report in a citizen's account: its secret, sealed."""

    __tablename__ = "case_account_report"

    account: Mapped[str] = mapped_column(String(32), primary_key=True)
    reporter: Mapped[str] = mapped_column(String(120), primary_key=True)
    sealed: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime]


class AccountCodeRow(Base):
    """The digest of a code that was sent to an address, by the keyed digest of that."""

    __tablename__ = "case_account_code"

    mark: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    code: Mapped[bytes] = mapped_column(LargeBinary(32))
    made: Mapped[datetime]
    tries: Mapped[int]
