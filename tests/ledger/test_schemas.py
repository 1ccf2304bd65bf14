"""Events are of declared types, and their data fits the declaration."""

from pathlib import Path

import pytest

from jingwei import ledger
from jingwei.ledger.schemas import EventDataError, UnknownEventError, declare, event_types, events_page
from jingwei.words import Text

ROOT = Path(__file__).resolve().parents[2]


def append(session, type_="test.noted", data=None):
    return ledger.append(session, type_, actor="a", subject="s", data={"n": 1} if data is None else data)


def test_an_undeclared_type_is_an_error(records):
    with records.write() as session, pytest.raises(UnknownEventError, match=r"test\.unheard"):
        append(session, "test.unheard")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"n": "1"},
        {"n": 1, "unheard": 2},
        {"n": 1, "words": None},
        {"n": 2**53 + 1},
        {"n": 1.5},
    ],
)
def test_data_that_does_not_fit_is_an_error(records, data):
    with records.write() as session, pytest.raises(EventDataError, match="test"):
        append(session, data=data)


def test_a_number_that_json_cannot_hold_is_an_error(records):
    declare(
        "test.measured", Text("测量", "Measured"), subject="s", fields={"x": ledger.Field(float, Text("值"))}
    )
    with records.write() as session, pytest.raises(EventDataError, match="finite"):
        append(session, "test.measured", {"x": float("nan")})


def test_a_type_is_declared_once():
    with pytest.raises(ValueError, match="twice"):
        declare("test.noted", Text("不同", "Different"), subject="s")
    with pytest.raises(ValueError, match="past_participle"):
        declare("Noted", Text("错", "Wrong"), subject="s")


def test_the_page_of_events_is_current():
    ours = [kind for kind in event_types() if not kind.name.startswith("test.")]
    assert (ROOT / "docs/events.md").read_text() == events_page(ours), (
        "run: jingwei ledger types > docs/events.md"
    )
