"""Rules of a single case that the table only names: each says whether a step may be taken, and why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jingwei.access import Asker
from jingwei.cases.calendar import DAY
from jingwei.cases.case import Case
from jingwei.cases.errors import GuardError
from jingwei.cases.lifecycle import SAME_WORK, TRANSITIONS, Transition
from jingwei.cases.regime import Regime
from jingwei.words import Text


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody about to take a step. `alone` says whether the separation of duties is waived for the asker."""

    case: Case
    step: Transition
    asker: Asker
    fields: Mapping[str, Any]
    regime: Regime
    now: int
    alone: Callable[[], bool]
    main: Case | None = None
    """The other case that the step names, if there is one of that number."""


Guard = Callable[[Attempt], Text | None]


def check(attempt: Attempt) -> None:
    """Raise unless the rules of the case allow the step.

    Raises
    ------
    GuardError
        Naming the first rule that stands against it.

    """
    for name in ("separation", "barred", *attempt.step.guards):
        why = GUARDS[name](attempt)
        if why is not None:
            raise GuardError(attempt.case.number, name, why)


def hindrance(attempt: Attempt) -> Text | None:
    """Return what stands against a step whatever is given with it; `None` if that is nothing."""
    for name in ("separation", "barred", *attempt.step.guards):
        why = None if name in BY_FIELDS else GUARDS[name](attempt)
        if why is not None:
            return why
    return None


def _separation(one: Attempt) -> Text | None:
    """Nobody verifies his own work, and nobody stands on both axes of one case."""
    for action in one.step.apart:
        if one.asker.id in one.case.did.get(action, ()) and not one.alone():
            return Text(
                f"您已在此案中“{TRANSITIONS[action].says.zh}”，不能再“{one.step.says.zh}”：不得自己核查自己的工作",
                f"you took the step “{TRANSITIONS[action].says.en}” of this case: nobody verifies his own work.",
            )
    return None


def _barred(one: Attempt) -> Text | None:
    work = SAME_WORK.get(one.step.action, one.step.action)
    held = {*one.case.bars.get(one.step.action, ()), *one.case.bars.get(work, ())}
    if one.asker.id in held and not one.alone():
        return Text(
            "此案由您经手后被回退，下一步须由他人办理",
            "the case came back to you by a return: the next step is another's.",
        )
    return None


def _own_report(one: Attempt) -> Text | None:
    if one.case.reporter == one.asker.id or one.alone():
        return None
    return Text("只有上报人可以撤回", "only who reported it may withdraw it.")


def _no_other_reporter(one: Attempt) -> Text | None:
    if not one.case.others:
        return None
    return Text(
        "已有他人的上报并入此案，不能撤回", "reports of others were merged into it; it cannot be withdrawn."
    )


def _may_reopen(one: Attempt) -> Text | None:
    ended = max(one.case.at.get(name, 0) for name in ("closed", "force_closed", "rejected", "imported"))
    days = one.regime.settings.reopen_days
    if one.now - ended <= days * DAY:
        return None
    return Text(f"结案已超过 {days} 天，请重新上报", f"it ended more than {days} days ago; report it anew.")


def _once_evaluated(one: Attempt) -> Text | None:
    return None if one.case.result_score is None else Text("此案已评价", "it has been rated.")


def _verified(one: Attempt) -> Text | None:
    if one.case.source in one.regime.settings.trusted or one.case.reopened:
        return None
    if one.case.finding is None:
        return Text(
            "此来源的上报须先现场核实再立案",
            "reports of this source are checked on the spot before registration.",
        )
    if one.case.finding == "not_exist":
        return Text("核实结果为不存在，不能立案", "the field check found nothing; it cannot be registered.")
    return None


def _rule_of_type(one: Attempt) -> Text | None:
    rule = one.regime.rules.get(one.fields["rule"])
    if rule is None:
        return Text(f"没有立案条件 {one.fields['rule']}", f"there is no rule {one.fields['rule']}.")
    if (rule.kind, rule.type) != (one.case.kind, one.case.type):
        return Text(
            f"立案条件 {rule.id} 属于类别 {rule.type}，此案为 {one.case.type}",
            f"rule {rule.id} is of type {rule.type}, the case of {one.case.type}.",
        )
    return None


def _main_open(one: Attempt) -> Text | None:
    main = one.main
    if main is None:
        return Text(f"没有编号为 {one.fields['main']} 的案件", f"there is no case {one.fields['main']}.")
    if main.number == one.case.number:
        return Text("案件不能并入自身", "a case cannot be merged into itself.")
    if main.main is not None:
        return Text(
            f"{main.number} 已并入 {main.main}，请并入后者",
            f"{main.number} is part of {main.main}; merge into that.",
        )
    if main.stands.terminal:
        return Text(
            f"{main.number} 已办结，不能并入", f"{main.number} is over; nothing can be merged into it."
        )
    if one.case.others:
        return Text(
            "此案已有并入的上报，请反向并案", "others were merged into this one; merge the other way round."
        )
    return None


def _other_known(one: Attempt) -> Text | None:
    other = one.main
    if other is None:
        return Text(f"没有编号为 {one.fields['other']} 的案件", f"there is no case {one.fields['other']}.")
    if other.number == one.case.number:
        return Text("案件不能与自身辨异", "a case cannot be told apart from itself.")
    if other.number in one.case.unlike or one.case.number in other.unlike:
        return Text(f"已认定与 {other.number} 不是同一问题", f"it is told apart from {other.number} already.")
    return None


def _returned_by_department(one: Attempt) -> Text | None:
    if one.case.returned_by == "department":
        return None
    return Text("此案退回给受理员，须由受理员办理", "it was returned to the acceptor, whose step is next.")


def _not_yet_part(one: Attempt) -> Text | None:
    department = one.fields["department"]
    part = one.case.part_of(department)
    if department == one.case.department or (part is not None and part.state == "open"):
        return Text("该部门已在办理此案", "that department handles the case already.")
    return None


def _open_part(one: Attempt) -> Text | None:
    part = one.case.part_of(one.fields["department"])
    if part is not None and part.state == "open":
        return None
    return Text("该部门没有未完成的协办任务", "that department has no open part of the case.")


def _no_open_parts(one: Attempt) -> Text | None:
    waiting = one.case.open_parts()
    if not waiting:
        return None
    names = "、".join(part.department for part in waiting)
    return Text(f"协办部门 {names} 尚未完成", f"co-handlers are not done: {names}.")


def _asked_for(kind: str, *states: str) -> Guard:
    def guard(one: Attempt) -> Text | None:
        petition = one.case.asked(kind)
        if petition is not None and petition.state in states:
            return None
        return Text("没有可办理的申请", "nothing of that kind waits for an answer.")

    return guard


def _extension_left(one: Attempt) -> Text | None:
    most = one.regime.settings.extensions
    if one.case.granted("extension") < most:
        return None
    return Text(f"延期至多批准 {most} 次", f"at most {most} extensions are granted.")


def _suspension_left(one: Attempt) -> Text | None:
    settings = one.regime.settings
    if one.case.granted("suspension") >= settings.suspensions:
        return Text(f"挂账至多 {settings.suspensions} 次", f"at most {settings.suspensions} suspensions.")
    if not 1 <= one.fields["days"] <= settings.suspension_days:
        return Text(
            f"挂账天数应为 1 至 {settings.suspension_days}",
            f"a suspension takes 1 to {settings.suspension_days} days.",
        )
    return None


def _not_overdue(one: Attempt) -> Text | None:
    turn = one.case.current
    if turn is None or turn.on_time(one.regime.calendar, one.now):
        return None
    return Text("已超过时限，不能申请", "the limit is over; it is too late to ask.")


def _nothing_asked(one: Attempt) -> Text | None:
    if one.case.asked("extension") or one.case.asked("suspension"):
        return Text("已有申请待批", "something that was asked waits for an answer.")
    return None


def _handled_late(one: Attempt) -> Text | None:
    turn = one.case.last_turn("handle")
    if turn is not None and turn.end is not None and not turn.on_time(one.regime.calendar, turn.end):
        return None
    return Text("处置未超时，无须申诉", "handling was in time; there is nothing to appeal against.")


def _once_appealed(one: Attempt) -> Text | None:
    if any(petition.kind == "appeal" for petition in one.case.petitions):
        return Text("每案只能申诉一次", "a case can be appealed once.")
    return None


def _checked(one: Attempt) -> Text | None:
    if one.case.verdict == "pass" or not one.regime.settings.check_before_closing:
        return None
    return Text("现场核查通过后才能结案", "it is closed once a check on the spot has passed.")


def _something_said(one: Attempt) -> Text | None:
    if one.fields.get("words") or one.fields.get("photos"):
        return None
    return Text("请写一句话或附一张照片", "say something, or add a photograph.")


def _not_hidden_by_reporter(one: Attempt) -> Text | None:
    if one.case.hidden != "reporter":
        return None
    return Text("上报人不愿公开，不能对外公布", "its reporter keeps it from the public.")


def _found_gone(one: Attempt) -> Text | None:
    """Who said that it is not solved is not sent away from a desk: somebody looks first."""
    if not one.case.disputed or one.case.finding == "not_exist" or one.case.verdict == "pass" or one.alone():
        return None
    return Text(
        "上报人认为没有解决：须重新现场核实（不存在）或核查通过后才能了结",
        "its reporter says that it is not solved: it ends only after somebody has looked again on the spot.",
    )


def _another_checker(one: Attempt) -> Text | None:
    before = one.case.did.get("check", ())
    if one.case.disputed and one.asker.id in before and not one.case.verdicts_since and not one.alone():
        return Text(
            "上报人对上次核查有异议，须由另一人核查",
            "its reporter disputes the last check: another person takes this one.",
        )
    return None


def _not_alone_against_reporter(one: Attempt) -> Text | None:
    if not one.case.disputed or one.alone():
        return None
    return Text(
        "上报人曾认为没有解决：请提交结案，由另一位值班长复核",
        "its reporter said that it was not solved: submit it for closure, so that another looks at it.",
    )


def _second_look(one: Attempt) -> Text | None:
    proposed = one.case.did.get("propose_close", ())
    if one.case.disputed and proposed and proposed[-1] == one.asker.id and not one.alone():
        return Text("提交结案的人不能自己批准", "who submitted it for closure does not approve it.")
    return None


def _order_open(one: Attempt) -> Text | None:
    if any(order.replied is None for order in one.case.orders):
        return None
    return Text("没有待回复的督办", "no order waits for a reply.")


GUARDS: dict[str, Guard] = {
    "separation": _separation,
    "barred": _barred,
    "own_report": _own_report,
    "no_other_reporter": _no_other_reporter,
    "may_reopen": _may_reopen,
    "once_evaluated": _once_evaluated,
    "verified": _verified,
    "rule_of_type": _rule_of_type,
    "main_open": _main_open,
    "other_known": _other_known,
    "returned_by_department": _returned_by_department,
    "not_yet_part": _not_yet_part,
    "open_part": _open_part,
    "no_open_parts": _no_open_parts,
    "parts_done": _no_open_parts,
    "extension_left": _extension_left,
    "suspension_left": _suspension_left,
    "not_overdue": _not_overdue,
    "nothing_asked": _nothing_asked,
    "extension_asked": _asked_for("extension", "asked"),
    "extension_supported": _asked_for("extension", "supported"),
    "extension_open": _asked_for("extension", "asked", "supported"),
    "suspension_asked": _asked_for("suspension", "asked"),
    "suspension_supported": _asked_for("suspension", "supported"),
    "suspension_open": _asked_for("suspension", "asked", "supported"),
    "appeal_asked": _asked_for("appeal", "asked"),
    "appeal_supported": _asked_for("appeal", "supported"),
    "appeal_open": _asked_for("appeal", "asked", "supported"),
    "handled_late": _handled_late,
    "once_appealed": _once_appealed,
    "checked": _checked,
    "order_open": _order_open,
    "something_said": _something_said,
    "not_hidden_by_reporter": _not_hidden_by_reporter,
    "found_gone": _found_gone,
    "another_checker": _another_checker,
    "not_alone_against_reporter": _not_alone_against_reporter,
    "second_look": _second_look,
}
BY_FIELDS = frozenset(
    {
        "rule_of_type",
        "main_open",
        "other_known",
        "not_yet_part",
        "open_part",
        "suspension_left",
        "something_said",
    }
)
"""Rules that look at what is given with the step."""
