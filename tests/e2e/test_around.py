"""What the public sees of cases: list, map, figures of a community, one case; joining it from there."""

from __future__ import annotations

import json
import re

import pytest
import shapely

from jingwei.access import local_person
from jingwei.cases import regime
from jingwei.cases.alerts import Alerts
from jingwei.cases.ground import Grid, put_grids
from jingwei.city.channels import FileChannel
from jingwei.city.settings import FILE

from .conftest import DESK, PHONE, reading, served
from .staffed import LAT, LON, staffed

pytestmark = pytest.mark.browser

STREET, COMMUNITY = "990100001", "990100001002"


@pytest.fixture
def office(tmp_path):
    with staffed(tmp_path) as made:
        near = shapely.box(LON - 0.01, LAT - 0.01, LON + 0.01, LAT + 0.01)
        far = shapely.box(LON + 0.01, LAT - 0.01, LON + 0.03, LAT + 0.01)
        with made.city.records.write() as session:
            me = local_person()
            put_grids(session, me, [Grid(f"{COMMUNITY}001", near), Grid(f"{STREET}003001", far)])
            names = {STREET: "东街道", COMMUNITY: "东一社区", f"{STREET}003": "东二社区"}
            regime.adopt(session, me, "settings", {"area_names": names})
        yield made


@pytest.fixture
def address(office):
    with served(office.city) as address:
        yield address


def test_who_looks_around_finds_a_case_by_area_list_and_map_and_joins_it(browser, office, address):
    number = office.report("搭棚占道")
    office.act("shou", number, "publish", words="有人搭棚占道，正在核实")
    office.report("另一处", east=0.02)
    with reading(browser, address, (PHONE, "zh", "light"), place=(LON, LAT)) as reader:
        page = reader.open("/report/around")
        page.get_by_text("共 2 件").wait_for()
        page.get_by_role("button", name="我在的社区").tap()
        page.get_by_role("heading", name="身边的事 · 东街道 东一社区").wait_for()
        page.get_by_text("共 1 件").wait_for()
        assert reader.faults() == []
        page.get_by_role("button", name="记为我的社区").tap()
        page.get_by_role("button", name="数字", exact=True).tap()
        page.get_by_text("期内上报的案件数").wait_for()
        page.get_by_text("不公布").first.wait_for()
        assert reader.faults() == []
        page.get_by_role("button", name="地图", exact=True).tap()
        page.locator(".map[data-drawn=true]").wait_for()
        assert reader.faults() == []
        page.get_by_role("button", name="列表").tap()
        page.locator(".cards a").tap()
        page.get_by_role("heading", name="私搭乱建").wait_for()
        page.get_by_text("有人搭棚占道，正在核实").wait_for()
        page.get_by_text("有人上报").wait_for()
        reader.settle()
        assert reader.faults() == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        page.get_by_role("button", name="我也遇到了").tap()
        page.get_by_role("radio", name="是这一件").wait_for()
        assert page.get_by_role("radio", name="是这一件").is_checked()
        page.get_by_role("link", name="身边的事").tap()
        page.get_by_role("heading", name="身边的事 · 东街道 东一社区").wait_for()


def test_on_a_wide_screen_with_the_keyboard_alone(browser, office, address):
    number = office.report("搭棚占道")
    with reading(browser, address, (DESK, "en", "dark")) as reader:
        page = reader.open(f"/report/around?area={STREET}")
        page.get_by_text("1 in all").wait_for()
        page.locator(".beside .map[data-drawn=true]").wait_for()
        assert reader.faults() == []
        page.get_by_label("Progress").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.get_by_text("Nothing like that.").wait_for()
        page.keyboard.press("ArrowUp")
        page.get_by_text("1 in all").wait_for()
        page.get_by_role("button", name="Figures").focus()
        page.keyboard.press("Enter")
        page.get_by_text("ended ÷ reported").wait_for()
        page.get_by_role("button", name="List").focus()
        page.keyboard.press("Enter")
        page.locator(".cards a").focus()
        page.keyboard.press("Enter")
        page.get_by_text(number).wait_for()
        feed = page.request.get(f"{address}/api/public/feed.atom").text()
        assert f"{address}/report/around/{number}" in feed
        page.goto(f"{address}/report/around/{number[:-1]}9")
        page.get_by_role("alert").wait_for()
        reader.complaints[:] = [one for one in reader.complaints if "status of 404" not in one]


def test_alerts_by_e_mail_begin_and_end_with_the_code(browser, office):
    (office.city.home / FILE).write_text('[notices]\nfile = "sent"\n', "utf-8")
    sent = office.city.home / "sent"
    with (
        served(office.city) as address,
        reading(browser, address, (PHONE, "zh", "light"), place=(LON, LAT)) as reader,
    ):
        page = reader.open(f"/report/around?area={COMMUNITY}")
        page.get_by_text("有新的就发邮件给我").tap()
        page.get_by_label("电子邮箱").fill("me@example.org")
        assert reader.faults() == []
        page.get_by_role("button", name="发确认邮件").tap()
        page.get_by_text("确认邮件已经发出").wait_for()
        channel = FileChannel(sent)
        Alerts(office.city.records, office.desk, channel, office.city.about.name, address).send()
        body = json.loads(sent.read_text("utf-8"))["body"]
        page.goto(re.search(r"http\S+", body).group())
        page.get_by_text("东一社区，所有类别 · 每天").wait_for()
        assert reader.faults() == []
        page.get_by_role("button", name="确认开通").tap()
        page.get_by_text("已经开通。").wait_for()
        page.get_by_role("button", name="停止提醒").tap()
        page.get_by_text("已停止，地址已删除。").wait_for()
