"""Who must say what for is asked on the page, and a record leads to its object."""

from __future__ import annotations

import pytest

from jingwei import access
from jingwei.access import local_person
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
    """A city of one department with personal data, asked in open mode; gives its address and a person."""
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
            yield address, person


@pytest.mark.parametrize("screen", [(DESK, "en", "light"), (PHONE, "zh", "dark")])
def test_personal_fields_are_shown_to_who_states_what_for(browser, health, screen):
    address, person = health
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
