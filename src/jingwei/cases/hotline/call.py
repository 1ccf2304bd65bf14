"""A call: nothing but what its events made of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from jingwei.cases.calendar import instant
from jingwei.cases.clocks import Limit, Run, Turn

PREFIX = "hotline."
SUBJECT = "call/"

STATES = ("taken", "answered", "in_case", "dismissed", "lost")
"""With the call-taker; answered at once; in a case; of no demand; given up before anybody answered."""

WHILE_IT_LASTS = ("taken", "answered", "made_case", "dismissed")
"""Events of the call itself: who caused one does not review it."""


class Use(msgspec.Struct, array_like=True):
    """An article that served a call, in which version, and whether it helped (None: not said)."""

    article: int
    version: int
    helped: bool | None = None


class CallBack(msgspec.Struct, array_like=True):
    """What a caller said when asked afterwards: solved and satisfied are two answers."""

    at: int
    by: str
    reached: bool
    solved: str = ""
    satisfied: str = ""
    reopened: bool = False


class Review(msgspec.Struct, array_like=True):
    """How a reviewer found a call, by which version of the sheet."""

    at: int
    by: str
    sheet: int
    scores: dict[str, int]
    points: int
    most: int


class Call(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A call. Instants are microseconds since 1970 UTC.

    Attributes
    ----------
    kind, urgency
        Of what kind the demand is, and how pressing.
    taker, hands
        Who took it; all who had a part in it while it lasted.
    case, joined
        The case that it became, and whether that joined another one.
    area, cell, level
        Where the demand is, as far as known.
    dispatch
        Within how long its case is to be dispatched.
    turn
        The clock of the reply; it ends when the caller is answered.
    reached
        Whether the caller heard a reply.
    lost
        Where it was given up: in the `menu` or in the `queue`.
    waited
        Seconds until it was answered, or given up.
    exempt
        Not counted in the rates, for a reason that was given.

    """

    number: str
    step: int = 0
    state: str = ""
    channel: str = ""
    taker: str | None = None
    hands: list[str] = []
    kind: str = ""
    urgency: str = ""
    area: str = ""
    cell: int | None = None
    level: int | None = None
    case: str | None = None
    joined: bool = False
    articles: list[Use] = []
    dispatch: Limit | None = None
    turn: Turn | None = None
    reached: bool = False
    lost: str = ""
    waited: int | None = None
    backs: list[CallBack] = []
    reviews: list[Review] = []
    exempt: bool = False
    at: dict[str, int] = {}
    """When each event happened last, by its name."""

    @property
    def began(self) -> int:
        """When it came."""
        return self.at["lost" if self.state == "lost" else "taken"]

    @property
    def heard(self) -> CallBack | None:
        """The newest call-back in which the caller answered."""
        return next((one for one in reversed(self.backs) if one.reached), None)


def apply(call: Call, name: str, actor: str, data: Mapping[str, Any]) -> None:
    """Let an event (`hotline.call_<name>`) happen to a call."""
    when = instant(datetime.fromisoformat(data["at"]))
    call.step, call.state, call.at[name] = data["step"], data["to"], when
    if name in WHILE_IT_LASTS and actor not in call.hands:
        call.hands.append(actor)
    if name in ("taken", "lost"):
        call.channel, call.waited = data["channel"], data.get("waited")
        call.taker = actor if name == "taken" else None
        call.lost = data.get("where", "")
    elif name in ("answered", "made_case"):
        _demand(call, name, data, when)
    elif name == "replied":
        call.reached = call.reached or data["reached"]
        if data["reached"] and call.turn is not None and call.turn.running:
            call.turn.runs[-1].end, call.turn.ended = max(when, call.turn.runs[-1].start), "reply"
    elif name == "called_back":
        said = (data.get("solved", ""), data.get("satisfied", ""), data.get("reopened", False))
        call.backs.append(CallBack(when, actor, data["reached"], *said))
    elif name == "reviewed":
        call.reviews.append(
            Review(when, actor, data["sheet"], dict(data["scores"]), data["points"], data["most"])
        )
    elif name == "exempted":
        call.exempt = True


def _demand(call: Call, name: str, data: Mapping[str, Any], when: int) -> None:
    """Let it be known what a call is about, and what was done at once."""
    call.kind, call.urgency = data["kind"], data["urgency"]
    call.area = data.get("area", "")
    if "cell" in data:
        call.cell, call.level = int(data["cell"]), data["level"]
    call.case, call.joined = data.get("case"), data.get("joined", False)
    call.articles = [Use(*one) for one in data.get("articles", [])]
    call.dispatch = Limit(*data["dispatch"])
    call.turn = Turn("reply", "", Limit(*data["reply"]), [Run(call.at["taken"])])
    if name == "answered":
        call.turn.runs[-1].end, call.turn.ended, call.reached = when, "answer", True


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Call)


def encode(call: Call) -> str:
    """Write a call as it is kept."""
    return _ENCODER.encode(call).decode()


def decode(body: str | bytes) -> Call:
    """Read a call as it is kept."""
    return _DECODER.decode(body)
