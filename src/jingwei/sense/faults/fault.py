"""A sensor at fault: how, since when, and what tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from jingwei.sense.faults.hours import Hours

Kind = Literal["silent", "stuck", "drifting", "noisy", "implausible"]
KINDS: tuple[Kind, ...] = ("silent", "stuck", "drifting", "noisy", "implausible")


@dataclass(frozen=True, slots=True)
class Fault:
    """A sensor at fault.

    Attributes
    ----------
    stream, kind
        Which, and how.
    since, until
        UTC microseconds; `until` is None where it lasts.
    evidence
        Numbers that tell it, by name: what was measured, and the bound that it passed.

    """

    stream: int
    kind: Kind
    since: int
    until: int | None
    evidence: dict[str, float] = field(default_factory=dict)


def hours_with(hours: Hours, found: Iterable[Fault]) -> NDArray[np.bool_]:
    """Return which hours of each stream some faults take up: (T, S)."""
    out = np.zeros(hours.mean.shape, bool)
    place = {stream: at for at, stream in enumerate(hours.stream.tolist())}
    for one in found:
        until = np.inf if one.until is None else one.until
        out[(hours.start >= one.since) & (hours.start < until), place[one.stream]] = True
    return out


def stretches(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return from where to before where flags are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
