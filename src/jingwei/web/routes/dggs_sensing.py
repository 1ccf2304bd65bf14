"""What sensors tell as a collection of OGC API - DGGS: statistics of zones from the roll-ups of readings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense import policy
from jingwei.sense.rollups import Aggregates
from jingwei.sense.rollups.asking import within
from jingwei.sense.series import micros_of
from jingwei.web import dggs_asking, problems, stopping
from jingwei.web.answers import instant_of
from jingwei.web.dggs_answers import (
    DATA,
    LIST,
    SENSED,
    data_out,
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
    PropertiesOf,
    SystemPath,
    TimeText,
    WithoutOf,
    ZonePath,
    check_not_coarser,
    chosen_by,
    depths_of,
    form_of,
    interval_of,
)
from jingwei.web.dggs_out import BASE, COUNT, CollectionOut, SystemList, SystemOut, ZoneOut
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf, LanguageOf, asker_of
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.sta import sensing_of
from jingwei.web.zone_facts import FinerThanPermittedError
from jingwei.web.zones import share_area, system_of
from jingwei.web.zones_asked import ZonesAskedOf

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.access import Asker
    from jingwei.web.zones import Bounds, System, Zone

ShapeOf = Annotated[
    Literal["zone-region", "zone-centroid"],
    Query(alias="geometry", description="Of GeoJSON: zones as areas or as points"),
]
HERE = f"{BASE}/collections/{SENSED}"
WHOLE = np.array([[0, (1 << 64) - 1]], np.uint64)

router = APIRouter(
    prefix=f"/dggs-api/collections/{SENSED}",
    tags=["dggs"],
    responses=problems.responses(400, 404),
    dependencies=[filtered(policy.READ), Depends(asker_of)],
)


@router.get("", summary="What sensors tell as a collection", response_model_exclude_none=True)
def read_sensed_collection(language: LanguageOf) -> CollectionOut:
    """Return what the collection is and where it lies."""
    return sensed_collection(language)


@router.get("/dggs", summary="Reference systems of what sensors tell", response_model_exclude_none=True)
def list_dggs_of_sensed() -> SystemList:
    """Return the reference systems by which it can be asked what sensors tell."""
    return systems_under(HERE)


@router.get(
    "/dggs/{system}",
    summary="A reference system of what sensors tell",
    response_model_exclude_none=True,
)
def read_dggs_of_sensed(system: SystemPath) -> SystemOut:
    """Return a reference system and where its zones are."""
    return system_out(system_of(system), HERE)


@router.get(
    "/dggs/{system}/zones",  # noqa: FAST003 -- read by ZonesAsked
    summary="Zones of which sensors tell something",
    responses=LIST,
)
async def list_dggs_zones_of_sensed(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    asked: ZonesAskedOf,
    time: TimeText = None,
) -> Response:
    """Return the zones with readings of which the reader may be told."""
    found, upper = asked.system, asked.parent
    box, time = asked.where(time, timed=True)
    period = interval_of(time, city.about.zone)

    def work() -> Response:
        aggregates = aggregates_of(request, asker)
        at = asked.level(box, _finest(found, aggregates.finest))
        _check_finest(found, aggregates, at)
        check_not_coarser(upper, at)
        ids = _told_zones(aggregates, found, at, upper, box, period)
        return asked.page(asked.compacted(ids, at))

    return await stopping.run(request, work)


@router.get(
    "/dggs/{system}/zones/{zone}",
    summary="A zone with the figures of what sensors tell",
    response_model_exclude_none=True,
)
async def read_dggs_zone_of_sensed(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    system: SystemPath,
    zone: ZonePath,
    time: TimeText = None,
) -> ZoneOut:
    """Return a zone with the figures of each observed property in each unit, and over which time they are.

    They are of the readings of those streams that the reader may read, and of whose places the reader may be
    told as finely as the zone is, and of those of which the reader may be told what they say together, if
    they are enough; else the field is `withheld`. A period is taken in whole hours.
    """
    found = system_of(system)
    read = found.read(zone)
    period = interval_of(time, city.about.zone)
    out = zone_out(found, read, HERE)

    def work() -> ZoneOut:
        aggregates = aggregates_of(request, asker)
        ranges, level = _ranges(found, read), found.counted_at(read.level) if read.level else 0
        times: list[tuple[int, int]] = []
        withheld: list[str] = []
        out.statistics, out.count = {}, 0
        for quantity in aggregates.quantities:
            told = aggregates.of_ranges(quantity, level, ranges, period)
            figures = statistics_of(told.figures, 0)
            if told.withheld[0]:
                withheld.append(quantity.field)
            elif figures is not None:
                out.statistics[quantity.field] = figures
                out.count += figures.count
                times.append(told.covered)
        out.withheld = withheld or None
        if times:
            out.temporalInterval = (
                instant_of(min(start for start, _ in times)),
                instant_of(max(end for _, end in times)),
            )
        return out

    return await stopping.run(request, work)


@router.get(
    "/dggs/{system}/zones/{zone}/data",
    summary="What sensors tell in the sub-zones of a zone",
    responses=DATA,
)
async def read_dggs_data_of_sensed(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    system: SystemPath,
    zone: ZonePath,
    depth: DepthText = None,
    time: TimeText = None,
    properties: PropertiesOf = None,
    without: WithoutOf = None,
    geometry: ShapeOf = "zone-region",
    f: DataFormOf = None,
) -> Response:
    """Return for each sub-zone the number of readings, `jw_count`, and the average of each property and unit.

    The schema of the answer says what the fields are.
    """
    found = system_of(system)
    read = found.read(zone)
    form = form_of(request, f, dict(dggs_asking.DATA))
    period = interval_of(time, city.about.zone)
    depths = depths_of(depth, found, read, found.last)
    chosen = chosen_by(properties, without)

    def work() -> Response:
        aggregates = aggregates_of(request, asker)
        _check_finest(found, aggregates, read.level + depths[-1])
        lists = {below: found.sub_zones(read, below) for below in depths}
        counts = {below: np.zeros(len(ids), np.int64) for below, ids in lists.items()}
        fields: dict[str, dict[int, list[float | None]]] = {}
        for quantity in aggregates.quantities:
            for below, ids in lists.items():
                level = found.counted_at(read.level + below)
                groups_of = _grouping(found, ids, read.level + below)
                figures = aggregates.of_groups(quantity, level, groups_of, len(ids), period).figures
                counts[below] += figures.n
                if chosen(quantity.field) and figures.n.any():
                    fields.setdefault(quantity.field, {})[below] = numbers_out(figures.mean)
        some = any(one.any() for one in counts.values())
        if some and chosen(COUNT):
            numbers: dict[int, list[float | None]] = {below: [*one.tolist()] for below, one in counts.items()}
            fields = {COUNT: numbers} | fields
        titles = {one.field: f"{one.name} ({one.unit})" for one in aggregates.quantities} | {COUNT: COUNT}
        return data_out(found, read, lists, fields if some else {}, form, geometry, titles)

    return await stopping.run(request, work)


def aggregates_of(request: Request, asker: Asker) -> Aggregates:
    """Return what the roll-ups say to the asker of a request."""
    state, sensing = request.app.state, sensing_of(request)
    now = micros_of(state.city.clock.now())
    return Aggregates(sensing, state.rollups(), asker, now=now, scope=state.scopes.of(sensing, asker))


def _check_finest(system: System, aggregates: Aggregates, level: int) -> None:
    if system.counted_at(level) > aggregates.finest:
        raise FinerThanPermittedError(SENSED, level, _finest(system, aggregates.finest))


def _told_zones(
    aggregates: Aggregates,
    system: System,
    level: int,
    parent: Zone | None,
    box: Bounds | None,
    period: tuple[int, int] | None,
) -> list[str]:
    """Return the zones of a level with readings of which the asker may be told, in order of code."""
    at = system.counted_at(level)
    ranges = WHOLE if parent is None else _ranges(system, parent)
    found: dict[str, int] = {}
    for quantity in aggregates.quantities:
        cells = aggregates.cells(quantity)
        cells = cells[within(cells, ranges)]
        codes = np.unique(np.asarray(grid.parent(cells, MAX_LEVEL, at), np.uint64)) if len(cells) else cells
        texts = dict(zip(system.ids_of(codes, level), codes.tolist(), strict=True))
        ids = [one for one in texts if box is None or share_area(system.read(one).bounds, box)]
        told = aggregates.of_groups(quantity, at, _grouping(system, ids, level), len(ids), period)
        found |= {one: texts[one] for one, n in zip(ids, told.figures.n, strict=True) if n}
    return sorted(found, key=lambda one: found[one])


def _ranges(system: System, zone: Zone) -> NDArray[np.uint64]:
    """Return the first and last codes of level 32 of the parts of a zone."""
    region = system.region(zone)
    if region is None:
        return WHOLE
    codes = np.asarray(grid.from_stored(region.ranges.ravel()), np.uint64).reshape(-1, 2)
    return codes[np.argsort(codes[:, 0])]


def _finest(system: System, finest: int) -> int | None:
    levels = [one for one in range(system.first, system.last + 1) if system.counted_at(one) <= finest]
    return max(levels, default=None)


def _grouping(system: System, ids: list[str], level: int) -> Any:
    """Return what says in which of some zones of a level cells lie."""
    place = {one: number for number, one in enumerate(ids)}

    def groups_of(codes: NDArray[np.uint64]) -> NDArray[np.int64]:
        texts = system.ids_of(codes, level)
        return np.array([place.get(one, -1) for one in texts], np.int64)

    return groups_of
