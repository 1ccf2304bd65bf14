"""What can be done with rules: write, switch, try on history; and with alarms: see, explain, mark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, select

from jingwei import grid, ledger
from jingwei.access.policy import RefusedError
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.records import now_utc
from jingwei.sense import policy
from jingwei.sense.entities import ENTITIES
from jingwei.sense.rules import raising
from jingwei.sense.rules.binding import STREAMS, finest_of, observed_by, streams_of, unreadable_cell, watched
from jingwei.sense.rules.evaluating import Evaluator
from jingwei.sense.rules.form import SEVERITIES, BadRuleError, rule_of, written
from jingwei.sense.rules.models import AlarmRow, IncidentRow, RuleRow, RuleVersionRow
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.policy import Policies
    from jingwei.sense.readings import Readings
    from jingwei.sense.rules.evaluating import Turn
    from jingwei.sense.rules.form import Rule
    from jingwei.sense.sight import Sight

MOST_RULES = 20_000
MOST_TRIED = 5_000_000
"""Readings on which a rule is tried at most."""
MARKS = ("", "true", "false")


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as one asker may know it.

    Attributes
    ----------
    cell, level
        The stored code of its place, as finely as the asker may be told; None where not at all.
    reasons, ended_by
        By which readings it was raised and ended; those of streams that the asker may not read are left out.
    hidden
        How many reasons are left out.

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
    reasons: list[dict[str, Any]]
    ended_by: list[dict[str, Any]]
    hidden: int
    incident: int
    called: int | None
    case: str
    mark: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rule would have raised: from when to when (None: still), and by which readings.

    `mark` is that of an alarm of the same rule in the same group that lasted at the same time.
    """

    group: int
    subject: str
    began: int
    ended: int | None
    reasons: list[dict[str, Any]]
    mark: str


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule on history: over how many streams and readings, and what it would have raised."""

    streams: int
    readings: int
    found: list[Tried]


# rules


def rules(session: Session, policies: Policies, asker: Asker) -> list[RuleRow]:
    """Return the rules that the asker may see."""
    found = session.scalars(select(RuleRow).where(~RuleRow.gone).order_by(RuleRow.id)).all()
    may = {owner: _may(policies, asker, policy.WATCH, owner) for owner in {one.owner for one in found}}
    return [one for one in found if may[one.owner]]


def rule(
    session: Session, policies: Policies, asker: Asker, number: int, action: str = policy.WATCH
) -> RuleRow:
    """Return a rule with which the asker may do something.

    Raises
    ------
    NotFoundError, RefusedError

    """
    found = session.get(RuleRow, number)
    if found is None or found.gone or not _may(policies, asker, policy.WATCH, found.owner):
        raise NotFoundError(Text("没有这条规则", "There is no such rule"), where={"rule": number})
    _check(policies, asker, action, found.owner, number)
    return found


def versions(session: Session, number: int) -> Sequence[RuleVersionRow]:
    """Return what a rule said, the newest first."""
    return session.scalars(
        select(RuleVersionRow).where(RuleVersionRow.rule_id == number).order_by(RuleVersionRow.version.desc())
    ).all()


def write(
    session: Session,
    policies: Policies,
    asker: Asker,
    body: dict[str, Any],
    *,
    owner: str = "",
    number: int | None = None,
) -> RuleRow:
    """Write a new rule, which is off, or a new version of one.

    Parameters
    ----------
    session, policies, asker
        In what, and who.
    body
        What it says; see `Rule`.
    owner
        Department that owns a new rule; empty for one of the whole city.
    number
        The rule of which it is a new version.

    Raises
    ------
    BadRuleError, NotFoundError, RefusedError, BadRequestError

    """
    form = written(checked(body))
    if number is None:
        owner = policies.department(owner) if owner else ""
        _check(policies, asker, policy.RULE, owner, "")
        if owner and not policies.knows(owner):
            raise BadRequestError(
                Text(f"没有部门 {owner}", f"There is no department {owner}"), where={"field": "owner"}
            )
        count = session.scalar(select(func.count()).select_from(RuleRow).where(~RuleRow.gone)) or 0
        if count >= MOST_RULES:
            raise BadRequestError(Text("规则太多。", f"There are {MOST_RULES} rules already."))
        found = RuleRow(
            version=0, owner=owner, on=False, gone=False, body=form, by=asker.id, changed=now_utc()
        )
        session.add(found)
    else:
        found = rule(session, policies, asker, number, policy.RULE)
    found.version += 1
    found.body, found.by, found.changed = form, asker.id, now_utc()
    session.flush()
    session.add(
        RuleVersionRow(rule_id=found.id, version=found.version, body=form, by=asker.id, at=found.changed)
    )
    _tell(session, asker, found.id, "sense.rule_written", {"version": found.version, "owner": found.owner})
    return found


def checked(body: Any) -> Rule:
    """Return the rule that a body says.

    Raises
    ------
    BadRuleError

    """
    found = rule_of(body)
    text = unreadable_cell(found)
    if text is not None:
        raise BadRuleError(Text(f"{text} 不是网格编码", f"{text} is no cell"), where={"field": "within"})
    return found


def check_writer(policies: Policies, asker: Asker, owner: str) -> None:
    """Refuse who may not write rules of a department, or of the whole city where it is empty."""
    _check(policies, asker, policy.RULE, owner, "")


def switch(
    session: Session, policies: Policies, asker: Asker, number: int, *, on: bool, gone: bool = False
) -> RuleRow:
    """Switch a rule on or off, or delete it: what it raised stays.

    Raises
    ------
    NotFoundError, RefusedError

    """
    found = rule(session, policies, asker, number, policy.RULE)
    found.on, found.gone = on and not gone, gone
    found.by, found.changed = asker.id, now_utc()
    to = "deleted" if gone else "on" if on else "off"
    _tell(session, asker, number, "sense.rule_switched", {"to": to})
    return found


def tried(
    session: Session,
    readings: Readings,
    sight: Sight,
    form: Rule,
    *,
    since: int,
    until: int,
    owner: str = "",
    number: int | None = None,
    wanted: Callable[[], bool] = lambda: True,
) -> Trial:
    """Ask a rule about the readings of a period, in the order of their times, as if it had been on.

    Parameters
    ----------
    session, readings, sight
        The records and readings, and what the asker sees of them: only streams that he may
        read, and whose places he may be told as finely as the rule names places.
    form, owner, number
        The rule, its department, and its number where it has one: its alarms say what was false.
    since, until
        UTC microseconds.
    wanted
        Asked between pieces of work whether it is still wanted.

    Raises
    ------
    BadRequestError
        If there are too many readings.

    """
    streams = streams_of(session, observed_by([form]), sight.visible(ENTITIES["Datastream"], STREAMS))
    finest = finest_of(form)
    streams = {
        one.id: one
        for one in streams.values()
        if sight.place_level({"owner": one.owner, "sharing": one.sharing, "level": one.level}) >= finest
    }
    bound = watched(0, form, streams, owner)
    under = Evaluator(bound)
    chosen = under.streams.tolist()
    count = readings.count(chosen, since=since, until=until) if chosen else 0
    if count > MOST_TRIED:
        raise BadRequestError(
            Text(f"这段时间有 {count} 条观测值，太多了。", f"There are {count} readings in this period."),
            mend=Text("请缩短时段。", f"Choose a shorter one, of at most {MOST_TRIED}."),
            where={"field": "since"},
        )
    if not chosen:
        return Trial(0, 0, [])
    rows = readings.within(chosen, since, until)
    rows = rows.take(np.lexsort((rows["id"], rows["time"])))
    rows.columns["id"] = np.arange(1, len(rows) + 1)
    turns: list[Turn] = []
    for begin in range(0, len(rows), 100_000):
        if not wanted():
            return Trial(len(chosen), 0, [])
        turns += under.take(rows.take(slice(begin, begin + 100_000)))
    turns += under.tick(until)
    return Trial(len(chosen), len(rows), _paired(session, form, turns, number))


def _paired(session: Session, form: Rule, turns: list[Turn], number: int | None) -> list[Tried]:
    """Put beginnings and ends together, with how alarms of that time were marked."""
    marked: list[Any] = []
    if number is not None:
        asked = select(AlarmRow).where(AlarmRow.rule_id == number, AlarmRow.mark != "")
        marked = list(session.scalars(asked))
    began: dict[int, Turn] = {}
    found = []
    for turn in turns:
        if turn.begins:
            began[turn.group] = turn
        else:
            found.append((began.pop(turn.group), turn.time))
    pairs: list[tuple[Turn, int | None]] = [*found, *((one, None) for one in began.values())]
    out = []
    for turn, end in sorted(pairs, key=lambda pair: (pair[0].time, pair[0].group)):
        subject = raising.subject_of(form, turn.group)
        mark = next(
            (
                one.mark
                for one in marked
                if one.subject == subject
                and (one.ended is None or one.ended >= turn.time)
                and (end is None or one.began <= end)
            ),
            "",
        )
        reasons = [raising.reason_out(one) for one in turn.reasons]
        out.append(Tried(turn.group, subject, turn.time, end, reasons, mark))
    return out


# alarms


def alarms(
    session: Session,
    sight: Sight,
    *,
    lasting: bool | None = None,
    number: int | None = None,
    incident: int | None = None,
    rule_number: int | None = None,
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
    number, incident, rule_number
        Only this one, or those of one incident or rule.
    before, limit
        Only with lower numbers, and how many.

    """
    asked = (
        select(AlarmRow, RuleRow.body)
        .join(RuleRow, RuleRow.id == AlarmRow.rule_id)
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
    ):
        if value is not None:
            asked = asked.where(column == value)
    if before is not None:
        asked = asked.where(AlarmRow.id < before)
    rows = session.execute(asked).all()
    levels = _levels(session, sight, {one["stream"] for row, _ in rows for one in row.reasons + row.ended_by})
    return [_alarm(row, body, levels) for row, body in rows]


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
    session: Session, sight: Sight, *, before: int | None = None, limit: int = 50
) -> list[tuple[IncidentRow, int, int]]:
    """Return incidents, newest first, with how many alarms the asker may see of them, and how many last."""
    asked = (
        select(IncidentRow, func.count(AlarmRow.id), func.count(AlarmRow.id) - func.count(AlarmRow.ended))
        .join(AlarmRow, AlarmRow.incident_id == IncidentRow.id)
        .where(AlarmRow.owner.in_(_owners(session, sight)))
        .group_by(IncidentRow.id)
        .order_by(IncidentRow.id.desc())
        .limit(limit)
    )
    if before is not None:
        asked = asked.where(IncidentRow.id < before)
    return [(row[0], row[1], row[2]) for row in session.execute(asked)]


def states(session: Session, sight: Sight, level: int) -> dict[int, list[Alarm]]:
    """Return which alarms last in which cells of a level, also by their rules in neighbouring cells.

    Parameters
    ----------
    session, sight
        The records, and what the asker sees: alarms whose place may not be told so finely are left out.
    level
        Of GeoSOT.

    Returns
    -------
    dict
        Stored code of a cell to the alarms that make its state, the gravest first.

    """
    spread = {one.id: rule_of(one.body).spread for one in session.scalars(select(RuleRow))}
    found: dict[int, list[Alarm]] = {}
    for alarm in alarms(session, sight, lasting=True, limit=10_000):
        if alarm.cell is None or alarm.level < level:
            continue
        code = int(grid.parent(int(grid.from_stored(alarm.cell)), alarm.level, level))
        rings = range(spread[alarm.rule] + 1)
        for cell in {one for at in rings for one in grid.ring(code, level, at)}:
            found.setdefault(int(grid.to_stored(cell)), []).append(alarm)
    for listed in found.values():
        listed.sort(key=lambda one: (-SEVERITIES.index(one.severity), one.id))
    return found


def _owners(session: Session, sight: Sight) -> list[str]:
    owners = session.scalars(select(AlarmRow.owner).distinct())
    return [one for one in owners if _may(sight.policies, sight.asker, policy.WATCH, one)]


def _levels(session: Session, sight: Sight, wanted: Collection[int]) -> dict[int, int]:
    """Return of streams that the asker may read the finest level at which their place is told."""
    found = {}
    seen = sight.visible(ENTITIES["Datastream"], STREAMS)
    listed = sorted(wanted)
    for begin in range(0, len(listed), 500):
        part = listed[begin : begin + 500]
        asked = select(STREAMS.c.id, STREAMS.c.owner, STREAMS.c.sharing, STREAMS.c.level)
        for row in session.execute(asked.where(STREAMS.c.id.in_(part), seen)).mappings():
            found[row["id"]] = sight.place_level(dict(row))
    return found


def _alarm(row: AlarmRow, body: dict[str, Any], levels: dict[int, int]) -> Alarm:
    told = [one for one in row.reasons if one["stream"] in levels]
    finest = min((levels[one["stream"]] for one in told), default=0)
    level = min(finest, row.level)
    cell = row.cell
    if cell is not None and level < row.level:
        code = int(grid.from_stored(cell))
        cell = int(grid.to_stored(grid.parent(code, row.level, level))) if level > 0 else None
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
        reasons=told,
        ended_by=[one for one in row.ended_by if one["stream"] in levels],
        hidden=len(row.reasons) - len(told),
        incident=row.incident_id,
        called=row.called,
        case=row.case_number,
        mark=row.mark,
    )


def _may(policies: Policies, asker: Asker, action: str, owner: str) -> bool:
    allowed: bool = policies.decide(asker, action, policy.rule_resource("", owner)).allowed
    return allowed


def _check(policies: Policies, asker: Asker, action: str, owner: str, number: object) -> None:
    decision = policies.decide(asker, action, policy.rule_resource(number, owner))
    if not decision.allowed:
        raise RefusedError(action, decision)


def _tell(session: Session, asker: Asker, number: int, type_: str, data: dict[str, Any]) -> None:
    ledger.append(session, type_, actor=asker.id, subject=f"sense/rules/{number}", data=data)
