"""What OGC API - DGGS answers with (OGC 21-038r1), and how its two reference systems are defined."""

# ruff: noqa: N815 - the names of the standard
from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

BASE = "/api/dggs-api"
CLASSES = "https://www.opengis.net/spec/ogcapi-dggs-1/1.0/conf"
COMMON = "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf"
COLLECTIONS = "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf"
CONFORMANCE = (
    f"{COMMON}/core",
    f"{COMMON}/landing-page",
    f"{COMMON}/json",
    f"{COLLECTIONS}/collections",
    *(
        f"{CLASSES}/{name}"
        for name in (
            "core",
            "root-dggs",
            "collection-dggs",
            "zone-query",
            "data-retrieval",
            "data-custom-depths",
            "data-json",
            "data-geojson",
            "zone-json",
            "zone-geojson",
            "zone-uint64",
        )
    ),
)

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CRS84_NAMES = frozenset({CRS84, CRS84.replace("http:", "https:"), "[OGC:CRS84]"})
CGCS2000 = "http://www.opengis.net/def/crs/EPSG/0/4490"
GEOJSON = "application/geo+json"
UINT64 = "application/x-binary"
COUNT = "jw_count"
"""The field with the number of facts; no column of a department begins with `jw_`."""


class Link(BaseModel):
    """A link (RFC 8288)."""

    href: str
    rel: str
    type: str | None = None
    title: str | None = None


class LinkTemplate(BaseModel):
    """A link with a part to fill in (RFC 6570)."""

    uriTemplate: str
    rel: str
    type: str = "application/json"


class Landing(BaseModel):
    """Where everything is."""

    title: str
    description: str
    links: list[Link]


class Conformance(BaseModel):
    """What is conformed to."""

    conformsTo: list[str]


class SystemItem(BaseModel):
    """A reference system in one line."""

    id: str
    title: str
    links: list[Link]


class SystemList(BaseModel):
    """The reference systems."""

    dggrs: list[SystemItem]
    links: list[Link]


class SystemOut(SystemItem):
    """A reference system."""

    description: str
    crs: str
    defaultDepth: str
    maxRefinementLevel: int
    maxRelativeDepth: int
    linkTemplates: list[LinkTemplate]


class CollectionOut(BaseModel):
    """A dataset as a collection."""

    id: str
    title: str
    extent: dict[str, Any] | None = Field(description="Where and when, as far as the reader may know")
    crs: list[str] = [CRS84]
    storageCrs: str = CRS84
    links: list[Link]


class CollectionList(BaseModel):
    """The datasets that the reader may see."""

    collections: list[CollectionOut]
    links: list[Link]


class ZoneList(BaseModel):
    """Zones by their texts."""

    zones: list[str]
    returnedAreaMetersSquare: float = Field(description="True area of the zones of this page")
    numberMatched: int
    numberReturned: int
    links: list[Link]


class FieldStatistics(BaseModel):
    """Figures of one numeric field; the sample standard deviation needs two values."""

    minimum: float
    maximum: float
    average: float
    stdDev: float | None = None
    count: int = Field(description="Values that the figures are of")


class ZoneOut(BaseModel):
    """A zone."""

    id: str
    level: int
    shapeType: str = Field(description="rectangle in longitude and latitude, or polarCap")
    crs: str = CRS84
    bbox: tuple[float, float, float, float] = Field(
        description="West, south, east, north; west > east where it crosses 180 degrees"
    )
    centroid: tuple[float, float]
    geometry: dict[str, Any]
    areaMetersSquare: float
    uint64: str | None = Field(default=None, description="The 64-bit identifier, as text")
    alias: str | None = Field(default=None, description="The code of the same cell in the other standard")
    parents: list[str]
    children: list[str]
    neighbours: list[str]
    count: int | None = Field(
        default=None, description="Facts in the zone; left out where it may not be told to the reader"
    )
    statistics: dict[str, FieldStatistics] | None = None
    withheld: list[str] | None = Field(
        default=None, description="Fields of which nothing is told, as they would be of too few streams"
    )
    temporalInterval: tuple[str, str] | None = None
    links: list[Link]


class Shape(BaseModel):
    """How many values a list holds."""

    count: int
    subZones: int


class Values(BaseModel):
    """The values of one field at one depth, in the order of sub-zones."""

    depth: int
    shape: Shape
    data: list[float | None]


class ZoneData(BaseModel):
    """DGGS-JSON."""

    model_config = ConfigDict(populate_by_name=True)

    dggrs: str
    zoneId: str
    depths: list[int]
    schema_: dict[str, Any] = Field(alias="schema")
    values: dict[str, list[Values]]


TITLES = {
    "geosot": "GeoSOT (GB/T 40087-2021)",
    "beidou": "BeiDou grid location code (GB/T 39409-2020)",
}
DESCRIPTIONS = {
    "geosot": (
        "Thirty-two halvings of 512 degrees. A degree is padded to 64 minutes and a minute to 64 seconds, "
        "so cells of levels 10-12 and 16-18 are cut at 60 and a zone has four children or fewer. Beyond 88 "
        "degrees of latitude there are the polar zones of levels 8-10 and none below."
    ),
    "beidou": (
        "Ten levels from 6 by 4 degrees to 1/2048 arc-second, each with a split of its own. From level 4 the "
        "cells are cells of GeoSOT. Beyond 88 degrees of latitude there are polar zones of levels 1 and 2."
    ),
}
ORDERS = {
    "geosot": {
        "type": "mortonCurve",
        "description": (
            "Children in the order of their last digit, 2 x latitude bit + longitude bit, which grow away "
            "from the equator and the prime meridian; those that do not exist are left out; the sub-zones of "
            "each child in turn. Children of polar zones come in the order of their 64-bit codes."
        ),
    },
    "beidou": {
        "type": "hierarchical",
        "description": (
            "Children in the order of their characters: longitude before latitude where there are two, along "
            "the parallel first where there is one (levels 3 and 6); the sub-zones of each child in turn."
        ),
    },
}
ZIRS: dict[str, dict[str, Any]] = {
    "geosot": {
        "textZIRS": {
            "type": "hierarchicalConcatenation",
            "description": (
                "G and one quaternary digit for each level, with - after digits 9 and 15 and . after digit "
                "21 where another follows; read without them too. BeiDou codes of levels 4-10 are read as "
                "the zone of the same cell."
            ),
        },
        "uint64ZIRS": {
            "type": "geosot64Marked",
            "description": (
                "The 64-bit code of GB/T 40087, left-aligned, with a one after its last digit: bit "
                "63 - 2 x level, counted from the lowest, which is bit 0. Level 1 has its one at bit 0. "
                "Level 32, whose digits leave no room, has bit 61 set, which no code has. So: bit 61 set is "
                "level 32; else bit 0 set is level 1; else the lowest one stands at 63 - 2 x level."
            ),
        },
    },
    "beidou": {
        "textZIRS": {
            "type": "hierarchicalConcatenation",
            "description": "The two-dimensional code of GB/T 39409, clause 5, of 4 to 20 characters.",
        }
    },
}


class DefinitionOut(BaseModel):
    """How a reference system is made: the hierarchy, the identifiers, the order of sub-zones."""

    title: str
    description: str
    dggh: dict[str, Any]
    zirs: dict[str, Any]
    subZoneOrder: dict[str, str]


def definition_of(system: str) -> DefinitionOut:
    """Return the definition of a reference system by annex B of OGC 21-038r1."""
    definition: dict[str, Any] = {
        "spatialDimensions": 2,
        "temporalDimensions": 0,
        "crs": CGCS2000,
        "zoneTypes": ["rectangle"],
        "refinementStrategy": ["nestedChildCell"],
        "constraints": {"cellAxisAligned": True, "cellEqualSized": False},
    }
    if system == "geosot":
        definition["refinementRatio"] = 4
    parameters = {"ellipsoid": "CGCS2000", "orientation": {"latitude": 0, "longitude": 0}}
    return DefinitionOut(
        title=TITLES[system],
        description=DESCRIPTIONS[system],
        dggh={"definition": definition, "parameters": parameters},
        zirs=ZIRS[system],
        subZoneOrder=ORDERS[system],
    )
