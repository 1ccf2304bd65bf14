"""Calls of another system as they were: taken over with their times, without anybody's number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from jingwei import ledger
from jingwei.cases import words
from jingwei.cases.calendar import instant
from jingwei.cases.case import decode
from jingwei.cases.errors import BadFieldError
from jingwei.cases.hotline.afterwards import ANSWERS
from jingwei.cases.hotline.call import PREFIX, SUBJECT, Call, apply
from jingwei.cases.hotline.steps import CALLS, columns_of, mark_of_now, needed
from jingwei.cases.store import CASES, count_up
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.regime import Regime
    from jingwei.cases.service import Desk


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call as another system kept it.

    Attributes
    ----------
    key, at, taker
        Its number there, when it came, and the identifier of who took it; empty for a call that was lost.
    waited, lost
        Seconds that it waited; where it was given up (`menu`, `queue`), empty if it was answered.
    kind, urgency, words, area, answer
        What the caller wanted, where, and what he was told at once.
    case
        The number of the case that it became here; then `answer` is empty.
    told, heard, solved, satisfied
        When its caller was told what became of it; when he was asked, and what he said.

    """

    key: str
    at: datetime
    taker: str = ""
    waited: int | None = None
    lost: str = ""
    kind: str = ""
    urgency: str = ""
    words: str = ""
    area: str = ""
    answer: str = ""
    case: str = ""
    told: datetime | None = None
    heard: datetime | None = None
    solved: str = ""
    satisfied: str = ""


def take_over(session: Session, desk: Desk, calls: Sequence[PastCall], system: str) -> int:
    """Take in calls that are not here yet, whole or not at all; return how many.

    Raises
    ------
    BadFieldError
        Where a kind, an urgency, a case or an answer is none that there is.

    """
    regime = desk.regime(session)
    known = set(
        session.scalars(select(CALLS.c.source_key).where(CALLS.c.source_key.startswith(f"{system}/")))
    )
    told: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
    rows, written = [], []
    for one in calls:
        key = f"{system}/{one.key}"
        if key in known:
            continue
        day = one.at.astimezone(regime.zone).strftime("%Y%m%d")
        call = Call(number=f"H{day}{count_up(session, f'call {day}', 1):05d}")
        for name, actor, data, said in _events(session, regime, one):
            head = {"step": call.step + 1, "was": call.state, **data}
            for field, text in said.items():
                row, head[field] = words.new_words(call.number, call.step + 1, field, text)
                written.append(row)
            apply(call, name, actor, head)
            told.setdefault((name, actor), []).append((SUBJECT + call.number, head))
        rows.append(
            {
                "number": call.number, "began": instant(one.at), "source_key": key,
                "changed": mark_of_now(session), "caller": None, "sealed": None, **columns_of(call),
            }
        )  # fmt: skip
    order = ("taken", "lost", "answered", "made_case", "replied", "called_back")
    for name, actor in sorted(told, key=lambda pair: (order.index(pair[0]), pair[1])):
        ledger.append_many(session, f"{PREFIX}call_{name}", told[name, actor], actor=actor)
    for row in rows:
        session.execute(insert(CALLS).values(row))
    words.keep(session, written)
    return len(rows)


_Told = tuple[str, str, dict[str, Any], dict[str, str]]


def _events(session: Session, regime: Regime, one: PastCall) -> list[_Told]:
    """Return what happened to a call: the event, by whom, its data and what was written."""
    came = {"at": one.at.isoformat(), "channel": "phone"}
    if one.waited is not None:
        came["waited"] = one.waited  # type: ignore[assignment]
    if one.lost:
        if one.lost not in ("menu", "queue"):
            raise BadFieldError("lost", Text("应为 menu 或 queue", "is menu or queue."))
        return [("lost", "local", came | {"to": "lost", "where": one.lost}, {})]
    found: list[_Told] = [("taken", one.taker, came | {"to": "taken"}, {}), _demand(session, regime, one)]
    state = found[-1][2]["to"]
    if one.told is not None and state == "in_case":
        found.append(("replied", one.taker, {"at": one.told.isoformat(), "to": state, "reached": True}, {}))
    if one.heard is not None:
        if one.solved not in ANSWERS or one.satisfied not in ANSWERS:
            raise BadFieldError(
                "solved", Text("应为 yes、no 或 unclear", "what a caller says is yes, no or unclear.")
            )
        said = {"reached": True, "solved": one.solved, "satisfied": one.satisfied}
        found.append(("called_back", one.taker, {"at": one.heard.isoformat(), "to": state, **said}, {}))
    return found


def _demand(session: Session, regime: Regime, one: PastCall) -> _Told:
    hotline = regime.hotline
    for field, value, listed in (
        ("kind", one.kind, hotline.kinds),
        ("urgency", one.urgency, hotline.urgencies),
    ):
        if value not in [known.key for known in listed]:
            raise BadFieldError(
                field, Text(f"没有 {value[:40]} 这一类", f"there is no {field} {value[:40]}.")
            )
    clock = hotline.clock(one.kind, one.urgency)
    data: dict[str, Any] = {
        "at": one.at.isoformat(), "kind": one.kind, "urgency": one.urgency,
        "dispatch": [clock.dispatch.unit, clock.dispatch.amount],
        "reply": [clock.reply.unit, clock.reply.amount],
    }  # fmt: skip
    said = {"description": needed("description", one.words)}
    if not one.case:
        if answer := words.check_words("words", one.answer):
            said["words"] = answer
        data |= {"area": one.area} if one.area else {}
        return "answered", one.taker, data | {"to": "answered"}, said
    body = session.scalar(select(CASES.c.body).where(CASES.c.number == one.case))
    if body is None:
        raise BadFieldError("case", Text(f"没有案件 {one.case[:40]}", f"there is no case {one.case[:40]}."))
    case = decode(body)
    data |= {"to": "in_case", "case": case.number, "area": case.area, "joined": case.main is not None}
    if case.cell is not None:
        data |= {"cell": str(case.cell), "level": case.level}
    return "made_case", one.taker, data, said
