"""What policies say of the hotline: its roles, its actions, and the rules to start with."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

from jingwei.access import declare_role
from jingwei.access.policy import Resource, declare_action, declare_resource
from jingwei.access.policy.vocabulary import declare_policies
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.cases.hotline.call import Call

TAKER, SUPERVISOR, REVIEWER = "hotline_taker", "hotline_supervisor", "hotline_reviewer"
ROLES = {
    TAKER: Text("热线受理员", "call-taker of the hotline"),
    SUPERVISOR: Text("热线班长", "supervisor of the hotline"),
    REVIEWER: Text("热线质检员", "quality reviewer of the hotline"),
}
TAKE, READ, CALL_BACK = "hotline.take", "hotline.read", "hotline.call_back"
REPLY, REVIEW, EXEMPT = "hotline.reply", "hotline.review", "hotline.exempt"
FIGURES, MANAGE, ALONE = "hotline.figures", "hotline.manage", "hotline.review_alone"
KNOW, WRITE = "hotline.know", "hotline.write"
DATASET = "hotline_calls"
"""The name by which policies know the fields of calls."""


def _declare() -> None:
    for name, says in ROLES.items():
        declare_role(name, says)
    declare_resource("Call", {"state": "String", "kind": "String", "area": "String", "taker?": "Person"})
    declare_resource("Article", {"department": "Department"})
    for name, kind, says in (
        (TAKE, "City", Text("接听来电", "take calls")),
        (READ, "Call", Text("查看来电记录", "see the record of a call")),
        (CALL_BACK, "Call", Text("回访诉求人", "call a caller back")),
        (REPLY, "Case", Text("答复诉求人", "tell a caller what became of the demand")),
        (REVIEW, "Call", Text("质检来电", "review a call")),
        (ALONE, "Call", Text("质检本人接听的来电", "review one's own call")),
        (EXEMPT, "Call", Text("来电不计入考核", "leave a call out of the rates")),
        (FIGURES, "City", Text("查看热线指标和热点", "see the rates and topics of the hotline")),
        (MANAGE, "City", Text("维护热线设置", "keep the settings of the hotline")),
        (KNOW, "City", Text("查看知识库", "read the articles")),
        (WRITE, "Article", Text("编写知识", "write an article")),
    ):
        declare_action(name, (kind,), says)
    examples = files("jingwei.cases") / "data" / "hotline_policy_examples.json"
    declare_policies(_default_rules(), json.loads(examples.read_text("utf-8")))


def _default_rules() -> str:
    taker, supervisor, reviewer = (f'principal in Role::"{one}"' for one in ROLES)
    office = f"({taker} || {supervisor})"
    hotline = f"({taker} || {supervisor} || {reviewer})"
    number = f'resource.dataset == "{DATASET}" && resource.personal'
    of_case = "resource has department && principal in resource.department"
    department = 'principal in Role::"case_department" || principal in Role::"case_handler"'
    writes = f'{department} || principal in Role::"department_head"'
    rules = (
        ("hotline-take", [TAKE], office, ""),
        ("hotline-read", [READ], hotline, ""),
        ("hotline-call-back", [CALL_BACK], office, ""),
        ("hotline-reply", [REPLY], office, ""),
        ("hotline-department-replies", [REPLY], f"({department}) && {of_case}", ""),
        ("hotline-review", [REVIEW], reviewer, ""),
        ("hotline-exempt", [EXEMPT], supervisor, ""),
        ("hotline-figures", [FIGURES], f'{hotline} || principal in Role::"case_leader"', ""),
        ("hotline-manage", [MANAGE], f'{supervisor} || principal in Role::"system_administrator"', ""),
        ("hotline-know", [KNOW], f'{hotline} || {writes} || principal in Role::"staff"', ""),
        ("hotline-writes-all", [WRITE], supervisor, ""),
        ("hotline-department-writes", [WRITE], f"({writes}) && principal in resource.department", ""),
        ("hotline-cases", ["case.read", "case.report_from_outside"], office, ""),
        ("hotline-follow", ["event.follow"], f'resource.part == "hotline" && {hotline}', ""),
        ("hotline-number-masked", ["field.read"], f"{number} && {hotline}", '@mask("partial")\n'),
        ("hotline-number-for-a-purpose", ["field.read"],
         f'{number} && {office} && context.purpose != ""', ""),
    )  # fmt: skip
    return "\n".join(_permit(*one) for one in rules)


def _permit(name: str, actions: list[str], when: str, note: str) -> str:
    listed = ", ".join(f'Action::"{one}"' for one in actions)
    return f'@id("{name}")\n{note}permit (principal, action in [{listed}], resource)\nwhen {{ {when} }};\n'


def resource_of(call: Call) -> Resource:
    """Return a call as policies see it."""
    attributes = {"state": call.state, "kind": call.kind, "area": call.area, "taker": call.taker}
    return Resource("Call", call.number, attributes)


def caller_field(department: str) -> Resource:
    """Return the field with the caller's number as policies see it: personal, of the hotline's department."""
    attributes = {"owner": department, "sharing": "none", "level": 3, "personal": True, "dataset": DATASET}
    return Resource("Field", f"{DATASET}/caller", attributes)


_declare()
