"""The life of a case as one table: its states, the steps between them, who takes them, and what they need.

Code, pages, documents, default policies and declarations of events are made from this table; nothing else
knows where a step leads. The states are those of two systems in service, and five of ours: `duplicate`,
`withdrawn`, `self_handled`, and what joint handling and reopening need. Source of the mechanisms: the facts
gathered about cities' systems (CJ/T 315, GB/T 30428.8 and their practice); see docs/cases.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from jingwei.cases.clocks import Stage
from jingwei.words import Text

Axis = Literal["report", "supervise", "command", "handle", "lead", "system"]
"""On whose behalf a step is taken. Supervision (监督) and command (指挥) are separate axes."""

Open311 = Literal["open", "closed"]

# Roles. `grid_officer` (采集员) is a role of every city; the others are declared by this part.
COLLECTOR = "grid_officer"
ACCEPTOR = "case_acceptor"
DUTY_CHIEF = "case_duty_chief"
DISPATCHER = "case_dispatcher"
DEPARTMENT = "case_department"
HANDLER = "case_handler"
LEADER = "case_leader"
REPORTER = "reporter"
"""Not a role that is given: whoever reported the case."""
SYSTEM = "system"
"""The clock itself."""

ROLES: dict[str, Text] = {
    COLLECTOR: Text("采集员", "collector"),
    ACCEPTOR: Text("受理员", "acceptor"),
    DUTY_CHIEF: Text("值班长", "duty chief"),
    DISPATCHER: Text("派遣员", "dispatcher"),
    DEPARTMENT: Text("专业部门经办", "department's clerk"),
    HANDLER: Text("处置人员", "handler"),
    LEADER: Text("督办领导", "supervising leader"),
    REPORTER: Text("上报人", "reporter"),
    SYSTEM: Text("系统", "the system"),
}


@dataclass(frozen=True, slots=True)
class State:
    """Where a case stands. `stage` names the clock that runs there; `phase` groups states for people."""

    key: str
    says: Text
    phase: str
    stage: Stage | None
    terminal: bool = False

    @property
    def open311(self) -> Open311:
        """The state as Open311 tells it."""
        return "closed" if self.terminal else "open"


_STATES = (
    State("reported", Text("已上报待受理", "reported"), "report", "accept"),
    State("pending_verify", Text("待核实", "awaiting field check before registration"), "report", "verify"),
    State("pending_register", Text("待立案", "awaiting registration"), "report", "register"),
    State("not_accepted", Text("不予立案", "not accepted"), "report", None, terminal=True),
    State("cancelled", Text("作废", "cancelled"), "report", None, terminal=True),
    State("duplicate", Text("重复（并入主案）", "duplicate of another case"), "report", None, terminal=True),
    State("withdrawn", Text("已撤回", "withdrawn by its reporter"), "report", None, terminal=True),
    State("self_handled", Text("自行处置", "put right on the spot"), "report", None, terminal=True),
    State("pending_dispatch", Text("待派遣", "awaiting dispatch"), "dispatch", "dispatch"),
    State("returned", Text("回退中", "returned"), "dispatch", "dispatch"),
    State("pending_handle", Text("待处置", "with the department"), "handle", "handle"),
    State("handling", Text("处置中", "being handled"), "handle", "handle"),
    State("handle_finish", Text("待部门确认", "handled, awaiting the department's word"), "handle", "handle"),
    State("suspended", Text("挂账", "suspended"), "handle", None),
    State("pending_check", Text("待核查", "awaiting the check"), "check", "check"),
    State("checking", Text("核查中", "being checked on the spot"), "check", "field_check"),
    State("pending_close", Text("待结案", "awaiting closure"), "close", "close"),
    State("closed", Text("结案", "closed"), "close", None, terminal=True),
    State("forced_close", Text("强制结案", "closed by order"), "close", None, terminal=True),
)  # fmt: skip
STATES: dict[str, State] = {state.key: state for state in _STATES}
OPEN: tuple[str, ...] = tuple(state.key for state in _STATES if not state.terminal)


@dataclass(frozen=True, slots=True)
class Transition:
    """A step in the life of a case.

    Attributes
    ----------
    action
        Its name; `case.<action>` is the action that policies speak of.
    says
        What it is called.
    event
        The event by which the log tells of it, without its prefix `case.`.
    sources
        The states it leads from; none for a step that begins a case.
    target
        The state it leads to; `None` where the state stays, `previous` where it is the one before.
    roles
        Who takes it where a city's policies say nothing else.
    axis
        On whose behalf.
    needs, takes
        Fields that must be given, and that may.
    guards
        Rules of the case that must hold; each is a function of `guards.py`.
    apart
        Steps that must have been taken by other people: nobody verifies his own work.
    bars
        For a return: the steps that its receiver may not take next.

    """

    action: str
    says: Text
    event: str
    sources: tuple[str, ...]
    target: str | None
    roles: tuple[str, ...]
    axis: Axis
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    bars: tuple[str, ...] = ()

    @property
    def policy_action(self) -> str:
        """The name under which policies know it."""
        return f"case.{self.action}"


_WITH_DEPARTMENT = ("pending_handle", "handling")
_WORK = ("submit", "confirm", "self_handle", "finish_part")
"""Steps by which somebody says that work is done: who took one verifies nothing of the same case."""
_MERGEABLE = (
    "reported", "pending_verify", "pending_register", "pending_dispatch", "returned", "pending_handle", "handling",
)  # fmt: skip

_TABLE = (
    # report 上报
    Transition("report", Text("上报", "report"), "reported", (), "pending_register",
               (COLLECTOR, ACCEPTOR, LEADER), "report", ("kind", "type", "source"),
               ("description", "place", "component", "photos")),
    Transition("report_from_outside", Text("公众上报", "report from outside"), "reported", (), "reported",
               (REPORTER, ACCEPTOR), "report", ("kind", "type", "source"),
               ("description", "place", "component", "photos")),
    Transition("self_handle", Text("自行处置", "put right on the spot"), "self_handled", (), "self_handled",
               (COLLECTOR,), "report", ("kind", "type", "photos"),
               ("description", "place", "component", "before")),
    Transition("withdraw", Text("撤回", "withdraw"), "withdrawn",
               ("reported", "pending_verify", "pending_register", "pending_dispatch"), "withdrawn",
               (REPORTER,), "report", (), ("reason",), ("own_report", "no_other_reporter")),
    Transition("reopen", Text("重启", "reopen"), "reopened",
               ("closed", "forced_close", "not_accepted"), "pending_register",
               (REPORTER, DUTY_CHIEF), "report", ("reason",), ("photos",), ("may_reopen",)),
    Transition("evaluate", Text("评价", "evaluate"), "evaluated", ("closed", "forced_close"), None,
               (REPORTER, "evaluator"), "report", ("result_score",), ("service_score", "words"),
               ("once_evaluated",)),
    # supervise 监督: accept, verify, register
    Transition("accept", Text("受理", "accept"), "accepted", ("reported",), "pending_register",
               (ACCEPTOR,), "supervise"),
    Transition("amend", Text("更正", "put facts right"), "amended",
               ("reported", "pending_verify", "pending_register", "pending_dispatch", "returned"), None,
               (ACCEPTOR, DUTY_CHIEF), "supervise", ("reason",),
               ("kind", "type", "place", "component", "description")),
    Transition("send_verify", Text("发核实", "send a field check"), "verification_sent",
               ("reported", "pending_register"), "pending_verify", (ACCEPTOR,), "supervise", (),
               ("collector", "words")),
    Transition("verify", Text("反馈核实", "answer the field check"), "verified", ("pending_verify",),
               "pending_register", (COLLECTOR,), "supervise", ("finding",), ("photos", "words")),
    Transition("register", Text("立案", "register"), "registered", ("pending_register",), "pending_dispatch",
               (ACCEPTOR, DUTY_CHIEF), "supervise", ("rule",), ("words",), ("verified", "rule_of_type")),
    Transition("reject", Text("不予立案", "do not register"), "rejected", ("reported", "pending_register"),
               "not_accepted", (ACCEPTOR, DUTY_CHIEF), "supervise", ("reason",), (), ("found_gone",)),
    Transition("cancel", Text("作废", "cancel"), "cancelled", ("pending_register", "returned"), "cancelled",
               (ACCEPTOR, DUTY_CHIEF), "supervise", ("reason",), (), ("found_gone",)),
    Transition("merge", Text("并案", "merge into a main case"), "merged", _MERGEABLE, "duplicate",
               (ACCEPTOR, DUTY_CHIEF), "supervise", ("main",), ("reason",), ("main_open",)),
    Transition("join_main", Text("我也遇到", "say that it is the same"), "merged", ("reported",), "duplicate",
               (REPORTER,), "report", ("main",), (), ("main_open",)),
    Transition("separate", Text("拆出", "take out of the main case"), "separated", ("duplicate",),
               "pending_register", (ACCEPTOR, DUTY_CHIEF), "supervise", ("reason",)),
    Transition("register_again", Text("重新立案", "take up again"), "taken_up", ("returned",),
               "pending_register", (ACCEPTOR, DUTY_CHIEF), "supervise"),
    Transition("tell_apart", Text("辨异", "tell apart from another case"), "told_apart", OPEN, None,
               (ACCEPTOR, DUTY_CHIEF), "supervise", ("other",), ("reason",), ("other_known",)),
    # command 指挥: dispatch
    Transition("dispatch", Text("派遣", "dispatch"), "dispatched", ("pending_dispatch",), "pending_handle",
               (DISPATCHER,), "command", ("department",), ("co_departments", "proposal", "words")),
    Transition("return_to_acceptor", Text("回退受理员", "return to the acceptor"), "returned_to_acceptor",
               ("pending_dispatch",), "returned", (DISPATCHER,), "command", ("reason",), bars=("dispatch",)),
    Transition("redispatch", Text("重新派遣", "dispatch again"), "dispatched", ("returned",), "pending_handle",
               (DISPATCHER,), "command", ("department",), ("co_departments", "proposal", "words"),
               ("returned_by_department",)),
    Transition("invite", Text("增加协办", "add a co-handler"), "part_added",
               ("pending_handle", "handling", "handle_finish"), None, (DISPATCHER, DEPARTMENT), "command",
               ("department",), ("words",), ("not_yet_part",)),
    Transition("release", Text("解除协办", "release a co-handler"), "part_released",
               ("pending_handle", "handling", "handle_finish"), None, (DISPATCHER,), "command",
               ("department", "reason"), (), ("open_part",)),
    # handle 处置
    Transition("assign", Text("指派", "assign"), "assigned", ("pending_handle",), "handling",
               (DEPARTMENT,), "handle", ("handler",), ("words",)),
    Transition("revoke", Text("收回指派", "take back the assignment"), "revoked", ("handling",),
               "pending_handle", (DEPARTMENT,), "handle", (), ("reason",)),
    Transition("return_to_dispatcher", Text("回退派遣员", "return to the dispatcher"),
               "returned_to_dispatcher", ("pending_handle",), "returned", (DEPARTMENT,), "handle",
               ("reason",), (), ("no_open_parts",), bars=("assign", "submit", "confirm", "propose_close")),
    Transition("return_to_department", Text("退回部门", "return to the department"),
               "returned_to_department", ("handling",), "pending_handle", (HANDLER,), "handle", ("reason",),
               bars=("submit",)),
    Transition("submit", Text("提交处置结果", "submit the result"), "submitted", ("handling",),
               "handle_finish", (HANDLER,), "handle", ("photos",), ("before", "words")),
    Transition("finish_part", Text("协办完成", "finish a co-handler's part"), "part_finished",
               ("pending_handle", "handling", "handle_finish"), None, (DEPARTMENT, HANDLER), "handle",
               ("department",), ("photos", "before", "words"), ("open_part",)),
    Transition("return_part", Text("协办退回", "return a co-handler's part"), "part_returned",
               ("pending_handle", "handling", "handle_finish"), None, (DEPARTMENT,), "handle",
               ("department", "reason"), (), ("open_part",)),
    Transition("redo", Text("打回再处置", "send back to the handler"), "sent_back", ("handle_finish",),
               "handling", (DEPARTMENT,), "handle", ("reason",)),
    Transition("confirm", Text("部门确认", "confirm and hand back"), "confirmed", ("handle_finish",),
               "pending_check", (DEPARTMENT,), "handle", (), ("words",), ("parts_done",), apart=("submit",)),
    # extension 延期, suspension 挂账, appeal 申诉: asked, supported, decided
    Transition("ask_extension", Text("申请延期", "ask for an extension"), "extension_asked", _WITH_DEPARTMENT,
               None, (HANDLER, DEPARTMENT), "handle", ("reason",), ("photos",),
               ("extension_left", "not_overdue", "nothing_asked")),
    Transition("support_extension", Text("同意上报延期", "support the extension"), "extension_supported",
               _WITH_DEPARTMENT, None, (DEPARTMENT,), "handle", (), ("words",), ("extension_asked",)),
    Transition("grant_extension", Text("批准延期", "grant the extension"), "extension_granted",
               _WITH_DEPARTMENT, None, (DISPATCHER,), "command", (), ("words",), ("extension_supported",)),
    Transition("refuse_extension", Text("不同意延期", "refuse the extension"), "extension_refused",
               _WITH_DEPARTMENT, None, (DISPATCHER, DEPARTMENT), "command", ("reason",), (),
               ("extension_open",)),
    Transition("ask_suspension", Text("申请挂账", "ask for a suspension"), "suspension_asked",
               _WITH_DEPARTMENT, None, (HANDLER, DEPARTMENT), "handle", ("reason", "days"), ("photos",),
               ("suspension_left", "not_overdue", "nothing_asked")),
    Transition("support_suspension", Text("同意上报挂账", "support the suspension"), "suspension_supported",
               _WITH_DEPARTMENT, None, (DEPARTMENT,), "handle", (), ("words",), ("suspension_asked",)),
    Transition("suspend", Text("批准挂账", "suspend"), "suspended", _WITH_DEPARTMENT, "suspended",
               (DISPATCHER,), "command", (), ("words",), ("suspension_supported",)),
    Transition("refuse_suspension", Text("不同意挂账", "refuse the suspension"), "suspension_refused",
               _WITH_DEPARTMENT, None, (DISPATCHER, DEPARTMENT), "command", ("reason",), (),
               ("suspension_open",)),
    Transition("resume", Text("恢复", "resume"), "resumed", ("suspended",), "previous",
               (DISPATCHER, SYSTEM), "command", (), ("reason",)),
    Transition("ask_appeal", Text("超时申诉", "appeal against lateness"), "appeal_asked", ("closed",), None,
               (DEPARTMENT,), "handle", ("reason",), ("photos",), ("handled_late", "once_appealed")),
    Transition("support_appeal", Text("同意申诉", "support the appeal"), "appeal_supported", ("closed",), None,
               (DISPATCHER,), "command", (), ("words",), ("appeal_asked",)),
    Transition("grant_appeal", Text("批准申诉", "grant the appeal"), "appeal_granted", ("closed",), None,
               (ACCEPTOR, DUTY_CHIEF), "supervise", (), ("words",), ("appeal_supported",)),
    Transition("refuse_appeal", Text("驳回申诉", "refuse the appeal"), "appeal_refused", ("closed",), None,
               (DISPATCHER, ACCEPTOR, DUTY_CHIEF), "supervise", ("reason",), (), ("appeal_open",)),
    # supervise 监督: check and close
    Transition("send_check", Text("发核查", "send for a check"), "check_sent", ("pending_check",), "checking",
               (ACCEPTOR,), "supervise", (), ("collector", "words")),
    Transition("check", Text("反馈核查", "answer the check"), "checked", ("checking",), "pending_check",
               (COLLECTOR,), "supervise", ("verdict",), ("photos", "words"), ("another_checker",), apart=_WORK),
    Transition("rework", Text("返工", "send back for rework"), "reworked", ("pending_check",),
               "pending_handle", (DISPATCHER, ACCEPTOR), "supervise", ("reason",), bars=("close",)),
    Transition("propose_close", Text("提交结案", "submit for closure"), "closure_proposed",
               ("pending_check",), "pending_close", (ACCEPTOR, DUTY_CHIEF), "supervise", (), ("words",),
               ("checked",), apart=(*_WORK, "dispatch")),
    Transition("return_to_check", Text("退回核查", "return to the check"), "closure_returned",
               ("pending_close",), "pending_check", (DUTY_CHIEF,), "supervise", ("reason",)),
    Transition("close", Text("结案", "close"), "closed", ("pending_check",), "closed", (ACCEPTOR, DUTY_CHIEF),
               "supervise", ("closing",), ("words",), ("checked", "not_alone_against_reporter"),
               apart=(*_WORK, "dispatch")),
    Transition("approve_close", Text("值班长结案", "close as duty chief"), "closed", ("pending_close",),
               "closed", (DUTY_CHIEF,), "supervise", ("closing",), ("words",), ("checked", "second_look"),
               apart=(*_WORK, "dispatch")),
    # lead: supervision orders 督办 and forced closure
    Transition("order", Text("督办", "order supervision"), "ordered", OPEN, None, (LEADER, DUTY_CHIEF),
               "lead", ("words",), ("due",)),
    Transition("reply", Text("回复督办", "reply to an order"), "replied", OPEN, None,
               (DEPARTMENT, DISPATCHER), "handle", ("words",), (), ("order_open",)),
    Transition("force_close", Text("强制结案", "close by order"), "force_closed", OPEN, "forced_close",
               (LEADER,), "lead", ("reason",), (), ("found_gone",), apart=_WORK),
    # what a report says, who hears it: added to, put right, kept from the public or told to it
    Transition("supplement", Text("补充", "add to the report"), "supplemented", OPEN, None,
               (REPORTER, ACCEPTOR), "report", (), ("words", "photos"), ("something_said",)),
    Transition("correct", Text("改正上报", "correct one's own report"), "corrected",
               ("reported", "pending_verify", "pending_register"), None, (REPORTER,), "report", (),
               ("kind", "type", "description", "place")),
    Transition("redact", Text("隐去个人信息", "take personal data out"), "redacted", tuple(STATES), None,
               (REPORTER, ACCEPTOR, DUTY_CHIEF), "report", ("description",)),
    Transition("hide", Text("不对外公开", "keep from the public"), "hidden", tuple(STATES), None,
               (REPORTER, ACCEPTOR, DUTY_CHIEF), "report", (), ("reason",)),
    Transition("publish", Text("对外公布", "tell the public"), "published", tuple(STATES), None,
               (ACCEPTOR, DUTY_CHIEF), "supervise", (), ("words", "shown", "photos"), ("not_hidden_by_reporter",)),
    # the system
    Transition("warn", Text("预警", "warn"), "warned", OPEN, None, (SYSTEM,), "system", ("stage", "share")),
    Transition("join", Text("并入", "take in another report"), "joined", (*_MERGEABLE, "handle_finish",
               "suspended", "pending_check", "checking", "pending_close"), None, (SYSTEM,), "system",
               ("other",)),
    Transition("leave", Text("拆离", "let a report go"), "left", tuple(STATES), None, (SYSTEM,), "system",
               ("other",)),
    Transition("hear", Text("获知告警动态", "hear how its alarm goes on"), "heard", OPEN, None, (SYSTEM,), "system",
               ("told",), ("alarm", "alarms", "passed_to")),
    Transition("imported", Text("导入", "import as it stood"), "imported", (), "previous", (SYSTEM,), "system",
               ("kind", "type", "source", "state")),
)  # fmt: skip
TRANSITIONS: dict[str, Transition] = {one.action: one for one in _TABLE}

FORWARD = ("accept", "register", "dispatch", "redispatch", "assign", "submit", "confirm", "propose_close",
           "close", "approve_close")  # fmt: skip
"""The steps that carry a case on: with one of them the bar of a return is over."""

ABOUT_THE_REPORT = ("supplement", "correct", "redact", "hide", "publish")
"""Steps about what is said of a case: none carries it on."""

TOLD = ("report", "report_from_outside", "self_handle", "imported", "supplement", "correct", "amend", "redact",
        "publish", "reopen", "evaluate")  # fmt: skip
"""Steps whose words are what was reported: a wording without personal data takes their place."""

SAME_WORK = {"redispatch": "dispatch", "approve_close": "close"}
"""Steps that count as another one where it is asked who took it."""


def transitions_from(state: str) -> list[Transition]:
    """Return the steps that lead from a state, as the table lists them."""
    return [one for one in _TABLE if state in one.sources]


def targets(one: Transition, state: str) -> tuple[str, ...]:
    """Return the states to which a step may lead from `state`."""
    if one.target == "previous":
        return _WITH_DEPARTMENT if one.action == "resume" else tuple(STATES)
    return (one.target or state,)


def reachable(start: Iterable[str]) -> frozenset[str]:
    """Return the states that can be reached from some, themselves included."""
    found, waiting = set(start), list(start)
    while waiting:
        state = waiting.pop()
        for one in transitions_from(state):
            fresh = set(targets(one, state)) - found
            found |= fresh
            waiting += fresh
    return frozenset(found)


def as_json() -> dict[str, object]:
    """Return the whole table as pages read it."""
    return {
        "roles": {name: says.as_json() for name, says in ROLES.items()},
        "states": [
            {
                "key": state.key,
                "says": state.says.as_json(),
                "phase": state.phase,
                "stage": state.stage,
                "terminal": state.terminal,
                "open311": state.open311,
            }
            for state in _STATES
        ],
        "transitions": [
            {
                "action": one.action,
                "says": one.says.as_json(),
                "event": f"case.{one.event}",
                "sources": list(one.sources),
                "target": one.target,
                "roles": list(one.roles),
                "axis": one.axis,
                "needs": list(one.needs),
                "takes": list(one.takes),
                "apart": list(one.apart),
                "bars": list(one.bars),
            }
            for one in _TABLE
        ],
    }


def tables_page() -> str:
    """Return the tables of docs/cases.md, between its marks."""
    lines = ["| key | 状态 | state | clock | ends |", "|---|---|---|---|---|"]
    lines += [
        f"| `{s.key}` | {s.says.zh} | {s.says.en} | {s.stage or ''} | {'yes' if s.terminal else ''} |".replace(
            " |  |", " | |"
        )
        for s in _STATES
    ]
    lines += [
        "",
        "| action | 步骤 | step | from | to | who | needs | not by who did | bars the receiver from |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in _TABLE:
        sources = "any open" if one.sources == OPEN else ", ".join(one.sources) or "(new)"
        sources = "any" if one.sources == tuple(STATES) else sources
        target = {"previous": "as it was", None: "(stays)"}.get(one.target, one.target)
        who = ", ".join(ROLES[role].zh if role in ROLES else "评价人员" for role in one.roles)
        cells = (f"`{one.action}`", one.says.zh, one.says.en, sources, target, who, ", ".join(one.needs),
                 ", ".join(one.apart), ", ".join(one.bars))  # fmt: skip
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"
