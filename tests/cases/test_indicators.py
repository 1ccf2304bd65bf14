"""Every indicator against pandas, which counts case by case, on random lives."""

import random
import re
import shutil
from contextlib import suppress

import pandas as pd
import pytest

from cases.conftest import PARKS, RULES, STAFF, WATER, Office, photo
from jingwei.cases import Desk, Report, regime
from jingwei.cases.board import Board, Choice
from jingwei.cases.calendar import DAY, instant
from jingwei.cases.formulas import in_words
from jingwei.cases.hotline.rates import rates_known
from jingwei.cases.indicators import cases_of, figures, indicators
from jingwei.cases.lifecycle import ABOUT_THE_REPORT, transitions_from
from jingwei.errors import JingweiError
from jingwei.records import open_records


@pytest.fixture(scope="module")
def lives(migrated_sqlite, tmp_path_factory, policies):
    """Some hundred steps of random people over some weeks."""
    path = shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("lives") / "records.db")
    records = open_records(f"sqlite:///{path}", migrate=False)
    with records.write() as session:
        regime.adopt(session, STAFF["leader"], "rules", RULES)
    office = Office(records, Desk(lambda: policies))
    chance = random.Random(7)
    with records.write() as session:  # one transaction: what is refused has written nothing
        live(office, session, chance)
    yield office
    records.close()


def live(office, session, chance):
    desk, numbers = office.desk, []
    grids = ["440301001001001", "440301001001002", "440301002001001"]
    for n in range(60):
        source = chance.choice(["collector", "public", "hotline", "sensor"])
        kind, type_ = chance.choice([("matter", "06001"), ("matter", "06001"), ("component", "01001")])
        who = STAFF[{"collector": "collector", "public": "citizen"}.get(source, "acceptor")]
        report = Report(kind, type_, source, area=chance.choice(grids), source_key=str(n), at=office.now)
        numbers.append(desk.report(session, who, report).number)
        office.wait(minutes=chance.choice([3, 30, 200]))
        for _ in range(25):
            case = desk.get(session, STAFF["chief"], chance.choice(numbers[-8:]))
            steps = [one for one in transitions_from(case.state) if one.axis != "system"]
            steps = [one for one in steps if one.action not in ("cancel", "tell_apart", *ABOUT_THE_REPORT)]
            if not steps:
                continue
            onward = [one for one in steps if one.action in ONWARD]
            one = chance.choice(onward if onward and chance.random() < 0.7 else steps)
            fitting = [asker for asker in STAFF.values() if asker.roles & set(one.roles)]
            fields = {name: FIELDS[name](chance) for name in one.needs}
            with suppress(JingweiError):
                who = chance.choice(fitting or [STAFF["citizen"]])
                if "photos" in fields:
                    fields["photos"] = [photo(session, who)]
                desk.act(session, who, case.number, one.action, fields, at=office.now)
            if chance.random() < 0.1:
                office.wait(hours=chance.choice([1, 5, 30]))
                desk.tick(session, office.now)


ONWARD = ("accept", "send_verify", "verify", "register", "dispatch", "assign", "submit", "confirm",
          "send_check", "check", "close", "evaluate", "ask_appeal")  # fmt: skip

FIELDS = {
    "rule": lambda chance: chance.choice(["1", "2"]),
    "department": lambda chance: chance.choice([PARKS, PARKS, WATER]),
    "handler": lambda _: "person/gardener",
    "photos": lambda _: [],
    "days": lambda chance: chance.choice([3, 90]),
    "finding": lambda _: "exist",
    "verdict": lambda chance: chance.choice(["pass", "pass", "unable"]),
    "reason": lambda _: "说明",
    "words": lambda _: "说明",
    "closing": lambda _: "拆除",
    "result_score": lambda chance: chance.randint(1, 5),
    "main": lambda _: "0",
}


def by_hand(d: pd.DataFrame, now: int) -> dict[str, tuple[int, int | None, float]]:
    """All indicators as pandas counts them: above the line, below it, scale."""
    d = d.copy()
    true = lambda name: d[name].eq(other=True).fillna(value=False).astype(bool)  # noqa: E731
    n = lambda mask: int(mask.sum())  # noqa: E731
    total = lambda name: int(d[name].fillna(0).sum())  # noqa: E731
    handled, dispatched, registered, accepted = (
        true(name) for name in ("handled", "dispatched", "registered", "accepted")
    )
    patrol = (d.source == "collector") & ~true("self_handled")
    good = handled & (true("handle_on_time") | true("exempt"))
    due = handled | (dispatched & ~handled & (d.due < now))
    hot = d.source == "hotline"
    resolved, served = d.result_score >= 3, d.service_score >= 3
    rated, service_rated = d.result_score.notna(), d.service_score.notna()
    ordered = d[registered & (d.area != "")].sort_values(["reported", "number"])
    gap = ordered.groupby(["area", "kind", "type"]).reported.diff()
    repeated = n(gap <= 30 * DAY)
    top = (
        d[registered].groupby(["kind", "type"]).size().reset_index(name="n")
        .sort_values(["n", "kind", "type"], ascending=[False, True, True]).head(10)
    )  # fmt: skip
    frequent = registered & pd.Series(
        [pair in set(zip(top.kind, top.type, strict=True)) for pair in zip(d.kind, d.type, strict=True)],
        d.index,
    )
    late = d.late_hundredths.fillna(0) > 0
    suspended = d.state == "suspended"
    judged = lambda name: d[name].notna()  # noqa: E731
    return {
        "report_num": (n(~true("self_handled")), None, 1),
        "patrol_report_num": (n(patrol), None, 1),
        "public_report_num": (n(d.source != "collector"), None, 1),
        "valid_report_num": (n(registered), None, 1),
        "valid_report_rate": (n(patrol & registered), n(patrol), 1),
        "operate_num": (n(accepted), None, 1),
        "intime_operate_rate": (n(accepted & true("accept_on_time")), n(accepted), 1),
        "inst_num": (n(registered), None, 1),
        "inst_rate": (n(registered), n(~true("self_handled")), 1),
        "not_inst_num": (n(true("refused")), None, 1),
        "intime_inst_rate": (
            n(registered & true("register_on_time")), n(registered & judged("register_on_time")), 1,
        ),
        "wrong_inst": (n(true("wrongly_registered") | true("wrongly_refused")), None, 1),
        "verify_rate": (n(true("verify_needed") & true("verified")), n(true("verify_needed")), 1),
        "intime_verify_rate": (n(true("verified") & true("verify_on_time")), n(true("verified")), 1),
        "need_dispatch_num": (n(registered), None, 1),
        "dispatch_num": (n(dispatched), None, 1),
        "intime_dispatch_rate": (
            n(dispatched & true("dispatch_on_time")), n(dispatched & judged("dispatch_on_time")), 1,
        ),
        "accur_dispatch_rate": (
            n(d.first_department.notna() & (d.first_department == d.department)), n(dispatched), 1,
        ),
        "need_dispose_num": (n(dispatched), None, 1),
        "dispose_num": (n(handled), None, 1),
        "dispose_rate": (n(dispatched & handled), n(dispatched), 1),
        "intime_dispose_num": (n(good), None, 1),
        "intime_dispose_rate": (n(dispatched & good), n(dispatched), 1),
        "overtime_dispose_num": (n(handled) - n(good), None, 1),
        "to_dispose_num": (n(dispatched & ~handled & ~true("ended")), None, 1),
        "dispose_overtime_times": (total("late_hundredths"), n(late), 100),
        "rework_num": (n(d.reworks > 0), None, 1),
        "rework_rate": (n(handled & (d.reworks > 0)), n(handled), 1),
        "multi_rework_num": (total("reworks"), None, 1),
        "postpone_num": (n(d.extensions > 0), None, 1),
        "hang_num": (n(suspended), None, 1),
        "shuffle_num": (total("returns"), None, 1),
        "overtime_back": (total("late_returns"), None, 1),
        "stock_num": (n(suspended & (d.suspended_at < now - 60 * DAY)), None, 1),
        "supervise": (total("orders"), None, 1),
        "check_rate": (n(handled & (d.checked > 0)), n(handled), 1),
        "invalid_check_num": (total("invalid_checks"), None, 1),
        "need_archive_num": (n(due), None, 1),
        "archive_num": (n(true("closed")), None, 1),
        "archive_rate": (n(true("closed") & due), n(due), 1),
        "intime_archive_rate": (n(true("closed") & good), n(due), 1),
        "overtime_archive_num": (n(true("closed") & ~good), None, 1),
        "repeat_rate": (repeated, n(registered), 1),
        "high_incident_rate": (n(frequent), n(registered), 1),
        "avg_handle_time": (
            int(d.handle_used[handled & d.handle_used.notna()].sum()),
            n(handled & d.handle_used.notna()), 3_600_000_000,
        ),
        "avg_accept_time": (int(d.accept_used[accepted].sum()), n(accepted), 3_600_000_000),
        "visit": (n(rated), None, 1),
        "satisfaction": (n(resolved), n(rated), 1),
        "h_sign": (n(hot & dispatched & true("assigned")), n(hot & dispatched), 1),
        "h_done": (n(hot & dispatched & good), n(hot & dispatched), 1),
        "h_redo": (n(hot & handled & ((d.reworks > 0) | (d.reopened > 0))), n(hot & handled), 1),
        "hang_ever_num": (n(true("suspended_ever")), None, 1),
        "supervise_num": (total("orders_replied"), None, 1),
        "intime_supervise_num": (total("orders_on_time"), None, 1),
        "intime_check_rate": (n((d.checked > 0) & true("check_on_time")), n(d.checked > 0), 1),
        "service_satisfaction": (n(served), n(service_rated), 1),
        "self_handle_num": (n(true("self_handled")), None, 1),
        "proposal_rate": (
            n(d.proposed.notna() & (d.proposed == d.department)),
            n(d.proposed.notna() & d.department.notna()), 1,
        ),
    }  # fmt: skip


def test_there_are_56_indicators_and_each_says_what_it_is():
    table = indicators()
    assert sum(not one.second for one in table.values()) == 56
    assert all(one.says.zh and one.says.en and (one.rows or one.waits) for one in table.values())


def test_every_formula_is_said_in_both_languages_without_names_of_columns():
    told = [in_words(one, "cases") for one in indicators().values() if one.rows]
    told += [in_words(one, "calls") for one in rates_known().values()]
    for words in told:
        assert not re.search(r"[A-Za-z_{}<>=']", words.zh), words
        assert not re.search(r"[_{}<>=']|[A-Z]|[\u4e00-\u9fff]", words.en), words
    assert (
        in_words(indicators()["rework_rate"], "cases").zh == "案件数（已处置 且 有返工） ÷ 案件数（已处置）"
    )


def test_every_indicator_equals_pandas_to_the_last_digit(lives):
    board = Board(lives.records, lives.desk)
    now = instant(lives.now)
    (found,) = figures(board, STAFF["chief"], Choice(), now=now)
    d = board.ask("SELECT * FROM cases").to_pandas()
    expected = by_hand(d, now)
    of_calls = {"r_response", "r_resolve", "r_satisfied", "h_connect", "h_direct"}
    assert set(expected) | of_calls == set(indicators())
    for key, (top, bottom, scale) in expected.items():
        figure = found["figures"][key]
        assert (figure.top, figure.bottom) == (top, bottom), key
        value = top if bottom is None else top / (bottom * scale) if bottom else None
        assert figure.value == value, key
    counted = [key for key, (top, _, _) in expected.items() if top]
    assert len(counted) > 40, sorted(set(expected) - set(counted))


def test_by_department_and_month_they_add_up(lives):
    board = Board(lives.records, lives.desk)
    now = instant(lives.now)
    (whole,) = figures(board, STAFF["chief"], Choice(), now=now, keys=["report_num", "archive_num"])
    for by in (["department"], ["month", "source"], ["type"]):
        parts = figures(board, STAFF["chief"], Choice(), now=now, by=by, keys=["report_num", "archive_num"])
        for key in ("report_num", "archive_num"):
            assert sum(part["figures"][key].top for part in parts) == whole["figures"][key].top


def test_every_figure_leads_to_its_cases(lives):
    board = Board(lives.records, lives.desk)
    now = instant(lives.now)
    (found,) = figures(board, STAFF["chief"], Choice(), now=now)
    for key, one in indicators().items():
        if not one.rows or one.measure or "repeated" in one.rows or "frequent" in one.rows:
            continue
        condition = cases_of(key, now=now, stock_days=60)
        assert (
            board.page(STAFF["chief"], Choice(sql=condition), limit=1).count == found["figures"][key].top
        ), key


def test_a_department_sees_figures_of_its_own_cases(lives):
    board = Board(lives.records, lives.desk)
    (found,) = figures(board, STAFF["water"], Choice(), now=instant(lives.now), keys=["report_num"])
    (every,) = figures(board, STAFF["chief"], Choice(), now=instant(lives.now), keys=["report_num"])
    assert 0 < found["figures"]["report_num"].top < every["figures"]["report_num"].top
