"""Sensors that tell the same value while everything around them changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei.sense.faults.fault import Fault, hours_with, stretches
from jingwei.sense.faults.neighbours import DAY, LEAST, Matrix, changed, median, spread, step_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from jingwei.sense.faults.hours import Hours
    from jingwei.sense.faults.neighbours import Beside

STUCK_EVIDENCE = 25.0
"""Evidence, in natural logarithms of the odds, from which on a value that stays is stuck: one chance in
7 x 10^10 an hour, so that of a hundred thousand sensors in ten years not one is called stuck by chance."""
STUCK_OUT = 8.0
"""By how many deviations it must exceed what values that stay are evidence of at the neighbours."""
STUCK_HOURS = 8
STUCK_FROM_THE_FIRST = 28 * DAY
"""Hours that a value must stay that was never seen to change: pumps wait for rain."""
FLICKER = 2.0
"""Steps of its resolution within which a stuck value may flicker."""
MOVED = 3.0
"""Steps of their resolution that neighbours must have moved meanwhile."""
STUCK_ALONE = 2.0
"""Without neighbours: times as much evidence."""
COMMON = 0.01
COMMON_TIMES = 4.0
"""Times as much evidence where a value is one at which so large a part of the hours of all stays: no rain,
less than an instrument can tell."""
OFTEN = 2 * DAY
"""Hours at a value from which on it is known how often the stream stays there."""
RAREST = 0.02
"""Chance at least that a value stays though nothing is stuck, however rarely it was seen."""


def stuck(hours: Hours, held: Beside) -> Iterator[Fault]:
    """Find values that stay while, by what neighbours do at such values, they should not."""
    exactly = list(_stuck_within(hours, held, 0.0))
    yield from exactly
    there = hours_with(hours, exactly)
    for one in _stuck_within(hours, held, FLICKER * step_of(hours.low)):
        if not (hours_with(hours, [one]) & there).any():
            yield one


def _stuck_within(hours: Hours, held: Beside, within: float) -> Iterator[Fault]:
    changes = changed(hours, within)
    step = step_of(hours.low)
    chance = _chances(hours, held, changes)
    group = _moved_group(held)
    runs = [
        [
            (begin, end, _evidence(hours, changes, chance, group, at, (begin, end), within))
            for begin, end in _runs(hours, at, within)
        ]
        for at in range(changes.shape[1])
    ]
    usual_values = _usual_values(hours, changes)
    least = np.fmin.reduce(hours.low, axis=0)
    first = np.argmax(hours.count > 0, axis=0)
    most = np.array([max((one[2] for one in listed), default=0.0) for listed in runs])
    for at, listed in enumerate(runs):
        others = np.delete(most, at)
        alone = len(others) < LEAST
        own = sorted((one[2] for one in listed), reverse=True)
        bound = STUCK_EVIDENCE * (STUCK_ALONE if alone else 1.0)
        if alone:
            bound = max(bound, 3 * own[1] if len(own) > 1 else 0.0)
        else:
            middle = float(np.median(others))
            bound = max(bound, middle + STUCK_OUT * max(spread(others), middle / 4))
        for begin, end, evidence in listed:
            if begin <= first[at] and end - begin < STUCK_FROM_THE_FIRST:
                continue
            value = float(hours.low[end - 1, at])
            others_least = np.delete(least, at).min(initial=np.inf)
            common = COMMON_TIMES if value in usual_values or abs(value - others_least) <= within else 1.0
            moved = _range(held.middle[begin:end, at])
            if evidence >= bound * common and (alone or moved >= MOVED * step):
                yield Fault(
                    int(hours.stream[at]), "stuck", int(hours.start[begin]),
                    None if end >= _last(hours, at) else int(hours.start[end]),
                    {
                        "hours": float(end - begin), "value": value, "evidence": evidence,
                        "bound": bound * common, "moved": moved,
                    },
                )  # fmt: skip


def _usual_values(hours: Hours, changes: Matrix) -> set[float]:
    """Return the values at which hours stay at most streams."""
    least = COMMON * np.isfinite(hours.mean).sum(0)
    seen: dict[float, int] = {}
    for at in range(changes.shape[1]):
        values, counts = np.unique(hours.low[changes[:, at] == 0, at], return_counts=True)
        for value in values[counts > max(float(least[at]), STUCK_HOURS)].tolist():
            seen[value] = seen.get(value, 0) + 1
    enough = max(changes.shape[1] / 3, 2)
    return {value for value, count in seen.items() if count >= enough}


def _last(hours: Hours, at: int) -> int:
    """Return the hour after the last with readings."""
    seen = np.flatnonzero(hours.count[:, at])
    return int(seen[-1]) + 1 if len(seen) else 0


def _range(values: NDArray[np.float64]) -> float:
    there = values[np.isfinite(values)]
    return float(there.max() - there.min()) if len(there) else 0.0


def _moved_group(held: Beside) -> NDArray[np.int64]:
    """Return how many of the neighbours moved in each hour: from 0, none, to 4, all; 5 where unknown."""
    return np.where(np.isfinite(held.moved), np.searchsorted([0.01, 0.3, 0.7, 0.99], held.moved), 5)


def _chances(hours: Hours, held: Beside, changes: Matrix) -> Matrix:
    """Return how often values as high stay at the other streams when as many of their neighbours move."""
    shape = changes.shape
    values = hours.mean
    edges = np.unique(np.nanquantile(values, [0.02, 0.1, 0.25, 0.5, 0.75, 0.9]))
    height = np.searchsorted(edges, values, side="left")
    group = height * 6 + _moved_group(held)
    groups = int(group.max()) + 1
    told = np.isfinite(changes)
    still, all_ = np.zeros((groups, shape[1])), np.zeros((groups, shape[1]))
    for at in range(shape[1]):
        rows = told[:, at]
        all_[:, at] = np.bincount(group[rows, at], minlength=groups)
        still[:, at] = np.bincount(group[rows, at], 1 - changes[rows, at], minlength=groups)
    found = np.zeros(shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.where(all_ >= 5, still / all_, np.nan)
    for at in range(shape[1]):
        if shape[1] <= LEAST:
            chance = (still[:, at] + 1) / (all_[:, at] + 2)
        else:  # the median over the others: one or two of them that are stuck, too, do not count
            pooled = (still.sum(1) - still[:, at] + 1) / (all_.sum(1) - all_[:, at] + 2)
            middle = median(np.delete(each, at, axis=1), LEAST)
            chance = np.where(np.isfinite(middle), middle, pooled)
        found[:, at] = chance[group[:, at]]
    return found


def _evidence(
    hours: Hours, changes: Matrix, chance: Matrix, group: NDArray[np.int64], at: int, run: tuple[int, int],
    within: float,
) -> float:  # fmt: skip
    """Return how much it tells that a value stayed, as a natural logarithm of how rarely it does by chance.

    What often stays at the other streams, or at this one at other times, tells nothing; nor do hours in
    which the neighbours stay, too.
    """
    begin, end = run
    here = slice(begin + 1, end)
    other = np.isfinite(changes[:, at])
    other[begin : end + 1] = False
    alike = other & (np.abs(hours.low[:, at] - hours.low[end - 1, at]) <= within)
    often = int(alike.sum())
    own = (changes[alike, at] == 0).sum() / (often if often >= OFTEN else often + 4)
    whole = np.bincount(group[other, at], minlength=6)
    still = np.bincount(group[other, at], changes[other, at] == 0, minlength=6)
    by_group = still / (whole + 4)
    likely = np.fmax(np.fmax(chance[here, at], own), by_group[group[here, at]])
    counts = np.isfinite(changes[here, at]) & (group[here, at] > 0)
    return float(-np.log(np.clip(likely[counts], RAREST, 1.0)).sum())


def _runs(hours: Hours, at: int, within: float) -> list[tuple[int, int]]:
    """Return from which hour to before which one readings differ by no more than `within`.

    Hours without readings do not count.
    """
    there = np.flatnonzero(hours.count[:, at])
    low, high = hours.low[there, at], hours.high[there, at]
    bound = within + 1e-9 * np.maximum(np.abs(low), np.abs(high))
    beside_ = np.maximum(high[1:], high[:-1]) - np.minimum(low[1:], low[:-1]) <= bound[1:]
    found: list[tuple[int, int]] = []
    for first, end in stretches(beside_):  # two by two they stay; now from first to last
        if end - first + 1 >= STUCK_HOURS:
            found += _bands(there, low, high, bound, (first, end + 1))
    return found


def _bands(
    there: NDArray[np.int64],
    lows: NDArray[np.float64],
    highs: NDArray[np.float64],
    bound: NDArray[np.float64],
    stretch: tuple[int, int],
) -> Iterator[tuple[int, int]]:
    begin, last = stretch
    while last - begin >= STUCK_HOURS:
        high = np.maximum.accumulate(highs[begin:last])
        low = np.minimum.accumulate(lows[begin:last])
        beyond = np.flatnonzero(high - low > bound[begin:last])
        end = begin + (int(beyond[0]) if len(beyond) else last - begin)
        if end - begin >= STUCK_HOURS:
            yield int(there[begin]), int(there[end - 1]) + 1
        begin = max(end, begin + 1)
