"""The square city with a desk at work: departments, staff with passwords, rules, and components to report."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jingwei import access
from jingwei.access import asker_of_person, local_person, signing_in
from jingwei.cases import Desk, Report, regime
from jingwei.cases.clocks import Limit
from jingwei.cases.inventory import put_components
from jingwei.cases.rules import Rule
from jingwei.ledger.sealer import Sealer
from square import MIDDLE, open_square

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jingwei.access import Asker
    from jingwei.cases import Case
    from jingwei.city import City

    from .conftest import Reader

GOOD = "correct horse battery staple"
PARKS, WATER = "11430000006122244L", "11100000000013338W"
LON, LAT = MIDDLE, 22.6
STAFF = {
    "lin": ("林采集", "grid_officer", ""),
    "shou": ("寿受理", "case_acceptor", ""),
    "pai": ("裴派遣", "case_dispatcher", ""),
    "zhi": ("植经办", "case_department", PARKS),
    "yuan": ("袁园丁", "case_handler", PARKS),
    "shui": ("水经办", "case_department", WATER),
    "zhang": ("张值班", "case_duty_chief", ""),
}
"""The seven by their sign-in names: what they are called, their role and department."""
COVER = {"code": "99010001001000001", "name": "上水井盖", "lon": LON, "lat": LAT + 5e-5, "department": PARKS}
RULES = [
    Rule("R1", "component", "01001", "井盖破损", "修复", Limit("work_day", 3)),
    Rule("R2", "matter", "06001", "有私搭乱建", "拆除", Limit("work_day", 5)),
]


@dataclass
class Staffed:
    """A city and its staff: identifiers by sign-in name."""

    city: City
    people: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.desk = Desk(self.city.policies.current)

    def asker(self, login: str) -> Asker:
        """Return one of the staff as who asks."""
        with self.city.records.read() as session:
            return asker_of_person(session, self.people[login])

    def report(self, description: str = "搭棚占道", east: float = 0.0, source: str = "public") -> str:
        """Let the acceptor note a report some degrees east of where the telephones are; return its number."""
        report = Report("matter", "06001", source, description, LON + east, LAT)
        with self.city.records.write() as session:
            return self.desk.report(session, self.asker("shou"), report).number

    def act(self, login: str, number: str, action: str, **fields: Any) -> Case:
        """Let one of the staff take a step."""
        with self.city.records.write() as session:
            return self.desk.act(session, self.asker(login), number, action, fields)

    def get(self, number: str) -> Case:
        """Return a case as the duty chief sees it."""
        with self.city.records.read() as session:
            return self.desk.get(session, self.asker("zhang"), number)

    def to_verify(self, **about: Any) -> str:
        """Bring a report to where a collector looks at it; return its number."""
        number = self.report(**about)
        self.act("shou", number, "send_verify")
        return number

    def to_handle(self, rule: str, *, east: float) -> str:
        """Bring a case of a rule to the handler; return its number."""
        kind, type_ = next((one.kind, one.type) for one in RULES if one.id == rule)
        report = Report(kind, type_, "leader", "", LON + east, LAT)
        with self.city.records.write() as session:
            number = self.desk.report(session, self.asker("shou"), report).number
        self.act("shou", number, "register", rule=rule)
        self.act("pai", number, "dispatch", department=PARKS)
        self.act("zhi", number, "assign", handler=self.asker("yuan").id)
        return number

    def act_as(self, reader: Reader, login: str) -> None:
        """Let a browser act as one of the staff, in open mode."""
        cookie = {"name": "jingwei-acting-as", "value": self.people[login], "url": reader.address}
        reader.context.add_cookies([cookie])


@contextmanager
def staffed(folder: Path) -> Iterator[Staffed]:
    """Give a city with staff, rules and a component; its log is sealed as it goes."""
    with open_square(folder) as city:
        me = local_person()
        made = Staffed(city)
        with city.records.write() as session:
            signing_in.set_first_password(session, signing_in.first_start(session), GOOD)
            access.add_department(session, me, PARKS, "园林局")
            access.add_department(session, me, WATER, "水务局")
            for login, (name, role, department) in STAFF.items():
                person = access.add_person(session, me, login, name)
                signing_in.set_first_password(session, signing_in.new_setup_code(session, me, person), GOOD)
                access.give_role(session, me, person, role, department)
                made.people[login] = person
            regime.adopt(session, me, "rules", RULES)
            put_components(session, me, Desk(city.policies.current).regime(session), [COVER])
        with Sealer(city.records, city.home / "log").running():
            yield made


def steps_of(case: dict[str, Any]) -> list[str]:
    """Return the steps that a case has behind it."""
    return [one["action"] for one in case["timeline"]]
