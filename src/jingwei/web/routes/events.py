"""Events as they happen, for pages that show what is."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from jingwei.access.policy import Resource
from jingwei.city.following import is_shown, wanted
from jingwei.errors import JingweiError
from jingwei.web import feed as feeds
from jingwei.web import problems
from jingwei.web.policies import CITY, allowed, policies_of
from jingwei.web.reader import still_asker_of
from jingwei.web.routes.city import CityOf
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from jingwei.city import City
    from jingwei.web.feed import Feed

router = APIRouter(
    prefix="/events",
    tags=["events"],
    responses=problems.responses(403, 503),
    dependencies=[allowed("city.read", CITY)],
)

MOST = 2_000
"""Followers at once."""
RETRY = 2_000
"""Milliseconds after which a browser that lost the stream comes again."""
STILL_HERE = 7
"""Beats of silence after which the stream says that it is alive, so that nobody between closes it."""


class TooManyFollowersError(JingweiError):
    """As many follow as this server takes."""

    code = "too-many-followers"
    status = 503


@router.get(
    "",
    summary="Follow what happens, live",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def follow(
    request: Request,
    city: CityOf,
    after: Annotated[
        int | None,
        Query(ge=-1, le=2**53, description="The last position that is known; -1 for the beginning"),
    ] = None,
    last_event_id: Annotated[
        str | None, Header(max_length=40, description="The same, as browsers send it")
    ] = None,
    types: Annotated[
        str | None,
        Query(
            max_length=1000,
            description="Types of events, or parts, separated by commas",
            examples=["dataset.removed,policy"],
        ),
    ] = None,
) -> StreamingResponse:
    """Send each event that the reader may know of, from now on or from where the reader stopped.

    Each has its position as its id, so a browser that lost the stream goes on where it was. The stream ends
    with an event `end` as soon as the right to it does.
    """
    state = request.app.state
    if state.followers >= MOST:
        raise TooManyFollowersError(
            Text("跟随事件的页面太多", "Too many pages follow events"),
            mend=Text("请稍后再试。", "Try again later."),
        )
    known = int(last_event_id) if last_event_id is not None and last_event_id.isdecimal() else after
    chosen = frozenset(part.strip() for part in types.split(",") if part.strip()) if types else frozenset()
    # Decided before the answer begins: what happens after its first byte is told.
    position = known + 1 if known is not None else await run_in_threadpool(state.feed.size)
    return StreamingResponse(
        _stream(request, city, state.feed, position, chosen),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(
    request: Request, city: City, feed: Feed, position: int, types: frozenset[str]
) -> AsyncIterator[bytes]:
    state = request.app.state
    rung, loop = asyncio.Event(), asyncio.get_running_loop()
    unsubscribe = feed.bells.sealed.subscribe(lambda: loop.call_soon_threadsafe(rung.set))
    state.followers += 1
    try:
        yield f"retry: {RETRY}\nid: {position - 1}\n\n".encode()
        silent = 0
        while not state.ending.begun:
            try:
                told, position, more = await run_in_threadpool(_next, request, city, feed, position, types)
            except JingweiError as error:
                yield f"event: end\ndata: {json.dumps({'code': error.code})}\n\n".encode()
                return
            silent = 0 if told else silent + 1
            if told:
                yield told
            elif silent % STILL_HERE == 0:
                yield b": still here\n\n"
            if not more:
                with state.ending.heard_by(rung):
                    await feed.changed(rung)
    finally:
        state.followers -= 1
        unsubscribe()


def _next(
    request: Request, city: City, feed: Feed, position: int, types: frozenset[str]
) -> tuple[bytes, int, bool]:
    """Return what to send next, the position after it, and whether there is more already.

    Who asks is found out anew each time: a session may have ended, a role been taken, the policies changed.

    Raises
    ------
    JingweiError
        Where the right has ended.

    """
    asker = still_asker_of(request)
    policies = policies_of(request)
    policies.check(asker, "city.read", CITY)
    entries = feed.since(position)
    if not entries:
        return b"", position, False
    whole = policies.decide(asker, "log.read", Resource("Log")).allowed
    shown = [
        feeds.told(entry, whole=whole)
        for entry in entries
        if wanted(entry, types) and is_shown(policies, city.lake, asker, entry)
    ]
    last = entries[-1].position
    # The position moves on with what is not shown too, so that a lost stream need not go through it again.
    return b"".join(shown) or f"id: {last}\n\n".encode(), last + 1, len(entries) == feeds.BATCH
