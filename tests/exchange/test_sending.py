"""Subscribers are told what they may know: signed, in order, at least once, and not once they are dead."""

import base64
import hashlib
import hmac

import pytest

from exchange.telling import Other, Telling
from jingwei import ledger
from jingwei.access import local_person
from jingwei.exchange import sending, service
from jingwei.exchange.targets import Targets


@pytest.fixture
def other():
    with Other().open() as other:
        yield other


def test_a_subscriber_is_told_signed_cloud_events_in_order(bare, tmp_path, other):
    telling = Telling(bare, tmp_path, other)
    for number in range(3):
        telling.happen(number)
    telling.happen(
        type_="case.event_refused", subject="cases/events", data={"event": 1, "type": "x", "why": "y"}
    )
    assert telling.step() == 3
    told = other.told()
    assert [one["subject"] for one in told] == ["sense/alarms/0", "sense/alarms/1", "sense/alarms/2"]
    assert {(one["specversion"], one["type"], one["source"]) for one in told} == {
        ("1.0", "jingwei.sense.alarm_raised", "urn:jingwei:city:test")
    }
    assert [one["id"] for one in told] == [str(int(one["sequence"])) for one in told]
    headers, body = other.heard[0]
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["content-type"].startswith("application/cloudevents+json")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(telling.secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert telling.step() == 0


def test_what_fails_is_tried_again_later_in_order_and_under_the_same_id(bare, tmp_path, other):
    telling = Telling(bare, tmp_path, other)
    other.answer = 302  # nobody is led elsewhere
    telling.happen(1)
    telling.happen(2)
    assert telling.step() == 0
    assert len(other.heard) == 1
    other.answer = 204
    assert telling.step(seconds=4) == 0
    assert telling.step(seconds=1) == 2
    assert [one["subject"] for one in other.told()] == ["sense/alarms/1", "sense/alarms/1", "sense/alarms/2"]
    assert len({one[0]["webhook-id"] for one in other.heard}) == 2
    assert telling.deliveries() == [("sent", 204, 1), ("sent", 204, 2)]


@pytest.mark.parametrize(
    ("answer", "why", "steps"), [(410, "gone", 1), (500, "failing", len(sending.WAITS) + 1)]
)
def test_a_dead_subscriber_is_switched_off_and_the_log_says_so(bare, tmp_path, other, answer, why, steps):
    telling = Telling(bare, tmp_path, other)
    other.answer = answer
    telling.happen()
    for _ in range(steps):
        assert telling.subscriber().on
        telling.step(days=1)
    assert (telling.subscriber().on, telling.subscriber().why) == (False, why)
    with bare.records.read() as session:
        told = [one.data for one in ledger.events_of(session, f"webhook/{telling.number}")]
    assert {"to": "off", "why": why} in told
    assert telling.step(days=1) == 0
    other.answer = 200
    with bare.records.write() as session:
        service.switch(session, local_person(), telling.number, on=True)
    assert telling.step() == 1


def test_a_subscriber_learns_no_more_than_who_added_it_may_follow(bare, tmp_path, other):
    telling = Telling(bare, tmp_path, other, role="citizen")
    telling.happen()
    assert telling.step() == 0
    assert other.heard == []
    assert telling.deliveries() == [("not-for-it", 0, 0)]


def test_an_address_that_leads_inside_since_is_not_asked(bare, tmp_path, other):
    telling = Telling(bare, tmp_path, other)
    telling.hooks.targets = Targets()
    telling.happen()
    assert telling.step() == 0
    assert other.heard == []
    assert telling.deliveries() == [("", 0, 1)]
