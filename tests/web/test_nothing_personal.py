"""Personal data is planted wherever people leave it, then searched for in all that a stranger is told."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from jingwei.access import local_person
from jingwei.cases import Desk, Report, open_data, regime
from jingwei.cases.board import Board
from jingwei.cases.clocks import Limit
from jingwei.cases.rules import Rule
from jingwei.web.app import CITY_ROUTES
from jingwei.web.policies import declarations
from photographs import photograph

from .citizens import report_of, send, step
from .people import client_of, sign_in
from .streams import ends

HOME = (114.0713579, 22.5924683)
"""Where a photograph says that it was taken, and where one lives who keeps a report from the public."""
SAID = "我是王小明𠮷，住幸福里3栋501，电话13912345678，身份证440301198001011234，wang@example.org，粤B12345"
PERSONAL = (
    "王小明", "𠮷", "幸福里", "13912345678", "440301198001011234", "wang@example.org", "粤B12345",
    "13687654321", "mailbox@example.org", "Wang Xiaoming",
)  # fmt: skip
NEAR_HOME = re.compile(r"114\.071[0-9]|22\.592[0-9]")
PUBLIC_WORDS = "搭棚占道，待拆除"


@pytest.fixture
def planted(town):
    """A town with reports full of what must not be told; gives a stranger's client and the numbers."""
    with town.records.write() as session:
        rules = [Rule("R1", "matter", "06001", "搭棚", "拆除", Limit("work_day", 5))]
        regime.adopt(session, local_person(), "rules", rules)
        regime.adopt(session, local_person(), "settings", {"open311_updates": True, "least_count": 1})
    with client_of(town) as client:
        up = client.post(
            "/api/public/photos", content=photograph(1, place=HOME, taken="2026:11:20 08:00:00"),
            headers={"Jingwei-Report": (first := report_of(114.05, 22.55, description=SAID))["secret"]},
        ).json()  # fmt: skip
        contact = {"email": "mailbox@example.org", "sms": "13687654321", "wishes": ["progress"]}
        first |= {"photos": [up["digest"]], "contact": contact}
        public = send(client, first).json()["number"]
        assert step(client, first, "supplement", words=SAID).status_code == 200
        private = send(client, report_of(*HOME, description=SAID, private=True)).json()["number"]
        with town.records.write() as session:
            desk = Desk(town.policies.current)
            for more in (
                {"source": "hotline", "lon": 114.05, "lat": 22.55},
                {"source": "collector", "lon": 114.06, "lat": 22.56},
            ):
                desk.report(session, local_person(), Report("matter", "06001", description=SAID, **more))
            told = {"words": PUBLIC_WORDS, "shown": [up["digest"]]}
            desk.act(session, local_person(), public, "publish", told)
        open_data.publish(town, desk, Board(town.records, desk))
        yield client, public, private, up["digest"]


def addresses(path, public, private, digest):
    """Return the addresses at which a public route is asked, so that it has the most to tell."""
    for name, values in {
        "{form}": ("atom", "rss", "xml", "json", "csv", "geojson", "parquet"),
        "{number}": (public, private),
        "{token}": (public, private),
        "{digest}": (digest,),
        "{code}": ("matter-06001",),
        "{dataset}": ("stops", "public_cases"),
        "{z}/{x}/{y}": ("0/0/0", "12/3345/1784"),
    }.items():
        if name in path:
            return [
                one
                for value in values
                for one in addresses(path.replace(name, value), public, private, digest)
            ]
    assert "{" not in path, f"say with what {path} is asked"
    return [f"/api{path}"]


QUERIES = {
    "/api/public/around": {
        "lon": HOME[0],
        "lat": HOME[1],
        "kind": "matter",
        "type": "06001",
        "words": "搭棚",
    },
    "/api/public/areas/here": {"lon": 114.05, "lat": 22.55},
    "/api/public/cases/map": {"level": 24},
}
SILENT = {
    "/public/reports/mine", "/public/alerts/mine", "/public/account", "/public/reports/mine/photos/{digest}",
    "/public/account/oidc", "/public/account/oidc/callback",
    "/public/tiles/{dataset}/{z}/{x}/{y}",
}  # fmt: skip
"""Asked here, too, but silent: told to who has a secret or comes from a provider, and the ground of a town
that opens none."""


def leaks(answer, private):
    text = answer.content.decode("utf-8", "replace")
    found = [one for one in PERSONAL if one in text]
    found += NEAR_HOME.findall(text)
    return found + ([private] if private in text and answer.status_code == 200 else [])


def test_no_public_answer_tells_anything_personal(planted):
    client, *numbers = planted
    routes = [one.path for one in declarations(CITY_ROUTES) if one.how == "public" and one.method == "GET"]
    told, wrong = 0, []
    for path in sorted(set(routes)):
        best = 0
        for address in addresses(path, *numbers):
            answer = client.get(address, params=QUERIES.get(address), follow_redirects=False)
            best = max(best, int(answer.status_code in (200, 204, 303)))
            told += PUBLIC_WORDS in answer.text
            wrong += [(address, one) for one in leaks(answer, numbers[1])]
        if path not in SILENT:
            assert best, f"{path} told nothing: ask it so that it does"
    assert wrong == []
    assert told >= 5  # what was published is told, so that the search searches where something is


def test_nothing_at_all_tells_a_stranger_anything_personal(planted):
    client, public, private, _ = planted
    for one in declarations(CITY_ROUTES):
        if one.method == "GET" and ends(one.path) and one.how != "public":
            path = re.sub(r"\{number\}", public, one.path)
            answer = client.get("/api" + re.sub(r"\{[^}]*\}", "1", path))
            assert leaks(answer, private) == [], path
    for page in ("/report", f"/report/around/{public}", "/report/around", "/api/openapi.json"):
        assert leaks(client.get(page), private) == []


def test_a_public_photograph_holds_nothing_but_its_pixels(planted):
    client, public, _, digest = planted
    for form in ("full", "small"):
        shown = client.get(f"/api/public/cases/{public}/photos/{digest}?form={form}")
        assert shown.status_code == 200
        with Image.open(io.BytesIO(shown.content)) as image:
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_the_search_finds_what_is_there(planted, town):
    """The staff are told: what the other tests look for is where they say, and would be found."""
    client, public, private, _ = planted
    sign_in(client, "clerk")
    assert "王小明" in client.get(f"/api/cases/{public}").text
    assert NEAR_HOME.search(client.get(f"/api/cases/{private}").text)
