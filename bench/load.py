"""Loading: the Shenzhen pack, 10 million generated points end to end, a CSV of 2 GiB, with memory.

Run: python bench/load.py [rows] [GiB of the CSV]. The product as it ships: manifest, detection, checks,
quarantine, covers, quality, Delta commit, record store and events.
"""

import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent


def load(pack: str, data: str, home: str) -> dict:
    """Load a pack in this process; return seconds, rows and peak memory."""
    from jingwei.access import local_person
    from jingwei.city import load_pack, open_city, read_manifest

    started = time.perf_counter()
    with open_city(Path(home), create=True) as city:
        report = load_pack(city, read_manifest(Path(pack)), Path(pack), Path(data), local_person())
    seconds = time.perf_counter() - started
    return {
        "rows": sum(source.counts.read for source in report.sources),
        "complete": report.complete,
        "seconds": round(seconds, 2),
        "peak_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def fresh(pack: Path, data: Path) -> dict:
    """Load in a new process and a new home, so that memory and caches are the load's own."""
    home = tempfile.mkdtemp(prefix="jw-bench-")
    try:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            return pool.apply(load, (str(pack), str(data), home))
    finally:
        shutil.rmtree(home)


def points(first: int, rows: int) -> pa.Table:
    """Return random points with an id, a value and a time; 0.1 % lie off the earth."""
    random = np.random.default_rng(first)
    lon = random.uniform(113.75, 114.62, rows)
    lon[::1000] = 314.0
    return pa.table(
        {
            "id": np.arange(first, first + rows),
            "lon": lon,
            "lat": random.uniform(22.44, 22.86, rows),
            "value": random.normal(20, 5, rows).round(2),
            "time": pa.array(random.integers(1_577_808_000, 1_609_430_400, rows) * 1_000_000).cast(
                pa.timestamp("us", "UTC")
            ),
        }
    )


MANIFEST = """
[city]
id = "bench"
name = { zh = "测试" }
adcode = "990100"
[[source]]
id = "points"
file = "points.*"
title = { zh = "点" }
keys = ["id"]
place = { lon = "lon", lat = "lat", crs = "WGS84" }
time = { column = "time", precision = "second" }
"""


def generate(folder: Path, rows: int) -> None:
    """Write a pack of points as Parquet."""
    pq.write_table(points(0, rows), folder / "points.parquet")
    (folder / "city.toml").write_text(MANIFEST, "utf-8")


def generate_csv(folder: Path, gibibytes: float) -> None:
    """Write a pack of points as a CSV of about this size."""
    with (folder / "points.csv").open("wb") as file:
        first = 0
        while file.tell() < gibibytes * 2**30:
            block = points(first, 500_000)
            pacsv.write_csv(block, file, pacsv.WriteOptions(include_header=first == 0))
            first += block.num_rows
    (folder / "city.toml").write_text(MANIFEST, "utf-8")


def measured(folder: Path) -> dict:
    result = fresh(folder, folder)
    return {**result, "rows_per_s": round(result["rows"] / result["seconds"])}


def main() -> None:
    rows = int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000
    shenzhen = ROOT.parent / "shared" / "data" / "shenzhen"
    if shenzhen.is_dir():
        print(json.dumps({"shenzhen": fresh(ROOT / "examples" / "shenzhen", shenzhen)}))
    else:
        print("shenzhen: skipped, its public data is not on this machine")
    with tempfile.TemporaryDirectory(prefix="jw-bench-") as folder:
        generate(Path(folder), rows)
        print(json.dumps({"points": measured(Path(folder))}))
    gibibytes = float(sys.argv[2]) if len(sys.argv) > 2 else 2.0
    with tempfile.TemporaryDirectory(prefix="jw-bench-") as folder:
        generate_csv(Path(folder), gibibytes)
        size = (Path(folder) / "points.csv").stat().st_size
        print(json.dumps({"csv": {"GiB": round(size / 2**30, 2), **measured(Path(folder))}}))


if __name__ == "__main__":
    main()
