"""A name, once given, leads to its object or to what took its place, for ever."""

import io
import re
import threading
from datetime import UTC, datetime
from uuid import uuid4
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from jingwei import ledger, registry
from jingwei.access import local_person
from jingwei.errors import BadRequestError, ConflictError
from jingwei.registry import NewObject
from jingwei.registry.labels import label
from jingwei.registry.models import ObjectRow
from jingwei.registry.service import BadTableError, NotActiveError, UnknownObjectError

ME = local_person()


def lamp(n, **more):
    return NewObject(owner="城管局", key=f"lamp-{n}", kind="component", title=f"路灯{n}", **more)


@pytest.fixture
def session(records):
    with records.write() as session:
        yield session


def test_the_same_owner_and_key_get_the_same_identifier(session):
    first = registry.issue(session, ME, lamp(1))
    again = registry.issue(session, ME, lamp(1))
    other = registry.issue(session, ME, lamp(2))
    assert first.id == again.id != other.id
    assert registry.find(session, "城管局", "lamp-1") == first
    assert registry.find(session, "交通局", "lamp-1") is None


def test_two_who_issue_at_once_get_the_same_identifier(records):
    got, start = [], threading.Barrier(4)

    def issue():
        start.wait()
        with records.write() as session:
            got.append(registry.issue(session, ME, lamp(1)).id)

    threads = [threading.Thread(target=issue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4
    assert len(set(got)) == 1
    with records.read() as session:
        assert [event.type for event in ledger.events_of(session, f"object/{got[0]}")] == ["object.issued"]


def test_an_unknown_identifier_is_an_error(session):
    with pytest.raises(UnknownObjectError, match="0000"):
        registry.resolve(session, "0000000000000")


def test_a_renamed_object_keeps_its_identifier_and_its_history(session):
    thing = registry.issue(session, ME, lamp(1))
    registry.rename(session, ME, thing.id, "西湖路 1 号灯")
    registry.rename(session, ME, thing.id, "西湖路 1 号灯")
    assert registry.get(session, thing.id).title == "西湖路 1 号灯"
    told = registry.history(session, thing.id)
    assert [event["type"] for event in told] == ["object.renamed", "object.issued"]
    assert told[0]["data"] == {"before": "路灯1", "after": "西湖路 1 号灯"}


def test_an_old_identifier_leads_through_splits_and_mergers_to_what_is_there_today(session):
    old = registry.issue(session, ME, lamp("old"))
    left, right = registry.split(session, ME, old.id, [lamp("left"), lamp("right")], reason="道路拓宽")
    one, two = registry.split(session, ME, left.id, [lamp(1), lamp(2)], reason="换型")
    whole = registry.issue(session, ME, lamp("whole"))
    registry.merge(session, ME, [two.id, right.id, whole.id], whole.id, reason="合杆")
    resolved = registry.resolve(session, old.id)
    assert resolved.object.state == "split"
    assert {thing.id for thing in resolved.current} == {one.id, whole.id}
    assert [thing.id for thing in registry.resolve(session, two.id).current] == [whole.id]
    assert registry.find(session, "城管局", "lamp-old").id == old.id


def test_what_was_retired_leads_to_its_successor_or_to_nothing(session):
    gone, old, new = (registry.issue(session, ME, lamp(n)) for n in range(3))
    registry.retire(session, ME, gone.id, reason="拆除")
    registry.retire(session, ME, old.id, reason="更换", successors=[new.id])
    assert registry.resolve(session, gone.id).current == []
    assert [thing.id for thing in registry.resolve(session, old.id).current] == [new.id]
    assert registry.get(session, gone.id).valid_to is not None


def test_what_is_no_longer_active_is_not_changed(session):
    thing, other = registry.issue(session, ME, lamp(1)), registry.issue(session, ME, lamp(2))
    registry.retire(session, ME, thing.id, reason="拆除")
    now = datetime.now(UTC)
    for change in (
        lambda: registry.rename(session, ME, thing.id, "x"),
        lambda: registry.move(session, ME, thing.id, cell=1, level=32, since=now),
        lambda: registry.split(session, ME, thing.id, [lamp(3), lamp(4)], reason="r"),
        lambda: registry.merge(session, ME, [thing.id], other.id, reason="r"),
        lambda: registry.merge(session, ME, [other.id], thing.id, reason="r"),
        lambda: registry.retire(session, ME, thing.id, reason="r"),
        lambda: registry.retire(session, ME, other.id, reason="r", successors=[thing.id]),
    ):
        with pytest.raises(NotActiveError, match="retired"):
            change()


def test_an_object_cannot_succeed_itself(session):
    thing = registry.issue(session, ME, lamp(1))
    with pytest.raises(BadRequestError):
        registry.retire(session, ME, thing.id, reason="r", successors=[thing.id])
    with pytest.raises(BadRequestError):
        registry.split(session, ME, thing.id, [lamp(1), lamp(2)], reason="r")
    with pytest.raises(BadRequestError):
        registry.split(session, ME, thing.id, [lamp(2)], reason="r")


def day(n):
    return datetime(2026, 1, n, tzinfo=UTC)


def test_an_object_is_where_it_was_at_each_time(session):
    thing = registry.issue(session, ME, lamp(1, cell=100, level=32, valid_from=day(1)))
    registry.move(session, ME, thing.id, cell=200, level=30, since=day(10))
    registry.move(session, ME, thing.id, cell=None, level=None, since=day(20))
    expected = [(None, 1), (100, 5), (100, 9), (200, 10), (200, 19), (None, 20), (None, 30)]
    before = registry.place_at(session, thing.id, datetime(2025, 12, 31, tzinfo=UTC))
    assert before.cell is None
    for cell, n in expected[1:]:
        assert registry.place_at(session, thing.id, day(n)).cell == cell
    with pytest.raises(ConflictError):
        registry.move(session, ME, thing.id, cell=1, level=32, since=day(15))


def test_a_table_gets_an_identifier_for_each_row(session):
    table = pa.table(
        {"key": ["a", "b", "a"], "title": ["甲", "乙", "甲"], "cell": [1, None, 1], "level": [32, None, 32]}
    )
    first = registry.issue_table(session, ME, table, owner="o", kind="k").to_pylist()
    assert first[0] == first[2] != first[1]
    assert registry.get(session, first[0]).cell == 1
    more = pa.table({"key": ["b", "c"]})
    second = registry.issue_table(session, ME, more, owner="o", kind="k").to_pylist()
    assert second[0] == first[1]
    counts = [event.data["count"] for event in ledger.events_of(session, "registry/o")]
    assert counts == [1, 2]
    assert [event["type"] for event in registry.history(session, second[1])] == ["object.issued"]


def test_keys_that_are_numbers_are_taken_as_text(session):
    (identifier,) = registry.issue_table(session, ME, pa.table({"key": [7]}), owner="o", kind="k").to_pylist()
    assert registry.find(session, "o", "7").id == identifier


@pytest.mark.parametrize("table", [pa.table({"id": [1]}), pa.table({"key": ["a", None]})])
def test_a_table_without_keys_is_refused(session, table):
    with pytest.raises(BadTableError, match="key"):
        registry.issue_table(session, ME, table, owner="o", kind="k")


def test_a_large_table_is_issued_in_chunks(session):
    table = pa.table({"key": [f"k{n}" for n in range(12_345)]})
    identifiers = registry.issue_table(session, ME, table, owner="o", kind="k")
    assert len(set(identifiers.to_pylist())) == 12_345
    assert session.scalar(select(func.count()).select_from(ObjectRow)) == 12_345
    assert registry.find(session, "o", "k12344").id == identifiers[12_344].as_py()


def test_the_label_carries_the_code_that_opens_the_page(session):
    thing = registry.issue(
        session, ME, NewObject(owner="o", key="k", kind="component", title='<井盖 & "栅栏">')
    )
    drawn = label(thing, f"https://city.example/objects/{thing.id}")
    assert "&lt;井盖 &amp;" in drawn
    assert re.sub(r"(.{4})(.{4})(.{4})(.)", r"\1-\2-\3-\4", thing.id) in drawn
    assert ET.parse(io.StringIO(drawn)).getroot().tag.endswith("svg")


@given(
    st.lists(
        st.tuples(st.sampled_from(["split", "merge", "retire", "replace"]), st.integers(0, 10**6)),
        max_size=12,
    )
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_history_every_identifier_leads_to_active_objects_only(records, actions):
    """A model of what each identifier should lead to, kept beside the registry."""
    leads: dict[str, set[str]] = {}
    with records.write() as session:
        owner = uuid4().hex  # examples share one database

        def fresh():
            return NewObject(owner=owner, key=uuid4().hex, kind="k")

        for _ in range(3):
            thing = registry.issue(session, ME, fresh())
            leads[thing.id] = {thing.id}
        for action, pick in actions:
            active = sorted(name for name, to in leads.items() if to == {name})
            if not active:
                break
            chosen = active[pick % len(active)]
            other = active[(pick // 7) % len(active)]
            after: set[str] = set()
            if action == "split":
                parts = registry.split(session, ME, chosen, [fresh(), fresh()], reason="r")
                leads |= {part.id: {part.id} for part in parts}
                after = {part.id for part in parts}
            elif action == "merge" and chosen != other:
                registry.merge(session, ME, [chosen], other, reason="r")
                after = {other}
            elif action == "retire":
                registry.retire(session, ME, chosen, reason="r")
            elif action == "replace" and chosen != other:
                registry.retire(session, ME, chosen, reason="r", successors=[other])
                after = {other}
            else:
                continue
            leads = {name: (to - {chosen}) | after if chosen in to else to for name, to in leads.items()}
        for name, to in leads.items():
            assert {thing.id for thing in registry.resolve(session, name).current} == to
