"""Sensors that are much rougher than they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei.sense.faults.fault import Fault, stretches
from jingwei.sense.faults.neighbours import DAY, Matrix, median, spread, step_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from jingwei.sense.faults.hours import Hours

NOISY = 4.0
"""Times as rough as before and as its neighbours are."""
NOISY_OUT = 6.0
NOISY_DAYS = 2


def noisy(hours: Hours, known: NDArray[np.bool_] | None) -> Iterator[Fault]:
    """Find streams that become much rougher than they were, and than their neighbours are."""
    rough = _roughness(hours)
    if len(rough) < 2 * NOISY_DAYS or rough.shape[1] < 1:
        return
    days = len(rough)
    starts = hours.start[len(hours.start) - days * DAY :: DAY]
    fine = max(step_of(hours.mean), 1e-9)
    log = np.log(np.maximum(rough, fine))
    beside_ = log - (median(log)[:, None] if rough.shape[1] >= 4 else 0.0)
    sound = beside_
    if known is not None:
        sound = np.where(known[len(known) - days * DAY :].reshape(days, DAY, -1).any(1), np.nan, beside_)
    over = beside_ - median(sound.T)[None, :]
    scale = max(spread(np.where(np.isfinite(sound), over, np.nan)), 0.05)
    bound = max(np.log(NOISY), NOISY_OUT * scale)
    for at in range(rough.shape[1]):
        far = over[:, at] > bound
        for first, end in stretches(far):
            if end - first >= NOISY_DAYS:
                told = np.flatnonzero(np.isfinite(over[:, at]))
                yield Fault(
                    int(hours.stream[at]), "noisy", int(starts[first]),
                    None if end > told[-1] else int(starts[end]),
                    {
                        "times": float(np.exp(np.median(over[first:end, at]))),
                        "bound": float(np.exp(bound)), "days": float(end - first),
                    },
                )  # fmt: skip


def _roughness(hours: Hours) -> Matrix:
    """Return how rough days are: by how much hours differ from those beside them, or within themselves."""
    days = len(hours.start) // DAY
    begin = len(hours.start) - days * DAY
    bent = np.full(hours.mean.shape, np.nan)
    bent[1:-1] = np.abs(hours.mean[1:-1] - (hours.mean[2:] + hours.mean[:-2]) / 2)
    within = hours.spread
    rough = np.where(np.isfinite(within) & (hours.count >= 4), within, bent)
    rows = rough[begin:].reshape(days, DAY, -1).transpose(0, 2, 1).reshape(-1, DAY)
    # the mean of the middle: a median is nothing where most hours stay, as rain does
    return median(rows, DAY // 3).reshape(days, -1) if days else np.empty((0, rough.shape[1]))
