"""What happens to the city as a whole."""

from jingwei.ledger import Field, declare
from jingwei.words import Text

declare(
    "city.founded",
    Text("城市建立", "The city was founded"),
    subject="city/<id>",
    fields={"adcode": Field(str, Text("行政区划代码", "the code of its division"))},
)

declare(
    "city.clock_set",
    Text("演示城市的时钟被调整", "The clock of a demo city was set"),
    subject="city/clock",
    fields={
        "at": Field(str, Text("城市的时刻", "the city's instant")),
        "speed": Field(float, Text("倍速", "seconds of the city in one of ours")),
        "paused": Field(bool, Text("是否暂停", "whether it stands")),
    },
)
declare(
    "file.received",
    Text("收到一个文件", "A file was handed in"),
    subject="file/<id>",
    fields={
        "name": Field(str, Text("文件名", "its name")),
        "size": Field(int, Text("字节数", "its bytes")),
        "digest": Field(str, Text("SHA-256 摘要", "its SHA-256")),
    },
)
declare(
    "file.begun_anew",
    Text("装载被中断的文件重新开始装载", "The load of a file, cut off, was begun anew"),
    subject="file/<id>",
    fields={"source": Field(str, Text("数据源", "the source"))},
)
declare(
    "table.read",
    Text("读取了外部数据库的一张表", "A table of a database outside was read"),
    subject="table/<database>/<name>",
    fields={
        "cursor": Field(str, Text("按哪一列增量；为空则全部", "the column by which; empty if all of it")),
        "rows": Field(int, Text("读到的行数", "how many rows were read")),
        "total": Field(int, Text("文件中的行数", "how many rows the file has")),
        "file": Field(str, Text("文件的编号", "the identifier of the file")),
        "digest": Field(str, Text("SHA-256 摘要", "its SHA-256")),
    },
)
declare(
    "source.decided",
    Text("已确定数据源的坐标系", "The coordinate system of a source was decided"),
    subject="source/<id>",
    fields={"crs": Field(str, Text("坐标系", "the coordinate system"))},
)
