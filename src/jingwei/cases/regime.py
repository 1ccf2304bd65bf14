"""What a city has decided about its cases: limits, calendar, types of its own, rules. Each in versions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from sqlalchemy import Dialect, select

from jingwei import ledger
from jingwei.cases import answers, notice_words
from jingwei.cases.answers import Answer
from jingwei.cases.calendar import PERIODS, Calendar, default_calendar
from jingwei.cases.clocks import Limit, Stage
from jingwei.cases.errors import BadFieldError, RulesChangedError, UnknownVersionError
from jingwei.cases.hotline import decided
from jingwei.cases.hotline.decided import Hotline
from jingwei.cases.lifecycle import TRANSITIONS
from jingwei.cases.models import RegimePart
from jingwei.cases.open311_client import KEY_NAME, safe_address
from jingwei.cases.rules import Rule
from jingwei.cases.schemas import SOURCES
from jingwei.cases.store import IN_FORCE, alarm_all
from jingwei.cases.types import CaseType, Catalogue, Kind
from jingwei.cases.words import check_words
from jingwei.ledger.models import encode_json
from jingwei.records import now_utc
from jingwei.records.database import driver_text, run
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker

PartName = Literal["settings", "calendar", "types", "rules", "phrases", "hotline", "answers"]
PARTS: tuple[PartName, ...] = ("settings", "calendar", "types", "rules", "phrases", "hotline", "answers")
CLOCKS = ("settings", "calendar")
"""Parts by which the clocks of cases run."""
TOLD_WHOLE = (*CLOCKS, "hotline")
"""Parts whose events hold all of them, so that figures can be worked out from the log alone."""
MOST_PHRASES, LONGEST_PHRASE = 30, 200
SUBJECT = "cases/"

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


@dataclass(frozen=True)
class Regime:
    """All that is in force, of one version each."""

    settings: Settings = Settings()  # noqa: RUF009 -- frozen
    content: CalendarContent = CalendarContent()  # noqa: RUF009 -- frozen
    types: tuple[CaseType, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    versions: tuple[int, ...] = (0,) * len(PARTS)
    hotline: Hotline = Hotline()  # noqa: RUF009 -- frozen

    @property
    def clocks(self) -> tuple[int, ...]:
        """The versions of what clocks run by: where these are the same, so is every deadline."""
        return tuple(number for part, number in zip(PARTS, self.versions, strict=True) if part in CLOCKS)

    @cached_property
    def calendar(self) -> Calendar:
        """The working time of the city."""
        return self.content.calendar()

    @cached_property
    def catalogue(self) -> Catalogue:
        """The types in force."""
        return Catalogue(self.types)

    @cached_property
    def by_type(self) -> Mapping[tuple[str, str], tuple[Rule, ...]]:
        """The rules of each type."""
        found: dict[tuple[str, str], list[Rule]] = {}
        for rule in self.rules.values():
            found.setdefault((rule.kind, rule.type), []).append(rule)
        return {key: tuple(rules) for key, rules in found.items()}

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return self.calendar.zone


_FORMS: dict[PartName, Any] = {
    "settings": Settings,
    "calendar": CalendarContent,
    "types": list[CaseType],
    "rules": list[Rule],
    "phrases": dict[str, list[str]],
    "hotline": Hotline,
    "answers": list[Answer],
}


def versions(session: Session) -> tuple[int, ...]:
    """Return the number in force of each part, in the order of `PARTS`; 0 where nothing was decided."""
    dialect = session.get_bind().dialect
    ((told,),) = run(session.connection(), _asking(dialect), ())
    return told_versions(told)


@lru_cache(maxsize=8)
def _asking(dialect: Dialect) -> str:
    return driver_text(select(IN_FORCE), dialect, ())


def told_versions(told: str | None) -> tuple[int, ...]:
    """Return what `store.IN_FORCE` told, as `versions` does."""
    found = dict(one.split(":") for one in told.split(",")) if told else {}
    return tuple(int(found.get(part, 0)) for part in PARTS)


def load(session: Session) -> Regime:
    """Return what is in force."""
    numbers = versions(session)
    known: dict[str, Any] = {}
    for part, number in zip(PARTS, numbers, strict=True):
        if number:
            content = session.get_one(RegimePart, (part, number)).content
            known[part] = msgspec.convert(content, _FORMS[part], str_keys=True)
    return Regime(
        settings=known.get("settings", Settings()),
        content=known.get("calendar", CalendarContent()),
        types=tuple(known.get("types", ())),
        rules={rule.id: rule for rule in known.get("rules", ())},
        versions=numbers,
        hotline=known.get("hotline", Hotline()),
    )


def adopt(session: Session, asker: Asker, part: PartName, content: Any, *, note: str = "") -> int:
    """Let a new version of a part take effect, if it is valid; return its number.

    Raises
    ------
    BadFieldError
        Where the content does not fit; what was in force stays so.

    """
    try:
        valid = msgspec.convert(content, _FORMS[part], str_keys=True, from_attributes=True)
    except msgspec.ValidationError as error:
        raise BadFieldError(
            part, Text(f"内容不符合要求：{error}", f"the content does not fit: {error}.")
        ) from error
    _check(part, valid)
    number = versions(session)[PARTS.index(part)] + 1
    plain = msgspec.to_builtins(valid, str_keys=True)
    session.add(
        RegimePart(part=part, version=number, content=plain, adopted=now_utc(), by=asker.id, note=note[:400])
    )
    session.flush()
    told: dict[str, Any] = {
        "version": number,
        "count": len(valid) if isinstance(valid, list) else 1,
        "digest": hashlib.sha256(encode_json(plain)).hexdigest(),
    }
    if part in TOLD_WHOLE:
        told["content"] = plain
    ledger.append(session, "case.regime_changed", actor=asker.id, subject=SUBJECT + part, data=told)
    if part in CLOCKS:
        alarm_all(session)
    return number


@dataclass(frozen=True, slots=True)
class VersionOf:
    """A version of a part: when and by whom it was adopted, what was noted, how many entries it has."""

    number: int
    adopted: datetime
    by: str
    note: str
    count: int


def history(
    session: Session, part: PartName, *, before: int | None = None, limit: int = 50
) -> list[VersionOf]:
    """Return the versions of a part, the newest first."""
    question = select(RegimePart).where(RegimePart.part == part).order_by(RegimePart.version.desc())
    if before is not None:
        question = question.where(RegimePart.version < before)
    return [
        VersionOf(row.version, row.adopted, row.by, row.note, len(_entries(part, row.content)))
        for row in session.scalars(question.limit(limit))
    ]


def content_of(session: Session, part: PartName, number: int) -> Any:
    """Return a version of a part as plain data; number 0 is what holds where nothing was decided.

    Raises
    ------
    UnknownVersionError
        Where there is none of that number.

    """
    if number == 0:
        empty: Any = [] if part in ("types", "rules") else _FORMS[part]()
        if part == "answers":
            empty = answers.usual()
        return msgspec.to_builtins(empty, str_keys=True)
    row = session.get(RegimePart, (part, number))
    if row is None:
        raise UnknownVersionError(part, number)
    return row.content


@dataclass(frozen=True, slots=True)
class Change:
    """An entry that differs between two versions; None on the side where it is not."""

    key: str
    before: Any
    after: Any


def difference(session: Session, part: PartName, one: int, other: int) -> list[Change]:
    """Return the entries that differ between two versions of a part, by their keys."""
    before = _entries(part, content_of(session, part, one))
    after = _entries(part, content_of(session, part, other))
    keys = [*before, *(key for key in after if key not in before)]
    return [Change(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]


def _entries(part: PartName, content: Any) -> dict[str, Any]:
    """Return what a version is made of, each entry by its key."""
    if part == "rules":
        return {one["id"]: one for one in content}
    if part == "types":
        return {f"{one['kind']}/{one['code']}": one for one in content}
    if part == "hotline":
        return decided.entries(content)
    if part == "answers":
        return {one["key"]: one for one in content}
    if part == "calendar":
        days: dict[str, Any] = content.get("days", {})
        return {name: value for name, value in content.items() if name != "days"} | days
    return dict(content)


def change_rules(
    session: Session,
    asker: Asker,
    put: Sequence[Rule],
    remove: Collection[str],
    *,
    seen: int | None = None,
    note: str = "",
) -> int:
    """Make a new version of the rules from that in force: some changed or added, some removed.

    Parameters
    ----------
    session, asker
        On whose behalf.
    put
        Rules as they are to be; those of new identifiers are added at the end.
    remove
        Identifiers of rules that go; cases registered by them keep their limits.
    seen
        The version that the asker saw; not checked if not given.
    note
        Why.

    Returns
    -------
    int
        The number of the new version.

    Raises
    ------
    RulesChangedError, UnknownTypeError, BadFieldError
        Nothing has changed then.

    """
    now = load(session)
    number = now.versions[PARTS.index("rules")]
    if seen is not None and seen != number:
        raise RulesChangedError("rules", seen, number)
    rules = dict(now.rules)
    for identifier in remove:
        if rules.pop(identifier, None) is None:
            raise BadFieldError(
                "remove", Text(f"没有规则 {identifier[:40]}", f"there is no rule {identifier[:40]}.")
            )
    for rule in put:
        now.catalogue.get(rule.kind, rule.type)
        rules[rule.id] = rule
    return adopt(session, asker, "rules", list(rules.values()), note=note)


def put_phrases(
    session: Session,
    asker: Asker,
    phrases: Mapping[str, Sequence[str] | None],
    *,
    seen: int | None = None,
    note: str = "",
) -> int:
    """Make a new version of the phrases that pages offer for what is written at a step.

    Parameters
    ----------
    session, asker
        On whose behalf.
    phrases
        For each step its phrases; None gives it back those that it has where nothing was decided.
    seen, note
        As with `change_rules`.

    """
    number = versions(session)[PARTS.index("phrases")]
    if seen is not None and seen != number:
        raise RulesChangedError("phrases", seen, number)
    merged: dict[str, Any] = dict(content_of(session, "phrases", number))
    for action, listed in phrases.items():
        if listed is None:
            merged.pop(action, None)
        else:
            merged[action] = list(dict.fromkeys(one.strip() for one in listed if one.strip()))
    return adopt(session, asker, "phrases", merged, note=note)


def put_notices(
    session: Session,
    asker: Asker,
    words: Mapping[notice_words.Wish, notice_words.NoticeWords | None],
    *,
    seen: int | None = None,
    note: str = "",
) -> int:
    """Make a new version of the settings with other words of messages; None gives a wish back the usual ones.

    Parameters are those of `put_phrases`.

    """
    number = versions(session)[PARTS.index("settings")]
    if seen is not None and seen != number:
        raise RulesChangedError("settings", seen, number)
    now = load(session).settings
    merged = {**now.notices, **words}
    kept = {wish: one for wish, one in merged.items() if one is not None}
    return adopt(session, asker, "settings", msgspec.structs.replace(now, notices=kept), note=note)


def _check_phrases(valid: Mapping[str, Sequence[str]]) -> None:
    for action, listed in valid.items():
        if action not in TRANSITIONS:
            raise BadFieldError(
                "phrases", Text(f"没有步骤 {action[:40]}", f"there is no step {action[:40]}.")
            )
        if len(listed) > MOST_PHRASES or any(len(one) > LONGEST_PHRASE for one in listed):
            raise BadFieldError(
                "phrases",
                Text(
                    f"每个步骤至多 {MOST_PHRASES} 条，每条至多 {LONGEST_PHRASE} 字",
                    f"at most {MOST_PHRASES} for a step, each of at most {LONGEST_PHRASE} characters.",
                ),
            )
        for one in listed:
            check_words("words", one)


def change_days(session: Session, asker: Asker, days: Mapping[date, bool | None], *, note: str = "") -> int:
    """Make a new version of the calendar in which days work or rest as told; None is as announced."""
    now = load(session).content
    merged: dict[date, bool] = dict(now.days)
    for day, works in days.items():
        if works is None:
            merged.pop(day, None)
        else:
            merged[day] = works
    fresh = CalendarContent(now.zone, now.periods, dict(sorted(merged.items())))
    return adopt(session, asker, "calendar", fresh, note=note)


def from_events(events: Iterable[tuple[str, Mapping[str, Any]]]) -> Regime:
    """Return what the log alone tells of what is in force: settings and calendar.

    That is all that deadlines and figures need: the limits of rules are told by the events of their cases.

    Parameters
    ----------
    events
        Subject and data of the events `case.regime_changed`, in order.

    """
    known: dict[str, Any] = {}
    numbers = dict.fromkeys(PARTS, 0)
    for subject, data in events:
        part = subject.removeprefix(SUBJECT)
        if part in PARTS:
            numbers[part] = data["version"]
        if part in TOLD_WHOLE:
            known[part] = msgspec.convert(data["content"], _FORMS[part], str_keys=True)  # type: ignore[index]
    return Regime(
        settings=known.get("settings", Settings()),
        content=known.get("calendar", CalendarContent()),
        versions=tuple(numbers.values()),
        hotline=known.get("hotline", Hotline()),
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


def _check_calendar(valid: CalendarContent) -> None:
    if valid.zone not in available_timezones():
        raise BadFieldError(
            "zone", Text(f"没有时区 {valid.zone[:60]}", f"there is no time zone {valid.zone[:60]}.")
        )
    if any(edge.tzinfo is not None for period in valid.periods for edge in period):
        raise BadFieldError("periods", Text("工作时段为当地时间", "working periods are local times."))
    valid.calendar()


LONGEST_MESSAGE = 400


def announce(session: Session, asker: Asker, zh: str, en: str, until: datetime | None) -> int:
    """Let every public page say something until a moment, nothing where both are empty; return the version.

    Raises
    ------
    BadFieldError
        Where one language is missing, it has no end or that is past.

    """
    zh, en = (check_words("words", one).strip() for one in (zh, en))
    if bool(zh) != bool(en):
        raise BadFieldError("en" if zh else "zh", Text("请写中英文两种", "say it in both languages."))
    if zh and (until is None or until <= now_utc()):
        raise BadFieldError("until", Text("请给出将来的截止时间", "say until when; that is yet to come."))
    now = load(session).settings
    changed = msgspec.structs.replace(now, message_zh=zh, message_en=en, message_until=until if zh else None)
    return adopt(session, asker, "settings", changed)


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


def _check_settings(valid: Settings) -> None:
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


def _check(part: PartName, valid: Any) -> None:
    if part == "calendar":
        _check_calendar(valid)
    elif part == "types":
        Catalogue(valid)
    elif part == "settings":
        _check_settings(valid)
    elif part == "phrases":
        _check_phrases(valid)
    elif part == "hotline":
        decided.check(valid)
    elif part == "answers":
        answers.check(valid)
