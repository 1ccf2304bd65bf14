"""Which other reports may tell of the same thing: near in place and time, alike in words, of any type.

A proposal is only that. Nothing is merged by itself, so that a second problem beside the first is never lost.

What the weights rest on: of 1,541 pairs that a city's staff had marked, 91 % lay within 50 m and 94 % within
100 m of each other, 86 % within 30 days, and only 80 % bore the same category. So type counts, but does not
decide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import or_, select

from jingwei import grid
from jingwei.cases import words as the_words
from jingwei.cases.calendar import DAY, instant
from jingwei.cases.case import Case, decode
from jingwei.cases.schemas import Report
from jingwei.cases.store import CASES
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.regime import Regime

LEVEL = 21
"""Cells of a second of arc, some 30 m: a search looks at those around the place."""
MOST_NEAR = 200
"""Candidates nearest in time that are looked at closely."""
THRESHOLD = 0.55
"""Score from which a pair is proposed."""
_EARTH = 6_371_008.8
_NOT_A_MAIN = ("duplicate", "cancelled", "not_accepted", "withdrawn")


class Placed(Protocol):
    """What may have a place: a stored grid code and its level."""

    cell: int | None
    level: int | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another case that may be of the same thing: how likely, why, and whether this one can join it."""

    number: str
    score: float
    metres: float
    hours: float
    likeness: float
    same_type: bool
    state: str
    why: Text


def proposals(
    session: Session, regime: Regime, about: Report, *, at: datetime, but: str | None = None, limit: int = 5
) -> list[Proposal]:
    """Return the cases that a report may repeat, the likeliest first.

    Parameters
    ----------
    session
        A session that reads.
    regime
        What is in force: how near, how long apart.
    about
        The report, registered or not; without a place there is nothing to propose.
    at
        When it was made.
    but
        The number of its own case, if it has one; what people told apart from it is not proposed again.
    limit
        How many at most.

    """
    if about.lon is None or about.lat is None:
        return []
    settings = regime.settings
    when = instant(at)
    near = _near(session, about, when, settings.duplicate_metres, settings.duplicate_days * DAY, but)
    apart = _told_apart(session, but)
    near = [(case, metres) for case, metres in near if case.number not in apart and but not in case.unlike]
    texts = the_words.descriptions(session, [case.number for case, _ in near])
    reach, days = settings.duplicate_metres, settings.duplicate_days
    told = [
        _weigh(about, case, metres, when, texts.get(case.number, ""), reach, days) for case, metres in near
    ]
    likely = sorted((one for one in told if one.score >= THRESHOLD), key=lambda one: (-one.score, one.number))
    return likely[:limit]


def _told_apart(session: Session, number: str | None) -> frozenset[str]:
    """Return the cases from which people told a case apart."""
    if number is None:
        return frozenset()
    body = session.scalar(select(CASES.c.body).where(CASES.c.number == number))
    return frozenset(decode(body).unlike) if body is not None else frozenset()


def place_of(case: Placed) -> tuple[float, float] | None:
    """Return where a case is, longitude and latitude in degrees, if that is known."""
    if case.cell is None or case.level is None:
        return None
    lon, lat = grid.centre(grid.from_stored(case.cell), case.level)
    return float(lon), float(lat)


def report_of(session: Session, case: Case) -> Report:
    """Return a case as it was reported, to be compared with others."""
    lon, lat = place_of(case) or (None, None)
    words = the_words.descriptions(session, [case.number]).get(case.number, "")
    return Report(case.kind, case.type, case.source, words, lon, lat)


def _near(
    session: Session, about: Report, when: int, metres: float, span: int, but: str | None
) -> list[tuple[Case, float]]:
    """Return the cases within reach in place and time, with their distance."""
    lon, lat = float(about.lon or 0), float(about.lat or 0)
    question = (
        select(CASES.c.body)
        .where(
            or_(*(CASES.c.cell.between(*edges) for edges in ranges_around(lon, lat, metres))),
            CASES.c.reported.between(when - span, when + span),
            CASES.c.state.not_in(_NOT_A_MAIN),
        )
        .limit(5 * MOST_NEAR)
    )
    found = []
    for body in session.scalars(question):
        case = decode(body)
        if case.number == but or case.cell is None or case.level is None:
            continue
        apart = metres_between((lon, lat), grid.centre(grid.from_stored(case.cell), case.level))
        if apart <= metres:
            found.append((case, apart))
    found.sort(key=lambda one: abs(min(one[0].at.values()) - when))
    return found[:MOST_NEAR]


def ranges_around(lon: float, lat: float, metres: float) -> list[tuple[int, int]]:
    """Return the ranges of signed grid codes that hold all within `metres` of a point (degrees), and more."""
    code = grid.encode(lon, lat, LEVEL)
    width = min(grid.size_m(code, LEVEL))
    return _joined(
        [
            tuple(grid.to_stored(edge) for edge in grid.cell_range(cell, LEVEL))
            for cell in grid.disk(code, LEVEL, max(1, math.ceil(metres / width)))
        ]
    )


def _joined(ranges: list[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Join ranges that touch: fewer of them are quicker to look up."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted((one[0], one[1]) for one in ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the distance of two near points in metres (degrees, on a sphere)."""
    north = math.radians(other[1] - one[1])
    east = math.radians(other[0] - one[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    return _EARTH * math.hypot(north, east)


def _weigh(
    about: Report, case: Case, metres: float, when: int, text: str, reach: float, days: float
) -> Proposal:
    hours = abs(min(case.at.values()) - when) / DAY * 24
    same = (case.kind, case.type) == (about.kind, about.type)
    alike = likeness(about.description, text)
    closeness = math.exp(-((metres / (reach / 2)) ** 2))
    freshness = math.exp(-hours / (24 * days / 4))
    words_known = bool(about.description and text)
    of_what = max(alike, 0.0) if words_known else 0.35
    score = 0.30 * closeness + 0.15 * freshness + 0.20 * same + 0.35 * min(1.0, of_what / 0.5)
    if words_known and alike < 0.08 and not same:
        score *= 0.5
    why = Text(
        f"相距 {metres:.0f} 米，相隔 {hours:.0f} 小时，"
        f"{'类别相同' if same else '类别不同'}，文字相似 {alike:.0%}",
        f"{metres:.0f} m and {hours:.0f} h apart, {'the same type' if same else 'another type'},"
        f" words alike {alike:.0%}",
    )
    return Proposal(
        number=case.number,
        score=round(score, 4),
        metres=round(metres, 1),
        hours=round(hours, 1),
        likeness=round(alike, 4),
        same_type=same,
        state=case.state,
        why=why,
    )


def likeness(one: str, other: str) -> float:
    """Return how alike two texts are, 0 to 1: the share of pairs of characters in common (Dice)."""
    a, b = _pairs(one), _pairs(other)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


def _pairs(text: str) -> set[str]:
    plain = "".join(character for character in text.lower() if character.isalnum())
    return {plain[index : index + 2] for index in range(len(plain) - 1)}
