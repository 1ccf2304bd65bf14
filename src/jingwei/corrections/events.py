"""What happens to requests for corrections."""

from jingwei.ledger import Field, declare
from jingwei.words import Text

SUBJECT = "correction/<id>"
DATASET = Field(str, Text("数据集", "the dataset"))

declare(
    "correction.requested",
    Text("请责任单位更正数据", "A department was asked for corrections"),
    subject=SUBJECT,
    fields={
        "dataset": DATASET,
        "department": Field(str, Text("责任单位", "the department")),
        "check": Field(str, Text("检查的编号", "the check that found them")),
        "rules": Field(list[str], Text("未满足的规则", "the rules that are broken")),
        "due": Field(str, Text("期限", "until when")),
    },
)
declare(
    "correction.answered",
    Text("责任单位答复了更正要求", "A department answered a request for corrections"),
    subject=SUBJECT,
    fields={
        "dataset": DATASET,
        "kind": Field(str, Text("方式：文件或说明", "how: `file` or `explanation`")),
        "file": Field(str, Text("文件的编号；没有则为空", "the file, empty if there is none")),
    },
)
declare(
    "correction.remains",
    Text("新版本仍有所要求更正的问题", "A new version still shows what was to be corrected"),
    subject=SUBJECT,
    fields={
        "dataset": DATASET,
        "check": Field(str, Text("检查的编号", "the check that found it")),
        "rows": Field(int, Text("剩余行数", "how many rows remain")),
    },
)
declare(
    "correction.closed",
    Text("更正要求办结", "A request for corrections was closed"),
    subject=SUBJECT,
    fields={
        "dataset": DATASET,
        "outcome": Field(
            str, Text("结果：已更正、说明被采纳或撤回", "how: `corrected`, `explained` or `withdrawn`")
        ),
    },
)
declare(
    "correction.refused",
    Text("对更正要求的说明未被采纳", "An explanation was not accepted"),
    subject=SUBJECT,
    fields={"dataset": DATASET},
)
