"""Features of interest: the one that a stream's readings are of when they name none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import bindparam, insert, select, update

from jingwei import ledger
from jingwei.sense.checking import placed
from jingwei.sense.errors import BadEntityError
from jingwei.sense.models import FeatureRow, LocationRow, StreamFeature, StreamRow, ThingLocation
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy.orm import Session

_FEATURES: Any = FeatureRow.__table__
_LOCATIONS: Any = LocationRow.__table__
_STREAMS: Any = StreamRow.__table__
_PLACES: Any = ThingLocation.__table__
_SEEN: Any = StreamFeature.__table__
_AREA = ("geometry", "west", "south", "east", "north", "cell")
_KEPT = (*_AREA, "owner", "sharing", "level")
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
    places: dict[int, dict[str, Any]] = {}
    for some in _in_groups(actors):
        asked = (
            select(_STREAMS.c.id.label("stream_id"), _LOCATIONS)
            .join(_PLACES, _PLACES.c.thing_id == _STREAMS.c.thing_id)
            .join(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
            .where(_STREAMS.c.id.in_(some))
            .order_by(_STREAMS.c.id, _LOCATIONS.c.geometry.is_(None), _LOCATIONS.c.id)
        )
        for row in session.execute(asked).mappings():
            places.setdefault(row["stream_id"], dict(row))
    lacking = {
        place["id"]: (place, actors[stream])
        for stream, place in places.items()
        if place["feature_id"] is None
    }
    made = _made_of(session, list(lacking.values())) if lacking else {}
    found = {stream: place["feature_id"] or made[place["id"]] for stream, place in places.items()}
    seen_many(session, found)
    return found


def _in_groups(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Yield numbers in groups of which a database takes one as values of a statement."""
    listed = list(numbers)
    for start in range(0, len(listed), AT_ONCE):
        yield listed[start : start + AT_ONCE]


def _made_of(session: Session, lacking: list[tuple[dict[str, Any], str]]) -> dict[int, int]:
    """Make a feature of each place, with on whose behalf; return them by the ids of the places."""
    values = [
        {
            **{name: place[name] for name in _KEPT},
            "name": place["name"],
            "description": place["description"],
            "encoding_type": place["encoding_type"],
            "feature": place["location"],
            "properties": None,
        }
        for place, _ in lacking
    ]
    adding = insert(_FEATURES).returning(_FEATURES.c.id, sort_by_parameter_order=True)
    ids = [int(one) for one in session.execute(adding, values).scalars()]
    made = {place["id"]: one for (place, _), one in zip(lacking, ids, strict=True)}
    setting = update(_LOCATIONS).where(_LOCATIONS.c.id == bindparam("place"))
    session.connection().execute(
        setting, [{"place": place, "feature_id": one} for place, one in made.items()]
    )
    told: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for (place, actor), one in zip(lacking, ids, strict=True):
        event = (f"sense/FeaturesOfInterest({one})", {"owner": place["owner"], "links": {}})
        told.setdefault(actor, []).append(event)
    for actor, events in told.items():
        ledger.append_many(session, "sense.created", events, actor=actor)
    return made


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
        session.execute(insert(_SEEN), [{"stream_id": one, "feature_id": of} for one, of in new.items()])
        _widen(session, new)


def _widen(session: Session, new: Mapping[int, int]) -> None:
    """Widen the observed areas of streams by the features of which they have readings now."""
    areas = [getattr(_FEATURES.c, name) for name in _AREA]
    asked = select(_FEATURES.c.id, *areas).where(_FEATURES.c.id.in_(set(new.values())))
    places = {row["id"]: row for row in session.execute(asked).mappings() if row["geometry"] is not None}
    was = select(_STREAMS.c.id, _STREAMS.c.geometry).where(_STREAMS.c.id.in_(new))
    before: dict[int, bytes] = {one: wkb for one, wkb in session.execute(was) if wkb is not None}
    wider = []
    for stream, feature in new.items():
        if feature not in places:
            continue
        place, shape = places[feature], shapely.from_wkb(places[feature]["geometry"])
        if stream not in before and shape.geom_type == "Point":
            area = {name: place[name] for name in _AREA}  # it is the whole of it, and that of a point itself
        else:
            shapes = [shape] if stream not in before else [shapely.from_wkb(before[stream]), shape]
            shape = shapely.convex_hull(shapely.union_all(shapes))
            area = placed(_document(shape), "observedArea")
        wider.append({"stream": stream, "observed_area": _document(shape), **area})
    if wider:
        session.connection().execute(update(_STREAMS).where(_STREAMS.c.id == bindparam("stream")), wider)


def _document(shape: shapely.Geometry) -> Any:
    return _as_lists(shapely.geometry.mapping(shape))


def _as_lists(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: _as_lists(one) for name, one in document.items()}
    return [_as_lists(one) for one in document] if isinstance(document, list | tuple) else document
