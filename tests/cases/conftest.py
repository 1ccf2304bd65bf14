"""A city's staff, its rules, and a desk to bring cases to."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from jingwei.access import Asker
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.cases import Desk, Report, photos, regime
from jingwei.cases.clocks import Limit
from jingwei.cases.lifecycle import TRANSITIONS
from jingwei.cases.rules import Rule

PARKS, WATER, ROADS = "11990000MB0000001A", "11990000MB0000002B", "11990000MB0000003C"
PHOTO = "a photograph"
"""Stands for one that is uploaded at that moment by who takes the step."""
MONDAY = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)  # nine in the morning in Shanghai

RULES = [
    Rule("1", "matter", "06001", "有私搭乱建", "拆除", Limit("work_day", 1)),
    Rule("2", "component", "01001", "井盖缺失", "恢复", Limit("urgent_hour", 2)),
    Rule("3", "matter", "06002", "店面无证装修", "停工", Limit("work_hour", 4)),
]


def person(name: str, *roles: str, department: str = "") -> Asker:
    return Asker(
        f"person/{name}",
        name,
        frozenset(roles),
        frozenset({department} if department else ()),
        frozenset((role, department) for role in roles),
    )


STAFF = {
    "collector": person("collector", "grid_officer"),
    "other_collector": person("other_collector", "grid_officer"),
    "acceptor": person("acceptor", "case_acceptor"),
    "other_acceptor": person("other_acceptor", "case_acceptor"),
    "chief": person("chief", "case_duty_chief"),
    "dispatcher": person("dispatcher", "case_dispatcher"),
    "other_dispatcher": person("other_dispatcher", "case_dispatcher"),
    "parks": person("parks", "case_department", department=PARKS),
    "parks_boss": person("parks_boss", "case_department", department=PARKS),
    "gardener": person("gardener", "case_handler", department=PARKS),
    "second_gardener": person("second_gardener", "case_handler", department=PARKS),
    "water": person("water", "case_department", department=WATER),
    "plumber": person("plumber", "case_handler", department=WATER),
    "leader": person("leader", "case_leader"),
    "citizen": person("citizen", "citizen"),
    "neighbour": person("neighbour", "citizen"),
}


def photo(session, asker) -> str:
    """A photograph that an asker has uploaded; its file is of no matter to the desk."""
    digest = secrets.token_hex(32)
    photos.remember(session, asker, digest, 1000, (40, 30))
    return digest


@dataclass
class Office:
    """Everything around one record store: who acts, and a clock that tests move on."""

    records: object
    desk: Desk
    now: datetime = MONDAY
    staff: dict[str, Asker] = field(default_factory=lambda: STAFF)

    def report(self, who="collector", **given):
        report = Report(**{"kind": "matter", "type": "06001", "source": "collector", "at": self.now, **given})
        with self.records.write() as session:
            return self.desk.report(session, self.staff[who], report)

    def act(self, who, case, action, seen=None, **fields):
        number = getattr(case, "number", case)
        with self.records.write() as session:
            if fields.get("photos") == [PHOTO]:
                fields["photos"] = [photo(session, self.staff[who])]
            return self.desk.act(session, self.staff[who], number, action, fields, seen=seen, at=self.now)

    def tick(self):
        with self.records.write() as session:
            return self.desk.tick(session, self.now)

    def get(self, number, who="acceptor"):
        with self.records.read() as session:
            return self.desk.get(session, self.staff[who], number)

    def wait(self, **time):
        self.now += timedelta(**time)

    def to(self, state, case=None, department=PARKS):
        """Bring a case of a collector to a state, everybody taking his own step."""
        case = case or self.report()
        begun = False
        for who, action, fields in (
            ("acceptor", "register", {"rule": "1"}),
            ("dispatcher", "dispatch", {"department": department}),
            ("parks", "assign", {"handler": "person/gardener"}),
            ("gardener", "submit", {"photos": [PHOTO]}),
            ("parks", "confirm", {}),
            ("acceptor", "send_check", {}),
            ("other_collector", "check", {"verdict": "pass"}),
            ("chief", "close", {"closing": "拆除"}),
        ):
            if case.state == state and (state != "pending_check" or case.verdict is None):
                return case
            begun = begun or case.state in TRANSITIONS[action].sources
            case = self.act(who, case, action, **fields) if begun else case
        return case


@pytest.fixture(scope="session")
def policies():
    departments = [(PARKS, None), (WATER, None), (ROADS, None)]
    return Policies(default_policies().text, 0, departments)


@pytest.fixture
def office(records, policies):
    """A city with three rules, its staff, and no cases."""
    with records.write() as session:
        regime.adopt(session, STAFF["leader"], "rules", RULES)
    return Office(records, Desk(lambda: policies))
