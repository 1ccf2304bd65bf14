"""Hours, days and months are those of the city's clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jingwei.sense.rollups import HOUR, Calendar

ZONES = ["Asia/Shanghai", "Asia/Kathmandu", "Europe/Berlin", "America/St_Johns", "UTC"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
calendars = st.sampled_from(ZONES).map(lambda name: Calendar(ZoneInfo(name)))
moments = st.integers(0, 3_000_000_000_000_000)


def local(calendar, moment):
    return (EPOCH + timedelta(microseconds=moment)).astimezone(calendar.zone)


def begin(day):
    return (day.replace(hour=0, minute=0, second=0, microsecond=0, fold=0) - EPOCH) // timedelta(
        microseconds=1
    )


@given(calendars, st.lists(moments, min_size=1, max_size=20))
def test_an_hour_is_of_the_day_and_month_in_which_it_begins(calendar, times):
    hours = calendar.hours(np.array(times))
    days, months = calendar.days(hours), calendar.months(hours)
    for time, hour, day, month in zip(times, hours.tolist(), days.tolist(), months.tolist(), strict=True):
        assert hour <= time < hour + HOUR
        here = local(calendar, hour)
        assert (day, month) == (begin(here), begin(here.replace(day=1)))


@given(calendars, moments, st.integers(0, 20_000))
def test_a_period_is_parted_into_whole_months_days_and_hours(calendar, since, hours):
    until = since + hours * HOUR // 8
    spans = list(calendar.spans(since, until))
    held = np.arange(calendar.next_hour(since), until, HOUR)
    keys = {"hour": held, "day": calendar.days(held), "month": calendar.months(held)}
    told = np.zeros(len(held), int)
    for span in spans:
        told += keys[span.kind] == span.start
    assert (told == 1).all()
    assert len(spans) < 200 + hours / 8 / 600
