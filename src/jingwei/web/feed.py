"""The newest events of the log, read once for all pages that follow them, and filtered for each."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from jingwei import ledger
from jingwei.ledger.bell import bells_of

if TYPE_CHECKING:
    from jingwei.ledger import Entry
    from jingwei.records import Records

KEPT = 5_000
"""Entries that are kept for followers who are nearly up to date; others are read anew."""
BATCH = 500
BEAT = 2.0
"""Seconds after which a follower looks anew: for what another process sealed, and whether it still may."""


class Feed:
    """What is sealed, for those who follow. Safe to share between threads."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.bells = bells_of(records.engine)
        self._kept: deque[Entry] = deque(maxlen=KEPT)
        self._guard = threading.Lock()

    def size(self) -> int:
        """Return how many events are sealed."""
        with self.records.read() as session:
            return ledger.size(session)

    def since(self, position: int) -> list[Entry]:
        """Return up to `BATCH` entries from `position` on, in order."""
        with self._guard:
            self._refresh()
            if not self._kept or self._kept[0].position > position:
                kept = None
            else:
                start = position - self._kept[0].position
                kept = [self._kept[at] for at in range(start, min(start + BATCH, len(self._kept)))]
        if kept is not None:
            return kept
        with self.records.read() as session:
            return ledger.entries(session, position, position + BATCH)

    def _refresh(self) -> None:
        """Read what was sealed since the last look, once for all who ask."""
        with self.records.read() as session:
            size = ledger.size(session)
            first = self._kept[-1].position + 1 if self._kept else max(0, size - KEPT)
            if size > first:
                fresh = ledger.entries(session, max(first, size - KEPT), size)
                if any(entry.type == "ledger.erased" for entry in fresh):
                    self._kept.clear()  # what was erased is kept nowhere
                    fresh = ledger.entries(session, max(0, size - KEPT), size)
                self._kept.extend(fresh)

    async def changed(self, rung: asyncio.Event) -> None:
        """Wait until something was sealed, at most for a beat; `rung` is what `listen` sets."""
        try:
            await asyncio.wait_for(rung.wait(), BEAT)
        except TimeoutError:
            return
        rung.clear()


def told(entry: Entry, *, whole: bool) -> bytes:
    """Return an event as a server-sent event: who did it and its data only where `whole`."""
    data: dict[str, Any] = {
        "position": entry.position,
        "type": entry.type,
        "time": entry.time.isoformat(),
        "subject": entry.subject,
    }
    if whole:
        data |= {"actor": entry.actor, "data": entry.data}
    return f"id: {entry.position}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
