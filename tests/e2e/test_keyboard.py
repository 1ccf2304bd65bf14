"""The half hour of a citizen, and what staff do about it, by keyboard alone: two languages, 390 pixels."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
import shapely
from msgspec import structs
from sqlalchemy import select

from jingwei.access import local_person
from jingwei.cases import barring, citizens, regime
from jingwei.cases.alerts import Alerts
from jingwei.cases.citizens import CitizenReport, Contact
from jingwei.cases.ground import Grid, put_grids
from jingwei.cases.models import CaseRow
from jingwei.city.channels import FileChannel
from jingwei.city.settings import FILE
from jingwei.records import now_utc

from .conftest import PHONE, reading, served
from .staffed import LAT, LON, staffed
from .test_citizen import PASSING, to_closed

pytestmark = pytest.mark.browser

BOTH = pytest.mark.parametrize(("language", "look"), [("zh", "light"), ("en", "dark")])
SAYS = {
    "zh": {
        "here": "手机现在的位置", "report": "上报问题", "words": "说说情况", "type": "私搭乱建",
        "send": "发送", "received": "已收到", "follow": "看进展", "same": "是这一件",
        "joined": "与 {} 一起办",
        "offline": "没有网络", "kept": "已存在手机里", "mine": "我的上报", "done": "办完了",
        "reopen": "没有解决，请重办", "why": "哪里没有解决", "yes": "确定", "again": "已受理",
        "rate": "解决了，评价一下", "good": "满意", "rated": "您的评价：满意",
        "account": "在别的手机上也能看",
        "email": "电子邮箱", "ask": "发登录码", "code": "登录码", "enter": "登录", "in": "已登录",
        "street": "街道", "east": "东街道", "kind": "类别", "alert": "有新的就发邮件给我",
        "question": "发确认邮件",
        "asked": "确认邮件已经发出", "on": "确认开通", "is_on": "已经开通", "end": "停止提醒",
        "ended": "已停止",
        "zh": "中文", "en": "英文", "until": "显示到", "say": "发布", "said": "已发布",
        "answers": "答复模板",
        "put": "填入中文", "publish": "对外公布", "bar": "限制此来源上报", "by_mail": "邮箱",
        "reason": "理由", "barred": "已限制", "answer": "此处问题已有多人反映",
    },
    "en": {
        "here": "Where the telephone is now", "report": "Report a problem", "words": "Tell what you see",
        "type": "Unauthorised construction", "send": "Send", "received": "Received", "follow": "Follow it",
        "same": "It is this one", "joined": "Dealt with together with {}", "offline": "No network",
        "kept": "Kept on this telephone", "mine": "My reports", "done": "Done", "reopen": "It is not fixed",
        "why": "What is not solved", "yes": "Confirm", "again": "Accepted", "rate": "It is solved: rate it",
        "good": "Good", "rated": "Your rating: Good", "account": "See them on another telephone",
        "email": "E-mail", "ask": "Send me a code", "code": "Code", "enter": "Enter", "in": "You are in",
        "street": "Street", "east": "East Street", "kind": "Type", "alert": "Tell me of new ones by e-mail",
        "question": "Send the question", "asked": "the question is on its way", "on": "Yes, I want it",
        "is_on": "It is on", "end": "End it", "ended": "It has ended",
        "zh": "Chinese", "en": "English", "until": "Until", "say": "Show it", "said": "It is shown",
        "answers": "Answers", "put": "Put in English", "publish": "tell the public",
        "bar": "Bar this sender", "by_mail": "E-mail", "reason": "Reason", "barred": "The sender is barred",
        "answer": "Several people told us of this",
    },
}  # fmt: skip
_FOCUSED = """() => {
    const one = document.activeElement;
    const label = one.labels?.[0]?.innerText || one.getAttribute('aria-label') || one.innerText || '';
    const ticked = one.type === 'radio' || one.type === 'checkbox';
    return [ticked ? one.type : one.tagName.toLowerCase(), label.trim()];
}"""
_CHOSEN = "() => document.activeElement.selectedOptions[0].innerText"


def go(page, role, name, key=""):
    """Go to a control by the tab key alone, forwards, and use it."""
    seen = []
    for _ in range(120):
        page.keyboard.press("Tab")
        found = page.evaluate(_FOCUSED)
        seen.append(found)
        if found[0] == role and found[1].startswith(name):
            if key:
                page.keyboard.press(key)
            return
    pytest.fail(f"{role} {name} is not reached by the tab key: {seen}")


def choose(page, name):
    """Go on with the arrow keys within a group until something is chosen."""
    for _ in range(20):
        if page.evaluate(_FOCUSED)[1].startswith(name):
            page.keyboard.press("Space")
            return
        page.keyboard.press("ArrowDown")
    pytest.fail(f"{name} is not reached by the arrow keys")


def pick(page, label, text):
    """Go to a list of choices and choose the one that bears some words."""
    go(page, "select", label)
    for _ in range(40):
        if text in page.evaluate(_CHOSEN):
            return
        page.keyboard.press("ArrowDown")
    pytest.fail(f"{label} has no {text}")


def write_time(page):
    """Type the beginning of 2030 into the field with the focus, in the order in which the browser asks."""
    year = ("2030", "ArrowRight")
    for parts in ((*year, "01", "01", "0800A"), ("01", "01", *year, "0800A")):
        for part in parts:
            press = page.keyboard.press if part == "ArrowRight" else page.keyboard.type
            press(part)
        if page.evaluate("document.activeElement.value").startswith("2030-01-01T08"):
            return
        for _ in range(8):
            page.keyboard.press("ArrowLeft")
    pytest.fail("the time cannot be typed")


@pytest.fixture
def office(tmp_path):
    with staffed(tmp_path) as made:
        with made.city.records.write() as session:
            settings = regime.load(session).settings
            names = {"990100001": "东街道"}
            fresh = structs.replace(settings, area_names=names, area_names_en={"990100001": "East Street"})
            regime.adopt(session, local_person(), "settings", fresh)
        (made.city.home / FILE).write_text('[notices]\nfile = "notices.jsonl"\n', "utf-8")
        yield made


@pytest.fixture
def address(office):
    with served(office.city) as address:
        yield address


def told(office):
    """Return the messages that were sent."""
    path = office.city.home / "notices.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def code_in(message):
    return re.search(r"[A-Z2-7]{10}", message["body"]).group()


def alerts(office, later=None):
    channel = FileChannel(office.city.home / "notices.jsonl")
    return Alerts(office.city.records, office.desk, channel, office.city.about.name).send(later)


def write_report(page, says, words):
    page.get_by_text(says["here"]).wait_for()
    offered = page.locator(".types label", has_text=says["type"])
    offered.wait_for()
    go(page, "textarea", says["words"])
    page.keyboard.type(words)
    page.wait_for_timeout(500)  # the types follow what is written
    offered.wait_for()


@BOTH
def test_a_citizens_half_hour(browser, office, address, language, look):
    says = SAYS[language]
    first = office.report("搭棚占道")
    office.act("shou", first, "publish", words="搭棚占道，正在核实")
    with reading(browser, address, (PHONE, language, look), place=(LON, LAT)) as reader:
        page = reader.open("/report")
        write_report(page, says, "搭棚占道")
        go(page, "radio", "")
        choose(page, says["type"])
        page.get_by_role("radio", name=says["same"]).wait_for()
        go(page, "radio", "")
        choose(page, says["same"])
        assert reader.faults() == []
        go(page, "button", says["send"], "Enter")
        page.get_by_role("heading", name=says["received"]).wait_for()
        go(page, "button", says["follow"], "Enter")
        page.get_by_text(says["joined"].format(first)).wait_for()
        to_closed(office, first)
        page.reload()
        page.get_by_role("heading", name=says["done"]).wait_for()
        go(page, "button", says["reopen"], "Enter")
        go(page, "textarea", says["why"])
        page.keyboard.type("棚子还在")
        assert reader.faults() == []
        go(page, "button", says["yes"], "Enter")
        page.get_by_role("heading", name=says["again"]).wait_for()
        assert office.get(first).disputed == 1

        go(page, "a", says["report"], "Enter")
        write_report(page, says, "又一处，隔一条街")
        reader.context.set_offline(True)
        page.get_by_text(says["offline"]).first.wait_for()
        go(page, "radio", "")
        choose(page, says["type"])
        go(page, "button", says["send"], "Enter")
        page.get_by_role("heading", name=says["kept"]).wait_for()
        reader.context.set_offline(False)
        go(page, "a", says["mine"], "Enter")
        page.locator(".mine a", has_text=says["type"]).nth(1).wait_for()
        with office.city.records.read() as session:
            numbers = list(session.scalars(select(CaseRow.number).order_by(CaseRow.id)))
        assert len(numbers) == 3
        to_closed(office, numbers[-1], shot=8)
        go(page, "a", says["type"], "Enter")
        page.get_by_role("heading", name=says["done"]).wait_for()
        go(page, "button", says["rate"], "Enter")
        go(page, "radio", "")
        choose(page, says["good"])
        go(page, "button", says["yes"], "Enter")
        page.get_by_text(says["rated"]).wait_for()
        assert reader.faults() == []
        reader.complaints[:] = [one for one in reader.complaints if not any(text in one for text in PASSING)]
    assert office.get(numbers[-1]).result_score == 4


@BOTH
def test_an_account_and_an_alert(browser, office, address, language, look):
    says = SAYS[language]
    grid = Grid("990100001002003", shapely.box(LON - 0.02, LAT - 0.02, LON + 0.02, LAT + 0.02))
    with office.city.records.write() as session:
        put_grids(session, local_person(), [grid])
    office.report()
    with reading(browser, address, (PHONE, language, look), place=(LON, LAT)) as reader:
        page = reader.open("/report/mine")
        go(page, "summary", says["account"], "Enter")
        go(page, "input", says["email"])
        page.keyboard.type("me@example.org")
        go(page, "button", says["ask"], "Enter")
        page.get_by_label(says["code"], exact=True).first.wait_for()
        assert reader.faults() == []
        page.keyboard.press("Shift+Tab")
        assert page.evaluate(_FOCUSED)[1].startswith(says["code"])
        page.keyboard.type(code_in(told(office)[-1]))
        page.keyboard.press("Enter")
        page.get_by_text(says["in"]).wait_for()
        assert reader.faults() == []

        page = reader.open("/report/around")
        pick(page, says["street"], says["east"])
        pick(page, says["kind"], says["type"])
        go(page, "summary", says["alert"], "Enter")
        go(page, "input", says["email"])
        page.keyboard.type("me@example.org")
        go(page, "button", says["question"], "Enter")
        page.get_by_text(says["asked"]).wait_for()
        assert reader.faults() == []
        alerts(office)
        asked = told(office)[-1]
        page = reader.open(f"/report/alerts#{code_in(asked)}")
        go(page, "button", says["on"], "Enter")
        page.get_by_text(says["is_on"]).wait_for()
        assert reader.faults() == []
        number = office.report("新的一处")
        alerts(office, now_utc() + timedelta(days=1, hours=1))
        assert number in told(office)[-1]["body"]
        go(page, "button", says["end"], "Enter")
        page.get_by_text(says["ended"]).wait_for()


def rude(office):
    """A report whose sender is still known by an address; return its number."""
    secret, contact = "5" * 32, Contact(email="rude@example.org")
    report = CitizenReport(secret, "matter", "06001", LON, LAT, "骂人的话", contact=contact)
    with office.city.records.write() as session:
        case, _ = citizens.take_in(session, office.desk, report)
        barring.note(session, case.number, barring.marks_of(str.encode, contact, ""))
    return case.number


@BOTH
def test_what_staff_publish_bar_and_say_to_everybody(browser, office, address, language, look):
    says = SAYS[language]
    number = rude(office)
    with reading(browser, address, (PHONE, language, look)) as reader:
        office.act_as(reader, "shou")
        page = reader.open(f"/cases/{number}?step=publish")
        page.get_by_label(says["answers"]).wait_for()
        go(page, "select", says["answers"])
        page.keyboard.press("End")
        go(page, "button", says["put"], "Enter")
        assert reader.faults() == []
        go(page, "button", says["publish"], "Enter")
        page.get_by_text(says["answer"]).last.wait_for()
        go(page, "button", says["bar"], "Enter")
        page.get_by_role("dialog").wait_for()
        go(page, "checkbox", says["by_mail"], "Space")
        go(page, "input", says["reason"])
        page.keyboard.type("辱骂")
        assert reader.faults() == []
        go(page, "button", says["bar"], "Enter")
        page.get_by_text(says["barred"]).wait_for()
        office.act_as(reader, "zhang")
        page = reader.open("/cases/moderation")
        for name, text in (("zh", "台风红色预警"), ("en", "Typhoon: stay at home")):
            go(page, "input", says[name])
            page.keyboard.type(text)
        go(page, "input", says["until"])
        write_time(page)
        go(page, "button", says["say"], "Enter")
        page.get_by_text(says["said"]).wait_for()
        assert reader.faults() == []
        shown = page.request.get(f"{address}/api/public/city").json()["message"]
        assert shown == {"zh": "台风红色预警", "en": "Typhoon: stay at home"}
