"""Everything in one cell: over the Shenzhen pack, and over 50 datasets of 200,000 rows each.

Run: python bench/at.py. Random cells of 4 arc-seconds (level 19) where there is something; each question goes
through the asker, the versions of the record store, row groups chosen by the index, exact geometry, and the
rows with their sources.
"""

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jingwei import grid
from jingwei.access import local_person
from jingwei.city import load_pack, open_city, parse_manifest, read_manifest

ROOT = Path(__file__).resolve().parent.parent
ASKER = local_person()
QUESTIONS = 400
LEVEL = 19


def ask(lake, cells) -> dict:
    seconds, rows = [], 0
    for cell in cells:
        started = time.perf_counter()
        found = lake.at(ASKER, cell, limit=100)
        seconds.append(time.perf_counter() - started)
        rows += sum(part.total for _, part in found)
    p50, p95, p99 = np.percentile(np.array(seconds) * 1000, [50, 95, 99])
    return {
        "questions": len(cells),
        "rows_found": rows,
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
        "p99_ms": round(float(p99), 1),
    }


def shenzhen(home: Path) -> None:
    data = ROOT.parent / "shared" / "data" / "shenzhen"
    if not data.is_dir():
        print("shenzhen: skipped, its public data is not on this machine")
        return
    pack = ROOT / "examples" / "shenzhen"
    with open_city(home, create=True) as city:
        load_pack(city, read_manifest(pack), pack, data, ASKER)
        stops = city.lake.reader.columns(city.lake.dataset(ASKER, "bus_stops").version, ["jw_cell"])
        codes = np.unique(grid.parent(grid.from_stored(stops["jw_cell"].to_numpy()), 32, LEVEL))
        chosen = np.random.default_rng(1).choice(codes, QUESTIONS, replace=False)
        print(json.dumps({"shenzhen": ask(city.lake, [grid.Cell(int(code), LEVEL) for code in chosen])}))


def fifty(folder: Path) -> None:
    random = np.random.default_rng(2)
    sources = []
    for number in range(50):
        rows = 200_000
        table = pa.table(
            {
                "id": np.arange(rows),
                "lon": random.uniform(113.75, 114.62, rows),
                "lat": random.uniform(22.44, 22.86, rows),
                "name": [f"n{n}" for n in random.integers(0, 5_000, rows)],
                f"value_{number}": random.normal(size=rows),
            }
        )
        pq.write_table(table, folder / f"d{number}.parquet")
        place = {"lon": "lon", "lat": "lat", "crs": "WGS84"}
        sources.append(
            {
                "id": f"d{number}",
                "file": f"d{number}.parquet",
                "title": {"zh": f"数据 {number}"},
                "place": place,
            }
        )
    city_spec = {"id": "fifty", "name": {"zh": "五十"}, "adcode": "990100"}
    with open_city(folder / "home", create=True) as city:
        manifest = parse_manifest({"city": city_spec, "source": sources})
        report = load_pack(city, manifest, folder, None, ASKER)
        lon, lat = random.uniform(113.8, 114.5, QUESTIONS), random.uniform(22.5, 22.8, QUESTIONS)
        cells = [grid.Cell.at(float(x), float(y), LEVEL) for x, y in zip(lon, lat, strict=True)]
        result = ask(city.lake, cells) | {"loaded_in_s": round(report.seconds, 1)}
        print(json.dumps({"fifty_datasets_of_200000_rows": result}))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="jw-bench-") as folder:
        shenzhen(Path(folder) / "shenzhen")
        (Path(folder) / "fifty").mkdir()
        fifty(Path(folder) / "fifty")


if __name__ == "__main__":
    main()
