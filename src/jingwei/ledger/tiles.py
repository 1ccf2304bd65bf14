"""The tree as tiles in the record store (C2SP tlog-tiles), and proofs read from them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Table, and_, bindparam, func, insert, select, tuple_, update

from jingwei.errors import NotFoundError
from jingwei.ledger.models import Tile
from jingwei.ledger.tree import Node, consistency_proof, inclusion_proof
from jingwei.ledger.verify import HASH_SIZE, TILE_SIZE, TILE_WIDTH, node_hash, perfect_subtrees
from jingwei.records.database import driver_text, run
from jingwei.records.recent import Recent
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jingwei.records import Records

TILE_HEIGHT = 8
INNER_HEIGHT = 4
AT_ONCE = 64
"""Tiles completed in one transaction: some 10 ms, which a seal may have to wait for."""
CACHED_TILES = 1024
"""Tiles kept, 9 kB each and up to 40 kB once all their inner nodes were asked for."""


class _Tile:
    """A tile that was read: the root of any perfect subtree over its hashes."""

    def __init__(self, hashes: bytes, inner: bytes | None) -> None:
        self.hashes = hashes
        self.inner = inner
        self._known: dict[tuple[int, int], bytes] = {}

    def node(self, height: int, index: int) -> bytes:
        """Return the root over the hashes `[index * 2**height, (index + 1) * 2**height)` of this tile."""
        at = index * HASH_SIZE
        if height == 0:
            return self.hashes[at : at + HASH_SIZE]
        if height == INNER_HEIGHT and self.inner is not None:
            return self.inner[at : at + HASH_SIZE]
        found = self._known.get((height, index))
        if found is None:
            found = node_hash(self.node(height - 1, 2 * index), self.node(height - 1, 2 * index + 1))
            self._known[height, index] = found
        return found


def _inner(hashes: bytes) -> bytes:
    """Return the inner nodes that are kept of a full tile."""
    return b"".join(perfect_subtrees(hashes)[INNER_HEIGHT])


_caches: WeakKeyDictionary[Any, Recent[tuple[int, int, int], _Tile]] = WeakKeyDictionary()
"""By record store and (level, number, width): a tile of given width never changes."""

_tile = cast("Table", Tile.__table__)
_WHICH = and_(_tile.c.level == bindparam("of_level"), _tile.c.number == bindparam("of_number"))
_WHAT: dict[str, Any] = {"hashes": bindparam("to_hashes"), "inner": bindparam("to_inner")}
_ONE = select(_tile.c.hashes, _tile.c.inner).where(_WHICH)
_CHANGE = update(_tile).where(_WHICH).values(_WHAT)
_FULL_WITHOUT = and_(_tile.c.inner.is_(None), func.length(_tile.c.hashes) == TILE_SIZE)
_LACKING_COUNT = select(func.count()).select_from(_tile).where(_FULL_WITHOUT)
_COMPLETE = update(_tile).where(_WHICH).values(inner=bindparam("to_inner"))
_ADD = insert(_tile).values({"level": bindparam("of_level"), "number": bindparam("of_number"), **_WHAT})


def extend(session: Session, size: int, leaves: Sequence[bytes]) -> None:
    """Add leaf hashes to the stored tiles of a tree of `size` leaves, and the tiles above them."""
    connection = session.connection()
    level, start, hashes = 0, size, b"".join(leaves)
    while hashes:
        number, width = divmod(start, TILE_WIDTH)
        if width:
            begun = connection.execute(_ONE, {"of_level": level, "of_number": number}).one()
            hashes = begun.hashes[: width * HASH_SIZE] + hashes
        parts = [hashes[at : at + TILE_SIZE] for at in range(0, len(hashes), TILE_SIZE)]
        subtrees = [perfect_subtrees(part) if len(part) == TILE_SIZE else None for part in parts]
        rows = [
            {
                "of_level": level,
                "of_number": number + i,
                "to_hashes": part,
                "to_inner": b"".join(rows[INNER_HEIGHT]) if rows else None,
            }
            for i, (part, rows) in enumerate(zip(parts, subtrees, strict=True))
        ]
        if width:
            connection.execute(_CHANGE, rows.pop(0))
        if rows:
            connection.execute(_ADD, rows)
        level, start, hashes = level + 1, number, b"".join(rows[TILE_HEIGHT][0] for rows in subtrees if rows)


class Completion:
    """Gives tiles that were sealed without inner nodes theirs, some at a time, so that it may stop anywhere.

    Parameters
    ----------
    records
        The record store whose tiles lack inner nodes: they were sealed before such were kept.

    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._after: tuple[int, int] | None = (-1, 0)
        self.done = 0

    def left(self) -> int:
        """Return how many tiles lack their inner nodes still."""
        with self._records.read() as session:
            return session.connection().execute(_LACKING_COUNT).scalar_one()

    def step(self) -> int:
        """Complete some tiles, in a transaction of their own; return how many, 0 once there are no more."""
        if self._after is None:
            return 0
        where = _tile.c.level, _tile.c.number
        question = select(*where, _tile.c.hashes).where(_FULL_WITHOUT, tuple_(*where) > self._after)
        with self._records.read() as session:
            found = session.connection().execute(question.order_by(*where).limit(AT_ONCE)).all()
        if not found:
            self._after = None
            return 0
        # A full tile never changes: what was read before the transaction is what it holds.
        rows = [
            {"of_level": level, "of_number": number, "to_inner": _inner(hashes)}
            for level, number, hashes in found
        ]
        with self._records.write() as session:
            session.connection().execute(_COMPLETE, rows)
        self._after = found[-1].level, found[-1].number
        self.done += len(rows)
        return len(rows)


@lru_cache(maxsize=8)
def _one_text(dialect: Dialect) -> str:
    return driver_text(_ONE, dialect, ("of_level", "of_number"))


def node_reader(session: Session, size: int) -> Node:
    """Return how to read a node of the tree of `size` leaves from its tiles."""
    engine = session.get_bind().engine
    cache = _caches.get(engine) or _caches.setdefault(engine, Recent(CACHED_TILES))
    at_hand: dict[tuple[int, int], _Tile] = {}

    def find(level: int, number: int) -> _Tile:
        key = (level, number, _width(size, level, number))
        return cache.of(key, lambda: _read(session, size, level, number))

    def node(height: int, index: int) -> bytes:
        level, above = height // TILE_HEIGHT, height % TILE_HEIGHT
        number = index >> (TILE_HEIGHT - above)
        tile = at_hand.get((level, number))
        if tile is None:
            tile = at_hand[level, number] = find(level, number)
        return tile.node(above, index & ((TILE_WIDTH >> above) - 1))

    return node


def _width(size: int, level: int, number: int) -> int:
    """Return how many hashes a tile has in the tree of `size` leaves; none or less if it has no such tile."""
    return min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - number * TILE_WIDTH)


def tile_hashes(session: Session, size: int, level: int, number: int) -> bytes:
    """Return a tile as it is in the tree of `size` leaves, whole or partial.

    Raises
    ------
    NotFoundError
        Where that tree has no such tile.

    """
    return _read(session, size, level, number).hashes


def _read(session: Session, size: int, level: int, number: int) -> _Tile:
    width = _width(size, level, number)
    connection = session.connection()
    rows = run(connection, _one_text(connection.dialect), (level, number))
    if width <= 0 or not rows or len(rows[0][0]) < width * HASH_SIZE:
        raise NotFoundError(
            Text(f"日志没有哈希块 {level}/{number}", f"the log has no tile {level}/{number}.")
        )
    hashes, inner = rows[0]
    return _Tile(hashes[: width * HASH_SIZE], inner if width == TILE_WIDTH else None)


def prove_inclusion(session: Session, index: int, size: int) -> list[bytes]:
    """Return the proof that the entry at `index` is in the tree of `size` leaves."""
    return inclusion_proof(index, size, node_reader(session, size))


def prove_consistency(session: Session, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of `old` leaves begins the tree of `new` leaves."""
    return consistency_proof(old, new, node_reader(session, new))
