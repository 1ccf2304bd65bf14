"""The hotline at a desk and on a phone: calls answered and made cases by keys, and what shows of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jingwei.access import add_person, give_role, local_person
from jingwei.access.vault import KEY_FILE, Vault
from jingwei.cases.hotline.knowledge import Draft, write
from jingwei.cases.hotline.switchboard import Demand, Switchboard
from jingwei.ledger.keys import settled
from jingwei.records import now_utc

from .conftest import DESK, PHONE, reading
from .office import PARKS, open_office

pytestmark = pytest.mark.browser

SAYS = {
    "zh": {
        "number": "来电号码", "said": "诉求内容", "answered": "已直接答复", "case": "已转为案件",
        "proposed": "建议的类型", "rates": "三率", "direct": "直接答复率", "articles": "知识库",
        "used": "用过 1 次", "topics": "热点", "calls": "6 个来电",
    },
    "en": {
        "number": "Caller's number", "said": "What the caller says", "answered": "Answered at once",
        "case": "Made a case", "proposed": "Proposed types", "rates": "Rates", "direct": "answered at once",
        "articles": "Articles", "used": "used 1 times", "topics": "Hot topics", "calls": "6 calls",
    },
}  # fmt: skip


@pytest.fixture
def hotline(tmp_path):
    """An office with a supervisor who takes calls, an article, and six callers who speak of one thing."""
    with open_office(tmp_path) as office:
        me = local_person()
        with office.city.records.write() as session:
            person = add_person(session, me, "hot", "热线小何")
            give_role(session, me, person, "hotline_supervisor", "")
            give_role(session, me, person, "staff", PARKS)
            draft = Draft("路灯报修", "请拨打市政热线，报灯杆编号。", PARKS, ("楼下路灯不亮找谁",))
            write(session, office.desk.policies(), me, draft)
        office.people["hot"] = f"person/{person}"
        yield office


def speak_of_water(office):
    """Let six callers of one street speak of one thing, and others of others the week before."""
    board = Switchboard(office.desk, Vault.open(settled(office.city.home, KEY_FILE)))
    me = local_person()
    for n in range(26):
        before = n >= 6
        said = (
            "自来水发黄有异味" if not before else f"{'东南西北'[n % 4]}门外广告牌破损{'甲乙丙丁戊'[n % 5]}处"
        )
        at = now_utc() - timedelta(days=7) if before else None
        with office.city.records.write() as session:
            call = board.take(session, me, caller=f"139001390{n:02}", at=at)
            demand = Demand("complain", "ordinary", said, area="990100001001")
            board.answer(session, me, call.number, demand, "", seen=1)


@pytest.mark.parametrize("screen", [(DESK, "zh", "light"), (PHONE, "en", "dark")], ids=["desk", "phone"])
def test_calls_are_answered_and_made_cases_by_keys_alone(browser, hotline, screen):
    says = SAYS[screen[1]]
    speak_of_water(hotline)
    with reading(browser, hotline.address, screen) as reader:
        hotline.sit(reader.context, "hot")
        page = reader.open("/hotline")
        keys = page.keyboard
        page.get_by_label(says["number"]).wait_for()
        page.locator(".hotline-ring input:focus").wait_for()
        keys.type("13800138000")
        keys.press("Enter")
        page.locator("#hotline-said:focus").wait_for()
        keys.type("我家楼下的路灯不亮了")
        page.locator(".knowledge summary", has_text="路灯报修").wait_for()
        keys.press("Alt+Digit1")
        page.locator(".chosen-article").wait_for()
        reader.settle()
        assert reader.faults() == []
        keys.press("Control+Enter")
        page.get_by_text(says["answered"], exact=True).wait_for()
        page.locator(".hotline-done button:focus").wait_for()
        keys.press("Enter")
        page.locator(".hotline-ring input:focus").wait_for()
        keys.type("138 0013 8000")
        keys.press("Enter")
        page.locator(".call-words", has_text="我家楼下的路灯不亮了").wait_for()
        page.locator("#hotline-said:focus").wait_for()
        keys.type("有人搭棚占道")
        page.get_by_role("group", name=says["proposed"]).get_by_role("button").first.wait_for()
        keys.press("Alt+Shift+Digit1")
        page.get_by_role("group", name=says["proposed"]).locator("[aria-pressed=true]").wait_for()
        keys.press("Alt+KeyP")
        keys.type("22.6, 114.05")
        page.locator("#hotline-place-list li").first.wait_for()
        keys.press("Enter")
        page.locator(".hotline .map[data-drawn=true]").wait_for()
        keys.press("Control+Shift+Enter")
        page.get_by_text(says["case"], exact=True).wait_for()
        assert len(page.locator(".hotline-code").inner_text().replace(" ", "")) == 10
        page.get_by_role("link", name=says["rates"]).click()
        page.get_by_role("row", name=says["direct"]).get_by_text("27 / 28").wait_for()
        page.get_by_role("link", name=says["articles"]).click()
        page.get_by_text(says["used"]).wait_for()
        page.get_by_role("link", name=says["topics"]).click()
        page.locator(".topic", has_text="自来水").wait_for()
        assert reader.faults() == []
        page.get_by_role("link", name=says["calls"]).click()
        page.locator(".call-row").nth(5).wait_for()
