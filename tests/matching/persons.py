"""Persons and enterprises of two departments with known faults: the truth by which matching is judged."""

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv

SURNAMES = list(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
GIVEN = list(
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国文斌波辉宇鹏飞浩然子轩梓涵欣怡佳琪思雨晨曦一诺雅婷志远嘉豪俊熙博瑞雪莹梦洁慧颖紫萱诗琪天翔海燕春花冬生立新永康德胜福贵长江成龙金凤银玲素珍淑贞惠民安邦振兴向东"
)
ROADS = [f"{name}路" for name in ("人民", "解放", "中山", "建设", "和平", "新华", "文化", "胜利", "滨河")]


def identity_numbers(rng, births):
    """Return identity numbers (GB 11643) with their check characters."""
    count = len(births)
    area = rng.choice(["440301", "440303", "440304", "440305", "440306"], count)
    serial = rng.integers(0, 1000, count)
    body = [f"{a}{b.replace('-', '')}{s:03}" for a, b, s in zip(area, births, serial, strict=True)]
    weights = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
    digits = np.array([[int(c) for c in one] for one in body])
    check = ((digits * weights).sum(axis=1)) % 11
    return np.array([one + "10X98765432"[c] for one, c in zip(body, check, strict=True)], object)


def names(rng, count):
    place = np.minimum(rng.zipf(1.35, count) - 1, len(SURNAMES) - 1)
    two = rng.random(count) < 0.85
    first, second = rng.choice(GIVEN, count), rng.choice(GIVEN, count)
    return np.array(
        [SURNAMES[p] + a + (b if t else "") for p, a, b, t in zip(place, first, second, two, strict=True)],
        object,
    )


def addresses(rng, count):
    road, number = rng.choice(ROADS, count), rng.integers(1, 900, count)
    building, room = rng.integers(1, 30, count), rng.integers(101, 2900, count)
    return np.array(
        [f"{r}{n}号{b}栋{m}室" for r, n, b, m in zip(road, number, building, room, strict=True)], object
    )


def phones(rng, count):
    return np.array(
        [
            f"1{p}{n:08}"
            for p, n in zip(rng.integers(30, 99, count), rng.integers(0, 10**8, count), strict=True)
        ],
        object,
    )


def one_wrong(rng, values, share, letters):
    """Replace one letter of a share of the values by another."""
    out = values.copy()
    for row in np.flatnonzero(rng.random(len(values)) < share):
        text = out[row]
        place = rng.integers(0, len(text))
        out[row] = text[:place] + rng.choice(letters) + text[place + 1 :]
    return out


def swapped(rng, births, share):
    out = births.copy()
    for row in np.flatnonzero(rng.random(len(births)) < share):
        year, month, day = out[row].split("-")
        out[row] = f"{year}-{day}-{month}" if int(day) <= 12 else f"{year}-{month}-{max(1, int(day) - 1):02}"
    return out


def missing(rng, values, share):
    out = values.copy()
    out[rng.random(len(values)) < share] = None
    return out


def two_departments(count, *, seed=1, both=0.75):
    """Return two tables of `count` persons and the truth: for each left row its row in the right, or -1."""
    rng = np.random.default_rng(seed)
    shared = int(count * both)
    people = 2 * count - shared
    days = rng.integers(0, 365 * 80, people)
    births = (np.datetime64("1940-01-01") + days).astype(str).astype(object)
    truth = {
        "name": names(rng, people),
        "birth": births,
        "identity": identity_numbers(rng, births),
        "phone": phones(rng, people),
        "address": addresses(rng, people),
    }
    left, right = np.arange(count), np.concatenate([np.arange(shared), np.arange(count, people)])
    left, right = rng.permutation(left), rng.permutation(right)
    tables = []
    for rows in (left, right):
        one = {field: values[rows].copy() for field, values in truth.items()}
        one["name"] = one_wrong(rng, one["name"], 0.03, GIVEN)
        one["birth"] = swapped(rng, one["birth"], 0.02)
        one["identity"] = missing(rng, one_wrong(rng, one["identity"], 0.01, list("0123456789")), 0.4)
        moved = rng.random(count) < 0.13
        one["address"][moved] = addresses(rng, int(moved.sum()))
        changed = rng.random(count) < 0.15
        one["phone"][changed] = phones(rng, int(changed.sum()))
        one["phone"] = missing(rng, one["phone"], 0.1)
        one["key"] = np.array([f"{len(tables)}-{row}" for row in range(count)], object)
        tables.append(pa.table({name: pa.array(list(values), pa.string()) for name, values in one.items()}))
    place = {person: row for row, person in enumerate(right.tolist())}
    return tables[0], tables[1], np.array([place.get(person, -1) for person in left.tolist()])


BRANDS = list("华盛兴隆泰和顺达恒信联创鼎丰润安瑞祥宏远东升天源海纳金诚博雅智云启明科锐优品嘉禾众合正德")
TRADES = (
    "科技",
    "贸易",
    "餐饮管理",
    "物流",
    "建筑工程",
    "装饰设计",
    "电子",
    "医疗器械",
    "文化传播",
    "物业管理",
)
FORMS = ("有限公司", "有限责任公司", "股份有限公司")


def credit_codes(rng, count):
    """Return unified social credit codes (GB 32100) with their check characters."""
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    weights = np.array([pow(3, place, 31) for place in range(17)])
    figures = rng.integers(0, 31, (count, 17))
    figures[:, :8] = [9, 1, 4, 4, 0, 3, 0, 0]
    check = (31 - (figures * weights).sum(axis=1) % 31) % 31
    rows = np.column_stack([figures, check])
    return np.array(["".join(letters[one] for one in row) for row in rows], object)


def titles(rng, count):
    brand = rng.choice(BRANDS, (count, 3))
    short = rng.random(count) < 0.7
    trade, form = rng.choice(TRADES, count), rng.choice(FORMS, count, p=[0.75, 0.15, 0.1])
    return np.array(
        [
            f"深圳市{''.join(b[: 2 if s else 3])}{t}{f}"
            for b, s, t, f in zip(brand, short, trade, form, strict=True)
        ],
        object,
    )


def two_registers(count, *, seed=1, both=0.75):
    """Return two tables of `count` enterprises and the truth, as `two_departments` does of persons."""
    rng = np.random.default_rng(seed)
    shared = int(count * both)
    all_ = 2 * count - shared
    founded = np.datetime64("1995-01-01") + rng.integers(0, 365 * 28, all_)
    truth = {
        "title": titles(rng, all_),
        "credit_code": credit_codes(rng, all_),
        "legal_person": names(rng, all_),
        "founded": founded.astype(str).astype(object),
        "phone": phones(rng, all_),
        "address": addresses(rng, all_),
    }
    left, right = np.arange(count), np.concatenate([np.arange(shared), np.arange(count, all_)])
    left, right = rng.permutation(left), rng.permutation(right)
    tables = []
    for rows in (left, right):
        one = {field: values[rows].copy() for field, values in truth.items()}
        one["title"] = one_wrong(rng, one["title"], 0.03, BRANDS)
        for row in np.flatnonzero(rng.random(count) < 0.25):
            short = one["title"][row].removeprefix("深圳市")
            one["title"][row] = short.replace("有限责任公司", "有限公司")
        one["credit_code"] = one_wrong(rng, one["credit_code"], 0.01, list("0123456789"))
        one["credit_code"] = missing(rng, one["credit_code"], 0.35)
        one["founded"] = swapped(rng, one["founded"], 0.02)
        for field, made, share in (
            ("address", addresses, 0.12),
            ("legal_person", names, 0.08),
            ("phone", phones, 0.15),
        ):
            changed = rng.random(count) < share
            one[field][changed] = made(rng, int(changed.sum()))
        one["phone"] = missing(rng, one["phone"], 0.1)
        one["key"] = np.array([f"{len(tables)}-{row}" for row in range(count)], object)
        tables.append(pa.table({name: pa.array(list(values), pa.string()) for name, values in one.items()}))
    place = {firm: row for row, firm in enumerate(right.tolist())}
    return tables[0], tables[1], np.array([place.get(firm, -1) for firm in left.tolist()])


FIELDS = (
    "fields = { "
    + ", ".join(f'{name} = "{name}"' for name in ("name", "identity", "birth", "phone", "address"))
    + " }"
)
TEXT = f"""
title = {{ zh = "户籍与就诊", en = "Residents and patients" }}
sure = 0.99
review = 0.3

[[table]]
dataset = "residents"
key = "key"
{FIELDS}

[[table]]
dataset = "patients"
key = "key"
{FIELDS}

[field.phone]
authority = ["patients", "residents"]
"""
SOURCES = "".join(
    f"""
[[source]]
id = "{name}"
file = "{name}.csv"
title = {{ zh = "{name}" }}
keys = ["key"]
"""
    for name in ("residents", "patients")
)


def write(pack, left, right):
    for name, table in (("residents", left), ("patients", right)):
        csv.write_csv(table, pack / f"{name}.csv")
