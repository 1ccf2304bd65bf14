"""The city's government: its departments in a tree, their duties, and the people who serve in them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jingwei.city.demo.codes import credit_codes
from jingwei.city.demo.divisions import CITY_CODE
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.names import people_names
from jingwei.words import Text

DEPARTMENTS_FILE, STAFF_FILE = "部门名录.csv", "工作人员.csv"


@dataclass(frozen=True, slots=True)
class Department:
    """One department, of the city or of a part of it.

    Attributes
    ----------
    key
        Short stable name: `water` for a bureau of the city, `district:390102` and `street:390102001` for
        the governments below it, `government` for the one above them all.
    name, english
        Full names.
    code
        Unified social credit code (GB 32100, 18 characters).
    parent
        Code of the department above; empty for the city's government.
    duties
        What it is responsible for.
    phone
        In the exchange of an area code that no place has.

    """

    key: str
    name: str
    english: str
    code: str
    parent: str
    duties: str
    phone: str


@dataclass(frozen=True, slots=True)
class Post:
    """A post (岗位) and the role of `jingwei.access` that its holder has."""

    key: str
    title: Text
    role: str


@dataclass(frozen=True, slots=True)
class Official:
    """A person who serves in a department.

    Attributes
    ----------
    number, login, name
        Staff number, name to sign in by, Chinese name.
    department
        Code of the department.
    post
        Key in `POSTS`.
    area
        Code of the community that a grid officer walks; empty for everybody else.

    """

    number: str
    login: str
    name: str
    department: str
    post: str
    area: str

    @property
    def role(self) -> str:
        """The role of `jingwei.access` that the post brings."""
        return POSTS[self.post].role


@dataclass(frozen=True, slots=True)
class Government:
    """A city's departments by key, those above before those below, and their staff."""

    departments: dict[str, Department]
    staff: tuple[Official, ...]


# Posts of city management (GB/T 30428.8: who reports, accepts, dispatches, handles, checks), of every
# department, and the three administrators that GB/T 22239 keeps apart.
POSTS = {
    post.key: post
    for post in (
        Post("leader", Text("分管领导", "leader in charge"), "department_head"),
        Post("head", Text("科室负责人", "head of section"), "department_head"),
        Post("handler", Text("处置人员", "handler"), "staff"),
        Post("data-steward", Text("数据管理员", "data steward"), "staff"),
        Post("collector", Text("采集员", "grid officer"), "grid_officer"),
        Post("acceptor", Text("受理员", "acceptance operator"), "operator"),
        Post("duty-chief", Text("值班长", "duty chief"), "operator"),
        Post("dispatcher", Text("派遣员", "dispatcher"), "operator"),
        Post("inspector", Text("督查员", "inspector"), "evaluator"),
        Post(
            "system-administrator",
            Text("系统管理员", "system administrator"),
            "system_administrator",
        ),
        Post(
            "security-administrator",
            Text("安全管理员", "security administrator"),
            "security_administrator",
        ),
        Post("auditor", Text("审计员", "auditor"), "auditor"),
    )
}

# How many hold which post: in every department, and beside that in some.
_EVERYWHERE = {"leader": 1, "head": 1, "data-steward": 1, "handler": 2}
_BESIDE = {
    "urban-management": {"acceptor": 4, "duty-chief": 2, "dispatcher": 3},
    "hotline": {"acceptor": 6, "duty-chief": 2},
    "data": {"duty-chief": 2, "system-administrator": 1},
    "police": {"security-administrator": 1},
    "audit": {"auditor": 1},
    "office": {"inspector": 3},
}
COLLECTORS_PER_COMMUNITY = 2

_DUTIES = (
    (
        "urban-management",
        "城市管理局",
        "Urban Management Bureau",
        "市容环境卫生、户外广告、城市照明、数字城管",
    ),
    ("housing", "住房和城乡建设局", "Housing and Construction Bureau", "建筑工地、房屋安全、物业管理、燃气"),
    ("water", "水务局", "Water Bureau", "供水、排水、防汛、河道、污水处理"),
    ("transport", "交通运输局", "Transport Bureau", "道路、桥梁、公交、出租、停车"),
    ("police", "公安局", "Public Security Bureau", "人口、治安、交通秩序、道路交通信号"),
    ("parks", "园林绿化局", "Parks and Greening Bureau", "公园、绿地、行道树、古树名木"),
    ("environment", "生态环境局", "Ecology and Environment Bureau", "大气、水、噪声、固体废物"),
    ("market", "市场监督管理局", "Market Regulation Bureau", "企业登记、食品药品、价格、计量"),
    ("health", "卫生健康委员会", "Health Commission", "医院、疾控、社区卫生、养老医养结合"),
    ("education", "教育局", "Education Bureau", "中小学、幼儿园、学区、校车"),
    ("civil-affairs", "民政局", "Civil Affairs Bureau", "低保、养老、婚姻登记、地名"),
    ("human-resources", "人力资源和社会保障局", "Human Resources Bureau", "就业、社会保险、劳动监察"),
    ("tax", "税务局", "Tax Bureau", "税收征管"),
    (
        "planning",
        "自然资源和规划局",
        "Natural Resources and Planning Bureau",
        "国土空间规划、不动产登记、测绘",
    ),
    ("emergency", "应急管理局", "Emergency Management Bureau", "安全生产、防灾减灾、避难场所"),
    ("fire", "消防救援支队", "Fire and Rescue Brigade", "火灾扑救、消防监督、消防设施"),
    ("meteorology", "气象局", "Meteorological Bureau", "观测、预报、预警"),
    ("culture", "文化广电和旅游局", "Culture and Tourism Bureau", "文物、演出、景区"),
    ("development", "发展和改革委员会", "Development and Reform Commission", "重大项目、能源、价格"),
    ("statistics", "统计局", "Statistics Bureau", "统计调查"),
    ("data", "数据局", "Data Bureau", "政务数据共享、公共数据开放、城市大脑运行"),
    ("hotline", "12345热线管理中心", "12345 Hotline Centre", "受理、转办、回访市民诉求"),
    ("grid-company", "供电公司", "Power Supply Company", "电网运行、电力设施"),
    ("waterworks", "供水集团", "Waterworks Group", "自来水生产与输配"),
    ("telecom", "通信发展管理办公室", "Communications Office", "通信管线、基站"),
    ("metro", "轨道交通集团", "Rail Transit Group", "地铁运营"),
    ("audit", "审计局", "Audit Bureau", "财政审计、信息系统审计"),
    ("office", "人民政府办公室", "General Office of the Government", "督查、政务公开、应急值守"),
)


def form_government(layout: Layout) -> Government:
    """Form the government of a city: bureaus, districts, street offices, and their staff."""
    departments = {department.key: department for department in _departments(layout)}
    return Government(departments, _staff(layout, departments))


def read_government(pack: Path) -> Government:
    """Return the government that the files of a generated pack list: what `form_government` formed.

    Raises
    ------
    FileNotFoundError
        When the folder is no generated pack.

    """
    departments = [
        Department(
            row["部门"],
            row["名称"],
            row["英文名称"],
            row["统一社会信用代码"],
            row["上级代码"],
            row["职责"],
            row["电话"],
        )
        for row in _rows(pack / DEPARTMENTS_FILE, "utf-8")
    ]
    posts = {str(post.title.zh): key for key, post in POSTS.items()}
    staff = [
        Official(
            row["工号"], row["登录名"], row["姓名"], row["部门代码"], posts[row["岗位"]], row["责任社区"]
        )
        for row in _rows(pack / STAFF_FILE, "gb18030")
    ]
    return Government({department.key: department for department in departments}, tuple(staff))


def _rows(path: Path, encoding: str) -> Iterator[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        yield from csv.DictReader(file)


def _departments(layout: Layout) -> list[Department]:
    city, english = layout.name.zh, layout.name.en
    districts, streets = layout.divisions.districts, layout.divisions.streets
    rows = [("government", f"{city}人民政府", f"Government of {english}", CITY_CODE, "", "全市政务")]
    rows += [(key, city + name, title, CITY_CODE, "government", duty) for key, name, title, duty in _DUTIES]
    rows += [
        (
            f"district:{code}",
            f"{name}人民政府",
            f"District Government {code}",
            str(code),
            "government",
            "本区政务",
        )
        for code, name in zip(districts.codes, districts.names, strict=True)
    ]
    rows += [
        (
            f"street:{code}",
            f"{name}人民政府" if str(name).endswith("镇") else f"{name}办事处",
            f"Street Office {code}",
            str(code)[:6],
            f"district:{str(code)[:6]}",
            "城市管理巡查、社区治理、公共服务",
        )
        for code, name in zip(streets.codes, streets.names, strict=True)
    ]
    region = np.array([row[3] for row in rows], dtype=object)
    codes = credit_codes(layout.settings.draws("departments"), region, registrar="11")
    code_of = {row[0]: str(code) for row, code in zip(rows, codes, strict=True)}
    return [
        Department(
            key,
            name,
            title,
            code_of[key],
            code_of.get(above, ""),
            duties,
            f"0399-5{index:03d}0{index % 10}00",
        )
        for index, (key, name, title, _, above, duties) in enumerate(rows)
    ]


def _staff(layout: Layout, departments: dict[str, Department]) -> tuple[Official, ...]:
    communities, streets = layout.divisions.communities, layout.divisions.streets
    rows = [
        (department.code, post, "")
        for department in departments.values()
        for post, number in {**_EVERYWHERE, **_BESIDE.get(department.key, {})}.items()
        for _ in range(number)
    ]
    rows += [
        (departments[f"street:{streets.codes[street]}"].code, "collector", str(code))
        for code, street in zip(communities.codes, communities.parent, strict=True)
        for _ in range(COLLECTORS_PER_COMMUNITY)
    ]
    random = layout.settings.draws("staff")
    names = people_names(random, random.random(len(rows)) < 0.4)
    return tuple(
        Official(f"G{number:05d}", f"g{number:05d}", str(name), department, post, area)
        for number, (name, (department, post, area)) in enumerate(zip(names, rows, strict=True), start=1)
    )
