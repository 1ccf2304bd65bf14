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

ALARM = "sense/alarms/<id>"
INCIDENT = "sense/incidents/<id>"
_RULE = Field(int, Text("规则编号", "the number of the rule"))
_INCIDENT = Field(int, Text("所属事件编号", "the number of the incident to which it belongs"))
_SEVERITY = Field(str, Text("级别：notice、warning 或 alarm", "`notice`, `warning` or `alarm`"))
_VERSION = Field(int, Text("规则版本", "the version of the rule"))

declare(
    "sense.rule_written",
    Text("感知规则新建或更新", "A rule over readings was written"),
    subject="sense/rules/<id>",
    fields={"version": _VERSION, "owner": Field(str, Text("所属部门", "the department that owns it"))},
)
declare(
    "sense.rule_switched",
    Text("感知规则启用、停用或删除", "A rule over readings was switched on or off, or deleted"),
    subject="sense/rules/<id>",
    fields={"to": Field(str, Text("on、off 或 deleted", "`on`, `off` or `deleted`"))},
)
declare(
    "sense.rule_broken",
    Text(
        "感知规则查不了它的数据集，不再产生告警",
        "A rule over readings cannot ask its datasets: it raises nothing more",
    ),
    subject="sense/rules/<id>",
    fields={
        "zh": Field(str, Text("原因，中文", "why, in Chinese")),
        "en": Field(str, Text("原因，英文", "why, in English")),
    },
)
declare(
    "sense.rule_mended",
    Text("感知规则又能查询它的数据集", "A rule over readings can ask its datasets again"),
    subject="sense/rules/<id>",
)
declare(
    "sense.alarm_raised",
    Text("规则成立，产生告警", "A rule holds: an alarm was raised"),
    subject=ALARM,
    fields={
        "rule": _RULE,
        "version": _VERSION,
        "incident": _INCIDENT,
        "severity": _SEVERITY,
        "earlier": Field(
            str,
            Text("同一规则同一范围的上一个告警", "the alarm before it of the same rule in the same group"),
            required=False,
        ),
    },
)
declare(
    "sense.alarm_called",
    Text(
        "告警通知：事件中每处一次，静默时段之外",
        "Called for an alarm: once a place of an incident, not when quiet",
    ),
    subject=ALARM,
    fields={
        "rule": _RULE,
        "incident": _INCIDENT,
        "severity": _SEVERITY,
        "owner": Field(str, Text("所属部门", "the department that owns the rule")),
        "zh": Field(str, Text("规则中文名", "the title of the rule in Chinese")),
        "en": Field(str, Text("规则英文名", "the title of the rule in English")),
        "reasons": Field(str, Text("依据", "by which readings")),
        "cell": Field(
            str, Text("网格编码（有符号整数的文本）", "the signed grid code, as text"), required=False
        ),
        "level": Field(int, Text("层级", "its level"), required=False),
        "lon": Field(float, Text("经度", "the longitude of its centre, degrees"), required=False),
        "lat": Field(float, Text("纬度", "the latitude of its centre, degrees"), required=False),
    },
)
declare(
    "sense.alarm_escalated",
    Text("告警升级", "An alarm lasts and goes to somebody else"),
    subject=ALARM,
    fields={"rule": _RULE, "to": Field(str, Text("转给谁", "to whom"))},
)
declare(
    "sense.alarm_ended",
    Text("告警结束", "An alarm ended"),
    subject=ALARM,
    fields={"rule": _RULE, "incident": _INCIDENT},
)
declare(
    "sense.alarm_marked",
    Text("告警被核实为真或误报", "An alarm was found to be true or false"),
    subject=ALARM,
    fields={"rule": _RULE, "mark": Field(str, Text("true、false 或空", "`true`, `false` or empty"))},
)
declare(
    "sense.incident_opened",
    Text("事件开始", "An incident began"),
    subject=INCIDENT,
    fields={"cause": Field(str, Text("原因，可空", "its cause, or empty")), "severity": _SEVERITY},
)
declare(
    "sense.incident_ended",
    Text("事件自行结束", "An incident ended by itself"),
    subject=INCIDENT,
    fields={"alarms": Field(int, Text("告警数", "how many alarms it had"))},
)

FAULT = "sense/faults/<id>"
_STREAM = Field(int, Text("数据流编号", "the number of the stream"))
_FAULT_KIND = Field(
    str,
    Text(
        "silent、stuck、drifting、noisy 或 implausible",
        "`silent`, `stuck`, `drifting`, `noisy` or `implausible`",
    ),
)

declare(
    "sense.fault_found",
    Text("发现传感器故障", "A sensor was found to be at fault"),
    subject=FAULT,
    fields={
        "stream": _STREAM,
        "thing": Field(int, Text("设备（Thing）编号", "the number of its thing")),
        "kind": _FAULT_KIND,
        "owner": Field(str, Text("所属部门代码", "the code of the department that owns it")),
        "zh": Field(str, Text("依据（中文）", "what tells it, in Chinese")),
        "en": Field(str, Text("依据（英文）", "what tells it, in English")),
        "lon": Field(float, Text("经度", "its longitude, degrees"), required=False),
        "lat": Field(float, Text("纬度", "its latitude, degrees"), required=False),
    },
)
declare(
    "sense.fault_ended",
    Text("传感器恢复正常", "A sensor is no longer at fault"),
    subject=FAULT,
    fields={"stream": _STREAM, "kind": _FAULT_KIND},
)
declare(
    "sense.fault_marked",
    Text("故障被核实为真或误报", "A fault was found to be true or false"),
    subject=FAULT,
    fields={
        "stream": _STREAM,
        "mark": Field(str, Text("true、false 或空", "`true`, `false` or empty")),
    },
)
