"""A city's readings with planted faults: the same seed gives the same readings and the same truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from sense.faults.streams import Stream, healthy
from sense.faults.weather import DAYS, STEP, Event, moment, weather

KINDS = ("silent", "stuck", "drifting", "noisy", "implausible")
EXCUSED = {  # kinds that a fault may just as well be called, besides its own
    "silent": frozenset(),
    "stuck": frozenset({"implausible", "drifting"}),
    "drifting": frozenset({"implausible"}),
    "noisy": frozenset({"implausible"}),
    "implausible": frozenset({"noisy", "drifting"}),
}


@dataclass(frozen=True)
class Fault:
    """What was planted in a stream, and from when until when (UTC, the end excluded)."""

    stream: str
    kind: str
    form: str
    start: np.datetime64
    end: np.datetime64


@dataclass(frozen=True)
class Planted:
    """Streams by name, the truth about them, and what really happened."""

    streams: dict[str, Stream]
    faults: tuple[Fault, ...]
    events: tuple[Event, ...]
    start: np.datetime64
    end: np.datetime64


@dataclass
class Mark:
    """How a detector did at one kind of fault."""

    right: int = 0
    false: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.false) if self.right + self.false else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


Spoil = Callable[[np.random.Generator, Stream, np.ndarray], np.ndarray]


def _frozen(_: np.random.Generator, stream: Stream, at: np.ndarray) -> np.ndarray:
    return np.full(at.size, stream.values[at[0]])


def _flickering(rng: np.random.Generator, stream: Stream, at: np.ndarray) -> np.ndarray:
    return stream.values[at[0]] + rng.choice((-1, 0, 0, 1), at.size) * stream.resolution


def _slope(per_day: float) -> Spoil:
    def spoil(_: np.random.Generator, stream: Stream, at: np.ndarray) -> np.ndarray:
        return stream.values[at] + per_day * np.arange(at.size) * stream.interval / 86_400

    return spoil


def _offset(by: float) -> Spoil:
    return lambda _, stream, at: stream.values[at] + by


def _rough(sigma: float) -> Spoil:
    return lambda rng, stream, at: stream.values[at] + rng.normal(0, sigma, at.size)


def _spikes(share: float, *wrong: float) -> Spoil:
    def spoil(rng: np.random.Generator, stream: Stream, at: np.ndarray) -> np.ndarray:
        return np.where(rng.random(at.size) < share, rng.choice(wrong, at.size), stream.values[at])

    return spoil


def _indoors(rng: np.random.Generator, _: Stream, at: np.ndarray) -> np.ndarray:
    return 31 + 0.5 * np.sin(np.arange(at.size) / 11) + rng.normal(0, 0.1, at.size)


def _beside_a_kitchen(rng: np.random.Generator, stream: Stream, at: np.ndarray) -> np.ndarray:
    return 5 * stream.values[at] + rng.normal(0, 30, at.size) + 150


PLAN: tuple[tuple[str, str, str, float, float, Spoil | None], ...] = (
    # stream, kind, form, first day, last day (from 0; DAYS: until the end), what becomes of the values
    ("t02", "silent", "until the end", 30.3, DAYS, None),
    ("t03", "stuck", "exactly", 15.4, 18.6, _frozen),
    ("t04", "stuck", "last figure flickers", 18.2, 22.5, _flickering),
    ("t06", "drifting", "slowly", 14.0, DAYS, _slope(0.28)),
    ("t07", "drifting", "at once", 20.5, DAYS, _offset(-3.5)),
    ("t08", "noisy", "bad contact", 17.1, 24.1, _rough(2.6)),
    ("t10", "implausible", "85 and -40 of a broken wire", 12.2, DAYS, _spikes(0.04, 85.0, -40.0)),
    ("t11", "implausible", "hung up indoors", 16.4, DAYS, _indoors),
    ("p02", "silent", "and came back", 10.2, 14.5, None),
    ("p03", "stuck", "exactly", 20.1, 23.9, _frozen),
    ("p04", "drifting", "slowly", 10.0, DAYS, _slope(2.6)),
    ("p05", "noisy", "fan failing", 18.3, 28.0, _rough(32.0)),
    ("p06", "implausible", "999 and 0", 13.0, DAYS, _spikes(0.06, 999.0, 0.0)),
    ("p07", "implausible", "beside a kitchen", 22.0, DAYS, _beside_a_kitchen),
    ("w02", "silent", "until the end", 28.7, DAYS, None),
    ("w03", "stuck", "exactly, through a storm", 16.5, 21.0, _frozen),
    ("w05", "implausible", "echo lost", 11.5, DAYS, _spikes(0.04, -1.0, 10.0)),
    ("w06", "drifting", "slowly", 12.0, DAYS, _slope(0.03)),
    ("w09", "drifting", "at once", 19.3, DAYS, _offset(-0.45)),
    ("w10", "noisy", "reeds before the radar", 14.6, 22.0, _rough(0.16)),
    ("n02", "silent", "and came back", 20.2, 26.4, None),
    ("n03", "stuck", "exactly", 14.35, 17.8, _frozen),
    ("n04", "stuck", "last figure flickers", 22.4, 26.9, _flickering),
    ("n05", "drifting", "slowly", 10.0, DAYS, _slope(-0.4)),
    ("n06", "noisy", "wind cap lost", 16.2, 23.4, _rough(7.5)),
    ("n07", "implausible", "130 and 30 of an open microphone", 13.5, DAYS, _spikes(0.05, 130.0, 30.0)),
    ("v02", "silent", "until the end", 29.4, DAYS, None),
    ("v03", "stuck", "exactly", 15.45, 19.8, _frozen),
    ("v04", "noisy", "a transformer reversed now and then", 17.0, 25.0, _rough(75.0)),
    ("v06", "implausible", "register overflow", 12.0, DAYS, _spikes(0.05, 0.0, 6553.5)),
)
SERVICED = {  # declared maintenance: first and last day, and what an instrument tells meanwhile
    "t14": (21.35, 21.85, 0.0),
    "p11": (18.4, 19.3, 500.0),
    "w12": (23.3, 24.5, None),
    "n11": (26.4, 26.8, 94.0),
    "v07": (24.2, 25.4, None),
}


def planted(seed: int = 0) -> Planted:
    """Draw five weeks of readings from 11 May 2026."""
    rng = np.random.default_rng(seed)
    sky = weather(rng)
    streams = {s.id: s for s in healthy(rng, sky)}
    faults: list[Fault] = []
    lost: dict[str, list[tuple[np.datetime64, np.datetime64]]] = {}
    for name, kind, form, first, last, spoil in PLAN:
        stream = streams[name]
        start, end = _moment(first), _moment(last)
        faults.append(Fault(name, kind, form, start, end))
        if spoil is None:
            lost.setdefault(name, []).append((start, end))
            continue
        at = np.flatnonzero((stream.times >= start) & (stream.times < end))
        values = stream.values.copy()
        values[at] = spoil(rng, stream, at)
        if not form.startswith("register"):
            values[at] = np.clip(values[at], stream.least, stream.most)
        streams[name] = stream.told(values)
    for name, (first, last, told) in SERVICED.items():
        window = (_moment(first), _moment(last))
        streams[name] = replace(streams[name], maintenance=(window,))
        if told is None:
            lost.setdefault(name, []).append(window)
        else:
            inside = (streams[name].times >= window[0]) & (streams[name].times < window[1])
            streams[name] = streams[name].told(np.where(inside, told, streams[name].values))
    _gaps(rng, streams, lost)
    return Planted(streams, tuple(faults), sky.events, moment(0), _moment(DAYS))


def _moment(day: float) -> np.datetime64:
    return moment(round(day * 86_400 / STEP))


def _gaps(
    rng: np.random.Generator,
    streams: dict[str, Stream],
    lost: dict[str, list[tuple[np.datetime64, np.datetime64]]],
) -> None:
    """Lose single readings, some hours of each stream, five hours of a gateway's five streams."""
    gateway = _moment(27.4)
    for name, stream in streams.items():
        away = list(lost.get(name, ()))
        for _ in range(int(rng.integers(0, 4))):
            day = float(rng.uniform(1, DAYS - 1))
            away.append((_moment(day), _moment(day + float(rng.uniform(1, 6)) / 24)))
        if name in {"t12", "t13", "n12", "w13", "p12"}:
            away.append((gateway, gateway + np.timedelta64(5, "h")))
        keep = rng.random(stream.times.size) > 0.006
        for start, end in away:
            keep &= (stream.times < start) | (stream.times >= end)
        late = rng.integers(0, 20, stream.times.size).astype("timedelta64[s]")
        streams[name] = replace(stream, times=(stream.times + late)[keep], values=stream.values[keep])


def judge(
    faults: Iterable[Fault], found: Iterable[tuple[str, str, np.datetime64, np.datetime64]]
) -> dict[str, Mark]:
    """Hold findings (stream, kind, from, to) against the truth.

    A fault is found by one of its own kind that overlaps it in time. A finding during a fault of its
    stream, or within six hours after it, is not false if the fault may be called so too (`EXCUSED`).
    """
    faults, found = list(faults), list(found)
    marks = {kind: Mark() for kind in KINDS}
    grace = np.timedelta64(6, "h")

    def meets(fault: Fault, one: tuple[str, str, np.datetime64, np.datetime64]) -> bool:
        return one[0] == fault.stream and one[2] < fault.end + grace and one[3] >= fault.start

    for fault in faults:
        seen = any(one[1] == fault.kind and meets(fault, one) for one in found)
        marks[fault.kind].right += seen
        marks[fault.kind].missed += not seen
    for one in found:
        if not any(meets(f, one) and one[1] in {f.kind, *EXCUSED[f.kind]} for f in faults):
            marks[one[1]].false += 1
    return marks
