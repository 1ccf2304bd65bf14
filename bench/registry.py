"""How fast identifiers are issued and resolved.

    python bench/registry.py [--rows 1000000] [--records postgresql+psycopg://...]

Targets: a million identifiers issued within 60 s, 5,000 resolved a second.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from jingwei import registry
from jingwei.access import local_person
from jingwei.records import open_records


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--records", help="URL of an empty database; a new SQLite file if not given")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        records = open_records(given.records or f"sqlite:///{Path(name) / 'records.db'}")
        table = pa.table(
            {
                "key": [f"330106{n:09d}" for n in range(given.rows)],
                "cell": pa.array(range(given.rows), pa.int64()),
                "level": pa.array([32] * given.rows, pa.int8()),
            }
        )
        for word in ("issued", "found again"):
            start = time.perf_counter()
            with records.write() as session:
                identifiers = registry.issue_table(
                    session, local_person(), table, owner="o", kind="component"
                )
            seconds = time.perf_counter() - start
            allowed = 60 * given.rows / 1e6
            verdict = "ok" if seconds <= allowed else "MISSED"
            print(f"{given.rows:,} identifiers {word} in {seconds:.1f} s   target {allowed:.0f} s  {verdict}")
        chosen = [identifiers[random.randrange(given.rows)].as_py() for _ in range(10_000)]
        with records.read() as session:
            start = time.perf_counter()
            for identifier in chosen:
                registry.resolve(session, identifier)
            rate = len(chosen) / (time.perf_counter() - start)
        print(f"resolved {rate:,.0f}/s   target 5,000/s  {'ok' if rate >= 5000 else 'MISSED'}")
        records.close()


if __name__ == "__main__":
    main()
