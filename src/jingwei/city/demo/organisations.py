"""Employers: firms and traders with sizes by Zipf's law, and the public places that employ people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from jingwei.city.demo.arrays import Ints, Texts
from jingwei.city.demo.codes import credit_codes, mobile_numbers
from jingwei.city.demo.facilities import Facilities
from jingwei.city.demo.land import Use
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.names import FIRM_FIRST, FIRM_SECOND, people_names

# Firms and traders for each resident. Registered in China at the end of May 2022 were 159 million, 0.11 for
# each person (State Administration for Market Regulation, 29 June 2022); that somewhat more than half of them
# give work is an assumption.
PER_PERSON = 0.062


@dataclass(frozen=True, slots=True)
class Industry:
    """An industry: its class of GB/T 4754-2017, its share among firms, its sites and its firms' words."""

    code: str
    name: str
    share: float
    uses: tuple[Use, ...]
    words: tuple[str, ...]
    traders: float = 0.2


_STREET = (Use.COMMERCE, Use.OLD_HOUSING, Use.SLAB_HOUSING, Use.TOWER_HOUSING, Use.URBAN_VILLAGE, Use.VILLAGE)
_OFFICE = (Use.OFFICES, Use.COMMERCE)

# The shares of the industries and of traders in each are assumptions.
INDUSTRIES = (
    Industry(
        "F5299", "零售业", 0.23, _STREET, ("便利店", "商行", "超市", "百货店", "五金店", "服装店"), 0.85
    ),
    Industry("F5191", "批发业", 0.11, _OFFICE, ("贸易", "商贸", "物资", "供应链"), 0.1),
    Industry("H6210", "餐饮业", 0.13, _STREET, ("餐馆", "饭店", "小吃店", "面馆", "火锅店", "茶楼"), 0.85),
    Industry("H6110", "住宿业", 0.012, (Use.COMMERCE, Use.OFFICES), ("宾馆", "酒店"), 0.3),
    Industry(
        "O8010", "居民服务业", 0.10, _STREET, ("美容店", "理发店", "洗衣店", "家政服务部", "汽修店"), 0.8
    ),
    Industry("C3399", "金属制品业", 0.035, (Use.INDUSTRY, Use.STORAGE), ("金属制品", "五金制造"), 0.05),
    Industry("C3829", "电气机械制造业", 0.03, (Use.INDUSTRY,), ("电气", "电子", "机电"), 0.0),
    Industry("C1399", "食品加工业", 0.02, (Use.INDUSTRY,), ("食品", "粮油"), 0.05),
    Industry("C2929", "塑料制品业", 0.02, (Use.INDUSTRY,), ("塑业", "包装材料"), 0.0),
    Industry("E4710", "建筑业", 0.05, _OFFICE, ("建筑工程", "装饰工程", "市政工程"), 0.0),
    Industry("G5432", "道路货运业", 0.035, (Use.STORAGE, Use.INDUSTRY, Use.COMMERCE), ("物流", "运输"), 0.1),
    Industry("I6510", "软件业", 0.04, (Use.OFFICES, Use.COMMERCE), ("软件", "信息技术", "网络科技"), 0.0),
    Industry("J6620", "金融业", 0.012, (Use.OFFICES, Use.COMMERCE), ("投资咨询", "保险代理"), 0.0),
    Industry("K7010", "房地产业", 0.03, _OFFICE, ("置业", "物业管理", "房地产开发"), 0.0),
    Industry("L7299", "商务服务业", 0.09, _OFFICE, ("企业管理", "广告", "人力资源", "会展服务"), 0.05),
    Industry("M7590", "科技推广业", 0.03, _OFFICE, ("科技", "检测技术", "新材料科技"), 0.0),
    Industry("R9010", "文体娱乐业", 0.02, _STREET, ("健身馆", "书店", "影院", "文化传媒"), 0.4),
    Industry(
        "A0111",
        "农业",
        0.006,
        (Use.VILLAGE, Use.URBAN_VILLAGE, Use.SLAB_HOUSING),
        ("种植专业合作社", "农场"),
        0.0,
    ),
)


@dataclass(frozen=True, slots=True)
class Organisations:
    """Employers.

    Attributes
    ----------
    name, code
        Registered name and unified social credit code.
    industry
        Class of GB/T 4754-2017.
    kind
        `企业`, `个体工商户` or `事业单位`.
    building
        Where it sits.
    size
        Jobs.
    capital
        Registered capital in ten thousand yuan, 0 for public bodies.
    since
        Day of registration, days since 1970-01-01.
    head, phone
        Legal representative.
    facility
        The public place that it runs, -1 for none.

    """

    name: Texts
    code: Texts
    industry: Texts
    industry_name: Texts
    kind: Texts
    building: Ints
    size: Ints
    capital: Ints
    since: Ints
    head: Texts
    phone: Texts
    facility: Ints


def found_organisations(layout: Layout, facilities: Facilities) -> Organisations:
    """Found the city's employers."""
    random = layout.settings.draws("organisations")
    population = layout.settings.scale.population
    count = max(30, round(population * PER_PERSON))
    share = np.array([industry.share for industry in INDUSTRIES])
    industry = random.choice(len(INDUSTRIES), count, p=share / share.sum())
    building = _sites(layout, random, industry)
    public = np.flatnonzero(np.isin(facilities.kind.astype(str), list(_PUBLIC)))
    size = _zipf(random, industry, jobs=round(0.43 * population))
    trader = (random.random(count) < np.array([item.traders for item in INDUSTRIES])[industry]) & (size <= 12)
    first_building = np.full(len(layout.fabric.faces), -1, dtype=np.int64)
    first_building[layout.buildings.face[::-1]] = np.arange(len(layout.buildings.face))[::-1]
    site = first_building[facilities.face[public]]
    public, site = public[site >= 0], site[site >= 0]
    staff = np.maximum(
        2,
        np.rint(
            facilities.capacity[public] * np.array([_PUBLIC[kind][1] for kind in facilities.kind[public]])
        ),
    )
    all_buildings = np.concatenate([building, site])
    region = layout.divisions.districts.codes[layout.divisions.district[layout.buildings.face[all_buildings]]]
    total = count + len(public)
    today = (layout.settings.last_day - date(1970, 1, 1)).days
    age = np.minimum(random.exponential(6.5 * 365.0, total), 33 * 365.0)
    kind = np.concatenate([np.where(trader, "个体工商户", "企业"), np.full(len(public), "事业单位")]).astype(
        object
    )
    return Organisations(
        name=np.concatenate(
            [_firm_names(layout, random, industry, trader, region[:count]), facilities.name[public]]
        ),
        code=_codes(random, region, kind),
        industry=np.concatenate(
            [
                np.array([item.code for item in INDUSTRIES], dtype=object)[industry],
                np.array([_PUBLIC[value][0] for value in facilities.kind[public]], dtype=object),
            ]
        ),
        industry_name=np.concatenate(
            [np.array([item.name for item in INDUSTRIES], dtype=object)[industry], facilities.kind[public]]
        ),
        kind=kind,
        building=all_buildings,
        size=np.concatenate([size, staff.astype(np.int64)]),
        capital=np.concatenate([_capital(random, size, trader), np.zeros(len(public), dtype=np.int64)]),
        since=(today - age).astype(np.int64),
        head=people_names(random, random.random(total) < 0.33),
        phone=mobile_numbers(random, total).astype(object),
        facility=np.concatenate([np.full(count, -1), public]),
    )


_PUBLIC = {
    "小学": ("P8321", 0.07),
    "中学": ("P8331", 0.09),
    "医院": ("Q8411", 1.6),
    "社区卫生服务中心": ("Q8421", 0.9),
    "养老机构": ("Q8514", 0.4),
    "政务服务中心": ("S9221", 0.7),
    "客运站": ("G5441", 0.02),
    "派出所": ("S9223", 0.5),
}


def _sites(layout: Layout, random: np.random.Generator, industry: Ints) -> Ints:
    """Return a building for each firm: of a use that suits it, in proportion to floor area and centrality."""
    buildings = layout.buildings
    central = 0.15 + layout.land.centrality[buildings.face]
    chosen = np.zeros(len(industry), dtype=np.int64)
    for number, item in enumerate(INDUSTRIES):
        firms = np.flatnonzero(industry == number)
        weight = np.zeros(len(buildings.use))
        for rank, use in enumerate(item.uses):
            weight += (buildings.use == use) * (1.0 if rank == 0 else 0.25)
        weight *= np.sqrt(buildings.floor_area) * central
        if not weight.any():
            weight = np.sqrt(buildings.floor_area)
        chosen[firms] = random.choice(len(weight), len(firms), p=weight / weight.sum())
    return chosen


def _zipf(random: np.random.Generator, industry: Ints, jobs: int) -> Ints:
    """Return sizes that fall as 1/rank, makers and builders among the large, summing to the jobs."""
    count = len(industry)
    maker = np.array([item.code[0] in "CEG" for item in INDUSTRIES])[industry]
    order = np.argsort(-(random.random(count) + 0.35 * maker), kind="stable")
    weight = 1.0 / (np.arange(1, count + 1) + 1.5)
    size = np.empty(count, dtype=np.int64)
    size[order] = np.maximum(1, np.floor(weight / weight.sum() * jobs * 0.9)).astype(np.int64)
    return size


def _capital(
    random: np.random.Generator, size: Ints, trader: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Ints:
    steps = np.array([1, 3, 5, 10, 30, 50, 100, 200, 300, 500, 1000, 2000, 3000, 5000, 10000])
    wanted = size * random.lognormal(1.6, 0.9, len(size)) * np.where(trader, 0.08, 1.0)
    return steps[np.minimum(np.searchsorted(steps, wanted), len(steps) - 1)]


def _codes(random: np.random.Generator, region: Texts, kind: Texts) -> Texts:
    """Return credit codes: 91 for firms, 92 for traders, 12 for public bodies."""
    codes = np.empty(len(region), dtype=object)
    for value, registrar in (("企业", "91"), ("个体工商户", "92"), ("事业单位", "12")):
        which = kind == value
        codes[which] = credit_codes(random, region[which], registrar=registrar)
    return codes


def _firm_names(
    layout: Layout,
    random: np.random.Generator,
    industry: Ints,
    trader: np.ndarray[tuple[int], np.dtype[np.bool_]],
    region: Texts,
) -> Texts:
    """Return names in the order region, brand, trade, legal form; no two are equal."""
    city = layout.name.zh
    districts = dict(zip(layout.divisions.districts.codes, layout.divisions.districts.names, strict=True))
    names = np.empty(len(industry), dtype=object)
    taken: set[str] = set()
    draws = random.integers(0, 1_000_000, (len(industry), 5)).tolist()
    for index, (kind, small, code, (one, two, three, four, five)) in enumerate(
        zip(industry.tolist(), trader.tolist(), region.tolist(), draws, strict=True)
    ):
        words = INDUSTRIES[kind].words
        word = words[four % len(words)]
        form = "有限公司" if five % 7 else "有限责任公司"
        place, trade = (city + districts[code], word) if small else (city, _trade_of_firm(word) + form)
        brand = FIRM_FIRST[one % len(FIRM_FIRST)] + FIRM_SECOND[two % len(FIRM_SECOND)]
        middle = (
            FIRM_SECOND[three % len(FIRM_SECOND)]
            if three % 2 and three % len(FIRM_SECOND) != two % len(FIRM_SECOND)
            else ""
        )
        step = 0
        while (name := place + brand + middle + trade) in taken:
            step += 1
            middle = (
                FIRM_FIRST[(three + step) % len(FIRM_FIRST)]
                + FIRM_SECOND[(five + step * 7) % len(FIRM_SECOND)]
            )
        taken.add(name)
        names[index] = name
    return names


def _trade_of_firm(word: str) -> str:
    """Return what a limited company calls a trade that on the street is a shop."""
    if word in ("餐馆", "饭店", "小吃店", "面馆", "火锅店", "茶楼"):
        return "餐饮管理"
    return word.removesuffix("店").removesuffix("馆").removesuffix("部") or word
