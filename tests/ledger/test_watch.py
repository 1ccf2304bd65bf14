"""News of the log: what new events spoke of, and that all may have changed where that cannot be told."""

from sqlalchemy import update

from jingwei.ledger.models import Event
from jingwei.ledger.watch import MOST_TOLD, News


def test_news_names_what_new_events_spoke_of_once(records, note):
    note(1)
    news = News(records, ["test.noted"])
    assert news.subjects() is None, "what is read after the first answer is new anyway"
    assert news.subjects() == set()
    note(2)
    note(3)
    assert news.subjects() == {"thing/2", "thing/3"}
    assert news.subjects() == set()


def test_all_may_have_changed_where_an_event_came_late_or_too_many_came(records, note):
    news = News(records, ["test.noted"])
    number = note(1)
    with records.write() as session:  # events of another type, which one day are of this one
        session.execute(update(Event).where(Event.id == number).values(type="test.other"))
    note(2)
    assert news.subjects() is None
    with records.write() as session:  # committed late, under a number that is smaller than the last seen
        session.execute(update(Event).where(Event.id == number).values(type="test.noted"))
    assert news.subjects() is None
    for n in range(MOST_TOLD + 1):
        note(n)
    assert news.subjects() is None
    note(7)
    assert news.subjects() == {"thing/7"}
