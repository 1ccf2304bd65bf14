"""The words that reporters get: a city's own of notices, and answers that staff give again and again."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from jingwei.cases import answers, plain
from jingwei.cases.lifecycle import TRANSITIONS
from jingwei.web import OPEN, create_app

OWN = {
    "subject_zh": "{city}：{number}", "subject_en": "{city}: {number}",
    "body_zh": "{type}：{happened}，{title}。{meaning}{office}",
    "body_en": "{type}: {happened}, {title}. {meaning} {office}",
}  # fmt: skip
ANSWER = {
    "key": "dark_lamp", "title_zh": "路灯", "title_en": "Lamps", "zh": "{number} 已交{office}。",
    "en": "{number} is with {office}.", "places": ["publish", "hotline_reply"],
}  # fmt: skip


@pytest.fixture
def api(bare):
    with TestClient(create_app(bare, entry=OPEN), raise_server_exceptions=False) as client:
        yield client


def test_a_city_writes_its_own_notices_sees_them_and_gets_the_usual_ones_back(api):
    before = api.get("/api/cases/notices").json()
    assert [one["own"] for one in before["notices"].values()] == [False] * 3
    put = {"notices": {"done": OWN}, "seen": before["version"]}
    version = api.put("/api/cases/notices", json=put).json()["version"]
    told = api.get("/api/cases/notices").json()
    assert (told["version"], told["notices"]["done"]) == (
        version,
        OWN | {"short_zh": "", "short_en": "", "own": True},
    )
    assert told["notices"]["received"] == before["notices"]["received"]
    assert api.put("/api/cases/notices", json=put).json()["code"] == "case-regime-changed"
    api.put("/api/cases/notices", json={"notices": {"done": None}})
    assert api.get("/api/cases/notices").json()["notices"] == before["notices"]


def test_a_notice_is_shown_in_both_languages_before_anybody_gets_it(api):
    shown = api.post(
        "/api/cases/notices/shown", json={"wish": "done", "words": OWN | {"short_zh": "{title}"}}
    )
    assert shown.status_code == 200, shown.text
    zh, en = shown.json()["zh"], shown.json()["en"]
    says = plain.says("closed")
    assert zh["body"].startswith(f"暴露垃圾：{plain.HAPPENED['closed'].zh}，{says['title'].zh}。")
    assert en["body"].startswith(f"exposed rubbish: {plain.HAPPENED['closed'].en}, {says['title'].en}.")
    assert (zh["short"], en["short"]) == (says["title"].zh, en["body"])
    for wrong in (
        {"body_zh": ""},
        {"subject_en": "{reporter}"},
        {"subject_zh": "a\nb"},
        {"body_en": "{0.__class__}"},
    ):
        words = OWN | wrong
        refused = api.post("/api/cases/notices/shown", json={"wish": "done", "words": words})
        assert refused.status_code == 400, wrong
        assert next(iter(wrong)) in refused.text
        assert api.put("/api/cases/notices", json={"notices": {"done": words}}).status_code == 400


def test_answers_are_the_usual_ones_until_a_city_writes_its_own(api):
    usual = api.get("/api/cases/answers").json()
    assert usual["version"] == 0
    assert {one["key"] for one in usual["answers"]} == {one.key for one in answers.usual()}
    version = api.put("/api/cases/answers", json={"answers": [ANSWER], "seen": 0}).json()["version"]
    assert api.get("/api/cases/answers").json()["answers"] == [ANSWER]
    assert (
        api.put("/api/cases/answers", json={"answers": [], "seen": 0}).json()["code"] == "case-regime-changed"
    )
    assert api.put("/api/cases/answers", json={"answers": None, "seen": version}).status_code == 200
    assert api.get("/api/cases/answers").json()["answers"] == usual["answers"]
    assert len(api.get("/api/cases/regime/answers/difference", params={"one": 1, "other": 2}).json()) > 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"en": ""},
        {"zh": "{caller}"},
        {"zh": "<script>x</script>"},
        {"places": []},
        {"places": ["dispatch"]},
        {"title_en": " "},
    ],
)
def test_an_answer_says_something_in_both_languages_somewhere_its_reader_sees_it(api, wrong):
    refused = api.put("/api/cases/answers", json={"answers": [ANSWER | wrong]})
    assert refused.status_code == 400
    assert api.get("/api/cases/answers").json()["version"] == 0
    assert api.put("/api/cases/answers", json={"answers": [ANSWER, ANSWER]}).status_code == 400


def test_answers_are_offered_where_the_reporter_is_shown_the_words():
    told = {one.action for one in TRANSITIONS.values() if one.event in plain.TOLD_WORDS}
    assert set(answers.STEPS) <= told
    for action in answers.STEPS:
        step = TRANSITIONS[action]
        assert plain.TOLD_WORDS[step.event] in (*step.needs, *step.takes)
