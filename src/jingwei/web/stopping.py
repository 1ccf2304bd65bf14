"""Runs work for a request in a thread, and stops the work when the reader has gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from jingwei.lake.stopping import Stopped, Stopper, stopping

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

P = ParamSpec("P")
T = TypeVar("T")

CLIENT_CLOSED = 499
"""The status that proxies log for a request whose reader has gone; nobody receives it."""


async def run(request: Request, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns; if the reader goes away first, stop its questions to the container.

    Raises
    ------
    HTTPException
        499, received by nobody, after the work was stopped.

    """
    stopper = Stopper()

    def stoppable() -> T:
        with stopping(stopper):
            return work(*args, **kwargs)

    watcher = asyncio.create_task(_watch(request, stopper))
    try:
        return await run_in_threadpool(stoppable)
    except Stopped:
        raise HTTPException(CLIENT_CLOSED) from None
    finally:
        watcher.cancel()


async def _watch(request: Request, stopper: Stopper) -> None:
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            stopper.stop()
            return
