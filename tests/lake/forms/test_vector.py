"""Shapefiles of any encoding, GeoPackages and KML, with their layers and coordinate systems."""

import zipfile

import pyarrow as pa
import pyogrio
import pytest
import shapely

from jingwei.errors import JingweiError
from jingwei.lake.forms import digest, layers, open_form

SQUARE = shapely.box(114.0, 22.5, 114.1, 22.6)
BOW = shapely.Polygon([(114, 22), (115, 23), (115, 22), (114, 23)])


def write(path, names, shapes=None, *, driver=None, crs="EPSG:4490", kind="Polygon", **options):
    shapes = shapes or [SQUARE] * len(names)
    table = pa.table(
        {
            "名": pa.array(names, pa.string()),
            "n": list(range(len(names))),
            "g": pa.array(shapely.to_wkb(shapes), pa.binary()),
        }
    )
    pyogrio.write_arrow(table, path, driver=driver, geometry_name="g", geometry_type=kind, crs=crs, **options)
    return path


def read(path, **given):
    with open_form(path, **given) as reading:
        batches = list(reading.batches(size=2))
        return reading, pa.Table.from_batches([b.table for b in batches], schema=reading.schema), batches


def code(path, **given):
    with pytest.raises(JingweiError) as caught, open_form(path, **given):
        pass
    return caught.value.code


NAMES = ["罗湖区翠竹街道", "福田区莲花街道", "南山区粤海街道"]


@pytest.mark.parametrize("encoding", ["GB18030", "UTF-8", "BIG5"])
@pytest.mark.parametrize("with_cpg", [True, False])
def test_shapefiles_of_any_encoding(tmp_path, encoding, with_cpg):
    names = ["羅湖區翠竹街道", "中山公園車站", "南山區"] if encoding == "BIG5" else NAMES
    path = write(tmp_path / "a.shp", names, encoding=encoding)
    if not with_cpg:
        path.with_suffix(".cpg").unlink(missing_ok=True)
        dbf = bytearray(path.with_suffix(".dbf").read_bytes())
        dbf[29] = 0  # the language driver of the table says nothing either
        path.with_suffix(".dbf").write_bytes(dbf)
    reading, table, _ = read(path)
    assert table.column(0).to_pylist() == names
    assert reading.declared_crs == "EPSG:4490"
    assert reading.total == 3


def test_a_code_page_that_cannot_be_right_is_not_believed(tmp_path):
    path = write(tmp_path / "a.shp", NAMES, encoding="GB18030")
    path.with_suffix(".cpg").write_text("UTF-8")
    reading, table, _ = read(path)
    assert table.column(0).to_pylist() == NAMES
    assert any(e.about == "encoding" and "UTF-8" in e.reason.en for e in reading.evidence)
    assert code(path, encoding="utf-8") == "form-wrong-encoding"


def test_a_zipped_shapefile(tmp_path):
    path = write(tmp_path / "区划.shp", NAMES, encoding="GB18030")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(tmp_path.glob("区划.*")):
            archive.write(part, f"数据/{part.name}")
    assert layers(tmp_path / "a.zip") == ["区划"]
    _, table, batches = read(tmp_path / "a.zip")
    assert table.column(0).to_pylist() == NAMES
    assert [int(row) for batch in batches for row in batch.rows] == [1, 2, 3]
    assert code(path.with_suffix(".dbf")) == "form-unknown"


def test_a_missing_part_is_named(tmp_path):
    path = write(tmp_path / "a.shp", NAMES, encoding="UTF-8")
    path.with_suffix(".dbf").unlink()
    assert code(path) == "form-missing-part"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, path.name)
    assert code(tmp_path / "a.zip") == "form-missing-part"
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    assert code(tmp_path / "b.zip") == "form-unknown"


def test_without_prj_no_system_is_declared(tmp_path):
    path = write(tmp_path / "a.shp", NAMES, encoding="UTF-8")
    path.with_suffix(".prj").unlink()
    assert read(path)[0].declared_crs is None


def test_all_parts_of_a_shapefile_are_digested(tmp_path):
    path = write(tmp_path / "a.shp", NAMES, encoding="UTF-8")
    before = digest(path)
    path.with_suffix(".prj").unlink()
    assert digest(path) != before


def test_layers_of_a_geopackage(tmp_path):
    path = write(tmp_path / "a.gpkg", NAMES, layer="区", driver="GPKG", crs="EPSG:4547")
    write(path, ["x"], [shapely.Point(1, 2)], layer="点", driver="GPKG", kind="Point", append=True)
    assert layers(path) == ["区", "点"]
    reading, table, _ = read(path, layer="区")
    assert reading.declared_crs == "EPSG:4547"
    assert table["名"].to_pylist() == NAMES
    assert code(path) == "form-layer-needed"
    assert code(path, layer="面") == "form-unknown-layer"


def test_broken_geometries_are_faults(tmp_path):
    path = write(tmp_path / "a.gpkg", ["good", "crossing", "none"], [SQUARE, BOW, None], driver="GPKG")
    _, table, batches = read(path)
    assert table["名"].to_pylist() == ["good", "none"]
    assert [(f.row, f.rule) for batch in batches for f in batch.faults] == [(2, "self-intersection")]


def test_kml(tmp_path):
    placemark = (
        "<Placemark><name>站</name><Point><coordinates>114.05,22.54,0</coordinates></Point></Placemark>"
    )
    kml = f'<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{placemark}</Document></kml>'
    (tmp_path / "a.kml").write_text(kml, encoding="utf-8")
    reading, table, _ = read(tmp_path / "a.kml")
    assert table.num_rows == 1
    assert shapely.from_wkb(table[reading.geometry][0].as_py()).x == 114.05
    assert reading.declared_crs in ("EPSG:4326", "OGC:CRS84")


@pytest.mark.parametrize("name", ["a.gpkg", "a.kml", "a.fgb"])
def test_damaged_files_are_corrupt(tmp_path, name):
    (tmp_path / name).write_bytes(b"not what the name says")
    assert code(tmp_path / name) == "form-corrupt"


def test_texts_cut_within_a_character_are_faults(tmp_path):
    path = write(tmp_path / "a.shp", [*NAMES, "大鹏新区"], encoding="GB18030")
    dbf = bytearray(path.with_suffix(".dbf").read_bytes())
    at = dbf.find("福田区莲花街道".encode("gb18030"))
    dbf[at + 13] = ord(" ")
    path.with_suffix(".dbf").write_bytes(dbf)
    _, table, batches = read(path)
    assert table["名"].to_pylist() == [NAMES[0], NAMES[2], "大鹏新区"]
    assert [(f.row, f.rule) for batch in batches for f in batch.faults] == [(2, "undecodable")]


def test_names_that_were_cut_within_a_character_are_read_without_it(tmp_path):
    table = pa.table({"设施名称很长": ["甲"], "g": pa.array(shapely.to_wkb([SQUARE]), pa.binary())})
    with pytest.warns(RuntimeWarning):
        pyogrio.write_arrow(
            table,
            tmp_path / "a.shp",
            geometry_name="g",
            geometry_type="Polygon",
            crs="EPSG:4490",
            encoding="UTF-8",
        )
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for part in tmp_path.glob("a.*"):
            if part.suffix != ".zip":
                archive.write(part, part.name)
    for name in ("a.shp", "a.zip"):
        reading, found, _ = read(tmp_path / name)
        assert (found.column_names[0], found["设施名"].to_pylist()) == ("设施名", ["甲"])
        assert "cut" in [one.verdict for one in reading.evidence]


def test_data_of_a_kml_keep_their_chinese_names_and_what_it_does_not_say_is_no_column(tmp_path):
    data = '<Data name="编号"><value>1</value></Data><Data name="名称"><value>甲</value></Data>'
    point = "<Point><coordinates>114,22.5</coordinates></Point>"
    placemark = f"<Placemark><name>p</name><ExtendedData>{data}</ExtendedData>{point}</Placemark>"
    kml = f'<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{placemark}</Document></kml>'
    (tmp_path / "点.kml").write_text(kml, encoding="utf-8")
    reading, table, _ = read(tmp_path / "点.kml")
    assert table.column_names == ["Name", "编号", "名称", reading.geometry]
    assert (table["编号"].to_pylist(), table["名称"].to_pylist()) == (["1"], ["甲"])


def test_a_kmz_is_read_as_the_kml_in_it(tmp_path):
    data = '<ExtendedData><Data name="编号"><value>1</value></Data></ExtendedData>'
    placemark = (
        f"<Placemark><name>站</name>{data}<Point><coordinates>114.05,22.54</coordinates></Point></Placemark>"
    )
    kml = f'<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>层</name>{placemark}</Document></kml>'
    with zipfile.ZipFile(tmp_path / "点.kmz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("files/other.kml", "<kml/>")
        archive.writestr("doc.kml", kml)
    (tmp_path / "点.kml").write_text(kml, encoding="utf-8")
    zipped, found, _ = read(tmp_path / "点.kmz")
    _, plain, _ = read(tmp_path / "点.kml")
    assert found.to_pydict() == plain.to_pydict()
    assert found["编号"].to_pylist() == ["1"]
    assert layers(tmp_path / "点.kmz") == layers(tmp_path / "点.kml") == ["层"]
    assert zipped.declared_crs in ("EPSG:4326", "OGC:CRS84")


@pytest.mark.parametrize(
    ("name", "text", "refused"),
    [
        ("doc.kml", b"\0" * (80 * 2**20), "form-zip-bomb"),
        ("a.txt", b"", "form-unknown"),
        ("doc.kml", b"no", "form-corrupt"),
    ],
)
def test_a_kmz_has_the_bounds_of_a_zip(tmp_path, name, text, refused):
    with zipfile.ZipFile(tmp_path / "a.kmz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    assert code(tmp_path / "a.kmz") == refused
    (tmp_path / "b.kmz").write_bytes(b"PK no archive")
    assert code(tmp_path / "b.kmz") == "form-corrupt"
