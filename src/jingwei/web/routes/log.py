"""The log: its events, receipts, and the tree as C2SP tiles that anyone can check."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from jingwei import ledger
from jingwei.access.policy import Resource
from jingwei.errors import NotFoundError
from jingwei.ledger import bundle, tiles
from jingwei.ledger.sealer import latest_checkpoint
from jingwei.ledger.verify import HASH_SIZE, TILE_WIDTH
from jingwei.web import problems
from jingwei.web.answers import value_of
from jingwei.web.policies import allowed
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Text

LOG = Resource("Log")
READ = [allowed("log.read", LOG)]

router = APIRouter(
    prefix="/log",
    tags=["log"],
    responses=problems.responses(403, 404),
)

Position = Annotated[int, Path(ge=0, le=2**53, description="The event's position in the log, from 0")]
Name = Annotated[str | None, Query(max_length=200)]
_TILE = re.compile(r"((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
ASK_AGAIN = {"Cache-Control": "private, no-cache"}
"""Tiles never change, but the right to see them may end; and what is between keeps nothing for others."""
TILE = "application/octet-stream"


class EventOut(BaseModel):
    """An event as the log holds it; what was erased is null."""

    position: int
    type: str
    says: TextOut
    time: datetime
    sealed: datetime = Field(description="When it got its position")
    actor: str | None
    subject: str | None
    data: dict[str, Any] | None


class EventsOut(BaseModel):
    """Events, newest first."""

    size: int = Field(description="How many events the log holds")
    events: list[EventOut]
    before: int | None = Field(description="Where the next page begins; null at the beginning of the log")


@router.get("", summary="Search the log", dependencies=READ)
def search_log(
    city: CityOf,
    type_: Annotated[str | None, Query(alias="type", max_length=80)] = None,
    subject: Name = None,
    actor: Name = None,
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> EventsOut:
    """Return sealed events, newest first, by type, subject and actor."""
    with city.records.read() as session:
        found = ledger.search(
            session,
            types=[type_] if type_ is not None else (),
            subject=subject,
            actor=actor,
            before=before,
            limit=limit,
        )
        size = ledger.size(session)
    more = found[-1].position if len(found) == limit else None
    return EventsOut(size=size, events=[_event_out(entry) for entry in found], before=more)


@router.get("/types", summary="What kinds of events there are", dependencies=READ)
def read_types() -> dict[str, TextOut]:
    """Return all declared types of events with what they say."""
    return {kind.name: text_out(kind.says) for kind in ledger.event_types()}


@router.get(
    "/checkpoint",
    summary="The newest signed checkpoint",
    response_class=PlainTextResponse,
    dependencies=[allowed("log.checkpoint", LOG)],
)
def read_checkpoint(city: CityOf) -> PlainTextResponse:
    """Return the head of the log as a signed note (C2SP tlog-checkpoint)."""
    with city.records.read() as session:
        note = latest_checkpoint(session)
    if not note:
        raise NotFoundError(Text("日志尚未启用", "the log has not been opened yet."))
    return PlainTextResponse(note, headers=ASK_AGAIN)


class KeyOut(BaseModel):
    """The keys of the log, as verifier keys of signed notes."""

    opened: str = Field(description="The key by which the log was opened")
    current: str = Field(description="The key that signs today; passed on in the log itself")


@router.get(
    "/key", summary="The keys by which the log is checked", dependencies=[allowed("log.checkpoint", LOG)]
)
def read_key(city: CityOf) -> KeyOut:
    """Return the log's keys. Who checks the log gets the first one by another way too, as on paper."""
    with city.records.read() as session:
        keys = bundle.keys_of(session)
    if not keys:
        raise NotFoundError(Text("日志尚未启用", "the log has not been opened yet."))
    return KeyOut(opened=keys[0], current=keys[-1])


@router.get(
    "/tile/entries/{path:path}", summary="Entries of the log", response_class=Response, dependencies=READ
)
def read_entries(city: CityOf, path: Annotated[str, Path(max_length=60)]) -> Response:
    """Return a bundle of entries (C2SP tlog-tiles)."""
    number, width = _tile(path)
    with city.records.read() as session:
        size = min(ledger.size(session), number * TILE_WIDTH + width)
        packed = bundle.entry_bundle(session, size, number)
        whole = size == number * TILE_WIDTH + width
    if not whole:
        raise _no_tile(path)
    return Response(packed, media_type=TILE, headers=ASK_AGAIN)


@router.get(
    "/tile/{level}/{path:path}",
    summary="Hashes of the log's tree",
    response_class=Response,
    dependencies=READ,
)
def read_tile(
    city: CityOf, level: Annotated[int, Path(ge=0, le=63)], path: Annotated[str, Path(max_length=60)]
) -> Response:
    """Return a tile of the tree (C2SP tlog-tiles)."""
    number, width = _tile(path)
    with city.records.read() as session:
        hashes = tiles.tile_hashes(session, ledger.size(session), level, number)
    if len(hashes) < width * HASH_SIZE:
        raise _no_tile(path)
    return Response(hashes[: width * HASH_SIZE], media_type=TILE, headers=ASK_AGAIN)


@router.get("/{position}", summary="One event", dependencies=READ)
def read_event(city: CityOf, position: Position) -> EventOut:
    """Return the event at a position."""
    with city.records.read() as session:
        return _event_out(ledger.entry_at(session, position))


@router.get(
    "/{position}/receipt",
    summary="The receipt of an event",
    response_class=PlainTextResponse,
    dependencies=READ,
)
def read_receipt(city: CityOf, position: Position) -> PlainTextResponse:
    """Return a receipt (C2SP tlog-proof), which proves the event to anyone who has the log's key."""
    with city.records.read() as session:
        text = bundle.receipt(session, ledger.entry_at(session, position).id)
    name = f'attachment; filename="{position}.tlog-proof"'
    return PlainTextResponse(text, headers={"Content-Disposition": name, "Cache-Control": "no-store"})


def _event_out(entry: ledger.Entry) -> EventOut:
    declared = {kind.name: kind.says for kind in ledger.event_types()}
    says = declared.get(entry.type, Text(entry.type, entry.type))
    return EventOut(
        position=entry.position,
        type=entry.type,
        says=text_out(says),
        time=entry.time,
        sealed=entry.sealed,
        actor=entry.actor,
        subject=entry.subject,
        data=value_of(entry.data),
    )


def _tile(path: str) -> tuple[int, int]:
    """Read `x001/x234/067.p/112` as the number of a tile and its width."""
    parts = _TILE.fullmatch(path)
    if parts is None or not 1 <= int(parts[2] or TILE_WIDTH) <= TILE_WIDTH or len(path) > 40:
        raise _no_tile(path)
    return int(re.sub(r"[x/]", "", parts[1])), int(parts[2] or TILE_WIDTH)


def _no_tile(path: str) -> NotFoundError:
    return NotFoundError(Text(f"日志没有哈希块 {path}", f"the log has no tile {path}."))
