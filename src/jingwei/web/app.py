"""The whole application, read from top to bottom."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from jingwei import __version__, grid
from jingwei.cases import Desk
from jingwei.cases.board import Board
from jingwei.cases.hotline.counting import CallBoard
from jingwei.cases.hotline.knowledge import Library
from jingwei.cases.hotline.switchboard import Switchboard
from jingwei.cases.photos import FOLDER, MOST_BYTES, Photos
from jingwei.city import City
from jingwei.city.channels import channels_of
from jingwei.city.geocoding import Geocoder
from jingwei.city.settings import read_settings
from jingwei.exchange.targets import Targets
from jingwei.sense.health import Health
from jingwei.sense.intake import facts_of
from jingwei.sense.readings.flushing import DATASET as READINGS
from jingwei.sense.readings.opening import open_readings
from jingwei.sense.rollups import rollups_when_asked
from jingwei.sense.rows import StreamRows
from jingwei.sense.rules.grounds import Grounds
from jingwei.sense.rules.networks import Networks
from jingwei.sense.series import micros_of
from jingwei.sense.service import Sensing
from jingwei.sense.taking import Taking
from jingwei.web import answers, limits, origins, pages, problems
from jingwei.web.blocks import Blocks
from jingwei.web.ending import Ending
from jingwei.web.feed import Feed
from jingwei.web.gate import Entry, Gate
from jingwei.web.jobs import Jobs
from jingwei.web.live import Live
from jingwei.web.proof import Stamps
from jingwei.web.quotas import Quotas
from jingwei.web.routes import (
    account,
    case_bars,
    case_desk,
    case_field,
    case_figures,
    case_forwards,
    case_ground,
    case_photos,
    case_regime,
    case_words,
    cases,
    cells,
    city_clock,
    codes,
    contracts,
    corrections,
    datasets,
    devices,
    dggs,
    dggs_sensing,
    events,
    features,
    geocoding,
    hotline,
    hotline_around,
    hotline_articles,
    hotline_figures,
    intake,
    loading,
    log,
    matching,
    objects,
    people,
    policies,
    public_accounts,
    public_alerts,
    public_areas,
    public_cases,
    public_data,
    public_map,
    public_open311,
    public_reports,
    search,
    sense,
    sense_alarms,
    sense_faults,
    sense_health,
    sense_rules,
    session,
    sta,
    sta_dggs,
    webhooks,
)
from jingwei.web.routes import city as city_routes
from jingwei.web.scopes import Scopes
from jingwei.web.senders import Senders
from jingwei.web.sense_door import SenseDoor
from jingwei.web.tiles import Tiles

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

TAGS = [
    {"name": "session", "description": "Signing in and out"},
    {"name": "account", "description": "One's own account: password, second factor, sign-ins, tokens"},
    {"name": "people", "description": "People, departments and roles"},
    {"name": "city", "description": "What the city is"},
    {"name": "datasets", "description": "What there is, how good it is, where it came from"},
    {"name": "contracts", "description": "What datasets are agreed to hold, and what checks found"},
    {"name": "matching", "description": "Records of the same person or enterprise in several datasets"},
    {"name": "corrections", "description": "What departments are asked to correct, and what they answer"},
    {"name": "features", "description": "Facts by region and time"},
    {"name": "cells", "description": "Everything in a cell, of all datasets"},
    {"name": "dggs", "description": "OGC API - DGGS 1.0: the city by the zones of GeoSOT and BeiDou"},
    {"name": "loading", "description": "Finishing what was held back"},
    {"name": "intake", "description": "Files handed in one by one"},
    {"name": "search", "description": "Places by code, coordinates or name"},
    {"name": "objects", "description": "Objects by their identifiers: what became of them, labels"},
    {
        "name": "cases",
        "description": "Grid city management: cases from report to closure, and figures of them",
    },
    {"name": "hotline", "description": "12345: calls, articles, rates, what callers speak of"},
    {"name": "public", "description": "Without an account: reporting, following, what the public is told"},
    {"name": "open311", "description": "Open311 GeoReport v2: service requests of other systems and apps"},
    {
        "name": "sense",
        "description": "Devices and readings: the map, time series, live values; see SensorThings",
    },
    {"name": "events", "description": "Events as they happen"},
    {"name": "webhooks", "description": "Events told to other systems by themselves: CloudEvents, signed"},
    {"name": "policies", "description": "The policies: versions, drafts, and who may see what"},
    {"name": "log", "description": "The log: events, receipts, and the tree that proves them"},
    {"name": "codes", "description": "BeiDou and GeoSOT grid codes: convert, explain, draw"},
]


CITY_ROUTES = (
    features.router,  # first: a map asks for them hundreds of times a minute
    public_reports.router,  # then: in a storm there are a hundred reports a second
    session.router,
    account.router,
    people.router,
    policies.router,
    city_routes.router,
    city_clock.router,
    datasets.router,
    contracts.router,
    corrections.router,
    matching.router,
    cells.router,
    dggs_sensing.router,  # before what takes any name for a dataset
    dggs.router,
    search.router,
    geocoding.router,
    loading.router,
    intake.router,
    objects.issuing,
    objects.router,
    case_regime.router,
    case_words.router,
    case_ground.router,
    case_figures.router,
    case_desk.router,
    case_photos.router,
    case_field.router,
    hotline.router,
    hotline_around.router,
    hotline_articles.router,
    hotline_figures.router,
    case_bars.router,  # before what takes any number for a case
    case_forwards.router,  # before what takes any number for a case
    public_open311.managing,
    cases.router,
    public_areas.router,  # before what takes any number for a case
    public_alerts.router,
    public_accounts.router,
    public_map.router,
    public_data.router,
    public_cases.router,
    public_open311.router,
    devices.router,
    sense.router,
    sense_health.router,
    sense_rules.router,
    sense_alarms.router,
    sense_faults.router,
    events.router,
    log.router,
    webhooks.router,
)
"""The routes of an open city; each declares its action, see `jingwei.web.policies`."""

_PHOTOS = {case_photos.UPLOADS: MOST_BYTES, public_reports.UPLOADS: MOST_BYTES}
STANDARD_ROUTES = (sta.router, sta_dggs.router)
"""The routes whose addresses a standard gives: they stand beside `/api`, and declare their actions too."""

WARM_UP_AFTER = 1.0
"""Seconds after start at which the grid's compiled loops are loaded: the first page goes first."""


def create_app(
    city: City | None = None,
    *,
    entry: Entry | None = None,
    pages_root: Path = pages.STATIC,
    hosts: frozenset[str] | None = None,
) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    city
        The open city to serve; without one only what needs no city answers.
    entry
        How people come in; by signing in unless it says otherwise.
    pages_root
        The folder of the built pages.
    hosts
        The names under which the city is asked, where only those are to be answered.

    """
    app = FastAPI(
        routes=_routes_of_city() if city is not None else _routes_without_city(),
        title="Jingwei",
        version=__version__,
        summary="The city on one map, and the API behind it",
        openapi_url="/api/openapi.json",
        openapi_tags=TAGS,
        docs_url=None,  # FastAPI's page fetches its script from another host
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    problems.install(app)
    app.add_middleware(
        GZipMiddleware,
        minimum_size=answers.LEAST,
        compresslevel=answers.LEVEL,
        # Millions of points take longer to compress than to send; what is small is compressed once and kept.
        exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, answers.ARROW),
    )
    if city is not None:
        app.add_middleware(SenseDoor, served=app.state)
    files = case_ground.UPLOADS | intake.UPLOADS | corrections.UPLOADS
    sensed = sta.UPLOADS | devices.UPLOADS
    app.add_middleware(limits.BodyLimit, uploads=_PHOTOS | files | sensed)
    app.add_middleware(origins.SameOrigin, hosts=hosts)
    secure = entry is not None and entry.secure
    if secure:
        app.add_middleware(origins.SecureOnly)
    app.add_middleware(limits.SafeHeaders, secure=secure)

    if city is not None:
        _serve_city(app, city, entry or Entry(), hosts)
    app.include_router(pages.router(pages_root, lambda: _map_hosts(city)))
    _add_problem_schema(app)
    return app


@cache
def _routes_of_city() -> list[BaseRoute]:
    """Return the routes of an open city, put together once: to work out what they take takes seconds."""
    together = _routes()
    for router in (codes.router, *CITY_ROUTES):
        together.include_router(router, prefix="/api")
    for router in STANDARD_ROUTES:
        together.include_router(router)
    return together.routes


@cache
def _routes_without_city() -> list[BaseRoute]:
    together = _routes()
    together.include_router(codes.router, prefix="/api")
    return together.routes


def _routes() -> APIRouter:
    return APIRouter(responses=problems.responses(422), generate_unique_id_function=lambda route: route.name)


def _serve_city(app: FastAPI, city: City, entry: Entry, hosts: frozenset[str] | None) -> None:
    app.state.city = city
    app.state.hosts = hosts
    app.state.gate = Gate(city, entry)
    app.state.tiles = Tiles(city.lake)
    app.state.geocoder = Geocoder(city)
    app.state.blocks = Blocks(city.lake, city.about.bounds)
    app.state.jobs = Jobs()
    app.state.ending = Ending()
    app.state.policies = city.policies
    app.state.feed = Feed(city.records)
    app.state.followers = 0
    app.state.desk = Desk(city.policies.current)
    app.state.switchboard = Switchboard(app.state.desk, app.state.gate.vault)
    app.state.library = Library()
    app.state.board = Board(city.records, app.state.desk)
    settings = read_settings(city.home)
    channels = channels_of(settings.notices, city.home)
    app.state.targets = Targets(settings.webhooks.private)
    app.state.calls = CallBoard(city.records, app.state.desk)
    app.state.channels, app.state.mail = sorted(channels), channels.get("email")
    app.state.stamps = Stamps(app.state.gate.vault.digest("stamps of public reports"))
    app.state.photos = Photos(city.home / FOLDER)
    app.state.readings = open_readings(
        city, facts_of(city.records), latest=lambda: micros_of(city.clock.latest())
    )
    app.state.rollups = rollups_when_asked(city, app.state.readings)
    app.state.live = Live(app.state.readings)
    app.state.health = Health(app.state.readings, lambda: sense_health.taken_by_mqtt(app))
    app.state.quotas = Quotas(entry.readings_per_minute)
    city.lake.views.rules[READINGS] = StreamRows(city.records)
    app.state.taking = Taking(city.records, app.state.readings)
    app.state.senders = Senders(app.state.gate, city.policies, app.state.taking)
    app.state.scopes = Scopes(city.records)
    grounds = Grounds(city.lake, lambda: city.about.zone)
    app.state.sensing = Sensing(
        city.records, city.policies.current, app.state.readings, Networks(city.lake), grounds
    )
    for close in (app.state.board.close, app.state.calls.close, app.state.live.end, app.state.health.end):
        city.on_close(close)
    warm_up = threading.Timer(WARM_UP_AFTER, _warm_up)
    warm_up.daemon = True
    warm_up.start()


def _map_hosts(city: City | None) -> list[str]:
    """Return the hosts of the city's own map services, as its last load found them."""
    return [host for service in city.about.map_services for host in service.hosts] if city else []


def _warm_up() -> None:
    """Load the compiled loops of the grid, which takes seconds, while the first page is on its way."""
    grid.bounds(np.array([grid.encode(114.0, 22.5, 16)], np.uint64), 16)


def _add_problem_schema(app: FastAPI) -> None:
    """Put the schema of problems, which routes only refer to, into the OpenAPI document."""
    written = app.openapi

    def with_problem() -> dict[str, Any]:
        document = written()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(problem.pop("$defs", {}))
        schemas["Problem"] = problem
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        return document

    app.openapi = with_problem  # type: ignore[method-assign]
