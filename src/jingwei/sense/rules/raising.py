"""What comes of a rule that begins or ends to hold: alarms, incidents, and calls; all through the log.

Alarms of one cause within minutes are one incident; without a cause, those near each other or on one branch
of a network are. Of the places of an incident each is called for once, however often its alarms come and go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from jingwei import grid, ledger
from jingwei.sense.odata.syntax import EPOCH, MAX_TIME, MICRO, MIN_TIME
from jingwei.sense.rules.binding import place_of
from jingwei.sense.rules.branches import Branch
from jingwei.sense.rules.form import SEVERITIES
from jingwei.sense.rules.models import AlarmRow, IncidentRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from jingwei.sense.rules.binding import Stream, Streams
    from jingwei.sense.rules.branches import Flows
    from jingwei.sense.rules.evaluating import Reason, Turn
    from jingwei.sense.rules.form import Rule
    from jingwei.words import Text

ACTOR = "sense/rules"
BROKEN, MENDED = "sense.rule_broken", "sense.rule_mended"
OPEN_TO_STAFF = 2
"""The highest level of streams that staff of other departments are told of."""
MINUTE = 60_000_000
WITHIN = 10 * MINUTE
"""What begins so long after an incident last moved belongs to it; then it ends by itself."""
NEAR = 17
"""Level of GeoSOT (16 arc-seconds, about 500 m) whose cells are places: near are those side by side."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule that is on."""

    id: int
    version: int
    owner: str
    rule: Rule


def raised(
    session: Session, kept: Kept, turn: Turn, streams: Streams, flows: Flows, *, now: int, zone: ZoneInfo
) -> AlarmRow:
    """Raise an alarm, put it to its incident, and call for it unless the hour is quiet."""
    rule = kept.rule
    concerned = [streams[one.stream] for one in turn.reasons]
    cell, level = place_of(rule, turn.group, concerned)
    branch = Branch(flows, rule, concerned, streams)
    incident = _incident(session, rule, turn, cell, level, branch)
    alarm = AlarmRow(
        rule_id=kept.id,
        version=kept.version,
        owner=kept.owner,
        subject=subject_of(rule, turn.group),
        severity=rule.severity,
        cell=cell,
        level=level,
        began=turn.time,
        ended=None,
        reasons=[reason_out(one) for one in turn.reasons],
        ended_by=[],
        grounds=list(turn.grounds),
        ended_grounds=[],
        incident_id=incident.id,
        called=None,
        call="",
        case_number="",
        escalated=0,
        mark="",
        marked_by="",
    )
    session.add(alarm)
    session.flush()
    data = {"rule": kept.id, "version": kept.version, "incident": incident.id, "severity": rule.severity}
    _tell(session, "sense.alarm_raised", alarm, data | _earlier(session, alarm))
    call(session, alarm, rule, concerned, now=now, zone=zone)
    return alarm


def _earlier(session: Session, alarm: AlarmRow) -> dict[str, str]:
    """Return which alarm of the same rule in the same group came before, if any."""
    asked = select(func.max(AlarmRow.id)).where(
        AlarmRow.subject == alarm.subject, AlarmRow.rule_id == alarm.rule_id, AlarmRow.id < alarm.id
    )
    found = session.scalar(asked)
    return {} if found is None else {"earlier": f"sense/alarms/{found}"}


def ended(
    session: Session,
    alarm: AlarmRow,
    at: int,
    reasons: Iterable[Reason],
    grounds: Iterable[dict[str, Any]] = (),
) -> None:
    """End an alarm, by readings or by what datasets no longer say."""
    alarm.ended = max(at, alarm.began)
    alarm.ended_by = [reason_out(one) for one in reasons]
    alarm.ended_grounds = list(grounds)
    incident = session.get_one(IncidentRow, alarm.incident_id)
    incident.last = max(incident.last, alarm.ended)
    _tell(session, "sense.alarm_ended", alarm, {"rule": alarm.rule_id, "incident": incident.id})


def tell_trouble(session: Session, number: int, why: Text | None) -> None:
    """Tell that a rule cannot ask its datasets, or can again, unless that was told last."""
    subject = f"sense/rules/{number}"
    told = [one.type for one in ledger.events_of(session, subject) if one.type in (BROKEN, MENDED)]
    if (why is not None) == (told[:1] == [BROKEN]):
        return
    data = {} if why is None else {"zh": why.zh, "en": why.en or why.zh}
    ledger.append(session, MENDED if why is None else BROKEN, actor=ACTOR, subject=subject, data=data)


def call(
    session: Session, alarm: AlarmRow, rule: Rule, concerned: list[Stream], *, now: int, zone: ZoneInfo
) -> None:
    """Call for an alarm, once for each place of its incident, and not in quiet hours."""
    if is_quiet(rule, datetime.fromtimestamp(now / 1e6, zone)) or _called_here(session, alarm):
        return
    data: dict[str, Any] = {
        "rule": alarm.rule_id,
        "incident": alarm.incident_id,
        "severity": alarm.severity,
        "owner": alarm.owner,
        "zh": rule.zh,
        "en": rule.en,
        "reasons": "",
    }
    # the log tells readings and places only where everybody who follows it may be told
    if all(one.sharing != "none" and one.level <= OPEN_TO_STAFF for one in concerned):
        said = [_in_words(rule, one, zone) for one in alarm.reasons]
        said += [_rows_in_words(rule, one) for one in alarm.grounds if one["open"]]
        data["reasons"] = "; ".join(said)
        if alarm.cell is not None:
            lon, lat = grid.centre(int(grid.from_stored(alarm.cell)), alarm.level)
            data |= {"cell": str(alarm.cell), "level": alarm.level, "lon": float(lon), "lat": float(lat)}
    alarm.called = now
    alarm.call = str(
        ledger.append(
            session, "sense.alarm_called", actor=ACTOR, subject=f"sense/alarms/{alarm.id}", data=data
        )
    )


def escalate(session: Session, alarm: AlarmRow, rule: Rule, now: int) -> None:
    """Tell those to whom an alarm goes that has lasted so long since it was called."""
    steps = sorted(rule.escalation, key=lambda one: one.minutes)
    while alarm.called is not None and alarm.escalated < len(steps):
        step = steps[alarm.escalated]
        if now - alarm.called < step.minutes * MINUTE:
            return
        alarm.escalated += 1
        _tell(session, "sense.alarm_escalated", alarm, {"rule": alarm.rule_id, "to": step.to})


def incidents_over(session: Session, now: int) -> Sequence[IncidentRow]:
    """Return the incidents of which no alarm lasts or has moved for minutes."""
    lasting = select(AlarmRow.incident_id).where(AlarmRow.ended.is_(None))
    over = select(IncidentRow).where(
        IncidentRow.ended.is_(None), IncidentRow.last < now - WITHIN, IncidentRow.id.not_in(lasting)
    )
    return session.scalars(over).all()


def end_incidents(session: Session, now: int) -> None:
    """End the incidents of which no alarm lasts or has moved for minutes."""
    found = incidents_over(session, now)
    for incident in found:
        incident.ended = incident.last
        count = session.scalar(
            select(func.count()).select_from(AlarmRow).where(AlarmRow.incident_id == incident.id)
        )
        ledger.append(
            session,
            "sense.incident_ended",
            actor=ACTOR,
            subject=f"sense/incidents/{incident.id}",
            data={"alarms": int(count or 0)},
        )


def subject_of(rule: Rule, group: int) -> str:
    """Return how an alarm names its group."""
    return f"{rule.together}/{group}"


def is_quiet(rule: Rule, local: datetime) -> bool:
    """Say whether a moment of the city's clock is in the quiet hours of a rule."""
    clock = f"{local:%H:%M}"
    for one in rule.quiet:
        past = one.since > one.until
        inside = (clock >= one.since or clock < one.until) if past else one.since <= clock < one.until
        began = local - timedelta(days=1) if past and clock < one.until else local
        if inside and (not one.days or began.isoweekday() in one.days):
            return True
    return False


def around(cell: int, level: int) -> set[int]:
    """Return the stored codes of the place in which a cell lies and of those beside it."""
    code = int(grid.from_stored(cell))
    if level < NEAR:
        return {int(grid.to_stored(code))}
    here = int(grid.parent(code, level, NEAR))
    return {int(grid.to_stored(one)) for one in (here, *grid.neighbours(here, NEAR))}


def place(cell: int | None, level: int) -> int | None:
    """Return the stored code of the place in which a cell lies; of a coarser cell, its own."""
    if cell is None or level <= NEAR:
        return cell
    return int(grid.to_stored(grid.parent(int(grid.from_stored(cell)), level, NEAR)))


def _incident(
    session: Session, rule: Rule, turn: Turn, cell: int | None, level: int, branch: Branch
) -> IncidentRow:
    """Return the incident to which an alarm belongs, a new one if there is none."""
    lasting = select(AlarmRow.incident_id).where(AlarmRow.ended.is_(None))
    asked = select(IncidentRow).where(
        IncidentRow.ended.is_(None),
        IncidentRow.cause == rule.cause,
        (IncidentRow.last >= turn.time - WITHIN) | IncidentRow.id.in_(lasting),
    )
    for incident in session.scalars(asked.order_by(IncidentRow.id)):
        if rule.cause or _is_near(session, incident, cell, level) or branch.has(session, incident.id):
            incident.last = max(incident.last, turn.time)
            if SEVERITIES.index(rule.severity) > SEVERITIES.index(incident.severity):
                incident.severity = rule.severity
            return incident
    new = IncidentRow(cause=rule.cause, began=turn.time, last=turn.time, ended=None, severity=rule.severity)
    session.add(new)
    session.flush()
    ledger.append(
        session,
        "sense.incident_opened",
        actor=ACTOR,
        subject=f"sense/incidents/{new.id}",
        data={"cause": rule.cause, "severity": rule.severity},
    )
    return new


def _is_near(session: Session, incident: IncidentRow, cell: int | None, level: int) -> bool:
    if cell is None:
        return False
    near = around(cell, level)
    cells = session.execute(
        select(AlarmRow.cell, AlarmRow.level).where(AlarmRow.incident_id == incident.id).distinct()
    )
    return any(place(one, at) in near for one, at in cells if one is not None)


def _called_here(session: Session, alarm: AlarmRow) -> bool:
    here = place(alarm.cell, alarm.level)
    called = session.execute(
        select(AlarmRow.cell, AlarmRow.level, AlarmRow.subject).where(
            AlarmRow.incident_id == alarm.incident_id, AlarmRow.called.is_not(None)
        )
    )
    return any(
        subject == alarm.subject or (here is not None and place(cell, level) == here)
        for cell, level, subject in called
    )


def reason_out(one: Reason) -> dict[str, Any]:
    """Return a reason as records keep it."""
    value = None if isnan(one.value) else one.value
    return {"sign": one.sign, "stream": one.stream, "since": one.since, "time": one.time, "value": value}


def _in_words(rule: Rule, reason: Mapping[str, Any], zone: ZoneInfo) -> str:
    sign = rule.signs[reason["sign"]]
    value = "" if reason["value"] is None else f" {reason['value']:g}"
    unit = f" {sign.unit}" if sign.unit and value else ""
    at = local_moment(reason["time"], zone).isoformat(timespec="seconds")
    return f"stream {reason['stream']}: {sign.observes} {sign.kind}{value}{unit} {at}"


def _rows_in_words(rule: Rule, ground: Mapping[str, Any]) -> str:
    sign = rule.datasets[ground["sign"]]
    where = f" ({sign.where})" if sign.where else ""
    rows = [
        one["name"] if one["metres"] is None else f"{one['name']} {one['metres']:.0f} m"
        for one in ground["rows"]
    ]
    return f"{sign.dataset} v{ground['version']}{where}: {ground['count']} [{', '.join(rows)}]"


def local_moment(micros: int, zone: ZoneInfo) -> datetime:
    """Return a moment in the city's zone; in UTC at the ends of the calendar, where the zone has none."""
    moment = EPOCH + MICRO * min(max(micros, MIN_TIME), MAX_TIME)
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def _tell(session: Session, type_: str, alarm: AlarmRow, data: dict[str, Any]) -> None:
    ledger.append(session, type_, actor=ACTOR, subject=f"sense/alarms/{alarm.id}", data=data)
