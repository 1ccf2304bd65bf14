"""What a pack brings to the desk: its people, its ground, its rules, and cases that go on."""

import shutil
from datetime import timedelta

import pytest
from sqlalchemy import select

from jingwei.access import asker_of_person, local_person, people
from jingwei.cases import Desk, from_the_log
from jingwei.cases.board import Board, Choice
from jingwei.cases.calendar import instant
from jingwei.cases.case import decode
from jingwei.cases.founding import found_cases
from jingwei.cases.hotline import facts
from jingwei.cases.hotline import topics as the_topics
from jingwei.cases.hotline.counting import CallBoard
from jingwei.cases.hotline.models import CallRow
from jingwei.cases.hotline.rates import rates
from jingwei.cases.indicators import figures
from jingwei.cases.models import CaseRow
from jingwei.city import load_pack, open_city, parse_manifest, read_manifest
from jingwei.city.demo import settings_of
from jingwei.city.demo.files_calls import SURGE
from jingwei.city.demo.generate import generate
from jingwei.city.errors import BadManifestError
from jingwei.city.loader import load_directory
from jingwei.lake import lineage
from jingwei.records import now_utc


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return generate(settings_of("tiny", 3), tmp_path_factory.mktemp("pack") / "city").parent


@pytest.fixture(scope="module")
def founded(pack, tmp_path_factory):
    """A city whose directory and boundary are loaded, and its desk founded."""
    manifest = read_manifest(pack)
    with open_city(tmp_path_factory.mktemp("home") / "city", create=True) as city:
        for source in ("districts", "cases"):
            load_pack(city, manifest, pack, None, local_person(), only=source)
        load_directory(city, manifest.directory, pack, local_person())
        desk = Desk(city.policies.current)
        yield city, desk, manifest, found_cases(city, desk, manifest, pack, local_person())


def test_everything_the_pack_says_is_taken_in_and_no_step_is_refused(founded):
    _, _, _, told = founded
    assert set(told.counts) == {"settings", "staff", "default_points", "grids", "duties", "components",
                                "rules", "history", "steps", "articles", "calls"}  # fmt: skip
    assert min(told.counts.values()) > 0
    assert "steps" not in told.faults
    assert "staff" not in told.faults
    assert "calls" not in told.faults
    assert told.counts["rules"] == 98


def test_the_dataset_of_whose_table_they_are_leads_forward_to_the_cases(founded):
    city, *_ = founded
    found = lineage.uses(city.lake, local_person(), "cases", 1)
    assert {"cases/pack/history", "cases/pack/steps"} <= {one.subject for one in found if one.kind == "cases"}


def test_the_hotline_has_a_past_of_every_kind_with_its_cases_and_what_callers_said(founded):
    city, desk, _, _ = founded
    now = instant(now_utc())
    board = CallBoard(city.records, desk)
    (whole,) = board.told(since=0, until=now, now=now)
    told = {key: one.top for key, one in whole["figures"].items()}
    assert told["call_num"] > told["demand_num"] > told["case_num"] > 0
    for key in ("connect_rate", "solution_rate", "satisfaction_rate"):
        assert 0 < whole["figures"][key].value < 1, key
    kinds = {one["by"] for one in board.told(since=0, until=now, now=now, by="kind")}
    assert {"consult", "ask", "complain", "report", "suggest"} <= kinds
    with city.records.read() as session:
        sessions = from_the_log(session)
        again = rates(facts.from_the_log(session, sessions), desk.regime(session), now=now)
        assert again == [whole]
        zone = desk.regime(session).zone
        said = the_topics.said_in(session, now_utc().astimezone(zone).date() - timedelta(days=6), zone, 4)
        assert any(SURGE[2:5] in one.words for one in said)
        assert session.scalar(select(CallRow.id).where(CallRow.sealed.is_not(None))) is None


def test_cases_stand_at_every_point_of_their_life_with_clocks_that_run(founded):
    city, desk, _, _ = founded
    board = Board(city.records, desk)
    chief = local_person()
    page = board.page(chief, Choice(flags={"ended": False}), sort="due", limit=500)
    rows = page.rows
    assert page.count >= 25
    phases = {row["phase"] for row in rows}
    assert phases == {"report", "dispatch", "handle", "check", "close"}
    now = instant(now_utc())
    running = [row for row in rows if row["due"] is not None]
    assert any(row["due"] > now for row in running)
    assert all(row["latest"] <= now for row in rows)
    assert any(row["area"] and len(row["area"]) == 15 for row in rows)


def test_people_have_their_parts_and_see_what_is_theirs(founded):
    city, desk, _, _ = founded
    board = Board(city.records, desk)
    with city.records.read() as session:
        clerks = people(session, role="case_department", limit=200)
        mine = [asker_of_person(session, one.id) for one in clerks]
    seen = [board.page(one, Choice(), limit=1).count for one in mine]
    assert 0 < max(seen) < board.page(local_person(), Choice(), limit=1).count


def test_the_history_is_as_the_pack_tells_it(founded):
    city, desk, _, _ = founded
    board = Board(city.records, desk)
    choice = Choice(flags={"closed": True})
    (found,) = figures(board, local_person(), choice, now=0, keys=["dispose_num", "overtime_dispose_num"])
    share = found["figures"]["overtime_dispose_num"].value / found["figures"]["dispose_num"].value
    assert 0.05 < share < 0.15


def test_founding_again_changes_nothing_and_the_log_alone_makes_every_case(founded, pack):
    city, desk, manifest, _ = founded
    assert found_cases(city, desk, manifest, pack, local_person()).counts == {}
    with city.records.read() as session:
        kept = {row.number: decode(row.body) for row in session.query(CaseRow)}
        assert {case.number: case for case in from_the_log(session)} == kept


def test_a_step_that_cannot_be_taken_is_told_by_its_row_and_the_others_are_taken(pack, tmp_path):
    broken = tmp_path / "pack"
    shutil.copytree(pack, broken)
    file = broken / "在办案件.csv"
    lines = file.read_text("utf-8").splitlines()
    columns = lines[1].split(",", 2)
    lines[1] = ",".join([columns[0], '"close"', columns[2]])
    file.write_text("\n".join(lines[:30]), "utf-8")
    manifest = read_manifest(broken)
    with open_city(tmp_path / "home", create=True) as city:
        load_pack(city, manifest, broken, None, local_person(), only="districts")
        load_directory(city, manifest.directory, broken, local_person())
        told = found_cases(city, Desk(city.policies.current), manifest, broken, local_person())
    assert told.counts["steps"] + len(told.faults["steps"]) == 29
    assert 2 in {one["row"] for one in told.faults["steps"]}


def test_only_a_generated_city_may_move_its_cases_in_time(pack):
    import tomllib

    plain = tomllib.loads((pack / "city.toml").read_text("utf-8"))
    plain["city"]["generated"] = False
    with pytest.raises(BadManifestError, match="only a generated city"):
        parse_manifest(plain)


def test_the_district_s_cases_come_in_with_their_pack(shared_data, tmp_path):
    from conftest import ROOT

    manifest = read_manifest(ROOT / "examples" / "shenzhen")
    data = shared_data / "shenzhen"
    with open_city(tmp_path / "home", create=True) as city:
        load_pack(city, manifest, data, data, local_person(), only="districts")
        desk = Desk(city.policies.current)
        told = found_cases(city, desk, manifest, data, local_person())
        assert told.counts["history"] == 10_000
        faults = {one["fault"]: one["count"] for one in told.faults["history"]}
        assert faults["place-outside"] >= 392
        board = Board(city.records, desk)
        keys = ["overtime_dispose_num", "dispose_num"]
        (found,) = figures(board, local_person(), Choice(), now=0, keys=keys)
    assert [found["figures"][key].value for key in keys] == [924, 10_000]
