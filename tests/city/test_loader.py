"""Loading is repeatable and all-or-nothing for each source; what is bad is kept apart with its reason."""

import json
from contextlib import ExitStack

import pytest

from jingwei import grid, ledger
from jingwei.city import Stop, load_pack, read_manifest
from jingwei.city.errors import OtherCityError
from jingwei.lake.errors import BusyError, StoppedError

from .packs import STOPS, feature, polygon, write_features, write_pack, write_stops


def test_every_fact_gets_its_address(opened, pack):
    report = opened.load(pack)
    assert {source.stage for source in report.values()} == {"published"}
    rows = opened.rows("stops")
    assert [row["code"] for row in sorted(rows, key=lambda row: row["jw_row"])] == ["001", "002"]
    for row in rows:
        assert row["jw_cell"] == grid.to_stored(grid.encode(row["lon"], row["lat"], 32))
        assert row["jw_level"] == 32
    assert {row["jw_row"] for row in rows} == {2, 3}


def test_the_same_files_twice_change_nothing(opened, pack):
    opened.load(pack)
    before = {name: opened.dataset(name).version for name in ("districts", "stops")}
    report = opened.load(pack)
    assert {source.stage for source in report.values()} == {"unchanged"}
    assert {name: opened.dataset(name).version for name in before} == before


def test_a_touched_but_equal_file_changes_nothing(opened, pack):
    opened.load(pack)
    text = (pack / "stops.csv").read_bytes()
    (pack / "stops.csv").write_bytes(text)
    assert opened.load(pack)["stops"].stage == "unchanged"


def test_a_changed_file_becomes_a_new_version_and_the_old_one_stays(opened, pack):
    opened.load(pack)
    write_stops(pack, [("003", "丙站", 114.1, 22.6)])
    report = opened.load(pack)
    assert (report["districts"].stage, report["stops"].stage) == ("unchanged", "published")
    assert [row["code"] for row in opened.rows("stops")] == ["003"]
    assert sorted(row["code"] for row in opened.rows("stops", version=1)) == ["001", "002"]


def test_a_source_that_refers_to_a_changed_one_is_loaded_again(opened, tmp_path):
    visits = (
        '[[source]]\nid = "visits"\nfile = "visits.csv"\ntitle = { zh = "到访" }\n'
        'place = { by = "stops", columns = ["stop"], key = ["code"] }\ntext = ["stop"]\n'
    )
    pack = write_pack(tmp_path / "pack", STOPS, visits)
    write_stops(pack)
    (pack / "visits.csv").write_text("stop,n\n001,5\n009,6\n,7\n", "utf-8")
    first = opened.load(pack)["visits"]
    assert (first.counts.published, first.counts.addressed) == (3, 1)
    assert [finding.rule for finding in first.findings] == ["unresolved-reference"]
    write_stops(pack, [("001", "甲站", 114.06, 22.55), ("009", "新站", 114.07, 22.56)])
    assert opened.load(pack)["visits"].counts.addressed == 2


def test_bad_rows_are_quarantined_with_file_row_rule_and_reason(opened, pack):
    write_stops(
        pack,
        [
            ("001", "好", 114.05, 22.55),
            ("002", "无位置", "", ""),
            ("003", "地球之外", 214.05, 22.55),
            ("004", "远方", 14.05, 22.55),
            ("005", "半个", 114.05, ""),
            ("006", "非数", "NaN", "NaN"),
            ("007", "无穷", "inf", 22.5),
        ],
    )
    report = opened.load(pack)["stops"]
    counts = report.counts
    assert (counts.read, counts.published, counts.addressed, counts.without_place) == (7, 2, 1, 1)
    assert counts.quarantined == 5
    found = {(row["row"], row["rule"]) for row in opened.quarantine("stops")}
    assert found == {
        (4, "impossible-place"),
        (5, "far-from-city"),
        (6, "half-place"),
        (7, "impossible-place"),
        (8, "impossible-place"),
    }
    for row in opened.quarantine("stops"):
        assert row["file"] == "stops.csv"
        assert row["reason_zh"]
        assert row["reason_en"]
        assert f"code=00{row['row'] - 1}" in row["text"]


def test_a_broken_source_does_not_keep_the_others_from_loading(opened, pack):
    (pack / "stops.csv").write_bytes(b"")
    report = opened.load(pack)
    assert (report["districts"].stage, report["stops"].stage) == ("published", "failed")
    assert opened.dataset("stops").problem["code"]


def test_a_version_stays_readable_when_the_next_file_is_broken(opened, pack):
    opened.load(pack)
    (pack / "stops.csv").unlink()
    assert opened.load(pack)["stops"].stage == "failed"
    assert len(opened.rows("stops")) == 2
    write_stops(pack)
    assert opened.load(pack)["stops"].stage == "unchanged"
    assert opened.dataset("stops").problem is None


def test_a_column_that_the_file_lacks_is_named_with_near_misses(opened, tmp_path):
    pack = write_pack(tmp_path / "pack", STOPS.replace('lon = "lon"', 'lon = "long"'))
    write_stops(pack)
    problem = opened.load(pack)["stops"].problem
    assert problem["code"] == "missing-column"
    assert "'long'" in problem["what"]["en"]
    assert "lon" in problem["mend"]["en"]


def test_an_area_of_the_manifest_keeps_out_what_lies_elsewhere(opened, tmp_path):
    inside = 'crs = "WGS84", inside = { source = "districts", where = { name = "西区" } } }'
    pack = write_pack(tmp_path / "pack", STOPS.replace('crs = "WGS84" }', inside))
    write_stops(pack)
    assert opened.load(pack)["stops"].rules == {"outside-declared-area": 1}
    assert [row["code"] for row in opened.rows("stops")] == ["001"]


def test_several_files_of_one_form_make_one_dataset(opened, tmp_path):
    pack = write_pack(tmp_path / "pack", STOPS.replace("stops.csv", "stops-*.csv"))
    write_stops(pack, [("001", "甲", 114.05, 22.55)], "stops-1.csv")
    write_stops(pack, [("002", "乙", 114.15, 22.65)], "stops-2.csv")
    assert opened.load(pack)["stops"].counts.published == 2
    assert [s.path for s in opened.dataset("stops").version.content.sources] == ["stops-1.csv", "stops-2.csv"]
    assert {(row["code"], row["jw_source"], row["jw_row"]) for row in opened.rows("stops")} == {
        ("001", 0, 2),
        ("002", 1, 2),
    }
    (pack / "stops-3.csv").write_text("code,title,lon,lat\n003,丙,114.1,22.6\n", "utf-8")
    problem = opened.load(pack)["stops"].problem
    assert problem["code"] == "layout-changed"
    assert len(opened.rows("stops")) == 2


def test_data_may_lie_apart_from_the_manifest(opened, pack, tmp_path):
    apart = tmp_path / "apart"
    apart.mkdir()
    for name in ("districts.geojson", "stops.csv"):
        (pack / name).rename(apart / name)
    assert opened.load(pack, apart)["stops"].stage == "published"


def test_origin_and_destination_are_two_addresses_of_one_fact(opened, tmp_path):
    trips = (
        '[[source]]\nid = "trips"\nfile = "trips.csv"\ntitle = { zh = "行程" }\n'
        'places.origin = { lon = "x1", lat = "y1", crs = "WGS84" }\n'
        'places.destination = { lon = "x2", lat = "y2", crs = "WGS84" }\n'
        'time = { column = "t1", end = "t2", zone = "Asia/Shanghai", precision = "second" }\n'
    )
    pack = write_pack(tmp_path / "pack", trips)
    (pack / "trips.csv").write_text(
        "x1,y1,x2,y2,t1,t2\n"
        "114.01,22.51,114.19,22.69,2020-01-20 08:00:00,2020-01-20 08:30:00\n"
        "114.02,22.52,114.01,22.51,2020-01-20 09:00:00,2020-01-20 08:30:00\n",
        "utf-8",
    )
    assert opened.load(pack)["trips"].rules == {"ends-before-start": 1}
    (row,) = opened.rows("trips")
    assert row["jw_cell__origin"] == grid.to_stored(grid.encode(114.01, 22.51, 32))
    assert row["jw_cell__destination"] == grid.to_stored(grid.encode(114.19, 22.69, 32))
    assert row["jw_time"].isoformat() == "2020-01-20T00:00:00+00:00"
    for lon, lat in ((114.01, 22.51), (114.19, 22.69)):
        found = opened.lake.at(opened.asker, grid.Cell.at(lon, lat, 20))
        assert "trips" in [dataset.id for dataset, _ in found]


def test_other_systems_are_converted_at_the_border(opened, tmp_path):
    from jingwei.lake import datums

    lon, lat = datums.wgs84_to_bd09([114.05], [22.55])
    pack = write_pack(tmp_path / "pack", STOPS.replace('crs = "WGS84" }', 'crs = "BD-09" }'))
    write_stops(pack, [("001", "甲", float(lon[0]), float(lat[0]))])
    opened.load(pack)
    (row,) = opened.rows("stops")
    here = grid.centre(int(grid.from_stored(row["jw_cell"])), 32)
    assert abs(here[0] - 114.05) < 1e-5
    assert abs(here[1] - 22.55) < 1e-5


def test_a_line_is_found_in_every_cell_that_it_merely_crosses(opened, tmp_path):
    roads = (
        '[[source]]\nid = "roads"\nfile = "roads.geojson"\ntitle = { zh = "道路" }\n'
        'place = { geometry = "geometry", crs = "WGS84" }\n'
    )
    pack = write_pack(tmp_path / "pack", roads)
    write_features(
        pack / "roads.geojson",
        [feature({"name": "斜路"}, [[114.01, 22.51], [114.19, 22.69]], "LineString")],
    )
    opened.load(pack)
    on = grid.Cell.at(114.1, 22.6, 21)
    off = grid.Cell.at(114.1, 22.65, 21)
    assert "roads" in [dataset.id for dataset, _ in opened.lake.at(opened.asker, on)]
    assert "roads" not in [dataset.id for dataset, _ in opened.lake.at(opened.asker, off)]


def test_the_boundary_of_the_city_is_kept(opened, pack):
    opened.load(pack)
    assert opened.city.about.bounds == pytest.approx((114.0, 22.5, 114.2, 22.7))
    assert opened.city.about.boundary.area == pytest.approx(0.04)


def test_a_home_holds_one_city(opened, pack, tmp_path):
    opened.load(pack)
    other = write_pack(tmp_path / "other")
    (other / "city.toml").write_text((other / "city.toml").read_text("utf-8").replace('"square"', '"round"'))
    with pytest.raises(OtherCityError):
        opened.load(other)


def test_two_loads_at_once_are_refused(opened, pack):
    with opened.lake.store.writing(), pytest.raises(BusyError):
        opened.load(pack)


def test_a_load_waits_for_housekeeping(opened, pack):
    with ExitStack() as housekeeping:
        housekeeping.enter_context(opened.lake.store.writing(brief=True))

        class Waiting(Stop):
            @property
            def asked(self):
                housekeeping.close()
                return False

        manifest = read_manifest(pack)
        assert load_pack(opened.city, manifest, pack, None, opened.asker, stop=Waiting()).complete


def test_a_stopped_load_leaves_nothing_of_its_source(opened, pack):
    stop = Stop()

    def listener(step):
        if step.source == "stops" and step.stage == "reading":
            stop.ask()

    manifest = read_manifest(pack)
    with pytest.raises(StoppedError):
        load_pack(opened.city, manifest, pack, None, opened.asker, listener=listener, stop=stop)
    assert [dataset.id for dataset in opened.lake.datasets(opened.asker)] == ["districts"]
    assert list(opened.home.glob("lake/stops/facts/*.parquet")) == []
    assert opened.load(pack)["stops"].stage == "published"


def test_a_source_taken_out_of_the_pack_is_withdrawn(opened, pack, tmp_path):
    opened.load(pack)
    text = (pack / "city.toml").read_text("utf-8")
    (pack / "city.toml").write_text(text.replace(STOPS, ""), "utf-8")
    opened.load(pack)
    assert [dataset.id for dataset in opened.lake.datasets(opened.asker)] == ["districts"]


def test_publishing_is_an_event_in_the_log(opened, pack):
    opened.load(pack)
    with opened.city.records.read() as session:
        (event,) = ledger.events_of(session, "dataset/stops")
    assert event.type == "dataset.published"
    assert event.data["counts"]["published"] == 2
    json.dumps(event.data)


def test_a_polygon_that_crosses_itself_goes_to_quarantine(opened, tmp_path):
    areas = (
        '[[source]]\nid = "areas"\nfile = "areas.geojson"\ntitle = { zh = "区块" }\n'
        'place = { geometry = "geometry", crs = "WGS84" }\n'
    )
    pack = write_pack(tmp_path / "pack", areas)
    bow = [[[114.0, 22.5], [114.1, 22.6], [114.1, 22.5], [114.0, 22.6], [114.0, 22.5]]]
    write_features(
        pack / "areas.geojson",
        [
            feature({"n": 1}, polygon(114.0, 22.5, 114.1, 22.6)),
            feature({"n": 2}, bow),
            feature({"n": 3}, None),
        ],
    )
    report = opened.load(pack)["areas"]
    assert (report.counts.published, report.counts.without_place, report.counts.quarantined) == (2, 1, 1)
    (row,) = opened.quarantine("areas")
    assert row["row"] == 2


@pytest.mark.parametrize(
    ("corners", "crs", "word"),
    [
        ((500_000, 2_490_000, 520_000, 2_510_000), "WGS84", "cannot be coordinates"),
        ((22.5, 114.0, 22.7, 114.2), "WGS84", "cannot be coordinates"),
        ((80.0, 20.0, 120.0, 40.0), "WGS84", "degrees"),
    ],
)
def test_a_boundary_in_the_wrong_system_is_refused_and_the_rest_still_loads(opened, pack, corners, crs, word):
    write_features(pack / "districts.geojson", [feature({"name": "全城"}, polygon(*corners))])
    report = opened.load(pack)
    problem = report["districts"].problem
    assert report["districts"].stage in ("failed", "held")
    assert word in problem["what"]["en"].lower()
    assert report["stops"].stage == "published"
    assert opened.city.about.boundary is None


def test_a_boundary_in_declared_metres_is_converted(opened, tmp_path):
    pack = write_pack(tmp_path / "pack")
    text = (pack / "city.toml").read_text("utf-8")
    (pack / "city.toml").write_text(text.replace('crs = "WGS84"', 'crs = "EPSG:4547"'), "utf-8")
    corners = (500_000, 2_490_000, 520_000, 2_510_000)
    write_features(pack / "districts.geojson", [feature({"name": "全城"}, polygon(*corners))])
    assert opened.load(pack)["districts"].stage == "published"
    west, south, _, _ = opened.city.about.bounds
    assert (west, south) == pytest.approx((114.0, 22.5), abs=0.05)
