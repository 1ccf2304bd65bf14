"""What policies say of corrections: the resource, the actions, and the rules to start with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jingwei.access.policy import Resource, declare_action, declare_resource
from jingwei.access.policy.vocabulary import declare_policies
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access.policy import Policies

READ = "correction.read"
ANSWER = "correction.answer"
MANAGE = "correction.manage"

RULES = """
@id("correction-bureau")
permit (
  principal in Role::"system_administrator",
  action in [Action::"correction.read", Action::"correction.manage"],
  resource
);

@id("correction-own-department")
permit (principal, action in [Action::"correction.read", Action::"correction.answer"], resource)
when {
  resource has department && principal in resource.department
  && (principal in Role::"staff" || principal in Role::"department_head")
};
"""

_THING = {"resource": "Correction", "attributes": {"department": "D", "dataset": "stops"}}
EXAMPLES = [
    {
        "says": "the data bureau asks for corrections",
        "roles": ["system_administrator"],
        "action": MANAGE,
        "resource": "City",
        "allowed": True,
    },
    {
        "says": "staff answer what their department is asked",
        "roles": ["staff"],
        "departments": ["D"],
        "action": ANSWER,
        **_THING,
        "allowed": True,
    },
    {
        "says": "and nothing that another is asked",
        "roles": ["staff"],
        "departments": ["E"],
        "action": READ,
        **_THING,
        "allowed": False,
    },
    {
        "says": "who asks does not answer",
        "roles": ["system_administrator"],
        "action": ANSWER,
        **_THING,
        "allowed": False,
    },
]

declare_resource("Correction", {"department?": "Department", "dataset": "String"})
declare_action(READ, ("Correction",), Text("查看更正要求", "see a request for corrections"))
declare_action(ANSWER, ("Correction",), Text("答复更正要求", "answer a request for corrections"))
declare_action(MANAGE, ("City",), Text("提出和办结更正要求", "ask for corrections, and decide on answers"))
declare_policies(RULES, EXAMPLES)


def resource_of(identifier: int, department: str, dataset: str, policies: Policies) -> Resource:
    """Return a request for corrections as policies see it."""
    attributes = {"department": policies.department(department), "dataset": dataset}
    return Resource("Correction", str(identifier), attributes)
