"""What a sensor should say by what its neighbours say: streams of the same kind, near by, hour by hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.sense.faults.hours import Hours

NEAR, NEAREST = 20, 8
"""Streams near by among which neighbours are looked for, and how many are."""
LEAST = 3
"""Neighbours of which readings must be there: of two nobody knows which of them is right."""
DAY = 24
FULL = 6
"""Hours with readings from which on a day says something."""
NORMAL = 1.4826
"""The standard deviation of a normal distribution in its median absolute deviations."""
SLOWLY = 3
"""Days before and after by which the level of a day is told; about it is learned how rough a stream is."""
CLIP = 3.0
"""Deviations beyond which a reading has no further weight when neighbours are weighed."""

Matrix = Any
"""NDArray of float64; rows are hours or days, columns are streams."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Streams beside their neighbours.

    Attributes
    ----------
    middle
        (T, S): the median of the neighbours, NaN where too few have readings.
    moved
        (T, S): the part of the neighbours whose readings differ from those of the hour before; NaN likewise.
    expected
        (T, S): what the stream would say by its neighbours and the hour of the day.
    off, usual
        (T, S): how far it is from that, in usual deviations of the stream at such values; and these.
    even
        (T, S): the same in deviations that are alike for all values: what goes away by so much a day goes
        along a line in these, what goes away by a part of what it says in the others.

    """

    middle: Matrix
    moved: Matrix
    expected: Matrix
    off: Matrix
    usual: Matrix
    even: Matrix


def neighbours(hours: Hours) -> list[NDArray[np.int64]]:
    """Return for each stream the places of its neighbours: of those near by, those that go along with it."""
    count = len(hours.stream)
    east = np.cos(np.radians(hours.lat))
    moves = _moves(hours.mean)
    found = []
    for at in range(count):
        away = np.hypot((hours.lon - hours.lon[at]) * east[at], hours.lat - hours.lat[at])
        away[at] = np.inf
        near = np.argsort(away, kind="stable")[: min(NEAR, count - 1)]
        if len(near) > NEAREST:
            alike = moves[:, near].T @ moves[:, at]
            near = near[np.argsort(-alike, kind="stable")[:NEAREST]]
        found.append(near.astype(np.int64))
    return found


def _moves(own: Matrix) -> Matrix:
    """Return by how much each hour differs from that of the day before, as columns of length one."""
    moves = own[DAY:] - own[:-DAY]
    bound = CLIP * np.array([spread(one) for one in moves.T])
    moves = np.clip(np.nan_to_num(moves), -bound, bound)
    moves = np.nan_to_num(moves)
    length = np.sqrt((moves**2).sum(0))
    return moves / np.where(length > 0, length, 1.0)


def beside(hours: Hours, known: NDArray[np.bool_] | None = None) -> Beside:
    """Hold each stream against its neighbours.

    Parameters
    ----------
    hours
        Of streams of one kind.
    known
        (T, S): hours that are known to be faulty: nothing is learned from them, of the stream nor of others.

    """
    shape = hours.mean.shape
    sound = hours.mean if known is None else np.where(known, np.nan, hours.mean)
    middle, moved = np.full(shape, np.nan), np.full(shape, np.nan)
    changes = changed(hours)
    levels = median(sound.T)
    for at, near in enumerate(neighbours(hours)):
        if len(near) >= LEAST:
            # from level to level, so that it does not jump where one of them is away for an hour
            middle[:, at] = median(sound[:, near] - levels[near], LEAST) + _middle(levels[near])
            told = np.isfinite(changes[:, near])
            enough = told.sum(1) >= LEAST
            moved[enough, at] = np.nanmean(changes[enough][:, near], axis=1)
    expected = _expected(sound, middle)
    rest = hours.mean - expected
    learned = np.where(np.isfinite(sound), rest, np.nan)
    usual = _usual(hours.mean, learned, middle)
    return Beside(middle, moved, expected, rest / usual, usual, rest / _usual_at_all(hours.mean, learned))


def changed(hours: Hours, within: Matrix | float = 0.0) -> Matrix:
    """Return 1 where the readings of an hour and the hour before differ by more than `within`, 0 where not.

    NaN where either hour has none.
    """
    found = np.full(hours.mean.shape, np.nan)
    there = hours.count > 0
    both = there[1:] & there[:-1]
    high, low = np.maximum(hours.high[1:], hours.high[:-1]), np.minimum(hours.low[1:], hours.low[:-1])
    still = high - low <= within + 1e-9 * np.maximum(np.abs(high), np.abs(low))
    found[1:][both] = np.where(still[both], 0.0, 1.0)
    return found


def median(values: Matrix, least: int = 1) -> Matrix:
    """Return the median of each row, NaN where fewer than `least` are numbers."""
    ordered = np.sort(values, axis=1)  # NaN goes last
    count = np.isfinite(ordered).sum(1)
    rows = np.arange(len(ordered))
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[1] - 1)
    found = (ordered[rows, low] + ordered[rows, high]) / 2
    return np.where(count >= least, found, np.nan)


def spread(values: Matrix) -> float:
    """Return the standard deviation of numbers as their median absolute deviation tells it; NaN of none."""
    there = values[np.isfinite(values)]
    if not len(there):
        return np.nan
    return float(NORMAL * np.median(np.abs(there - np.median(there))))


def by_day(values: Matrix, full: int = FULL) -> Matrix:
    """Return the median of each day of 24 hours, counted back from the last hour."""
    days = len(values) // DAY
    kept = values[len(values) - days * DAY :].reshape(days, DAY, -1)
    if not days:
        return np.empty((0, values.shape[1]))
    return median(kept.transpose(0, 2, 1).reshape(-1, DAY), full).reshape(days, -1)


def _expected(own: Matrix, middle: Matrix) -> Matrix:
    """Return what each stream would say: a share of what its neighbours say, and the usual of the hour."""
    found = np.full(own.shape, np.nan)
    hour = np.arange(len(own)) % DAY
    for at in range(own.shape[1]):
        there = np.isfinite(own[:, at]) & np.isfinite(middle[:, at])
        if there.sum() < DAY:
            continue
        share = _share(middle[:, at], own[:, at])
        rest = np.where(there, own[:, at] - share * middle[:, at], np.nan)
        whole = np.median(rest[there])
        # what is usual at an hour is told by its distance from the day, so that no drift comes into it
        usual = median(rest[: len(rest) // DAY * DAY].reshape(-1, DAY).T, FULL)
        usual = np.where(np.isfinite(usual), usual, whole)
        found[:, at] = share * middle[:, at] + usual[hour]
    return found


def _share(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return by how much `y` goes with `x` from a day to the next, what lies far off clipped: from 0 to 2.

    Differences of a day leave the hours of the day out, and what changes slowly, as a drift does.
    """
    x, y = x[DAY:] - x[:-DAY], y[DAY:] - y[:-DAY]
    there = np.isfinite(x) & np.isfinite(y)
    x, y = x[there], y[there]
    if not len(x) or not (x * x).sum() > 0:
        return 0.0
    share = 0.0
    for _ in range(4):
        rest = y - share * x
        bound = CLIP * spread(rest)
        held = np.clip(rest, -bound, bound) if bound > 0 else rest
        share += float((x * held).sum() / (x * x).sum())
    return min(max(share, 0.0), 2.0)


def _middle(values: NDArray[np.float64]) -> float:
    there = values[np.isfinite(values)]
    return float(np.median(there)) if len(there) else np.nan


def _usual(own: Matrix, rest: Matrix, middle: Matrix) -> Matrix:
    """Return how much is usually left where neighbours say as much.

    Where a city says much its sensors differ by more than where it says little. What is usual for one is
    held between half and twice of what is for all, by how rough it is about its own level of the days
    around: how far it has drifted is not in it.
    """
    scale = np.full(rest.shape, np.nan)
    told = middle[np.isfinite(middle)]
    if not len(told):
        return scale
    centres = np.quantile(told, [0.015, 0.065, 0.25, 0.5, 0.75, 0.935, 0.985])
    edges = np.quantile(told, [0.03, 0.1, 0.4, 0.6, 0.9, 0.97])
    whole = _left(np.abs(rest - median(rest.T)[None, :]), middle, edges)
    rough = _left(np.abs(rest - _slow(rest)), middle, edges)
    all_ = median(whole.T)
    all_ = np.where(np.isfinite(all_), all_, 0.0)
    all_ = np.maximum(all_, max(all_.max() / 10, step_of(own), 1e-12))
    usual = all_ * _times(rough, median(rough.T))
    for at in range(rest.shape[1]):
        scale[:, at] = np.interp(middle[:, at], centres, usual[at])
    return scale


def _left(left: Matrix, middle: Matrix, edges: NDArray[np.float64]) -> Matrix:
    """Return how much is usually left of each stream, a row, by how much its neighbours say, a column."""
    found = np.full((left.shape[1], len(edges) + 1), np.nan)
    for at in range(left.shape[1]):
        there = np.isfinite(left[:, at])
        bins = np.searchsorted(edges, middle[there, at], side="right")
        own = left[there, at]
        for one in range(len(edges) + 1):
            if (bins == one).sum() >= DAY:
                found[at, one] = NORMAL * np.median(own[bins == one])
    return found


def _times(each: Matrix, all_: Matrix) -> Matrix:
    """Return how many times as much one has as all have: from a half to twice; once where it is not known."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(all_ > 0, each / all_, 1.0)
    return np.clip(np.where(np.isfinite(found), found, 1.0), 0.5, 2.0)


def _slow(rest: Matrix) -> Matrix:
    """Return the level of each hour's day by the days around it; of all days where they tell none."""
    days = by_day(rest)
    whole = median(rest.T)[None, :]
    if not len(days):
        return np.broadcast_to(whole, rest.shape)
    padded = np.pad(days, ((SLOWLY, SLOWLY), (0, 0)), constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * SLOWLY + 1, axis=0)
    level = median(around.reshape(-1, 2 * SLOWLY + 1)).reshape(days.shape)
    level = np.where(np.isfinite(level), level, whole)
    day = (np.arange(len(rest)) - (len(rest) - len(days) * DAY)) // DAY
    return level[np.maximum(day, 0)]


def _usual_at_all(own: Matrix, rest: Matrix) -> Matrix:
    """Return how much is usually left of each stream, a row."""
    each = np.array([spread(one) for one in rest.T])
    there = each[np.isfinite(each)]
    usual = max(float(np.median(there)) if len(there) else 0.0, step_of(own), 1e-12)
    rough = np.array([spread(one) for one in (rest - _slow(rest)).T])
    middle = _middle(rough)
    return usual * _times(rough, middle)[None, :]


def step_of(own: Matrix) -> float:
    """Return the step by which readings differ where they differ least: the resolution of the sensors."""
    steps = np.abs(np.diff(own, axis=0))
    steps = steps[np.isfinite(steps) & (steps > 1e-9 * np.nanmax(np.abs(own), initial=1e-9))]
    return float(np.quantile(steps, 0.02)) if len(steps) else 0.0
