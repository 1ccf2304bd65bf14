"""The built wheel is whole: the command, the pages, the tables and the notices that the program reads."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
PAGES = SOURCE / "jingwei" / "web" / "static"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what is in the wheel of this tree, as an installation has it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, timeout=300, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_all_that_the_program_reads(unpacked: Path) -> None:
    """A table or a migration left out would be noticed only on somebody else's machine."""
    read = {
        path.relative_to(SOURCE)
        for path in (SOURCE / "jingwei").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(read) > 500
    assert not [path for path in read if not (unpacked / path).is_file()]


@pytest.mark.skipif(not (PAGES / "index.html").exists(), reason="the pages are not built (make pages)")
def test_the_wheel_holds_the_pages(unpacked: Path) -> None:
    assert (unpacked / "jingwei" / "web" / "static" / "index.html").is_file()


def test_what_is_in_the_wheel_runs_without_the_tree(unpacked: Path, tmp_path: Path) -> None:
    script = (
        "import sys; import jingwei; from importlib.metadata import distribution as of;"
        "(command,) = of('jingwei').entry_points.select(group='console_scripts');"
        "print(jingwei.__file__);"
        "sys.argv = ['jingwei', 'encode', '22.54,114.05', '--json'];"
        "command.load()()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(unpacked), "JINGWEI_HOME": str(tmp_path)},
        check=True,
        timeout=120,
        capture_output=True,
        text=True,
    )
    where, answer = ran.stdout.split("\n", 1)
    assert Path(where).is_relative_to(unpacked)
    assert "N50F" in str(json.loads(answer))
