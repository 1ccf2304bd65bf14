"""How fast files of each form are read, and how much memory a large CSV takes.

Prints rows per second of opening and reading a file of each form (made here, in a temporary folder), the same
for pandas as a peer where it reads the form, and the peak memory of reading a CSV of `--gigabytes` GiB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pyogrio
import shapely

from jingwei.lake.forms import open_form


def trips(rows: int) -> pa.Table:
    random = np.random.default_rng(39409)
    lon, lat = random.uniform(113.75, 114.62, rows).round(6), random.uniform(22.4, 22.86, rows).round(6)
    start = np.datetime64("2026-01-01", "s") + random.integers(0, 86_400 * 30, rows)
    return pa.table(
        {
            "编号": np.arange(rows),
            "车牌": [f"粤B{n:05d}" for n in random.integers(0, 20_000, rows)],
            "时间": np.char.replace(start.astype(str), "T", " "),
            "经度": lon,
            "纬度": lat,
            "金额": random.uniform(10, 200, rows).round(2),
        }
    )


def read_all(path: Path, **given) -> tuple[int, int]:
    with open_form(path, **given) as reading:
        rows = faults = 0
        for batch in reading.batches():
            rows += batch.table.num_rows
            faults += len(batch.faults)
    return rows, faults


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def write_forms(folder: Path, rows: int) -> dict[str, tuple[Path, int, Callable[[Path], object] | None]]:
    table = trips(rows)
    files: dict[str, tuple[Path, int, Callable[[Path], object] | None]] = {}
    pacsv.write_csv(table, folder / "utf8.csv", pacsv.WriteOptions(quoting_style="none"))
    text = (folder / "utf8.csv").read_text(encoding="utf-8")
    files["CSV UTF-8"] = folder / "utf8.csv", rows, pd.read_csv
    (folder / "gb.csv").write_text(text, encoding="gb18030")
    files["CSV GB18030"] = folder / "gb.csv", rows, lambda path: pd.read_csv(path, encoding="gb18030")
    pacsv.write_csv(table, folder / "quoted.csv", pacsv.WriteOptions(quoting_style="all_valid"))
    files["CSV all quoted"] = folder / "quoted.csv", rows, pd.read_csv
    lines = text.splitlines(keepends=True)
    lines[1::1000] = ['"broken, line\n'] * len(lines[1::1000])
    (folder / "ragged.csv").write_text("".join(lines), encoding="utf-8")
    files["CSV, 1 in 1000 rows broken"] = folder / "ragged.csv", rows, None
    pq.write_table(table, folder / "t.parquet")
    files["Parquet"] = folder / "t.parquet", rows, pd.read_parquet
    small = table.slice(0, rows // 20)
    with (folder / "t.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in small.to_pylist())
    files["JSON lines"] = folder / "t.jsonl", len(small), lambda path: pd.read_json(path, lines=True)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("行程")
    sheet.append(small.column_names)
    for row in small.to_pylist():
        sheet.append([value.isoformat() if hasattr(value, "isoformat") else value for value in row.values()])
    book.save(folder / "t.xlsx")
    files["XLSX"] = folder / "t.xlsx", len(small), lambda path: pd.read_excel(path, engine="calamine")
    points = pa.array(shapely.to_wkb(shapely.points(small["经度"], small["纬度"])), pa.binary())
    places = small.select(["编号", "车牌", "金额"]).append_column("geometry", points)
    given = {"geometry_name": "geometry", "geometry_type": "Point", "crs": "EPSG:4490"}
    for driver, name in (("GPKG", "t.gpkg"), ("ESRI Shapefile", "t.shp"), ("GeoJSON", "t.geojson")):
        options = {"encoding": "GB18030"} if driver == "ESRI Shapefile" else {}
        pyogrio.write_arrow(places, folder / name, driver=driver, **given, **options)
        files[driver] = folder / name, len(small), pyogrio.read_dataframe
    with zipfile.ZipFile(folder / "shp.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for part in folder.glob("t.*"):
            if part.suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
                archive.write(part, part.name)
    files["Shapefile, zipped"] = folder / "shp.zip", len(small), pyogrio.read_dataframe
    return files


def large_csv(folder: Path, gigabytes: float) -> tuple[Path, int]:
    """Write the same million lines over and over: their number matters here, not what they say."""
    path = folder / "large.csv"
    pacsv.write_csv(trips(1_000_000), path, pacsv.WriteOptions(quoting_style="none"))
    head, _, body = path.read_bytes().partition(b"\n")
    lines, rows = body.count(b"\n"), 0
    with path.open("wb") as file:
        file.write(head + b"\n")
        while file.tell() < gigabytes * 2**30:
            file.write(body)
            rows += lines
    return path, rows


def peak_memory(path: Path, answer: multiprocessing.Queue) -> None:
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far (proc(5))
    seconds = timed(lambda: answer.put(read_all(path)))
    answer.put((seconds, before, resident("VmHWM")))


def resident(name: str) -> float:
    """A figure of this process's memory in MiB, as Linux counts it."""
    status = Path("/proc/self/status").read_text()
    return float(re.search(rf"{name}:\s+(\d+)", status)[1]) / 1024


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--gigabytes", type=float, default=2.0)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{'form':<28}{'rows':>10}{'rows/s':>12}{'peer rows/s':>14}")
        for form, (path, rows, peer) in write_forms(folder, asked.rows).items():
            seconds = min(timed(lambda path=path: read_all(path)) for _ in range(3))
            beside = min(timed(lambda path=path, peer=peer: peer(path)) for _ in range(2)) if peer else None
            shown = f"{rows / beside:>14,.0f}" if beside else f"{'-':>14}"
            print(f"{form:<28}{rows:>10,}{rows / seconds:>12,.0f}{shown}")
        if asked.gigabytes:
            path, rows = large_csv(folder, asked.gigabytes)
            answer: multiprocessing.Queue = multiprocessing.get_context("spawn").Queue()
            process = multiprocessing.get_context("spawn").Process(target=peak_memory, args=(path, answer))
            process.start()
            read, (seconds, before, peak) = answer.get(), answer.get()
            process.join()
            assert read == (rows, 0), read
            size = path.stat().st_size / 2**30
            print(f"\nCSV of {size:.2f} GiB, {rows:,} rows: {seconds:.1f} s, {rows / seconds:,.0f} rows/s,")
            print(f"peak memory {peak:,.0f} MiB, of which {before:,.0f} MiB are the program without it")


if __name__ == "__main__":
    main()
