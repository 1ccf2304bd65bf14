"""Large networks over which states of alarms go: building one, and what lies downstream of a place.

    python bench/networks.py [--lines 10000 100000 500000] [--asked 200]

Each is a grid of pipes of about 80 m that flow east or south, every pipe with its nodes, as the rows of a
dataset hold them. Half of the pipes are drawn against their flow. Asked is for the cells of level 17 within
five kilometres of flow from a random place on it. Run each size in a process of its own, to see its memory.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import shapely

from jingwei.sense.rules.networks import _network

WEST, SOUTH, STEP = 114.0, 30.0, 0.0008
FAR, NEAR, LEVEL = 5_000.0, 30.0, 17


def rows_of(lines: int) -> list[dict[str, object]]:
    """Return pipes as rows of a dataset: a key, two nodes, and a line as WKB."""
    side = round((lines / 2) ** 0.5)
    random = np.random.default_rng(1)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    x, y = x.ravel(), y.ravel()
    begins = np.concatenate([np.stack([x, y], 1)] * 2)
    ends = begins + np.repeat([[1, 0], [0, 1]], len(x), axis=0)
    nodes = np.array([WEST, SOUTH + side * STEP]) + np.stack([begins, ends], 1) * [STEP, -STEP]
    against = random.random(len(nodes)) < 0.5
    nodes[against] = nodes[against, ::-1]
    wkb = shapely.to_wkb(shapely.linestrings(nodes))
    names = [[f"{a}-{b}" for a, b in one.tolist()] for one in (begins, ends)]
    return [
        {"id": f"P{number}", "from": upper, "to": lower, "line": line, "jw_row": number, "jw_fact": number}
        for number, (upper, lower, line) in enumerate(zip(*names, wkb, strict=True))
    ]


def resident() -> float:
    """Return how much memory the process has now, MiB."""
    with open("/proc/self/statm") as told:  # noqa: PTH123 -- no file of ours
        return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(lines: int, asked: int) -> None:
    """Print the row of one size."""
    rows = rows_of(lines)
    version = SimpleNamespace(content=SimpleNamespace(geometry="line", keys=["id"]))
    before, started, worked = resident(), time.perf_counter(), time.process_time()
    network = _network(version, ["from", "to"], rows)
    built, spent = time.perf_counter() - started, time.process_time() - worked
    held = resident() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    random = np.random.default_rng(2)
    side, took, cells = round((lines / 2) ** 0.5), [], []
    network.cells(WEST, SOUTH, FAR, NEAR, LEVEL)  # what is loaded at first use is no part of it
    held_before = resident()
    for x, y in random.uniform(0.2, 0.6, (asked, 2)) * side:
        started = time.process_time()
        place = WEST + x * STEP, SOUTH + side * STEP - round(y) * STEP
        cells.append(len(network.cells(*place, FAR, NEAR, LEVEL)))
        took.append((time.process_time() - started) * 1000)
    p50, p95 = np.percentile(took, [50, 95])
    held_after = resident() - held_before
    print(
        f"{len(network.lines):,} lines: built in {built:.1f} s (CPU {spent:.1f} s), holds {held:.0f} MiB,"
        f" at most {peak:.0f} MiB beside the rows; {int(np.median(cells))} cells downstream:"
        f" CPU first {took[0]:.0f} ms, p50 {p50:.0f} ms, p95 {p95:.0f} ms,"
        f" {asked} places kept in {held_after:.0f} MiB"
        f" (load {os.getloadavg()[0]:.1f})",
        flush=True,
    )


def main() -> None:
    """Measure, and print the rows of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[10_000, 100_000, 500_000])
    parser.add_argument("--asked", type=int, default=200)
    asked = parser.parse_args()
    if len(asked.lines) == 1:
        measure(asked.lines[0], asked.asked)
        return
    for lines in asked.lines:
        command = [sys.executable, __file__, "--lines", str(lines), "--asked", str(asked.asked)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
