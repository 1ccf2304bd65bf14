"""A manifest is read whole, and every fault of it is named with its place and near misses."""

import pytest

from jingwei.city.errors import BadManifestError, NoPackError
from jingwei.city.manifest import in_order, read_manifest

from .packs import CITY, STOPS


def read(tmp_path, text):
    (tmp_path / "city.toml").write_text(text, "utf-8")
    return read_manifest(tmp_path)


def faults(tmp_path, text):
    with pytest.raises(BadManifestError) as caught:
        read(tmp_path, text)
    return [fault.en for fault in caught.value.faults]


def test_a_whole_manifest_is_read(tmp_path):
    manifest = read(tmp_path, CITY + STOPS)
    assert manifest.city.name.text.en == "Square City"
    assert [source.id for source in manifest.source] == ["districts", "stops"]


def test_a_missing_manifest_is_said_to_be_missing(tmp_path):
    with pytest.raises(NoPackError):
        read_manifest(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('encodng = "GB18030"', "source stops, encodng: unknown key; did you mean encoding?"),
        ('place = { lon = "x", latt = "y" }', "latt: unknown key; did you mean lat?"),
        ('place = { lon = "x" }', "lon and lat belong together"),
        ('place = { lon = "x", lat = "y", by = "districts" }', "one of"),
        ('place = { by = "district", columns = ["a"] }', "did you mean districts?"),
        ('place = { by = "districts" }', "needs the columns"),
        ('sharing = "all"', "source stops, sharing"),
        ('time = { column = "t", zone = "Asia/Shangai" }', "did you mean Asia/Shanghai"),
    ],
)
def test_a_fault_is_named_with_its_place_and_near_misses(tmp_path, line, hint):
    bare = '[[source]]\nid = "stops"\nfile = "stops.csv"\ntitle = { zh = "站点" }\n'
    found = faults(tmp_path, CITY + bare + line + "\n")
    assert any(hint in fault for fault in found), found


def test_all_faults_are_told_at_once(tmp_path):
    found = faults(tmp_path, CITY.replace("adcode", "adkode") + '[[source]]\nid = "stops"\n')
    assert len(found) >= 3
    assert any("adkode" in fault and "adcode" in fault for fault in found)
    assert any("source stops, file: this is missing" in fault for fault in found)


def test_text_that_is_not_toml_is_said_to_be_so(tmp_path):
    assert any("not TOML" in fault for fault in faults(tmp_path, "[city\n"))


def test_two_sources_of_one_name_are_refused(tmp_path):
    assert any("two sources are named stops" in fault for fault in faults(tmp_path, CITY + STOPS + STOPS))


def test_a_source_comes_after_those_it_refers_to(tmp_path):
    first = STOPS.replace('"stops"', '"zones"', 1).replace(
        'place = { lon = "lon", lat = "lat", crs = "WGS84" }', 'place = { by = "stops", columns = ["code"] }'
    )
    ordered = [source.id for source in in_order(read(tmp_path, CITY + first + STOPS))]
    assert ordered.index("stops") < ordered.index("zones")


def test_sources_that_refer_to_each_other_are_refused(tmp_path):
    def by(name, target):
        return (
            f'[[source]]\nid = "{name}"\nfile = "x.csv"\ntitle = {{ zh = "x" }}\n'
            f'place = {{ by = "{target}", columns = ["a"] }}\n'
        )

    manifest = read(tmp_path, CITY + by("one", "two") + by("two", "one"))
    with pytest.raises(BadManifestError) as caught:
        in_order(manifest)
    assert "circle" in caught.value.faults[0].en
