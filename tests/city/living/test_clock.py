"""The clock of a demo city: it goes forward only, never far before the present, and outlives a restart."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei.access import local_person
from jingwei.city.living import clock
from jingwei.city.living.clock import AHEAD, Clock
from jingwei.errors import BadRequestError

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
WE = local_person()


def after(**more: float) -> datetime:
    return NOON + timedelta(**more)


def test_a_minute_of_ours_is_an_hour_of_the_city_at_60_times() -> None:
    assert Clock(NOON, NOON, 60.0).now(after(minutes=1)) == after(hours=1)


def test_a_paused_clock_stands() -> None:
    assert Clock(NOON, NOON, 60.0, paused=True).now(after(days=2)) == NOON


def test_at_its_bound_the_clock_goes_on_as_the_present_does() -> None:
    fast = Clock(NOON, NOON, 600.0)
    assert fast.now(after(days=1)) == after(days=1) + AHEAD
    assert fast.now(after(days=2)) == after(days=2) + AHEAD


instants = st.integers(0, 40 * 86_400).map(lambda seconds: after(seconds=seconds))


@given(
    at=instants, speed=st.floats(0.1, 600), paused=st.booleans(),
    presents=st.lists(instants, min_size=2, max_size=6).map(sorted),
)  # fmt: skip
def test_the_clock_never_goes_back_whatever_is_done_to_it(
    at: datetime, speed: float, paused: bool, presents: list[datetime]
) -> None:
    now = Clock(NOON, at, speed, paused)
    shown = []
    for present in presents:
        shown.append(now.now(present))
        now = now.moved(present, closed=True).opened(present).moved(present, paused=not now.paused)
    assert shown == sorted(shown)


def test_a_clock_of_a_closed_city_stands_and_is_not_behind_when_it_is_opened() -> None:
    closed = Clock(NOON, NOON, 60.0).moved(after(minutes=1), closed=True)
    assert closed.now(after(minutes=30)) == after(hours=1)
    assert closed.opened(after(minutes=30)).at == after(hours=1)
    assert closed.opened(after(hours=5)).at == after(hours=5)


def test_a_paused_clock_is_still_where_it_stood_after_a_restart() -> None:
    paused = Clock(NOON, NOON, 1.0, paused=True).moved(after(hours=1), closed=True)
    assert paused.opened(after(hours=9)).now(after(hours=10)) == NOON


def test_setting_it_keeps_what_is_not_named_and_is_told_in_the_log(records) -> None:
    from jingwei import ledger

    with records.write() as session:
        clock.change(session, WE, generated=True, speed=60, present=NOON)
        clock.change(session, WE, generated=True, paused=True, present=after(minutes=1))
    with records.read() as session:
        assert clock.read(session) == Clock(after(minutes=1), after(hours=1), 60.0, paused=True)
        told = ledger.events_of(session, "city/clock", limit=10)
    assert [one.data["paused"] for one in told] == [True, False]  # the newest first


@pytest.mark.parametrize(
    ("to", "code"), [(after(hours=-1), "city-clock-backwards"), (after(days=8), "city-clock-ahead")]
)
def test_it_is_set_neither_back_nor_far_before_the_present(records, to, code) -> None:
    with pytest.raises(Exception, match="clock") as refused, records.write() as session:
        clock.change(session, WE, generated=True, to=to, present=NOON)
    assert refused.value.code == code


def test_a_real_city_has_no_clock_to_be_set(records) -> None:
    with pytest.raises(clock.NoClockError), records.write() as session:
        clock.change(session, WE, generated=False, speed=60)


def test_a_speed_beyond_bounds_is_refused(records) -> None:
    with pytest.raises(BadRequestError), records.write() as session:
        clock.change(session, WE, generated=True, speed=1e9)
