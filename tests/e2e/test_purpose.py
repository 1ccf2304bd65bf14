"""Who must say what for is asked on the page, and a record leads to its object."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from jingwei import access
from jingwei.access import local_person
from jingwei.access.policy.store import adopt, default_policies
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.ledger.sealer import Sealer

from .conftest import DESK, PHONE, reading, served

pytestmark = pytest.mark.browser

OWNER = "11430000006122244L"
MANIFEST = """
[city]
id = "purpose"
name = { zh = "方城" }
adcode = "990100"

[[source]]
id = "visits"
file = "visits.csv"
title = { zh = "随访", en = "Visits" }
owner = "卫生局"
sharing = "conditional"
level = 2
keys = ["number"]
name = "number"
identify = "visit"
place = { lon = "lon", lat = "lat", crs = "WGS84" }

[source.fields]
patient = { personal = true }
"""
ROWS = "number,patient,lon,lat\nV001,陈小明的母亲,114.05,22.55\nV002,李大海的父亲,114.06,22.56\n"


@pytest.fixture
def health(tmp_path):
    """A city of one department with personal data, in open mode; gives its address, a person, and it."""
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "city.toml").write_text(MANIFEST, "utf-8")
    (pack / "visits.csv").write_text(ROWS, "utf-8")
    me = local_person()
    with open_city(tmp_path / "home", create=True) as city:
        with city.records.write() as session:
            access.add_department(session, me, OWNER, "卫生局")
            person = access.add_person(session, me, "wang", "王医生")
            access.give_role(session, me, person, "staff", OWNER)
        assert load_pack(city, read_manifest(pack), pack, None, me).complete
        with Sealer(city.records, tmp_path / "home" / "log").running(), served(city) as address:
            yield address, person, city


@pytest.mark.parametrize("screen", [(DESK, "en", "light"), (PHONE, "zh", "dark")])
def test_personal_fields_are_shown_to_who_states_what_for(browser, health, screen):
    address, person, _ = health
    with reading(browser, address, screen) as reader:
        reader.context.add_cookies([{"name": "jingwei-acting-as", "value": person, "url": address}])
        page = reader.open("/data/visits/records/0")
        values = page.locator(".record dl").first
        assert "陈小明的母亲" not in values.inner_text()
        page.locator(".purpose input").fill("随访")
        page.locator(".purpose button").click()
        values.get_by_text("陈小明的母亲").wait_for()
        assert "随访" in page.locator(".notice[role=status]").inner_text()
        assert reader.faults() == []
        # withdrawn, it is hidden again
        page.locator(".notice[role=status] button").click()
        values.get_by_text("陈小明的母亲").wait_for(state="detached")
        # and the record leads to its object
        page.locator("a[href^='/objects/']").click()
        page.wait_for_url("**/objects/*")
        page.get_by_role("heading", name="V001").wait_for()


PLACES = """
@id("places-without-a-purpose")
@level("15")
permit (principal, action == Action::"place.read", resource) when { principal in resource.owner };

@id("places-for-a-visit")
permit (principal, action == Action::"place.read", resource)
when { principal in resource.owner && context.purpose == "随访" };
"""
"""In place of what lets a department see its own places as they are."""


@pytest.fixture
def coarse(health):
    """The same city, whose places are shown to a minute, and as they are to who visits."""
    address, person, city = health
    text = default_policies().text
    start = text.index('@id("own-department-data")')
    own = text[start : text.index("@id", start + 1)]
    fewer = own.replace(',\n    Action::"place.read"', "")
    assert fewer != own
    with city.records.write() as session:
        adopt(session, local_person(), text.replace(own, fewer) + PLACES, [])
    return address, person


@pytest.mark.parametrize("screen", [(DESK, "zh", "dark"), (PHONE, "en", "light")])
def test_the_map_asks_no_finer_than_it_may_and_says_what_for(browser, coarse, screen):
    address, person = coarse
    with reading(browser, address, screen) as reader:
        reader.context.add_cookies([{"name": "jingwei-acting-as", "value": person, "url": address}])
        asked = []
        reader.page.on(
            "request",
            lambda request: asked.append(request) if "/density?" in request.url else None,
        )
        page = reader.open("/?at=22.55500,114.05500,15.00&layers=visits:d:85")
        if screen[0] == PHONE:
            page.get_by_role("button", name="Layers").click()
        says = page.locator(".layer-settings").get_by_text("15")
        says.last.wait_for()
        page.locator(".map-page[data-loaded=true]").wait_for()
        assert {query(one)["level"] for one in asked} == {"15"}
        assert not any("jingwei-purpose" in one.headers for one in asked)
        page.locator(".purpose input").fill("随访")
        with page.expect_request(
            lambda one: "/density?" in one.url and int(query(one)["level"]) > 15
        ) as finer:
            page.locator(".purpose button").click()
        assert finer.value.headers["jingwei-purpose"] == quote("随访")
        page.locator(".notice[role=status]").get_by_text("随访").wait_for()
        assert reader.faults() == []
        # Withdrawn, the next answer is coarse again.
        with page.expect_request(lambda one: "/density?" in one.url and query(one)["level"] == "15"):
            page.locator(".notice[role=status] button").click()


def query(request) -> dict[str, str]:
    """Return the parameters of a request."""
    return dict(parse_qsl(urlsplit(request.url).query))
