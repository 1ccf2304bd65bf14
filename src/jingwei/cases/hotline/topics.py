"""Hot topics: what callers of a place speak of in a week, more than in the weeks before.

Terms are runs of two to four characters (words, where letters part them), counted once for each caller.
A term is weighed by the log-likelihood ratio of its share of the callers of the week against that of the
weeks before (Dunning 1993): large counts that grew a little and small ones that grew much are weighed by one
measure. A street of which little was heard before is compared with the whole city. Of terms that stand for
the same calls the longest is told. What few callers said is not told: by the smallest number that the
policies let this asker see, as everywhere.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from jingwei.access.policy.masks import SMALLEST, suppressed
from jingwei.cases.calendar import instant, moment
from jingwei.cases.hotline.call import decode
from jingwei.cases.hotline.steps import CALLS
from jingwei.cases.models import CaseWords
from jingwei.cases.traces import plain

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from jingwei.access.policy import Decision

SHORTEST, LONGEST = 2, 4
LONGEST_SHOWN = 16
"""Characters of a term at most, once it has grown by what all its callers said beside it."""
MOST_BEFORE = 26
"""Weeks before at most with which a week is compared."""
CRITICAL = 10.83
"""Log-likelihood from which a difference is told: chi-squared of one degree of freedom at 0.001."""
STREET = 9
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
_WORD = re.compile(r"[a-z][a-z'-]{2,}")
_IDLE = frozenset("的了是在我你他她们这那有和就不也都很到说要吗呢吧啊把被给让向对从与及或")
"""Characters with which no term begins or ends: they tell nothing by themselves."""
_IDLE_WORDS = frozenset(
    ("the", "and", "for", "that", "this", "with", "has", "have", "are", "was", "not", "there")
)


@dataclass(frozen=True, slots=True)
class Said:
    """What one call said: where, in which week (0 is the one asked for, 1 the one before), and by whom."""

    call: str
    street: str
    week: int
    caller: str
    words: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A term, and how many callers spoke of it.

    Attributes
    ----------
    street
        Where; empty for the whole city.
    callers, of
        How many callers of the week spoke of it, of how many.
    before, of_before
        How many in the weeks before, of how many; None where so few that it is not told.
    weight
        The log-likelihood ratio.
    calls
        The calls of the week behind it.

    """

    street: str
    term: str
    callers: int
    of: int
    before: int | None
    of_before: int | None
    weight: float
    calls: tuple[str, ...]


def smallest_of(decision: Decision) -> int:
    """Return the smallest number of callers that a decision lets an asker see; as for counts of the lake."""
    told = [int(note["smallest"]) for note in decision.annotations if note.get("smallest")]
    return max(1, min(told, default=SMALLEST))


def said_in(session: Session, monday: date, zone: ZoneInfo, weeks: int) -> list[Said]:
    """Return what the calls of a week and of the weeks before said.

    Parameters
    ----------
    session
        A session that reads.
    monday, zone
        The first day of the week, in the city's zone.
    weeks
        How many weeks before.

    """
    start = datetime.combine(monday, time(), zone)
    first, end = start - timedelta(weeks=weeks), start + timedelta(weeks=1)
    question = (
        select(CALLS.c.number, CALLS.c.caller, CALLS.c.body, CaseWords.words)
        .join(CaseWords, (CaseWords.case == CALLS.c.number) & (CaseWords.field == "description"))
        .where(CALLS.c.began >= instant(first), CALLS.c.began < instant(end))
        .order_by(CALLS.c.began, CALLS.c.id)
    )
    found = []
    for number, caller, body, words in session.execute(question):
        call = decode(body)
        days = (monday - moment(call.began).astimezone(zone).date()).days
        week = 0 if days <= 0 else (days + 6) // 7
        who = caller.hex() if caller is not None else number
        found.append(Said(number, call.area[:STREET] if len(call.area) >= STREET else "", week, who, words))
    return found


def topics(
    said: Iterable[Said], *, smallest: int = SMALLEST, by_street: bool = True, limit: int = 50
) -> list[Topic]:
    """Return what is spoken of more than before, the strongest first.

    Parameters
    ----------
    said
        What calls said, of the week and of those before.
    smallest
        The smallest number of callers that may be told.
    by_street
        Each street by itself; calls without a street do not count then. Else the whole city.
    limit
        How many at most.

    """
    listed = list(said)
    groups: dict[str, list[Said]] = {}
    for one in listed:
        if one.street or not by_street:
            groups.setdefault(one.street if by_street else "", []).append(one)
    city = Before([one for one in listed if one.week])
    found = [topic for street, some in groups.items() for topic in _topics_of(street, some, city, smallest)]
    return sorted(found, key=lambda one: (-one.weight, one.street, one.term))[:limit]


class Before:
    """What was said in the weeks before: how many callers spoke of each term, of how many."""

    def __init__(self, said: Iterable[Said]) -> None:
        self.counts: Counter[str] = Counter()
        callers: dict[tuple[str, int], set[str]] = {}
        for one in said:
            callers.setdefault((one.caller, one.week), set()).update(terms(one.words))
        self.of = len(callers)
        for spoken in callers.values():
            self.counts.update(spoken)


def _topics_of(street: str, said: Sequence[Said], city: Before, smallest: int) -> list[Topic]:
    now: dict[str, dict[str, list[str]]] = {}
    callers = set()
    for one in said:
        if one.week == 0:
            callers.add(one.caller)
            for term in terms(one.words):
                now.setdefault(term, {}).setdefault(one.caller, []).append(one.call)
    mine = Before([one for one in said if one.week])
    before = mine if mine.of >= len(callers) else city
    told = []
    for term, by in now.items():
        weight = log_likelihood(len(by), len(callers), before.counts[term], before.of)
        if len(by) < smallest or weight < CRITICAL:
            continue
        shown = suppressed({"spoke": before.counts[term], "of": before.of}, smallest=smallest)
        calls = tuple(call for listed in by.values() for call in listed)
        told.append(
            Topic(street, term, len(by), len(callers), shown["spoke"], shown["of"], round(weight, 2), calls)
        )
    said_by = {one.call: (one.caller, plain(one.words)) for one in said if one.week == 0}
    return [_in_full(one, said_by, smallest) for one in _longest(told)]


def _in_full(topic: Topic, said_by: Mapping[str, tuple[str, str]], smallest: int) -> Topic:
    """Let a term grow by what nearly all its callers said beside it: 水发黄有 is part of 自来水发黄有异味."""
    said = [said_by[call] for call in topic.calls]
    term, grew = topic.term, True
    while grew and len(term) < LONGEST_SHOWN:
        grew = False
        for longer in sorted(_beside(term, said)):
            callers = {caller for caller, words in said if longer in words}
            if len(callers) >= max(smallest, 0.8 * topic.callers):
                term, grew = longer, True
                break
    while len(term) > SHORTEST and term[-1] in _IDLE:
        term = term[:-1]
    return replace(topic, term=term.lstrip("".join(_IDLE)) or topic.term)


def _beside(term: str, said: Iterable[tuple[str, str]]) -> set[str]:
    """Return the term with one Chinese character more, before or after, as it is found in what was said."""
    if not _HAN.fullmatch(term):
        return set()
    found = set()
    for _, words in said:
        for match in re.finditer(f"(?=(.?){re.escape(term)}(.?))", words):
            before, after = match[1], match[2]
            found |= {before + term} if _HAN.fullmatch(before) else set()
            found |= {term + after} if _HAN.fullmatch(after) else set()
    return found


def terms(words: str) -> set[str]:
    """Return the terms of a text: runs of Chinese characters, words of letters; never digits."""
    text = plain(words)
    found = {word for word in _WORD.findall(text) if word not in _IDLE_WORDS}
    for run in _HAN.findall(text):
        for size in range(SHORTEST, LONGEST + 1):
            for at in range(len(run) - size + 1):
                term = run[at : at + size]
                if term[0] not in _IDLE and term[-1] not in _IDLE:
                    found.add(term)
    return found


def log_likelihood(one: int, of_one: int, other: int, of_other: int) -> float:
    """Return the log-likelihood ratio (G squared) of two shares; 0 where the first is not the larger.

    Dunning (1993), Accurate methods for the statistics of surprise and coincidence.
    """
    if not of_one or one / of_one <= (other / of_other if of_other else 0.0):
        return 0.0
    if not of_other:
        return 0.0  # nothing to compare with: a city's first week has no topics
    share = (one + other) / (of_one + of_other)
    told = 0.0
    for count, of in ((one, of_one), (other, of_other)):
        for seen, expected in ((count, of * share), (of - count, of * (1 - share))):
            if seen:
                told += seen * math.log(seen / expected)
    return 2 * told


def _longest(told: Sequence[Topic]) -> list[Topic]:
    """Leave out terms that are part of a longer one of nearly the same calls, and overlap with a stronger."""
    kept: list[Topic] = []
    for one in sorted(told, key=lambda each: (-len(each.calls), -len(each.term), -each.weight, each.term)):
        mine = set(one.calls)
        same = next((other for other in kept if _is_one(mine, other)), None)
        if same is None:
            kept.append(one)
        elif same.term in one.term and len(mine) >= 0.8 * len(same.calls):
            kept[kept.index(same)] = one  # the longer term says more of the same calls
    return kept


def _is_one(calls: set[str], other: Topic) -> bool:
    """Say whether two terms stand for the same matter: most calls of one are calls of the other."""
    return len(calls & set(other.calls)) >= 0.8 * len(calls)
