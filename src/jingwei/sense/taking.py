"""Whether an asker's readings of a stream may be taken in, and of which feature of interest they are."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.errors import JingweiError
from jingwei.ledger.watch import Watch
from jingwei.sense import features, policy
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
        self._decided: dict[tuple[str, str, str, int], bool] = {}
        self._by: Policies | None = None
        readings.when_forgotten(self.forget)

    def forget(self, stream: int | None) -> None:
        """Read a stream, or all, anew when next asked about."""
        self.changes += 1
        if stream is None:
            self._streams = {}
            self._decided = {}
        elif self._streams.pop(stream, None) is not None:
            self._decided = {key: may for key, may in self._decided.items() if key[3] != stream}

    def feature_of(self, asker: Asker, stream: int) -> int | None:
        """Return the feature of interest of the plain readings that an asker writes to a stream.

        It is made, and noted that the stream observes it, where that was not yet done. None where the asker
        may not write to the stream, where it is none of plain results, or has no place.
        """
        found = self._known(stream)
        if found is None or not self._may(asker, policy.OBSERVE, stream, found.resource):
            return None
        return found.feature if found.feature is not None else self._make(asker, stream)

    def prepare(self, asker: Asker, streams: Collection[int]) -> None:
        """Make the features of interest that many streams lack in one transaction, where that can be."""
        lacking = [
            stream
            for stream in streams
            if (found := self._known(stream)) is not None
            and found.feature is None
            and self._may(asker, policy.OBSERVE, stream, found.resource)
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
        return found is not None and self._may(asker, policy.READ, stream, found.resource)

    def _may(self, asker: Asker, action: str, stream: int, resource: Resource) -> bool:
        policies = self.policies()
        if policies is not self._by or len(self._decided) > MOST_KEPT:
            self._by, self._decided = policies, {}
        key = (asker.id, policies.scope(asker), action, stream)
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
        known = self._read(stream, now)
        if known is not None:
            old = self._streams.get(stream)
            if old is not None and old.resource != known.resource:
                self.forget(stream)
            if len(self._streams) > MOST_KEPT:
                self._streams = {}
            self._streams[stream] = known
        return known

    def _stands(self, read: float, now: float) -> bool:
        """Say whether no stream was changed, by whatever program, since one was read."""
        return read > self._watch.moved() and now - read < AT_MOST

    def _read(self, stream: int, now: float) -> _Stream | None:
        place = _LOCATIONS.c.feature_id
        asked = (
            select(
                _STREAMS.c.multi,
                _STREAMS.c.owner,
                _STREAMS.c.sharing,
                _STREAMS.c.level,
                place,
                _SEEN.c.stream_id,
            )
            .outerjoin(_PLACES, _PLACES.c.thing_id == _STREAMS.c.thing_id)
            .outerjoin(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
            .outerjoin(_SEEN, (_SEEN.c.stream_id == _STREAMS.c.id) & (_SEEN.c.feature_id == place))
            .where(_STREAMS.c.id == stream)
            .order_by(_LOCATIONS.c.geometry.is_(None), _LOCATIONS.c.id)
            .limit(1)
        )
        with self.records.read() as session:
            row = session.execute(asked).first()
        if row is None or row.multi:
            return None
        resource = policy.resource_of(
            "Datastream", stream, owner=row.owner, sharing=row.sharing, level=row.level
        )
        return _Stream(now, resource, row.feature_id if row.stream_id is not None else None)

    def _make(self, asker: Asker, stream: int) -> int | None:
        try:
            with self.records.write() as session:
                feature = features.default_of(session, stream, asker.id)
                features.seen(session, stream, feature)
        except JingweiError:
            return None
        self._streams.pop(stream, None)
        return feature
