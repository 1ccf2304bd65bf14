"""What people do on the pages, done in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route

from square import stop_place

from .conftest import DESK, PATIENCE, PHONE

pytestmark = pytest.mark.browser


REST = """() => new Promise((done) => {
  const next = (left) => (left ? requestAnimationFrame(() => next(left - 1)) : done());
  next(60);
})"""
"""Sixty frames, in which a map that was moved by a key comes to rest."""


def centre_of(page):
    box = page.locator(".map-box").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_click_on_the_map_shows_everything_in_the_cell(reader):
    page = reader.open("/?at=22.52801,114.05501,14&layers=stops:d:90")
    page.mouse.click(*centre_of(page))
    panel = page.locator(".inspector")
    panel.get_by_text("站点").wait_for()
    assert re.search(r"cell=G\d+", page.url)
    assert panel.get_by_text("行政区").is_visible()


def test_a_record_leads_to_its_source_file_and_row(reader):
    page = reader.open("/?cell=G001130230-2001")
    group = page.locator("details.group", has_text="站点")
    group.wait_for()
    if group.get_attribute("open") is None:
        group.locator("summary").click()
    held: list[Route] = []
    rested = False

    def hold(route: Route) -> None:
        if rested:
            route.continue_()
        else:
            held.append(route)

    page.route("**/assets/*.js", hold)
    group.locator(".fact a").first.click()
    page.wait_for_url("**/data/stops/records/*")
    page.locator("canvas").press("ArrowRight")
    page.evaluate(REST)
    assert held, "the next page is still on its way"
    rested = True
    for route in held:
        route.continue_()
    reader.settle()
    page.get_by_text("stops.csv").first.wait_for()
    page.get_by_text("SHA-256").wait_for()


@pytest.mark.parametrize("reader", [(DESK, "zh", "light"), (PHONE, "en", "dark")], indirect=True)
@pytest.mark.parametrize("text", ["第45站", "N50F0503278214", "22.55, 114.05"])
def test_search_goes_to_a_name_a_code_or_coordinates(reader, text):
    page = reader.open("/")
    box = page.get_by_role("combobox")
    box.fill(text)
    page.get_by_role("option").first.wait_for()
    box.press("ArrowDown")
    box.press("Enter")
    page.wait_for_url(re.compile("cell=G"))
    page.locator(".inspector").wait_for()


def test_an_address_shares_the_view(reader):
    page = reader.open("/?at=22.60000,114.10000,12.00&layers=visits:d:60")
    page.get_by_role("button", name="复制这个视图的网址").click()
    shared = page.evaluate("navigator.clipboard.readText()")
    assert "at=22.6" in shared
    assert "visits" in shared
    other = reader.context.new_page()
    other.goto(shared)
    other.wait_for_selector(".map[data-drawn=true]", timeout=PATIENCE)
    assert other.get_by_label("到站").first.is_checked()


def test_time_moves_by_keys_and_plays(reader):
    page = reader.open("/?layers=visits:p:90")
    slider = page.get_by_role("slider", name="时间")
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_url(re.compile("time="))
    first = page.url
    page.get_by_role("button", name="播放").click()
    page.wait_for_url(lambda url: "time=" in url and url != first)
    page.get_by_role("button", name="暂停").click()


def test_measuring_adds_up_a_way(reader):
    page = reader.open("/?at=22.6,114.1,13&layers=-")
    page.get_by_role("button", name="量测").click()
    x, y = centre_of(page)
    page.mouse.click(x, y)
    page.mouse.click(x + 120, y)
    page.locator(".measure").get_by_text(re.compile("米")).wait_for()


def test_the_list_says_in_words_what_the_map_shows(reader):
    page = reader.open("/?layers=stops:p:90&at=22.6,114.1,12")
    page.get_by_role("button", name="视野内的记录").click()
    page.locator(".in-view .fact").first.wait_for()


def test_the_whole_page_is_reached_by_keyboard(reader):
    page = reader.open("/data")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_language_and_look_change_at_once_and_are_kept(reader):
    page = reader.open("/codes")
    page.get_by_role("button", name="Switch to English").click()
    page.get_by_role("heading", name="Grid codes").wait_for()
    page.get_by_role("button", name="Appearance").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    assert page.evaluate("document.documentElement.dataset.look") == "dark"


def test_a_code_is_explained_and_its_parent_reached(reader):
    page = reader.open("/codes?q=N50F0503278214")
    assert page.locator(".codes-spelled").inner_text().replace("\n", "") == "N50F0503278214"
    page.get_by_role("button", name="N", exact=True).click()
    page.wait_for_url(re.compile("q=N$"))


@pytest.mark.parametrize("reader", [(DESK, "en", "light")], indirect=True)
def test_a_bad_code_is_marked_where_it_goes_wrong(reader):
    page = reader.open("/codes?q=N50XX")
    assert page.locator(".codes-fault mark").inner_text() == "X"
    page.get_by_text(re.compile("Character 4")).wait_for()
    reader.complaints[:] = [text for text in reader.complaints if "status of 4" not in text]


def test_a_link_to_a_dataset_that_the_city_does_not_have_is_said(reader):
    page = reader.open("/?layers=gone:d:90,stops:d:90")
    page.get_by_role("alert").get_by_text("“gone”").wait_for()
    page.get_by_role("button", name="知道了").click()
    page.wait_for_url(lambda url: "gone" not in url)
    assert "stops" in page.url


def test_a_point_is_picked_by_a_click_and_leads_to_its_record(reader):
    lon, lat = stop_place(45)
    page = reader.open(f"/?at={lat},{lon},16&layers=stops:p:90")
    page.mouse.click(*centre_of(page))
    panel = page.locator(".picked-points")
    panel.get_by_text("第45站").first.wait_for()
    assert re.search(r"points=stops%3A\d+|points=stops:\d+", page.url)
    assert panel.get_by_text("stops.csv").is_visible()
    panel.get_by_role("button", name="看所在的整个网格").click()
    page.locator(".inspector").get_by_text("站点").first.wait_for()
    page.mouse.click(*centre_of(page))
    panel.get_by_role("link", name="第45站").click()
    page.wait_for_url("**/data/stops/records/*")


def test_points_upon_each_other_are_all_picked(reader):
    lon, lat = stop_place(3)
    page = reader.open(f"/?at={lat},{lon},16&layers=visits:p:90,stops:p:90")
    page.mouse.click(*centre_of(page))
    page.locator(".picked-points").get_by_text("此处有 1 条记录").wait_for()
    page.get_by_role("checkbox", name="站点").click()
    page.wait_for_url(lambda url: "stops%3Ap" not in url and "stops:p" not in url)
    reader.settle()  # what was hidden is picked until the map is drawn anew
    page.mouse.click(*centre_of(page))
    page.locator(".picked-points").get_by_role("heading", name="到站").wait_for()


@pytest.mark.parametrize("reader", [(DESK, "zh", "light"), (PHONE, "zh", "light")], indirect=True)
def test_a_point_is_picked_by_keyboard_from_the_map_and_from_the_list(reader):
    lon, lat = stop_place(45)
    page = reader.open(f"/?at={lat},{lon},16&layers=stops:p:90")
    page.locator(".maplibregl-canvas").focus()
    page.keyboard.press("Enter")
    page.locator(".picked-points").get_by_text("第45站").first.wait_for()
    assert page.evaluate("document.activeElement.tagName") == "H2"
    page.get_by_role("button", name="关闭").click()
    page.get_by_role("button", name="视野内的记录").click()
    page.get_by_role("button", name="在地图上指出：第45站").focus()
    page.keyboard.press("Enter")
    page.locator(".picked-points").get_by_text("第45站").first.wait_for()
    page.get_by_role("button", name="关闭").click()
    page.locator(".in-view").wait_for()


def test_a_server_that_is_gone_is_said_and_asked_again(reader):
    page = reader.open("/codes")
    reader.context.set_offline(True)
    page.get_by_label("编码或坐标").fill("N50F")
    page.get_by_role("button", name="解读").click()
    page.get_by_text("连不上服务器").wait_for()
    reader.context.set_offline(False)
    reader.complaints.clear()  # the browser reports the requests that this test cut off


def test_a_held_source_is_decided_on_the_map_and_its_load_finished(reader):
    page = reader.open("/data/mystery")
    page.get_by_role("radio", name=re.compile("GCJ-02")).check()
    reader.settle()
    page.get_by_role("button", name="按 GCJ-02 完成载入").click()
    page.get_by_role("link", name="在地图上看").wait_for()
    assert page.locator(".badge", has_text="已发布").first.is_visible()


@pytest.mark.parametrize("reader", [(PHONE, "zh", "light")], indirect=True)
def test_on_a_phone_every_part_and_tool_is_reached(reader):
    page = reader.open("/data")
    page.get_by_role("link", name="关于", exact=True).wait_for(state="hidden")
    page.get_by_role("button", name="更多").click()
    assert page.get_by_role("button", name="外观").is_visible()
    assert reader.faults() == []
    page.get_by_role("link", name="关于", exact=True).click()
    page.wait_for_url("**/about")
    page.get_by_role("button", name="更多").click()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="关于", exact=True).wait_for(state="hidden")
