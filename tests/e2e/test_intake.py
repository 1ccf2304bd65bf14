"""From a file that comes in to what is corrected, at a desk, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from jingwei.corrections import Reviewer
from jingwei.ledger.sealer import Sealer
from square import open_square

from .conftest import reading, served

pytestmark = pytest.mark.browser

HEAD = "编号,名称,经度,纬度\n"
GOOD = [f"S{n:02},第{n}站,{114.02 + n / 1000},{22.54}" for n in range(40)]
SPOILT = [*GOOD[:36], *[row.replace(f"第{36 + n}站", "") for n, row in enumerate(GOOD[36:])]]


@pytest.fixture
def desk(tmp_path, browser):
    """A reader at a desk before a square city of its own, whose log is sealed and followed."""
    with open_square(tmp_path) as city:
        sealing, following = (
            Sealer(city.records, tmp_path / "home" / "log").running(),
            Reviewer(city.records).running(),
        )
        with sealing, following, served(city) as address, reading(browser, address) as reader:
            yield reader


def hand_in(page, name, rows):
    content = (HEAD + "\n".join(rows) + "\n").encode("gb18030")
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )


def test_a_file_is_taken_in_agreed_on_checked_corrected_and_closed(desk):
    page = desk.open("/data/intake")
    page.get_by_text("还没有收到文件").wait_for()
    hand_in(page, "车站9月.csv", SPOILT)
    page.get_by_role("heading", name="车站9月.csv").wait_for()
    desk.settle()
    assert desk.faults() == []
    page.get_by_label("标识").fill("stations")
    page.get_by_label("坐标系").select_option("WGS84")
    page.get_by_role("combobox", name="由哪些数据集算出").fill("行政")
    page.get_by_role("option", name="行政区").click()
    page.get_by_role("button", name="重新识别").click()
    page.get_by_text("40", exact=True).first.wait_for()
    page.get_by_role("button", name="装载", exact=True).click()
    page.get_by_role("link", name="查看数据集").click()
    page.wait_for_url("**/data/stations")

    page.get_by_role("link", name="契约").click()
    page.get_by_role("heading", name="建议的契约").wait_for()
    assert desk.faults() == []
    page.get_by_label("名称: 必填").check()
    page.get_by_label("名称: 级别").select_option("2 级")
    page.get_by_role("button", name="名称 更多约定").press("Enter")
    page.get_by_label("名称: 写法").fill("[")
    page.get_by_role("button", name="生效").press("Enter")
    expect(page.get_by_label("名称: 写法")).to_be_focused()
    page.get_by_text("不是正则表达式").first.wait_for()
    assert desk.faults() == []
    desk.complaints.clear()  # the browser tells of the answer 400, which is meant
    page.get_by_label("名称: 写法").fill("")
    page.get_by_role("button", name="生效").click()
    page.get_by_role("heading", name="第 1 版契约，已生效").wait_for()

    page.get_by_role("link", name="质量").click()
    page.get_by_role("button", name="立即检查").click()
    page.get_by_text("“名称”缺少值。").first.wait_for()
    page.get_by_text("请责任单位更正").first.click()
    page.get_by_role("button", name="请责任单位更正").click()
    page.wait_for_url("**/data/corrections/*")
    page.get_by_text("剩 4 / 4 行").wait_for()
    assert desk.faults() == []

    hand_in(page, "车站更正.csv", GOOD)
    page.get_by_text("剩 0 / 4 行").wait_for()
    page.get_by_text("已更正").wait_for()

    desk.open("/data/intake")
    hand_in(page, "车站10月.csv", [*GOOD, "S99,新站,114.1,22.6"])
    page.get_by_text("这是数据源 stations 的下一个文件").wait_for()
    page.get_by_role("button", name="不是由“行政区”算出").wait_for()
    page.get_by_role("button", name="装载", exact=True).click()
    page.get_by_text("已载入").first.wait_for()
