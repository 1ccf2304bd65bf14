# ruff: noqa: E501 -- files in one line
"""A single file: received, understood with evidence, corrected, loaded, and known again the next month."""

import json
import re
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from jingwei.access import local_person
from jingwei.city import Stop, intake
from jingwei.city.survey import LayoutChangedError
from jingwei.errors import JingweiError
from jingwei.lake.errors import StoppedError

ME = local_person()
ROWS = [(f"S{n:03}", f"第{n}站", 114.01 + n / 1000, 22.51 + n / 2000) for n in range(60)]


@pytest.fixture
def city(opened, pack):
    opened.load(pack)
    return opened.city


def text_of(rows=ROWS, head="编号,名称,经度,纬度"):
    return "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n"


def hand_in(city, name, content):
    return intake.receive(city, ME, name, [content[:10], content[10:]])


def loaded(city, name, content, changes=None, **more):
    file = hand_in(city, name, content)
    return intake.load_file(city, ME, file.id, {"crs": "WGS84"} if changes is None else changes, **more)


def csv_file(_):
    return "车站2026年09月.csv", text_of().encode("gb18030")


def workbook(folder):
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active["A1"] = "填报说明：请勿修改"
    sheet = book.create_sheet("数据")
    sheet.append(["车站一览表"])
    sheet.merge_cells("A1:D1")
    sheet.append(["编号", "名称", "经度", "纬度"])
    for row in ROWS:
        sheet.append(list(row))
    book.save(folder / "stations.xlsx")
    return "stations.xlsx", (folder / "stations.xlsx").read_bytes()


def features(folder, name, driver):
    points = shapely.to_wkb(shapely.points([[row[2], row[3]] for row in ROWS]))
    table = {"code": pa.array([r[0] for r in ROWS]), "label": pa.array([r[1] for r in ROWS])}
    path = folder / name
    pyogrio.raw.write(path, points, [v.to_numpy(zero_copy_only=False) for v in table.values()], list(table),
                      geometry_type="Point", crs="EPSG:4326", driver=driver)  # fmt: skip
    return path


def shapefile_zip(folder):
    path = features(folder, "stations.shp", "ESRI Shapefile")
    with zipfile.ZipFile(folder / "stations.zip", "w") as archive:
        for part in folder.glob("stations.*"):
            if part.suffix != ".zip":
                archive.write(part, part.name)
    del path
    return "stations.zip", (folder / "stations.zip").read_bytes()


def geopackage(folder):
    return "stations.gpkg", features(folder, "stations.gpkg", "GPKG").read_bytes()


def kml(folder):
    return "stations.kml", features(folder, "stations.kml", "KML").read_bytes()


def geojson(folder):
    return "stations.geojson", features(folder, "stations.geojson", "GeoJSON").read_bytes()


def json_lines(_):
    names = ("编号", "名称", "经度", "纬度")
    lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in ROWS]
    return "stations.jsonl", "\n".join(lines).encode()


def parquet(folder):
    names = ("编号", "名称", "经度", "纬度")
    table = pa.table({name: [row[at] for row in ROWS] for at, name in enumerate(names)})
    pq.write_table(table, folder / "stations.parquet")
    return "stations.parquet", (folder / "stations.parquet").read_bytes()


FORMS = [csv_file, workbook, shapefile_zip, geopackage, kml, geojson, json_lines, parquet]


@pytest.mark.parametrize("form", FORMS, ids=[one.__name__ for one in FORMS])
def test_a_file_of_every_form_is_understood_and_loaded(city, tmp_path, form):
    name, content = form(tmp_path)
    file = hand_in(city, name, content)
    changes = {"id": "stations", "crs": "WGS84"}
    if form is workbook:
        changes |= {"layer": "数据"}
    seen = intake.examine(city, file.id, changes)
    assert seen.preview.problem is None, seen.preview.problem
    assert (seen.preview.looked_at, seen.preview.placed) == (60, 60)
    assert all(114 < lon < 114.2 and 22.5 < lat < 22.7 for lon, lat in seen.preview.points)
    assert seen.preview.report is not None
    report = intake.load_file(city, ME, file.id, changes)
    assert (report.stage, report.counts.published, report.counts.addressed) == ("published", 60, 60)
    assert intake.received_file(city, file.id).state == "loaded"


HARD = "站名,经度,纬度,启用日期,投资\n" + "".join(
    f"Ａ{n:02}站,东经114°0{n % 6}′{n % 60:02}.5″,北纬22°3{n % 6}′{n % 60:02}.5″,2018年{n % 12 + 1}月8日,{n / 10}万\n"
    for n in range(1, 61)
)


def test_degrees_chinese_dates_and_numbers_are_read(city):
    report = loaded(city, "hard.csv", HARD.encode(), {"id": "hard", "crs": "WGS84"})
    assert (report.stage, report.counts.addressed, report.rules) == ("published", 60, {})
    version = city.lake.dataset(ME, "hard").version
    assert version.content.time
    assert version.content.period[0] == 1_515_340_800_000_000  # 2018-01-08 00:00 in Shanghai


WRITTEN = {
    "wkt": "POINT ({x} {y})",
    "pair": '"{x:.6f},{y:.6f}"',
    "pair, latitude first": "{y:.6f} {x:.6f}",
    "geojson": '"{{""type"":""Point"",""coordinates"":[{x},{y}]}}"',
}


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_a_place_written_as_text_in_one_column_is_read_as_an_export_writes_it(city, written):
    rows = "".join(f"{code},{written.format(x=x, y=y)}\n" for code, _, x, y in ROWS)
    report = loaded(city, "s.csv", f"编号,坐标\n{rows}".encode(), {"id": "stations", "crs": "WGS84"})
    assert (report.stage, report.counts.addressed, report.rules) == ("published", 60, {})
    west, south, east, north = city.lake.dataset(ME, "stations").version.content.bounds
    assert (west, south, east, north) == pytest.approx((114.01, 22.51, 114.069, 22.5395), abs=1e-6)


def test_a_column_that_holds_no_geometries_is_not_taken_for_one(city):
    file = hand_in(city, "s.csv", text_of().encode())
    seen = intake.examine(city, file.id, {"place": {"geometry": "名称", "crs": "WGS84"}})
    assert "不是几何" in seen.preview.problem["what"]["zh"]


@pytest.mark.parametrize(
    "content", [text_of([(a, b, x, "") for a, b, x, _ in ROWS]), "编号,名称,经度,纬度\n"]
)
def test_a_file_of_which_nothing_is_left_takes_the_place_of_no_version(city, content):
    changes = {"id": "stations", "place": {"lon": "经度", "lat": "纬度", "crs": "WGS84"}}
    loaded(city, "s.csv", text_of().encode(), changes)
    report = loaded(city, "s.csv", content.encode(), changes)
    assert (report.stage, report.problem["code"]) == ("held", "nothing-left")
    version = city.lake.dataset(ME, "stations").version
    assert (version.number, version.content.counts.published) == (1, 60)


def test_the_last_row_is_looked_at_though_no_line_ends_it(city):
    file = hand_in(city, "s.csv", text_of().rstrip("\n").encode())
    assert intake.examine(city, file.id, {"crs": "WGS84"}).preview.looked_at == 60


def test_next_months_file_is_known_by_its_name_and_loads_as_the_last(city):
    first = loaded(
        city, "车站2026年09月.csv", text_of().encode(), {"id": "stations", "crs": "WGS84", "keys": ["编号"]}
    )
    assert first.stage == "published"
    file = hand_in(city, "车站2026年10月.csv", text_of(ROWS[:50]).encode("gb18030"))
    known = intake.recognise(city, file)
    assert (known.source, known.match) == ("stations", "same")
    report = intake.load_file(city, ME, file.id)
    assert (report.id, report.stage, report.counts.published) == ("stations", "published", 50)
    version = city.lake.dataset(ME, "stations").version
    assert (version.number, version.content.keys) == (2, ["编号"])
    assert version.content.sources[0].path == "车站2026年10月.csv"


def test_the_same_content_again_changes_nothing_whatever_it_is_called(city):
    changes = {"id": "stations", "crs": "WGS84"}
    loaded(city, "a.csv", text_of().encode(), changes)
    assert loaded(city, "a.csv", text_of().encode(), changes).stage == "unchanged"
    assert loaded(city, "b.csv", text_of().encode(), changes).stage == "unchanged"
    assert city.lake.dataset(ME, "stations").version.number == 1


def test_a_changed_layout_is_noticed_and_only_taken_if_meant(city):
    loaded(city, "车站9.csv", text_of().encode(), {"id": "stations", "crs": "WGS84"})
    file = hand_in(city, "车站10.csv", text_of(head="编号,站名,经度,纬度").encode())
    known = intake.recognise(city, file)
    assert (known.match, known.missing, known.new) == ("changed", ["名称"], ["站名"])
    with pytest.raises(LayoutChangedError):
        intake.load_file(city, ME, file.id)
    assert city.lake.dataset(ME, "stations").version.number == 1
    assert intake.load_file(city, ME, file.id, new_layout=True).stage == "published"


def test_a_source_of_the_pack_takes_a_file_in_the_same_way(city, opened, pack):
    file = hand_in(city, "stops.csv", "code,name,lon,lat\n009,丙站,114.1,22.6\n".encode())
    assert intake.recognise(city, file).source == "stops"
    assert intake.load_file(city, ME, file.id).stage == "published"
    assert [row["name"] for row in opened.rows("stops")] == ["丙站"]
    assert opened.load(pack)["stops"].stage == "unchanged"  # the file that came later stays in force


def test_what_came_as_a_file_stays_when_the_pack_is_loaded_again(city, opened, pack):
    loaded(city, "s.csv", text_of().encode(), {"id": "stations", "crs": "WGS84"})
    assert opened.load(pack)["stations"].stage == "unchanged"
    assert opened.dataset("stations").state == "published"


def test_what_cannot_be_loaded_is_not_remembered(city):
    report = loaded(
        city, "s.csv", text_of().encode(), {"id": "stations", "crs": "WGS84", "time": {"column": "名称"}}
    )
    assert report.stage == "failed"
    again = hand_in(city, "s.csv", text_of(ROWS[:10]).encode())
    assert intake.recognise(city, again).match == "none"


def test_a_file_whose_system_is_in_doubt_shows_what_must_be_said(city):
    file = hand_in(city, "s.csv", text_of().encode())
    seen = intake.examine(city, file.id, {"id": "stations"})
    assert seen.preview.problem["code"] == "held"
    assert intake.examine(city, file.id, {"id": "stations", "crs": "WGS84"}).preview.problem is None


def test_a_stopped_load_leaves_nothing_and_can_be_begun_again(city):
    file = hand_in(city, "s.csv", text_of().encode())
    changes = {"id": "stations", "crs": "WGS84"}
    stop = Stop()
    stop.ask()
    with pytest.raises(StoppedError):
        intake.load_file(city, ME, file.id, changes, stop=stop)
    assert intake.load_file(city, ME, file.id, changes).stage == "published"


def test_the_sheet_that_holds_a_table_is_looked_at_first(city, tmp_path):
    name, content = workbook(tmp_path)
    seen = intake.examine(city, hand_in(city, name, content).id, {"crs": "WGS84"})
    assert (seen.spec.layer, seen.preview.placed) == ("数据", 60)


def test_a_file_of_another_city_is_told_so_in_words_of_the_page_and_its_points_are_shown(city):
    far = [(f"S{n:03}", f"第{n}站", 121.4 + n / 1000, 31.2 + n / 2000) for n in range(60)]
    file = hand_in(city, "poi.csv", text_of(far).encode())
    for changes in ({}, {"crs": "GCJ-02"}):
        seen = intake.examine(city, file.id, changes).preview
        assert "不在本市：经度 121.4" in seen.problem["what"]["zh"]
        assert "清单" not in str(seen.problem["mend"])
        assert len(seen.points) == 60
        assert all(121 < lon < 122 for lon, _ in seen.points)


def test_what_is_held_back_is_told_in_words_of_the_page_and_shown_as_the_file_has_it(city):
    seen = intake.examine(city, hand_in(city, "s.csv", text_of().encode()).id).preview
    assert "如何读取" in seen.problem["mend"]["zh"]
    assert "manifest" not in str(seen.problem["mend"])
    assert len(seen.points) == 60


def test_json_that_is_no_table_is_told_with_the_forms_that_are_taken_and_not_where_it_lies(city):
    file = hand_in(city, "rules.json", b'{"rules": [{"a": 1}]}')
    with pytest.raises(JingweiError) as caught:
        intake.examine(city, file.id)
    told = f"{caught.value.what} {caught.value.mend} {caught.value.where}"
    assert str(city.home) not in told
    assert "rules.json" in caught.value.what.zh
    assert "FeatureCollection" in caught.value.what.zh
    assert "required field" not in told


def test_chinese_names_give_identifiers_that_differ_and_the_title_is_the_files_name(city):
    seen = [
        intake.examine(city, hand_in(city, f"{one}.csv", text_of().encode()).id).spec
        for one in ("公交站点", "停车场")
    ]
    assert seen[0].id != seen[1].id
    assert all(re.fullmatch(r"file_[0-9a-f]{6}", one.id) for one in seen)
    assert [one.title.text.zh for one in seen] == ["公交站点", "停车场"]


def test_milliseconds_since_1970_are_the_time_whatever_they_are_called(city):
    rows = [(n, 1_760_000_000_000 + n * 60_000, n / 10) for n in range(60)]
    for name, head in (("a.csv", "no,time_ms,result"), ("b.csv", "no,stamp,result")):
        source = name[0] + "_readings"
        assert (
            loaded(city, name, text_of(rows, head).encode(), {"id": source, "place": {"none": True}}).stage
            == "published"
        )
        content = city.lake.dataset(ME, source).version.content
        assert content.time
        assert content.period[0] == 1_760_000_000_000_000


BAD = [("a.exe", b"x"), ("a.csv", b""), ("noform", b"x")]


@pytest.mark.parametrize(("name", "content"), BAD)
def test_what_is_no_file_of_data_is_refused(city, name, content):
    with pytest.raises(intake.FileRefusedError):
        hand_in(city, name, content)
    assert intake.received_files(city) == []
    assert not list((city.home / "intake").glob(".incoming*"))


@pytest.mark.parametrize(("name", "kept"), [
    ("../../etc/a.csv", "a.csv"), ("C:\\data\\a.csv", "a.csv"), ("a\x00b\n.csv", "ab.csv"), ("a*?[1].csv", "a1.csv"),
])  # fmt: skip
def test_a_name_leads_nowhere_else(name, kept):
    assert intake.clean_name(name) == kept


def test_changes_cannot_name_another_file(city, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text(text_of(), "utf-8")
    file = hand_in(city, "s.csv", text_of(ROWS[:5]).encode())
    seen = intake.examine(city, file.id, {"file": str(secret), "crs": "WGS84"})
    assert seen.preview.looked_at == 5


def test_a_broken_container_is_told_and_no_more(city):
    file = hand_in(city, "x.gpkg", b"SQLite format 3\0" + bytes(100))
    with pytest.raises(JingweiError):
        intake.examine(city, file.id)
