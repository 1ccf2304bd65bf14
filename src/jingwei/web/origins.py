"""Who may make a browser ask: this city's own pages, and no other site's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class SecureOnly:
    """Refuses what comes by plain HTTP, where the city is reached by HTTPS only."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and scope["scheme"] != "https":
            await PlainTextResponse("https only", status_code=403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


class SameOrigin:
    """Refuses what another site makes a browser do here, and names by which it would pose as this one.

    Parameters
    ----------
    app
        The application.
    hosts
        The names under which the city is asked, if they are known. Without sign-in they must be: else a
        site whose name is made to lead to this machine could read all (DNS rebinding).

    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None = None) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and not self.is_own(scope["method"], Headers(scope=scope)):
            await PlainTextResponse("cross-site request refused", status_code=403)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def is_own(self, method: str, headers: Headers) -> bool:
        """Say whether a request is of this city's own pages, or of no page."""
        host = headers.get("host", "")
        if self.hosts is not None and _name(host) not in self.hosts:
            return False
        if method in SAFE_METHODS:
            return True
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc == host


def _name(host: str) -> str:
    """Return a host without its port."""
    name, _, port = host.rpartition(":")
    return name if port.isdigit() else host
