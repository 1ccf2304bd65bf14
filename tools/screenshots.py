"""Takes the pictures of the documentation from the real pages.

    python tools/screenshots.py HOME OUT

HOME is the folder of an open city, OUT the folder for the pictures.
"""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

import uvicorn
from playwright.sync_api import Page, sync_playwright

from jingwei.city import open_city
from jingwei.web import OPEN, create_app, listen

FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PICTURES = {"map.png": "/", "codes.png": "/codes?q=N50F0503278214"}
SIZE = {"width": 1440, "height": 900}
PATIENCE = 120_000


def main(home: Path, out: Path) -> None:
    """Serve the city at `home` and take its pictures."""
    out.mkdir(parents=True, exist_ok=True)
    with open_city(home) as city:
        listener = listen("127.0.0.1", 0)
        server = uvicorn.Server(uvicorn.Config(create_app(city, entry=OPEN), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            take(f"http://127.0.0.1:{listener.getsockname()[1]}", out)
        finally:
            server.should_exit = True
            thread.join()


def take(address: str, out: Path) -> None:
    """Take every picture from the pages at `address`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        context = browser.new_context(viewport=SIZE, locale="zh-CN", bypass_csp=True)
        context.add_init_script("localStorage.setItem('jingwei.mode', 'light')")
        context.route("**/api/events", lambda route: route.abort())  # it lasts; a picture waits for silence
        page = context.new_page()
        for name, path in PICTURES.items():
            page.goto(address + path)
            wait_until_drawn(page)
            page.screenshot(path=out / name)
        browser.close()


def wait_until_drawn(page: Page) -> None:
    """Wait until nothing is loading, twice: what has loaded may ask for more."""
    for _ in range(2):
        page.wait_for_load_state("networkidle", timeout=PATIENCE)
        page.wait_for_selector(".map[data-drawn=true]", timeout=PATIENCE)
        page.wait_for_function("document.querySelector('.spin') === null", timeout=PATIENCE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
