"""What a document of the Open Data Contract Standard says beyond what a contract here can hold.

Nothing of a foreign document is lost in silence: each part that is not taken is named by its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OURS = "jingwei:"
"""Begins the names of the custom properties that we write."""
MOST_NODES = 200_000
"""Values of a document with its aliases written out: a few lines of YAML can stand for any number."""
MOST_TOLD = 200
"""Parts that are named; of the rest the number."""

_DOCUMENT = {"apiVersion", "kind", "id", "version", "name", "status", "schema", "slaProperties"}
_TABLE = {"name", "businessName", "physicalName", "logicalType", "physicalType", "properties", "quality"}
_FIELD = {
    "name", "businessName", "logicalType", "required", "unique", "primaryKey", "primaryKeyPosition",
    "classification", "relationships", "quality", "enum",
}  # fmt: skip
_OPTIONS = {"minimum", "maximum", "maxLength", "pattern"}


def nodes(data: Any, limit: int = MOST_NODES) -> int:
    """Return how many values a document has with its aliases written out, or more than `limit`."""
    count, waiting = 0, [iter([data])]
    while waiting:
        value = next(waiting[-1], _END)
        if value is _END:
            waiting.pop()
            continue
        count += 1
        if count > limit:
            return count
        if isinstance(value, dict):
            waiting.append(iter(value.values()))
        elif isinstance(value, list):
            waiting.append(iter(value))
    return count


_END = object()


def not_taken(data: Mapping[str, Any], table: str) -> list[str]:
    """Return the parts of a document that no contract can hold, by their places.

    Parameters
    ----------
    data
        The document as YAML or JSON was read, of the shape that the standard wants.
    table
        The name of the table that is taken.

    """
    found = [*_document(data), *_tables(data, table)]
    more = len(found) - MOST_TOLD
    return found if more <= 0 else [*found[:MOST_TOLD], f"... +{more}"]


def _document(data: Mapping[str, Any]) -> Iterator[str]:
    yield from _beyond(data, _DOCUMENT | {"description", "customProperties"})
    yield from _beyond(data.get("description") or {}, {"purpose"}, "description.")
    yield from _custom(data, "")


def _tables(data: Mapping[str, Any], wanted: str) -> Iterator[str]:
    taken = False
    for table in data.get("schema") or []:
        name = str(table.get("name") or "")
        if taken or name != wanted:
            yield f"schema {name}"
            continue
        taken = True
        yield from _beyond(table, _TABLE | {"customProperties"}, f"{name}.")
        yield from _custom(table, f"{name}.")
        for field in table.get("properties") or []:
            place = f"{name}.{field.get('name')}."
            yield from _beyond(field, _FIELD | {"logicalTypeOptions", "customProperties"}, place)
            yield from _beyond(field.get("logicalTypeOptions") or {}, _OPTIONS, f"{place}logicalTypeOptions.")
            yield from _custom(field, place)


def _beyond(part: Mapping[str, Any], known: set[str], place: str = "") -> Iterator[str]:
    """Yield the keys of a part that are not taken and say something."""
    for key, value in part.items():
        empty = value is None or value is False or value in ("", [], {})
        if key not in known and not empty:
            yield f"{place}{key}"


def _custom(part: Mapping[str, Any], place: str) -> Iterator[str]:
    for one in part.get("customProperties") or []:
        if not str(one.get("property") or "").startswith(OURS):
            yield f"{place}customProperties {one.get('property')}"
