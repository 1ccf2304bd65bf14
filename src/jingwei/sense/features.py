"""Features of interest: the one that a stream's readings are of when they name none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import insert, select, update

from jingwei import ledger
from jingwei.sense.checking import placed
from jingwei.sense.errors import BadEntityError
from jingwei.sense.models import FeatureRow, LocationRow, StreamFeature, StreamRow, ThingLocation
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_FEATURES: Any = FeatureRow.__table__
_LOCATIONS: Any = LocationRow.__table__
_STREAMS: Any = StreamRow.__table__
_PLACES: Any = ThingLocation.__table__
_SEEN: Any = StreamFeature.__table__
_KEPT = ("geometry", "west", "south", "east", "north", "cell", "owner", "sharing", "level")


def default_of(session: Session, stream: int, actor: str) -> int:
    """Return the feature of interest of a stream's readings that name none: the place of its thing.

    It is made from the Location at the first such reading (18-088, 10.2, table 23).

    Raises
    ------
    BadEntityError
        Where the thing has no location.

    """
    asked = (
        select(_LOCATIONS)
        .join(_PLACES, _PLACES.c.location_id == _LOCATIONS.c.id)
        .join(_STREAMS, _STREAMS.c.thing_id == _PLACES.c.thing_id)
        .where(_STREAMS.c.id == stream)
        .order_by(_LOCATIONS.c.geometry.is_(None), _LOCATIONS.c.id)
        .limit(1)
    )
    location = session.execute(asked).mappings().first()
    if location is None:
        raise BadEntityError(
            "FeatureOfInterest",
            Text("未给出，且设备没有位置", "is not given, and the Thing has no Location."),
            mend=Text(
                "请先为 Thing 设置 Location，或给出 FeatureOfInterest。",
                "Give the Thing a Location, or name one.",
            ),
        )
    found = location["feature_id"]
    if found is None:
        found = _made_of(session, dict(location), actor)
    seen(session, stream, found)
    return int(found)


def _made_of(session: Session, location: dict[str, Any], actor: str) -> int:
    values = {name: location[name] for name in _KEPT}
    made = int(
        session.execute(
            insert(_FEATURES)
            .values(
                name=location["name"],
                description=location["description"],
                encoding_type=location["encoding_type"],
                feature=location["location"],
                properties=None,
                **values,
            )
            .returning(_FEATURES.c.id)
        ).scalar_one()
    )
    session.execute(update(_LOCATIONS).where(_LOCATIONS.c.id == location["id"]).values(feature_id=made))
    told = {"owner": location["owner"], "links": {}}
    ledger.append(
        session, "sense.created", actor=actor, subject=f"sense/FeaturesOfInterest({made})", data=told
    )
    return made


def seen(session: Session, stream: int, feature: int) -> None:
    """Keep that a stream has readings of a feature, and widen its observed area by it."""
    where = (_SEEN.c.stream_id == stream, _SEEN.c.feature_id == feature)
    if session.execute(select(_SEEN.c.stream_id).where(*where)).first() is not None:
        return
    session.execute(insert(_SEEN).values(stream_id=stream, feature_id=feature))
    place = session.scalar(select(_FEATURES.c.geometry).where(_FEATURES.c.id == feature))
    before = session.scalar(select(_STREAMS.c.geometry).where(_STREAMS.c.id == stream))
    if place is None:
        return
    shapes = [shapely.from_wkb(one) for one in (before, place) if one is not None]
    area = shapely.convex_hull(shapely.union_all(shapes))
    document = _as_lists(shapely.geometry.mapping(area))
    values = placed(document, "observedArea")
    session.execute(update(_STREAMS).where(_STREAMS.c.id == stream).values(observed_area=document, **values))


def _as_lists(document: Any) -> Any:
    if isinstance(document, dict):
        return {name: _as_lists(one) for name, one in document.items()}
    return [_as_lists(one) for one in document] if isinstance(document, list | tuple) else document
