"""OGC API - DGGS 1.0 (OGC 21-038r1): the city by the zones of GeoSOT and of the BeiDou grid."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from jingwei.errors import BadRequestError
from jingwei.grid import Cell
from jingwei.grid.beidou import TWIN_LEVEL
from jingwei.lake import Region, region_of_bounds, region_of_cell
from jingwei.web import answers, dggs_asking, problems, stopping
from jingwei.web.answers import instant_of
from jingwei.web.dggs_answers import (
    DATA,
    LIST,
    collection_out,
    counts_out,
    data_out,
    is_collection,
    link_to,
    numbers_out,
    sensed_collection,
    statistics_of,
    system_out,
    systems_under,
    zone_out,
)
from jingwei.web.dggs_asking import (
    DataFormOf,
    DepthText,
    GeometryOf,
    PropertiesOf,
    SystemPath,
    TimeText,
    WithoutOf,
    ZonePath,
    check_not_coarser,
    chosen_by,
    coarser,
    depths_of,
    form_of,
    interval_of,
)
from jingwei.web.dggs_out import (
    BASE,
    CONFORMANCE,
    COUNT,
    CollectionList,
    CollectionOut,
    Conformance,
    DefinitionOut,
    Landing,
    SystemList,
    SystemOut,
    ZoneOut,
    definition_of,
)
from jingwei.web.policies import CITY, allowed, filtered, open_to_all
from jingwei.web.reader import AskerOf, LanguageOf
from jingwei.web.records_out import features_of
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
from jingwei.web.zones import Zone, in_parent, share_area, system_of
from jingwei.web.zones_asked import ZonesAskedOf
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.city import City

router = APIRouter(prefix="/dggs-api", tags=["dggs"], responses=problems.responses(400, 404))

MAX_FEATURES = 10_000
COUNTING = ("dataset.read", "dataset.count")


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
    shown = [one for one in city.lake.datasets(asker) if is_collection(one)]
    return CollectionList(
        collections=[*(collection_out(one, language) for one in shown), sensed_collection(language)],
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
    return collection_out(city.lake.dataset(asker, dataset), language)


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
    "/dggs/{system}/zones",  # noqa: FAST003 -- read by ZonesAsked
    summary="Zones of a box or within a zone",
    responses=LIST,
    dependencies=[allowed("city.read", CITY)],
)
async def list_dggs_zones(request: Request, asked: ZonesAskedOf) -> Response:
    """Return the zones, whether there is anything in them or not."""
    found, upper = asked.system, asked.parent
    box, _ = asked.where(None, timed=False)
    at = asked.level(box)

    def work() -> Response:
        if upper is not None and box is None and asked.compact:
            _ = in_parent(found, upper, upper.level, [upper.id]) if at >= upper.level else coarser(upper, at)
            ids = [upper.id]
        else:
            if upper is None:
                ids = found.touching(box or (-180.0, -90.0, 180.0, 90.0), at)
            else:
                ids = found.sub_zones(upper, at - upper.level if at >= upper.level else coarser(upper, at))
                if box is not None:
                    ids = [one for one in ids if share_area(found.read(one).bounds, box)]
            ids = asked.compacted(ids, at)
        return asked.page(ids)

    return await stopping.run(request, work)


@router.get(
    "/collections/{dataset}/dggs/{system}/zones",  # noqa: FAST003 -- read by ZonesAsked
    summary="Zones that hold facts of a dataset",
    responses=LIST | problems.responses(403, 409),
    dependencies=[allowed(COUNTING, of_dataset)],
)
async def list_dggs_zones_of_collection(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    asked: ZonesAskedOf,
    time: TimeText = None,
) -> Response:
    """Return the zones with facts; to who may only count, those of which a number may be told."""
    found, upper = asked.system, asked.parent
    seen_of(city, asker, dataset)
    box, time = asked.where(time, timed=True)
    period = interval_of(time, city.about.zone)

    def work() -> Response:
        at = asked.level(box, finest_of(city.lake, asker, dataset, found))
        check_finest(city.lake, asker, dataset, found, at)
        check_not_coarser(upper, at)
        ids = zones_with_facts(city.lake, asker, dataset, found, at, parent=upper, box=box, period=period)
        return asked.page(asked.compacted(ids, at))

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
            finest = finest_of(city.lake, asker, dataset.id, found) if is_collection(dataset) else None
            if finest is None or read.level + depths[-1] > finest or not chosen(dataset.id):
                continue
            for below, ids in lists.items():
                sums = sums_of(city.lake, asker, dataset.id, found, read, ids, read.level + below, columns=())
                if sums.facts.any():
                    fields.setdefault(dataset.id, {})[below] = counts_out(sums)
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
                fields.setdefault(COUNT, {})[below] = counts_out(sums)
            for name, one in sums.figures.items():
                if chosen(name):
                    fields.setdefault(name, {})[below] = numbers_out(one.mean)
        return data_out(found, read, lists, fields if some else {}, form, geometry)

    return await stopping.run(request, work)


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
