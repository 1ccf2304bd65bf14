"""What a question to OGC API - DGGS carries: boxes, subsets, depths, times; each read in one place."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Path, Query, Request

from jingwei.errors import BadRequestError, JingweiError
from jingwei.grid import BeidouCell, Cell, LevelError
from jingwei.grid.levels import check_level
from jingwei.web.dggs_out import CRS84_NAMES, GEOJSON, UINT64
from jingwei.web.questions import BadBoxError, BadTimeError, period_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from jingwei.web.zones import Bounds, System, Zone

ListForm = Literal["json", "geojson", "uint64"]
DataForm = Literal["json", "geojson"]
LISTS: dict[str, ListForm] = {"application/json": "json", GEOJSON: "geojson", UINT64: "uint64"}
DATA: dict[str, DataForm] = {"application/json": "json", GEOJSON: "geojson"}

BoxText = Annotated[
    str | None,
    Query(
        max_length=200,
        description="West, south, east, north in degrees; west > east crosses 180 degrees",
        examples=["114.0,22.5,114.1,22.6"],
    ),
]
CrsText = Annotated[str | None, Query(alias="bbox-crs", max_length=120, description="CRS84")]
SubsetCrsText = Annotated[str | None, Query(alias="subset-crs", max_length=120, description="CRS84")]
SubsetTexts = Annotated[
    list[str] | None,
    Query(
        max_length=8,
        description="Lon(low:high), Lat(low:high), and for a dataset with time time(low:high)",
        examples=["Lon(114:114.1),Lat(22.5:22.6)"],
    ),
]
DepthText = Annotated[
    str | None,
    Query(
        alias="zone-depth",
        max_length=60,
        description="Levels below the zone: one, a range `0-2`, or a list `0,2`",
        examples=["3"],
    ),
]
TimeText = Annotated[
    str | None,
    Query(
        alias="datetime",
        max_length=90,
        description="An instant, a day, or an interval `from/to` in which `..` is open",
        examples=["2026-03-01/2026-03-31"],
    ),
]
SystemPath = Annotated[str, Path(max_length=40, description="geosot or beidou", examples=["geosot"])]

ZonePath = Annotated[
    str,
    Path(max_length=60, description="The text of a zone", examples=["G001130230-200011"]),
]

LevelOf = Annotated[int | None, Query(alias="zone-level", description="Level of the zones")]

ParentOf = Annotated[
    str | None, Query(alias="parent-zone", max_length=60, description="Only zones within this one")
]

CompactOf = Annotated[
    bool, Query(alias="compact-zones", description="Put a zone in place of all of its children")
]

LimitOf = Annotated[int, Query(ge=1, description="Zones of a page; more than 10,000 are taken as 10,000")]

OffsetOf = Annotated[int, Query(ge=0, lt=1 << 40, description="Zones to leave out before")]

ListFormOf = Annotated[ListForm | None, Query(alias="f", description="Form of the answer")]

DataFormOf = Annotated[DataForm | None, Query(alias="f", description="Form of the answer")]

PropertiesOf = Annotated[
    str | None, Query(max_length=2000, description="Only these fields, separated by commas")
]

WithoutOf = Annotated[
    str | None, Query(alias="exclude-properties", max_length=2000, description="All fields but these")
]

GeometryOf = Annotated[
    Literal["zone-region", "zone-centroid", "vectorized"],
    Query(description="Of GeoJSON: zones as areas or as points, or the facts themselves"),
]

_AXIS = re.compile(r"\s*(\w+)\(([^()]*)\)\s*(?:,|$)")


class BadSubsetError(BadRequestError):
    """A subset is not one, or of an axis that is not there."""

    code = "bad-subset"


class BadDepthError(BadRequestError):
    """A depth is not one, or too deep."""

    code = "bad-depth"


class BadCrsError(BadRequestError):
    """A coordinate system that is not offered."""

    code = "bad-crs"


class NotOfferedError(JingweiError):
    """The answer is not offered in this form."""

    code = "not-acceptable"
    status = 406


def form_of(request: Request, asked: str | None, forms: dict[str, str]) -> str:
    """Return the form of an answer: by `f`, else by the `Accept` header, else JSON.

    Raises
    ------
    NotOfferedError
        The header takes none of the forms.

    """
    if asked is not None:
        return asked
    accepted = request.headers.get("accept", "*/*").split(",")
    for part in accepted:
        kind = part.split(";")[0].strip().lower()
        if kind in forms:
            return forms[kind]
        if kind in {"*/*", "application/*", ""}:
            return "json"
    if any(part.strip().startswith("text/html") for part in accepted):
        return "json"
    raise NotOfferedError(
        Text("不能以这种格式回答", "This format is not offered"),
        mend=Text(f"可选：{'、'.join(forms)}。", f"Offered are: {', '.join(forms)}."),
    )


def check_crs(*names: str | None) -> None:
    """Raise `BadCrsError` unless each name is that of CRS84."""
    for name in names:
        if name is not None and name not in CRS84_NAMES:
            raise BadCrsError(
                Text("只支持 CRS84", "Only CRS84 is offered"),
                mend=Text("请用 [OGC:CRS84]。", "Write [OGC:CRS84]."),
                where={"crs": name},
            )


def wide_box_of(text: str) -> Bounds:
    """Return west, south, east, north of four or six numbers; heights are left out.

    Raises
    ------
    BadBoxError
        They are not those of a box.

    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    return _checked(numbers, text)


def _checked(numbers: list[float], text: str) -> Bounds:
    if len(numbers) == 4 and all(math.isfinite(number) for number in numbers):
        west, south, east, north = numbers
        if abs(west) <= 180 and abs(east) <= 180 and west != east and -90 <= south < north <= 90:
            return west, south, east, north
    raise BadBoxError(
        Text("范围应为四个数：西,南,东,北", "A box is four numbers: west, south, east, north"),
        mend=Text("例如 114.0,22.5,114.1,22.6", "For example 114.0,22.5,114.1,22.6"),
        where={"bbox": text[:120]},
    )


def subset_of(texts: list[str] | None, *, timed: bool) -> tuple[Bounds | None, str | None]:
    """Return the box and the time that subsets name.

    Raises
    ------
    BadSubsetError
        One cannot be read, or is of an axis that is not there.

    """
    found: dict[str, str] = {}
    for text in texts or []:
        at = 0
        while at < len(text):
            match = _AXIS.match(text, at)
            axis = _AXES.get(match[1].lower()) if match else None
            if match is None or axis is None or axis in found or (axis == "time" and not timed):
                raise BadSubsetError(
                    Text(
                        f"第 {at + 1} 个字符起读不出子集", f"No subset can be read from character {at + 1} on"
                    ),
                    mend=Text(
                        "请写作 Lon(114:114.1),Lat(22.5:22.6)。", "Write Lon(114:114.1),Lat(22.5:22.6)."
                    ),
                    where={"text": text[:120], "position": at},
                )
            found[axis] = match[2]
            at = match.end()
    time = found.pop("time", None)
    box = None
    if found:
        west, east = _span(found.get("lon", "*:*"), -180, 180)
        south, north = _span(found.get("lat", "*:*"), -90, 90)
        box = _checked([west, south, east, north], ",".join(texts or []))
    if time is not None:
        low, _, high = _quoted_split(time)
        time = f"{'..' if low == '*' else low}/{'..' if high == '*' else high}" if high else low
    return box, time


_AXES = {
    "lon": "lon",
    "long": "lon",
    "longitude": "lon",
    "lat": "lat",
    "latitude": "lat",
    "time": "time",
}
_POINT = 1e-9
"""Half the width in degrees (0.1 mm) that a point is taken to have."""


def _quoted_split(text: str) -> tuple[str, str, str]:
    """Part an interval at the colon that stands outside of quotation marks."""
    match = re.fullmatch(r'\s*("[^"]*"|[^":]*)\s*(?:(:)\s*("[^"]*"|[^":]*)\s*)?', text)
    if match is None:
        return text, "", ""
    return match[1].strip(' "'), match[2] or "", (match[3] or "").strip(' "')


def _span(text: str, first: float, last: float) -> tuple[float, float]:
    low, colon, high = (part.strip() for part in text.partition(":"))
    try:
        start = first if low == "*" else float(low)
        end = start if not colon else last if high == "*" else float(high)
    except ValueError:
        return math.nan, math.nan
    if start == end and math.isfinite(start):
        return max(start - _POINT, first), min(end + _POINT, last)
    return start, end


def depths_of(text: str | None, system: System, zone: Zone, finest: int) -> list[int]:
    """Return the depths that are asked for, in order; by default one that is permitted.

    Parameters
    ----------
    text
        One depth, a range or a list.
    system, zone
        The zone that they lie below.
    finest
        The finest level of zones that may be shown.

    Raises
    ------
    BadDepthError
        They cannot be read, or are deeper than is offered.

    """
    most = max(0, min(system.deepest, system.last - zone.level))
    if text is None:
        return [max(0, min(system.default_depth, most, finest - zone.level))]
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{1,3})*", text, re.ASCII):
        found = sorted({int(part) for part in text.split(",")})
    elif re.fullmatch(r"[0-9]{1,3}-[0-9]{1,3}", text, re.ASCII):
        low, high = (int(part) for part in text.split("-"))
        found = list(range(low, high + 1))
    else:
        found = []
    if not found or found[-1] > most:
        raise BadDepthError(
            Text(f"zone-depth 应为 0 至 {most}", f"A zone-depth is from 0 to {most}"),
            mend=Text("请写作 2、0-2 或 0,2。", "Write 2, 0-2 or 0,2."),
            where={"zone-depth": text, "most": most},
        )
    return found


def interval_of(text: str | None, zone: ZoneInfo) -> tuple[int, int] | None:
    """Return a time of OGC API - Features, 7.15.4 in UTC microseconds, `[from, to)`.

    Raises
    ------
    BadTimeError
        It cannot be read.

    """
    if text is None:
        return None
    low, slash, high = text.partition("/")
    if "/" in high or not (low or high) or (not slash and low == ".."):
        raise BadTimeError(
            Text(f"读不出时间“{text}”", f"The time '{text}' cannot be read"), where={"time": text}
        )
    start = None if low in {"", ".."} else low
    end = start if not slash else None if high in {"", ".."} else high
    return period_of(start, end, zone)


def box_and_time(
    bbox: str | None,
    bbox_crs: str | None,
    subset: list[str] | None,
    subset_crs: str | None,
    time: str | None,
    *,
    timed: bool,
) -> tuple[Bounds | None, str | None]:
    """Return the box and the time of a question, each named once."""
    check_crs(bbox_crs if bbox is not None else None, subset_crs if subset else None)
    box = None if bbox is None else wide_box_of(bbox)
    inner, when = subset_of(subset, timed=timed)
    if (box is not None and inner is not None) or (time is not None and when is not None):
        raise BadBoxError(
            Text(
                "bbox、datetime 不能与同一轴的 subset 同时使用",
                "An axis is named twice, by bbox or datetime and by subset",
            ),
            where={"subset": subset},
        )
    return box or inner, time or when


def level_asked(system: System, level: int | None, parent: Zone | None, box: Bounds | None) -> int:
    """Return the level that is asked for, else that below the parent, else of some dozens of zones."""
    if level is not None:
        return check_level(level, system.first, system.last)
    if parent is not None:
        return min(parent.level + 1, system.last)
    if box is None:
        return max(system.first, 1)
    west, south, east, north = box
    middle = ((west + (east - west) % 360 / 2 + 180) % 360 - 180, (south + north) / 2)
    side = max((east - west) % 360 or 360, north - south)
    at = system.first
    for finer in range(system.first, system.last + 1):
        try:
            zone = system.read(_text_at(system, middle, finer))
        except ValueError:
            break
        if zone.bounds[3] - zone.bounds[1] < side / 16:
            break
        at = finer
    return at


def _text_at(system: System, place: tuple[float, float], level: int) -> str:
    return str(Cell.at(*place, level) if system.id == "geosot" else BeidouCell.at(*place, level))


def check_not_coarser(parent: Zone | None, level: int) -> None:
    """Refuse a level that is coarser than the zone in which zones are asked for, if there is one."""
    if parent is not None and level < parent.level:
        coarser(parent, level)


def coarser(parent: Zone, level: int) -> int:
    """Refuse a level that is coarser than the zone in which zones are asked for."""
    raise LevelError(f"level {level} is coarser than level {parent.level} of the zone {parent.id}")


def chosen_by(properties: str | None, without: str | None) -> Callable[[str], bool]:
    """Return what says whether a field is asked for."""
    wanted = None if properties is None else {name.strip() for name in properties.split(",")}
    unwanted = {name.strip() for name in (without or "").split(",")}
    return lambda name: (wanted is None or name in wanted) and name not in unwanted
