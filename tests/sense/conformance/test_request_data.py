"""request-data: the thirteen requirements of asking."""

import pytest

ALL = [4, 1, 3, 2, 5]


def results(answer):
    return [one["result"] for one in answer["value"]]


@pytest.fixture(scope="module")
def stream(service):
    return service.thing(ALL)[1]


def test_order(service, stream):
    """request-data/order: filter, count, orderby, skip, top, expand and select, in that order."""
    answer = service.get(
        f"{stream}/Observations",
        select="result", top=1, skip=1, orderby="result desc", count="true", filter="result lt 5",
    )  # fmt: skip
    assert (answer["@iot.count"], answer["value"]) == (4, [{"result": 3}])


def test_expand(service, stream):
    """request-data/expand: several levels, with options, the same link named twice."""
    told = service.get(stream, expand="Thing/Locations,Observations($top=2;$orderby=result),Sensor")
    assert told["Thing"]["Locations"][0]["name"] == "pole"
    assert results({"value": told["Observations"]}) == [1, 2]
    assert told["Sensor"]["name"] == "probe"
    twice = (
        "Observations($select=result;$top=1;$orderby=result),Observations/FeatureOfInterest($select=feature)"
    )
    (one,) = service.get(stream, expand=twice)["Observations"]
    assert one["result"] == 1
    assert set(one["FeatureOfInterest"]) == {"feature"}


def test_select(service, stream):
    """request-data/select."""
    assert service.get(stream, select="name,description") == {"name": "air", "description": ""}


@pytest.mark.parametrize(
    "options",
    [{"top": "-1"}, {"filter": "name eq"}, {"orderby": "nothing"}, {"expand": "No"}, {"count": "maybe"}],
)
def test_query_status_codes(service, stream, options):
    """request-data/status-codes, query-status-codes: what is wrong is 400."""
    service.get(f"{stream}/Observations", status=400, **options)


def test_orderby_top_skip_count(service, stream):
    """request-data/orderby, top, skip, count: any property; behind the end there is nothing more."""
    path = f"{stream}/Observations"
    assert results(service.get(path, orderby="result")) == [1, 2, 3, 4, 5]
    assert results(service.get(path, orderby="result desc", top=2)) == [5, 4]
    assert results(service.get(path, orderby="phenomenonTime", skip=3)) == [2, 5]
    assert service.get(path, skip=50) == {"value": []}
    assert service.get(path, top=0, count="true")["@iot.count"] == 5
    for property_ in ("unitOfMeasurement", "observedArea", "unitOfMeasurement/name"):
        service.get("/Datastreams", orderby=property_, top=1)
    service.get("/Locations", orderby="location", top=1)


def test_null_comes_first_in_every_order_by_several_properties(service):
    """request-data/orderby: a property that is kept in a column and one that is not, together."""
    _, path = service.thing()
    for result, said, rank in ((1, "2026-01-03", 2), (2, None, 1), (3, "2026-01-02", 1), (4, None, 2)):
        when = said and f"{said}T00:00:00Z"
        body = {"phenomenonTime": "2026-01-01T00:00:00Z", "resultTime": when, "result": result}
        service.post(f"{path}/Observations", body | {"parameters": {"rank": rank}})
    for order, told in (
        ("resultTime,parameters/rank", [2, 4, 3, 1]),
        ("resultTime desc,parameters/rank desc", [1, 3, 4, 2]),
        ("parameters/rank,resultTime desc", [3, 2, 1, 4]),
    ):
        assert results(service.get(f"{path}/Observations", orderby=order)) == told


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("result eq 3", [3]),
        ("result ne 3", [4, 1, 2, 5]),
        ("result gt 3", [4, 5]),
        ("result ge '4'", [4, 5]),
        ("result lt 2 or result le 1", [1]),
        ("not (result gt 2)", [1, 2]),
        ("result gt 1 and result lt 4", [3, 2]),
        ("result add 1 eq 3", [2]),
        ("result sub 1 eq 3", [4]),
        ("result mul 2 eq 6", [3]),
        ("result div 2 eq 2.5", [5]),
        ("result mod 2 eq 0", [4, 2]),
        ("(result add 1) mul 2 eq 8", [3]),
        ("hour(phenomenonTime) eq 2", [3]),
        ("year(phenomenonTime) eq 2026 and month(phenomenonTime) eq 1 and day(phenomenonTime) eq 1", ALL),
        ("minute(phenomenonTime) eq 0 and second(phenomenonTime) eq 0", ALL),
        ("fractionalseconds(phenomenonTime) eq 0 and totaloffsetminutes(phenomenonTime) eq 0", ALL),
        ("phenomenonTime lt now() and phenomenonTime gt mindatetime()", ALL),
        ("phenomenonTime lt maxdatetime() and phenomenonTime ge 2026-01-01T03:00:00Z", [2, 5]),
        ("date(phenomenonTime) eq date(2026-01-01T10:00:00Z)", ALL),
        ("time(phenomenonTime) lt time(2026-01-01T02:00:00Z)", [4, 1]),
        ("round(result div 2) eq 2", [4, 3]),
        ("floor(result div 2) eq 1", [3, 2]),
        ("ceiling(result div 2) eq 1", [1, 2]),
        ("Datastream/Thing/name eq 'station'", ALL),
    ],
)  # fmt: skip
def test_filter(service, stream, told, found):
    """request-data/filter, built-in-filter-operations, and the functions of numbers and times."""
    assert results(service.get(f"{stream}/Observations", filter=told)) == found


TEXTS = [
    "substringof('atio', name)", "endswith(name, 'on')", "startswith(name, 'st')", "length(name) eq 7",
    "indexof(name, 'a') eq 2", "substring(name, 3) eq 'tion'", "substring(name, 1, 2) eq 'ta'",
    "tolower('STATION') eq name", "toupper(name) eq 'STATION'", "trim(' station ') eq name",
    "concat(concat(name, '-'), 'x') eq 'station-x'",
]  # fmt: skip
SQUARE = "geography'POLYGON((114 22,115 22,115 23,114 23,114 22))'"
HERE = "geography'POINT(114.06 22.54)'"
PLACES = [
    f"geo.distance(location, {HERE}) lt 0.001", f"geo.intersects(location, {SQUARE})",
    "geo.length(geography'LINESTRING(0 0,0 2)') eq 2", f"st_equals(location, {HERE})",
    "st_disjoint(location, geography'POINT(0 0)')", f"not st_touches(location, {SQUARE})",
    f"st_within(location, {SQUARE})", f"not st_overlaps(location, {SQUARE})",
    "not st_crosses(location, geography'LINESTRING(0 0,1 1)')", f"st_intersects(location, {SQUARE})",
    f"st_contains({SQUARE}, location)", f"st_relate(location, {SQUARE}, 'T********')",
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "told"), [("", one) for one in TEXTS] + [("/Locations", one) for one in PLACES]
)
def test_functions(service, path, told):
    """request-data/built-in-query-functions: of texts and of places."""
    thing, _ = service.thing()
    number = thing.partition("(")[2][:-1]
    if path:
        assert len(service.get(thing + path, filter=told)["value"]) == 1
    else:
        assert len(service.get("/Things", filter=f"id eq {number} and {told}")["value"]) == 1


def test_pagination(service, stream):
    """request-data/pagination: a link leads on while there is more, and all come once."""
    page, seen = service.get(f"{stream}/Observations", top=2, orderby="result"), []
    while True:
        seen += results(page)
        if "@iot.nextLink" not in page:
            break
        page = service.client.get(page["@iot.nextLink"]).json()
    assert seen == [1, 2, 3, 4, 5]


MOMENTS = ["06:00", "07:00", "07:01", "08:00"]
PERIODS = ["06:00/07:00", "06:00/07:01", "07:00/08:00", "06:59/08:01", "08:00/09:00"]
SEVEN, HOUR = "2016-01-01T07:00:00Z", "2016-01-01T07:00:00Z/2016-01-01T08:00:00Z"


def _time(told):
    return "/".join(f"2016-01-01T{one}:00Z" for one in told.split("/"))


@pytest.fixture(scope="module")
def timed(service):
    """A stream of readings of moments and of periods, each told by its result."""
    _, path = service.thing()
    for told in MOMENTS + PERIODS:
        service.made(f"{path}/Observations", {"phenomenonTime": _time(told), "result": told})
    return path


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (f"phenomenonTime lt {SEVEN}", ["06:00", "06:00/07:00"]),
        (f"phenomenonTime gt {SEVEN}", ["07:01", "08:00", "08:00/09:00"]),
        (f"phenomenonTime lt {HOUR}", ["06:00", "06:00/07:00"]),
        (f"phenomenonTime gt {HOUR}", ["08:00", "08:00/09:00"]),
        (f"before(phenomenonTime, {HOUR})", ["06:00", "06:00/07:00"]),
        (f"after(phenomenonTime, {HOUR})", ["08:00", "08:00/09:00"]),
        (f"during(phenomenonTime, {HOUR})", ["07:00", "07:01", "07:00/08:00"]),
        (f"during({SEVEN}, phenomenonTime)", ["06:00/07:01", "06:59/08:01", "07:00/08:00"]),
        (f"overlaps(phenomenonTime, {SEVEN})", ["07:00", "06:00/07:01", "06:59/08:01", "07:00/08:00"]),
        (f"phenomenonTime add duration'PT1H' gt {HOUR}", ["07:00", "07:01", "08:00", *PERIODS[2::2]]),
    ],
)  # fmt: skip
def test_a_period_does_not_hold_its_end(service, timed, told, found):
    """As in other servers: what ends at seven is before what begins then, and does not overlap it."""
    assert sorted(results(service.get(f"{timed}/Observations", filter=told))) == sorted(found)


def test_during_takes_a_period(service, timed):
    service.get(f"{timed}/Observations", 400, filter=f"during(phenomenonTime, {SEVEN})")
    service.get(f"{timed}/Observations", 400, filter=f"during({SEVEN}, resultTime)")


def test_what_clients_write_otherwise_is_understood(service, stream):
    """An option encoded with its mark, its name in other letters, `*`, and lists that hold a value."""
    found = service.client.get("/sta/v1.1" + stream + "/Observations?%24filter%3Dresult+eq+3").json()
    assert results(found) == [3]
    assert results(service.get(f"{stream}/Observations", orderBy="result desc", select="*")) == [
        5,
        4,
        3,
        2,
        1,
    ]
    thing = service.made("/Things", {"name": "lists", "description": "", "properties": {"a": [[7, 8], [9]]}})
    assert service.get(f"{thing}/properties/a[0][1]") == {"a[0][1]": 8}
    assert service.client.get(f"/sta/v1.1{thing}/properties/a%5B1%5D/$value").json() == [9]
    held = service.get("/Things", filter="8 in properties/a[0] and name eq 'lists'")["value"]
    assert [f"/Things({one['@iot.id']})" for one in held] == [thing]


def test_not_of_what_is_no_truth_value_is_not_true(service):
    service.made("/Things", {"name": "truths", "description": "", "properties": {"on": 13}})
    off = service.made("/Things", {"name": "truths", "description": "", "properties": {"on": False}})
    found = service.get("/Things", filter="not properties/on and name eq 'truths'")["value"]
    assert [f"/Things({one['@iot.id']})" for one in found] == [off]
