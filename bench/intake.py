"""A department's CSV from file to published, and a question of place and time, beside PostGIS in one run.

Run: python bench/intake.py [rows] [--data FOLDER]. The file holds observations over 35 days in the order of
time, as systems write them, half of them around 400 centres. Ours is the product as it ships: the city has a
boundary and a contract of ten rules in force, and the file is the next of a known source. The peer is
PostgreSQL with PostGIS in a cluster of its own (no fsync): COPY, points made, GiST and BRIN built, VACUUM
ANALYZE. Then both are asked for one day in one hundredth of the area, warm, the same questions, and counts
are compared. PostGIS compares boxes in single precision, so its rows are held to the exact edges besides.
"""

import argparse
import gc
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

sys.path.insert(0, str(Path(__file__).resolve().parent))
from link import Cluster

WEST, SOUTH, EAST, NORTH = 113.75, 22.44, 114.62, 22.86
DAYS = 35
START = 1_767_196_800
"""2026-01-01 in China, as seconds since 1970."""
KINDS = ["噪声", "扬尘", "积水", "井盖", "照明", "违停", "占道", "垃圾", "绿化", "公厕", "护栏", "广告"]
STATES = ["正常", "待查", "处置中", "办结"]
QUESTIONS = 40
KNOWN_ROWS = 300_000
"""Rows of the file that made the source known: enough for all that a large file needs to be in memory."""
BLOCK = 500_000

MANIFEST = """
[city]
id = "bench"
name = { zh = "测试" }
adcode = "990100"
boundary = { source = "boundary" }

[[source]]
id = "boundary"
file = "boundary.geojson"
title = { zh = "边界" }
place = { geometry = "geometry", crs = "WGS84" }

[[source]]
id = "observations"
file = "observations.csv"
title = { zh = "观测" }
keys = ["id"]
place = { lon = "lon", lat = "lat", crs = "WGS84" }
time = { column = "time", precision = "second" }
"""


def contract() -> dict:
    """Return the contract: ten rules on rows."""
    return {
        "dataset": "observations",
        "fields": [
            {"name": "id", "type": "integer", "required": True, "unique": True},
            {"name": "kind", "required": True, "codes": KINDS},
            {"name": "device", "pattern": "[A-Z]{2}[0-9]{6}"},
            {"name": "lon", "type": "number"},
            {"name": "lat", "type": "number"},
            {"name": "value", "type": "number", "least": -50, "most": 150},
            {"name": "state", "codes": STATES},
            {"name": "time", "type": "time"},
        ],
        "rules": [
            {"kind": "never", "where": "state = '办结' AND value > 120"},
            {"kind": "inside"},
        ],
    }


def block(first: int, rows: int, total: int, centres: np.ndarray) -> pa.Table:
    """Return rows from `first` on: one in ten thousand has a fault of each of four kinds."""
    random = np.random.default_rng(first)
    near = random.random(rows) < 0.5
    of = random.integers(0, len(centres), rows)
    lon = np.where(near, centres[of, 0] + random.normal(0, 0.004, rows), random.uniform(WEST, EAST, rows))
    lat = np.where(near, centres[of, 1] + random.normal(0, 0.004, rows), random.uniform(SOUTH, NORTH, rows))
    seconds = START + ((np.arange(first, first + rows) + random.random(rows)) * DAYS * 86_400 / total)
    written = pc.strftime(
        pa.array(seconds.astype(np.int64) + 8 * 3600, pa.timestamp("s")), "%Y-%m-%d %H:%M:%S"
    )
    number = random.integers(0, 20_000, rows)
    device = pc.binary_join_element_wise("SZ", pc.utf8_lpad(pa.array(number).cast(pa.string()), 6, "0"), "")
    value = random.normal(40, 15, rows).round(1)
    value[17::10_000] = 999.9
    kind = random.integers(0, len(KINDS), rows)
    kinds = pa.DictionaryArray.from_arrays(pa.array(kind, mask=np.arange(rows) % 10_000 == 18), KINDS)
    lon[19::10_000] = 0.0
    lat[19::10_000] = 0.0
    lon[20::10_000] = EAST + 0.3
    return pa.table(
        {
            "id": np.arange(first, first + rows),
            "kind": kinds.cast(pa.string()),
            "device": device,
            "lon": lon.round(6),
            "lat": lat.round(6),
            "value": value,
            "state": pa.DictionaryArray.from_arrays(random.integers(0, 4, rows), STATES).cast(pa.string()),
            "time": written,
        }
    )


def generate(folder: Path, rows: int) -> None:
    """Write the pack: the manifest, a boundary of 400 corners, and the CSV."""
    centres = np.random.default_rng(1).uniform([WEST, SOUTH], [EAST, NORTH], (400, 2))
    turns = np.linspace(0, 2 * np.pi, 401)
    wide, high = (EAST - WEST) * 0.72, (NORTH - SOUTH) * 0.72
    ring = np.stack(
        [
            (WEST + EAST) / 2 + wide * (1 + 0.02 * np.sin(23 * turns)) * np.cos(turns),
            (SOUTH + NORTH) / 2 + high * (1 + 0.02 * np.sin(23 * turns)) * np.sin(turns),
        ],
        axis=1,
    )
    ring[-1] = ring[0]
    feature = {
        "type": "Feature",
        "properties": {},
        "geometry": {"type": "Polygon", "coordinates": [ring.round(6).tolist()]},
    }
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    (folder / "boundary.geojson").write_text(text, "utf-8")
    (folder / "city.toml").write_text(MANIFEST, "utf-8")
    with (folder / "observations.csv").open("wb") as file:
        for first in range(0, rows, BLOCK):
            one = block(first, min(BLOCK, rows - first), rows, centres)
            pacsv.write_csv(one, file, pacsv.WriteOptions(include_header=first == 0, quoting_style="none"))


def load(pack: Path, home: Path, first: Path | None = None) -> dict:
    """Load the pack in this process; return seconds, rows, what was found and peak memory.

    With a folder for the first file, this process takes that one before, as a city that runs has; else this
    load is the first that the process sees.
    """
    from jingwei.access import local_person
    from jingwei.city import load_pack, open_city, read_manifest
    from jingwei.lake import contracting

    if first is not None:
        found_city(pack, home, first)
    gc.collect()
    gc.freeze()  # as the command does (jingwei.cli)

    with open_city(home) as city:
        started, worked = time.perf_counter(), time.process_time()
        report = load_pack(city, read_manifest(pack), pack, pack, local_person(), only="observations")
        seconds, cpu = time.perf_counter() - started, time.process_time() - worked
        (source,) = report.sources
        checked = contracting.reports(city.lake, local_person(), "observations", limit=1)[0].report
    return {
        "rows": source.counts.read,
        "published": source.counts.published,
        "stage": source.stage,
        "score": checked.score,
        "broken": {one.id: one.rows for one in checked.rules if one.failed},
        "rules": len([one for one in checked.rules if one.rows is not None]),
        "seconds": round(seconds, 2),
        "processor_seconds": round(cpu, 2),
        "rows_per_s": round(source.counts.read / seconds),
        "peak_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def found_city(pack: Path, home: Path, work: Path) -> None:
    """Make the city known: its boundary, the first rows of the source, the contract in force."""
    from jingwei.access import local_person
    from jingwei.city import load_pack, open_city, read_manifest
    from jingwei.city.assessing import adopt_contract
    from jingwei.lake.contracts import Contract

    work.mkdir()
    for name in ("city.toml", "boundary.geojson"):
        shutil.copy(pack / name, work / name)
    with (pack / "observations.csv").open("rb") as all_rows, (work / "observations.csv").open("wb") as some:
        some.writelines(line for line, _ in zip(all_rows, range(KNOWN_ROWS + 1), strict=False))
    with open_city(home, create=True) as city:
        load_pack(city, read_manifest(work), work, work, local_person())
        adopt_contract(city, local_person(), Contract.model_validate(contract()), after=0)


def questions(seed: int) -> list[tuple[int, float, float, float, float]]:
    """Return random questions: a day, and a box of one hundredth of the area."""
    random = np.random.default_rng(seed)
    wide, high = (EAST - WEST) / 10, (NORTH - SOUTH) / 10
    told = []
    for _ in range(QUESTIONS):
        west, south = random.uniform(WEST, EAST - wide), random.uniform(SOUTH, NORTH - high)
        told.append((int(random.integers(0, DAYS)), west, south, west + wide, south + high))
    return told


def ours_asked(home: Path) -> dict:
    """Ask each question twice for its rows (id and value), as `city.query` does; the second time is taken."""
    from jingwei.access import local_person
    from jingwei.city import open_city
    from jingwei.lake.region import region_of_bounds

    seconds, counts = [], []
    with open_city(home) as city:
        for day, *box in questions(7):
            since = (START + day * 86_400) * 1_000_000
            for _ in range(2):
                started = time.perf_counter()
                rows = city.lake.query(
                    local_person(),
                    "observations",
                    region=region_of_bounds(*box),
                    period=(since, since + 86_400_000_000 - 1),
                    columns=["id", "value"],
                    limit=100_000,
                )
                last = time.perf_counter() - started
            seconds.append(last)
            counts.append(rows.table.num_rows)
        bytes_ = sum(path.stat().st_size for path in _current(city))
    return {
        "p50_ms": _p(seconds, 50),
        "p95_ms": _p(seconds, 95),
        "MiB": round(bytes_ / 2**20),
        "counts": counts,
    }


def _current(city: object) -> list[Path]:
    from jingwei.lake.store import TABLES

    dataset = next(one for one in city.lake.catalogue() if one.id == "observations")
    content = dataset.version.content
    return [
        city.lake.root / "observations" / kind / f.path for kind in TABLES for f in getattr(content, kind)
    ]


def _p(seconds: list[float], share: int) -> float:
    return round(1000 * statistics.quantiles(seconds, n=100, method="inclusive")[share - 1], 1)


def apart(work, *arguments: object) -> dict:
    """Run in a new process, so that memory and caches are its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def postgis(file: Path) -> dict:
    """Load the same file into PostGIS, index it, and ask the same questions."""
    cluster = Cluster()
    try:
        with cluster.connect() as connection:
            connection.execute("CREATE EXTENSION postgis")
            connection.execute(
                "CREATE TABLE o (id bigint, kind text, device text, lon float8, lat float8, value float8, "
                "state text, time timestamp, place geometry(Point, 4490) "
                "GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(lon, lat), 4490)) STORED)"
            )
            connection.execute("SET maintenance_work_mem = '1GB'")
            started = time.perf_counter()
            listed = "id, kind, device, lon, lat, value, state, time"
            with (
                file.open("rb") as rows,
                connection.cursor().copy(f"COPY o ({listed}) FROM STDIN CSV HEADER") as copy,
            ):
                while piece := rows.read(1 << 20):
                    copy.write(piece)
            copied = time.perf_counter() - started
            connection.execute("CREATE INDEX ON o USING gist (place)")
            connection.execute("CREATE INDEX ON o USING brin (time)")
            connection.execute("VACUUM ANALYZE o")
            ready = time.perf_counter() - started
            seconds, counts = [], []
            for day, *box in questions(7):
                for _ in range(2):
                    asked = time.perf_counter()
                    rows = connection.execute(
                        "SELECT id, value FROM o WHERE place && ST_MakeEnvelope(%s, %s, %s, %s, 4490) "
                        "AND lon BETWEEN %s AND %s AND lat BETWEEN %s AND %s "
                        "AND time >= timestamp '2026-01-01' + %s * interval '1 day' "
                        "AND time < timestamp '2026-01-01' + (%s + 1) * interval '1 day'",
                        (*box, box[0], box[2], box[1], box[3], day, day),
                    ).fetchall()
                    last = time.perf_counter() - asked
                seconds.append(last)
                counts.append(len(rows))
            (size,) = connection.execute("SELECT pg_total_relation_size('o')").fetchone()
        return {
            "copy_s": round(copied, 1),
            "ready_s": round(ready, 1),
            "p50_ms": _p(seconds, 50),
            "p95_ms": _p(seconds, 95),
            "MiB": round(size / 2**20),
            "counts": counts,
        }
    finally:
        cluster.stop()


BARE = {
    "counted": "SELECT {counted} FROM {source}",
    "as Parquet": "COPY (FROM {source}) TO '{out}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)",
    "as Parquet, sorted": "COPY (SELECT *, {code} AS code FROM {source} ORDER BY code) TO '{out}' "
    "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)",
}
"""What a database does with the file where it only reads it, where it keeps it, and where it sorts it."""
TYPES = "{'id': 'BIGINT', 'kind': 'VARCHAR', 'device': 'VARCHAR', 'lon': 'DOUBLE', 'lat': 'DOUBLE', "
TYPES += "'value': 'DOUBLE', 'state': 'VARCHAR', 'time': 'TIMESTAMP'}"


def _interleaved() -> str:
    """Return SQL for a code of 62 bits: longitude and latitude in 2**31 steps, bit by bit in turn."""

    def spread(axis: str) -> str:
        value = axis
        for shift, mask in ((16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
                            (2, 0x3333333333333333), (1, 0x5555555555555555)):  # fmt: skip
            value = (
                f"(({value} | ({value} << {shift})) & {mask})" if shift == 16 else f"spread{shift}({value})"
            )
        return value

    lon, lat = (f"((({axis} + 180) * {2**31 / 360})::BIGINT)" for axis in ("lon", "lat"))
    return f"(({spread(lat)} << 1) | {spread(lon)})"


def bare(file: Path, what: str, folder: Path) -> dict:
    """Do one of `BARE` with DuckDB alone, types given, nothing checked; in a process of its own."""
    import duckdb

    engine = duckdb.connect(config={"memory_limit": "1600MB", "temp_directory": str(folder), "threads": 2})
    engine.execute("SET preserve_insertion_order = false; SET enable_progress_bar = false")
    for shift, mask in ((8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F), (2, 0x3333333333333333),
                        (1, 0x5555555555555555)):  # fmt: skip
        engine.execute(f"CREATE MACRO spread{shift}(v) AS ((v | (v << {shift})) & {mask})")
    source = f"read_csv('{file}', header = true, auto_detect = false, columns = {TYPES})"
    names = ("id", "kind", "device", "lon", "lat", "value", "state", "time")
    counted = ", ".join(f"count({name})" for name in names)
    out = folder / "bare.parquet"
    started, worked = time.perf_counter(), time.process_time()
    engine.execute(BARE[what].format(source=source, counted=counted, out=out, code=_interleaved()))
    told = {
        "seconds": round(time.perf_counter() - started, 1),
        "processor_seconds": round(time.process_time() - worked, 1),
        "peak_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    if out.exists():
        told["MiB"] = round(out.stat().st_size / 2**20)
        out.unlink()
    return told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="?", type=float, default=20e6)
    parser.add_argument("--data", type=Path, help="a folder that keeps the generated file between runs")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    told = parser.parse_args()
    rows = int(told.rows)
    with tempfile.TemporaryDirectory(prefix="jw-bench-") as scratch:
        pack = told.data or Path(scratch) / "pack"
        pack.mkdir(parents=True, exist_ok=True)
        if not (pack / "observations.csv").exists():
            generate(pack, rows)
        home = Path(scratch) / "home"
        size = round((pack / "observations.csv").stat().st_size / 2**30, 2)
        print(json.dumps({"rows": rows, "GiB": size, "load": round(os.getloadavg()[0], 1)}), flush=True)
        apart(found_city, pack, home, Path(scratch) / "cold")
        cold = {"load, the first of its process": apart(load, pack, home)}
        print(json.dumps(cold, ensure_ascii=False), flush=True)
        shutil.rmtree(home)
        warm = {"load in a city that runs": apart(load, pack, home, Path(scratch) / "first")}
        print(json.dumps(warm, ensure_ascii=False), flush=True)
        for what in BARE:
            print(
                json.dumps(
                    {f"DuckDB alone, {what}": apart(bare, pack / "observations.csv", what, Path(scratch))}
                )
            )
        ours = apart(ours_asked, home)
        theirs = {}
        if not told.alone:
            try:
                theirs = postgis(pack / "observations.csv")
            except (psycopg.Error, subprocess.CalledProcessError, ValueError) as error:
                print(f"peer not measured: {type(error).__name__} (make bench installs it on Debian)")
        differ = theirs and sum(abs(a - b) for a, b in zip(ours["counts"], theirs["counts"], strict=True))
        found = sum(ours.pop("counts"))
        theirs.pop("counts", None)
        print(json.dumps({"jingwei": ours, "postgis": theirs, "rows_found": found, "differ": differ}))
        print(json.dumps({"load_at_end": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
