"""An office of the square city: departments, staff of every role, rules, and cases in many states."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from jingwei.access import add_department, add_person, give_role, local_person
from jingwei.access.people import asker_of_person
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.cases import Desk, Report, regime
from jingwei.cases.clocks import Limit
from jingwei.cases.ground import Duty, put_duties
from jingwei.cases.rules import Rule
from jingwei.ledger.sealer import Sealer
from jingwei.records import now_utc
from square import open_square, stop_place

from .conftest import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.cases import Case
    from jingwei.city import City

PARKS, WATER = "11430000006122244L", "11100000000013338W"
STAFF = {
    "collector": ("采集员小周", "grid_officer", ""),
    "acceptor": ("受理员小吴", "case_acceptor", ""),
    "chief": ("值班长老郑", "case_duty_chief", ""),
    "dispatcher": ("派遣员小王", "case_dispatcher", ""),
    "parks": ("园林经办小冯", "case_department", PARKS),
    "gardener": ("园林工老陈", "case_handler", PARKS),
    "water": ("水务经办小褚", "case_department", WATER),
    "leader": ("督办领导老卫", "case_leader", ""),
}
RULES = [
    Rule("R1", "matter", "06001", "有私搭乱建", "拆除并恢复原状", Limit("work_day", 1)),
    Rule("R2", "matter", "06003", "接坡占用路面", "拆除接坡", Limit("work_hour", 4)),
    Rule("R3", "component", "01001", "井盖缺失或破损", "恢复完好", Limit("urgent_hour", 2)),
]


@dataclass
class Office:
    """A city at work, served at `address`."""

    city: City
    desk: Desk
    address: str = ""
    people: dict[str, str] = field(default_factory=dict)
    """Identifiers (`person/...`) by the name of `STAFF`."""

    def _asker(self, session: Session, who: str) -> Asker:
        return asker_of_person(session, self.people[who].removeprefix("person/"))

    def report(
        self, what: str = "搭建棚屋占用人行道", n: int = 0, hours_ago: float = 0, **given: Any
    ) -> Case:
        """Report a case of the collector at a place of the city."""
        lon, lat = stop_place(n)
        about = {"kind": "matter", "type": "06001", "source": "collector", "lon": lon, "lat": lat, **given}
        at = now_utc() - timedelta(hours=hours_ago)
        with self.city.records.write() as session:
            asker = self._asker(session, "collector")
            return self.desk.report(session, asker, Report(**about, description=what, at=at))

    def act(self, who: str, case: Case | str, action: str, *, hours_ago: float = 0, **fields: Any) -> Case:
        """Take a step as one of the staff."""
        number = case if isinstance(case, str) else case.number
        at = now_utc() - timedelta(hours=hours_ago)
        with self.city.records.write() as session:
            asker = self._asker(session, who)
            return self.desk.act(session, asker, number, action, fields, at=at)

    def sit(self, context: BrowserContext, who: str) -> None:
        """Have a browser act as one of the staff."""
        person = self.people[who].removeprefix("person/")
        answer = context.request.put(f"{self.address}/api/session/acting", data={"person": person})
        assert answer.ok, answer.text()


@contextmanager
def open_office(folder: Path) -> Iterator[Office]:
    """Open the square city with an office and serve it."""
    me = local_person()
    with open_square(folder) as city:
        departments = [(PARKS, None), (WATER, None)]
        policies = Policies(default_policies().text, 0, departments)
        office = Office(city, Desk(lambda: policies))
        with city.records.write() as session:
            add_department(session, me, PARKS, "园林局")
            add_department(session, me, WATER, "水务局")
            for login, (name, role, department) in STAFF.items():
                person = add_person(session, me, login, name)
                give_role(session, me, person, role, department)
                office.people[login] = f"person/{person}"
            regime.adopt(session, me, "rules", RULES)
            put_duties(session, me, [Duty("", PARKS, "matter", "06"), Duty("", WATER, "component", "01")])
        with Sealer(city.records, folder / "home" / "log").running(), served(city) as address:
            office.address = address
            yield office
