"""Corrections and deletions, until the lake has them: they lie over what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jingwei.sense.readings.columns import Rows, joined, no_rows
from jingwei.sense.readings.log import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Change:
    """What holds instead of a stored reading: where that one lies, and the row; None for a deletion."""

    stream: int
    time: int
    row: Rows | None

    def packed(self) -> list[Any]:
        """Return it as a record holds it."""
        return [self.stream, self.time, None if self.row is None else packed(self.row)]

    @staticmethod
    def unpacked(told: list[Any]) -> Change:
        """Return what `packed` made of a change."""
        return Change(told[0], told[1], None if told[2] is None else unpacked(told[2]))


@dataclass(frozen=True, slots=True)
class Overlay:
    """All changes at one moment; never changed itself.

    Attributes
    ----------
    changes
        By the number of the reading.
    cut
        Streams that were emptied, with the number of the last reading that then was.

    """

    changes: dict[int, Change]
    cut: dict[int, int]

    def __bool__(self) -> bool:
        return bool(self.changes or self.cut)

    def covered(self, rows: Rows) -> Rows:
        """Return the rows that nothing lies over."""
        gone = np.zeros(len(rows), bool)
        if self.changes:
            gone |= np.isin(rows["id"], self.numbers())
        for stream, last in self.cut.items():
            gone |= (rows["stream"] == stream) & (rows["id"] <= last)
        return rows.take(~gone) if gone.any() else rows

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers of the readings that something lies over."""
        return np.fromiter(self.changes, np.int64, len(self.changes))

    def rows(self, streams: Collection[int] | None, since: int | None, until: int | None) -> Rows:
        """Return the corrected rows of some streams in a period, ordered."""
        found = joined([change.row for change in self.changes.values() if change.row is not None])
        if not len(found):
            return no_rows()
        kept = np.ones(len(found), bool)
        if streams is not None:
            kept &= np.isin(found["stream"], list(streams))
        if since is not None:
            kept &= found["time"] >= since
        if until is not None:
            kept &= found["time"] < until
        for stream, last in self.cut.items():
            kept &= ~((found["stream"] == stream) & (found["id"] <= last))
        return found.take(kept).ordered()

    def packed(self) -> dict[str, Any]:
        """Return it as a record of the log."""
        changes = [[number, change.packed()] for number, change in self.changes.items()]
        return {"kind": "overlay", "changes": changes, "cut": list(self.cut.items())}

    def after(self, record: dict[str, Any]) -> Overlay:
        """Return what holds after the changes of a record."""
        told = {number: Change.unpacked(change) for number, change in record["changes"]}
        return Overlay({**self.changes, **told}, {**self.cut, **dict(record["cut"])})

    def without(self, done: Overlay) -> Overlay:
        """Return what is left when the changes of an earlier overlay are in the lake."""
        changes = {number: one for number, one in self.changes.items() if done.changes.get(number) is not one}
        cut = {stream: last for stream, last in self.cut.items() if done.cut.get(stream) != last}
        return Overlay(changes, cut)
