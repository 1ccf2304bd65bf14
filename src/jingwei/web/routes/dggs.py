"""OGC API - DGGS 1.0 (OGC 21-038r1): the city by the zones of GeoSOT and of the BeiDou grid."""

from __future__ import annotations

import json
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

import numpy as np
import shapely
from fastapi import APIRouter, Path, Query, Request, Response

from jingwei.errors import BadRequestError
from jingwei.grid import BeidouCell, Cell, LevelError, parse
from jingwei.grid.beidou import TWIN_LEVEL
from jingwei.grid.levels import check_level
from jingwei.lake import Dataset, Region, region_of_bounds, region_of_cell
from jingwei.lake.views import View
from jingwei.web import answers, dggs_asking, problems, stopping
from jingwei.web.answers import instant_of
from jingwei.web.dggs_asking import (
    BoxText,
    CrsText,
    DataForm,
    DepthText,
    ListForm,
    SubsetCrsText,
    SubsetTexts,
    TimeText,
    depths_of,
    form_of,
    interval_of,
    wide_box_of,
)
from jingwei.web.dggs_out import (
    BASE,
    CONFORMANCE,
    COUNT,
    CRS84,
    DESCRIPTIONS,
    TITLES,
    UINT64,
    CollectionList,
    CollectionOut,
    Conformance,
    DefinitionOut,
    FieldStatistics,
    Landing,
    Link,
    LinkTemplate,
    SystemItem,
    SystemList,
    SystemOut,
    ZoneData,
    ZoneList,
    ZoneOut,
    definition_of,
)
from jingwei.web.policies import CITY, allowed, filtered, open_to_all
from jingwei.web.questions import BadBoxError
from jingwei.web.reader import AskerOf, LanguageOf
from jingwei.web.records_out import features_of, geometry_of
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.datasets import DatasetPath, of_dataset
from jingwei.web.routes.features import seen_of
from jingwei.web.zone_facts import (
    check_columns,
    check_finest,
    finest_of,
    sums_of,
    zones_with_facts,
)
from jingwei.web.zones import System, Zone, in_parent, share_area, system_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from jingwei.access import Asker
    from jingwei.city import City
    from jingwei.lake.summing import Figures, Sums
    from jingwei.web.zones import Bounds

router = APIRouter(prefix="/dggs-api", tags=["dggs"], responses=problems.responses(400, 404))

MAX_PAGE = 10_000
MAX_FEATURES = 10_000
SENSED = "sense-observations"
"""The collection of what sensors tell; no dataset has a hyphen in its name."""
COUNTING = ("dataset.read", "dataset.count")

SystemPath = Annotated[str, Path(max_length=40, description="geosot or beidou", examples=["geosot"])]
ZonePath = Annotated[
    str,
    Path(max_length=60, description="The text of a zone", examples=["G001130230-200011"]),
]
LevelOf = Annotated[int | None, Query(alias="zone-level", description="Level of the zones")]
ParentOf = Annotated[
    str | None, Query(alias="parent-zone", max_length=60, description="Only zones within this one")
]
CompactOf = Annotated[
    bool, Query(alias="compact-zones", description="Put a zone in place of all of its children")
]
LimitOf = Annotated[int, Query(ge=1, description="Zones of a page; more than 10,000 are taken as 10,000")]
OffsetOf = Annotated[int, Query(ge=0, lt=1 << 40, description="Zones to leave out before")]
ListFormOf = Annotated[ListForm | None, Query(alias="f", description="Form of the answer")]
DataFormOf = Annotated[DataForm | None, Query(alias="f", description="Form of the answer")]
PropertiesOf = Annotated[
    str | None, Query(max_length=2000, description="Only these fields, separated by commas")
]
WithoutOf = Annotated[
    str | None, Query(alias="exclude-properties", max_length=2000, description="All fields but these")
]
GeometryOf = Annotated[
    Literal["zone-region", "zone-centroid", "vectorized"],
    Query(description="Of GeoJSON: zones as areas or as points, or the facts themselves"),
]
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

# --- what there is ---


@router.get(
    "",
    summary="Landing page of OGC API - DGGS",
    response_model_exclude_none=True,
    dependencies=[open_to_all()],
)
def read_dggs_landing(language: LanguageOf) -> Landing:
    """Return where the definition, the conformance classes, the reference systems and the datasets are."""
    title = Text("离散全球网格：GeoSOT 与北斗网格", "Discrete global grids: GeoSOT and BeiDou")
    about = Text(
        "按 OGC API - DGGS 1.0（21-038r1）以网格查询城市数据集。",
        "The city's datasets by zones of a grid, by OGC API - DGGS 1.0 (21-038r1).",
    )
    return Landing(
        title=title.in_language(language),
        description=about.in_language(language),
        links=[
            link_to(BASE, "self"),
            link_to("/api/openapi.json", "service-desc", "application/vnd.oai.openapi+json;version=3.1"),
            link_to(f"{BASE}/conformance", "conformance"),
            link_to(f"{BASE}/conformance", "http://www.opengis.net/def/rel/ogc/1.0/conformance"),
            link_to(f"{BASE}/collections", "data"),
            link_to(f"{BASE}/dggs", "[ogc-rel:dggrs-list]"),
        ],
    )


@router.get("/conformance", summary="Conformance classes", dependencies=[open_to_all()])
def read_dggs_conformance() -> Conformance:
    """Return the conformance classes that are served."""
    return Conformance(conformsTo=list(CONFORMANCE))


@router.get(
    "/dggs", summary="Reference systems", response_model_exclude_none=True, dependencies=[open_to_all()]
)
def list_dggs() -> SystemList:
    """Return the reference systems."""
    return systems_under(BASE)


@router.get(
    "/dggs/{system}",
    summary="A reference system",
    response_model_exclude_none=True,
    dependencies=[open_to_all()],
)
def read_dggs(system: SystemPath) -> SystemOut:
    """Return what a reference system is, and where its zones are."""
    return system_out(system_of(system), BASE)


@router.get("/dggs/{system}/definition", summary="How a system is defined", dependencies=[open_to_all()])
def read_dggs_definition(system: SystemPath) -> DefinitionOut:
    """Return the hierarchy of a system, its identifiers of zones and the order of sub-zones (annex B)."""
    return definition_of(system_of(system).id)


@router.get(
    "/collections",
    summary="Datasets as collections",
    response_model_exclude_none=True,
    dependencies=[filtered("dataset.list")],
)
def list_dggs_collections(city: CityOf, asker: AskerOf, language: LanguageOf) -> CollectionList:
    """Return the datasets with a place that the reader may read or count."""
    shown = [one for one in city.lake.datasets(asker) if _is_collection(one)]
    return CollectionList(
        collections=[*(_collection(one, language) for one in shown), sensed_collection(language)],
        links=[link_to(f"{BASE}/collections", "self")],
    )


@router.get(
    "/collections/{dataset}",
    summary="A dataset as a collection",
    response_model_exclude_none=True,
    responses=problems.responses(403, 409),
    dependencies=[allowed(COUNTING, of_dataset)],
)
def read_dggs_collection(
    city: CityOf, asker: AskerOf, language: LanguageOf, dataset: DatasetPath
) -> CollectionOut:
    """Return what a collection is and where it lies."""
    return _collection(city.lake.dataset(asker, dataset), language)


@router.get(
    "/collections/{dataset}/dggs",
    summary="Reference systems of a dataset",
    response_model_exclude_none=True,
    responses=problems.responses(403),
    dependencies=[allowed(COUNTING, of_dataset)],
)
def list_dggs_of_collection(dataset: DatasetPath) -> SystemList:
    """Return the reference systems by which a dataset can be asked."""
    return systems_under(f"{BASE}/collections/{dataset}")


@router.get(
    "/collections/{dataset}/dggs/{system}",
    summary="A reference system of a dataset",
    response_model_exclude_none=True,
    responses=problems.responses(403),
    dependencies=[allowed(COUNTING, of_dataset)],
)
def read_dggs_of_collection(
    city: CityOf, asker: AskerOf, dataset: DatasetPath, system: SystemPath
) -> SystemOut:
    """Return a reference system with the finest level of which the reader may be told."""
    found = system_of(system)
    return system_out(found, f"{BASE}/collections/{dataset}", finest_of(city.lake, asker, dataset, found))


# --- zones ---


@router.get(
    "/dggs/{system}/zones",
    summary="Zones of a box or within a zone",
    responses=LIST,
    dependencies=[allowed("city.read", CITY)],
)
async def list_dggs_zones(
    request: Request,
    system: SystemPath,
    bbox: BoxText = None,
    bbox_crs: CrsText = None,
    subset: SubsetTexts = None,
    subset_crs: SubsetCrsText = None,
    level: LevelOf = None,
    parent: ParentOf = None,
    compact: CompactOf = True,
    limit: LimitOf = 1000,
    offset: OffsetOf = 0,
    f: ListFormOf = None,
) -> Response:
    """Return the zones, whether there is anything in them or not."""
    found = system_of(system)
    box, _ = box_and_time(bbox, bbox_crs, subset, subset_crs, None, timed=False)
    upper = None if parent is None else found.read(parent)
    at = level_asked(found, level, upper, box)
    form = form_of(request, f, dict(dggs_asking.LISTS))

    def work() -> Response:
        if upper is not None and box is None and compact:
            _ = in_parent(found, upper, upper.level, [upper.id]) if at >= upper.level else _coarser(upper, at)
            ids = [upper.id]
        else:
            if upper is None:
                ids = found.touching(box or (-180.0, -90.0, 180.0, 90.0), at)
            else:
                ids = found.sub_zones(upper, at - upper.level if at >= upper.level else _coarser(upper, at))
                if box is not None:
                    ids = [one for one in ids if share_area(found.read(one).bounds, box)]
            ids = found.compact(ids, at) if compact else ids
        return zone_list(request, found, ids, limit, offset, form)

    return await stopping.run(request, work)


@router.get(
    "/collections/{dataset}/dggs/{system}/zones",
    summary="Zones that hold facts of a dataset",
    responses=LIST | problems.responses(403, 409),
    dependencies=[allowed(COUNTING, of_dataset)],
)
async def list_dggs_zones_of_collection(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    system: SystemPath,
    bbox: BoxText = None,
    bbox_crs: CrsText = None,
    subset: SubsetTexts = None,
    subset_crs: SubsetCrsText = None,
    time: TimeText = None,
    level: LevelOf = None,
    parent: ParentOf = None,
    compact: CompactOf = True,
    limit: LimitOf = 1000,
    offset: OffsetOf = 0,
    f: ListFormOf = None,
) -> Response:
    """Return the zones with facts; to who may only count, those of which a number may be told."""
    found = system_of(system)
    seen_of(city, asker, dataset)
    box, time = box_and_time(bbox, bbox_crs, subset, subset_crs, time, timed=True)
    period = interval_of(time, city.about.zone)
    upper = None if parent is None else found.read(parent)
    form = form_of(request, f, dict(dggs_asking.LISTS))

    def work() -> Response:
        finest = finest_of(city.lake, asker, dataset, found)
        at = level_asked(found, level, upper, box)
        if level is None and finest is not None:
            at = min(at, finest)
        check_finest(city.lake, asker, dataset, found, at)
        check_not_coarser(upper, at)
        ids = zones_with_facts(city.lake, asker, dataset, found, at, parent=upper, box=box, period=period)
        return zone_list(request, found, found.compact(ids, at) if compact else ids, limit, offset, form)

    return await stopping.run(request, work)


@router.get(
    "/dggs/{system}/zones/{zone}",
    summary="A zone",
    response_model_exclude_none=True,
    dependencies=[open_to_all()],
)
def read_dggs_zone(system: SystemPath, zone: ZonePath) -> ZoneOut:
    """Return where a zone is, its size, and the zones above, below and beside it."""
    found = system_of(system)
    return zone_out(found, found.read(zone), BASE)


@router.get(
    "/collections/{dataset}/dggs/{system}/zones/{zone}",
    summary="A zone with the figures of a dataset",
    response_model_exclude_none=True,
    responses=problems.responses(403, 409),
    dependencies=[allowed(COUNTING, of_dataset)],
)
async def read_dggs_zone_of_collection(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    system: SystemPath,
    zone: ZonePath,
    time: TimeText = None,
) -> ZoneOut:
    """Return a zone with how many facts it holds, the figures of numeric fields, and their time.

    What may not be told to the reader is left out: of zones that are finer than permitted all of it.
    """
    found = system_of(system)
    seen_of(city, asker, dataset)
    read = found.read(zone)
    period = interval_of(time, city.about.zone)
    out = zone_out(found, read, f"{BASE}/collections/{dataset}")

    def work() -> ZoneOut:
        finest = finest_of(city.lake, asker, dataset, found)
        if finest is None or read.level > finest:
            return out
        sums = sums_of(city.lake, asker, dataset, found, read, [read.id], read.level, period=period)
        if sums.told[0]:
            out.count = int(sums.facts[0])
            out.statistics = {
                name: figures
                for name, one in sums.figures.items()
                if (figures := statistics_of(one, 0)) is not None
            }
            if sums.start is not None and sums.end is not None:
                out.temporalInterval = instant_of(sums.start), instant_of(sums.end)
        return out

    return await stopping.run(request, work)


# --- data ---


@router.get(
    "/dggs/{system}/zones/{zone}/data",
    summary="How many facts of each dataset there are in a zone",
    responses=DATA,
    dependencies=[filtered("dataset.count")],
)
async def read_dggs_data(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    system: SystemPath,
    zone: ZonePath,
    depth: DepthText = None,
    properties: PropertiesOf = None,
    without: WithoutOf = None,
    f: DataFormOf = None,
) -> Response:
    """Return the number of facts in each sub-zone, a field for each dataset that may be counted."""
    found = system_of(system)
    read = found.read(zone)
    depths = depths_of(depth, found, read, found.last)
    form = form_of(request, f, dict(dggs_asking.DATA))
    chosen = chosen_by(properties, without)

    def work() -> Response:
        lists = {below: found.sub_zones(read, below) for below in depths}
        fields: dict[str, dict[int, list[float | None]]] = {}
        for dataset in city.lake.datasets(asker):
            finest = finest_of(city.lake, asker, dataset.id, found) if _is_collection(dataset) else None
            if finest is None or read.level + depths[-1] > finest or not chosen(dataset.id):
                continue
            for below, ids in lists.items():
                sums = sums_of(city.lake, asker, dataset.id, found, read, ids, read.level + below, columns=())
                if sums.facts.any():
                    fields.setdefault(dataset.id, {})[below] = _counts(sums)
        return data_out(found, read, lists, fields, form, "zone-region")

    return await stopping.run(request, work)


@router.get(
    "/collections/{dataset}/dggs/{system}/zones/{zone}/data",
    summary="Figures of a dataset in the sub-zones of a zone",
    responses=DATA,
    dependencies=[allowed(COUNTING, of_dataset)],
)
async def read_dggs_data_of_collection(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    system: SystemPath,
    zone: ZonePath,
    depth: DepthText = None,
    time: TimeText = None,
    properties: PropertiesOf = None,
    without: WithoutOf = None,
    geometry: GeometryOf = "zone-region",
    f: DataFormOf = None,
) -> Response:
    """Return for each sub-zone the number of facts, `jw_count`, and the average of each numeric field.

    Values come in the order of sub-zones that the definition of the system tells; null is nothing, or what
    may not be told to the reader.
    """
    found = system_of(system)
    _, version = seen_of(city, asker, dataset)
    read = found.read(zone)
    form = form_of(request, f, dict(dggs_asking.DATA))
    period = interval_of(time, city.about.zone)
    chosen = chosen_by(properties, without)
    named = [name for name in (properties or "").split(",") if name and name != COUNT]

    def work() -> Response:
        finest = check_finest(city.lake, asker, dataset, found, read.level)
        depths = depths_of(depth, found, read, finest)
        check_finest(city.lake, asker, dataset, found, read.level + depths[-1])
        check_columns(city.lake, asker, dataset, named)
        if geometry == "vectorized" and form == "geojson":
            return _facts(city, asker, dataset, version.number, read, period)
        lists = {below: found.sub_zones(read, below) for below in depths}
        fields: dict[str, dict[int, list[float | None]]] = {}
        some = False
        for below, ids in lists.items():
            sums = sums_of(
                city.lake,
                asker,
                dataset,
                found,
                read,
                ids,
                read.level + below,
                period=period,
                columns=named if properties is not None else None,
            )
            some = some or bool(sums.facts.any())
            if chosen(COUNT):
                fields.setdefault(COUNT, {})[below] = _counts(sums)
            for name, one in sums.figures.items():
                if chosen(name):
                    fields.setdefault(name, {})[below] = numbers_out(one.mean)
        return data_out(found, read, lists, fields if some else {}, form, geometry)

    return await stopping.run(request, work)


# --- how it is said ---


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


def _is_collection(dataset: Dataset) -> bool:
    view = dataset.view
    return (
        isinstance(view, View)
        and bool(view.rights & {"read", "count"})
        and dataset.version is not None
        and bool(dataset.version.content.places)
    )


def _collection(dataset: Dataset, language: Any) -> CollectionOut:
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


def box_and_time(
    bbox: str | None,
    bbox_crs: str | None,
    subset: list[str] | None,
    subset_crs: str | None,
    time: str | None,
    *,
    timed: bool,
) -> tuple[Bounds | None, str | None]:
    """Return the box and the time of a question, each named once."""
    dggs_asking.check_crs(bbox_crs if bbox is not None else None, subset_crs if subset else None)
    box = None if bbox is None else wide_box_of(bbox)
    inner, when = dggs_asking.subset_of(subset, timed=timed)
    if (box is not None and inner is not None) or (time is not None and when is not None):
        raise BadBoxError(
            Text(
                "bbox、datetime 不能与同一轴的 subset 同时使用",
                "An axis is named twice, by bbox or datetime and by subset",
            ),
            where={"subset": subset},
        )
    return box or inner, time or when


def level_asked(system: System, level: int | None, parent: Zone | None, box: Bounds | None) -> int:
    """Return the level that is asked for, else that below the parent, else of some dozens of zones."""
    if level is not None:
        return check_level(level, system.first, system.last)
    if parent is not None:
        return min(parent.level + 1, system.last)
    if box is None:
        return max(system.first, 1)
    west, south, east, north = box
    middle = ((west + (east - west) % 360 / 2 + 180) % 360 - 180, (south + north) / 2)
    side = max((east - west) % 360 or 360, north - south)
    at = system.first
    for finer in range(system.first, system.last + 1):
        try:
            zone = system.read(_text_at(system, middle, finer))
        except ValueError:
            break
        if zone.bounds[3] - zone.bounds[1] < side / 16:
            break
        at = finer
    return at


def _text_at(system: System, place: tuple[float, float], level: int) -> str:
    return str(Cell.at(*place, level) if system.id == "geosot" else BeidouCell.at(*place, level))


def check_not_coarser(parent: Zone | None, level: int) -> None:
    """Refuse a level that is coarser than the zone in which zones are asked for."""
    if parent is not None and level < parent.level:
        _coarser(parent, level)


def _coarser(parent: Zone, level: int) -> int:
    raise LevelError(f"level {level} is coarser than level {parent.level} of the zone {parent.id}")


def zone_list(
    request: Request, system: System, ids: list[str], limit: int, offset: int, form: str
) -> Response:
    """Return a page of zones."""
    limit = min(limit, MAX_PAGE)
    page = ids[offset : offset + limit]
    if form == "uint64":
        numbers = system.integers(page)
        if numbers is None:
            raise dggs_asking.NotOfferedError(
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


def _counts(sums: Sums) -> list[float | None]:
    return [int(n) if told else None for n, told in zip(sums.facts, sums.told, strict=True)]


def numbers_out(values: Any) -> list[float | None]:
    """Return numbers with null for what is none."""
    return [None if isnan(value) else value for value in values.tolist()]


def chosen_by(properties: str | None, without: str | None) -> Callable[[str], bool]:
    """Return what says whether a field is asked for."""
    wanted = None if properties is None else {name.strip() for name in properties.split(",")}
    unwanted = {name.strip() for name in (without or "").split(",")}
    return lambda name: (wanted is None or name in wanted) and name not in unwanted


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


def _region_of(zone: Zone) -> Region | None:
    """Return a zone as a region that also knows what lies around it and what crosses it."""
    if zone.level == 0:
        return None
    if isinstance(zone.cell, Cell):
        return region_of_cell(zone.cell)
    if zone.level in TWIN_LEVEL:
        return region_of_cell(Cell(zone.cell.code, TWIN_LEVEL[zone.level]))
    return region_of_bounds(*zone.bounds)


def _facts(
    city: City, asker: Asker, dataset: str, version: int, zone: Zone, period: tuple[int, int] | None
) -> Response:
    """Return the facts themselves, of who may read them."""
    city.lake.check(asker, "read", dataset)
    rows = city.lake.query(
        asker,
        dataset,
        version=version,
        region=_region_of(zone),
        period=period,
        limit=MAX_FEATURES,
    )
    if rows.after is not None:
        raise BadRequestError(
            Text(f"网格内的记录多于 {MAX_FEATURES} 条", f"The zone holds more than {MAX_FEATURES} facts"),
            mend=Text("请用更细的网格。", "Take a finer zone."),
            where={"zone": zone.id, "most": MAX_FEATURES},
        )
    if not rows.table.num_rows:
        return Response(status_code=204)
    body = {"type": "FeatureCollection", "features": list(features_of(rows.version, rows.table))}
    return Response(json.dumps(body, ensure_ascii=False), media_type=answers.GEOJSON)
