"""Who read personal fields: itself an event of the log.

The first reading of a minute is written before its answer is given, so that no reading goes without a
trace; those that follow in that minute, of the same fields by the same person for the same purpose, are
summed up in one event at its end. Events name fields and numbers of rows, never a value.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jingwei import ledger

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.records import Records

WINDOW = 60.0
"""Seconds whose readings are summed up."""


@dataclass(frozen=True, slots=True)
class _Reading:
    actor: str
    dataset: str
    version: int
    fields: tuple[str, ...]
    purpose: str


@dataclass(slots=True)
class _Sum:
    answers: int = 0
    rows: int = 0


class PersonalReadings:
    """Notes the readings of personal fields. Safe to share between threads."""

    def __init__(self, records: Records, *, window: float = WINDOW) -> None:
        self.records = records
        self.window = window
        self._sums: dict[_Reading, _Sum] = {}
        self._guard = threading.Lock()
        self._timer: threading.Timer | None = None

    def note(self, asker: Asker, dataset: str, version: int, fields: tuple[str, ...], rows: int) -> None:
        """Note that `rows` with personal `fields` are about to be shown."""
        reading = _Reading(asker.id, dataset, version, fields, asker.purpose)
        with self._guard:
            known = self._sums.get(reading)
            if known is not None:
                known.answers += 1
                known.rows += rows
                return
            self._sums[reading] = _Sum()
            if self._timer is None:
                self._timer = threading.Timer(self.window, self.write)
                self._timer.daemon = True
                self._timer.start()
        try:
            self._append({reading: _Sum(1, rows)})
        except BaseException:
            with self._guard:
                self._sums.pop(reading, None)  # the next reading tries again
            raise

    def write(self) -> None:
        """Write what was summed up, and begin anew."""
        with self._guard:
            sums, self._sums = self._sums, {}
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self._append({reading: one for reading, one in sums.items() if one.answers})

    def _append(self, sums: dict[_Reading, _Sum]) -> None:
        if not sums:
            return
        with self.records.write() as session:
            for reading, one in sums.items():
                ledger.append(
                    session,
                    "personal.read",
                    actor=reading.actor,
                    subject=f"dataset/{reading.dataset}",
                    data={
                        "version": reading.version,
                        "fields": list(reading.fields),
                        "purpose": reading.purpose,
                        "answers": one.answers,
                        "rows": one.rows,
                    },
                )
