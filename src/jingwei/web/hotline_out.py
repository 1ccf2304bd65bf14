"""Calls of the hotline as they travel, with their cases in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from jingwei import access
from jingwei.cases import Case, duplicates, plain, words
from jingwei.cases.calendar import instant, moment
from jingwei.cases.hotline.afterwards import is_to_be_asked
from jingwei.cases.hotline.call import Call
from jingwei.cases.hotline.calls import Listed, earlier, one_listed
from jingwei.cases.hotline.switchboard import Switchboard
from jingwei.records import now_utc
from jingwei.web.texts import TextOut, text_out


class ShortCase(BaseModel):
    """How the case of a call stands, in plain words."""

    number: str
    step: int
    state: str
    title: TextOut
    type: TextOut
    department: str | None
    ended: bool


class CallLine(BaseModel):
    """A call in a list. The number it came from is masked."""

    number: str
    step: int
    state: str
    channel: str
    caller: str | None
    began: datetime
    taker: str | None
    kind: str
    urgency: str
    area: str
    words: str
    case: ShortCase | None
    due: datetime | None = Field(description="Until when the caller is to be answered, while that waits")
    late: bool
    replied: bool
    asked: bool = Field(description="Whether the caller was called back")
    to_be_asked: bool = Field(description="Whether the caller can be called back now")
    reviewed: bool
    exempt: bool
    lost: str


class BackOut(BaseModel):
    """A call-back."""

    at: datetime
    by: str
    reached: bool
    solved: str
    satisfied: str
    reopened: bool


class ReviewOut(BaseModel):
    """A review; `sheet` is the version of the settings with its items."""

    at: datetime
    by: str
    sheet: int
    scores: dict[str, int]
    points: int
    most: int


class WrittenOut(BaseModel):
    """What was written at a step of a call."""

    step: int
    field: str
    words: str


class CallOut(CallLine):
    """A call with all that happened."""

    lon: float | None
    lat: float | None
    joined: bool
    waited: int | None
    hands: list[str]
    articles: list[list[int | bool | None]]
    backs: list[BackOut]
    reviews: list[ReviewOut]
    written: list[WrittenOut]
    names: dict[str, str] = Field(description="Names of the people that are named")
    earlier: list[CallLine] = Field(description="Calls of the same number, the newest first")
    code: str | None = Field(default=None, description="By which the caller follows the case; told once")


class CallsOut(BaseModel):
    """A page of calls, the newest first."""

    calls: list[CallLine]
    next: int | None = Field(description="Go on `beyond` this")


def lines_out(
    session: Session, board: Switchboard, asker: access.Asker, found: Sequence[Listed]
) -> list[CallLine]:
    """Return calls as a list tells them; numbers masked as the policies say."""
    shown = board.shown_numbers(session, asker, [(one.call.number, one.sealed) for one in found])
    said = words.descriptions(session, [one.call.number for one in found])
    return [
        CallLine(**_line(session, board, asker, one.call, caller, said.get(one.call.number, "")))
        for one, caller in zip(found, shown, strict=True)
    ]


def _line(
    session: Session, board: Switchboard, asker: access.Asker, call: Call, caller: str | None, said: str
) -> dict[str, Any]:
    regime = board.desk.regime(session)
    turn, now = call.turn, instant(now_utc())
    waits = turn is not None and turn.running
    case = board.case_of(session, call)
    return {
        "number": call.number, "step": call.step, "state": call.state, "channel": call.channel,
        "caller": caller, "began": moment(call.began), "taker": call.taker, "kind": call.kind,
        "urgency": call.urgency, "area": call.area, "words": said,
        "case": _short_case(session, board, asker, case),
        "due": moment(turn.due(regime.calendar)) if turn is not None and waits else None,
        "late": turn is not None and not turn.on_time(regime.calendar, now), "replied": call.reached,
        "asked": call.heard is not None, "to_be_asked": is_to_be_asked(call, case),
        "reviewed": bool(call.reviews), "exempt": call.exempt,
        "lost": call.lost,
    }  # fmt: skip


def _short_case(
    session: Session, board: Switchboard, asker: access.Asker, case: Case | None
) -> ShortCase | None:
    if case is None or not board.desk.may_read(session, asker, case.number):
        return None
    type_ = board.desk.regime(session).catalogue.get(case.kind, case.type)
    return ShortCase(
        number=case.number, step=case.step, state=case.state, title=text_out(plain.says(case.state)["title"]),
        type=text_out(type_.name), department=case.department, ended=case.stands.terminal,
    )  # fmt: skip


def call_out(session: Session, board: Switchboard, asker: access.Asker, call: Call) -> CallOut:
    """Return a call with all that happened, as far as an asker may know of it."""
    kept = one_listed(session, call.number)
    caller = board.shown_numbers(session, asker, [(call.number, kept.sealed)])[0]
    written = words.words_of(session, call.number)
    said = next((text for (_, field), text in written.items() if field == "description"), "")
    people = {*call.hands, *(one.by for one in call.backs), *(one.by for one in call.reviews)}
    before = earlier(session, board, asker, kept.caller, but=call.number) if kept.caller else []
    lon, lat = duplicates.place_of(call) or (None, None)
    return CallOut(
        **_line(session, board, asker, call, caller, said), lon=lon, lat=lat, joined=call.joined,
        waited=call.waited, hands=call.hands,
        articles=[[one.article, one.version, one.helped] for one in call.articles],
        backs=[
            BackOut(
                at=moment(one.at), by=one.by, reached=one.reached, solved=one.solved,
                satisfied=one.satisfied, reopened=one.reopened,
            )
            for one in call.backs
        ],
        reviews=[
            ReviewOut(
                at=moment(one.at), by=one.by, sheet=one.sheet, scores=one.scores, points=one.points,
                most=one.most,
            )
            for one in call.reviews
        ],
        written=[
            WrittenOut(step=step, field=field, words=text) for (step, field), text in sorted(written.items())
        ],
        names=access.names_of(session, people), earlier=lines_out(session, board, asker, before),
    )  # fmt: skip
