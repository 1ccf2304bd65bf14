"""The clock sleeps until a case needs it, and nothing but the log is needed to know when that is."""

from datetime import timedelta

from jingwei.access import local_person
from jingwei.cases import from_the_log, regime
from jingwei.cases.calendar import instant
from jingwei.cases.case import decode
from jingwei.cases.facts import facts_of
from jingwei.cases.models import CaseRow
from jingwei.cases.store import alarm_of, next_alarm
from jingwei.cases.ticking import LONGEST, Ticker
from jingwei.ledger.models import Event


def ticker(office):
    return Ticker(office.records, office.desk, clock=lambda: office.now)


def alarm(office):
    with office.records.read() as session:
        return next_alarm(session)


def adopt(office, part, content):
    with office.records.write() as session:
        regime.adopt(session, local_person(), part, content)


def test_it_sleeps_for_as_long_as_nothing_is_to_be_said(office):
    clock = ticker(office)
    assert clock.step() == LONGEST
    case = office.report()  # to be registered within 15 minutes of work: warned at half of it
    assert alarm(office) == instant(office.now + timedelta(minutes=7.5))
    office.wait(minutes=7)
    assert clock.step() == 30.0
    office.wait(seconds=30)
    assert clock.step() == 0.0
    assert office.get(case.number).current.warned == [50]
    assert clock.step() == LONGEST  # more than a minute is left


def test_other_settings_and_another_calendar_set_the_alarms_anew(office):
    office.report()
    adopt(office, "settings", {"shares": [20, 100]})
    clock = ticker(office)
    assert clock.step() == 0.0
    assert alarm(office) == instant(office.now + timedelta(minutes=3))
    adopt(office, "calendar", {"days": {office.now.date().isoformat(): False}})
    assert clock.step() == 0.0
    assert alarm(office) > instant(office.now + timedelta(hours=12))
    with office.records.read() as session:
        now = office.desk.regime(session)
        for row in session.query(CaseRow):
            assert row.alarm == alarm_of(decode(row.body), now)


def test_a_running_clock_is_woken_by_what_happens(office):
    clock = ticker(office)
    with clock.running():
        seen = clock.bells.appended.count
        case = office.report()
        seen = clock.bells.appended.wait(seen, 10)
        office.wait(minutes=8)
        office.act("leader", case, "order", words="抓紧")
        while office.get(case.number).current.warned != [50]:
            seen, before = clock.bells.appended.wait(seen, 30), seen
            assert seen != before, "the clock did not speak"


def test_deadlines_and_figures_come_from_the_log_alone(office):
    adopt(office, "settings", {"overall": ["natural_day", 7], "trusted": ["collector"], "stock_days": 5})
    adopt(office, "calendar", {"periods": [["09:00:00", "17:00:00"]], "days": {"2026-11-18": False}})
    office.to("closed")
    office.wait(days=1)
    case = office.to("handling")
    office.wait(hours=5)
    office.act("gardener", case, "ask_extension", reason="雨")
    office.report("citizen", source="public")
    office.tick()
    with office.records.read() as session:
        told = session.query(Event).filter(Event.type == "case.regime_changed").order_by(Event.id)
        rebuilt = regime.from_events([(one.subject, one.data) for one in told])
        now = office.desk.regime(session)
        assert (rebuilt.settings, rebuilt.content) == (now.settings, now.content)
        kept = {row.number: decode(row.body) for row in session.query(CaseRow)}
        for one in from_the_log(session):
            assert facts_of(one, rebuilt) == facts_of(kept.pop(one.number), now)
        assert not kept
