"""Addresses asked for by a client, and in the search of the map."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from city.packs import write_pack
from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.web import OPEN, create_app

ADDRESSES = """
[[source]]
id = "addresses"
file = "addresses.csv"
title = { zh = "地址库" }
name = "地址"
place = { lon = "lon", lat = "lat", crs = "WGS84" }
"""


@pytest.fixture
def desk(tmp_path):
    pack = write_pack(tmp_path / "pack", ADDRESSES)
    text = (
        "地址,lon,lat\n海州市东城区解放路12号锦绣花园3栋,114.05,22.55\n海州市东城区解放路14号,114.06,22.56\n"
    )
    (pack / "addresses.csv").write_text(text, "utf-8")
    with open_city(tmp_path / "home", create=True) as city:
        load_pack(city, read_manifest(pack), pack, None, local_person())
        with TestClient(create_app(city, entry=OPEN), raise_server_exceptions=False) as client:
            yield client


def test_addresses_are_found_in_the_order_asked(desk):
    body = {"addresses": ["解放路14号2楼", "锦绣花园3号楼", "别处1号"]}
    found = desk.post("/api/geocode", json=body).json()["found"]
    assert [one["precision"] for one in found] == ["building", "building", "none"]
    assert (found[0]["lon"], found[0]["lat"]) == pytest.approx((114.06, 22.56), abs=1e-6)
    assert found[2]["lon"] is None


def test_an_answer_names_the_version_of_the_table_that_gave_it(desk):
    def asked():
        answer = desk.post("/api/geocode", json={"addresses": ["解放路16号"]}).json()
        return answer["dataset"], answer["version"], answer["found"][0]["sure"]

    assert asked() == ("addresses", 1, False)
    city = desk.app.state.city
    pack = Path(city.about.pack)
    with (pack / "addresses.csv").open("a", encoding="utf-8") as file:
        file.write("海州市东城区解放路16号,114.07,22.57\n")
    load_pack(city, read_manifest(pack), pack, None, local_person())
    assert asked() == ("addresses", 2, True)


def test_the_search_of_the_map_takes_an_address(desk):
    hits = desk.get("/api/search", params={"q": "东城解放路12号锦绣花园三栋"}).json()["hits"]
    assert [(one["kind"], one["title"]) for one in hits] == [("address", "海州市东城区解放路12号锦绣花园3栋")]
    assert hits[0]["centre"] == pytest.approx([114.05, 22.55], abs=1e-6)


def test_a_city_without_addresses_says_so(client):
    answer = client.post("/api/geocode", json={"addresses": ["解放路1号"]})
    assert answer.status_code == 404
    assert answer.json()["mend"]
    assert client.get("/api/search", params={"q": "解放路1号"}).json()["hits"] == []
