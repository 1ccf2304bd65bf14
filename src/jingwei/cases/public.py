"""What the public is told of cases: the same policies and columns as for the staff, asked for a stranger."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select, tuple_

from jingwei import access
from jingwei.cases import plain
from jingwei.cases.board import Choice
from jingwei.cases.calendar import DAY, instant
from jingwei.cases.models import CaseWords
from jingwei.cases.policy import STRANGER
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.board import Board
    from jingwei.cases.service import Desk

Unit = Literal["count", "share"]
_AREA = re.compile(r"[0-9A-Z]{0,15}")
_TYPE = re.compile(r"(component|matter)/[0-9]{5}")
NEWEST_DAYS = 30
ALIKE = "state <> 'duplicate'"
"""A report that joined another is told with that one."""


HAPPENED = (
    "reported", "accepted", "verification_sent", "verified", "registered", "rejected", "merged", "separated",
    "dispatched", "assigned", "submitted", "confirmed", "extension_granted", "suspended", "resumed",
    "checked", "reworked", "closed", "force_closed", "reopened", "published", "returned_to_dispatcher",
    "amended",
)  # fmt: skip
"""Events of which the public is told that they happened, and when: none of what only its reporter did."""
_REPORTED, _REPORTED_PUBLICLY = "reported", Text("有人上报", "Somebody reported it")


@dataclass(frozen=True, slots=True)
class Told:
    """A case as the public is told of it; instants are microseconds, places degrees (WGS84)."""

    number: str
    kind: str
    type: str
    type_name: Text
    state: Text
    ended: bool
    office: str | None
    area: str
    lon: float | None
    lat: float | None
    reported: int
    changed: int
    due: int | None
    words: str | None


def choice(
    *,
    area: str = "",
    types: Sequence[str] = (),
    ended: bool | None = None,
    box: tuple[float, float, float, float] | None = None,
    since: int | None = None,
    besides: str = "",
) -> Choice:
    """Return the cases of an area, of types (`matter/06013`) and in a box, of which the public is told."""
    clauses = [ALIKE]
    if area and _AREA.fullmatch(area):
        clauses.append(f"starts_with(area, '{area}')")
    known = [one for one in types if _TYPE.fullmatch(one)]
    if known:
        listed = ", ".join(f"'{one}'" for one in known)
        clauses.append(f"kind || '/' || type IN ({listed})")
    if besides:
        clauses.append(besides)
    flags = {} if ended is None else {"ended": ended}
    return Choice(flags=flags, box=box, since=since, sql=" AND ".join(clauses), public=True)


def page(
    session: Session, desk: Desk, board: Board, wanted: Choice, *, limit: int, after: str = ""
) -> tuple[list[Told], int, str | None]:
    """Return cases, the newest first, how many there are in all, and the mark of the next page."""
    found = board.page(STRANGER, wanted, limit=limit, after=after)
    return _told(session, desk, found.rows), found.count, found.next


def newest(session: Session, desk: Desk, board: Board, wanted: Choice, *, limit: int) -> list[Told]:
    """Return the newest cases of a choice; those of the last days are looked at first, which mostly do."""
    since = instant(now_utc()) - NEWEST_DAYS * DAY
    for one in (replace(wanted, since=since), wanted):
        rows = board.page(STRANGER, one, limit=limit, counted=False).rows
        if len(rows) == limit:
            break
    return _told(session, desk, rows)


def told_of(session: Session, desk: Desk, number: str) -> Told | None:
    """Return what the public is told of one case; None where that is nothing."""
    from jingwei.cases.citizens import public_case
    from jingwei.cases.duplicates import place_of

    case = public_case(session, desk, number)
    if case is None:
        return None
    lon, lat = place_of(case) or (None, None)
    overall = case.last_turn("overall")
    row = {
        "number": case.number, "kind": case.kind, "type": case.type, "state": case.state,
        "ended": case.stands.terminal, "department": case.department, "area": case.area,
        "lon": lon, "lat": lat,
        "reported": min(case.at.values()), "latest": max(case.at.values()), "published": case.published,
        "overall_due": overall.due(desk.regime(session).calendar) if overall else None,
    }  # fmt: skip
    return _told(session, desk, [row])[0]


def happened(session: Session, number: str) -> list[tuple[str, Text]]:
    """Return what happened to a case, as the public is told: times (RFC 3339, UTC) and plain words."""
    from jingwei.cases.store import timeline

    names = ((event.at, event.type.removeprefix("case.")) for event in timeline(session, number))
    return [(at, happening(name)) for at, name in names if name in HAPPENED]


def happening(name: str) -> Text:
    """Return in plain words what an event of `HAPPENED` tells the public."""
    return _REPORTED_PUBLICLY if name == _REPORTED else plain.HAPPENED[name]


def _told(session: Session, desk: Desk, rows: Sequence[dict[str, Any]]) -> list[Told]:
    catalogue = desk.regime(session).catalogue
    titles = access.titles_of(session, {row["department"] for row in rows if row["department"]})
    words = published_words(session, [(row["number"], row["published"]) for row in rows if row["published"]])
    return [
        Told(
            number=row["number"], kind=row["kind"], type=row["type"],
            type_name=catalogue.get(row["kind"], row["type"]).name, state=plain.says(row["state"])["title"],
            ended=row["ended"], office=titles.get(row["department"] or ""), area=row["area"], lon=row["lon"],
            lat=row["lat"], reported=row["reported"], changed=row["latest"],
            due=None if row["ended"] else row["overall_due"], words=words.get(row["number"]),
        )
        for row in rows
    ]  # fmt: skip


CHUNK = 400


def published_words(session: Session, steps: Sequence[tuple[str, int]]) -> dict[str, str]:
    """Return what was published of cases in words, by number; `steps` say at which step of each."""
    found: dict[str, str] = {}
    for first in range(0, len(steps), CHUNK):
        asked = select(CaseWords.case, CaseWords.words).where(
            tuple_(CaseWords.case, CaseWords.step).in_(steps[first : first + CHUNK]),
            CaseWords.field == "words",
        )
        found.update(iter(session.execute(asked)))
    return found


# figures


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure for the public; `kept_back` where it would be of few cases."""

    key: str
    name: Text
    formula: Text
    value: float | None
    unit: Unit
    kept_back: bool


_FIGURES: tuple[tuple[str, Text, Text, str, str, Unit], ...] = (
    ("reported", Text("上报数", "reported"), Text("期内上报的案件数", "cases reported in the period"),
     "TRUE", "TRUE", "count"),
    ("ended", Text("办结数", "ended"), Text("其中已办结的", "those of them that have ended"),
     "ended", "TRUE", "count"),
    ("ended_share", Text("办结率", "share ended"), Text("办结数 ÷ 上报数", "ended ÷ reported"),
     "ended", "TRUE", "share"),
    ("on_time", Text("按期处置率", "handled in time"),
     Text("按期处置的 ÷ 已处置的", "handled in time ÷ handled"),
     "handled AND handle_on_time", "handled", "share"),
    ("rework", Text("返工率", "reworked"), Text("返工过的 ÷ 已处置的", "reworked at least once ÷ handled"),
     "handled AND reworks > 0", "handled", "share"),
    ("satisfied", Text("满意率", "satisfied"), Text("评 4 或 5 分的 ÷ 评过分的", "rated 4 or 5 ÷ rated"),
     "result_score >= 4", "result_score IS NOT NULL", "share"),
)  # fmt: skip
"""For each figure: which cases are counted, of which."""


def figures(board: Board, area: str, days: int, least: int) -> list[Figure]:
    """Return the figures of an area over the last days.

    Parameters
    ----------
    board
        The cases in columns.
    area
        The beginning of an area's code; empty for the whole city.
    days
        How many days back.
    least
        A figure is kept back where it, its whole, or the rest of that is of fewer cases than this, but of
        some: neither can be had by subtraction.

    """
    board.refresh()
    since = instant(now_utc()) - days * DAY
    where, given = board.allowed(STRANGER, choice(area=area, since=since))
    counted = ", ".join(
        f"count(*) FILTER ({rows}) AS v{n}, count(*) FILTER ({of}) AS n{n}"
        for n, (_, _, _, rows, of, _) in enumerate(_FIGURES)
    )
    row = board.ask(f"SELECT {counted} FROM cases WHERE {where}", given).to_pylist()[0]
    return [
        _figure(key, name, formula, unit, row[f"v{n}"], row[f"n{n}"], least)
        for n, (key, name, formula, _, _, unit) in enumerate(_FIGURES)
    ]


def _figure(key: str, name: Text, formula: Text, unit: Unit, part: int, whole: int, least: int) -> Figure:
    few = any(0 < count < least for count in (part, whole - part, whole))
    if unit == "count":
        value: float | None = part
    else:
        value = round(part / whole, 4) if whole else None
    return Figure(key, name, formula, None if few else value, unit, few)
