"""A hotline beside the office of cases: call-takers, a supervisor, a reviewer, and articles."""

from datetime import timedelta

import pytest

from cases.conftest import MONDAY, PARKS, STAFF, person
from jingwei.access.vault import Vault
from jingwei.cases.citizens import reporter_of
from jingwei.cases.hotline.counting import CallBoard
from jingwei.cases.hotline.knowledge import Draft, write
from jingwei.cases.hotline.switchboard import Demand, Switchboard

PEOPLE = {
    "taker": person("taker", "hotline_taker"),
    "other_taker": person("other_taker", "hotline_taker"),
    "supervisor": person("supervisor", "hotline_supervisor"),
    "reviewer": person("reviewer", "hotline_reviewer"),
    "reviewing_taker": person("reviewing_taker", "hotline_taker", "hotline_reviewer"),
}
LAMP = Demand("ask", "ordinary", "路灯不亮，晚上看不清路", area="440300001")


class Hotline:
    """A switchboard and who works at it."""

    def __init__(self, office):
        self.office = office
        self.records = office.records
        self.board = Switchboard(office.desk, Vault(bytes(32)))
        self.calls = CallBoard(office.records, office.desk)

    def who(self, name):
        return PEOPLE.get(name) or STAFF[name]

    def take(self, who="taker", caller="13800138000", **more):
        with self.records.write() as session:
            return self.board.take(session, self.who(who), caller=caller, **more)

    def do(self, what, who, call, *given, **more):
        with self.records.write() as session:
            more.setdefault("seen", call.step)
            return getattr(self.board, what)(session, self.who(who), call.number, *given, **more)

    def answered(self, demand=LAMP, **more):
        return self.do("answer", "taker", self.take(**more), demand, "已告知报修电话")

    def with_case(self, demand=LAMP, **more):
        return self.do("make_case", "taker", self.take(), demand, ("matter", "06001"), **more)

    def get(self, call):
        with self.records.read() as session:
            return self.board.get(session, self.who("supervisor"), call.number)

    def closed(self, case):
        """Let everybody do his part until a case is closed."""
        office = self.office
        office.now = office.now + timedelta(hours=1)
        office.act("acceptor", case, "send_verify")
        office.act("collector", case, "verify", finding="exist")
        office.act("acceptor", case, "register", rule="1")
        return office.to("closed", office.act("dispatcher", case, "dispatch", department=PARKS))

    def article(self, title="路灯报修", body="拨打市政热线", who="supervisor", **more):
        draft = Draft(title, body, PARKS, **more)
        with self.records.write() as session:
            return write(session, self.office.desk.policies(), self.who(who), draft)


@pytest.fixture
def hotline(office):
    office.now = MONDAY
    return Hotline(office)


__all__ = ["LAMP", "MONDAY", "PEOPLE", "Hotline", "reporter_of"]
