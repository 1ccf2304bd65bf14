"""Sensors that grow old: what is worn, slipped, or too warm, and how far that can be told from noise at all.

Unlike in the other towns nothing goes along a straight line here. Sensitivity is lost exponentially, zero
points creep as the root of time, cables slip at once, amplifiers feel the warmth, clocks go slow; each
drift carries how large it is, in units of the least that can be told by anybody who knows its shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jingwei.sense.faults.hours import HOUR, hours_of_readings

BEGIN = 1_788_192_000_000_000 // HOUR * HOUR
"""2026-08-31T16:00Z, midnight in Shanghai."""
MINUTE = 60_000_000
DAY = 24
DAYS = 56
SURE = 4.42 + 1.64
"""Deviations of what is estimated: one false of 10^5, which is one of 20 days' shapes of 5,000 sensors, and
19 of 20 found."""


@dataclass(frozen=True)
class Aged:
    """A fault; a drift says its form, and its size in units of the least that can be told."""

    stream: int
    kind: str
    form: str
    since: int
    until: int | None
    times: float = np.inf


@dataclass(frozen=True)
class Town:
    """Readings of sensors of one kind, and the truth about them."""

    name: str
    streams: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    readings: tuple[np.ndarray, np.ndarray, np.ndarray]
    until: int
    planted: list[Aged]

    def hours(self):
        return hours_of_readings(self.streams, self.lon, self.lat, self.readings, self.until)


class _Sky:
    """The weather over a town, as it is everywhere in it, and as it differs from place to place."""

    def __init__(self, rng, hours, x, y):
        self.hour = np.arange(hours)
        clock = self.hour % DAY
        self.sun = np.maximum(np.sin((clock - 6) / 12 * np.pi), 0)
        self.cloud = 1 / (1 + np.exp(-_wander(rng, hours, 30) * 1.5))
        self.front = _wander(rng, hours, 70)
        self.week = np.where(self.hour // DAY % 7 >= 5, 0.6, 1.0)
        autumn = 24 - 0.16 * self.hour / DAY
        self.warmth = autumn + 9 * (self.sun - 0.4) * (1 - 0.6 * self.cloud) + 2.5 * self.front
        slopes = [_wander(rng, hours, 18) for _ in range(2)]
        self.here = 0.5 * (np.outer(slopes[0], x) + np.outer(slopes[1], y))


def _wander(rng, count, memory):
    """A process of variance one that forgets itself in `memory` hours."""
    keep = np.exp(-1 / memory)
    shocks = rng.normal(0, np.sqrt(1 - keep**2), count)
    shocks[0] = rng.normal()
    out = np.empty(count)
    last = 0.0
    for at, shock in enumerate(shocks.tolist()):
        last = last * keep + shock
        out[at] = last
    return out


def _thermometers(rng, sky, count):
    """°C: each in its own street, that stores more or less of the day."""
    own = 2 * sky.here + _each(rng, sky, count, 0.35, 20)
    day = (sky.warmth - sky.warmth.mean())[:, None] * rng.uniform(0.85, 1.12, count)
    return sky.warmth.mean() + day + rng.normal(0, 0.8, count) + own


def _gas(rng, sky, count):
    """NO2, ppb: traffic times how still the air is; every cell has its own sensitivity."""
    clock = sky.hour % DAY
    rush = np.exp(-(((clock - 8) / 2) ** 2)) + np.exp(-(((clock - 18) / 2.5) ** 2))
    still = np.exp(0.45 * sky.front + 0.25 * (1 - sky.sun))
    level = ((6 + 14 * rush * sky.week) * still)[:, None] * rng.uniform(0.7, 1.4, count)
    return level * np.exp(0.12 * sky.here + _each(rng, sky, count, 0.1, 15)) + rng.normal(0, 0.6, level.shape)


def _damp(rng, sky, count):
    """Relative humidity, %: what the warmth leaves, and never above 100."""
    level = 78 - 2.1 * (sky.warmth - 22) + 9 * sky.front
    own = rng.normal(0, 2, count) + 2.5 * sky.here + _each(rng, sky, count, 1.5, 12)
    return np.minimum(level[:, None] * rng.uniform(0.94, 1.06, count) + own, 100)


def _pressure(rng, sky, count):
    """Pressure in mains, kPa: what people leave of it."""
    clock = sky.hour % DAY
    use = 0.3 + np.exp(-(((clock - 7.5) / 2) ** 2)) + 0.9 * np.exp(-(((clock - 19) / 3) ** 2))
    fall = np.outer(use * (1.4 - 0.4 * sky.week) + 0.05 * sky.front, rng.uniform(25, 55, count))
    return rng.uniform(280, 420, count) - fall + _each(rng, sky, count, 3, 8)


def _ground(rng, sky, count):
    """Depth to groundwater, m: hardly anything by the hour, rain by the week."""
    rain = np.convolve(np.maximum(sky.front - 0.7, 0), np.exp(-np.arange(240) / 90))[: len(sky.hour)]
    own = _each(rng, sky, count, 0.015, 60)
    return rng.uniform(2, 6, count) - 0.012 * np.outer(rain, rng.uniform(0.7, 1.3, count)) + own


def _each(rng, sky, count, far, memory):
    return far * np.stack([_wander(rng, len(sky.hour), memory) for _ in range(count)], axis=1)


KINDS = {
    "thermometers": (_thermometers, 18, 0.1, ("slip", "creep", "clock")),
    "gas": (_gas, 16, 0.1, ("worn", "warm", "slip")),
    "damp": (_damp, 16, 0.1, ("worn", "creep", "slip")),
    "pressure": (_pressure, 18, 0.5, ("creep", "slip", "clock")),
    "ground": (_ground, 14, 0.005, ("slip", "creep", "stretch")),
}
"""By name: what they say, how many there are, the step of what they say, and how they drift."""
CLOCK = (3.0, 9.0)
"""Hours that a clock is late in the end."""


def aged(name: str, seed: int, *, faults: bool = True, least: float = 1.0, most: float = 8.0) -> Town:
    """Return sensors of one kind over eight weeks, some of them old.

    Parameters
    ----------
    name, seed
        Which kind, and which town.
    faults
        Whether any are at fault.
    least, most
        Between which sizes drifts are, in units of the least that can be told.

    """
    rng = np.random.default_rng([77, seed, *name.encode()])
    says, count, step, forms = KINDS[name]
    hours = DAYS * DAY
    x, y = rng.uniform(-1, 1, count), rng.uniform(-1, 1, count)
    sky = _Sky(rng, hours, x, y)
    values = says(rng, sky, count)
    there = rng.random(values.shape) > 0.02
    planted = []
    if faults:
        streams = rng.permutation(count)
        for at, form in zip(streams, [*forms, *forms[:2]], strict=False):
            planted.append(_drift(rng, sky, values, int(at), form, (least, most)))
        planted += [_fading(rng, there, int(streams[5])), _frozen(rng, values, int(streams[6]))]
    seen = values + rng.normal(0, step / 2, values.shape)
    for one in planted:
        if one.kind == "stuck":
            held = values[:, one.stream - 1] == values[-1, one.stream - 1]
            seen[held, one.stream - 1] = values[held, one.stream - 1]
    seen = np.round(np.round(seen / step) * step, 6)
    row, column = np.nonzero(there)
    time = BEGIN + row * HOUR + rng.integers(0, 50, len(row)) * MINUTE
    readings = (column + 1, time, seen[row, column])
    lon, lat = 121.4 + 0.1 * x, 31.2 + 0.1 * y
    return Town(name, np.arange(1, count + 1), lon, lat, readings, BEGIN + hours * HOUR, planted)


def scored(town: Town, found) -> tuple[list[Aged], list]:
    """Return which faults of a town were found, and which findings are of one.

    Who feels the warmth is off by day and well by night: found, where it is called implausible, too.
    """
    end = town.until
    right = {one: {one.kind, "implausible"} if one.form == "warm" else {one.kind} for one in town.planted}

    def meet(one, other):
        here = other.stream == one.stream and other.since < (one.until or end)
        return here and (other.until or end) > one.since

    hit = [one for one, kinds in right.items() if any(meet(one, two) and two.kind in kinds for two in found)]
    return hit, [two for two in found if any(meet(one, two) for one in town.planted)]


def _drift(rng, sky, values, at, form, sizes):
    """Spoil a column of values from a day on, and return what was done."""
    begin = int(rng.integers(16, DAYS - 14)) * DAY
    since = np.maximum(np.arange(len(values)) - begin, 0)
    clean = values[:, at].copy()
    if form == "clock":
        late = rng.uniform(*CLOCK) * since / since[-1]
        values[:, at] = np.interp(sky.hour - late, sky.hour, clean)
        return Aged(at + 1, "drifting", form, BEGIN + begin * HOUR, None)
    sign = rng.choice([-1.0, 1.0])
    grown = since / since[-1]
    effect = {
        "slip": (since > 0) * sign,
        "creep": np.sqrt(grown) * sign,
        "stretch": grown**1.5 * sign,
        "worn": -clean * (1 - np.exp(-2 * grown)),
        "warm": sign * (since > 0) * (sky.warmth - 12) * np.minimum(2 * grown, 1),
    }[form]
    times = float(np.exp(rng.uniform(*np.log(sizes))))
    spoilt = clean + times * _findable(effect, values, at) * effect
    values[:, at] = np.minimum(spoilt, 100) if clean.max() == 100 else spoilt
    return Aged(at + 1, "drifting", form, BEGIN + begin * HOUR, None, times)


def _findable(effect, values, at):
    """Return how many times an effect must be there to be told from noise by whoever knows its shape.

    The estimate of the size of a known shape in noise of the first order (a day's deviation times `keep` is
    in the next) deviates by sd * sqrt(1 - keep^2) / |shape(day) - keep * shape(day - 1), centred|.
    """
    level = values - np.median(values, axis=0)
    off = _by_day(level - np.median(np.delete(level, at, axis=1), axis=1)[:, None])
    off = np.delete(off - off.mean(0), at, axis=1)
    noise = np.median(off.std(0))
    keep = float(np.clip(np.median([np.corrcoef(one[1:], one[:-1])[0, 1] for one in off.T]), 0, 0.95))
    shape = _by_day(effect[:, None])[:, 0]
    told = shape[1:] - keep * shape[:-1]
    return SURE * noise * np.sqrt(1 - keep**2) / np.sqrt(((told - told.mean()) ** 2).sum())


def _by_day(values):
    return np.median(values.reshape(DAYS, DAY, -1), axis=1)


def _fading(rng, there, at):
    """A battery that ends: fewer and fewer readings for three days, then none."""
    end = int(rng.integers(20, DAYS - 3)) * DAY
    fading = np.arange(3 * DAY)
    there[end - 3 * DAY : end, at] &= rng.random(3 * DAY) > fading / len(fading)
    there[end:, at] = False
    return Aged(at + 1, "silent", "fading", BEGIN + (end - 3 * DAY) * HOUR, None)


def _frozen(rng, values, at):
    """A gateway that repeats the last thing it heard, to the end."""
    begin = int(rng.integers(20, DAYS - 3)) * DAY
    values[begin:, at] = values[begin, at]
    return Aged(at + 1, "stuck", "repeated", BEGIN + begin * HOUR, None)
