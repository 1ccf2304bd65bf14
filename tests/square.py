"""A small square city with every kind of dataset: areas, lines, points with and without time, no place."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.city.models import CityRow
from jingwei.records import now_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.city import City

WEST, SOUTH, EAST, NORTH = 114.0, 22.5, 114.2, 22.7
MIDDLE = (WEST + EAST) / 2

MANIFEST = """
[city]
id = "square"
name = { zh = "方城", en = "Square City" }
adcode = "990100"
boundary = { source = "districts" }

[[source]]
id = "districts"
file = "districts.geojson"
title = { zh = "行政区", en = "Districts" }
owner = "规划局"
keys = ["name"]
name = "name"
place = { geometry = "geometry", crs = "WGS84" }

[[source]]
id = "lines"
file = "lines.geojson"
title = { zh = "线路", en = "Lines" }
owner = "交通局"
keys = ["name"]
name = "name"
place = { geometry = "geometry", crs = "WGS84" }

[[source]]
id = "stops"
file = "stops.csv"
title = { zh = "站点", en = "Stops" }
owner = "交通局"
text = ["code"]
keys = ["code"]
name = "name"
place = { lon = "lon", lat = "lat", crs = "WGS84" }

[[source]]
id = "visits"
file = "visits.csv"
title = { zh = "到站", en = "Visits" }
owner = "交通局"
place = { lon = "lon", lat = "lat", crs = "WGS84" }
time = { column = "at", zone = "Asia/Shanghai" }

[[source]]
id = "units"
file = "units.csv"
title = { zh = "单位", en = "Units" }
owner = "城管局"
name = "unit"
place = { none = true }

[[source]]
id = "mystery"
file = "mystery.csv"
title = { zh = "来历不明的点", en = "Points of unknown origin" }
owner = "某局"
"""

STOPS = 400
VISITS = 240


def stop_place(number: int) -> tuple[float, float]:
    """Return the longitude and latitude of a stop: a lattice inside the city."""
    return WEST + 0.01 + (number % 20) * 0.009, SOUTH + 0.01 + (number // 20) * 0.009


def write_square(folder: Path) -> Path:
    """Write the pack and its files; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "city.toml").write_text(MANIFEST, "utf-8")
    _write_features(
        folder / "districts.geojson",
        [
            ({"name": "西区"}, "Polygon", _ring(WEST, SOUTH, MIDDLE, NORTH)),
            ({"name": "东区"}, "Polygon", _ring(MIDDLE, SOUTH, EAST, NORTH)),
        ],
    )
    rows = [NORTH - 0.02, SOUTH + 0.02]
    _write_features(
        folder / "lines.geojson",
        [
            (
                {"name": f"{number + 1} 路"},
                "LineString",
                [[WEST + 0.01, row], [MIDDLE, row - 0.005], [EAST - 0.01, row]],
            )
            for number, row in enumerate(rows)
        ],
    )
    stops = ["code,name,lon,lat"]
    for number in range(STOPS):
        lon, lat = stop_place(number)
        stops.append(f"{number:03d},第{number}站,{lon:.6f},{lat:.6f}")
    stops.append("999,无处站,,")
    stops.append("998,坏站,999,22.6")
    (folder / "stops.csv").write_text("\n".join(stops) + "\n", "utf-8")
    visits = ["at,lon,lat,riders"]
    for number in range(VISITS):
        lon, lat = stop_place(number)
        visits.append(f"2026-03-{1 + number // 24:02d} {number % 24:02d}:00:00,{lon:.6f},{lat:.6f},{number}")
    (folder / "visits.csv").write_text("\n".join(visits) + "\n", "utf-8")
    (folder / "units.csv").write_text("unit,phone\n甲队,1\n乙队,2\n", "utf-8")
    # Close to the city under WGS84, GCJ-02 and BD-09 alike: nothing decides between them.
    mystery = ["lon,lat", *(f"{MIDDLE + k * 0.001:.6f},{SOUTH + 0.1 + k * 0.001:.6f}" for k in range(30))]
    (folder / "mystery.csv").write_text("\n".join(mystery) + "\n", "utf-8")
    return folder


@contextmanager
def open_square(folder: Path) -> Iterator[City]:
    """Open a square city of one's own: `home` in a folder, beside its `pack`.

    It is loaded once in a process and copied from then on.
    """
    shutil.copytree(_loaded(), folder, dirs_exist_ok=True)
    with open_city(folder / "home") as city:
        with city.records.write() as session:
            pack = str((folder / "pack").resolve())
            session.execute(sa.update(CityRow).values(pack=pack, data=pack, changed=now_utc()))
        yield city


@cache
def _loaded() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="jw-square-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pack = write_square(folder / "pack")
    with open_city(folder / "home", create=True) as city:
        load_pack(city, read_manifest(pack), pack, None, local_person())
        assert city.about.data == str(pack.resolve())
    return folder


def _ring(west: float, south: float, east: float, north: float) -> list[list[list[float]]]:
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def _write_features(path: Path, features: list[tuple[dict[str, str], str, list]]) -> None:
    collection = [
        {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}
        for properties, kind, coordinates in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": collection}), "utf-8")
