"""What changes in the city is seen on pages that are open."""

from __future__ import annotations

import pytest

from jingwei.access import local_person
from jingwei.city import load_pack, read_manifest
from jingwei.ledger.sealer import Sealer
from square import STOPS, open_square, stop_place

from .conftest import reading, served

pytestmark = pytest.mark.browser


@pytest.fixture
def changing(tmp_path):
    """A city that a test may change, and the folder of its pack; its log is sealed as it goes."""
    with open_square(tmp_path) as city, Sealer(city.records, city.home / "log").running():
        yield city, tmp_path / "pack"


def load(city, pack):
    load_pack(city, read_manifest(pack), pack, None, local_person())


def without(pack, source):
    """Take a source out of the manifest."""
    path = pack / "city.toml"
    parts = path.read_text("utf-8").split("[[source]]")
    kept = [part for part in parts if f'id = "{source}"' not in part]
    assert len(kept) == len(parts) - 1
    path.write_text("[[source]]".join(kept), "utf-8")


@pytest.mark.parametrize(
    ("source", "title", "query"),
    [
        ("stops", "站点", "?layers=stops:d:90"),
        ("stops", "站点", "?layers=stops:p:90,visits:d:90&points=stops:3"),
        ("lines", "线路", "?layers=lines:s:90"),
        ("stops", "站点", ""),
    ],
)
def test_a_dataset_removed_while_it_is_on_the_map_is_said_and_nothing_breaks(
    browser, changing, source, title, query
):
    city, pack = changing
    with served(city) as address, reading(browser, address) as reader:
        page = reader.open("/" + query)
        without(pack, source)
        load(city, pack)
        alert = page.get_by_role("alert").filter(has_text=f"“{title}”已被撤下")
        alert.wait_for()
        reader.settle()
        assert page.locator(".layer-name", has_text=title).count() == 0
        alert.get_by_role("button", name="知道了").click()
        alert.wait_for(state="detached")
        assert page.locator(".map-search input").is_visible()
        reader.complaints[:] = [text for text in reader.complaints if "status of 404" not in text]


def test_a_new_version_is_drawn_on_the_open_map_and_listed_on_the_open_data_page(browser, changing):
    city, pack = changing
    with served(city) as address, reading(browser, address) as reader:
        page = reader.open("/?layers=stops:p:90")
        data = reader.context.new_page()
        data.goto(address + "/data/stops/versions")
        data.get_by_text("第 1 版").first.wait_for()
        lon, lat = stop_place(0)
        with (pack / "stops.csv").open("a", encoding="utf-8") as file:
            file.write(f"500,新站,{lon + 0.001:.6f},{lat:.6f}\n")
        load(city, pack)
        page.get_by_role("listitem").filter(has_text="站点").get_by_text(str(STOPS + 2)).first.wait_for()
        data.get_by_text("第 2 版").first.wait_for()
