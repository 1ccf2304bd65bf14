"""Rules of a city over its readings: alarms, incidents, calls, and what became of cases."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from tests.sense.conftest import WATER, datastream, location, reading, somebody, thing

from jingwei import ledger
from jingwei.city.channels import FileChannel
from jingwei.city.settings import ReachSettings
from jingwei.ledger.models import Event
from jingwei.ledger.sealer import Sealer
from jingwei.records import now_utc
from jingwei.sense.models import StreamRow
from jingwei.sense.rules import raising, service, standing
from jingwei.sense.rules.form import rule_of
from jingwei.sense.rules.hearing import CaseListener
from jingwei.sense.rules.keeping import RuleKeeper
from jingwei.sense.rules.models import AlarmRow, IncidentRow
from jingwei.sense.rules.notices import AlarmNotices
from jingwei.words import Text

ZONE = ZoneInfo("Asia/Shanghai")
KEEPER = somebody("device_keeper", department=WATER)
HIGH = {
    "zh": "水位过高",
    "en": "Water is high",
    "signs": [{"observes": "PM2.5", "kind": "above", "value": 50}],
}
MINUTE = 60_000_000


def at(hour, minute=0):
    return round(datetime(2026, 11, 1, hour, minute, tzinfo=ZoneInfo("UTC")).timestamp() * 1e6)


class City:
    """Stations in a row along a street, rules, and a clock that is set by hand."""

    def __init__(self, station):
        self.station = station
        self.records, self.readings = station.sensing.records, station.sensing.readings
        self.keeper = RuleKeeper(self.records, self.readings, ZONE)
        self.streams = []

    def put(self, lon, asker=None):
        made = self.station.post(
            "Things", thing(Locations=[location(lon=lon)], Datastreams=[datastream()]), asker
        )
        (stream,) = self.station.values(f"Things({made})/Datastreams")
        self.streams.append(stream["@iot.id"])
        return self.streams[-1]

    def share(self, sharing):
        with self.records.write() as session:
            session.execute(update(StreamRow).values(sharing=sharing))
        self.readings.forget_facts()

    def say(self, stream, hour, result):
        self.station.post(f"Datastreams({stream})/Observations", reading(hour, result))

    def write(self, rule=HIGH, asker=None, on=True, **more):
        asker = asker or self.station.asker
        with self.records.write() as session:
            policies = self.station.sensing.policies()
            made = service.write(session, policies, asker, rule, **more)
            if on:
                service.switch(session, policies, asker, made.id, on=True)
            return made.id

    def look(self, hour, minute=0):
        return self.keeper.look(at(hour, minute))

    def alarms(self, asker=None, **asked):
        with self.records.read() as session:
            sight = self.station.sensing.sight(session, asker or self.station.asker)
            return standing.alarms(session, sight, **asked)

    def rows(self, kind=AlarmRow):
        with self.records.read() as session:
            return session.scalars(select(kind).order_by(kind.id)).all()

    def events(self, type_):
        with self.records.read() as session:
            return session.scalars(select(Event).where(Event.type == type_).order_by(Event.id)).all()

    def hear(self, type_, subject, data):
        """Let the log tell of a case."""
        entry = ledger.Entry(1, 1, type_, None, None, None, subject, data)
        listener = CaseListener(self.records)
        with self.records.write() as session:
            listener.handle(session, [entry])


@pytest.fixture
def city(station):
    return City(station)


def test_an_alarm_says_by_which_readings_it_came_and_went(city):
    one = city.put(116.4)
    rule = city.write()
    city.look(0)
    for hour, result in enumerate((10, 60, 70, 20)):
        city.say(one, hour, result)
    assert city.look(4) == 2
    (alarm,) = city.alarms()
    assert (alarm.rule, alarm.version, alarm.subject) == (rule, 1, f"stream/{one}")
    assert (alarm.began, alarm.ended) == (at(1), at(3))
    assert [(why["stream"], why["time"], why["value"]) for why in alarm.reasons] == [(one, at(1), 60.0)]
    assert [(why["time"], why["value"]) for why in alarm.ended_by] == [(at(3), 20.0)]


def test_a_process_that_begins_anew_neither_forgets_nor_repeats(city):
    one, two = city.put(116.4), city.put(117.4)
    rule = HIGH | {"signs": [{"observes": "PM2.5", "kind": "above", "value": 50, "until": 20}]}
    city.write(rule)
    city.look(0)
    city.say(one, 1, 60)
    city.say(two, 1, 60)
    city.look(1)
    city.say(one, 2, 30)  # neither high nor low: it depends on what was before
    city.look(2)
    city.keeper = RuleKeeper(city.records, city.readings, ZONE)
    city.say(two, 3, 10)
    city.say(one, 4, 55)
    assert city.look(5) == 1
    assert [(row.subject, row.ended) for row in city.rows()] == [
        (f"stream/{one}", None),
        (f"stream/{two}", at(3)),
    ]


def test_what_could_not_be_kept_is_not_lost(city):
    one = city.put(116.4)
    city.write()
    city.look(0)
    city.say(one, 1, 60)
    with city.records.engine.begin() as connection:
        connection.execute(text("ALTER TABLE sense_alarm RENAME TO sense_alarm_away"))
    with pytest.raises(DBAPIError):
        city.look(1)
    with city.records.engine.begin() as connection:
        connection.execute(text("ALTER TABLE sense_alarm_away RENAME TO sense_alarm"))
    city.keeper.again()
    city.look(2)
    assert [row.began for row in city.rows()] == [at(1)]


def test_what_a_stream_said_while_nobody_looked_is_found(city):
    one = city.put(116.4)
    city.write()
    city.look(0)
    city.say(one, 1, 60)
    city.say(one, 2, 10)
    city.keeper = RuleKeeper(city.records, city.readings, ZONE)
    city.look(20)
    assert [(row.began, row.ended) for row in city.rows()] == [(at(1), at(2))]


def test_a_rule_that_is_switched_off_ends_its_alarms(city):
    one = city.put(116.4)
    rule = city.write()
    city.look(0)
    city.say(one, 1, 60)
    city.look(1)
    with city.records.write() as session:
        service.switch(session, city.station.sensing.policies(), city.station.asker, rule, on=False)
    assert city.look(2) == 1
    assert [row.ended for row in city.rows()] == [at(2)]


def test_silence_is_heard_by_the_clock_and_ends_with_the_next_word(city):
    one = city.put(116.4)
    city.write(HIGH | {"signs": [{"observes": "PM2.5", "kind": "silent", "seconds": 5400}]})
    city.look(0)
    city.say(one, 1, 60)
    assert city.look(2, 29) == 0
    assert city.look(2, 30) == 1
    city.keeper = RuleKeeper(city.records, city.readings, ZONE)
    assert city.look(20) == 0  # it lasts, and a new process knows
    city.say(one, 20, 60)
    city.look(20)
    assert [(row.began, row.ended) for row in city.rows()] == [(at(2, 30), at(20))]


def test_a_storm_is_one_incident_and_each_place_is_called_for_once(city):
    streams = [city.put(116.4 + number * 0.00005) for number in range(20)]  # side by side
    far = [city.put(117.4), city.put(118.4)]
    city.write(HIGH | {"cause": "storm"})
    city.look(0)
    for hour in (1, 2, 3):  # it comes and goes
        for stream in (*streams, *far):
            city.say(stream, hour, 60 if hour != 2 else 10)
    city.look(3)
    assert len(city.rows()) == 44
    (incident,) = {row.incident_id for row in city.rows() if row.ended is None}
    called = [event.data for event in city.events("sense.alarm_called") if event.data["incident"] == incident]
    places = {raising.place(int(one["cell"]), one["level"]) for one in called}
    assert len(called) == len(places) <= 4


def test_an_incident_ends_by_itself(city):
    one, two = city.put(116.4), city.put(116.4001)
    city.write()
    city.look(0)
    city.say(one, 1, 60)
    city.say(two, 1, 60)
    city.say(one, 2, 10)
    city.look(2, 30)
    assert [row.ended for row in city.rows(IncidentRow)] == [None]  # the other alarm lasts
    city.say(two, 3, 10)
    city.look(3, 9)
    city.look(3, 11)
    assert [(row.began, row.ended) for row in city.rows(IncidentRow)] == [(at(1), at(3))]
    assert [event.data for event in city.events("sense.incident_ended")] == [{"alarms": 2}]


def test_what_is_far_apart_and_has_no_common_cause_is_not_one_incident(city):
    one, two = city.put(116.4), city.put(117.4)
    city.write()
    city.look(0)
    city.say(one, 1, 60)
    city.say(two, 1, 60)
    city.look(1)
    assert len({row.incident_id for row in city.rows()}) == 2


def test_quiet_hours_are_of_the_city_and_who_lasts_is_called_for_when_they_end(city):
    one = city.put(116.4)
    city.write(HIGH | {"quiet": [{"from": "22:00", "to": "06:00"}]})
    city.look(15)  # 23:00 in the city
    city.say(one, 15, 60)
    city.look(15)
    assert [row.called for row in city.rows()] == [None]
    city.look(21, 59)
    city.look(22)
    assert [row.called for row in city.rows()] == [at(22)]


@pytest.mark.parametrize(
    ("local", "quiet"),
    [((2, 23), True), ((3, 5), True), ((3, 6), False), ((3, 23), False), ((2, 5), False)],
)
def test_quiet_hours_past_midnight_belong_to_the_day_on_which_they_begin(local, quiet):
    rule = rule_of(HIGH | {"quiet": [{"from": "22:00", "to": "06:00", "days": [1]}]})
    day, hour = local
    assert raising.is_quiet(rule, datetime(2026, 11, day, hour, tzinfo=ZONE)) is quiet  # the 2nd is a Monday


def test_what_lasts_goes_to_others_each_once(city):
    one = city.put(116.4)
    steps = [{"minutes": 30, "to": "duty chief"}, {"minutes": 90, "to": "mayor"}]
    city.write(HIGH | {"escalation": steps})
    city.look(0)
    city.say(one, 1, 60)
    for hour, minute in ((1, 0), (1, 29), (1, 30), (1, 31), (2, 0), (2, 30), (5, 0)):
        city.look(hour, minute)
    told = [event.data["to"] for event in city.events("sense.alarm_escalated")]
    assert told == ["duty chief", "mayor"]


def test_who_is_named_is_reached_once_and_again_where_the_channel_was_away(city, tmp_path):
    one = city.put(116.4)
    city.write(HIGH | {"escalation": [{"minutes": 30, "to": "duty chief"}, {"minutes": 40, "to": "nobody"}]})
    city.look(0)
    city.say(one, 1, 60)
    file = FileChannel(tmp_path / "away" / "sent.jsonl")
    reach = (ReachSettings(name="duty chief", sms="12345", email="chief@city.example"),)
    notices = AlarmNotices(city.records, {"sms": file}, reach, Text("方城", "Square City"), ZONE)
    sealer = Sealer(city.records, tmp_path / "log")
    for minute in (0, 30, 41):
        city.look(1, minute)
    sealer.seal_all()
    notices.follower.catch_up()
    now = now_utc()
    assert notices.send(now) == 0  # the file's folder is not there
    (tmp_path / "away").mkdir()
    assert notices.send(now) == 0  # it is not time yet
    assert notices.send(now + timedelta(minutes=1)) == 1
    assert notices.send(now + timedelta(days=1)) == 0
    (sent,) = (json.loads(line) for line in file.path.read_text("utf-8").splitlines())
    assert (sent["channel"], sent["to"]) == ("sms", "12345")
    assert "水位过高" in sent["subject"]
    assert f"stream {one}: PM2.5 above 60" in sent["body"]


def test_a_rule_hears_that_its_case_was_closed_as_false(city):
    one = city.put(116.4)
    city.write()
    city.look(0)
    city.say(one, 1, 60)
    city.look(1)
    (call,) = city.events("sense.alarm_called")
    city.hear("case.reported", "case/2026-1", {"source_key": f"event/{call.id}"})
    city.hear("case.cancelled", "case/2026-1", {})
    city.hear("case.cancelled", "case/2026-2", {})
    (alarm,) = city.alarms()
    assert (alarm.case, alarm.mark) == ("2026-1", "false")


def test_a_rule_is_tried_on_history_and_knows_what_was_false(city):
    one = city.put(116.4)
    rule = city.write()
    city.look(0)
    for hour, result in enumerate((10, 60, 10, 70, 10, 80)):
        city.say(one, hour, result)
    city.look(5)
    with city.records.write() as session:
        row = session.scalars(select(AlarmRow).where(AlarmRow.began == at(3))).one()
        standing.mark(session, city.station.sensing.policies(), city.station.asker, row.id, "false")
    with city.records.read() as session:
        sight = city.station.sensing.sight(session, city.station.asker)
        found = service.tried(
            session, city.readings, sight, rule_of(HIGH), since=at(0), until=at(6), number=rule
        )
    assert (found.streams, found.readings) == (1, 6)
    assert [(each.began, each.ended, each.mark) for each in found.found] == [
        (at(1), at(2), ""),
        (at(3), at(4), "false"),
        (at(5), None, ""),
    ]


def test_a_department_watches_its_own_streams_and_others_are_told_no_reasons(city):
    mine = city.put(116.4, KEEPER)
    other = city.put(116.5)
    rule = city.write(asker=KEEPER, owner=WATER)
    city.look(0)
    for stream in (mine, other):
        city.say(stream, 1, 60)
    city.look(1)
    (alarm,) = city.alarms(KEEPER)
    assert (alarm.rule, alarm.subject) == (rule, f"stream/{mine}")
    assert city.alarms(somebody("citizen")) == []


@pytest.mark.parametrize(("sharing", "told"), [("conditional", True), ("none", False)])
def test_the_log_tells_readings_and_places_only_of_streams_that_staff_may_know(city, sharing, told):
    one = city.put(116.4)
    city.share(sharing)
    city.write()
    city.look(0)
    city.say(one, 1, 60)
    city.look(1)
    (call,) = city.events("sense.alarm_called")
    assert (call.data["reasons"] != "", "lon" in call.data) == (told, told)


def test_the_state_of_a_cell_goes_over_to_its_neighbours_as_the_rule_says(city):
    one = city.put(116.4)
    city.write(HIGH | {"spread": 1})
    city.look(0)
    city.say(one, 1, 60)
    city.look(1)
    with city.records.read() as session:
        found = standing.states(session, city.station.sensing.sight(session, city.station.asker), 17)
    assert len(found) == 9
    assert {alarm.id for listed in found.values() for alarm in listed} == {city.alarms()[0].id}
