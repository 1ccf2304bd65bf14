"""How fast the grid works on one core, beside its peers and the memory of the same machine, in one run.

    python bench/grid.py [--core 1] [--quick] [--write]

The bound for encoding is the time in which the core reads two arrays of doubles and writes a third of the
same length: the traffic of encoding, 16 bytes read and 8 written for each point, on the same one core. It is
taken from the faster of two programs, `numpy.add` and a compiled loop, into memory as `grid.encode` finds it
(fresh from the system, which must clear it) and, for the kernel alone, into memory that is there already. The
streams and encoding take turns and the best of each counts, so that one moment's load does not fall on one of
them. All write through the cache, which reads each line before it is written. Ten million points are 240 MB,
beyond any cache of the machine.

`--write` puts the tables into docs/benchmarks.md.
"""

import argparse
import contextlib
import datetime as dt
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import geohash
import h3
import h3ronpy
import h3ronpy.vector
import numba
import numpy as np
import s2geometry as s2
import shapely

from jingwei import grid
from jingwei.grid import kernels

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
HEADING = "## Grid"
READY = """
import time
start = time.perf_counter()
import numpy
numpy_done = time.perf_counter()
from jingwei import grid
imported = time.perf_counter()
grid.encode(numpy.array([116.3]), numpy.array([39.9]))
done = time.perf_counter()
print(imported - numpy_done, done - numpy_done)
"""

rows, notes = [], []


def best(function, repeat=5):
    """Least seconds of some calls, and what the call gives; the first call warms up and is not counted."""
    result = function()
    times = []
    for _ in range(repeat):
        del result
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


def in_turn(functions, rounds=9):
    """Least seconds of each of some calls that take turns; the first round warms up and is not counted."""
    times = dict.fromkeys(functions, float("inf"))
    for turn in range(rounds + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            result = function()
            taken = time.perf_counter() - start
            del result
            if turn:
                times[name] = min(times[name], taken)
    return times


def once(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def report(work, ours, target, reached, peers):
    rows.append((work, ours, target, "yes" if reached else "**no**", peers))
    print(
        f"{work:<46}{ours:>24}   target {target:<34} {'ok' if reached else 'MISSED':<8} {peers}", flush=True
    )


def mega(count, seconds):
    return count / seconds / 1e6


@numba.njit(cache=True)
def add(a, b, out):
    for i in range(a.size):
        out[i] = a[i] + b[i]


def points(count):
    rng = np.random.default_rng(1)
    return rng.uniform(-180, 180, count), rng.uniform(-87.9, 87.9, count)


def area():
    """A polygon of 5,000 corners, about 100 km across, near 40 degrees north."""
    rng = np.random.default_rng(2)
    angle = np.linspace(0, 2 * np.pi, 5001)[:-1]
    order = np.arange(1, 60)
    waves = np.sin(np.outer(angle, order) + rng.uniform(0, 2 * np.pi, 59)) @ (
        rng.normal(size=59) / order**1.3
    )
    radius = 0.365 * (1 + 0.07 * waves)
    return shapely.Polygon(
        np.column_stack(
            (116.4 + radius * np.cos(angle) / np.cos(np.radians(39.9)), 39.9 + radius * np.sin(angle))
        )
    )


def ready():
    def fresh():
        command = [sys.executable, "-c", READY]
        return [
            float(v)
            for v in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        ]

    fresh()
    light, full = (min(values) for values in zip(*(fresh() for _ in range(5)), strict=True))
    report(
        "a new process is ready", f"{full:.2f} s", "0.70 s", full <= 0.7, f"import alone {light * 1e3:.0f} ms"
    )


def streams_and_encoding(lon, lat):
    """Seconds of streams and of encoding into new memory and into old, and the codes."""
    old = np.empty(lon.size, dtype=np.uint64)
    as_floats, mask = old.view(np.float64), np.uint64(2**64 - 1)
    times = in_turn(
        {
            "loop": lambda: add(lon, lat, np.empty_like(lon)),
            "numpy": lambda: np.add(lon, lat),
            "encode": lambda: grid.encode(lon, lat),
            "old loop": lambda: add(lon, lat, as_floats),
            "old numpy": lambda: np.add(lon, lat, out=as_floats),
            "old encode": lambda: kernels.encode(lon, lat, mask, kernels.CAP_LIMIT, old),
        }
    )
    return times, old


def encoding(count):
    lon, lat = points(count)
    times, codes = streams_and_encoding(lon, lat)
    stream, reused = (min(times[f"{memory}loop"], times[f"{memory}numpy"]) for memory in ("", "old "))
    seconds = times["encode"]
    some = slice(0, count // 10)
    rust, cells = best(lambda: h3ronpy.vector.coordinates_to_cells(lat[some], lon[some], 15), 2)
    few = list(zip(lat[:100_000].tolist(), lon[:100_000].tolist(), strict=True))
    python, _ = once(lambda: [h3.latlng_to_cell(y, x, 15) for y, x in few])
    swig, _ = once(lambda: [s2.S2CellId(s2.S2LatLng.FromDegrees(y, x)).id() for y, x in few])
    ours, bound, peer = mega(count, seconds), mega(count, stream), mega(count // 10, rust)
    peers = f"h3ronpy {peer:.2f}, h3 {mega(1e5, python):.2f}, s2geometry {mega(1e5, swig):.2f} M/s"
    report(
        "points to the 64-bit code",
        f"{ours:.0f} M/s",
        f"100 x h3ronpy = {100 * peer:.0f} M/s",
        ours >= 100 * peer,
        peers,
    )
    report(
        "the same, of the memory's bound",
        f"{100 * ours / bound:.0f} %",
        "70 %",
        ours >= 0.7 * bound,
        f"bound {bound:.0f} M/s into new memory; into old memory bound {mega(count, reused):.0f} M/s and "
        f"kernel {mega(count, times['old encode']):.0f} M/s = {100 * reused / times['old encode']:.0f} %",
    )
    seconds, _ = best(lambda: grid.parent(codes, 32, 19))
    rust, _ = best(lambda: h3ronpy.change_resolution(cells, 9), 2)
    report(
        "parent",
        f"{mega(count, seconds):.0f} M/s",
        "200 M/s",
        mega(count, seconds) >= 200,
        f"h3ronpy {mega(count // 10, rust):.1f} M/s",
    )
    seconds, _ = best(lambda: grid.centre(codes, 32), 3)
    rust, _ = best(lambda: h3ronpy.vector.cells_to_coordinates(cells), 2)
    bounds, _ = best(lambda: grid.bounds(codes, 32), 3)
    report(
        "decode (middle of each cell)",
        f"{mega(count, seconds):.0f} M/s",
        "50 M/s",
        mega(count, seconds) >= 50,
        f"h3ronpy {mega(count // 10, rust):.2f} M/s; our four bounds {mega(count, bounds):.0f} M/s",
    )


def texts(count):
    lon, lat = points(count)
    seconds, codes = best(lambda: grid.beidou_string(lon, lat, 8), 3)
    few = list(zip(lat[:200_000].tolist(), lon[:200_000].tolist(), strict=True))
    peer, hashes = once(lambda: [geohash.encode(y, x, 10) for y, x in few])
    report(
        "points to BeiDou code, level 8",
        f"{mega(count, seconds):.0f} M/s",
        "25 M/s",
        mega(count, seconds) >= 25,
        f"python-geohash {mega(2e5, peer):.2f} M/s",
    )
    seconds, _ = best(lambda: grid.parse_beidou(codes), 3)
    peer, _ = once(lambda: [geohash.decode(one) for one in hashes])
    report(
        "BeiDou code, level 8, to the 64-bit code",
        f"{mega(count, seconds):.0f} M/s",
        "15 M/s",
        mega(count, seconds) >= 15,
        f"python-geohash {mega(2e5, peer):.2f} M/s",
    )


def covers(quick):
    polygon = area()
    seconds, cells = best(lambda: grid.cover(polygon, level=19, rule="centre").cells_at(19))
    rust, found = best(lambda: h3ronpy.vector.geometry_to_cells(polygon, 10), 2)
    peers = f"h3ronpy {len(found):,} cells in {rust * 1e3:.0f} ms"
    if not quick:
        shell = h3.LatLngPoly([(y, x) for x, y in polygon.exterior.coords])
        python, found = once(lambda: h3.polygon_to_cells(shell, 10))
        peers += f", h3 {len(found):,} in {python * 1e3:,.0f} ms"
    loop = s2.S2Polygon(
        s2.S2Loop([s2.S2LatLng.FromDegrees(y, x).ToPoint() for x, y in polygon.exterior.coords[:-1]])
    )
    fixed = s2.S2RegionCoverer()
    fixed.set_fixed_level(16)
    fixed.set_max_cells(10_000_000)
    swig, found = best(lambda: fixed.GetCovering(loop), 1)
    peers += f", s2geometry {len(found):,} in {swig * 1e3:.0f} ms"
    target = min(0.050, rust / 5)
    report(
        f"cover by centres, {len(cells):,} cells in code order",
        f"{seconds * 1e3:.1f} ms",
        f"50 ms and 5 x h3ronpy = {target * 1e3:.0f} ms",
        seconds <= target,
        peers,
    )
    seconds, cover = best(lambda: grid.cover(polygon, error_m=100))
    compact = s2.S2RegionCoverer()
    compact.set_max_level(17)  # diagonal at most 108 m; level 16 reaches 216 m
    compact.set_max_cells(10_000_000)
    swig, found = best(lambda: compact.GetCovering(loop), 1)
    report(
        f"compact cover, error <= 100 m, {len(cover.cells()[0]):,} cells",
        f"{seconds * 1e3:.1f} ms",
        "20 ms",
        seconds <= 0.020,
        f"s2geometry {len(found):,} cells in {swig * 1e3:.0f} ms",
    )
    return polygon


def containment(polygon, count):
    level = next(level for level in range(19, 33) if len(grid.cover(polygon, level=level)) >= 10_000)
    cover = grid.cover(polygon, level=level)
    rng = np.random.default_rng(3)
    west, south, east, north = polygon.bounds
    lon, lat = rng.uniform(west, east, count), rng.uniform(south, north, count)
    codes = grid.encode(lon, lat)
    seconds, inside = best(lambda: cover.contains(codes))
    shapely.prepare(polygon)
    some = slice(0, 200_000)
    peer, truth = once(lambda: shapely.contains_xy(polygon, lon[some], lat[some]))
    wrong = np.count_nonzero(truth & ~inside[some])
    assert wrong == 0
    report(
        f"point in cover, {count:,} points, {len(cover):,} ranges",
        f"{mega(count, seconds):.0f} M/s",
        "30 M/s",
        mega(count, seconds) >= 30,
        f"shapely prepared {mega(2e5, peer):.2f} M/s",
    )


def growth(largest):
    sizes = [10**k for k in range(3, 9) if 10**k <= largest]
    lon, lat = points(sizes[-1])
    table = []
    for size in sizes:
        x, y = lon[:size], lat[:size]
        repeat = 20 if size <= 1e5 else 3
        encode, codes = best(lambda x=x, y=y: grid.encode(x, y), repeat)
        parent, _ = best(lambda c=codes: grid.parent(c, 32, 19), repeat)
        few = min(size, 10_000_000)
        text, _ = best(lambda x=x[:few], y=y[:few]: grid.beidou_string(x, y, 8), repeat)
        bounds, _ = best(lambda c=codes[:few]: grid.bounds(c, 32), repeat)
        table.append(
            (
                size,
                *(
                    f"{s * 1e9 / n:.2f}"
                    for s, n in ((encode, size), (parent, size), (bounds, few), (text, few))
                ),
            )
        )
        print(f"{size:>12,} points: ns a point {table[-1][1:]}", flush=True)
    return table


def machine():
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {numba.__version__}"
    return f"{model}, one core; {versions}"


def write(table):
    day, load = f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}", os.getloadavg()[0]
    lines = [
        HEADING,
        "",
        f"`python bench/grid.py --write`, {day}. {machine()}. Load of the machine at the end: {load:.1f}.",
        "",
        "| work | Jingwei | to reach | reached | beside it, in the same run |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        "How cost grows (nanoseconds a point; texts and bounds measured to 10 million):",
        "",
        "| points | to code | parent | bounds | to BeiDou level 8 |",
        "|---|---|---|---|---|",
        *(f"| {size:,} | {' | '.join(values)} |" for size, *values in table),
        "",
    ]
    section = "\n".join(lines)
    text = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else "# Benchmarks\n"
    before, found, after = text.partition(f"{HEADING}\n")
    rest = after.partition("\n## ")
    tail = f"\n## {rest[2]}" if found and rest[1] else ""
    DOCUMENT.write_text(before.rstrip() + "\n\n" + section + tail, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", type=int, help="the core to run on (the last by default)")
    parser.add_argument("--quick", action="store_true", help="fewer points, and without h3's slow cover")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    options = parser.parse_args()
    with contextlib.suppress(AttributeError):  # only where the system can pin
        core = max(os.sched_getaffinity(0)) if options.core is None else options.core
        os.sched_setaffinity(0, {core})
    print(machine(), flush=True)
    ready()
    encoding(10_000_000)
    texts(1_000_000 if options.quick else 5_000_000)
    polygon = covers(options.quick)
    containment(polygon, 10_000_000)
    table = growth(1_000_000 if options.quick else 100_000_000)
    if options.write:
        write(table)


if __name__ == "__main__":
    main()
