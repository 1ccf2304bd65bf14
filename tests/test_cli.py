"""The command line: what people type, what programs read, and what they are told when something is wrong."""

import csv
import json
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from jingwei import cli_progress
from jingwei.cases import founding
from jingwei.cli import main
from jingwei.cli_guard import BAD_INPUT, CONFLICT, ENVIRONMENT, INCOMPLETE, NOT_FOUND

CITY = """
[city]
id = "square"
name = { zh = "方城", en = "Square City" }
adcode = "990100"

[[source]]
id = "stops"
file = "stops.csv"
title = { zh = "站点", en = "Stops" }
keys = ["code"]
name = "name"
place = { lon = "lon", lat = "lat", crs = "WGS84" }
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("JINGWEI_HOME", str(tmp_path / "homes"))
    monkeypatch.setenv("JINGWEI_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "homes"


@pytest.fixture
def pack(tmp_path):
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "city.toml").write_text(CITY, "utf-8")
    (folder / "stops.csv").write_text("code,name,lon,lat\n1,甲站,114.05,22.55\n2,乙站,214.0,22.6\n", "utf-8")
    return folder


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def as_json(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_load_says_what_became_of_every_row(home, pack):
    result = run("load", pack)
    assert result.exit_code == 0
    assert "impossible-place 1" in result.stdout
    report = as_json("load", pack)
    (source,) = report["sources"]
    assert source["stage"] == "unchanged"
    assert source["counts"] == {
        "read": 2,
        "published": 1,
        "addressed": 1,
        "without_place": 0,
        "quarantined": 1,
    }


def test_status_shows_the_city_and_one_dataset(home, pack):
    run("load", pack)
    city = as_json("status")
    assert city["name"] == {"zh": "方城", "en": "Square City"}
    assert [dataset["id"] for dataset in city["datasets"]] == ["stops"]
    dataset = as_json("status", "stops")
    assert dataset["version"]["rules"] == {"impossible-place": 1}
    assert "impossible-place" in run("status", "stops").stdout


def test_at_answers_for_a_coordinate_and_for_every_form_of_code(home, pack):
    run("load", pack)
    at = as_json("at", "22.55,114.05")
    (found,) = at["datasets"]
    assert found["records"][0]["source"] == {"file": "stops.csv", "row": 2}
    assert found["records"][0]["values"]["name"] == "甲站"
    for code in (at["cell"]["beidou"], at["cell"]["geosot"], f"{at['cell']['code']}-{at['cell']['level']}"):
        assert as_json("at", code) == at
    assert "甲站" in run("at", "22.55,114.05").stdout
    assert as_json("at", "22.60,114.20")["datasets"] == []


def test_encode_and_decode_agree(home):
    cell = as_json("encode", "39.910278,116.315222", "--level", "23")
    assert as_json("decode", cell["beidou"]) == cell
    assert cell["code"] == str(int(cell["code"]))


def test_query_filters_and_pages(home, pack):
    (pack / "stops.csv").write_text(
        "code,name,lon,lat\n" + "".join(f"{n},站{n},114.0{n},22.55\n" for n in range(1, 9)), "utf-8"
    )
    run("load", pack)
    answer = as_json("query", "stops", "--where", "code > 3", "--limit", "2")
    assert [record["values"]["code"] for record in answer["records"]] == [4, 5]
    rest = as_json("query", "stops", "--where", "code > 3", "--after", answer["after"])
    assert [record["values"]["code"] for record in rest["records"]] == [6, 7, 8]
    box = as_json("query", "stops", "--bounds", "114.015,22.5,114.045,22.6")
    assert [record["values"]["code"] for record in box["records"]] == [2, 3, 4]


@pytest.mark.parametrize("form", ["parquet", "csv", "geojson", "arrow"])
def test_export_writes_open_formats_whole(home, pack, tmp_path, form):
    run("load", pack)
    target = tmp_path / f"stops.{form}"
    assert run("export", "stops", "-o", target).exit_code == 0
    if form == "geojson":
        (feature,) = json.loads(target.read_text("utf-8"))["features"]
        assert feature["geometry"]["coordinates"] == pytest.approx([114.05, 22.55], abs=1e-7)
        assert isinstance(feature["properties"]["jw_cell"], str)
    elif form == "csv":
        assert target.read_bytes().startswith(b"\xef\xbb\xbfcode,name,")
    else:
        import pyarrow.feather
        import pyarrow.parquet

        reader = pyarrow.parquet.read_table if form == "parquet" else pyarrow.feather.read_table
        assert reader(target)["name"].to_pylist() == ["甲站"]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("load", "nowhere"), NOT_FOUND, "no city pack"),
        (("status",), NOT_FOUND, "jingwei up"),
        (("at", "22.55;114.05"), BAD_INPUT, ""),
        (("at", "north,east"), BAD_INPUT, "latitude,longitude"),
        (("at", "95,114"), BAD_INPUT, ""),
        (("decode", "N50J47539B82554X"), BAD_INPUT, "0-7, not 'X'"),
        (("encode", "22.5,nan"), BAD_INPUT, ""),
    ],
)
def test_wrong_input_is_told_clearly_with_an_exit_code(home, arguments, code, words):
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert words in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("status", "stop"), NOT_FOUND, "Did you mean stops"),
        (("query", "stops", "--where", "cod = 1"), BAD_INPUT, "code"),
        (("query", "stops", "--where", "1; DROP TABLE x"), BAD_INPUT, "filter"),
        (("query", "stops", "--bounds", "1,2,3"), BAD_INPUT, "west,south,east,north"),
        (("query", "stops", "--from", "yesterday"), BAD_INPUT, "yesterday"),
        (("export", "stops", "-o", "x.doc"), BAD_INPUT, "geojson"),
    ],
)
def test_wrong_questions_to_a_city_name_near_misses(home, pack, arguments, code, words):
    run("load", pack)
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert words in result.output
    assert "Traceback" not in result.output


def test_errors_are_json_for_programs(home, pack):
    run("load", pack)
    result = run("status", "stop", "--json")
    problem = json.loads(result.stderr)
    assert problem["code"] == "unknown-dataset"
    assert problem["mend"]["zh"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_messages_are_in_the_language_of_the_terminal(home, monkeypatch, language):
    monkeypatch.setenv("JINGWEI_LANG", language)
    words = {"zh": "没有找到城市包", "en": "no city pack"}[language]
    assert words in run("load", "nowhere").output


def test_a_source_that_fails_makes_the_exit_code_say_so(home, pack):
    (pack / "stops.csv").write_bytes(b"")
    result = run("load", pack)
    assert result.exit_code == INCOMPLETE
    assert "empty" in result.output.lower()


def test_a_directory_in_place_of_a_file_is_told(home, pack):
    (pack / "stops.csv").unlink()
    (pack / "stops.csv").mkdir()
    result = run("load", pack)
    assert result.exit_code == INCOMPLETE
    assert "folder" in result.output.lower() or "directory" in result.output.lower()


def test_a_port_in_use_is_told_before_anything_is_loaded(home, pack):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("up", pack, "--port", taken.getsockname()[1])
    assert result.exit_code == ENVIRONMENT
    assert "in use" in result.output
    assert not (home / "square").exists()


def test_the_folder_that_is_named_is_opened_and_no_other(home, pack, tmp_path):
    run("load", pack)
    folder = tmp_path / "elsewhere"
    run("load", pack, "--home", folder)
    (folder / "settings.toml").write_text("[serve]\naddress = 7\n", "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = run("up", "--city", "square", "--home", folder, "--port", port)
    assert told.exit_code == BAD_INPUT
    assert str(folder / "settings.toml") in told.output
    other = run("up", "--city", "circle", "--home", home / "square", "--port", port)
    assert other.exit_code == BAD_INPUT
    assert "holds the city 'square', not 'circle'" in other.output


def test_a_city_anywhere_is_asked_taken_from_and_given_files_by_its_folder(home, pack, tmp_path):
    there = ["--home", tmp_path / "restored"]
    run("load", pack, *there)
    assert "Square City" in run("status", *there).output
    for asked in (("query", "stops"), ("at", "22.55,114.05")):
        assert "甲站" in run(*asked, *there).output
    (tmp_path / "stops.csv").write_text(
        "code,name,lon,lat\n3,丙站,114.06,22.55\n4,丁站,114.07,22.55\n", "utf-8"
    )
    taken = run("intake", tmp_path / "stops.csv", "--as", "stops", "--yes", *there)
    assert taken.exit_code == 0, taken.output
    assert run("export", "stops", "-o", tmp_path / "out.csv", *there).exit_code == 0
    assert "丁站" in (tmp_path / "out.csv").read_text("utf-8")


@pytest.mark.skipif(
    os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists(), reason="root may write anywhere"
)
def test_a_home_that_cannot_be_written_is_told(pack, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    command = [sys.executable, "-m", "jingwei", "load", str(pack), "--home", str(locked / "home")]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid=65534", "--clear-groups", *command]
    for folder in (tmp_path, *tmp_path.parents):
        if folder != Path("/tmp") and folder != Path("/") and folder.owner() == "root":
            folder.chmod(folder.stat().st_mode | 0o055)
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "JINGWEI_LANG": "en"}
    )
    if "Permission denied" in result.stderr and "jingwei" not in result.stderr:
        pytest.skip("another user may not run this Python")
    assert result.returncode == ENVIRONMENT, result.stderr
    assert "cannot be written" in result.stderr


def test_a_full_disk_is_told_and_the_old_version_stays(pack, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root may make a small disk")
    environment = {**os.environ, "JINGWEI_LANG": "en"}

    def jingwei(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "jingwei", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )

    try:
        home = small / "home"
        first = jingwei("load", str(pack), "--home", str(home))
        assert first.returncode == 0, first.stderr
        noise = random.Random(1)
        rows = "".join(f"{n},{noise.randbytes(12).hex()},114.05,22.5\n" for n in range(300_000))
        (pack / "stops.csv").write_text("code,name,lon,lat\n" + rows, "utf-8")
        second = jingwei("load", str(pack), "--home", str(home))
        assert second.returncode == ENVIRONMENT, second.stderr
        assert "No space" in second.stderr
        assert "Traceback" not in second.stderr
        from jingwei.access import local_person
        from jingwei.city import open_city

        with open_city(home) as city:
            assert city.lake.query(local_person(), "stops").table["name"].to_pylist() == ["甲站"]
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_people_are_listed_added_and_reset_at_the_machine(home, pack):
    run("load", pack)
    added = run("people", "add", "wang", "王芳")
    assert added.exit_code == 0, added.output
    assert "/set-up#" in added.output
    assert "wang\t王芳" in run("people", "list").output
    assert run("people", "add", "wang", "王芳").exit_code == CONFLICT
    reset = run("people", "reset", " WANG ")
    assert reset.exit_code == 0
    assert reset.output != added.output
    assert run("people", "reset", "nobody").exit_code == NOT_FOUND
    assert "wang" not in run("people", "list", "--search", "li").output


def test_devices_get_a_token_each_and_lose_it_at_the_machine(home, pack, tmp_path):
    from jingwei import access
    from jingwei.access import tokens
    from jingwei.access.errors import NotSignedInError
    from jingwei.city import open_city

    run("load", pack)
    run("people", "add", "pumps", "泵站")
    names, told = tmp_path / "names", tmp_path / "tokens.csv"
    names.write_text("\ufeff" + "".join(f"pump-{n}\n" for n in range(120)) + "\npump-7\n", "utf-8")
    assert run("people", "tokens", "pumps", names, "--to", told).exit_code == CONFLICT, "no role yet"
    (tmp_path / "gbk").write_bytes("泵\n".encode("gbk"))
    assert "UTF-8" in run("people", "tokens", "pumps", tmp_path / "gbk", "--to", told).output
    assert not told.exists()
    with open_city(home / "square") as city, city.records.write() as session:
        (pumps,) = access.people(session, search="pumps")
        access.give_role(session, access.local_person(), pumps.id, "device")
    assert "120" in run("people", "tokens", "pumps", names, "--to", told, "--days", "30").output
    assert told.stat().st_mode & 0o777 == 0o600
    with told.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["device"] for row in rows] == [f"pump-{n}" for n in range(120)]
    assert run("people", "tokens", "pumps", names, "--to", told).exit_code == CONFLICT, (
        "nothing is written over"
    )
    again = run("people", "tokens", "pumps", names, "--to", tmp_path / "again.csv")
    assert again.output.startswith("Issued 0 ")
    assert not (tmp_path / "again.csv").exists()
    assert run("people", "revoke", "pumps", rows[3]["number"], "none").exit_code == NOT_FOUND, "all or none"
    assert run("people", "revoke", "pumps", rows[3]["number"]).exit_code == 0
    with open_city(home / "square") as city:
        pump = tokens.asker_of_token(city.records, rows[4]["token"], touch=False)
        assert pump.id == f"person/{pumps.id}"
        assert pump.only == {"sense.observe", "sense.read"}
        with pytest.raises(NotSignedInError):
            tokens.asker_of_token(city.records, rows[3]["token"], touch=False)


def test_open_mode_and_plain_http_are_refused_elsewhere_before_anything_is_loaded(home, pack):
    for options in (["--open"], []):
        result = run("up", pack, "--host", "0.0.0.0", "--port", "18999", *options)
        assert result.exit_code == BAD_INPUT
    assert "--tls-cert" in result.output
    assert not (home / "square").exists()


@pytest.mark.postgres
def test_a_city_whose_records_lie_elsewhere_is_loaded_and_asked_there(home, pack, postgres, monkeypatch):
    name = postgres.create()
    elsewhere = postgres.url(name)
    assert run("load", pack, "--records", elsewhere).exit_code == 0
    assert not (home / "square" / "records.db").exists()
    monkeypatch.setenv("JINGWEI_RECORDS", elsewhere)
    assert [dataset["id"] for dataset in as_json("status")["datasets"]] == ["stops"]
    postgres.drop(name)


def test_a_city_with_records_of_its_own_takes_no_others(home, pack, tmp_path):
    run("load", pack)
    result = run("load", pack, "--records", f"sqlite:///{tmp_path / 'other.db'}")
    assert (result.exit_code, "two-records" in result.stderr) == (CONFLICT, True)
    assert not (tmp_path / "other.db").exists()
    assert run("load", pack, "--records", f"sqlite:///{home / 'square' / 'records.db'}").exit_code == 0


@pytest.mark.parametrize(
    ("named", "code", "exit_code"),
    [
        ("mysql://somebody:secret@host/records", "records-address", BAD_INPUT),
        ("no address", "records-address", BAD_INPUT),
        ("postgresql+psycopg://somebody:secret@127.0.0.1:1/records", "records-unreachable", ENVIRONMENT),
    ],
)
def test_records_that_cannot_be_opened_are_told_of_without_their_password(home, pack, named, code, exit_code):
    result = run("load", pack, "--records", named)
    assert (result.exit_code, code in result.stderr) == (exit_code, True)
    assert "secret" not in result.output


def test_every_part_of_the_cases_has_a_title():
    assert set(cli_progress.PARTS) == set(founding.PARTS)


def test_a_fault_of_many_rows_is_told_once(capsys):
    twice = {"zh": "标识码重复", "en": "the code is used twice"}
    faults = [{"row": row, "code": "x", **twice} for row in range(3, 9)]
    faults.append({"row": 9, "zh": "缺少代码", "en": "the code is missing"})
    cli_progress.print_founded(founding.Founded(counts={"components": 20}, faults={"components": faults}))
    said = capsys.readouterr().out
    assert said.count("标识码重复") + said.count("the code is used twice") == 1
    assert "(6: #3 #4 #5 …)" in said
    assert "(#9)" in said
