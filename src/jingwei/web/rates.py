"""How often one may ask: per address, per account, per person. Beyond that, wait."""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter

from jingwei.errors import JingweiError
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import HTTPConnection

LIMITS: dict[str, tuple[RateLimitItem, ...]] = {
    # Whole offices share an address: it may fail more often than a name, which is locked besides.
    "sign-in by address": (RateLimitItemPerMinute(60), RateLimitItemPerHour(600)),
    "sign-in by name": (RateLimitItemPerMinute(10), RateLimitItemPerHour(60)),
    "set-up by address": (RateLimitItemPerMinute(10), RateLimitItemPerHour(60)),
    "tokens by person": (RateLimitItemPerMinute(10), RateLimitItemPerHour(60)),
    # One address may be a whole village: what comes beyond takes more work first, see `proof`.
    "reports by address": (RateLimitItemPerMinute(120), RateLimitItemPerHour(1200)),
    "codes by address": (RateLimitItemPerMinute(30), RateLimitItemPerHour(300)),
    "downloads by address": (RateLimitItemPerMinute(10), RateLimitItemPerHour(60)),
    "strangers by address": (RateLimitItemPerMinute(1200),),
    "asking by person": (RateLimitItemPerMinute(6000),),
}
"""What is counted, and how much of it there may be. A map that is moved asks dozens of times a second."""
OF_ONE_PROCESS = {"reports by address", "downloads by address", "strangers by address", "asking by person"}
"""Counted with every request: a durable write each would cost more than what it keeps off."""


class TooOftenError(JingweiError):
    """Something was asked too often."""

    code = "too-often"
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            Text(f"请求过于频繁，请 {seconds} 秒后再试", f"asked too often; try again in {seconds} s."),
            where={"seconds": seconds},
        )


class Rates:
    """Counts by sliding windows.

    What guards passwords, codes and tokens is counted for the whole city, however many processes serve it and
    however often they start. What only keeps one process from being worn out is counted in its memory.

    Parameters
    ----------
    shared
        Where all processes of the city count.

    """

    def __init__(self, shared: Storage) -> None:
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = SlidingWindowCounterRateLimiter(shared)
        self._turn = threading.Lock()

    def count(self, what: str, who: str) -> None:
        """Count one more of something.

        Raises
        ------
        TooOftenError
            Where that is too many; it is not counted then.

        """
        with self._limiter(what) as limiter:
            for limit in LIMITS[what]:
                if not limiter.hit(limit, what, who):
                    reset = limiter.get_window_stats(limit, what, who).reset_time
                    raise TooOftenError(max(1, math.ceil(reset - time.time())))

    def counted(self, what: str, who: str) -> int:
        """Return how much of something was counted in the longest of its windows."""
        limit = LIMITS[what][-1]
        with self._limiter(what) as limiter:
            return int(limit.amount - limiter.get_window_stats(limit, what, who).remaining)

    @contextmanager
    def _limiter(self, what: str) -> Iterator[SlidingWindowCounterRateLimiter]:
        if what not in OF_ONE_PROCESS:
            yield self._shared
            return
        # Two threads that find no timer in the library's memory start the second one's twice, which fails.
        with self._turn:
            yield self._own


def address_of(request: HTTPConnection) -> str:
    """Return from where a request comes: an IPv4 address, or the /64 network that an IPv6 host has whole."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)
