"""What happens to cases, as the log tells it: one type of event for each step of the table.

What people write is never part of an event, only a salted digest of it: it may hold personal data.
"""

from __future__ import annotations

from typing import Any

from jingwei.cases.lifecycle import TRANSITIONS, Transition
from jingwei.ledger import Field, declare
from jingwei.words import Text

SUBJECT = "case/<number>"
LIMIT = list[str | float]

WORDS = ("description", "reason", "words")
"""Fields of which the event holds a digest."""

INPUTS: dict[str, Text] = {
    "kind": Text("种类", "component or matter"),
    "type": Text("类别代码", "the type's code"),
    "source": Text("来源", "where the report came from"),
    "place": Text("位置", "the place"),
    "component": Text("部件标识码", "the component's identifier"),
    "photos": Text("照片", "photographs"),
    "before": Text("处置前照片", "photographs from before the work"),
    "description": Text("问题描述", "the description"),
    "reason": Text("理由", "the reason"),
    "words": Text("说明", "a remark"),
    "collector": Text("采集员", "the collector"),
    "finding": Text("核实结果", "what the field check found"),
    "rule": Text("立案条件", "the rule by which it is registered"),
    "main": Text("主案编号", "the number of the main case"),
    "department": Text("部门", "the department"),
    "co_departments": Text("协办部门", "the co-handling departments"),
    "proposal": Text("系统建议的部门", "the department that was proposed"),
    "handler": Text("处置人员", "the handler"),
    "days": Text("天数", "how many days"),
    "verdict": Text("核查结论", "what the check found"),
    "closing": Text("结案条件", "the closing condition"),
    "due": Text("限期", "by when"),
    "result_score": Text("对结果的评分", "how the result is rated, 1 to 5"),
    "service_score": Text("对服务的评分", "how the service is rated, 1 to 5"),
    "stage": Text("环节", "the stage"),
    "share": Text("时限的百分比", "the share of the limit, in percent"),
    "other": Text("另一案件", "the other case"),
    "told": Text("动态", "what happened: ended, again, joined, passed on or over"),
    "alarm": Text("告警", "the alarm, as `sense/alarms/<id>`"),
    "alarms": Text("告警数", "how many alarms"),
    "passed_to": Text("转给谁", "to whom it goes"),
    "state": Text("状态", "the state"),
    "shown": Text("公开的照片", "photographs for the public"),
}
"""What steps need and take, by name."""

_TYPES: dict[str, Any] = {
    "photos": list[str],
    "before": list[str],
    "shown": list[str],
    "co_departments": list[str],
    "days": int,
    "result_score": int,
    "service_score": int,
    "share": int,
    "alarms": int,
}

_COMMON = {
    "action": Field(str, Text("步骤", "the step taken")),
    "step": Field(int, Text("案件的第几步", "how many events the case has with this one")),
    "at": Field(str, Text("发生时间", "when it happened")),
    "was": Field(str, Text("原状态", "the state before")),
    "to": Field(str, Text("新状态", "the state after")),
    "limit": Field(
        LIMIT,
        Text("新环节的时限：单位、数量", "the limit of the stage it enters: unit, amount"),
        required=False,
    ),
}

_CONCERNS = {
    "departments": Field(
        list[str],
        Text("涉及的部门（事前、事后经办）", "the departments it concerns: those it was with, and is"),
        required=False,
    ),
    "people": Field(
        list[str],
        Text("涉及的人员（上报、采集、处置）", "the people it concerns: reporter, collector, handler"),
        required=False,
    ),
}
"""By these the policies tell who may follow an event."""

_PLACE = {
    "cell": Field(str, Text("网格编码（有符号整数的文本）", "the signed grid code, as text"), required=False),
    "level": Field(int, Text("层级", "its level"), required=False),
    "area": Field(
        str, Text("单元网格、社区、街道或区代码", "the code of its area, as fine as known"), required=False
    ),
    "where": Field(
        str, Text("位置的可靠性", "inside, border, outside, default point or unknown"), required=False
    ),
}

_FROM_REPORT = {
    "reporter": Field(str, Text("上报人", "who reported it"), required=False),
    "source_key": Field(str, Text("来源系统中的编号", "its number where it came from"), required=False),
    "overall": Field(LIMIT, Text("全程时限", "the limit of the whole case"), required=False),
}

_MORE: dict[str, dict[str, Field]] = {
    "reported": _FROM_REPORT,
    "self_handled": {"source": Field(str, INPUTS["source"]), **_FROM_REPORT},
    "imported": {
        **_FROM_REPORT,
        **_PLACE,
        "department": Field(str, INPUTS["department"], required=False),
        "late": Field(bool, Text("来源记载是否超期", "whether its source says that it was late"), required=False),
        "times": Field(dict[str, str], Text("各环节时间", "when its stages were over"), required=False),
        "component": Field(str, INPUTS["component"], required=False),
        "description": Field(str, INPUTS["description"], required=False),
    },
    "registered": {"handling": Field(LIMIT, Text("处置时限：单位、数量", "the limit for handling: unit, amount"))},
    "reopened": {"overall": Field(LIMIT, _FROM_REPORT["overall"].says)},
    "separated": {"overall": Field(LIMIT, _FROM_REPORT["overall"].says)},
    "dispatched": {"co_limit": Field(LIMIT, Text("协办时限", "the limit for co-handlers"), required=False)},
    "part_added": {"co_limit": Field(LIMIT, Text("协办时限", "the limit for co-handlers"))},
    "extension_asked": {"supported": Field(bool, Text("由部门直接申请", "the department itself asks"), required=False)},
    "suspension_asked": {"supported": Field(bool, Text("由部门直接申请", "the department itself asks"), required=False)},
    "suspended": {"until": Field(str, Text("恢复时间", "until when"))},
    "warned": {"turn": Field(int, Text("第几个计时", "the index of the turn"))},
    "joined": {"followers": Field(list[str], Text("新增关注人", "who follows the case from now on"), required=False)},
    "left": {"followers": Field(list[str], Text("不再关注的人", "who no longer follows it"), required=False)},
}  # fmt: skip


def event_fields(one: Transition) -> dict[str, Field]:
    """Return the fields of the event by which the log tells of a step."""
    fields = _COMMON | _CONCERNS
    for name in (*one.needs, *one.takes):
        if name == "place":
            fields |= _PLACE
            continue
        says = INPUTS[name]
        if name in WORDS:
            says = Text(f"{says.zh}（摘要）", f"{says.en} (digest)")
        elif name in ("photos", "before", "shown"):
            says = Text(f"{says.zh}（SHA-256）", f"{says.en} (SHA-256)")
        fields[name] = Field(_TYPES.get(name, str), says, required=name in one.needs)
    return fields | _MORE.get(one.event, {})


def _declare_all() -> None:
    by_event: dict[str, list[Transition]] = {}
    for one in TRANSITIONS.values():
        by_event.setdefault(one.event, []).append(one)
    for name, steps in by_event.items():
        fields: dict[str, Field] = {}
        for one in steps:
            fields |= {key: field for key, field in event_fields(one).items() if key not in fields}
        says = steps[0].says
        declare(f"case.{name}", Text(f"案件：{says.zh}", f"Case: {says.en}"), subject=SUBJECT, fields=fields)


_declare_all()

declare(
    "case.regime_changed",
    Text(
        "案件规则、时限、日历或类别有新版本", "Rules, limits, calendar or types of cases have a new version"
    ),
    subject="cases/<part>",
    fields={
        "version": Field(int, Text("版本号", "its number")),
        "count": Field(int, Text("条数", "how many entries it has")),
        "digest": Field(str, Text("内容摘要", "the digest of its content")),
        "content": Field(
            dict[str, Any], Text("日历与时限的全部内容", "all of a calendar or of settings"), required=False
        ),
    },
)
declare(
    "case.ground_changed",
    Text("责任网格或职责分工变更", "Unit grids, duty grids or responsibilities changed"),
    subject="cases/<part>",
    fields={
        "count": Field(int, Text("条数", "how many entries")),
        "digest": Field(str, Text("摘要", "digest")),
    },
)
declare(
    "case.pack_taken",
    Text("采用城市包中的案件资料", "What a city pack says of cases was taken in"),
    subject="cases/pack/<part>",
    fields={
        "digest": Field(str, Text("清单与文件的摘要", "the digest of what the manifest and its files say")),
        "count": Field(int, Text("条数", "how many entries")),
        "faults": Field(int, Text("未能采用的条数", "how many could not be taken")),
        "versions": Field(
            dict[str, int],
            Text("其表所属数据集的版本", "of the datasets whose tables they are: which version"),
            required=False,
        ),
    },
)
declare(
    "case.event_refused",
    Text("事件未能成为上报", "An event could not become a report"),
    subject="cases/events",
    fields={
        "event": Field(int, Text("事件编号", "the event's number")),
        "type": Field(str, Text("事件类型", "its type")),
        "why": Field(str, Text("原因代码", "the code of the reason")),
    },
)

_FORWARD = {
    "case": Field(str, Text("案件编号", "the case")),
    "to": Field(str, Text("对方接口", "the endpoint")),
}
_THEIRS = Field(str, Text("对方编号", "its number there"))
declare(
    "case.forwarded",
    Text("案件转交其他城市", "A case was taken in by another city"),
    subject="cases/forwarded",
    fields=_FORWARD | {"number": _THEIRS},
)
declare(
    "case.forward_moved",
    Text("转交的案件有进展", "A forwarded case has moved on there"),
    subject="cases/forwarded",
    fields=_FORWARD
    | {
        "number": _THEIRS,
        "status": Field(str, Text("对方状态", "open or closed there")),
        "updates": Field(int, Text("新进展条数", "how many updates came")),
    },
)
declare(
    "case.forward_failed",
    Text("案件未能转交", "A case could not be forwarded"),
    subject="cases/forwarded",
    fields=_FORWARD | {"why": Field(str, Text("原因代码", "the code of the reason"))},
)
declare(
    "case.forward_again",
    Text("再次转交案件", "Forwarding is tried again"),
    subject="cases/forwarded",
    fields=_FORWARD,
)
declare(
    "case.sender_barred",
    Text("暂停受理某来源的上报", "A sender was barred for a time"),
    subject="cases/bars",
    fields={
        "case": Field(str, Text("发生滥用的案件", "where the abuse was met")),
        "kinds": Field(list[str], Text("依据", "by what: e-mail, telephone or network address")),
        "until": Field(str, Text("截止时间", "until when")),
        "reason": Field(str, Text("理由（摘要）", "the digest of the reason")),
    },
)
declare(
    "case.sender_unbarred",
    Text("恢复受理某来源的上报", "A sender was let in again"),
    subject="cases/bars",
    fields={
        "case": Field(str, Text("发生滥用的案件", "where the abuse was met")),
        "kinds": Field(list[str], Text("依据", "by what")),
    },
)
