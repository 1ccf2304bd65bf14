"""The example packs load every file of the public data; without hints nothing wrong is loaded."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from jingwei import grid
from jingwei.city import load_pack, parse_manifest

from .conftest import Opened

ROOT = Path(__file__).resolve().parents[2]
PACKS = ("shenzhen", "shanghai")


def manifest_of(name):
    return tomllib.loads((ROOT / "examples" / name / "city.toml").read_text("utf-8"))


def without_hints(manifest):
    """Leave of each source only what it is called and where its file is; of the boundary, its source."""
    kept = [{key: source[key] for key in ("id", "file", "title")} for source in manifest["source"]]
    return {**manifest, "source": kept}


def load(opened, manifest, folder):
    report = load_pack(opened.city, parse_manifest(manifest), folder, None, opened.asker)
    return {source.id: source for source in report.sources}


@pytest.fixture(scope="module", params=PACKS)
def hinted(request, shared_data, tmp_path_factory):
    opened = Opened(tmp_path_factory.mktemp("hinted"))
    opened.name = request.param
    opened.folder = shared_data / request.param
    opened.report = load(opened, manifest_of(request.param), opened.folder)
    yield opened
    opened.city.close()


def test_every_file_of_the_public_data_loads(hinted):
    assert {source.stage for source in hinted.report.values()} == {"published"}
    files = {source["file"] for source in manifest_of(hinted.name)["source"]}
    assert files == {path.name for path in hinted.folder.iterdir()}
    for source in hinted.report.values():
        counts = source.counts
        assert counts.read == counts.published + counts.quarantined
        assert counts.published == counts.addressed + counts.without_place


def test_known_rows_of_the_real_data_are_all_there(hinted):
    counts = {name: source.counts for name, source in hinted.report.items()}
    if hinted.name == "shenzhen":
        assert sum(count.read for count in counts.values()) == 286_781
        assert counts["bus_stops"].addressed == 61_026
        assert counts["taxi_flows"].read == 193_455
        assert hinted.report["communities"].rules == {"outside-declared-area": 1}
        rules = {finding.rule: finding.rows for finding in hinted.report["communities"].findings}
        assert rules["key-not-unique"] == 2
    else:
        assert counts["pois"].read == 48_030
        repeated = [f.rows for f in hinted.report["pois"].findings if f.rule == "key-not-unique"]
        assert repeated == [2 * 2_254]


def test_converted_stops_lie_on_the_lines_that_serve_them(hinted):
    """Bus stops come in BD-09, bus lines in WGS84; converted, a stop lies beside the line of its name."""
    if hinted.name != "shenzhen":
        pytest.skip("the stops and lines are Shenzhen's")
    import shapely

    lines = hinted.lake.query(hinted.asker, "bus_lines", limit=100_000).table
    shape_of = dict(
        zip(lines["linename"].to_pylist(), shapely.from_wkb(lines["geometry"].to_numpy()), strict=True)
    )
    stops = hinted.lake.query(hinted.asker, "bus_stops", limit=100_000).table
    lon, lat = grid.centre(grid.from_stored(stops["jw_cell"].to_numpy()), 32)
    named = [shape_of.get(name) for name in stops["线路名称"].to_pylist()]
    distances = shapely.distance(named, shapely.points(lon, lat)) * 111_000
    assert np.nanmedian(distances) < 20


def test_without_hints_nothing_wrong_loads(hinted, tmp_path):
    """Whatever is published without hints lies within a metre of where it truly is; the rest is held back."""
    opened = Opened(tmp_path / "home")
    try:
        report = load(opened, without_hints(manifest_of(hinted.name)), hinted.folder)
        assert {source.stage for source in report.values()} <= {"published", "held"}
        for name, source in report.items():
            if source.stage == "held":
                problem = opened.dataset(name).problem
                assert problem["code"] == "held"
                assert problem["where"]["evidence"]
                continue
            compare(hinted, opened, name)
        certain = {
            "shenzhen": {"districts", "bus_lines", "bus_stops", "grid_500m"},
            "shanghai": {"districts"},
        }
        assert {name for name, source in report.items() if source.counts.addressed} >= certain[hinted.name]
    finally:
        opened.city.close()


def compare(hinted, opened, name):
    places = opened.dataset(name).version.content.places
    truth = {place.role: place for place in hinted.dataset(name).version.content.places}
    for place in places:
        if place.kind == "geometry":
            column = opened.dataset(name).version.content.geometry
            assert rows_of(opened, name, [column]) == rows_of(hinted, name, [column])
            continue
        real = truth.get(place.role) or next(iter(truth.values()))
        found, expected = cells(opened, name, place), cells(hinted, name, real)
        here = np.array([found[row] for row in found if row in expected])
        there = np.array([expected[row] for row in found if row in expected])
        assert len(here) == len(found)
        metres = np.hypot((here[:, 0] - there[:, 0]) * 102_000, (here[:, 1] - there[:, 1]) * 111_000)
        assert metres.max() <= 1.0


def rows_of(opened, name, columns):
    table = opened.lake.query(opened.asker, name, columns=columns, limit=100_000).table
    return dict(zip(table["jw_row"].to_pylist(), table[columns[0]].to_pylist(), strict=True))


def cells(opened, name, place):
    table = opened.lake.reader.columns(opened.dataset(name).version, ["jw_row", place.cell, place.level])
    table = table.drop_null()
    lon, lat = grid.centre(grid.from_stored(table[place.cell].to_numpy()), 32)
    return dict(zip(table["jw_row"].to_pylist(), zip(lon, lat, strict=True), strict=True))
