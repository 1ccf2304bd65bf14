"""Events of the log become reports: what sensors and models raise enters the pool as everything else does.

Which types of events, and how they are read, the city says in its settings (`events`). An event becomes one
report however often it is read, for the report bears the event's number as its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from jingwei import ledger
from jingwei.cases import hearing
from jingwei.cases.policy import THE_SYSTEM
from jingwei.cases.schemas import Report
from jingwei.errors import JingweiError
from jingwei.ledger.followers import Follower

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.service import Desk
    from jingwei.cases.settings import EventReport
    from jingwei.ledger import Entry
    from jingwei.records import Records

NAME = "cases"
"""Under which the log keeps how far it has been read."""


class Listener:
    """Reports what the log tells of, by what the city has decided.

    Parameters
    ----------
    records, desk
        Whose log, and where reports are taken in.

    """

    def __init__(self, records: Records, desk: Desk) -> None:
        self.desk = desk
        self.follower = Follower(records, NAME, self.handle, types=self.types, from_now=True)

    def types(self, session: Session) -> frozenset[str]:
        """Return the types of events that become reports, or that tell how alarms of cases go on."""
        wanted = frozenset(one.event for one in self.desk.regime(session).settings.events)
        return wanted | hearing.TYPES if hearing.CALLED in wanted else wanted

    def handle(self, session: Session, entries: list[Entry]) -> None:
        """Report what some events tell of; one that cannot be reported is told and stops no other."""
        wanted = {one.event: one for one in self.desk.regime(session).settings.events}
        for entry in entries if wanted else ():
            try:
                with session.begin_nested():
                    self._take(session, entry, wanted.get(entry.type))
            except (JingweiError, ValueError, TypeError) as error:
                why = error.code if isinstance(error, JingweiError) else "case-field-invalid"
                told = {"event": entry.id, "type": entry.type, "why": why}
                ledger.append(
                    session, "case.event_refused", actor=THE_SYSTEM.id, subject="cases/events", data=told
                )

    def _take(self, session: Session, entry: Entry, how: EventReport | None) -> None:
        """Report what an event tells of, unless a case has heard of it already."""
        if (how is None or entry.type == hearing.CALLED) and hearing.hear(session, self.desk, entry):
            return
        if how is not None and entry.data is not None and _applies(how, entry.data):
            case = self.desk.report(session, THE_SYSTEM, report_of(how, entry))
            hearing.note(session, case.number, entry)

    def running(self) -> AbstractContextManager[Follower]:
        """Follow in a thread of its own while the block lasts."""
        return self.follower.running()


def report_of(how: EventReport, entry: Entry) -> Report:
    """Return the report that an event makes.

    Raises
    ------
    ValueError, TypeError
        Where its coordinates are no numbers.

    """
    data = entry.data or {}
    place = [data.get(name) if name else None for name in (how.lon, how.lat)]
    lon, lat = (None, None) if None in place else (float(str(one)) for one in place)
    component = data.get(how.component) if how.component else None
    return Report(
        kind=how.kind,
        type=how.type,
        source="sensor",
        description=how.description.format_map(_Told(data)),
        lon=lon,
        lat=lat,
        area=str(data.get(how.area, "")) if how.area else "",
        component=None if component is None else str(component),
        source_key=f"event/{entry.id}",
        at=entry.time,
    )


def _applies(how: EventReport, data: Mapping[str, Any]) -> bool:
    return all(str(data.get(name)) == value for name, value in how.where.items())


class _Told(dict[str, Any]):
    """What an event tells, for its description: what it lacks is empty, and nothing is looked into."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({name: str(value) for name, value in data.items()})

    def __missing__(self, key: str) -> str:
        return ""
