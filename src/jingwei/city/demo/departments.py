"""The departments of the city's government: what each is for, and where it sits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jingwei.city.demo.codes import credit_codes
from jingwei.city.demo.divisions import CITY_CODE
from jingwei.city.demo.settings import Settings


@dataclass(frozen=True, slots=True)
class Department:
    """One department.

    Attributes
    ----------
    key
        Short stable name.
    name, english
        Full names.
    code
        Unified social credit code (18 characters).
    duties
        What it is responsible for.
    phone
        In the exchange of an area code that no place has.

    """

    key: str
    name: str
    english: str
    code: str
    duties: str
    phone: str


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
)

ROLES = ("采集员", "受理员", "值班长", "派遣员", "处置人员", "科室负责人", "数据管理员", "分管领导")


def departments_of(settings: Settings, city: str) -> dict[str, Department]:
    """Return the departments of a city by key, in the order of the government's list."""
    random = settings.draws("departments")
    codes = credit_codes(random, np.full(len(_DUTIES), CITY_CODE, dtype=object), registrar="11")
    return {
        key: Department(key, city + name, english, str(code), duties, f"0399-5{index:03d}0{index % 10}00")
        for index, ((key, name, english, duties), code) in enumerate(zip(_DUTIES, codes, strict=True))
    }
