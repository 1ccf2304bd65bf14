"""The grid's faults in both languages. The grid itself knows no language but its own."""

from __future__ import annotations

import re
from typing import Any

from jingwei.grid import GridError
from jingwei.words import Text

TITLES: dict[str, Text] = {
    "grid-malformed-code": Text("这不是有效的网格编码", "This is not a valid grid code"),
    "grid-malformed-coordinate": Text("坐标读不出来", "The coordinates cannot be read"),
    "grid-out-of-range": Text("坐标超出了地球的范围", "The coordinates lie beyond the earth"),
    "grid-level": Text("没有这个层级", "There is no such level"),
    "grid-polar-unsupported": Text(
        "标准没有定义两极附近这样细的网格", "The standards define no cells this fine at the poles"
    ),
    "grid-no-twin": Text("另一个标准里没有相同的网格", "The other standard has no equal cell"),
}

CHINESE: tuple[tuple[str, str], ...] = (
    (r"a BeiDou code begins with N or S, not (.+)", "北斗编码以 N 或 S 开头，这里是 {0}"),
    (r"a GeoSOT code begins with G", "GeoSOT 编码以 G 开头"),
    (r"the column is two decimal digits, not (.+)", "列号是两位数字，这里是 {0}"),
    (r"the row is a letter A-V, not (.+)", "行号是字母 A–V，这里是 {0}"),
    (r"the column (\d+) is beyond 60", "列号 {0} 超过了 60"),
    (r"column 00 is the pole, whose row is 0, not (.+)", "第 00 列是极区，行号应为 0，这里是 {0}"),
    (r"(\S*) is none of the polar cells.*", "{0} 不是标准列出的极区网格"),
    (r"level (\d+) is a digit 0-(\w), not (.+)", "第 {0} 级是一位 0–{1}，这里是 {2}"),
    (r"the longitude of level (\d+) is a digit 0-(\w), not (.+)", "第 {0} 级的经向码元是 0–{1}，这里是 {2}"),
    (r"the latitude of level (\d+) is a digit 0-(\w), not (.+)", "第 {0} 级的纬向码元是 0–{1}，这里是 {2}"),
    (r"a BeiDou code has at most 20 characters", "北斗编码至多 20 个字符"),
    (r"(\d+) characters end inside a level; codes have (.+) or 20", "{0} 个字符停在一级的中间；编码应有 {1} 或 20 个字符"),
    (r"a GeoSOT code has at most 32 digits", "GeoSOT 编码至多 32 位"),
    (r"(.+) is not a quaternary digit \(0-3\)", "{0} 不是四进制数字（0–3）"),
    (r"(.+) stands only after digits 9 and 15.*", "分隔符 {0} 只能在第 9、15 位（-）和第 21 位（.）之后，且后面还有数字"),
    (r"(?:the code )?(\S+) points into the unused.*", "{0} 指向不存在的第 60–63 分或秒"),
    (r"(?:the code )?(\S+) lies beyond (\d+) degrees", "{0} 超出了 {1} 度"),
    (r"a code begins with G, N or S, or is a decimal number and its level.*", "编码以 G、N 或 S 开头，或写作整数加层级：412869894958481408-23"),
    (r"(.+) is not a decimal digit", "{0} 不是数字"),
    (r"a decimal number is missing here", "这里缺少数字"),
    (r"(\S+) has bits below level (\d+)", "{0} 在第 {1} 级以下还有值"),
    (r"(\S+) does not fit into 64 bits", "{0} 超过了 64 位"),
    (r"level (\S+) is outside (\d+)-(\d+)", "层级 {0} 不在 {1}–{2} 之内"),
    (r"(.+) is not a (longitude|latitude) in decimal degrees.*", "{0} 不是{1}：请写十进制度或度分秒"),
    (r"(.+): minutes and seconds are less than 60", "{0}：分和秒应小于 60"),
    (r"(.+): only the last part may have a fraction", "{0}：只有最后一部分可以有小数"),
    (r"(.+) has both a sign and a hemisphere", "{0} 既有正负号又有半球"),
    (r"(.+) names the hemisphere (\w), which is none of a (longitude|latitude)", "{0} 的半球 {1} 不属于{2}"),
    (r"the (longitude|latitude) (\S+) is beyond (\d+) degrees", "{0} {1} 超过了 {2} 度"),
    (r"the (longitude|latitude) is (\S+), not a finite number", "{0}是 {1}，不是有限的数"),
)  # fmt: skip
"""English reasons of the grid and what they are in Chinese."""

_WORDS = {"longitude": "经度", "latitude": "纬度"}


def chinese_of(reason: str) -> str | None:
    """Return a reason of the grid in Chinese, or None if it is not among those a reader can cause."""
    for pattern, template in CHINESE:
        match = re.fullmatch(pattern, reason)
        if match:
            return template.format(*(_WORDS.get(group, group) for group in match.groups()))
    return None


def title_of(fault: GridError) -> Text:
    """Return what kind of fault it is."""
    return TITLES.get(fault.code, Text("网格编码有误", "The grid code is wrong"))


def reason_of(fault: GridError) -> Text:
    """Return what is wrong, and at which character where the grid knows it."""
    zh, en = "", ""
    if fault.position is not None:
        zh, en = f"第 {fault.position + 1} 个字符：", f"Character {fault.position + 1}: "
    return Text(f"{zh}{chinese_of(fault.reason) or fault.reason}。", f"{en}{fault.reason}.")


def place_of(fault: GridError) -> dict[str, Any]:
    """Return the text that was read and the index of the character that stopped the reader."""
    where: dict[str, Any] = {}
    if fault.text:
        where["text"] = fault.text[:120]
    if fault.position is not None:
        where["position"] = fault.position
    return where
