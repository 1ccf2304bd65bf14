"""Of which streams readers may be told what, kept as long as neither streams nor policies change."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from jingwei.ledger.news import News
from jingwei.records.recent import Recent
from jingwei.sense.rollups.scope import scope_of

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.records import Records
    from jingwei.sense.rollups.scope import Scope
    from jingwei.sense.service import Sensing

CHANGING = (
    "sense.created",
    "sense.changed",
    "sense.deleted",
    "sense.device_registered",
    "sense.device_changed",
)
"""Events after which a stream may be another's, elsewhere, or shared otherwise."""
MOST_KEPT = 32
"""Readers with different rights of whom it is kept: of 100,000 streams that is a megabyte each."""


class Scopes:
    """Keeps scopes of readers; the log is asked before each answer whether they still hold."""

    def __init__(self, records: Records) -> None:
        self._news = News(records, CHANGING)
        self._kept: Recent[tuple[Any, ...], Scope] = Recent(MOST_KEPT)
        self._guard = threading.Lock()

    def of(self, sensing: Sensing, asker: Asker) -> Scope:
        """Return of which streams an asker may be told what."""
        policies = sensing.policies()
        key = (policies, policies.scope(asker))
        with self._guard:
            if self._news.subjects() != frozenset():
                self._kept.clear()
        return self._kept.of(key, lambda: scope_of(sensing, asker))
