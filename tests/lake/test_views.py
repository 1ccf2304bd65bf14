"""Whoever asks sees what the policies permit, however it is asked for."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pyarrow.compute as pc
import pytest
import shapely

from jingwei import access, grid, ledger
from jingwei.access import Asker, local_person
from jingwei.access.policy import RefusedError
from jingwei.access.policy.masks import masked
from jingwei.access.policy.store import adopt, default_policies
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.lake import region_of_bounds, region_of_cell
from jingwei.lake.errors import (
    CountsOnlyError,
    HiddenColumnError,
    UnknownColumnError,
    UnknownDatasetError,
)
from jingwei.lake.export import export_dataset

HEALTH, POLICE = "11430000006122244L", "11100000000013338W"
WEST, SOUTH = 114.0, 22.5
LEVEL = 15
PATIENTS = 300

MANIFEST = """
[city]
id = "ward"
name = { zh = "病城" }
adcode = "990100"

[[source]]
id = "patients"
file = "patients.csv"
title = { zh = "患者", en = "Patients" }
owner = "卫生局"
sharing = "conditional"
text = ["no", "phone"]
keys = ["no"]
name = "name"
place = { lon = "lon", lat = "lat", crs = "WGS84" }
time = { column = "at", zone = "Asia/Shanghai" }
[source.fields]
name = { personal = true }
dose = { level = 2, personal = false }

[[source]]
id = "clinics"
file = "clinics.geojson"
title = { zh = "诊所", en = "Clinics" }
owner = "卫生局"
sharing = "unconditional"
name = "name"
place = { geometry = "geometry", crs = "WGS84" }
"""

BASE = """
permit (principal in Role::"local", action, resource);
permit (principal, action == Action::"dataset.list", resource);
"""
ALL_FIELDS = 'permit (principal, action == Action::"field.read", resource);'
READ = 'permit (principal, action == Action::"dataset.read", resource);'
PLACES = 'permit (principal, action == Action::"place.read", resource);'

STAFF = Asker("person/1", "某人", frozenset({"staff"}), frozenset({POLICE}))
OWNER = Asker("person/2", "医生", frozenset({"staff"}), frozenset({HEALTH}))


def place_of(n):
    """Most patients in clusters, some alone."""
    if n % 10 == 0:
        return WEST + 0.003 * (n // 10), SOUTH + 0.0021 * (n // 10)
    return WEST + 0.02 * (n % 5) + 1e-5 * n, SOUTH + 0.02 * (n % 3) + 1e-5 * n


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    """A city with a health office and a police, of whom one owns what the other may not see."""
    folder = tmp_path_factory.mktemp("ward")
    rows = ["no,name,phone,dose,lon,lat,at"]
    for n in range(PATIENTS):
        lon, lat = place_of(n)
        rows.append(f"{n:04d},人{n},138{n:08d},{n % 7},{lon:.6f},{lat:.6f},2026-03-{1 + n % 28:02d} 08:00:00")
    (folder / "patients.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (folder / "clinics.geojson").write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"诊所"},"geometry":'
        '{"type":"Polygon","coordinates":[[[114,22.5],[114.001,22.5],[114.001,22.501],[114,22.5]]]}}]}',
        "utf-8",
    )
    (folder / "city.toml").write_text(MANIFEST, "utf-8")
    with open_city(folder / "home", create=True) as city:
        with city.records.write() as session:
            access.add_department(session, local_person(), HEALTH, "卫生局")
            access.add_department(session, local_person(), POLICE, "公安局")
        report = load_pack(city, read_manifest(folder), folder, None, local_person())
        assert report.complete
        yield city


@pytest.fixture
def policy(ward):
    """How to put policies in force; the defaults are back after the test."""

    def adopt_text(text):
        with ward.records.write() as session:
            adopt(session, local_person(), text, [])

    yield adopt_text
    adopt_text(default_policies().text)


@pytest.fixture
def lake(ward):
    return ward.lake


# rows


def test_rows_are_those_the_policies_permit_whichever_way_they_are_asked_for(lake, policy, tmp_path):
    late = 1773619200  # 2026-03-16 00:00 UTC
    rule = f"""
    permit (principal, action == Action::"dataset.read", resource is Dataset);
    permit (principal, action == Action::"dataset.read", resource is Fact)
    when {{ resource has time && resource.time >= {late} }};
    """
    policy(BASE + rule + ALL_FIELDS + PLACES + READ.replace("dataset.read", "dataset.export"))
    everything = lake.query(local_person(), "patients", limit=10_000).table
    wanted = set(
        everything.filter(pc.greater_equal(pc.cast(everything["jw_time"], "int64"), late * 1_000_000))[
            "no"
        ].to_pylist()
    )
    assert 0 < len(wanted) < PATIENTS
    asked = lake.query(STAFF, "patients", limit=10_000).table
    assert set(asked["no"].to_pylist()) == wanted
    region = region_of_bounds(WEST - 0.1, SOUTH - 0.1, WEST + 0.2, SOUTH + 0.2)
    (_, rows), *_ = [one for one in lake.inside(STAFF, region, limit=1000) if one[0].id == "patients"]
    assert set(rows.table["no"].to_pylist()) == wanted
    assert rows.total == len(wanted)
    assert sum(lake.density(STAFF, "patients", 12)["n"].to_pylist()) == len(wanted)
    assert lake.places(STAFF, "patients", limit=10_000).num_rows == len(wanted)
    assert sum(one.facts for one in lake.search(STAFF, "人", limit=1000)) == len(wanted)
    assert export_dataset(lake, STAFF, "patients", tmp_path / "x.csv") == len(wanted)
    shown = lake.dataset(STAFF, "patients")
    assert not shown.view.total_shown
    assert shown.version.content.bounds is shown.version.content.period is None
    assert all(column.minimum is None for column in shown.version.content.columns)


# fields


def test_a_masked_field_is_masked_in_every_answer_and_every_filter(lake, policy):
    rules = """
    permit (principal, action == Action::"field.read", resource) when { !resource.personal };
    @mask("partial") permit (principal, action == Action::"field.read", resource)
    when { resource.personal && resource == Field::"patients/phone" };
    @mask("hash") permit (principal, action == Action::"field.read", resource)
    when { resource.personal && resource == Field::"patients/name" };
    """
    policy(BASE + READ + PLACES + rules)
    raw = lake.query(local_person(), "patients", limit=1000).table
    shown = lake.query(STAFF, "patients", limit=1000).table
    assert shown["phone"].to_pylist() == [masked(one, "partial", b"") for one in raw["phone"].to_pylist()]
    key = (lake.root / "mask-key").read_bytes()
    assert shown["name"].to_pylist() == [masked(one, "hash", key) for one in raw["name"].to_pylist()]
    assert shown["dose"].to_pylist() == raw["dose"].to_pylist()
    assert lake.query(STAFF, "patients", where="phone = '13800000007'").table.num_rows == 0
    assert lake.query(STAFF, "patients", where="phone LIKE '138%'").table.num_rows == 0
    assert lake.search(STAFF, "人") == []
    hashed = shown["name"][0].as_py()
    assert lake.query(STAFF, "patients", where=f"name = '{hashed}'").table.num_rows == 1


def test_a_hidden_field_is_not_there_for_answers_filters_near_misses_or_statistics(lake, policy):
    policy(
        BASE
        + READ
        + PLACES
        + 'permit (principal, action == Action::"field.read", resource) when { !resource.personal };'
    )
    table = lake.query(STAFF, "patients").table
    assert not {"name", "phone"} & set(table.column_names)
    with pytest.raises(HiddenColumnError):
        lake.query(STAFF, "patients", columns=["phone"])
    for where in ("phone = '13800000007'", "phon = '1'"):
        with pytest.raises(UnknownColumnError) as caught:
            lake.query(STAFF, "patients", where=where)
        assert "phone" not in str(caught.value.mend)
    shown = lake.dataset(STAFF, "patients")
    assert shown.version.content.name is None
    assert {column.name for column in shown.version.content.columns} == {"no", "dose", "lon", "lat", "at"}
    assert shown.view.masks["phone"] == "hidden"


# places


def test_a_place_is_coarsened_in_every_answer(lake, policy):
    policy(
        BASE
        + READ
        + ALL_FIELDS
        + f'@level("{LEVEL}") permit (principal, action == Action::"place.read", resource);'
    )
    raw = lake.query(local_person(), "patients", limit=1000).table
    shown = lake.query(STAFF, "patients", limit=1000).table
    assert not {"lon", "lat"} & set(shown.column_names)
    assert set(shown["jw_level"].to_pylist()) == {LEVEL}
    codes = grid.parent(np.asarray(grid.from_stored(raw["jw_cell"].to_numpy()), np.uint64), 32, LEVEL)
    assert np.array_equal(np.asarray(grid.from_stored(shown["jw_cell"].to_numpy()), np.uint64), codes)
    assert set(lake.places(STAFF, "patients", limit=1000)["jw_level"].to_pylist()) == {LEVEL}
    assert lake.density(STAFF, "patients", LEVEL + 1).num_rows == 0
    assert sum(lake.density(STAFF, "patients", LEVEL)["n"].to_pylist()) == PATIENTS
    west, south = lake.dataset(STAFF, "patients").version.content.bounds[:2]
    assert grid.Cell.at(west + 1e-9, south + 1e-9, LEVEL).bounds[:2] == pytest.approx((west, south))
    named = lake.search(STAFF, "人7")
    assert {one.level for one in named} == {LEVEL}


def test_asking_in_small_boxes_finds_no_finer_place(lake, policy):
    """Of all boxes within one coarse cell, each finds the same facts."""
    policy(
        BASE
        + READ
        + ALL_FIELDS
        + f'@level("{LEVEL}") permit (principal, action == Action::"place.read", resource);'
    )
    home = grid.Cell.at(*place_of(7), LEVEL)
    west, south, east, _ = home.bounds
    side = (east - west) / 4
    found = set()
    for k in range(3):
        box = region_of_bounds(
            west + k * side + 1e-6, south + k * side + 1e-6, west + (k + 1) * side, south + (k + 1) * side
        )
        facts = lake.query(STAFF, "patients", region=box, limit=1000).table["no"].to_pylist()
        found.add(tuple(facts))
        (rows,) = [rows for dataset, rows in lake.inside(STAFF, box, limit=1000) if dataset.id == "patients"]
        assert set(rows.table["jw_relation"].to_pylist()) == {"around"}
    assert len(found) == 1
    fine = grid.Cell.at(*place_of(7), 28)
    ((_, rows),) = lake.at(STAFF, fine, limit=1000)
    assert tuple(rows.table["no"].to_pylist()) in found


def test_an_area_is_shown_as_its_coarse_cell(lake, policy):
    policy(
        BASE
        + READ
        + ALL_FIELDS
        + '@level("12") permit (principal, action == Action::"place.read", resource);'
    )
    shown = lake.dataset(STAFF, "clinics").version.content
    assert shown.geometry is None
    rows = lake.query(STAFF, "clinics").table
    assert "geometry" not in rows.column_names
    assert rows["jw_level"].to_pylist() == [12]


def test_who_may_see_no_place_finds_nothing_by_place(lake, policy):
    policy(BASE + READ + ALL_FIELDS)
    rows = lake.query(STAFF, "patients", limit=1000).table
    assert not [name for name in rows.column_names if name.startswith(("jw_cell", "jw_level", "lon", "lat"))]
    assert lake.at(STAFF, grid.Cell.at(*place_of(7), 10)) == []
    assert lake.dataset(STAFF, "patients").version.content.places == []


# datasets


def test_what_is_not_listed_is_unknown_and_no_near_miss(lake, policy):
    policy(
        """
        permit (principal in Role::"local", action, resource);
        permit (principal, action == Action::"dataset.list", resource)
        when { resource.sharing == "unconditional" };
        """
    )
    for name in ("patients", "patient", "nothing"):
        with pytest.raises(UnknownDatasetError) as caught:
            lake.dataset(STAFF, name)
        assert "patients" not in str(caught.value.mend)
    assert [one.id for one in lake.datasets(STAFF)] == ["clinics"]
    with pytest.raises(UnknownDatasetError):
        lake.query(STAFF, "patients")


def test_what_is_listed_but_not_read_is_refused(lake):
    for ask in (
        lambda: lake.query(STAFF, "patients"),
        lambda: lake.places(STAFF, "patients", limit=1),
        lambda: lake.quarantine(STAFF, "patients"),
    ):
        with pytest.raises(RefusedError):
            ask()
    assert lake.at(STAFF, grid.Cell.at(*place_of(7), 12))[0][0].id == "clinics"


def test_a_revoked_right_is_gone_with_the_next_answer(lake, policy):
    assert lake.query(OWNER, "patients").table.num_rows == PATIENTS
    policy(BASE)
    with pytest.raises(RefusedError):
        lake.query(OWNER, "patients")


def test_two_who_see_the_same_share_what_is_kept_and_others_do_not(lake):
    other = replace(OWNER, id="person/9", name="另一人")
    assert lake.view(OWNER, "patients").key == lake.view(other, "patients").key
    keys = {
        lake.view(one, "patients").key
        for one in (OWNER, STAFF, local_person(), replace(OWNER, purpose="诊疗"))
    }
    assert len(keys) == 4


# counts


def few(policy):
    policy(
        BASE + '@smallest("5") @level("20") permit (principal, action == Action::"dataset.count", resource);'
    )


def test_whatever_two_counts_are_subtracted_no_few_are_told(lake, policy):
    few(policy)
    levels = range(8, 23)
    by_level = {level: lake.density(STAFF, "patients", level) for level in levels}
    for table in by_level.values():
        assert all(n >= 5 for n in table["n"].to_pylist())
    # A cell less those of its descendants that are shown, at any two levels.
    for upper, lower in combinations(levels, 2):
        below = by_level[lower]
        parents = grid.parent(
            np.asarray(grid.from_stored(below["jw_cell"].to_numpy()), np.uint64), lower, upper
        )
        for cell, n in zip(
            by_level[upper]["jw_cell"].to_pylist(), by_level[upper]["n"].to_pylist(), strict=True
        ):
            inside = below["n"].to_numpy()[parents == grid.from_stored(cell)].sum() if below.num_rows else 0
            assert n - inside == 0 or n - inside >= 5
    assert sum(by_level[8]["n"].to_pylist()) == PATIENTS


def test_no_two_regions_differ_by_a_few(lake, policy):
    few(policy)
    sums = []
    for k in range(1, 12):
        outline = shapely.box(WEST - 0.01, SOUTH - 0.01, WEST + 0.009 * k, SOUTH + 0.007 * k)
        region = region_of_bounds(*outline.bounds)
        for level in (14, 16, 18):
            counted = lake.density(STAFF, "patients", level, region=region)
            sums.append(
                (
                    level,
                    {
                        (c, n)
                        for c, n in zip(counted["jw_cell"].to_pylist(), counted["n"].to_pylist(), strict=True)
                    },
                )
            )
    for (one_level, one), (other_level, other) in combinations(sums, 2):
        if one_level == other_level:
            difference = sum(n for _, n in one ^ other)
            assert difference == 0 or difference >= 5


def test_a_cell_as_a_region_counts_it_whole(lake, policy):
    few(policy)
    cell = grid.Cell.at(*place_of(7), 12)
    inside = lake.density(STAFF, "patients", 12, region=region_of_cell(cell))
    finer = grid.Cell.at(*place_of(7), 18)
    assert lake.density(STAFF, "patients", 12, region=region_of_cell(finer)).equals(inside)


@pytest.mark.parametrize("narrow", [{"where": "dose = 1"}, {"period": (0, 1 << 50)}])
def test_counts_are_not_narrowed_by_who_may_only_count(lake, policy, narrow):
    few(policy)
    with pytest.raises(CountsOnlyError):
        lake.density(STAFF, "patients", 14, **narrow)
    with pytest.raises(RefusedError):
        lake.query(STAFF, "patients")
    shown = lake.dataset(STAFF, "patients")
    assert not shown.view.total_shown
    assert shown.version.content.bounds is None


# classes, and readings


def test_fields_get_their_class_at_the_first_load(ward):
    (patients, clinics) = ward.lake.catalogue()
    classes = {name: (one["level"], one["personal"], one["by"]) for name, one in patients.fields.items()}
    assert classes["phone"] == (3, True, "name")
    assert classes["name"] == (3, True, "manifest")
    assert classes["dose"] == (2, False, "manifest")
    assert classes["no"] == (2, False, "default")
    assert (patients.level, clinics.level) == (2, 1)


def test_reading_personal_fields_is_an_event_and_tells_no_value(lake, ward):
    asker = replace(OWNER, id="person/77", purpose="随访")
    lake.query(asker, "patients", columns=["no", "dose"])
    lake.query(asker, "patients", columns=["phone"], limit=10)
    lake.query(asker, "patients", columns=["phone"], limit=20)
    lake.readings.write()
    with ward.records.read() as session:
        told = [one.data for one in ledger.events_of(session, "dataset/patients") if one.actor == "person/77"]
    assert told == [
        {"version": 1, "fields": ["phone"], "purpose": "随访", "answers": 1, "rows": 20},
        {"version": 1, "fields": ["phone"], "purpose": "随访", "answers": 1, "rows": 10},
    ]


def test_without_a_purpose_the_own_department_sees_them_masked(lake):
    assert lake.query(OWNER, "patients", limit=1).table["phone"][0].as_py().count("*") > 3
    stated = lake.query(replace(OWNER, purpose="随访"), "patients", limit=1).table["phone"][0].as_py()
    assert stated.isdigit()
