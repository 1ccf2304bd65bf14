"""Handing one event to a subscriber, within a time that is meant as a whole: answers may trickle for ever."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from typing import TYPE_CHECKING, NamedTuple, Self

import httpx2

from jingwei.exchange import cloud, signing
from jingwei.exchange.errors import BadTargetError

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from jingwei.exchange.targets import Target, Targets

PATIENCE = 10.0
"""Seconds that a subscriber is given to answer, from looking up its address to its status."""
AFTER = 1.0
"""Seconds in which what follows a status is read, so that the connection can be used again,"""
MOST_READ = 65_536
"""and bytes of it; nobody reads what they say."""
LATE = "Timeout"


class Told(NamedTuple):
    """What came of telling a subscriber: the status of its answer, 0 without one, and why it did not work."""

    status: int
    fault: str


class Post:
    """Tells one subscriber after the other event, over one connection where that is possible.

    Parameters
    ----------
    targets
        Where subscribers may be.

    """

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._runner = asyncio.Runner()
        # no redirects, which lead where nobody looked; no proxy of the environment
        self._client = httpx2.AsyncClient(
            timeout=PATIENCE, follow_redirects=False, trust_env=False, verify=_trust(),
            headers={"User-Agent": "Jingwei"},
        )  # fmt: skip

    def __enter__(self) -> Self:
        """Hold connections open until the block ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        with contextlib.suppress(httpx2.HTTPError, OSError):
            self._runner.run(self._client.aclose())
        self._runner.close()

    def send(self, url: str, secret: str, identifier: str, body: bytes) -> Told:
        """Send one event.

        Parameters
        ----------
        url
            Of the subscriber; where it leads is looked up now.
        secret
            By which it is signed.
        identifier
            The same however often it is sent.
        body
            A CloudEvent as JSON.

        """
        begin = time.monotonic()
        try:
            target = self._targets.of(url)
        except BadTargetError as error:
            return Told(0, f"address-{error.where['why']}")
        left = PATIENCE - (time.monotonic() - begin)
        signed = signing.headers(secret, identifier, round(time.time()), body)
        try:
            status = self._runner.run(self._answer(target, signed, body, left))
        except (TimeoutError, httpx2.TimeoutException):
            return Told(0, LATE)
        except (httpx2.HTTPError, OSError) as error:
            return Told(0, type(error).__name__)
        return Told(status, "" if httpx2.codes.is_success(status) else "status")

    async def _answer(self, target: Target, signed: dict[str, str], body: bytes, left: float) -> int:
        url = httpx2.URL(target.url)
        headers = signed | {"Content-Type": cloud.MEDIA_TYPE, "Host": url.netloc.decode("ascii")}
        request = self._client.build_request(
            "POST", url.copy_with(host=str(target.address)), content=body, headers=headers,
            extensions={"sni_hostname": target.host},
        )  # fmt: skip
        async with asyncio.timeout(left):
            answer = await self._client.send(request, stream=True)
        try:
            await _read(answer)
        finally:
            await answer.aclose()
        return answer.status_code


async def _read(answer: httpx2.Response) -> None:
    """Read what follows a status, where it is short and comes soon."""
    read = 0
    with contextlib.suppress(TimeoutError, httpx2.HTTPError, OSError):
        async with asyncio.timeout(AFTER):
            async for part in answer.aiter_raw():
                read += len(part)
                if read > MOST_READ:
                    return


@functools.cache
def _trust() -> ssl.SSLContext:
    """Return what certificates are checked by; reading them takes longer than an event."""
    return httpx2.create_ssl_context(trust_env=False)
