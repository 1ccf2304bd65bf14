"""A manifest is read whole, and every fault of it is named with its place and near misses."""

import pytest

from jingwei.city.errors import BadManifestError, NoPackError
from jingwei.city.manifest import ground_of, in_order, read_manifest

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


SERVICE = """
[[map_service]]
id = "bureau"
title = { zh = "规划局底图", en = "Bureau" }
url = "https://maps.example.gov.cn/wmts"
crs = "CGCS2000"
attribution = { zh = "规划局" }
layers = ["base"]
matrix_set = "EPSG:3857"
"""


def services(tmp_path, text):
    return [one.service() for one in read(tmp_path, CITY + STOPS + text).map_service]


def test_a_map_service_is_asked_by_key_and_value(tmp_path):
    (service,) = services(tmp_path, SERVICE + 'matrix_prefix = "EPSG:3857:"\n')
    (address,) = service.layers[0]
    assert address.startswith("https://maps.example.gov.cn/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0")
    assert "&LAYER=base&STYLE=default&TILEMATRIXSET=EPSG%3A3857&FORMAT=image%2Fpng" in address
    assert address.endswith("&TILEMATRIX=EPSG:3857:{z}&TILEROW={y}&TILECOL={x}")
    assert service.hosts == ("https://maps.example.gov.cn",)


def test_a_template_is_filled_for_each_layer_and_subdomain(tmp_path, monkeypatch):
    monkeypatch.setenv("MAP_KEY", "a&b")
    text = SERVICE.replace(
        "https://maps.example.gov.cn/wmts",
        "https://{s}.example.cn:8443/{layer}_w/{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}.png?tk={key}",
    ).replace('["base"]', '["vec", "cva"]')
    (service,) = services(tmp_path, text + 'subdomains = ["t0", "t1"]\nkey_env = "MAP_KEY"\n')
    assert [len(layer) for layer in service.layers] == [2, 2]
    assert service.layers[1][1] == "https://t1.example.cn:8443/cva_w/EPSG%3A3857/{z}/{y}/{x}.png?tk=a%26b"
    assert service.hosts == ("https://t0.example.cn:8443", "https://t1.example.cn:8443")


def test_a_service_without_its_key_says_so_and_asks_no_host(tmp_path, monkeypatch):
    monkeypatch.delenv("MAP_KEY", raising=False)
    text = SERVICE.replace("/wmts", "/wmts?tk={key}") + 'key_env = "MAP_KEY"\n'
    (service,) = services(tmp_path, text)
    assert service.problem
    assert "MAP_KEY" in service.problem.en
    assert (service.layers, service.hosts) == ((), ())


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('"CGCS2000"', '"GCJ-02"', "hundreds of metres beside the facts"),
        ('"CGCS2000"', '"BD-09"', "hundreds of metres beside the facts"),
        ('"CGCS2000"', '"EPSG:2326"', "is none of WGS84, CGCS2000"),
        ('crs = "CGCS2000"\n', "", "map_service bureau, crs: this is missing"),
        ("maps.example.gov.cn", "webrd01.is.autonavi.com", "autonavi.com are shifted"),
        ("maps.example.gov.cn", "online1.map.bdimg.com", "bdimg.com are shifted"),
        ("https://", "ftp://", "no http or https address"),
        ("maps.example.gov.cn", "a;script-src *", "no http or https address"),
        ("maps.example.gov.cn", "me:secret@maps.example.gov.cn", "must not hold a password"),
        ("EPSG:3857", "EPSG:4490", "cut in degrees"),
        ("gov.cn/wmts", "gov.cn/vec_c/wmts", "cut in degrees"),
        ("gov.cn/wmts", "gov.cn/wmts?tk={key}", "key_env belong together"),
        ("gov.cn/wmts", "gov.cn/{s}/wmts", "subdomains belong together"),
        ("gov.cn/wmts", "gov.cn/{TileMatrix}/{TileRow}.png", "{TileCol}"),
        ("gov.cn/wmts", "gov.cn/{zoom}/wmts", "{zoom}, which nothing fills"),
        ('layers = ["base"]\n', "", "give layers, matrix_set"),
        ("attribution", "atribution", "did you mean attribution"),
        ('{ zh = "规划局" }', '{ cn = "规划局" }', "cn: unknown key"),
    ],
)
def test_a_map_service_that_would_be_drawn_wrong_is_refused(tmp_path, old, new, hint):
    assert old in SERVICE
    found = faults(tmp_path, CITY + STOPS + SERVICE.replace(old, new, 1))
    assert any(hint in fault for fault in found), found


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('place = { none = true }\nground = "road"', "only lines and areas"),
        ("label = true", "label needs ground"),
        ('ground = "rivers"', "ground"),
    ],
)
def test_only_shapes_with_names_are_drawn_and_labelled_on_the_ground(tmp_path, line, hint):
    bare = '[[source]]\nid = "stops"\nfile = "stops.csv"\ntitle = { zh = "站点" }\n'
    found = faults(tmp_path, CITY + bare + line + "\n")
    assert any(hint in fault for fault in found), found


def test_unsaid_names_are_written_but_for_buildings_and_lines(tmp_path):
    kinds = ["border", "water", "building", "line"]
    sources = "".join(
        f'[[source]]\nid = "{kind}s"\nfile = "x"\ntitle = {{ zh = "x" }}\nname = "n"\nground = "{kind}"\n'
        for kind in kinds
    )
    ground = ground_of(read(tmp_path, CITY + sources))
    assert [one["label"] for one in ground] == [True, True, False, False]
