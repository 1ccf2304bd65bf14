"""The entities of SensorThings 1.1 as one table: their fields, and how they are linked (18-088, clause 8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from jingwei.sense.models import (
    FeatureRow,
    HistoricalLocationRow,
    HistoricalPlace,
    LocationRow,
    ObservedPropertyRow,
    SensorRow,
    StreamProperty,
    StreamRow,
    ThingLocation,
    ThingRow,
)

if TYPE_CHECKING:
    from sqlalchemy import Table

Kind = Literal["id", "text", "json", "geometry", "time", "period", "extent"]


@dataclass(frozen=True, slots=True)
class Field:
    """A property of an entity.

    Attributes
    ----------
    column
        The column that holds it.
    kind
        What it is: a time is an instant, `json` is what a client gave, `geometry` what lies on the earth,
        and an extent is the time from the first to the last reading, which the store of readings knows.
    required
        Whether an entity without it is refused.
    kept
        Whether the server keeps it, and what a client says of it is not heeded.

    """

    name: str
    column: str
    kind: Kind = "text"
    required: bool = False
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A way from an entity to others.

    Either `up` (a column here holds the other's id), `down` (a column there holds ours), or `via` a table
    whose columns `here` and `there` hold the two ids.
    """

    name: str
    target: str
    many: bool = False
    required: bool = False
    up: str = ""
    down: str = ""
    via: Any = None
    here: str = ""
    there: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of entities; `multi` tells Datastreams and MultiDatastreams, which share a table, apart."""

    name: str
    collection: str
    table: Any
    fields: tuple[Field, ...]
    links: tuple[Link, ...]
    multi: bool | None = None
    by_name: dict[str, Field] = field(init=False, repr=False)
    link: dict[str, Link] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name: one for one in self.fields})
        object.__setattr__(self, "link", {one.name: one for one in self.links})

    @property
    def place(self) -> Field | None:
        """The field that holds a geometry, if there is one."""
        return next((one for one in self.fields if one.kind == "geometry"), None)

    @property
    def owned(self) -> bool:
        """Whether its rows lie in the record store; observations do not."""
        return self.table is not None


_ID = Field("@iot.id", "id", "id", kept=True)
_NAME = Field("name", "name", required=True)
_DESCRIPTION = Field("description", "description", required=True)
_PROPERTIES = Field("properties", "properties", "json")
_ENCODING = Field("encodingType", "encoding_type", required=True)
_STREAM = (
    Field("observedArea", "observed_area", "geometry"),
    Field("phenomenonTime", "phenomenonTime", "extent", kept=True),
    Field("resultTime", "resultTime", "extent", kept=True),
    _PROPERTIES,
)


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


def _stream_links(*, multi: bool) -> tuple[Link, ...]:
    observed: Any = {"via": _table(StreamProperty), "here": "stream_id", "there": "observed_property_id"}
    return (
        Link("Thing", "Thing", required=True, up="thing_id"),
        Link("Sensor", "Sensor", required=True, up="sensor_id"),
        Link("ObservedProperties", "ObservedProperty", many=True, required=True, **observed)
        if multi
        else Link("ObservedProperty", "ObservedProperty", required=True, **observed),
        Link("Observations", "Observation", many=True),
    )


def _to_streams(column: str) -> tuple[Link, ...]:
    return (
        Link("Datastreams", "Datastream", many=True, down=column),
        Link("MultiDatastreams", "MultiDatastream", many=True, down=column),
    )


def _observing(name: str, target: str) -> Link:
    ids: Any = {"here": "observed_property_id", "there": "stream_id"}
    return Link(name, target, many=True, via=_table(StreamProperty), **ids)


_ALL = (
    Entity(
        "Thing",
        "Things",
        _table(ThingRow),
        (_ID, _NAME, _DESCRIPTION, _PROPERTIES),
        (
            *_to_streams("thing_id"),
            Link(
                "Locations",
                "Location",
                many=True,
                via=_table(ThingLocation),
                here="thing_id",
                there="location_id",
            ),
            Link("HistoricalLocations", "HistoricalLocation", many=True, down="thing_id"),
        ),
    ),
    Entity(
        "Location",
        "Locations",
        _table(LocationRow),
        (
            _ID,
            _NAME,
            _DESCRIPTION,
            _ENCODING,
            Field("location", "location", "geometry", required=True),
            _PROPERTIES,
        ),
        (
            Link(
                "Things", "Thing", many=True, via=_table(ThingLocation), here="location_id", there="thing_id"
            ),
            Link(
                "HistoricalLocations",
                "HistoricalLocation",
                many=True,
                via=_table(HistoricalPlace),
                here="location_id",
                there="historical_location_id",
            ),
        ),
    ),
    Entity(
        "HistoricalLocation",
        "HistoricalLocations",
        _table(HistoricalLocationRow),
        (_ID, Field("time", "time", "time", required=True)),
        (
            Link("Thing", "Thing", required=True, up="thing_id"),
            Link(
                "Locations",
                "Location",
                many=True,
                required=True,
                via=_table(HistoricalPlace),
                here="historical_location_id",
                there="location_id",
            ),
        ),
    ),
    Entity(
        "Datastream",
        "Datastreams",
        _table(StreamRow),
        (
            _ID,
            _NAME,
            _DESCRIPTION,
            Field("observationType", "observation_type", required=True),
            Field("unitOfMeasurement", "unit", "json", required=True),
            *_STREAM,
        ),
        _stream_links(multi=False),
        multi=False,
    ),
    Entity(
        "MultiDatastream",
        "MultiDatastreams",
        _table(StreamRow),
        (
            _ID,
            _NAME,
            _DESCRIPTION,
            Field("observationType", "observation_type"),
            Field("multiObservationDataTypes", "part_types", "json", required=True),
            Field("unitOfMeasurements", "unit", "json", required=True),
            *_STREAM,
        ),
        _stream_links(multi=True),
        multi=True,
    ),
    Entity(
        "Sensor",
        "Sensors",
        _table(SensorRow),
        (
            _ID,
            _NAME,
            _DESCRIPTION,
            _ENCODING,
            Field("metadata", "details", "json", required=True),
            _PROPERTIES,
        ),
        _to_streams("sensor_id"),
    ),
    Entity(
        "ObservedProperty",
        "ObservedProperties",
        _table(ObservedPropertyRow),
        (_ID, _NAME, Field("definition", "definition", required=True), _DESCRIPTION, _PROPERTIES),
        (_observing("Datastreams", "Datastream"), _observing("MultiDatastreams", "MultiDatastream")),
    ),
    Entity(
        "Observation",
        "Observations",
        None,
        (
            _ID,
            Field("phenomenonTime", "phenomenon_time", "period"),
            Field("resultTime", "result_time", "time"),
            Field("result", "result", "json", required=True),
            Field("resultQuality", "result_quality", "json"),
            Field("validTime", "valid_time", "period"),
            Field("parameters", "parameters", "json"),
        ),
        (
            Link("Datastream", "Datastream"),
            Link("MultiDatastream", "MultiDatastream"),
            Link("FeatureOfInterest", "FeatureOfInterest"),
        ),
    ),
    Entity(
        "FeatureOfInterest",
        "FeaturesOfInterest",
        _table(FeatureRow),
        (
            _ID,
            _NAME,
            _DESCRIPTION,
            _ENCODING,
            Field("feature", "feature", "geometry", required=True),
            _PROPERTIES,
        ),
        (Link("Observations", "Observation", many=True),),
    ),
)

ENTITIES = {one.name: one for one in _ALL}
COLLECTIONS = {one.collection: one for one in _ALL}
OBSERVATION = ENTITIES["Observation"]
STREAMS = ("Datastream", "MultiDatastream")
COMPLEX = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_ComplexObservation"
"""The type of observation of a MultiDatastream (18-088, 11.1)."""
