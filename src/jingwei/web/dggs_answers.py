"""What OGC API - DGGS answers: reference systems, collections, lists of zones, zones, and their data."""

from __future__ import annotations

import json
from math import isnan
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
import shapely
from fastapi import Request, Response

from jingwei.grid import Cell, parse
from jingwei.grid.beidou import TWIN_LEVEL
from jingwei.lake import Dataset
from jingwei.lake.views import View
from jingwei.web import answers, problems
from jingwei.web.answers import instant_of
from jingwei.web.dggs_asking import NotOfferedError
from jingwei.web.dggs_out import (
    BASE,
    CRS84,
    DESCRIPTIONS,
    TITLES,
    UINT64,
    CollectionOut,
    FieldStatistics,
    Link,
    LinkTemplate,
    SystemItem,
    SystemList,
    SystemOut,
    ZoneData,
    ZoneList,
    ZoneOut,
)
from jingwei.web.records_out import geometry_of
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.lake.summing import Figures, Sums
    from jingwei.web.zones import System, Zone

MAX_PAGE = 10_000

SENSED = "sense-observations"
"""The collection of what sensors tell; no dataset has a hyphen in its name."""

LIST: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ZoneList,
        "content": {
            answers.GEOJSON: {"schema": {"type": "object"}},
            UINT64: {"schema": {"type": "string", "format": "binary"}},
        },
    },
    **problems.responses(406),
}

DATA: dict[int | str, dict[str, Any]] = {
    200: {"model": ZoneData, "content": {answers.GEOJSON: {"schema": {"type": "object"}}}},
    204: {"description": "There is nothing in the zone"},
    **problems.responses(403, 406, 409),
}


def link_to(href: str, rel: str, type_: str = "application/json", title: str | None = None) -> Link:
    """Return a link."""
    return Link(href=href, rel=rel, type=type_, title=title)


def systems_under(base: str) -> SystemList:
    """Return the reference systems below an address."""
    return SystemList(
        dggrs=[SystemItem(id=name, title=TITLES[name], links=_system_links(name, base)) for name in TITLES],
        links=[link_to(f"{base}/dggs", "self"), link_to(BASE, "[ogc-rel:dataset]")],
    )


def _system_links(name: str, base: str) -> list[Link]:
    return [
        link_to(f"{base}/dggs/{name}", "self"),
        link_to(f"{BASE}/dggs/{name}/definition", "[ogc-rel:dggrs-definition]"),
    ]


def system_out(system: System, base: str, finest: int | None = None) -> SystemOut:
    """Return what a reference system is, below an address."""
    here = f"{base}/dggs/{system.id}"
    return SystemOut(
        id=system.id,
        title=TITLES[system.id],
        description=DESCRIPTIONS[system.id],
        crs=CRS84,
        defaultDepth=str(system.default_depth),
        maxRefinementLevel=system.last if finest is None else finest,
        maxRelativeDepth=system.deepest,
        links=[
            *_system_links(system.id, base),
            link_to(f"{here}/zones", "[ogc-rel:dggrs-zone-query]"),
            link_to(BASE, "[ogc-rel:dataset]"),
        ],
        linkTemplates=[
            LinkTemplate(uriTemplate=f"{here}/zones/{{zoneId}}", rel="[ogc-rel:dggrs-zone-info]"),
            LinkTemplate(uriTemplate=f"{here}/zones/{{zoneId}}/data", rel="[ogc-rel:dggrs-zone-data]"),
        ],
    )


def sensed_collection(language: Any) -> CollectionOut:
    """Return what sensors tell as a collection; it has no extent, as that would tell of streams."""
    here = f"{BASE}/collections/{SENSED}"
    return CollectionOut(
        id=SENSED,
        title=Text("感知观测", "Sensor observations").in_language(language),
        extent=None,
        links=[link_to(here, "self"), link_to(f"{here}/dggs", "[ogc-rel:dggrs-list]")],
    )


def is_collection(dataset: Dataset) -> bool:
    """Say whether a dataset has places, and something that the reader may be told."""
    view = dataset.view
    return (
        isinstance(view, View)
        and bool(view.rights & {"read", "count"})
        and dataset.version is not None
        and bool(dataset.version.content.places)
    )


def collection_out(dataset: Dataset, language: Any) -> CollectionOut:
    """Return what a dataset is as a collection, and where and when its facts are."""
    here = f"{BASE}/collections/{dataset.id}"
    extent: dict[str, Any] = {}
    content = dataset.version.content if dataset.version else None
    if content and content.bounds:
        extent["spatial"] = {"bbox": [list(content.bounds)], "crs": CRS84}
    if content and content.period:
        extent["temporal"] = {"interval": [[instant_of(moment) for moment in content.period]]}
    return CollectionOut(
        id=dataset.id,
        title=dataset.title.in_language(language),
        extent=extent or None,
        links=[link_to(here, "self"), link_to(f"{here}/dggs", "[ogc-rel:dggrs-list]")],
    )


def zone_list(
    request: Request, system: System, ids: list[str], limit: int, offset: int, form: str
) -> Response:
    """Return a page of zones."""
    limit = min(limit, MAX_PAGE)
    page = ids[offset : offset + limit]
    if form == "uint64":
        numbers = system.integers(page)
        if numbers is None:
            raise NotOfferedError(
                Text(f"“{system.id}”没有 64 位标识", f"'{system.id}' has no 64-bit identifiers"),
                mend=Text("请用 f=json。", "Take f=json."),
            )
        body = np.concatenate([np.array([len(page)], "<u8"), numbers.astype("<u8")]).tobytes()
        return Response(body, media_type=UINT64)
    links = [link_to(str(request.url.path), "self")]
    if offset + limit < len(ids):
        asked = [(key, value) for key, value in request.query_params.multi_items() if key != "offset"]
        onward = f"{request.url.path}?{urlencode([*asked, ('offset', offset + limit)])}"
        links.append(link_to(onward, "next"))
    zones = [system.read(one) for one in page]
    if form == "geojson":
        body_ = {
            "type": "FeatureCollection",
            "features": [_feature(zone, {"zoneID": zone.id, "level": zone.level}) for zone in zones],
            "links": [link.model_dump(exclude_none=True) for link in links],
        }
        return Response(json.dumps(body_), media_type=answers.GEOJSON)
    found = ZoneList(
        zones=page,
        returnedAreaMetersSquare=sum(zone.area_m2 for zone in zones),
        numberMatched=len(ids),
        numberReturned=len(page),
        links=links,
    )
    return Response(found.model_dump_json(exclude_none=True), media_type="application/json")


def _feature(zone: Zone, properties: dict[str, Any], geometry: str = "zone-region") -> dict[str, Any]:
    shape = shapely.Point(*zone.centroid) if geometry == "zone-centroid" else zone.outline
    return {"type": "Feature", "id": zone.id, "geometry": geometry_of(shape), "properties": properties}


def zone_out(system: System, zone: Zone, base: str) -> ZoneOut:
    """Return a zone without figures."""
    integers = system.integers([zone.id])
    parent = system.parent(zone)
    here = f"{base}/dggs/{system.id}"
    links = [
        link_to(f"{here}/zones/{zone.id}", "self"),
        link_to(f"{base}/dggs", "[ogc-rel:dggrs]"),
        link_to(f"{here}/zones/{zone.id}/data", "[ogc-rel:dggrs-zone-data]"),
    ]
    links += [link_to(f"{here}/zones/{parent}", "[ogc-rel:dggrs-zone-parent]")] if parent else []
    return ZoneOut(
        id=zone.id,
        level=zone.level,
        shapeType="polarCap" if zone.is_cap else "rectangle",
        bbox=zone.bounds,
        centroid=zone.centroid,
        geometry=geometry_of(zone.outline) or {},
        areaMetersSquare=zone.area_m2,
        uint64=None if integers is None else str(integers[0]),
        alias=_alias(zone),
        parents=[parent] if parent else [],
        children=system.children(zone),
        neighbours=system.neighbours(zone),
        links=links,
    )


def _alias(zone: Zone) -> str | None:
    if isinstance(zone.cell, Cell):
        try:
            return zone.cell.beidou
        except ValueError:
            return None
    if zone.level not in TWIN_LEVEL:
        return None
    return parse(zone.id).geosot


def statistics_of(figures: Figures, number: int) -> FieldStatistics | None:
    """Return the figures of one group; None where it has no value."""
    if not figures.n[number]:
        return None
    deviation = float(figures.deviation[number])
    return FieldStatistics(
        minimum=float(figures.minimum[number]),
        maximum=float(figures.maximum[number]),
        average=float(figures.mean[number]),
        stdDev=None if isnan(deviation) else deviation,
        count=int(figures.n[number]),
    )


def counts_out(sums: Sums) -> list[float | None]:
    """Return the numbers of facts, null where they may not be told."""
    return [int(n) if told else None for n, told in zip(sums.facts, sums.told, strict=True)]


def numbers_out(values: Any) -> list[float | None]:
    """Return numbers with null for what is none."""
    return [None if isnan(value) else value for value in values.tolist()]


def data_out(
    system: System,
    zone: Zone,
    lists: dict[int, list[str]],
    fields: dict[str, dict[int, list[float | None]]],
    form: str,
    geometry: str,
    titles: dict[str, str] | None = None,
) -> Response:
    """Return the values of fields in sub-zones, as DGGS-JSON or as GeoJSON."""
    if not fields or all(value is None for by in fields.values() for data in by.values() for value in data):
        return Response(status_code=204)
    if form == "geojson":
        return Response(
            json.dumps({"type": "FeatureCollection", "features": _features(system, lists, fields, geometry)}),
            media_type=answers.GEOJSON,
        )
    out = {
        "dggrs": f"{BASE}/dggs/{system.id}/definition",
        "zoneId": zone.id,
        "depths": list(lists),
        "schema": {
            "type": "object",
            "properties": {
                name: {"type": "number"} | ({"title": titles[name]} if titles else {}) for name in fields
            },
        },
        "values": {
            name: [
                {"depth": depth, "shape": {"count": len(data), "subZones": len(data)}, "data": data}
                for depth, data in by.items()
            ]
            for name, by in fields.items()
        },
    }
    return Response(json.dumps(out), media_type="application/json")


def _features(
    system: System,
    lists: dict[int, list[str]],
    fields: dict[str, dict[int, list[float | None]]],
    geometry: str,
) -> list[dict[str, Any]]:
    found = []
    for depth, ids in lists.items():
        for number, one in enumerate(ids):
            values = {name: by[depth][number] for name, by in fields.items() if depth in by}
            if any(values.values()):
                about = {"zoneId": one, "depth": depth, **values}
                found.append(_feature(system.read(one), about, geometry))
    return found
