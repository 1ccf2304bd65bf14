"""Linking points to points within 50 m, beside PostGIS (ST_DWithin by GiST, analysed) in the same run.

Run: python bench/link.py [points]. Two sets of random points over 31 by 33 km are linked; PostGIS has them in
metres (EPSG:4547), so that its index answers in the unit of the question. It runs in a cluster of its own,
with 1 GB of buffers, and may use both processors. Each is asked once, warm. Of ours the processor's time is
told too, for a machine at work beside the bench stretches the clock.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa

from jingwei import grid
from jingwei.lake.linking import Within, link

METRES = 50
WEST, SOUTH, WIDE = 114.0, 22.5, 0.3
OPTIONS = "-c listen_addresses='' -c fsync=off -c shared_buffers=1GB -c work_mem=256MB -c jit=off"


def points(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return WEST + random.uniform(0, WIDE, count), SOUTH + random.uniform(0, WIDE, count)


def table(lon: np.ndarray, lat: np.ndarray) -> pa.Table:
    cells = grid.to_stored(grid.encode(lon, lat, 32))
    levels = np.full(len(lon), 32, np.int8)
    return pa.table({"jw_cell": pa.array(cells, pa.int64()), "jw_level": pa.array(levels)})


def ours(left: pa.Table, right: pa.Table) -> dict:
    link(left.slice(0, 100), right.slice(0, 100), [Within(METRES)])  # compiled at the first call
    told = {}
    for pairs in ("all", "best"):
        started, worked = time.perf_counter(), time.process_time()
        found = link(left, right, [Within(METRES)], pairs=pairs)
        told[pairs] = {
            "links": found.num_rows,
            "seconds": round(time.perf_counter() - started, 2),
            "processor_seconds": round(time.process_time() - worked, 2),
        }
    told["peak_MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return told


class Cluster:
    """A PostgreSQL of this bench's own, on a socket."""

    def __init__(self) -> None:
        self.programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        self.folder = Path(tempfile.mkdtemp(prefix="jw-bench-pg-"))
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.prefix:
            shutil.chown(self.folder, "postgres")
        self.run("initdb", "-D", self.folder / "data", "-U", "postgres", "-A", "trust")
        options = f"{OPTIONS} -c unix_socket_directories={self.folder}"
        self.run(
            "pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o", options, "start"
        )

    def run(self, program: str, *arguments: object) -> None:
        command = [*self.prefix, str(self.programs / program), *map(str, arguments)]
        quiet = subprocess.DEVNULL
        subprocess.run(command, cwd=self.folder, check=True, stdout=quiet, stderr=quiet)

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user="postgres", autocommit=True)

    def stop(self) -> None:
        self.run("pg_ctl", "-D", self.folder / "data", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.folder)


def postgis(sets: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict:
    cluster = Cluster()
    try:
        with cluster.connect() as connection:
            connection.execute("CREATE EXTENSION postgis")
            for name, (lon, lat) in sets.items():
                connection.execute(f"CREATE UNLOGGED TABLE raw_{name} (id int, lon float8, lat float8)")
                with connection.cursor().copy(f"COPY raw_{name} FROM STDIN") as copy:
                    for number, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)):
                        copy.write_row((number, x, y))
                connection.execute(
                    f"CREATE UNLOGGED TABLE {name} AS SELECT id, ST_Transform(ST_SetSRID("
                    f"ST_MakePoint(lon, lat), 4490), 4547) AS place FROM raw_{name}"
                )
                connection.execute(f"CREATE INDEX ON {name} USING gist (place)")
                connection.execute(f"VACUUM ANALYZE {name}")
            connection.execute("SELECT count(*) FROM b")
            started = time.perf_counter()
            (count,) = connection.execute(
                f"SELECT count(*) FROM a JOIN b ON ST_DWithin(a.place, b.place, {METRES})"
            ).fetchone()
            return {"links": count, "seconds": round(time.perf_counter() - started, 2)}
    finally:
        cluster.stop()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    sets = {name: points(seed, count) for name, seed in (("a", 3), ("b", 4))}
    load = round(os.getloadavg()[0], 1)
    told = {"points": count, "load": load, "jingwei": ours(table(*sets["a"]), table(*sets["b"]))}
    try:
        told["postgis"] = postgis(sets)
    except (psycopg.Error, subprocess.CalledProcessError, ValueError) as error:
        told["postgis"] = f"not measured: {type(error).__name__} (make bench installs it on Debian)"
    print(json.dumps(told))


if __name__ == "__main__":
    main()
