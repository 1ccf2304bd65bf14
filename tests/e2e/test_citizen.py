"""The half hour of a citizen at 390 pixels: report, join, lose the network, follow, reject, rate."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import select

from jingwei.access import asker_of_person
from jingwei.cases.models import CaseRow
from jingwei.cases.photos import FOLDER, Photos
from photographs import photograph

from .conftest import PHONE, reading, served
from .staffed import LAT, LON, PARKS, staffed

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
def phone(browser, address, language="zh", look="light"):
    with reading(browser, address, (PHONE, language, look), place=(LON, LAT)) as reader:
        yield reader
        reader.complaints[:] = [one for one in reader.complaints if not any(text in one for text in PASSING)]


def photographed(page, label, number=1):
    picture = photograph(number, place=(LON, LAT))
    page.get_by_label(label).set_input_files(
        {"name": "camera.jpg", "mimeType": "image/jpeg", "buffer": picture}
    )


def to_closed(office, number, *, rule="R2", chief="zhang", shot=9):
    """Let the staff bring a citizen's case to its end."""
    with office.city.records.read() as session:
        person = asker_of_person(session, office.people["yuan"])
    kept = Photos(office.city.home / FOLDER)
    picture = kept.keep(office.city.records, person, photograph(shot), office.city.about.zone).digest
    for login, action, fields in (
        ("shou", "accept", {}),
        ("shou", "send_verify", {}),
        ("lin", "verify", {"finding": "exist"}),
        ("shou", "register", {"rule": rule}),
        ("pai", "dispatch", {"department": PARKS}),
        ("zhi", "assign", {"handler": person.id}),
        ("yuan", "submit", {"photos": [picture]}),
        ("zhi", "confirm", {}),
        ("shou", "send_check", {}),
        ("lin", "check", {"verdict": "pass"}),
        (chief, "close", {"closing": "拆除", "words": "棚子已拆"}),
    ):
        office.act(login, number, action, **fields)


def numbers(office):
    with office.city.records.read() as session:
        return list(session.scalars(select(CaseRow.number).order_by(CaseRow.number)))


WORDS = {
    "zh": (
        "拍照或选照片", "照片里的位置", "说说情况", "有人私搭棚子",
        "私搭乱建", "发送", "已收到", "看进展",
    ),
    "en": (
        "Take or choose a photograph", "From the photograph", "Tell what you see", "an illegal building",
        "Unauthorised construction", "Send", "Received", "Follow it",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("language", "look"), [("zh", "light"), ("en", "dark")])
def test_a_citizen_reports_in_three_taps_and_follows(browser, office, address, language, look):
    camera, from_photo, words, said, type_, send, received, follow = WORDS[language]
    with phone(browser, address, language, look) as reader:
        page = reader.open("/report")
        photographed(page, camera)
        page.get_by_text(from_photo, exact=True).wait_for()
        page.get_by_label(words).fill(said)
        page.locator(".types label", has_text=type_).tap()
        assert reader.faults() == []
        page.get_by_role("button", name=send, exact=True).tap()
        page.get_by_role("heading", name=received).wait_for()
        page.get_by_role("button", name=follow).tap()
        page.get_by_text(said).wait_for()
        page.locator("ol.told img").wait_for()
        assert reader.faults() == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert len(numbers(office)) == 1


def test_what_is_written_without_a_network_is_sent_once_when_it_is_back(browser, office, address):
    with phone(browser, address) as reader:
        page = reader.open("/report")
        page.get_by_text("手机现在的位置").wait_for()
        page.get_by_role("radio", name="私搭乱建").wait_for()
        page.get_by_label("说说情况").fill("没有网络时写的")
        reader.context.set_offline(True)
        page.get_by_role("status").filter(has_text="没有网络").wait_for()
        photographed(page, "拍照或选照片")
        page.locator(".shots img").wait_for()
        page.locator(".types label", has_text="私搭乱建").tap()
        page.get_by_role("button", name="发送").tap()
        page.get_by_role("heading", name="已存在手机里").wait_for()
        page.get_by_text("1 件等待发送").wait_for()
        assert numbers(office) == []
        reader.context.set_offline(False)
        page.get_by_role("link", name="我的上报").tap()
        page.get_by_role("link", name="私搭乱建").wait_for()
        page.reload()
        page.get_by_role("link", name="私搭乱建").tap()
        page.get_by_text("没有网络时写的").wait_for()
        page.locator("ol.told img").wait_for()
    assert len(numbers(office)) == 1


def test_a_draft_outlives_the_page(browser, office, address):
    with phone(browser, address) as reader:
        page = reader.open("/report")
        photographed(page, "拍照或选照片")
        page.get_by_text("照片里的位置", exact=True).wait_for()
        page.get_by_label("说说情况").fill("写了一半")
        page.locator(".types label", has_text="私搭乱建").tap()
        page.wait_for_function(_KEPT)
        page.reload()
        page.locator(".shots img").wait_for()
        assert page.get_by_label("说说情况").input_value() == "写了一半"
        assert page.get_by_role("radio", name="私搭乱建").is_checked()
    assert numbers(office) == []


_KEPT = """() => new Promise((told) => {
    const asked = indexedDB.open('jingwei.citizen');
    asked.onsuccess = () => {
        const read = asked.result.transaction('draft').objectStore('draft').get('now');
        read.onsuccess = () => {
            asked.result.close();
            told(read.result?.words === '写了一半' && read.result?.type?.code === '06001');
        };
    };
})"""


def test_joining_rejecting_and_rating(browser, office, address):
    first = office.report("搭棚占道")
    office.act("shou", first, "publish", words="有人搭棚占道，正在核实")
    with phone(browser, address) as reader:
        page = reader.open("/report")
        page.get_by_text("手机现在的位置").wait_for()
        page.get_by_label("说说情况").fill("搭棚占道，没法走")
        page.locator(".types label", has_text="私搭乱建").tap()
        page.get_by_text("有人搭棚占道，正在核实").wait_for()
        page.get_by_role("radio", name="是这一件").tap()
        assert reader.faults() == []
        page.get_by_role("button", name="发送").tap()
        page.get_by_role("button", name="看进展").tap()
        page.get_by_text(f"与 {first} 一起办").wait_for()
        page.get_by_text("搭棚占道，没法走").wait_for()
        to_closed(office, first)
        page.reload()
        page.get_by_role("heading", name="办完了").wait_for()
        page.get_by_text("棚子已拆").wait_for()
        page.get_by_role("button", name="没有解决，请重办").tap()
        page.get_by_label("哪里没有解决").fill("棚子还在")
        page.get_by_role("button", name="确定").tap()
        page.get_by_role("heading", name="已受理").wait_for()
        page.get_by_text("结案前会由另一人核查").wait_for()
        assert reader.faults() == []
    case = office.get(first)
    assert (case.state, case.reworks, case.disputed) == ("pending_register", 1, 1)


def test_a_reporter_rates_what_was_done(browser, office, address):
    with phone(browser, address) as reader:
        page = reader.open("/report")
        page.get_by_text("手机现在的位置").wait_for()
        page.locator(".types label", has_text="私搭乱建").tap()
        page.get_by_role("button", name="发送").tap()
        page.get_by_role("heading", name="已收到").wait_for()
        (number,) = numbers(office)
        to_closed(office, number)
        page.get_by_role("button", name="看进展").tap()
        page.get_by_role("button", name="解决了，评价一下").tap()
        page.get_by_role("radio", name="满意", exact=True).tap()
        page.get_by_role("button", name="确定").tap()
        page.get_by_text("您的评价：满意").wait_for()
    assert office.get(number).result_score == 4
