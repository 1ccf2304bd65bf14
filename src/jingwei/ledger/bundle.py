"""What is handed out to be checked elsewhere: a receipt for one event, a bundle of the whole log."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import String, select, type_coerce

from jingwei.errors import NotFoundError
from jingwei.ledger import verify
from jingwei.ledger.models import Event, Head, PastCheckpoint, Tile
from jingwei.ledger.service import entry_bytes, of_types, payload_bytes
from jingwei.ledger.tiles import prove_inclusion, tile_hashes
from jingwei.ledger.verify import (
    ENTRY,
    HASH_SIZE,
    TILE_WIDTH,
    Checkpoint,
    FormatError,
    Note,
    Receipt,
    pack_entries,
    payload_path,
    tile_path,
    unpack_entries,
)
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_COLUMNS = (
    Event.position,
    Event.type,
    Event.time,
    Event.sealed,
    Event.actor,
    Event.subject,
    type_coerce(Event.data, String).label("data"),
    Event.salt,
    Event.digest,
)


class _Stored(NamedTuple):
    position: int
    entry: bytes
    salt: bytes | None
    payload: bytes | None


class NotSealedError(NotFoundError):
    """The event has no position yet; it gets one within moments, while a sealer runs."""

    code = "event-not-sealed"


def receipt(session: Session, event_id: int) -> str:
    """Return the receipt of an event: a `.tlog-proof` file that proves it to anyone who has the log's key.

    Raises
    ------
    NotFoundError
        Where there is no such event, or (`NotSealedError`) not in the log yet.

    """
    row = session.execute(select(*_COLUMNS).where(Event.id == event_id)).one_or_none()
    head = session.scalar(select(Head))
    if row is None:
        raise NotFoundError(Text(f"没有事件 {event_id}", f"there is no event {event_id}."))
    if head is None or row.position is None or row.position >= head.size:
        raise NotSealedError(Text(f"事件 {event_id} 尚未封存", f"event {event_id} is not sealed yet."))
    stored = _stored(row)
    proof = prove_inclusion(session, stored.position, head.size)
    return str(Receipt(stored.entry, stored.salt, stored.payload, stored.position, proof, head.checkpoint))


def export(
    session: Session,
    path: Path,
    *,
    payloads: bool = True,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> int:
    """Write the whole log to a zip file that `verify.py` checks anywhere; return how many events it has.

    Parameters
    ----------
    session
        Where to read from.
    path
        The file to write.
    payloads
        Whether what happened is handed out too, or only proof that it is unchanged.
    progress
        Called now and then with how many of how many events are written.

    """
    head = session.scalar(select(Head))
    if head is None:
        raise NotFoundError(Text("日志尚未启用", "the log has not been opened yet."))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bundle:
        bundle.writestr("checkpoint", head.checkpoint)
        bundle.writestr("key", _first_key(session) + "\n")
        past = session.scalars(select(PastCheckpoint).order_by(PastCheckpoint.size)).all()
        bundle.writestr("checkpoints.json", json.dumps([point.note for point in past], ensure_ascii=False))
        handovers = [point.note for point in past if point.handover]
        bundle.writestr("handovers.json", json.dumps(handovers, ensure_ascii=False))
        bundle.write(Path(verify.__file__), "verify.py")
        for tile in session.scalars(select(Tile).order_by(Tile.level, Tile.number)):
            name = tile_path(tile.level, tile.number, len(tile.hashes) // HASH_SIZE)
            bundle.writestr(name, tile.hashes, zipfile.ZIP_STORED)
        return _export_entries(session, bundle, head.size, payloads, progress)


def _export_entries(
    session: Session, bundle: zipfile.ZipFile, size: int, payloads: bool, progress: Callable[[int, int], None]
) -> int:
    count = 0
    for number in range(-(-size // TILE_WIDTH)):
        start, end = number * TILE_WIDTH, min((number + 1) * TILE_WIDTH, size)
        rows = list(_read(session, start, end))
        count += len(rows)
        bundle.writestr(tile_path("entries", number), pack_entries(row.entry for row in rows))
        bundle.writestr(payload_path(number), b"".join(_payload_line(row, payloads) for row in rows))
        progress(count, size)
    return count


def _read(session: Session, start: int, end: int) -> Iterator[_Stored]:
    question = select(*_COLUMNS).where(Event.position >= start, Event.position < end)
    return map(_stored, session.execute(question.order_by(Event.position)))


def _stored(row: Any) -> _Stored:
    """Return a row as it is stored: an export shows what is there, and leaves judging to who checks it."""
    entry = entry_bytes(row.type, row.time, row.sealed, row.digest)
    if row.salt is None or row.data is None:
        return _Stored(row.position, entry, None, None)
    payload = payload_bytes(row.actor, row.subject, row.data.encode())
    return _Stored(row.position, entry, row.salt, payload)


def _payload_line(row: _Stored, payloads: bool) -> bytes:
    if row.salt is None or row.payload is None:
        return b"%d -\n" % row.position
    if not payloads:
        return b"%d ~\n" % row.position
    return b"%d %b %b\n" % (row.position, row.salt.hex().encode(), row.payload)


def _first_key(session: Session) -> str:
    keys = keys_of(session)
    return keys[0] if keys else ""


def keys_of(session: Session) -> list[str]:
    """Return the verifier keys of the log, the first one first."""
    kinds = {"ledger.opened": "key", "ledger.key_rotated": "new_key"}
    found = session.execute(of_types(kinds, Event.id, Event.type, Event.data)).all()
    return [str(data[kinds[kind]]) for _, kind, data in sorted(found, key=itemgetter(0)) if data is not None]


def entry_bundle(session: Session, size: int, number: int) -> bytes:
    """Return the entries under one tile of level 0, as tlog-tiles serves them."""
    tile_hashes(session, size, 0, number)  # says whether the tree has it
    start = number * TILE_WIDTH
    return pack_entries(row.entry for row in _read(session, start, min(start + TILE_WIDTH, size)))


def checkpoint_of(note: str) -> Checkpoint:
    """Return the checkpoint that a signed note states."""
    return Checkpoint.parse(Note.parse(note).text)


class Told(NamedTuple):
    """An event as a bundle tells it; what was erased or withheld is None."""

    position: int
    type: str
    actor: str | None
    subject: str | None
    data: dict[str, Any] | None


def read_events(path: Path) -> Iterator[Told]:
    """Yield the events of a bundle in order, as they are told: `verify.check_bundle` says whether rightly.

    Raises
    ------
    FormatError
        Where the file is not a bundle.

    """
    with zipfile.ZipFile(path) as bundle:
        size = checkpoint_of(bundle.read("checkpoint").decode()).size
        for number in range(-(-size // TILE_WIDTH)):
            entries = unpack_entries(bundle.read(tile_path("entries", number)))
            lines = bundle.read(payload_path(number)).split(b"\n")[:-1]
            for position, (entry, line) in enumerate(
                zip(entries, lines, strict=True), start=number * TILE_WIDTH
            ):
                kind = ENTRY.fullmatch(entry)
                if kind is None:
                    raise FormatError(f"entry {position} is no entry of a log")
                payload = line.split(b" ", 2)
                told = json.loads(payload[2]) if len(payload) == 3 else {}
                yield Told(
                    position, kind[3].decode(), told.get("actor"), told.get("subject"), told.get("data")
                )
