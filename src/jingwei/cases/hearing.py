"""Cases that alarms opened hear how these go on: again, ended, joined by others, passed on, over.

Which case came of which alarm is kept here; what alarms do, the log tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from jingwei.cases.models import HeardRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from jingwei.cases.service import Desk
    from jingwei.ledger import Entry

CALLED = "sense.alarm_called"
RAISED, ENDED, ESCALATED = "sense.alarm_raised", "sense.alarm_ended", "sense.alarm_escalated"
OVER = "sense.incident_ended"
TYPES = frozenset({CALLED, RAISED, ENDED, ESCALATED, OVER})
TOLD_AT = frozenset(10**n for n in range(7))
"""How many alarms have joined when a case is told so: a storm is no hundred steps of a case."""


def note(session: Session, number: str, entry: Entry) -> None:
    """Keep which case came of an alarm for which was called."""
    data = entry.data or {}
    if entry.type == CALLED and entry.subject:
        _keep(session, entry.subject, number, data["incident"])


def hear(session: Session, desk: Desk, entry: Entry) -> bool:
    """Let cases hear what an alarm or an incident does.

    Returns
    -------
    bool
        Whether that is all there is to do: of a call that no open case has heard of, a case is to come.

    """
    data, subject = entry.data or {}, entry.subject or ""
    own = session.get(HeardRow, subject)
    if entry.type == CALLED:
        return own is not None
    if entry.type == RAISED:
        earlier = session.get(HeardRow, data.get("earlier", ""))
        told = {"told": "alarm_again", "alarm": subject}
        if earlier is not None and desk.hear(session, earlier.case, told, entry.time):
            _keep(session, subject, earlier.case, data["incident"])
        else:
            _joined(session, desk, entry, data["incident"])
    elif entry.type == OVER:
        incident = int(subject.rpartition("/")[2])
        told = {"told": "incident_over", "alarms": data["alarms"]}
        _tell(session, desk, {one.case for one in _of_incident(session, incident)}, told, entry)
    elif own is not None:
        told = {"told": "alarm_ended", "alarm": subject}
        if entry.type == ESCALATED:
            told = {"told": "alarm_passed_on", "alarm": subject, "passed_to": data["to"]}
        _tell(session, desk, {own.case}, told, entry)
    return True


def _joined(session: Session, desk: Desk, entry: Entry, incident: int) -> None:
    """Count an alarm for the cases of its incident, and tell them at the first, the tenth, the hundredth."""
    session.execute(update(HeardRow).where(HeardRow.incident == incident).values(joined=HeardRow.joined + 1))
    counts: dict[str, int] = {}
    for row in _of_incident(session, incident):
        session.refresh(row)
        counts[row.case] = max(row.joined, counts.get(row.case, 0))
    for case, count in counts.items():
        if count in TOLD_AT:
            _tell(session, desk, {case}, {"told": "alarm_joined", "alarms": count}, entry)


def _of_incident(session: Session, incident: int) -> Iterable[HeardRow]:
    return session.scalars(
        select(HeardRow).where(HeardRow.incident == incident).order_by(HeardRow.alarm)
    ).all()


def _tell(session: Session, desk: Desk, cases: Iterable[str], told: dict[str, Any], entry: Entry) -> None:
    for case in sorted(cases):
        desk.hear(session, case, told, entry.time)


def _keep(session: Session, alarm: str, number: str, incident: int) -> None:
    session.add(HeardRow(alarm=alarm, case=number, incident=incident, joined=0))
    session.flush()
