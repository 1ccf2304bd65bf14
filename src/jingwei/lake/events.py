"""What happens to datasets."""

from typing import Any

from jingwei.ledger import Field, declare
from jingwei.words import Text

SUBJECT = "dataset/<id>"

declare(
    "dataset.published",
    Text("数据集发布了新版本", "A new version of a dataset was published"),
    subject=SUBJECT,
    fields={
        "version": Field(int, Text("版本号", "the number of the version")),
        "delta": Field(dict[str, int], Text("各表的 Delta 版本", "the Delta version of each table")),
        "counts": Field(dict[str, Any], Text("行数统计", "how many rows, by kind")),
        "sources": Field(
            list[dict[str, Any]], Text("来源文件及其摘要", "the source files and their digests")
        ),
        "reads": Field(
            list[dict[str, Any]],
            Text(
                "装载时读了哪些数据集的哪一版、作何用",
                "which versions of datasets were read to make it, and what for",
            ),
            required=False,
        ),
    },
)
declare(
    "dataset.held",
    Text("数据集待人处理，未发布", "A dataset is held back until a person answers"),
    subject=SUBJECT,
    fields={"code": Field(str, Text("问题代码", "the code of the problem"))},
)
declare(
    "dataset.failed",
    Text("数据集装载失败", "A dataset could not be loaded"),
    subject=SUBJECT,
    fields={"code": Field(str, Text("问题代码", "the code of the problem"))},
)
declare(
    "dataset.removed",
    Text("数据集撤下；文件和版本保留", "A dataset was withdrawn; its files and versions stay"),
    subject=SUBJECT,
)
declare(
    "dataset.discarded",
    Text("崩溃后丢弃了未完成的装载", "A load that a crash left unfinished was discarded"),
    subject=SUBJECT,
    fields={"intent": Field(str, Text("装载的编号", "the identifier of the load"))},
)
declare(
    "personal.read",
    Text("查看了个人信息字段", "Personal fields were read"),
    subject=SUBJECT,
    fields={
        "version": Field(int, Text("版本号", "the number of the version")),
        "fields": Field(list[str], Text("字段名", "the names of the fields")),
        "purpose": Field(str, Text("申明的用途；未申明为空", "what for, as stated; empty if it was not")),
        "answers": Field(int, Text("回答次数", "how many answers held them")),
        "rows": Field(int, Text("行数之和", "how many rows these had together")),
    },
)
declare(
    "contract.adopted",
    Text("数据契约生效", "A contract of a dataset was put in force"),
    subject=SUBJECT,
    fields={
        "contract": Field(int, Text("契约的版本号", "the number of the contract")),
        "fields": Field(int, Text("字段数", "how many fields it names")),
        "rules": Field(int, Text("规则数", "how many rules it has beside them")),
    },
)
declare(
    "dataset.checked",
    Text("数据按契约检查完毕", "What was loaded was checked against the contract"),
    subject=SUBJECT,
    fields={
        "intent": Field(str, Text("装载的编号", "the identifier of the load")),
        "contract": Field(
            int, Text("契约的版本号；0 为建议的契约", "the number of the contract, 0 if proposed")
        ),
        "score": Field(float, Text("得分（0 至 100）", "the score, 0 to 100")),
        "rows": Field(int, Text("读入的行数", "how many rows were read")),
        "faulty": Field(int, Text("有错误的行数", "how many rows have errors")),
        "rules": Field(list[str], Text("未满足的规则", "the rules that were broken")),
        "gated": Field(bool, Text("是否因得分过低未发布", "whether the gate kept it from being published")),
        "reads": Field(
            list[dict[str, Any]],
            Text("规则对照了哪些数据集的哪一版", "which versions of datasets the rules compared it with"),
            required=False,
        ),
    },
)
declare(
    "dataset.exported",
    Text("数据集导出为文件", "A dataset was written to a file"),
    subject=SUBJECT,
    fields={
        "version": Field(int, Text("版本号", "the number of the version")),
        "form": Field(str, Text("格式", "the form of the file")),
        "rows": Field(int, Text("行数", "how many rows")),
        "chosen": Field(bool, Text("是否只导出部分行", "whether only some of the rows were asked for")),
    },
)
declare(
    "dataset.version_dropped",
    Text("数据集的旧版本超过保留期，其数据已删除", "The rows of a version were removed after its retention"),
    subject=SUBJECT,
    fields={
        "version": Field(int, Text("版本号", "the number of the version")),
        "rows": Field(int, Text("行数", "the rows that it had")),
        "retention_days": Field(int, Text("保留期（天）", "the retention, in days")),
    },
)
declare(
    "dataset.rows_erased",
    Text("某人的数据行已从所有版本中删除", "A person's rows were erased from all versions"),
    subject=SUBJECT,
    fields={
        "column": Field(str, Text("所按的列", "the column by which they were found")),
        "mark": Field(
            str,
            Text(
                "该值的带密钥摘要：再次出现时不予装载",
                "a keyed digest of the value: rows with it are not loaded again",
            ),
        ),
        "reason": Field(str, Text("理由", "why")),
        "versions": Field(list[int], Text("涉及的版本", "the versions that held them")),
        "rows": Field(int, Text("各版本行数之和", "the rows of all versions together")),
        "quarantined": Field(int, Text("隔离区的行数", "rows of the quarantine")),
        "findings": Field(int, Text("质量问题条数", "findings of checks")),
        "objects": Field(int, Text("登记对象数", "objects of the registry that were blanked")),
        "files": Field(int, Text("删除的来文数", "files handed in that were deleted")),
    },
)
declare(
    "dataset.compacted",
    Text("数据集的文件已合并，并按网格重新排序", "The files of a dataset were put together, sorted by cell"),
    subject=SUBJECT,
    fields={
        "version": Field(int, Text("新版本号", "the number of the new version")),
        "before": Field(int, Text("原版本号，各行相同", "the version before, which has the same rows")),
        "rows": Field(int, Text("行数", "how many rows")),
        "files": Field(int, Text("合并后的文件数", "in how many files they are now")),
    },
)
