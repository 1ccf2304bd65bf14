"""OGC API - DGGS: what is declared is served, figures are those of the facts, and nothing tells of a few."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import shapely
from fastapi.testclient import TestClient

from jingwei import grid
from jingwei.access import Asker, local_person
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.grid import BeidouCell, Cell
from jingwei.web import OPEN, create_app
from jingwei.web.dggs_out import BASE, CLASSES, COMMON, CONFORMANCE
from square import VISITS, stop_place

from .people import asked_by

CITY_BOX = "114.0,22.5,114.2,22.7"
ZONE = "G001130230-2"
VISITED = f"{BASE}/collections/visits/dggs/geosot"


def get(client, path, **params):
    return client.get(path if path.startswith("/") else f"{BASE}/{path}", params=params)


def ok(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def visits():
    """The visits of the square city as a frame, read from no file of ours."""
    lon, lat = zip(*(stop_place(number) for number in range(VISITS)), strict=True)
    hours = pd.date_range("2026-03-01", periods=VISITS, freq="h", tz="Asia/Shanghai")
    # Files hold six decimals.
    return pd.DataFrame(
        {"lon": np.round(lon, 6), "lat": np.round(lat, 6), "riders": range(VISITS), "at": hours}
    )


def within(frame, bounds):
    west, south, east, north = bounds
    return frame[(frame.lon >= west) & (frame.lon < east) & (frame.lat >= south) & (frame.lat < north)]


# --- what is declared is served ---

PROOFS = {
    f"{COMMON}/core": ("", 200, "application/json"),
    f"{COMMON}/landing-page": ("", 200, "application/json"),
    f"{COMMON}/json": ("/conformance", 200, "application/json"),
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections": (
        "/collections/visits", 200, "application/json"
    ),
    f"{CLASSES}/core": ("/dggs/geosot/zones/G0", 200, "application/json"),
    f"{CLASSES}/root-dggs": ("/dggs", 200, "application/json"),
    f"{CLASSES}/collection-dggs": ("/collections/visits/dggs", 200, "application/json"),
    f"{CLASSES}/zone-query": (f"/dggs/geosot/zones?bbox={CITY_BOX}", 200, "application/json"),
    f"{CLASSES}/data-retrieval": (f"/dggs/geosot/zones/{ZONE}/data", 200, "application/json"),
    f"{CLASSES}/data-custom-depths": (
        f"/dggs/geosot/zones/{ZONE}/data?zone-depth=0,2", 200, "application/json"
    ),
    f"{CLASSES}/data-json": (f"/dggs/geosot/zones/{ZONE}/data?f=json", 200, "application/json"),
    f"{CLASSES}/data-geojson": (f"/dggs/geosot/zones/{ZONE}/data?f=geojson", 200, "application/geo+json"),
    f"{CLASSES}/zone-json": ("/dggs/geosot/zones?f=json", 200, "application/json"),
    f"{CLASSES}/zone-geojson": ("/dggs/geosot/zones?f=geojson", 200, "application/geo+json"),
    f"{CLASSES}/zone-uint64": ("/dggs/geosot/zones?f=uint64", 200, "application/x-binary"),
}  # fmt: skip


def test_each_conformance_class_that_is_declared_is_served(client):
    declared = ok(get(client, "conformance"))["conformsTo"]
    assert sorted(declared) == sorted(PROOFS) == sorted(CONFORMANCE)
    for name, (path, status, kind) in PROOFS.items():
        answer = client.get(BASE + path)
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (status, kind), name


def test_every_link_of_every_resource_leads_somewhere(client):
    seen, wanted = set(), [BASE]
    while wanted:
        at = wanted.pop()
        if at in seen:
            continue
        seen.add(at)
        answer = client.get(at)
        assert answer.status_code in (200, 204), at
        if answer.status_code == 204 or "/zones" in at or not at.startswith(BASE):
            continue
        found = answer.json()
        links = [link for one in (found, *found.get("dggrs", []), *found.get("collections", []))
                 for link in one.get("links", [])]  # fmt: skip
        wanted += [link["href"] for link in links]
    assert f"{BASE}/collections/visits/dggs/beidou/zones" in seen


@pytest.mark.parametrize("system", ["geosot", "beidou"])
def test_a_system_is_defined_as_annex_b_wants(client, system):
    found = ok(get(client, f"dggs/{system}/definition"))
    assert {"dggh", "zirs", "subZoneOrder"} <= set(found)
    assert found["dggh"]["definition"]["spatialDimensions"] == 2
    assert found["zirs"]["textZIRS"]["description"]
    assert ("uint64ZIRS" in found["zirs"]) == (system == "geosot")
    assert found["subZoneOrder"]["description"]


# --- zones ---


def test_a_zone_says_where_it_is_and_what_lies_around_it(client):
    found = ok(get(client, "dggs/geosot/zones/N50F0503278214"))
    cell = grid.parse("N50F0503278214")
    assert found["id"] == cell.geosot
    assert (found["level"], found["alias"]) == (23, "N50F0503278214")
    assert tuple(found["bbox"]) == cell.bounds
    assert found["areaMetersSquare"] == pytest.approx(cell.area_m2, rel=1e-12)
    assert found["parents"] == [cell.parent().geosot]
    assert found["children"] == [one.geosot for one in cell.children()]
    assert found["neighbours"] == [one.geosot for one in cell.neighbours()]


def test_a_malformed_zone_is_told_with_its_place_in_the_reader_s_language(client):
    for language, words in (("zh", "第 7 个字符"), ("en", "Character 7")):
        answer = get(client, "dggs/geosot/zones/G00113x", lang=language)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["where"] == {"text": "G00113x", "position": 6}
        assert words in answer.json()["detail"]


def test_integers_hold_the_code_and_the_level(client):
    answer = get(client, "dggs/geosot/zones", bbox=CITY_BOX, f="uint64", **{"zone-level": 15})
    numbers = np.frombuffer(answer.content, "<u8")
    texts = ok(get(client, "dggs/geosot/zones", bbox=CITY_BOX, **{"zone-level": 15}))["zones"]
    assert numbers[0] == len(numbers) - 1 == len(texts)
    for number, text in zip(numbers[1:].tolist(), texts, strict=True):
        low = (number & -number).bit_length() - 1
        level = (63 - low) // 2
        assert Cell(number ^ (1 << low), level).geosot == text


def test_pages_of_zones_follow_each_other(client):
    params = {"bbox": CITY_BOX, "zone-level": 14, "compact-zones": "false"}
    whole = ok(get(client, "dggs/geosot/zones", **params, limit=99999))
    page, found = ok(get(client, "dggs/geosot/zones", **params, limit=7)), []
    while True:
        found += page["zones"]
        onward = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not onward:
            break
        page = ok(client.get(onward[0]))
    assert found == whole["zones"]
    assert len(found) == whole["numberMatched"] > 7


def test_a_box_over_180_degrees_is_one_box(client):
    found = ok(get(client, "dggs/geosot/zones", bbox="179.5,10,-179.5,11", **{"zone-level": 9}))["zones"]
    assert {Cell.at(179.7, 10.5, 9).geosot, Cell.at(-179.7, 10.5, 9).geosot} == set(found)
    same = ok(get(client, "dggs/geosot/zones", subset="Lon(179.5:-179.5),Lat(10:11)", **{"zone-level": 9}))
    assert same["zones"] == found


# --- figures ---


@pytest.mark.parametrize("system", ["geosot", "beidou"])
def test_the_figures_of_a_zone_are_those_of_its_facts(client, visits, system):
    place = stop_place(25)
    levels = (1, 5, 9, 11, 12, 13, 15) if system == "geosot" else (1, 2, 3, 4)
    for level in levels:
        cell = Cell.at(*place, level) if system == "geosot" else BeidouCell.at(*place, level)
        found = ok(get(client, f"collections/visits/dggs/{system}/zones/{cell}"))
        riders = within(visits, cell.bounds).riders
        assert found["count"] == len(riders) > 0
        figures = found["statistics"]["riders"]
        assert (figures["minimum"], figures["maximum"]) == (riders.min(), riders.max())
        assert figures["average"] == pytest.approx(riders.mean(), rel=1e-12)
        assert figures.get("stdDev", float("nan")) == pytest.approx(riders.std(), rel=1e-9, nan_ok=True)


def test_a_zone_tells_when_its_facts_were(client, visits):
    cell = Cell.at(*stop_place(0), 13)
    found = ok(get(client, f"{VISITED}/zones/{cell}"))
    at = within(visits, cell.bounds)["at"]
    assert [pd.Timestamp(moment) for moment in found["temporalInterval"]] == [at.min(), at.max()]


def test_a_time_leaves_out_the_facts_of_other_times(client, visits):
    cell = Cell.at(*stop_place(0), 9)
    day = within(visits, cell.bounds)
    day = day[day["at"].dt.day == 2]
    found = ok(get(client, f"{VISITED}/zones/{cell}", datetime="2026-03-02"))
    assert (found["count"], found["statistics"]["riders"]["average"]) == (len(day), day.riders.mean())


@pytest.mark.parametrize(
    ("system", "zone", "depths"),
    [
        ("geosot", ZONE, "0-4"),
        ("geosot", "G001130230", "1,3"),
        ("beidou", "N50F", "1-2"),
        ("beidou", "N50F050", "1"),
    ],
)
def test_data_stand_in_the_order_of_sub_zones(client, visits, system, zone, depths):
    found = ok(get(client, f"collections/visits/dggs/{system}/zones/{zone}/data", **{"zone-depth": depths}))
    for field in ("jw_count", "riders"):
        assert [one["depth"] for one in found["values"][field]] == found["depths"]
    for counts, riders in zip(found["values"]["jw_count"], found["values"]["riders"], strict=True):
        cells = [grid.parse_geosot(zone) if system == "geosot" else grid.parse_beidou(zone)]
        for _ in range(counts["depth"]):
            cells = [child for cell in cells for child in cell.children()]
        assert counts["shape"] == {"count": len(cells), "subZones": len(cells)}
        inside = [within(visits, cell.bounds).riders for cell in cells]
        assert counts["data"] == [len(one) for one in inside]
        wanted = [one.mean() if len(one) else None for one in inside]
        assert riders["data"] == [None if one is None else pytest.approx(one) for one in wanted]


def test_zones_of_a_collection_are_those_with_facts(client, visits):
    for level in (12, 15, 17):
        found = ok(
            get(client, f"{VISITED}/zones", limit=9999, **{"zone-level": level, "compact-zones": "false"})
        )
        wanted = {Cell.at(lon, lat, level).geosot for lon, lat in zip(visits.lon, visits.lat, strict=True)}
        assert set(found["zones"]) == wanted
        compact = ok(get(client, f"{VISITED}/zones", limit=9999, **{"zone-level": level}))["zones"]
        cells = [grid.parse(text) for text in compact]
        parted = [one for cell in cells for one in (cell.children(level) if cell.level < level else [cell])]
        assert {one.geosot for one in parted} == wanted


def test_geojson_holds_the_zones_or_the_facts(client, visits):
    path = f"{VISITED}/zones/{ZONE}/data"
    zones = ok(get(client, path, f="geojson", **{"zone-depth": 2}))["features"]
    assert sum(one["properties"]["jw_count"] for one in zones) == len(within(visits, grid.parse(ZONE).bounds))
    for one in zones:
        assert shapely.geometry.shape(one["geometry"]).equals_exact(
            shapely.box(*grid.parse(one["id"]).bounds).normalize(), 1e-6
        ) or shapely.geometry.shape(one["geometry"]).area == pytest.approx(
            shapely.box(*grid.parse(one["id"]).bounds).area, rel=1e-4
        )
    facts = ok(get(client, path, f="geojson", geometry="vectorized"))["features"]
    assert sorted(one["properties"]["riders"] for one in facts) == sorted(
        within(visits, grid.parse(ZONE).bounds).riders
    )


def test_where_there_is_nothing_the_answer_is_empty(client):
    for zone in ("G3", "G00202200"):
        assert get(client, f"{VISITED}/zones/{zone}/data", **{"zone-depth": 0}).status_code == 204
        assert get(client, f"dggs/geosot/zones/{zone}/data", **{"zone-depth": 0}).status_code == 204


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("dggs/h3/zones/1", {}, 404),
        ("dggs/beidou/zones/N", {}, 400),
        ("dggs/beidou/zones/N50X", {}, 400),
        ("dggs/geosot/zones/%00", {}, 400),
        ("dggs/geosot/zones", {"bbox": "1,2,3"}, 400),
        ("dggs/geosot/zones", {"bbox": "nan,2,3,4"}, 400),
        ("dggs/geosot/zones", {"bbox": CITY_BOX, "bbox-crs": "EPSG:3857"}, 400),
        ("dggs/geosot/zones", {"bbox": CITY_BOX, "subset": "Lon(1:2)"}, 400),
        ("dggs/geosot/zones", {"subset": "h(1:2)"}, 400),
        ("dggs/geosot/zones", {"subset": "Lat(a:2)"}, 400),
        ("dggs/geosot/zones", {"zone-level": 33}, 400),
        ("dggs/geosot/zones", {"zone-level": 32}, 400),
        ("dggs/beidou/zones", {"zone-level": 0}, 400),
        ("dggs/geosot/zones", {"parent-zone": "G001", "zone-level": 2}, 400),
        ("dggs/geosot/zones", {"parent-zone": "G001", "zone-level": 20, "compact-zones": "false"}, 400),
        ("dggs/geosot/zones", {"limit": 0}, 400),
        ("dggs/geosot/zones", {"f": "nothing"}, 400),
        ("dggs/beidou/zones", {"f": "uint64"}, 406),
        (f"dggs/geosot/zones/{ZONE}/data", {"zone-depth": "9"}, 400),
        (f"dggs/geosot/zones/{ZONE}/data", {"zone-depth": "-1"}, 400),
        (f"dggs/geosot/zones/{ZONE}/data", {"zone-depth": "3-1"}, 400),
        ("dggs/beidou/zones/N50F/data", {"zone-depth": "3"}, 400),
        ("dggs/geosot/zones/G002022002-0/data", {"zone-depth": "1"}, 400),
        (f"{VISITED}/zones/{ZONE}/data", {"properties": "nothing"}, 400),
        (f"{VISITED}/zones/{ZONE}/data", {"datetime": "yesterday"}, 400),
        (f"{VISITED}/zones/{ZONE}/data", {"datetime": "2026-03-02/2026-03-01"}, 400),
        (f"{BASE}/collections/units/dggs/geosot/zones/G", {}, 400),
        (f"{BASE}/collections/mystery/dggs/geosot/zones/G", {}, 409),
        (f"{BASE}/collections/none/dggs/geosot/zones/G", {}, 404),
    ],
)
def test_odd_questions_are_refused_with_a_reason(client, path, params, status):
    answer = get(client, path, **params)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_form_is_chosen_by_the_header(client):
    def kind(accept):
        answer = client.get(f"{BASE}/dggs/geosot/zones", headers={"Accept": accept})
        return answer.status_code, answer.headers["content-type"].split(";")[0]

    assert kind("application/geo+json") == (200, "application/geo+json")
    assert kind("text/html,*/*") == (200, "application/json")
    assert kind("application/x-binary") == (200, "application/x-binary")
    assert kind("image/png")[0] == 406


# --- who is told what ---

HEALTH, POLICE = "11430000006122244L", "11100000000013338W"
STAFF = Asker("person/1", "某人", frozenset({"staff"}), frozenset({POLICE}), frozenset({("staff", POLICE)}))
OWNER = Asker("person/2", "医生", frozenset({"staff"}), frozenset({HEALTH}), frozenset({("staff", HEALTH)}))
PATIENTS = """
[city]
id = "ward"
name = { zh = "病城" }
adcode = "990100"

[[source]]
id = "patients"
file = "patients.csv"
title = { zh = "患者", en = "Patients" }
owner = "卫生局"
sharing = "conditional"
text = ["no"]
keys = ["no"]
place = { lon = "lon", lat = "lat", crs = "WGS84" }
[source.fields]
age = { personal = true }
dose = { level = 2, personal = false }
"""


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    """A desk in a city of patients, some of whom live alone in their cell."""
    from jingwei import access

    folder = tmp_path_factory.mktemp("ward")
    random = np.random.default_rng(7)
    places = np.array([114.0, 22.5]) + np.abs(random.normal(0, 0.02, (300, 2)))
    rows = [f"{n},{20 + n % 60},{n},{lon:.6f},{lat:.6f}" for n, (lon, lat) in enumerate(places)]
    (folder / "city.toml").write_text(PATIENTS, "utf-8")
    (folder / "patients.csv").write_text("\n".join(["no,age,dose,lon,lat", *rows]) + "\n", "utf-8")
    with open_city(folder / "home", create=True) as city:
        with city.records.write() as session:
            access.add_department(session, local_person(), HEALTH, "卫生局")
            access.add_department(session, local_person(), POLICE, "公安局")
        load_pack(city, read_manifest(folder), folder, None, local_person())
        app = create_app(city, entry=OPEN)
        asked_by(app, lambda: desk.who)
        desk = TestClient(app, raise_server_exceptions=False)
        desk.who, desk.places = local_person(), np.round(places, 6)
        yield desk


def counted(desk, level):
    """Return what may be counted at a level, by zone."""
    found = {}
    zones = ok(get(desk, f"{BASE}/collections/patients/dggs/geosot/zones", limit=9999,
                   **{"zone-level": level, "compact-zones": "false"}))["zones"]  # fmt: skip
    for zone in zones:
        found[zone] = ok(get(desk, f"{BASE}/collections/patients/dggs/geosot/zones/{zone}"))["count"]
    return found


def test_who_may_only_count_gets_no_small_count_under_subtraction(ward):
    """Over whole answers: of parent and children never is the rest a few."""
    ward.who = STAFF
    levels = {level: counted(ward, level) for level in (10, 12, 14, 16)}
    assert sum(len(found) for found in levels.values()) > 10
    assert all(n >= 5 for found in levels.values() for n in found.values())
    for upper, lower in pairwise(levels):
        for zone, n in levels[upper].items():
            inside = [
                m
                for one, m in levels[lower].items()
                if one.replace("-", "").startswith(zone.replace("-", ""))
            ]
            rest = n - sum(inside)
            assert rest == 0 or rest >= 5, zone


def test_data_and_info_and_lists_tell_who_may_only_count_the_same(ward):
    ward.who = STAFF
    for level in (12, 14):
        known = counted(ward, level)
        base = f"{BASE}/collections/patients/dggs/geosot/zones/G001130230/data"
        found = ok(get(ward, base, **{"zone-depth": level - 9}))
        assert set(found["values"]) == {"jw_count"}
        ids = [one.geosot for one in grid.parse("G001130230").children(level)]
        told = dict(zip(ids, found["values"]["jw_count"][0]["data"], strict=True))
        assert {zone: int(n) for zone, n in told.items() if n is not None} == known


def test_who_may_only_count_gets_no_figures_and_no_part_of_a_period(ward):
    ward.who = STAFF
    found = ok(get(ward, f"{BASE}/collections/patients/dggs/geosot/zones/G001130230"))
    assert not found.get("statistics")
    assert "temporalInterval" not in found
    path = f"{BASE}/collections/patients/dggs/geosot/zones/G001130230/data"
    assert get(ward, path, datetime="2026-03-01").status_code == 403
    assert get(ward, path, f="geojson", geometry="vectorized").status_code == 403
    assert get(ward, path, properties="dose").status_code in (204, 400, 403)


def test_minutes_are_not_added_up_for_who_may_only_count(ward):
    """Coarse BeiDou zones are sums of cells of a minute, some of which may not be told."""
    ward.who = STAFF
    assert "count" not in ok(get(ward, f"{BASE}/collections/patients/dggs/beidou/zones/N50F"))
    assert get(ward, f"{BASE}/collections/patients/dggs/beidou/zones/N50F/data").status_code == 204
    ward.who = OWNER
    assert ok(get(ward, f"{BASE}/collections/patients/dggs/beidou/zones/N50F"))["count"] == 300


def test_zones_finer_than_permitted_are_not_told_of(ward):
    ward.who = STAFF
    cell = Cell.at(*ward.places[0], 22)
    base = f"{BASE}/collections/patients/dggs/geosot"
    assert "count" not in ok(get(ward, f"{base}/zones/{cell}"))
    for path, params in (
        (f"{base}/zones/{cell}/data", {}),
        (f"{base}/zones", {"zone-level": 22}),
        (f"{base}/zones/{cell.parent(20)}/data", {"zone-depth": 2}),
    ):
        answer = get(ward, path, **params)
        assert (answer.status_code, answer.json()["code"]) == (403, "finer-than-permitted")
        assert answer.json()["where"]["finest"] == 21


def test_masked_fields_have_no_figures_until_a_purpose_is_stated(ward):
    ward.who = OWNER
    path = f"{BASE}/collections/patients/dggs/geosot/zones/G001130230"
    assert set(ok(get(ward, path))["statistics"]) == {"dose"}
    answer = get(ward, f"{path}/data", properties="age")
    assert answer.status_code in (200, 204, 403)
    assert "age" not in (json.loads(answer.content or b"{}").get("values") or {})
    told = ward.get(path, headers={"Jingwei-Purpose": "followup"})
    assert set(ok(told)["statistics"]) == {"dose", "age"}
