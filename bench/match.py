"""Matching persons of two departments: precision, recall and time; 2 x 800,000 unless told otherwise.

`python bench/match.py 800000 FOLDER` keeps the persons there, who take longer to make than to match.
"""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from jingwei.matching.comparing import match
from jingwei.matching.configuration import read_configuration
from matching.persons import two_departments
from matching.test_matching import TEXT


def kept_people(count, folder):
    if folder is None:
        return two_departments(count, seed=3)
    paths = [folder / f"{count}-{part}.parquet" for part in ("left", "right", "truth")]
    if not paths[0].is_file():
        left, right, truth = two_departments(count, seed=3)
        for path, table in zip(paths, (left, right, pa.table({"truth": truth})), strict=True):
            pq.write_table(table, path)
    left, right, truth = (pq.read_table(path) for path in paths)
    return left, right, truth["truth"].to_numpy()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 800_000
    left, right, truth = kept_people(count, Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    configuration = read_configuration(TEXT)
    began = time.monotonic()
    stages = []
    with tempfile.TemporaryDirectory() as scratch:
        tables = {"residents": left, "patients": right}
        told = match(
            tables,
            configuration,
            scratch,
            tell=lambda stage: stages.append(f"{stage} from {time.monotonic() - began:.0f} s"),
        )
    seconds = time.monotonic() - began
    pairs = told.pairs
    rows, there, probability = (pairs[name].to_numpy() for name in ("left", "right", "probability"))
    same = int((truth >= 0).sum())
    print(f"2 x {count:,}, {same:,} in both: {seconds:.1f} s ({', '.join(stages)})")
    for least in (0.5, 0.9, 0.99, 0.999):
        kept = probability >= least
        right_ones = int((truth[rows[kept]] == there[kept]).sum())
        found = int(kept.sum())
        shares = f"precision {right_ones / found:.5f}, recall {right_ones / same:.4f}"
        print(f"from {least}: {shares}, {found:,} pairs")
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{size:.2f} GiB at most; load {np.round(os.getloadavg()[0], 1)}")


if __name__ == "__main__":
    main()
