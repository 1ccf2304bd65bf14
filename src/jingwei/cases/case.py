"""What is known of one case: nothing but what its events made of it."""

from __future__ import annotations

import msgspec

from jingwei.cases.clocks import Limit, Stage, Turn
from jingwei.cases.lifecycle import STATES, State


class Part(msgspec.Struct, array_like=True):
    """A co-handling department's part of a case: `open`, `finished`, `returned` or `released`."""

    department: str
    state: str
    turn: int
    """Index of its clock among the turns of the case."""


class Petition(msgspec.Struct, array_like=True):
    """An extension, a suspension or an appeal: `asked`, `supported`, `granted` or `refused`."""

    kind: str
    state: str
    by: str
    at: int
    days: int = 0


class Order(msgspec.Struct, array_like=True):
    """An order of supervision (督办): by whom, when, until when, and when it was replied to."""

    by: str
    at: int
    due: int | None = None
    replied: int | None = None


class Case(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A case. Instants are microseconds since 1970 UTC; people and departments are identifiers.

    Attributes
    ----------
    step
        How many events it has; who acts names the one he saw last.
    before
        The state to which a suspension leads back.
    returned_by
        Who returned it, while it is `returned`: `department` or `dispatcher`.
    now
        Index of the turn whose clock is that of the present state, -1 for none.
    paused
        Indices of the turns that a suspension stopped.
    did
        For each step, who took it.
    bars
        For each step, who may not take it next, after a return.
    main
        The case that this one was merged into; `others` the reverse.
    unlike
        Cases that people found to be of something else, though they look alike.
    stated_late
        For a case imported as it stood: whether its source says that it was late.
    disputed, verdicts_since
        How often who reported it said that it was not solved, and how many checks there were since.
    hidden
        Who keeps it from the public: `reporter` or `staff`; empty where nobody does.
    published
        The step whose words are for the public; 0 for none.
    shown
        Photographs for the public.

    """

    number: str
    step: int = 0
    state: str = ""
    before: str = ""
    returned_by: str = ""
    kind: str = ""
    type: str = ""
    source: str = ""
    source_key: str | None = None
    reporter: str | None = None
    collector: str | None = None
    cell: int | None = None
    level: int | None = None
    area: str = ""
    where: str = ""
    component: str | None = None
    rule: str | None = None
    limit: Limit | None = None
    department: str | None = None
    departments: list[str] = []
    proposed: str | None = None
    handler: str | None = None
    parts: list[Part] = []
    turns: list[Turn] = []
    now: int = -1
    paused: list[int] = []
    resume: int | None = None
    petitions: list[Petition] = []
    orders: list[Order] = []
    did: dict[str, list[str]] = {}
    bars: dict[str, list[str]] = {}
    main: str | None = None
    others: list[str] = []
    unlike: list[str] = []
    followers: list[str] = []
    finding: str | None = None
    findings: int = 0
    verdict: str | None = None
    verdicts: list[str] = []
    returns: int = 0
    reworks: int = 0
    reopened: int = 0
    result_score: int | None = None
    service_score: int | None = None
    stated_late: bool | None = None
    disputed: int = 0
    verdicts_since: int = 0
    hidden: str = ""
    published: int = 0
    shown: list[str] = []
    at: dict[str, int] = {}
    """When each event of the case happened last, by the event's name; `first.<name>` when first."""

    @property
    def stands(self) -> State:
        """The state, with all that the table says of it."""
        return STATES[self.state]

    @property
    def current(self) -> Turn | None:
        """The turn of the present state, if it has a clock."""
        return self.turns[self.now] if self.now >= 0 else None

    def open_parts(self) -> list[Part]:
        """Return the parts of co-handlers that are not done."""
        return [part for part in self.parts if part.state == "open"]

    def part_of(self, department: str) -> Part | None:
        """Return the newest part of a co-handling department."""
        found = [part for part in self.parts if part.department == department]
        return found[-1] if found else None

    def last_turn(self, stage: Stage) -> Turn | None:
        """Return the newest turn of a stage."""
        found = [turn for turn in self.turns if turn.stage == stage]
        return found[-1] if found else None

    def asked(self, kind: str) -> Petition | None:
        """Return the petition of a kind that waits for an answer."""
        for one in reversed(self.petitions):
            if one.kind == kind and one.state in ("asked", "supported"):
                return one
        return None

    def granted(self, kind: str) -> int:
        """Return how many petitions of a kind were granted."""
        return sum(one.kind == kind and one.state == "granted" for one in self.petitions)


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Case)


def encode(case: Case) -> bytes:
    """Write a case as it is kept."""
    return _ENCODER.encode(case)


def decode(body: bytes | str) -> Case:
    """Read a case as it is kept."""
    return _DECODER.decode(body)
