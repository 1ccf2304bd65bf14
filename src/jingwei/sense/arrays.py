"""Observations as data arrays: `CreateObservations` (18-088, 11.3)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from jingwei.errors import JingweiError
from jingwei.sense.entities import ENTITIES, OBSERVATION, STREAMS
from jingwei.sense.errors import BadEntityError
from jingwei.sense.writing import Writing
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.sense.service import Answered, Sensing

MOST = 200_000
"""Observations in one request."""


def create_observations(sensing: Sensing, asker: Asker, body: Any, root: str) -> Answered:
    """Take in data arrays of several streams; tell the address of each new observation, or `error`.

    Raises
    ------
    BadEntityError
        Where the body is no list of data arrays; a row that cannot be taken is only told as `error`.

    """
    from jingwei.sense.readings import Batch
    from jingwei.sense.service import Answered

    groups = _groups(body)
    told: list[str] = []
    with sensing.records.write() as session:
        writing = Writing(sensing.sight(session, asker), sensing.readings)
        places = [place for group in groups for place in _read(writing, group)]
    if writing.after.readings:
        receipt = sensing.readings.append(Batch.of(writing.after.readings))
        ids = [int(one) for one in receipt.ids]
        told = [
            f"{root}/{OBSERVATION.collection}({ids[at]})" if at >= 0 and ids[at] else "error" for at in places
        ]
    else:
        told = ["error"] * len(places)
    return Answered(HTTPStatus.CREATED, told)


def _groups(body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise BadEntityError("CreateObservations", Text("应为对象的数组", "is an array of objects."))
    rows = 0
    for number, group in enumerate(body):
        listed, components = group.get("dataArray"), group.get("components")
        if not isinstance(components, list) or not {"result"} <= set(map(str, components)):
            raise BadEntityError(
                f"[{number}].components",
                Text("至少应有 phenomenonTime 和 result", "hold at least phenomenonTime and result."),
            )
        if not isinstance(listed, list) or not all(isinstance(row, list) for row in listed):
            raise BadEntityError(f"[{number}].dataArray", Text("应为数组的数组", "is an array of arrays."))
        rows += len(listed)
    if rows > MOST:
        raise BadEntityError("dataArray", Text(f"一次至多 {MOST} 行", f"has at most {MOST} rows at once."))
    return body


def _read(writing: Writing, group: dict[str, Any]) -> list[int]:
    """Return for each row its place among the readings of the change, -1 where it cannot be taken."""
    named = [name for name in STREAMS if group.get(name) is not None]
    if len(named) != 1 or not isinstance(group[named[0]], dict):
        raise BadEntityError("Datastream", Text("每组须关联一个数据流", "each group belongs to one stream."))
    (name,) = named
    try:
        stream = writing.existing(ENTITIES[name], group[name].get("@iot.id"), name)
    except BadEntityError:
        return [-1] * len(group["dataArray"])
    writing.check_observe(ENTITIES[name], stream)
    components = [str(one) for one in group["components"]]
    places = []
    for row in group["dataArray"]:
        body = dict(zip(components, row, strict=False))
        feature = body.pop("FeatureOfInterest/id", body.pop("FeatureOfInterest/@iot.id", None))
        body.pop("id", None)
        if feature is not None:
            body["FeatureOfInterest"] = {"@iot.id": feature}
        try:
            if len(row) != len(components):
                raise BadEntityError("dataArray", Text("列数不符", "a row has another number of values."))
            writing.observe(stream, body)
            places.append(len(writing.after.readings) - 1)
        except JingweiError:
            places.append(-1)
    return places
