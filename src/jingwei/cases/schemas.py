"""What goes in and out of the cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jingwei.words import Text

SOURCES: dict[str, Text] = {
    "collector": Text("采集员巡查", "collector"),
    "phone": Text("电话登记", "registered by telephone"),
    "public": Text("公众上报", "citizen"),
    "hotline": Text("热线", "hotline"),
    "video": Text("视频", "video"),
    "sensor": Text("传感器或模型", "sensor or model"),
    "leader": Text("领导交办", "leader"),
    "transfer": Text("其他系统转来", "transferred"),
    "media": Text("媒体", "media"),
    "internet": Text("互联网", "internet"),
    "assessment": Text("考核", "assessment"),
    "law_enforcement": Text("执法", "law enforcement"),
    "import": Text("批量导入", "bulk import"),
}
"""Where a report can come from."""

FROM_OUTSIDE = frozenset({"public", "hotline", "phone", "media", "internet", "transfer"})
"""Sources whose reports wait to be accepted."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report, whatever its source: all of them enter through `Desk.report`.

    Coordinates are degrees, CGCS2000 (equal to WGS84 at this accuracy). `at` is when it was made, now if not
    given; `source` and `source_key` together enter once only.
    """

    kind: str
    type: str
    source: str
    description: str = ""
    lon: float | None = None
    lat: float | None = None
    area: str = ""
    component: str | None = None
    photos: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    reporter: str | None = None
    source_key: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """A case imported as it stood in another system: what is known of its stages, and how it ended."""

    report: Report
    state: str
    department: str | None = None
    limit: tuple[str, float] | None = None
    times: Mapping[str, datetime] = field(default_factory=dict)
    late: bool | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """An entry of a case's timeline: an event, and what was written with it."""

    step: int
    type: str
    action: str
    at: str
    actor: str | None
    was: str
    to: str
    data: dict[str, Any]
    words: dict[str, str]
