"""A case as one row of figures: what lists, maps and indicators are made of.

Instants and durations are whole microseconds, so that sums are exact. What depends on the calendar is worked
out here and nowhere kept: another calendar gives other rows.
"""

from __future__ import annotations

from typing import Any

from jingwei.cases.calendar import moment
from jingwei.cases.case import Case
from jingwei.cases.clocks import Turn
from jingwei.cases.regime import Regime

COLUMNS: dict[str, str] = {
    # what it is and where
    "number": "VARCHAR", "step": "INTEGER", "state": "VARCHAR", "phase": "VARCHAR", "ended": "BOOLEAN",
    "kind": "VARCHAR", "type": "VARCHAR", "major": "VARCHAR", "source": "VARCHAR", "area": "VARCHAR",
    "street": "VARCHAR", "community": "VARCHAR", "where": "VARCHAR", "component": "VARCHAR", "cell": "BIGINT",
    "level": "INTEGER",
    # whose it is
    "reporter": "VARCHAR", "collector": "VARCHAR", "acceptor": "VARCHAR", "dispatcher": "VARCHAR",
    "department": "VARCHAR", "first_department": "VARCHAR", "proposed": "VARCHAR", "handler": "VARCHAR",
    "parts": "VARCHAR[]", "open_parts": "VARCHAR[]", "main": "VARCHAR", "others": "INTEGER",
    "rule": "VARCHAR", "returned_by": "VARCHAR", "asked": "VARCHAR", "hidden": "VARCHAR",
    "published": "INTEGER",
    # when
    "reported": "BIGINT", "day": "INTEGER", "latest": "BIGINT", "due": "BIGINT", "risk_at": "BIGINT",
    "overall_due": "BIGINT",
    "handled_at": "BIGINT", "closed_at": "BIGINT", "suspended_at": "BIGINT",
    # accept, verify, register
    "self_handled": "BOOLEAN", "accepted": "BOOLEAN", "accept_on_time": "BOOLEAN", "accept_used": "BIGINT",
    "verify_needed": "BOOLEAN", "verified": "BOOLEAN", "verify_on_time": "BOOLEAN", "registered": "BOOLEAN",
    "register_on_time": "BOOLEAN", "refused": "BOOLEAN", "wrongly_registered": "BOOLEAN",
    "wrongly_refused": "BOOLEAN",
    # dispatch
    "dispatched": "BOOLEAN", "dispatch_on_time": "BOOLEAN", "dispatch_accurate": "BOOLEAN",
    # handle
    "assigned": "BOOLEAN", "handled": "BOOLEAN", "handle_on_time": "BOOLEAN", "handle_used": "BIGINT",
    "handle_limit": "BIGINT",
    "late_hundredths": "BIGINT", "exempt": "BOOLEAN", "reworks": "INTEGER", "extensions": "INTEGER",
    "suspended_ever": "BOOLEAN", "returns": "INTEGER", "late_returns": "INTEGER", "reopened": "INTEGER",
    # check and close
    "checked": "INTEGER", "check_on_time": "BOOLEAN", "invalid_checks": "INTEGER", "closed": "BOOLEAN",
    "forced": "BOOLEAN",
    # lead, rate
    "orders": "INTEGER", "orders_replied": "INTEGER", "orders_on_time": "INTEGER", "orders_open": "INTEGER",
    "result_score": "INTEGER", "service_score": "INTEGER",
}  # fmt: skip
"""The columns and their types in DuckDB; the board adds `id`, and `lon` and `lat` of the cell in degrees."""

_HANDED_BACK = "confirm"
_RETURNED = "return_to_dispatcher"


def facts_of(case: Case, regime: Regime) -> dict[str, Any]:
    """Return the row of a case, by the names of `COLUMNS`."""
    row = _identity(case)
    row |= _people(case)
    row |= _times(case, regime)
    row |= _report_stage(case, regime)
    row |= _dispatch_stage(case, regime)
    row |= _handle_stage(case, regime)
    row |= _end_stage(case, regime)
    return row


def _identity(case: Case) -> dict[str, Any]:
    area = case.area
    return {
        "number": case.number, "step": case.step, "state": case.state, "phase": case.stands.phase,
        "ended": case.stands.terminal, "kind": case.kind, "type": case.type, "major": case.type[:2],
        "source": case.source, "area": area, "street": area[:9] if len(area) >= 9 else None,
        "community": area[:12] if len(area) >= 12 else None, "where": case.where or None,
        "component": case.component, "cell": case.cell, "level": case.level,
    }  # fmt: skip


def _people(case: Case) -> dict[str, Any]:
    did = case.did
    return {
        "reporter": case.reporter, "collector": case.collector,
        "acceptor": _last(did, "register") or _last(did, "accept") or _last(did, "reject"),
        "dispatcher": _last(did, "dispatch"), "department": case.department,
        "first_department": case.departments[0] if case.departments else None, "proposed": case.proposed,
        "handler": case.handler, "parts": [part.department for part in case.parts],
        "open_parts": [part.department for part in case.open_parts()], "main": case.main,
        "others": len(case.others), "rule": case.rule, "returned_by": case.returned_by or None,
        "asked": _asked(case), "hidden": case.hidden or None, "published": case.published,
    }  # fmt: skip


def _last(did: dict[str, list[str]], action: str) -> str | None:
    who = did.get(action)
    return who[-1] if who else None


def _asked(case: Case) -> str | None:
    """Return what waits for an answer and how far it is, as `extension:supported`."""
    for one in reversed(case.petitions):
        if one.state in ("asked", "supported"):
            return f"{one.kind}:{one.state}"
    return None


def _times(case: Case, regime: Regime) -> dict[str, Any]:
    at = case.at
    reported = min(at.values())
    current = case.current
    overall = case.last_turn("overall")
    local = moment(reported).astimezone(regime.zone)
    running = current if current is not None and current.running else None
    closed = at.get("closed") or at.get("force_closed")
    return {
        "reported": reported, "day": local.year * 10_000 + local.month * 100 + local.day,
        "latest": max(at.values()),
        "due": running.due(regime.calendar) if running else None,
        "risk_at": running.due(regime.calendar, regime.settings.risk) if running else None,
        "overall_due": overall.due(regime.calendar) if overall is not None else None,
        "handled_at": at.get("confirmed"), "closed_at": closed if case.stands.terminal else None,
        "suspended_at": at.get("suspended"),
    }  # fmt: skip


def _judged(case: Case, stage: Any, regime: Regime, *ended: str) -> tuple[Turn | None, bool | None]:
    """Return the newest turn of a stage that ended as told, and whether it was in time."""
    for turn in reversed(case.turns):
        if turn.stage == stage and turn.ended in ended and turn.end is not None:
            return turn, turn.on_time(regime.calendar, turn.end)
    return None, None


def _report_stage(case: Case, regime: Regime) -> dict[str, Any]:
    at = case.at
    accept, accept_on_time = _judged(case, "accept", regime, "accept", "send_verify", "reject")
    _, verify_on_time = _judged(case, "verify", regime, "verify")
    _, register_on_time = _judged(case, "register", regime, "register")
    registered = "registered" in at or (case.state == "closed" and "imported" in at)
    return {
        "self_handled": case.state == "self_handled",
        "accepted": accept is not None,
        "accept_on_time": accept_on_time,
        "accept_used": accept.used(regime.calendar, 0) if accept is not None else None,
        "verify_needed": case.source not in regime.settings.trusted,
        "verified": case.findings > 0,
        "verify_on_time": verify_on_time,
        "registered": registered,
        "register_on_time": register_on_time,
        "refused": case.state in ("not_accepted", "cancelled"),
        "wrongly_registered": registered and case.state == "cancelled",
        "wrongly_refused": "rejected" in at and at.get("registered", 0) > at["rejected"],
    }


def _dispatch_stage(case: Case, regime: Regime) -> dict[str, Any]:
    _, on_time = _judged(case, "dispatch", regime, "dispatch", "redispatch")
    dispatched = bool(case.departments)
    accurate = case.departments[0] == case.departments[-1] if dispatched else None
    return {"dispatched": dispatched, "dispatch_on_time": on_time, "dispatch_accurate": accurate}


def _handle_stage(case: Case, regime: Regime) -> dict[str, Any]:
    calendar = regime.calendar
    turns = [turn for turn in case.turns if turn.stage == "handle"]
    last = turns[-1] if turns else None
    handled = last is not None and last.ended == _HANDED_BACK
    used = limit = late = on_time = None
    if last is not None and last.end is not None:
        used, limit = last.used(calendar, last.end), last.budget(calendar)
        if handled:
            on_time = last.on_time(calendar, last.end)
            late = (used - limit) * 100 // limit if used > limit and limit else 0
    elif last is not None:
        limit = last.budget(calendar)
    if case.stated_late is not None:
        handled, on_time = case.stands.terminal, not case.stated_late
    returned = [turn for turn in turns if turn.ended == _RETURNED]
    return {
        "assigned": "assigned" in case.at, "handled": handled, "handle_on_time": on_time, "handle_used": used,
        "handle_limit": limit,
        "late_hundredths": late, "exempt": case.granted("appeal") > 0, "reworks": case.reworks,
        "extensions": case.granted("extension"), "suspended_ever": case.granted("suspension") > 0,
        "returns": case.returns,
        "late_returns": sum(not turn.on_time(calendar, turn.end or 0) for turn in returned),
        "reopened": case.reopened,
    }  # fmt: skip


def _end_stage(case: Case, regime: Regime) -> dict[str, Any]:
    _, check_on_time = _judged(case, "field_check", regime, "check")
    replied = [order for order in case.orders if order.replied is not None]
    return {
        "checked": len(case.verdicts), "check_on_time": check_on_time,
        "invalid_checks": case.verdicts.count("unable"), "closed": case.state == "closed",
        "forced": case.state == "forced_close", "orders": len(case.orders), "orders_replied": len(replied),
        "orders_on_time": sum(one.due is None or (one.replied or 0) <= one.due for one in replied),
        "orders_open": len(case.orders) - len(replied), "result_score": case.result_score,
        "service_score": case.service_score,
    }  # fmt: skip
