"""Features of interest that are made with first readings: from the places of things, many at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
import shapely
from sqlalchemy import insert, select

from jingwei.ledger.models import Event
from jingwei.sense import features
from jingwei.sense.checking import placed
from jingwei.sense.models import (
    FeatureRow,
    LocationRow,
    SensorRow,
    StreamFeature,
    StreamRow,
    ThingLocation,
    ThingRow,
)

OWN: dict[str, Any] = {"owner": "330100", "sharing": "none", "level": 1}
NAMED = {"description": "", "properties": None, **OWN}
AREA = {"type": "Polygon", "coordinates": [[[116, 39], [117, 39], [117, 40], [116, 39]]]}


@pytest.fixture
def places(records):
    """Five streams: at a point, at another with a height, in an area, at no place, and at the first point."""
    documents: list[Any] = [
        {"type": "Point", "coordinates": [116.5, 39.5]},
        {"type": "Point", "coordinates": [117.25, 38, 12.5]},
        AREA,
    ]
    with records.write() as session:
        session.execute(
            insert(SensorRow), [{"id": 1, "name": "s", "encoding_type": "text/html", "details": "", **NAMED}]
        )
        session.execute(insert(ThingRow), [{"id": n, "name": f"thing {n}", **NAMED} for n in range(1, 6)])
        session.execute(
            insert(LocationRow),
            [
                {
                    "id": n,
                    "name": f"place {n}",
                    "encoding_type": "application/geo+json",
                    "location": document,
                    **placed(document, ""),
                    **NAMED,
                }
                for n, document in enumerate(documents, 1)
            ],
        )
        at = [(1, 1), (2, 2), (3, 3), (5, 1)]
        session.execute(
            insert(ThingLocation), [{"thing_id": thing, "location_id": place} for thing, place in at]
        )
        session.execute(
            insert(StreamRow),
            [
                {
                    "id": n,
                    "name": f"stream {n}",
                    "multi": False,
                    "observation_type": "x",
                    "unit": {},
                    "thing_id": n,
                    "sensor_id": 1,
                    **NAMED,
                }
                for n in range(1, 6)
            ],
        )
    return records


def all_of(records, row):
    with records.read() as session:
        return {one["id"]: one for one in session.execute(select(row.__table__)).mappings()}


def test_features_are_made_of_places_and_shared_by_the_streams_there(places):
    with places.write() as session:
        made = features.defaults_of(session, dict.fromkeys((5, 4, 3, 2, 1), "device"))
    kept, locations = all_of(places, FeatureRow), all_of(places, LocationRow)
    assert made.keys() == {1, 2, 3, 5}
    assert made[1] == made[5]
    assert len(kept) == 3
    for number, place in locations.items():
        feature = kept[place["feature_id"]]
        assert place["feature_id"] == made[number]
        assert feature["feature"] == place["location"]
        assert [feature[one] for one in ("name", "owner", "cell", "geometry", "west", "north")] == [
            place[one] for one in ("name", "owner", "cell", "geometry", "west", "north")
        ]
    with places.read() as session:
        assert set(session.execute(select(StreamFeature.stream_id, StreamFeature.feature_id)).all()) == {
            (stream, feature) for stream, feature in made.items()
        }
        told = session.execute(select(Event.subject, Event.actor).where(Event.type == "sense.created")).all()
    assert sorted(told) == sorted((f"sense/FeaturesOfInterest({one})", "device") for one in kept)


def test_what_a_stream_observes_is_where_its_features_are(places):
    with places.write() as session:
        features.defaults_of(session, dict.fromkeys((1, 2, 3), "device"))
        features.seen(session, 1, features.default_of(session, 2, "device"))
    streams = all_of(places, StreamRow)
    line = shapely.LineString([(116.5, 39.5), (117.25, 38)])
    assert streams[2]["observed_area"]["coordinates"][:2] == [117.25, 38]
    assert shapely.from_wkb(streams[1]["geometry"]).equals(line)
    assert shapely.from_geojson(json.dumps(streams[1]["observed_area"])).equals(line)
    assert streams[1]["cell"] is None
    assert (streams[3]["west"], streams[3]["north"]) == (116, 40)
    assert streams[5]["geometry"] is None


def test_once_made_a_feature_is_not_made_again(places):
    for _ in range(2):
        with places.write() as session:
            made = features.defaults_of(session, {1: "device"})
    assert all_of(places, FeatureRow).keys() == set(made.values())
    area = all_of(places, StreamRow)[1]["observed_area"]
    assert area == {"type": "Point", "coordinates": [116.5, 39.5]}
