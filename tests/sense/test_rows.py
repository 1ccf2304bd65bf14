"""Readings as a dataset hold for each asker the rows of those streams that the asker may read."""

import csv
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei.access import local_person
from jingwei.access.policy import Policies, RefusedError
from jingwei.access.policy.store import default_policies
from jingwei.city import open_city
from jingwei.lake.errors import UnknownDatasetError
from jingwei.lake.export import export_dataset
from jingwei.sense import policy
from jingwei.sense.entities import ENTITIES
from jingwei.sense.intake import facts_of
from jingwei.sense.readings import Readings
from jingwei.sense.rows import StreamRows
from jingwei.sense.service import Sensing
from jingwei.sense.writing import Ownership, Writing

from .conftest import PARKS, WATER, Station, datastream, location, reading, somebody, thing

OWNED = [
    Ownership(owner, sharing, level)
    for owner in (WATER, PARKS)
    for sharing in ("unconditional", "conditional", "none")
    for level in (1, 2, 3, 4)
]
FORBIDDEN = """
forbid (principal in Role::"operator", action == Action::"dataset.read", resource)
when { context.purpose == "curiosity" };
forbid (principal, action == Action::"sense.read", resource == Sensing::"5")
when { resource.entity == "Datastream" && !(principal in Role::"local") };
"""


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """A city with a stream of each way of sharing and level, of two departments; some in the lake."""
    folder = tmp_path_factory.mktemp("rows")
    policies = Policies(default_policies().text + FORBIDDEN, 0, [(WATER, None), (PARKS, None)])
    with open_city(folder / "home", create=True) as city:
        city.lake.policies = SimpleNamespace(current=lambda: policies)
        city.lake.views.rules["readings"] = StreamRows(city.records)
        with Readings(folder / "readings", facts_of(city.records), lake=city.lake) as readings:
            station = Station(Sensing(city.records, lambda: policies, readings), local_person())
            for number, ownership in enumerate(OWNED):
                add(station, number, ownership)
            readings.flush()
            yield city, station, policies


def add(station, number, ownership):
    """Add a thing that is owned in a way, with a place, a stream and readings."""
    with station.sensing.records.write() as session:
        writing = Writing(station.sensing.sight(session, station.asker), station.sensing.readings)
        body = thing(f"站{number}", Locations=[location(lon=116.0 + number / 100)])
        made = writing.create(ENTITIES["Thing"], body, ownership=ownership)
    assert made
    told = [reading(hour, number + hour / 4) for hour in range(2)]
    station.post(f"Things({number + 1})/Datastreams", datastream(f"流{number}", Observations=told))


def of_sensorthings(station, asker):
    """Return the results that SensorThings tells an asker."""
    return sorted(one["result"] for one in station.values("Observations", "$top=1000", asker))


askers = st.builds(
    lambda roles, department, only: somebody(*roles, department=department, only=only),
    st.sets(st.sampled_from(["staff", "operator", "device_keeper", "device", "citizen"]), max_size=2),
    st.sampled_from(["", WATER, PARKS]),
    st.sampled_from([None, frozenset({"sense.read", "dataset.read", "dataset.export", "dataset.list"})]),
)


@settings(max_examples=40, deadline=None)
@given(asker=askers)
def test_a_reader_queries_and_exports_the_rows_that_sensorthings_tells(city, tmp_path_factory, asker):
    made, station, policies = city
    seen = of_sensorthings(station, asker)
    if not seen:
        with pytest.raises((RefusedError, UnknownDatasetError)):
            made.lake.query(asker, "readings")
        return
    rows = made.lake.query(asker, "readings", limit=1000).table
    assert sorted(rows["result"].to_pylist()) == seen
    assert made.lake.query(asker, "readings", where="result > 11", limit=1000).table.num_rows == sum(
        one > 11 for one in seen
    )
    levels = [
        policy.place_level(
            policies, asker, policy.resource_of("Location", owner=o.owner, sharing=o.sharing, level=o.level)
        )
        for number, o in enumerate(OWNED, 1)
        if policies.decide(
            asker,
            policy.READ,
            policy.resource_of("Datastream", number, owner=o.owner, sharing=o.sharing, level=o.level),
        ).allowed
    ]
    shown = set(rows["jw_level"].to_pylist()) if "jw_level" in rows.column_names else {0}
    assert shown == {min(levels)}, "all as finely as the coarsest of them"
    path = tmp_path_factory.mktemp("export") / "readings.csv"
    assert export_dataset(made.lake, asker, "readings", path) == len(seen)
    with path.open(encoding="utf-8-sig") as file:
        assert sorted(float(one["result"]) for one in csv.DictReader(file)) == seen


@pytest.mark.parametrize("only", ["sense.read", "dataset.read"])
def test_a_token_for_one_of_the_two_reads_no_rows(city, only):
    with pytest.raises((RefusedError, UnknownDatasetError)):
        city[0].lake.query(somebody("operator", only=frozenset({only, "dataset.list"})), "readings")


def test_what_a_policy_forbids_with_datasets_stays_forbidden(city):
    asker = somebody("operator")
    curious = replace(asker, purpose="curiosity")
    assert city[0].lake.query(asker, "readings").table.num_rows
    with pytest.raises(RefusedError):
        city[0].lake.query(curious, "readings")


def test_a_stream_that_is_new_or_gone_is_so_at_once(city):
    made, station, _ = city
    asker = somebody("staff", department=WATER)
    before = made.lake.query(asker, "readings", limit=1000).table.num_rows
    add(station, len(OWNED), Ownership(WATER, "none", 4))
    station.sensing.readings.flush()
    assert made.lake.query(asker, "readings", limit=1000).table.num_rows == before + 2
    station.send("DELETE", f"Things({len(OWNED) + 1})")
    assert made.lake.query(asker, "readings", limit=1000).table.num_rows == before
