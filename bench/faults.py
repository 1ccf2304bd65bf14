"""How well sensors at fault are found, and what it costs: planted faults, and the air of Beijing.

python bench/faults.py [--data FOLDER] [--seeds 6] [--first 100]

FOLDER holds `beijing_air_prsa_observations.parquet` and `beijing_air_stations.csv`.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

import numpy as np

from jingwei.sense.faults.finding import WINDOW, faults_of, over_time
from jingwei.sense.faults.hours import HOUR, hours_of_readings

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sense import ageing
from sense.faults import planted as elsewhere
from sense.planting import KINDS, scored, town
from sense.test_faults import _excused, _hours, _kinds, _moment

FIRST_SEED = 100
STATIONS, PROPERTIES = 12, 11


def planted_elsewhere(seeds: range) -> None:
    """Print how faults are found that were planted without knowing how."""
    total = {kind: elsewhere.Mark() for kind in elsewhere.KINDS}
    for seed in seeds:
        city, found = elsewhere.planted(seed), []
        for streams in _kinds(city).values():
            hours = _hours(city, streams)
            for one in over_time(hours, every=72, excused=_excused(hours, streams)):
                until = city.end if one.until is None else _moment(one.until)
                found.append((streams[one.stream].id, one.kind, _moment(one.since), until))
        for kind, mark in elsewhere.judge(city.faults, found).items():
            for name in ("right", "false", "missed"):
                setattr(total[kind], name, getattr(total[kind], name) + getattr(mark, name))
    for kind, mark in total.items():
        print(f"elsewhere {kind:12} {mark} precision {mark.precision:.3f} recall {mark.recall:.3f}")


def planted_here(seeds: range) -> None:
    """Print how our own planted faults are found by one look at the end."""
    planted, hit, found, true = Counter(), Counter(), 0, 0
    for name in KINDS:
        for seed in seeds:
            built = town(name, seed)
            told = faults_of(built.hours())
            right, real = scored(built.planted, told, built.until)
            planted.update(one.kind for one in built.planted)
            hit.update(one.kind for one in right)
            found, true = found + len(told), true + len(real)
    for kind, count in planted.items():
        print(f"here {kind:12} {hit[kind]} of {count}")
    print(f"here {true} of {found} findings are of a planted fault")


def grown_old(seeds: range) -> None:
    """Print how drifts of other physics are found as time goes by, by their size."""
    planted, hit = Counter(), Counter()
    found, true, healthy = 0, 0, 0
    for name in ageing.KINDS:
        for seed in seeds:
            built = ageing.aged(name, seed, least=1.0, most=16.0)
            told = over_time(built.hours(), every=72)
            right, real = ageing.scored(built, told)
            for one in built.planted:
                planted[_size(one)] += 1
                hit[_size(one)] += one in right
            found, true = found + len(told), true + len(real)
            healthy += len(over_time(ageing.aged(name, seed, faults=False).hours(), every=72))
    for size, count in sorted(planted.items()):
        print(f"old {size:24} {hit[size]} of {count}")
    print(f"old {true} of {found} findings are of a planted fault; {healthy} where nothing was at fault")


def _size(one: ageing.Aged) -> str:
    if one.kind != "drifting" or one.form == "clock":
        return f"{one.kind} {one.form}"
    low = 2 ** int(np.log2(one.times))
    return f"drifting {low:2} to {2 * low} times"


def beijing(folder: Path) -> None:
    """Print what is found in four years of real readings, and what a look costs."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "beijing_air_prsa_observations.parquet")
    place = np.genfromtxt(folder / "beijing_air_stations.csv", delimiter=",", skip_header=1, usecols=(2, 3))
    stream = table["datastream_id"].to_numpy().astype(np.int64)
    at, value = table["time_ms"].to_numpy() * 1_000, table["result"].to_numpy().astype(float)
    total: Counter[str] = Counter()
    looks, spent = 0, 0.0
    for number in range(1, PROPERTIES + 1):
        streams = np.arange(STATIONS) * PROPERTIES + number
        own = np.isin(stream, streams)
        readings = (stream[own], at[own], value[own])
        hours = hours_of_readings(streams, place[:, 0], place[:, 1], readings, int(at.max()) + HOUR)
        begin = time.process_time()
        found = over_time(hours, every=168)
        spent += time.process_time() - begin
        looks += len(hours.start) // 168
        total.update(one.kind for one in found)
    print(f"Beijing, {STATIONS * PROPERTIES} streams, four years: {dict(total)}")
    each = spent / looks / STATIONS * 1_000
    print(f"{looks} looks of {STATIONS} streams at up to {WINDOW // 24} days: {each:.1f} ms of CPU a stream")


def main() -> None:
    """Run all of it."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    planted_elsewhere(seeds)
    planted_here(seeds)
    grown_old(seeds)
    if asked.data is not None:
        beijing(asked.data)


if __name__ == "__main__":
    main()
