"""Open data of cases: what the public is told of all of them, coarser, with a contract, for everybody."""

from __future__ import annotations

import io

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from jingwei.access import local_person
from jingwei.cases import Desk, Report, open_data, regime
from jingwei.cases.board import Board
from jingwei.cli import main
from jingwei.lake import lineage
from jingwei.records import now_utc

from .people import client_of

PERSONAL = ("张三丰", "13800138000", "citizen/abc")
TOGETHER, ALONE = (114.0503, 22.5503), (114.1503, 22.6503)


@pytest.fixture
def city(town):
    with town.records.write() as session:
        names = {"990100001": "一街", "990100001001": "一社区"}
        regime.adopt(session, local_person(), "settings", {"area_names": names, "open_data_days": 1})
    return town


def report(city, place=TOGETHER, area="990100001001001", **more):
    given = {"description": f"{PERSONAL[0]} {PERSONAL[1]}", "reporter": PERSONAL[2], "area": area, **more}
    with city.records.write() as session:
        desk = Desk(city.policies.current)
        return desk.report(
            session, local_person(), Report("matter", "06013", "public", lon=place[0], lat=place[1], **given)
        ).number


def publish(city):
    desk = Desk(city.policies.current)
    return open_data.publish(city, desk, Board(city.records, desk))


def test_the_command_publishes_the_city_of_a_folder(city):
    number = report(city)
    done = CliRunner().invoke(main, ["cases", "publish", "--home", str(city.home)])
    assert done.exit_code == 0, done.output
    with client_of(city) as client:
        assert number in client.get("/api/public/open-data.csv").text
    (use,) = [
        one for one in lineage.uses(city.lake, local_person(), open_data.DATASET, 1) if one.kind != "checked"
    ]
    assert (use.kind, use.version) == ("open-data", 1)


def test_what_is_published_is_coarse_complete_and_nobodys(city):
    mine = [report(city) for _ in range(5)]
    alone, hidden = report(city, ALONE, "990100001002001"), report(city)
    with city.records.write() as session:
        Desk(city.policies.current).act(session, local_person(), hidden, "hide")
    assert publish(city).stage == "published"
    with client_of(city) as client:
        about = client.get("/api/public/open-data").json()
        assert (about["version"], about["rows"]) == (1, 6)
        whole = client.get("/api/public/open-data.parquet")
        texts = [client.get(f"/api/public/open-data.{form}").text for form in ("csv", "geojson")]
        contract = client.get("/api/public/open-data/contract")
        assert client.get("/api/datasets").status_code == 401
    rows = {row["number"]: row for row in pq.read_table(io.BytesIO(whole.content)).to_pylist()}
    assert set(rows) == {*mine, alone}
    together = rows[mine[0]]
    assert (together["lon"], together["lat"]) == pytest.approx(TOGETHER, abs=0.003)
    assert (together["lon"], together["lat"]) != TOGETHER
    assert (together["area"], together["area_name"]) == ("990100001001", "一社区")
    assert (rows[alone]["lon"], rows[alone]["area"]) == (None, "990100001")
    assert together["reported"].endswith(":00:00Z")
    for text in (*texts, str(rows), contract.text):
        assert not [one for one in (*PERSONAL, hidden) if one in text]
    assert "apiVersion" in contract.text


def test_a_new_version_comes_when_something_changed_and_the_contract_stays(city):
    report(city)
    desk = Desk(city.policies.current)
    assert open_data.due(city, desk, now_utc())
    assert publish(city).stage == "published"
    assert publish(city).stage == "unchanged"
    assert not open_data.due(city, desk, now_utc())
    report(city)
    assert publish(city).stage == "published"
    with client_of(city) as client:
        assert client.get("/api/public/open-data").json()["rows"] == 2


def test_a_city_that_publishes_nothing_says_so(city):
    with client_of(city) as client:
        for path in ("open-data", "open-data.csv", "open-data/contract"):
            assert client.get(f"/api/public/{path}").status_code == 404
