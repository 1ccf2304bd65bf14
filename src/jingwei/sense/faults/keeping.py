"""The search for faulty sensors while a city is open: kept, told to the log, and given little of the time.

Every property is looked at every few hours, in parts of streams that lie together, from the hours that the
roll-ups keep. After each part the search rests many times as long as it took.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from jingwei import grid, ledger
from jingwei.grid.levels import MAX_LEVEL
from jingwei.ledger.threads import in_thread
from jingwei.sense.faults.fault import Fault, hours_with
from jingwei.sense.faults.finding import BASELINE, WINDOW, faults_of, noted
from jingwei.sense.faults.hours import HOUR, hours_of_leaves
from jingwei.sense.faults.models import FaultRow
from jingwei.sense.faults.words import described
from jingwei.sense.models import DeviceRow, MaintenanceRow, StreamRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from jingwei.records import Records
    from jingwei.sense.faults.hours import Hours
    from jingwei.sense.rollups.engine import Rollups

log = logging.getLogger(__name__)

ACTOR = "sense/faults"
SOME = 500
"""Streams that are looked at together."""
EVERY = 3 * 3600.0
"""Seconds between two looks at the same streams, at least."""
REST = 49
"""Times as long as a look took no other is made: one fiftieth of one core."""
LOOK = 30.0
"""Seconds between two parts at least, of a small city."""
AT_WORK = ("active", "installed", "faulty")
"""States of devices whose sensors are looked at."""
OPEN_TO_STAFF = 2
DOUBTFUL = 42 * 24 * HOUR
"""What lasts longer than this was learned to be usual: it stays until work on the device is noted."""


@dataclass(frozen=True, slots=True)
class Part:
    """Streams of one property that lie together: numbers in order, and their codes of level 32."""

    property_: int
    streams: NDArray[np.int64]
    cells: NDArray[np.uint64]


def now_micros() -> int:
    """Return the present, UTC microseconds."""
    return time.time_ns() // 1_000


class FaultKeeper:
    """Looks for faulty sensors of a city.

    Parameters
    ----------
    records, rollups
        Of the city.
    clock
        Its time, UTC microseconds.

    """

    def __init__(self, records: Records, rollups: Rollups, clock: Callable[[], int] = now_micros) -> None:
        self.records = records
        self.rollups = rollups
        self.clock = clock

    def parts(self) -> Iterator[Part]:
        """Yield all streams in parts."""
        by_property: dict[int, list[tuple[int, int]]] = {}
        for stream, address in self.rollups.addresses.items():
            by_property.setdefault(address.property, []).append((address.cell, stream))
        for property_, listed in sorted(by_property.items()):
            listed.sort()
            for begin in range(0, len(listed), SOME):
                some = sorted((stream, cell) for cell, stream in listed[begin : begin + SOME])
                yield Part(
                    property_,
                    np.array([one[0] for one in some], np.int64),
                    np.array([one[1] for one in some], np.uint64),
                )

    def look(self, now: int | None = None) -> int:
        """Look at all streams once; return how many faults began or ended.

        Parameters
        ----------
        now
            UTC microseconds; the present where it is left out.

        """
        now = self.clock() if now is None else now
        self.rollups.kept_up()
        return sum(self.look_at(part, now) for part in self.parts())

    def look_at(self, part: Part, now: int) -> int:
        """Look at some streams; return how many faults began or ended."""
        hours = self.hours(part, now)
        with self.records.read() as session:
            about = _about(session, part.streams)
            rows = _rows(session, part.streams)
            works = _works(session, about)
        true = [_fault(row) for row in rows if row.mark != "false"]
        found = [
            one
            for one in faults_of(hours, hours_with(hours, true), excused(hours, about, works))
            if about[one.stream]["state"] in (None, *AT_WORK)
        ]
        doubtful = [
            row for row in rows if _is_doubtful(row, hours, works.get(about[row.stream_id]["thing"], []))
        ]
        held = [row for row in rows if row not in doubtful]
        again = noted([_fault(row) for row in held], found, now)
        known = {(row.stream_id, row.kind) for row in doubtful}
        # what is over already needs nobody
        new = [one for one in again[len(held) :] if one.until is None and (one.stream, one.kind) not in known]
        changed = {
            row.id: one
            for row, one in zip(held, again, strict=False)
            if row.until is None or one.until is None
        }
        if not new and not changed:
            return 0
        with self.records.write() as session:
            turned = sum(self._change(session, at, one) for at, one in changed.items())
            for one in new:
                self._tell(session, one, about[one.stream], part, now)
        return turned + len(new)

    def hours(self, part: Part, now: int) -> Hours:
        """Return the hours of some streams that are over, of the last eight weeks."""
        until = self.rollups.calendar.hour(now)
        since = until - WINDOW * HOUR
        first, last = int(part.cells.min()), int(part.cells.max())
        leaves = self.rollups.answers.hours_between(part.property_, since, until, first, last)
        lon, lat = grid.centre(part.cells, MAX_LEVEL)
        hours = hours_of_leaves(part.streams, np.asarray(lon), np.asarray(lat), leaves, since, until)
        heard = np.flatnonzero(hours.count.any(1))
        return hours.within(int(heard[0]) if len(heard) else 0, len(hours.start))

    def _change(self, session: Session, number: int, one: Fault) -> int:
        row = session.get(FaultRow, number)
        if row is None:
            return 0
        turned = (row.until is None) != (one.until is None)
        row.until, row.evidence = one.until, one.evidence
        if turned and one.until is not None:
            data = {"stream": row.stream_id, "kind": row.kind}
            ledger.append(
                session, "sense.fault_ended", actor=ACTOR, subject=f"sense/faults/{number}", data=data
            )
        return int(turned)

    def _tell(self, session: Session, one: Fault, about: dict[str, Any], part: Part, now: int) -> None:
        """Keep a new fault, and tell the log: of it a case of the owner can come."""
        row = FaultRow(
            stream_id=one.stream, kind=one.kind, since=one.since, until=None, found=now,
            evidence=one.evidence, call="", case_number="", mark="", marked_by="",
        )  # fmt: skip
        session.add(row)
        session.flush()
        said = described(one)
        data: dict[str, Any] = {
            "stream": one.stream, "thing": about["thing"], "kind": one.kind, "owner": about["owner"],
            "zh": said.zh, "en": said.en,
        }  # fmt: skip
        # the log tells places only where everybody who follows it may be told
        if about["sharing"] != "none" and about["level"] <= OPEN_TO_STAFF:
            cell = int(part.cells[np.searchsorted(part.streams, one.stream)])
            lon, lat = grid.centre(cell, MAX_LEVEL)
            data |= {"lon": float(lon), "lat": float(lat)}
        row.call = str(
            ledger.append(
                session, "sense.fault_found", actor=ACTOR, subject=f"sense/faults/{row.id}", data=data
            )
        )

    # running

    def run(self, stop: threading.Event) -> None:
        """Look again and again until `stop` is set."""
        while not stop.wait(LOOK):
            begin = time.monotonic()
            for part in list(self.parts()):
                started = time.monotonic()
                try:
                    self.look_at(part, self.clock())
                except Exception:  # what a full or busy disk does not allow is tried again
                    log.exception("looking for faulty sensors")
                if stop.wait(max(LOOK, REST * (time.monotonic() - started))):
                    return
            if stop.wait(max(0.0, EVERY - (time.monotonic() - begin))):
                return

    @contextlib.contextmanager
    def running(self) -> Iterator[FaultKeeper]:
        """Look in a thread of its own while the block lasts."""
        with in_thread("faults", self.run):
            yield self


def excused(
    hours: Hours, about: dict[int, dict[str, Any]], works: dict[int, list[MaintenanceRow]]
) -> NDArray[np.bool_]:
    """Return the hours in which work on the device of each stream was declared: (T, S)."""
    out = np.zeros(hours.mean.shape, bool)
    for at, stream in enumerate(hours.stream.tolist()):
        for work in works.get(about.get(stream, {}).get("thing", 0), []):
            if work.until is not None:
                out[(hours.start + HOUR > work.at) & (hours.start < work.until), at] = True
    return out


def _is_doubtful(row: FaultRow, hours: Hours, works: Sequence[MaintenanceRow]) -> bool:
    """Say whether nothing can be said of whether a fault lasts: it stays as it is."""
    if row.until is not None:
        return False
    at = int(np.searchsorted(hours.stream, row.stream_id))
    if row.kind == "silent":
        return not hours.count[:, at].any()
    if any(work.at > row.since for work in works):
        return False
    unheard = not hours.count[hours.start >= row.since, at].any()
    old = int(hours.start[-1]) - row.since > min(DOUBTFUL, max(len(hours.start) - BASELINE, 0) * HOUR)
    return unheard or (old and row.kind != "stuck")


def _about(session: Session, streams: NDArray[np.int64]) -> dict[int, dict[str, Any]]:
    table: Any = StreamRow.__table__
    device: Any = DeviceRow.__table__
    asked = (
        select(table.c.id, table.c.thing_id, table.c.owner, table.c.sharing, table.c.level, device.c.state)
        .outerjoin(device, device.c.thing_id == table.c.thing_id)
        .where(table.c.id.in_(streams.tolist()))
    )
    found = {
        row.id: {
            "thing": row.thing_id, "owner": row.owner, "sharing": row.sharing, "level": row.level,
            "state": row.state,
        }
        for row in session.execute(asked)
    }  # fmt: skip
    gone = {"thing": 0, "owner": "", "sharing": "none", "level": 4, "state": "gone"}
    return {stream: found.get(stream, gone) for stream in streams.tolist()}


def _rows(session: Session, streams: NDArray[np.int64]) -> list[FaultRow]:
    asked = select(FaultRow).where(FaultRow.stream_id.in_(streams.tolist())).order_by(FaultRow.id)
    return list(session.scalars(asked))


def _works(session: Session, about: dict[int, dict[str, Any]]) -> dict[int, list[MaintenanceRow]]:
    things = sorted({one["thing"] for one in about.values()})
    found: dict[int, list[MaintenanceRow]] = {}
    for row in session.scalars(select(MaintenanceRow).where(MaintenanceRow.thing_id.in_(things))):
        found.setdefault(row.thing_id, []).append(row)
    return found


def _fault(row: FaultRow) -> Fault:
    return Fault(row.stream_id, row.kind, row.since, row.until, row.evidence)  # type: ignore[arg-type]  # one of `KINDS`
