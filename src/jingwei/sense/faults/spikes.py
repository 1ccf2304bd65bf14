"""Sensors of which single readings are impossible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei.sense.faults.fault import Fault
from jingwei.sense.faults.hours import HOUR
from jingwei.sense.faults.neighbours import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from jingwei.sense.faults.hours import Hours
    from jingwei.sense.faults.neighbours import Beside

SPIKE, SPIKE_TIMES = 15.0, 5.0
"""Deviations by which a single reading must be off, and times what one in fifty hours of the others is,"""
SPIKES, SPIKE_DAYS = 5, 3
"""and how often, no more than so many days apart."""


def spikes(hours: Hours, held: Beside, faulty: NDArray[np.bool_]) -> Iterator[Fault]:
    """Find streams of which single readings lie far beyond anything that was there before or near by."""
    with np.errstate(invalid="ignore"):
        up, down = (hours.high - held.expected) / held.usual, (held.expected - hours.low) / held.usual
    far = np.where(faulty, np.nan, np.fmax(up, down))
    most = np.array([_quantile(one, 0.98) for one in far.T])
    for at in range(far.shape[1]):
        own = SPIKE_TIMES * _quantile(far[:, at], 0.75)
        bound = max(SPIKE, SPIKE_TIMES * float(np.nanmedian(np.delete(most, at))), own)
        hits = np.flatnonzero(far[:, at] > bound)
        for group in np.split(hits, np.flatnonzero(np.diff(hits) > SPIKE_DAYS * DAY) + 1):
            apart = 1 + int((np.diff(group) > 1).sum()) if len(group) else 0
            if apart < SPIKES or len(np.unique(group // DAY)) < 2:
                continue
            first, last = int(group[0]), int(group[-1])
            lasts = len(hours.start) - last <= SPIKE_DAYS * DAY
            yield Fault(
                int(hours.stream[at]), "implausible", int(hours.start[first]),
                None if lasts else int(hours.start[last]) + HOUR,
                {
                    "spikes": float(len(group)), "away": float(np.median(far[group, at])),
                    "bound": float(bound),
                    "days": (last - first + 1) / DAY,
                },
            )  # fmt: skip


def _quantile(values: NDArray[np.float64], part: float) -> float:
    there = values[np.isfinite(values)]
    return float(np.quantile(there, part)) if len(there) else float("nan")
