"""What the city does about what the public says: a photograph covered, a sender barred, a word to all."""

from __future__ import annotations

import io
import os
import secrets

import pytest
from PIL import Image

from jingwei.cases import barring, citizens, open_data
from jingwei.cases.board import Board
from jingwei.cases.citizens import CitizenReport, Contact
from jingwei.cases.photos import FOLDER, Photos
from photographs import photograph

from .conftest import DESK, PHONE, reading, served
from .staffed import LAT, LON, staffed

pytestmark = pytest.mark.browser


@pytest.fixture
def office(tmp_path):
    with staffed(tmp_path) as made:
        yield made


@pytest.fixture
def address(office):
    with served(office.city) as address:
        yield address


@pytest.fixture
def shot(tmp_path):
    """Takes a picture of a page to look at, where `JINGWEI_SHOTS` names a folder."""
    folder = os.environ.get("JINGWEI_SHOTS")

    def shot(page, name):
        if folder:
            page.screenshot(path=f"{folder}/{name}.png", full_page=True)

    return shot


def sent_with_photograph(office):
    """A citizen's report with a photograph and an address; return its number and the photograph's name."""
    secret, kept = secrets.token_hex(16), Photos(office.city.home / FOLDER)
    asker = citizens.reporter_of(secret)
    picture = kept.keep(office.city.records, asker, photograph(3), office.city.about.zone).digest
    contact = Contact(email="rude@example.org")
    report = CitizenReport(secret, "matter", "06001", LON, LAT, "骂人的话", (picture,), contact=contact)
    with office.city.records.write() as session:
        case, _ = citizens.take_in(session, office.desk, report)
        barring.note(session, case.number, barring.marks_of(str.encode, contact, ""))
    return case.number, picture


def test_what_the_staff_show_cover_bar_and_say(browser, office, address, shot):
    number, picture = sent_with_photograph(office)
    with reading(browser, address, (DESK, "zh", "light")) as reader:
        office.act_as(reader, "shou")
        page = reader.open(f"/cases/{number}?step=publish")
        page.get_by_role("button", name="遮盖照片 1").click()
        page.get_by_role("button", name="添加黑块").click()
        box = page.get_by_role("button", name="黑块 1")
        box.focus()
        for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight"):
            box.press(key)
        shot(page, "cover")
        assert reader.faults() == []
        page.get_by_role("button", name="用遮盖后的照片").click()
        page.get_by_role("dialog").wait_for(state="hidden")
        page.get_by_label("说明").fill("有人搭棚占道")
        page.locator("form").filter(has_text="对外公布").get_by_role("button", name="对外公布").click()
        page.get_by_text("有人搭棚占道").first.wait_for()
        page.get_by_role("button", name="限制此来源上报").click()
        page.get_by_role("checkbox", name="邮箱").check()
        page.get_by_label("理由").fill("多次辱骂")
        shot(page, "bar")
        assert reader.faults() == []
        page.get_by_role("dialog").get_by_role("button", name="限制此来源上报").click()
        page.get_by_text("已限制").wait_for()
        office.act_as(reader, "zhang")
        page = reader.open("/cases/moderation")
        page.get_by_text("多次辱骂").wait_for()
        page.get_by_label("中文").fill("台风红色预警，请勿外出")
        page.get_by_label("英文").fill("Typhoon: stay at home")
        page.get_by_label("显示到").fill("2030-01-01T08:00")
        page.get_by_role("button", name="发布").click()
        page.get_by_text("已发布").wait_for()
        told = page.request.get(f"{address}/api/cases/announcement").json()
        assert told["until"] == "2030-01-01T00:00:00Z"  # in the city's time, wherever the browser is
        shot(page, "moderation")
        assert reader.faults() == []
    case = office.get(number)
    (shown,) = case.shown
    assert shown != picture
    with Image.open(io.BytesIO(Photos(office.city.home / FOLDER).path(shown).read_bytes())) as covered:
        assert sum(covered.getpixel((int(covered.width * 0.45), int(covered.height * 0.45)))) < 30
        assert sum(covered.getpixel((int(covered.width * 0.9), int(covered.height * 0.9)))) > 60


def test_what_everybody_is_told_and_can_take_along(browser, office, address, shot):
    numbers = [office.report() for _ in range(5)]
    office.act("shou", numbers[0], "publish", words="有人搭棚占道")
    open_data.publish(office.city, office.desk, Board(office.city.records, office.desk))
    with reading(browser, address, (DESK, "en", "dark")) as reader:
        page = reader.open("/cases/administration/keys")
        page.get_by_role("button", name="New key").click()
        page.get_by_label("Which system").fill("Next City")
        page.get_by_role("dialog").get_by_role("button", name="New key").click()
        page.get_by_text("Write it down now").wait_for()
        assert len(page.get_by_role("dialog").locator("code").inner_text()) > 20
        shot(page, "keys")
        page.get_by_role("dialog").get_by_role("button", name="Close").last.click()
        page.get_by_text("Next City").wait_for()
        assert reader.faults() == []
        reader.open("/cases/administration/forwards").get_by_text("Nothing was forwarded").wait_for()
    with reading(browser, address, (PHONE, "zh", "light"), place=(LON, LAT)) as reader:
        page = reader.open("/report/around")
        page.get_by_text("开放数据（5 件").wait_for()
        with page.expect_download() as taken:
            page.get_by_role("link", name="CSV").tap()
        text = taken.value.path().read_text("utf-8-sig")
        assert [one for one in numbers if one in text] == numbers
        page.get_by_role("button", name="大字").tap()
        shot(page, "around-large")
        assert reader.faults() == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        for where in (f"around/{numbers[0]}", "alerts", "mine"):
            page = reader.open(f"/report/{where}")
            page.get_by_role("heading").first.wait_for()
            shot(page, where.split("/")[0])
            assert reader.faults() == []
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
