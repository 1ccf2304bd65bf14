"""Open311 GeoReport v2: the city's cases as service requests, and service requests as reports.

Types with rules are services; what a service asks besides is made from its rules. What is told of a request
is what the public is told of the case. Source: the GeoReport v2 specification as published by Open311.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from jingwei import access
from jingwei.access import Asker
from jingwei.cases import citizens, plain
from jingwei.cases.board import Choice
from jingwei.cases.calendar import instant, moment
from jingwei.cases.errors import BadFieldError
from jingwei.cases.models import Following, OutsideKey
from jingwei.cases.policy import STRANGER
from jingwei.cases.public import published_words
from jingwei.cases.schemas import Report
from jingwei.cases.store import case_of_source
from jingwei.errors import ConflictError, JingweiError, NotFoundError
from jingwei.records import now_utc
from jingwei.words import Language, Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.board import Board
    from jingwei.cases.case import Case
    from jingwei.cases.regime import Regime
    from jingwei.cases.service import Desk
    from jingwei.cases.types import CaseType

MOST = 1000
SPAN = timedelta(days=90)
"""Requests of one answer at most, and the days that a question may span."""
MOST_CODES = 100
LONGEST = 4000
_CODE = re.compile(r"(component|matter)-([0-9]{5})")
_STATUS = ("open", "closed")


class OutsideKeyError(JingweiError):
    """A request to report came without a key, or with one that is not known or has ended."""

    code = "api-key"
    status = 403

    def __init__(self) -> None:
        super().__init__(Text("api_key 缺失或无效", "the api_key is missing or not valid."))


class NoServiceError(NotFoundError):
    """No service bears the code."""

    code = "service-code"

    def __init__(self, code: str) -> None:
        super().__init__(
            Text(f"没有服务 {code[:40]}", f"there is no service {code[:40]}."),
            where={"service_code": code[:40]},
        )


class NoRequestError(NotFoundError):
    """No request bears the number, or the public is not told of it."""

    code = "service-request"

    def __init__(self, number: str) -> None:
        super().__init__(
            Text(f"没有请求 {number[:40]}", f"there is no service request {number[:40]}."),
            where={"service_request_id": number[:40]},
        )


# services


def code_of(type_: CaseType) -> str:
    """Return the service code of a type: kind and number together, for numbers are used by both kinds."""
    return f"{type_.kind}-{type_.code}"


def type_of(regime: Regime, code: str) -> CaseType:
    """Return the type that a service code names.

    Raises
    ------
    NoServiceError
        Where the city offers none.

    """
    found = _CODE.fullmatch(code)
    if found is None or (found[1], found[2]) not in regime.by_type:
        raise NoServiceError(code)
    return regime.catalogue.get(found[1], found[2])


def services(regime: Regime, language: Language) -> list[dict[str, Any]]:
    """Return the services: the types for which the city has rules."""
    found = []
    for kind, code in sorted(regime.by_type):
        type_ = regime.catalogue.get(kind, code)
        found.append(
            {
                "service_code": code_of(type_),
                "service_name": type_.name.in_language(language),
                "description": "；".join(rule.condition for rule in regime.by_type[kind, code])[:500],
                "metadata": True,
                "type": "realtime",
                "keywords": ",".join(dict.fromkeys((type_.name.zh, type_.name.en))),
                "group": type_.major.in_language(language),
            }
        )
    return found


def definition(regime: Regime, type_: CaseType, language: Language) -> dict[str, Any]:
    """Return what a service asks besides place and words: which rule applies, and which component it is."""
    rules = regime.by_type[type_.kind, type_.code]
    asked: list[dict[str, Any]] = [
        {
            "variable": True,
            "code": "rule",
            "datatype": "singlevaluelist",
            "required": False,
            "datatype_description": "",
            "order": 1,
            "description": Text("符合哪一种情况", "Which of these it is").in_language(language),
            "values": [{"key": rule.id, "name": rule.condition} for rule in rules],
        }
    ]
    if type_.kind == "component":
        asked.append(
            {
                "variable": True,
                "code": "component",
                "datatype": "string",
                "required": False,
                "datatype_description": Text("17 位数字", "17 digits").in_language(language),
                "order": 2,
                "description": Text("部件标识码", "The component's identifier").in_language(language),
                "values": [],
            }
        )
    return {"service_code": code_of(type_), "attributes": asked}


# requests


@dataclass(frozen=True, slots=True)
class Question:
    """Which requests are asked for; `since` and `until` in microseconds."""

    numbers: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    since: int = 0
    until: int = 0
    limit: int = MOST
    skip: int = 0


def question_of(regime: Regime, given: Mapping[str, str]) -> Question:
    """Return the question that parameters ask; one that is empty counts as absent.

    Raises
    ------
    BadFieldError, NoServiceError
        Where a value cannot be taken, or the range is longer than 90 days.

    """
    numbers = _listed(given, "service_request_id")
    if numbers:
        return Question(numbers=numbers[:MOST])
    codes = tuple(code_of(type_of(regime, code)) for code in _listed(given, "service_code")[:MOST_CODES])
    statuses = _listed(given, "status")
    if set(statuses) - set(_STATUS):
        raise BadFieldError("status", Text("status 只能是 open 或 closed", "status is open or closed."))
    since, until = range_of(given)
    page, size = _number(given, "page", 1, 10_000), _number(given, "page_size", MOST, MOST)
    return Question((), codes, statuses, instant(since), instant(until), size, (page - 1) * size)


def _listed(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in given.get(name, "").split(",") if one.strip())


def _number(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = given.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most:
        raise BadFieldError(name, Text(f"{name} 应为 1 至 {most}", f"{name} is 1 to {most}."))
    return int(text)


def range_of(given: Mapping[str, str]) -> tuple[datetime, datetime]:
    """Return the range that a question spans: the last 90 days where it says nothing, at most 90.

    Raises
    ------
    BadFieldError
        Where it cannot be read, or is longer.

    """
    start, end = _time(given, "start_date"), _time(given, "end_date")
    now = now_utc()
    if start is not None and end is not None:
        if end < start:
            raise BadFieldError(
                "end_date", Text("end_date 早于 start_date", "end_date is before start_date.")
            )
        if end - start > SPAN:
            raise BadFieldError(
                "end_date", Text("时间范围不能超过 90 天", "the range may not exceed 90 days.")
            )
        return start, end
    if start is not None:
        return start, start + SPAN
    end = end or now + timedelta(seconds=1)
    return end - SPAN, end


def _time(given: Mapping[str, str], name: str) -> datetime | None:
    text = given.get(name, "").strip().replace(" ", "+")  # a plus that a client did not encode
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC).replace(year=when.year)
    except (ValueError, OverflowError):
        raise BadFieldError(
            name,
            Text(
                f"{name} 应为 W3C 时间，如 2026-01-31T08:00:00Z",
                f"{name} is a W3C time, as 2026-01-31T08:00:00Z.",
            ),
        ) from None


_TOLD = (
    "number", "state", "ended", "kind", "type", "area", "lon", "lat", "department", "reported", "latest",
    "closed_at", "overall_due", "published",
)  # fmt: skip


def requests(
    session: Session, desk: Desk, board: Board, question: Question, language: Language
) -> list[dict[str, Any]]:
    """Return the requests that the public may be told of, the newest first."""
    regime = desk.regime(session)
    board.refresh()
    conditions = []
    if question.services:
        listed = ", ".join(f"'{code}'" for code in question.services)  # each is a code that the city offers
        conditions.append(f"kind || '-' || type IN ({listed})")
    if len(question.statuses) == 1:
        conditions.append("ended" if question.statuses[0] == "closed" else "NOT ended")
    choice = Choice(
        since=question.since or None, until=question.until or None,
        sql=" AND ".join(conditions), public=True,
    )  # fmt: skip
    where, given = board.allowed(STRANGER, choice)
    if question.numbers:
        given.append(list(question.numbers))
        where = f"({where}) AND number IN (SELECT unnest(${len(given)}))"
    order = "ORDER BY reported DESC, number"
    chosen = f"SELECT rowid FROM cases WHERE {where} {order} LIMIT {question.limit} OFFSET {question.skip}"
    rows = board.ask(
        f"SELECT {', '.join(_TOLD)} FROM cases WHERE rowid IN ({chosen}) {order}", given
    ).to_pylist()
    published = [(row["number"], row["published"]) for row in rows if row["published"]]
    words = published_words(session, published)
    titles = access.titles_of(session, {row["department"] for row in rows if row["department"]})
    return [_request(row, regime, words, titles, language) for row in rows]


def _request(
    row: dict[str, Any],
    regime: Regime,
    words: Mapping[str, str],
    titles: Mapping[str, str],
    language: Language,
) -> dict[str, Any]:
    type_ = regime.catalogue.get(row["kind"], row["type"])
    changed = row["closed_at"] if row["ended"] and row["closed_at"] else row["latest"]
    return {
        "service_request_id": row["number"],
        "status": "closed" if row["ended"] else "open",
        "status_notes": plain.says(row["state"])["title"].in_language(language),
        "service_name": type_.name.in_language(language),
        "service_code": code_of(type_),
        "description": words.get(row["number"]),
        "agency_responsible": titles.get(row["department"] or ""),
        "service_notice": None,
        "requested_datetime": w3c(row["reported"]),
        "updated_datetime": w3c(changed),
        "expected_datetime": w3c(row["overall_due"]) if row["overall_due"] and not row["ended"] else None,
        "address": None,
        "address_id": row["area"] or None,
        "zipcode": None,
        "lat": round(row["lat"], 6) if row["lat"] is not None else None,
        "long": round(row["lon"], 6) if row["lon"] is not None else None,
        "media_url": None,
    }


def w3c(when: int) -> str:
    """Return an instant (microseconds) as the standard writes it."""
    return moment(when).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# reporting


@dataclass(frozen=True, slots=True)
class Submission:
    """A service request as another system sends it; coordinates are degrees, WGS84."""

    service_code: str
    lon: float | None = None
    lat: float | None = None
    address: str = ""
    address_id: str = ""
    description: str = ""
    media_url: str = ""
    external_id: str = ""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contact: Mapping[str, str] = field(default_factory=dict)


def take_in(session: Session, desk: Desk, asker: Asker, given: Submission, *, boundary: Any = None) -> Case:
    """Take in a service request of another system; return its case.

    Who asked is kept beside the case as its contact, and nowhere else. What the other system sends again
    under the same number of its own (`external_id`) changes nothing and gets the same case.

    Raises
    ------
    NoServiceError, BadFieldError, ElsewhereError
        Nothing is kept then.

    """
    regime = desk.regime(session)
    type_ = type_of(regime, given.service_code)
    if (given.lon is None or given.lat is None) and not (given.address or given.address_id):
        raise BadFieldError(
            "lat",
            Text(
                "须给出 lat 和 long，或 address_string，或 address_id",
                "give lat and long, or address_string, or address_id.",
            ),
        )
    if given.lon is not None and given.lat is not None:
        citizens.check_place(regime.settings, desk.ground(session), given.lon, given.lat, boundary)
    said = [given.description, given.address, *_attributes(regime, type_, given.attributes), given.media_url]
    report = Report(
        type_.kind, type_.code, "internet", "\n".join(one for one in said if one)[:LONGEST],
        given.lon, given.lat,
        area=given.address_id if re.fullmatch(r"[0-9A-Z]{6,15}", given.address_id) else "",
        component=next(iter(given.attributes.get("component", ())), None), reporter=asker.id,
        source_key=_digest(f"{asker.id}:{given.external_id}").hex()[:40] if given.external_id else None,
    )  # fmt: skip
    known = case_of_source(session, report)
    if known is not None:
        return known
    case = desk.report(session, asker, report)
    contact = {name: value for name, value in given.contact.items() if value}
    if contact:
        row = {
            "secret": secrets.token_bytes(32), "code": secrets.token_bytes(32), "reporter": asker.id,
            "case": case.number, "at": now_utc(), "language": "zh", "contact": contact | {"wishes": []},
        }  # fmt: skip
        session.execute(insert(Following).values(row))
    return case


def _attributes(regime: Regime, type_: CaseType, given: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what the attributes of a service say, in words."""
    rules = {rule.id: rule.condition for rule in regime.by_type[type_.kind, type_.code]}
    said = []
    for name, values in given.items():
        if name not in ("rule", "component") or (name == "component" and type_.kind != "component"):
            raise BadFieldError(
                f"attribute[{name[:40]}]",
                Text(f"此服务没有属性 {name[:40]}", f"this service has no attribute {name[:40]}."),
            )
        for value in values:
            if name == "rule" and value not in rules:
                raise BadFieldError(
                    "attribute[rule]", Text(f"没有选项 {value[:40]}", f"there is no choice {value[:40]}.")
                )
            if name == "rule":
                said.append(rules[value])
    return said


# keys


class KeyNameError(ConflictError):
    """The name of another system is needed to tell keys apart."""

    code = "outside-key-name"

    def __init__(self) -> None:
        super().__init__(Text("请写明是哪个系统", "say which system the key is for."))


def new_key(session: Session, asker: Asker, name: str) -> str:
    """Make a key by which another system may report; it is told once, and only its digest is kept."""
    if not name.strip():
        raise KeyNameError
    key = secrets.token_urlsafe(24)
    row = {"digest": _digest(key), "name": name.strip()[:120], "made": now_utc(), "by": asker.id}
    session.execute(insert(OutsideKey).values(row))
    return key


def end_key(session: Session, name: str) -> int:
    """End the keys of another system; return how many those were."""
    ended = session.execute(
        update(OutsideKey).where(OutsideKey.name == name, OutsideKey.ended.is_(None)).values(ended=now_utc())
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]  # of an update


def keys(session: Session) -> list[OutsideKey]:
    """Return the keys of other systems, by name."""
    return list(session.scalars(select(OutsideKey).order_by(OutsideKey.name, OutsideKey.made)))


def asker_of_key(session: Session, key: str) -> Asker:
    """Return on whose behalf a key reports.

    Raises
    ------
    OutsideKeyError
        Where it is none, or has ended.

    """
    row = session.get(OutsideKey, _digest(key)) if key else None
    if row is None or row.ended is not None:
        raise OutsideKeyError
    return Asker(f"outside/{row.digest.hex()[:24]}", row.name, frozenset({"citizen"}))


def _digest(key: str) -> bytes:
    return hashlib.sha256(f"jingwei outside key: {key}".encode()).digest()
