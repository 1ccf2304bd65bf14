"""Every page at three widths and in two languages: drawn, accessible, silent, and asking no other host."""

from __future__ import annotations

import re

import pytest

from .conftest import AXE, DESK, PHONE, WALL

pytestmark = pytest.mark.browser

SCREENS = [
    (PHONE, "zh", "light"),
    (PHONE, "en", "dark"),
    (DESK, "en", "light"),
    (WALL, "zh", "wall"),
    pytest.param((DESK, "zh", "dark"), marks=pytest.mark.soak),
    pytest.param((WALL, "en", "wall"), marks=pytest.mark.soak),
]
"""Each width, language and appearance is looked at always; every pair of them in the long rounds."""
PAGES = {
    "map": "/",
    "cell": "/?cell=G001130230-2001&layers=stops:p:90,districts:s:80",
    "list": "/?list=1&layers=visits:d:90",
    "datasets": "/data",
    "dataset": "/data/stops",
    "quality": "/data/stops/quality",
    "quarantine": "/data/stops/quarantine",
    "versions": "/data/stops/versions",
    "records": "/data/stops/records",
    "record": "/data/stops/records/3",
    "held": "/data/mystery",
    "codes": "/codes",
    "code": "/codes?q=N50F0503278214",
    "bad code": "/codes?q=N50XX",
    "missing": "/data/nothing",
    "log": "/log",
    "event": "/log/1",
    "receipt": "/log/verify",
    "policies": "/policies",
    "policy versions": "/policies/versions",
    "who": "/policies/who?person=local&dataset=stops",
    "objects": "/objects",
}


@pytest.mark.skipif(not AXE.is_file(), reason="axe is not installed: make pages")
@pytest.mark.parametrize(
    "reader", SCREENS, indirect=True, ids=lambda screen: f"{screen[0][0]}-{screen[1]}-{screen[2]}"
)
def test_every_page_is_accessible_and_fits_its_screen(reader):
    wide = reader.page.viewport_size["width"]
    faults = {}
    for name, path in PAGES.items():
        if name in ("cell", "list") and wide > 2000:
            continue  # software rendering of a wall takes its time; the panels are those of the desk
        page = reader.open(path)
        found = reader.faults()
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append("the page is wider than the screen")
        if page.locator("h1").count() != 1 and name != "missing":
            found.append("a page has one first heading")
        if found:
            faults[name] = found
        # What the browser itself reports of answers that are meant to fail is no complaint of the page.
        if name in ("bad code", "missing"):
            reader.complaints[:] = [text for text in reader.complaints if "status of 4" not in text]
    assert faults == {}


@pytest.mark.parametrize("reader", [(DESK, "en", "light")], indirect=True)
def test_no_chinese_is_left_in_the_english_pages(reader):
    for path in ("/codes?q=N50F0503278214", "/data", "/data/stops/versions"):
        page = reader.open(path)
        said = page.evaluate("document.body.innerText")
        # What departments named themselves stays as they named it.
        own = re.sub("规划局|交通局|城管局|某局|切换到中文", "", said)
        assert re.findall("[一-鿿]+", own) == []
