"""What policies say of subscribers: the action, and the rules to start with."""

from jingwei.access.policy import declare_action
from jingwei.access.policy.vocabulary import declare_policies
from jingwei.words import Text

MANAGE = "webhook.manage"

RULES = """
@id("webhook-bureau")
permit (principal in Role::"system_administrator", action == Action::"webhook.manage", resource);
"""
EXAMPLES = [
    {
        "says": "the data bureau says who is told of events",
        "roles": ["system_administrator"],
        "action": MANAGE,
        "resource": "City",
        "allowed": True,
    },
    {
        "says": "staff of a department subscribe nobody",
        "roles": ["staff"],
        "departments": ["D"],
        "action": MANAGE,
        "resource": "City",
        "allowed": False,
    },
]

declare_action(MANAGE, ("City",), Text("管理事件订阅（Webhook）", "manage subscribers of events (webhooks)"))
declare_policies(RULES, EXAMPLES)
