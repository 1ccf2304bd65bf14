"""What the name of a column says, in Chinese, English or pinyin, however it is written."""

from __future__ import annotations

import re
import unicodedata

_ORIGIN = (
    "s start o orig origin from src source pickup on board begin dep departure qd qidian "
    "起点 起 出发 出发地 上车 上车点 始发 起始 开始"
)
_DESTINATION = (
    "e end d dest destination to dst target dropoff off alight finish arr arrival zd zhongdian "
    "终点 止 到达 目的地 下车 下车点 终到 终止 结束"
)
ORIGIN = frozenset(_ORIGIN.split())
DESTINATION = frozenset(_DESTINATION.split())
PLANNED = ("plan", "planned", "schedule", "scheduled", "计划")
ACTUAL = ("actual", "real", "实际")


SYSTEMS = {
    "wgs": "WGS84",
    "wgs84": "WGS84",
    "84": "WGS84",
    "cgcs2000": "WGS84",
    "gcj": "GCJ-02",
    "gcj02": "GCJ-02",
    "gaode": "GCJ-02",
    "amap": "GCJ-02",
    "高德": "GCJ-02",
    "火星": "GCJ-02",
    "bd": "BD-09",
    "bd09": "BD-09",
    "baidu": "BD-09",
    "百度": "BD-09",
}
"""Words in a column's name that name its coordinate system."""


_TRADITIONAL = str.maketrans(
    "經緯東標橫縱點終發車達時間開結實際計劃編號碼證機聯絡話電戶報請舉稱區縣鄉鎮樓棟單門類級產",
    "经纬东标横纵点终发车达时间开结实际计划编号码证机联络话电户报请举称区县乡镇楼栋单门类级产",
)
"""Characters of the words that names are known by, as they are written in Hong Kong, Macao and Taiwan."""


def simplified(text: str) -> str:
    """Return a text with the characters of known words simplified: `經度` → 经度, `座標` → 坐标."""
    return text.translate(_TRADITIONAL).replace("座标", "坐标")


def folded(name: str) -> str:
    """Return a name in half-width simplified characters without what stands in brackets."""
    plain = simplified(unicodedata.normalize("NFKC", name)).strip()
    return re.sub(r"[(\[（【].*?[)\]）】]", "", plain).strip()


def tokens(name: str) -> list[str]:
    """Split a name into its words: `ELng` → e, lng; `start_lon` → start, lon; `起点经度` → 起点经度."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", folded(name))
    spaced = re.sub(r"(?<=[A-Za-z0-9])(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?=[A-Za-z0-9])", " ", spaced)
    return [word.lower() for word in re.split(r"[\W_]+", spaced) if word]


def without_system(words: list[str]) -> tuple[list[str], str | None]:
    """Take the word that names a coordinate system out of a name's words, and return the system."""
    joined = "".join(words)
    named = next((SYSTEMS[word] for word in (joined, *words) if word in SYSTEMS), None)
    if joined in SYSTEMS:
        return [], named
    return [word for word in words if word not in SYSTEMS and not (named and word.isdigit())], named


def role_of(rest: list[str]) -> str:
    """Return the role that the rest of a column's name gives its place or time; empty for none."""
    for word in rest:
        if word in ORIGIN:
            return "origin"
        if word in DESTINATION:
            return "destination"
        if word in PLANNED:
            return "planned"
        if word in ACTUAL:
            return "actual"
    return "_".join(rest)
