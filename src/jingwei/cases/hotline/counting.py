"""Every call as a row, in columns, kept in step with the store: what the hotline's rates are counted from.

Like the board of cases: a copy in memory (DuckDB) that one process keeps, and that takes over what changed in
the store before it answers. A call changes with its own events, and with those of the case in which it is
dealt with.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import bindparam, select

from jingwei.cases.case import decode as decode_case
from jingwei.cases.columns import Rows, tables_of
from jingwei.cases.hotline.rates import CallSheet, call_table_of
from jingwei.cases.hotline.steps import CALLS
from jingwei.cases.store import CASES, mark_now

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.hotline.rates import Dimension
    from jingwei.cases.service import Desk
    from jingwei.records import Records

CHUNK = 5_000
_LOOKED_UP = 500


class _Own(msgspec.Struct):
    """What is read of a case that a call became: the case that it joined."""

    main: str | None = None


_OWN = msgspec.json.Decoder(_Own)
_ALL = select(CALLS.c.id, CALLS.c.body, CALLS.c.case).order_by(CALLS.c.id)
_CHANGED_CASES = select(CASES.c.number, CASES.c.body).where(CASES.c.changed >= bindparam("mark"))


class CallBoard(CallSheet):
    """The calls of a city in columns.

    Parameters
    ----------
    records
        The record store.
    desk
        Whose settings and calendar hold.

    """

    def __init__(self, records: Records, desk: Desk) -> None:
        super().__init__()
        self.records, self.desk = records, desk
        self._guard = threading.Lock()
        self._calls = self._cases = 0
        self._clocks: tuple[int, ...] | None = None

    def refresh(self) -> int:
        """Take over what changed in the store; return how many calls that were."""
        with self._guard, self.records.read() as session:
            regime = self.desk.regime(session)
            if self._clocks != regime.clocks:
                self.clear()
                self._calls = self._cases = 0
                self._clocks = regime.clocks
            first = self._calls == 0
            marks = mark_now(session, CALLS.name), mark_now(session)
            chunks = self._all(session) if first else self._changed(session)
            count = 0
            for table in tables_of(chunks, regime, call_table_of):
                self.put(table, replace=not first)
                count += table.num_rows
            self._calls, self._cases = marks
            return count

    def told(self, *, since: int, until: int, now: int, by: Dimension | None = None) -> list[dict[str, Any]]:
        """Return all rates of the calls that came between two instants (microseconds); see `rates.rates`."""
        self.refresh()
        with self.records.read() as session:
            regime = self.desk.regime(session)
        return self.rates(regime, now=now, by=by, since=since, until=until)

    def _all(self, session: Session) -> Iterator[Rows]:
        found = session.connection().execute(_ALL, execution_options={"yield_per": CHUNK})
        for part in found.partitions(CHUNK):
            yield _with_cases(session, part)

    def _changed(self, session: Session) -> Iterator[Rows]:
        """Yield the calls that changed since the board looked, and those whose case did."""
        mine = _ALL.where(CALLS.c.changed >= self._calls)
        rows = {row.id: row for row in session.execute(mine)}
        cases: set[str] = set()
        for number, body in session.execute(_CHANGED_CASES, {"mark": self._cases}):
            cases |= {number, *decode_case(body).others}
        for some in _parts(sorted(cases), _LOOKED_UP):
            rows |= {row.id: row for row in session.execute(_ALL.where(CALLS.c.case.in_(some)))}
        for part in _parts(list(rows.values()), CHUNK):
            yield _with_cases(session, part)


def _parts(listed: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (listed[start : start + size] for start in range(0, len(listed), size))


def _with_cases(session: Session, calls: Sequence[Any]) -> Rows:
    """Return calls with the cases in which they are dealt with: their own, or the ones that these joined."""
    own = _bodies(session, {call.case for call in calls if call.case})
    main = {number: _OWN.decode(body).main for number, body in own.items()}
    bodies = own | _bodies(session, {one for one in main.values() if one} - own.keys())
    return [
        (call.id, call.body, bodies[main[call.case] or call.case] if call.case else None) for call in calls
    ]


def _bodies(session: Session, numbers: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in _parts(sorted(numbers), _LOOKED_UP):
        rows = session.execute(select(CASES.c.number, CASES.c.body).where(CASES.c.number.in_(some)))
        found.update({row.number: row.body for row in rows})
    return found
