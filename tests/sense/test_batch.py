"""Several requests in one: in their order, by reference, and as a whole where they say so."""

import json

import pytest

from jingwei.errors import JingweiError
from jingwei.sense.batch import BadBatchError, Batch, run_json, run_multipart
from jingwei.sense.service import Answered

from .conftest import ROOT, UNIT, observed, reading, sensor, thing


@pytest.fixture
def batch(station):
    def refuse(error: JingweiError):
        return Answered(error.status, {"code": error.code})

    return Batch(station.sensing, station.asker, ROOT, refuse)


def request(name, method, url, body=None, group=None):
    return {"id": name, "method": method, "url": url, "body": body} | (
        {"atomicityGroup": group} if group else {}
    )


def answers(batch, *requests):
    return {one["id"]: one for one in run_json(batch, {"requests": list(requests)})["responses"]}


def test_requests_refer_to_what_was_made_before(batch, station):
    stream = {
        "name": "s", "description": "", "observationType": "m", "unitOfMeasurement": UNIT,
        "Sensor": {"@iot.id": "$s"}, "ObservedProperty": {"@iot.id": "$p"}, "Thing": {"@iot.id": "$t"},
    }  # fmt: skip
    feature = {"name": "f", "description": "", "encodingType": "text/plain", "feature": "x"}
    told = answers(
        batch,
        request("t", "post", "Things", thing(), "g"),
        request("s", "post", f"{ROOT}/Sensors", sensor(), "g"),
        request("n", "get", "/v1.1/Things?$top=0"),
        request("p", "post", "/sta/v1.1/ObservedProperties", observed(), "g"),
        request("d", "post", "Datastreams", stream, "g"),
        request("o", "post", "$d/Observations", reading(1, 4, FeatureOfInterest=feature)),
        request("r", "get", "$d/Observations?$select=result"),
    )
    assert {name: one["status"] for name, one in told.items()} == dict.fromkeys("tspdo", 201) | {
        "r": 200,
        "n": 200,
    }
    assert told["r"]["body"]["value"] == [{"result": 4}]
    assert told["d"]["location"] == f"{ROOT}/Datastreams(1)"


def test_a_group_is_done_whole_or_not_at_all_and_the_rest_goes_on(batch, station):
    told = answers(
        batch,
        request("a", "post", "Things", thing("甲"), "g"),
        request("b", "post", "Things", {"name": "坏"}, "g"),
        request("c", "post", "Things", thing("丙")),
        request("d", "delete", "Things(99)"),
    )
    assert {name: one["status"] for name, one in told.items()} == {"a": 424, "b": 400, "c": 201, "d": 404}
    assert station.names("Things") == ["丙"]


def test_a_batch_in_parts(batch, station):
    station.post("Things", thing("一"))
    told_as = "Content-Type: application/http"
    lines = [
        "--b", told_as, "",
        "GET /sta/v1.1/Things?$filter=name eq '一'&$select=name HTTP/1.1", "Host: x", "", "",
        "--b", "Content-Type: multipart/mixed;boundary=c", "",
        "--c", told_as, "Content-ID: new", "", "POST /sta/v1.1/Things HTTP/1.1",
        "Content-Type: application/json", "", json.dumps(thing("二")),
        "--c", told_as, "", "PATCH $new HTTP/1.1", "Content-Type: application/json", "", '{"name": "三"}',
        "--c--", "--b", told_as, "", "DELETE Things(1) HTTP/1.1", "", "", "--b--", "",
    ]  # fmt: skip
    media_type, told = run_multipart(batch, "multipart/mixed;boundary=b", "\r\n".join(lines).encode())
    boundary = media_type.partition("boundary=")[2]
    first, second, third = told.decode().split(f"--{boundary}")[1:-1]
    assert '{"value": [{"name": "一"}]}' in first
    assert second.count("HTTP/1.1 201 Created") == 1
    assert second.count("HTTP/1.1 200 OK") == 1
    assert f"Location: {ROOT}/Things(2)" in second
    assert "HTTP/1.1 200 OK" in third
    assert station.names("Things") == ["三"]


@pytest.mark.parametrize(
    "body", [None, {}, {"requests": 3}, {"requests": [{}]}, {"requests": [{"url": "x", "method": "FLY"}]}]
)
def test_a_batch_that_is_none_is_told(batch, body):
    with pytest.raises(BadBatchError):
        run_json(batch, body)


@pytest.mark.parametrize(
    "raw", [b"", b"--b\r\n\r\n--b--", b"--b\r\nContent-Type: application/http\r\n\r\nnonsense\r\n--b--"]
)
def test_parts_that_are_none_are_told(batch, raw):
    with pytest.raises(BadBatchError):
        run_multipart(batch, "multipart/mixed;boundary=b", raw)
