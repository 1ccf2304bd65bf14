"""Sensors whose clock goes wrong: they say what their neighbours say, but later each day, or earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei.sense.faults.fault import Fault
from jingwei.sense.faults.neighbours import DAY, Matrix, by_day, median, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from jingwei.sense.faults.hours import Hours
    from jingwei.sense.faults.neighbours import Beside

BLOCK = 4 * DAY
"""Hours by which it is told how late a stream is."""
MOST = 12
"""Hours that it may be."""
SURE, BETTER = 0.8, 0.1
"""How well it must go along with its neighbours when it is moved, and how much better than before."""
LATE, LATE_OUT = 1.5, 6.0
"""Hours by which it must be later than it was, and times what blocks differ by anyway."""
BEFORE, SINCE = 4, 2
"""Blocks that must tell how late it always was, and that it is later now."""


def clocks(hours: Hours, held: Beside, faulty: NDArray[np.bool_]) -> Iterator[Fault]:
    """Find streams that are later than they were, or earlier, beside their neighbours."""
    own, middle = _within_days(np.where(faulty, np.nan, hours.mean)), _within_days(held.middle)
    count = len(own) // BLOCK
    if count < BEFORE + SINCE:
        return
    first = len(own) - count * BLOCK
    likeness = np.stack([_likeness(own, middle, first + at * BLOCK) for at in range(count)])
    lags = _best(likeness)
    usual = spread(lags - median(lags.T)[None, :])
    if not np.isfinite(usual):
        return
    bound = max(LATE, LATE_OUT * usual)
    for at in range(lags.shape[1]):
        told = np.flatnonzero(np.isfinite(lags[:, at]))
        if len(told) < BEFORE + SINCE:
            continue
        line = lags[told, at]
        always = float(np.median(line[:BEFORE]))
        far = np.abs(line - always) > bound
        if not far[-SINCE:].all() or len(set(np.sign(line[-SINCE:] - always).tolist())) > 1:
            continue
        late = float(np.median(line[-SINCE:]) - always)
        alike = likeness[told[-SINCE:], at]
        gain = float((alike.max(1) - alike[:, MOST + round(always)]).min())
        if gain < BETTER:
            continue
        begin = len(line) - int(np.argmin(np.append((np.abs(line - always) > bound / 2)[::-1], False)))
        since = int(hours.start[first + int(told[begin]) * BLOCK])
        evidence = {"late": late, "bound": bound, "alike": float(alike.max(1).min()), "better": gain}
        yield Fault(int(hours.stream[at]), "drifting", since, None, evidence)


def _within_days(values: Matrix) -> Matrix:
    """Return hours without the level of their days."""
    days = by_day(values)
    padded = np.concatenate([days[:1], days]) if len(days) else np.full((1, values.shape[1]), np.nan)
    day = (np.arange(len(values)) - (len(values) - len(days) * DAY)) // DAY
    return values - padded[np.maximum(day, -1) + 1]


def _likeness(own: Matrix, middle: Matrix, begin: int) -> Matrix:
    """Return how alike streams (rows) are to their neighbours in a block, by hours moved (columns)."""
    here = own[begin : begin + BLOCK]
    found = np.full((own.shape[1], 2 * MOST + 1), np.nan)
    for lag in range(-MOST, MOST + 1):
        low, high = begin - lag, begin - lag + BLOCK
        cut = slice(max(0, -low), BLOCK - max(0, high - len(middle)))
        there = middle[max(low, 0) : min(high, len(middle))]
        mine = here[cut]
        both = np.isfinite(mine) & np.isfinite(there)
        one, two = np.where(both, mine, 0.0), np.where(both, there, 0.0)
        whole = np.sqrt((one**2).sum(0) * (two**2).sum(0))
        enough = (both.sum(0) > BLOCK // 2) & (whole > 0)
        found[enough, lag + MOST] = (one * two).sum(0)[enough] / whole[enough]
    return found


def _best(likeness: Matrix) -> Matrix:
    """Return by how many hours each block of each stream is best moved, NaN where none is sure."""
    told = np.where(np.isfinite(likeness), likeness, -1.0)
    best = told.argmax(2)
    inner = np.clip(best, 1, 2 * MOST - 1)
    rows, columns = np.indices(best.shape)
    before, at, after = (told[rows, columns, inner + one] for one in (-1, 0, 1))
    bend = before - 2 * at + after
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(bend < 0, (before - after) / (2 * bend), 0.0)
    sure = told.max(2) >= SURE
    return np.where(sure, inner - MOST + np.clip(part, -1, 1), np.nan)
