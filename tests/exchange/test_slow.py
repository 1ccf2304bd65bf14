"""A subscriber that is slow or dead holds up nobody else, and is given up with the reason."""

import contextlib
import threading

import pytest

from exchange.telling import Other, Telling
from jingwei import ledger
from jingwei.exchange import posting, sending


@pytest.fixture
def others():
    """Three systems, one that answers, one that never does, one that never ends to; and what ends that."""
    enough = threading.Event()

    def never(_):
        return enough.wait(30)

    def by_drops(wire):
        with contextlib.suppress(OSError):
            wire.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not enough.wait(0.02):
                wire.write(b"x")
                wire.flush()
        return True

    good, dead, slow = Other(), Other(), Other()
    dead.late, slow.late = never, by_drops
    with good.open(), dead.open(), slow.open():
        yield good, dead, slow, enough
        enough.set()


def _running(telling):
    stack = contextlib.ExitStack()
    stack.enter_context(telling.sealer.running())
    stack.enter_context(telling.hooks.running())
    return stack


def _subjects(other):
    return [one["subject"] for one in other.told()]


def test_the_others_are_told_at_once_and_in_order_beside_a_dead_and_a_slow_one(bare, tmp_path, others):
    good, dead, slow, enough = others
    telling = Telling(bare, tmp_path, dead)
    telling.also(slow)
    telling.also(good)
    for number in range(3):
        telling.happen(number)
    with _running(telling):
        assert good.hears(3)
        assert dead.hears(1)
        assert slow.hears(1)
        for number in range(3, 6):
            telling.happen(number)
        assert good.hears(6)
        assert (len(dead.heard), len(slow.heard)) == (1, 1)  # to whom is still spoken
        enough.set()
    assert _subjects(good) == [f"sense/alarms/{number}" for number in range(6)]


def test_who_answers_too_late_is_told_again_and_given_up_with_the_reason(bare, tmp_path, others, monkeypatch):
    monkeypatch.setattr(posting, "PATIENCE", 1.0)
    good, dead, slow, _ = others
    telling = Telling(bare, tmp_path, good)
    numbers = [telling.also(dead), telling.also(slow)]
    telling.happen(1)
    telling.happen(2)
    for tries in range(1, len(sending.WAITS) + 2):
        assert all(telling.subscriber(one).on for one in numbers)
        telling.step(days=1)
        monkeypatch.setattr(posting, "PATIENCE", 0.05)
        for one, other in zip(numbers, (dead, slow), strict=True):
            assert telling.deliveries(one) == [("", 0, 0), ("", 0, tries)]
            assert set(_subjects(other)) == {"sense/alarms/1"}
    for one in numbers:
        assert (telling.subscriber(one).on, telling.subscriber(one).why) == (False, "failing")
        assert telling.waits(one) == (2, 0, posting.LATE)
        with bare.records.read() as session:
            told = [event.data for event in ledger.events_of(session, f"webhook/{one}")]
        assert {"to": "off", "why": "failing"} in told
    assert _subjects(good) == ["sense/alarms/1", "sense/alarms/2"]


def test_a_city_that_starts_again_goes_on_where_it_stood(bare, tmp_path, others, monkeypatch):
    monkeypatch.setattr(posting, "PATIENCE", 1.0)
    good, dead, _, _ = others
    telling = Telling(bare, tmp_path, good)
    late = telling.also(dead)
    telling.happen(1)
    assert telling.step() == 1
    telling.happen(2)
    telling.begin_anew()
    assert telling.step() == 1  # the dead one's time has not come
    assert len(dead.heard) == 1
    dead.late = None
    telling.begin_anew()
    assert telling.step(seconds=5) == 2
    assert _subjects(good) == ["sense/alarms/1", "sense/alarms/2"]
    assert _subjects(dead) == ["sense/alarms/1", "sense/alarms/1", "sense/alarms/2"]
    assert telling.deliveries(late) == [("sent", 200, 1), ("sent", 200, 2)]


def test_who_fails_anew_after_it_worked_waits_as_one_that_fails_for_the_first_time(bare, tmp_path, others):
    good, *_ = others
    telling = Telling(bare, tmp_path, good)
    telling.happen(1)
    telling.happen(2)
    good.answer = 500
    telling.step()
    telling.step(days=1)
    answers = iter([200, 500])

    def turns(_):
        good.answer = next(answers)

    good.late = turns
    telling.step(days=1)
    good.late, good.answer = None, 200
    assert telling.step(seconds=5) == 1


def test_many_slow_ones_leave_room_for_the_quick(bare, tmp_path, others, monkeypatch):
    monkeypatch.setattr(sending, "SIDE_BY_SIDE", 3)
    monkeypatch.setattr(sending, "SLOWLY", 2)
    monkeypatch.setattr(sending, "SLOW", -1.0)
    good, dead, _, enough = others
    telling = Telling(bare, tmp_path, dead)
    slow = [telling.number, *(telling.also(dead) for _ in range(4))]
    for one in slow:
        telling.hooks._note_pace(one, 0.0)
    monkeypatch.setattr(sending, "SLOW", 1.0)
    telling.also(good)
    telling.happen(1)
    with _running(telling):
        assert good.hears(1)
        assert len(dead.heard) <= 2
        telling.happen(2)
        assert good.hears(2)
        enough.set()
    assert _subjects(good) == ["sense/alarms/1", "sense/alarms/2"]
