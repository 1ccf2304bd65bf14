"""What is done for the city's keeping while it is served.

Versions past their retention are removed, and files that have become many are put together.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from jingwei.keeping.compacting import compact_all
from jingwei.lake.errors import BusyError
from jingwei.lake.retention import drop_old
from jingwei.ledger.threads import in_rounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.city import City

PAUSE = 3600.0
"""Seconds between two rounds."""
AGAIN = 60.0
"""Seconds after which it is tried again, where another program writes or copies."""
MANY = 8
"""From so many files in one place they are put together."""


@contextlib.contextmanager
def keeping(city: City) -> Iterator[None]:
    """Remove old versions and put files together now and then, in a thread, while the block lasts."""

    def work() -> float:
        try:
            drop_old(city.lake, actor="jingwei")
            compact_all(city, actor="jingwei", least=MANY)
        except BusyError:
            return AGAIN
        return PAUSE

    with in_rounds("removing old versions, or putting files together", work, PAUSE, first=AGAIN):
        yield
