"""Uses of versions as the log tells them, kept by what was used: the same on both databases."""

from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, true

from jingwei import ledger
from jingwei.lake import uses
from jingwei.lake.errors import LineageBehindError
from jingwei.lake.models import DatasetRow, UseRow, VersionRow
from jingwei.lake.uses import catch_up, counted, of_file, of_load, of_version, told_of, versions_by
from jingwei.ledger.sealer import Sealer
from jingwei.records import now_utc

ROADS = [of_version("roads", 1), of_load("load-1"), of_file("a"), of_file("b")]


def tell(records, type_, dataset, **data):
    with records.write() as session:
        ledger.append(session, type_, actor="test", subject=f"dataset/{dataset}", data=data)


def published(records, dataset, number, *, files=(), reads=(), intent=None):
    with records.write() as session:
        if session.get(DatasetRow, dataset) is None:
            about = {"title": {}, "owner": "", "sharing": "", "update_cycle": "", "state": "published"}
            more = {"problem": None, "current": 1, "position": 0, "level": 1, "fields": {}}
            session.add(DatasetRow(id=dataset, changed=now_utc(), **about, **more))
            session.flush()
        made = {"dataset": dataset, "number": number, "published": now_utc(), "dropped": None}
        session.add(VersionRow(intent=intent or f"{dataset}-{number}", content={}, **made))
    read = [{"dataset": "roads", "version": 1, "how": how} for how in reads]
    sources = [{"path": "x", "digest": digest} for digest in files]
    more = {"delta": {}, "counts": {}, "sources": sources, "reads": read}
    tell(records, "dataset.published", dataset, version=number, **more)


def checked(records, dataset, intent, *, reads=()):
    read = [{"dataset": "roads", "version": 1, "how": how} for how in reads]
    found = {"contract": 1, "score": 100.0, "rows": 1, "faulty": 0, "rules": [], "gated": False}
    tell(records, "dataset.checked", dataset, intent=intent, reads=read, **found)


def told(records, *, after=None, limit=50):
    catch_up(records)
    with records.read() as session:
        rows = told_of(session, ROADS, [true()], after, limit)
        numbers = versions_by(session, rows)
        return [(row.kind, row.subject, row.number, row.how, numbers.get(row.intent)) for row in rows]


def test_what_was_read_is_not_told_as_a_file_beside_it_and_a_file_only_once(records):
    published(records, "trams", 1, files=["a"], reads=["place", "rule"])
    published(records, "copies", 4, files=["a", "b", "c"])
    published(records, "others", 1, files=["c"])
    assert told(records) == [
        ("read", "dataset/trams", 1, "place,rule", 1),
        ("same-file", "dataset/copies", 4, "", 4),
    ]


def test_a_check_is_told_unless_the_version_that_was_checked_tells_of_it(records):
    checked(records, "trams", "trams-1", reads=["rule"])
    published(records, "trams", 1, reads=["place", "rule"])
    checked(records, "trams", "trams-1", reads=["rule"])
    published(records, "stops", 3, reads=["place"])
    checked(records, "stops", "stops-3", reads=["rule"])
    checked(records, "held", "held-1", reads=["rule"])
    checked(records, "roads", "load-1", reads=["rule"])
    assert [row for row in told(records) if row[0] != "read"] == [
        ("compared", "dataset/stops", None, "rule", 3),
        ("compared", "dataset/held", None, "rule", None),
        ("checked", "dataset/roads", None, "", None),
    ]


def test_pages_of_one_instant_leave_nothing_out(records):
    with records.write() as session:
        told_together = [(f"dataset/d{n}", {"intent": "load-1"}) for n in range(5)]
        found = {"contract": 1, "score": 1.0, "rows": 1, "faulty": 0, "rules": [], "gated": False}
        events = [(subject, data | found) for subject, data in told_together]
        ledger.append_many(session, "dataset.checked", events, actor="test")
    catch_up(records)
    seen, after = [], None
    with records.read() as session:
        while rows := told_of(session, ROADS, [true()], after, 2):
            seen += [row.subject for row in rows]
            after = rows[-1].at, rows[-1].id
    assert seen == [f"dataset/d{n}" for n in range(5)]


def test_exports_are_summed_by_their_form(records):
    for form in ("csv", "csv", "parquet"):
        tell(records, "dataset.exported", "roads", version=1, form=form, rows=1, chosen=False)
    catch_up(records)
    with records.read() as session:
        assert {(row[3], row[-1]) for row in counted(session, ROADS)} == {("csv", 2), ("parquet", 1)}


@pytest.mark.parametrize("sealed", [False, True])
def test_an_event_is_taken_in_once(records, tmp_path, sealed):
    published(records, "trams", 1, reads=["place"])
    catch_up(records)
    if sealed:
        Sealer(records, tmp_path / "log").seal_all()
    catch_up(records)
    catch_up(records)
    with records.read() as session:
        assert session.scalar(select(func.count()).select_from(UseRow)) == 1


def test_a_log_longer_than_the_patience_is_read_on_by_the_next_one(records, tmp_path, monkeypatch):
    monkeypatch.setattr(uses, "WINDOW", 2)
    for number in range(7):
        published(records, "trams", number + 1, reads=["place"])
    Sealer(records, tmp_path / "log").seal_all()
    with pytest.raises(LineageBehindError) as caught:
        catch_up(records, seconds=-1)
    assert caught.value.where == {"read": 0, "events": 8}
    with monkeypatch.context() as slow:
        moments = iter([0.0, 0.0, 1.0])
        slow.setattr(uses, "time", SimpleNamespace(monotonic=lambda: next(moments)))
        with pytest.raises(LineageBehindError) as caught:
            catch_up(records, seconds=0.5)
    assert caught.value.where == {"read": 2, "events": 8}
    assert len(told(records)) == 7  # and the event of the key tells of none
