"""Escalation reaches people: who is named by a rule is told by the ways that the city's settings know.

A follower of the log notes in one transaction who is to be told; a sender sends what is noted, at least once,
and tries again later where a channel does not take it. Readings are told only where the log tells them, too.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from jingwei import ledger
from jingwei.city.channels import CHANNELS, MOST_TRIES, Notice
from jingwei.ledger.followers import Follower
from jingwei.ledger.threads import in_rounds
from jingwei.records import now_utc
from jingwei.sense.rules.models import AlarmNoticeRow, AlarmRow
from jingwei.sense.rules.raising import local_moment

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from jingwei.city.channels import Channel
    from jingwei.city.settings import ReachSettings
    from jingwei.ledger import Entry
    from jingwei.records import Records
    from jingwei.words import Text

log = logging.getLogger(__name__)

NOTICES: Table = AlarmNoticeRow.__table__  # type: ignore[assignment]
NAME = "alarm-notices"
ESCALATED, CALLED = "sense.alarm_escalated", "sense.alarm_called"
PAUSE = 2.0
"""Seconds between two looks at what is to be sent."""
MOST = 50


class AlarmNotices:
    """Notes who is to be told of alarms that last, and tells them.

    Parameters
    ----------
    records
        Whose log.
    channels
        By name: `email`, `sms`, `wechat`.
    reach
        Who is reached under which name, and where.
    city, zone
        What the city is called, and its time zone.

    """

    def __init__(
        self,
        records: Records,
        channels: Mapping[str, Channel],
        reach: tuple[ReachSettings, ...],
        city: Text,
        zone: ZoneInfo,
    ) -> None:
        self.records, self.channels, self.city, self.zone = records, channels, city, zone
        self._reach: dict[str, dict[str, str]] = {}
        for one in reach:
            told = {name: getattr(one, name) for name in CHANNELS if getattr(one, name) and name in channels}
            self._reach.setdefault(one.name, {}).update(told)
        self.follower = Follower(records, NAME, self.note, types=(ESCALATED,), from_now=True)

    def note(self, session: Session, entries: list[Entry]) -> None:
        """Note who is to be told of some events."""
        rows = [
            {
                "event": entry.id, "alarm_id": int((entry.subject or "").rpartition("/")[2]), "name": name,
                "channel": channel, "next": now_utc(), "tries": 0,
            }
            for entry in entries
            for name in [str((entry.data or {}).get("to", ""))]
            for channel in self._reach.get(name, ())
        ]  # fmt: skip
        if rows:
            dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            session.execute(dialect.insert(NOTICES).values(rows).on_conflict_do_nothing())

    def send(self, now: datetime | None = None) -> int:
        """Send what is due; return how many messages a channel took."""
        when = now or now_utc()
        with self.records.read() as session:
            due = select(AlarmNoticeRow).where(AlarmNoticeRow.next <= when).order_by(AlarmNoticeRow.id)
            waiting = [
                (row.id, row.tries, self._message(session, row)) for row in session.scalars(due.limit(MOST))
            ]
        sent = 0
        for number, tries, message in waiting:
            again: datetime | None = None
            if message is not None:
                try:
                    self.channels[message.channel].send(message)
                    sent += 1
                except Exception as error:  # noqa: BLE001 -- whatever a channel raises: it is tried again
                    log.warning("notice %s: %s", message.id, type(error).__name__)
                    again = when + timedelta(minutes=2**tries) if tries < MOST_TRIES else None
            with self.records.write() as session:
                done = update(NOTICES).where(NOTICES.c.id == number)
                session.execute(done.values(next=again, tries=tries + 1))
        return sent

    def _message(self, session: Session, row: AlarmNoticeRow) -> Notice | None:
        """Return a noted message in words; None where nobody is reached under that name any more."""
        to = self._reach.get(row.name, {}).get(row.channel)
        alarm = session.get_one(AlarmRow, row.alarm_id)
        called = ledger.events_of(session, f"sense/alarms/{alarm.id}")
        data = next((one.data for one in called if one.type == CALLED and one.data), None)
        if to is None or data is None:
            return None
        began = local_moment(alarm.began, self.zone).isoformat(sep=" ", timespec="minutes")
        zh, en = f"{data['zh']}，自 {began} 起", f"{data['en']}, since {began}"
        if alarm.ended is not None:
            over = local_moment(alarm.ended, self.zone).isoformat(sep=" ", timespec="minutes")
            zh, en = f"{zh}，已于 {over} 结束", f"{en}, over at {over}"
        reasons = f"\n{data['reasons']}" if data["reasons"] else ""
        case = f"\n案件 / case {alarm.case_number}" if alarm.case_number else ""
        subject = f"{self.city.zh}：{data['zh']} / {data['en']} ({alarm.severity})"
        body = f"{zh}。\n{en}.{reasons}{case}\n告警 / alarm {alarm.id}\n"
        return Notice(f"alarm.{row.event}.{row.id}", row.channel, to, subject, body, alarm.case_number)

    def round(self) -> None:
        """Note and send once."""
        self.follower.catch_up()
        self.send()

    @contextlib.contextmanager
    def running(self) -> Iterator[AlarmNotices]:
        """Note and send in a thread of its own while the block lasts, where anybody is reached."""
        if not any(self._reach.values()):
            yield self
            return
        with in_rounds("notices of alarms", self.round, PAUSE):
            yield self
