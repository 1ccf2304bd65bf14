"""The static city could exist: its land tiles, its units nest, its roads connect, its addresses resolve."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from jingwei.city.demo import Layout, lay_out, settings_of
from jingwei.city.demo.land import Use
from jingwei.city.demo.lines import Line
from jingwei.city.demo.roads import is_strongly_connected

CITIES = [("tiny", 1), ("tiny", 2), ("tiny", 7), ("S", 1), ("S", 4)]


@pytest.fixture(scope="module", params=CITIES, ids=lambda city: f"{city[0]}-{city[1]}")
def city(request: pytest.FixtureRequest) -> Layout:
    return lay_out(settings_of(*request.param))


def test_unit_grids_tile_the_city_without_gap_or_overlap(city: Layout) -> None:
    faces = city.fabric.faces
    whole = shapely.coverage_union_all(faces)
    assert shapely.is_valid(faces).all()
    assert shapely.coverage_is_valid(faces)
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert whole.area == pytest.approx(shapely.area(faces).sum(), abs=1e-3)


def test_the_tiling_survives_the_way_to_degrees(city: Layout) -> None:
    faces = city.frame.geometries_to_degrees(city.fabric.faces)
    assert shapely.is_valid(faces).all()
    assert shapely.coverage_is_valid(faces)


def test_urban_unit_grids_are_about_a_hectare(city: Layout) -> None:
    land = (city.fabric.remoteness < 1.0) & (city.fabric.surface < 0)
    assert 7_500 < np.median(shapely.area(city.fabric.faces[land])) < 12_500


@pytest.mark.parametrize(("lower", "upper"), [("community", "street"), ("street", "district")])
def test_units_nest_exactly(city: Layout, lower: str, upper: str) -> None:
    levels = {"community": "communities", "street": "streets", "district": "districts"}
    divisions = city.divisions
    below, above = getattr(divisions, levels[lower]), getattr(divisions, levels[upper])
    assert (below.parent[getattr(divisions, lower)] == getattr(divisions, upper)).all()
    for number, shape in enumerate(above.shapes):
        inside = shapely.coverage_union_all(below.shapes[below.parent == number])
        assert shapely.equals(inside, shape)


def test_every_unit_is_one_connected_piece_with_a_code_below_its_parents(city: Layout) -> None:
    divisions = city.divisions
    for level, parent_codes, digits in (
        (divisions.streets, divisions.districts.codes, 9),
        (divisions.communities, divisions.streets.codes, 12),
    ):
        assert (shapely.get_type_id(level.shapes) == 3).all()
        assert len(set(level.codes)) == len(set(level.names)) == len(level.codes)
        for code, parent in zip(level.codes, level.parent, strict=True):
            assert len(code) == digits
            assert code.startswith(parent_codes[parent])
    assert len(set(divisions.grid_codes)) == len(city.fabric.faces)
    for code, community in zip(divisions.grid_codes, divisions.community, strict=True):
        assert len(code) == 15
        assert code.startswith(divisions.communities.codes[community])


def test_every_junction_can_be_reached_from_every_other(city: Layout) -> None:
    roads = city.roads
    assert is_strongly_connected(roads)
    assert (roads.length > 0).all()
    starts = shapely.get_coordinates(shapely.get_point(roads.shapes, 0))
    assert np.allclose(starts, np.column_stack([roads.x, roads.y])[roads.start])


def test_the_river_is_crossed_by_bridges_only(city: Layout) -> None:
    water = shapely.coverage_union_all(city.fabric.faces[city.land.use == Use.WATER])
    over_water = shapely.length(shapely.intersection(city.roads.shapes, water)) > 1.0
    assert over_water.any()
    assert city.roads.bridges[over_water].all()


def test_buildings_stand_apart_inside_their_unit_grid(city: Layout) -> None:
    buildings = city.buildings
    assert shapely.is_valid(buildings.shapes).all()
    assert shapely.contains(city.land.parcels[buildings.face], buildings.shapes).all()
    one, other = shapely.STRtree(buildings.shapes).query(buildings.shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    overlap = shapely.area(shapely.intersection(buildings.shapes[one], buildings.shapes[other]))
    assert (overlap > 1.0).sum() == 0


def test_buildings_rise_towards_the_centres() -> None:
    city = lay_out(settings_of("S", 3))
    offices = np.isin(city.buildings.use, (Use.OFFICES, Use.COMMERCE))
    rank = np.argsort(np.argsort(city.land.centrality[city.buildings.face[offices]]))
    height = np.argsort(np.argsort(city.buildings.height[offices]))
    assert np.corrcoef(rank, height)[0, 1] > 0.5


def test_homes_hold_the_population_with_some_standing_empty(city: Layout) -> None:
    people_per_home = city.settings.scale.population / city.buildings.homes.sum()
    assert 1.3 < people_per_home < 4.0


def test_every_address_leads_to_one_building(city: Layout) -> None:
    addresses = city.addresses.full
    assert len(set(addresses)) == len(city.buildings.shapes)
    streets = city.divisions.streets.names[city.divisions.street[city.buildings.face]]
    roads = city.addresses.road_names[city.addresses.road]
    for address, street, road in zip(addresses, streets, roads, strict=True):
        assert address.startswith(city.name.zh)
        assert street in address
        assert road in address


def test_a_lane_leads_to_every_village(city: Layout) -> None:
    houses = city.buildings.use == Use.VILLAGE
    faces = np.unique(city.buildings.face[houses])
    _, away = shapely.STRtree(city.roads.shapes).query_nearest(
        city.fabric.faces[faces], all_matches=False, return_distance=True
    )
    assert np.mean(away < 1.0) > 0.9  # some lie on the far bank of the river, where no lane can lead
    lanes = city.roads.ways.astype(str)[city.roads.kinds == Line.LANE]
    assert len(lanes)
    assert np.char.startswith(lanes, "lane:").all()


def test_buildings_differ_in_outline(city: Layout) -> None:
    corners = shapely.get_num_coordinates(city.buildings.shapes)
    offices = np.isin(city.buildings.use, (Use.OFFICES, Use.COMMERCE))
    assert len(set(corners[offices].tolist())) >= 3
    assert (corners[city.buildings.use == Use.SLAB_HOUSING] == 5).all()


def test_the_ground_is_lowest_at_the_river(city: Layout) -> None:
    in_river = city.land.use == Use.WATER
    assert np.median(city.land.height[in_river]) < np.percentile(city.land.height[~in_river], 10)


def test_no_code_is_that_of_a_real_place(city: Layout) -> None:
    provinces = [
        *range(11, 16),
        *range(21, 24),
        *range(31, 38),
        *range(41, 47),
        *range(50, 55),
        *range(61, 66),
    ]
    assigned = {*provinces, 71, 81, 82, 83}
    assert {int(code[:2]) for code in city.divisions.districts.codes}.isdisjoint(assigned)


def test_an_equal_seed_gives_an_equal_city_and_another_seed_another() -> None:
    first, again, other = (lay_out(settings_of("tiny", seed)) for seed in (5, 5, 6))
    assert shapely.to_wkb(first.buildings.shapes).tolist() == shapely.to_wkb(again.buildings.shapes).tolist()
    assert first.addresses.full.tolist() == again.addresses.full.tolist()
    assert first.divisions.grid_codes.tolist() == again.divisions.grid_codes.tolist()
    assert first.addresses.full.tolist() != other.addresses.full.tolist()
