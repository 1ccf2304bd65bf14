"""Hot topics: what was planted is found, chance is not, and what few said is not told."""

import random
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei.cases.calendar import moment
from jingwei.cases.hotline.switchboard import Demand
from jingwei.cases.hotline.topics import Said, log_likelihood, said_in, terms, topics

SUBJECTS = ["小区路灯不亮", "垃圾没有清运", "噪音扰民严重", "道路坑洼积水", "占道经营摆摊", "公交车班次少"]
PLANTED = "自来水发黄有异味"


def everyday(weeks=5, per_week=60, streets=("440300001", "440300002"), seed=7):
    """What callers say in every week alike."""
    draw = random.Random(seed)
    return [
        Said(f"H{week}-{street}-{n}", street, week, f"{week}-{street}-{n}", draw.choice(SUBJECTS))
        for week in range(weeks)
        for street in streets
        for n in range(per_week)
    ]


def planted(callers=12, street="440300001", words=PLANTED, week=0):
    return [Said(f"P{n}", street, week, f"p{n}", words) for n in range(callers)]


def test_what_many_callers_of_a_street_speak_of_for_the_first_time_is_found_with_its_calls():
    (found,) = topics(everyday() + planted())
    assert (found.street, found.callers, found.of, found.before) == ("440300001", 12, 72, 0)
    assert found.term == PLANTED
    assert set(found.calls) == {f"P{n}" for n in range(12)}


def test_weeks_that_are_alike_have_no_topics():
    assert topics(everyday()) == []


def test_one_caller_who_calls_often_makes_no_topic():
    said = [replace(one, caller="the same") for one in planted(40)]
    assert topics(everyday() + said) == []


def test_what_was_said_as_often_before_is_no_topic():
    before = [
        replace(one, week=week, caller=f"{week}{one.caller}") for week in range(1, 5) for one in planted()
    ]
    assert topics(everyday() + planted() + before) == []


def test_a_street_of_which_nothing_was_heard_before_is_compared_with_the_city():
    (found,) = topics(everyday() + planted(street="440300009"))
    assert found.street == "440300009"


def test_what_few_said_is_not_told_also_of_the_weeks_before():
    assert topics(everyday() + planted(4)) == []
    before = [replace(one, week=2, caller=f"b{one.caller}") for one in planted(3)]
    (found,) = topics(everyday() + planted(30) + before)
    assert found.before is None
    assert topics(everyday() + planted(30) + before, smallest=1)[0].before == 3


def test_no_digit_is_part_of_a_term():
    assert not [
        one for one in terms("电话13800138000，家住3栋502，the tap water") if any(c.isdigit() for c in one)
    ]


@given(st.integers(0, 500), st.integers(1, 500), st.integers(0, 500), st.integers(1, 500))
def test_the_likelihood_ratio_is_never_negative_and_nought_where_nothing_grew(one, of_one, other, of_other):
    one, other = min(one, of_one), min(other, of_other)
    told = log_likelihood(one, of_one, other, of_other)
    assert told >= -1e-9
    if one * of_other <= other * of_one:
        assert told == 0


def test_what_calls_said_is_read_by_weeks_of_the_city(hotline):
    began = hotline.answered(Demand("complain", "ordinary", PLANTED, area="440300001003")).began
    zone = ZoneInfo("Asia/Shanghai")
    day = moment(began).astimezone(zone).date()
    monday = day - timedelta(days=day.weekday())
    with hotline.records.read() as session:
        (now,) = said_in(session, monday, zone, 4)
        (later,) = said_in(session, monday + timedelta(weeks=2), zone, 4)
    assert (now.week, later.week, now.street, now.words) == (0, 2, "440300001", PLANTED)


@pytest.mark.parametrize("term", ["的路灯", "路灯了"])
def test_terms_neither_begin_nor_end_with_idle_characters(term):
    assert term not in terms("我家的路灯了")
