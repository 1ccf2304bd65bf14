"""The clock of a fictional city: an instant of its own, which steps on, stands, or runs faster than ours.

It only ever goes forward, and never runs more than `AHEAD` before the present. A real city has no other clock
than the present.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei import ledger
from jingwei.city.living import policy  # noqa: F401 -- declares who may set it
from jingwei.city.models import ClockRow
from jingwei.errors import BadRequestError, ConflictError
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.city.service import City

AHEAD = timedelta(days=7)
"""How far the city's clock may run before the present."""
SLOWEST, FASTEST = 0.1, 600.0
LOOK = 0.5
"""Seconds for which a clock is taken to be as it was read."""


class NoClockError(ConflictError):
    """A real city has no clock that could be set."""

    code = "city-clock-real"

    def __init__(self) -> None:
        super().__init__(
            Text("真实城市的时间就是现在，不能调整", "the time of a real city is now; it cannot be set."),
            mend=Text("只有演示城市有自己的时钟。", "Only a demo city has a clock of its own."),
        )


class ClockBackwardsError(BadRequestError):
    """The clock was to go back."""

    code = "city-clock-backwards"

    def __init__(self, to: datetime, now: datetime) -> None:
        super().__init__(
            Text("城市时钟只能向前", "the city's clock only goes forward."),
            mend=Text(f"请给出晚于 {now.isoformat()} 的时刻。", f"Name an instant after {now.isoformat()}."),
            where={"field": "to", "to": to.isoformat(), "now": now.isoformat()},
        )


class ClockAheadError(ConflictError):
    """The clock was to run too far before the present."""

    code = "city-clock-ahead"

    def __init__(self, to: datetime, until: datetime) -> None:
        super().__init__(
            Text(
                f"城市时钟最多比现实早 {AHEAD.days} 天",
                f"the city's clock runs at most {AHEAD.days} days before the present.",
            ),
            mend=Text(
                f"请给出不晚于 {until.isoformat()} 的时刻，或过几天再试。",
                f"Name an instant up to {until.isoformat()}, or try again in some days.",
            ),
            where={"field": "to", "to": to.isoformat(), "until": until.isoformat()},
        )


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock as it was set.

    Attributes
    ----------
    since
        The present instant from which on it goes.
    at
        The city's instant at that moment.
    speed
        Seconds of the city in one of ours.
    paused
        Whether it stands.
    closed
        Whether the city was closed since: it stands, and goes on when the city is opened.

    """

    since: datetime
    at: datetime
    speed: float = 1.0
    paused: bool = False
    closed: bool = False

    def now(self, present: datetime) -> datetime:
        """Return the city's instant at a present one."""
        if self.paused or self.closed:
            return self.at
        passed = max(present - self.since, timedelta(0))
        return max(self.at, min(self.at + passed * self.speed, present + AHEAD))

    def moved(self, present: datetime, **change: Any) -> Clock:
        """Return this clock as it goes on from a present instant, with some of it changed."""
        return replace(self, since=present, at=self.now(present), **change)

    def opened(self, present: datetime) -> Clock:
        """Return this clock when the city is opened: it is never behind the present, unless it stands."""
        at = self.now(present)
        return replace(self, since=present, at=at if self.paused else max(at, present), closed=False)


def read(session: Session) -> Clock | None:
    """Return the clock of a city; None where it was never set going."""
    row = session.scalar(select(ClockRow).limit(1))
    if row is None:
        return None
    return Clock(row.since, row.at, row.speed, row.paused, row.closed)


def change(
    session: Session,
    asker: Asker,
    *,
    generated: bool,
    speed: float | None = None,
    paused: bool | None = None,
    to: datetime | None = None,
    present: datetime | None = None,
) -> Clock:
    """Set the clock, which begins to go if it never did; return it.

    Parameters
    ----------
    session, asker
        In what, and on whose behalf; the policies were asked before.
    generated
        Whether the city is fictional.
    speed, paused
        How it goes from now on; as before where they are left out.
    to
        The city's instant to go on from.
    present
        The present instant.

    Raises
    ------
    NoClockError, BadRequestError, ClockBackwardsError, ClockAheadError

    """
    if not generated:
        raise NoClockError
    present = present or now_utc()
    was = read(session)
    clock = (was or Clock(present, present)).moved(present, closed=False)
    if speed is not None:
        clock = replace(clock, speed=_checked(speed))
    if paused is not None:
        clock = replace(clock, paused=paused)
    if to is not None:
        if to < clock.at:
            raise ClockBackwardsError(to, clock.at)
        if to > present + AHEAD:
            raise ClockAheadError(to, present + AHEAD)
        clock = replace(clock, at=to)
    keep(session, clock)
    ledger.append(
        session, "city.clock_set", actor=asker.id, subject="city/clock",
        data={"at": clock.at.isoformat(), "speed": clock.speed, "paused": clock.paused},
    )  # fmt: skip
    return clock


def _checked(speed: float) -> float:
    if not SLOWEST <= speed <= FASTEST:
        raise BadRequestError(
            Text(
                f"倍速应在 {SLOWEST:g} 至 {FASTEST:g} 之间", f"the speed is from {SLOWEST:g} to {FASTEST:g}."
            ),
            where={"field": "speed"},
        )
    return speed


def keep(session: Session, clock: Clock) -> None:
    """Keep a clock."""
    row = session.scalar(select(ClockRow).limit(1))
    if row is None:
        row = ClockRow(id=1)
        session.add(row)
    row.since, row.at, row.speed = clock.since, clock.at, clock.speed
    row.paused, row.closed = clock.paused, clock.closed


class Timekeeper:
    """Tells what time it is in a city: in a real one the present, in a fictional one what its clock says.

    Safe to share between threads; cheap enough to be asked with every batch of readings.
    """

    def __init__(self, city: City, present: Callable[[], datetime] = now_utc) -> None:
        self._city = city
        self._present = present
        self._guard = threading.Lock()
        self._clock: Clock | None = None
        self._looked = float("-inf")

    def clock(self) -> Clock | None:
        """Return the city's clock; None where it has none, or it was never set going."""
        if not self._city.about.generated:
            return None
        with self._guard:
            if time.monotonic() - self._looked > LOOK:
                with self._city.records.read() as session:
                    self._clock = read(session)
                self._looked = time.monotonic()
            return self._clock

    def forget(self) -> None:
        """Read the clock anew when it is asked for next."""
        with self._guard:
            self._looked = float("-inf")

    def now(self) -> datetime:
        """Return the city's instant."""
        present, clock = self._present(), self.clock()
        return present if clock is None else clock.now(present)

    def latest(self) -> datetime:
        """Return the later of the city's instant and the present: what comes after it lies in the future."""
        return max(self._present(), self.now())

    def open(self) -> None:
        """Let a clock that was closed go on."""
        self._moved(lambda clock, present: clock.opened(present))

    def close(self) -> None:
        """Let the clock stand while the city is closed."""
        self._moved(lambda clock, present: clock.moved(present, closed=True))

    def _moved(self, move: Callable[[Clock, datetime], Clock]) -> None:
        if not self._city.about.generated:
            return
        with self._city.records.write() as session:
            clock = read(session)
            if clock is not None:
                keep(session, move(clock, self._present()))
        self.forget()
