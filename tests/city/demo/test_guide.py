"""The guide for Python runs as it is written, on a demo city."""

import re
from pathlib import Path

import pytest

import jingwei
from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest

GUIDE = Path(__file__).parents[3] / "docs" / "python.md"
ASKED = (
    "districts",
    "bus_stops",
    "metro_stops",
    "schools",
    "buildings",
    "cases",
    "firms_tax",
    "firms_insurance",
)


@pytest.fixture(scope="module")
def home(pack, tmp_path_factory):
    home = tmp_path_factory.mktemp("guide") / "home"
    with open_city(home, create=True) as city:
        for source in ASKED:
            load_pack(city, read_manifest(pack), pack, None, local_person(), only=source)
    return home


def test_the_guide_runs_from_top_to_bottom_and_every_answer_says_something(home):
    text = GUIDE.read_text("utf-8")
    assert text.count("~/.local/share/jingwei/demo_s_1") == 1
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    said: dict[str, object] = {}
    exec(compile(code.replace("~/.local/share/jingwei/demo_s_1", str(home)), str(GUIDE), "exec"), said)
    city, found = said["city"], said["found"]
    assert set(city.datasets) == set(ASKED)
    assert all(len(one) for one in (said["stops"], found["bus_stops"], said["links"]))
    names = said["same"].select(["登记信息_纳税人名称", "单位编号"]).to_pylist()
    assert all(one["单位编号"] for one in names)
    city.close()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (lambda city: city.at([1, 2, 3]), "place"),
        (lambda city: city.at(None), "place"),
        (lambda city: city.at((117.3, 29.1), limit=0), "limit"),
        (lambda city: city.query("schools", limit=-1), "limit"),
        (lambda city: city.query("schools", columns="名称"), "columns"),
        (lambda city: city.query("schools", since="gestern"), "since"),
        (lambda city: city.query("schools", within=(1, 2)), "region"),
        (lambda city: city.link("schools", {}, by=[jingwei.Within(5)]), "left, right"),
        (lambda city: city.link("schools", "schools", by=jingwei.Within(5)), "list of conditions"),
        (lambda city: city.link("schools", "schools", by=[jingwei.Within(5)], pairs="some"), "one-to-one"),
    ],
)
def test_an_argument_that_is_none_is_told_in_words(home, asked, told):
    with jingwei.open(home) as city, pytest.raises(jingwei.JingweiError, match=told):
        asked(city)


def test_a_box_of_geopandas_and_a_day_are_understood(home):
    with jingwei.open(home) as city:
        box = city.query("districts").geopandas().total_bounds
        cases = city.query("cases", within=box)
        rows = cases.pandas()
        days = rows["jw_time_end"].fillna(rows["jw_time"]).dt.tz_convert(city.city.about.zone).dt.date
        middle = sorted(days)[len(days) // 2]
        since = city.query("cases", within=box, since=middle)
        assert 0 < len(since) == (days >= middle).sum() < len(cases)
