r"""The demo city at 60 times real time with pages open, and how long a reading takes to an open screen.

    python bench/living.py [--home FOLDER] [--pages 3] [--followers 20] [--seconds 120] [--also 2000] \
        [--storm]

Opens the demo city (S, seed 1) as `jingwei up --open` does, at 60 times, with pages of the map in Chromium
where it is installed, and followers of `/api/sense/live` beside them. A reading's way begins at its own time
and ends where a follower has it. `--also` sends as many readings a second besides, as other devices would.
`--storm` then jumps to the planted storm and sets what comes of it beside what is true of it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import numpy as np

from jingwei.city.demo.town import build_town
from jingwei.city.living.storms import settings_of_city
from jingwei.city.living.story import Story, truth_of
from jingwei.web import listen

if TYPE_CHECKING:
    from collections.abc import Iterator

SPEED = 60.0
READY = 900.0
SETTLE = 30.0
"""Seconds after the stations are there that are not counted."""
BATCH = 200
STORM = timedelta(hours=4)
"""After which the city's incident of a storm is over."""


class Followers:
    """Clients of the stream of live values, and how late each value came to them."""

    def __init__(self, address: str, own: set[int]) -> None:
        self.address = address
        self.own = own
        self.stop = threading.Event()
        self.counting = False
        self.lags: list[float] = []
        self.also: list[float] = []
        told = httpx2.get(f"{address}/api/city/clock").json()
        self._zero = datetime.fromisoformat(told["now"]).timestamp(), time.time()

    def city_now(self) -> float:
        """Return the city's instant in seconds since 1970, by a clock that was not set since."""
        return self._zero[0] + (time.time() - self._zero[1]) * SPEED

    def follow(self) -> None:
        """Follow until the bench ends."""
        with (
            suppress(httpx2.HTTPError),
            httpx2.stream("GET", f"{self.address}/api/sense/live", timeout=60.0) as answer,
        ):
            for line in answer.iter_lines():
                if self.stop.is_set():
                    return
                if self.counting and line.startswith("data: "):
                    self._note(json.loads(line[6:]))

    def _note(self, told: list[dict[str, Any]]) -> None:
        now, present = self.city_now(), time.time()
        for one in told:
            at = datetime.fromisoformat(one["time"]).timestamp()
            if one["stream"] in self.own:
                self.also.append(present - at)
            else:
                self.lags.append((now - at) / SPEED)


def main() -> None:
    """Measure, and print the rows of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--followers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--also", type=int, default=0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--storm", action="store_true")
    asked = parser.parse_args()
    with ExitStack() as open_:
        home = asked.home or Path(open_.enter_context(tempfile.TemporaryDirectory()))
        address, process = open_.enter_context(city(home, asked.port))
        wait_for_readings(address)
        httpx2.post(f"{address}/api/city/clock", json={"speed": SPEED}).raise_for_status()
        own = streams_for(address) if asked.also else []
        followers = Followers(address, set(own))
        for _ in range(asked.followers):
            threading.Thread(target=followers.follow, daemon=True).start()
        drawn = open_.enter_context(pages(address, asked.pages))
        if own:
            threading.Thread(
                target=load, args=(address, own, asked.also, followers.stop), daemon=True
            ).start()
        time.sleep(SETTLE)
        parts = [process.pid, *feeder_of(process.pid)]
        taken, used, begun = Told.of(address), [cpu_of(one) for one in parts], time.perf_counter()
        drew = cpu_of(os.getpid())
        followers.counting = True
        time.sleep(asked.seconds)
        followers.counting = False
        passed = time.perf_counter() - begun
        came = Told.of(address)
        rest = [(cpu_of(one) - was) / passed for one, was in zip(parts, used, strict=True)]
        drew = (cpu_of(os.getpid()) - drew) / passed
        behind = (followers.city_now() - newest_of(address, set(own))) / SPEED
        followers.stop.set()
        print(f"{drawn} pages, {asked.followers} followers, {passed:.0f} s, load {os.getloadavg()[0]:.1f}")
        print(
            f"taken in: {(came.readings - taken.readings) / passed:.0f} readings/s, of these"
            f" {(came.mqtt - taken.mqtt) / passed:.0f}/s by MQTT; {came.reports - taken.reports} reports by"
            f" citizens and patrols and {came.calls - taken.calls} calls; newest reading {behind:.2f} s old"
        )
        fed = sum(rest[1:])
        print(
            f"cores: city {rest[0] - fed:.2f}, its feeder {fed:.2f}, pages and followers {drew - rest[0]:.2f}"
        )
        row("from a reading of the city to an open screen", followers.lags)
        row(f"the same of {asked.also}/s besides", followers.also)
        if asked.storm:
            storm(address)


@dataclass(frozen=True, slots=True)
class Told:
    """What the city was told since it was opened: readings, those by MQTT, reports, calls."""

    readings: int
    mqtt: int
    reports: int
    calls: int

    @classmethod
    def of(cls, address: str) -> Told:
        """Ask the city."""
        minutes = httpx2.get(f"{address}/api/sense/health").json()["minutes"]
        taken, mqtt = (sum(one[name] for one in minutes) for name in ("taken", "mqtt"))
        return cls(taken, mqtt, count_of(address, "case.reported"), count_of(address, "hotline.call_taken"))


def count_of(address: str, kind: str) -> int:
    """Return how many events of a type the log holds."""
    count = 0
    asked: dict[str, str | int] = {"type": kind, "limit": 200}
    while True:
        page = httpx2.get(f"{address}/api/log", params=asked).json()
        count += len(page["events"])
        if page["before"] is None:
            return count
        asked["before"] = page["before"]


def storm(address: str) -> None:
    """Jump to the planted storm, wait until its incident is over, and print what came of it."""
    before = {one["id"] for one in incidents_of(address)}
    jumped = httpx2.post(f"{address}/api/city/clock", json={"storm": True, "speed": SPEED}).raise_for_status()
    since = datetime.fromisoformat(jumped.json()["now"])
    end = since + STORM
    while (now := clock_of(address)) < end:
        time.sleep(min(5.0, (end - now).total_seconds() / SPEED))
    found = [one for one in incidents_of(address) if one["id"] not in before]
    made = Counter(one["cause"] for one in found)
    cases = sum(len(one["cases"]) for one in found if one["cause"] == "storm")
    alarms = sum(one["alarms"] for one in found if one["cause"] == "storm")
    city = httpx2.get(f"{address}/api/city").json()["id"]
    settings = settings_of_city(city)
    if settings is None:
        raise SystemExit(f"{city} is no demo city")
    (true,) = truth_of(Story(build_town(settings)), since, end)["storms"]
    print(
        f"storm: {made['storm']} incident of {alarms} alarms, {cases} cases; truly flooded"
        f" {len(true['flooded'])}; other incidents {made.total() - made['storm']}"
    )


def incidents_of(address: str) -> list[dict[str, Any]]:
    """Return the newest incidents."""
    return list(httpx2.get(f"{address}/api/sense/incidents").json()["incidents"])


def clock_of(address: str) -> datetime:
    """Return the city's instant."""
    return datetime.fromisoformat(httpx2.get(f"{address}/api/city/clock").json()["now"])


def feeder_of(pid: int) -> list[int]:
    """Return the process that tells the city what happens in it."""
    named = [(one, Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0")) for one in children_of(pid)]
    return [one for one, said in named if b"demo" in said and b"run" in said]


def row(what: str, lags: list[float]) -> None:
    """Print the median, the 95th percentile and the worst of some lags."""
    if lags:
        p50, p95, worst = np.percentile(lags, [50, 95, 100])
        print(f"{what}: p50 {p50:.2f} s, p95 {p95:.2f} s, most {worst:.2f} s ({len(lags)})")


@contextmanager
def city(home: Path, port: int) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Open the demo city; give its address and process."""
    with listen("127.0.0.1", port) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "jingwei", "up", "--open", "--port", str(port)]
    with subprocess.Popen(command, env={**os.environ, "JINGWEI_HOME": str(home)}) as process:
        try:
            yield address, process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def wait_for_readings(address: str) -> None:
    """Wait until the city answers and has readings of its stations."""
    end = time.monotonic() + READY
    while time.monotonic() < end:
        with suppress(httpx2.HTTPError):
            if httpx2.get(f"{address}/api/sense/latest", timeout=5.0).json():
                return
        time.sleep(1.0)
    raise SystemExit("the city sent no readings")


def newest_of(address: str, but: set[int]) -> float:
    """Return the time of the newest reading of the city's own stations, seconds since 1970."""
    found = httpx2.get(f"{address}/api/sense/latest").json()
    return max(datetime.fromisoformat(one["time"]).timestamp() for one in found if one["stream"] not in but)


def streams_for(address: str, count: int = 20) -> list[int]:
    """Make streams for the readings that are sent besides; return their numbers."""
    stream = {
        "name": "bench", "description": "", "observationType": "m", "unitOfMeasurement": {"symbol": ""},
        "Sensor": {"name": "bench", "description": "", "encodingType": "text/html", "metadata": "m"},
        "ObservedProperty": {"name": "bench", "definition": "d", "description": ""},
    }  # fmt: skip
    place = {
        "name": "p", "description": "", "encodingType": "application/geo+json",
        "location": {"type": "Point", "coordinates": [114.0, 30.0]},
    }  # fmt: skip
    thing = {"name": "bench", "description": "", "Locations": [place], "Datastreams": [stream] * count}
    made = httpx2.post(f"{address}/sta/v1.1/Things", json=thing, timeout=60.0).json()["@iot.id"]
    found = httpx2.get(f"{address}/sta/v1.1/Things({made})/Datastreams?$select=id").json()
    return [one["@iot.id"] for one in found["value"]]


def load(address: str, streams: list[int], rate: int, stop: threading.Event) -> None:
    """Send readings of the present, so many a second, evenly in batches."""
    with httpx2.Client(base_url=address, timeout=60.0) as client:
        due = time.monotonic()
        while not stop.is_set():
            now = time.time()
            each = max(1, BATCH // len(streams))
            times = [
                datetime.fromtimestamp(now - n * 1e-5, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
                for n in range(each)
            ]
            body = [
                {
                    "Datastream": {"@iot.id": one},
                    "components": ["phenomenonTime", "result"],
                    "dataArray": [[at, n] for n, at in enumerate(times)],
                }
                for one in streams
            ]
            client.post("/sta/v1.1/CreateObservations", json=body)
            due += each * len(streams) / rate
            time.sleep(max(0.0, due - time.monotonic()))


@contextmanager
def pages(address: str, count: int) -> Iterator[int]:
    """Keep pages of the map open in Chromium; give how many there are."""
    chromium = shutil.which("chromium")
    if chromium is None or not count:
        yield 0
        return
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        for number in range(count):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(address + ("/sense" if number % 2 else "/"))
        yield count
        browser.close()


def cpu_of(pid: int) -> float:
    """Return the seconds of processor time that a process and its children have used."""
    tick = os.sysconf("SC_CLK_TCK")
    total = 0.0
    for one in [pid, *children_of(pid)]:
        with suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / tick
    return total


def children_of(pid: int) -> list[int]:
    """Return the processes that a process started, and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children_of(int(child))]
    return found


if __name__ == "__main__":
    main()
