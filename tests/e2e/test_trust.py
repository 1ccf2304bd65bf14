"""The log and the policies, as a person at a browser meets them."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from jingwei.ledger.verify import Receipt

from .conftest import DESK

pytestmark = pytest.mark.browser


def receipt_of(reader, position):
    return reader.context.request.get(f"{reader.address}/api/log/{position}/receipt").text()


def verdict(reader, receipt, key=None):
    page = reader.open("/log/verify")
    page.locator("textarea").fill(receipt)
    if key is not None:
        page.locator(".log-key input.code").fill(key)
    page.get_by_role("button", name="Check it here").click()
    found = page.locator(".log-verdict h3").inner_text()
    page.evaluate("localStorage.removeItem('jingwei.log-key')")
    return found


@pytest.mark.parametrize("reader", [(DESK, "en", "light")], indirect=True)
def test_a_receipt_is_checked_in_the_browser_and_every_forgery_found(reader):
    receipt = receipt_of(reader, 1)
    assert verdict(reader, receipt).startswith("Sound")
    parsed = Receipt.parse(receipt)
    told = json.dumps({**json.loads(parsed.payload), "actor": "x"}).encode()
    entry = json.dumps({**json.loads(parsed.entry), "type": "city.closed"}).encode()
    forged = [
        str(replace(parsed, payload=told)),
        str(replace(parsed, entry=entry)),
        str(replace(parsed, index=2)),
        str(replace(parsed, proof=[bytes(32), *parsed.proof[1:]])),
        receipt.replace("\n\njingwei", "\n\njingwej"),
        receipt[: len(receipt) // 2],
    ]
    for one in forged:
        assert one != receipt
        assert not verdict(reader, one).startswith("Sound")
    other = "elsewhere+00000000+" + base64.b64encode(b"\x01" + bytes(32)).decode()
    assert not verdict(reader, receipt, key=other).startswith("Sound")


@pytest.mark.parametrize("reader", [(DESK, "en", "light")], indirect=True)
def test_an_event_is_found_followed_and_checked(reader):
    page = reader.open("/log?type=dataset.published")
    page.locator(".log-events li").first.get_by_role("link", name="all of its events").click()
    page.wait_for_url("**/log?subject=dataset*")
    page.locator(".log-position").first.click()
    page.get_by_role("button", name="Check it here").click()
    page.get_by_text("Sound: this event is in the log").wait_for()


@pytest.mark.parametrize("reader", [(DESK, "en", "light")], indirect=True)
def test_what_happens_reaches_an_open_page(reader):
    page = reader.open("/log")
    text = reader.context.request.get(f"{reader.address}/api/policies").json()
    body = {"text": text["text"] + "\n", "examples": text["examples"], "based_on": text["number"]}
    answer = reader.context.request.post(f"{reader.address}/api/policies", data=body)
    assert answer.status == 201
    page.get_by_role("button", name="1 new event").click()
    page.locator(".log-what strong", has_text="A new version of the policies took effect").first.wait_for()


@pytest.mark.parametrize("reader", [(DESK, "en", "light")], indirect=True)
def test_a_draft_of_the_policies_is_kept_checked_and_published(reader):
    page = reader.open("/policies")
    text = page.locator("textarea").first
    before = text.input_value()
    text.fill(before + "\npermit (principal, action, resource")
    page.get_by_role("button", name="Check, and run").click()
    page.locator(".notice.bad").wait_for()
    assert page.get_by_role("button", name="Publish").is_disabled()
    reader.open("/policies")
    assert text.input_value().endswith("resource")
    text.fill(
        before
        + '\n@id("late") forbid (principal in Role::"citizen", action == Action::"log.read", resource);'
    )
    page.get_by_role("button", name="Check, and run").click()
    page.locator(".notice.good").wait_for()
    page.get_by_role("button", name="Publish").click()
    page.locator(".policy-found .notice", has_text="is in force").wait_for()
    page.get_by_role("link", name="Versions").click()
    page.locator(".policy-diff .added").first.wait_for()
    assert "late" in page.locator(".policy-diff").inner_text()


@pytest.mark.parametrize("reader", [(DESK, "en", "light")], indirect=True)
def test_it_is_said_what_a_person_may_see_and_why(reader):
    page = reader.open("/policies/who")
    page.locator(".policy-ask select").first.select_option("local")
    page.locator(".policy-ask select").last.select_option("stops")
    page.get_by_text("local-person").first.wait_for()
    assert page.get_by_role("row", name="code").get_by_text("as it is").count() == 1
