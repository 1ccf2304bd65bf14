"""What a request may weigh, and the headers that bound what a page may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 1 << 20
"""Bytes of a request's body; paths that take files have limits of their own."""


class BodyLimit:
    """Refuses a body above a limit: at once by its declared length, else when the bytes have come in.

    `uploads` are the paths that take larger bodies, each with its limit.
    """

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY, uploads: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.limit = limit
        self.uploads = uploads or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a bounded body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.uploads.get(scope["path"], self.limit)
        declared = Headers(scope=scope).get("content-length", "")
        refused = declared.isdigit() and int(declared) > limit
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if refused or taken > limit:
                raise HTTPException(413)
            return message

        await self.app(scope, bounded, send)


def content_security_policy(map_hosts: Iterable[str] = ()) -> str:
    """Return the policy that keeps pages to this server; `map_hosts` are a city's own map services."""
    hosts = "".join(f" {host}" for host in dict.fromkeys(map_hosts))
    return (
        "default-src 'self'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' data: blob:{hosts}; connect-src 'self'{hosts}; worker-src 'self' blob:; "
        "font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def safe_headers(*, secure: bool = False) -> dict[str, str]:
    """Return the headers of every answer that bound what a browser may do with it."""
    # Browsers that came by HTTPS once come by nothing else for half a year (RFC 6797).
    held = {"Strict-Transport-Security": "max-age=15552000"} if secure else {}
    return held | {
        "Content-Security-Policy": content_security_policy(),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
        # No other site opens a page of this one and holds on to it, nor draws what is answered here.
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


class SafeHeaders:
    """Adds to every answer the headers that bound what a browser may do with it."""

    def __init__(self, app: ASGIApp, *, secure: bool = False) -> None:
        self.app = app
        self.headers = safe_headers(secure=secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/api/"):  # unless an answer says itself how it may be kept
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)
