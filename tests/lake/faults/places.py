"""The ground of the fault sets: districts and their periods, an area with a bay, streets by ruler."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np

from lake.faults.sheets import pick

DIVISIONS = (  # Hangzhou's county-level divisions, each with the days on which its code held
    ("330102", "上城区", date(1949, 10, 1), None),
    ("330103", "下城区", date(1949, 10, 1), date(2021, 4, 9)),
    ("330104", "江干区", date(1949, 10, 1), date(2021, 4, 9)),
    ("330105", "拱墅区", date(1949, 10, 1), None),
    ("330106", "西湖区", date(1949, 10, 1), None),
    ("330108", "滨江区", date(1996, 12, 12), None),
    ("330181", "萧山市", date(1988, 1, 1), date(2001, 3, 25)),
    ("330109", "萧山区", date(2001, 3, 25), None),
    ("330184", "余杭市", date(1994, 4, 8), date(2001, 3, 25)),
    ("330110", "余杭区", date(2001, 3, 25), None),
    ("330183", "富阳市", date(1994, 1, 18), date(2015, 2, 15)),
    ("330111", "富阳区", date(2015, 2, 15), None),
    ("330113", "临平区", date(2021, 4, 9), None),
    ("330114", "钱塘区", date(2021, 4, 9), None),
)
NAMES = {code: name for code, name, _, _ in DIVISIONS}
BEGINS = {code: start for code, _, start, _ in DIVISIONS}

AREA = (  # longitude, latitude; with a bay in the east (120.42, 30.24) that a box around it would hide
    (119.92, 30.05), (120.20, 30.00), (120.52, 30.06), (120.60, 30.18), (120.42, 30.24), (120.62, 30.32),
    (120.58, 30.46), (120.30, 30.52), (120.02, 30.48), (119.88, 30.28),
)  # fmt: skip
CITY_HALL = (120.209983, 30.246026)
METRE = 1 / 111_320  # degrees of latitude

ROAD_FIRST = ("文一", "文二", "文三", "天目山", "古墩", "莫干山", "体育场", "庆春", "解放", "凤起", "秋涛", "钱江", "之江", "江南大道支", "滨盛", "时代", "金城", "市心", "建设一", "建设二", "育才", "通惠", "学院", "教工", "保俶", "曙光", "丰潭", "余杭塘", "石祥", "绍兴", "东新", "香积寺", "大关", "上塘", "沈半", "德胜", "机场", "艮山", "同协", "备塘")  # noqa: E501 # fmt: skip
SUBDISTRICTS = ("清波", "小营", "湖滨", "望江", "南星", "米市巷", "湖墅", "小河", "和睦", "拱宸桥", "北山", "西溪", "灵隐", "翠苑", "文新", "古荡", "转塘", "长河", "浦沿", "城厢")  # noqa: E501 # fmt: skip


@dataclass(frozen=True)
class Street:
    """A street: straight, with a start (degrees), a direction (radians from east) and a length (metres)."""

    name: str
    division: str
    subdistrict: str
    lon: float
    lat: float
    direction: float
    length: float

    def at(self, along: float, beside: float = 0.0) -> tuple[float, float]:
        """Give the point so many metres along and to the left, in degrees to 1e-7."""
        east = along * math.cos(self.direction) - beside * math.sin(self.direction)
        north = along * math.sin(self.direction) + beside * math.cos(self.direction)
        return moved(self.lon, self.lat, east, north)


def moved(lon: float, lat: float, east: float, north: float) -> tuple[float, float]:
    """Give the point so many metres to the east and north, in degrees to 1e-7."""
    return round(lon + east * METRE / math.cos(math.radians(lat)), 7), round(lat + north * METRE, 7)


def inside(lon: float, lat: float) -> bool:
    """Tell whether a point lies in the area (ray to the east, even and odd)."""
    odd = False
    for (x1, y1), (x2, y2) in zip(AREA, AREA[1:] + AREA[:1], strict=True):
        if (y1 > lat) != (y2 > lat) and lon < x1 + (lat - y1) / (y2 - y1) * (x2 - x1):
            odd = not odd
    return odd


def well_inside(lon: float, lat: float, margin: float = 800) -> bool:
    """Tell whether a point and its surroundings of ``margin`` metres lie in the area."""
    round_about = [
        moved(lon, lat, margin * math.cos(a), margin * math.sin(a)) for a in np.linspace(0, 2 * np.pi, 16)
    ]
    return inside(lon, lat) and all(inside(*p) for p in round_about)


def well_outside(rng: np.random.Generator) -> tuple[float, float]:
    """Draw a point outside the area, from half a kilometre to some thirty: a third of them in its bay."""
    while True:
        if rng.random() < 0.33:
            lon, lat = rng.uniform(120.50, 120.60), rng.uniform(30.22, 30.27)
        else:
            lon, lat = rng.uniform(119.6, 120.9), rng.uniform(29.8, 30.75)
        near = [moved(lon, lat, 500 * math.cos(a), 500 * math.sin(a)) for a in np.linspace(0, 2 * np.pi, 16)]
        if not inside(lon, lat) and not any(inside(*p) for p in near):
            return round(float(lon), 6), round(float(lat), 6)


def in_force(day: date) -> list[str]:
    """List the codes that hold on a day: from the first day of a period, up to but without its last."""
    return [code for code, _, start, end in DIVISIONS if start <= day and (end is None or day < end)]


def not_in_force(day: date) -> list[str]:
    """List codes that hold at some time, but not within a year of this day."""
    return [
        code
        for code, _, start, end in DIVISIONS
        if (start - day).days > 365 or (end is not None and (day - end).days > 365)
    ]


def streets(rng: np.random.Generator, today: date) -> list[Street]:
    """Lay out the streets, all well inside the area and none along another."""
    laid: list[Street] = []
    codes = in_force(today)
    while len(laid) < len(ROAD_FIRST):
        lon, lat = float(rng.uniform(119.95, 120.55)), float(rng.uniform(30.05, 30.48))
        direction, length = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(1500, 3500))
        street = Street(
            ROAD_FIRST[len(laid)] + "路",
            pick(rng, codes),
            pick(rng, SUBDISTRICTS),
            lon,
            lat,
            direction,
            length,
        )
        apart = all(math.hypot((s.lon - lon) * 96_000, (s.lat - lat) * 111_000) > 4_000 for s in laid)
        if apart and all(well_inside(*street.at(a)) for a in (0, length / 2, length)):
            laid.append(street)
    return laid
