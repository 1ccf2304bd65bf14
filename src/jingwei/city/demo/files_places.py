"""The files about what stands still: divisions, land, buildings, streets, lines, places, components."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from jingwei.city.demo.arrays import Geometries, Ints, Texts
from jingwei.city.demo.components import KINDS
from jingwei.city.demo.departments import DEPARTMENTS_FILE, POSTS, STAFF_FILE
from jingwei.city.demo.forms import Sheet, write_xlsx
from jingwei.city.demo.land import USE_CODES, Use
from jingwei.city.demo.lines import Line
from jingwei.city.demo.names import STREAMS
from jingwei.city.demo.pack import Pack, Table, serial
from jingwei.city.demo.roads import CLASS_NAMES, LANES, SPEEDS
from jingwei.words import Text

GRADES = np.array(["一类", "二类", "三类"], dtype=object)


def write_places(pack: Pack) -> None:
    """Write all files about what stands still."""
    _divisions(pack)
    _land(pack)
    _buildings(pack)
    _streets(pack)
    _transit(pack)
    _drains(pack)
    _public_places(pack)
    _components(pack)
    _departments(pack)


def _divisions(pack: Pack) -> None:
    divisions, layout = pack.town.layout.divisions, pack.town.layout
    city = layout.name.zh
    levels = (
        ("districts", "行政区划.geojson", Text("行政区", "Districts"), divisions.districts, None),
        (
            "streets",
            "街道.geojson",
            Text("街道与镇", "Streets and towns"),
            divisions.streets,
            divisions.districts,
        ),
        (
            "communities",
            "社区.geojson",
            Text("社区与村", "Communities"),
            divisions.communities,
            divisions.streets,
        ),
    )
    for identifier, file, title, level, above in levels:
        parents = (
            {"上级代码": above.codes[level.parent], "上级名称": above.names[level.parent]}
            if above
            else {"上级名称": np.full(len(level.codes), city, dtype=object)}
        )
        columns = {
            "代码": level.codes,
            "名称": level.names,
            **parents,
            "面积": np.round(shapely.area(level.shapes), 1),
        }
        owner = "planning" if identifier == "districts" else "civil-affairs"
        pack.shapes(
            identifier,
            file,
            title,
            owner,
            columns,
            level.shapes,
            keys=["代码"],
            name="名称",
            ground=None if identifier == "communities" else "border",
            text=["代码"] if not above else ["代码", "上级代码"],
            sharing="unconditional",
        )
    faces, land = layout.fabric.faces, layout.land
    walking: dict[str, list[str]] = {}
    for person in pack.town.government.staff:
        if person.post == "collector":
            walking.setdefault(person.area, []).append(person.name)
    officers = np.array([walking[code] for code in divisions.communities.codes], dtype=object)
    keeper = officers[divisions.community, np.arange(len(faces)) % officers.shape[1]]
    grade = GRADES[np.clip(np.searchsorted([0.35, 0.8], layout.fabric.remoteness), 0, 2)]
    columns = {
        "网格编码": divisions.grid_codes,
        "社区代码": divisions.communities.codes[divisions.community],
        "社区名称": divisions.communities.names[divisions.community],
        "街道名称": divisions.streets.names[divisions.street],
        "用地类别": _use_names(land.use, 0),
        "用地名称": _use_names(land.use, 1),
        "管理等级": grade,
        "责任人": keeper,
        "面积": np.round(shapely.area(faces), 1),
        "启用日期": np.full(len(faces), "2023-01-01", dtype=object),
    }
    pack.shapes(
        "unit_grids",
        "单元网格.parquet",
        Text("单元网格", "Unit grids"),
        "urban-management",
        columns,
        faces,
        keys=["网格编码"],
        sharing="unconditional",
    )


def _green(pack: Pack) -> tuple[Texts, Geometries]:
    """Return the woods, their edges rounded as woods grow, and the green banks of the river."""
    layout = pack.town.layout
    faces, use = layout.fabric.faces, layout.land.use
    step = (
        0.3 * np.sqrt(np.median(shapely.area(faces[use == Use.FOREST]))) if (use == Use.FOREST).any() else 0.0
    )
    whole = shapely.coverage_union_all(faces)
    woods = shapely.coverage_union_all(faces[use == Use.FOREST])
    beyond = shapely.difference(shapely.buffer(woods, 2.0 * step), whole)  # woods go on past the border
    woods = shapely.buffer(shapely.union(woods, beyond), step)
    woods = shapely.intersection(shapely.buffer(shapely.buffer(woods, -2.2 * step), step), whole)
    built = shapely.coverage_union_all(faces[(use != Use.FOREST) & (use != Use.FARMLAND)])
    woods = shapely.get_parts(shapely.difference(woods, built))
    banks = shapely.get_parts(shapely.coverage_union_all(faces[use == Use.BANK]))
    woods = woods[shapely.area(woods) > 5_000.0]
    kinds = np.array(["林地"] * len(woods) + ["防护绿地"] * len(banks), dtype=object)
    return kinds, np.concatenate([woods, banks])


def _use_names(use: Ints, which: int) -> Texts:
    return np.array([USE_CODES[Use(kind)][which] for kind in range(len(Use))], dtype=object)[use]


def _land(pack: Pack) -> None:
    layout = pack.town.layout
    used = np.flatnonzero(
        ~np.isin(layout.land.use, (Use.FOREST, Use.FARMLAND, Use.WATER))
        & ~shapely.is_empty(layout.land.parcels)
    )
    pack.shapes(
        "parcels",
        "宗地.parquet",
        Text("宗地", "Parcels"),
        "planning",
        {
            "宗地号": serial("ZD", len(used)),
            "用地代码": _use_names(layout.land.use[used], 0),
            "用地名称": _use_names(layout.land.use[used], 1),
            "面积": np.round(shapely.area(layout.land.parcels[used]), 1),
        },
        layout.land.parcels[used],
        keys=["宗地号"],
        sharing="conditional",
    )
    water = _water(pack)
    pack.shapes(
        "waters",
        "水系.geojson",
        Text("水系", "Waters"),
        "water",
        {"名称": water[0], "类别": water[1]},
        water[2],
        keys=["名称"],
        name="名称",
        ground="water",
        sharing="unconditional",
    )
    kinds, green = _green(pack)
    pack.shapes(
        "green_land",
        "林地绿地.geojson",
        Text("林地与防护绿地", "Woods and green banks"),
        "parks",
        {"编号": serial("LD", len(green), 4), "类别": kinds, "面积": np.round(shapely.area(green))},
        green,
        keys=["编号"],
        ground="green",
        sharing="unconditional",
    )
    rail = shapely.line_merge(shapely.multilinestrings(layout.lines.shapes[layout.lines.kinds == Line.RAIL]))
    pack.shapes(
        "railway",
        "铁路.geojson",
        Text("铁路", "Railway"),
        "transport",
        {"名称": np.array(["铁路"], dtype=object)},
        np.array([rail], dtype=object),
        keys=["名称"],
        name="名称",
        ground="rail",
        sharing="unconditional",
    )
    _terrain(pack)


def _water(pack: Pack) -> tuple[Texts, Texts, Geometries]:
    layout = pack.town.layout
    river = shapely.coverage_union_all(layout.fabric.faces[layout.land.use == Use.WATER])
    streams = shapely.buffer(layout.lines.shapes[layout.lines.kinds == Line.STREAM], 9.0, cap_style="flat")
    of_lake, lakes = _lakes(pack)
    names = np.concatenate([[layout.river], STREAMS[: len(streams)], of_lake]).astype(object)
    kinds = np.array(["河流"] + ["支流"] * len(streams) + ["湖泊"] * len(lakes), dtype=object)
    return names, kinds, np.concatenate([np.array([river], dtype=object), streams, lakes])


def _lakes(pack: Pack) -> tuple[Texts, Geometries]:
    """Return the lakes of some larger parks: a part of the ground, rounded, clear of the pavilions."""
    layout, facilities = pack.town.layout, pack.town.facilities
    random = pack.town.settings.draws("lakes")
    parks = facilities.of("公园")
    ground = facilities.shapes[parks]
    parks = parks[(shapely.area(ground) > 9_000.0) & (random.random(len(parks)) < 0.4)]
    ground = facilities.shapes[parks]
    size = np.sqrt(shapely.area(ground))
    middle = shapely.get_coordinates(shapely.centroid(ground))
    inner = np.full(len(parks), shapely.Polygon(), dtype=object)
    for reach in random.uniform(0.10, 0.24, (3, len(parks))) * size:
        off = random.uniform(-0.17, 0.17, (len(parks), 2)) * size[:, None]
        inner = shapely.union(inner, shapely.buffer(shapely.points(middle + off), reach, quad_segs=6))
    shore = 0.06 * size
    inner = shapely.buffer(shapely.buffer(inner, 2.0 * shore), -2.0 * shore)
    inner = shapely.intersection(inner, shapely.buffer(ground, -12.0))
    pavilions = shapely.union_all(layout.buildings.shapes[layout.buildings.use == Use.PARK])
    lakes = shapely.difference(inner, shapely.buffer(pavilions, 9.0))
    large = (shapely.area(lakes) > 2_500.0) & (shapely.get_type_id(lakes) == 3)
    named = [name.removesuffix("公园") + "湖" for name in facilities.name[parks[large]]]
    return np.array(named, dtype=object), lakes[large]


def _terrain(pack: Pack) -> None:
    layout = pack.town.layout
    west, south, east, north = shapely.total_bounds(layout.fabric.faces)
    pitch = max(50.0, (east - west) / 160.0)
    x, y = (
        axis.ravel() for axis in np.meshgrid(np.arange(west, east, pitch), np.arange(south, north, pitch))
    )
    whole = shapely.coverage_union_all(layout.divisions.districts.shapes)
    shapely.prepare(whole)
    inside = shapely.contains_xy(whole, x, y)
    x, y = x[inside], y[inside]
    longitude, latitude = pack.degrees(x, y)
    pack.parquet(
        "terrain",
        "高程点.parquet",
        Text("高程点", "Spot heights"),
        "planning",
        {"经度": longitude, "纬度": latitude, "高程": layout.terrain.at(x, y)},
        place={"lon": "经度", "lat": "纬度", "crs": "CGCS2000"},
        update_cycle="once",
        sharing="conditional",
    )


def building_codes(pack: Pack) -> Texts:
    """Return the identifier of each building."""
    return serial("LD", len(pack.town.layout.buildings.shapes))


def _buildings(pack: Pack) -> None:
    layout, buildings = pack.town.layout, pack.town.layout.buildings
    codes = building_codes(pack)
    pack.shapes(
        "buildings",
        "建筑物.parquet",
        Text("建筑物", "Buildings"),
        "planning",
        {
            "楼栋编码": codes,
            "名称": _building_names(pack),
            "标准地址": layout.addresses.full,
            "用途": _use_names(buildings.use, 1),
            "层数": buildings.floors,
            "高度": buildings.height,
            "建成年份": buildings.year,
            "建筑面积": buildings.floor_area,
            "户数": buildings.homes,
        },
        buildings.shapes,
        keys=["楼栋编码"],
        name="名称",
        ground="building",
        sharing="conditional",
    )
    longitude, latitude = pack.degrees(buildings.x, buildings.y, "GCJ-02")
    table = Table(
        pack,
        "addresses",
        {
            "地址编码": serial("DZ", len(codes)),
            "楼栋编码": codes,
            "标准地址": layout.addresses.full,
            "经度": longitude,
            "纬度": latitude,
        },
    )
    table.swap("经度", "纬度", 0.002)
    table.default_point("经度", "纬度", 0.003, (0.0, 0.0))
    pack.truth.identify("addresses", "building", np.arange(len(table)))
    pack.csv(
        "addresses",
        "标准地址库.csv",
        Text("标准地址库", "Addresses"),
        "police",
        table.columns,
        encoding="GB18030",
        keys=["地址编码"],
        name="标准地址",
        place={"lon": "经度", "lat": "纬度", "crs": "GCJ-02"},
        time={"none": True},
        update_cycle="monthly",
    )


def _building_names(pack: Pack) -> Texts:
    """Return what people call each building: its number in the compound, or its house number."""
    addresses = pack.town.layout.addresses
    number = addresses.building.astype(str).astype(object) + "栋"
    house = addresses.road_names[addresses.road] + addresses.gate.astype(str).astype(object) + "号"
    return np.where(addresses.building > 0, np.where(addresses.compound != "", number, house + number), house)


def _streets(pack: Pack) -> None:
    layout, roads = pack.town.layout, pack.town.layout.roads
    pack.shapes(
        "roads",
        "道路中心线.parquet",
        Text("道路", "Roads"),
        "transport",
        {
            "路段编码": serial("DL", len(roads.shapes)),
            "道路名称": layout.addresses.road_names,
            "等级": np.array([CLASS_NAMES.get(Line(kind), "") for kind in range(len(Line))], dtype=object)[
                roads.kinds
            ],
            "车道数": roads.table(LANES).astype(np.int64),
            "限速": roads.table(SPEEDS).astype(np.int64),
            "起点": roads.start,
            "终点": roads.end,
            "单行": roads.one_way,
            "桥梁": roads.bridges,
            "长度": roads.length,
        },
        roads.shapes,
        keys=["路段编码"],
        name="道路名称",
        ground="road",
        sharing="unconditional",
    )
    longitude, latitude = pack.degrees(roads.x, roads.y)
    pack.parquet(
        "junctions",
        "道路节点.parquet",
        Text("道路节点", "Junctions"),
        "transport",
        {"节点": np.arange(len(roads.x)), "经度": longitude, "纬度": latitude},
        keys=["节点"],
        place={"lon": "经度", "lat": "纬度", "crs": "WGS84"},
        update_cycle="yearly",
        sharing="unconditional",
    )


def _transit(pack: Pack) -> None:
    metro, buses = pack.town.metro, pack.town.buses
    for identifier, file, title, owner, lines in (
        ("metro_lines", "地铁线路.geojson", Text("地铁线路", "Metro lines"), "metro", metro),
        ("bus_lines", "公交线路.geojson", Text("公交线路", "Bus lines"), "transport", buses),
    ):
        columns = {"线路名称": lines.names, "长度": np.round(shapely.length(lines.shapes))}
        pack.shapes(
            identifier,
            file,
            title,
            owner,
            columns,
            lines.shapes,
            keys=["线路名称"],
            name="线路名称",
            sharing="unconditional",
        )
    longitude, latitude = pack.degrees(metro.x, metro.y)
    pack.csv(
        "metro_stops",
        "地铁站.csv",
        Text("地铁站", "Metro stations"),
        "metro",
        {
            "线路": metro.names[metro.line],
            "站序": metro.order,
            "站名": metro.stop_names,
            "经度": longitude,
            "纬度": latitude,
        },
        keys=["线路", "站序"],
        name="站名",
        place={"lon": "经度", "lat": "纬度", "crs": "WGS84"},
        time={"none": True},
        update_cycle="yearly",
        sharing="unconditional",
    )
    longitude, latitude = pack.degrees(buses.x, buses.y, "BD-09")
    pack.csv(
        "bus_stops",
        "公交站点.csv",
        Text("公交站点", "Bus stops"),
        "transport",
        {
            "线路名称": buses.names[buses.line],
            "站序": buses.order,
            "站点名称": buses.stop_names,
            "经度": longitude,
            "纬度": latitude,
        },
        encoding="GB18030",
        keys=["线路名称", "站序"],
        name="站点名称",
        place={"lon": "经度", "lat": "纬度", "crs": "BD-09"},
        time={"none": True},
        update_cycle="monthly",
    )


def _drains(pack: Pack) -> None:
    drains = pack.town.drains
    codes = serial("YS", len(drains.node), 6)
    pipes = drains.downstream >= 0
    pack.shapes(
        "storm_pipes",
        "雨水管线.geojson",
        Text("雨水管线", "Storm drains"),
        "water",
        {
            "管段编码": codes[pipes],
            "上游井": codes[pipes],
            "下游井": codes[drains.downstream[pipes]],
            "管径": drains.diameter[pipes],
            "汇水面积": drains.area[pipes],
        },
        drains.pipes[pipes],
        keys=["管段编码"],
        sharing="conditional",
    )
    longitude, latitude = pack.degrees(drains.x, drains.y)
    table = Table(
        pack,
        "storm_wells",
        {
            "井编码": codes,
            "经度": longitude,
            "纬度": latitude,
            "地面高程": drains.ground,
            "管底高程": drains.invert,
            "类型": np.where(pipes, "检查井", "排放口"),
        },
    )
    table.minus_one("管底高程", 0.01)
    pack.csv(
        "storm_wells",
        "雨水井.csv",
        Text("雨水井", "Storm wells"),
        "water",
        table.columns,
        encoding="GB18030",
        keys=["井编码"],
        place={"lon": "经度", "lat": "纬度", "crs": "CGCS2000"},
        time={"none": True},
        update_cycle="yearly",
    )


def _public_places(pack: Pack) -> None:
    facilities = pack.town.facilities
    schools = facilities.of("小学", "中学")
    _place_table(
        pack, "schools", "学校.csv", Text("中小学", "Schools"), "education", schools, "学位数", "WGS84"
    )
    _place_table(
        pack,
        "hospitals",
        "医疗机构.csv",
        Text("医疗机构", "Hospitals and clinics"),
        "health",
        facilities.of("医院", "社区卫生服务中心"),
        "床位数",
        "GCJ-02",
        encoding="GB18030",
    )
    _place_table(
        pack,
        "safety",
        "应急资源.csv",
        Text("应急资源", "Emergency resources"),
        "emergency",
        facilities.of("消防站", "派出所", "避难场所"),
        "容量",
        "WGS84",
    )
    _place_table(
        pack,
        "markets",
        "农贸市场与政务场所.csv",
        Text("市场与政务场所", "Markets and service halls"),
        "market",
        facilities.of("农贸市场", "政务服务中心", "客运站"),
        "规模",
        "GCJ-02",
        encoding="GB18030",
    )
    parks = facilities.of("公园")
    pack.shapes(
        "parks",
        "公园.geojson",
        Text("公园", "Parks"),
        "parks",
        {
            "名称": facilities.name[parks],
            "面积": np.round(shapely.area(facilities.shapes[parks])),
            "编号": serial("GY", len(parks), 4),
        },
        facilities.shapes[parks],
        keys=["编号"],
        name="名称",
        ground="green",
        sharing="unconditional",
    )
    _parking(pack)
    _homes_for_the_old(pack)


def _postal(pack: Pack, which: Ints) -> Texts:
    """Return the addresses of public places; open ground lies beside a street."""
    layout, facilities = pack.town.layout, pack.town.facilities
    road = shapely.STRtree(layout.roads.shapes).nearest(
        shapely.points(facilities.x[which], facilities.y[which])
    )
    beside = layout.addresses.road_names[road] + "旁"
    return np.where(facilities.address[which] == "", beside, facilities.address[which])


def _place_table(
    pack: Pack,
    identifier: str,
    file: str,
    title: Text,
    owner: str,
    which: Ints,
    capacity: str,
    crs: str,
    encoding: str = "UTF-8",
) -> None:
    facilities = pack.town.facilities
    longitude, latitude = pack.degrees(facilities.x[which], facilities.y[which], crs)
    table = Table(
        pack,
        identifier,
        {
            "编号": serial(owner[:2].upper(), len(which), 5),
            "名称": facilities.name[which],
            "类别": facilities.kind[which],
            "地址": _postal(pack, which),
            capacity: facilities.capacity[which],
            "经度": longitude,
            "纬度": latitude,
        },
    )
    if len(which) >= 8:
        table.blank("地址", 0.06)
    pack.truth.identify(identifier, "facility", which)
    pack.csv(
        identifier,
        file,
        title,
        owner,
        table.columns,
        encoding=encoding,
        keys=["编号"],
        name="名称",
        place={"lon": "经度", "lat": "纬度", "crs": crs},
        time={"none": True},
        update_cycle="monthly",
        sharing="unconditional",
    )


def _parking(pack: Pack) -> None:
    """Write the parking register, with the faults of a register filled by hand."""
    facilities = pack.town.facilities
    which = facilities.of("停车场")
    longitude, latitude = pack.degrees(facilities.x[which], facilities.y[which], "GCJ-02")
    table = Table(
        pack,
        "parking",
        {
            "备案号": serial("TC", len(which), 5),
            "名称": facilities.name[which],
            "地址": _postal(pack, which),
            "泊位数": facilities.capacity[which],
            "经度": longitude,
            "纬度": latitude,
        },
    )
    entity = table.repeat(0.08, which)
    table.swap("经度", "纬度", 0.06)
    table.minus_one("泊位数", 0.05)
    pack.truth.identify("parking", "facility", entity)
    pack.csv(
        "parking",
        "停车场备案.csv",
        Text("停车场备案", "Parking register"),
        "transport",
        table.columns,
        encoding="GB18030",
        keys=["备案号"],
        name="名称",
        place={"lon": "经度", "lat": "纬度", "crs": "GCJ-02"},
        time={"none": True},
        update_cycle="monthly",
    )


def _homes_for_the_old(pack: Pack) -> None:
    """Write the register of elderly care: one table in two sheets, addresses without coordinates."""
    facilities = pack.town.facilities
    which = facilities.of("养老机构", "社区卫生服务中心")
    random = pack.town.settings.draws("elderly-care")
    columns = {
        "机构编号": serial("YL", len(which), 4),
        "机构名称": np.where(
            facilities.kind[which] == "养老机构",
            facilities.name[which],
            facilities.name[which] + "（日间照料站）",
        ),
        "地址": _postal(pack, which),
        "床位数": np.maximum(facilities.capacity[which], 10),
        "在住人数": np.rint(
            np.maximum(facilities.capacity[which], 10) * random.uniform(0.4, 0.95, len(which))
        ).astype(np.int64),
    }
    half = (len(which) + 1) // 2
    title = f"{pack.town.layout.name.zh}养老服务机构一览表"
    groups = [("基本信息", 3), ("床位情况", 2)]
    sheets = [
        Sheet(name, {key: values[part] for key, values in columns.items()}, title, groups)
        for name, part in (("第一批", slice(0, half)), ("第二批", slice(half, None)))
    ]
    write_xlsx(pack.folder / "养老机构.xlsx", sheets)
    for number, sheet in enumerate(sheets, start=1):
        part = which[:half] if number == 1 else which[half:]
        source = f"elderly_care_{number}"
        pack.truth.identify(source, "facility", part)
        pack.truth.note(
            source, np.arange(len(part)), sheet.flat("地址"), "no-place", facilities.address[part]
        )
        pack.describe(
            source,
            "养老机构.xlsx",
            Text(f"养老机构（{sheet.name}）", f"Elderly care, list {number}"),
            "civil-affairs",
            layer=sheet.name,
            header_row=3,
            keys=[sheet.flat("机构编号")],
            name=sheet.flat("机构名称"),
            place={"none": True},
            time={"none": True},
            update_cycle="quarterly",
        )


def _components(pack: Pack) -> None:
    components, town = pack.town.components, pack.town
    owner = np.array([town.departments[KINDS[code].owner].name for code in sorted(KINDS)], dtype=object)
    owner_code = np.array([town.departments[KINDS[code].owner].code for code in sorted(KINDS)], dtype=object)
    keeper = np.array(
        [town.departments[KINDS[code].keeper].name if KINDS[code].keeper else "" for code in sorted(KINDS)],
        dtype=object,
    )
    name = np.array([KINDS[code].name for code in sorted(KINDS)], dtype=object)
    kind = np.searchsorted(np.array(sorted(KINDS)), components.code.astype(str))
    longitude, latitude = pack.degrees(components.x, components.y)
    table = Table(
        pack,
        "components",
        {
            "管理部件标识码": components.identifier,
            "管理部件名称": name[kind],
            "类别代码": components.code,
            "主管部门代码": owner_code[kind],
            "主管部门名称": owner[kind],
            "养护单位名称": keeper[kind],
            "所在单元网格标识码": town.layout.divisions.grid_codes[components.face],
            "管理部件状态": components.state,
            "初始日期": components.since,
            "经度": longitude,
            "纬度": latitude,
            "高程": components.height,
        },
    )
    entity = table.repeat(0.002, np.arange(len(table)))
    table.default_point("经度", "纬度", 0.001, default_point(pack))
    table.blank("初始日期", 0.004)
    pack.truth.identify("components", "component", entity)
    pack.csv(
        "components",
        "城市部件普查.csv",
        Text("城市部件", "City components"),
        "urban-management",
        table.columns,
        encoding="GB18030",
        keys=["管理部件标识码"],
        name="管理部件名称",
        text=["管理部件标识码", "类别代码", "所在单元网格标识码", "初始日期"],
        place={"lon": "经度", "lat": "纬度", "crs": "CGCS2000"},
        time={"none": True},
        update_cycle="yearly",
    )


def default_point(pack: Pack) -> tuple[float, float]:
    """Return the point that departments write where they do not know the place: the government's gate."""
    where = pack.town.facilities.of("政务服务中心")
    index = int(where[0]) if len(where) else 0
    longitude, latitude = pack.degrees(pack.town.facilities.x[[index]], pack.town.facilities.y[[index]])
    return float(longitude[0]), float(latitude[0])


def _departments(pack: Pack) -> None:
    government = pack.town.government
    departments = list(government.departments.values())
    pack.csv(
        "departments",
        DEPARTMENTS_FILE,
        Text("部门名录", "Departments"),
        "data",
        {
            "部门": _column(departments, "key"),
            "名称": _column(departments, "name"),
            "英文名称": _column(departments, "english"),
            "统一社会信用代码": _column(departments, "code"),
            "上级代码": _column(departments, "parent"),
            "职责": _column(departments, "duties"),
            "电话": _column(departments, "phone"),
        },
        keys=["部门"],
        name="名称",
        text=["统一社会信用代码", "上级代码"],
        place={"none": True},
        time={"none": True},
        update_cycle="yearly",
        sharing="unconditional",
    )
    name = {department.code: department.name for department in departments}
    staff = government.staff
    pack.csv(
        "staff",
        STAFF_FILE,
        Text("工作人员", "Staff"),
        "data",
        {
            "工号": _column(staff, "number"),
            "登录名": _column(staff, "login"),
            "姓名": _column(staff, "name"),
            "部门代码": _column(staff, "department"),
            "部门": np.array([name[person.department] for person in staff], dtype=object),
            "岗位": np.array([POSTS[person.post].title.zh for person in staff], dtype=object),
            "角色": _column(staff, "role"),
            "责任社区": _column(staff, "area"),
        },
        encoding="GB18030",
        keys=["工号"],
        name="姓名",
        text=["部门代码", "责任社区"],
        place={"none": True},
        time={"none": True},
        update_cycle="monthly",
    )
    pack.directory = {
        "departments": {
            "file": DEPARTMENTS_FILE,
            "code": "统一社会信用代码",
            "title": "名称",
            "parent": "上级代码",
        },
        "people": {
            "file": STAFF_FILE,
            "encoding": "GB18030",
            "login": "登录名",
            "name": "姓名",
            "role": "角色",
            "department": "部门代码",
        },
    }


def _column(rows: Sequence[object], attribute: str) -> Texts:
    return np.array([getattr(row, attribute) for row in rows], dtype=object)
