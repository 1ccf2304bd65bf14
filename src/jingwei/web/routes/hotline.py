"""The hotline: calls, what is answered, what becomes a case, and what callers say afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from jingwei import access
from jingwei.cases.calendar import instant
from jingwei.cases.hotline import policy as rules
from jingwei.cases.hotline.afterwards import Told
from jingwei.cases.hotline.call import Call
from jingwei.cases.hotline.calls import Choice, draw, earlier, listed
from jingwei.cases.hotline.switchboard import Demand, Switchboard
from jingwei.city import City
from jingwei.web.hotline_out import CallLine, CallOut, CallsOut, call_out, lines_out
from jingwei.web.policies import allowed, filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.public_reports import outline_of

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


class NumberOut(BaseModel):
    """A caller's number."""

    caller: str


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
        return lines_out(session, board, asker, found)


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
        return CallsOut(calls=lines_out(session, board, asker, found), next=mark)


@router.get("/calls/draw", summary="Draw a call to review", dependencies=shows)
def draw_call(city: CityOf, board: SwitchboardOf, asker: AskerOf) -> CallsOut:
    """Return one of the last week's calls that nobody reviewed, at random, and none of the asker's own."""
    with city.records.read() as session:
        found = draw(session, board, asker)
        return CallsOut(calls=lines_out(session, board, asker, found), next=None)


# one call


@router.get("/calls/{number}", summary="A call", dependencies=shows)
def read_call(city: CityOf, board: SwitchboardOf, asker: AskerOf, number: Number) -> CallOut:
    """Return a call with all that happened, and earlier calls of the same number."""
    with city.records.read() as session:
        return call_out(session, board, asker, board.get(session, asker, number))


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
        return call_out(session, board, asker, call).model_copy(update={"code": code})


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
        return call_out(session, board, asker, call)
