"""What a city has decided about its cases: limits, calendar, types of its own, rules. Each in versions."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Dialect, select

from jingwei import ledger
from jingwei.cases import answers, notice_words
from jingwei.cases.answers import Answer
from jingwei.cases.calendar import Calendar
from jingwei.cases.errors import BadFieldError, RulesChangedError, UnknownVersionError
from jingwei.cases.hotline import decided
from jingwei.cases.hotline.decided import Hotline
from jingwei.cases.lifecycle import TRANSITIONS
from jingwei.cases.models import RegimePart
from jingwei.cases.rules import Rule
from jingwei.cases.settings import CalendarContent, Settings, check_calendar, check_settings
from jingwei.cases.store import IN_FORCE, alarm_all
from jingwei.cases.types import CaseType, Catalogue
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


def _check(part: PartName, valid: Any) -> None:
    if part == "calendar":
        check_calendar(valid)
    elif part == "types":
        Catalogue(valid)
    elif part == "settings":
        check_settings(valid)
    elif part == "phrases":
        _check_phrases(valid)
    elif part == "hotline":
        decided.check(valid)
    elif part == "answers":
        answers.check(valid)
