"""The pages and the API: first page, bundle, layers of 100,000 and of a million points, tiles, fifty users.

Run: python bench/web.py [points]. Needs the built pages and Chromium; a figure that needs Chromium is left
out without it. Layers are timed in the page from the request until the data is decoded and handed over.
"""

import http.client
import json
import math
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
WEST, SOUTH, EAST, NORTH = 113.75, 22.44, 114.62, 22.86
USERS, PANS = 50, 8
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]

MANIFEST = """
[city]
id = "bench"
name = { zh = "量城", en = "Bench" }
adcode = "990200"
boundary = { source = "ground" }

[[source]]
id = "ground"
file = "ground.geojson"
title = { zh = "地", en = "Ground" }
name = "name"
place = { geometry = "geometry", crs = "WGS84" }

[[source]]
id = "lines"
file = "lines.geojson"
title = { zh = "线", en = "Lines" }
name = "name"
place = { geometry = "geometry", crs = "WGS84" }

[[source]]
id = "some"
file = "some.parquet"
title = { zh = "十万点", en = "Some points" }
place = { lon = "lon", lat = "lat", crs = "WGS84" }

[[source]]
id = "many"
file = "many.parquet"
title = { zh = "百万点", en = "Many points" }
place = { lon = "lon", lat = "lat", crs = "WGS84" }
"""


def write_pack(folder: Path, many: int) -> None:
    """Write a city of random points around many centres, and of random ways."""
    random = np.random.default_rng(1)
    (folder / "city.toml").write_text(MANIFEST, "utf-8")
    ring = [[WEST, SOUTH], [EAST, SOUTH], [EAST, NORTH], [WEST, NORTH], [WEST, SOUTH]]
    ground = [("量城", "Polygon", [ring])]
    write_features(folder / "ground.geojson", ground)
    ways = []
    for number in range(5000):
        steps = random.normal(0, 0.002, (30, 2)).cumsum(axis=0)
        way = np.clip(random.uniform((WEST, SOUTH), (EAST, NORTH)) + steps, (WEST, SOUTH), (EAST, NORTH))
        ways.append((f"{number}", "LineString", way.round(6).tolist()))
    write_features(folder / "lines.geojson", ways)
    for name, rows in (("some", 100_000), ("many", many)):
        centres = random.uniform((WEST + 0.05, SOUTH + 0.05), (EAST - 0.05, NORTH - 0.05), (200, 2))
        places = centres[random.integers(0, 200, rows)] + random.normal(0, 0.012, (rows, 2))
        places = np.clip(places, (WEST, SOUTH), (EAST, NORTH))
        table = pa.table({"id": np.arange(rows), "lon": places[:, 0], "lat": places[:, 1]})
        pq.write_table(table, folder / f"{name}.parquet")


def write_features(path: Path, features: list) -> None:
    """Write GeoJSON."""
    collection = [
        {"type": "Feature", "properties": {"name": n}, "geometry": {"type": kind, "coordinates": c}}
        for n, kind, c in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": collection}), "utf-8")


def load(pack: Path, home: Path) -> None:
    """Load the pack."""
    from jingwei.access import local_person
    from jingwei.city import load_pack, open_city, read_manifest

    with open_city(home, create=True) as city:
        load_pack(city, read_manifest(pack), pack, None, local_person())


def get(address: str) -> float:
    """Return the seconds that an answer took."""
    started = time.perf_counter()
    with urllib.request.urlopen(address) as answer:
        answer.read()
    return time.perf_counter() - started


def p95(seconds: list) -> float:
    """Return the 95th percentile in milliseconds."""
    return round(float(np.percentile(seconds, 95)) * 1000, 1)


def start(folder: Path) -> tuple[subprocess.Popen, str, float]:
    """Start the server; return it, its address, and the seconds until it gave its first page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    started = time.perf_counter()
    command = [Path(sys.executable).with_name("jingwei"), "up", folder / "pack", "--home", folder / "home"]
    server = subprocess.Popen([*command, "--open", "--port", str(port)], stdout=subprocess.DEVNULL)
    while True:
        try:
            get(address + "/")
        except OSError:
            time.sleep(0.02)
        else:
            return server, address, time.perf_counter() - started


def some_tiles(count: int) -> list:
    """Return random tiles of the city, zooms 9 to 15."""
    random = np.random.default_rng(2)
    found = []
    for _ in range(count):
        z = int(random.integers(9, 16))
        lon, lat = random.uniform((WEST, SOUTH), (EAST, NORTH))
        y = 0.5 - math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / (2 * math.pi)
        found.append((z, int((lon / 360 + 0.5) * 2**z), int(y * 2**z)))
    return found


def snapped(west: float, south: float, east: float, north: float) -> str:
    """Return a box widened to whole blocks of cells, as pages do (level 17: 16 arc-seconds, by eights)."""
    side = 128 / 3600
    low, high = (math.floor(edge / side) * side for edge in (west, south)), (east, north)
    corners = (*low, *(math.ceil(edge / side) * side for edge in high))
    return ",".join(f"{edge:.6f}" for edge in corners)


def fifty_users(address: str) -> float:
    """Return the p95 of a pan (a density and its tiles) with fifty users panning at once."""
    seconds: list = []

    def pan(number: int) -> None:
        random = np.random.default_rng(number)
        line = http.client.HTTPConnection(address.removeprefix("http://"))  # kept open, as browsers do

        def ask(path: str) -> None:
            line.request("GET", path)
            answer = line.getresponse()
            answer.read()
            assert answer.status in (200, 204), (path, answer.status)

        west, south = random.uniform((WEST, SOUTH), (EAST - 0.25, NORTH - 0.12))
        for _ in range(PANS):
            west, south = west + random.normal(0, 0.01), south + random.normal(0, 0.006)
            box = snapped(west, south, west + 0.22, south + 0.1)
            started = time.perf_counter()
            ask(f"/api/datasets/many/density?level=17&bbox={box}")
            y = 0.5 - math.log(math.tan(math.pi / 4 + math.radians(south) / 2)) / (2 * math.pi)
            x = west / 360 + 0.5
            for dx in range(2):
                ask(f"/api/datasets/lines/tiles/12/{int(x * 4096) + dx}/{int(y * 4096)}")
            seconds.append(time.perf_counter() - started)

    users = [threading.Thread(target=pan, args=(number,)) for number in range(USERS)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    return p95(seconds)


def encoders() -> dict:
    """Return the milliseconds in which our encoder and mapbox-vector-tile encode the same dense tile."""
    import mapbox_vector_tile
    import shapely

    from jingwei.web import mvt

    random = np.random.default_rng(3)
    ways = [
        shapely.LineString(random.integers(0, 4096, 2) + random.integers(-60, 60, (30, 2)).cumsum(0))
        for _ in range(2000)
    ]
    x, y = random.integers(0, 3900, (2, 2000))
    houses = [shapely.box(a, b, a + 30, b + 30) for a, b in zip(x, y, strict=True)]
    shapes = np.array(ways + houses, object)
    layer = mvt.TileLayer(
        "shapes", shapes, np.arange(len(shapes)), {"name": [f"{n}" for n in range(len(shapes))]}
    )
    features = [{"geometry": one, "properties": {"name": f"{n}"}, "id": n} for n, one in enumerate(shapes)]
    theirs = {"name": "shapes", "features": features}

    def best(work) -> float:
        times = []
        for _ in range(3):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
        return round(min(times) * 1000, 1)

    return {
        "encode_ms": best(lambda: mvt.encode([layer])),
        "encode_mapbox_vector_tile_ms": best(
            lambda: mapbox_vector_tile.encode(theirs, default_options={"y_coord_down": True})
        ),
    }


def in_the_page(address: str) -> dict:
    """Return what only a browser can measure: bundle, layers and pans."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        found = {"bundle_kB": bundle(browser, address)}
        for name in ("some", "many"):
            page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
            page.goto(f"{address}/?layers={name}:p:90")
            found[f"{name}_points_ms"] = newest(page, "layer:points", 1)
            page.close()
        page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
        page.goto(f"{address}/?layers=many:d:90&at=22.6,114.1,12")
        newest(page, "layer:cells", 1)
        pans = []
        for turn in range(6):
            page.locator(".maplibregl-canvas").focus()
            page.keyboard.press("ArrowRight")
            pans.append(newest(page, "layer:cells", turn + 2, patience=8_000))
        found["pan_ms"] = max((pan for pan in pans if pan is not None), default=None)
        browser.close()
    return found


def newest(page, name: str, least: int, patience: int = 120_000) -> float | None:
    """Return the milliseconds of the newest measure once there are `least`; None if a pan needed nothing."""
    try:
        page.wait_for_function(f"performance.getEntriesByName('{name}').length >= {least}", timeout=patience)
    except Exception:  # noqa: BLE001 -- Playwright's timeout: what was asked for was held already
        return None
    return round(page.evaluate(f"performance.getEntriesByName('{name}').at(-1).duration"), 1)


def bundle(browser, address: str) -> float:
    """Return the kilobytes of scripts, styles and documents of the first view, as they travel."""
    page = browser.new_page(viewport={"width": 1440, "height": 900}, bypass_csp=True)
    sizes = []
    page.on(
        "requestfinished",
        lambda request: (
            sizes.append(request.sizes()["responseBodySize"]) if "/api/" not in request.url else None
        ),
    )
    page.goto(address + "/")
    page.wait_for_selector(".map[data-drawn=true]", timeout=120_000)
    page.close()
    return round(sum(sizes) / 1000, 1)


def main() -> None:
    """Measure and print."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    folder = Path(tempfile.mkdtemp(prefix="jw-bench-"))
    try:
        (folder / "pack").mkdir()
        write_pack(folder / "pack", many)
        load(folder / "pack", folder / "home")
        server, address, first = start(folder)
        try:
            get(f"{address}/api/datasets/some/density?level=15")  # the compiled loops are loaded
            figures = {
                "first_page_s": round(first, 2),
                "warm_page_ms": p95([get(address + "/") for _ in range(50)]),
                "tile_p95_ms": p95(
                    [get(f"{address}/api/datasets/lines/tiles/{z}/{x}/{y}") for z, x, y in some_tiles(200)]
                ),
                "points_100k_server_ms": p95([get(f"{address}/api/datasets/some/points") for _ in range(5)]),
                "points_many_server_ms": p95([get(f"{address}/api/datasets/many/points") for _ in range(3)]),
                "users_50_p95_ms": fifty_users(address),
                **encoders(),
                **in_the_page(address),
            }
            print(json.dumps(figures, indent=2))
        finally:
            server.terminate()
            server.wait()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
