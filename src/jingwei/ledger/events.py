"""What the log says about itself."""

from typing import Any

from jingwei.ledger.schemas import Field, declare
from jingwei.words import Text

declare(
    "ledger.opened",
    Text("日志启用，由此密钥签署", "The log was opened; this key signs it"),
    subject="ledger",
    fields={
        "origin": Field(str, Text("日志的名称", "the name of the log")),
        "key": Field(str, Text("签名公钥", "the key that signs")),
    },
)
declare(
    "ledger.key_rotated",
    Text("签名密钥更换：此条由旧密钥签署", "The signing key changes; the old key signs this entry"),
    subject="ledger",
    fields={
        "old_key": Field(str, Text("旧公钥", "the key until here")),
        "new_key": Field(str, Text("新公钥", "the key from here on")),
    },
)
declare(
    "ledger.clock_moved_back",
    Text("本机时钟倒退", "The clock of the machine that seals moved back"),
    subject="ledger",
    fields={
        "before": Field(str, Text("上一次封存的时间", "the time of the seal before")),
        "after": Field(str, Text("本次封存的时间", "the time of this seal")),
    },
)
declare(
    "ledger.erased",
    Text("依法删除了若干事件的内容，摘要保留", "The payloads of events were erased; their digests stay"),
    subject="ledger",
    fields={
        "positions": Field(list[int], Text("被删除内容的事件序号", "the positions of the events")),
        "reason": Field(str, Text("依据", "on what ground")),
    },
)
declare(
    "ledger.corrected",
    Text("更正先前的一条记录；原记录保留", "Corrects an earlier entry, which stays"),
    subject="the subject of the entry corrected",
    fields={
        "position": Field(int, Text("被更正事件的序号", "the position of the entry corrected")),
        "reason": Field(str, Text("更正原因", "why")),
        "data": Field(dict[str, Any], Text("更正后的内容", "what holds instead")),
    },
)
