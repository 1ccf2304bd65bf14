"""A small town of sensors with faults planted in it: which are at fault, how and when, is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jingwei.sense.faults.hours import HOUR, hours_of_readings

BEGIN = 1_772_294_400_000_000 // HOUR * HOUR
"""2026-02-28T16:00Z, midnight in Beijing."""
MINUTE = 60_000_000


@dataclass(frozen=True)
class Planted:
    """A fault that was planted; `until` is None where it lasts to the end."""

    stream: int
    kind: str
    since: int
    until: int | None


@dataclass(frozen=True)
class Town:
    """Readings of sensors of one kind, and the truth about them."""

    name: str
    streams: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    stream: np.ndarray
    time: np.ndarray
    value: np.ndarray
    until: int
    planted: list[Planted]

    def hours(self):
        readings = (self.stream, self.time, self.value)
        return hours_of_readings(self.streams, self.lon, self.lat, readings, self.until)


def _waves(rng, steps, scale, memory):
    """Weather: a level that wanders and comes back, with `memory` in steps."""
    keep = np.exp(-1 / memory)
    shocks = rng.normal(0, scale * np.sqrt(1 - keep**2), steps)
    out = np.empty(steps)
    last = rng.normal(0, scale)
    for at, shock in enumerate(shocks.tolist()):
        last = last * keep + shock
        out[at] = last
    return out


def _warmth(rng, at, steps, hour):
    """Air temperature, degrees: a spring that grows warmer, days, weather, and every place its own."""
    of_day = -np.cos((hour - 3) / 24 * 2 * np.pi)
    common = 8 + 0.3 * hour / 24 + 5 * of_day + at["weather"] * 3
    gain, lag = rng.uniform(0.9, 1.1), rng.normal(0, 0.8)
    return common * gain + lag + _waves(rng, steps, 0.4, 60) + rng.normal(0, 0.1, steps)


def _dust(rng, at, steps, hour):
    """Fine dust, ug/m3: levels that multiply."""
    of_day = 0.2 * np.cos(hour / 24 * 2 * np.pi)
    level = np.exp(3.6 + at["weather"] * 0.7 + of_day + rng.normal(0, 0.12) + _waves(rng, steps, 0.15, 12))
    return np.maximum(level + rng.normal(0, 1.5, steps), 3)


def _rain(rng, at, steps, hour):
    """Rain, mm: nothing for days, then by tips of 0.2 mm, each place its own."""
    wet = at["weather"] > 1.3
    own = rng.random(steps) < 0.8
    return np.where(wet & own, rng.gamma(1.2, 1.0, steps) * np.exp(at["weather"] - 1.3), 0.0)


def _water(rng, at, steps, hour):
    """Depth of water in manholes, m: rises with rain, each by its own measure, and else hardly moves."""
    rise = np.convolve(np.maximum(at["weather"] - 1, 0), np.exp(-np.arange(36) / 12))[:steps] * 0.02
    return 0.3 + rng.uniform(0, 0.4) + rise * rng.uniform(0.6, 1.6) + _waves(rng, steps, 0.01, 80)


def _traffic(rng, at, steps, hour):
    """Vehicles an interval: whole numbers, few at night."""
    of_day = np.exp(1.6 * -np.cos((hour - 3) / 24 * 2 * np.pi)) * (1 - 0.25 * (hour // 24 % 7 >= 5))
    mean = rng.uniform(4, 20) * of_day * np.exp(0.1 * at["weather"] + _waves(rng, steps, 0.1, 20))
    return rng.poisson(mean).astype(float)


KINDS = {
    "warmth": (_warmth, 20, 10, 0.1, 3.0),
    "dust": (_dust, 14, 60, 1.0, 30.0),
    "rain": (_rain, 16, 10, 0.2, 0.0),
    "water": (_water, 18, 10, 0.01, 0.1),
    "traffic": (_traffic, 16, 15, 1.0, 0.0),
}
"""By name: what it says, how many, minutes between readings, the step of its values, how far it drifts."""
FAULTY = {
    "warmth": ("silent", "stuck", "drifting", "noisy", "implausible"),
    "dust": ("silent", "stuck", "drifting", "implausible"),
    "rain": ("silent",),
    "water": ("silent", "drifting"),
    "traffic": ("silent", "stuck"),
}


def town(name: str, seed: int, days: int = 42, *, faults: bool = True) -> Town:
    """Return sensors of one kind over some days, some of them at fault."""
    rng = np.random.default_rng([seed, *name.encode()])
    says, count, every, step, far = KINDS[name]
    steps = days * 24 * 60 // every
    hour = np.arange(steps) * every / 60
    at = {"weather": _waves(rng, steps, 1.0, 30 * 60 / every)}
    time = BEGIN + np.arange(steps) * every * MINUTE
    streams = np.arange(1, count + 1)
    lon, lat = 116.3 + rng.uniform(0, 0.2, count), 39.85 + rng.uniform(0, 0.15, count)
    chosen = iter(rng.permutation(count))
    kinds = {int(next(chosen)): kind for kind in FAULTY[name] for _ in range(1 + (kind != "implausible"))}
    columns, planted = [], []
    for place in range(count):
        values = says(rng, at, steps, hour)
        there = rng.random(steps) > 0.01
        for _ in range(rng.poisson(3)):  # short gaps, as radio has them
            begin = int(rng.integers(steps))
            there[begin : begin + int(rng.integers(1, max(2, 180 // every)))] = False
        if faults and place in kinds:
            begin, end = _period(rng, kinds[place], steps, every)
            values, there = _spoilt(rng, kinds[place], values, there, (begin, end), far)
            until = None if end >= steps else int(time[end])
            planted.append(Planted(place + 1, kinds[place], int(time[begin]), until))
        values = np.round(np.round(values / step) * step, 6)
        columns.append((np.full(steps, place + 1)[there], time[there], values[there]))
    stream, time_, value = (np.concatenate(part) for part in zip(*columns, strict=True))
    until = int(time[-1]) + every * MINUTE
    return Town(name, streams, lon, lat, stream, time_, value, until, planted)


def _period(rng, kind, steps, every):
    day = 24 * 60 // every
    if kind == "drifting":
        return steps - int(rng.uniform(10, 24) * day), steps
    length = int(rng.uniform(1.5, 8) * day)
    if rng.random() < 0.6:
        return steps - length, steps
    begin = int(rng.integers(7 * day, steps - length - day))
    return begin, begin + length


def _spoilt(rng, kind, values, there, period, far):
    begin, end = period
    values, there = values.copy(), there.copy()
    length = end - begin
    own = np.median(np.abs(values - np.median(values))) * 1.48
    if kind == "silent":
        there[begin:end] = False
    elif kind == "stuck":
        values[begin:end] = values[begin]
    elif kind == "drifting":
        values[begin:end] += rng.choice([-1, 1]) * rng.uniform(1.0, 2.0) * far * np.arange(length) / length
    elif kind == "noisy":
        values[begin:end] += rng.normal(0, own, length)
    else:
        values[begin:end] += rng.choice([-1, 1]) * 4 * own
    return values, there


def scored(planted, found, end):
    """Return which planted faults were found, and which findings are of a planted one."""
    hit = [
        one
        for one in planted
        if any(
            other.stream == one.stream
            and other.kind == one.kind
            and other.since < (one.until or end)
            and (other.until or end) > one.since
            for other in found
        )
    ]
    true = [
        other
        for other in found
        if any(
            other.stream == one.stream
            and other.since < (one.until or end)
            and (other.until or end) > one.since
            for one in planted
        )
    ]
    return hit, true
