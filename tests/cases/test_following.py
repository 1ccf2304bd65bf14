"""What sensors and models tell the log becomes reports, once, and a bad one stops no other."""

import pytest

from cases.conftest import STAFF
from jingwei import ledger
from jingwei.access import local_person
from jingwei.cases import regime
from jingwei.cases.board import Board, Choice
from jingwei.cases.errors import BadFieldError
from jingwei.cases.following import Listener
from jingwei.cases.store import timeline
from jingwei.ledger import Field
from jingwei.ledger.models import Event
from jingwei.ledger.sealer import Sealer
from jingwei.words import Text

RAISED = "test.alarm_raised"
ledger.declare(
    RAISED,
    Text("测试告警", "a test's alarm"),
    subject="device/<id>",
    fields={
        "rule": Field(str, Text("规则", "rule")),
        "lon": Field(float, Text("经度", "longitude"), required=False),
        "lat": Field(float, Text("纬度", "latitude"), required=False),
        "value": Field(float, Text("值", "value"), required=False),
    },
)
HOW = {"event": RAISED, "kind": "matter", "type": "06001", "where": {"rule": "high"}, "lon": "lon",
       "lat": "lat", "description": "液位 {value} 米{nothing}"}  # fmt: skip


def settle(office, tmp_path):
    Sealer(office.records, tmp_path / "log").seal_all()


def raise_alarm(office, **data):
    with office.records.write() as session:
        return ledger.append(session, RAISED, actor="device/1", subject="device/1", data=data)


def adopt(office, *how):
    with office.records.write() as session:
        regime.adopt(session, local_person(), "settings", {"events": list(how)})


def listed(office):
    return Board(office.records, office.desk).page(STAFF["chief"], Choice(), sort="number").rows


def test_events_become_reports_once_each(office, tmp_path):
    listener = Listener(office.records, office.desk)
    raise_alarm(office, rule="high", value=1.0)  # before the city decided anything
    settle(office, tmp_path)
    listener.follower.catch_up()
    adopt(office, HOW)
    raise_alarm(office, rule="high", lon=113.9, lat=22.5, value=2.5)
    raise_alarm(office, rule="low", value=0.1)
    settle(office, tmp_path)
    listener.follower.catch_up()
    (one,) = listed(office)
    assert (one["source"], one["type"], one["state"]) == ("sensor", "06001", "pending_register")
    assert one["cell"] is not None
    with office.records.read() as session:
        (report,) = timeline(session, one["number"])
        entries = ledger.entries(session, 0, ledger.size(session))
    assert report.words == {"description": "液位 2.5 米"}
    with office.records.write() as session:
        listener.handle(session, entries)  # once more, as after a restored backup
    numbers = [case["number"] for case in listed(office)]
    assert one["number"] in numbers
    assert len(numbers) == 2  # the one of before the decision is read now, too


def test_an_event_that_cannot_be_reported_is_told_and_stops_no_other(office, tmp_path):
    listener = Listener(office.records, office.desk)
    adopt(office, HOW)
    bad = raise_alarm(office, rule="high", lon=900.0, lat=22.5)
    raise_alarm(office, rule="high", lon=113.9, lat=22.5)
    settle(office, tmp_path)
    listener.follower.catch_up()
    assert len(listed(office)) == 1
    with office.records.read() as session:
        (told,) = session.query(Event).filter(Event.type == "case.event_refused")
    assert told.data == {"event": bad, "type": RAISED, "why": "case-field-invalid"}


@pytest.mark.parametrize(
    "wrong",
    [{"event": "case.reported"}, {"description": "{value.__class__}"}, {"description": "{0}"}, {"kind": "x"}],
)
def test_what_would_loop_or_look_inside_is_not_adopted(office, wrong):
    with pytest.raises(BadFieldError):
        adopt(office, HOW | wrong)
