"""What happens to the city's copies."""

from jingwei.ledger import Field, declare
from jingwei.words import Text

CITY = "city/<id>"
FILES = Field(int, Text("文件数", "how many files"))
BYTES = Field(int, Text("字节数", "their bytes"))
DIGEST = Field(str, Text("校验清单的 SHA-256", "the SHA-256 of its list of checksums"))

declare(
    "keeping.backed_up",
    Text("城市已备份", "A backup of the city was made"),
    subject=CITY,
    fields={
        "files": FILES,
        "bytes": BYTES,
        "events": Field(int, Text("备份所含的日志条数", "how many sealed events of the log it holds")),
        "digest": DIGEST,
        "keys": Field(str, Text("密钥的去向", "where the keys are: inside, apart or without")),
    },
)
declare(
    "keeping.restored",
    Text("城市由备份恢复", "The city was restored from a backup"),
    subject=CITY,
    fields={
        "made": Field(str, Text("备份的时间（UTC）", "when the backup was made (UTC)")),
        "events": Field(int, Text("备份所含的日志条数", "how many sealed events of the log it held")),
        "digest": DIGEST,
    },
)
declare(
    "keeping.exported",
    Text("城市的全部内容已导出", "Everything in the city was exported"),
    subject=CITY,
    fields={
        "files": FILES,
        "bytes": BYTES,
        "datasets": Field(int, Text("数据集数", "how many datasets")),
        "versions": Field(
            dict[str, int], Text("各数据集的版本", "the version of each dataset"), required=False
        ),
        "digest": DIGEST,
    },
)
declare(
    "keeping.imported",
    Text("城市由导出的内容建立", "The city was made of an export"),
    subject=CITY,
    fields={
        "made": Field(str, Text("导出的时间（UTC）", "when the export was made (UTC)")),
        "digest": DIGEST,
    },
)
