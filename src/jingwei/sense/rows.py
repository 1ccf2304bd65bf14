"""Which rows of the dataset of readings an asker may see: those of the streams that one may read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.lake.views import RowsOf
from jingwei.ledger.news import News
from jingwei.records.recent import Recent
from jingwei.sense import policy
from jingwei.sense.models import LocationRow, StreamRow, ThingLocation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jingwei.access import Asker
    from jingwei.access.policy import Policies
    from jingwei.records import Records

_STREAMS: Any = StreamRow.__table__
_PLACES: Any = ThingLocation.__table__
_LOCATIONS: Any = LocationRow.__table__
_TYPES = ("sense.created", "sense.changed", "sense.deleted")
KEPT = 200
"""Scopes of askers for which it is kept which rows they see."""


class StreamRows:
    """Decides on the rows of readings as SensorThings does, stream by stream.

    Safe to share between threads.

    Parameters
    ----------
    records
        Where the streams are.

    """

    def __init__(self, records: Records) -> None:
        self._records = records
        # Features of interest are made in great numbers, and nobody's rights follow from them.
        self._news = News(records, _TYPES, but="sense/FeaturesOfInterest(")
        self._state = 0
        self._kept: Recent[tuple[Any, ...], RowsOf] = Recent(KEPT)
        self._guard = threading.Lock()

    def state(self) -> int:
        """Return a number that is another one whenever streams, or what is said of them, may be others."""
        with self._guard:
            subjects = self._news.subjects()
            if subjects is None or subjects:
                self._state += 1
                self._kept.clear()
            return self._state

    def rows(self, policies: Policies, asker: Asker) -> RowsOf:
        """Return the rows that an asker may see, and how finely their places.

        All places are told as finely as the coarsest of them may be.
        """
        self.state()
        return self._kept.of((policies, policies.scope(asker)), lambda: self._work_out(policies, asker))

    def _work_out(self, policies: Policies, asker: Asker) -> RowsOf:
        may: dict[tuple[Any, ...], bool] = {}
        levels: dict[tuple[Any, ...], int] = {}
        streams: set[int] = set()
        single, finest = policies.names_any(policy.KIND), policy.FINEST
        for stream, multi, of_stream, place, of_place in self._streams():
            name = "MultiDatastream" if multi else "Datastream"
            key = (name, *of_stream, stream if single else 0)
            if key not in may:
                shown = _resource(name, stream, of_stream)
                may[key] = policies.decide(asker, policy.READ, shown).allowed
                levels[key] = policy.place_level(policies, asker, shown)
            if not may[key]:
                continue
            streams.add(stream)
            finest = min(finest, levels[key])
            if place is not None:
                at = ("Location", *of_place, place if single else 0)
                if at not in levels:
                    shown = _resource("Location", place, of_place)
                    read = policies.decide(asker, policy.READ, shown).allowed
                    levels[at] = policy.place_level(policies, asker, shown) if read else 0
                finest = min(finest, levels[at])
        if policies.rows(asker, policy.READ, policy.KIND).everything:
            return RowsOf("TRUE", finest)
        return RowsOf(_condition(streams), finest)

    def _streams(self) -> Iterator[tuple[int, bool, tuple[Any, ...], int | None, tuple[Any, ...]]]:
        """Yield each stream with each place of its thing: numbers, and what policies go by."""
        asked = (
            select(
                _STREAMS.c.id,
                _STREAMS.c.multi,
                _STREAMS.c.owner,
                _STREAMS.c.sharing,
                _STREAMS.c.level,
                _LOCATIONS.c.id,
                _LOCATIONS.c.owner,
                _LOCATIONS.c.sharing,
                _LOCATIONS.c.level,
            )
            .outerjoin(_PLACES, _PLACES.c.thing_id == _STREAMS.c.thing_id)
            .outerjoin(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
        )
        with self._records.read() as session:
            for row in session.execute(asked):
                yield row[0], row[1], tuple(row[2:5]), row[5], tuple(row[6:9])


def _resource(name: str, identifier: int, told: tuple[Any, ...]) -> Any:
    owner, sharing, level = told
    return policy.resource_of(name, identifier, owner=owner, sharing=sharing, level=level)


def _condition(streams: Iterable[int]) -> str:
    """Return the condition, in the dialect of DuckDB, that leaves the rows of some streams."""
    spans: list[list[int]] = []
    for stream in sorted(streams):
        if spans and stream == spans[-1][1] + 1:
            spans[-1][1] = stream
        else:
            spans.append([stream, stream])
    single = [str(first) for first, last in spans if first == last]
    told = [f"stream BETWEEN {first} AND {last}" for first, last in spans if first < last]
    if single:
        told.append(f"stream IN ({', '.join(single)})")
    return f"({' OR '.join(told)})" if told else "FALSE"
