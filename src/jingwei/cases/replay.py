"""What an event makes of a case. A live step and a recalculation from the log go through here alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from jingwei.cases.calendar import instant
from jingwei.cases.case import Case, Order, Part, Petition
from jingwei.cases.clocks import Limit, Run, Turn
from jingwei.cases.lifecycle import SAME_WORK, STATES, TRANSITIONS

Data = Mapping[str, Any]

PREFIX = "case."

GOES_ON: dict[str, frozenset[str]] = {
    "register": frozenset({"send_verify"}),
    "check": frozenset({"send_check", "propose_close"}),
    "handle": frozenset({"return_to_dispatcher"}),
}
"""The steps after which a turn goes on instead of beginning anew when its holder gets the case back."""

RECEIVED: dict[str, str] = {
    "return_to_acceptor": "register",
    "return_to_dispatcher": "dispatch",
    "return_to_department": "assign",
    "rework": "confirm",
}
"""For a return, the step whose doer receives the case."""


def begin(number: str) -> Case:
    """Return a case to which nothing has happened yet."""
    return Case(number=number)


def replay(number: str, events: Iterable[tuple[str, str, Data]]) -> Case:
    """Return a case from its events, given in order as `(type, actor, data)`."""
    case = begin(number)
    for type_, actor, data in events:
        apply(case, type_, actor, data)
    return case


def apply(case: Case, type_: str, actor: str, data: Data) -> None:
    """Let an event happen to a case."""
    name = type_.removeprefix(PREFIX)
    action = data["action"]
    when = instant(datetime.fromisoformat(data["at"]))
    _clear_bars(case, action, actor)
    effect = _EFFECTS.get(name)
    if effect is not None:
        effect(case, actor, data, when)
    _remember(case, name, action, actor, when)
    _move(case, action, data, when)
    case.step = data["step"]


def _remember(case: Case, name: str, action: str, actor: str, when: int) -> None:
    work = SAME_WORK.get(action, action)
    who = case.did.setdefault(work, [])
    if actor in who:
        who.remove(actor)
    who.append(actor)
    case.at.setdefault(f"first.{name}", when)
    case.at[name] = when


def _clear_bars(case: Case, action: str, actor: str) -> None:
    """A bar is over when another has taken the step; a return sets new ones."""
    if actor not in case.bars.get(action, ()):
        case.bars.pop(action, None)
    one = TRANSITIONS[action]
    if one.bars:
        received = case.did.get(RECEIVED[action])
        for step in one.bars if received else ():
            case.bars.setdefault(step, []).append(received[-1])  # type: ignore[index]


# clocks


def _move(case: Case, action: str, data: Data, when: int) -> None:
    """Bring the case to its new state and its clocks with it."""
    target = data["to"]
    if target == case.state:
        return
    source, case.state = case.state, target
    if target == "suspended":
        case.before = source
        _pause(case, when)
    elif source == "suspended" and action == "resume":
        _go_on(case, when)
    else:
        if source == "suspended":
            _go_on(case, when)
        _hand_on(case, action, data, when)


def _pause(case: Case, when: int) -> None:
    case.paused = [index for index, turn in enumerate(case.turns) if turn.running]
    for index in case.paused:
        case.turns[index].runs[-1].end = when


def _go_on(case: Case, when: int) -> None:
    for index in case.paused:
        case.turns[index].runs.append(Run(when))
    case.paused, case.resume = [], None


def _hand_on(case: Case, action: str, data: Data, when: int) -> None:
    """End the turn of the state before, unless it goes on, and begin that of the new one."""
    state = STATES[case.state]
    owner = (case.department or "") if state.stage == "handle" else ""
    current = case.current
    fresh = action in ("rework", "reopen")
    if current is not None and not fresh and (current.stage, current.owner) == (state.stage, owner):
        return
    if current is not None:
        _end(current, action, when)
    case.now = -1
    if state.terminal:
        for turn in case.turns:
            if not turn.ended:
                _end(turn, action, when)
        return
    if state.stage is None:
        return
    last = case.last_turn(state.stage)
    if last is not None and last.owner == owner and not fresh and last.ended in GOES_ON.get(state.stage, ()):
        last.ended = ""
        last.runs.append(Run(when))
        case.now = case.turns.index(last)
    else:
        case.now = _new_turn(case, state.stage, owner, data["limit"], when)
    if action == "reopen":
        _new_turn(case, "overall", "", data["overall"], when)


def _new_turn(case: Case, stage: Any, owner: str, limit: list[Any], when: int) -> int:
    case.turns.append(Turn(stage, owner, Limit(*limit), [Run(when)]))
    return len(case.turns) - 1


def _end(turn: Turn, action: str, when: int) -> None:
    turn.ended = action
    if turn.runs[-1].end is None:
        turn.runs[-1].end = when


# effects of single events


def _reported(case: Case, actor: str, data: Data, when: int) -> None:
    _take_facts(case, data)
    case.source, case.source_key = data["source"], data.get("source_key")
    case.reporter = data.get("reporter")
    if case.reporter:
        case.followers = [case.reporter]
    if case.source == "collector":
        case.collector = actor
    if data.get("overall"):
        _new_turn(case, "overall", "", data["overall"], when)


def _imported(case: Case, actor: str, data: Data, when: int) -> None:
    _reported(case, actor, data, when)
    case.department = data.get("department")
    case.departments = [case.department] if case.department else []
    case.stated_late = data.get("late")
    if data.get("limit"):
        case.limit = Limit(*data["limit"])
    for name, moment in data.get("times", {}).items():
        case.at[name] = case.at[f"first.{name}"] = instant(datetime.fromisoformat(moment))


def _take_facts(case: Case, data: Data) -> None:
    for name in ("kind", "type", "component", "area", "where"):
        if data.get(name) is not None:
            setattr(case, name, data[name])
    if data.get("cell") is not None:
        case.cell, case.level = int(data["cell"]), data["level"]


def _amended(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    _take_facts(case, data)


def _verification_sent(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.collector = data.get("collector")


def _verified(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.finding, case.collector = data["finding"], actor
    case.findings += 1


def _registered(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.rule, case.limit = data["rule"], Limit(*data["handling"])
    case.verdict = None


def _dispatched(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.department, case.handler = data["department"], None
    case.departments.append(data["department"])
    if data["action"] == "dispatch" and case.proposed is None:
        case.proposed = data.get("proposal")
    case.returned_by = ""
    for department in data.get("co_departments", ()):
        _add_part(case, department, data, when)


def _add_part(case: Case, department: str, data: Data, when: int) -> None:
    turn = _new_turn(case, "co_handle", department, data.get("co_limit") or data["limit"], when)
    case.parts.append(Part(department, "open", turn))


def _part_added(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    _add_part(case, data["department"], data, when)


def _end_part(state: str) -> Callable[[Case, str, Data, int], None]:
    def effect(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
        part = case.part_of(data["department"])
        if part is not None:
            part.state = state
            _end(case.turns[part.turn], data["action"], when)

    return effect


def _assigned(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.handler = data["handler"]


def _no_handler(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.handler = None


def _returned_to_dispatcher(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.returned_by, case.handler = "department", None
    case.returns += 1


def _returned_to_acceptor(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.returned_by = "dispatcher"


def _check_sent(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.collector = data.get("collector")


def _checked(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.verdict, case.collector = data["verdict"], actor
    case.verdicts.append(data["verdict"])
    if case.disputed:
        case.verdicts_since += 1


def _reworked(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.reworks += 1
    case.verdict = case.handler = None


def _reopened(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.reopened += 1
    if actor in case.followers:
        case.disputed += 1
        case.verdicts_since, case.finding = 0, None
        if case.departments:
            case.reworks += 1  # the work was done, and not well
    case.verdict = case.handler = case.result_score = case.service_score = None


def _asked(kind: str) -> Callable[[Case, str, Data, int], None]:
    def effect(case: Case, actor: str, data: Data, when: int) -> None:
        state = "supported" if data.get("supported") else "asked"
        case.petitions.append(Petition(kind, state, actor, when, data.get("days", 0)))

    return effect


def _answered(kind: str, state: str) -> Callable[[Case, str, Data, int], None]:
    def effect(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
        petition = case.asked(kind)
        if petition is not None:
            petition.state = state

    return effect


def _extension_granted(case: Case, actor: str, data: Data, when: int) -> None:
    _answered("extension", "granted")(case, actor, data, when)
    if case.current is not None:
        case.current.extensions += 1
        case.current.warned = []


def _suspended(case: Case, actor: str, data: Data, when: int) -> None:
    _answered("suspension", "granted")(case, actor, data, when)
    case.resume = instant(datetime.fromisoformat(data["until"]))


def _merged(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.main = data["main"]


def _separated(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.main = None
    _new_turn(case, "overall", "", data["overall"], when)


def _joined(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.others.append(data["other"])
    case.followers += [one for one in data.get("followers", ()) if one not in case.followers]


def _left(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.others = [one for one in case.others if one != data["other"]]
    case.followers = [one for one in case.followers if one not in data.get("followers", ())]


def _told_apart(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.unlike.append(data["other"])


def _ordered(case: Case, actor: str, data: Data, when: int) -> None:
    due = data.get("due")
    case.orders.append(Order(actor, when, instant(datetime.fromisoformat(due)) if due else None))


def _replied(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    for one in case.orders:
        if one.replied is None:
            one.replied = when


def _warned(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.turns[data["turn"]].warned.append(data["share"])


def _heard(case: Case, actor: str, data: Data, when: int) -> None:
    """Change nothing: what an alarm does is told, and is no step towards an end."""


def _corrected(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    _take_facts(case, data)


def _redacted(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.published = 0  # what was told to the public may hold the same


def _hidden(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.hidden = "reporter" if actor in case.followers or case.hidden == "reporter" else "staff"


def _published(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.hidden = ""
    case.published = data["step"] if data.get("words") else case.published
    case.shown = [*data.get("shown", ()), *data.get("photos", ())]


def _evaluated(case: Case, actor: str, data: Data, when: int) -> None:  # noqa: ARG001
    case.result_score, case.service_score = data["result_score"], data.get("service_score")


_EFFECTS: dict[str, Callable[[Case, str, Data, int], None]] = {
    "reported": _reported,
    "self_handled": _reported,
    "imported": _imported,
    "amended": _amended,
    "corrected": _corrected,
    "redacted": _redacted,
    "hidden": _hidden,
    "published": _published,
    "verification_sent": _verification_sent,
    "verified": _verified,
    "registered": _registered,
    "dispatched": _dispatched,
    "part_added": _part_added,
    "part_finished": _end_part("finished"),
    "part_returned": _end_part("returned"),
    "part_released": _end_part("released"),
    "assigned": _assigned,
    "revoked": _no_handler,
    "returned_to_department": _no_handler,
    "returned_to_dispatcher": _returned_to_dispatcher,
    "returned_to_acceptor": _returned_to_acceptor,
    "check_sent": _check_sent,
    "checked": _checked,
    "reworked": _reworked,
    "reopened": _reopened,
    "extension_asked": _asked("extension"),
    "extension_supported": _answered("extension", "supported"),
    "extension_granted": _extension_granted,
    "extension_refused": _answered("extension", "refused"),
    "suspension_asked": _asked("suspension"),
    "suspension_supported": _answered("suspension", "supported"),
    "suspended": _suspended,
    "suspension_refused": _answered("suspension", "refused"),
    "appeal_asked": _asked("appeal"),
    "appeal_supported": _answered("appeal", "supported"),
    "appeal_granted": _answered("appeal", "granted"),
    "appeal_refused": _answered("appeal", "refused"),
    "merged": _merged,
    "separated": _separated,
    "joined": _joined,
    "left": _left,
    "told_apart": _told_apart,
    "ordered": _ordered,
    "replied": _replied,
    "warned": _warned,
    "heard": _heard,
    "evaluated": _evaluated,
}
