"""A fictional city says so on every page, at the door and on the wall too."""

from __future__ import annotations

import re

import pytest

from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.web import Entry
from square import write_square

from .conftest import DESK, ROOT, WALL, reading, served

pytestmark = pytest.mark.browser

PATHS = re.findall(r'path: "(/[a-z]*)"', (ROOT / "frontend/src/app/parts.ts").read_text("utf-8"))


@pytest.fixture(scope="module")
def fiction(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fiction")
    pack = write_square(folder / "pack")
    manifest = pack / "city.toml"
    told = manifest.read_text("utf-8").replace("[city]\n", "[city]\ngenerated = true\n", 1)
    manifest.write_text(told, "utf-8")
    with open_city(folder / "home", create=True) as city:
        load_pack(city, read_manifest(pack), pack, None, local_person())
        yield city


@pytest.mark.parametrize(
    ("screen", "paths"),
    [((DESK, "zh", "light"), PATHS), ((WALL, "zh", "wall"), ["/data"])],
    ids=["desk", "wall"],
)
def test_every_page_of_a_fictional_city_says_so(browser, fiction, screen, paths):
    assert paths
    with served(fiction) as address, reading(browser, address, screen) as reader:
        for path in paths:
            reader.page.goto(reader.address + path)
            reader.page.get_by_role("link", name="这是一座虚构的城市").wait_for()


def test_a_fictional_city_says_so_before_one_is_inside(browser, fiction):
    with served(fiction, Entry()) as address, reading(browser, address) as reader:
        reader.open("/").get_by_text("这是一座虚构的城市").wait_for()
