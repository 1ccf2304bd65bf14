"""Addresses are found by the city's own table, however they are written; what is not sure says so."""

import numpy as np
import pytest

from jingwei.city.demo import settings_of
from jingwei.city.demo.layout import lay_out
from jingwei.city.geocoding import Gazetteer, Geocoder, normal
from jingwei.errors import NotFoundError

TABLE = [
    ("海州市东城区柳浪街道解放路12号锦绣花园3栋", 114.01, 22.51),
    ("海州市东城区柳浪街道解放路12号锦绣花园4栋", 114.02, 22.52),
    ("海州市东城区柳浪街道解放路14号", 114.03, 22.53),
    ("海州市西城区青石镇解放路12号", 114.04, 22.54),
    ("海州市西城区青石镇人民东路8号和平新村1栋", 114.05, 22.55),
    ("海州市西城区青石镇竹溪巷6号云龙公寓A座", 114.06, 22.56),
    ("海州市西城区青石镇竹溪巷6号云龙公寓B座", 114.07, 22.57),
    ("海州市西城区青石镇海州路9号", 114.08, 22.58),
    ("海州市西城区青石镇柳营路88弄12号", 114.09, 22.59),
    ("海州市西城区青石镇枣林村二组3号", 114.10, 22.60),
    ("海州市西城区青石镇经六路7-1号", 114.11, 22.61),
]


@pytest.fixture(scope="module")
def gazetteer():
    return Gazetteer(TABLE, {"工农路": "解放路"})


WRITTEN = [
    ("海州市东城区柳浪街道解放路12号锦绣花园3栋", 0),
    ("东城区解放路１２号锦绣花园3号楼2单元501室", 0),
    ("锦绣花园4幢", 1),
    ("解放路十四号", 2),
    ("海州西城解放路12号", 3),
    ("西城区青石工农路12号", 3),
    ("人民东路8号和平新村1座", 4),
    ("和平新材1栋", 4),
    ("东城区柳浪街道解放路14#", 2),
    ("解放路12#锦绣花园4#", 1),
    ("解放路12＃锦绣花园4#楼2单元", 1),
    ("锦绣花园4-2-501", 1),
    ("解放路14号（靠近菜场）", 2),
    ("东城区 柳浪街道，解放路12号（锦绣花元）4栋3楼", 1),
    ("解放路12号锦绣花园4号", 1),
    ("锦绣花园4号", 1),
    ("竹溪巷6号云龙公寓b座", 6),
    ("竹溪巷6号Ａ栋502", 5),
    ("云龙公寓B-502", 6),
    ("竹墀巷6号云龙公寓B座", 6),
    ("海州西城區青石鎮竹溪巷6號雲龍公寓B座", 6),
    ("柳浪街道解放14号", 2),
    ("海州路9号", 7),
    ("柳营路88弄12-301", 8),
    ("西城区柳营路八十八弄十二号602室", 8),
    ("青石镇枣林村2组3号", 9),
    ("西城区经6路7号之一", 10),
    ("海州市海州市西城区海州路9号", 7),
    ("广东省海州市西城区海州路9号", 7),
]


@pytest.mark.parametrize(("text", "row"), WRITTEN)
def test_an_address_is_found_however_it_is_written(gazetteer, text, row):
    found = gazetteer.find(text)
    assert (found.precision, found.address) == ("building", normal(TABLE[row][0]))
    assert (found.lon, found.lat) == TABLE[row][1:]


COARSE = [
    ("锦绣花园", "gate"),
    ("竹溪巷6号云龙公寓", "gate"),
    ("竹溪巷6号云龙公寓C座", "gate"),
    ("柳浪街道", "street"),
    ("西城区", "district"),
    ("火星大街1号", "none"),
    ("", "none"),
]


@pytest.mark.parametrize(("text", "precision"), COARSE)
def test_what_leaves_it_open_is_not_given_a_building(gazetteer, text, precision):
    found = gazetteer.find(text)
    assert (found.precision, found.sure) == (precision, False)
    assert (found.lon is None) == (precision == "none")


def test_what_fits_two_places_names_both(gazetteer):
    found = gazetteer.find("解放路12号")
    assert not found.sure
    named = {found.address, *(text for text, _ in found.alternatives)}
    assert normal(TABLE[3][0]) in named


FORKED = [
    ("海州市东城区柳浪街道桃源路5号", 114.01, 22.51),
    ("海州市东城区柳浪街道桃花路5号", 114.02, 22.52),
    ("海州市东城区柳浪街道中央大街12号锦绣花园一期3栋", 114.03, 22.53),
    ("海州市东城区柳浪街道中央大街12号锦绣花园二期3栋", 114.04, 22.54),
    ("海州市东城区柳浪街道麟湖东路7号", 114.05, 22.55),
    ("海州市东城区柳浪街道麟湖西路7号", 114.06, 22.56),
    ("海州市西城区青石镇鹤湖路7号", 114.07, 22.57),
    ("海州市西城区青石镇经六路8号", 114.08, 22.58),
]


@pytest.mark.parametrize(
    "text",
    [
        "东城区桃某路5号",  # one character off from both
        "锦绣花园3栋",  # part of both names
        "南京市鼓楼区中央大街12号锦绣花园一期3栋",
        "江苏省南京市中央大街12号锦绣花园一期3栋",
        "东城区山花路5号",  # half a name may be that of a road that the table lacks
        "东城区柳浪街道麟湖路7号",  # the east one or the west one, and no 鹤湖路
        "东城区柳浪街道麟湖南路7号",
        "西城区青石镇经7路8号",
    ],
)
def test_what_may_as_well_be_another_place_is_not_sure(text):
    assert not Gazetteer(FORKED).find(text).sure


@pytest.mark.parametrize("province", ["", "江西省", "广西壮族自治区"])
def test_the_province_may_stand_in_the_table_the_address_both_or_neither(province):
    gazetteer = Gazetteer([(f"{province}{text}", lon, lat) for text, lon, lat in TABLE])
    for said in ("", "海州市", "海州", province.removesuffix("省") + "海州市"):
        found = gazetteer.find(f"{said}西城区青石镇人民东路8号和平新村1栋")
        assert (found.sure, found.lon) == (True, 114.05)


def damaged(random, gazetteer, address):
    """Return an address as somebody might write it: short, old-fashioned, with one wrong character."""
    parts = gazetteer._parts_of_table(normal(address))
    city = random.choice([gazetteer.city, gazetteer.city[:-1], ""])
    district = random.choice([parts.district, parts.district[:-1], ""])
    street = random.choice([parts.street, ""])
    road, compound, number = parts.road, parts.compound, f"{parts.number}号"
    how = random.integers(5)
    if how == 0 and len(road) > 3:
        road = wrong(random, road, len(road) - 1)
    elif how == 1 and len(compound) > 3:
        compound = wrong(random, compound, len(compound))
    elif how == 2:
        compound = ""
    elif how == 3 and compound:
        road = number = ""
    building = f"{parts.building}{random.choice(['栋', '幢', '号楼', '座'])}" if parts.building else ""
    tail = random.choice(["", "2单元301室", "，3楼", " 502室"])
    return f"{city}{district}{street}{road}{number}{compound}{building}{tail}"


def wrong(random, name, before):
    at = random.integers(before)
    return name[:at] + "某" + name[at + 1 :]


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_addresses_of_a_city_lead_to_their_building_or_say_that_they_do_not(seed):
    addresses = lay_out(settings_of("S", seed)).addresses.full.tolist()
    gazetteer = Gazetteer([(text, 114.0, 22.0) for text in addresses])
    random = np.random.default_rng(seed)
    chosen = [addresses[n] for n in random.integers(len(addresses), size=1_500)]
    found = gazetteer.find_all([damaged(random, gazetteer, address) for address in chosen])
    right = [
        one.precision == "building" and one.address == normal(text)
        for one, text in zip(found, chosen, strict=True)
    ]
    assert np.mean(right) >= 0.95
    sure_but_wrong = [one for one, good in zip(found, right, strict=True) if one.sure and not good]
    assert len(sure_but_wrong) <= 0.005 * len(chosen)


def test_a_city_without_a_table_of_addresses_says_so(opened, pack):
    opened.load(pack)
    with pytest.raises(NotFoundError):
        Geocoder(opened.city).find(opened.asker, ["解放路1号"])


def test_a_compound_and_its_building_are_enough_where_no_other_has_that_name(gazetteer):
    assert gazetteer.find("锦绣花园4号楼").sure
    assert (
        not Gazetteer([*TABLE, ("海州市西城区青石镇环城路2号锦绣花园4栋", 114.2, 22.6)])
        .find("锦绣花园4号楼")
        .sure
    )


def test_a_gate_behind_a_hyphen_is_a_gate_of_its_own():
    table = [
        ("海州市东城区柳浪街道解放路123号", 114.01, 22.51),
        ("海州市东城区柳浪街道解放路12-4号", 114.02, 22.52),
    ]
    known = Gazetteer(table)
    assert not known.find("东城区柳浪街道解放路12-3号").sure
    assert known.find("东城区柳浪街道解放路12-4号").lon == pytest.approx(114.02)
    assert known.find("柳浪街道解放路123号").lon == pytest.approx(114.01)
