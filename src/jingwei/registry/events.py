"""What happens to objects and their identifiers."""

from jingwei.ledger import Field, declare
from jingwei.words import Text

SUBJECT = "object/<identifier>"
REASON = Field(str, Text("原因", "why"))

declare(
    "object.issued",
    Text("对象获得标识", "An object was given its identifier"),
    subject=SUBJECT,
    fields={"kind": Field(str, Text("对象种类", "the kind of object"))},
)
declare(
    "object.issued_in_bulk",
    Text("成批发放标识", "Identifiers were issued to the rows of a table"),
    subject="registry/<owner>",
    fields={
        "kind": Field(str, Text("对象种类", "the kind of objects")),
        "count": Field(int, Text("新发放的个数", "how many are new")),
        "load": Field(
            str,
            Text("所属装载的编号", "the load of a dataset whose rows they were issued to"),
            required=False,
        ),
    },
)
declare(
    "object.renamed",
    Text("对象更名", "An object got another title"),
    subject=SUBJECT,
    fields={
        "before": Field(str, Text("原名", "its title before")),
        "after": Field(str, Text("新名", "its title since")),
    },
)
declare(
    "object.moved",
    Text("对象位置变更", "An object is at another place"),
    subject=SUBJECT,
    fields={
        "cell": Field(str | None, Text("网格编码（有符号整数的文本）", "the signed grid code, as text")),
        "level": Field(int | None, Text("层级", "its level")),
        "since": Field(str, Text("自何时起", "since when")),
    },
)
declare(
    "object.split",
    Text("对象拆分为若干对象", "An object was split into others"),
    subject=SUBJECT,
    fields={"into": Field(list[str], Text("拆分后的标识", "their identifiers")), "reason": REASON},
)
declare(
    "object.merged",
    Text("对象并入另一对象", "An object was merged into another"),
    subject=SUBJECT,
    fields={"into": Field(str, Text("并入的标识", "its identifier")), "reason": REASON},
)
declare(
    "object.retired",
    Text("对象注销", "An object was retired"),
    subject=SUBJECT,
    fields={"successors": Field(list[str], Text("后继标识", "what takes its place")), "reason": REASON},
)
