"""A strict reading of Open311 GeoReport v2 in XML, written from the standard, and of nothing of ours."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

W3C = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

SERVICE = ("service_code", "service_name", "description", "metadata", "type", "keywords", "group")
REQUEST = (
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description",
    "agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime",
    "address", "address_id", "zipcode", "lat", "long", "media_url",
)  # fmt: skip
ATTRIBUTE = ("variable", "code", "datatype", "required", "datatype_description", "order", "description")
DATATYPES = {"string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"}


def root(answer, name):
    """Return the root of an answer that is XML as the standard has it."""
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    assert b"<!DOCTYPE" not in answer.content
    found = ET.fromstring(answer.content.decode("utf-8").partition("?>")[2])
    assert found.tag == name
    assert found.attrib == {}
    return found


def fields(element, names, besides=()):
    """Return the texts of an element's children, each there once."""
    tags = [child.tag for child in element]
    assert len(tags) == len(set(tags))
    assert set(names) <= set(tags) <= set(names) | set(besides)
    return {child.tag: child.text for child in element if child.tag in names}


def services(answer):
    found = []
    for one in root(answer, "services"):
        assert one.tag == "service"
        told = fields(one, SERVICE)
        assert told["metadata"] in ("true", "false")
        assert told["type"] in ("realtime", "batch", "blackbox")
        assert told["service_code"]
        assert told["service_name"]
        found.append(told)
    assert len({one["service_code"] for one in found}) == len(found)
    return found


def definition(answer):
    found = root(answer, "service_definition")
    assert [child.tag for child in found] == ["service_code", "attributes"]
    asked = []
    for one in found[1]:
        assert one.tag == "attribute"
        told = fields(one, ATTRIBUTE, ("values",))
        assert told["datatype"] in DATATYPES
        assert {told["variable"], told["required"]} <= {"true", "false"}
        assert int(told["order"]) >= 1
        values = one.find("values")
        choices = [fields(value, ("key", "name")) for value in values] if values is not None else []
        assert bool(choices) == told["datatype"].endswith("valuelist")
        asked.append(told | {"values": choices})
    return asked


def requests(answer):
    found = []
    for one in root(answer, "service_requests"):
        assert one.tag == "request"
        told = fields(one, REQUEST)
        assert told["status"] in ("open", "closed")
        assert told["service_request_id"]
        assert told["service_code"]
        assert W3C.fullmatch(told["requested_datetime"])
        for name in ("updated_datetime", "expected_datetime"):
            assert told[name] is None or W3C.fullmatch(told[name])
        if told["lat"] is not None:
            assert -90 <= float(told["lat"]) <= 90
            assert -180 <= float(told["long"]) <= 180
        found.append(told)
    return found


def created(answer):
    (one,) = root(answer, "service_requests")
    told = {child.tag: child.text for child in one}
    assert ("service_request_id" in told) != ("token" in told)
    return told


def errors(answer):
    found = [fields(one, ("code", "description")) for one in root(answer, "errors")]
    assert found
    for one in found:
        assert one["code"].isdigit()
        assert one["description"]
    return found
