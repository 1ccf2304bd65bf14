"""Sensors that fail on purpose: a few each day, from when to when and how is known.

They begin and end within a local day, at most one in `ONE_IN` streams of each kind of fault, and never a
gauge by which a storm is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import numpy as np

from jingwei.city.demo import clock

if TYPE_CHECKING:
    from jingwei.city.demo.settings import Settings
    from jingwei.city.living.stations import Streams

Kind = Literal["silent", "stuck", "drift"]
KINDS: tuple[Kind, ...] = ("silent", "stuck", "drift")
ONE_IN = 60
HOUR = 3600
BEGIN_HOURS, LAST_HOURS = (0.5, 6.0), (8.0, 16.0)
TRUSTED = frozenset({"rain", "ponding"})
"""What never fails."""
DRIFTS = {
    "river": 0.9, "drain": 0.5, "speed": 25.0, "PM2.5": 60.0, "PM10": 80.0, "NO2": 50.0, "O3": 60.0,
    "temperature": 8.0, "power": 120.0, "water": 20.0, "footfall": 300.0,
}  # fmt: skip
"""How far off a drifting sensor is in the end, in the unit of what it tells."""


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """A fault of one stream: its number, from and to which second (UTC), and how far a drift leads."""

    stream: int
    kind: Kind
    start: int
    end: int
    size: float = 0.0

    def told(self, streams: Streams) -> dict[str, object]:
        """Return it in words and times."""
        return {
            "station": streams.stations[streams.station[self.stream]].key,
            "quantity": streams.quantity[self.stream],
            "fault": self.kind,
            "from": datetime.fromtimestamp(self.start, UTC).isoformat(),
            "to": datetime.fromtimestamp(self.end, UTC).isoformat(),
            "size": self.size,
        }


def faults_of(settings: Settings, streams: Streams, day: int) -> list[PlantedFault]:
    """Return the planted faults of a local day (counted from 1970-01-01)."""
    random = settings.on_day("living-faults", day)
    may = [number for number, quantity in enumerate(streams.quantity) if quantity not in TRUSTED]
    each = max(1, len(streams) // ONE_IN)
    chosen = random.permutation(np.array(may))[: each * len(KINDS)]
    midnight = (day * clock.STEPS_PER_DAY - clock.ZONE_STEPS) * clock.MINUTES * 60
    found = []
    for turn, stream in enumerate(chosen.tolist()):
        start = midnight + int(random.uniform(*BEGIN_HOURS) * HOUR)
        kind = KINDS[turn % len(KINDS)]
        size = DRIFTS[streams.quantity[stream]] if kind == "drift" else 0.0
        found.append(PlantedFault(stream, kind, start, start + int(random.uniform(*LAST_HOURS) * HOUR), size))
    return found
