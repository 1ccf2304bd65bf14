"""A reviewer of records that may be the same person, by keyboard alone."""

from __future__ import annotations

import pytest

from city.packs import write_pack
from jingwei import matching
from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from matching.persons import SOURCES, TEXT, two_departments, write

from .conftest import PHONE, reading, served
from .test_keyboard import go

pytestmark = pytest.mark.browser

_PLACE = "() => document.activeElement.getAttribute('aria-label')"


@pytest.fixture
def address(tmp_path):
    pack = write_pack(tmp_path / "pack", SOURCES)
    write(pack, *two_departments(300, seed=7)[:2])
    with open_city(tmp_path / "home", create=True) as city:
        load_pack(city, read_manifest(pack), pack, None, local_person())
        matching.configure(city, local_person(), "people", TEXT)
        matching.run(city, local_person(), "people")
        with served(city) as address:
            yield address


def test_pairs_are_decided_one_after_another_by_keyboard(address, browser):
    with reading(browser, address) as reader:
        page = reader.open("/data/matching/people")
        waiting = int(page.get_by_role("button", name="待核对").locator(".numbers").inner_text())
        pairs = page.get_by_role("region", name="第")
        first, second = (pairs.nth(place).get_attribute("aria-label") for place in (0, 1))
        assert waiting >= 3
        go(page, "button", "相同", "Enter")
        page.get_by_role("button", name=f"待核对 {waiting - 1}").wait_for()
        page.get_by_role("region", name=first, exact=True).wait_for(state="detached")
        # Who goes by keyboard stands before the next pair, and need not come from the top again.
        assert page.evaluate(_PLACE) == second
        go(page, "button", "不同", "Enter")
        page.get_by_role("button", name=f"待核对 {waiting - 2}").wait_for()
        page.get_by_role("button", name="核对为相同 1").wait_for()
        assert reader.faults() == []
    with reading(browser, address, (PHONE, "en", "dark")) as reader:
        page = reader.open("/data/matching/people")
        page.get_by_role("region", name="Pair").first.wait_for()
        assert reader.faults() == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
