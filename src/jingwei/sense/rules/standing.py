"""What stands: alarms and incidents as far as an asker may know them, the state of cells, and marks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func, select

from jingwei import grid, ledger
from jingwei.errors import NotFoundError
from jingwei.grid import Cell
from jingwei.records import now_utc
from jingwei.sense import policy
from jingwei.sense.entities import ENTITIES
from jingwei.sense.models import LocationRow, ThingLocation, ThingRow
from jingwei.sense.readings import readings_of
from jingwei.sense.rules.binding import STREAMS, symbol_of
from jingwei.sense.rules.branches import BY_VERSION
from jingwei.sense.rules.downstream import Reached
from jingwei.sense.rules.form import SEVERITIES, rule_of
from jingwei.sense.rules.models import AlarmRow, IncidentRow, RuleRow, RuleVersionRow
from jingwei.sense.series import micros_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.policy import Policies
    from jingwei.sense.readings import Reading, Readings
    from jingwei.sense.rules.downstream import Way
    from jingwei.sense.rules.form import Downstream, Severity
    from jingwei.sense.rules.networks import Networks
    from jingwei.sense.sight import Sight

MOST_LASTING = 10_000
MOST_PAST = 20
MOST_STREAMS = 100
"""Of one cell."""
STALE = 86_400_000_000
"""Microseconds without a reading after which nobody knows how a stream stands."""
_THINGS: Any = ThingRow.__table__
_PLACES: Any = ThingLocation.__table__
_LOCATIONS: Any = LocationRow.__table__


@dataclass(frozen=True, slots=True)
class Named:
    """A stream as reasons name it; `level` is the finest at which its place is told."""

    name: str
    thing: str
    symbol: str
    level: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as one asker may know it.

    Attributes
    ----------
    signs
        What the rule looked for, in the version that raised it.
    cell, level
        The stored code of its place, as finely as the asker may be told; None where not at all.
    reasons, ended_by
        By which readings it was raised and ended; those of streams that the asker may not read are left out.
    hidden
        How many reasons are left out.
    datasets, grounds, ended_grounds
        What the rule asked of datasets, and by which rows it was raised and ended. Of datasets that the
        asker may not know of they are left out and counted in `hidden`; rows are told to whoever may read
        all of the dataset, and be told the place of the alarm as it is.
    downstream
        Over which network its state goes, by the version that raised it.
    way
        In the state of a cell: how it came there, where it did over a network.

    """

    id: int
    rule: int
    version: int
    title: Text
    owner: str
    subject: str
    severity: str
    cell: int | None
    level: int
    began: int
    ended: int | None
    signs: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    ended_by: list[dict[str, Any]]
    hidden: int
    incident: int
    called: int | None
    case: str
    mark: str
    datasets: list[dict[str, Any]]
    grounds: list[dict[str, Any]]
    ended_grounds: list[dict[str, Any]]
    downstream: Downstream | None = None
    way: Way | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as one asker may know it: its gravest alarm, how many there are and last, and its cases."""

    row: IncidentRow
    title: Text
    alarms: int
    lasting: int
    cases: list[str]


@dataclass(frozen=True, slots=True)
class CellState:
    """The state of a cell: alarms that last in it, those that were, and the streams in it.

    `severity` is the gravest of the alarms, empty where none lasts, `unknown` where no stream told anything
    for a day.
    """

    cell: Cell
    severity: Severity | Literal["", "unknown"]
    alarms: list[Alarm]
    past: list[Alarm]
    streams: list[tuple[int, Named, Reading | None]]


def alarms(
    session: Session,
    sight: Sight,
    *,
    lasting: bool | None = None,
    number: int | None = None,
    incident: int | None = None,
    rule_number: int | None = None,
    case: str | None = None,
    stored: tuple[int, int] | None = None,
    at: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Alarm]:
    """Return alarms that the asker may see, the newest first.

    Parameters
    ----------
    session, sight
        The records, and what the asker sees.
    lasting
        Only those that last, or only those that ended.
    number, incident, rule_number, case
        Only this one, or those of one incident, rule or case.
    stored
        Only those whose cell lies between two stored codes.
    at
        Only those that lasted at this moment (UTC microseconds), as they were then.
    before, limit
        Only with lower numbers, and how many.

    """
    asked = (
        select(AlarmRow, RuleVersionRow.body)
        .join(RuleVersionRow, BY_VERSION)
        .where(AlarmRow.owner.in_(_owners(session, sight)))
        .order_by(AlarmRow.id.desc())
        .limit(limit)
    )
    if lasting is not None:
        asked = asked.where(AlarmRow.ended.is_(None) if lasting else AlarmRow.ended.is_not(None))
    for column, value in (
        (AlarmRow.id, number),
        (AlarmRow.incident_id, incident),
        (AlarmRow.rule_id, rule_number),
        (AlarmRow.case_number, case),
    ):
        if value is not None:
            asked = asked.where(column == value)
    if stored is not None:
        asked = asked.where(AlarmRow.cell.between(*stored))
    if at is not None:
        asked = asked.where(AlarmRow.began <= at, AlarmRow.ended.is_(None) | (AlarmRow.ended > at))
    if before is not None:
        asked = asked.where(AlarmRow.id < before)
    rows = session.execute(asked).all()
    named = names_of(session, sight, {one["stream"] for row, _ in rows for one in row.reasons + row.ended_by})
    told = [_alarm(sight, row, body, named) for row, body in rows]
    return told if at is None else [_as_it_was(one, at) for one in told]


def _as_it_was(alarm: Alarm, at: int) -> Alarm:
    """Return an alarm that lasted at a moment without what came after it."""
    called = alarm.called if alarm.called is not None and alarm.called <= at else None
    return replace(
        alarm,
        ended=None,
        ended_by=[],
        ended_grounds=[],
        called=called,
        case=alarm.case if called else "",
        mark="",
    )


def mark(session: Session, policies: Policies, asker: Asker, number: int, said: str) -> None:
    """Say whether an alarm was true.

    Raises
    ------
    NotFoundError, RefusedError

    """
    found = session.get(AlarmRow, number)
    if found is None or not _may(policies, asker, policy.WATCH, found.owner):
        raise NotFoundError(Text("没有这个告警", "There is no such alarm"), where={"alarm": number})
    marked(session, found, said, asker.id)


def marked(session: Session, alarm: AlarmRow, said: str, by: str) -> None:
    """Keep what was found of an alarm: `true`, `false`, or empty for nothing."""
    alarm.mark, alarm.marked_by = said, by
    data = {"rule": alarm.rule_id, "mark": said}
    ledger.append(session, "sense.alarm_marked", actor=by, subject=f"sense/alarms/{alarm.id}", data=data)


def incidents(
    session: Session,
    sight: Sight,
    *,
    lasting: bool | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Incident]:
    """Return incidents of which the asker may see alarms, newest first.

    Parameters
    ----------
    session, sight
        The records, and what the asker sees.
    lasting
        Only those that last, or only those that ended.
    before, limit
        Only with lower numbers, and how many.

    """
    owners = _owners(session, sight)
    asked = (
        select(IncidentRow, func.count(AlarmRow.id), func.count(AlarmRow.id) - func.count(AlarmRow.ended))
        .join(AlarmRow, AlarmRow.incident_id == IncidentRow.id)
        .where(AlarmRow.owner.in_(owners))
        .group_by(IncidentRow.id)
        .order_by(IncidentRow.id.desc())
        .limit(limit)
    )
    if lasting is not None:
        asked = asked.where(IncidentRow.ended.is_(None) if lasting else IncidentRow.ended.is_not(None))
    if before is not None:
        asked = asked.where(IncidentRow.id < before)
    rows = session.execute(asked).all()
    numbers = [row[0].id for row in rows]
    titles, cases = _gravest(session, owners, numbers), _cases(session, owners, numbers)
    return [Incident(row, titles[row.id], count, still, cases.get(row.id, [])) for row, count, still in rows]


def _gravest(session: Session, owners: list[str], numbers: list[int]) -> dict[int, Text]:
    """Return what the first of the gravest alarms of each incident says."""
    asked = (
        select(AlarmRow.incident_id, AlarmRow.severity, func.min(AlarmRow.id))
        .where(AlarmRow.incident_id.in_(numbers), AlarmRow.owner.in_(owners))
        .group_by(AlarmRow.incident_id, AlarmRow.severity)
    )
    first = sorted(session.execute(asked).all(), key=lambda one: SEVERITIES.index(one[1]))
    chosen = {incident: alarm for incident, _, alarm in first}
    says = select(AlarmRow.incident_id, RuleVersionRow.body).join(RuleVersionRow, BY_VERSION)
    found = session.execute(says.where(AlarmRow.id.in_(chosen.values())))
    return {incident: Text(body["zh"], body["en"]) for incident, body in found}


def _cases(session: Session, owners: list[str], numbers: list[int]) -> dict[int, list[str]]:
    asked = (
        select(AlarmRow.incident_id, AlarmRow.case_number)
        .where(AlarmRow.incident_id.in_(numbers), AlarmRow.owner.in_(owners), AlarmRow.case_number != "")
        .distinct()
        .order_by(AlarmRow.case_number)
    )
    found: dict[int, list[str]] = {}
    for incident, case in session.execute(asked):
        found.setdefault(incident, []).append(case)
    return found


def states(
    session: Session, sight: Sight, level: int, at: int | None = None, networks: Networks | None = None
) -> dict[int, list[Alarm]]:
    """Return which alarms last in which cells of a level, by their rules also beside and downstream of them.

    Parameters
    ----------
    session, sight
        The records, and what the asker sees: alarms whose place may not be told so finely are left out.
    level
        Of GeoSOT.
    at
        The states at this moment, UTC microseconds, by the rules that then held; now where it is left out.
    networks
        Of the lake; for a moment, in the versions that were published by then.

    Returns
    -------
    dict
        Stored code of a cell to the alarms that make its state, the gravest first.

    """
    listed = alarms(session, sight, lasting=True if at is None else None, at=at, limit=MOST_LASTING)
    spread = _spreads(session, {(one.rule, one.version) for one in listed})
    found: dict[int, list[Alarm]] = {}
    reached = Reached(session, sight, networks, listed, at)
    for alarm in listed:
        here = _around(alarm, level, spread[alarm.rule, alarm.version])
        for cell in here:
            found.setdefault(cell, []).append(alarm)
        for cell, way in reached.cells(alarm, level).items():
            if cell not in here:
                found.setdefault(cell, []).append(replace(alarm, way=way))
    for told in found.values():
        told.sort(key=_gravest_first)
    return found


def _gravest_first(alarm: Alarm) -> tuple[int, bool, int]:
    return -SEVERITIES.index(alarm.severity), alarm.way is not None, alarm.id


def _around(alarm: Alarm, level: int, spread: int) -> set[int]:
    """Return the stored codes of the cells of an alarm; none where its place is not told so finely."""
    if alarm.cell is None or alarm.level < level:
        return set()
    code = int(grid.parent(int(grid.from_stored(alarm.cell)), alarm.level, level))
    return {int(grid.to_stored(one)) for ring in range(spread + 1) for one in grid.ring(code, level, ring)}


def _spreads(session: Session, versions: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Return over how many rings of cells the state goes, by rule and the version that raised the alarm."""
    rules = {rule for rule, _ in versions}
    rows = session.scalars(select(RuleVersionRow).where(RuleVersionRow.rule_id.in_(rules)))
    return {(one.rule_id, one.version): rule_of(one.body).spread for one in rows}


def of_cell(
    session: Session, sight: Sight, readings: Readings, cell: Cell, networks: Networks | None = None
) -> CellState:
    """Return the state of a cell, as far as the asker may be told places so finely.

    Parameters
    ----------
    session, sight, readings
        The records, what the asker sees of them, and the readings.
    cell
        Of GeoSOT.
    networks
        Of the lake.

    """
    spread = {one.id: rule_of(one.body).spread for one in session.scalars(select(RuleRow))}
    rings: dict[int, set[int]] = {}

    def touches(alarm: Alarm) -> bool:
        if alarm.cell is None:
            return False
        code = int(grid.from_stored(alarm.cell))
        if alarm.level < cell.level:
            return int(grid.parent(cell.code, cell.level, alarm.level)) == code
        far = spread[alarm.rule]
        if far not in rings:
            rings[far] = {one for at in range(far + 1) for one in grid.ring(cell.code, cell.level, at)}
        return int(grid.parent(code, alarm.level, cell.level)) in rings[far]

    listed = alarms(session, sight, lasting=True, limit=MOST_LASTING)
    reached = Reached(session, sight, networks, listed)
    lasting = []
    for one in listed:
        if touches(one):
            lasting.append(one)
        elif (way := reached.way(one, cell)) is not None:
            lasting.append(replace(one, way=way))
    lasting.sort(key=_gravest_first)
    first, last = (int(one) for one in grid.cell_range(cell.code, cell.level))
    past = [
        one
        for one in alarms(session, sight, lasting=False, stored=(first, last), limit=MOST_PAST)
        if one.level >= cell.level
    ]
    streams = _streams_in(session, sight, readings, cell, (first, last))
    now = micros_of(now_utc())
    heard = any(one is not None and one.time > now - STALE for _, _, one in streams)
    severity: Any = lasting[0].severity if lasting else "" if heard else "unknown"
    return CellState(cell, severity, lasting, past, streams)


def _streams_in(
    session: Session, sight: Sight, readings: Readings, cell: Cell, stored: tuple[int, int]
) -> list[tuple[int, Named, Reading | None]]:
    """Return the streams in a cell, where the asker may be told so finely, and their newest readings."""
    asked = (
        select(STREAMS.c.id)
        .join(_PLACES, _PLACES.c.thing_id == STREAMS.c.thing_id)
        .join(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
        .where(_LOCATIONS.c.cell.between(*stored), sight.visible(ENTITIES["Datastream"], STREAMS))
        .distinct()
        .order_by(STREAMS.c.id)
        .limit(MOST_STREAMS)
    )
    named = names_of(session, sight, list(session.scalars(asked)))
    told = {number: one for number, one in named.items() if one.level >= cell.level}
    newest = {one.stream: one for one in readings_of(readings.latest(list(told)))} if told else {}
    return [(number, one, newest.get(number)) for number, one in sorted(told.items())]


def _owners(session: Session, sight: Sight) -> list[str]:
    owners = session.scalars(select(AlarmRow.owner).distinct())
    return [one for one in owners if _may(sight.policies, sight.asker, policy.WATCH, one)]


def names_of(session: Session, sight: Sight, wanted: Collection[int]) -> dict[int, Named]:
    """Return the streams that the asker may read, with the finest level at which their place is told."""
    found = {}
    seen = sight.visible(ENTITIES["Datastream"], STREAMS)
    asked = select(
        STREAMS.c.id,
        STREAMS.c.owner,
        STREAMS.c.sharing,
        STREAMS.c.level,
        STREAMS.c.name,
        STREAMS.c.unit,
        _THINGS.c.name.label("thing"),
    ).join(_THINGS, _THINGS.c.id == STREAMS.c.thing_id)
    listed = sorted(wanted)
    for begin in range(0, len(listed), 500):
        part = listed[begin : begin + 500]
        for row in session.execute(asked.where(STREAMS.c.id.in_(part), seen)).mappings():
            level = sight.place_level(dict(row))
            found[row["id"]] = Named(row["name"], row["thing"], symbol_of(row["unit"]), level)
    return found


def named_reasons(reasons: list[Any], named: dict[int, Named]) -> list[dict[str, Any]]:
    """Return the reasons of streams that the asker may read, with what these are called."""
    found = []
    for one in reasons:
        stream = named.get(one["stream"])
        if stream is not None:
            found.append(one | {"name": stream.name, "thing": stream.thing, "symbol": stream.symbol})
    return found


def _grounds(sight: Sight, grounds: list[Any], *, exact: bool) -> list[dict[str, Any]]:
    """Return what rows of datasets say, as far as the asker may know them."""
    found: list[dict[str, Any]] = []
    if sight.grounds is None:
        return found
    for one in grounds:
        title = sight.grounds.title(sight.asker, one["dataset"])
        if title is None:
            continue
        if exact and sight.grounds.may_read(sight.asker, one["dataset"]):
            found.append(one | {"title": title, "told": True})
        else:
            found.append(one | {"title": title, "told": False, "rows": [], "count": None})
    return found


def _alarm(sight: Sight, row: AlarmRow, body: dict[str, Any], named: dict[int, Named]) -> Alarm:
    told = named_reasons(row.reasons, named)
    finest = min((named[one["stream"]].level for one in told), default=0)
    level = min(finest, row.level)
    cell = row.cell
    if cell is not None and level < row.level:
        code = int(grid.from_stored(cell))
        cell = int(grid.to_stored(grid.parent(code, row.level, level))) if level > 0 else None
    exact = level == row.level
    grounds = _grounds(sight, row.grounds, exact=exact)
    return Alarm(
        id=row.id,
        rule=row.rule_id,
        version=row.version,
        title=Text(body["zh"], body["en"]),
        owner=row.owner,
        subject=row.subject if told and (cell == row.cell or "zone" not in row.subject) else "",
        severity=row.severity,
        cell=cell,
        level=level,
        began=row.began,
        ended=row.ended,
        signs=body["signs"],
        reasons=told,
        ended_by=named_reasons(row.ended_by, named),
        hidden=len(row.reasons) - len(told) + len(row.grounds) - len(grounds),
        incident=row.incident_id,
        called=row.called,
        case=row.case_number,
        mark=row.mark,
        datasets=body.get("datasets", []),
        grounds=grounds,
        ended_grounds=_grounds(sight, row.ended_grounds, exact=exact),
        downstream=rule_of(body).downstream if "downstream" in body else None,
    )


def _may(policies: Policies, asker: Asker, action: str, owner: str) -> bool:
    allowed: bool = policies.decide(asker, action, policy.rule_resource("", owner)).allowed
    return allowed
