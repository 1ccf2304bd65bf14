"""Serves the built pages, precompressed; every address leads to the page of the staff or the public's."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from jingwei.errors import JingweiError
from jingwei.web.limits import content_security_policy
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

STATIC = Path(__file__).parent / "static"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
OTHERS = {"report": "citizen.html"}
"""By the first part of an address, the page that it leads to, where that is not the one of the staff."""
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


class PagesNotBuiltError(JingweiError):
    """The pages have not been built into the package."""

    code = "pages-not-built"
    status = 503


@dataclass(frozen=True, slots=True)
class _Page:
    path: Path
    media_type: str
    cache: str


_FILE = re.compile(r"\.[A-Za-z][^/]*$")
"""The end of a file's address; a page's may end in the code of a cell, where digits follow a dot."""


def _find(root: Path, address: str) -> _Page | None:
    """Return the file at `address` below `root`; a page address has no file and leads to the one page."""
    path = (root / address).resolve()
    if path.is_file() and path.is_relative_to(root.resolve()):
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return _Page(path, media_type, FOREVER if address.startswith("assets/") else ASK_AGAIN)
    if address.startswith(("assets/", "api/")) or _FILE.search(address):
        return None
    return _Page(root / OTHERS.get(address.split("/", 1)[0], "index.html"), "text/html", ASK_AGAIN)


def _encoded(path: Path, accepted: str) -> tuple[Path, str | None]:
    """Return the smallest form of `path` that the browser takes, and its content coding."""
    taken = {part.strip().lower() for part in accepted.split(",")}
    for coding, ending in ENCODINGS:
        candidate = path.with_name(path.name + ending)
        if coding in taken and candidate.is_file():
            return candidate, coding
    return path, None


def _etag(path: Path) -> str:
    stat = path.stat()
    return f'"{hashlib.sha256(f"{path.name} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:20]}"'


def router(root: Path = STATIC, map_hosts: Callable[[], Iterable[str]] = tuple) -> APIRouter:
    """Return the routes of the pages; include it last, it takes every address that is left.

    Parameters
    ----------
    root
        The folder of the built pages.
    map_hosts
        Asked for the hosts of the city's own map services whenever a page is sent.

    """
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/{address:path}", methods=["GET", "HEAD"])
    def page(address: str, request: Request) -> Response:
        found = _find(root, address)
        if found is None:
            raise HTTPException(404)
        if not found.path.is_file():
            raise PagesNotBuiltError(
                Text("页面还没有构建", "The pages have not been built"),
                mend=Text("请运行 make pages。", "Run `make pages`."),
            )
        path, coding = _encoded(found.path, request.headers.get("accept-encoding", ""))
        etag = _etag(path)
        headers = {"Cache-Control": found.cache, "ETag": etag, "Vary": "Accept-Encoding"}
        if found.media_type == "text/html":
            headers["Content-Security-Policy"] = content_security_policy(map_hosts())
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        if coding:
            headers["Content-Encoding"] = coding
        return FileResponse(path, media_type=found.media_type, headers=headers)

    return routes
