"""What policies say of matching: the actions, and the rules to start with."""

from jingwei.access.policy import declare_action
from jingwei.access.policy.vocabulary import declare_policies
from jingwei.words import Text

MANAGE = "matching.manage"
REVIEW = "matching.review"

RULES = """
@id("matching-bureau")
permit (
  principal in Role::"system_administrator",
  action in [Action::"matching.manage", Action::"matching.review"],
  resource
);
"""
EXAMPLES = [
    {
        "says": "the data bureau matches records",
        "roles": ["system_administrator"],
        "action": MANAGE,
        "resource": "City",
        "allowed": True,
    },
    {
        "says": "staff of a department do not match",
        "roles": ["staff"],
        "departments": ["D"],
        "action": REVIEW,
        "resource": "City",
        "allowed": False,
    },
]

declare_action(MANAGE, ("City",), Text("设定并运行记录比对", "say which records are matched, and match them"))
declare_action(REVIEW, ("City",), Text("人工核对记录", "decide whether two records are the same"))
declare_policies(RULES, EXAMPLES)
