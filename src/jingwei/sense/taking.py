"""Whether an asker's readings of a stream may be taken in, and of which feature of interest they are."""

from __future__ import annotations

import time
from dataclasses import dataclass
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


@dataclass(slots=True, eq=False)
class Known:
    """What is known of a Datastream, shared by all who were told it.

    Attributes
    ----------
    at
        When it was read, in seconds of `time.monotonic`.
    number
        Of the stream.
    kind
        Its owner, sharing and level: all else that policies tell streams apart by.
    feature
        Of what its plain readings are; `LACKING` until it is made and noted.
    stands
        Whether it is so still; else it is to be asked for again.

    """

    at: float
    number: int
    kind: tuple[str, str, int]
    feature: int
    stands: bool = True

    @property
    def resource(self) -> Resource:
        """What policies see of it."""
        owner, sharing, level = self.kind
        return policy.resource_of("Datastream", self.number, owner=owner, sharing=sharing, level=level)

    def alike(self, other: Known) -> bool:
        """Say whether another reading of it told the same."""
        return self.stands and self.feature == other.feature and self.kind == other.kind


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
        self._streams: dict[int, Known] = {}
        self._decided: dict[tuple[Any, ...], bool] = {}
        self._by: Policies | None = None
        self._apart = True
        readings.when_forgotten(self.forget)

    def forget(self, stream: int | None) -> None:
        """Read a stream, or all, anew when next asked about."""
        self.changes += 1
        if stream is None:
            gone, self._streams = self._streams, {}
            for known in list(gone.values()):
                known.stands = False
        else:
            self._let_go(stream)

    def _let_go(self, stream: int) -> None:
        known = self._streams.pop(stream, None)
        if known is not None:
            known.stands = False

    def written(self, policies: Policies, asker: Asker, scope: str, stream: int) -> Known | None:
        """Return what is known of a stream to which an asker may write plain readings.

        None where the asker may not, or where it is none of plain results. `scope` is what `policies` say is
        that of the asker now.
        """
        found = self._known(stream)
        if found is None or not self._may(policies, asker, scope, policy.OBSERVE, found):
            return None
        return found

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
                known.feature = feature
            else:
                self._let_go(stream)
        return made

    def read(self, policies: Policies, asker: Asker, scope: str, stream: int) -> tuple[Known | None, bool]:
        """Return what is known of a Datastream, and whether an asker may read its observations."""
        found = self._known(stream)
        return found, found is not None and self._may(policies, asker, scope, policy.READ, found)

    def _may(self, policies: Policies, asker: Asker, scope: str, action: str, known: Known) -> bool:
        if policies is not self._by or len(self._decided) > MOST_KEPT:
            self._by, self._decided = policies, {}
            self._apart = policies.names_any(policy.KIND)
        # What two streams have alike is decided once, unless policies speak of single streams.
        key = (scope, action, known.kind, known.number if self._apart else 0)
        may = self._decided.get(key)
        if may is None:
            may = self._decided[key] = bool(policies.decide(asker, action, known.resource).allowed)
        return may

    def _known(self, stream: int) -> Known | None:
        """Return what is known of a Datastream; None of a MultiDatastream, and where there is none."""
        now = time.monotonic()
        known = self._streams.get(stream)
        if known is not None and now - known.at < AT_MOST:
            return known
        return self.ahead(stream).get(stream)

    def ahead(self, stream: int) -> dict[int, Known]:
        """Read a stream and those of neighbouring numbers anew, and return what is known of them.

        Who was told of one before is told again only where it is another now.
        """
        if len(self._streams) > MOST_KEPT:
            self.forget(None)
        changes, now = self.changes, time.monotonic()
        found = self._read(stream, now)
        if changes != self.changes:  # another thread forgot streams while these were read
            for one in found.values():
                one.stands = False
            return found
        first = stream - stream % TOGETHER
        for number in range(first, first + TOGETHER):
            old, new = self._streams.get(number), found.get(number)
            if old is not None and new is not None and old.alike(new):
                old.at, found[number] = now, old
            elif old is not None:
                self._let_go(number)
        self._streams.update(found)
        return found

    def neighbourhoods(self) -> list[int]:
        """Return a number of each group of streams that are read together."""
        group = _STREAMS.c.id // TOGETHER
        with self.records.read() as session:
            found = session.scalars(select(group).where(~_STREAMS.c.multi).distinct().order_by(group))
            return [max(1, int(one) * TOGETHER) for one in found]

    def _read(self, stream: int, now: float) -> dict[int, Known]:
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
        found: dict[int, Known] = {}
        for number, owner, sharing, level, feature, seen in rows:
            if number not in found:
                kind = (owner, sharing, level)
                found[number] = Known(now, number, kind, LACKING if seen is None else feature)
        return found
