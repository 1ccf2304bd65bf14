"""Whether an asker's readings of a stream may be taken in, and of which feature of interest they are."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.errors import JingweiError
from jingwei.ledger.watch import Watch
from jingwei.sense import features, policy
from jingwei.sense.intake import TOGETHER
from jingwei.sense.models import LocationRow, StreamFeature, StreamRow, ThingLocation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from jingwei.access import Asker
    from jingwei.access.policy import Policies, Resource
    from jingwei.records import Records
    from jingwei.sense.readings import Readings

_STREAMS: Any = StreamRow.__table__
_SEEN: Any = StreamFeature.__table__
_LOCATIONS: Any = LocationRow.__table__
_PLACES: Any = ThingLocation.__table__
FRESH = 30.0
"""Seconds for which a stream is taken to be as it was: what this process changes is known at once."""
AT_MOST = 600.0
"""Seconds for which it is while the log tells of no change of an entity."""
MOST_KEPT = 1_000_000


@dataclass(frozen=True, slots=True)
class _Stream:
    """What was read of a Datastream; `feature` is None until it is made and noted."""

    at: float
    resource: Resource
    feature: int | None


class Taking:
    """Answers for the quick doors of readings: HTTP and MQTT.

    Attributes
    ----------
    changes
        Rises whenever answers may be others than before, but for the policies.

    """

    def __init__(self, records: Records, policies: Callable[[], Policies], readings: Readings) -> None:
        self.records = records
        self.policies = policies
        self.changes = 0
        self._watch = Watch(records, ("sense.changed", "sense.deleted"))
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

    def state(self) -> tuple[int, float]:
        """Return what differs whenever answers may be others than before, whoever changed a stream."""
        return self.changes, self._watch.moved()

    def feature_of(self, asker: Asker, stream: int) -> int | None:
        """Return the feature of interest of the plain readings that an asker writes to a stream.

        It is made, and noted that the stream observes it, where that was not yet done. None where the asker
        may not write to the stream, where it is none of plain results, or has no place.
        """
        found = self._known(stream)
        if found is None or not self._may(asker, policy.OBSERVE, found.resource):
            return None
        return found.feature if found.feature is not None else self._make(asker, stream)

    def prepare(self, asker: Asker, streams: Collection[int]) -> None:
        """Make the features of interest that many streams lack in one transaction, where that can be."""
        lacking = [
            stream
            for stream in streams
            if (found := self._known(stream)) is not None
            and found.feature is None
            and self._may(asker, policy.OBSERVE, found.resource)
        ]
        if len(lacking) < 2:
            return
        try:
            with self.records.write() as session:
                for stream in lacking:
                    features.seen(session, stream, features.default_of(session, stream, asker.id))
        except JingweiError:  # of which it is so is told one by one
            return
        for stream in lacking:
            self._streams.pop(stream, None)

    def may_read(self, asker: Asker, stream: int) -> bool:
        """Say whether an asker may read the observations of a Datastream."""
        found = self._known(stream)
        return found is not None and self._may(asker, policy.READ, found.resource)

    def _may(self, asker: Asker, action: str, resource: Resource) -> bool:
        policies = self.policies()
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
        if known is not None and (now - known.at < FRESH or self._stands(known.at, now)):
            return known
        if len(self._streams) > MOST_KEPT:
            self._streams = {}
        changes = self.changes
        found = self._read(stream, now)
        if changes == self.changes:  # else another thread forgot streams while these were read
            old = self._streams
            if any(one in old and old[one].resource != new.resource for one, new in found.items()):
                self.changes += 1
            if stream not in found:
                old.pop(stream, None)
            old.update(found)
        return found.get(stream)

    def _stands(self, read: float, now: float) -> bool:
        """Say whether no stream was changed, by whatever program, since one was read."""
        return read > self._watch.moved() and now - read < AT_MOST

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
                found[number] = _Stream(now, resource, None if seen is None else feature)
        return found

    def _make(self, asker: Asker, stream: int) -> int | None:
        try:
            with self.records.write() as session:
                feature = features.default_of(session, stream, asker.id)
                features.seen(session, stream, feature)
        except JingweiError:
            return None
        self._streams.pop(stream, None)
        return feature
