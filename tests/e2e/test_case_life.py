"""Seven people, two on telephones, carry one case from its report to its closure; its log proves it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from jingwei.cases import from_the_log
from jingwei.cases.case import Case, decode
from jingwei.cases.models import CaseRow
from jingwei.cases.photos import FOLDER, Photos
from jingwei.cases.replay import replay
from jingwei.ledger.verify import unpack_entries
from jingwei.web import Entry
from photographs import photograph

from .conftest import DESK, PHONE, reading, served
from .staffed import GOOD, LAT, LON, staffed, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from .conftest import Reader

pytestmark = pytest.mark.browser

PASSING = ("status of 4", "ERR_INTERNET_DISCONNECTED", "Failed to fetch")
"""What a browser itself reports of a network that a test takes away."""


@dataclass
class Person:
    """Somebody of the staff, signed in at a browser."""

    reader: Reader
    login: str

    @property
    def page(self) -> Page:
        return self.reader.page

    def sign_in(self) -> None:
        self.page.get_by_label("用户名", exact=True).fill(self.login)
        self.page.get_by_label("密码", exact=True).fill(GOOD)
        self.page.get_by_role("button", name="登录", exact=True).click()
        self.page.locator(".rail").wait_for()

    def case(self, number: str) -> dict[str, Any]:
        answer = self.reader.context.request.get(f"{self.reader.address}/api/cases/{number}")
        assert answer.ok, answer.text()
        told: dict[str, Any] = answer.json()
        return told

    # at a desk

    def take(self, number: str, step: str, fill: Callable[[Locator], None] = lambda _: None) -> None:
        """Take a step on the page of the case: choose it, fill in its form, send it."""
        page = self.reader.open(f"/cases/{number}")
        page.get_by_role("button", name=step, exact=True).click()
        form = page.get_by_role("form", name=step, exact=True)
        fill(form)
        form.get_by_role("button", name=step, exact=True).click()
        form.wait_for(state="detached")

    # on a telephone

    def turn_to(self, step: str) -> None:
        """Choose one of several steps that one may take."""
        self.page.get_by_role("group", name="要办的事").get_by_role("button", name=step, exact=True).tap()

    def send(self, name: str) -> None:
        self.page.locator(".field-send").get_by_role("button", name=name, exact=True).tap()

    def choose(self, name: str) -> None:
        self.page.get_by_role("radio", name=name, exact=True).check()

    def shoot(self, label: str, number: int) -> None:
        """Take a photograph: it shows on the page before anything is sent."""
        before = self.page.locator(".shots img").count()
        self.page.get_by_role("button", name=f"{label} 拍照", exact=True).set_input_files(
            {"name": "camera.jpg", "mimeType": "image/jpeg", "buffer": photograph(number, place=(LON, LAT))}
        )
        self.page.locator(".shots img").nth(before).wait_for()

    def open_task(self, number: str) -> None:
        self.reader.open(f"/field/case/{number}")
        self.page.locator(".field-task dl").get_by_text(number).wait_for()

    def said(self, words: str) -> None:
        self.page.get_by_role("status").filter(has_text=words).wait_for()


@pytest.fixture
def office(tmp_path):
    with staffed(tmp_path) as made:
        yield made


def test_seven_people_carry_a_case_from_report_to_closure_and_its_log_verifies(browser, office, tmp_path):
    with served(office.city, Entry()) as address, ExitStack() as stack:
        staff = {}
        for login in office.people:
            phone = login in ("lin", "yuan")
            reader = stack.enter_context(
                reading(
                    browser,
                    address,
                    (PHONE if phone else DESK, "zh", "light"),
                    place=(LON, LAT) if phone else None,
                )
            )
            staff[login] = Person(reader, login)
            stack.callback(_forgive, reader)
            reader.open("/field" if phone else "/")
            staff[login].sign_in()
        number = _report(staff["lin"])
        _register_and_dispatch(staff, number)
        _extend(staff, number)
        _handle_offline(staff["yuan"], number)
        _finish_the_other_part(staff["shui"], number)
        staff["zhi"].take(number, "部门确认")
        _check(staff, number, passes=False)
        _rework(staff, number)
        _check(staff, number, passes=True)
        staff["shou"].take(number, "提交结案")
        staff["zhang"].take(
            number, "值班长结案", lambda form: form.get_by_role("button", name="修复").click()
        )
        closed = staff["zhang"].case(number)
        assert closed["state"] == "closed"
        assert steps_of(closed) == STEPS
        for login, one in staff.items():
            assert login in ("yuan", "shui") or one.case(number)["state"] == "closed"
    _check_the_log(office, number, tmp_path)


STEPS = [
    "report", "register", "dispatch", "assign", "ask_extension", "support_extension", "grant_extension",
    "submit", "finish_part", "confirm", "send_check", "check", "rework", "assign", "submit", "confirm",
    "send_check", "check", "propose_close", "approve_close",
]  # fmt: skip


def _forgive(reader):
    """What the browser itself reports of answers that are meant to fail is no complaint of the page."""
    reader.complaints[:] = [text for text in reader.complaints if not any(one in text for one in PASSING)]


def _report(lin):
    lin.reader.open("/field/report")
    page = lin.page
    page.get_by_label("上水井盖").check()
    page.get_by_label("问题描述").fill("井盖碎了一角，边上的树坑也塌了")
    lin.shoot("现场照片", 1)
    lin.send("上报")
    lin.said("已发送")
    found = lin.reader.context.request.get(f"{lin.reader.address}/api/cases").json()
    assert found["count"] == 1
    (case,) = found["cases"]
    assert (case["state"], case["component"]) == ("pending_register", "99010001001000001")
    assert case["lon"] == pytest.approx(LON, abs=1e-5)
    return case["number"]


def _register_and_dispatch(staff, number):
    staff["shou"].reader.open("/cases")
    staff["shou"].page.locator(f'[data-number="{number}"]').wait_for()  # it waits in the inbox
    staff["shou"].take(number, "立案", lambda form: form.get_by_role("radio", name="井盖破损").check())

    def to_both(form):
        form.get_by_role("radio", name="园林局").check()  # in charge of the component, so proposed
        form.get_by_role("combobox", name="协办部门").fill("水务")
        form.get_by_role("option", name="水务局").click()
        form.get_by_role("button", name="水务局").wait_for()

    staff["pai"].take(number, "派遣", to_both)
    _assign(staff, number)


def _assign(staff, number):
    def to_yuan(form):
        form.get_by_label("处置人员").select_option(label="袁园丁")

    staff["zhi"].take(number, "指派", to_yuan)
    assert staff["zhi"].case(number)["state"] == "handling"


def _extend(staff, number):
    yuan = staff["yuan"]
    yuan.open_task(number)
    yuan.turn_to("申请延期")
    yuan.page.get_by_label("理由").fill("须等水务先换井盖")
    yuan.send("申请延期")
    yuan.said("已发送")
    staff["zhi"].take(number, "同意上报延期")
    staff["pai"].take(number, "批准延期")
    clocks = staff["pai"].case(number)["clocks"]
    (handle,) = [one for one in clocks if one["stage"] == "handle"]
    assert handle["extensions"] == 1


def _handle_offline(yuan, number):
    """Without a network the work goes on, over a new start of the page, and is sent once it is back."""
    page = yuan.page
    yuan.open_task(number)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    yuan.reader.context.set_offline(True)
    page.goto(f"{yuan.reader.address}/field/case/{number}")
    page.get_by_role("status").filter(has_text="没有网络。").first.wait_for()
    yuan.turn_to("提交处置结果")
    yuan.shoot("处置前照片", 10)
    yuan.shoot("处置后照片", 11)
    page.get_by_label("说明").fill("树坑已填平")
    yuan.send("提交处置结果")
    yuan.said("已存在手机里")
    page.goto(f"{yuan.reader.address}/field/outbox")
    page.locator(".field-item").get_by_text("树坑已填平").wait_for()
    yuan.reader.context.set_offline(False)
    page.get_by_role("heading", name="都已发送").wait_for()
    case = yuan.case(number)
    assert case["state"] == "handle_finish"
    submitted = case["timeline"][-1]
    assert len(submitted["data"]["before"]) == len(submitted["data"]["photos"]) == 1
    assert submitted["words"] == {"words": "树坑已填平"}


def _finish_the_other_part(shui, number):
    def with_picture(form):
        form.get_by_role("radio", name="水务局").check()
        form.get_by_label("照片（", exact=False).first.set_input_files(
            {"name": "after.jpg", "mimeType": "image/jpeg", "buffer": photograph(20)}
        )
        form.locator(".photos img").wait_for()
        form.get_by_label("说明").fill("井盖已换")

    shui.take(number, "协办完成", with_picture)


def _check(staff, number, *, passes):
    staff["shou"].take(number, "发核查")
    lin = staff["lin"]
    lin.reader.open("/field")
    card = lin.page.locator(".field-card").first
    card.wait_for()
    card.tap()
    lin.page.locator(".field-task dl").get_by_text(number).wait_for()
    lin.choose("通过" if passes else "不通过")
    lin.shoot("现场照片", 30 if passes else 31)
    lin.page.get_by_label("说明").fill("已平整" if passes else "树坑还有积水")
    lin.send("反馈核查")
    lin.said("已发送")


def _rework(staff, number):
    staff["pai"].take(number, "返工", lambda form: form.get_by_label("理由").fill("树坑还有积水"))
    _assign(staff, number)
    yuan = staff["yuan"]
    yuan.open_task(number)
    yuan.page.get_by_text("树坑还有积水").first.wait_for()
    yuan.shoot("处置后照片", 12)
    yuan.send("提交处置结果")
    yuan.said("已发送")
    staff["zhi"].take(number, "部门确认")


def _check_the_log(office, number, folder):
    city = office.city
    bundle = folder / "log.zip"
    with city.records.read() as session:
        kept = {row.number: decode(row.body) for row in session.query(CaseRow)}
        assert {case.number: case for case in from_the_log(session)} == kept
    run = [sys.executable, "-m", "jingwei", "ledger"]
    store = f"sqlite:///{city.home / 'records.db'}"
    subprocess.run([*run, "export", str(bundle), "--records", store], check=True, capture_output=True)
    subprocess.run([*run, "verify", str(bundle)], check=True, capture_output=True)
    with zipfile.ZipFile(bundle) as archive:
        alone = folder / "verify.py"
        alone.write_bytes(archive.read("verify.py"))
        events = _events(archive)
    verified = subprocess.run(
        [sys.executable, "-I", str(alone), "bundle", str(bundle)], check=True, capture_output=True, text=True
    )
    assert verified.returncode == 0
    mine = [(one["type"], one["actor"], one["data"]) for one in events if one["subject"] == f"case/{number}"]
    assert [data["action"] for _, _, data in mine] == STEPS
    rebuilt = replay(number, mine)
    assert isinstance(rebuilt, Case)
    assert rebuilt == kept[number]
    photos = Photos(city.home / FOLDER)
    named = [digest for _, _, data in mine for name in ("photos", "before") for digest in data.get(name, ())]
    assert len(named) == 7
    for digest in named:
        assert hashlib.sha256(photos.path(digest).read_bytes()).hexdigest() == digest


def _events(archive):
    """Return the events of an exported log, in its order."""
    told = []
    for name in sorted(one for one in archive.namelist() if one.startswith("tile/entries/")):
        entries = unpack_entries(archive.read(name))
        lines = archive.read(name.replace("entries", "payloads")).splitlines()
        for entry, line in zip(entries, lines, strict=True):
            _, _, payload = line.split(b" ", 2)
            told.append(json.loads(payload) | {"type": json.loads(entry)["type"]})
    return told
