"""The pack: departments' files in their own forms, with a truth that says what is wrong in them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from shapely.geometry import shape

from jingwei.access.asker import local_person
from jingwei.city import load_pack, open_city
from jingwei.city.demo import settings_of
from jingwei.city.demo.generate import FolderTakenError, generate
from jingwei.city.demo.truth import FAULTS
from jingwei.city.manifest import Manifest, read_manifest
from jingwei.lake.datums import bd09_to_wgs84, gcj02_to_wgs84

Read = Callable[[str], dict[str, list[Any]]]

SCRIPT = """
import sys
from pathlib import Path
from jingwei.access.asker import local_person
from jingwei.city import load_pack, open_city
from jingwei.city.demo import settings_of
from jingwei.city.demo.generate import generate
generate(settings_of("tiny", 11), Path(sys.argv[1]))
"""


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_equal_seeds_give_equal_packs_whatever_the_number_of_threads(tmp_path: Path) -> None:
    runs = []
    for threads in ("1", "4"):
        names = (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "ARROW_NUM_THREADS",
            "NUMBA_NUM_THREADS",
            "PYTHONHASHSEED",
        )
        environment = {**os.environ, **dict.fromkeys(names, threads)}
        out = tmp_path / f"threads-{threads}"
        subprocess.run([sys.executable, "-c", SCRIPT, str(out)], check=True, env=environment)
        runs.append(digest(out))
    assert runs[0] == runs[1]


def test_the_manifest_says_that_the_city_is_generated(manifest: Manifest) -> None:
    assert manifest.city.generated
    assert manifest.city.adcode == "390100"
    assert len(manifest.source) > 40


def test_every_file_is_described_and_every_description_has_its_file(pack: Path, manifest: Manifest) -> None:
    files = {path.name for path in pack.iterdir() if path.is_file()} - {"city.toml"}
    of_cases = {table.file for table in manifest.cases.tables().values() if table.file}
    rules = {manifest.sense.rules} if manifest.sense else set()
    assert files == {spec.file for spec in manifest.source} | of_cases | rules


def test_declared_columns_exist(manifest: Manifest, read: Read) -> None:
    for spec in manifest.source:
        if spec.file.endswith(".geojson"):
            continue
        names = set(read(spec.id))
        assert set(spec.keys) <= names, spec.id
        assert set(spec.text) <= names, spec.id
        if spec.place and spec.place.lon:
            assert {spec.place.lon, spec.place.lat} <= names, spec.id
        if spec.time and spec.time.column:
            assert spec.time.column in names, spec.id


def test_bureaus_use_the_forms_they_are_known_for(manifest: Manifest, read: Read) -> None:
    encodings = {spec.encoding for spec in manifest.source}
    systems = {spec.place.crs for spec in manifest.source if spec.place}
    assert "GB18030" in encodings
    assert {"GCJ-02", "BD-09", "WGS84", "CGCS2000"} <= systems
    sheets = [spec for spec in manifest.source if spec.file == "养老机构.xlsx"]
    assert [spec.layer for spec in sheets] == ["第一批", "第二批"]
    dates = read("firms_market")["成立日期"]
    assert {"年" in text for text in dates} == {True, False}
    assert {"/" in text for text in dates} == {True, False}


@pytest.mark.parametrize(("source", "back"), [("bus_stops", bd09_to_wgs84), ("hospitals", gcj02_to_wgs84)])
def test_shifted_coordinates_lead_back_into_the_city(source: str, back, read: Read) -> None:
    rows = read(source)
    longitude, latitude = back(np.array(rows["经度"], float), np.array(rows["纬度"], float))
    heights = read("terrain")
    assert min(heights["经度"]) - 0.01 < longitude.min() <= longitude.max() < max(heights["经度"]) + 0.01
    assert min(heights["纬度"]) - 0.01 < latitude.min() <= latitude.max() < max(heights["纬度"]) + 0.01


def test_three_bureaus_know_the_same_firms_by_no_common_key(pack: Path, read: Read) -> None:
    entities = pq.read_table(pack / "truth" / "entities.parquet").to_pydict()
    known: dict[str, dict[int, str]] = {}
    for source, row, entity in zip(entities["source"], entities["row"], entities["entity"], strict=True):
        known.setdefault(source, {})[row] = entity
    market, tax, insured = (read(name) for name in ("firms_market", "firms_tax", "firms_insurance"))
    keys = [set(market["统一社会信用代码"]), set(tax["登记信息_税务登记号"]), set(insured["单位编号"])]
    assert keys[0].isdisjoint(keys[1] | keys[2])
    assert keys[1].isdisjoint(keys[2])
    by_entity = {known["firms_market"][index + 1]: name for index, name in enumerate(market["企业名称"])}
    shared = [
        (by_entity[known["firms_tax"][index + 1]], name)
        for index, name in enumerate(tax["登记信息_纳税人名称"])
    ]
    same = np.mean([one == other for one, other in shared])
    assert 0.1 < same < 0.6
    assert set(known["firms_tax"].values()) & set(known["firms_insurance"].values())


def faults_in(pack: Path) -> dict[tuple[str, str, str], list[tuple[int, str]]]:
    table = pq.read_table(pack / "truth" / "faults.parquet").to_pydict()
    found: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
    for source, row, column, fault, value in zip(
        *(table[name] for name in ("source", "row", "column", "fault", "true_value")), strict=True
    ):
        assert fault in FAULTS
        found.setdefault((source, column, fault), []).append((row, value))
    return found


def test_woods_and_lakes_are_whole_and_lie_where_they_should(pack: Path) -> None:
    def shapes(file: str) -> np.ndarray:
        features = json.loads((pack / file).read_text("utf-8"))["features"]
        return np.array([shape(feature["geometry"]) for feature in features], dtype=object)

    city = shapely.union_all(shapes("行政区划.geojson"))
    for file in ("林地绿地.geojson", "水系.geojson", "公园.geojson"):
        found = shapes(file)
        assert shapely.is_valid(found).all(), file
        assert shapely.area(shapely.difference(found, shapely.buffer(city, 1e-6))).max() < 1e-8, file


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(FolderTakenError):
        generate(settings_of("tiny"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_the_whole_pack_loads_and_what_is_wrong_in_it_is_found(pack: Path, tmp_path: Path) -> None:
    city = open_city(tmp_path / "home", create=True)
    try:
        report = load_pack(city, read_manifest(pack), pack, None, local_person())
    finally:
        city.close()
    assert {source.id: source.problem for source in report.sources if source.stage != "published"} == {}
    quarantined = {source.id: source.counts.quarantined for source in report.sources}
    swapped = len(
        {
            row
            for (source, _, fault), rows in faults_in(pack).items()
            if source == "cases" and fault == "swapped"
            for row, _ in rows
        }
    )
    assert quarantined["cases"] >= swapped > 0
    assert quarantined["districts"] == quarantined["unit_grids"] == 0
