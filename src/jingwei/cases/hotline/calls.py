"""Calls listed: by what they wait for, by whose number they came, for who may see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Select, and_, false, func, or_, select, update

from jingwei.cases.calendar import instant
from jingwei.cases.hotline import policy
from jingwei.cases.hotline.afterwards import LATER_PHASES
from jingwei.cases.hotline.call import Call, decode
from jingwei.cases.hotline.steps import CALLS
from jingwei.cases.lifecycle import STATES
from jingwei.cases.store import CASES
from jingwei.records import now_utc

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.cases.hotline.switchboard import Switchboard
    from jingwei.cases.regime import Regime

ROUNDS = 20
"""How often a page is filled up where policies leave out calls."""
MOST_EARLIER = 20
DRAWN_DAYS = 7
_DRAWN_FROM = 50

_DONE = tuple(one.key for one in STATES.values() if one.terminal or one.phase in LATER_PHASES)


@dataclass(frozen=True, slots=True)
class Listed:
    """A call, the row it stands in, and whose number it was: sealed, and as a digest."""

    id: int
    call: Call
    sealed: str | None
    caller: bytes | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which calls.

    Attributes
    ----------
    states, numbers
        Only those in some states, or of some numbers; all where empty.
    waiting
        Only those that wait for a `reply`, a `call_back` or a `review`.
    taker
        Only those that a person took.
    since, until
        Came between these instants (microseconds).

    """

    states: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    waiting: Literal["", "reply", "call_back", "review"] = ""
    taker: str | None = None
    since: int | None = None
    until: int | None = None


_FOUND = select(CALLS.c.id, CALLS.c.body, CALLS.c.sealed, CALLS.c.caller)


def listed(
    session: Session,
    board: Switchboard,
    asker: Asker,
    choice: Choice,
    *,
    beyond: int | None = None,
    limit: int = 30,
) -> tuple[list[Listed], int | None]:
    """Return calls that an asker may see, the newest first, and the mark at which the next page begins."""
    found: list[Listed] = []
    for one in _in_order(session, _where(choice), beyond, limit):
        if board.may_read(asker, one.call) and _waits(session, board, choice, one.call):
            if len(found) == limit:
                return found, found[-1].id
            found.append(one)
    return found, None


def _in_order(session: Session, question: Select[Any], beyond: int | None, limit: int) -> Iterator[Listed]:
    """Yield calls from a mark on; no longer than `ROUNDS` pages."""
    for _ in range(ROUNDS):
        some = question if beyond is None else question.where(CALLS.c.id < beyond)
        rows = session.execute(some.order_by(CALLS.c.id.desc()).limit(limit + 1)).all()
        yield from (_listed(row) for row in rows)
        if len(rows) <= limit:
            return
        beyond = rows[-1].id


def _listed(row: Any) -> Listed:
    return Listed(row.id, decode(row.body), row.sealed, row.caller)


def _where(choice: Choice) -> Select[Any]:
    question = _FOUND
    if choice.states:
        question = question.where(CALLS.c.state.in_(choice.states))
    if choice.numbers:
        question = question.where(CALLS.c.number.in_(choice.numbers))
    if choice.taker is not None:
        question = question.where(CALLS.c.taker == choice.taker)
    if choice.since is not None:
        question = question.where(CALLS.c.began >= choice.since)
    if choice.until is not None:
        question = question.where(CALLS.c.began < choice.until)
    if choice.waiting == "reply":
        question = question.where(CALLS.c.state == "in_case")
    elif choice.waiting == "review":
        question = question.where(~CALLS.c.reviewed, CALLS.c.state.in_(("answered", "in_case", "dismissed")))
    elif choice.waiting == "call_back":
        question = question.where(CALLS.c.state == "in_case", ~CALLS.c.heard, CALLS.c.case.in_(_done_cases()))
    return question


def _done_cases() -> Select[Any]:
    return select(CASES.c.number).where(CASES.c.state.in_(_DONE))


def _waits(session: Session, board: Switchboard, choice: Choice, call: Call) -> bool:
    """Say whether a call waits for what is chosen, as far as its row does not tell."""
    if choice.waiting == "reply":
        return call.turn is not None and call.turn.running
    if choice.waiting == "call_back":
        case = board.case_of(session, call)
        return case is not None and case.state in _DONE
    return True


def one_listed(session: Session, number: str) -> Listed:
    """Return a call that there is."""
    return _listed(session.execute(_FOUND.where(CALLS.c.number == number)).one())


def earlier(
    session: Session, board: Switchboard, asker: Asker, caller: bytes | None, *, but: str = ""
) -> list[Listed]:
    """Return the newest calls of a number, by its digest, that an asker may see."""
    mine = CALLS.c.caller == caller if caller else false()
    question = _FOUND.where(and_(mine, CALLS.c.number != but))
    rows = session.execute(question.order_by(CALLS.c.began.desc()).limit(MOST_EARLIER))
    return [one for one in map(_listed, rows) if board.may_read(asker, one.call)]


def draw(session: Session, board: Switchboard, asker: Asker) -> list[Listed]:
    """Return a call of the last days at random that waits for a review, and that an asker may review."""
    since = instant(now_utc() - timedelta(days=DRAWN_DAYS))
    question = _where(Choice(waiting="review", since=since))
    others = or_(CALLS.c.taker.is_(None), CALLS.c.taker != asker.id)
    rows = session.execute(question.where(others).order_by(func.random()).limit(_DRAWN_FROM))
    policies = board.desk.policies()
    for one in map(_listed, rows):
        may = policies.decide(asker, policy.REVIEW, policy.resource_of(one.call)).allowed
        if may and asker.id not in one.call.hands and board.may_read(asker, one.call):
            return [one]
    return []


def forget_numbers(session: Session, regime: Regime, now: datetime) -> int:
    """Remove the numbers of callers whose time of keeping is over, and their digests; return how many."""
    before = instant(now - timedelta(days=regime.hotline.keep_number_days))
    old = (CALLS.c.began < before) & CALLS.c.sealed.is_not(None)
    gone = update(CALLS).where(old).values(sealed=None, caller=None).returning(CALLS.c.id)
    return len(session.scalars(gone).all())
