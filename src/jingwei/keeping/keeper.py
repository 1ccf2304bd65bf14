"""What is done for the city's keeping while it is served.

Versions past their retention are removed, files that have become many are put together, and what was made of
versions is read from the log before somebody asks.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from jingwei.keeping.compacting import compact_all
from jingwei.lake.errors import BusyError, LineageBehindError
from jingwei.lake.retention import drop_old
from jingwei.lake.uses import catch_up
from jingwei.ledger.threads import in_rounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.city import City

PAUSE = 3600.0
"""Seconds between two rounds."""
AGAIN = 60.0
"""Seconds after which it is tried again, where another program writes or copies."""
SOON = 5.0
"""Seconds after the start from which the log is read for what was made of versions."""
READ_ON = 0.5
"""For so many seconds, and then others have their turn."""
OFTEN = 300.0
"""Seconds between two rounds once it was read to its end."""
MANY = 8
"""From so many files in one place they are put together."""


@contextlib.contextmanager
def keeping(city: City) -> Iterator[None]:
    """Keep the city now and then, in threads, while the block lasts."""

    def work() -> float:
        try:
            drop_old(city.lake, actor="jingwei")
            compact_all(city, actor="jingwei", least=MANY)
        except BusyError:
            return AGAIN
        return PAUSE

    def read_log() -> float:
        try:
            catch_up(city.records, seconds=READ_ON)
        except LineageBehindError:
            return READ_ON
        return OFTEN

    with (
        in_rounds("removing old versions, or putting files together", work, PAUSE, first=AGAIN),
        in_rounds("reading what was made of versions", read_log, OFTEN, first=SOON),
    ):
        yield
