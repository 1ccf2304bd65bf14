"""Cases at a desk and on a phone: inbox, a step, two people at once, dispatch by keyboard, many at once."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from jingwei.access import local_person

from .conftest import DESK, PHONE, reading
from .office import PARKS, WATER, open_office

pytestmark = pytest.mark.browser

SAYS = {
    "zh": {
        "nothing": "没有等您办理的案件",
        "register": "立案",
        "rule": "有私搭乱建",
        "search": "编号、网格、类别或描述",
        "awaiting": "待立案",
        "reason": "理由",
        "reject": "不予立案",
        "changed": "在您填写时案件有了变化",
        "go_on": "已知悉，继续办理",
        "dispatched": "已派遣给园林局",
        "order": "督办",
        "words": "说明",
        "run": "督办 2 件",
        "sum": "成功 2 件，未成功 0 件",
        "choose_all": "选中本页全部",
        "report": "上报",
        "type": "类别",
        "description": "问题描述",
        "centre": "取地图中心",
        "keys": "快捷键",
        "works": "班",
        "rests": "休",
    },
    "en": {
        "nothing": "No case waits for you",
        "register": "register",
        "rule": "有私搭乱建",
        "search": "Number, grid, type or words",
        "awaiting": "awaiting registration",
        "reason": "the reason",
        "reject": "do not register",
        "changed": "The case changed while you were writing",
        "go_on": "I have seen this, go on",
        "dispatched": "was dispatched to 园林局",
        "order": "order supervision",
        "words": "a remark",
        "run": "order supervision: 2",
        "sum": "2 done, 0 not done",
        "choose_all": "Choose all on this page",
        "report": "Report",
        "type": "Type",
        "description": "Description",
        "centre": "Take the middle",
        "keys": "Keyboard shortcuts",
        "works": "Works",
        "rests": "Rests",
    },
}
BOTH = pytest.mark.parametrize(
    "screen", [(DESK, "zh", "light"), (PHONE, "en", "dark")], ids=["desk", "phone"]
)


@pytest.fixture
def office(tmp_path):
    with open_office(tmp_path) as office:
        yield office


@contextmanager
def sitting(browser, office, who, screen=(DESK, "zh", "light")):
    """Give one of the staff (or who may do everything) at a screen, with the words of the language."""
    with reading(browser, office.address, screen) as reader:
        if who:
            office.sit(reader.context, who)
        yield reader, SAYS[screen[1]]
        # That a step was refused is what the page is about; the browser notes it as an error all the same.
        reader.complaints[:] = [one for one in reader.complaints if "status of 409" not in one]


def row(page, case):
    return page.locator(f'[data-number="{case.number}"]')


@BOTH
def test_an_inbox_holds_what_waits_and_fills_and_empties_while_one_looks(browser, office, screen):
    with sitting(browser, office, "acceptor", screen) as (reader, says):
        page = reader.open("/cases")
        page.get_by_text(says["nothing"]).wait_for()
        case = office.report("棚屋占道")
        row(page, case).wait_for()
        assert reader.faults() == []
        other = office.report("另一处棚屋", n=40)
        row(page, other).wait_for()
        page.get_by_placeholder(says["search"]).fill("另一处")
        row(page, case).wait_for(state="detached")
        row(page, other).wait_for()
        page.get_by_placeholder(says["search"]).fill("")
        row(page, case).wait_for()
        assert "search" not in page.url
        office.act("acceptor", case, "register", rule="R1")
        row(page, case).wait_for(state="detached")
        row(page, other).get_by_text(says["awaiting"]).wait_for()


@BOTH
def test_a_step_is_a_form_made_from_the_table(browser, office, screen):
    case = office.report()
    with sitting(browser, office, "acceptor", screen) as (reader, says):
        page = reader.open(f"/cases/{case.number}")
        page.get_by_role("button", name=says["register"], exact=True).click()
        form = page.get_by_role("form", name=says["register"])
        assert form.get_by_role("radio", name=says["rule"]).is_checked()  # the only rule of the type
        assert reader.faults() == []
        form.get_by_role("button", name=says["register"]).click()
        page.get_by_text("pending_dispatch").wait_for(state="detached")
        page.locator(".timeline").get_by_text(says["register"], exact=True).wait_for()
        reader.settle()
        assert reader.faults() == []


def test_a_case_shows_no_keys_while_its_words_are_on_the_way_and_names_the_window(browser, office):
    case = office.report()
    with sitting(browser, office, "acceptor") as (reader, _):
        page, held = reader.page, []

        def hold(route):
            held.append(route)

        page.route("**/api/cases/lifecycle", hold)
        with page.expect_response(f"**/api/cases/{case.number}/names"):
            page.goto(f"{reader.address}/cases/{case.number}")
        page.get_by_role("status").first.wait_for()
        assert page.locator(".timeline").count() == 0
        held[0].continue_()
        page.locator(".timeline").get_by_text("上报", exact=True).first.wait_for()
        assert page.title().split(" · ")[0].endswith(case.number)
        page.goto(f"{reader.address}/cases/calendar")
        expect(page).to_have_title("日历 · 案件 · 经纬")


@BOTH
def test_who_is_second_sees_what_changed_and_loses_no_word(browser, office, screen):
    case = office.report()
    with sitting(browser, office, "acceptor", screen) as (reader, says):
        page = reader.open(f"/cases/{case.number}")
        page.get_by_role("button", name=says["reject"], exact=True).click()
        form = page.get_by_role("form", name=says["reject"])
        form.get_by_label(says["reason"]).fill("现场没有棚屋")
        office.act("chief", case, "amend", reason="位置核对过")
        notice = page.get_by_role("alert").filter(has_text=says["changed"])
        notice.get_by_text("值班长老郑").wait_for()
        assert form.get_by_role("button", name=says["reject"]).is_disabled()
        notice.get_by_role("button", name=says["go_on"]).click()
        notice.wait_for(state="detached")
        assert form.get_by_label(says["reason"]).input_value() == "现场没有棚屋"
        form.get_by_role("button", name=says["reject"]).click()
        page.locator(".timeline").get_by_text("现场没有棚屋").wait_for()


def test_a_step_that_is_gone_names_those_that_are_possible_and_keeps_the_words(browser, office):
    case = office.report()
    with sitting(browser, office, "acceptor") as (reader, says):
        page = reader.open(f"/cases/{case.number}")
        page.get_by_role("button", name=says["reject"], exact=True).click()
        page.get_by_role("form", name=says["reject"]).get_by_label(says["reason"]).fill("不属实")
        office.act("chief", case, "register", rule="R1")
        notice = page.get_by_role("alert").filter(has_text="现在可以")
        notice.get_by_text("派遣（派遣员）").wait_for()
        page.get_by_role("button", name="更正", exact=True).click()
        assert page.get_by_role("form", name="更正").get_by_label(says["reason"]).input_value() == "不属实"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_dispatcher_sends_cases_on_with_one_key(browser, office, language):
    cases = [office.report(f"棚屋{n}", n=n * 7) for n in range(3)]
    for case in cases:
        office.act("acceptor", case, "register", rule="R1")
    with sitting(browser, office, "dispatcher", (DESK, language, "light")) as (reader, says):
        page = reader.open("/cases/dispatch")
        for case in cases:
            row(page, case).get_by_text("园林局", exact=True).wait_for()
        assert reader.faults() == []
        page.keyboard.press("?")
        page.get_by_role("dialog", name=says["keys"]).wait_for()
        assert reader.faults() == []
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        first = page.locator(".case-item[data-picked]")
        first.wait_for()
        number = first.get_attribute("data-number")
        page.keyboard.press("a")
        page.get_by_text(f"{number} {says['dispatched']}").wait_for()
        page.locator(f'[data-number="{number}"]').wait_for(state="detached")
        page.locator(".case-item[data-picked]").wait_for()  # the next one is picked already
        page.keyboard.press("Enter")
        page.locator(".timeline").wait_for()


@BOTH
def test_many_at_once_are_shown_before_and_told_after(browser, office, screen):
    cases = [office.report(f"棚屋{n}", n=n * 9) for n in range(2)]
    with sitting(browser, office, "leader", screen) as (reader, says):
        page = reader.open("/cases/supervision")
        for case in cases:
            row(page, case).get_by_role("checkbox").check()
        page.locator(".bulk-bar").get_by_role("button", name=says["order"], exact=True).click()
        dialog = page.get_by_role("dialog")
        for case in cases:
            dialog.get_by_text(case.number).wait_for()
        assert reader.faults() == []
        dialog.get_by_label(says["words"]).fill("请抓紧")
        dialog.get_by_role("button", name=says["run"]).click()
        dialog.get_by_text(says["sum"]).wait_for()
        assert reader.faults() == []
    with office.city.records.read() as session:
        for case in cases:
            assert office.desk.get(session, local_person(), case.number).orders


def test_many_at_once_where_one_was_changed_meanwhile_tell_which(browser, office):
    cases = [office.report(f"棚屋{n}", n=n * 9) for n in range(2)]
    for case in cases:
        office.act("acceptor", case, "register", rule="R1")
    with sitting(browser, office, "dispatcher") as (reader, _):
        page = reader.open("/cases/dispatch")
        for case in cases:
            row(page, case).get_by_role("checkbox").check()
        page.locator(".bulk-bar").get_by_role("button", name="派遣", exact=True).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("→ 园林局").first.wait_for()
        office.act("leader", cases[0], "order", words="快")
        dialog.get_by_role("button", name="派遣 2 件").click()
        dialog.get_by_text("成功 1 件，未成功 1 件").wait_for()
        failed = dialog.locator('[data-result="failed"]')
        assert cases[0].number in failed.inner_text()
        assert "已有变化" in failed.inner_text()


def test_list_and_map_mark_the_same_case(browser, office):
    case = office.report(n=210)  # in the middle of the city
    with sitting(browser, office, "acceptor") as (reader, _):
        page = reader.open("/cases")
        row(page, case).wait_for()
        reader.settle()
        row(page, case).locator(".case-line").click()
        page.wait_for_url(f"**case={case.number}*")
        page.goto(f"{office.address}/cases")
        row(page, case).wait_for()
        reader.settle()
        box = page.locator(".desk-map canvas").bounding_box()
        west, south, east, north = (114.0, 22.5, 114.2, 22.7)
        lon, lat = 114.01 + (210 % 20) * 0.009, 22.51 + (210 // 20) * 0.009
        side = min(box["width"], box["height"]) - 80  # the padding of the map on both sides
        x = box["x"] + box["width"] / 2 + ((lon - (west + east) / 2) / (east - west)) * side
        y = box["y"] + box["height"] / 2 - ((lat - (south + north) / 2) / (north - south)) * side * 1.083
        page.mouse.click(x, y)
        page.wait_for_url(f"**case={case.number}*")
        page.locator(f'[data-number="{case.number}"][data-picked="true"]').wait_for()


@BOTH
def test_staff_report_with_a_place_from_the_map(browser, office, screen):
    with sitting(browser, office, "acceptor", screen) as (reader, says):
        page = reader.open("/cases/new")
        kind = page.get_by_role("combobox", name=says["type"])
        kind.fill("06001")
        page.get_by_role("listbox").get_by_role("option").first.click()
        page.get_by_label(says["description"]).fill("又有棚屋")
        page.get_by_role("button", name=says["centre"]).click()
        assert reader.faults() == []
        page.get_by_role("button", name=says["report"], exact=True).click()
        page.wait_for_url("**/cases/0*")
        page.locator(".case-description").get_by_text("又有棚屋").wait_for()
        reader.settle()
        assert reader.faults() == []


@BOTH
@pytest.mark.parametrize(
    "path",
    [
        "/cases?scope=all",
        "/cases/department",
        "/cases/figures",
        "/cases/figures?by=department",
        "/cases/figures?part=scores",
        "/cases/figures?part=findings",
    ],
)
def test_every_page_of_cases_is_legible_to_all(browser, office, screen, path):
    case = office.report()
    office.act("acceptor", case, "register", rule="R1")
    office.act("dispatcher", case, "dispatch", department=PARKS, co_departments=[WATER])
    with sitting(browser, office, "leader", screen) as (reader, _):
        page = reader.open(path)
        assert reader.faults() == []
        main = page.locator("main")
        assert main.evaluate("box => box.scrollWidth <= box.clientWidth")


@BOTH
def test_every_room_of_set_up_is_legible_to_all(browser, office, screen):
    with sitting(browser, office, None, screen) as (reader, _):
        for room in ("duties", "grids", "points", "components", "settings", "hours", "phrases"):
            page = reader.open(f"/cases/administration/{room}")
            page.locator(".room h2").wait_for()
            reader.settle()
            assert reader.faults() == []
            assert page.locator("main").evaluate("box => box.scrollWidth <= box.clientWidth")


def test_what_who_sets_cases_up_saves_holds(browser, office):
    with sitting(browser, office, None) as (reader, _):
        page = reader.open("/cases/administration/phrases")
        page.get_by_label("常用语", exact=False).last.fill("不在本区\n请转水务")
        page.get_by_role("button", name="保存").click()
        page.get_by_text("现为第 1 版").wait_for()
        page = reader.open("/cases/administration/duties")
        page.get_by_role("button", name="分派职责").click()
        page.get_by_label("区域", exact=True).fill("990100")
        page.get_by_role("combobox", name="部门").fill("园林")
        page.get_by_role("option", name="园林局").click()
        page.get_by_role("button", name="保存").click()
        page.get_by_role("rowheader", name="990100").wait_for()
        page = reader.open("/cases/administration/components")
        table = "标识码,名称\n99010001001000077,井盖\n12,坏\n".encode()
        page.locator("input[type=file]").set_input_files(
            {"name": "t.csv", "mimeType": "text/csv", "buffer": table}
        )
        page.get_by_text("已导入 1 个部件").wait_for()
        page.get_by_text("1 行未能采用").wait_for()
        page.get_by_text("99010001001000077").wait_for()


def test_rules_are_changed_in_versions_that_can_be_compared(browser, office):
    with sitting(browser, office, None) as (reader, _):
        page = reader.open("/cases/rules")
        page.get_by_role("button", name="修改规则 R1").click()
        dialog = page.get_by_role("dialog")
        assert reader.faults() == []
        dialog.get_by_label("处置时限").fill("3")
        dialog.get_by_role("button", name="保存").click()
        page.get_by_role("cell", name="3 工作日").wait_for()
        page.get_by_text("第 2 版").first.wait_for()
        page.get_by_text("历史版本").click()
        page.get_by_role("button", name="与现行版本比较").click()
        page.get_by_role("rowheader", name="R1", exact=True).wait_for()
        reader.settle()
        assert reader.faults() == []


def test_a_table_with_faults_is_refused_and_told(browser, office):
    with sitting(browser, office, None) as (reader, _):
        page = reader.open("/cases/rules")
        table = "种类,类别代码,立案条件,结案条件,处置时限,序号\n事项,06001,有,拆除,很久,R9\n"
        page.get_by_label("导入规则表").set_input_files(
            {"name": "规则.csv", "mimeType": "text/csv", "buffer": table.encode()}
        )
        page.get_by_role("alert").get_by_text("1 处错误").wait_for()
        reader.complaints[:] = [one for one in reader.complaints if "status of 400" not in one]


@BOTH
def test_a_day_of_the_calendar_is_decided_and_undone(browser, office, screen):
    with sitting(browser, office, None, screen) as (reader, says):
        page = reader.open("/cases/calendar?year=2026")
        page.get_by_role("button", name=f"2026-03-10 {says['works']}").click()
        decided = page.get_by_role("button", name=f"2026-03-10 {says['rests']}")
        decided.wait_for()
        assert reader.faults() == []
        decided.click()
        page.get_by_role("button", name=f"2026-03-10 {says['works']}").wait_for()


def test_a_figure_leads_to_its_cases(browser, office):
    case = office.report()
    office.act("acceptor", case, "register", rule="R1")
    office.report(n=50)
    with sitting(browser, office, "leader") as (reader, _):
        page = reader.open("/cases/figures?period=all")
        figure = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="立案数", exact=True))
        figure.get_by_role("link", name="1").click()
        row(page, case).wait_for()
        assert page.locator(".case-item").count() == 1
