"""A real browser, Debian's Chromium, in front of a real server of the square city."""

from __future__ import annotations

import re
import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from jingwei.ledger.sealer import Sealer
from jingwei.web import OPEN, Entry, create_app, listen, pages
from jingwei.web.server import Server
from square import open_square

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from playwright.sync_api import Browser, BrowserContext, Page, Request

    from jingwei.city import City

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "frontend/node_modules/axe-core/axe.min.js"
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",  # a page without a map costs half where only maps are drawn by WebGL
    "--disable-background-networking",
]
PHONE, DESK, WALL = (390, 844), (1440, 900), (2560, 1440)
PATIENCE = 60_000
"""Milliseconds: software rendering on a busy machine is slow."""
STREAMS = re.compile(r"/api/(events|sense/live)(\?|$)")
"""Requests that a page leaves open as long as it is."""
QUIET, STEP = 300, 50
"""Milliseconds without a request after which a page has asked all it wants to; and between two looks."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a browser test once more before it fails: a machine at its limit may starve the browser alone.

    The summary names every test that needed it.
    """
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.flaky(reruns=1))


@contextmanager
def served(city: City, entry: Entry = OPEN) -> Iterator[str]:
    """Serve a city from a thread; give its address."""
    with serving(create_app(city, entry=entry)) as address:
        yield address


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an application from a thread; give its address."""
    if not (pages.STATIC / "index.html").is_file():
        pytest.skip("the pages are not built: make pages")
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=3)
    server = Server(config, app.state)  # streams end with it
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of the square city."""
    folder = tmp_path_factory.mktemp("square")
    with (
        open_square(folder) as city,
        Sealer(city.records, folder / "home" / "log").running(),
        served(city) as address,
    ):
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium with software rendering."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Reader:
    """A person at a browser: opens pages, and notes what should never happen."""

    context: BrowserContext
    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    asked: set[Request] = field(default_factory=set)
    """Requests under way, but for streams, which last."""

    def watch(self) -> None:
        """Keep count of the requests under way."""
        self.page.on("request", lambda one: None if STREAMS.search(one.url) else self.asked.add(one))
        self.page.on("requestfinished", self._is_over)
        self.page.on("requestfailed", self._is_over)

    def _is_over(self, request: Request) -> None:
        self.asked.discard(request)

    def open(self, path: str) -> Page:
        """Open a page and wait until it and its map are drawn."""
        self.page.goto(self.address + path)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until nothing is loading and every map is drawn."""
        self.page.wait_for_load_state("load", timeout=PATIENCE)
        quiet, waited = 0, 0
        while quiet < QUIET and waited < PATIENCE:
            self.page.wait_for_timeout(STEP)
            quiet, waited = 0 if self.asked else quiet + STEP, waited + STEP
        if self.page.query_selector(".map-page"):
            self.page.wait_for_selector(".map-page[data-loaded=true]", timeout=PATIENCE)
        for box in self.page.query_selector_all(".map"):
            if box.is_visible():
                self.page.wait_for_selector(".map[data-drawn=true]", timeout=PATIENCE)

    def faults(self) -> list[str]:
        """Return what axe finds that is serious or worse."""
        self.page.evaluate(AXE.read_text("utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {one['nodes'][0]['target']} {one['nodes'][0]['failureSummary']}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]


@contextmanager
def reading(
    browser: Browser,
    address: str,
    screen: tuple[tuple[int, int], str, str] = (DESK, "zh", "light"),
    others: tuple[str, ...] = (),
    place: tuple[float, float] | None = None,
) -> Iterator[Reader]:
    """Give a reader at a screen, who in the end must have met no error and no host but `others`.

    With a `place` (longitude, latitude) it is a telephone: it is touched, and says where it is.
    """
    (width, height), language, mode = screen
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN" if language == "zh" else "en-GB",
        has_touch=place is not None,
        is_mobile=place is not None,
        reduced_motion="reduce",  # a colour on its way to another is no colour to judge
    )
    if place is not None:
        context.grant_permissions(["geolocation"])
        context.set_geolocation({"longitude": place[0], "latitude": place[1], "accuracy": 8})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.add_init_script(
        f"localStorage.setItem('jingwei.mode', '{mode}'); localStorage.setItem('jingwei.lang', '{language}')"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    reader = Reader(context, page, address)
    reader.watch()
    page.on(
        "console",
        lambda message: (
            reader.complaints.append(f"console: {message.text}") if message.type == "error" else None
        ),
    )
    page.on("pageerror", lambda error: reader.complaints.append(f"error: {error}"))
    page.on(
        "request",
        lambda request: (
            reader.complaints.append(f"other host: {request.url}")
            if re.match("(http|ws)s?://", request.url) and not request.url.startswith((address, *others))
            else None
        ),
    )
    try:
        yield reader
    finally:
        context.close()  # a stream of events that stays open would keep its server from ending
    assert reader.complaints == []


@pytest.fixture
def reader(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """A reader at a screen; parametrize indirectly with (size, language, mode)."""
    with reading(browser, address, getattr(request, "param", (DESK, "zh", "light"))) as reader:
        yield reader
