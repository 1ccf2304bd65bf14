"""What a city decides about its hotline: in versions, whole or not at all."""

import msgspec
import pytest

from cases.conftest import STAFF
from jingwei.cases import regime
from jingwei.cases.clocks import Limit
from jingwei.cases.errors import BadFieldError
from jingwei.cases.hotline.decided import Hotline, Named, ReplyClock, SheetItem

SOON, LATE = Limit("urgent_hour", 1), Limit("natural_day", 15)


@pytest.mark.parametrize(
    ("kind", "urgency", "reply"),
    [("ask", "ordinary", 7), ("ask", "utility", 24), ("complain", "emergency", 2), ("suggest", "complex", 15),
     ("consult", "ordinary", 5)],
)  # fmt: skip
def test_the_entry_that_says_most_about_a_demand_sets_its_limit(kind, urgency, reply):
    assert Hotline().clock(kind, urgency).reply.amount == reply


def test_a_change_is_a_new_version_that_can_be_compared(office):
    fresh = msgspec.structs.replace(Hotline(), clocks=(ReplyClock(SOON, LATE),))
    with office.records.write() as session:
        first = regime.adopt(session, STAFF["leader"], "hotline", Hotline())
        second = regime.adopt(session, STAFF["leader"], "hotline", fresh)
        changed = {one.key for one in regime.difference(session, "hotline", first, second)}
        assert office.desk.regime(session).hotline == fresh
    assert changed == {
        "clocks//", "clocks//utility", "clocks//emergency", "clocks//complex", "clocks/consult/ordinary"
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"clocks": ()},
        {"clocks": (ReplyClock(SOON, LATE, kind="ask"),)},
        {"clocks": (ReplyClock(SOON, LATE), ReplyClock(SOON, LATE))},
        {"clocks": (ReplyClock(SOON, LATE), ReplyClock(SOON, LATE, kind="unknown"))},
        {"clocks": (ReplyClock(SOON, Limit("work_day", 0)),)},
        {"kinds": ()},
        {"kinds": (Named("ask", "求助"), Named("ask", "求助"))},
        {"kinds": (Named("Ask me", "求助"),)},
        {"sheet": (SheetItem("greeting", "用语", "words", 0),)},
        {"answer_seconds": 0},
        {"keep_number_days": 0},
    ],
)
def test_what_does_not_fit_is_not_adopted(office, changes):
    with office.records.write() as session, pytest.raises(BadFieldError):
        regime.adopt(session, STAFF["leader"], "hotline", msgspec.structs.replace(Hotline(), **changes))
