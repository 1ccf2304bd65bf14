"""Small city packs for tests: a square city of 0.2 degrees with a few sources."""

import json
from pathlib import Path

WEST, SOUTH, EAST, NORTH = 114.0, 22.5, 114.2, 22.7

CITY = """
[city]
id = "square"
name = { zh = "方城", en = "Square City" }
adcode = "990100"
boundary = { source = "districts" }

[[source]]
id = "districts"
file = "districts.geojson"
title = { zh = "行政区", en = "Districts" }
keys = ["name"]
name = "name"
place = { geometry = "geometry", crs = "WGS84" }
"""

STOPS = """
[[source]]
id = "stops"
file = "stops.csv"
title = { zh = "站点", en = "Stops" }
owner = "交通局"
keys = ["code"]
name = "name"
place = { lon = "lon", lat = "lat", crs = "WGS84" }
"""


def polygon(west, south, east, north):
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def feature(properties, coordinates, kind="Polygon"):
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates} if coordinates is not None else None,
    }


def write_features(path: Path, features) -> None:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")


def write_districts(folder: Path) -> None:
    middle = (WEST + EAST) / 2
    write_features(
        folder / "districts.geojson",
        [
            feature({"name": "西区"}, polygon(WEST, SOUTH, middle, NORTH)),
            feature({"name": "东区"}, polygon(middle, SOUTH, EAST, NORTH)),
        ],
    )


def write_stops(folder: Path, rows=None, name="stops.csv") -> None:
    rows = rows or [("001", "甲站", 114.05, 22.55), ("002", "乙站", 114.15, 22.65)]
    lines = ["code,name,lon,lat", *(",".join(str(value) for value in row) for row in rows)]
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")


def write_pack(folder: Path, *sources: str) -> Path:
    """Write a pack with the districts and the given further sources; returns its folder."""
    folder.mkdir(exist_ok=True)
    (folder / "city.toml").write_text(CITY + "".join(sources), "utf-8")
    write_districts(folder)
    return folder
