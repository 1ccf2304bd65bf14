"""What happens to the entities of sensing and to devices."""

from jingwei.ledger import Field, declare
from jingwei.words import Text

SUBJECT = "sense/<set>(<id>)"
_NAMES = Field(list[str], Text("变更的属性与关联", "the properties and links that changed"))

declare(
    "sense.created",
    Text("新增感知实体", "An entity of sensing was created"),
    subject=SUBJECT,
    fields={
        "owner": Field(str, Text("所属部门代码", "the code of the department that owns it")),
        "links": Field(
            dict[str, list[int]], Text("关联的实体编号", "the ids of the entities it is linked with")
        ),
    },
)
declare(
    "sense.changed",
    Text("感知实体变更", "An entity of sensing changed"),
    subject=SUBJECT,
    fields={"fields": _NAMES},
)
declare(
    "sense.deleted",
    Text("删除感知实体及其从属", "An entity of sensing was deleted, with what depends on it"),
    subject=SUBJECT,
    fields={
        "with": Field(
            dict[str, int], Text("一并删除的实体个数，按集合", "how many were deleted with it, by set")
        ),
    },
)
declare(
    "sense.device_registered",
    Text("设备登记", "A device was registered"),
    subject="sense/Things(<id>)",
    fields={
        "identifier": Field(str, Text("对象标识", "its identifier in the registry")),
        "kind": Field(str, Text("设备类型", "its kind")),
        "owner": Field(str, Text("所属部门代码", "the code of the department that owns it")),
    },
)
declare(
    "sense.device_changed",
    Text("设备信息变更", "What is kept about a device changed"),
    subject="sense/Things(<id>)",
    fields={"fields": _NAMES},
)
declare(
    "sense.device_maintained",
    Text("设备维护", "Work was done on a device"),
    subject="sense/Things(<id>)",
    fields={"kind": Field(str, Text("维护种类", "what kind of work"))},
)
declare(
    "sense.device_signed_off",
    Text("设备验收", "A device was signed off and taken into service"),
    subject="sense/Things(<id>)",
)
