"""The requirement classes of OGC 18-088 (SensorThings 1.1), one behaviour each."""

import pytest

from jingwei.access.policy import RefusedError
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.ledger.models import Event
from jingwei.sense.entities import COLLECTIONS
from jingwei.sense.errors import BadEntityError, BadPathError, BadQueryError, NotOfThisKindError

from .conftest import ROOT, UNIT, datastream, location, observed, point, reading, sensor, thing

MULTI = {
    "name": "风",
    "description": "风速和风向",
    "multiObservationDataTypes": ["OM_Measurement", "OM_Measurement"],
    "unitOfMeasurements": [UNIT, UNIT],
}

SQUARE = "geography'POLYGON((116 39,117 39,117 40,116 40,116 39))'"

# datamodel


def test_the_root_holds_the_sets_and_nothing_else(station):
    told = station.get("")
    assert {one["name"] for one in told["value"]} == set(COLLECTIONS)
    assert all(one["url"] == f"{ROOT}/{one['name']}" for one in told["value"])
    assert len(told["serverSettings"]["conformance"]) == len(set(told["serverSettings"]["conformance"]))


@pytest.mark.parametrize("name", COLLECTIONS)
def test_an_entity_tells_its_control_information_properties_and_links(station, air, name):
    entity = COLLECTIONS[name]
    if name == "MultiDatastreams":
        station.post(
            "Things(1)/MultiDatastreams",
            MULTI | {"Sensor": sensor(), "ObservedProperties": [observed(), observed("b")]},
        )
    (one, *_) = station.values(name)
    assert one["@iot.selfLink"] == f"{ROOT}/{name}({one['@iot.id']})"
    assert station.get(f"{name}({one['@iot.id']})") == one
    assert {field.name for field in entity.fields if field.required} <= set(one)
    links = {link.name for link in entity.links} - ({"MultiDatastream"} if name == "Observations" else set())
    for link in links:
        assert one[f"{link}@iot.navigationLink"] == f"{one['@iot.selfLink']}/{link}"
        assert station.get(f"{name}({one['@iot.id']})/{link}") is not None


def test_ids_are_never_given_out_twice(station):
    first = station.post("Things", thing())
    station.send("DELETE", f"Things({first})")
    assert station.post("Things", thing()) > first


def test_names_may_repeat(station):
    assert station.post("Things", thing("同名")) != station.post("Things", thing("同名"))


# resource path


def test_paths_lead_along_links_to_entities_sets_and_properties(station, air):
    assert station.get("Datastreams(1)/Thing/Locations")["value"][0]["name"] == "杆"
    assert station.get("Things(1)/Locations(1)/name") == {"name": "杆"}
    assert station.get("Observations(1)/Datastream/Thing")["@iot.id"] == air
    assert station.get("Observations(1)/FeatureOfInterest/feature")["feature"] == point(116.4, 39.9)
    assert station.get("Datastreams(1)/unitOfMeasurement/symbol/$value").value == "ug/m3"


def test_ref_tells_addresses_only(shared_air):
    assert shared_air.get("Things/$ref") == {"value": [{"@iot.selfLink": f"{ROOT}/Things(1)"}]}
    assert shared_air.get("Datastreams(1)/Thing/$ref") == {"@iot.selfLink": f"{ROOT}/Things(1)"}


def test_a_property_without_value_is_no_content(shared_air):
    assert shared_air.get("Things(1)/properties") is None


@pytest.mark.parametrize(
    "path", ["Nothings", "Things(1)/Nothing", "Things/name", "Things(1)x", "Things()", "Things('a')"]
)
def test_a_path_that_leads_nowhere_is_not_found(shared_air, path):
    with pytest.raises(BadPathError):
        shared_air.get(path)


@pytest.mark.parametrize(
    "path", ["Things(99)", "Things(1)/Locations(99)", "Things(99999999999999999999)", "Things(-1)"]
)
def test_what_is_not_there_is_not_found(shared_air, path):
    with pytest.raises(NotFoundError):
        shared_air.get(path)


def test_a_member_of_another_set_is_not_found(station, air):
    other = station.post("Locations", location("另一处"))
    with pytest.raises(NotFoundError):
        station.get(f"Things(1)/Locations({other})")


# request data


def test_expand_nests_and_takes_options(shared_air):
    told = shared_air.get(
        "Things(1)",
        "$expand=Datastreams($expand=Observations($orderby=result desc;$top=2;$count=true),Sensor)",
    )
    (stream,) = told["Datastreams"]
    assert [one["result"] for one in stream["Observations"]] == [20, 10]
    assert stream["Observations@iot.count"] == 3
    assert stream["Observations@iot.nextLink"].startswith(f"{ROOT}/Datastreams(1)/Observations?")
    assert stream["Sensor"]["name"] == "探头"
    assert "Sensor@iot.navigationLink" not in stream


def test_items_of_expand_for_one_link_are_merged(shared_air):
    told = shared_air.get(
        "Things(1)",
        "$expand=Datastreams($select=name),Datastreams/Sensor,Datastreams/Observations($select=result)",
    )
    (stream,) = told["Datastreams"]
    assert set(stream) == {"name", "Sensor", "Observations"}
    assert stream["Observations"][0] == {"result": 0}


def test_each_parent_has_its_own_page_of_what_is_expanded(station):
    for name in "甲乙丙":
        station.post("Things", thing(name, Datastreams=[datastream(f"{name}{n}") for n in range(3)]))
    told = station.values("Things", "$expand=Datastreams($orderby=name desc;$top=1;$skip=1)")
    assert [[one["name"] for one in each["Datastreams"]] for each in told] == [["甲1"], ["乙1"], ["丙1"]]


def test_select_leaves_out_the_rest(shared_air):
    assert shared_air.get("Things(1)", "$select=name,Datastreams") == {
        "name": "空气站",
        "Datastreams@iot.navigationLink": f"{ROOT}/Things(1)/Datastreams",
    }
    assert shared_air.get("Things(1)", "$select=id") == {"@iot.id": 1}


def test_orderby_sorts_by_any_property_nested_ones_too(station):
    for number, name in enumerate("丙甲乙"):
        station.post(
            "Things",
            thing(
                name,
                properties={"rank": number, "in": {"deep": -number}},
                Datastreams=[datastream(f"s{name}")],
            ),
        )
    assert station.names("Things", "$orderby=name") == sorted("丙甲乙")
    assert station.names("Things", "$orderby=name desc") == sorted("丙甲乙", reverse=True)
    assert station.names("Things", "$orderby=properties/rank desc") == ["乙", "甲", "丙"]
    assert station.names("Things", "$orderby=properties/in/deep,id") == ["乙", "甲", "丙"]
    assert station.names("Datastreams", "$orderby=Thing/name desc") == [
        f"s{one}" for one in sorted("丙甲乙", reverse=True)
    ]
    assert (
        len(station.names("Datastreams", "$orderby=unitOfMeasurement,observedArea,phenomenonTime desc")) == 3
    )


def test_orderby_sorts_streams_by_when_they_were_observed(station, air):
    later = datastream("晚", Observations=[reading(9, 1)])
    station.post("Things(1)/Datastreams", later)
    station.post("Things(1)/Datastreams", datastream("空"))
    assert station.names("Datastreams", "$orderby=phenomenonTime desc") == ["晚", "颗粒物", "空"]
    assert station.names("Datastreams", "$orderby=phenomenonTime&$top=1") == ["空"]


def test_top_skip_and_count(station):
    for number in range(5):
        station.post("Things", thing(f"物{number}"))
    told = station.get("Things", "$top=2&$skip=1&$count=true&$orderby=id")
    assert [one["name"] for one in told["value"]] == ["物1", "物2"]
    assert told["@iot.count"] == 5
    assert station.get("Things", "$top=0&$count=true") == {"@iot.count": 5, "value": []}
    assert "@iot.count" not in station.get("Things", "$count=false")


def test_a_next_link_leads_on_only_while_there_is_more(station):
    for number in range(5):
        station.post("Things", thing(f"物{number}"))
    seen, options = [], "$top=2&$filter=name ne 'x y'&$orderby=id desc"
    while options:
        told = station.get("Things", options)
        seen += [one["name"] for one in told["value"]]
        options = told.get("@iot.nextLink", "").partition("?")[2]
    assert seen == ["物4", "物3", "物2", "物1", "物0"]
    assert "@iot.nextLink" not in station.get("Things", "$skip=5")
    assert "@iot.nextLink" not in station.get("Things", "$top=5")


@pytest.mark.parametrize(
    "options",
    [
        "$top=-1",
        "$skip=x",
        "$count=maybe",
        "$select=nothing",
        "$expand=Nothing",
        "$orderby=nothing",
        "$orderby=Locations/name",
        "$filter=nothing eq 1",
        "$filter=name eq",
        "$filter=(name eq 'a'",
        "$filter=name",
        "$filter=nofunction(name)",
        "$filter=substringof('a')",
        "$what=1",
        "$top=1&$top=2",
        "$filter=name/deep eq 1",
        "$filter=st_within(name, geography'POINT(1')",
        "$expand=Datastreams($top=1",
        "$resultFormat=dataArray",
    ],
)
def test_a_wrong_option_is_told(station, options):
    if options == "$filter=name":
        assert station.values("Things", options) == []
        return
    with pytest.raises(BadQueryError):
        station.get("Things", options)


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ("result gt 5", [10, 20]),
        ("result gt '5'", [10, 20]),
        ("result eq 10 or result eq 20", [10, 20]),
        ("not (result ge 10) and true", [0]),
        ("result add 5 eq 15", [10]),
        ("result mod 20 eq 0", [0, 20]),
        ("result div 4 eq 2.5", [10]),
        ("-result lt -15", [20]),
        ("phenomenonTime ge 2026-11-01T01:00:00Z", [10, 20]),
        ("phenomenonTime lt 2026-11-01T09:00:00+08:00", [0]),
        ("hour(phenomenonTime) eq 2", [20]),
        ("date(phenomenonTime) eq 2026-11-01 and minute(phenomenonTime) eq 0", [0, 10, 20]),
        ("phenomenonTime sub 2026-11-01T00:00:00Z gt duration'PT1H'", [20]),
        ("now() gt phenomenonTime", [0, 10, 20]),
        ("resultTime eq null", [0, 10, 20]),
        ("Datastream/id eq 1 and Datastream/name eq '颗粒物'", [0, 10, 20]),
        ("Datastream/Thing/Locations/name eq '杆'", [0, 10, 20]),
        ("Datastream/name eq 'x' or result eq 0", [0]),
        ("FeatureOfInterest/id eq 1 and id gt 1", [10, 20]),
        (
            "st_within(FeatureOfInterest/feature, SQUARE)",
            [0, 10, 20],
        ),
        ("round(result div 7) eq 3", [20]),
        ("floor(result div 7) eq 1 and ceiling(result div 7) eq 2", [10]),
    ],
)
def test_observations_are_filtered(shared_air, filter_, found):
    filter_ = filter_.replace("+", "%2B").replace("SQUARE", SQUARE)
    told = shared_air.values("Observations", f"$filter={filter_}&$orderby=result")
    assert [one["result"] for one in told] == found


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ("geo.distance(Locations/location, geography'POINT(116.4 39.9)') lt 0.5", True),
        ("geo.intersects(Locations/location, geography'POLYGON((0 0,1 0,1 1,0 1,0 0))')", False),
        ("st_equals(Locations/location, geography'POINT(116.4 39.9)')", True),
        ("st_disjoint(Locations/location, geography'POINT(0 0)')", True),
        ("st_touches(Locations/location, geography'LINESTRING(116.4 39.9, 117 40)')", True),
        ("st_within(Locations/location, SQUARE)", True),
        ("st_overlaps(Locations/location, SQUARE)", False),
        ("st_crosses(Locations/location, geography'LINESTRING(116 39, 117 40.8)')", False),
        ("st_intersects(Locations/location, geography'LINESTRING(116.4 39, 116.4 40)')", True),
        ("st_contains(Locations/location, geography'POINT(116.4 39.9)')", True),
        (
            "st_relate(Locations/location, SQUARE, 'T*F**F***')",
            True,
        ),
        ("st_relate(Locations/location, geography'POINT(0 0)', 'FF*FF****')", True),
        ("geo.length(Locations/location) eq 0", True),
        ("Datastreams/Observations/result gt 15", True),
        ("Datastreams/Observations/result gt 15 and Datastreams/ObservedProperty/name eq 'PM2.5'", True),
        ("Datastreams/Observations/FeatureOfInterest/name eq '杆'", True),
        ("Datastreams/Observations/result gt 99", False),
        ("properties/none eq null", True),
        ("substringof('气', name) and startswith(name, '空') and endswith(name, '站')", True),
        ("length(name) eq 3 and indexof(name, '气') eq 1 and substring(name, 1) eq '气站'", True),
        ("substring(name, 0, 1) eq '空' and toupper(concat(name, 'a')) eq '空气站A'", True),
        ("trim(concat(' ', tolower(name))) eq name", True),
        ("name eq 'it''s'", False),
    ],
)
def test_things_are_filtered(shared_air, filter_, found):
    filter_ = filter_.replace("SQUARE", SQUARE)
    assert bool(shared_air.values("Things", f"$filter={filter_}")) is found


# create, update, delete


def test_a_new_entity_has_its_address(station):
    answered = station.send("POST", "Things", thing(properties={"a": [1, {"b": None}]}))
    assert answered.status == 201
    assert answered.headers["Location"] == f"{ROOT}/Things(1)"
    assert answered.body["properties"] == {"a": [1, {"b": None}]}


def test_entities_are_linked_by_id_also_when_they_are_sent_whole(station):
    whole = station.send("POST", "Sensors", sensor("旧")).body
    made = station.post("Things", thing(Datastreams=[datastream(Sensor=whole | {"name": "改"})]))
    assert station.get(f"Things({made})/Datastreams")["value"][0]["@iot.id"] == 1
    assert station.get("Datastreams(1)/Sensor")["name"] == "旧"
    assert station.get("Sensors", "$count=true")["@iot.count"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"name": 1, "description": ""},
        {"name": "x", "description": "", "nothing": 1},
        {"name": "x", "description": "", "Datastreams": [{"name": "s"}]},
        [],
        "x",
        {"name": "x", "description": "", "Locations": [{"@iot.id": 99}]},
        {"name": "x\0", "description": ""},
        {"name": "x", "description": "", "properties": []},
    ],
)
def test_a_bad_entity_is_refused_and_leaves_nothing(station, body):
    with pytest.raises(BadEntityError):
        station.send("POST", "Things", body)
    assert station.values("Things") == []
    assert station.values("Datastreams") == []


def test_a_deep_insert_is_whole_or_nothing(station):
    good, bad = datastream("好"), datastream("坏", Sensor={"name": "没有编码"})
    with pytest.raises(BadEntityError, match=r"Datastreams\[1\]\.Sensor"):
        station.send("POST", "Things", thing(Datastreams=[good, bad]))
    assert [station.values(name) for name in COLLECTIONS] == [[] for _ in COLLECTIONS]


def test_geojson_that_is_none_is_refused(station):
    with pytest.raises(BadEntityError, match="GeoJSON"):
        station.send("POST", "Locations", location() | {"location": {"type": "Point"}})
    with pytest.raises(BadEntityError):
        station.send("POST", "Locations", location(lon=200))
    assert station.post("Locations", location() | {"encodingType": "text/plain", "location": "桥头"}) == 1


def test_patch_changes_what_is_named(station, air):
    answered = station.send("PATCH", "Things(1)", {"name": "新名"})
    assert answered.status == 200
    assert (answered.body["name"], answered.body["description"]) == ("新名", "小型站")


def test_patch_takes_no_inline_entity(station, air):
    with pytest.raises(BadEntityError):
        station.send("PATCH", "Things(1)", {"Locations": [location()]})
    with pytest.raises(BadEntityError):
        station.send("PATCH", "Datastreams(1)", {"ObservedProperty": observed()})


def test_patch_links_anew(station, air):
    other = station.post("Things", thing("另一个"))
    station.send("PATCH", "Datastreams(1)", {"Thing": {"@iot.id": other}})
    assert station.get("Datastreams(1)/Thing")["name"] == "另一个"


def test_put_sets_all_of_it(station):
    station.post("Things", thing(properties={"a": 1}))
    assert "properties" not in station.send("PUT", "Things(1)", thing("全新")).body
    with pytest.raises(BadEntityError):
        station.send("PUT", "Things(1)", {"name": "缺描述"})


def test_json_patch(station):
    station.post("Things", thing(properties={"a": 1, "b": [1, 2]}))
    steps = [
        {"op": "test", "path": "/properties/a", "value": 1},
        {"op": "remove", "path": "/properties/a"},
        {"op": "add", "path": "/properties/b/-", "value": 3},
        {"op": "replace", "path": "/name", "value": "补丁"},
    ]
    told = station.send("PATCH", "Things(1)", steps, media_type="application/json-patch+json").body
    assert (told["name"], told["properties"]) == ("补丁", {"b": [1, 2, 3]})
    for wrong in (
        [{"op": "remove", "path": "/none"}],
        [{"op": "fly"}],
        {},
        "x",
        [{"op": "remove", "path": "/name"}],
    ):
        with pytest.raises(BadEntityError):
            station.send("PATCH", "Things(1)", wrong, media_type="application/json-patch+json")


def test_a_property_is_set_by_its_address(station, air):
    assert station.send("PUT", "Things(1)/name", {"name": "换"}).body["name"] == "换"
    with pytest.raises(NotOfThisKindError):
        station.send("POST", "Things(1)/name", {"name": "换"})


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("Things(1)", {"Locations", "Sensors", "ObservedProperties", "FeaturesOfInterest"}),
        (
            "Locations(1)",
            {"Things", "Datastreams", "Sensors", "ObservedProperties", "FeaturesOfInterest", "Observations"},
        ),
        (
            "Datastreams(1)",
            {
                "Things",
                "Locations",
                "HistoricalLocations",
                "Sensors",
                "ObservedProperties",
                "FeaturesOfInterest",
            },
        ),
        (
            "Sensors(1)",
            {"Things", "Locations", "HistoricalLocations", "ObservedProperties", "FeaturesOfInterest"},
        ),
        (
            "ObservedProperties(1)",
            {"Things", "Locations", "HistoricalLocations", "Sensors", "FeaturesOfInterest"},
        ),
        (
            "FeaturesOfInterest(1)",
            {"Things", "Locations", "HistoricalLocations", "Sensors", "ObservedProperties", "Datastreams"},
        ),
        ("HistoricalLocations(1)", set(COLLECTIONS) - {"HistoricalLocations", "MultiDatastreams"}),
    ],
)
def test_what_is_deleted_takes_along_what_cannot_be_without_it(station, air, path, left):
    assert station.send("DELETE", path).status == 200
    with pytest.raises(NotFoundError):
        station.get(path)
    assert {name for name in COLLECTIONS if station.values(name)} == left


def test_an_observation_is_changed_and_deleted(station, air):
    assert (
        station.send("PATCH", "Observations(1)", {"result": "坏", "resultQuality": {"flag": 9}}).body[
            "result"
        ]
        == "坏"
    )
    assert (
        station.send("PUT", "Observations(1)", reading(5, 7.25)).body["phenomenonTime"]
        == "2026-11-01T05:00:00Z"
    )
    assert station.send("DELETE", "Observations(1)").status == 200
    assert station.get("Observations", "$count=true")["@iot.count"] == 2


def test_sets_take_no_patch_and_entities_no_post(station, air):
    with pytest.raises(NotOfThisKindError):
        station.send("PATCH", "Things", {})
    with pytest.raises(NotOfThisKindError):
        station.send("POST", "Things(1)", {})


# places and their history


def test_a_new_place_of_a_thing_makes_a_historical_location(station, air):
    assert len(station.values("Things(1)/HistoricalLocations")) == 1
    moved = station.post("Things(1)/Locations", location("新址", 116.5))
    assert [one["@iot.id"] for one in station.values("Things(1)/Locations")] == [moved]
    station.send("PATCH", "Things(1)", {"Locations": [{"@iot.id": 1}]})
    history = station.values("Things(1)/HistoricalLocations", "$orderby=time&$expand=Locations")
    assert [[place["@iot.id"] for place in one["Locations"]] for one in history] == [[1], [moved], [1]]


def test_a_historical_location_of_now_moves_the_thing_and_one_of_long_ago_does_not(station, air):
    other = station.post("Locations", location("别处", 116.6))
    told = {"Thing": {"@iot.id": 1}, "Locations": [{"@iot.id": other}]}
    station.post("HistoricalLocations", {"time": "2001-01-01T00:00:00Z", **told})
    assert station.names("Things(1)/Locations") == ["杆"]
    station.post("HistoricalLocations", {"time": "2101-01-01T00:00:00Z", **told})
    assert station.names("Things(1)/Locations") == ["别处"]


def test_a_feature_of_interest_is_made_of_the_place_once(station, air):
    assert [one["feature"] for one in station.values("FeaturesOfInterest")] == [point(116.4, 39.9)]
    assert {
        one["FeatureOfInterest"]["@iot.id"]
        for one in station.values("Observations", "$expand=FeatureOfInterest")
    } == {1}
    station.post("Things(1)/Locations", location("新址", 116.5))
    station.post("Datastreams(1)/Observations", reading(9, 1))
    assert len(station.values("FeaturesOfInterest")) == 2


def test_without_a_place_an_observation_names_its_feature(station):
    station.post("Things", thing(Datastreams=[datastream()]))
    with pytest.raises(BadEntityError, match="FeatureOfInterest"):
        station.send("POST", "Datastreams(1)/Observations", reading(1, 1))
    feature = {
        "name": "湖",
        "description": "",
        "encodingType": "application/geo+json",
        "feature": point(1, 2),
    }
    station.post("Datastreams(1)/Observations", reading(1, 1, FeatureOfInterest=feature))
    assert station.get("Observations(1)/FeatureOfInterest")["name"] == "湖"


def test_a_stream_tells_when_and_where_it_was_observed(station, air):
    told = station.get("Datastreams(1)")
    assert told["phenomenonTime"] == "2026-11-01T00:00:00Z/2026-11-01T02:00:00Z"
    assert "resultTime" not in told
    assert told["observedArea"] == point(116.4, 39.9)
    period = {
        "phenomenonTime": "2026-11-02T00:00:00Z/2026-11-02T01:00:00Z",
        "resultTime": "2026-11-02T01:30:00Z",
    }
    station.post("Datastreams(1)/Observations", {"result": 1, **period})
    told = station.get("Datastreams(1)")
    assert told["phenomenonTime"] == "2026-11-01T00:00:00Z/2026-11-02T01:00:00Z"
    assert told["resultTime"] == "2026-11-02T01:30:00Z/2026-11-02T01:30:00Z"


@pytest.mark.parametrize("result", [1, 1.5, -0.25, "开", True, [1, "a"], {"a": {"b": 1}}, None, 2**60])
def test_a_result_may_be_any_json(station, air, result):
    made = station.post(
        "Datastreams(1)/Observations",
        reading(7, result, validTime="2026-11-01T00:00:00Z/2026-11-02T00:00:00Z", parameters={"p": 1}),
    )
    told = station.get(f"Observations({made})")
    assert told["result"] == result
    assert type(told["result"]) is type(result)
    assert (told["validTime"], told["parameters"]) == ("2026-11-01T00:00:00Z/2026-11-02T00:00:00Z", {"p": 1})


@pytest.mark.parametrize(
    "wrong",
    [
        {"phenomenonTime": "gestern", "result": 1},
        {"phenomenonTime": "2026-11-01T00:00:00Z"},
        {"result": 1, "parameters": 3},
    ],
)
def test_a_bad_observation_is_refused(station, air, wrong):
    with pytest.raises(BadEntityError):
        station.send("POST", "Datastreams(1)/Observations", wrong)
    with pytest.raises(BadEntityError, match="Datastream"):
        station.send("POST", "Observations", reading(1, 1))


# MultiDatastream


def test_a_multi_datastream_has_results_with_as_many_parts(station, air):
    made = station.post(
        "Things(1)/MultiDatastreams",
        MULTI | {"Sensor": {"@iot.id": 1}, "ObservedProperties": [observed("风向"), observed("风速")]},
    )
    told = station.get(f"MultiDatastreams({made})", "$expand=ObservedProperties")
    assert [one["name"] for one in told["ObservedProperties"]] == ["风向", "风速"]
    assert told["observationType"].endswith("OM_ComplexObservation")
    one = station.post(f"MultiDatastreams({made})/Observations", reading(1, [270, 3.5]))
    assert "MultiDatastream@iot.navigationLink" in station.get(f"Observations({one})")
    assert station.get(f"Observations({one})/MultiDatastream")["@iot.id"] == made
    assert [one["result"] for one in station.values("Observations", "$filter=result/1 gt 3")] == [[270, 3.5]]
    with pytest.raises(BadEntityError):
        station.send("POST", f"MultiDatastreams({made})/Observations", reading(2, [1]))
    with pytest.raises(NotFoundError):
        station.get(f"Datastreams({made})")
    assert station.names(
        f"ObservedProperties({told['ObservedProperties'][0]['@iot.id']})/MultiDatastreams"
    ) == ["风"]


def test_a_multi_datastream_has_as_many_types_units_and_properties(station, air):
    for wrong in ({"unitOfMeasurements": [UNIT]}, {"ObservedProperties": [observed()]}):
        whole = MULTI | {"Sensor": sensor(), "ObservedProperties": [observed(), observed("b")]} | wrong
        with pytest.raises(BadEntityError):
            station.send("POST", "Things(1)/MultiDatastreams", whole)


# data array


def test_observations_are_told_as_a_data_array(shared_air):
    (told,) = shared_air.values(
        "Datastreams(1)/Observations", "$resultFormat=dataArray&$select=result,phenomenonTime"
    )
    assert told["components"] == ["phenomenonTime", "result"]
    assert told["dataArray"][0] == ["2026-11-01T00:00:00Z", 0]
    assert told["dataArray@iot.count"] == 3
    with pytest.raises(BadQueryError):
        shared_air.get("Observations", "$resultFormat=dataArray&$expand=Datastream")


def test_observations_are_created_by_data_arrays(station, air):
    rows = [
        ["2026-11-02T00:00:00Z", 1, 1],
        ["nie", 2, 1],
        ["2026-11-02T01:00:00Z", 3, 99],
        ["2026-11-02T02:00:00Z", 4, 1],
    ]
    body = [
        {
            "Datastream": {"@iot.id": 1},
            "components": ["phenomenonTime", "result", "FeatureOfInterest/id"],
            "dataArray@iot.count": 4,
            "dataArray": rows,
        }
    ]
    answered = station.send("POST", "CreateObservations", body)
    assert answered.status == 201
    first, second, third, fourth = answered.body
    assert (second, third) == ("error", "error")
    assert [station.get(one.removeprefix(ROOT))["result"] for one in (first, fourth)] == [1, 4]


@pytest.mark.parametrize(
    "body", [{}, [{}], [{"Datastream": {"@iot.id": 1}, "components": ["result"], "dataArray": [1]}], [3]]
)
def test_a_bad_data_array_is_refused(station, air, body):
    with pytest.raises(BadRequestError):
        station.send("POST", "CreateObservations", body)


# the log, and who may


def test_every_change_is_an_event(station, air):
    def told():
        with station.sensing.records.read() as session:
            return [(one.type, one.subject) for one in session.query(Event).order_by(Event.id)]

    before = told()
    assert ("sense.created", "sense/Things(1)") in before
    assert ("sense.created", "sense/FeaturesOfInterest(1)") in before
    station.send("PATCH", "Sensors(1)", {"name": "换"})
    station.send("DELETE", "Things(1)")
    assert told()[len(before) :] == [
        ("sense.changed", "sense/Sensors(1)"),
        ("sense.deleted", "sense/Things(1)"),
    ]


def test_who_may_not_write_changes_nothing(station, air):
    from .conftest import somebody

    with pytest.raises(RefusedError):
        station.send("POST", "Things", thing(), asker=somebody("operator"))
    with pytest.raises(RefusedError):
        station.send("DELETE", "Things(1)", asker=somebody("operator"))
    assert len(station.values("Things")) == 1
