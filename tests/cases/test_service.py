"""The life of single cases, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from cases.conftest import PARKS, PHOTO, ROADS, WATER
from jingwei.access.policy import RefusedError
from jingwei.cases import from_the_log, timeline
from jingwei.cases.case import decode
from jingwei.cases.errors import (
    BadFieldError,
    ChangedMeanwhileError,
    GuardError,
    MissingFieldError,
    NotAllowedNowError,
    UnknownCaseError,
    UnknownTypeError,
)
from jingwei.cases.models import CaseRow, CaseWords
from jingwei.cases.words import digest_of
from jingwei.ledger.models import Event


def test_a_case_from_report_to_closure(office):
    case = office.to("closed")
    assert case.state == "closed"
    assert case.number == "0000002026111600001"
    assert [turn.stage for turn in case.turns] == [
        "overall",
        "register",
        "dispatch",
        "handle",
        "check",
        "field_check",
    ]
    assert all(turn.ended for turn in case.turns)
    with office.records.read() as session:
        told = [one.action for one in timeline(session, case.number)]
    assert told == [
        "report",
        "register",
        "dispatch",
        "assign",
        "submit",
        "confirm",
        "send_check",
        "check",
        "close",
    ]


def test_numbers_count_within_the_local_day(office):
    office.now = datetime(2026, 11, 16, 15, 59, tzinfo=UTC)
    first, second = office.report(), office.report()
    office.wait(minutes=1)
    third = office.report()
    assert [one.number[6:] for one in (first, second, third)] == [
        "2026111600001",
        "2026111600002",
        "2026111700001",
    ]


def test_the_second_of_two_is_told_what_changed(office):
    case = office.report()
    office.act("acceptor", case, "register", rule="1", seen=1)
    with pytest.raises(ChangedMeanwhileError) as caught:
        office.act("other_acceptor", case, "reject", reason="不属实", seen=1)
    (since,) = caught.value.where["since"]
    assert (since["action"], since["actor"], since["to"]) == (
        "register",
        "person/acceptor",
        "pending_dispatch",
    )
    assert office.get(case.number).state == "pending_dispatch"


def test_a_step_that_is_not_in_the_table_names_those_that_are(office):
    case = office.report()
    with pytest.raises(NotAllowedNowError) as caught:
        office.act("acceptor", case, "close", closing="拆除")
    allowed = {one["action"]: one["may"] for one in caught.value.where["allowed"]}
    assert allowed["register"] is True
    assert allowed["force_close"] is False
    with pytest.raises(NotAllowedNowError):
        office.act("acceptor", case, "paint")


def test_who_may_not_is_refused_and_nothing_happens(office):
    case = office.report()
    with pytest.raises(RefusedError):
        office.act("dispatcher", case, "register", rule="1")
    assert office.get(case.number).step == 1


def test_what_one_may_not_know_of_does_not_exist(office):
    case = office.to("pending_handle")
    with pytest.raises(UnknownCaseError):
        office.get(case.number, "water")
    assert office.get(case.number, "parks").number == case.number
    with pytest.raises(UnknownCaseError):
        office.get("1")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"type": "99999"}, UnknownTypeError),
        ({"kind": "event"}, UnknownTypeError),
        ({"source": "rumour"}, BadFieldError),
        ({"lon": 200.0, "lat": 1.0}, BadFieldError),
        ({"lon": float("nan"), "lat": 1.0}, BadFieldError),
        ({"description": "<script>alert(1)</script>"}, BadFieldError),
        ({"description": "路面<img src=x onerror=alert(1)>破损"}, BadFieldError),
        ({"description": "长" * 4001}, BadFieldError),
        ({"photos": tuple(f"p{n}" for n in range(21))}, BadFieldError),
    ],
)
def test_bad_reports_leave_nothing_behind(office, given, error):
    with pytest.raises(error):
        office.report(**given)
    with office.records.read() as session:
        assert session.query(CaseRow).count() == 0
        assert session.query(Event).filter(Event.type.startswith("case.reported")).count() == 0


def test_comparisons_are_no_markup(office):
    case = office.report(description="路沿石高差 < 5 cm，宽 >2 m")
    with office.records.read() as session:
        assert timeline(session, case.number)[0].words == {"description": "路沿石高差 < 5 cm，宽 >2 m"}


def test_a_missing_reason_is_named(office):
    case = office.report()
    with pytest.raises(MissingFieldError) as caught:
        office.act("acceptor", case, "reject")
    assert caught.value.where == {"field": "reason"}
    with pytest.raises(BadFieldError):
        office.act("acceptor", case, "reject", reason="不属实", colour="red")


def test_words_are_kept_beside_the_log_and_the_log_can_tell_if_they_change(office):
    case = office.report(description="张三家门口")
    with office.records.read() as session:
        kept = session.get_one(CaseWords, (case.number, 1, "description"))
        (event,) = session.query(Event).filter(Event.subject == f"case/{case.number}")
    assert "张三" not in str(event.data)
    assert event.data["description"] == digest_of(kept.salt, kept.words)


def test_the_same_report_of_another_system_enters_once(office):
    first = office.report(source="sensor", source_key="a-1")
    assert office.report(source="sensor", source_key="a-1").number == first.number
    assert office.report(source="sensor", source_key="a-2").number != first.number


# returns, and who may not go on


def test_a_return_bars_its_receiver_from_the_next_step(office):
    case = office.to("pending_dispatch")
    case = office.act("dispatcher", case, "return_to_acceptor", reason="类别有误")
    case = office.act("acceptor", case, "register_again")
    both = office.staff["acceptor"]
    office.staff = {
        **office.staff,
        "double": type(both)(both.id, "double", frozenset({"case_acceptor", "case_dispatcher"})),
    }
    case = office.act("acceptor", case, "register", rule="1")
    with pytest.raises(GuardError) as caught:
        office.act("double", case, "dispatch", department=PARKS)
    assert caught.value.where["rule"] == "barred"
    assert office.act("dispatcher", case, "dispatch", department=PARKS).state == "pending_handle"


def test_a_return_of_the_dispatcher_is_the_acceptors_and_that_of_the_department_the_dispatchers(office):
    case = office.to("pending_dispatch")
    case = office.act("dispatcher", case, "return_to_acceptor", reason="类别有误")
    with pytest.raises(GuardError):
        office.act("dispatcher", case, "redispatch", department=WATER)
    case = office.to("pending_handle")
    case = office.act("parks", case, "return_to_dispatcher", reason="非我局职责")
    case = office.act("dispatcher", case, "redispatch", department=WATER)
    assert (case.department, case.departments) == (WATER, [PARKS, WATER])


def test_an_assigned_handler_is_revoked_before_the_department_returns_the_case(office):
    case = office.to("handling")
    with pytest.raises(NotAllowedNowError):
        office.act("parks", case, "return_to_dispatcher", reason="非我局职责")
    case = office.act("parks", case, "revoke")
    assert office.act("parks", case, "return_to_dispatcher", reason="非我局职责").state == "returned"


# nobody verifies his own work


@pytest.mark.parametrize("role", ["grid_officer", "case_acceptor", "case_duty_chief"])
def test_who_did_the_work_neither_checks_nor_closes_it(office, role):
    case = office.to("handle_finish")
    case = office.act("parks", case, "confirm")
    gardener = office.staff["gardener"]
    office.staff = {
        **office.staff,
        "gardener": type(gardener)(gardener.id, "x", frozenset({role}), gardener.departments),
    }
    if role == "grid_officer":
        case = office.act("acceptor", case, "send_check", collector=gardener.id)
        step, fields = "check", {"verdict": "pass"}
    else:
        case = office.act("acceptor", case, "send_check")
        case = office.act("other_collector", case, "check", verdict="pass")
        step, fields = "close", {"closing": "拆除"}
    with pytest.raises(GuardError) as caught:
        office.act("gardener", case, step, **fields)
    assert caught.value.where["rule"] == "separation"


def test_who_handled_does_not_confirm(office):
    case = office.to("handle_finish")
    gardener = office.staff["gardener"]
    roles = frozenset({"case_handler", "case_department"})
    office.staff = {**office.staff, "gardener": type(gardener)(gardener.id, "x", roles, gardener.departments)}
    with pytest.raises(GuardError):
        office.act("gardener", case, "confirm")


def test_a_case_is_closed_only_once_its_check_has_passed(office):
    case = office.to("checking")
    case = office.act("other_collector", case, "check", verdict="not_pass")
    with pytest.raises(GuardError):
        office.act("chief", case, "close", closing="拆除")
    case = office.act("acceptor", case, "rework", reason="未拆净")
    assert (case.state, case.reworks, case.verdict) == ("pending_handle", 1, None)


# citizens


def test_a_citizens_report_is_looked_at_before_it_is_registered(office):
    case = office.report("citizen", source="public")
    assert (case.state, case.reporter) == ("reported", "person/citizen")
    case = office.act("acceptor", case, "accept")
    with pytest.raises(GuardError):
        office.act("acceptor", case, "register", rule="1")
    case = office.act("acceptor", case, "send_verify")
    case = office.act("collector", case, "verify", finding="exist")
    assert office.act("acceptor", case, "register", rule="1").state == "pending_dispatch"


def test_only_the_reporter_withdraws_and_not_after_dispatch(office):
    case = office.report("citizen", source="public")
    with pytest.raises(UnknownCaseError):
        office.act("neighbour", case, "withdraw")
    assert office.act("citizen", case, "withdraw").state == "withdrawn"
    later = office.to("pending_handle")
    with pytest.raises(NotAllowedNowError):
        office.act("collector", later, "withdraw")


def test_the_reporter_reopens_within_the_days_allowed(office):
    case = office.to("closed")
    office.wait(days=29)
    again = office.act("collector", case, "reopen", reason="又搭起来了")
    assert (again.state, again.reopened) == ("pending_register", 1)
    case = office.to("closed")
    office.wait(days=31)
    with pytest.raises(GuardError):
        office.act("collector", case, "reopen", reason="又搭起来了")


def test_a_case_is_rated_once(office):
    case = office.to("closed")
    case = office.act("collector", case, "evaluate", result_score=5, service_score=4)
    with pytest.raises(GuardError):
        office.act("collector", case, "evaluate", result_score=1)
    with pytest.raises(BadFieldError):
        office.act("collector", office.to("closed"), "evaluate", result_score=6)


# extension, suspension, appeal, orders


def test_an_extension_passes_the_department_and_the_dispatcher(office):
    case = office.to("handling")
    case = office.act("gardener", case, "ask_extension", reason="下雨")
    with pytest.raises(GuardError):
        office.act("dispatcher", case, "grant_extension")
    with pytest.raises(GuardError):
        office.act("gardener", case, "ask_suspension", reason="停工", days=5)
    case = office.act("parks", case, "support_extension")
    case = office.act("dispatcher", case, "grant_extension")
    assert case.current.extensions == 1


def test_extensions_are_counted_when_granted_not_when_refused(office):
    case = office.to("handling")
    for answer in ("grant_extension", "refuse_extension", "grant_extension"):
        case = office.act("parks", case, "ask_extension", reason="下雨")
        reason = {"reason": "不合理"} if answer.startswith("refuse") else {}
        case = office.act("dispatcher", case, answer, **reason)
    with pytest.raises(GuardError) as caught:
        office.act("parks", case, "ask_extension", reason="下雨")
    assert caught.value.where["rule"] == "extension_left"


def test_it_is_too_late_to_ask_when_the_limit_is_over(office):
    case = office.to("handling")
    office.wait(days=2)
    with pytest.raises(GuardError) as caught:
        office.act("parks", case, "ask_extension", reason="下雨")
    assert caught.value.where["rule"] == "not_overdue"


def test_the_clock_stands_still_while_a_case_is_suspended(office):
    case = office.to("handling")
    calendar = _calendar(office)
    office.wait(hours=2)
    case = office.act("parks", case, "ask_suspension", reason="待拨款", days=10)
    case = office.act("dispatcher", case, "suspend")
    assert (case.state, case.current.running) == ("suspended", False)
    office.wait(days=9)
    assert office.tick() == 0
    office.wait(days=1)
    assert office.tick() == 1
    case = office.get(case.number)
    assert (case.state, case.current.running) == ("handling", True)
    assert case.current.used(calendar, case.current.runs[-1].start) == 2 * 3600 * 1_000_000


def test_lateness_is_appealed_once_and_stays_visible(office):
    case = office.to("handling")
    office.wait(days=3)
    case = office.to("closed", case)
    case = office.act("parks", case, "ask_appeal", reason="台风")
    case = office.act("dispatcher", case, "support_appeal")
    case = office.act("chief", case, "grant_appeal")
    assert case.granted("appeal") == 1
    calendar = _calendar(office)
    turn = case.last_turn("handle")
    assert not turn.on_time(calendar, turn.end)
    with pytest.raises(GuardError):
        office.act("parks", case, "ask_appeal", reason="台风")


def test_what_was_in_time_cannot_be_appealed(office):
    with pytest.raises(GuardError):
        office.act("parks", office.to("closed"), "ask_appeal", reason="台风")


def test_an_order_of_supervision_is_replied_to(office):
    case = office.to("pending_handle")
    with pytest.raises(GuardError):
        office.act("parks", case, "reply", words="尽快")
    case = office.act(
        "leader", case, "order", words="请尽快", due=(office.now + timedelta(days=1)).isoformat()
    )
    case = office.act("parks", case, "reply", words="今日完成")
    assert case.orders[0].replied is not None


def test_a_leader_closes_by_order_but_not_what_he_did_himself(office):
    case = office.act("leader", office.to("pending_handle"), "force_close", reason="拆迁")
    assert case.state == "forced_close"


# joint handling


def test_a_case_is_handed_back_only_when_every_co_handler_is_done(office):
    case = office.to("pending_dispatch")
    case = office.act("dispatcher", case, "dispatch", department=PARKS, co_departments=[WATER])
    assert office.get(case.number, "water").number == case.number
    case = office.act("dispatcher", case, "invite", department=ROADS)
    case = office.act("parks", case, "assign", handler="person/gardener")
    case = office.act("gardener", case, "submit", photos=[PHOTO])
    with pytest.raises(GuardError) as caught:
        office.act("parks", case, "confirm")
    assert caught.value.where["rule"] == "parts_done"
    with pytest.raises(RefusedError):
        office.act("parks", case, "finish_part", department=WATER)
    case = office.act("water", case, "finish_part", department=WATER, words="已关阀")
    case = office.act("dispatcher", case, "release", department=ROADS, reason="不涉及")
    case = office.act("parks", case, "confirm")
    assert case.state == "pending_check"
    assert [part.state for part in case.parts] == ["finished", "released"]
    assert case.turns[case.parts[0].turn].ended == "finish_part"


# merging


def test_merging_keeps_everybodys_report(office):
    main = office.to("pending_handle")
    other = office.report("citizen", source="public", description="也有人搭棚")
    other = office.act("acceptor", other, "merge", main=main.number)
    assert (other.state, other.main) == ("duplicate", main.number)
    main = office.get(main.number)
    assert main.others == [other.number]
    assert "person/citizen" in main.followers
    assert office.get(main.number, "citizen").number == main.number
    with office.records.read() as session:
        assert timeline(session, other.number)[0].words == {"description": "也有人搭棚"}


def test_a_second_problem_is_taken_out_again(office):
    main, other = office.to("pending_handle"), office.report("citizen", source="public")
    office.act("acceptor", other, "merge", main=main.number)
    other = office.act("acceptor", other, "separate", reason="另一处")
    assert (other.state, other.main) == ("pending_register", None)
    assert office.get(main.number).others == []
    assert "person/citizen" not in office.get(main.number).followers


@pytest.mark.parametrize("which", ["itself", "none", "closed", "merged"])
def test_what_cannot_be_a_main_case(office, which):
    case = office.report()
    if which == "closed":
        number = office.to("closed").number
    elif which == "merged":
        one = office.report()
        office.act("acceptor", one, "merge", main=office.report().number)
        number = one.number
    else:
        number = case.number if which == "itself" else "0"
    with pytest.raises(GuardError) as caught:
        office.act("acceptor", case, "merge", main=number)
    assert caught.value.where["rule"] == "main_open"
    assert office.get(case.number).state == "pending_register"


# the clock


def test_warnings_and_escalation_come_once_each(office):
    case = office.report(kind="component", type="01001")
    for who, action, fields in (
        ("acceptor", "register", {"rule": "2"}),
        ("dispatcher", "dispatch", {"department": PARKS}),
    ):
        case = office.act(who, case, action, **fields)
    office.wait(minutes=59)
    assert office.tick() == 0
    office.wait(minutes=1)
    assert office.tick() == 1
    assert office.tick() == 0
    office.wait(hours=3)
    assert office.tick() == 4  # 80, 100, 150 and 200 percent were missed
    assert office.get(case.number).current.warned == [50, 80, 100, 150, 200]


def test_returning_a_case_does_not_start_the_clock_anew(office):
    case = office.to("pending_handle")
    start = case.current.runs[0].start
    office.wait(hours=2)
    case = office.act("parks", case, "return_to_dispatcher", reason="不归我管")
    office.wait(hours=1)
    case = office.act("dispatcher", case, "redispatch", department=PARKS)
    calendar = _calendar(office)
    assert len(case.current.runs) == 2
    assert case.current.runs[0].start == start
    assert case.current.used(calendar, case.current.runs[1].start) == 2 * 3600 * 1_000_000


def test_the_case_and_every_deadline_come_from_the_log_alone(office):
    one = office.to("closed")
    office.wait(days=2)
    two = office.to("handling")
    two = office.act("parks", two, "ask_extension", reason="雨")
    office.act("acceptor", office.report(), "merge", main=two.number)
    office.tick()
    with office.records.read() as session:
        rebuilt = {case.number: case for case in from_the_log(session)}
        kept = {row.number: decode(row.body) for row in session.query(CaseRow)}
    assert rebuilt == kept
    assert one.number in rebuilt
    calendar = _calendar(office)
    for number, case in kept.items():
        assert [turn.due(calendar) for turn in case.turns] == [
            turn.due(calendar) for turn in rebuilt[number].turns
        ]


def _calendar(office):
    with office.records.read() as session:
        return office.desk.regime(session).calendar
