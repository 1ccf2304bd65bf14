"""A prepared statement asks the driver itself, and gives and takes what Python knows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import bindparam, select

from jingwei.cases.models import Following
from jingwei.records import Prepared, open_records

ROW = {
    "secret": b"\x00secret", "code": b"code", "reporter": "citizen/1", "case": "1",
    "at": datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=8))), "language": "zh",
    "contact": {"wishes": ["done"], "sms": "12345678"},
}  # fmt: skip
TABLE = Following.__table__
PUT = Prepared(TABLE.insert().values({one.name: bindparam(one.name, type_=one.type) for one in TABLE.c}))
GET = Prepared(
    select(TABLE.c.secret, TABLE.c.at, TABLE.c.contact)
    .where(TABLE.c.case == bindparam("number"), TABLE.c.language.in_(["zh", "en"]))
    .limit(1)
)


@pytest.fixture
def records(records_url):
    opened = open_records(records_url)
    yield opened
    opened.close()


def test_values_go_in_and_come_back_as_they_were(records):
    with records.write() as session:
        PUT.run_many(session, [ROW, ROW | {"secret": b"2", "code": b"2", "case": "2"}])
    with records.read() as session:
        assert GET.row(session, number="1") == (ROW["secret"], ROW["at"].astimezone(UTC), ROW["contact"])
        assert GET.row(session, number="3") is None


def test_it_belongs_to_the_transaction_of_its_session(records):
    def fail():
        with records.write() as session:
            assert PUT.run(session, **ROW) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with records.read() as session:
        assert GET.rows(session, number="1") == []


def test_a_value_that_is_missing_is_told(records):
    with records.read() as session, pytest.raises(KeyError):
        GET.rows(session)
