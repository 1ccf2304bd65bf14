"""SensorThings with cells over HTTP, at a root of its own; the plain root knows nothing of it."""

import json
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jingwei.grid import Cell

from .test_dggs_sensing import HERE, served, zone

__all__ = ["served"]
ROOT, PLAIN = "/sta-dggs/v1.1", "/sta/v1.1"
FORM = "%Y-%m-%dT%H:%M:%SZ"
SPEC = "http://www.opengis.net/spec/sensorthings-dggs/1.0/"


def told(client, path, root=ROOT):
    answer = client.get(f"{root}/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_root_lists_cells_and_says_how_they_are(served):
    plain, root = (served.get(one).json() for one in (PLAIN, ROOT))
    assert [one["name"] for one in root["value"]] == [*(one["name"] for one in plain["value"]), "Cells"]
    assert all(one["url"] == f"http://localhost{ROOT}/{one['name']}" for one in root["value"])
    settings = root["serverSettings"]
    assert {f"{SPEC}conf/{name}" for name in ("landing-page", "cell", "observed-properties")} <= set(
        settings["conformance"]
    )
    assert f"{SPEC}conf/cell-crud" not in settings["conformance"], "cells follow from places"
    grid = settings[f"{SPEC}req/grid-system"]
    assert grid == {"gridSystem": "GeoSOT", "coarsestZoneLevel": 0, "finestZoneLevel": 21}
    functions = settings[f"{SPEC}req/aggregate-functions"]["functions"]
    assert [one["id"] for one in functions] == ["min", "max", "avg", "stddev", "count"]
    assert settings[f"{SPEC}req/cell-create-boundary"]["boundary"]["type"] == "Polygon"
    assert settings[f"{SPEC}req/aggregation/intervals"]["zoneLevels"]["0"] == ["1hour", "1day", "1month"]


def test_nothing_is_new_on_the_plain_root(served):
    """Suites of the standard stop at a set that it does not have."""
    root = served.get(PLAIN)
    assert [one["name"] for one in root.json()["value"]] == [
        "Things",
        "Locations",
        "HistoricalLocations",
        "Datastreams",
        "MultiDatastreams",
        "Sensors",
        "ObservedProperties",
        "Observations",
        "FeaturesOfInterest",
    ]
    assert "dggs" not in root.text
    for path in ("Cells", "Cells('G')", "Datastreams(1)/Cell", "Observations(1)/Cell", "Things(1)/Cell"):
        assert served.get(f"{PLAIN}/{path}").status_code == 404, path
    for options in ("$expand=Cell", "$select=Cell", "$filter=Cell/zoneLevel eq 1"):
        assert served.get(f"{PLAIN}/Datastreams?{options}").status_code == 400, options
    for path in ("Datastreams(1)", "Observations(1)", "MultiDatastreams", "ObservedProperties(1)"):
        answer = served.get(f"{PLAIN}/{path}")
        assert answer.status_code == 200
        assert "Cell" not in answer.text
        assert "aggregat" not in answer.text


def test_what_the_plain_root_has_is_here_too_with_cells(served):
    plain, here = told(served, "Datastreams(1)", PLAIN), told(served, "Datastreams(1)")
    assert here.pop("Cell@iot.navigationLink") == f"http://localhost{ROOT}/Datastreams(1)/Cell"
    assert here == json.loads(json.dumps(plain).replace(PLAIN, ROOT))


@pytest.mark.parametrize("level", [0, 9, 15, 21])
def test_figures_are_those_of_the_zones_of_ogc_api_dggs(served, level):
    cell = str(Cell.at(*HERE, level)) if level else "G"
    stream = told(served, f"Cells('{cell}')/MultiDatastreams")["value"][0]
    found = told(served, f"MultiDatastreams('{stream['@iot.id']}')/Observations")["value"]
    assert found
    for one in found:
        start, end = map(datetime.fromisoformat, one["phenomenonTime"].split("/"))
        last = end - timedelta(seconds=1)  # an interval of OGC API holds its end
        (wanted,) = zone(served, cell, datetime=f"{start:{FORM}}/{last:{FORM}}")["statistics"].values()
        names = ("minimum", "maximum", "average", "stdDev", "count")
        assert one["result"] == [wanted.get(name) for name in names]


def test_pages_lead_on_to_all_cells(served):
    found, address = [], f"{ROOT}/Cells?$top=10&$filter=zoneLevel ge 3"
    while address:
        page = served.get(address).json()
        found += [one["zoneId"] for one in page["value"]]
        address = page.get("@iot.nextLink")
    assert len(found) == len(set(found))
    assert set(found) > {str(Cell.at(*HERE, level)) for level in range(3, 22)}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "Cells", 403),
        ("PUT", "Cells('G')", 403),
        ("PATCH", "Cells('G')", 403),
        ("DELETE", "Cells('G')", 403),
        ("DELETE", "ObservedProperties('1~avg')", 403),
        ("PATCH", "MultiDatastreams('G~p1_00000000~1hour')", 403),
        ("PATCH", "Datastreams(1)/Cell", 405),
        ("PUT", "Datastreams(1)/Cell/$ref", 405),
        ("POST", "$batch", 405),
        ("POST", "CreateObservations", 405),
        ("POST", "Things", 400),
    ],
)
def test_cells_are_not_written(served, method, path, status):
    answer = served.request(method, f"{ROOT}/{path}", json={"zoneId": "G"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert served.get(f"{ROOT}/Cells('G')").status_code == 200
    assert served.get(f"{PLAIN}/Things(1)").status_code == 200


def test_addresses_may_be_encoded_and_headers_asked_for(served):
    assert told(served, "Cells%28%27G%27%29/zoneLevel") == {"zoneLevel": 0}
    assert served.head(f"{ROOT}/Cells('G')").status_code == 200


PATHS = [
    "Cells",
    "Cells('G')",
    "Cells('G')/Children",
    "Cells('G')/MultiDatastreams",
    "Cells('G')/Datastreams",
    "Cells('G')/Observations",
    "Datastreams(1)/Cell",
    "Observations",
    "Cells('",
    "Cells('G')/boundary/coordinates[0]",
]


VALUES = [
    "boundary",
    "boundary/type",
    "zoneLevel add 1 eq 2",
    "Cell",
    "Parent/Parent",
    "Children($top=1)",
    "MultiDatastreams/Observations($orderby=result desc)",
    "dataArray",
    "true",
    "7",
    "result[0] gt 1",
]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(PATHS),
    st.sampled_from(
        ["$filter", "$orderby", "$expand", "$select", "$top", "$skip", "$count", "$resultFormat"]
    ),
    st.text(max_size=30) | st.sampled_from(VALUES),
)
def test_no_question_breaks_the_server(served, path, option, value):
    answer = served.get(f"{ROOT}/{path}?{option}={quote(value)}")
    assert answer.status_code < 500 or answer.status_code == 501, (path, option, value, answer.text)
