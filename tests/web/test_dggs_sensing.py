"""What sensors tell is a collection of OGC API - DGGS, with statistics of any zone."""

import shutil

import pytest
from fastapi.testclient import TestClient
from tests.sense.conftest import PARKS, somebody

from jingwei.city import open_city
from jingwei.city.models import CityRow
from jingwei.grid import BeidouCell, Cell
from jingwei.records import now_utc
from jingwei.web import OPEN, create_app
from jingwei.web.dggs_out import BASE

ROOT = "/sta/v1.1"
HERE, THERE = (114.06, 22.54), (114.4, 30.5)
COLLECTION = f"{BASE}/collections/sense-observations"


def thing(place):
    return {
        "name": "station",
        "description": "",
        "Locations": [
            {
                "name": "here",
                "description": "",
                "encodingType": "application/geo+json",
                "location": {"type": "Point", "coordinates": list(place)},
            }
        ],
        "Datastreams": [
            {
                "name": "PM2.5",
                "description": "",
                "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
                "unitOfMeasurement": {"name": "", "symbol": "ug/m3", "definition": "ucum:ug/m3"},
                "Sensor": {"name": "s", "description": "", "encodingType": "text/html", "metadata": "x"},
                "ObservedProperty": {"name": "PM2.5", "definition": "http://x/pm", "description": ""},
            }
        ],
    }


@pytest.fixture(scope="module")
def served(tmp_path_factory, migrated_sqlite):
    home = tmp_path_factory.mktemp("sensed")
    shutil.copy(migrated_sqlite, home / "records.db")
    with open_city(home) as city:
        about = {"name": {"zh": "方城"}, "adcode": "990100", "generated": False, "time_zone": "Asia/Shanghai"}
        with city.records.write() as session:
            session.add(CityRow(id="sensed", about=about, pack="", data="", changed=now_utc()))
        app = create_app(city, entry=OPEN)
        with TestClient(app, raise_server_exceptions=False, base_url="http://localhost") as client:
            for number, place in enumerate((HERE, THERE), 1):
                made = thing(place)
                if number > 1:
                    made["Datastreams"][0]["ObservedProperty"] = {"@iot.id": 1}
                assert client.post(f"{ROOT}/Things", json=made).status_code == 201
                for hour in range(4):
                    told = {"phenomenonTime": f"2026-01-01T{hour:02}:30:00Z", "result": number * hour}
                    answer = client.post(f"{ROOT}/Datastreams({number})/Observations", json=told)
                    assert answer.status_code == 201
            yield client


def zone(client, text, system="geosot", **params):
    answer = client.get(f"{COLLECTION}/dggs/{system}/zones/{text}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("system", "cell"), [("geosot", str(Cell.at(*HERE, 15))), ("beidou", str(BeidouCell.at(*HERE, 6)))]
)
def test_a_zone_has_the_figures_of_its_readings(served, system, cell):
    found = zone(served, cell, system)
    (figures,) = found["statistics"].values()
    assert figures == {
        "minimum": 0,
        "maximum": 3,
        "average": 1.5,
        "stdDev": pytest.approx((5 / 3) ** 0.5),
        "count": 4,
    }
    assert found["count"] == 4
    assert found["temporalInterval"] == ["2026-01-01T00:00:00Z", "2026-01-01T04:00:00Z"]


def test_the_earth_holds_them_all(served):
    assert zone(served, "G")["count"] == 8


def test_zones_made_of_many_cells_hold_what_lies_in_them(served):
    assert zone(served, str(BeidouCell.at(*HERE, 2)), "beidou")["count"] == 4


def test_a_period_is_told_in_whole_hours(served):
    found = zone(served, "G", datetime="2026-01-01T01:45:00Z/2026-01-01T02:10:00Z")
    (figures,) = found["statistics"].values()
    assert (figures["count"], figures["maximum"]) == (4, 4)
    assert found["temporalInterval"] == ["2026-01-01T01:00:00Z", "2026-01-01T03:00:00Z"]


def test_sub_zones_have_averages_and_the_schema_says_of_what(served):
    upper = str(Cell.at(*HERE, 13))
    answer = served.get(f"{COLLECTION}/dggs/geosot/zones/{upper}/data", params={"zone-depth": "2"})
    told = answer.json()
    (field,) = set(told["values"]) - {"jw_count"}
    assert told["schema"]["properties"][field]["title"] == "PM2.5 (ug/m3)"
    (values,) = told["values"][field]
    assert [one for one in values["data"] if one is not None] == [1.5]
    assert sum(told["values"]["jw_count"][0]["data"]) == 4


@pytest.mark.parametrize(("system", "cell", "level"), [("geosot", Cell, 15), ("beidou", BeidouCell, 6)])
def test_zones_with_readings_are_found_at_a_level_in_a_parent_in_a_box_and_in_a_period(
    served, system, cell, level
):
    def zones(**asked):
        asked = {"zone-level": level, "compact-zones": False} | asked
        answer = served.get(f"{COLLECTION}/dggs/{system}/zones", params=asked)
        assert answer.status_code == 200, answer.text
        return set(answer.json()["zones"])

    here, there = (str(cell.at(*place, level)) for place in (HERE, THERE))
    assert zones() == {here, there}
    assert zones(**{"parent-zone": str(cell.at(*HERE, level - 3))}) == {here}
    assert zones(bbox="114.3,30,115,31") == {there}
    assert zones(datetime="2026-01-02T00:00:00Z/..") == set()


def test_where_there_is_nothing_nothing_is_told(served):
    empty = str(Cell.at(-60.0, -20.0, 10))
    assert zone(served, empty)["statistics"] == {}
    answer = served.get(f"{COLLECTION}/dggs/geosot/zones/{empty}/data")
    assert answer.status_code == 204


def test_it_is_listed_among_the_collections(served):
    listed = served.get(f"{BASE}/collections").json()["collections"]
    assert "sense-observations" in [one["id"] for one in listed]


def test_streams_that_come_and_go_are_told_at_once_to_who_sees_only_some(served, monkeypatch):
    """Of which streams such a reader may be told is kept between answers."""
    gate = served.app.state.gate

    def told():
        with monkeypatch.context() as patch:
            patch.setattr(gate, "asker_without_asking", lambda _: somebody("staff", department=PARKS))
            return zone(served, "G")["count"]

    assert told() == 8
    made = thing(HERE)
    made["Datastreams"][0]["ObservedProperty"] = {"@iot.id": 1}
    made["Datastreams"][0]["Observations"] = [{"phenomenonTime": "2026-01-01T00:40:00Z", "result": 1}]
    where = served.post(f"{ROOT}/Things", json=made).headers["Location"]
    assert told() == 9
    assert served.delete(where).status_code == 200
    assert told() == 8
