"""Sensors that go away from their neighbours: slowly, at once, for some days."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from jingwei.sense.faults.fault import Fault, Kind, stretches
from jingwei.sense.faults.neighbours import CLIP, DAY, Matrix, by_day, median, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from jingwei.sense.faults.hours import Hours
    from jingwei.sense.faults.neighbours import Beside

DRIFT = 2.4
"""Deviations by which a drift must have carried a sensor away from its neighbours,"""
DRIFT_OUT = 3.0
"""and times the deviation that days have anyway,"""
DRIFT_FIT = 0.72
"""and the part of what days differ by that a straight line must tell."""
DRIFT_BETTER = 0.85
"""What it leaves must be so much less than what a jump leaves."""
STAYS = 0.6
"""The part of it that must still be there."""
LEVEL_PART, EARLY = 0.25, 1.4
"""Times as far where less than a part of the days comes before it: what changes all the time is a season."""
YOUNG, WHILE_YOUNG = 28, 2.0
"""Days of a record before which no season and perhaps no rain has been seen: times as far until then."""
DRIFT_DAYS = 4
KEEPS = 0.3
"""The part of a day's deviation that is usually there the next day."""
SHIFT, SHIFT_OUT = 3.0, 4.0
"""Deviations by which a sensor must be off at once and ever since, and times what days deviate anyway,"""
LEVEL_DAYS, SHIFT_DAYS = 10, 3
INSIDE = 0.8
"""after so many days and for so many, of which so large a part is off by half as much; for as many as it
must have been well, as far as a drift will do."""
OTHERWISE = 2.5
"""Times as rough beside its neighbours as before, by how rough all are: it does not go along any more."""
JUMP = 6.0
"""Deviations by which a sensor must be off from one day to the next to be implausible,"""
JUMP_OUT = 10.0
JUMP_DAYS = 2

_Away = tuple[Kind, int, int, dict[str, float]]


def away(hours: Hours, held: Beside, faulty: NDArray[np.bool_]) -> Iterator[Fault]:
    """Find streams that go away from their neighbours, slowly or at once."""
    days = _days(np.where(faulty, np.nan, held.off))
    even = _days(np.where(faulty, np.nan, held.even))
    usual = _usual(days)
    if not usual > 0:
        return
    lines = ((days, usual), (even, _usual(even)))
    # in even deviations: by others a far shift would be rough wherever they change
    rough = by_day(np.abs(np.diff(held.even, axis=0, prepend=np.nan)))
    with np.errstate(invalid="ignore", divide="ignore"):
        rough = rough / median(rough)[:, None]
    starts = hours.start[len(hours.start) - len(days) * DAY :: DAY]
    for at in range(days.shape[1]):
        told = np.flatnonzero(np.isfinite(days[:, at]))
        if len(told) < 2 * DRIFT_DAYS:
            continue
        drifts = (_drifts(told, one[told, at], much) for one, much in lines)
        shifts = (_shifts(told, one[told, at], much, rough[:, at]) for one, much in lines)
        fault = next(filter(None, itertools.chain(drifts, shifts)), None) or _jumps(
            told, days[told, at], usual
        )
        if fault is not None:
            kind, first, last, evidence = fault
            lasts = last >= told[-1]
            yield Fault(
                int(hours.stream[at]), kind, int(starts[first]),
                None if lasts else int(starts[min(last + 1, len(starts) - 1)]), evidence,
            )  # fmt: skip


def _usual(days: Matrix) -> float:
    """Return what days deviate by anyway, as far as that goes for what lasts for days."""
    return spread(days - median(days.T)[None, :]) * _lasting(days) if len(days) else 0.0


def _lasting(days: Matrix) -> float:
    """Return how many times as far what lasts for days goes by chance as what each day is anew.

    In noise of the first order, of which a part `keep` is there the next day, a mean over days deviates by
    sqrt((1 + keep) / (1 - keep)) times as much; here against noise of which a quarter is.
    """
    apart = days - median(days.T)[None, :]
    each = []
    for one in apart.T:
        both = np.isfinite(one[1:]) & np.isfinite(one[:-1])
        bound = CLIP * spread(one)
        if both.sum() >= LEVEL_DAYS and bound > 0:
            before, after = np.clip(one[:-1][both], -bound, bound), np.clip(one[1:][both], -bound, bound)
            each.append(float((before * after).sum() / ((before**2).sum() + (after**2).sum()) * 2))
    keep = min(max(float(np.quantile(each, 0.25)) if each else 0.0, KEEPS), 0.9)
    return float(np.sqrt((1 + keep) / (1 - keep) * (1 - KEEPS) / (1 + KEEPS)))


def _days(off: Matrix) -> Matrix:
    """Return medians of days; those on which all disagree are held less: nobody can tell who is wrong."""
    days = by_day(off)
    usual = spread(days - median(days.T)[None, :]) if len(days) else 0.0
    if not usual > 0:
        return days
    apart = np.array([spread(day) for day in days])
    return days / np.fmax(apart / usual, 1.0)[:, None]


def _drifts(told: NDArray[np.int64], line: NDArray[np.float64], usual: float) -> _Away | None:
    """Say whether days leave a level bit by bit, along a straight line, and do not come back."""
    smooth = _smooth(line)
    ramps, begins, widths = _ramps(told)
    centred = smooth - smooth.mean()
    along = ramps @ centred
    over = (ramps**2).sum(1)
    told_by = along**2 / over
    slow = widths >= DRIFT_DAYS
    if not slow.any():
        return None
    whole = float((centred**2).sum())
    best = int(np.argmax(np.where(slow, told_by, -1.0)))
    rest, step = whole - float(told_by[best]), whole - float(told_by[~slow].max(initial=0.0))
    away = float(along[best] / over[best])
    begin, width = float(begins[best]), float(widths[best])
    early = begin - told[0] < max(LEVEL_DAYS, LEVEL_PART * (told[-1] - told[0]))
    bound = max(DRIFT, DRIFT_OUT * usual) * max(EARLY if early else 1.0, _while_young(told))
    before = smooth[told <= begin]
    level = float(np.median(before))
    stays = (float(np.median(line[-3:])) - level) / away if away else 0.0
    if abs(away) < bound or rest > DRIFT_BETTER * step or rest > (1 - DRIFT_FIT) * whole or stays < STAYS:
        return None
    if abs(level + away) < abs(away) / 2:  # it comes back from where it should not have been
        return None
    evidence = {
        "away": away, "bound": bound, "level": level, "days": width, "a_day": away / width,
        "fit": 1 - rest / whole,
    }  # fmt: skip
    return "drifting", int(begin), int(told[-1]), evidence


def _ramps(told: NDArray[np.int64]) -> tuple[Matrix, NDArray[np.int64], NDArray[np.int64]]:
    """Return all ways in which days may go away: flat, then along a line, then flat; centred, one a row."""
    first, last = int(told[0]), int(told[-1])
    begin, end = np.triu_indices(last - first + 1, 1)
    width = end - begin
    days = told - first
    ramp = np.clip(days[None, :] - begin[:, None], 0, width[:, None]) / width[:, None]
    ramp -= ramp.mean(1)[:, None]
    some = (ramp**2).sum(1) > 1e-9
    return ramp[some], begin[some] + first, width[some]


def _shifts(told: NDArray[np.int64], line: NDArray[np.float64], usual: float, rough: Matrix) -> _Away | None:
    """Say whether days are off at once, and ever since: by a shift, or saying something else altogether."""
    smooth = _smooth(line)
    rest, cut = _stepped(smooth)
    if cut < LEVEL_DAYS or len(line) - cut < SHIFT_DAYS:
        return None
    level, after = float(np.median(line[:cut])), float(np.median(line[cut:]))
    away, long = after - level, len(line) - cut >= LEVEL_DAYS
    bound = max(DRIFT, DRIFT_OUT * usual) if long else max(SHIFT, SHIFT_OUT * usual)
    bound *= _while_young(told)
    whole = float(((smooth - smooth.mean()) ** 2).sum())
    inside = np.abs(line[cut:] - level) > bound / 2
    if abs(away) < bound or inside.mean() < INSIDE or rest > (1 - DRIFT_FIT) * whole:
        return None
    before = float(np.nanmedian(rough[told[:cut]]))
    times = float(np.nanmedian(rough[told[cut:]])) / before if before > 0 else 1.0
    kind: Kind = "drifting" if times < OTHERWISE else "implausible"
    evidence = {
        "away": away, "bound": bound, "level": level, "days": float(len(line) - cut), "rougher": times,
        "fit": 1 - rest / whole,
    }  # fmt: skip
    return kind, int(told[cut]), int(told[-1]), evidence


def _while_young(told: NDArray[np.int64]) -> float:
    return WHILE_YOUNG if told[-1] - told[0] < YOUNG else 1.0


def _jumps(told: NDArray[np.int64], line: NDArray[np.float64], usual: float) -> _Away | None:
    """Say whether days are far off their level, one after the other, and come back."""
    level = float(np.median(line[: max(len(line) // 2, LEVEL_DAYS)]))
    bound = max(JUMP, JUMP_OUT * usual)
    far = np.abs(line - level) > bound
    if not far.any():
        return None
    first, end = max(stretches(far), key=lambda one: one[1] - one[0])
    if end - first < JUMP_DAYS:
        return None
    last = end - 1
    away = float(np.median(line[first : last + 1]) - level)
    evidence = {"away": away, "bound": bound, "level": level, "days": float(end - first)}
    return "implausible", int(told[first]), int(told[last]), evidence


def _smooth(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each day and those beside it: one day off has no weight."""
    padded = np.concatenate([line[:1], line, line[-1:]])
    found: NDArray[np.float64] = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    return found


def _stepped(line: NDArray[np.float64]) -> tuple[float, int]:
    """Return what two levels leave of a line, and where the second begins."""
    count = np.arange(1, len(line))
    total, square = np.cumsum(line)[:-1], float((line**2).sum())
    rest = square - total**2 / count - (line.sum() - total) ** 2 / (len(line) - count)
    cut = int(np.argmin(rest))
    return float(rest[cut]), cut + 1
