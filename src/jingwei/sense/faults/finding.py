"""Which sensors are at fault: silent, stuck, drifting, noisy or implausible, each with what tells it.

A sensor is held against its neighbours of the same kind and against itself before. What all of them show
is weather, not a fault; what one shows for long, far beyond what they differ by, is one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from jingwei.sense.faults.away import away
from jingwei.sense.faults.clocks import clocks
from jingwei.sense.faults.fault import Fault, hours_with
from jingwei.sense.faults.hours import HOUR
from jingwei.sense.faults.neighbours import DAY, beside
from jingwei.sense.faults.noisy import noisy
from jingwei.sense.faults.silent import silent
from jingwei.sense.faults.spikes import spikes
from jingwei.sense.faults.stuck import stuck

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.sense.faults.hours import Hours

WINDOW = 56 * DAY
"""Hours that are looked at."""
FIRST_LOOK, BASELINE = 3 * DAY, 14 * DAY
"""Hours that must be there before anything is said, and before it is said what is unusual: two week-ends."""
MOSTLY = 0.5
AGAIN = DAY * HOUR
"""Microseconds within which the same fault is the same again."""


def faults_of(
    hours: Hours, known: NDArray[np.bool_] | None = None, excused: NDArray[np.bool_] | None = None
) -> list[Fault]:
    """Return the faults of streams of one kind, by stream and time.

    Parameters
    ----------
    hours
        Of at least a day; the last of them is the present one.
    known
        (T, S): hours that were found to be faulty before: from them it is not learned what is usual.
    excused
        (T, S): hours in which work on the sensor was declared: what it says then is nothing, nor its silence.

    """
    if not len(hours.stream) or len(hours.start) < DAY or not hours.count.any():
        return []
    if excused is not None and excused.any():
        hours = hours.without(excused)
    held = beside(hours, known)
    found = [*silent(hours, excused), *stuck(hours, held)]
    if len(hours.start) >= BASELINE and not _is_mostly_one(hours):
        faulty = hours_with(hours, found)
        if faulty[hours.count > 0].any():  # nor from what stands still is it learned what is usual
            known = faulty if known is None else known | faulty
            held = beside(hours, known)
        rough = list(noisy(hours, known))
        restless = hours_with(hours, rough)
        found += [*rough, *spikes(hours, held, faulty | restless)]
        found += clocks(hours, held, faulty)
        found += [
            one
            for one in away(hours, held, faulty)
            if one.kind != "drifting" or not (hours_with(hours, [one]) & restless).any()
        ]
    return sorted(found, key=lambda one: (one.stream, one.since, one.kind))


def _is_mostly_one(hours: Hours) -> bool:
    """Say whether most of what is told is one value, as of rain: of what comes seldom nothing is usual."""
    values = hours.low[np.isfinite(hours.low)]
    _, counts = np.unique(values, return_counts=True)
    return bool(counts.max(initial=0) > MOSTLY * len(values))


def over_time(hours: Hours, every: int = DAY, excused: NDArray[np.bool_] | None = None) -> list[Fault]:
    """Return the faults of a past period as they would have been found while it went by.

    Parameters
    ----------
    hours
        All of them.
    every
        Hours between two looks.
    excused
        As in `faults_of`.

    """
    told: list[Fault] = []
    length = len(hours.start)
    for last in range(length, FIRST_LOOK, -every)[::-1]:
        first = max(0, last - WINDOW)
        part = hours.within(first, last)
        known = hours_with(part, told)
        found = faults_of(part, known, None if excused is None else excused[first:last])
        told = noted(told, found, int(part.start[-1]) + HOUR)
    return told


def noted(told: list[Fault], found: list[Fault], now: int) -> list[Fault]:
    """Return what is known after a look: what lasts, lasts on or has ended, and what is new.

    Parameters
    ----------
    told
        What was known before.
    found
        What this look found.
    now
        UTC microseconds.

    """
    new = list(found)
    after = []
    for one in told:
        again = [
            other
            for other in new
            if other.stream == one.stream and other.kind == one.kind and _meet(one, other)
        ]
        new = [other for other in new if other not in again]
        if not again:
            after.append(one if one.until is not None else replace(one, until=now))
            continue
        last = max(again, key=lambda other: np.inf if other.until is None else other.until)
        after.append(replace(one, until=last.until, evidence=last.evidence))
    return after + new


def _meet(one: Fault, other: Fault) -> bool:
    """Say whether two findings are of the same time."""
    first = one.until is None or other.since <= one.until + AGAIN
    return first and (other.until is None or one.since <= other.until + AGAIN)
