"""The API answers what the city holds: datasets, facts, density, cells, search, tiles."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely

from jingwei import grid
from jingwei.web.tiles import tile_degrees
from square import EAST, MIDDLE, NORTH, SOUTH, STOPS, VISITS, WEST, stop_place

CITY_BOX = f"{WEST},{SOUTH},{EAST},{NORTH}"


def arrow(answer):
    assert answer.status_code == 200, answer.text
    return pa.ipc.open_stream(io.BytesIO(answer.content)).read_all()


def test_the_city_says_what_it_is(client):
    city = client.get("/api/city").json()
    assert city["name"] == {"zh": "方城", "en": "Square City"}
    assert city["bounds"] == pytest.approx([WEST, SOUTH, EAST, NORTH])
    assert [(one["dataset"], one["kind"], one["label"]) for one in city["ground"]] == [
        ("districts", "border", True),
        ("lines", "border", True),
    ]
    assert city["map_services"] == []
    boundary = shapely.from_geojson(json.dumps(client.get("/api/city/boundary").json()["geometry"]))
    assert boundary.bounds == pytest.approx((WEST, SOUTH, EAST, NORTH))


def test_datasets_are_paged_in_the_order_of_the_pack(client):
    first = client.get("/api/datasets", params={"limit": 4}).json()
    rest = client.get("/api/datasets", params={"after": first["after"]}).json()
    names = [one["id"] for one in first["datasets"] + rest["datasets"]]
    assert names == ["districts", "lines", "stops", "visits", "units", "mystery"]
    assert rest["after"] is None


def test_a_dataset_shows_schema_quality_and_lineage(client):
    stops = client.get("/api/datasets/stops").json()
    assert stops["counts"] == {
        "read": STOPS + 2, "published": STOPS + 1, "addressed": STOPS, "without_place": 1, "quarantined": 1,
    }  # fmt: skip
    assert [column["name"] for column in stops["columns"]] == ["code", "name", "lon", "lat"]
    assert stops["columns"][0]["key"]
    assert stops["sources"][0]["path"] == "stops.csv"
    assert list(stops["rules"].values()) == [1]


def test_quarantined_rows_name_file_row_rule_and_reason(client):
    page = client.get("/api/datasets/stops/quarantine").json()
    assert page["total"] == 1
    row = page["rows"][0]
    assert (row["file"], row["rule"]) == ("stops.csv", "impossible-place")
    assert row["reason"]["zh"]
    assert row["reason"]["en"]


def test_versions_are_listed_with_their_files(client):
    versions = client.get("/api/datasets/stops/versions").json()["versions"]
    assert [one["number"] for one in versions] == [1]
    titles = {one["id"]: one["title"] for one in client.get("/api/datasets").json()["datasets"]}
    assert versions[0]["reads"] == [
        {"dataset": "districts", "title": titles["districts"], "version": 1, "how": "boundary"}
    ]
    uses = client.get("/api/datasets/districts/versions/1/uses").json()["uses"]
    assert ("dataset/stops", ["boundary"], titles["stops"]) in [
        (one["subject"], one["how"], one["title"]) for one in uses
    ]
    assert versions[0]["sources"][0]["digest"]
    assert versions[0]["by"]
    assert versions[0]["event"].isdecimal()


def test_a_held_source_shows_its_problem(client):
    mystery = client.get("/api/datasets/mystery").json()
    assert mystery["state"] == "held"
    assert mystery["problem"]
    answer = client.get("/api/datasets/mystery/features")
    assert answer.status_code == 409


def test_all_facts_of_a_box_come_page_by_page_and_once(client):
    box = f"{WEST},{SOUTH},{MIDDLE},{NORTH}"
    seen, after = [], None
    while True:
        params = {"bbox": box, "limit": 37} | ({"after": after} if after is not None else {})
        page = client.get("/api/datasets/stops/features", params=params).json()
        seen += [one["id"] for one in page["features"]]
        after = page["after"]
        if after is None:
            break
    inside = sum(WEST <= stop_place(number)[0] <= MIDDLE for number in range(STOPS))
    assert len(seen) == len(set(seen)) == inside


def test_features_are_geojson_with_codes_as_strings_and_their_source(client):
    page = client.get("/api/datasets/stops/features", params={"where": "code = '007'"}).json()
    feature = page["features"][0]
    lon, lat = stop_place(7)
    assert feature["geometry"]["coordinates"] == pytest.approx([lon, lat], abs=1e-6)
    assert feature["properties"]["code"] == "007"
    place = feature["properties"]["jw"]["places"][0]
    assert isinstance(place["stored"], str)
    assert feature["properties"]["jw"]["source"] == {"version": 1, "file": "stops.csv", "layer": "", "row": 9}


def test_the_same_facts_come_as_arrow(client):
    table = arrow(client.get("/api/datasets/stops/features", params={"f": "arrow", "limit": 10_000}))
    assert table.num_rows == STOPS + 1
    assert table.schema.field("jw_cell").type == pa.int64()


def test_a_polygon_is_asked_by_post(client):
    ring = [[[WEST, SOUTH], [MIDDLE, SOUTH], [WEST, NORTH], [WEST, SOUTH]]]
    body = {"region": {"type": "Polygon", "coordinates": ring}, "limit": 10_000}
    found = client.post("/api/datasets/stops/features", json=body).json()["features"]
    triangle = shapely.Polygon(ring[0])
    places = [stop_place(number) for number in range(STOPS)]
    expected = sum(triangle.intersects(shapely.Point(place)) for place in places)
    assert len(found) == expected


def test_a_day_as_the_end_is_included_whole_in_the_citys_zone(client):
    params = {"from": "2026-03-02", "to": "2026-03-02", "f": "json"}
    records = client.get("/api/datasets/visits/features", params=params).json()["records"]
    assert len(records) == 24
    assert records[0]["time"]["start"] >= "2026-03-01T16:00:00Z"


def test_density_counts_every_fact_once_and_gives_true_areas(client):
    for level in (13, 16, 19):
        table = arrow(client.get("/api/datasets/stops/density", params={"level": level, "bbox": CITY_BOX}))
        assert sum(table["n"].to_pylist()) == STOPS
        codes = grid.from_stored(table["cell"].to_numpy())
        assert table["area_m2"].to_numpy() == pytest.approx(grid.area_m2(codes, level), rel=1e-6)
        west = np.asarray(grid.bounds(codes, level)[0])
        assert table["west"].to_numpy() / 1e7 == pytest.approx(west, abs=1e-7)


def test_density_in_a_part_of_time_counts_that_part(client):
    params = {"level": 15, "from": "2026-03-01", "to": "2026-03-03", "f": "json"}
    cells = client.get("/api/datasets/visits/density", params=params).json()["cells"]
    assert sum(cell["n"] for cell in cells) == 72
    assert all(isinstance(cell["cell"], str) for cell in cells)


def test_points_travel_compactly_and_say_whether_they_are_all(client):
    table = arrow(client.get("/api/datasets/visits/points"))
    assert table.num_rows == VISITS
    assert table.schema.metadata[b"complete"] == b"true"
    epoch = int(table.schema.metadata[b"epoch"])
    first = min(table.to_pylist(), key=lambda row: row["second"])
    assert epoch + first["second"] == 1772294400  # 2026-03-01T00:00 in Shanghai
    assert [first["lon"] / 1e7, first["lat"] / 1e7] == pytest.approx(stop_place(0), abs=2e-7)
    some = arrow(client.get("/api/datasets/visits/points", params={"limit": 5}))
    assert some.num_rows == 5
    assert some.schema.metadata[b"complete"] == b"false"


def test_points_name_their_facts_and_levels_once_where_that_says_it_all(client):
    def facts_of(**asked):
        table = arrow(client.get("/api/datasets/stops/points", params=asked))
        about = table.schema.metadata
        if b"fact" in about:
            return {int(about[b"fact"]) + k: row for k, row in enumerate(table.to_pylist())}, about
        return {row["fact"]: row for row in table.to_pylist()}, about

    whole, about = facts_of()
    assert (about[b"level"], len(whole)) == (b"32", STOPS)
    some, about = facts_of(where="code LIKE '%7'")
    assert b"fact" not in about
    assert 0 < len(some) < STOPS
    for fact, row in some.items():
        assert (whole[fact]["lon"], whole[fact]["lat"]) == (row["lon"], row["lat"])
        record = client.get(f"/api/datasets/stops/features/{fact}").json()
        assert record["values"]["code"].endswith("7")
        assert record["places"][0]["lon"] == pytest.approx(row["lon"] / 1e7, abs=2e-7)
    nothing, _ = facts_of(where="code = 'none'")
    assert nothing == {}


def test_a_kept_answer_is_the_same_packed_and_plain(client):
    address = "/api/datasets/stops/density"
    params = {"level": 19, "bbox": CITY_BOX}
    answers = [
        client.get(address, params=params, headers={"Accept-Encoding": coding})
        for coding in ("identity", "gzip", "identity")
    ]
    assert "content-encoding" not in answers[0].headers
    assert answers[1].headers["content-encoding"] == "gzip"
    assert len({answer.content for answer in answers}) == 1


def test_a_cell_holds_points_lines_and_areas_of_all_datasets(client):
    lon, lat = stop_place(45)
    code = grid.Cell.at(lon, lat, 15).geosot
    answer = client.get(f"/api/cells/{code}", params={"limit": 500}).json()
    groups = {group["dataset"]: group for group in answer["groups"]}
    assert {"districts", "stops", "visits"} <= set(groups)
    assert {record["relation"] for record in groups["districts"]["records"]} == {"crosses"}
    assert {record["relation"] for record in groups["stops"]["records"]} == {"within"}
    box = shapely.box(*grid.parse_geosot(code).bounds)
    expected = sum(box.intersects(shapely.Point(stop_place(number))) for number in range(STOPS))
    assert groups["stops"]["total"] == expected
    assert all(record["source"]["file"] == "stops.csv" for record in groups["stops"]["records"])


@pytest.mark.parametrize(
    ("text", "kind"), [("N50F0503278214", "code"), ("22.55, 114.05", "coordinate"), ("第45站", "name")]
)
def test_search_finds_codes_coordinates_and_names(client, text, kind):
    hit = client.get("/api/search", params={"q": text}).json()["hits"][0]
    assert hit["kind"] == kind
    assert hit["code"]


def test_a_tile_is_read_by_another_program_as_what_was_drawn(client, tmp_path):
    z, x, y = 11, 1672, 892
    answer = client.get(f"/api/datasets/districts/tiles/{z}/{x}/{y}")
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    path = tmp_path / f"{y}.pbf"
    path.write_bytes(answer.content)
    drawn = pyogrio.read_dataframe(path, layer="shapes", X=x, Y=y, Z=z).set_crs(3857, allow_override=True)
    drawn = drawn.to_crs(4326)
    west, south, east, north = tile_degrees(z, x, y)
    tile = shapely.box(west, south, east, north)
    unit = (east - west) / 4096
    assert set(drawn["name"]) == {"西区"}
    wanted = shapely.box(WEST, SOUTH, MIDDLE, NORTH).intersection(tile)
    assert drawn.geometry.union_all().intersection(tile).hausdorff_distance(wanted) < 1.5 * unit


@pytest.mark.parametrize(("z", "named"), [(6, set()), (7, {"西区", "东区"})])
def test_an_area_bears_its_name_once_it_is_large_enough_to_be_seen(client, tmp_path, z, named):
    middle = (SOUTH + NORTH) / 2
    x = int((MIDDLE / 360 + 0.5) * 2**z)
    y = int((0.5 - math.asinh(math.tan(math.radians(middle))) / (2 * math.pi)) * 2**z)
    path = tmp_path / f"{y}.pbf"
    path.write_bytes(client.get(f"/api/datasets/districts/tiles/{z}/{x}/{y}").content)
    assert set(pyogrio.read_dataframe(path, layer="shapes", X=x, Y=y, Z=z)["name"]) == {"西区", "东区"}
    layers = {name for name, _ in pyogrio.list_layers(path)}
    found = set(pyogrio.read_dataframe(path, layer="labels")["name"]) if "labels" in layers else set()
    assert found == named


def test_what_is_known_already_is_not_sent_again(client):
    for address in (
        "stops/points",
        "stops/density?level=15",
        "districts/tiles/11/1672/892",
        "stops/features",
    ):
        first = client.get(f"/api/datasets/{address}")
        again = client.get(f"/api/datasets/{address}", headers={"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code) == (200, 304)
        assert again.content == b""


@pytest.mark.parametrize("address", [
    "districts/tiles/11/0/0", "stops/density?level=15&bbox=0,0,1,1", "stops/points?bbox=-10,-10,-9,-9",
    "stops/features?bbox=0,0,1,1", "stops/features?bbox=0,0,60,60",
])  # fmt: skip
def test_far_outside_the_city_there_is_nothing_and_no_fault(client, address):
    answer = client.get(f"/api/datasets/{address}")
    assert answer.status_code == 200
    if "features" in address:
        assert answer.json()["features"] == []


@pytest.mark.parametrize(("address", "status"), [
    ("districts/tiles/3/8/0", 400),
    ("districts/tiles/40/0/0", 422),
    ("stops/tiles/3/0/0", 400),
    ("units/density?level=10", 400),
    ("stops/density?level=0", 422),
    ("stops/density?level=32&bbox=113,22,115,23", 400),
    ("stops/density?level=15&bbox=1,2,3", 400),
    ("stops/density?level=15&bbox=nan,1,2,3", 400),
    ("stops/density?level=15&role=nowhere", 400),
    ("stops/features?limit=0", 422),
    ("stops/features?limit=99999999", 422),
    ("stops/features?columns=nothing", 400),
    ("stops/features?where=1%3D1%3B%20DROP%20TABLE%20facts", 400),
    ("stops/features?where=code%20%3D%20(SELECT%201)", 400),
    ("stops/features?from=yesterday", 400),
    ("stops/features?from=2026-02-02&to=2026-01-01", 400),
    ("stops/features?cell=N99", 400),
    ("stops/features/99999", 404),
    ("nothing", 404),
    ("no-such..%2F", 404),
])  # fmt: skip
def test_bad_questions_get_clear_answers(client, address, status):
    answer = client.get(f"/api/datasets/{address}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"]


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "_", "\\", '"; DROP TABLE facts', "第%站"])
def test_search_takes_any_text_as_a_text(client, text):
    answer = client.get("/api/search", params={"q": text})
    assert answer.status_code == 200
    assert answer.json()["hits"] == []


@pytest.mark.parametrize("coordinates", [
    [], [[]], [[[1, 2]]], "x", [[["a", "b"], [1, 2], [3, 4], ["a", "b"]]],
    [[[WEST, SOUTH], [EAST, NORTH], [EAST, SOUTH], [WEST, NORTH], [WEST, SOUTH]]],
    [[[500, 500], [501, 500], [501, 501], [500, 500]]],
    [[[WEST + k * 1e-6, SOUTH + (k % 2) * 1e-6] for k in range(30_000)] + [[WEST, NORTH], [WEST, SOUTH]]],
])  # fmt: skip
def test_a_region_that_is_none_is_refused(client, coordinates):
    body = {"region": {"type": "Polygon", "coordinates": coordinates}}
    answer = client.post("/api/datasets/stops/features", json=body)
    assert answer.status_code in (400, 413, 422)
    assert answer.headers["content-type"] == "application/problem+json"
