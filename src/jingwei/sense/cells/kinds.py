"""The entities that the extension adds, by the table of those of 18-088; none of them has rows of its own."""

from __future__ import annotations

from dataclasses import replace

from jingwei.sense.entities import ENTITIES, Entity, Field, Link

_ID = Field("@iot.id", "id", "id", kept=True)
_NAME = Field("name", "name", required=True)
_DESCRIPTION = Field("description", "description", required=True)
_TO_CELL = Link("Cell", "Cell")

CELL = Entity(
    "Cell",
    "Cells",
    None,
    (
        _ID,
        Field("zoneId", "zoneId", required=True),
        Field("system", "system", required=True),
        Field("zoneLevel", "zoneLevel", "json", required=True),
        Field("encodingType", "encodingType", required=True),
        Field("boundary", "boundary", "json", required=True),
    ),
    (
        Link("Parent", "Cell"),
        Link("Children", "Cell", many=True),
        Link("Datastreams", "Datastream", many=True),
        Link("MultiDatastreams", "CellStream", many=True),
        Link("Observations", "Observation", many=True),
    ),
)
"""A cell of the grid (26-057, Cell)."""
CELL_STREAM = Entity(
    "MultiDatastream",
    "MultiDatastreams",
    None,
    (
        _ID,
        _NAME,
        _DESCRIPTION,
        Field("observationType", "observationType", required=True),
        Field("multiObservationDataTypes", "multiObservationDataTypes", "json", required=True),
        Field("unitOfMeasurements", "unitOfMeasurements", "json", required=True),
        Field("properties", "properties", "json"),
    ),
    (
        _TO_CELL,
        Link("ObservedProperties", "CellProperty", many=True),
        Link("Observations", "CellObservation", many=True),
    ),
    multi=True,
)
"""What is told of one property in a cell, interval by interval (26-057, req/aggregation/multidatastream)."""
CELL_OBSERVATION = Entity(
    "Observation",
    "Observations",
    None,
    (
        _ID,
        Field("phenomenonTime", "phenomenonTime", "period"),
        Field("resultTime", "resultTime", "time"),
        Field("result", "result", "json", required=True),
    ),
    (Link("MultiDatastream", "CellStream"), _TO_CELL),
)
"""Figures of a cell in one interval."""
CELL_PROPERTY = Entity(
    "ObservedProperty",
    "ObservedProperties",
    None,
    (
        _ID,
        _NAME,
        Field("definition", "definition", required=True),
        _DESCRIPTION,
        Field("properties", "properties", "json"),
    ),
    (),
)
"""What a function makes of an observed property (26-057, req/observed-properties/derived)."""

CELL_KINDS = {
    "Cell": CELL,
    "CellStream": CELL_STREAM,
    "CellObservation": CELL_OBSERVATION,
    "CellProperty": CELL_PROPERTY,
}
_OWN = {id(one) for one in CELL_KINDS.values()}
KINDS = ENTITIES | CELL_KINDS
"""All entities, by the names that links lead to."""

WITH_CELL = {
    name: replace(ENTITIES[name], links=(*ENTITIES[name].links, _TO_CELL))
    for name in ("Datastream", "Observation")
}
"""Entities of 18-088 that have a cell."""


def is_of_cells(entity: Entity) -> bool:
    """Say whether an entity is of this extension alone."""
    return id(entity) in _OWN


def with_cell(entity: Entity) -> Entity:
    """Return an entity of 18-088 with the link to its cell, where it has one; others as they are."""
    return WITH_CELL.get(entity.name, entity) if ENTITIES.get(entity.name) is entity else entity
