"""The tree as tiles in the record store (C2SP tlog-tiles), and proofs read from them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Table, and_, bindparam, insert, select, update

from jingwei.errors import NotFoundError
from jingwei.ledger.models import Tile
from jingwei.ledger.tree import Node, consistency_proof, inclusion_proof
from jingwei.ledger.verify import HASH_SIZE, TILE_SIZE, TILE_WIDTH, node_hash, perfect_subtrees
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

TILE_HEIGHT = 8
INNER_HEIGHT = 4
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


_caches: WeakKeyDictionary[Any, OrderedDict[tuple[int, int, int], _Tile]] = WeakKeyDictionary()
"""By record store and (level, number, width): a tile of given width never changes."""

_tile = cast("Table", Tile.__table__)
_WHICH = and_(_tile.c.level == bindparam("of_level"), _tile.c.number == bindparam("of_number"))
_WHAT: dict[str, Any] = {"hashes": bindparam("to_hashes"), "inner": bindparam("to_inner")}
_ONE = select(_tile.c.hashes, _tile.c.inner).where(_WHICH)
_CHANGE = update(_tile).where(_WHICH).values(_WHAT)
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


def node_reader(session: Session, size: int) -> Node:
    """Return how to read a node of the tree of `size` leaves from its tiles."""
    cache = _caches.setdefault(session.get_bind().engine, OrderedDict())

    def node(height: int, index: int) -> bytes:
        level, above = divmod(height, TILE_HEIGHT)
        number, offset = divmod(index << above, TILE_WIDTH)
        key = (level, number, _width(size, level, number))
        tile = cache.get(key)
        if tile is None:
            tile = cache[key] = _read(session, size, level, number)
            if len(cache) > CACHED_TILES:
                cache.popitem(last=False)
        return tile.node(above, offset >> above)

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
    row = session.connection().execute(_ONE, {"of_level": level, "of_number": number}).one_or_none()
    if width <= 0 or row is None or len(row.hashes) < width * HASH_SIZE:
        raise NotFoundError(
            Text(f"日志没有哈希块 {level}/{number}", f"the log has no tile {level}/{number}.")
        )
    return _Tile(row.hashes[: width * HASH_SIZE], row.inner if width == TILE_WIDTH else None)


def prove_inclusion(session: Session, index: int, size: int) -> list[bytes]:
    """Return the proof that the entry at `index` is in the tree of `size` leaves."""
    return inclusion_proof(index, size, node_reader(session, size))


def prove_consistency(session: Session, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of `old` leaves begins the tree of `new` leaves."""
    return consistency_proof(old, new, node_reader(session, new))
