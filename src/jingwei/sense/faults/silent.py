"""Sensors of which nothing is heard any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei.sense.faults.fault import Fault
from jingwei.sense.faults.neighbours import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from jingwei.sense.faults.hours import Hours

SILENT_STEPS, SILENT_HOURS = 24, 12
"""A sensor is silent that left out so many readings, and so many hours,"""
SILENT_TIMES = 3
"""and so many times its next longest gap; unless most of its neighbours are."""


def silent(hours: Hours, excused: NDArray[np.bool_] | None) -> Iterator[Fault]:
    """Find streams that left out many readings, while most of their neighbours were heard."""
    there = hours.count > 0
    if excused is not None:
        there = there | excused
    length = len(hours.start)
    gaps = [_gaps(there[:, at]) for at in range(there.shape[1])]
    heard = there.mean(1)
    for at, (begins, lengths) in enumerate(gaps):
        if not len(begins):
            continue
        steps = SILENT_STEPS * usual_step(hours.count[:, at])
        for one in range(len(begins)):
            begin, gap = int(begins[one]), int(lengths[one])
            others = np.delete(lengths, one)
            bound = max(SILENT_HOURS, steps, SILENT_TIMES * int(others.max(initial=0)))
            if _also_long(others, gap, steps):
                bound = max(SILENT_HOURS, steps)
            if gap < bound or heard[begin : begin + gap].mean() < 0.5:
                continue
            lasts = begin + gap >= length
            yield Fault(
                int(hours.stream[at]), "silent", int(hours.start[begin]),
                None if lasts else int(hours.start[begin + gap]),
                {"hours": float(gap), "bound": float(bound), "usual": steps / SILENT_STEPS},
            )  # fmt: skip


def _also_long(others: NDArray[np.int64], gap: int, steps: float) -> bool:
    """Say whether the only gaps that are nearly as long are few, and long by themselves: silent twice."""
    long = others[others * SILENT_TIMES > gap]
    ordinary = others[others * SILENT_TIMES <= gap]
    return (
        len(long) <= 2
        and bool((long >= 2 * steps).all())
        and gap >= SILENT_TIMES * int(ordinary.max(initial=0))
    )


def _gaps(there: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where hours without readings begin after some with, and how many they are."""
    seen = np.flatnonzero(there)
    if not len(seen):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    ends = np.append(seen[1:], len(there))
    gap = ends - seen - 1
    return seen[gap > 0] + 1, gap[gap > 0]


def usual_step(count: NDArray[np.int64]) -> float:
    """Return the usual hours between two readings of a stream."""
    seen = np.flatnonzero(count)
    if len(seen) < 2:
        return float(DAY)
    apart = float(np.median(np.diff(seen)))
    return apart if apart > 1 else 1 / float(np.median(count[seen]))
