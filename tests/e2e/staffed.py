"""The square city with a desk at work: departments, staff with passwords, rules, and components to report."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jingwei import access
from jingwei.access import local_person, signing_in
from jingwei.cases import Desk, regime
from jingwei.cases.clocks import Limit
from jingwei.cases.inventory import put_components
from jingwei.cases.rules import Rule
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.ledger.sealer import Sealer
from square import MIDDLE, write_square

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jingwei.city import City

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
COVER = {"code": "99010001001000001", "name": "上水井盖", "lon": LON, "lat": LAT + 5e-5, "department": WATER}
RULES = [
    Rule("R1", "component", "01001", "井盖破损", "修复", Limit("work_day", 3)),
    Rule("R2", "matter", "06001", "有私搭乱建", "拆除", Limit("work_day", 5)),
]


@dataclass
class Staffed:
    """A city and its staff: identifiers by sign-in name."""

    city: City
    people: dict[str, str] = field(default_factory=dict)


@contextmanager
def staffed(folder: Path) -> Iterator[Staffed]:
    """Give a city with staff, rules and a component; its log is sealed as it goes."""
    pack = write_square(folder / "pack")
    with open_city(folder / "home", create=True) as city:
        load_pack(city, read_manifest(pack), pack, None, local_person())
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
