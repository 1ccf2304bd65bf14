"""E-mail alerts: nothing without a yes, nothing that the public may not know, and nothing twice."""

import json
import re
from datetime import timedelta

import pytest

from jingwei.access import local_person
from jingwei.cases import Report, alerts, regime
from jingwei.cases.alerts import Alerts
from jingwei.cases.errors import BadFieldError, NoSuchAlertError
from jingwei.city.channels import FileChannel
from jingwei.records import now_utc
from jingwei.words import Text

ME = "me@example.org"
TOMORROW = timedelta(days=1, minutes=1)
AREA = "440301001002"


class Moody:
    """A mail server that takes messages only when it likes."""

    def __init__(self, channel):
        self.channel, self.likes = channel, True

    def send(self, notice):
        if not self.likes:
            raise OSError
        self.channel.send(notice)


@pytest.fixture
def mail(office, tmp_path):
    """Messages sent until a moment; `mail.ask(...)` asks for an alert and gives its code."""
    path = tmp_path / "sent"
    channel = Moody(FileChannel(path))
    sender = Alerts(office.records, office.desk, channel, Text("方城", "Square"), "https://city.example")

    def mail(now=None):
        sender.send(now)
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def ask(email=ME, area="", types=(), every="day", language="zh"):
        with office.records.write() as session:
            alerts.ask(session, email, area, types, every, language)
        return re.search(r"[A-Z2-7]{10}", mail()[-1]["body"]).group()

    def say_yes(code):
        with office.records.write() as session:
            return alerts.confirm(session, code)

    mail.ask, mail.say_yes, mail.channel = ask, say_yes, channel
    return mail


def report(office, type_="06001", area=f"{AREA}003", **more):
    return office.report(type=type_, area=area, at=now_utc(), **more)


def test_an_address_hears_nothing_but_one_question_until_it_says_yes(office, mail):
    mail.ask()
    report(office)
    assert len(mail(now_utc() + TOMORROW)) == 1


def test_who_said_yes_hears_of_new_cases_once_and_of_no_older_ones(office, mail):
    old = report(office)
    code = mail.ask()
    mail.say_yes(code)
    new = report(office)
    assert len(mail()) == 1
    told = mail(now_utc() + TOMORROW)
    assert mail(now_utc() + 2 * TOMORROW) == told
    body = told[-1]["body"]
    assert (len(told), told[-1]["to"]) == (2, ME)
    assert f"https://city.example/report/around/{new.number}" in body
    assert old.number not in body
    assert code in body


def test_an_alert_tells_of_its_area_and_types_alone(office, mail):
    with office.records.write() as session:
        regime.adopt(session, local_person(), "settings", {"area_names": {AREA: "东一社区"}})
    mail.say_yes(mail.ask(area=AREA, types=["matter/06001"], language="en"))
    wanted = report(office)
    others = [report(office, area="440301001003001"), report(office, type_="06002")]
    last = mail(now_utc() + TOMORROW)[-1]
    assert wanted.number in last["body"]
    assert not [one.number for one in others if one.number in last["body"]]
    assert last["subject"].startswith("Square: 1 new (东一社区, ")


def test_what_is_hidden_is_told_nobody(office, mail):
    mail.say_yes(mail.ask())
    with office.records.write() as session:
        given = Report("matter", "06001", "public", "张三", area=f"{AREA}003", at=now_utc())
        case = office.desk.report(session, local_person(), given)
        office.desk.act(session, local_person(), case.number, "hide")
    assert len(mail(now_utc() + TOMORROW)) == 1


def test_what_was_not_taken_is_sent_again_and_nothing_is_lost(office, mail):
    mail.say_yes(mail.ask())
    case = report(office)
    mail.channel.likes = False
    assert len(mail(now_utc() + TOMORROW)) == 1
    mail.channel.likes = True
    assert case.number in mail(now_utc() + 2 * TOMORROW)[-1]["body"]


def test_who_ends_an_alert_is_forgotten(office, mail):
    code = mail.ask()
    mail.say_yes(code)
    with office.records.write() as session:
        alerts.end(session, f"{code[:5]}-{code[5:].lower()}")
    report(office)
    assert len(mail(now_utc() + TOMORROW)) == 1
    with office.records.read() as session, pytest.raises(NoSuchAlertError):
        alerts.read(session, code)


def test_a_question_without_an_answer_is_forgotten(office, mail):
    code = mail.ask()
    mail(now_utc() + timedelta(days=3))
    with office.records.write() as session, pytest.raises(NoSuchAlertError):
        alerts.confirm(session, code)


def test_nobody_floods_a_mailbox_by_way_of_us(office, mail):
    for n in range(10):
        mail.ask(area=f"{n}")
    mail.ask(area="0")
    assert len(mail()) == alerts.MOST_ASKED


@pytest.mark.parametrize("wrong", ["", "nobody", "a@b", "a@example.org\nBcc: x@example.org"])
def test_what_is_no_address_is_refused(office, wrong):
    with office.records.write() as session, pytest.raises(BadFieldError):
        alerts.ask(session, wrong, "", (), "day", "zh")
