"""A file handed in by a client: looked at, loaded in the background, held and let go on."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from jingwei.city import intake
from jingwei.ledger.models import Event
from jingwei.web import OPEN, create_app
from jingwei.web.routes.intake import about_file, begin_anew
from jingwei.words import Text
from square import open_square

TEXT = "code,name,lon,lat\n" + "".join(f"{n},第{n}站,{114.01 + n / 1000},{22.52}\n" for n in range(40))
SAID = {"id": "stations", "crs": "WGS84"}


@pytest.fixture
def desk(tmp_path):
    with (
        open_square(tmp_path) as city,
        TestClient(create_app(city, entry=OPEN), raise_server_exceptions=False) as client,
    ):
        yield client


def hand_in(desk, name="车站9月.csv", text=TEXT):
    answer = desk.post("/api/intake/files", params={"name": name}, content=text.encode())
    assert answer.status_code == 201, answer.text
    return answer.json()


def ended(desk, started):
    assert started.status_code == 202, started.text
    lines = desk.get(started.json()["events"]).text.splitlines()
    return json.loads([line for line in lines if line.startswith("data: ")][-1][6:])


def test_a_file_is_handed_in_looked_at_and_loaded(desk):
    file = hand_in(desk)
    seen = desk.post(f"/api/intake/files/{file['id']}/examination", json={"changes": SAID}).json()
    assert (seen["problem"], seen["looked_at"], seen["placed"], seen["form"]) == (None, 40, 40, "csv")
    assert seen["spec"]["id"] == "stations"
    assert "encoding" in {one["about"] for one in seen["evidence"]}
    done = ended(desk, desk.post(f"/api/intake/files/{file['id']}/load", json={"changes": SAID}))
    assert (done["state"], done["result"]["stage"]) == ("done", "published")
    assert desk.get("/api/datasets/stations").json()["counts"]["published"] == 40
    assert desk.get("/api/intake/files").json()["files"][0]["state"] == "loaded"
    following = hand_in(desk, "车站10月.csv")
    again = desk.post(f"/api/intake/files/{following['id']}/examination", json={}).json()
    assert again["known"] == {"source": "stations", "match": "same", "missing": [], "new": []}
    assert ended(desk, desk.post(f"/api/intake/files/{following['id']}/load", json={}))["state"] == "done"


def test_what_a_file_was_made_of_is_said_once_and_remembered(desk):
    file = hand_in(desk)
    said = SAID | {"made_of": ["stops"]}
    ended(desk, desk.post(f"/api/intake/files/{file['id']}/load", json={"changes": said}))
    (version,) = desk.get("/api/datasets/stations/versions").json()["versions"]
    assert ("stops", "declared") in [(one["dataset"], one["how"]) for one in version["reads"]]
    following = hand_in(desk, "车站10月.csv", TEXT.replace("第1站", "首站"))
    again = desk.post(f"/api/intake/files/{following['id']}/examination", json={}).json()
    assert again["spec"]["made_of"] == ["stops"]
    taken_back = {"changes": {"made_of": None}}
    ended(desk, desk.post(f"/api/intake/files/{following['id']}/load", json=taken_back))
    newest = desk.get("/api/datasets/stations/versions").json()["versions"][0]
    assert (newest["number"], "declared" in [one["how"] for one in newest["reads"]]) == (2, False)


def test_a_changed_layout_is_refused_at_once_with_its_columns(desk):
    file = hand_in(desk)
    ended(desk, desk.post(f"/api/intake/files/{file['id']}/load", json={"changes": SAID}))
    other = hand_in(desk, "车站10月.csv", TEXT.replace("name", "label"))
    answer = desk.post(f"/api/intake/files/{other['id']}/load", json={})
    assert answer.status_code == 400
    assert (answer.json()["where"]["missing"], answer.json()["where"]["new"]) == (["name"], ["label"])


def test_a_job_that_is_held_waits_and_goes_on(desk):
    jobs = desk.app.state.jobs
    said = []

    def work(job):
        for step in range(3):
            job.wait_while_held()
            said.append(step)
            job.tell("x", stage=str(step))

    def held(job):
        job.hold()
        return work(job)

    job = jobs.start(Text("试"), "local", held)
    assert desk.post(f"/api/jobs/{job.id}/pause").status_code == 200
    assert said == []
    assert desk.post(f"/api/jobs/{job.id}/resume").status_code == 200
    lines = desk.get(f"/api/jobs/{job.id}/events").text.splitlines()
    assert json.loads([line for line in lines if line.startswith("data: ")][-1][6:])["state"] == "done"
    assert said == [0, 1, 2]


@pytest.mark.parametrize(("name", "content", "status"), [("a.exe", b"x", 400), ("a.csv", b"", 400)])
def test_what_is_no_file_of_data_is_refused_with_a_reason(desk, name, content, status):
    answer = desk.post("/api/intake/files", params={"name": name}, content=content)
    assert answer.status_code == status
    assert answer.json()["title"]


@pytest.mark.parametrize(
    "changes", [{"eat": 1}, {"id": "Not An Id"}, {"place": {"lon": "nothing", "lat": "lat"}}]
)
def test_corrections_that_cannot_be_are_told(desk, changes):
    file = hand_in(desk)
    answer = desk.post(f"/api/intake/files/{file['id']}/examination", json={"changes": changes})
    told = answer.json()
    assert answer.status_code == 400 or told["problem"] is not None
    assert desk.post("/api/intake/files/none/examination", json={}).status_code == 404


def test_a_table_of_a_named_database_is_read_and_its_new_rows_loaded_by_one_request(desk, tmp_path):
    bureau = sqlite3.connect(tmp_path / "bureau.db")
    bureau.execute("CREATE TABLE stations (code INTEGER PRIMARY KEY, name TEXT, lon REAL, lat REAL)")
    bureau.executemany(
        "INSERT INTO stations VALUES (?, ?, ?, 22.52)", [(n, f"第{n}站", 114 + n / 1000) for n in range(9)]
    )
    bureau.commit()
    assert desk.get("/api/intake/databases").json() == {"databases": [], "tables": []}
    (tmp_path / "home" / "settings.toml").write_text(
        f'[[database]]\nname = "bureau"\nurl = "sqlite:///{tmp_path}/bureau.db"\n', "utf-8"
    )
    assert desk.get("/api/intake/databases/bureau/tables").json() == ["stations"]
    columns = desk.get("/api/intake/databases/bureau/columns", params={"table": "stations"}).json()
    assert [one["name"] for one in columns if one["key"]] == ["code"]
    how = {"table": "stations", "cursor": "code", "keys": ["code"]}
    read = ended(desk, desk.post("/api/intake/databases/bureau/readings", json=how))["result"]
    assert (read["rows"], read["total"]) == (9, 9)
    said = {**SAID, "place": {"lon": "lon", "lat": "lat", "crs": "WGS84"}}
    ended(desk, desk.post(f"/api/intake/files/{read['file']}/load", json={"changes": said}))
    bureau.execute("INSERT INTO stations VALUES (9, '新站', 114.05, 22.52)")
    bureau.commit()
    done = ended(desk, desk.post("/api/intake/databases/bureau/readings", json={**how, "load": True}))
    assert (done["result"]["stage"], done["result"]["total"]) == ("published", 10)
    assert str(tmp_path) not in desk.get("/api/intake/databases").text
    refused = desk.post("/api/intake/databases/other/readings", json=how)
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown-database")


KILLED = """
import os, signal, sys
from pathlib import Path
from jingwei.access import local_person
from jingwei.city import intake, open_city

def tell(progress):
    if progress.stage == "publishing":
        os.kill(os.getpid(), signal.SIGKILL)

with open_city(Path(sys.argv[1])) as city:
    file = intake.receive(city, local_person(), "车站9月.csv", [sys.argv[2].encode()])
    intake.load_file(city, local_person(), file.id, {"id": "stations", "crs": "WGS84"}, listener=tell)
"""


def test_a_load_whose_process_was_killed_is_begun_anew_and_says_so(desk, tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "home", TEXT], check=False)
    assert killed.returncode == -signal.SIGKILL
    app = desk.app
    assert [one.name for one in intake.interrupted(app.state.city)] == ["车站9月.csv"]
    begin_anew(app)
    (job,) = app.state.jobs.all()
    assert "上次中断" in job.title.zh
    lines = desk.get(f"/api/jobs/{job.id}/events").text.splitlines()
    assert json.loads(lines[-2].removeprefix("data: "))["result"]["stage"] == "published"
    assert desk.get("/api/datasets/stations").json()["counts"]["published"] == 40
    assert intake.interrupted(app.state.city) == []
    with app.state.city.records.read() as session:
        assert "file.begun_anew" in session.scalars(select(Event.type)).all()


def test_a_load_under_way_is_found_again_with_its_file(desk):
    file, other = hand_in(desk), hand_in(desk, "别的.csv")
    go_on = threading.Event()

    def work(_job):
        go_on.wait()
        return {}

    job = desk.app.state.jobs.start(Text("载入", "Load"), "local", work, about_file(file["id"]))
    desk.app.state.jobs.start(Text("载入", "Load"), "person/another", work, about_file(other["id"]))
    try:
        told = {one["id"]: one for one in desk.get("/api/intake/files").json()["files"]}
        assert told[file["id"]]["job"] == {"id": job.id, "events": f"/api/jobs/{job.id}/events"}
        assert (told[other["id"]]["loading"], told[other["id"]]["job"]) == (True, None)
        seen = desk.post(f"/api/intake/files/{file['id']}/examination", json={"changes": SAID}).json()
        assert seen["file"]["job"]["id"] == job.id
    finally:
        go_on.set()
    desk.get(f"/api/jobs/{job.id}/events")  # ends with the job
    assert desk.get("/api/intake/files").json()["files"][1]["loading"] is False


def test_a_file_without_names_of_columns_is_said_to_be_so(desk):
    file = hand_in(desk, "无表头.csv", "甲,站\n乙,站\n丙,站\n")
    said = {"header_row": 0, "delimiter": ",", "place": {"none": True}}
    seen = desk.post(f"/api/intake/files/{file['id']}/examination", json={"changes": said}).json()
    assert ([one["name"] for one in seen["columns"]], seen["looked_at"]) == (["column_1", "column_2"], 3)
