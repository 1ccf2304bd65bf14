"""From an acknowledged reading to an open page: the live values, and the alarm that a rule raises.

    python bench/screen.py [--rate 2000] [--seconds 60]

`jingwei up --open` as it ships, in a process of its own: intake by HTTP, rules, roll-ups, the log.
2,000 streams; batches of 100 readings keep the rate. Ten times a second one reading is timed from the answer
201 to the server-sent event of `/api/sense/live` that tells it; every tenth of these turns a rule, and
is timed to `sense.alarm_raised` or `sense.alarm_ended` on `/api/events`. Target: 2 s at p95.
"""

import argparse
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from jingwei.city import open_city
from jingwei.city.models import CityRow
from jingwei.records import now_utc

STREAMS, EACH = 2_000, 10
BATCH = 100
PROBE, COVER = 1, 2
RULE = {
    "zh": "井盖打开",
    "en": "A cover is open",
    "signs": [{"observes": "cover", "kind": "above", "value": 1}],
}


def thing(number: int) -> dict:
    """Return a station with ten streams; the second stream of the first is the one that a rule watches."""
    streams = [
        {
            "name": f"stream {number}-{n}",
            "description": "",
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "unitOfMeasurement": {"name": "", "symbol": "", "definition": ""},
            "Sensor": {"name": "s", "description": "", "encodingType": "text/html", "metadata": ""},
            "ObservedProperty": {
                "name": "cover" if number * EACH + n + 1 == COVER else "p",
                "definition": "urn:x:p",
                "description": "",
            },
        }
        for n in range(EACH)
    ]
    place = {"type": "Point", "coordinates": [114 + number / 1000, 22.5]}
    location = {"name": "here", "description": "", "encodingType": "application/geo+json", "location": place}
    return {"name": f"station {number}", "description": "", "Locations": [location], "Datastreams": streams}


class Door:
    """One connection to the city."""

    def __init__(self, port: int) -> None:
        self.wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.wire.connect()
        self.wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method: str, path: str, body: object = None) -> object:
        """Ask, and return what was answered, once it is whole."""
        data = None if body is None else json.dumps(body).encode()
        self.wire.request(method, path, data, {"Content-Type": "application/json"})
        answer = self.wire.getresponse()
        said = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {said[:300]}")
        return json.loads(said) if said else None


@contextlib.contextmanager
def city():
    """Serve a city by the command line; yield its port."""
    root = Path(tempfile.mkdtemp(prefix="jw-bench-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    about = {"name": {"zh": "bench"}, "adcode": "990200", "generated": False, "time_zone": "Asia/Shanghai"}
    with open_city(root / "bench", create=True) as made, made.records.write() as session:
        session.add(CityRow(id="bench", about=about, pack="", data="", changed=now_utc()))
    (root / "bench" / "settings.toml").write_text("[sense.mqtt]\nenabled = false\n", "utf-8")
    command = [sys.executable, "-m", "jingwei", "up", "--city", "bench", "--open", "--port", str(port)]
    process = subprocess.Popen(
        command, env=os.environ | {"JINGWEI_HOME": str(root)}, stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(root, ignore_errors=True)


def follow(port: int, path: str, heard) -> None:
    """Call `heard` with each server-sent event and the moment at which it came, for ever."""
    wire = http.client.HTTPConnection("127.0.0.1", port)
    wire.request("GET", path)
    answer = wire.getresponse()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        while line := answer.readline():
            if line.startswith(b"data: "):
                heard(json.loads(line[6:]), time.perf_counter())


def beside(work, *given) -> None:
    """Run in a thread that ends with the program."""
    threading.Thread(target=work, args=given, daemon=True).start()


def told(what: str, took: list[float]) -> None:
    """Print how long something took."""
    if took:
        p50, p95, worst = np.percentile(np.array(took) * 1000, [50, 95, 100])
        print(
            f"{what}: {len(took)} times, p50 {p50:.0f} ms, p95 {p95:.0f} ms, at most {worst:.0f} ms",
            flush=True,
        )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    with city() as port:
        door = Door(port)
        for number in range(STREAMS // EACH):
            door.ask("POST", "/sta/v1.1/Things", thing(number))
        rule = door.ask("POST", "/api/sense/rules", {"rule": RULE})["id"]
        door.ask("POST", f"/api/sense/rules/{rule}/switch", {"to": "on"})
        print(f"{STREAMS:,} streams; rules take up new streams within ten seconds", flush=True)
        time.sleep(12)
        measure(port, options.rate, options.seconds)
    print(f"load {os.getloadavg()[0]:.1f}")


def measure(port: int, rate: int, seconds: int) -> None:
    """Keep the rate for some seconds, and print how long readings and alarms took to open pages."""
    seen: dict[int, float] = {}
    turns: list[float] = []

    def live(newest, at):
        for one in newest:
            if one["stream"] == PROBE:
                seen[int(one["result"])] = at

    def event(one, at):
        if one["type"] in ("sense.alarm_raised", "sense.alarm_ended"):
            turns.append(at)

    beside(follow, port, "/api/sense/live", live)
    beside(follow, port, "/api/events?types=sense", event)
    acknowledged, crossed, sent = {}, [], [0]
    end = time.perf_counter() + seconds

    def crowd():
        door, count, random = Door(port), 0, np.random.default_rng(1)
        start = time.perf_counter()
        while time.perf_counter() < end:
            now = datetime.now(UTC).isoformat()
            rows = [
                {
                    "Datastream": {"@iot.id": int(stream)},
                    "components": ["phenomenonTime", "result"],
                    "dataArray": [[now, count + n]],
                }
                for n, stream in enumerate(random.choice(np.arange(3, STREAMS + 1), BATCH, replace=False))
            ]
            door.ask("POST", "/sta/v1.1/CreateObservations", rows)
            count += BATCH
            time.sleep(max(0.0, start + count / rate - time.perf_counter()))
        sent[0] = count

    beside(crowd)
    time.sleep(2)
    door, number = Door(port), 0
    while time.perf_counter() < end - 3:
        number += 1
        door.ask("POST", f"/sta/v1.1/Datastreams({PROBE})/Observations", {"result": number})
        acknowledged[number] = time.perf_counter()
        if number % 10 == 0:
            door.ask(
                "POST", f"/sta/v1.1/Datastreams({COVER})/Observations", {"result": 5 if number % 20 else 0}
            )
            crossed.append(time.perf_counter())
        time.sleep(0.1)
    time.sleep(max(0.0, end + 3 - time.perf_counter()))
    print(f"{sent[0] / seconds:,.0f} readings a second beside")
    # what came between two messages is told by the newest: a reading is on the page with the first not older
    order = sorted(seen)
    took = []
    for one, at in acknowledged.items():
        after = [number for number in order if number >= one]
        if after:
            took.append(max(0.0, seen[after[0]] - at))
    print(f"not on the page: {len(acknowledged) - len(took)}")
    told("reading to live page", took)
    # alarms come and go in turn, in the order of what crossed
    told("reading to alarm on an open page", [max(0.0, b - a) for a, b in zip(crossed, turns, strict=False)])
    print(f"crossed {len(crossed)}, told {len(turns)}")


if __name__ == "__main__":
    main()
