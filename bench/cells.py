"""Cells of SensorThings over very many streams: listing them, and which cell a stream is in.

    python bench/cells.py [--streams 100000] [--asked 100]

The streams lie over 60 km and have a reading each. Half of them are another department's, which shares a
third of these with nobody, a third under conditions, a third with all. Asked, without HTTP, by who sees all
of them, by staff who see only some, and by staff who may be told the others where many are put together.
The first answer of each works out of which streams the asker may be told what; the others rest on it.
"""

import argparse
import os
import tempfile
import time
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
from jingwei.sense.cells import service
from jingwei.sense.readings import Batch
from jingwei.sense.rollups import Aggregates
from jingwei.sense.service import Asked
from jingwei.web import OPEN, create_app
from zones import OTHER, OWN, SIZE, SOUTH, THING, TOGETHER, WEST, copies


def resident() -> float:
    """Return how much memory the process has now, MiB."""
    with open("/proc/self/statm") as told:  # noqa: PTH123 -- no file of ours
        return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Measure, and print the rows of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=100_000)
    parser.add_argument("--asked", type=int, default=100)
    asked = parser.parse_args()
    random = np.random.default_rng(1)
    places = np.array([WEST, SOUTH]) + random.random((asked.streams, 2)) * SIZE
    codes = np.asarray(grid.encode(places[:, 0], places[:, 1], 32), np.uint64)
    with tempfile.TemporaryDirectory() as folder, open_city(Path(folder), create=True) as city:
        about = {"name": {"zh": "bench"}, "adcode": "990200", "generated": False}
        about["time_zone"] = "Asia/Shanghai"
        with city.records.write() as session:
            session.add(CityRow(id="bench", about=about, pack="", data="", changed=now_utc()))
        app = create_app(city, entry=OPEN)
        with TestClient(app, base_url="http://localhost") as client:
            assert client.post("/sta/v1.1/Things", json=THING).status_code == 201
            copies(Path(folder), asked.streams, codes)
            hour = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp()) * 1_000_000
            streams = np.arange(1, asked.streams + 1)
            values = random.normal(50, 10, asked.streams)
            app.state.readings.append(Batch(streams, np.full(asked.streams, hour), values))
            rollups = app.state.rollups()
            rollups.keep_up()
            sensing = app.state.sensing
            together = Policies(default_policies().text + TOGETHER, 0, [(OWN, None), (OTHER, None)])
            staff = Asker("person/1", "staff", frozenset({"staff"}), frozenset({OWN}))
            ordinary = sensing.policies
            for name, asker, policies in (
                ("who sees all", local_person(), ordinary),
                ("staff who see some", staff, ordinary),
                ("staff who are told the others together", staff, lambda: together),
            ):
                sensing.policies = policies
                of = Rows(app, asker)
                print(name, flush=True)
                zone = str(grid.Cell.at(*places[0], 12))
                of.row("first page", "Cells", "$top=100")
                levels = random.integers(9, 17, asked.asked).tolist()
                some = [str(grid.Cell.at(*random.choice(places), level)) for level in levels]
                own = random.choice(np.arange(2, asked.streams, 2), asked.asked)
                of.row("one cell", *(f"Cells('{one}')" for one in some))
                of.row("its children", *(f"Cells('{one}')/Children" for one in some))
                of.row("of a stream", *(f"Datastreams({one})/Cell" for one in own))
                of.row("a page, filtered", "Cells", "$filter=zoneLevel eq 15&$top=100")
                of.row("number of cells", "Cells/$count")
                of.row("streams of a cell", f"Cells('{zone}')/Datastreams")


class Rows:
    """Asks for one asker, and prints how long it took."""

    def __init__(self, app: object, asker: Asker) -> None:
        self.app, self.asker = app, asker

    def row(self, name: str, *paths: str) -> None:
        """Ask for each path, of which the last may be options."""
        options = ""
        if paths[-1].startswith("$"):
            *paths, options = paths
        state = self.app.state
        before, took, missing = resident(), [], 0
        for path in paths:
            started = time.process_time()
            try:
                told = service.ask(
                    state.sensing,
                    self.asker,
                    Asked("GET", path, options),
                    "http://localhost/sta-dggs/v1.1",
                    lambda: Aggregates(
                        state.sensing,
                        state.rollups(),
                        self.asker,
                        scope=state.scopes.of(state.sensing, self.asker),
                    ),
                )
            except service.JingweiError:
                missing += 1
            took.append((time.process_time() - started) * 1000)
        p50, p95 = np.percentile(took, [50, 95])
        shown = f", {told.body.value}" if path.endswith("$count") else ""
        print(
            f"  {name}: CPU first {took[0]:.0f} ms, p50 {p50:.1f} ms, p95 {p95:.1f} ms,"
            f" {missing} of {len(took)} not told, {resident() - before:+.0f} MiB{shown}"
            f" (load {os.getloadavg()[0]:.1f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
