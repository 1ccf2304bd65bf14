"""Giving each committed event its position and signing the tree over them.

Sequences of a database count in the order of asking, not of committing: event 7 may become visible
after event 8. So positions are given afterwards, to what is committed, by whoever holds the lock of the
log's head. A follower that has read up to a position has missed nothing before it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import BigInteger, ColumnElement, Table, Update, bindparam, func, insert, select, text, update

from jingwei.errors import ConflictError
from jingwei.ledger import keys, tiles
from jingwei.ledger.bell import bells_of
from jingwei.ledger.keys import Signer
from jingwei.ledger.models import Event, Head, PastCheckpoint
from jingwei.ledger.service import append, entry_bytes, leaf_bytes, leaf_time, of_types
from jingwei.ledger.threads import in_thread
from jingwei.ledger.verify import (
    EMPTY_ROOT,
    HASH_SIZE,
    TILE_WIDTH,
    Checkpoint,
    Frontier,
    Key,
    Note,
    leaf_hash,
    verify_consistency,
)
from jingwei.records import now_utc
from jingwei.records.database import run
from jingwei.words import Text

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from jingwei.records import Records

log = logging.getLogger(__name__)

KEY_FILE = "log-key.pem"
NEXT_KEY_FILE = "log-key.next.pem"
CHECKPOINT_FILE = "checkpoint"
GROUP = 10_000
"""The most events sealed in one transaction, so that none is long."""
JITTER = timedelta(seconds=1)
"""Clocks are set by small steps; a step back below this is smoothed, a larger one is recorded."""
COPY_AGAIN = 0.2
"""Seconds between two copies of the newest checkpoint under load: a file renamed at each seal would have the
file system's journal slow down every append's sync."""
LOOK_AGAIN = 0.5
"""Seconds after which the sealer looks for what other processes appended."""

_event = cast("Table", Event.__table__)
_WAITING = select(Event.id).where(Event.position.is_(None)).limit(1)
_head = cast("Table", Head.__table__)
_HEAD = select(_head).with_for_update()
_ADVANCE = update(_head)
_KEEP = insert(cast("Table", PastCheckpoint.__table__))


def _assignment(which: ColumnElement[bool]) -> Update:
    """Give positions from `base` on, in order of id, to the events `which`; return what their leaves are."""
    rank = (func.row_number().over(order_by=_event.c.id) - 1).label("rank")
    waiting = select(_event.c.id, rank).where(which).order_by(_event.c.id).limit(GROUP).subquery()
    # One statement, so that what is ranked and what is changed is seen at one moment.
    return (
        update(_event)
        .where(_event.c.id == waiting.c.id)
        .values(position=bindparam("base", type_=BigInteger) + waiting.c.rank, sealed=bindparam("now"))
        .returning(_event.c.position, _event.c.type, _event.c.time, _event.c.digest)
    )


_ASSIGN_ALL = _assignment(_event.c.position.is_(None))
_FIND = f"SELECT id, type, time, digest FROM event WHERE position IS NULL ORDER BY id LIMIT {GROUP}"
_PLACE = "UPDATE event SET position = id + ?, sealed = ? WHERE id BETWEEN ? AND ?"
"""To SQLite, where nobody else writes meanwhile, as two statements: ids that follow each other are placed at
half of what it costs to rank them."""
_ASSIGN_ONE = _assignment(_event.c.id == bindparam("only"))


@dataclass
class _State:
    """The head of the log while its lock is held."""

    origin: str
    size: int
    sealed: datetime
    frontier: bytes
    checkpoint: str


class RolledBackError(ConflictError):
    """The record store is older than the last checkpoint that was signed over it."""

    code = "ledger-rolled-back"
    status = 500

    def __init__(self, signed: Checkpoint, stored: int) -> None:
        super().__init__(
            Text(
                f"日志停止封存：已签名的检查点有 {signed.size} 条，与数据库（{stored} 条）不符，"
                "数据库被回退或改写",
                f"the log does not seal: a signed checkpoint counts {signed.size} events, and the store"
                f" (of {stored}) does not lead to it; it was rolled back or rewritten.",
            ),
            mend=Text("请恢复更新的备份", "Restore a newer backup."),
        )


class WrongKeyError(ConflictError):
    """The key at hand is not the one that signs the log: it was lost, or is that of another."""

    code = "ledger-key-wrong"
    status = 500

    def __init__(self, path: Path, origin: str) -> None:
        super().__init__(
            Text(
                f"{path} 不是签署日志 {origin} 的密钥，日志停止封存",
                f"{path} is not the key that signs the log {origin}, which does not seal.",
            ),
            mend=Text("请从备份恢复密钥文件", "Restore the file of the key from its copy."),
            where={"file": str(path)},
        )


class Sealer:
    """Seals the log of one record store.

    Parameters
    ----------
    records
        The record store.
    folder
        Where a copy of the newest checkpoint is kept, apart from the record store: it shows when the store
        is rolled back.
    key_folder
        Where the key is kept, and generated for a log that has none yet; `folder` if not given.
    key_file
        A key from outside, instead of one in `key_folder`.
    origin
        The name of the log, given once when it is opened.
    pause
        Seconds between two seals under load: the time in which events gather to share one.
    clock
        Where the time comes from.

    """

    def __init__(
        self,
        records: Records,
        folder: Path,
        *,
        key_folder: Path | None = None,
        key_file: Path | None = None,
        origin: str | None = None,
        pause: float = 0.03,
        clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self.records = records
        self.folder = folder
        self.pause = pause
        self.clock = clock
        self.bells = bells_of(records.engine)
        self._copied = 0.0
        self._to_copy = ""
        self._own_key = key_file is None
        self._key_file = key_file or (key_folder or folder) / KEY_FILE
        self._next_key_file = (key_folder or folder) / NEXT_KEY_FILE
        folder.mkdir(parents=True, exist_ok=True)
        self._open(origin)

    # opening

    def _open(self, origin: str | None) -> None:
        with self.records.write() as session:
            if session.get_bind().dialect.name == "postgresql":
                # Where there is no head yet there is none to lock: of two that open a log, one waits.
                session.execute(text("SELECT pg_advisory_xact_lock(7462)"))
            head = session.scalar(select(Head).with_for_update())
            if head is None:
                head = self._first_head(session, Signer(origin or keys.new_origin(), self._first_key()))
            elif not self._key_file.exists():
                raise WrongKeyError(self._key_file, head.origin)
            self.signer = Signer(head.origin, keys.load(self._key_file))
        self._finish_rotation()
        with self.records.read() as session:
            self._take_key_of(latest_checkpoint(session))
        self._check_not_rolled_back()

    def _first_key(self) -> Ed25519PrivateKey:
        """Return the key for a new log: one that lies there already, or one made now."""
        if self._own_key:
            with contextlib.suppress(FileExistsError):
                return keys.generate(self._key_file)
        return keys.load(self._key_file)

    def _take_key_of(self, note: str) -> None:
        """Sign on with the key by which the newest checkpoint is signed: another process may have rotated it.

        Raises
        ------
        WrongKeyError
            Where that key is not at hand.

        """
        name, key_id, _ = Note.parse(note).signatures[-1]
        if (self.signer.name, self.signer.key.id) == (name, key_id):
            return
        for path in (self._key_file, self._next_key_file):
            with contextlib.suppress(keys.KeyFileError):
                signer = Signer(self.signer.name, keys.load(path))
                if (signer.name, signer.key.id) == (name, key_id):
                    self.signer = signer
                    return
        raise WrongKeyError(self._key_file, self.signer.name)

    def _first_head(self, session: Session, signer: Signer) -> Head:
        told = {"origin": signer.name, "key": str(signer.key)}
        append(session, "ledger.opened", actor="system", subject="ledger", data=told)
        checkpoint = signer.sign(Checkpoint(signer.name, 0, EMPTY_ROOT))
        head = Head(origin=signer.name, size=0, sealed=self.clock(), frontier=b"", checkpoint=checkpoint)
        session.add(head)
        return head

    def _check_not_rolled_back(self) -> None:
        path = self.folder / CHECKPOINT_FILE
        if not path.exists():
            return
        kept = Checkpoint.parse(Note.parse(path.read_text(encoding="utf-8")).text)
        with self.records.read() as session:
            head = session.scalars(select(Head)).one()
            now = Checkpoint.parse(Note.parse(head.checkpoint).text)
            if kept.size <= now.size and kept.origin == now.origin:
                proof = tiles.prove_consistency(session, kept.size, now.size)
                if verify_consistency(kept.size, now.size, kept.root, now.root, proof):
                    return
        raise RolledBackError(kept, now.size)

    # sealing

    def seal(self) -> int:
        """Seal one group of what is committed; return how many events it had."""
        count = self._seal()
        self._copy()
        return count

    def _seal(self) -> int:
        with self.records.read() as session:
            if session.execute(_WAITING).first() is None:
                return 0
        with self.records.write() as session:
            head = _locked(session)
            self._take_key_of(head.checkpoint)
            count = self._seal_group(session, head)
            self._to_copy = head.checkpoint
        self.bells.sealed.ring()
        return count

    def seal_all(self) -> int:
        """Seal everything that is committed; return how many events that were."""
        total = 0
        while count := self.seal():
            total += count
        return total

    def run(self, stop: threading.Event) -> None:
        """Seal until `stop` is set; while nothing waits, complete the tiles of older versions."""
        completion = tiles.Completion(self.records)
        left = completion.left()
        while not stop.is_set():
            seen = self.bells.appended.count
            if self._seal():
                if time.monotonic() - self._copied > COPY_AGAIN:
                    self._copy()
                stop.wait(self.pause)
                continue
            self._copy()
            if completion.step():
                _tell_completed(completion.done, left)
            else:
                self.bells.appended.wait(seen, LOOK_AGAIN)
        self.seal_all()

    @contextlib.contextmanager
    def running(self) -> Iterator[Sealer]:
        """Seal in a thread of its own while the block lasts."""
        with in_thread("sealer", self.run, self.bells.appended):
            yield self

    def _seal_group(self, session: Session, head: _State, *, successor: Signer | None = None) -> int:
        now = self.clock()
        leaves: list[bytes] = []
        if now < head.sealed - JITTER:
            told = {"before": leaf_time(head.sealed), "after": leaf_time(now)}
            event_id = append(session, "ledger.clock_moved_back", actor="system", subject="ledger", data=told)
            leaves += self._assign(session, head.size, now, event_id)
        now = max(now, head.sealed) if not leaves else now
        leaves += self._assign(session, head.size + len(leaves), now)
        if leaves:
            self._grow(session, head, leaves, now, successor)
        return len(leaves)

    @staticmethod
    def _assign(session: Session, base: int, now: datetime, only: int | None = None) -> list[bytes]:
        """Give positions from `base` on, in order of id, and return the hashes of the leaves."""
        connection = session.connection()
        if only is None and connection.dialect.name == "sqlite":
            return _place_in_sqlite(connection, base, now)
        told = {"base": base, "now": now} | ({} if only is None else {"only": only})
        statement = _ASSIGN_ALL if only is None else _ASSIGN_ONE
        rows = sorted(connection.execute(statement, told), key=itemgetter(0))
        return [leaf_hash(entry_bytes(type_, time, now, digest)) for _, type_, time, digest in rows]

    def _grow(
        self, session: Session, head: _State, leaves: list[bytes], now: datetime, successor: Signer | None
    ) -> None:
        nodes = [head.frontier[i : i + HASH_SIZE] for i in range(0, len(head.frontier), HASH_SIZE)]
        frontier = Frontier(head.size, nodes)
        for leaf in leaves:
            frontier.push(leaf)
        tiles.extend(session, head.size, leaves)
        checkpoint = Checkpoint(head.origin, frontier.size, frontier.root())
        note = self.signer.sign(checkpoint)
        if successor is not None:
            note += successor.signature_line(str(checkpoint))
        # Kept at every full tile and every hour: by these a change is narrowed down when all else is forged.
        crossed = head.size // TILE_WIDTH != frontier.size // TILE_WIDTH or head.sealed.hour != now.hour
        if crossed or successor is not None:
            told = {"size": frontier.size, "note": note, "handover": successor is not None}
            session.connection().execute(_KEEP, told)
        head.size, head.sealed, head.checkpoint = frontier.size, now, note
        head.frontier = b"".join(frontier.nodes)
        session.connection().execute(_ADVANCE, asdict(head))

    def _copy(self) -> None:
        """Keep the newest checkpoint apart from the record store, where that is not yet done."""
        note, self._to_copy = self._to_copy, ""
        if not note:
            return
        path = self.folder / CHECKPOINT_FILE
        fresh = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.new")
        fresh.write_text(note, encoding="utf-8")
        os.replace(fresh, path)  # noqa: PTH105 - atomic
        self._copied = time.monotonic()

    # keys

    def rotate(self, key_file: Path | None = None) -> Key:
        """Pass the log to a new key, generated or given; return it.

        The entry that names the new key is the last one that the old key signs alone; its checkpoint
        carries both signatures. Whoever trusts the old key can so come to trust the new one.
        """
        private = keys.load(key_file) if key_file else keys.generate(self._next_key_file)
        successor = Signer(self.signer.name, private)
        if key_file:
            _write_private(self._next_key_file, key_file.read_bytes())
        self.seal_all()
        with self.records.write() as session:
            head = _locked(session)
            self._take_key_of(head.checkpoint)
            # What was committed meanwhile goes before the entry of the new key, which must come last.
            while self._seal_group(session, head) == GROUP:
                pass
            told = {"old_key": str(self.signer.key), "new_key": str(successor.key)}
            event_id = append(session, "ledger.key_rotated", actor="system", subject="ledger", data=told)
            now = max(self.clock(), head.sealed)
            leaves = self._assign(session, head.size, now, event_id)
            self._grow(session, head, leaves, now, successor)
            self._to_copy = head.checkpoint
        self._copy()
        self.bells.sealed.ring()
        os.replace(self._next_key_file, self._key_file)  # noqa: PTH105 - atomic
        self.signer = successor
        return successor.key

    def _finish_rotation(self) -> None:
        """After a crash between the entry of a new key and the change of files: complete, or discard."""
        if not self._next_key_file.exists():
            return
        successor = Signer(self.signer.name, keys.load(self._next_key_file))
        with self.records.read() as session:
            told = session.execute(of_types(["ledger.key_rotated"], Event.id, Event.data)).all()
        if told and max(told, key=itemgetter(0)).data["new_key"] == str(successor.key):
            os.replace(self._next_key_file, self._key_file)  # noqa: PTH105 - atomic
            self.signer = successor
        else:
            with contextlib.suppress(FileNotFoundError):
                self._next_key_file.unlink()


def _tell_completed(done: int, left: int) -> None:
    """Say each tenth of the way how far the completion of tiles has come."""
    before = max(0, done - tiles.AT_ONCE)
    if done >= left or done * 10 // left != before * 10 // left:
        log.info("%d of %d older tiles of the log have their inner nodes now", min(done, left), left)


def key_folder_of(home: Path) -> Path:
    """Return where the keys of the city in `home` lie."""
    keys.settled(home, NEXT_KEY_FILE)
    return keys.settled(home, KEY_FILE).parent


def _place_in_sqlite(connection: Connection, base: int, now: datetime) -> list[bytes]:
    """Give the events that wait their positions from `base` on; return the hashes of their leaves."""
    rows = run(connection, _FIND, ())
    write = _event.c.sealed.type.bind_processor(connection.dialect)
    placed, kept = leaf_time(now), write(now) if write else now
    # Ids have a gap where a transaction was rolled back: what lies between two gaps is placed at once.
    starts = [i for i, row in enumerate(rows) if i == 0 or row[0] != rows[i - 1][0] + 1]
    for start, end in pairwise([*starts, len(rows)]):
        first, last = rows[start][0], rows[end - 1][0]
        run(connection, _PLACE, (base + start - first, kept, first, last))
    return [
        leaf_hash(leaf_bytes(type_, f"{time[:10]}T{time[11:26]}Z", placed, digest))  # kept as UTC
        for _, type_, time, digest in rows
    ]


def _locked(session: Session) -> _State:
    """Return the head, and hold its lock until the transaction ends."""
    return _State(*session.connection().execute(_HEAD).one())


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def latest_checkpoint(session: Session) -> str:
    """Return the newest signed checkpoint; the empty text before the log is opened."""
    found: Any = session.scalar(select(Head.checkpoint))
    return found or ""
