"""Statistics of any zone over HTTP, of tens of thousands of streams of one property, by who asks.

    python bench/zones.py [--streams 30000] [--days 40] [--asked 200]

The streams lie over 60 km and give a reading an hour. Half of them are another department's, which shares a
third of these with nobody, a third under conditions, a third with all. Asked by who sees all of them, by
staff who see only some, and by staff who may be told the others where many are put together. Each zone is
around a random stream, of a random level from 9 to 21, over a random period. Target: p95 50 ms, the first
questions among them: nothing is asked before.
"""

import argparse
import http.client
import os
import sqlite3
import tempfile
import threading
import time
import urllib.parse
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient

from jingwei import grid
from jingwei.access import Asker, local_person
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.city import open_city
from jingwei.city.models import CityRow
from jingwei.records import now_utc
from jingwei.sense.readings import Batch
from jingwei.web import OPEN, create_app, serve

OWN, OTHER = "11440300000000001R", "11440300000000002W"
TOGETHER = """
@id("staff-told-together") @smallest("3")
permit (principal in Role::"staff", action == Action::"sense.summarise", resource);
"""
HOUR = 3_600_000_000
WEST, SOUTH, SIZE = 114.0, 30.0, 0.6
THING = {
    "name": "station", "description": "",
    "Locations": [{
        "name": "here", "description": "", "encodingType": "application/geo+json",
        "location": {"type": "Point", "coordinates": [WEST, SOUTH]},
    }],
    "Datastreams": [{
        "name": "PM2.5", "description": "", "observationType": "m", "unitOfMeasurement": {"symbol": "ug/m3"},
        "Sensor": {"name": "s", "description": "", "encodingType": "text/html", "metadata": "x"},
        "ObservedProperty": {"name": "PM2.5", "definition": "d", "description": ""},
    }],
}  # fmt: skip


def copies(home: Path, count: int, codes: np.ndarray) -> None:
    """Make of the one station many at other places, of two departments."""
    lines = sqlite3.connect(home / "records.db")
    own = {
        "sense_thing": ("id",), "sense_location": ("id",),
        "sense_thing_location": ("thing_id", "location_id"), "sense_stream": ("id", "thing_id"),
        "sense_stream_property": ("stream_id",),
    }  # fmt: skip
    sharing = ("none", "conditional", "unconditional")
    for table, numbered in own.items():
        found = lines.execute(f"SELECT * FROM {table} LIMIT 1")
        names = [one[0] for one in found.description]
        row = dict(zip(names, found.fetchone(), strict=True))
        made = []
        for number in range(2, count + 1):
            told = row | dict.fromkeys(numbered, number)
            if "owner" in row:
                told["owner"] = OTHER if number % 2 else OWN
                told["sharing"] = sharing[number // 2 % 3] if number % 2 else "none"
            if table == "sense_location":
                told |= {"feature_id": None, "cell": int(grid.to_stored(codes[number - 1]))}
            made.append([told[name] for name in names])
        lines.executemany(
            f"INSERT INTO {table} ({','.join(names)}) VALUES ({','.join('?' * len(names))})", made
        )
    lines.commit()
    lines.close()


def main() -> None:
    """Measure, and print the rows of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=30_000)
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--asked", type=int, default=200)
    parser.add_argument("--port", type=int, default=8189)
    asked = parser.parse_args()
    random = np.random.default_rng(1)
    places = np.array([WEST, SOUTH]) + random.random((asked.streams, 2)) * SIZE
    codes = np.asarray(grid.encode(places[:, 0], places[:, 1], 32), np.uint64)
    end = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1_000_000
    begin = end - asked.days * 24 * HOUR
    who: dict[str, Asker] = {}
    with tempfile.TemporaryDirectory() as folder, open_city(Path(folder), create=True) as city:
        about = {
            "name": {"zh": "bench"},
            "adcode": "990200",
            "generated": False,
            "time_zone": "Asia/Shanghai",
        }
        with city.records.write() as session:
            session.add(CityRow(id="bench", about=about, pack="", data="", changed=now_utc()))
        app = create_app(city, entry=OPEN)
        with TestClient(app, base_url="http://localhost") as client:
            assert client.post("/sta/v1.1/Things", json=THING).status_code == 201
            copies(Path(folder), asked.streams, codes)
            streams = np.arange(1, asked.streams + 1)
            for hour in range(begin, end, HOUR):
                values = random.normal(50, 10, asked.streams)
                app.state.readings.append(Batch(streams, np.full(asked.streams, hour), values))
            app.state.readings.flush(compact=True)
        started = time.perf_counter()
        app.state.rollups().keep_up()
        took = time.perf_counter() - started
        print(f"{asked.streams:,} streams, {asked.days} days: rolled up in {took:.0f} s", flush=True)
        text = default_policies().text + TOGETHER
        together = Policies(text, 0, [(OWN, None), (OTHER, None)])
        app.state.gate.asker_without_asking = lambda _: who["asks"]
        ready = threading.Event()
        given = {"port": asked.port, "ready": lambda _: ready.set()}
        threading.Thread(target=serve, args=(app,), kwargs=given, daemon=True).start()
        ready.wait()
        questions = []
        for _ in range(asked.asked):
            level = int(random.integers(9, 22))
            cell = grid.Cell.at(*random.choice(places), level)
            since, until = np.sort(random.integers(begin // HOUR, end // HOUR, 2)) * HOUR
            moments = "/".join(
                datetime.fromtimestamp(int(one) / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                for one in (since, until + HOUR)
            )
            zone = urllib.parse.quote(str(cell))
            questions.append(f"{zone}?{urllib.parse.urlencode({'datetime': moments})}")
        staff = Asker("person/1", "staff", frozenset({"staff"}), frozenset({OWN}))
        ordinary = app.state.sensing.policies
        for name, asker, policies in (
            ("who sees all", local_person(), ordinary),
            ("staff who see some", staff, ordinary),
            ("staff who are told the others together", staff, lambda: together),
        ):
            who["asks"], app.state.sensing.policies = asker, policies
            ask(name, asked.port, questions)
        os._exit(0)


def ask(name: str, port: int, questions: list[str]) -> None:
    """Ask one after the other; print how long it took."""
    line = http.client.HTTPConnection("127.0.0.1", port)
    took, spent, told, withheld = [], [], 0, 0
    for question in questions:
        started, worked = time.perf_counter(), time.process_time()
        line.request("GET", f"/api/dggs-api/collections/sense-observations/dggs/geosot/zones/{question}")
        answer = line.getresponse()
        body = answer.read()
        took.append((time.perf_counter() - started) * 1000)
        spent.append((time.process_time() - worked) * 1000)
        assert answer.status == 200, (answer.status, body, question)
        told += b'"count"' in body and b'"count":0' not in body
        withheld += b'"withheld"' in body
    p50, p95 = np.percentile(took, [50, 95])
    cpu50, cpu95 = np.percentile(spent, [50, 95])
    print(
        f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, first {took[0]:.0f} ms;"
        f" CPU of client and server p50 {cpu50:.1f} ms, p95 {cpu95:.1f} ms"
        f" ({told} with figures, {withheld} withheld; load {os.getloadavg()[0]:.1f})",
        flush=True,
    )


if __name__ == "__main__":
    main()
