"""Clocks: how long somebody has for something, what of that is used, and when it is over.

Limits are told in four units, and run in three ways:

- 紧急工作时 `urgent_hour` and 自然日 `natural_day` run always, through nights and holidays;
- 工作时 `work_hour` and 工作日 `work_day` run in working time only; a working day is worth that of one
  ordinary day, so that a case of three in the afternoon with one day is due at three on the next.

A turn is the time during which one holder is responsible for one stage. It runs on through consecutive steps
of the same holder (捆绑计时: assigning, handing back to be done again ...), stops while the case is
suspended or with somebody else, and is judged by what it had used when the holder handed the case on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from jingwei.cases.calendar import DAY, HOUR, Calendar

Unit = Literal["urgent_hour", "work_hour", "work_day", "natural_day"]
UNITS: tuple[Unit, ...] = ("urgent_hour", "work_hour", "work_day", "natural_day")

Stage = Literal[
    "accept",
    "verify",
    "register",
    "dispatch",
    "handle",
    "co_handle",
    "check",
    "field_check",
    "close",
    "overall",
    "reply",
]


class Limit(msgspec.Struct, frozen=True, array_like=True):
    """So many of a unit."""

    unit: Unit
    amount: float

    @property
    def continuous(self) -> bool:
        """Whether it runs through nights and holidays."""
        return self.unit in ("urgent_hour", "natural_day")

    def length(self, calendar: Calendar) -> int:
        """Return the limit in microseconds of its own kind of time."""
        return round(self.amount * self._unit_length(calendar))

    def _unit_length(self, calendar: Calendar) -> int:
        if self.unit == "work_day":
            return calendar.day_length
        return DAY if self.unit == "natural_day" else HOUR


class Run(msgspec.Struct, array_like=True):
    """A stretch during which a turn's clock ran: instants in microseconds; open while it runs."""

    start: int
    end: int | None = None


class Turn(msgspec.Struct, array_like=True):
    """One holder's responsibility for one stage.

    Attributes
    ----------
    stage, owner
        Which stage, and whose: a department's code, or empty for a pool.
    limit
        How long.
    runs
        When it ran, in order.
    extensions
        How many times the limit was granted once more.
    ended
        The action that ended it; empty while it is open.
    warned
        Shares of the limit of which the holder was warned, in percent.

    """

    stage: Stage
    owner: str
    limit: Limit
    runs: list[Run]
    extensions: int = 0
    ended: str = ""
    warned: list[int] = []

    @property
    def running(self) -> bool:
        """Whether its clock runs."""
        return not self.ended and self.runs[-1].end is None

    @property
    def end(self) -> int | None:
        """The instant at which it stopped last, if it does not run."""
        return self.runs[-1].end

    def budget(self, calendar: Calendar) -> int:
        """Return the time granted, with extensions, in microseconds of its own kind."""
        return (1 + self.extensions) * self.limit.length(calendar)

    def used(self, calendar: Calendar, now: int) -> int:
        """Return the time used until `now`, in microseconds of its own kind."""
        return sum(
            measure(self.limit, calendar, run.start, now if run.end is None else run.end) for run in self.runs
        )

    def due(self, calendar: Calendar, share: float = 1.0) -> int:
        """Return when `share` of the time granted is or was over.

        For a turn that stopped before, that is when it would have been over had it run on.
        """
        left = round(share * self.budget(calendar))
        for run, last in _with_last(self.runs):
            used = None if last or run.end is None else measure(self.limit, calendar, run.start, run.end)
            if used is None or used >= left:
                return forward(self.limit, calendar, run.start, left)
            left -= used
        msg = "a turn has at least one run"
        raise ValueError(msg)

    def on_time(self, calendar: Calendar, now: int) -> bool:
        """Say whether the turn has kept its limit, judged when it ended, or by `now` while it goes on.

        That is: whether it ended by `due`. Who has used the limit to its last moment and hands back later is
        late, also where no clock ran in between.
        """
        used, budget = self.used(calendar, now), self.budget(calendar)
        if used != budget:
            return used < budget  # quicker than to look for the deadline
        return (now if self.end is None else self.end) <= self.due(calendar)


def measure(limit: Limit, calendar: Calendar, since: int, until: int) -> int:
    """Return how much of a limit's kind of time lies between two instants, in microseconds."""
    return until - since if limit.continuous else calendar.worked(since, until)


def forward(limit: Limit, calendar: Calendar, since: int, amount: int) -> int:
    """Return when `amount` microseconds of a limit's kind of time after `since` are over."""
    return since + amount if limit.continuous else calendar.advance(since, amount)


def next_warning(turn: Turn, calendar: Calendar, shares: tuple[int, ...]) -> tuple[int, int] | None:
    """Return the instant and the share (percent) of the next warning that is still to be given.

    Shares beyond 100 are steps of escalation.
    """
    if not turn.running:
        return None
    waiting = [share for share in shares if share not in turn.warned]
    if not waiting:
        return None
    share = min(waiting)
    return turn.due(calendar, share / 100), share


def _with_last(runs: list[Run]) -> Iterator[tuple[Run, bool]]:
    for index, run in enumerate(runs):
        yield run, index == len(runs) - 1
