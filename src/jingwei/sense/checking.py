"""Reads what a client sent as an entity: each property as it is kept, or what is wrong with it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import shapely

from jingwei import grid
from jingwei.records import now_utc
from jingwei.sense.entities import COMPLEX, Entity
from jingwei.sense.entities import Field as EntityField
from jingwei.sense.errors import BadEntityError
from jingwei.sense.odata.syntax import EPOCH, MICRO, instant_of_text, period_of_text
from jingwei.words import Text

LONGEST_NAME = 800
LONGEST_TEXT = 20_000
LARGEST_DOCUMENT = 500_000
DEEPEST = 40
GEOJSON = ("application/geo+json", "application/vnd.geo+json")
_MISSING = Text("缺少这一项", "is required.")


def values_of(entity: Entity, body: Any, *, whole: bool, inside: str = "") -> dict[str, Any]:
    """Return the columns that a client's JSON gives an entity of the record store.

    Parameters
    ----------
    entity
        Of which kind.
    body
        What was sent.
    whole
        Whether all that is required must be there, and what is not there becomes empty.
    inside
        Where in what was sent the entity stands, for errors.

    Raises
    ------
    BadEntityError

    """
    if not isinstance(body, dict):
        raise BadEntityError(inside or entity.name, Text("应为 JSON 对象", "is a JSON object."))
    _check_names(entity, body, inside)
    values: dict[str, Any] = {}
    for field in entity.fields:
        if field.kept:
            continue
        where = f"{inside}{field.name}"
        if body.get(field.name) is None:
            if field.name in body and field.required:
                raise BadEntityError(where, Text("不能为空", "cannot be null."))
            if whole and field.required:
                raise BadEntityError(where, _MISSING)
            if whole or field.name in body:
                values[field.column] = None
            continue
        values[field.column] = _value(field, body[field.name], where)
    _complete(entity, body, values, whole=whole, inside=inside)
    return values


def _check_names(entity: Entity, body: Mapping[str, Any], inside: str) -> None:
    for name in body:
        if "@" in name or name in entity.by_name or name in entity.link or name == "id":
            continue
        known = ", ".join([*(one.name for one in entity.fields if not one.kept), *entity.link])
        raise BadEntityError(
            f"{inside}{name}",
            Text(f"{entity.name} 没有这一项", f"{entity.name} has no such property."),
            mend=Text(f"可用：{known}", f"It has {known}."),
        )


def _value(field: EntityField, value: Any, where: str) -> Any:
    if field.kind == "text":
        if not isinstance(value, str):
            raise BadEntityError(where, Text("应为文本", "is a text."))
        longest = LONGEST_NAME if field.name == "name" else LONGEST_TEXT
        if len(value) > longest or "\0" in value:
            raise BadEntityError(
                where, Text(f"至多 {longest} 个字符", f"takes at most {longest} characters.")
            )
        return _storable(value, where)
    if field.kind == "time":
        found = instant_of_text(value) if isinstance(value, str) else None
        if found is None:
            raise BadEntityError(where, Text("应为 ISO 8601 时间", "is an ISO 8601 time."))
        return found.micros
    check_document(value, where)
    if field.name in ("properties", "unitOfMeasurement") and not isinstance(value, dict):
        raise BadEntityError(where, Text("应为 JSON 对象", "is a JSON object."))
    if field.name in ("unitOfMeasurements", "multiObservationDataTypes") and not isinstance(value, list):
        raise BadEntityError(where, Text("应为 JSON 数组", "is a JSON array."))
    return value


def _storable(text: str, where: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadEntityError(
            where, Text("含有无法存储的字符", "has characters that cannot be stored.")
        ) from None
    return text


def check_document(value: Any, where: str) -> None:
    """Raise unless a database can keep a JSON value as it is."""
    _check_within(value, where, 0)
    if len(json.dumps(value)) > LARGEST_DOCUMENT:
        raise BadEntityError(where, Text("太大", "is too large."))


def _check_within(value: Any, where: str, depth: int) -> None:
    if depth > DEEPEST:
        raise BadEntityError(where, Text("嵌套过深", "is nested too deep."))
    if isinstance(value, str):
        if "\0" in value:
            raise BadEntityError(where, Text("含有空字符", "has a null character."))
        _storable(value, where)
    elif isinstance(value, float) and not math.isfinite(value):
        raise BadEntityError(where, Text("数值不是有限的", "has a number that is not finite."))
    elif isinstance(value, list):
        for one in value:
            _check_within(one, where, depth + 1)
    elif isinstance(value, dict):
        for name, one in value.items():
            _check_within(name, where, depth + 1)
            _check_within(one, where, depth + 1)


def _complete(
    entity: Entity, body: Mapping[str, Any], values: dict[str, Any], *, whole: bool, inside: str
) -> None:
    """Add what follows from what was given: bounds and cell of a geometry, the type of a MultiDatastream."""
    place = entity.place
    if place is not None and place.column in values:
        document = values[place.column]
        encoding = body.get("encodingType", GEOJSON[0])
        values |= placed(document, f"{inside}{place.name}", strict=encoding in GEOJSON)
    if entity.multi is True:
        if whole or "observation_type" in values:
            values["observation_type"] = values.get("observation_type") or COMPLEX
        if whole and len(values["part_types"]) != len(values["unit"]):
            raise BadEntityError(
                f"{inside}unitOfMeasurements",
                Text("个数应与 multiObservationDataTypes 相同", "are as many as multiObservationDataTypes."),
            )


def placed(document: Any, where: str, *, strict: bool = True) -> dict[str, Any]:
    """Return the columns by which a geometry is found: WKB, bounds, and the cell of a point.

    Raises
    ------
    BadEntityError
        Where it is said to be GeoJSON, and is not.

    """
    empty = dict.fromkeys(("geometry", "west", "south", "east", "north", "cell"))
    if document is None:
        return empty
    shape = _shape(document)
    if shape is None or shape.is_empty:
        if strict:
            raise BadEntityError(
                where,
                Text(
                    "不是 GeoJSON 几何（WGS84，先经度后纬度）",
                    "is no GeoJSON geometry (WGS84, longitude first).",
                ),
                mend=Text(
                    '例如 {"type":"Point","coordinates":[116.40,39.90]}',
                    'For example {"type":"Point","coordinates":[116.40,39.90]}',
                ),
            )
        return empty
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadEntityError(where, Text("坐标超出经纬度范围", "lies beyond longitudes and latitudes."))
    cell = None
    if shape.geom_type == "Point" and abs(south) < 88:
        cell = grid.to_stored(grid.encode(west, south, 32))
    bounds = {"west": west, "south": south, "east": east, "north": north}
    return {"geometry": shapely.to_wkb(shapely.force_2d(shape)), **bounds, "cell": cell}


def _shape(document: Any) -> Any:
    if not isinstance(document, dict):
        return None
    inner = document.get("geometry") if document.get("type") == "Feature" else document
    if not isinstance(inner, dict):
        return None
    try:
        return shapely.from_geojson(json.dumps(inner))
    except (shapely.errors.GEOSException, ValueError, TypeError):
        return None


def observation_values(body: Any, *, whole: bool, inside: str = "") -> dict[str, Any]:
    """Return what a client's JSON says of an observation, by the columns of the store of readings.

    Raises
    ------
    BadEntityError

    """
    from jingwei.sense.entities import OBSERVATION

    if not isinstance(body, dict):
        raise BadEntityError(inside or "Observation", Text("应为 JSON 对象", "is a JSON object."))
    _check_names(OBSERVATION, body, inside)
    values: dict[str, Any] = {}
    if "result" in body:
        check_document(body["result"], f"{inside}result")
        values["result"] = body["result"]
    elif whole:
        raise BadEntityError(f"{inside}result", _MISSING)
    if body.get("phenomenonTime") is not None:
        found = _period(body["phenomenonTime"], f"{inside}phenomenonTime")
        is_period = "/" in body["phenomenonTime"] or found[0] < found[1]  # a date is a whole day
        values |= {"time": found[0], "time_end": found[1] if is_period else None}
    elif whole:
        values |= {"time": (now_utc() - EPOCH) // MICRO, "time_end": None}
    if body.get("resultTime") is not None:
        values["result_time"] = _moment(body["resultTime"], f"{inside}resultTime")
    elif whole or "resultTime" in body:
        values["result_time"] = None
    if body.get("validTime") is not None:
        valid = _period(body["validTime"], f"{inside}validTime")
        values |= {"valid_from": valid[0], "valid_to": valid[1]}
    elif whole or "validTime" in body:
        values |= {"valid_from": None, "valid_to": None}
    for name, column in (("resultQuality", "quality"), ("parameters", "parameters")):
        if whole or name in body:
            check_document(body.get(name), f"{inside}{name}")
            values[column] = body.get(name)
    if not isinstance(values.get("parameters"), dict | None):
        raise BadEntityError(f"{inside}parameters", Text("应为 JSON 对象", "is a JSON object."))
    return values


def _moment(value: Any, where: str) -> int:
    found = instant_of_text(value) if isinstance(value, str) else None
    if found is None:
        raise BadEntityError(where, Text("应为 ISO 8601 时间", "is an ISO 8601 time."))
    return found.micros


def _period(value: Any, where: str) -> tuple[int, int]:
    found = period_of_text(value) if isinstance(value, str) else None
    if found is None:
        raise BadEntityError(
            where, Text("应为 ISO 8601 时间或时段", "is an ISO 8601 time, or a period as start/end.")
        )
    return found.start, found.end
