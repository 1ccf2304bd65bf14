from datetime import timedelta

import pytest
import shapely

from cases.conftest import PARKS, ROADS, STAFF, WATER
from jingwei import registry
from jingwei.access import local_person
from jingwei.cases import dispatch
from jingwei.cases.board import Board, Choice
from jingwei.cases.calendar import instant
from jingwei.cases.errors import BadFieldError
from jingwei.cases.ground import Duty, Grid, put_default_points, put_duties, put_grids
from jingwei.cases.indicators import figures
from jingwei.cases.inventory import component, put_components
from jingwei.cases.types import Catalogue

SIDE = 0.001
WEST_GRID, EAST_GRID = "440301001001001", "440301001002001"


@pytest.fixture
def ground(office):
    """Two unit grids side by side, and who is responsible on them."""
    with office.records.write() as session:
        put_grids(
            session,
            local_person(),
            [
                Grid(WEST_GRID, shapely.box(114.0, 22.5, 114.0 + SIDE, 22.5 + SIDE), duty_grid="D1"),
                Grid(
                    EAST_GRID, shapely.box(114.0 + SIDE, 22.5, 114.0 + 2 * SIDE, 22.5 + SIDE), duty_grid="D2"
                ),
            ],
            since=office.now - timedelta(days=1),
        )
        put_duties(
            session,
            local_person(),
            [
                Duty("440301", PARKS, since=office.now - timedelta(days=9)),
                Duty("440301001002", WATER, type="06001", since=office.now - timedelta(days=9)),
                Duty(
                    "440301001001",
                    ROADS,
                    since=office.now - timedelta(days=9),
                    until=office.now - timedelta(days=1),
                ),
            ],
        )
        put_default_points(session, local_person(), [(114.0015, 22.5005, "市政府")])
    return office


def proposal(office, case):
    board = Board(office.records, office.desk)
    board.refresh()
    with office.records.read() as session:
        desk = office.desk
        return dispatch.propose(
            session, desk.regime(session), desk.ground(session), board, case, at=office.now
        )


@pytest.mark.parametrize(
    ("lon", "lat", "area", "where"),
    [
        (114.0005, 22.5005, WEST_GRID, "inside"),
        (114.00099, 22.5005, WEST_GRID, "border"),
        (114.00101, 22.5005, EAST_GRID, "border"),
        (114.0030, 22.5005, EAST_GRID, "outside"),
        (114.0015, 22.5005, "", "default"),
    ],
)
def test_where_a_point_lies(ground, lon, lat, area, where):
    with ground.records.read() as session:
        found = ground.desk.ground(session).locate(lon, lat)
    assert (found.area, found.where) == (area, where)
    assert bool(found.rule.zh) == (where != "inside")
    if where == "border":
        (other,) = found.neighbours
        assert other[1] == pytest.approx(1.0, abs=0.1)
    case = ground.report(lon=lon, lat=lat)
    assert (case.area, case.where) == (area, where)


def test_the_finest_area_and_type_decide_and_the_reason_is_told(ground):
    east = ground.report(lon=114.0012, lat=22.5008)
    found = proposal(ground, east)
    assert [one.department for one in found.departments] == [WATER, PARKS]
    why = found.departments[0].why[0]
    name = Catalogue().get("matter", "06001").name
    assert why.zh == f"职责分工：440301001002，{name.zh}（06001）"
    assert name.en in why.en
    assert [rule.id for rule in found.rules] == ["1"]
    west = ground.report(lon=114.0005, lat=22.5005)
    assert [one.department for one in proposal(ground, west).departments] == [
        PARKS
    ]  # that of ROADS has ended


def test_a_component_goes_to_whom_it_belongs_first(ground):
    rows = [
        {
            "code": "4403010101000001",
            "name": "供水井盖",
            "department": ROADS,
            "lon": 114.0005,
            "lat": 22.5005,
        },
        {"code": "44030101001000002", "department": WATER},
        {"code": "4403010199000001"},
        {"code": "44030101001000002"},
    ]
    with ground.records.write() as session:
        taken = put_components(session, local_person(), ground.desk.regime(session), rows)
        assert (taken.count, taken.mapped, [fault["row"] for fault in taken.faults]) == (2, 1, [3, 4])
        again = put_components(session, local_person(), ground.desk.regime(session), rows[:1])
        first = component(session, "44030101001000001")
    assert (again.count, first.department) == (1, ROADS)
    with ground.records.read() as session:
        assert registry.get(session, first.object).key == "44030101001000001"
    given = {"kind": "component", "type": "01001", "component": "44030101001000001"}
    case = ground.report(**given, lon=114.0005, lat=22.5005)
    assert proposal(ground, case).departments[0].department == ROADS


def test_what_was_done_before_counts_once_there_is_enough_of_it(office):
    for _ in range(5):
        office.to("closed", department=PARKS)
    (found,) = proposal(office, office.report()).departments
    assert (found.department, found.why[0].zh) == (PARKS, "同类案件 5 件中有 5 件由其办结")


def test_proposals_measure_themselves(ground):
    board = Board(ground.records, ground.desk)
    right = ground.report(lon=114.0005, lat=22.5005)
    right = ground.act("acceptor", right, "register", rule="1")
    ground.act("dispatcher", right, "dispatch", department=PARKS, proposal=PARKS)
    wrong = ground.act("acceptor", ground.report(), "register", rule="1")
    wrong = ground.act("dispatcher", wrong, "dispatch", department=PARKS, proposal=PARKS)
    wrong = ground.act("parks", wrong, "return_to_dispatcher", reason="非我局职责")
    ground.act("dispatcher", wrong, "redispatch", department=WATER)
    keys = ["proposal_rate", "accur_dispatch_rate"]
    (found,) = figures(board, STAFF["chief"], Choice(), now=instant(ground.now), keys=keys)
    assert [found["figures"][key].value for key in keys] == [0.5, 0.5]


@pytest.mark.parametrize(
    "grids",
    [
        [Grid("123", shapely.box(0, 0, 1, 1))],
        [Grid(WEST_GRID, shapely.box(0, 0, 1, 1)), Grid(WEST_GRID, shapely.box(1, 0, 2, 1))],
        [Grid(WEST_GRID, shapely.Point(0, 0))],
        [Grid(WEST_GRID, shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]))],
    ],
)
def test_bad_grids_are_refused_and_those_in_force_stay(ground, grids):
    with pytest.raises(BadFieldError), ground.records.write() as session:
        put_grids(session, local_person(), grids)
    with ground.records.read() as session:
        assert len(ground.desk.ground(session)) == 2
