"""The aggregate functions, the intervals, and what the root of the service says of them (26-057)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jingwei.sense.rollups import Kind

SPEC = "http://www.opengis.net/spec/sensorthings-dggs/1.0/"
LINKING = "https://github.com/INSIDE-information-systems/SensorThingsAPI/blob/master/EntityLinking/Linking.md"
SYSTEM = "GeoSOT"
COARSEST, FINEST = 0, 21
"""The levels of cells: from the whole earth to one arc-second, the finest told of many together."""
GEOJSON = "application/geo+json"
CLASSES = ("landing-page", "cell", "observed-properties")
"""Conformance classes. `cell-crud` needs cells that clients make, and `aggregation` needs that one."""
INTERVALS: dict[str, Kind] = {"1hour": "hour", "1day": "day", "1month": "month"}


@dataclass(frozen=True, slots=True)
class Function:
    """A function over readings, in the order in which results have them."""

    id: str
    method: str
    title: str
    equation: str

    @property
    def definition(self) -> str:
        """The URI by which observed properties name it."""
        return f"http://www.opengis.net/def/function/sensorthings-dggs/1.0/{self.id}"


FUNCTIONS = (
    Function("min", "MIN", "minimum", "min(x_1, ..., x_n)"),
    Function("max", "MAX", "maximum", "max(x_1, ..., x_n)"),
    Function("avg", "AVG", "mean", "(1/n) * sum(x_i)"),
    Function(
        "stddev",
        "STDDEV",
        "standard deviation",
        "sqrt( 1/(n-1) * sum( (x_i - avg)^2 ) ) for n >= 2; null otherwise",
    ),
    Function("count", "COUNT", "number of readings", "n"),
)
UNITY = {"name": "count", "symbol": "n", "definition": "http://www.opengis.net/def/uom/OGC/1.0/unity"}
_LINKS = {
    "derivations/derivation": "From an observed property to what a function makes of it.",
    "prov:wasDerivedFrom": "Back to the observed property.",
    "prov:qualifiedDerivation/prov:wasDerivedFrom": "Back to the observed property.",
}


def settings() -> dict[str, Any]:
    """Return what the root tells of cells, beside the conformance classes."""
    earth = [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]]
    levels = range(COARSEST, FINEST + 1)
    return {
        f"{SPEC}req/grid-system": {
            "gridSystem": SYSTEM,
            "coarsestZoneLevel": COARSEST,
            "finestZoneLevel": FINEST,
        },
        f"{SPEC}req/cell-create-boundary": {
            "encodingType": GEOJSON,
            "boundary": {"type": "Polygon", "coordinates": earth},
        },
        f"{SPEC}req/aggregate-functions": {
            "functions": [
                {"id": one.id, "definition": one.definition, "equation": one.equation, "method": one.method}
                for one in FUNCTIONS
            ]
        },
        f"{SPEC}req/aggregation/intervals": {
            "intervals": list(INTERVALS),
            "zoneLevels": {str(level): list(INTERVALS) for level in levels},
        },
        LINKING: {
            "registeredLinks": {
                f"ObservedProperty/properties/{name}": {
                    "targetType": "ObservedProperty",
                    "description": description,
                }
                for name, description in _LINKS.items()
            }
        },
    }


def property_id(observed: int, function: Function) -> str:
    """Return the id of what a function makes of an observed property."""
    return f"{observed}~{function.id}"


def of_base(observed: int) -> dict[str, Any]:
    """Return what the properties of an observed property say of what is made of it."""
    return {
        "role": "base",
        "derivations": [
            {"derivation.ObservedProperty@iot.id": property_id(observed, one)} for one in FUNCTIONS
        ],
        "aggregations": {
            one.id: {"method": one.method, "target_id": property_id(observed, one)} for one in FUNCTIONS
        },
    }


def derived(observed: int, name: str, function: Function) -> dict[str, Any]:
    """Return what a function makes of an observed property, as a row."""
    return {
        "id": property_id(observed, function),
        "name": f"{name}: {function.title}",
        "definition": function.definition,
        "description": f"{function.method} of {name} over the readings of a cell in an interval",
        "properties": {
            "role": "aggregate",
            "aggregation_method": function.method,
            "aggregation_function": function.definition,
            "prov:wasDerivedFrom.ObservedProperty@iot.id": observed,
        },
    }
