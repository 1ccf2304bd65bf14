"""What citizens and other systems ask of a city with a million cases: reports, map, lists, feeds, first page.

    python bench/citizen.py [--store records.db] [--cases 1000000] [--only CHECK ...]

The store is one that `python bench/cases.py --keep FOLDER --fill-only` filled; it is copied, not changed.
Without one it is filled here. What the filling left to do is done first: its events are sealed, and the clock
of a case that is long overdue speaks next in a month, as it would have spoken already. The server is
`jingwei up`. Reports come at the rate that is asked for, whether the server keeps up or not: each is timed
from when it was due. Clients share the processors with the server.
"""

import argparse
import hashlib
import http.client
import itertools
import json
import os
import random
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request
from datetime import timedelta
from pathlib import Path

WEST, SOUTH, EAST, NORTH = 113.9, 22.5, 114.2, 22.7
RATE, SECONDS, LINES = 100, 30, 40
"""Reports a second, for how long, over how many connections."""
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PHONE = {"width": 390, "height": 844}
SLOWER, DOWN, LATENCY = 4, 1.6e6 / 8, 150
"""A slow telephone: the processor's factor, bytes a second, milliseconds there and back."""


def settle(home: Path, store: Path | None, cases: int) -> None:
    """Put a store with so many cases into a home, and say which city it is."""
    from sqlalchemy import update

    from cases import RULES, fill
    from jingwei.access import local_person
    from jingwei.cases import Desk, regime
    from jingwei.cases.calendar import instant
    from jingwei.cases.models import CaseRow
    from jingwei.city import open_city
    from jingwei.city.models import CityRow
    from jingwei.ledger.sealer import Sealer, key_folder_of
    from jingwei.records import now_utc

    home.mkdir(parents=True, exist_ok=True)
    if store is not None and not (home / "records.db").exists():
        shutil.copyfile(store, home / "records.db")
    about = {"name": {"zh": "量城", "en": "Bench"}, "adcode": "440301", "generated": False}
    about |= {"time_zone": "Asia/Shanghai", "bounds": [WEST, SOUTH, EAST, NORTH]}
    with open_city(home, create=True) as city:
        with city.records.write() as session:
            if store is None:
                regime.adopt(session, local_person(), "rules", RULES)
            session.merge(CityRow(id="bench", about=about, pack="", data="", changed=now_utc()))
        if store is None:
            fill(city.records, Desk(city.policies.current), cases)
        Sealer(city.records, home / "log", key_folder=key_folder_of(home)).seal_all()
        soon = instant(now_utc() + timedelta(days=30))
        with city.records.write() as session:
            session.execute(update(CaseRow).where(CaseRow.alarm < soon).values(alarm=soon))


class Line:
    """A connection that is kept."""

    def __init__(self, port: int) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, path: str, body: object = None) -> bytes:
        """Return an answer."""
        given = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"} if given else {}
        self.line.request("POST" if given else "GET", path, given, headers)
        answer = self.line.getresponse()
        content = answer.read()
        assert answer.status in (200, 201), (path, answer.status, content[:300])
        return content


def told(name: str, times: list, target_ms: float) -> None:
    """Print the middle and the 95th percentile of seconds."""
    times = sorted(times)
    p50, p95 = (times[min(len(times) - 1, int(len(times) * share))] * 1e3 for share in (0.5, 0.95))
    verdict = "ok" if p95 <= target_ms else "MISSED"
    print(
        f"{name:<62}p50 {p50:7.1f} ms  p95 {p95:7.1f} ms   target {target_ms:.0f} ms  {verdict}", flush=True
    )


def timed(line: Line, paths: list) -> list:
    """Return the seconds that each question took."""
    times = []
    for path in paths:
        start = time.perf_counter()
        line.ask(path)
        times.append(time.perf_counter() - start)
    return times


def report_of(stamp: str, bits: int, chance: random.Random) -> dict:
    """Return a report with its work done, somewhere in the city."""
    secret = secrets.token_hex(16)
    for nonce in itertools.count():
        digest = hashlib.sha256(f"{stamp}:{secret}:{nonce}".encode()).digest()
        if int.from_bytes(digest) >> (256 - bits) == 0:
            break
    return {
        "secret": secret, "stamp": stamp, "nonce": str(nonce), "kind": "matter",
        "type": f"06{chance.randint(1, 28):03d}", "lon": chance.uniform(WEST, EAST),
        "lat": chance.uniform(SOUTH, NORTH), "description": "路面破损，夜间看不清",
    }  # fmt: skip


def reports(port: int) -> None:
    """Send reports at their rate, each timed from when it was due."""
    chance = random.Random(5)
    given = json.loads(Line(port).ask("/api/public/stamp"))
    waiting = [report_of(given["stamp"], given["bits"], chance) for _ in range(RATE * SECONDS)]
    times, number, guard = [], itertools.count(), threading.Lock()
    start = time.perf_counter() + 0.2

    def send() -> None:
        line = Line(port)
        while True:
            with guard:
                n = next(number)
            if n >= len(waiting):
                return
            due = start + n / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            line.ask("/api/public/reports", waiting[n])
            times.append(time.perf_counter() - due)

    senders = [threading.Thread(target=send) for _ in range(LINES)]
    for one in senders:
        one.start()
    for one in senders:
        one.join()
    took = time.perf_counter() - start
    told(f"report accepted, {len(times) / took:.0f} of {RATE} a second", times, 200)


def boxes(count: int) -> list:
    """Return questions for maps near and far; the first is the whole city."""
    chance = random.Random(6)
    found = [f"/api/public/cases/map?level=15&box={WEST},{SOUTH},{EAST},{NORTH}"]
    for _ in range(count - 1):
        zoom = chance.randint(11, 16)
        side = 390 * 360 / 512 / 2**zoom
        west, south = chance.uniform(WEST, EAST - side), chance.uniform(SOUTH, NORTH - side)
        box = f"{west:.5f},{south:.5f},{west + side:.5f},{south + 2 * side:.5f}"
        found.append(f"/api/public/cases/map?level={zoom + 4}&box={box}")
    return found


def questions(port: int) -> None:
    """Ask for lists, maps, feeds and figures, one after another."""
    line = Line(port)
    days = f"start_date={time.strftime('%Y-%m-%dT00:00:00Z', time.gmtime(time.time() - 80 * 86_400))}"
    first = json.loads(line.ask("/api/open311/v2/requests.json?page_size=1000"))
    print(f"(an Open311 list holds {len(first)} requests)", flush=True)
    told("public map, near and far", timed(line, boxes(40)), 1000)
    for form in ("json", "xml"):
        path = f"/api/open311/v2/requests.{form}?page_size=1000"
        told(f"Open311: 1,000 requests as {form}", timed(line, [path] * 25), 150)
    told("Open311: of the last 80 days", timed(line, [f"/api/open311/v2/requests.json?{days}"] * 25), 150)
    feeds = [
        f"/api/public/feed.{form}?area=440301{street:03d}" for form in ("atom", "rss") for street in range(20)
    ]
    told("feed of a street", timed(line, feeds), 50)
    told("feed of the whole city", timed(line, ["/api/public/feed.atom"] * 25), 50)
    told("list of a street", timed(line, [f"/api/public/cases?area=440301{n:03d}" for n in range(9)]), 100)
    told("what the page of a report asks first", timed(line, ["/api/public/city"] * 25), 100)


_SEEN = """(() => {
    window.seen = {};
    new MutationObserver(() => {
        if (!seen.form && document.querySelector('form.report textarea')) seen.form = performance.now();
        if (!seen.types && document.querySelector('.types input')) seen.types = performance.now();
    }).observe(document, {childList: true, subtree: true});
})()"""
_FIRST = """(path) => (async () => {
    const start = performance.now();
    const cells = await (await fetch(path)).json();
    return [performance.now() - start, cells.length];
})()"""


def in_the_page(port: int) -> None:
    """Open the pages: the report on a slow telephone, the map in an ordinary one."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("(without Chromium: no figures of pages)")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        seen: dict = {"form": [], "types": []}
        for _ in range(4):
            context = browser.new_context(
                bypass_csp=True, viewport=PHONE, is_mobile=True, has_touch=True, service_workers="block"
            )
            page = context.new_page()
            phone = context.new_cdp_session(page)
            phone.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            phone.send("Network.enable")
            network = {
                "offline": False,
                "downloadThroughput": DOWN,
                "uploadThroughput": DOWN,
                "latency": LATENCY,
            }
            phone.send("Network.emulateNetworkConditions", network)
            page.add_init_script(_SEEN)
            page.goto(f"http://127.0.0.1:{port}/report", wait_until="commit")
            page.wait_for_function("window.seen.form && window.seen.types", timeout=60_000)
            for name, times in seen.items():
                times.append(page.evaluate(f"seen.{name}") / 1000)
            context.close()
        told("first view on a slow telephone: one can write and send", seen["form"], 3000)
        told("the same, with the types offered by the city", seen["types"], 3000)
        page = browser.new_page(viewport=PHONE, bypass_csp=True)
        page.goto(f"http://127.0.0.1:{port}/report", wait_until="load")
        views = [page.evaluate(_FIRST, boxes(1)[0]) for _ in range(10)]
        print(f"(the first view of the map holds {views[0][1]} cells)")
        told("public map of the whole city, first view decoded", [one[0] / 1000 for one in views], 1000)
        browser.close()


CHECKS = {"questions": questions, "page": in_the_page, "reports": reports}


def ask(options: argparse.Namespace) -> None:
    """Measure what is asked for."""
    print(f"(load {os.getloadavg()[0]:.1f})", flush=True)
    for name in options.only:
        CHECKS[name](options.port)
    print(f"(load {os.getloadavg()[0]:.1f} at the end)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=Path)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, help="a folder that is kept from run to run")
    parser.add_argument("--port", type=int, default=8351)
    parser.add_argument("--served", action="store_true", help="ask a server that stands at the port already")
    parser.add_argument("--only", nargs="*", choices=list(CHECKS), default=list(CHECKS))
    options = parser.parse_args()
    if options.served:
        ask(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        root = options.home or Path(folder)
        home = root / "bench"
        settle(home, options.store, options.cases)
        command = [shutil.which("jingwei"), "up", "--city", "bench", "--open", "--port", str(options.port)]
        start = time.perf_counter()
        server = subprocess.Popen(command, env={**os.environ, "JINGWEI_HOME": str(root)})
        try:
            while server.poll() is None:
                try:
                    urllib.request.urlopen(
                        f"http://127.0.0.1:{options.port}/api/public/city", timeout=200
                    ).read()
                    break
                except OSError:
                    time.sleep(0.1)
            print(f"(cases taken into memory within {time.perf_counter() - start:.0f} s)", flush=True)
            ask(options)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
