"""The pages in the field, on a telephone: what is near, what is done without a network, one's own way."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from photographs import photograph

from .conftest import AXE, PHONE, reading, served
from .staffed import LAT, LON, staffed

pytestmark = pytest.mark.browser

PASSING = ("status of 4", "ERR_INTERNET_DISCONNECTED", "ERR_FAILED")
"""What a browser itself reports of answers and of a network that a test takes away."""


@pytest.fixture
def office(tmp_path):
    with staffed(tmp_path) as made:
        yield made


@pytest.fixture
def address(office):
    with served(office.city) as address:
        yield address


@contextmanager
def phone(browser, address, office, login="lin", *, language="zh", look="light"):
    with reading(browser, address, (PHONE, language, look), place=(LON, LAT)) as reader:
        office.act_as(reader, login)
        yield reader
        reader.complaints[:] = [one for one in reader.complaints if not any(text in one for text in PASSING)]


def answer_verification(reader, number, *, picture=None):
    """Answer on the spot that it is so."""
    page = reader.page
    page.get_by_role("radio", name="属实").check()
    page.get_by_role("button", name="现场照片 拍照").set_input_files(
        {"name": "camera.jpg", "mimeType": "image/jpeg", "buffer": picture or photograph(7)}
    )
    page.locator(".shots img").wait_for()
    page.get_by_label("说明").fill("确有其事")
    page.locator(".field-send").get_by_role("button", name="反馈核实").tap()


def without_network(reader, number):
    reader.open(f"/field/case/{number}")
    reader.page.get_by_role("radio", name="属实").wait_for()
    reader.context.set_offline(True)
    reader.page.get_by_role("status").filter(has_text="没有网络。").first.wait_for()


def in_the_outbox(reader):
    reader.page.get_by_role("link", name="待发").first.tap()
    reader.page.locator(".field-item").get_by_text("确有其事").wait_for()


def test_tasks_are_listed_by_distance_or_deadline_and_opened_on_the_map(browser, office, address):
    urgent = office.to_handle("R1", east=0.004)
    near = office.to_handle("R2", east=0.001)
    with phone(browser, address, office, "yuan") as reader:
        page = reader.open("/field")
        page.locator(".field-card").first.get_by_text("103 米").wait_for()
        assert listed(page) == [near, urgent]
        page.get_by_role("button", name="按时限").tap()
        page.locator(".field-card").first.get_by_text("411 米").wait_for()
        assert listed(page) == [urgent, near]
        page.get_by_role("button", name="地图").tap()
        reader.settle()
        box = page.locator(".field-map canvas").bounding_box()
        # The map spans from oneself to the farther task, with half as much again on each side.
        page.touchscreen.tap(box["x"] + box["width"] * 0.72, box["y"] + box["height"] / 2)
        page.locator(".field-task dl").get_by_text(urgent).wait_for()


def listed(page):
    return [
        one.get_attribute("href").removeprefix("/field/case/") for one in page.locator(".field-card").all()
    ]


def test_what_changed_meanwhile_is_said_and_nothing_is_lost(browser, office, address):
    number = office.to_verify()
    with phone(browser, address, office) as reader:
        page = reader.page
        without_network(reader, number)
        answer_verification(reader, number)
        page.get_by_role("status").filter(has_text="已存在手机里").wait_for()
        office.act("shou", number, "amend", reason="类别有误", type="06002", kind="matter")
        in_the_outbox(reader)
        reader.context.set_offline(False)
        told = page.get_by_role("alert")
        told.get_by_text("已有变化").wait_for()
        told.get_by_text("更正").wait_for()
        told.get_by_text("都还在").wait_for()
        assert office.get(number).state == "pending_verify"
        page.get_by_role("button", name="已知变化，仍然发送").tap()
        page.get_by_role("heading", name="都已发送").wait_for()
        case = office.get(number)
        assert (case.state, case.finding, case.findings) == ("pending_register", "exist", 1)


def test_what_is_no_longer_wanted_stays_until_it_is_discarded(browser, office, address):
    number, main = office.to_verify(), office.report("另一件")
    with phone(browser, address, office) as reader:
        page = reader.page
        without_network(reader, number)
        answer_verification(reader, number)
        page.get_by_role("status").filter(has_text="已存在手机里").wait_for()
        office.act("shou", number, "merge", main=main)
        in_the_outbox(reader)
        reader.context.set_offline(False)
        page.get_by_role("alert").get_by_text("并案").wait_for()
        page.get_by_text("此案已不由您办理").wait_for()
        page.reload()
        page.locator(".field-item").get_by_text("确有其事").wait_for()
        page.get_by_role("button", name="丢弃").tap()
        page.get_by_role("dialog").get_by_role("button", name="保留").tap()
        page.get_by_role("button", name="丢弃").tap()
        page.get_by_role("dialog").get_by_role("button", name="丢弃").tap()
        page.get_by_role("heading", name="都已发送").wait_for()
        assert office.get(number).findings == 0


def test_an_answer_that_is_lost_on_its_way_does_nothing_twice(browser, office, address):
    number = office.to_verify()
    with phone(browser, address, office) as reader:
        page = reader.page
        lost = []

        def lose_the_first(route):
            if lost:
                route.continue_()
                return
            lost.append(route.fetch().status)
            route.abort()

        reader.context.route("**/steps", lose_the_first)
        reader.open(f"/field/case/{number}")
        answer_verification(reader, number)
        page.get_by_role("status").filter(has_text="已存在手机里").wait_for()
        assert lost == [200]
        assert office.get(number).findings == 1
        page.get_by_role("link", name="待发").first.tap()
        page.get_by_role("button", name="立即发送").tap()
        page.get_by_role("heading", name="都已发送").wait_for()
        assert office.get(number).findings == 1


def test_what_is_no_photograph_is_refused_clearly_and_kept(browser, office, address):
    number = office.to_verify()
    with phone(browser, address, office) as reader:
        page = reader.page
        reader.open(f"/field/case/{number}")
        page.get_by_role("radio", name="属实").check()
        page.get_by_role("button", name="现场照片 拍照").set_input_files(
            {"name": "camera.jpg", "mimeType": "image/jpeg", "buffer": b"no photograph"}
        )
        page.get_by_role("button", name="去掉现场照片 1").wait_for()
        page.get_by_label("说明").fill("确有其事")
        page.locator(".field-send").get_by_role("button", name="反馈核实").tap()
        page.get_by_role("status").filter(has_text="没有办成").wait_for()
        in_the_outbox(reader)
        page.get_by_role("alert").get_by_text("这个文件不是照片").wait_for()
        assert office.get(number).state == "pending_verify"


def test_a_report_without_a_network_is_sent_when_it_is_back(browser, office, address):
    with phone(browser, address, office) as reader:
        page = reader.open("/field/report")
        page.get_by_text("误差约 8 米").wait_for()
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.get_by_role("textbox", name="类别").fill("井盖")
        page.get_by_role("button", name="供水井盖").wait_for()
        reader.context.set_offline(True)
        page.goto(f"{address}/field/report")
        page.get_by_role("status").filter(has_text="没有网络。").first.wait_for()
        page.get_by_role("textbox", name="类别").fill("私搭")
        page.get_by_role("button", name="私搭乱建").tap()
        page.get_by_label("问题描述").fill("桥下搭棚")
        page.locator(".field-send").get_by_role("button", name="上报").tap()
        page.get_by_role("status").filter(has_text="已存在手机里").wait_for()
        reader.context.set_offline(False)
        page.get_by_role("link", name="待发").first.tap()
        page.get_by_role("heading", name="都已发送").wait_for()
        told = reader.context.request.get(f"{address}/api/cases").json()
        assert told["count"] == 1
        assert told["cases"][0]["lon"] == pytest.approx(LON, abs=1e-5)


def test_ones_own_way_is_kept_of_who_agrees_and_goes_when_one_wants(browser, office, address):
    with phone(browser, address, office) as reader:
        page = reader.open("/field/way")
        page.get_by_text("今天没有轨迹").wait_for()
        assert kept(reader) == 0
        page.get_by_role("switch", name="记录我的轨迹").check()
        page.get_by_text("路程").wait_for()
        reader.context.set_geolocation({"longitude": LON + 0.001, "latitude": LAT, "accuracy": 8})
        page.locator(".field-way dd").first.get_by_text("103 米").wait_for()
        assert kept(reader) == 2
        page.get_by_role("switch", name="记录我的轨迹").uncheck()
        page.get_by_role("button", name="删除全部轨迹").tap()
        page.get_by_role("dialog").get_by_role("button", name="删除全部轨迹").tap()
        page.get_by_text("今天没有轨迹").wait_for()
        assert kept(reader) == 0


def kept(reader):
    return len(reader.context.request.get(f"{reader.address}/api/cases/track").json()["fixes"])


@pytest.mark.skipif(not AXE.is_file(), reason="axe is not installed: make pages")
@pytest.mark.parametrize(("language", "look"), [("zh", "light"), ("en", "dark")])
def test_pages_of_the_field_are_accessible_and_fit_a_telephone(browser, office, address, language, look):
    number = office.to_verify(east=0.002)
    faults = {}
    with phone(browser, address, office, language=language, look=look) as reader:
        page = reader.page
        for path in ("/field", "/field?view=map", f"/field/case/{number}", "/field/report", "/field/way"):
            reader.open(path)
            faults[path] = look_at(reader)
        session = reader.context.request.get(f"{address}/api/session").json()
        refused = {
            "key": "0" * 32, "person": session["person"], "at": "2026-01-01T00:00:00Z", "action": "verify",
            "number": number, "seen": 1, "title": "反馈核实", "fields": {"words": "确有其事"},
            "shots": [], "refusal": {"code": "case-changed", "title": "已有变化", "since": []},
        }  # fmt: skip
        page.evaluate(PUT % json.dumps(refused))
        reader.open("/field/outbox")
        page.locator(".field-item").wait_for()
        faults["outbox"] = look_at(reader)
    assert {path: found for path, found in faults.items() if found} == {}


PUT = """new Promise((done) => {
  const asked = indexedDB.open("jingwei.field");
  asked.onsuccess = () => {
    const change = asked.result.transaction("outbox", "readwrite");
    change.objectStore("outbox").put(%s);
    change.oncomplete = () => { asked.result.close(); done(true); };
  };
})"""


def look_at(reader):
    found = reader.faults()
    if reader.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("the page is wider than the screen")
    small = reader.page.evaluate(
        "[...document.querySelectorAll('.field-body button, .field-tabs a, .field-card')]"
        ".filter((one) => one.getBoundingClientRect().height < 44"
        " && !one.closest('.maplibregl-ctrl') && !one.matches('.link-button')).map((one) => one.outerHTML)"
    )
    return found + [f"too small for a thumb: {one}" for one in small]
