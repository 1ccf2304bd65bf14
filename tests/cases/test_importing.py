"""Ten thousand real cases of one district, as its system handed them over."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from cases.conftest import STAFF
from jingwei.access import local_person
from jingwei.cases import from_the_log
from jingwei.cases.board import Board, Choice
from jingwei.cases.calendar import instant
from jingwei.cases.case import decode
from jingwei.cases.importing import Form, import_table, read_histories
from jingwei.cases.indicators import figures
from jingwei.cases.models import CaseRow
from jingwei.cases.types import Catalogue


def pingshan(boundary=None):
    return Form(
        key="rec_id", when="create_time", state="archive_status",
        types=("event_type", "main_type", "sub_type"),
        state_of={"intime": ("closed", False), "overtime": ("closed", True)},
        source="source",
        source_of={"@坪山": "public", "美丽深圳": "public", "12345": "hotline", "12319": "hotline",
                   "政府信箱": "internet", "固话投诉": "phone"},
        system="pingshan", division="440310", street="street_id", community="community_id",
        unit="dispose_unit_id", unit_name="dispose_unit", lon="community_lon", lat="community_lat",
        boundary=boundary,
    )  # fmt: skip


@pytest.fixture(scope="module")
def district(shared_data):
    return pq.read_table(shared_data / "shenzhen" / "pingshan_cases.parquet")


@pytest.fixture(scope="module")
def boundary(shared_data):
    features = json.loads((shared_data / "shenzhen" / "districts.geojson").read_text("utf-8"))["features"]
    (mine,) = [one for one in features if "坪山" in json.dumps(one["properties"], ensure_ascii=False)]
    return shapely.from_geojson(json.dumps(mine["geometry"]))


def test_the_real_cases_come_in_whole_and_9_24_percent_are_late(office, district, boundary):
    told = []
    reading = import_table(
        office.records, office.desk, local_person(), district, pingshan(boundary),
        tell=lambda done, whole: told.append((done, whole)) or True,
    )  # fmt: skip
    assert told[-1] == (10_000, 10_000)
    assert reading.mapped["standard"] + reading.mapped["local"] == 10_000
    faults = {kind: len(rows) for kind, (_, rows) in reading.faults.items()}
    assert faults["day-only"] == 10_000
    assert faults["no-place"] == 8_485
    assert faults["place-outside"] >= 392  # a community's point lies in another district
    assert faults["no-street"] == 10
    assert "unit-two-names" in faults
    assert len(reading.units) == 121
    board = Board(office.records, office.desk)
    keys = ["report_num", "archive_num", "dispose_num", "overtime_dispose_num", "intime_dispose_rate"]
    (found,) = figures(board, STAFF["chief"], Choice(), now=instant(office.now), keys=keys)
    values = {key: found["figures"][key].value for key in keys}
    assert values == {
        "report_num": 10_000, "archive_num": 10_000, "dispose_num": 10_000, "overtime_dispose_num": 924,
        "intime_dispose_rate": 0.9076,
    }  # fmt: skip
    streets = figures(board, STAFF["chief"], Choice(), now=0, by=["street"], keys=["report_num"])
    assert {one["by"][0]: one["figures"]["report_num"].top for one in streets}["440310104"] == 2737
    with office.records.read() as session:
        kept = {row.number: decode(row.body) for row in session.query(CaseRow)}
        assert {case.number: case for case in from_the_log(session)} == kept


def test_the_same_table_again_changes_nothing(office, district):
    some = district.slice(0, 300)
    first = import_table(office.records, office.desk, local_person(), some, pingshan())
    again = import_table(office.records, office.desk, local_person(), some, pingshan())
    assert (len(first.types) > 0, again.types) == (True, [])
    with office.records.read() as session:
        assert session.query(CaseRow).count() == 300


def test_rows_that_cannot_be_taken_are_told_and_the_others_come_in():
    table = pa.Table.from_pylist(
        [
            {
                "rec_id": "1",
                "create_time": "2026-01-05T08:00:00",
                "archive_status": "intime",
                "sub_type": "暴露垃圾",
            },
            {"rec_id": None, "create_time": "2026-01-05", "archive_status": "intime", "sub_type": "暴露垃圾"},
            {"rec_id": "3", "create_time": "yesterday", "archive_status": "intime", "sub_type": "暴露垃圾"},
            {"rec_id": "4", "create_time": "2026-01-05", "archive_status": "lost", "sub_type": "暴露垃圾"},
        ]
    )
    reading = read_histories(table, pingshan(), Catalogue())
    assert [one.report.source_key for one in reading.histories] == ["pingshan/1"]
    assert reading.faults["no-key"][1] == [2]
    assert reading.faults["no-time"][1] == [3]
    assert reading.faults["state-unknown"][1] == [4]
    assert reading.histories[0].report.type == Catalogue().named("matter", "暴露垃圾").code


def test_an_import_can_be_stopped(office, district):
    import_table(
        office.records,
        office.desk,
        local_person(),
        district.slice(0, 3000),
        pingshan(),
        tell=lambda *_: False,
    )
    with office.records.read() as session:
        assert session.query(CaseRow).count() == 1000
