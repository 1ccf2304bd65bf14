"""What became of the cases that alarms and faults opened, as the log tells: a rule hears if it was wrong."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.ledger.followers import Follower
from jingwei.sense.faults import service as faults
from jingwei.sense.faults.models import FaultRow
from jingwei.sense.rules.models import AlarmRow
from jingwei.sense.rules.raising import ACTOR
from jingwei.sense.rules.standing import marked

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.ledger import Entry
    from jingwei.records import Records

NAME = "sense-cases"
REPORTED, HEARD = "case.reported", "case.heard"
FOUND = {"case.rejected": "false", "case.cancelled": "false", "case.closed": "true"}
"""What the end of a case says of the alarm it came of."""
AGAIN = "alarm_again"
"""How a case tells that it took up an alarm of the same kind as its own, instead of another case."""


class CaseListener:
    """Follows the log for cases that alarms and faults opened; what people said of them themselves stays."""

    def __init__(self, records: Records) -> None:
        self.follower = Follower(records, NAME, self.handle, types=(REPORTED, HEARD, *FOUND), from_now=True)

    def handle(self, session: Session, entries: list[Entry]) -> None:
        """Keep the numbers of cases with their alarms and faults, and how they ended."""
        for entry in entries:
            number = (entry.subject or "").removeprefix("case/")
            if entry.type == REPORTED:
                kind, _, event = str((entry.data or {}).get("source_key", "")).partition("/")
                if kind == "event" and event:
                    for alarm in session.scalars(select(AlarmRow).where(AlarmRow.call == event)):
                        alarm.case_number = number
                    for fault in session.scalars(select(FaultRow).where(FaultRow.call == event)):
                        fault.case_number = number
                continue
            if entry.type == HEARD:
                self._heard(session, number, entry.data or {})
                continue
            for fault in session.scalars(select(FaultRow).where(FaultRow.case_number == number)):
                if not fault.mark:
                    faults.marked(session, fault, FOUND[entry.type], faults.ACTOR)
            for alarm in session.scalars(select(AlarmRow).where(AlarmRow.case_number == number)):
                if not alarm.mark:
                    marked(session, alarm, FOUND[entry.type], ACTOR)

    def _heard(self, session: Session, number: str, data: dict[str, Any]) -> None:
        """Keep the number of a case that took up an alarm which came again."""
        if data.get("told") != AGAIN:
            return
        alarm = session.get(AlarmRow, int(data["alarm"].removeprefix("sense/alarms/")))
        if alarm is not None and not alarm.case_number:
            alarm.case_number = number

    def running(self) -> AbstractContextManager[Follower]:
        """Follow in a thread of its own while the block lasts."""
        return self.follower.running()
