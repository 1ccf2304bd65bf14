"""Sensors in a browser: the map that lives, a stream's chart, the devices."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from square import write_square

from .conftest import DESK, PHONE, served
from .test_keyboard import go

pytestmark = pytest.mark.browser

SENSOR = {"name": "探头", "description": "", "encodingType": "text/html", "metadata": "m"}


def send(address, method, path, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = urllib.request.Request(address + path, data=data, method=method)
    with urllib.request.urlopen(asked) as answer:
        return json.loads(answer.read())


@pytest.fixture(scope="module")
def sensed(tmp_path_factory):
    """The square city with a device that has sent readings, with a gap, until now."""
    folder = tmp_path_factory.mktemp("sensed")
    pack = write_square(folder / "pack")
    with open_city(folder / "home", create=True) as city:
        load_pack(city, read_manifest(pack), pack, None, local_person())
        west, south, east, north = city.about.bounds
        with served(city) as address:
            table = f"key,name,kind,lon,lat\nA1,东门站,空气站,{(west + east) / 2},{(south + north) / 2}\n"
            send(address, "PUT", "/api/sense/devices/table?name=d.csv&crs=WGS84", table.encode())
            stream = {
                "name": "PM2.5", "description": "", "observationType": "m",
                "unitOfMeasurement": {"symbol": "ug/m3"}, "Sensor": SENSOR,
                "ObservedProperty": {"name": "PM2.5", "definition": "d", "description": ""},
            }  # fmt: skip
            send(address, "POST", "/sta/v1.1/Things(1)/Datastreams", stream)
            now = datetime.now(UTC)
            rows = [
                [(now - timedelta(minutes=10 * n)).isoformat(), 40 + n % 7]
                for n in range(1, 120)
                if not 40 < n < 60
            ]
            array = {
                "Datastream": {"@iot.id": 1},
                "components": ["phenomenonTime", "result"],
                "dataArray": rows,
            }
            send(address, "POST", "/sta/v1.1/CreateObservations", [array])
            yield address


def test_a_reading_shows_by_itself_and_leads_to_its_chart_and_device(browser, sensed):
    context = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]}, locale="zh-CN")
    page = context.new_page()
    page.goto(sensed + "/sense")
    page.locator('[data-wire="on"]').wait_for()
    page.locator('[data-stream="1"]', has_text="41").wait_for()
    send(sensed, "POST", "/sta/v1.1/Datastreams(1)/Observations", {"result": 99.5})
    page.locator('[data-stream="1"]', has_text="99.5 ug/m3").wait_for()
    page.get_by_role("link", name="东门站 PM2.5的曲线").click()
    page.get_by_role("img", name="PM2.5").wait_for()
    page.get_by_text("有 1 处中断").wait_for()
    page.get_by_role("button", name="逐日对比").click()
    page.get_by_role("img", name="逐日对比").wait_for()
    page.get_by_role("link", name="东门站").click()
    page.get_by_role("button", name="验收并投入使用").click()
    page.get_by_role("dialog", name="验收“东门站”？").get_by_role("button", name="暂不").click()
    page.get_by_text("尚未验收").wait_for()
    page.get_by_role("button", name="验收并投入使用").click()
    page.get_by_role("dialog").get_by_role("button", name="确认验收").click()
    page.get_by_text("在用").wait_for()
    page.get_by_role("link", name="全部设备").click()
    page.get_by_role("row", name="东门站").get_by_text("在用").wait_for()
    context.close()


def english_phone(browser, address, path):
    context = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, locale="en-US", color_scheme="dark"
    )
    page = context.new_page()
    page.goto(address + path)
    return page


def fill(page, label, text):
    go(page, "input", label)
    page.keyboard.type(text)


def test_how_the_intake_fares_is_shown_and_what_was_kept_apart_leads_to_its_stream(browser, sensed):
    ahead = {"phenomenonTime": "2999-01-01T00:00:00Z", "result": 12.25}
    with pytest.raises(urllib.error.HTTPError, match="400"):
        send(sensed, "POST", "/sta/v1.1/Datastreams(1)/Observations", ahead)
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, locale="zh-CN")
    page = context.new_page()
    page.route("**/api/sense/health", lambda route: route.abort())
    page.goto(sensed + "/sense/intake")
    page.get_by_role("alert").wait_for()
    page.unroute("**/api/sense/health")
    page.get_by_role("button", name="重试").click()
    page.get_by_role("img", name="每分钟的读数").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    row = page.get_by_role("row", name="时间超前").filter(has_text="12.25")
    row.get_by_role("link", name="1", exact=True).click()
    page.get_by_role("heading", name="PM2.5").first.wait_for()
    context.close()


def test_a_rule_is_written_tried_on_history_and_switched_on_by_keyboard_alone(browser, sensed):
    page = english_phone(browser, sensed, "/sense/rules")
    page.get_by_role("link", name="New rule").wait_for()
    go(page, "a", "New rule", "Enter")
    page.get_by_role("heading", name="New rule").wait_for()
    fill(page, "Chinese title", "颗粒物高")
    fill(page, "English title", "Dust")
    fill(page, "Observed property", "PM2.5")
    fill(page, "Comes at", "45.5")
    go(page, "button", "Try", "Enter")
    page.get_by_text(re.compile(r"would have raised 1[45] alarms, 0 of them false")).wait_for()
    go(page, "button", "Save (not on yet)", "Enter")
    page.get_by_role("heading", name="Edit rule 1").wait_for()
    page.get_by_text("Version 1 is saved").wait_for()
    assert page.title().startswith("Dust")
    go(page, "button", "Switch on Dust", "Enter")
    page.get_by_role("button", name="Switch off Dust").wait_for()
    page.context.close()


def test_a_subscriber_is_added_and_removed_by_keyboard_alone(browser, sensed):
    page = english_phone(browser, sensed, "/webhooks")
    page.get_by_text("No subscribers yet").wait_for()
    go(page, "button", "Add a subscriber", "Enter")
    fill(page, "Name", "Platform")
    fill(page, "Address", "https://127.0.0.1/")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()  # not an address that only the city reaches
    fill(page, "Address", "https://8.8.8.8/events")
    fill(page, "Types of events", "case sense.alarm_raised")
    page.keyboard.press("Enter")
    page.get_by_text("it is not shown again").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("case sense.alarm_raised").wait_for()
    go(page, "button", "Remove", "Enter")
    page.get_by_text("Remove the subscriber “Platform”?").wait_for()
    go(page, "button", "Remove", "Enter")
    page.get_by_text("No subscribers yet").wait_for()
    page.context.close()
