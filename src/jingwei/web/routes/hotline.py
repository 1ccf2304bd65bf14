"""The hotline: calls, what is answered, what becomes a case, and what callers say afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from jingwei import access
from jingwei.cases import Case, duplicates, plain, policy, proposing, words
from jingwei.cases.calendar import instant, moment
from jingwei.cases.citizens import check_place
from jingwei.cases.hotline import policy as rules
from jingwei.cases.hotline.call import Call
from jingwei.cases.hotline.calls import Choice, Listed, draw, earlier, listed, one_listed
from jingwei.cases.hotline.switchboard import Demand, Switchboard, Told, is_to_be_asked
from jingwei.cases.schemas import Report
from jingwei.city import City
from jingwei.records import now_utc
from jingwei.web.policies import allowed, filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES, DeskOf
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.public_reports import Latitude, Longitude, outline_of
from jingwei.web.texts import TextOut, text_out

router = APIRouter(prefix="/hotline", tags=["hotline"], responses=FAILURES)
shows = [filtered(rules.READ)]
takes = [allowed(rules.TAKE, CITY)]

MOST = 100


async def switchboard_of(request: Request) -> Switchboard:
    """Return where calls are taken."""
    found: Switchboard = request.app.state.switchboard
    return found


SwitchboardOf = Annotated[Switchboard, Depends(switchboard_of)]
Number = Annotated[str, Path(max_length=40, examples=["H2026110300001"])]
Seen = Annotated[int, Field(ge=1, le=100_000, description="The step of the call that one saw")]
Words = Annotated[str, Field(max_length=4000)]
Key = Annotated[str, Field(max_length=20, pattern="^[a-z_]*$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CallIn(_In):
    """A call that is taken."""

    caller: str = Field(default="", max_length=40, description="The number it comes from; empty if not shown")
    channel: Literal["phone", "message", "visit"] = "phone"
    waited: int | None = Field(default=None, ge=0, le=7200, description="Seconds that the caller waited")
    source_key: str | None = Field(default=None, max_length=200, description="Its number at the exchange")


class LostIn(_In):
    """A call that was given up before anybody answered, as the telephone exchange tells it."""

    where: Literal["menu", "queue"]
    caller: str = Field(default="", max_length=40)
    waited: int | None = Field(default=None, ge=0, le=7200)
    source_key: str | None = Field(default=None, max_length=200)
    at: AwareDatetime | None = None


class UseIn(_In):
    """An article that served a call; `helped` where the call-taker said so."""

    article: int = Field(ge=1, le=2**53)
    helped: bool | None = None


class DemandIn(_In):
    """What a caller wants. Coordinates are degrees, WGS84."""

    seen: Seen
    kind: Key = Field(examples=["consult"])
    urgency: Key = Field(examples=["ordinary"])
    words: Words = Field(description="What the caller said")
    lon: float | None = Field(default=None, ge=-180, le=180)
    lat: float | None = Field(default=None, ge=-90, le=90)
    area: str = Field(default="", max_length=15, description="The area's code, where no place is known")
    articles: list[UseIn] = Field(default=[], max_length=10)

    def demand(self) -> Demand:
        """Return it as the switchboard takes it."""
        uses = [(one.article, one.helped) for one in self.articles]
        return Demand(self.kind, self.urgency, self.words, self.lon, self.lat, self.area, uses)


class AnswerIn(DemandIn):
    """A direct answer."""

    answer: Words = ""


class CaseIn(DemandIn):
    """A case that is made of a call."""

    case_kind: Literal["component", "matter"]
    type: str = Field(max_length=5, examples=["06001"])
    join: str = Field(default="", max_length=40, description="An open case of the same, to be joined")
    wishes: list[Literal["received", "progress", "done"]] = Field(
        default=[], max_length=3, description="Of what the caller wants to be told by SMS"
    )
    language: Literal["zh", "en"] = "zh"


class ReasonIn(_In):
    """A reason in words."""

    seen: Seen
    reason: Words


class ReplyIn(_In):
    """That a caller was told what becomes of the demand."""

    seen: Seen
    reached: bool
    words: Words = ""


class CaseReplyIn(_In):
    """That all who called about a case were told."""

    reached: bool
    words: Words = ""


class RepliedOut(BaseModel):
    """How many calls were about the case."""

    calls: int


class CallBackIn(_In):
    """What a caller said: solved and satisfied are two answers."""

    seen: Seen
    reached: bool
    solved: Literal["", "yes", "no", "unclear"] = ""
    satisfied: Literal["", "yes", "no", "unclear"] = ""
    words: Words = ""
    reopen: bool = Field(default=False, description="Not solved: take the case up again")


class ReviewIn(_In):
    """The points of each item of the sheet in force."""

    seen: Seen
    scores: dict[Key, Annotated[int, Field(ge=0, le=100)]] = Field(max_length=30)
    words: Words = ""


class PurposeIn(_In):
    """What a number is read for."""

    purpose: str = Field(min_length=1, max_length=200)


class CallerIn(_In):
    """Whose earlier calls are wanted; in the body, so that no number stands in an address."""

    caller: str = Field(max_length=40)


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


class NumberOut(BaseModel):
    """A caller's number."""

    caller: str


class NearCase(BaseModel):
    """An open case nearby that may be of the same."""

    number: str
    title: TextOut
    type: TextOut
    metres: float
    words: str
    why: TextOut


class TypeProposed(BaseModel):
    """A type that the demand may be of."""

    kind: str
    code: str
    name: TextOut
    why: TextOut


class AroundOut(BaseModel):
    """What a demand may be of, and what is open there already."""

    types: list[TypeProposed]
    near: list[NearCase]


# calls come


@router.post("/calls", summary="Take a call", status_code=201, dependencies=takes)
def take_call(city: CityOf, board: SwitchboardOf, asker: AskerOf, body: CallIn) -> CallOut:
    """Take a call; one of which the exchange told before by the same key is taken once."""
    return _done(city, board, asker, lambda session: board.take(session, asker, **body.model_dump()))


@router.post("/calls/lost", summary="Note a call that was given up", status_code=201, dependencies=takes)
def note_lost_call(city: CityOf, board: SwitchboardOf, asker: AskerOf, body: LostIn) -> CallOut:
    """Note a call that nobody answered: for telephone exchanges, by a token."""
    return _done(city, board, asker, lambda session: board.lose(session, asker, **body.model_dump()))


@router.post("/callers", summary="Earlier calls of a number", dependencies=shows)
def read_caller(city: CityOf, board: SwitchboardOf, asker: AskerOf, body: CallerIn) -> list[CallLine]:
    """Return the newest calls of a number; found by its keyed digest, for who may see them."""
    with city.records.read() as session:
        digest = board.digest_of(body.caller)
        found = earlier(session, board, asker, digest) if digest else []
        return _lines(session, board, asker, found)


@router.get("/calls", summary="A list of calls", dependencies=shows)
def list_calls(
    city: CityOf,
    board: SwitchboardOf,
    asker: AskerOf,
    state: Annotated[list[Literal["taken", "answered", "in_case", "dismissed", "lost"]], Query()] = [],  # noqa: B006
    waiting: Annotated[
        Literal["", "reply", "call_back", "review"], Query(description="Only what waits for that")
    ] = "",
    mine: Annotated[bool, Query(description="Only those that the asker took")] = False,
    number: Annotated[list[Annotated[str, Field(max_length=40)]], Query(max_length=MOST)] = [],  # noqa: B006
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    beyond: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of another page")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 30,
) -> CallsOut:
    """Return calls that the asker may see, the newest first."""
    choice = Choice(
        states=tuple(state), waiting=waiting, taker=asker.id if mine else None, numbers=tuple(number),
        since=None if since is None else instant(since), until=None if until is None else instant(until),
    )  # fmt: skip
    with city.records.read() as session:
        found, mark = listed(session, board, asker, choice, beyond=beyond, limit=limit)
        return CallsOut(calls=_lines(session, board, asker, found), next=mark)


@router.get("/calls/draw", summary="Draw a call to review", dependencies=shows)
def draw_call(city: CityOf, board: SwitchboardOf, asker: AskerOf) -> CallsOut:
    """Return one of the last week's calls that nobody reviewed, at random, and none of the asker's own."""
    with city.records.read() as session:
        found = draw(session, board, asker)
        return CallsOut(calls=_lines(session, board, asker, found), next=None)


@router.get("/around", summary="What a demand may be of", dependencies=[filtered(policy.READ)])
def read_hotline_around(
    city: CityOf,
    desk: DeskOf,
    asker: AskerOf,
    words: Annotated[str, Query(max_length=400)] = "",
    lon: Longitude | None = None,
    lat: Latitude | None = None,
    kind: Annotated[str, Query(max_length=10)] = "",
    type: Annotated[str, Query(max_length=5)] = "",  # noqa: A002
) -> AroundOut:
    """Return types proposed from words and place, and open cases nearby that may be of the same."""
    place = (lon, lat) if lon is not None and lat is not None else None
    near = []
    with city.records.read() as session:
        regime = desk.regime(session)
        if place is not None:
            check_place(regime.settings, desk.ground(session), *place, outline_of(city))
        types = proposing.types_for(session, regime, words, place)
        about = Report(kind, type, "hotline", words, *(place or (None, None)))
        for one in duplicates.proposals(session, regime, about, at=now_utc()):
            if not desk.may_read(session, asker, one.number):
                continue
            case = desk.get(session, asker, one.number)
            if not case.stands.terminal:
                near.append(_near_out(session, desk, case, one))
    proposed = [
        TypeProposed(
            kind=one.type.kind, code=one.type.code, name=text_out(one.type.name), why=text_out(one.why)
        )
        for one in types
    ]
    return AroundOut(types=proposed, near=near)


def _near_out(session: Session, desk: DeskOf, case: Case, one: duplicates.Proposal) -> NearCase:
    type_ = desk.regime(session).catalogue.get(case.kind, case.type)
    said = words.descriptions(session, [case.number]).get(case.number, "")
    return NearCase(
        number=case.number, title=text_out(plain.says(case.state)["title"]), type=text_out(type_.name),
        metres=one.metres, words=said, why=text_out(one.why),
    )  # fmt: skip


# one call


@router.get("/calls/{number}", summary="A call", dependencies=shows)
def read_call(city: CityOf, board: SwitchboardOf, asker: AskerOf, number: Number) -> CallOut:
    """Return a call with all that happened, and earlier calls of the same number."""
    with city.records.read() as session:
        return _call_out(session, board, asker, board.get(session, asker, number))


@router.post("/calls/{number}/answer", summary="Answer at once", dependencies=takes)
def answer_call(
    city: CityOf, board: SwitchboardOf, asker: AskerOf, number: Number, body: AnswerIn
) -> CallOut:
    """Note the answer that the caller was given; that ends the call."""
    demand = body.demand()
    return _done(
        city, board, asker,
        lambda session: board.answer(session, asker, number, demand, body.answer, seen=body.seen),
    )  # fmt: skip


@router.post("/calls/{number}/case", summary="Make a case of a call", dependencies=takes)
def make_case(city: CityOf, board: SwitchboardOf, asker: AskerOf, number: Number, body: CaseIn) -> CallOut:
    """Make a case of a call in the one pool; the code to follow it by is told once, for the caller."""
    with city.records.write() as session:
        call, _, code = board.make_case(
            session, asker, number, body.demand(), (body.case_kind, body.type), seen=body.seen,
            join=body.join, wishes=body.wishes, language=body.language, boundary=outline_of(city),
        )  # fmt: skip
    with city.records.read() as session:
        return _call_out(session, board, asker, call).model_copy(update={"code": code})


@router.post("/calls/{number}/dismiss", summary="End a call without a demand", dependencies=takes)
def dismiss_call(
    city: CityOf, board: SwitchboardOf, asker: AskerOf, number: Number, body: ReasonIn
) -> CallOut:
    """End a call that holds no demand, for a reason."""
    return _done(
        city, board, asker, lambda session: board.dismiss(session, asker, number, body.reason, seen=body.seen)
    )


@router.post("/calls/{number}/reply", summary="Tell the caller", dependencies=shows)
def reply_to_caller(
    city: CityOf, board: SwitchboardOf, asker: AskerOf, number: Number, body: ReplyIn
) -> CallOut:
    """Note that the caller was told what becomes of the demand."""
    return _done(
        city, board, asker,
        lambda session: board.reply(session, asker, number, body.words, reached=body.reached, seen=body.seen),
    )  # fmt: skip


@router.post(
    "/cases/{number}/reply", summary="Tell the callers of a case", dependencies=[filtered(rules.REPLY)]
)
def reply_to_callers(
    city: CityOf, board: SwitchboardOf, asker: AskerOf, number: Number, body: CaseReplyIn
) -> RepliedOut:
    """Note that all who called about a case were told, by the hotline or the department that handles it."""
    with city.records.write() as session:
        told = board.reply_for_case(session, asker, number, body.words, reached=body.reached)
    return RepliedOut(calls=len(told))


@router.post("/calls/{number}/call-back", summary="Call back", dependencies=[filtered(rules.CALL_BACK)])
def call_back(
    city: CityOf, board: SwitchboardOf, asker: AskerOf, number: Number, body: CallBackIn
) -> CallOut:
    """Note what the caller said when asked afterwards; “not solved” may take up the case again."""
    told = Told(body.reached, body.solved, body.satisfied, body.words, body.reopen)
    return _done(
        city, board, asker, lambda session: board.call_back(session, asker, number, told, seen=body.seen)
    )


@router.post("/calls/{number}/review", summary="Review a call", dependencies=[filtered(rules.REVIEW)])
def review_call(
    city: CityOf, board: SwitchboardOf, asker: AskerOf, number: Number, body: ReviewIn
) -> CallOut:
    """Review a call by the sheet in force; nobody reviews his own."""
    return _done(
        city, board, asker,
        lambda session: board.review(session, asker, number, body.scores, body.words, seen=body.seen),
    )  # fmt: skip


@router.post("/calls/{number}/exempt", summary="Leave a call out", dependencies=[filtered(rules.EXEMPT)])
def exempt_call(
    city: CityOf, board: SwitchboardOf, asker: AskerOf, number: Number, body: ReasonIn
) -> CallOut:
    """Leave a call out of the rates, for a reason."""
    return _done(
        city, board, asker, lambda session: board.exempt(session, asker, number, body.reason, seen=body.seen)
    )


@router.post("/calls/{number}/number", summary="Read a caller's number", dependencies=shows)
def read_number(
    city: CityOf, board: SwitchboardOf, asker: AskerOf, number: Number, body: PurposeIn
) -> NumberOut:
    """Return the number as it is, to who may see it for a purpose; the log keeps that it was read."""
    with city.records.write() as session:
        return NumberOut(caller=board.read_number(session, asker, number, body.purpose))


# told


def _done(city: City, board: Switchboard, asker: access.Asker, do: Callable[[Session], Call]) -> CallOut:
    with city.records.write() as session:
        call = do(session)
    with city.records.read() as session:
        return _call_out(session, board, asker, call)


def _lines(
    session: Session, board: Switchboard, asker: access.Asker, found: Sequence[Listed]
) -> list[CallLine]:
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


def _call_out(session: Session, board: Switchboard, asker: access.Asker, call: Call) -> CallOut:
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
        names=access.names_of(session, people), earlier=_lines(session, board, asker, before),
    )  # fmt: skip
