"""How many readings a sender may send: a bucket for each, which fills as time goes by."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from jingwei.web.rates import TooOftenError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

PER_MINUTE = 600_000
"""Readings of one sender in a minute, where the settings say nothing else."""
MOST_KEPT = 200_000


class Quotas:
    """Buckets in the memory of this process.

    Parameters
    ----------
    per_minute
        Readings with which a bucket fills in a minute; it holds no more.
    clock
        Seconds that rise.

    """

    def __init__(self, per_minute: int = PER_MINUTE, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._left: dict[Hashable, tuple[float, float]] = {}

    def take(self, sender: Hashable, readings: int) -> None:
        """Take readings out of the bucket of a sender.

        A batch that is larger than a bucket takes a full one.

        Raises
        ------
        TooOftenError
            Where so many are not in it; nothing is taken then.

        """
        now = self._clock()
        left, at = self._left.get(sender, (float(self.per_minute), now))
        left = min(self.per_minute, left + (now - at) * self.per_minute / 60)
        wanted = min(readings, self.per_minute)
        if wanted > left:
            raise TooOftenError(max(1, math.ceil((wanted - left) * 60 / self.per_minute)))
        if len(self._left) >= MOST_KEPT:
            self._left.clear()
        self._left[sender] = (left - wanted, now)
