"""Drains fall to the river, lines have stops, components bear the standard's codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from jingwei.city.demo import Layout, lay_out, settings_of
from jingwei.city.demo.codes import is_credit_code
from jingwei.city.demo.components import KINDS, Components, take_inventory
from jingwei.city.demo.departments import form_government
from jingwei.city.demo.drainage import Drains, lay_drains
from jingwei.city.demo.facilities import Facilities, open_facilities
from jingwei.city.demo.transit import Transit, run_buses, run_metro

Things = tuple[Layout, Drains, Facilities, Transit, Transit, Components]


@pytest.fixture(
    scope="module", params=[("tiny", 1), ("S", 1), ("S", 5)], ids=lambda city: f"{city[0]}-{city[1]}"
)
def things(request: pytest.FixtureRequest) -> Things:
    layout = lay_out(settings_of(*request.param))
    drains, facilities = lay_drains(layout), open_facilities(layout)
    metro, buses = run_metro(layout), run_buses(layout)
    return layout, drains, facilities, metro, buses, take_inventory(layout, drains, facilities, metro, buses)


def test_every_pipe_falls_towards_an_outfall(things: Things) -> None:
    drains = things[1]
    flows = drains.downstream >= 0
    assert (drains.invert[flows] > drains.invert[drains.downstream[flows]]).all()
    assert (drains.invert < drains.ground).all()
    node = np.arange(len(drains.node))
    for _ in range(len(node)):
        node = np.where(drains.downstream[node] >= 0, drains.downstream[node], node)
    assert (drains.downstream[node] < 0).all()


def test_pipes_widen_downstream_with_the_land_they_drain(things: Things) -> None:
    drains = things[1]
    inner = (drains.downstream >= 0) & (drains.downstream[drains.downstream] >= 0)
    below = drains.downstream[inner]
    assert (drains.area[below] >= drains.area[inner] - 1.0).all()
    assert (drains.diameter[below] >= drains.diameter[inner]).all()


def test_lines_have_their_stops_on_them_in_order(things: Things) -> None:
    for lines in (things[3], things[4]):
        for number, shape in enumerate(lines.shapes):
            stops = lines.line == number
            points = shapely.points(lines.x[stops], lines.y[stops])
            assert (shapely.distance(shape, points) < 0.1).all()
            assert (np.diff(lines.order[stops]) == 1).all()
            assert stops.sum() >= 3


def test_the_metro_crosses_the_city_and_its_lines_meet(things: Things) -> None:
    layout, metro = things[0], things[3]
    assert (shapely.length(metro.shapes) > 1.2 * layout.plan.urban * layout.settings.scale.spacing).all()
    names = metro.stop_names.astype(str)
    assert {"鼓楼站", "市民中心站", "火车站"} <= set(names)
    for number in range(len(metro.shapes)):
        assert len(set(names[metro.line == number])) == (metro.line == number).sum()


def test_stops_of_two_metro_lines_meet_in_one_station() -> None:
    metro = run_metro(lay_out(settings_of("M", 2)))
    lines_at = {
        name: set(metro.line[metro.stop_names == name].tolist())
        for name in ("鼓楼站", "市民中心站", "火车站")
    }
    assert lines_at == {"鼓楼站": {0, 1}, "市民中心站": {0, 2}, "火车站": {1, 2}}
    assert (shapely.length(metro.shapes) > 9_000.0).all()


def test_component_identifiers_are_unique_and_of_the_standards_form(things: Things) -> None:
    layout, components = things[0], things[5]
    assert len(set(components.identifier)) == len(components.identifier)
    district = layout.divisions.districts.codes[layout.divisions.district[components.face]]
    for identifier, code, place in zip(components.identifier, components.code, district, strict=True):
        assert len(identifier) == 17
        assert identifier.startswith(place + code)


def test_component_types_are_those_of_the_standard(shared_data: Path) -> None:
    table = json.loads((shared_data.parent / "spec" / "cases" / "components.json").read_text())
    names = {row["code"]: row["zh"] for row in table["components"]}
    assert {code: kind.name for code, kind in KINDS.items()} == {code: names[code] for code in KINDS}


def test_every_component_has_a_department_that_exists(things: Things) -> None:
    departments = form_government(things[0]).departments
    assert all(kind.owner in departments for kind in KINDS.values())
    assert all(not kind.keeper or kind.keeper in departments for kind in KINDS.values())
    assert all(is_credit_code(department.code) for department in departments.values())


def test_a_city_has_the_places_that_people_need(things: Things) -> None:
    kinds = set(things[2].kind)
    assert {"医院", "公园", "客运站", "政务服务中心", "停车场", "派出所", "消防站"} <= kinds
    assert (things[2].capacity > 0).all()
