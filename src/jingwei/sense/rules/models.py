"""Tables of rules, of the alarms they raise, and of the incidents to which alarms belong."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter


class RuleRow(Base):
    """A rule in its newest version. `owner` is empty for a rule of the whole city."""

    __tablename__ = "sense_rule"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    version: Mapped[int]
    owner: Mapped[str] = mapped_column(String(18))
    on: Mapped[bool]
    gone: Mapped[bool]
    body: Mapped[dict[str, Any]]
    by: Mapped[str] = mapped_column(String(200))
    changed: Mapped[datetime]


class RuleVersionRow(Base):
    """What a rule said."""

    __tablename__ = "sense_rule_version"

    rule_id: Mapped[int] = mapped_column(ForeignKey("sense_rule.id"), primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[dict[str, Any]]
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


class IncidentRow(Base):
    """Alarms that belong together. `last` is when the last of them began or ended, UTC microseconds."""

    __tablename__ = "sense_incident"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    cause: Mapped[str] = mapped_column(String(60))
    began: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
    ended: Mapped[int | None] = mapped_column(BigInteger, index=True)
    severity: Mapped[str] = mapped_column(String(10))


class AlarmRow(Base):
    """A rule held in one group of streams, from `began` to `ended` (UTC microseconds).

    `subject` is `stream/<id>`, `thing/<id>` or `zone/<stored code>`; `cell` the signed code of `level`;
    `grounds` and `ended_grounds` are the rows of datasets by which it was raised, or that ended it, see
    `jingwei.sense.rules.grounds`; `mark` what people found: empty, `true` or `false`; `called` when somebody
    was called for it, `call` the number of that event in the log, and `case_number` the case that came of it.
    """

    __tablename__ = "sense_alarm"
    __table_args__ = (
        Index("ix_sense_alarm_rule", "rule_id", "began"),
        Index("ix_sense_alarm_subject", "subject", "rule_id"),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("sense_rule.id"))
    version: Mapped[int]
    owner: Mapped[str] = mapped_column(String(18))
    subject: Mapped[str] = mapped_column(String(60))
    severity: Mapped[str] = mapped_column(String(10))
    cell: Mapped[int | None] = mapped_column(BigInteger)
    level: Mapped[int]
    began: Mapped[int] = mapped_column(BigInteger)
    ended: Mapped[int | None] = mapped_column(BigInteger, index=True)
    reasons: Mapped[list[Any]]
    ended_by: Mapped[list[Any]]
    grounds: Mapped[list[Any]]
    ended_grounds: Mapped[list[Any]]
    incident_id: Mapped[int] = mapped_column(ForeignKey("sense_incident.id"), index=True)
    called: Mapped[int | None] = mapped_column(BigInteger)
    call: Mapped[str] = mapped_column(String(40), index=True)
    case_number: Mapped[str] = mapped_column(String(40), index=True)
    escalated: Mapped[int]
    mark: Mapped[str] = mapped_column(String(10))
    marked_by: Mapped[str] = mapped_column(String(200))


class AlarmNoticeRow(Base):
    """A message about an alarm; `name` is whom the rule names, `next` when it is tried, null once over."""

    __tablename__ = "sense_alarm_notice"
    __table_args__ = (
        Index("ix_sense_alarm_notice_once", "event", "name", "channel", unique=True),
        Index("ix_sense_alarm_notice_next", "next"),
    )

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    event: Mapped[int] = mapped_column(BigInteger)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("sense_alarm.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    channel: Mapped[str] = mapped_column(String(20))
    next: Mapped[datetime | None]
    tries: Mapped[int]


class WatchRow(Base):
    """Up to which reading the rules have been asked."""

    __tablename__ = "sense_watch"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    reading: Mapped[int] = mapped_column(BigInteger)
