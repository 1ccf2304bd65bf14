"""What an engine cannot hold goes among the temporary files of the system, and away with the engine."""

import tempfile
from pathlib import Path

from jingwei.lake.engines import open_engine


def test_nothing_is_left_where_the_command_was_called(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(tempfile, "tempdir", str(there))
    with open_engine("60MB") as engine:
        engine.execute("SET threads = 1")
        engine.execute("CREATE TEMP TABLE large AS SELECT range AS n, hash(range) AS h FROM range(8_000_000)")
        assert sum(path.stat().st_size for path in there.rglob("*")) > 0, "it did not fit into memory"
        assert not list(here.iterdir())
        assert engine.execute("SELECT count(DISTINCT n % 7) FROM large").fetchone() == (7,)
    assert not list(here.iterdir())
    assert not [path for path in there.rglob("*") if path.is_file()]
    assert Path.cwd() == here
