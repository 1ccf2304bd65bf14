"""`jingwei demo generate`: what it prints, and what it says when it cannot."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jingwei.city.demo import settings
from jingwei.cli import main
from jingwei.cli_demo import SCALES
from jingwei.cli_guard import BAD_INPUT, CONFLICT, ENVIRONMENT


@pytest.fixture(params=["zh", "en"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("JINGWEI_LANG", request.param)
    return str(request.param)


def generate(out: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["demo", "generate", "--scale", "tiny", "--out", str(out), *more])


def test_it_prints_the_manifest_alone_on_standard_output(tmp_path: Path) -> None:
    result = generate(tmp_path / "city", "--seed", "3")
    assert result.exit_code == 0
    assert result.stdout == f"{tmp_path / 'city' / 'city.toml'}\n"
    assert "jingwei demo generate --scale tiny --seed 3" in (tmp_path / "city" / "city.toml").read_text(
        "utf-8"
    )


def test_it_offers_all_scales() -> None:
    assert set(SCALES) == set(settings.SCALES)


@pytest.mark.parametrize("wrong", [("--scale", "XL"), ("--seed", "-1"), ("--seed", "4294967296")])
def test_a_wrong_option_is_named(tmp_path: Path, wrong: tuple[str, str]) -> None:
    result = generate(tmp_path / "city", *wrong)
    assert result.exit_code == BAD_INPUT
    assert wrong[0] in result.stderr
    assert wrong[1] in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, language: str) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    result = generate(tmp_path)
    assert result.exit_code == CONFLICT
    assert {"zh": "已有其他内容", "en": "holds something else"}[language] in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_generated_city_is_replaced(tmp_path: Path) -> None:
    first = generate(tmp_path / "city", "--seed", "1")
    again = generate(tmp_path / "city", "--seed", "2")
    assert first.exit_code == again.exit_code == 0
    assert "--seed 2" in (tmp_path / "city" / "city.toml").read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["city"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, language: str) -> None:
    (tmp_path / "file").touch()
    result = generate(tmp_path / "file" / "city")
    assert result.exit_code == ENVIRONMENT
    assert {"zh": "无法写入目录", "en": "cannot be written to"}[language] in result.stderr
    assert str(tmp_path / "file" / "city") in result.stderr
    assert "Traceback" not in result.output


def test_a_full_disk_is_said_and_nothing_is_left_on_it(tmp_path: Path, language: str) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this account may not mount a small disk")
    try:
        result = generate(small / "city")
        assert result.exit_code == ENVIRONMENT
        assert {"zh": "磁盘空间不足", "en": "No space is left"}[language] in result.stderr
        assert not list(small.iterdir())
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_the_truth_of_a_running_city_names_its_storm_its_floods_and_its_faults() -> None:
    asked = ["demo", "truth", "--scale", "tiny", "--from", "2026-11-24", "--to", "2026-11-25"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    (storm,) = told["storms"]
    assert storm["flooded"]
    assert {one["fault"] for one in told["faults"]} == {"silent", "stuck", "drift"}
