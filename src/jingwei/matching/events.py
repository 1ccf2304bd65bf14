"""What happens to matchings of records. No event names a person or a record."""

from jingwei.ledger import Field, declare
from jingwei.words import Text

SUBJECT = "matching/<id>"

declare(
    "matching.configured",
    Text("设定了记录比对", "It was said which records are matched, and how"),
    subject=SUBJECT,
    fields={"datasets": Field(list[str], Text("参加比对的数据集", "the datasets that take part"))},
)
declare(
    "matching.run",
    Text("完成了一次记录比对", "Records were matched"),
    subject=SUBJECT,
    fields={
        "run": Field(int, Text("第几次", "which run")),
        "versions": Field(dict[str, int], Text("各数据集的版本", "the version of each dataset")),
        "linked": Field(int, Text("认定相同的对数", "pairs that are taken for the same")),
        "review": Field(int, Text("待人工核对的对数", "pairs that wait for a reviewer")),
    },
)
declare(
    "matching.decided",
    Text("人工核对了一对记录", "A person decided on a pair of records"),
    subject=SUBJECT,
    fields={
        "pair": Field(str, Text("这对记录的标记", "a mark of the pair that tells nothing of it")),
        "choice": Field(
            str, Text("结论", "`same`, `different`, `unsure`, or `open` where it was taken back")
        ),
    },
)
