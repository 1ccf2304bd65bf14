"""Roll-ups: the Beijing readings over all levels and hour, day, month; the statistics of any zone.

    python bench/rules.py [--data FOLDER]

FOLDER holds `beijing_air_prsa_observations.parquet` and `beijing_air_stations.csv`. Targets on two cores: all
roll-ups of the 4.56 million readings 30 s, exact to 1e-9; the statistics of any zone p95 50 ms. Beside it
DuckDB groups the same readings, by each level at which the stations' cells part, once: it keeps nothing up.
"""

import argparse
import csv
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from jingwei import grid
from jingwei.city import open_city
from jingwei.sense.readings import Batch, Readings, StreamFacts
from jingwei.sense.rollups import HOUR, Address, Calendar, Rollups
from jingwei.sense.rollups.frames import shared_level

ZONE = ZoneInfo("Asia/Shanghai")
PROPERTIES = 11
ASKED = 400
CHUNK = 500_000


def read(folder: Path) -> tuple[pa.Table, np.ndarray]:
    """Return the readings, and the code of level 32 of each station."""
    with (folder / "beijing_air_stations.csv").open(encoding="utf-8") as file:
        places = [(float(row["lon"]), float(row["lat"])) for row in csv.DictReader(file)]
    codes = np.array([int(grid.encode(*place, 32)) for place in places], np.uint64)
    return pq.read_table(folder / "beijing_air_prsa_observations.parquet"), codes


def taken_in(readings: Readings, table: pa.Table) -> None:
    """Put the readings into the store and the lake."""
    stream = table["datastream_id"].to_numpy().astype(np.int64)
    moment = table["time_ms"].cast(pa.int64()).to_numpy() * 1000
    result = table["result"].to_numpy().astype(np.float64)
    for begin in range(0, len(stream), CHUNK):
        part = slice(begin, begin + CHUNK)
        readings.append(Batch(stream[part], moment[part], result[part]))
    readings.flush(compact=True)


def check(rollups: Rollups, table: pa.Table, codes: np.ndarray, random: np.random.Generator) -> float:
    """Return the greatest relative difference from NumPy over random cells and periods."""
    stream = table["datastream_id"].to_numpy().astype(np.int64)
    moment = table["time_ms"].cast(pa.int64()).to_numpy() * 1000
    result = table["result"].to_numpy().astype(np.float64)
    worst = 0.0
    for property_, first, last, since, until in questions(codes, moment, random, 40):
        found = rollups.of_cell(property_, first, last, list(rollups.calendar.spans(since, until)))
        inside = np.flatnonzero((codes >= first) & (codes <= last))
        own = np.isin(stream, inside * PROPERTIES + property_) & (moment >= since) & (moment < until)
        values = result[own].astype(np.longdouble)
        if not len(values):
            assert not len(found.n)
            continue
        assert (found.n[0], found.minimum[0], found.maximum[0]) == (len(values), values.min(), values.max())
        mean = values.mean()
        spread = ((values - mean) ** 2).sum()
        worst = max(worst, float(abs(found.mean[0] - mean) / max(abs(mean), 1)))
        worst = max(worst, float(abs(found.m2[0] - spread) / max(spread, 1)))
    return worst


def questions(codes: np.ndarray, moment: np.ndarray, random: np.random.Generator, count: int) -> list:
    """Return random properties, cells around random stations, and periods of whole hours."""
    low, high = int(moment.min()), int(moment.max())
    found = []
    for _ in range(count):
        level = int(random.integers(0, 33))
        code = int(random.choice(codes)) >> (64 - 2 * level) << (64 - 2 * level)
        since, until = np.sort(random.integers(low, high, 2)) // HOUR * HOUR
        last = code + (1 << (64 - 2 * level)) - 1
        found.append((int(random.integers(1, PROPERTIES + 1)), code, last, int(since), int(until)))
    return found


def grouped(table: pa.Table, codes: np.ndarray) -> tuple[float, int]:
    """Let DuckDB group the readings by cell, property and hour, day, month; return seconds and rows."""
    ordered = np.sort(codes)
    levels = sorted({0, 32, *(shared_level(ordered[1:], ordered[:-1])).tolist()})
    base = duckdb.connect()
    base.execute("SET TimeZone = 'Asia/Shanghai'")
    base.register("given", table)
    base.register("place", pa.table({"station": np.arange(len(codes)), "code": codes}))
    started = time.perf_counter()
    base.execute(
        "CREATE TABLE r AS SELECT (datastream_id - 1) % 11 AS property, code,"
        " to_timestamp(time_ms::BIGINT / 1000) AS moment, result::DOUBLE AS v"
        " FROM given JOIN place ON station = (datastream_id - 1) // 11"
    )
    rows = 0
    for number, level in enumerate(levels):
        cell = "0" if level == 0 else f"code >> {64 - 2 * level}"
        for kind in ("hour", "day", "month"):
            name = f"t_{number}_{kind}"
            base.execute(
                f"CREATE TABLE {name} AS SELECT property, {cell} AS cell,"
                f" date_trunc('{kind}', moment) AS start,"
                " count(v) AS n, avg(v) AS mean, var_pop(v) * count(v) AS m2, min(v) AS low, max(v) AS high"
                " FROM r GROUP BY ALL"
            )
            rows += base.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
    return time.perf_counter() - started, rows


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/sense"))
    folder = parser.parse_args().data
    if not (folder / "beijing_air_prsa_observations.parquet").is_file():
        sys.exit(f"no readings in {folder}")
    table, codes = read(folder)
    home = Path(tempfile.mkdtemp(prefix="jw-bench-"))
    random = np.random.default_rng(11)
    try:
        with (
            open_city(home, create=True) as city,
            Readings(home / "sense", StreamFacts, lake=city.lake) as store,
        ):
            taken_in(store, table)
            book = {
                int(number): Address((number - 1) % PROPERTIES + 1, int(codes[(number - 1) // PROPERTIES]))
                for number in store.streams()
            }
            with Rollups(
                home / "rollups", store, Calendar(ZONE), lambda wanted: {n: book[n] for n in wanted}
            ) as kept:
                started = time.perf_counter()
                kept.keep_up()
                seconds = time.perf_counter() - started
                size = sum(one.stat().st_size for one in (home / "rollups").iterdir())
                print(f"roll-ups of {table.num_rows:,} readings: {seconds:.1f} s, {size / 2**20:.0f} MiB")
                worst = check(kept, table, codes, random)
                print(f"greatest relative difference from NumPy: {worst:.1e}")
                taken = []
                moment = table["time_ms"].cast(pa.int64()).to_numpy() * 1000
                for property_, first, last, since, until in questions(codes, moment, random, ASKED):
                    started = time.perf_counter()
                    kept.of_cell(property_, first, last, list(kept.calendar.spans(since, until)))
                    taken.append((time.perf_counter() - started) * 1000)
                p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
                print(f"a zone over a random period: p50 {p50:.1f} ms, p95 {p95:.1f} ms (engine, no HTTP)")
        seconds, rows = grouped(table, codes)
        print(f"DuckDB, grouping once, nothing kept up: {seconds:.1f} s, {rows:,} rows")
        peak = psutil.Process(os.getpid()).memory_info().rss / 2**20
        print(f"memory at the end {peak:.0f} MiB, load {os.getloadavg()[0]:.1f}")
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
