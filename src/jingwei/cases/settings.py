"""The figures that differ from city to city, its calendar, and what is wrong with such settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Literal
from zoneinfo import available_timezones

import msgspec

from jingwei.cases import notice_words
from jingwei.cases.calendar import PERIODS, Calendar, default_calendar
from jingwei.cases.clocks import Limit, Stage
from jingwei.cases.errors import BadFieldError
from jingwei.cases.open311_client import KEY_NAME, safe_address
from jingwei.cases.schemas import SOURCES
from jingwei.cases.types import Kind
from jingwei.words import Text

LONGEST_MESSAGE = 400

_LIMITS = {
    "accept": Limit("work_hour", 0.25),
    "register": Limit("work_hour", 0.25),
    "verify": Limit("work_hour", 0.5),
    "dispatch": Limit("work_hour", 0.25),
    "check": Limit("work_hour", 0.5),
    "field_check": Limit("work_hour", 0.5),
    "close": Limit("work_hour", 0.5),
}


_FIELD = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")


class EventReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an event of the log becomes a report.

    Attributes
    ----------
    event
        The type of the events, none of the cases' own.
    kind, type
        What is reported.
    where
        Only events whose data bear these values.
    lon, lat, area, component
        Fields of the data that tell the place (degrees, CGCS2000) or the component.
    description
        The words, with `{field}` for what the data tell.

    """

    event: str
    kind: Kind
    type: str
    where: dict[str, str] = {}
    lon: str = ""
    lat: str = ""
    area: str = ""
    component: str = ""
    description: str = ""


class Neighbour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another city beside this one, for who reports what lies there.

    Attributes
    ----------
    zh, en
        Its name.
    box
        West, south, east, north in degrees, WGS84.
    phone, address
        Its hotline, and where it takes reports.
    open311
        The address of its Open311 endpoint (GeoReport v2), where cases are forwarded to it.
    jurisdiction, key
        What that endpoint wants to be told; the key names an entry of the server's own environment,
        `JINGWEI_OPEN311_KEY_` and the key.
    services
        Which of our types (`matter/06013`) it takes, as which of its service codes; no others are forwarded.
    areas
        Beginnings of codes of areas whose cases it gets, `all` for every case; where none are given, it gets
        what lies in its box and in no grid of ours.
    when
        Whether cases are forwarded as soon as they are reported, or once somebody registered them.
    updates
        Whether it offers mySociety's extension for updates.

    """

    zh: str
    en: str
    box: tuple[float, float, float, float]
    phone: str = "12345"
    address: str = ""
    open311: str = ""
    jurisdiction: str = ""
    key: str = ""
    services: dict[str, str] = {}
    areas: tuple[str, ...] = ()
    when: Literal["reported", "registered"] = "registered"
    updates: bool = False


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The figures that differ from city to city.

    Attributes
    ----------
    limits
        The limit of each stage. That of handling comes from the rule.
    overall
        Within how long a case is to be closed.
    shares
        Percents of a limit at which its holder is warned; those beyond 100 go to the leaders.
    number
        How cases are numbered, of `{division}`, `{day}` (local, eight digits) and `{sequence}` (of the day).
    trusted
        Sources whose reports need no field check before registration.
    check_before_closing
        Whether a field check must have passed before a case is closed.
    extensions, suspensions, suspension_days
        How many are granted at most to a case, and for how long.
    reopen_days, stock_days
        Within how many days a case can be reopened; after how many suspended days it counts as 积存.
    duplicate_metres, duplicate_days
        How near, and how long apart, two reports of one thing may be.
    border_metres
        How near to the border of a grid a point is on it.
    events
        Which events of the log become reports, and how.
    track_days
        For how long the ways of people in the field are kept, who agreed to that.
    neighbours
        Cities beside this one.
    outside_metres
        How far outside of all grids a place is still the city's own.
    offered
        Types that the public is offered first, as `matter/06013`; those reported most where there are none.
    message_zh, message_en, message_until
        What every public page says at its top, as in an emergency, and until when; with no end where that is
        not given.
    appeal_zh, appeal_en
        Where who was barred may object.
    least_count
        Public figures below this number are not told: few cases may be of one person.
    area_names, area_names_en
        What districts, streets and communities are called in Chinese and in English, by their codes of 6, 9
        or 12 digits; without an English name the Chinese one stands.
    notices
        In what words reporters are told (`received`, `progress`, `done`), where not in the usual ones.
    open_data_days
        How often the open data of cases are published anew, in days; 0 for never.
    open311_updates
        Whether Open311 also tells and takes updates, by mySociety's extension.

    """

    limits: dict[str, Limit] = msgspec.field(default_factory=lambda: dict(_LIMITS))
    overall: Limit = Limit("natural_day", 30)
    shares: tuple[int, ...] = (50, 80, 100, 150, 200)
    number: str = "{division}{day}{sequence:05d}"
    division: str = "000000"
    trusted: tuple[str, ...] = ("collector", "video", "sensor", "leader", "assessment", "law_enforcement")
    check_before_closing: bool = True
    extensions: int = 2
    suspensions: int = 1
    suspension_days: int = 365
    reopen_days: int = 30
    stock_days: int = 60
    duplicate_metres: float = 60
    duplicate_days: int = 30
    border_metres: float = 5
    events: tuple[EventReport, ...] = ()
    track_days: int = 3
    neighbours: tuple[Neighbour, ...] = ()
    outside_metres: float = 1000
    offered: tuple[str, ...] = ()
    message_zh: str = ""
    message_en: str = ""
    message_until: datetime | None = None
    appeal_zh: str = "如有异议，请拨打 12345。"
    appeal_en: str = "To object, call 12345."
    least_count: int = 5
    area_names: dict[str, str] = {}
    area_names_en: dict[str, str] = {}
    open311_updates: bool = False
    open_data_days: int = 0
    notices: dict[notice_words.Wish, notice_words.NoticeWords] = {}

    def message(self, now: datetime) -> Text | None:
        """Return what every public page says at its top at a moment."""
        over = self.message_until is not None and self.message_until <= now
        return (
            Text(self.message_zh, self.message_en)
            if (self.message_zh or self.message_en) and not over
            else None
        )

    def area_name(self, code: str) -> Text | None:
        """Return what an area is called; None where the city does not say so."""
        name = self.area_names.get(code)
        return Text(name, self.area_names_en.get(code, "")) if name else None

    @property
    def risk(self) -> float:
        """The share of a limit beyond which a case is at risk: the last warning before the end."""
        return max((share for share in self.shares if share < 100), default=100) / 100

    def limit(self, stage: Stage) -> Limit:
        """Return the limit of a stage other than handling."""
        return self.limits[stage]


class CalendarContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A city's calendar as it is kept: its zone, its working periods, and days decided otherwise."""

    zone: str = "Asia/Shanghai"
    periods: tuple[tuple[time, time], ...] = PERIODS
    days: dict[date, bool] = {}

    def calendar(self) -> Calendar:
        """Return the calendar."""
        return (
            default_calendar() if self == CalendarContent() else Calendar(self.zone, self.periods, self.days)
        )


def _check_event(one: EventReport) -> None:
    if one.event.startswith("case."):
        raise BadFieldError(
            "events", Text("案件自身的事件不能再成为上报", "events of cases are no reports of new ones.")
        )
    if any(mark in _FIELD.sub("", one.description) for mark in "{}"):
        raise BadFieldError(
            "events",
            Text("描述中的花括号内须为字段名", "in a description, braces hold the name of a field."),
        )


def check_calendar(valid: CalendarContent) -> None:
    """Raise unless a calendar has a zone and periods by which clocks can run."""
    if valid.zone not in available_timezones():
        raise BadFieldError(
            "zone", Text(f"没有时区 {valid.zone[:60]}", f"there is no time zone {valid.zone[:60]}.")
        )
    if any(edge.tzinfo is not None for period in valid.periods for edge in period):
        raise BadFieldError("periods", Text("工作时段为当地时间", "working periods are local times."))
    valid.calendar()


_NUMBER = re.compile(r"(?:[A-Za-z0-9_-]|\{division\}|\{day\}|\{sequence(?::0[1-9]d)?\})*")
_AREA = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,2}")
LONGEST_NAME, LONGEST_NAME_EN = 40, 80
_RANGES = {
    "extensions": (0, 100), "suspensions": (0, 100), "suspension_days": (1, 3650), "reopen_days": (0, 3650),
    "stock_days": (0, 3650), "duplicate_metres": (1, 1000), "duplicate_days": (1, 365),
    "border_metres": (0, 100), "open_data_days": (0, 366), "track_days": (0, 3650),
}  # fmt: skip


def _check_areas(field: str, names: Mapping[str, str], longest: int) -> None:
    for code, name in names.items():
        if not _AREA.fullmatch(code) or not 0 < len(name.strip()) <= longest:
            raise BadFieldError(
                field,
                Text(
                    f"{code[:20]}：应为 6、9 或 12 位代码和至多 {longest} 字的名称",
                    f"{code[:20]}: is a code of 6, 9 or 12 digits with a name of at most {longest}.",
                ),
            )


def check_settings(valid: Settings) -> None:
    """Raise unless clocks run, numbers are told apart and nothing is out of reason."""
    for one in valid.events:
        _check_event(one)
    for neighbour in valid.neighbours:
        _check_neighbour(neighbour)
    for wish, words in valid.notices.items():
        notice_words.check(wish, words)
    limits = {**valid.limits, "overall": valid.overall}
    for stage in (*_LIMITS, "overall"):
        if stage not in limits or not 0 < limits[stage].amount <= 365:
            raise BadFieldError(
                "limits",
                Text(
                    f"{stage} 的时限应大于 0、不超过 365", f"the limit of {stage} is above 0 and 365 at most."
                ),
            )
    if len(valid.shares) > 10 or not all(1 <= share <= 1000 for share in valid.shares):
        raise BadFieldError(
            "shares", Text("至多 10 个 1 至 1000 的百分比", "at most ten percents, each 1 to 1000.")
        )
    for name, (low, high) in _RANGES.items():
        if not low <= getattr(valid, name) <= high:
            raise BadFieldError(name, Text(f"应为 {low} 至 {high}", f"is {low} to {high}."))
    if not set(valid.trusted) <= set(SOURCES):
        raise BadFieldError("trusted", Text("含未知来源", "names an unknown source."))
    _check_areas("area_names", valid.area_names, LONGEST_NAME)
    _check_areas("area_names_en", valid.area_names_en, LONGEST_NAME_EN)
    for name in ("message_zh", "message_en", "appeal_zh", "appeal_en"):
        if len(getattr(valid, name)) > LONGEST_MESSAGE:
            raise BadFieldError(
                name, Text(f"至多 {LONGEST_MESSAGE} 字", f"has at most {LONGEST_MESSAGE} characters.")
            )
    if valid.message_until is not None and valid.message_until.tzinfo is None:
        raise BadFieldError("message_until", Text("应带时区", "bears its zone."))
    pattern = valid.number
    if not _NUMBER.fullmatch(pattern) or "{day}" not in pattern or "{sequence" not in pattern:
        raise BadFieldError(
            "number",
            Text("编号须含 {day} 和 {sequence}", "the pattern of numbers holds {day} and {sequence}."),
        )
    if len(pattern.format(division=valid.division, day="20260101", sequence=999_999)) > 40:
        raise BadFieldError("number", Text("编号超过 40 个字符", "numbers are longer than 40 characters."))


_SERVICE = re.compile(r"(component|matter)/[0-9]{5}")
_FORWARDED_AREA = re.compile(r"all|[0-9A-Z]{6,15}")
MOST_SERVICES = 1000


def _check_neighbour(one: Neighbour) -> None:
    """Raise unless cases can be forwarded to a neighbour, if it names an endpoint at all."""
    faults = (
        (
            bool(one.open311) and not (safe_address(one.open311) and len(one.open311) <= 300),
            "open311",
            Text("应为 https 地址，不带参数", "is an https address without parameters."),
        ),
        (
            not KEY_NAME.fullmatch(one.key),
            "key",
            Text("应为大写字母、数字和下划线", "is of capital letters, digits and underscores."),
        ),
        (
            len(one.services) > MOST_SERVICES
            or not all(
                _SERVICE.fullmatch(ours) and 0 < len(theirs) <= 100 for ours, theirs in one.services.items()
            ),
            "services",
            Text(
                "应为我方类别（matter/06013）到对方服务代码",
                "leads from types (matter/06013) to service codes there.",
            ),
        ),
        (
            not all(_FORWARDED_AREA.fullmatch(area) for area in one.areas),
            "areas",
            Text("应为区域代码或 all", "are codes of areas, or all."),
        ),
    )
    for wrong, name, says in faults:
        if wrong:
            raise BadFieldError(
                f"neighbours.{name}", Text(f"{one.zh} {name}：{says.zh}", f"{one.en}: {name} {says.en}")
            )
