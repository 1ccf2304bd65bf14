"""What happens to calls and articles, as the log tells it.

No number of a caller is part of an event, and of what people write only a salted digest.
"""

from __future__ import annotations

from typing import Any

from jingwei.ledger import Field, declare
from jingwei.words import Text

_LIMIT = list[str | float]
_COMMON = {
    "step": Field(int, Text("来电的第几步", "how many events the call has with this one")),
    "at": Field(str, Text("发生时间", "when it happened")),
    "was": Field(str, Text("原状态", "the state before")),
    "to": Field(str, Text("新状态", "the state after")),
}
_CHANNEL = {
    "channel": Field(str, Text("渠道", "by what way it came")),
    "waited": Field(int, Text("等待秒数", "seconds it waited"), required=False),
}
_DEMAND = {
    "kind": Field(str, Text("诉求类别", "the kind of demand")),
    "urgency": Field(str, Text("紧急程度", "how pressing it is")),
    "dispatch": Field(_LIMIT, Text("派单时限：单位、数量", "the limit of dispatching: unit, amount")),
    "reply": Field(_LIMIT, Text("答复时限：单位、数量", "the limit of the reply: unit, amount")),
    "description": Field(str, Text("诉求内容（摘要）", "what the caller said (digest)")),
    "articles": Field(
        list[Any], Text("引用的知识：编号、版本、是否有用", "articles used: id, version, whether it helped"),
        required=False,
    ),
    "area": Field(str, Text("区域代码", "the code of its area"), required=False),
    "cell": Field(str, Text("网格编码（有符号整数的文本）", "the signed grid code, as text"), required=False),
    "level": Field(int, Text("层级", "its level"), required=False),
    "words": Field(str, Text("答复（摘要）", "what was answered (digest)"), required=False),
}  # fmt: skip
_REACHED = {
    "reached": Field(bool, Text("是否联系上", "whether the caller was reached")),
    "words": Field(str, Text("说明（摘要）", "a remark (digest)"), required=False),
}

_CALLS: dict[str, tuple[Text, dict[str, Field]]] = {
    "taken": (Text("接听来电", "A call is taken"), _CHANNEL),
    "lost": (
        Text("来电未接通", "A call was given up"),
        {**_CHANNEL, "where": Field(str, Text("在语音菜单或排队中放弃", "in the menu or in the queue"))},
    ),
    "answered": (Text("直接答复", "A call is answered at once"), _DEMAND),
    "made_case": (
        Text("来电立为案件", "A case is made of a call"),
        {
            **_DEMAND,
            "case": Field(str, Text("案件编号", "the case's number")),
            "joined": Field(bool, Text("并入已有案件", "whether it joined another case"), required=False),
        },
    ),
    "dismissed": (
        Text("无诉求来电", "A call holds no demand"),
        {"reason": Field(str, Text("理由（摘要）", "the reason (digest)"))},
    ),
    "replied": (Text("答复诉求人", "The caller is told"), _REACHED),
    "called_back": (
        Text("回访", "The caller is called back"),
        {
            **_REACHED,
            "solved": Field(str, Text("是否解决", "whether it is solved"), required=False),
            "satisfied": Field(str, Text("是否满意", "whether the caller is satisfied"), required=False),
            "reopened": Field(bool, Text("要求重办", "whether the case is taken up again"), required=False),
        },
    ),
    "reviewed": (
        Text("质检", "A call is reviewed"),
        {
            "sheet": Field(int, Text("评分表版本", "the version of the sheet")),
            "scores": Field(dict[str, int], Text("各项得分", "the points of each item")),
            "points": Field(int, Text("总分", "the points in all")),
            "most": Field(int, Text("满分", "the points there are")),
            "words": Field(str, Text("评语（摘要）", "a remark (digest)"), required=False),
        },
    ),
    "exempted": (
        Text("不计入考核", "A call is left out of the rates"),
        {"reason": Field(str, Text("理由（摘要）", "the reason (digest)"))},
    ),
}
CALL_EVENTS = tuple(_CALLS)
for _name, (_says, _fields) in _CALLS.items():
    declare(
        f"hotline.call_{_name}",
        Text(f"热线：{_says.zh}", f"Hotline: {_says.en}"),
        subject="call/<number>",
        fields=_COMMON | _fields,
    )

declare(
    "hotline.number_read",
    Text("热线：查看来电号码", "Hotline: a caller's number is read"),
    subject="call/<number>",
    fields={"purpose": Field(str, Text("用途", "what for"))},
)
declare(
    "hotline.article_written",
    Text("热线：知识有新版本", "Hotline: an article has a new version"),
    subject="article/<id>",
    fields={
        "version": Field(int, Text("版本号", "its number")),
        "department": Field(str, Text("归属部门", "whose it is")),
        "since": Field(str, Text("生效时间", "since when it holds")),
        "until": Field(str, Text("失效时间", "until when it holds"), required=False),
        "digest": Field(str, Text("内容摘要", "the digest of its content")),
    },
)
