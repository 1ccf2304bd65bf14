"""What is shown in place of a value, a place or a count that may not be shown as it is."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from jingwei import grid
from jingwei.access.policy.engine import Mask

Key = TypeVar("Key", bound=Hashable)

SMALLEST = 5
"""Counts below this, other than none, could point at persons."""


def masked(value: Any, mask: Mask, key: bytes) -> Any:
    """Return what is shown of a value.

    Parameters
    ----------
    value
        The value; `None` stays `None` except where the field is hidden, which looks the same for all.
    mask
        `clear`: as it is. `generalise`: numbers to their first digit, dates to the year, texts to the first
        character. `partial`: the ends of a text, as in `138****5678`. `hash`: the same for equal values,
        and telling nothing else. `hidden`: nothing.
    key
        The city's secret for hashes: without it, guesses cannot be tried.

    """
    if mask == "clear" or (value is None and mask != "hidden"):
        return value
    if mask == "hidden":
        return None
    if mask == "hash":
        return hmac.new(key, str(value).encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]
    if mask == "generalise":
        return _generalised(value)
    return _partial(str(value))


def _partial(text: str) -> str:
    """Show a quarter of a text at each end, at most three and four characters, and never all of it."""
    head, tail = min(3, len(text) // 4), min(4, len(text) // 4)
    if len(text) in (2, 3):  # a name: 王*
        head, tail = 1, 0
    return text[:head] + "*" * (len(text) - head - tail) + (text[len(text) - tail :] if tail else "")


def _generalised(value: Any) -> Any:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        if not math.isfinite(value):
            return None
        whole = abs(int(value))
        size = int(10 ** (len(str(whole)) - 1))
        return (whole // size) * size * (-1 if value < 0 else 1)
    if hasattr(value, "year"):
        return str(value.year)
    return str(value)[:1] + "*"


def coarsened(cell: int, level: int, permitted: int) -> tuple[int, int] | None:
    """Return a place at the level that is permitted: a stored cell and its level, or `None` if not at all.

    Parameters
    ----------
    cell, level
        The signed 64-bit code as stored, and the level it is true to.
    permitted
        The finest level that may be shown; 0 for none.

    """
    if permitted <= 0:
        return None
    if level <= permitted:
        return cell, level
    return grid.to_stored(grid.parent(grid.from_stored(cell), level, permitted)), permitted


def suppressed(
    counts: Mapping[Key, int], totals: Iterable[Sequence[Key]] = (), *, smallest: int = SMALLEST
) -> dict[Key, int | None]:
    """Return counts of which small ones are left out, so that no sum that is shown gives them away.

    Parameters
    ----------
    counts
        How many, by cell, area or category.
    totals
        The groups whose sums are shown too. Of each, either no count is left out or at least two, which
        together are no small number: else the total less the others would be the one left out.
    smallest
        The smallest count that is shown. None at all is shown as 0, unless it must hide another.

    """
    hidden = {key for key, count in counts.items() if 0 < count < smallest}
    groups = [list(group) for group in totals]
    changed = True
    while changed:  # hiding one for a group may lay open another in a second group
        changed = False
        for group in groups:
            out = [key for key in group if key in hidden]
            rest = sorted(
                (key for key in group if key not in hidden), key=lambda key: (counts[key] == 0, counts[key])
            )
            while out and rest and (len(out) < 2 or sum(counts[key] for key in out) < smallest):
                out.append(rest.pop(0))
            changed = changed or not hidden.issuperset(out)
            hidden.update(out)
    return {key: None if key in hidden else count for key, count in counts.items()}


def blocks(counts: Mapping[int, int], level: int, *, smallest: int = SMALLEST) -> dict[tuple[int, int], int]:
    """Return counts by cell, merged upwards until none is small.

    The earth is cut once, into cells that each hold nobody or at least `smallest`; every answer about a
    region is a sum of whole such cells. Whatever two answers are subtracted, the difference is again a
    sum of whole cells, and never a small number.

    Parameters
    ----------
    counts
        How many, by 64-bit code of cells of one level.
    level
        That level, at most 32.
    smallest
        The smallest count that is shown.

    Returns
    -------
    dict
        How many are in a cell and in none of its finer blocks, by code and level. What is still small at
        level 1 is left out, and a total that counts it must not be shown elsewhere.

    """
    done: dict[tuple[int, int], int] = {}
    waiting = {code: count for code, count in counts.items() if count}
    for at in range(level, 0, -1):
        # A parent that holds a small child is taken whole: its other children must not be shown beside it.
        parents: dict[int, list[int]] = {}
        for code in waiting:
            parents.setdefault(grid.parent(code, at, at - 1) if at > 1 else 0, []).append(code)
        above: dict[int, int] = {}
        for parent, children in parents.items():
            if all(waiting[code] >= smallest for code in children):
                done |= {(code, at): waiting[code] for code in children}
            else:
                above[parent] = sum(waiting[code] for code in children)
        waiting = above
    return done
