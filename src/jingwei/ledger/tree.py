"""Proofs from a stored tree (RFC 6962, 2.1.1 and 2.1.2).

A tree is given as a function `node(height, index)`: the hash of the perfect subtree over the leaves
`[index * 2**height, (index + 1) * 2**height)`.
"""

from __future__ import annotations

from collections.abc import Callable

from jingwei.ledger.verify import EMPTY_ROOT, node_hash

Node = Callable[[int, int], bytes]


def range_hash(start: int, end: int, node: Node) -> bytes:
    """Return MTH(D[start:end]), where the largest power of two below `end - start` divides `start`."""
    if start == end:
        return EMPTY_ROOT
    width = end - start
    if not width & (width - 1):  # one perfect subtree, as nearly always
        height = width.bit_length() - 1
        return node(height, start >> height)
    parts = []
    while start < end:
        height = (end - start).bit_length() - 1
        parts.append(node(height, start >> height))
        start += 1 << height
    root = parts.pop()
    while parts:
        root = node_hash(parts.pop(), root)
    return root


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Return the audit path of the leaf at `index` in the tree of `size` leaves, from the leaf upwards."""
    if not 0 <= index < size:
        msg = f"no leaf {index} in a tree of {size}"
        raise ValueError(msg)
    path = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(middle, end, node))
            end = middle
        else:
            path.append(range_hash(start, middle, node))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """Return the nodes that show the tree of `old` leaves to begin the tree of `new` leaves."""
    if not 0 <= old <= new:
        msg = f"a tree of {old} leaves cannot begin one of {new}"
        raise ValueError(msg)
    if old in (0, new):
        return []
    path = []
    start, end = 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_hash(middle, end, node))
            end = middle
        else:
            path.append(range_hash(start, middle, node))
            start = middle
    # The old root itself is known to whoever checks, when the old tree is one perfect subtree.
    if start > 0:
        path.append(range_hash(start, end, node))
    return path[::-1]


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
