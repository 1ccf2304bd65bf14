"""Rules asked about readings; roll-ups of the Beijing readings, and the statistics of any zone.

    python bench/rules.py [--data FOLDER]

10,000 rules over 100,000 streams of made-up readings, a tenth of them of silence and a tenth of groups;
target 20,000 readings/s on one core. Then the same with conditions on a dataset of 100,000 made-up points in
every tenth rule and in each: half within 300 m, half in the cell, half of both with validity in time. Beside
it the same signs one reading after the other, in plain Python.

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
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from jingwei import grid
from jingwei.city import open_city
from jingwei.sense.readings import Batch, Readings, StreamFacts
from jingwei.sense.readings.columns import Rows
from jingwei.sense.rollups import HOUR, Address, Calendar, Rollups
from jingwei.sense.rollups.frames import shared_level
from jingwei.sense.rules.evaluating import Evaluator, Watched
from jingwei.sense.rules.form import DatasetSign, Rule, Sign
from jingwei.sense.rules.gating import DatasetGate
from jingwei.sense.rules.grounds import Held
from jingwei.sense.rules.surroundings import Placed, Spot, Surroundings

ZONE = ZoneInfo("Asia/Shanghai")
PROPERTIES = 11
ASKED = 400
CHUNK = 500_000
RULES, RULED, ROWS = 10_000, 100_000, 100_000
A_SECOND, SECONDS = 20_000, 60
NAMES = pa.table(
    {"fact": range(ROWS), "object": pa.nulls(ROWS, pa.string()), "name": [f"#{n}" for n in range(ROWS)]}
)


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
        found = rollups.answers.of_cell(property_, first, last, list(rollups.calendar.spans(since, until)))
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


def signs_of_rules(random: np.random.Generator) -> list[Watched]:
    """Return the signs of the rules, each in ten streams of its own and forty that others watch, too."""
    kinds = ["above", "below", "rising", "frozen", "above"] * 2
    found = []
    for number in range(RULES):
        kind = "silent" if number % 10 == 9 else kinds[number % 10]
        value = {"above": 2.6, "below": -2.6, "rising": 20_000.0}.get(kind)
        until = {"above": 2.0, "below": -2.0}.get(kind)
        seconds = {"frozen": 60.0, "silent": 30.0}.get(kind, 0.0)
        sign = Sign(observes="x", kind=kind, value=value, until=until, seconds=seconds)
        own = np.arange(number * 10, number * 10 + 10)
        streams = np.unique(np.concatenate([own, random.integers(0, RULED, 40)]))
        together = number % 10 == 8
        found.append(Watched(number, 0, sign, streams, np.zeros_like(streams) if together else streams))
    return found


def asked_one_by_one(watched: list[Watched], stream: np.ndarray, result: np.ndarray) -> float:
    """Ask signs of plain values about readings in plain Python; return readings a second."""
    signs: dict[int, list[tuple[float, float, float]]] = {}
    for one in watched:
        if one.form.kind in ("above", "below"):
            factor = 1.0 if one.form.kind == "above" else -1.0
            sign = factor, factor * one.form.value, factor * one.form.until
            for at in one.streams.tolist():
                signs.setdefault(at, []).append(sign)
    there: dict[tuple[int, int], bool] = {}
    started = time.perf_counter()
    for at, value in zip(stream.tolist(), result.tolist(), strict=True):
        for number, (factor, begins, ends) in enumerate(signs.get(at, ())):
            key = at, number
            if there.get(key):
                there[key] = factor * value >= ends
            else:
                there[key] = factor * value >= begins
    return len(stream) / (time.perf_counter() - started)


class MadeUp(DatasetGate):
    """Conditions of rules on rows that are made up, in a city of 30 km; streams stand at random in it."""

    def __init__(self, random: np.random.Generator, every: int) -> None:
        lon, lat = (random.uniform(*edges, ROWS) for edges in ((116.2, 116.55), (39.8, 40.07)))
        codes = np.asarray(grid.to_stored(grid.encode(lon, lat, 32)), np.int64)
        levels = np.full(ROWS, 32, np.int8)
        since = random.integers(0, SECONDS * 1_000_000, ROWS)
        held = [
            Held(SimpleNamespace(number=1), (), Surroundings(Placed(None, codes, levels, *times)), NAMES)
            for times in ((None, None), (since, since + 20_000_000))
        ]
        forms, rows = [], []
        for metres in (300.0, None):
            for valid in (False, True):
                forms.append(DatasetSign(dataset="made_up", metres=metres, valid=valid))
                rows.append([held[int(valid)]])
        place = grid.encode(random.uniform(116.2, 116.55, RULED), random.uniform(39.8, 40.07, RULED), 32)
        self._places = np.asarray(place, np.uint64).tolist()
        watch = [Sign(observes="x", kind="above", value=0.0)]
        rules = {
            number: Rule(zh="x", en="x", signs=watch, datasets=[forms[number // every % 4]], level=19)
            for number in range(0, RULES, every)
        }
        super().__init__(rules, {})
        for number in rules:
            self.held[number] = rows[number // every % 4]

    def _spot(self, rule: int, group: int) -> Spot:
        return Spot(self._places[group], 32, self._rules[rule].level)


def rules_asked(random: np.random.Generator, every: int = 0) -> None:
    """Print how many readings a second rules are asked about, of which every so many asks a dataset."""
    watched = signs_of_rules(random)
    gate = MadeUp(random, every) if every else None
    started = time.perf_counter()
    under = Evaluator(watched, gate)
    bound = time.perf_counter() - started
    print(f"{RULES:,} rules, {RULED:,} streams, {under.pairs:,} pairs: bound in {bound:.1f} s")
    told, turns, spent = 0, 0, 0.0
    stream, result = np.empty(0, np.int64), np.empty(0)
    for second in range(SECONDS):
        stream, result = random.integers(0, RULED, A_SECOND), random.normal(size=A_SECOND)
        moment = np.full(A_SECOND, second * 1_000_000) + np.arange(A_SECOND)
        number = np.arange(told + 1, told + A_SECOND + 1)
        rows = Rows({"id": number, "stream": stream, "time": moment, "result": result, "received": moment})
        started = time.process_time()
        turns += len(under.take(rows)) + len(under.tick(second * 1_000_000))
        spent += time.process_time() - started
        told += A_SECOND
    name = f"rules, of which {len(gate.rules):,} ask a dataset" if gate else "rules"
    print(
        f"{name}: {told / spent:,.0f} readings a second of one core,"
        f" {told * under.pairs / RULED / spent:,.0f} pairs;"
        f" {turns:,} times a rule began or ended to hold"
    )
    if gate:
        return
    plain = asked_one_by_one(watched, stream, result)
    print(f"plain Python, the signs of values alone: {plain:,.0f} readings a second")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/sense"))
    folder = parser.parse_args().data
    for every in (0, 10, 1):
        rules_asked(np.random.default_rng(11), every)
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
                    kept.answers.of_cell(property_, first, last, list(kept.calendar.spans(since, until)))
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
