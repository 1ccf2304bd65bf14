"""Clocks against a second calculation that counts minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei.cases.calendar import Calendar, default_calendar, instant, moment, official
from jingwei.cases.clocks import UNITS, Limit, Run, Turn, next_warning
from jingwei.cases.errors import BadFieldError, CalendarRangeError

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE = timedelta(minutes=1)
FIRST = date(2026, 1, 20)  # the Spring Festival of 2026 lies in the four weeks after it


def at(text: str) -> int:
    return instant(datetime.fromisoformat(text).replace(tzinfo=ZONE))


def told(when: int) -> str:
    return moment(when).astimezone(ZONE).strftime("%m-%d %H:%M")


def turn(unit, amount, *runs, extensions=0):
    return Turn("handle", "D", Limit(unit, amount), [Run(*run) for run in runs], extensions)


# examples that a person can check


@pytest.mark.parametrize(
    ("unit", "amount", "start", "due"),
    [
        ("urgent_hour", 2, "2026-10-01T23:30", "10-02 01:30"),
        ("natural_day", 2, "2026-09-30T17:00", "10-02 17:00"),
        ("work_hour", 4, "2026-09-30T16:00", "10-08 10:00"),  # the holidays of National Day
        ("work_hour", 4, "2026-10-10T08:00", "10-10 12:00"),  # a Saturday that makes up for them
        ("work_hour", 4, "2026-10-09T12:30", "10-09 18:00"),  # over at the end of a day, not on the next
        ("work_day", 1, "2026-11-19T15:00", "11-20 15:00"),
        ("work_day", 1, "2026-11-20T15:00", "11-23 15:00"),  # over a weekend
        ("work_day", 3, "2026-11-20T20:00", "11-25 18:00"),
        ("work_hour", 0.25, "2026-11-20T17:50", "11-23 08:05"),
    ],
)
def test_when_a_limit_is_over(unit, amount, start, due):
    assert told(turn(unit, amount, (at(start),)).due(default_calendar())) == due


def test_a_pause_moves_the_end_by_the_working_time_that_it_took():
    stopped = turn(
        "work_hour", 4, (at("2026-11-19T09:00"), at("2026-11-19T11:00")), (at("2026-11-23T08:00"),)
    )
    assert told(stopped.due(default_calendar())) == "11-23 10:00"


def test_an_extension_grants_the_limit_once_more():
    assert told(turn("work_day", 1, (at("2026-11-19T15:00"),), extensions=1).due(default_calendar())) == (
        "11-23 15:00"
    )


def test_warnings_come_at_their_shares_and_once():
    one = turn("urgent_hour", 10, (at("2026-11-19T00:00"),))
    when, share = next_warning(one, default_calendar(), (80, 50, 100, 150))
    assert (told(when), share) == ("11-19 05:00", 50)
    one.warned.append(50)
    assert next_warning(one, default_calendar(), (80, 50, 100, 150))[1] == 80
    one.warned += [80, 100]
    when, share = next_warning(one, default_calendar(), (80, 50, 100, 150))
    assert (told(when), share) == ("11-19 15:00", 150)
    one.runs[-1].end = at("2026-11-19T06:00")
    assert next_warning(one, default_calendar(), (150,)) is None


def test_a_citys_own_days_and_hours():
    calendar = Calendar(
        periods=[(time(9), time(17))], days={date(2026, 11, 20): False, date(2026, 11, 21): True}
    )
    assert told(turn("work_day", 1, (at("2026-11-19T12:00"),)).due(calendar)) == "11-21 12:00"


def test_a_year_whose_holidays_are_not_announced_counts_weekdays():
    assert official(date(2040, 1, 2))
    assert not official(date(2040, 1, 1))  # a Sunday
    assert not official(date(2026, 1, 1))


def test_working_periods_follow_one_another():
    with pytest.raises(BadFieldError):
        Calendar(periods=[(time(8), time(12)), (time(11), time(18))])
    with pytest.raises(BadFieldError):
        Calendar(periods=[])


def test_the_calendar_says_where_it_ends():
    with pytest.raises(CalendarRangeError):
        turn("work_day", 1000, (at("2049-01-01T00:00"),)).due(default_calendar())


# against a second calculation

days = st.dictionaries(
    st.integers(0, 40).map(lambda n: FIRST + timedelta(days=n)), st.booleans(), max_size=12
)
halves = st.tuples(
    st.integers(0, 700), st.integers(740, 1000), st.integers(1000, 1200), st.integers(1220, 1439)
)
offsets = st.lists(st.integers(0, 6 * 24 * 60), min_size=1, max_size=7, unique=True)
unhurried = settings(deadline=None, max_examples=60)


@st.composite
def turns(draw):
    """A turn with pauses, of minutes, and the calendar that it runs by."""
    of_day = draw(halves)
    edges = of_day[: draw(st.sampled_from([2, 4]))] if of_day[1] < of_day[2] else of_day[:2]
    periods = [(_of_day(a), _of_day(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    calendar = Calendar(periods=periods, days=draw(days), first_year=2026, last_year=2026)
    moments = [datetime.combine(FIRST, time(), ZONE) + n * MINUTE for n in sorted(draw(offsets))]
    runs = [(instant(start), instant(end)) for start, end in zip(moments[::2], moments[1::2], strict=False)]
    if len(moments) % 2:
        runs.append((instant(moments[-1]), None))
    unit = draw(st.sampled_from(UNITS))
    amount = draw(st.integers(1, 240)) / 60 if unit.endswith("hour") else draw(st.integers(1, 3))
    return calendar, turn(unit, amount, *runs, extensions=draw(st.integers(0, 1)))


def _of_day(minute: int) -> time:
    return time(minute // 60, minute % 60)


def counts(one: Turn, calendar: Calendar, minute: datetime) -> bool:
    """Whether a minute counts, looked up in the calendar as a person would."""
    if one.limit.unit in ("urgent_hour", "natural_day"):
        return True
    decided = calendar.days.get(minute.date())
    works = official(minute.date()) if decided is None else decided
    return works and any(start <= minute.time() < end for start, end in calendar.periods)


def granted_minutes(one: Turn, calendar: Calendar) -> float:
    day = sum((b.hour - a.hour) * 60 + b.minute - a.minute for a, b in calendar.periods)
    each = {"urgent_hour": 60, "work_hour": 60, "natural_day": 24 * 60, "work_day": day}[one.limit.unit]
    return one.limit.amount * each * (1 + one.extensions)


def counted_due(one: Turn, calendar: Calendar) -> datetime:
    left = round(granted_minutes(one, calendar))
    for index, run in enumerate(one.runs):
        minute = moment(run.start).astimezone(ZONE)
        last = index == len(one.runs) - 1
        end = datetime.max.replace(tzinfo=UTC) if last or run.end is None else moment(run.end)
        while minute < end and left > 0:
            left -= counts(one, calendar, minute)
            minute += MINUTE
        if left <= 0:
            return minute
    raise AssertionError


@unhurried
@given(turns())
def test_deadlines_equal_those_counted_minute_by_minute(made):
    calendar, one = made
    assert moment(one.due(calendar)) == counted_due(one, calendar)


@unhurried
@given(turns(), st.integers(0, 12 * 24 * 60))
def test_used_time_equals_that_counted_minute_by_minute(made, offset):
    calendar, one = made
    now = datetime.combine(FIRST, time(), ZONE) + timedelta(minutes=offset)
    expected = 0
    for run in one.runs:
        minute = moment(run.start).astimezone(ZONE)
        end = max(now, minute) if run.end is None else moment(run.end)
        while minute < end:
            expected += counts(one, calendar, minute)
            minute += MINUTE
    if one.runs[-1].end is None and instant(now) < one.runs[-1].start:
        now = moment(one.runs[-1].start)
    assert one.used(calendar, instant(now)) == expected * 60_000_000


@unhurried
@given(turns(), st.integers(0, 12 * 24 * 60))
def test_in_time_is_to_end_before_the_deadline(made, offset):
    calendar, one = made
    last = one.runs[-1]
    end = last.start + offset * 60_000_000
    last.end, one.ended = end, "confirm"
    assert one.on_time(calendar, end) == (end <= one.due(calendar))


def test_the_last_moment_is_in_time_and_the_evening_after_it_is_not():
    one = turn("work_day", 1, (at("2026-11-19T08:00"), at("2026-11-19T18:00")))
    assert told(one.due(default_calendar())) == "11-19 18:00"
    assert one.on_time(default_calendar(), one.end)
    one.runs[-1].end = at("2026-11-19T20:00")
    assert one.used(default_calendar(), one.end) == one.budget(default_calendar())
    assert not one.on_time(default_calendar(), one.end)
