"""From the first start to a program that reads by a token, done in a real browser."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx2
import pyotp
import pytest

from jingwei import access
from jingwei.access import local_person, signing_in
from jingwei.records import now_utc
from jingwei.web import Entry
from square import open_square

from .conftest import AXE, DESK, PHONE, reading, served

pytestmark = pytest.mark.browser

GOOD, OWN = "correct horse battery staple", "several unrelated words indeed"
BUREAU, SECTION = "11430000006122244L", "11100000000013338W"

SAYS = {
    "zh": {
        "not_set_up": "尚未设置管理员密码",
        "first_start": "首次启动",
        "set_password": "设置密码",
        "new": "新密码",
        "again": "再输入一次",
        "login": "用户名",
        "password": "密码",
        "sign_in": "登录",
        "wrong": "用户名、密码或验证码不正确",
        "sign_out": "退出登录",
        "account": "我的账号",
        "code": "动态验证码",
        "factor": "启用",
        "turn_on": "验证并启用",
        "own_password": "密码",
        "kept": "已保存",
        "token": "新建令牌",
        "what_for": "用途",
        "reading": "只读数据所需的操作",
        "end_others": "结束其他所有登录",
        "add_department": "新增部门",
        "department_code": "统一社会信用代码",
        "title": "名称",
        "add_person": "新增人员",
        "name": "姓名",
        "done": "完成",
        "link": "设置链接",
    },
    "en": {
        "not_set_up": "The administrator has not set a password yet",
        "first_start": "First start",
        "set_password": "Set the password",
        "new": "New password",
        "again": "Once more",
        "login": "User name",
        "password": "Password",
        "sign_in": "Sign in",
        "wrong": "the name, the password or the code is not right.",
        "sign_out": "Sign out",
        "account": "My account",
        "code": "Code of your device",
        "factor": "Set it up",
        "turn_on": "Check and turn on",
        "own_password": "Your password",
        "kept": "I have kept them",
        "token": "New token",
        "what_for": "What for",
        "reading": "What a program needs that only reads data",
        "end_others": "End all others",
        "add_department": "Add a department",
        "department_code": "Unified social credit code",
        "title": "Name",
        "add_person": "Add a person",
        "name": "Name",
        "done": "Done",
        "link": "Set-up link",
    },
}


@pytest.fixture
def city(tmp_path):
    """The square city before its first start with sign-in."""
    with open_square(tmp_path) as city:
        yield city


@dataclass
class Person:
    """Someone at a browser, who reads one language."""

    reader: object
    page: object
    says: dict[str, str]

    def fill(self, field, text):
        self.page.get_by_label(self.says[field], exact=True).fill(text)

    def press(self, button):
        self.page.get_by_role("button", name=self.says[button], exact=True).click()

    def sign_in(self, login, password):
        self.fill("login", login)
        self.fill("password", password)
        self.press("sign_in")

    def sign_out(self):
        more = self.page.locator(".rail-more")  # on a phone the tools lie behind it
        if more.is_visible():
            more.click()
        self.page.locator(".rail-tools .menu > button").first.click()
        self.page.get_by_role("menuitem", name=self.says["sign_out"]).click()
        self.page.get_by_role("heading", name=self.says["sign_in"]).wait_for()

    def set_password(self, password):
        self.fill("new", password)
        self.fill("again", password)
        self.press("set_password")
        self.page.locator(".rail").wait_for()


@contextmanager
def at(browser, address, screen):
    with reading(browser, address, screen) as reader:
        yield Person(reader, reader.page, SAYS[screen[1]])
        # What the browser itself reports of answers that are meant to fail is no complaint of the page.
        reader.complaints[:] = [text for text in reader.complaints if "status of 4" not in text]


@pytest.mark.parametrize(
    "screen", [(DESK, "zh", "light"), (PHONE, "en", "dark")], ids=["desk-zh-light", "phone-en-dark"]
)
def test_from_the_first_start_to_a_program_that_reads_by_a_token(browser, city, screen):
    with city.records.write() as session:
        code = signing_in.first_start(session)
    with served(city, Entry()) as address, at(browser, address, screen) as someone:
        page = someone.page
        someone.reader.open("/data")
        page.get_by_role("heading", name=someone.says["not_set_up"]).wait_for()
        # the administrator sets a password
        page.goto(f"{address}/set-up#{code}")
        page.get_by_role("heading", name=someone.says["first_start"]).wait_for()
        someone.set_password(GOOD)
        assert code not in page.url
        # adds a department and a person
        someone.reader.open("/people/departments")
        page.locator(".people-tools").get_by_role("button", name=someone.says["add_department"]).click()
        someone.fill("department_code", BUREAU)
        page.locator("dialog").get_by_label(someone.says["title"], exact=True).fill("城管局")
        page.locator("dialog").get_by_role("button", name=someone.says["add_department"]).click()
        page.locator(".tree-name").get_by_text("城管局").wait_for()
        someone.reader.open("/people")
        page.get_by_role("button", name=someone.says["add_person"]).click()
        someone.fill("login", "wang")
        page.locator("dialog").get_by_label(someone.says["name"], exact=True).fill("王芳")
        page.locator("dialog").get_by_role("button", name=someone.says["add_person"]).click()
        link = page.get_by_label(someone.says["link"]).inner_text()
        someone.press("done")
        someone.sign_out()
        # the person sets a password, fails once, signs in
        page.goto(link)
        someone.set_password(OWN)
        someone.sign_out()
        someone.sign_in("wang", "not the password")
        page.get_by_role("alert").get_by_text(someone.says["wrong"]).wait_for()
        someone.sign_in("wang", OWN)
        page.locator(".rail").wait_for()
        # enrols a device
        someone.reader.open("/account")
        someone.press("factor")
        secret = page.locator("dialog .secret code").inner_text()
        device = pyotp.TOTP(secret)
        page.locator("dialog").get_by_label(someone.says["code"], exact=True).fill(device.now())
        page.locator("dialog").get_by_label(someone.says["own_password"], exact=True).fill(OWN)
        someone.press("turn_on")
        page.locator(".recovery").wait_for()
        recovery = page.locator(".recovery li").all_inner_texts()
        assert len(recovery) == 10
        someone.press("kept")
        someone.sign_out()
        # signs in with both factors
        someone.sign_in("wang", OWN)
        later = now_utc() + timedelta(seconds=30)
        page.locator("input[autocomplete=one-time-code]").fill(device.at(later))
        someone.press("sign_in")
        page.locator(".rail").wait_for()
        # gets a token, by which a program reads
        someone.reader.open("/account")
        page.locator("#tokens ~ .form-actions").get_by_role("button").click()
        someone.fill("what_for", "日报")
        page.get_by_role("button", name=someone.says["reading"]).click()
        page.locator("dialog").get_by_label(someone.says["own_password"], exact=True).fill(OWN)
        page.locator("dialog input[autocomplete=one-time-code]").fill(recovery[1])
        page.locator("dialog").get_by_role("button", name=someone.says["token"]).click()
        token = page.locator("dialog .secret code").inner_text()
        program = {"Authorization": f"Bearer {token}"}
        assert httpx2.get(f"{address}/api/city", headers=program).json()["id"] == "square"
        assert httpx2.get(f"{address}/api/account", headers=program).status_code == 403
        page.keyboard.press("Escape")
        # ends a sign-in elsewhere, which is noticed there
        with at(browser, address, (DESK, screen[1], "light")) as elsewhere:
            elsewhere.reader.open("/")
            elsewhere.sign_in("wang", OWN)
            elsewhere.page.locator(".link-button").click()
            elsewhere.page.locator("input[autocomplete=one-time-code]").fill(recovery[0])
            elsewhere.press("sign_in")
            elsewhere.page.locator(".rail").wait_for()
            someone.reader.open("/account")
            someone.press("end_others")
            page.get_by_role("button", name=someone.says["end_others"]).wait_for(state="detached")
            elsewhere.page.reload()
            elsewhere.page.get_by_role("heading", name=elsewhere.says["sign_in"]).wait_for()


def test_who_is_signed_out_meanwhile_comes_back_to_the_same_page(browser, city):
    with city.records.write() as session:
        signing_in.set_first_password(session, signing_in.first_start(session), GOOD)
    with served(city, Entry()) as address, at(browser, address, (DESK, "zh", "light")) as someone:
        someone.reader.open("/people/departments")
        someone.sign_in("admin", GOOD)
        someone.page.get_by_role("heading", name="人员和部门").wait_for()
        someone.reader.context.clear_cookies()
        someone.page.get_by_role("link", name="人员", exact=True).first.click()
        someone.page.get_by_role("heading", name="登录").wait_for()
        someone.sign_in("admin", GOOD)
        someone.page.locator(".people-table").wait_for()


def test_too_many_failures_are_counted_down(browser, city):
    with city.records.write() as session:
        signing_in.set_first_password(session, signing_in.first_start(session), GOOD)
    with served(city, Entry()) as address, at(browser, address, (PHONE, "zh", "light")) as someone:
        someone.reader.open("/")
        for _ in range(6):
            with someone.page.expect_response("**/api/session"):
                someone.sign_in("admin", "not the password")
        someone.page.get_by_role("alert").get_by_text("还需等待").wait_for()
        assert someone.page.get_by_role("button", name="登录").is_disabled()


@pytest.fixture
def peopled(city):
    """The square city with people of every kind."""
    me = local_person()
    with city.records.write() as session:
        access.add_department(session, me, BUREAU, "城管局")
        access.add_department(session, me, SECTION, "市容科", parent=BUREAU)
        for login, name, role, where in (
            ("wang", "王芳", "staff", SECTION),
            ("shen", "沈默", "auditor", ""),
            ("zhou", "周正", "security_administrator", ""),
            ("xu", "徐行", "system_administrator", ""),
        ):
            person = access.add_person(session, me, login, name)
            access.give_role(session, me, person, role, where)
    return city


@pytest.mark.skipif(not AXE.is_file(), reason="axe is not installed: make pages")
@pytest.mark.parametrize(
    "screen", [(DESK, "zh", "dark"), (PHONE, "en", "light")], ids=["desk-zh-dark", "phone-en-light"]
)
def test_pages_of_people_are_accessible_and_fit_their_screen(browser, peopled, screen):
    with peopled.records.read() as session:
        (wang,) = access.people(session, search="wang")
    faults = {}
    with served(peopled) as address, at(browser, address, screen) as someone:
        page = someone.page

        def look(name):
            someone.reader.settle()
            found = someone.reader.faults()
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append("the page is wider than the screen")
            if found:
                faults[name] = found

        for path in (
            "/people",
            "/people/departments",
            "/people/separation",
            f"/people/person/{wang.id}",
            "/account",
        ):
            someone.reader.open(path)
            look(path)
        page.locator(".open-banner button").click()
        page.locator(".act-list li").nth(2).wait_for()
        look("act as")
        page.locator(".act-list button", has_text="shen").click()
        page.locator(".open-banner", has_text="沈默").wait_for()
        someone.reader.open("/account")
        look("own account")
    with (
        city_signed_in(peopled) as entry,
        served(peopled, entry) as address,
        at(browser, address, screen) as someone,
    ):
        page = someone.page
        someone.reader.open("/")
        look("sign in")
        someone.sign_in("admin", "wrong")
        page.get_by_role("alert").wait_for()
        look("sign in failed")
    assert faults == {}


@contextmanager
def city_signed_in(city):
    with city.records.write() as session:
        signing_in.set_first_password(session, signing_in.first_start(session), GOOD)
    yield Entry()


def test_open_mode_shows_each_role_its_own_city(browser, peopled):
    with served(peopled) as address, at(browser, address, (DESK, "zh", "light")) as someone:
        page = someone.page
        someone.reader.open("/people")
        rail = page.locator(".rail-parts")
        assert rail.get_by_text("人员").is_visible()
        page.locator(".open-banner button").click()
        page.get_by_label("用户名或姓名").last.fill("王芳")
        page.locator(".act-list button", has_text="wang").click()
        page.locator(".open-banner", has_text="王芳").wait_for()
        rail.get_by_text("地图").wait_for()
        assert rail.get_by_text("人员").count() == 0
        page.locator(".open-banner button").click()
        page.locator(".act-list button", has_text="本机用户").click()
        page.locator(".open-banner", has_text="以某人身份操作").wait_for()
        rail.get_by_text("人员").wait_for()
