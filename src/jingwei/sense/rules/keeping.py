"""Rules kept up with the readings while a city is open.

Readings are taken from the store in the order in which they came in, by number, so none is missed or asked
twice. When rules change or a process begins, what they would know is gathered again from the last hours of
readings, and held against the alarms that last.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from jingwei.ledger.bell import Bell
from jingwei.ledger.threads import in_thread
from jingwei.sense.readings.columns import joined, rows_of
from jingwei.sense.readings.store import present
from jingwei.sense.rules import raising
from jingwei.sense.rules.binding import Stream, observed_by, streams_of, watched
from jingwei.sense.rules.evaluating import SECOND, Evaluator, Turn
from jingwei.sense.rules.form import rule_of
from jingwei.sense.rules.gating import LiveGate
from jingwei.sense.rules.models import AlarmRow, RuleRow, WatchRow
from jingwei.sense.rules.raising import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

    from sqlalchemy.orm import Session

    from jingwei.records import Records
    from jingwei.sense.readings import Readings
    from jingwei.sense.readings.columns import Rows
    from jingwei.sense.rules.branches import Flows
    from jingwei.sense.rules.grounds import Grounds
    from jingwei.sense.rules.networks import Networks

log = logging.getLogger(__name__)

NAME = "rules"
LOOK = 1.0
"""Seconds after which is looked again, whether readings came or not: silence is heard by the clock."""
PAUSE = 0.2
"""Seconds between two looks at least: the readings that come meanwhile are asked about together."""
REST = 3
"""Times as long as a look took no other is made, up to `LOOK`."""
NOTE = 30.0
"""Seconds after which it is noted how far rules have come, where they said nothing."""
LEAST, MOST = 3600, 86_400
"""Of how many seconds readings are gathered again, at least and at most."""


class RuleKeeper:
    """Asks the rules of a city about every reading.

    Parameters
    ----------
    records, readings, zone
        Of the city.
    rest
        Seconds between two times that streams which changed are taken up: while devices are registered,
        there are always some. Rules that changed are taken up at once.
    clock
        Tells what time it is in the city, UTC microseconds: silence, quiet hours and what ends by itself
        go by it.
    networks
        Of the city's lake; without them no alarms are put together because of a network.
    grounds
        Of the city's lake; without them no rule that asks a dataset begins to hold.

    """

    def __init__(
        self,
        records: Records,
        readings: Readings,
        zone: ZoneInfo,
        *,
        rest: float = 0.0,
        clock: Callable[[], int] = present,
        networks: Networks | None = None,
        grounds: Grounds | None = None,
    ) -> None:
        self.records = records
        self.readings = readings
        self.zone = zone
        self.bell = Bell()
        self._looking = threading.Lock()
        self._rules: dict[int, Kept] = {}
        self._form: list[tuple[int, int]] | None = None
        self._streams: dict[int, Stream] = {}
        self._grounds = grounds
        self._gate = LiveGate(grounds, {}, {}, {})
        self._evaluator = Evaluator([])
        self._reading = -1
        self._noted = 0.0
        self._stale = True
        self._rest = rest
        self._clock = clock
        self._networks = networks
        self._flows: Flows = {}
        self._bound = -rest
        readings.when_forgotten(self._forgotten)

    def _forgotten(self, stream: int | None) -> None:  # noqa: ARG002 -- all are bound together
        self._stale = True

    def again(self) -> None:
        """Gather anew what rules know, at the next look: not all that they said was kept."""
        self._form = None

    def look(self, now: int | None = None) -> int:
        """Ask the rules about all readings that came since; return how many alarms began or ended.

        Parameters
        ----------
        now
            UTC microseconds; what the city's clock says where it is left out.

        """
        now = self._clock() if now is None else now
        with self._looking:
            bound, turned = self._bind(now), 0
            rows, last = self.readings.fresh(self._reading)
            others = self._gate.refresh()
            turns = [*self._evaluator.take(rows), *self._evaluator.tick(now)]
            if others:
                turns += self._evaluator.asked_anew(others, now)
            if turns or bound:
                self._flows = self._networks_now()
            if turns or bound or others or (last != self._reading and time.monotonic() - self._noted > NOTE):
                with self.records.write() as session:
                    for turn in turns:
                        turned += self._turn(session, turn, now)
                    if bound:
                        session.flush()
                        turned += self._reconcile(session, now)
                    for number, why in self._gate.troubles.items() if bound or others else ():
                        raising.tell_trouble(session, number, why)
                    self._note(session, last)
            self._reading = last
            self._follow_up(now)
            return turned

    # binding

    def _bind(self, now: int) -> bool:
        """Take up rules and streams that changed; say whether any did."""
        with self.records.read() as session:
            found = session.scalars(
                select(RuleRow).where(RuleRow.on, ~RuleRow.gone).order_by(RuleRow.id)
            ).all()
            form = [(one.id, one.version) for one in found]
            rested = time.monotonic() - self._bound >= self._rest
            if form == self._form and not (self._stale and rested):
                return False
            self._stale, self._bound = False, time.monotonic()
            self._rules = {one.id: Kept(one.id, one.version, one.owner, rule_of(one.body)) for one in found}
            self._streams = streams_of(session, observed_by(one.rule for one in self._rules.values()))
            noted = session.get(WatchRow, NAME)
            if self._reading < 0:
                self._reading = self.readings.last if noted is None else noted.reading
        self._form = form
        rules = {number: one.rule for number, one in self._rules.items()}
        owners = {number: one.owner for number, one in self._rules.items()}
        self._gate = LiveGate(self._grounds, rules, owners, self._streams)
        self._gate.refresh()
        self._evaluator = Evaluator(
            [
                one
                for kept in self._rules.values()
                for one in watched(kept.id, kept.rule, self._streams, kept.owner)
            ],
            self._gate,
        )
        self._gather(now)
        return True

    def _gather(self, now: int) -> None:
        """Take in, without saying anything, the readings up to the one that rules have come to."""
        streams = self._evaluator.streams.tolist()
        if not streams:
            return
        needed = [max(s.seconds, s.gap) for kept in self._rules.values() for s in kept.rule.signs]
        back = round(min(max([LEAST, *needed]), MOST) * SECOND)
        with self.records.read() as session:
            asked = select(AlarmRow.began, AlarmRow.reasons).where(AlarmRow.ended.is_(None))
            lasting = session.execute(asked).all()
        parts = [self.readings.within(streams, now - back, 1 << 62), rows_of(self.readings.latest(streams))]
        for began, reasons in lasting:  # what lasts longer is gathered from where it began
            if began < now:
                known = {one["stream"] for one in reasons} & set(streams)
                parts.append(self.readings.within(known, began - back, 1 << 62))
        rows = joined(parts)
        _, first = np.unique(rows["id"], return_index=True)
        rows = rows.take(first)
        self._evaluator.take(rows.take(rows["id"] <= self._reading))

    def _reconcile(self, session: Session, now: int) -> int:
        """Hold what rules say now against the alarms that last; return how many began or ended."""
        holding = {
            (one.rule, raising.subject_of(self._rules[one.rule].rule, one.group)): one
            for one in self._evaluator.holding()
        }
        unknown = {
            (rule, raising.subject_of(self._rules[rule].rule, group))
            for rule, group in self._evaluator.unknown()
        }
        lasting = session.scalars(select(AlarmRow).where(AlarmRow.ended.is_(None))).all()
        turned = 0
        for alarm in lasting:
            if (alarm.rule_id, alarm.subject) not in holding.keys() | unknown:
                raising.ended(session, alarm, now, ())
                turned += 1
        for begun in holding.values():
            turned += self._turn(session, begun, now)
        return turned

    def _networks_now(self) -> Flows:
        """Return the networks by which alarms may belong together, as the lake has them now.

        Those of one cause belong together wherever they are.
        """
        if self._networks is None:
            return {}
        rules = [one.rule for one in self._rules.values() if not one.rule.cause]
        ways = {one.downstream for one in rules if one.downstream is not None}
        found = {}
        for way in ways:
            try:
                network = self._networks.whole(way)
            except Exception:  # alarms are raised whatever is wrong with a dataset
                log.exception("the network of %s", way.dataset)
                continue
            if network is not None:
                found[way] = network
        return found

    # what comes of it

    def _turn(self, session: Session, turn: Turn, now: int) -> int:
        """Raise or end an alarm; return how many that were: none where it lasts already."""
        kept = self._rules[turn.rule]
        subject = raising.subject_of(kept.rule, turn.group)
        lasting = select(AlarmRow).where(
            AlarmRow.rule_id == kept.id, AlarmRow.subject == subject, AlarmRow.ended.is_(None)
        )
        found = session.scalars(lasting).all()
        if turn.begins:
            if not found:
                turn = replace(turn, grounds=self._marked(turn))
                raising.raised(session, kept, turn, self._streams, self._flows, now=now, zone=self.zone)
            return int(not found)
        for alarm in found:
            raising.ended(session, alarm, turn.time, turn.reasons, turn.grounds)
        return len(found)

    def _marked(self, turn: Turn) -> tuple[dict[str, Any], ...]:
        """Return what datasets say to a turn, each with whether all staff may be told of it."""
        return tuple(
            one | {"open": self._grounds is not None and self._grounds.is_open(one["dataset"])}
            for one in turn.grounds
        )

    def _follow_up(self, now: int) -> None:
        """Call for what lasts when quiet hours are over, escalate, and end incidents."""
        with self.records.read() as session:
            waiting = session.scalars(
                select(AlarmRow).where(AlarmRow.ended.is_(None), AlarmRow.rule_id.in_(self._rules))
            ).all()
            busy = any(
                one.called is None or one.escalated < len(self._rules[one.rule_id].rule.escalation)
                for one in waiting
            )
            over = raising.incidents_over(session, now)
        if not busy and not over:
            return
        with self.records.write() as session:
            for alarm in session.scalars(
                select(AlarmRow).where(AlarmRow.ended.is_(None), AlarmRow.rule_id.in_(self._rules))
            ):
                rule = self._rules[alarm.rule_id].rule
                if alarm.called is None:
                    concerned = [self._streams[one["stream"]] for one in alarm.reasons]
                    raising.call(session, alarm, rule, concerned, now=now, zone=self.zone)
                raising.escalate(session, alarm, rule, now)
            raising.end_incidents(session, now)

    def _note(self, session: Session, reading: int) -> None:
        row = session.get(WatchRow, NAME)
        if row is None:
            session.add(WatchRow(name=NAME, reading=reading))
        else:
            row.reading = reading
        self._noted = time.monotonic()

    # running

    def run(self, stop: threading.Event) -> None:
        """Keep up until `stop` is set."""
        seen = self.bell.count
        while not stop.is_set():
            begin = time.monotonic()
            try:
                self.look()
            except (
                Exception
            ):  # what a full or busy disk does not allow is tried again; the readings are there
                log.exception("asking rules about readings")
                self.again()
                stop.wait(LOOK)
            stop.wait(min(max(PAUSE, REST * (time.monotonic() - begin)), LOOK))
            seen = self.bell.wait(seen, LOOK)

    @contextlib.contextmanager
    def running(self) -> Iterator[RuleKeeper]:
        """Keep up in a thread of its own while the block lasts."""

        def ring(_: Rows) -> None:
            self.bell.ring()

        end = self.readings.subscribe(ring)
        try:
            with in_thread("rules", self.run, self.bell):
                yield self
        finally:
            end()
