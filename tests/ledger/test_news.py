"""News of the log: what new events spoke of, and that all may have changed where that cannot be told."""

import pytest

from jingwei import ledger
from jingwei.ledger.news import MOST_TOLD, News


def test_news_names_what_new_events_spoke_of_once(records, note, sealer):
    note(1)
    news = News(records, ["test.noted"])
    assert news.subjects() is None, "what is read after the first answer is new anyway"
    assert news.subjects() == set()
    note(2)
    note(3)
    assert news.subjects() == {"thing/2", "thing/3"}
    sealer.seal()
    assert news.subjects() == set(), "once, though they have got their place in the log meanwhile"
    note(4)
    sealer.seal()
    assert news.subjects() == {"thing/4"}
    assert news.subjects() == set()


def test_of_very_many_new_events_it_is_said_that_all_may_have_changed(records, note):
    news = News(records, ["test.noted"])
    news.subjects()
    with records.write() as session:
        for n in range(MOST_TOLD + 1):
            ledger.append(session, "test.noted", actor=None, subject=f"thing/{n}", data={"n": n})
    assert news.subjects() is None
    note(7)
    assert news.subjects() == {"thing/7"}


def test_what_is_committed_late_is_told_when_it_is_sealed(records, note, sealer):
    if records.engine.dialect.name == "sqlite":
        pytest.skip("SQLite commits in the order of numbers")
    news = News(records, ["test.noted"])
    news.subjects()
    with records.write() as late:
        ledger.append(late, "test.noted", actor=None, subject="thing/late", data={"n": 1})
        late.flush()
        note(2)
        assert news.subjects() == {"thing/2"}
    sealer.seal()
    assert news.subjects() == {"thing/late"}
