"""From a reading to an alarm, to one case, and back to the rule: only through the log."""

from zoneinfo import ZoneInfo

from tests.cases.conftest import STAFF
from tests.sense.conftest import datastream, location, reading, thing

from jingwei.access import local_person
from jingwei.cases import regime
from jingwei.cases.board import Board, Choice
from jingwei.cases.following import Listener
from jingwei.cases.store import timeline
from jingwei.ledger.sealer import Sealer
from jingwei.sense.intake import facts_of
from jingwei.sense.readings import Readings
from jingwei.sense.rules import service, standing
from jingwei.sense.rules.hearing import CaseListener
from jingwei.sense.rules.keeping import RuleKeeper
from jingwei.sense.service import Asked, Sensing

HOW = {"event": "sense.alarm_called", "kind": "matter", "type": "06001", "lon": "lon", "lat": "lat",
       "description": "{zh}：{reasons}"}  # fmt: skip
OPEN = {
    "zh": "井盖打开",
    "en": "A cover is open",
    "signs": [{"observes": "PM2.5", "kind": "above", "value": 1}],
}
MICROS = 1_793_491_200_000_000  # 2026-11-01


def test_a_cover_opens_and_one_case_with_its_evidence_comes_of_it(office, policies, tmp_path):
    with office.records.write() as session:
        regime.adopt(session, local_person(), "settings", {"events": [HOW]})
    cases, alarms = Listener(office.records, office.desk), CaseListener(office.records)
    sealer = Sealer(office.records, tmp_path / "log")

    def settle():
        for follower in (cases.follower, alarms.follower) * 2:
            sealer.seal_all()
            follower.catch_up()

    with Readings(tmp_path / "readings", facts_of(office.records)) as readings:
        sensing = Sensing(office.records, lambda: policies, readings)
        made = thing(Locations=[location()], Datastreams=[datastream()])
        sensing.change(local_person(), Asked("POST", "Things", "", made), "http://city")
        with office.records.write() as session:
            rule = service.write(session, policies, local_person(), OPEN)
            service.switch(session, policies, local_person(), rule.id, on=True)
        keeper = RuleKeeper(office.records, readings, ZoneInfo("Asia/Shanghai"))
        for hour, result in enumerate((0, 5, 0, 5)):  # within the incident it opens twice
            told = reading(0, result, phenomenonTime=f"2026-11-01T00:0{hour}:00Z")
            sensing.change(
                local_person(), Asked("POST", "Datastreams(1)/Observations", "", told), "http://city"
            )
            keeper.look(MICROS + hour * 60_000_000)
        settle()
        (case,) = Board(office.records, office.desk).page(STAFF["chief"], Choice(), sort="number").rows
        assert case["source"] == "sensor"
        with office.records.read() as session:
            report, *heard = timeline(session, case["number"])
        assert report.words["description"].startswith("井盖打开：stream 1: PM2.5 above 5")
        assert [(one.data["told"], one.data["alarm"]) for one in heard] == [
            ("alarm_ended", "sense/alarms/1"),
            ("alarm_again", "sense/alarms/2"),
        ]
        found = office.get(case["number"])
        office.act("acceptor", found, "cancel", reason="现场盖好")
        settle()
        with office.records.read() as session:
            second, first = standing.alarms(session, sensing.sight(session, local_person()))
        assert (first.case, first.mark) == (case["number"], "false")
        assert (second.case, second.mark, second.incident) == (case["number"], "false", first.incident)
