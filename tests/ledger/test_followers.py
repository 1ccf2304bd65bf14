"""Followers read the log in order, from where they stopped, and miss nothing."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jingwei import ledger
from jingwei.ledger.followers import Follower, position_of


class Reader:
    """Keeps what it was handed."""

    def __init__(self):
        self.seen = []

    def __call__(self, session, entries):
        self.seen += [(entry.position, entry.type) for entry in entries]


def test_a_follower_starts_at_the_beginning_and_goes_on_where_it_stopped(records, sealer, note):
    first, second = Reader(), Reader()
    note(1)
    sealer.seal_all()
    Follower(records, "f", first).catch_up()
    note(2)
    sealer.seal_all()
    Follower(records, "f", second).catch_up()
    assert first.seen == [(0, "ledger.opened"), (1, "test.noted")]
    assert second.seen == [(2, "test.noted")]


def test_a_follower_sees_only_what_is_sealed(records, sealer, note):
    reader = Reader()
    note(1)
    Follower(records, "f", reader).catch_up()
    assert reader.seen == []


def test_a_follower_may_start_now_and_take_some_types_only(records, sealer, note):
    reader = Reader()
    note(1)
    sealer.seal_all()
    follower = Follower(records, "f", reader, types={"ledger.corrected"}, from_now=True)
    note(2)
    with records.write() as session:
        ledger.correct(session, 1, actor="a", reason="r", data={})
    sealer.seal_all()
    follower.catch_up()
    assert reader.seen == [(3, "ledger.corrected")]
    with records.read() as session:
        assert position_of(session, "f") == 4


def test_a_running_follower_writes_only_where_something_concerns_it(records, sealer, note):
    stop, got = threading.Event(), threading.Event()
    follower = Follower(
        records, "f", lambda _session, _entries: got.set(), types=lambda _session: {"ledger.corrected"}
    )
    note(3)
    sealer.seal_all()
    assert not follower._behind()
    with records.read() as session:
        assert position_of(session, "f") == 0
    with records.write() as session:
        ledger.correct(session, 1, actor="a", reason="r", data={})
    sealer.seal_all()
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    arrived = got.wait(10)
    stop.set()
    thread.join()
    assert arrived
    with records.read() as session:
        assert position_of(session, "f") == ledger.size(session)


def test_what_failed_is_handed_over_again(records, sealer, note):
    note(1)
    sealer.seal_all()
    calls = []

    def fail_once(session, entries):
        calls.append([entry.position for entry in entries])
        ledger.append(session, "test.noted", actor="f", subject="done", data={"n": len(calls)})
        if len(calls) == 1:
            raise RuntimeError

    follower = Follower(records, "f", fail_once)
    with pytest.raises(RuntimeError):
        follower.step()
    follower.step()
    assert calls == [[0, 1], [0, 1]]
    with records.read() as session:
        done = ledger.events_of(session, "done")
    assert [event.data["n"] for event in done] == [2]  # what the failed call did was undone with it


def test_a_running_follower_gets_events_as_they_are_sealed(records, sealer, note):
    stop, got = threading.Event(), threading.Event()
    follower = Follower(
        records, "f", lambda _session, entries: got.set() if entries[-1].position == 1 else None
    )
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in (sealer, follower)]
    for thread in threads:
        thread.start()
    note(1)
    arrived = got.wait(10)
    stop.set()
    for thread in threads:
        thread.join()
    assert arrived


@given(st.lists(st.sampled_from(["append", "seal", "step"]), max_size=25))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_in_any_interleaving_each_event_arrives_once_and_in_order(records, sealer, note, actions):
    reader = Reader()
    sealer.seal_all()
    follower = Follower(records, "any", reader)
    for action in actions:
        {"append": lambda: note(0), "seal": sealer.seal, "step": follower.step}[action]()
    sealer.seal_all()
    follower.catch_up()
    with records.read() as session:
        end = ledger.size(session)
    positions = [position for position, _ in reader.seen]
    assert positions == list(range(end - len(positions), end))
