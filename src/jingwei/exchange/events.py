"""What happens to subscribers. No event tells an address or a secret."""

from jingwei.ledger import Field, declare
from jingwei.words import Text

SUBJECT = "webhook/<id>"

declare(
    "webhook.subscribed",
    Text("新增事件订阅方", "A subscriber of events was added"),
    subject=SUBJECT,
    fields={
        "types": Field(list[str], Text("事件类型，空为全部", "types of events, or parts; all where empty")),
        "for": Field(str, Text("按谁的权限", "with whose rights it is told")),
    },
)
declare(
    "webhook.changed",
    Text("事件订阅变更", "What a subscriber is told, or where, was changed"),
    subject=SUBJECT,
    fields={"fields": Field(list[str], Text("变更项", "what was changed"))},
)
declare(
    "webhook.switched",
    Text("事件订阅启用、停用或删除", "A subscriber was switched on or off, or removed"),
    subject=SUBJECT,
    fields={
        "to": Field(str, Text("on、off 或 removed", "`on`, `off` or `removed`")),
        "why": Field(
            str,
            Text("停用原因代码，人为操作时为空", "why, as a code; empty where a person did it"),
        ),
    },
)
