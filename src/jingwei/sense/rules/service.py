"""What can be done with rules: write, switch, try on history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, select

from jingwei import ledger
from jingwei.access.policy import RefusedError
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.lake import lineage
from jingwei.records import now_utc
from jingwei.sense import policy
from jingwei.sense.entities import ENTITIES
from jingwei.sense.rules import raising
from jingwei.sense.rules.binding import STREAMS, finest_of, observed_by, streams_of, unreadable_cell, watched
from jingwei.sense.rules.evaluating import Evaluator
from jingwei.sense.rules.form import BadRuleError, rule_of, written
from jingwei.sense.rules.gating import DatasetGate
from jingwei.sense.rules.history import Span, Used, spans
from jingwei.sense.rules.models import AlarmRow, RuleRow, RuleVersionRow
from jingwei.sense.rules.standing import named_reasons, names_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.policy import Policies
    from jingwei.lake import Lake, Version
    from jingwei.sense.readings import Readings
    from jingwei.sense.rules.evaluating import Turn
    from jingwei.sense.rules.form import Rule
    from jingwei.sense.rules.grounds import Grounds
    from jingwei.sense.rules.networks import Networks
    from jingwei.sense.service import Sensing
    from jingwei.sense.sight import Sight

MOST_RULES = 20_000
MOST_TRIED = 5_000_000
"""Readings on which a rule is tried at most."""
MOST_NAMED = 1_000
"""Alarms of a trial whose reasons are told with the names of their streams."""


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
    grounds: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule on history: over how many streams and readings, and what it would have raised.

    `datasets` says which versions of its datasets it asked, and when.
    """

    streams: int
    readings: int
    found: list[Tried]
    datasets: list[Used]


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


def put(
    sensing: Sensing, asker: Asker, body: dict[str, Any], *, owner: str = "", number: int | None = None
) -> RuleRow:
    """Write a rule as `write` does, once it holds against the networks and datasets that it names.

    These are read before anything is written: it may take longer than others should wait.

    Raises
    ------
    BadRuleError, UnknownDatasetError, NotFoundError, RefusedError, BadRequestError

    """
    with sensing.records.read() as session:
        whose = _whose(session, sensing.policies(), asker, number, owner)
    checked(body, sensing.networks, asker, sensing.grounds, whose)
    with sensing.records.write() as session:
        return write(session, sensing.policies(), asker, body, owner=owner, number=number)


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
        owner = _owner(policies, asker, owner)
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


def checked(
    body: Any,
    networks: Networks | None = None,
    asker: Asker | None = None,
    grounds: Grounds | None = None,
    owner: str = "",
) -> Rule:
    """Return the rule that a body says.

    Parameters
    ----------
    body
        See `Rule`.
    networks, asker
        Where given, the network that it names must be there for who writes it.
    grounds, owner
        Where given, who writes it and the department whose it is (empty: the city) must be able to ask the
        datasets that it names.

    Raises
    ------
    BadRuleError, UnknownDatasetError

    """
    found = rule_of(body)
    text = unreadable_cell(found)
    if text is not None:
        raise BadRuleError(Text(f"{text} 不是网格编码", f"{text} is no cell"), where={"field": "within"})
    if networks is not None and asker is not None and found.downstream is not None:
        networks.check(asker, found.downstream)
    if grounds is not None and asker is not None:
        grounds.check(asker, owner, found)
    return found


def _whose(session: Session, policies: Policies, asker: Asker, number: int | None, owner: str) -> str:
    """Return the department whose rule an asker is about to write, empty for the whole city."""
    if number is not None:
        return rule(session, policies, asker, number, policy.RULE).owner
    return _owner(policies, asker, owner)


def _owner(policies: Policies, asker: Asker, owner: str) -> str:
    """Return the department that is named as the owner of a new rule; refuse who may not write for it."""
    owner = policies.department(owner) if owner else ""
    _check(policies, asker, policy.RULE, owner, "")
    return owner


def may_write_any(policies: Policies, asker: Asker) -> bool:
    """Say whether an asker may write rules of the city, or of a department of his."""
    return any(_may(policies, asker, policy.RULE, one) for one in ("", *asker.departments))


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


def try_out(
    sensing: Sensing,
    asker: Asker,
    body: dict[str, Any],
    *,
    since: int,
    until: int,
    owner: str = "",
    number: int | None = None,
) -> Trial:
    """Try what a body says on the readings of a period, for who may write it; see `tried`.

    Raises
    ------
    BadRuleError, UnknownDatasetError, RefusedError, BadRequestError

    """
    whose = _owner(sensing.policies(), asker, owner)
    form = checked(body, sensing.networks, asker, sensing.grounds, whose)
    with sensing.records.read() as session:
        return tried(
            session,
            sensing.readings,
            sensing.sight(session, asker),
            form,
            since=since,
            until=until,
            owner=whose,
            number=number,
            grounds=sensing.grounds,
        )


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
    grounds: Grounds | None = None,
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
    grounds
        The rows of datasets, which are asked as the asker may read them, in the versions of the time.

    Raises
    ------
    BadRequestError
        If there are too many readings.
    BadRuleError
        If a dataset cannot be asked.

    """
    streams = streams_of(session, observed_by([form]), sight.visible(ENTITIES["Datastream"], STREAMS))
    finest = finest_of(form)
    streams = {
        one.id: one
        for one in streams.values()
        if sight.place_level({"owner": one.owner, "sharing": one.sharing, "level": one.level}) >= finest
    }
    bound = watched(0, form, streams, owner)
    parts, used = [Span(since, until, None)], list[Used]()
    if form.datasets and grounds is not None:
        parts, used = spans(grounds, sight.asker, form, since, until)
    gate = DatasetGate({0: form}, streams)
    under = Evaluator(bound, gate)
    chosen = under.streams.tolist()
    count = readings.count(chosen, since=since, until=until) if chosen else 0
    if count > MOST_TRIED:
        raise BadRequestError(
            Text(f"这段时间有 {count} 条观测值，太多了。", f"There are {count} readings in this period."),
            mend=Text("请缩短时段。", f"Choose a shorter one, of at most {MOST_TRIED}."),
            where={"field": "since"},
        )
    if not chosen:
        return Trial(0, 0, [], used)
    rows = readings.within(chosen, since, until)
    rows = rows.take(np.lexsort((rows["id"], rows["time"])))
    rows.columns["id"] = np.arange(1, len(rows) + 1)
    turns: list[Turn] = []
    for part in parts:
        first, last = np.searchsorted(rows["time"], [part.since, part.until]).tolist()
        if form.datasets:
            turns += under.tick(part.since)
            gate.held[0] = part.held
            turns += under.asked_anew({0}, part.since)
        for begin in range(first, last, 100_000):
            if not wanted():
                return Trial(len(chosen), 0, [], used)
            turns += under.take(rows.take(slice(begin, min(begin + 100_000, last))))
    turns += under.tick(until)
    found = _paired(session, form, turns, number)
    told = found[:MOST_NAMED]
    names = names_of(session, sight, {why["stream"] for one in told for why in one.reasons})
    told = [replace(one, reasons=named_reasons(one.reasons, names)) for one in told]
    return Trial(len(chosen), len(rows), [*told, *found[MOST_NAMED:]], used)


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
        out.append(Tried(turn.group, subject, turn.time, end, reasons, mark, list(turn.grounds)))
    return out


def _may(policies: Policies, asker: Asker, action: str, owner: str) -> bool:
    allowed: bool = policies.decide(asker, action, policy.rule_resource("", owner)).allowed
    return allowed


def _check(policies: Policies, asker: Asker, action: str, owner: str, number: object) -> None:
    decision = policies.decide(asker, action, policy.rule_resource(number, owner))
    if not decision.allowed:
        raise RefusedError(action, decision)


def _tell(session: Session, asker: Asker, number: int, type_: str, data: dict[str, Any]) -> None:
    ledger.append(session, type_, actor=asker.id, subject=f"sense/rules/{number}", data=data)


def used_by(lake: Lake, asker: Asker, version: Version) -> Iterator[lineage.Use]:
    """Yield the rules, of those that an asker may see, that go by a version: as a network or by its rows."""
    found = next((one for one in lake.catalogue() if one.id == version.dataset), None)
    if found is None or found.version is None or found.version.number != version.number:
        return  # rules go by the version that answers
    with lake.records.read() as session:
        for row in rules(session, lake.policies.current(), asker):
            asked = [row.body.get("downstream"), *row.body.get("datasets", [])]
            if version.dataset in [one["dataset"] for one in asked if one]:
                at = max(row.changed, version.published)
                yield lineage.Use("rule", at, f"sense/rules/{row.id}", None, None)


lineage.USED_BY.append(used_by)
