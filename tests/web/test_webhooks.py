"""Subscribers by HTTP: added, shown without their secret, changed, switched, removed; what they were told."""

import pytest
from fastapi.testclient import TestClient

from jingwei.web import OPEN, create_app

API = "/api/webhooks"
WANTED = {"title": "平台", "url": "https://8.8.8.8/events", "types": ["sense.alarm_raised", "case"]}


@pytest.fixture
def client(bare):
    with TestClient(create_app(bare, entry=OPEN), raise_server_exceptions=False) as client:
        yield client


def test_a_subscriber_is_added_changed_and_removed_and_its_secret_is_shown_once(client):
    made = client.post(API, json=WANTED)
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    (one,) = client.get(API).json()["subscribers"]
    assert (one["title"], one["types"], one["on"], one["waiting"]) == ("平台", WANTED["types"], True, 0)
    assert made.json()["secret"] not in client.get(API).text

    path = f"{API}/{one['id']}"
    assert client.put(path, json=WANTED | {"types": []}).json()["types"] == []
    assert client.post(f"{path}/switch", json={"to": "off"}).json()["on"] is False
    assert client.post(f"{path}/secret").json()["secret"] != made.json()["secret"]
    assert client.get(f"{path}/deliveries").json() == {"deliveries": [], "before": None}
    assert client.post(f"{path}/deliveries/1/again").status_code == 404
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": "https://127.0.0.1/"}, "webhook-address"),
        ({"url": "nowhere"}, "webhook-address"),
        ({"types": ["weather.changed"]}, "webhook-type"),
        ({"secret": "whsec_short"}, "webhook-secret"),
    ],
)
def test_a_subscriber_that_may_not_be_is_refused_with_why(client, change, code):
    refused = client.post(API, json=WANTED | change)
    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert refused.json()["mend"]
    assert client.get(API).json()["subscribers"] == []
