"""A city asked from Python, in the frames that people use."""

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import shapely

import jingwei
from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.city.errors import NoCityError

from .packs import STOPS, write_pack, write_stops

ROWS = [(f"{n:03}", f"第{n}站", 114.01 + n / 1000, 22.51 + n / 1000) for n in range(150)]


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    folder = tmp_path_factory.mktemp("python")
    pack = write_pack(folder / "pack", STOPS)
    write_stops(pack, ROWS)
    with open_city(folder / "home", create=True) as opened:
        load_pack(opened, read_manifest(pack), pack, None, local_person())
    with jingwei.open(folder / "home") as city:
        yield city


def test_a_city_is_opened_and_tells_its_datasets(city):
    assert set(city.datasets) == {"districts", "stops"}
    assert "square" in repr(city)


def test_an_answer_is_the_same_in_every_frame(city):
    answer = city.query("stops", where="code < '010'")
    assert len(answer) == 10
    names = [f"第{n}站" for n in range(10)]
    assert sorted(answer.arrow()["name"].to_pylist()) == names
    assert sorted(answer.pandas()["name"]) == names
    assert sorted(answer.polars()["name"]) == names
    assert sorted(answer.geopandas()["name"]) == names
    assert sorted(pl.DataFrame(answer)["name"]) == names
    assert pa.table(answer) == answer.arrow()
    assert isinstance(answer.pandas(), pd.DataFrame)


def test_places_are_points_and_areas_are_areas(city):
    stops = city.query("stops").geopandas()
    at = {row.code: row.geometry for row in stops.itertuples()}
    for code, _, lon, lat in ROWS:
        assert at[code].distance(shapely.Point(lon, lat)) < 1e-6
    districts = city.query("districts").geopandas()
    assert set(districts.geometry.geom_type) == {"Polygon"}
    assert districts.crs.to_epsg() == 4326


@pytest.mark.parametrize("within", [(114.05, 22.5, 114.1, 22.7), shapely.box(114.05, 22.5, 114.1, 22.7)])
def test_a_region_is_a_box_or_a_geometry(city, within):
    wanted = {row[0] for row in ROWS if 114.05 <= row[2] <= 114.1}
    assert set(city.query("stops", within=within).arrow()["code"].to_pylist()) == wanted


def test_all_rows_come_whatever_the_page(city, monkeypatch):
    monkeypatch.setattr("jingwei.python.PAGE", 40)
    assert sorted(city.query("stops").arrow()["code"].to_pylist()) == [row[0] for row in ROWS]
    assert len(city.query("stops", limit=55)) == 55


def test_everything_at_a_place(city):
    _, name, lon, lat = ROWS[7]
    found = city.at((lon, lat))
    assert found["stops"].arrow()["name"].to_pylist() == [name]
    assert found["districts"].arrow()["name"].to_pylist() == ["西区"]


def test_datasets_are_linked(city):
    links = city.link("stops", "stops", by=[jingwei.Within(1)], pairs="all")
    assert links["left"].to_pylist() == links["right"].to_pylist() == list(range(150))


def test_what_is_no_city_or_no_region_is_told(city, tmp_path):
    with pytest.raises(NoCityError):
        jingwei.open(tmp_path / "nowhere")
    with pytest.raises(Exception, match="region") as caught:
        city.query("stops", within=3)
    assert caught.value.mend
    with pytest.raises(AttributeError):
        jingwei.nothing  # noqa: B018
