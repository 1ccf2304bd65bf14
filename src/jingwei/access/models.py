"""Tables of people, departments and their rights."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter

_SEPARATED = text("role IN ('system_administrator', 'security_administrator', 'auditor')")


class DepartmentRow(Base):
    """A department of the city, by its unified social credit code."""

    __tablename__ = "department"

    code: Mapped[str] = mapped_column(String(18), primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    parent: Mapped[str | None] = mapped_column(ForeignKey("department.code"), index=True)
    closed: Mapped[datetime | None]


class PersonRow(Base):
    """A person who may sign in."""

    __tablename__ = "person"
    __table_args__ = (
        Index("ix_person_outside", "issuer", "outside_id", unique=True),
        Index("ix_person_setup_code", "setup_code", unique=True),
    )

    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    login: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    created: Mapped[datetime]
    disabled: Mapped[datetime | None]
    password: Mapped[str | None] = mapped_column(String(200))
    setup_code: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    setup_until: Mapped[datetime | None]
    totp_secret: Mapped[str | None] = mapped_column(String(200))
    totp_used: Mapped[int | None]
    recovery_codes: Mapped[list[Any]]
    issuer: Mapped[str | None] = mapped_column(String(300))
    outside_id: Mapped[str | None] = mapped_column(String(300))


class FailureRow(Base):
    """Failures in a row to sign in with a name, whether or not anyone has it."""

    __tablename__ = "sign_in_failure"

    name: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failures: Mapped[int]
    last: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]


class RateRow(Base):
    """How often something was asked by someone within a window of time; both are told by a keyed digest."""

    __tablename__ = "rate_count"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    count: Mapped[int]
    expires: Mapped[datetime] = mapped_column(index=True)


class DutyRow(Base):
    """A role that a person holds, in a department or for the whole city."""

    __tablename__ = "duty"
    __table_args__ = (
        Index("ix_duty_person", "person", "role", "department", unique=True),
        # The database itself keeps the three separated duties apart.
        Index(
            "ix_duty_separated", "person", unique=True, sqlite_where=_SEPARATED, postgresql_where=_SEPARATED
        ),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(String(60))
    department: Mapped[str] = mapped_column(String(18), index=True)
    until: Mapped[datetime | None]
    outside: Mapped[bool]


class SessionRow(Base):
    """A sign-in that goes on. Of its token only a digest is kept."""

    __tablename__ = "sign_in"

    token: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    started: Mapped[datetime]
    seen: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(60))
    agent: Mapped[str] = mapped_column(String(200))
    id_token: Mapped[str | None] = mapped_column(Text)
    """Of who was vouched for from outside, sealed: the provider asks for it when one signs out."""


class TokenRow(Base):
    """A token by which a program acts for a person. Only a digest is kept."""

    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    token: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    actions: Mapped[list[Any]]
    created: Mapped[datetime]
    expires: Mapped[datetime]
    used: Mapped[datetime | None]
    broker: Mapped[str | None] = mapped_column(String(160))


class PolicyVersion(Base):
    """The policies as they were adopted; the highest number is in force."""

    __tablename__ = "policy_version"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)
    examples: Mapped[list[Any]]
    adopted: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
