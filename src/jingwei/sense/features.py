"""Features of interest: the one that a stream's readings are of when they name none."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import shapely
from sqlalchemy import BigInteger, String, any_, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from jingwei import ledger
from jingwei.records import Prepared
from jingwei.records.database import driver_text
from jingwei.sense.checking import placed
from jingwei.sense.errors import BadEntityError
from jingwei.sense.models import FeatureRow, LocationRow, StreamFeature, StreamRow, ThingLocation
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy import ColumnElement, Dialect, Select
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


def _among(column: Any, dialect: str) -> ColumnElement[bool]:
    """Ask for rows of some numbers, however many: a statement that lists them is compiled for each count."""
    if dialect == "sqlite":
        listed = func.json_each(bindparam("numbers", type_=String)).table_valued("value")
        chosen: ColumnElement[bool] = column.in_(select(listed.c.value))
        return chosen
    among: ColumnElement[bool] = column == any_(bindparam("numbers", type_=ARRAY(BigInteger)))
    return among


def _rows(session: Session, question: Prepared, numbers: Iterable[int]) -> list[tuple[Any, ...]]:
    """Return what is told of some numbers."""
    listed = list(numbers)
    told = json.dumps(listed) if session.get_bind().dialect.name == "sqlite" else listed
    return question.rows(session, numbers=told) if listed else []


def _placed(dialect: str) -> Select[Any]:
    return (
        select(_STREAMS.c.id, _LOCATIONS.c.id, _LOCATIONS.c.feature_id, _LOCATIONS.c.owner)
        .join(_PLACES, _PLACES.c.thing_id == _STREAMS.c.thing_id)
        .join(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
        .where(_among(_STREAMS.c.id, dialect))
        .order_by(_STREAMS.c.id, _LOCATIONS.c.geometry.is_(None), _LOCATIONS.c.id)
    )


def _making(dialect: str) -> Any:
    chosen = [*(_LOCATIONS.c[name] for name in _ALIKE), _LOCATIONS.c.location]
    places = select(*chosen).where(_among(_LOCATIONS.c.id, dialect)).order_by(_LOCATIONS.c.id)
    return insert(_FEATURES).from_select([*_ALIKE, "feature"], places).returning(_FEATURES.c.id)


def _areas(dialect: str) -> Select[Any]:
    areas = [_FEATURES.c[name] for name in _AREA]
    return select(_FEATURES.c.id, *areas).where(
        _among(_FEATURES.c.id, dialect), _FEATURES.c.geometry.is_not(None)
    )


_PLACED = Prepared(_placed)
_MAKE = Prepared(_making)
_AREAS = Prepared(_areas)
_KNOWN = Prepared(
    lambda dialect: select(_SEEN.c.stream_id, _SEEN.c.feature_id).where(_among(_SEEN.c.stream_id, dialect))
)
_BEFORE = Prepared(
    lambda dialect: select(_STREAMS.c.id, _STREAMS.c.geometry).where(
        _among(_STREAMS.c.id, dialect), _STREAMS.c.geometry.is_not(None)
    )
)


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

    Each is made from the Location at the first such reading (18-088, 10.2, table 23), or when the device is
    taken into service, all of them by a few statements; without a Location there is none.

    Parameters
    ----------
    session
        That writes.
    actors
        By stream, on whose behalf its feature is made.

    """
    places: dict[int, Any] = {}
    for stream, *place in _rows(session, _PLACED, actors):
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


def _made_of(session: Session, lacking: Mapping[int, tuple[str, str]]) -> dict[int, int]:
    """Make features of places, given by id with owner and on whose behalf; return them by these ids."""
    ids = sorted(one for (one,) in _rows(session, _MAKE, lacking))
    made = dict(zip(sorted(lacking), ids, strict=True))  # numbers are given out in the order of the places
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


def follow(session: Session, location: int, is_heard: Callable[[int], bool]) -> int | None:
    """Let a feature that was made of a Location before any reading be as the Location is now.

    Parameters
    ----------
    session
        That writes.
    location
        The Location that changed.
    is_heard
        Says whether a stream has readings: what these are of stays as it was.

    Returns
    -------
    feature
        Its number; None where none was to be changed.

    """
    asked = select(*(_LOCATIONS.c[name] for name in (*_ALIKE, "location", "feature_id")))
    place = dict(session.execute(asked.where(_LOCATIONS.c.id == location)).mappings().one())
    feature, document = place.pop("feature_id"), place.pop("location")
    holders = list(session.scalars(select(_SEEN.c.stream_id).where(_SEEN.c.feature_id == feature)))
    if not holders or any(is_heard(one) for one in holders):
        return None
    session.execute(update(_FEATURES).where(_FEATURES.c.id == feature).values(**place, feature=document))
    unseen = dict.fromkeys(_OBSERVED)
    session.execute(update(_STREAMS).where(_STREAMS.c.id.in_(holders)).values(**unseen))
    _widen(session, dict.fromkeys(holders, feature))
    return int(feature)


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
    known = set(_rows(session, _KNOWN, found))
    new = dict(pair for pair in found.items() if pair not in known)
    if new:
        connection = session.connection()
        connection.exec_driver_sql(_statements(connection.dialect).see, list(new.items()))
        _widen(session, new)


def _widen(session: Session, new: Mapping[int, int]) -> None:
    """Widen the observed areas of streams by the features of which they have readings now."""
    places = {one: area for one, *area in _rows(session, _AREAS, set(new.values()))}
    before: dict[int, bytes] = dict(_rows(session, _BEFORE, new))
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
