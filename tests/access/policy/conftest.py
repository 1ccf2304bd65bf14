"""A kind of resource to test with."""

from jingwei.access.policy import declare_action, declare_resource
from jingwei.words import Text

declare_resource(
    "Thing",
    {
        "owner": "Department",
        "level": "Long",
        "district": "String",
        "open": "Bool",
        "tags": "Set<String>",
        "reporter?": "Person",
        "note?": "String",
        "count?": "Long",
    },
)
declare_action("thing.read", ("Thing",), Text("读取", "read a thing"))
