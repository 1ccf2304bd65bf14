"""The code API converts both ways, explains digit by digit, and says where a bad code goes wrong."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from jingwei.grid import Cell, GridError, parse, parse_beidou
from jingwei.web.grid_words import chinese_of

VECTORS = Path(__file__).resolve().parents[1] / "grid" / "vectors"


def explain(client, q, **more):
    return client.get("/api/codes/explain", params={"q": q, **more})


def test_a_beidou_code_and_its_geosot_twin_explain_the_same_cell(client):
    beidou = explain(client, "N50F0503278214").json()
    geosot = explain(client, beidou["geosot"]["text"]).json()
    integer = explain(client, f"{beidou['geosot']['integer']}-{beidou['geosot']['level']}").json()
    assert beidou["read_as"] == "beidou"
    assert geosot["read_as"] == "geosot"
    assert integer["read_as"] == "integer"
    assert beidou["bounds"] == geosot["bounds"] == integer["bounds"]
    assert geosot["beidou"] == {"text": "N50F0503278214", "level": 7, "same_cell": True}


def test_64_bit_codes_travel_as_strings(client):
    found = explain(client, "22.5431, 114.0579").json()
    assert found["geosot"]["integer"] == str(Cell.at(114.0579, 22.5431, 23).code)
    assert found["geosot"]["stored"] == str(Cell.at(114.0579, 22.5431, 23).stored)


@pytest.mark.parametrize(
    "text",
    [
        "22.5431, 114.0579",
        "114.0579，22.5431",
        "22.5431 114.0579",
        "东经114.0579, 北纬22.5431",
        "22.5431N, 114.0579E",
    ],
)
def test_coordinates_are_read_in_the_ways_people_write_them(client, text):
    assert explain(client, text).json()["beidou"]["text"] == "N50F0503278214"


def test_the_characters_of_all_steps_spell_the_code(client):
    found = explain(client, "N50F0503278214").json()
    for name in ("beidou", "geosot"):
        steps = found[f"{name}_steps"]
        assert "".join(step["characters"] for step in steps) == found[name]["text"]
        assert [step["start"] for step in steps[1:]] == [step["end"] for step in steps[:-1]]


def test_each_step_lies_within_the_one_before(client):
    for steps in (
        explain(client, "S23B47").json()["beidou_steps"],
        explain(client, "G2001").json()["geosot_steps"],
    ):
        for outer, inner in pairwise(steps):
            assert outer["bounds"][0] <= inner["bounds"][0]
            assert inner["bounds"][2] <= outer["bounds"][2]
            assert outer["bounds"][1] <= inner["bounds"][1]
            assert inner["bounds"][3] <= outer["bounds"][3]


def test_steps_are_explained_in_the_readers_language(client):
    chinese = explain(client, "N50F05").json()["beidou_steps"]
    english = client.get("/api/codes/explain?q=N50F05", headers={"Accept-Language": "en"}).json()[
        "beidou_steps"
    ]
    assert chinese[1]["meaning"] == "第 50 列：东经 114°–120°；第 F 行：北纬 20°–24°"
    assert english[1]["meaning"] == "Column 50: 114°–120° E; row F: 20°–24° N"


@pytest.mark.parametrize("code", ["N50F", "N50F0503278214", "G001130230-200011", "S01A"])
def test_eight_neighbours_share_an_edge_or_a_corner(client, code):
    found = explain(client, code).json()
    assert {one["direction"] for one in found["neighbours"]} == {"n", "ne", "e", "se", "s", "sw", "w", "nw"}
    west, south, east, north = found["bounds"]
    beside = {one["direction"]: one["bounds"] for one in found["neighbours"]}
    assert beside["n"][1] == pytest.approx(north)
    assert beside["s"][3] == pytest.approx(south)
    assert beside["e"][0] % 360 == pytest.approx(east % 360)
    assert beside["w"][2] % 360 == pytest.approx(west % 360)


def test_a_level_without_a_twin_shows_the_beidou_cell_around_it(client):
    found = explain(client, "G001130230-200011-2").json()
    outer = parse_beidou(found["beidou"]["text"]).bounds
    assert not found["beidou"]["same_cell"]
    assert outer[0] <= found["bounds"][0]
    assert outer[3] >= found["bounds"][3]


def test_coarser_and_finer_lead_to_cells_around_and_within(client):
    found = explain(client, "22.5431, 114.0579", level=19).json()
    here = parse(found["geosot"]["text"])
    assert parse(found["coarser"]).contains(here)
    assert here.contains(parse(found["finer"]))


@pytest.mark.parametrize(
    ("code", "position"),
    [("N61A", 1), ("N50JXX", 4), ("N50J4", 5), ("G0014", 4), ("N50Z", 3), ("G001310322-230230.1", 17)],
)
def test_a_malformed_code_is_refused_with_position_and_reason(client, code, position):
    answer = explain(client, code)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "grid-malformed-code"
    assert problem["where"]["position"] == position
    assert problem["detail"].startswith(f"第 {position + 1} 个字符：")


@pytest.mark.parametrize(
    "text",
    [
        "95, 200",
        "NaN, 1",
        "inf,inf",
        "hello",
        "'; DROP TABLE facts; --",
        "1,2,3",
        "，",
        "99999999999999999999-3",
    ],
)
def test_what_is_no_place_is_a_clear_400(client, text):
    answer = explain(client, text)
    assert answer.status_code == 400
    assert answer.json()["title"]


@pytest.mark.parametrize(
    "params", [{}, {"q": ""}, {"q": "N" * 121}, {"q": "N50F", "level": 33}, {"q": "N50F", "level": "x"}]
)
def test_parameters_out_of_their_limits_name_the_field(client, params):
    answer = client.get("/api/codes/explain", params=params)
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["field"].startswith("query.")


def test_every_reason_a_bad_code_can_meet_is_known_in_chinese():
    rejected = [
        vector["input"]
        for name in ("beidou2d.json", "geosot.json")
        for vector in json.loads((VECTORS / name).read_text("utf-8"))
        if vector.get("kind") == "must_reject" and isinstance(vector.get("input"), str)
    ]
    unknown = []
    for text in [*rejected, "N5", "G4", "12", "x-3", "N50F0503278214ZZ", "G" + "0" * 33]:
        try:
            parse(text)
        except GridError as error:
            if chinese_of(error.reason) is None:
                unknown.append((text, error.reason))
    assert unknown == []
