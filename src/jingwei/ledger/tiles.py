"""The tree as tiles in the record store (C2SP tlog-tiles), and proofs read from them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import select

from jingwei.errors import NotFoundError
from jingwei.ledger.models import Tile
from jingwei.ledger.tree import Node, consistency_proof, inclusion_proof
from jingwei.ledger.verify import HASH_SIZE, TILE_WIDTH, perfect_subtrees
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

TILE_HEIGHT = 8
CACHED_TILES = 1024
"""Tiles kept with their inner nodes, some 40 kB each: those of a quarter million entries."""

_Pyramid = list[list[bytes]]
"""All perfect subtrees over the hashes of a tile, by height above the tile's level."""

_caches: WeakKeyDictionary[Any, OrderedDict[tuple[int, int, int], _Pyramid]] = WeakKeyDictionary()
"""By record store and (level, number, width): a tile of given width never changes."""


def extend(session: Session, size: int, leaves: Sequence[bytes]) -> None:
    """Add leaf hashes to the stored tiles of a tree of `size` leaves, and the tiles above them."""
    level, start, hashes = 0, size, b"".join(leaves)
    while hashes:
        number, width = divmod(start, TILE_WIDTH)
        roots = []
        at = 0
        while at < len(hashes):
            room = (TILE_WIDTH - width) * HASH_SIZE
            part = hashes[at : at + room]
            tile = _add(session, level, number, width, part)
            if len(tile) == TILE_WIDTH * HASH_SIZE:
                roots.append(perfect_subtrees(tile)[TILE_HEIGHT][0])
            at += room
            number, width = number + 1, 0
        level, start, hashes = level + 1, start // TILE_WIDTH, b"".join(roots)


def _add(session: Session, level: int, number: int, width: int, part: bytes) -> bytes:
    if width == 0:
        session.add(Tile(level=level, number=number, hashes=part))
        return part
    tile = session.get_one(Tile, (level, number))
    tile.hashes = tile.hashes[: width * HASH_SIZE] + part
    return tile.hashes


def node_reader(session: Session, size: int) -> Node:
    """Return how to read a node of the tree of `size` leaves from its tiles."""
    cache = _caches.setdefault(session.get_bind().engine, OrderedDict())

    def node(height: int, index: int) -> bytes:
        level, above = divmod(height, TILE_HEIGHT)
        number, offset = divmod(index << above, TILE_WIDTH)
        key = (level, number, _width(size, level, number))
        pyramid = cache.get(key)
        if pyramid is None:
            pyramid = cache[key] = perfect_subtrees(tile_hashes(session, size, level, number))
            if len(cache) > CACHED_TILES:
                cache.popitem(last=False)
        return pyramid[above][offset >> above]

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
    width = _width(size, level, number)
    hashes = session.scalar(select(Tile.hashes).where(Tile.level == level, Tile.number == number))
    if width <= 0 or hashes is None or len(hashes) < width * HASH_SIZE:
        raise NotFoundError(
            Text(f"日志没有哈希块 {level}/{number}", f"the log has no tile {level}/{number}.")
        )
    return hashes[: width * HASH_SIZE]


def prove_inclusion(session: Session, index: int, size: int) -> list[bytes]:
    """Return the proof that the entry at `index` is in the tree of `size` leaves."""
    return inclusion_proof(index, size, node_reader(session, size))


def prove_consistency(session: Session, old: int, new: int) -> list[bytes]:
    """Return the proof that the tree of `old` leaves begins the tree of `new` leaves."""
    return consistency_proof(old, new, node_reader(session, new))
