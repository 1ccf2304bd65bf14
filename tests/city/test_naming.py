"""Rows of sources whose manifest asks for it bear identifiers that outlive every load."""

import pytest

from jingwei import registry
from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.city.errors import BadManifestError
from jingwei.lake import lineage

MANIFEST = """
[city]
id = "lamps"
name = { zh = "灯城" }
adcode = "990100"

[[source]]
id = "lamps"
file = "lamps.csv"
title = { zh = "路灯" }
text = ["no"]
keys = ["no"]
name = "street"
identify = "street_lamp"
place = { lon = "lon", lat = "lat", crs = "WGS84" }
"""


def write(folder, numbers, **manifest):
    rows = [f"{number},街{number},114.{n:03d},22.5" for n, number in enumerate(numbers)]
    (folder / "lamps.csv").write_text("no,street,lon,lat\n" + "\n".join(rows) + "\n", "utf-8")
    text = MANIFEST
    for old, new in manifest.items():
        text = text.replace(old, new)
    (folder / "city.toml").write_text(text, "utf-8")
    return folder


@pytest.fixture
def city(tmp_path):
    with open_city(tmp_path / "home", create=True) as city:
        yield city


def load(city, pack):
    assert load_pack(city, read_manifest(pack), pack, None, local_person()).complete
    table = city.lake.query(local_person(), "lamps").table
    return dict(zip(table["no"].to_pylist(), table["jw_object"].to_pylist(), strict=True))


def test_an_object_keeps_its_identifier_through_every_load(city, tmp_path):
    first = load(city, write(tmp_path, ["001", "002", "003"]))
    assert len(set(first.values())) == 3
    second = load(city, write(tmp_path, ["004", "003", "001"]))
    assert second["001"] == first["001"]
    assert second["003"] == first["003"]
    assert second["004"] not in first.values()
    with city.records.read() as session:
        lamp = registry.get(session, first["002"])  # gone from the file, found for ever
    assert (lamp.kind, lamp.title, lamp.owner, lamp.level) == ("street_lamp", "街002", "dataset/lamps", 32)
    assert registry.dataset_of(lamp) == "lamps"


def test_a_version_leads_to_the_identifiers_that_its_load_issued(city, tmp_path):
    for numbers in (["001", "002", "003"], ["004", "003", "001"], ["003", "004"]):
        load(city, write(tmp_path, numbers))
    issued = {}
    for number in (1, 2, 3):
        found = lineage.uses(city.lake, local_person(), "lamps", number)
        issued[number] = [(one.subject, one.times) for one in found if one.kind == "identified"]
    assert issued == {1: [("registry/dataset/lamps", 3)], 2: [("registry/dataset/lamps", 1)], 3: []}


def test_rows_of_one_key_are_one_object_and_a_row_without_key_is_none(city, tmp_path):
    found = load(city, write(tmp_path, ["001", "001", ""]))
    assert found[None] is None
    assert found["001"]


def test_a_source_that_asks_for_identifiers_says_by_which_keys(tmp_path):
    with pytest.raises(BadManifestError, match="identify needs keys"):
        read_manifest(write(tmp_path, ["1"], **{'keys = ["no"]': ""}))
