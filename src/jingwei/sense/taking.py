"""Whether an asker's readings of a stream may be taken in, and of which feature of interest they are."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.errors import JingweiError
from jingwei.sense import features, policy
from jingwei.sense.intake import TOGETHER
from jingwei.sense.models import LocationRow, StreamFeature, StreamRow, ThingLocation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jingwei.access import Asker
    from jingwei.access.policy import Policies, Resource
    from jingwei.records import Records
    from jingwei.sense.readings import Reading, Readings

_STREAMS: Any = StreamRow.__table__
_SEEN: Any = StreamFeature.__table__
_LOCATIONS: Any = LocationRow.__table__
_PLACES: Any = ThingLocation.__table__
LACKING = -1
"""The feature of interest of a stream that has none as yet: it is made with the first reading."""
AT_MOST = 600.0
"""Seconds for which a stream is taken to be as it was: what changes it is told by `Readings.forget_facts`."""
MOST_KEPT = 1_000_000


@dataclass(frozen=True, slots=True)
class _Stream:
    """What was read of a Datastream; `feature` is `LACKING` until it is made and noted."""

    at: float
    resource: Resource
    feature: int


def completed(readings: list[Reading], make: Callable[[set[int]], dict[int, int]]) -> list[Reading]:
    """Return readings with the features of interest that they lack, without those that can have none."""
    lacking = {one.stream for one in readings if one.feature == LACKING}
    if not lacking:
        return readings
    made = make(lacking)
    found = [
        one._replace(feature=made.get(one.stream)) if one.feature == LACKING else one for one in readings
    ]
    return [one for one in found if one.stream not in lacking or one.feature is not None]


class Taking:
    """Answers for the quick doors of readings: HTTP and MQTT.

    Attributes
    ----------
    changes
        Rises whenever answers may be others than before, but for the policies. Whoever changes a stream
        has the readings open, which one process alone does.

    """

    def __init__(self, records: Records, readings: Readings) -> None:
        self.records = records
        self.changes = 0
        self._streams: dict[int, _Stream] = {}
        self._decided: dict[tuple[Any, ...], bool] = {}
        self._by: Policies | None = None
        self._apart = True
        readings.when_forgotten(self.forget)

    def forget(self, stream: int | None) -> None:
        """Read a stream, or all, anew when next asked about."""
        self.changes += 1
        if stream is None:
            self._streams = {}
        else:
            self._streams.pop(stream, None)

    def feature_of(self, policies: Policies, asker: Asker, stream: int) -> int | None:
        """Return the feature of interest of the plain readings that an asker writes to a stream.

        `LACKING` where it is yet to be made, see `make`. None where the asker may not write to the stream,
        or where it is none of plain results.
        """
        found = self._known(stream)
        if found is None or not self._may(policies, asker, policy.OBSERVE, found.resource):
            return None
        return found.feature

    def make(self, lacking: Mapping[int, str]) -> dict[int, int]:
        """Make the features of interest that streams lack, all in one transaction, and return them.

        Parameters
        ----------
        lacking
            For whom, of each stream.

        Returns
        -------
        made
            By stream. Without a place there is none: the routes tell what is to be done.

        """
        changes = self.changes
        try:
            with self.records.write() as session:
                made = features.defaults_of(session, lacking)
        except JingweiError:
            return {}
        for stream, feature in made.items():
            known = self._streams.get(stream)
            if known is not None and changes == self.changes:
                self._streams[stream] = replace(known, feature=feature)
            else:
                self._streams.pop(stream, None)
        return made

    def may_read(self, policies: Policies, asker: Asker, stream: int) -> bool:
        """Say whether an asker may read the observations of a Datastream."""
        found = self._known(stream)
        return found is not None and self._may(policies, asker, policy.READ, found.resource)

    def _may(self, policies: Policies, asker: Asker, action: str, resource: Resource) -> bool:
        if policies is not self._by or len(self._decided) > MOST_KEPT:
            self._by, self._decided = policies, {}
            self._apart = policies.names_any(policy.KIND)
        # What two streams have alike is decided once, unless policies speak of single streams.
        told = (resource.id if self._apart else "", *sorted(resource.attributes.items()))
        key = (asker.id, policies.scope(asker), action, *told)
        may = self._decided.get(key)
        if may is None:
            may = self._decided[key] = bool(policies.decide(asker, action, resource).allowed)
        return may

    def _known(self, stream: int) -> _Stream | None:
        """Return what is known of a Datastream; None of a MultiDatastream, and where there is none."""
        now = time.monotonic()
        known = self._streams.get(stream)
        if known is not None and now - known.at < AT_MOST:
            return known
        if len(self._streams) > MOST_KEPT:
            self._streams = {}
        changes = self.changes
        found = self._read(stream, now)
        if changes == self.changes:  # else another thread forgot streams while these were read
            if stream not in found:
                self._streams.pop(stream, None)
            self._streams.update(found)
        return found.get(stream)

    def _read(self, stream: int, now: float) -> dict[int, _Stream]:
        """Read a stream, and those of neighbouring numbers."""
        first = stream - stream % TOGETHER
        place = _LOCATIONS.c.feature_id
        asked = (
            select(
                _STREAMS.c.id,
                _STREAMS.c.owner,
                _STREAMS.c.sharing,
                _STREAMS.c.level,
                place,
                _SEEN.c.stream_id,
            )
            .outerjoin(_PLACES, _PLACES.c.thing_id == _STREAMS.c.thing_id)
            .outerjoin(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
            .outerjoin(_SEEN, (_SEEN.c.stream_id == _STREAMS.c.id) & (_SEEN.c.feature_id == place))
            .where(_STREAMS.c.id.between(first, first + TOGETHER - 1), ~_STREAMS.c.multi)
            .order_by(_STREAMS.c.id, _LOCATIONS.c.geometry.is_(None), _LOCATIONS.c.id)
        )
        with self.records.read() as session:
            rows = session.execute(asked).all()
        found: dict[int, _Stream] = {}
        for number, owner, sharing, level, feature, seen in rows:
            if number not in found:
                resource = policy.resource_of("Datastream", number, owner=owner, sharing=sharing, level=level)
                found[number] = _Stream(now, resource, LACKING if seen is None else feature)
        return found
