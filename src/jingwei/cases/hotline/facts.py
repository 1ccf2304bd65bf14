"""A call as one row of figures, with what is known of its case: what rates are counted from.

Instants and durations are whole microseconds, so that sums are exact. The reply and the dispatch of a case
are judged by the clocks of cases, with the city's calendar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.cases.calendar import moment
from jingwei.cases.case import Case
from jingwei.cases.clocks import Run, Turn
from jingwei.cases.hotline.afterwards import LATER_PHASES
from jingwei.cases.hotline.call import PREFIX, SUBJECT, Call, apply
from jingwei.ledger.models import Event

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.regime import Regime

COLUMNS: dict[str, str] = {
    "number": "VARCHAR", "began": "BIGINT", "day": "INTEGER", "week": "INTEGER", "month": "INTEGER",
    "state": "VARCHAR", "channel": "VARCHAR", "taker": "VARCHAR", "kind": "VARCHAR",
    "urgency": "VARCHAR", "area": "VARCHAR",
    "street": "VARCHAR", "community": "VARCHAR", "department": "VARCHAR", "lost": "VARCHAR",
    "waited": "INTEGER", "exempt": "BOOLEAN", "dispatched": "BOOLEAN", "dispatch_on_time": "BOOLEAN",
    "dispatch_due": "BIGINT", "replied": "BOOLEAN", "reply_on_time": "BOOLEAN", "reply_due": "BIGINT",
    "reply_took": "BIGINT", "done": "BOOLEAN", "asked": "BOOLEAN", "solved": "VARCHAR",
    "satisfied": "VARCHAR", "again": "BOOLEAN", "reviewed": "BOOLEAN", "points": "INTEGER",
}  # fmt: skip
"""The columns and their types in DuckDB; `points` in thousandths of what there are."""

CHUNK = 5_000
CALL_EVENTS = PREFIX + "call_"


def facts_of(call: Call, case: Case | None, regime: Regime) -> dict[str, Any]:
    """Return the row of a call and of the case in which it is dealt with, by the names of `COLUMNS`."""
    local = moment(call.began).astimezone(regime.zone)
    year, week, _ = local.isocalendar()
    heard, review = call.heard, call.reviews[-1] if call.reviews else None
    area = call.area
    return {
        "number": call.number, "began": call.began,
        "day": local.year * 10_000 + local.month * 100 + local.day,
        "week": year * 100 + week, "month": local.year * 100 + local.month, "state": call.state,
        "channel": call.channel, "taker": call.taker, "kind": call.kind or None,
        "urgency": call.urgency or None, "area": area or None,
        "street": area[:9] if len(area) >= 9 else None,
        "community": area[:12] if len(area) >= 12 else None,
        "department": case.department if case is not None else None, "lost": call.lost,
        "waited": call.waited, "exempt": call.exempt, **_clocks(call, case, regime),
        "done": call.state == "answered" or _is_done(case), "asked": heard is not None,
        "solved": heard.solved if heard else None, "satisfied": heard.satisfied if heard else None,
        "again": case is not None and (case.reopened > 0 or case.reworks > 0),
        "reviewed": review is not None,
        "points": round(1000 * review.points / review.most) if review else None,
    }  # fmt: skip


def _is_done(case: Case | None) -> bool:
    return case is not None and (case.stands.terminal or case.stands.phase in LATER_PHASES)


def _clocks(call: Call, case: Case | None, regime: Regime) -> dict[str, Any]:
    calendar, turn = regime.calendar, call.turn
    first = case.at.get("first.dispatched") if case is not None else None
    replied = turn is not None and not turn.running
    told: dict[str, Any] = {
        "dispatched": first is not None, "dispatch_on_time": None, "dispatch_due": None, "replied": replied,
        "reply_on_time": turn.on_time(calendar, turn.end or 0) if turn is not None and replied else None,
        "reply_due": turn.due(calendar) if turn is not None else None,
        "reply_took": turn.end - turn.runs[0].start if turn is not None and turn.end is not None else None,
    }  # fmt: skip
    if case is not None and call.dispatch is not None:
        end = None if first is None else max(first, call.began)  # a case that was joined may be older
        way = Turn("dispatch", "", call.dispatch, [Run(call.began, end)])
        told["dispatch_due"] = way.due(calendar)
        told["dispatch_on_time"] = way.on_time(calendar, end) if end is not None else None
    return told


Pairs = Iterable[tuple[Call, Case | None]]
"""Calls, each with the case in which it is dealt with."""


def _dealt_with(call: Call, cases: Mapping[str, Case]) -> Case | None:
    own = cases.get(call.case or "")
    return own if own is None or own.main is None else cases[own.main]


def from_the_log(session: Session, cases: Iterable[Case]) -> Iterator[tuple[Call, Case | None]]:
    """Yield every call as its events make it, from the log alone.

    Parameters
    ----------
    session
        A session that reads.
    cases
        The cases as their events make them; see `cases.from_the_log`.

    """
    question = (
        select(Event.subject, Event.type, Event.actor, Event.data)
        .where(Event.subject.startswith(SUBJECT), Event.type.startswith(CALL_EVENTS))
        .order_by(Event.subject, Event.id)
    )
    told = ((subject, type_, actor, data or {}) for subject, type_, actor, data in session.execute(question))
    return from_events(told, {case.number: case for case in cases})


def from_events(
    told: Iterable[tuple[str, str, str | None, dict[str, Any]]], cases: Mapping[str, Case]
) -> Iterator[tuple[Call, Case | None]]:
    """Yield every call as its events make it, each given as subject, type, actor and data, in order."""
    calls: dict[str, Call] = {}
    for subject, type_, actor, data in told:
        call = calls.setdefault(subject, Call(number=subject.removeprefix(SUBJECT)))
        if data:
            apply(call, type_.removeprefix(CALL_EVENTS), actor or "", data)
    for call in calls.values():
        yield call, _dealt_with(call, cases)
