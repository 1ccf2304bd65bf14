"""Work in the field: sent twice is done once, done offline is told so, and one's own way."""

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select

from cases.conftest import PHOTO, STAFF
from jingwei.cases import field, regime
from jingwei.cases.errors import BadFieldError, ChangedMeanwhileError
from jingwei.cases.field import Fix
from jingwei.cases.photos import Photos
from jingwei.cases.settings import Settings
from jingwei.cases.tidying import tidy
from jingwei.records import now_utc

COLLECTOR, GARDENER = STAFF["collector"], STAFF["gardener"]
KEY = "0123456789abcdef"


def test_a_key_leads_to_the_same_case_and_is_its_senders_alone(office):
    with office.records.write() as session:
        assert field.sent_before(session, COLLECTOR, KEY) is None
        field.note_sent(session, KEY, "7")
    with office.records.write() as session:
        assert field.sent_before(session, COLLECTOR, KEY) == "7"
        with pytest.raises(BadFieldError):
            field.sent_before(session, GARDENER, KEY)
        with pytest.raises(BadFieldError):
            field.sent_before(session, COLLECTOR, "short")


def test_what_failed_leaves_no_key(office):
    with suppress(RuntimeError), office.records.write() as session:
        field.sent_before(session, COLLECTOR, KEY)
        raise RuntimeError
    with office.records.write() as session:
        assert field.sent_before(session, COLLECTOR, KEY) is None


def test_when_something_was_done_is_near_to_now_and_only_of_what_is_done_on_the_spot():
    now = now_utc()
    assert field.done_at("close", None) is None
    assert field.done_at("check", now - timedelta(hours=5)) == now - timedelta(hours=5)
    assert field.done_at("check", now + timedelta(minutes=2)) <= now_utc()
    for action, at in (
        ("confirm", now),
        ("check", now + timedelta(minutes=30)),
        ("check", now - timedelta(days=4)),
    ):
        with pytest.raises(BadFieldError):
            field.done_at(action, at)


def test_a_warning_of_the_clock_meanwhile_is_no_change_but_an_act_is(office):
    case = office.to("handling")
    seen = case.step
    office.wait(hours=7)
    assert office.tick() > 0
    assert office.get(case.number).step > seen
    office.act("leader", case, "order", words="尽快")
    with pytest.raises(ChangedMeanwhileError) as caught:
        office.act("gardener", case, "submit", photos=[PHOTO], seen=seen)
    assert "order" in [one["action"] for one in caught.value.where["since"]]
    case = office.get(case.number)
    seen = case.step
    office.wait(days=9)
    assert office.tick() > 0
    assert office.act("gardener", case, "submit", photos=[PHOTO], seen=seen).state == "handle_finish"


def test_a_way_is_kept_once_shown_to_oneself_and_forgotten_in_time(office, tmp_path):
    now = now_utc()
    fixes = [Fix(now - timedelta(minutes=n), 114.0 + n / 1e4, 22.5, 8.0) for n in range(5)]
    stale = [
        Fix(now - timedelta(days=3, minutes=1), 114.0, 22.5, 8.0),
        Fix(now + timedelta(hours=1), 0.0, 0.0, 1.0),
    ]
    with office.records.write() as session:
        in_force = office.desk.regime(session)
        assert field.keep_track(session, COLLECTOR, in_force, fixes + stale) == 5
        assert field.keep_track(session, COLLECTOR, in_force, fixes) == 0
        field.keep_track(session, GARDENER, in_force, fixes[:1])
    day = (now - timedelta(days=1), now + timedelta(days=1))
    with office.records.read() as session:
        assert field.track_of(session, COLLECTOR, *day) == fixes[::-1]
        assert len(field.track_of(session, GARDENER, *day)) == 1
        assert field.track_of(session, STAFF["leader"], *day) == []
    with office.records.write() as session:
        assert field.forget_track(session, GARDENER) == 1
    folder = Photos(tmp_path / "photos")
    assert tidy(office.records, folder, now + timedelta(days=2)) == 0
    assert tidy(office.records, folder, now + timedelta(days=3, seconds=-90)) == 3
    with office.records.read() as session:
        assert len(field.track_of(session, COLLECTOR, *day)) == 2


def test_how_long_ways_are_kept_is_the_citys_decision(office):
    with office.records.write() as session:
        regime.adopt(session, STAFF["leader"], "settings", Settings(track_days=1))
        in_force = office.desk.regime(session)
        assert (
            field.keep_track(session, COLLECTOR, in_force, [Fix(now_utc() - timedelta(days=2), 1, 1, 1)]) == 0
        )
        assert session.scalars(select(field.TRACK.c.person)).all() == []
