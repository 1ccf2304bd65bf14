"""Abuse is barred for a time, with a reason and a way to object; and a word to everybody in an emergency."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jingwei.cases import Desk, barring, tidying
from jingwei.cases.photos import Photos
from jingwei.ledger.models import Event
from jingwei.records import now_utc

from .citizens import mine, report_of, send, step
from .people import client_of, person_of, sign_in

MAIL = {"contact": {"email": "Rude@example.org", "wishes": ["done"]}}


@pytest.fixture
def public(bare):
    person_of(bare, "clerk", "case_acceptor")
    person_of(bare, "chief", "case_duty_chief")
    person_of(bare, "dispatcher", "case_dispatcher")
    with client_of(bare) as client:
        yield client


@pytest.fixture
def clerk(bare, public):
    with client_of(bare) as client:
        yield sign_in(client, "clerk")


def bar(clerk, number, **more):
    given = {"kinds": ["email"], "days": 30, "why": "多次辱骂", **more}
    return clerk.post(f"/api/cases/{number}/sender/bars", json=given)


def test_who_is_barred_is_told_why_until_when_and_where_to_object(public, clerk, bare):
    first = report_of(**MAIL)
    number = send(public, first).json()["number"]
    assert clerk.get(f"/api/cases/{number}/sender").json() == {"kinds": {"email": 366, "address": 7}}
    (made,) = bar(clerk, number).json()
    again = {"contact": {"email": " rude@EXAMPLE.org", "wishes": []}}
    refused = send(public, report_of(**again))
    assert (refused.status_code, refused.json()["code"]) == (403, "case-sender-barred")
    assert "多次辱骂" in refused.json()["title"] + refused.text
    assert "12345" in refused.text
    assert send(public, report_of()).status_code == 201  # the whole village is not
    assert step(public, first, "supplement", words="还在").status_code == 200
    assert mine(public, first).status_code == 200
    assert clerk.delete(f"/api/cases/bars/{made['id']}").status_code == 204
    assert clerk.delete(f"/api/cases/bars/{made['id']}").status_code == 404
    assert send(public, report_of(**again)).status_code == 201
    with bare.records.read() as session:
        told = list(session.query(Event).filter(Event.subject == barring.SUBJECT).order_by(Event.id))
    assert [one.type for one in told] == ["case.sender_barred", "case.sender_unbarred"]
    assert "rude" not in str([one.data for one in told]).lower()
    assert "辱骂" not in str([one.data for one in told])


def test_an_address_is_barred_for_days_at_most_and_nothing_of_it_is_kept_for_long(public, clerk, bare):
    number = send(public, report_of()).json()["number"]
    assert bar(clerk, number, kinds=["address"], days=8).status_code == 400
    assert bar(clerk, number, kinds=["email"]).status_code == 404
    assert bar(clerk, number, kinds=["address"], days=7, why=" ").status_code == 400
    assert bar(clerk, number, kinds=["address"], days=7).status_code == 201
    assert send(public, report_of()).status_code == 403
    tidying.tidy(bare.records, Photos(bare.home / "photos"), now_utc() + barring.KEPT + timedelta(hours=1))
    assert clerk.get(f"/api/cases/{number}/sender").json() == {"kinds": {}}


def test_only_those_who_look_at_reports_bar(public, bare):
    number = send(public, report_of()).json()["number"]
    with client_of(bare) as client:
        sign_in(client, "dispatcher")
        assert bar(client, number, kinds=["address"], days=1).status_code == 403
        assert client.get("/api/cases/bars").status_code == 403
        assert client.put("/api/cases/announcement", json={"zh": "a", "en": "b"}).status_code == 403


def test_a_word_to_everybody_has_an_end(public, bare):
    with client_of(bare) as client:
        sign_in(client, "chief")
        soon = (now_utc() + timedelta(hours=1)).isoformat()
        told = {"zh": "台风红色预警，请勿外出", "en": "Typhoon: stay at home", "until": soon}
        assert client.put("/api/cases/announcement", json=told).status_code == 200
        assert public.get("/api/public/city").json()["message"] == {"zh": told["zh"], "en": told["en"]}
        for wrong in ({"en": ""}, {"until": None}, {"until": "2020-01-01T00:00:00Z"}, {"zh": "<b>"}):
            assert client.put("/api/cases/announcement", json=told | wrong).status_code == 400
        with bare.records.read() as session:
            settings = Desk(bare.policies.current).regime(session).settings
        assert settings.message(now_utc() + timedelta(hours=2)) is None
        assert client.put("/api/cases/announcement", json={}).status_code == 200
        assert public.get("/api/public/city").json()["message"] is None
