"""A manhole cover opens: from a reading with a device's token to a red cell, one case, and back."""

from __future__ import annotations

import json
import urllib.request
from contextlib import contextmanager
from datetime import timedelta

import pytest
from tests.sense.conftest import datastream, location, thing

from jingwei import access
from jingwei.access import local_person, signing_in, tokens
from jingwei.cases import regime
from jingwei.cases.board import Board, Choice
from jingwei.cases.following import Listener
from jingwei.city.settings import MqttSettings, SenseSettings
from jingwei.cli_readings import sensing
from jingwei.records import now_utc
from jingwei.sense.rules import service
from jingwei.sense.service import Asked
from jingwei.web import Entry, create_app

from .conftest import reading, serving
from .staffed import GOOD, LAT, LON, PARKS, staffed

pytestmark = pytest.mark.browser

HOW = {"event": "sense.alarm_called", "kind": "component", "type": "01001", "lon": "lon", "lat": "lat",
       "description": "{zh}：{reasons}"}  # fmt: skip
OPEN = {
    "zh": "井盖打开",
    "en": "A cover is open",
    "severity": "alarm",
    "signs": [{"observes": "PM2.5", "kind": "above", "value": 1}],
}


def person(made, login, *roles):
    me = local_person()
    with made.city.records.write() as session:
        found = access.add_person(session, me, login, login)
        signing_in.set_first_password(session, signing_in.new_setup_code(session, me, found), GOOD)
        for role, department in roles:
            access.give_role(session, me, found, role, department)
    made.people[login] = found
    return found


@contextmanager
def watched(made):
    """Serve the city with everything on; give its address and the token of the cover."""
    keeper = person(made, "cover", ("device_keeper", PARKS))
    person(made, "centre", ("operator", ""), ("case_duty_chief", ""))
    app = create_app(made.city, entry=Entry())
    body = thing(Locations=[location(lon=LON, lat=LAT)], Datastreams=[datastream()])
    app.state.sensing.change(made.asker("cover"), Asked("POST", "Things", "", body), "http://city")
    with made.city.records.write() as session:
        rule = service.write(session, made.city.policies.current(), local_person(), OPEN)
        service.switch(session, made.city.policies.current(), local_person(), rule.id, on=True)
        regime.adopt(session, local_person(), "settings", {"events": [HOW]})
        until = now_utc() + timedelta(days=1)
        token, _ = tokens.issue_token(session, keeper, "cover", frozenset({"sense.observe"}), until)
    everything = sensing(app.state, SenseSettings(mqtt=MqttSettings(enabled=False)), "http://city/sta/v1.1")
    with everything, Listener(made.city.records, made.desk).running(), serving(app) as address:
        yield address, token


def say(address, token, result):
    asked = urllib.request.Request(
        f"{address}/sta/v1.1/Datastreams(1)/Observations",
        data=json.dumps({"result": result}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked) as answer:
        assert answer.status == 201


def test_a_cover_opens_the_cell_turns_red_one_case_comes_the_cover_closes_and_the_case_knows(
    browser, tmp_path
):
    with staffed(tmp_path) as made, watched(made) as (address, token), reading(browser, address) as reader:
        say(address, token, 0)
        answer = reader.context.request.post(
            f"{address}/api/session", data={"login": "centre", "password": GOOD}
        )
        assert answer.ok, answer.text()
        page = reader.open(f"/?layers=-&at={LAT},{LON},15")
        page.get_by_text("没有不正常的单元格").wait_for()

        say(address, token, 5)
        page.get_by_text("1 个单元格不正常").wait_for()
        page.locator(".map-box canvas").click()
        state = page.get_by_role("region", name="单元格状态")
        state.get_by_text("井盖打开").wait_for()
        state.get_by_role("link", name="案件").click()

        page.get_by_role("heading", name="井盖").wait_for()
        number = page.url.rsplit("/", 1)[1]
        made.act("shou", number, "register", rule="R1")
        made.act("pai", number, "dispatch", department=PARKS)
        page.get_by_text("园林局").first.wait_for()
        page.locator("[data-urgency]").first.wait_for()

        say(address, token, 0)
        page.locator(".timeline").get_by_text("告警已结束").wait_for()
        page.get_by_role("img", name="前后的读数").wait_for()
        rows = Board(made.city.records, made.desk).page(made.asker("zhang"), Choice(), sort="number").rows
        assert [one["number"] for one in rows] == [number]
