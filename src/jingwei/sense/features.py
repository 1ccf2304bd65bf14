"""Features of interest: the one that a stream's readings are of when they name none."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import shapely
from sqlalchemy import bindparam, insert, select, update

from jingwei import ledger
from jingwei.records.database import driver_text
from jingwei.sense.checking import placed
from jingwei.sense.errors import BadEntityError
from jingwei.sense.models import FeatureRow, LocationRow, StreamFeature, StreamRow, ThingLocation
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Dialect
    from sqlalchemy.orm import Session

_FEATURES: Any = FeatureRow.__table__
_LOCATIONS: Any = LocationRow.__table__
_STREAMS: Any = StreamRow.__table__
_PLACES: Any = ThingLocation.__table__
_SEEN: Any = StreamFeature.__table__
_AREA = ("geometry", "west", "south", "east", "north", "cell")
_ALIKE = ("name", "description", "encoding_type", *_AREA, "owner", "sharing", "level")
"""Columns that a feature has from its place."""
_OBSERVED = ("observed_area", *_AREA)
_WKB_OF_POINT = 21
"""Bytes of a point without a height."""
AT_ONCE = 500
"""Numbers that a statement names at once."""


def default_of(session: Session, stream: int, actor: str) -> int:
    """Return the feature of interest of a stream's readings that name none: the place of its thing.

    Raises
    ------
    BadEntityError
        Where the thing has no location.

    """
    found = defaults_of(session, {stream: actor}).get(stream)
    if found is None:
        raise BadEntityError(
            "FeatureOfInterest",
            Text("未给出，且设备没有位置", "is not given, and the Thing has no Location."),
            mend=Text(
                "请先为 Thing 设置 Location，或给出 FeatureOfInterest。",
                "Give the Thing a Location, or name one.",
            ),
        )
    return found


def defaults_of(session: Session, actors: Mapping[int, str]) -> dict[int, int]:
    """Return the features of interest of many streams' readings that name none: the places of their things.

    Each is made from the Location at the first such reading (18-088, 10.2, table 23), all of them by a few
    statements; without a Location there is none.

    Parameters
    ----------
    session
        That writes.
    actors
        By stream, on whose behalf its feature is made.

    """
    places: dict[int, Any] = {}
    for some in _in_groups(actors):
        asked = (
            select(_STREAMS.c.id, _LOCATIONS.c.id, _LOCATIONS.c.feature_id, _LOCATIONS.c.owner)
            .join(_PLACES, _PLACES.c.thing_id == _STREAMS.c.thing_id)
            .join(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
            .where(_STREAMS.c.id.in_(some))
            .order_by(_STREAMS.c.id, _LOCATIONS.c.geometry.is_(None), _LOCATIONS.c.id)
        )
        for stream, *place in session.execute(asked):
            places.setdefault(stream, place)
    lacking = {
        place: (owner, actors[stream])
        for stream, (place, feature, owner) in places.items()
        if feature is None
    }
    made = _made_of(session, lacking) if lacking else {}
    found = {stream: feature or made[place] for stream, (place, feature, _) in places.items()}
    seen_many(session, found)
    return found


def _in_groups(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Yield numbers in groups of which a database takes one as values of a statement."""
    listed = list(numbers)
    for start in range(0, len(listed), AT_ONCE):
        yield listed[start : start + AT_ONCE]


def _made_of(session: Session, lacking: Mapping[int, tuple[str, str]]) -> dict[int, int]:
    """Make features of places, given by id with owner and on whose behalf; return them by these ids."""
    made: dict[int, int] = {}
    for some in _in_groups(sorted(lacking)):
        chosen = [*(_LOCATIONS.c[name] for name in _ALIKE), _LOCATIONS.c.location]
        places = select(*chosen).where(_LOCATIONS.c.id.in_(some)).order_by(_LOCATIONS.c.id)
        adding = insert(_FEATURES).from_select([*_ALIKE, "feature"], places).returning(_FEATURES.c.id)
        ids = session.scalars(adding).all()  # numbers are given out in the order of the places
        made.update(zip(some, sorted(ids), strict=True))
    connection = session.connection()
    linking = _statements(connection.dialect).link
    connection.exec_driver_sql(linking, [(one, place) for place, one in made.items()])
    told: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for place, (owner, actor) in lacking.items():
        event = (f"sense/FeaturesOfInterest({made[place]})", {"owner": owner, "links": {}})
        told.setdefault(actor, []).append(event)
    for actor, events in told.items():
        ledger.append_many(session, "sense.created", events, actor=actor)
    return made


class _Statements(NamedTuple):
    """What is run for many rows, as the driver understands it."""

    link: str
    see: str
    observe: str


@lru_cache(maxsize=8)
def _statements(dialect: Dialect) -> _Statements:
    linking = update(_LOCATIONS).values(feature_id=bindparam("feature_id"))
    seeing = insert(_SEEN).values(stream_id=bindparam("stream_id"), feature_id=bindparam("feature_id"))
    observing = update(_STREAMS).values({name: bindparam(name) for name in _OBSERVED})
    return _Statements(
        driver_text(linking.where(_LOCATIONS.c.id == bindparam("place")), dialect, ("feature_id", "place")),
        driver_text(seeing.inline(), dialect, ("stream_id", "feature_id")),
        driver_text(observing.where(_STREAMS.c.id == bindparam("stream")), dialect, (*_OBSERVED, "stream")),
    )


def seen(session: Session, stream: int, feature: int) -> None:
    """Keep that a stream has readings of a feature, and widen its observed area by it."""
    seen_many(session, {stream: feature})


def seen_many(session: Session, found: Mapping[int, int]) -> None:
    """Keep of streams that each has readings of a feature, and widen their observed areas by it."""
    for some in _in_groups(found):
        asked = select(_SEEN.c.stream_id, _SEEN.c.feature_id).where(_SEEN.c.stream_id.in_(some))
        known = {tuple(row) for row in session.execute(asked)}
        new = {stream: found[stream] for stream in some if (stream, found[stream]) not in known}
        if not new:
            continue
        connection = session.connection()
        connection.exec_driver_sql(_statements(connection.dialect).see, list(new.items()))
        _widen(session, new)


def _widen(session: Session, new: Mapping[int, int]) -> None:
    """Widen the observed areas of streams by the features of which they have readings now."""
    areas = [getattr(_FEATURES.c, name) for name in _AREA]
    asked = select(_FEATURES.c.id, *areas).where(_FEATURES.c.id.in_(set(new.values())))
    places = {one: area for one, *area in session.execute(asked) if area[0] is not None}
    was = select(_STREAMS.c.id, _STREAMS.c.geometry).where(_STREAMS.c.id.in_(new))
    before: dict[int, bytes] = {one: wkb for one, wkb in session.execute(was) if wkb is not None}
    wider = []
    for stream, feature in new.items():
        area = places.get(feature)
        if area is not None:
            wkb, x, y, *_ = area
            if stream in before or len(wkb) != _WKB_OF_POINT:
                document, area = _wider(before.get(stream), wkb)
            else:  # the point is the whole of it, and these its bounds
                document = {"type": "Point", "coordinates": [x, y]}
            wider.append((json.dumps(document), *area, stream))
    if wider:
        connection = session.connection()
        connection.exec_driver_sql(_statements(connection.dialect).observe, wider)


def _wider(before: bytes | None, wkb: bytes) -> tuple[Any, list[Any]]:
    """Return the area that holds what was observed and a feature, as a document and as columns."""
    shapes = [shapely.from_wkb(one) for one in (before, wkb) if one is not None]
    shape = shapes[0] if len(shapes) == 1 and shapes[0].geom_type == "Point" else None
    shape = shapely.convex_hull(shapely.union_all(shapes)) if shape is None else shape
    document = _document(shape)
    columns = placed(document, "observedArea")
    return document, [columns[name] for name in _AREA]


def _document(shape: shapely.Geometry) -> Any:
    return _as_lists(shapely.geometry.mapping(shape))


def _as_lists(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: _as_lists(one) for name, one in document.items()}
    return [_as_lists(one) for one in document] if isinstance(document, list | tuple) else document
