"""Questions as the clients of other servers put them: what is mixed, sorted along links, counted, listed."""

import pytest

from jingwei.sense.asking import Bare
from jingwei.sense.errors import BadEntityError, BadQueryError

from .conftest import ROOT, datastream, location, reading, thing


@pytest.fixture
def two(station):
    """Two things with streams of limits 1 and 15, and readings 0, 10, 20 each; numbered 1 to 6."""
    for number, limit in ((1, 1), (2, 15)):
        stream = datastream(f"流 {number}", properties={"limit": limit, "tags": ["a", number]})
        observed = [reading(h, h * 10, parameters={"of": f"站 {number}" if h else "?"}) for h in range(3)]
        station.post(
            "Things",
            thing(
                f"站 {number}",
                properties={"limit": limit},
                Locations=[location(f"杆 {number}", lon=116 + number)],
                Datastreams=[stream | {"Observations": observed}],
            ),
        )
    return station


@pytest.mark.parametrize(
    ("path", "filtered", "found"),
    [
        ("Observations", "result gt Datastream/properties/limit", [2, 3, 6]),
        ("Observations", "not (result gt Datastream/properties/limit)", [1, 4, 5]),
        ("Observations", "result gt Datastream/properties/limit or Datastream/id eq 2", [2, 3, 4, 5, 6]),
        ("Observations", "Datastream/Thing/name eq parameters/of and result lt 20", [2, 5]),
        (
            "Observations",
            "endswith(FeatureOfInterest/name, substring(Datastream/name, 2))",
            [1, 2, 3, 4, 5, 6],
        ),
        (
            "Observations",
            "geo.distance(FeatureOfInterest/feature, geography'POINT(117 39.9)') gt result",
            [4],
        ),
        ("Observations", "result gt MultiDatastream/id", []),
        ("Datastreams", "Observations/result lt properties/limit and Observations/result gt 5", [2]),
        ("Things", "Datastreams/Observations/result eq properties/limit sub 5", [2]),
        ("Things", "Datastreams/Observations/result gt properties/limit and Datastreams/name eq '流 1'", [1]),
        ("Datastreams", "Observations/result eq 0 and name ne 'x' and Observations/parameters/of ne '?'", []),
        ("Things", "Datastreams/Observations/parameters/of eq name", [1, 2]),
        ("Locations", "Things/Datastreams/Observations/result lt Things/properties/limit", [1, 2]),
        ("FeaturesOfInterest", "Observations/result eq id mul 10", [1, 2]),
        ("Datastreams", "id in (2, 3)", [2]),
        ("Datastreams", "properties/tags[1] eq 2", [2]),
        ("Datastreams", "properties/limit divby 2 eq 7.5", [2]),
        ("Observations", "during(phenomenonTime, 2026-11-01T00:30:00Z/2026-11-01T01:30:00Z)", [2, 5]),
        ("Observations", "after(phenomenonTime, 2026-11-01T01:00:00Z) and id lt 4", [3]),
        ("Datastreams", "overlaps(phenomenonTime, 2026-11-01T01:59:59Z/2026-11-02T00:00:00Z)", [1, 2]),
        ("Datastreams", "overlaps(phenomenonTime, 2026-11-01T02:00:00Z/2026-11-02T00:00:00Z)", []),
    ],
)
def test_a_filter_may_mix_what_is_linked(two, path, filtered, found):
    assert sorted(one["@iot.id"] for one in two.values(path, f"$filter={filtered}")) == found


def test_what_is_found_out_is_compared_as_what_it_is(two):
    """A text that is a number is a number where it was written, not where it is a property."""
    two.send("PATCH", "Datastreams(1)", {"properties": {"limit": "10"}})
    assert (
        two.values("Observations", "$filter=Datastream/id eq 1 and result eq Datastream/properties/limit")
        == []
    )
    assert len(two.values("Observations", "$filter=Datastream/id eq 1 and result eq '10'")) == 1


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("Datastream/name desc,result desc", [6, 5, 4, 3, 2, 1]),
        ("FeatureOfInterest/name,parameters/of desc,id desc", [3, 2, 1, 6, 5, 4]),
        ("result,Datastream/Thing/name desc", [4, 1, 5, 2, 6, 3]),
        ("Datastream/properties/limit desc,phenomenonTime", [4, 5, 6, 1, 2, 3]),
    ],
)
def test_observations_are_sorted_along_links(two, order, found):
    told = [one["@iot.id"] for one in two.values("Observations", f"$orderby={order}")]
    assert told == found
    assert [
        one["@iot.id"] for one in two.values("Observations", f"$orderby={order}&$skip=2&$top=2")
    ] == found[2:4]


def test_how_many_there_are_is_told_bare(two):
    assert two.get("Observations/$count", "$filter=result gt 5") == Bare("4")
    assert two.get("Things(1)/Datastreams/$count") == Bare("1")


def test_no_page_follows_on_one_of_nothing(two):
    """A client that follows the link would ask for ever."""
    assert "@iot.nextLink" not in two.get("Datastreams(1)/Observations", "$top=0&$count=true")
    (one,) = two.values("Things(1)/Datastreams", "$expand=Observations($top=0;$count=true)")
    assert (one["Observations@iot.count"], "Observations@iot.nextLink" in one) == (3, False)


def test_levels_of_a_link_are_one(two):
    (one, _) = two.values("Things", "$expand=Datastreams($levels=2;$select=name)")
    assert one["Datastreams"] == [{"name": "流 1"}]
    with pytest.raises(BadQueryError):
        two.values("Things", "$expand=Datastreams($levels=no)")


def test_what_must_be_there_cannot_be_taken_away(two):
    with pytest.raises(BadEntityError):
        two.send("PATCH", "Datastreams(1)", {"unitOfMeasurement": None})


def test_rows_of_a_stream_that_is_not_there_are_errors_and_the_others_taken(two):
    rows = {"components": ["phenomenonTime", "result"], "dataArray": [["2026-11-02T00:00:00Z", 1]]}
    groups = [{"Datastream": {"@iot.id": number}} | rows for number in (99, 1)]
    assert two.send("POST", "CreateObservations", groups).body == ["error", f"{ROOT}/Observations(7)"]
