"""Calls: taken, answered, made cases of, asked after, reviewed."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from cases.conftest import PARKS
from jingwei import ledger
from jingwei.access.policy import RefusedError
from jingwei.cases import citizens
from jingwei.cases.errors import BadFieldError
from jingwei.cases.hotline.afterwards import Told
from jingwei.cases.hotline.calls import Choice, draw, earlier, forget_numbers, listed
from jingwei.cases.hotline.errors import (
    CallChangedError,
    CallRuleError,
    NumberGoneError,
    UnknownCallError,
)
from jingwei.cases.hotline.knowledge import get
from jingwei.cases.hotline.models import CallRow
from jingwei.cases.hotline.numbers import plain_number
from jingwei.cases.hotline.switchboard import Demand
from jingwei.ledger.models import Event
from jingwei.records import now_utc

from .conftest import LAMP, PEOPLE

SCORES = {"greeting": 20, "listening": 20, "answer": 30, "record": 10}


def test_a_direct_answer_ends_a_call_and_counts_its_article(hotline):
    article = hotline.article()
    call = hotline.do("answer", "taker", hotline.take(), Demand("consult", "ordinary", "路灯找谁修",
                      articles=((article.id, True),)), "市政热线")  # fmt: skip
    assert (call.state, call.reached, call.turn.ended) == ("answered", True, "answer")
    with hotline.records.read() as session:
        now = get(session, article.id)
    assert (now.used, now.helped, now.failed) == (1, 1, 0)


def test_a_case_of_a_call_lies_in_the_one_pool_and_is_followed_by_its_code(hotline):
    call, case, code = hotline.with_case()
    assert (call.state, call.case) == ("in_case", case.number)
    assert (case.state, case.source, case.source_key) == ("reported", "hotline", call.number)
    with hotline.records.read() as session:
        followed, caller = citizens.follow(session, code)
    assert followed.number == case.number
    assert caller.id == case.reporter


def test_a_caller_joins_what_was_reported_already(hotline):
    place = {"lon": 114.05, "lat": 22.55}
    first = hotline.office.report("citizen", source="public", description="路灯不亮", **place)
    call, case, _ = hotline.with_case(Demand("ask", "ordinary", "路灯坏了", **place), join=first.number)
    assert case.main == first.number
    assert call.joined


def test_limits_follow_from_what_the_demand_is(hotline):
    urgent = Demand("complain", "emergency", "燃气泄漏")
    call, _, _ = hotline.with_case(urgent)
    assert (call.dispatch.unit, call.dispatch.amount) == ("urgent_hour", 1)
    assert (call.turn.limit.unit, call.turn.limit.amount) == ("urgent_hour", 2)


def test_no_number_and_no_word_of_a_caller_is_in_the_log(hotline):
    call, _, _ = hotline.with_case()
    with hotline.records.read() as session:
        told = [str(one) for one in session.execute(select(Event.data, Event.subject)).all()]
        row = session.scalars(select(CallRow).where(CallRow.number == call.number)).one()
        assert "13800138000" not in (row.body + row.sealed)
    assert not [one for one in told if "13800138000" in one or "看不清" in one]


def test_earlier_calls_are_found_however_the_number_is_written(hotline):
    first = hotline.answered(caller="+86 138-0013-8000")
    second = hotline.take(caller="13800138000")
    hotline.take(caller="13900139000")
    with hotline.records.read() as session:
        digest = hotline.board.digest_of("138 0013 8000")
        found = earlier(session, hotline.board, PEOPLE["taker"], digest, but=second.number)
    assert [one.call.number for one in found] == [first.number]


def test_a_number_is_shown_in_part_and_read_only_for_a_purpose_that_the_log_keeps(hotline):
    call = hotline.take()
    with hotline.records.write() as session:
        sealed = session.scalars(select(CallRow.sealed)).one()
        shown = hotline.board.shown_numbers(session, PEOPLE["taker"], [(call.number, sealed)])
        full = hotline.board.read_number(session, PEOPLE["taker"], call.number, "回访")
        told = ledger.events_of(session, f"call/{call.number}", limit=10)[0]
        with pytest.raises(RefusedError):
            hotline.board.read_number(session, PEOPLE["reviewer"], call.number, "质检")
    assert shown == ["13*******00"]
    assert (full, told.type, told.data["purpose"]) == ("13800138000", "hotline.number_read", "回访")


def test_who_has_no_part_in_the_hotline_knows_of_no_call(hotline):
    call = hotline.take()
    with hotline.records.read() as session, pytest.raises(UnknownCallError):
        hotline.board.get(session, hotline.who("acceptor"), call.number)
    with pytest.raises(RefusedError):
        hotline.take(who="acceptor")


def test_a_number_that_was_not_shown_cannot_be_read(hotline):
    call = hotline.take(caller="")
    with hotline.records.write() as session, pytest.raises(NumberGoneError):
        hotline.board.read_number(session, PEOPLE["taker"], call.number, "回访")


def test_a_call_of_the_exchange_is_taken_once(hotline):
    assert hotline.take(source_key="pbx-1").number == hotline.take(source_key="pbx-1").number


def test_two_people_at_one_call(hotline):
    call = hotline.take()
    hotline.do("answer", "taker", call, LAMP, "")
    with pytest.raises(CallChangedError):
        hotline.do("dismiss", "other_taker", call, "误拨")
    with pytest.raises(CallRuleError, match="not in a state"):
        hotline.do("dismiss", "other_taker", hotline.get(call), "误拨")


@pytest.mark.parametrize(
    "demand",
    [
        Demand("nothing", "ordinary", "路灯"),
        Demand("ask", "at once", "路灯"),
        Demand("ask", "ordinary", " "),
        Demand("ask", "ordinary", "<script>alert(1)</script>"),
        Demand("ask", "ordinary", "路灯", area="12"),
    ],
)
def test_a_demand_that_cannot_be_taken_changes_nothing(hotline, demand):
    call = hotline.take()
    with pytest.raises(BadFieldError):
        hotline.do("answer", "taker", call, demand, "")
    assert hotline.get(call).step == 1


def test_a_number_that_is_none():
    with pytest.raises(BadFieldError):
        plain_number("call me")


def test_solved_and_satisfied_are_two_answers_asked_when_it_is_done(hotline):
    call, case, _ = hotline.with_case()
    told = Told(reached=True, solved="yes", satisfied="no", words="太慢")
    with pytest.raises(CallRuleError, match="not done"):
        hotline.do("call_back", "taker", call, told)
    hotline.closed(case)
    with pytest.raises(BadFieldError):
        hotline.do("call_back", "taker", call, Told(reached=True, solved="yes"))
    call = hotline.do("call_back", "taker", call, told)
    assert (call.heard.solved, call.heard.satisfied) == ("yes", "no")
    with pytest.raises(CallRuleError, match="already"):
        hotline.do("call_back", "taker", call, told)


def test_not_solved_takes_the_same_case_up_again_and_asks_again_when_it_is_done(hotline):
    call, case, _ = hotline.with_case()
    hotline.closed(case)
    call = hotline.do("call_back", "taker", call, Told(reached=False))
    told = Told(reached=True, solved="no", satisfied="no", words="还是不亮", reopen=True)
    call = hotline.do("call_back", "taker", call, told)
    again = hotline.office.get(case.number)
    assert (again.state, again.disputed, again.reopened) == ("pending_register", 1, 1)
    with pytest.raises(CallRuleError, match="not done"):
        hotline.do("call_back", "taker", call, told)


def test_the_department_tells_all_callers_of_its_case(hotline):
    call, case, _ = hotline.with_case()
    office = hotline.office
    office.act("acceptor", case, "send_verify")
    office.act("collector", case, "verify", finding="exist")
    office.act("acceptor", case, "register", rule="1")
    office.act("dispatcher", case, "dispatch", department=PARKS)
    with hotline.records.write() as session, pytest.raises(RefusedError):
        hotline.board.reply_for_case(session, hotline.who("other_dispatcher"), case.number, reached=True)
    with hotline.records.write() as session:
        hotline.board.reply_for_case(session, hotline.who("parks"), case.number, "已安排", reached=True)
    assert hotline.get(call).turn.ended == "reply"


def test_nobody_reviews_a_call_that_he_had_a_part_in(hotline):
    call = hotline.do("answer", "reviewing_taker", hotline.take(), LAMP, "")
    with pytest.raises(CallRuleError, match="himself"):
        hotline.do("review", "reviewing_taker", call, SCORES)
    with pytest.raises(BadFieldError):
        hotline.do("review", "reviewer", call, SCORES | {"greeting": 21})
    call = hotline.do("review", "reviewer", call, SCORES, "记录不全")
    assert (call.reviews[0].points, call.reviews[0].most) == (80, 100)


def test_lists_tell_what_waits(hotline):
    call, case, _ = hotline.with_case()
    own = hotline.do("answer", "reviewing_taker", hotline.take(), LAMP, "")

    def waiting(what):
        with hotline.records.read() as session:
            found, _ = listed(session, hotline.board, PEOPLE["supervisor"], Choice(waiting=what))
        return {one.call.number for one in found}

    assert waiting("reply") == {call.number}
    assert waiting("call_back") == set()
    assert waiting("review") == {call.number, own.number}
    hotline.closed(case)
    assert waiting("call_back") == {call.number}
    with hotline.records.read() as session:
        (drawn,) = draw(session, hotline.board, PEOPLE["reviewing_taker"])
    assert drawn.call.number == call.number


def test_numbers_are_forgotten_when_their_time_is_over_and_the_calls_stay(hotline):
    call = hotline.take()
    with hotline.records.write() as session:
        in_force = hotline.office.desk.regime(session)
        assert forget_numbers(session, in_force, now_utc() + timedelta(days=729)) == 0
        assert forget_numbers(session, in_force, now_utc() + timedelta(days=731)) == 1
        with pytest.raises(NumberGoneError):
            hotline.board.read_number(session, PEOPLE["taker"], call.number, "回访")


def test_pages_of_a_list_hold_every_call_once(hotline):
    taken = [hotline.take().number for _ in range(7)]
    seen, mark = [], None
    for _ in range(5):
        with hotline.records.read() as session:
            page, mark = listed(session, hotline.board, PEOPLE["taker"], Choice(), beyond=mark, limit=3)
        seen += [one.call.number for one in page]
        if mark is None:
            break
    assert seen == taken[::-1]
