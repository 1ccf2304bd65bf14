"""The grid by itself: what it loads and when, where it keeps its loops, and what its guide says."""

import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

from jingwei import grid

GUIDE = Path(__file__).resolve().parent.parent.parent / "docs" / "grid.md"


def run(code, **environment):
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env={**os.environ, **environment}, check=True, capture_output=True, text=True
    ).stdout.split()


def test_single_numbers_need_neither_numba_nor_shapely():
    code = """
import sys
from jingwei import grid
cell = grid.parse(grid.beidou_string("116.3", "39.9", 8))
cell.bounds, cell.area_m2, cell.neighbours(), cell.children(), grid.geosot_height(50, 20)
print(*sorted({"numba", "shapely", "pandas", "polars", "pyarrow", "duckdb", "scipy"} & set(sys.modules)))
"""
    assert run(code) == []


def test_arrays_need_numba_and_covers_shapely_and_nothing_else():
    code = """
import sys, numpy
from jingwei import grid
grid.encode(numpy.zeros(1), numpy.zeros(1))
assert "shapely" not in sys.modules
grid.cover((0, 0, 1, 1), level=9)
print(*sorted({"numba", "shapely", "pandas", "polars", "pyarrow", "duckdb"} & set(sys.modules)))
"""
    assert run(code) == ["numba", "shapely"]


def test_nothing_but_numpy_numba_and_shapely_is_needed():
    """In a process that cannot import any other package."""
    code = """
import sys
from importlib.abc import MetaPathFinder

class Alone(MetaPathFinder):
    allowed = {"jingwei", "numpy", "numba", "llvmlite", "shapely", *sys.stdlib_module_names}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.allowed:
            raise ModuleNotFoundError(f"{name} is not here", name=name)

sys.meta_path.insert(0, Alone())
import numpy
from jingwei import grid
import shapely
lon, lat = numpy.linspace(-180, 180, 99), numpy.linspace(-87, 87, 99)
codes = grid.encode(lon, lat)
texts = grid.beidou_string(lon, lat, 10)
assert (grid.parse_beidou(texts)[0] == codes).all()
assert (grid.encode(*grid.centre(codes, 32)) == codes).all()
solids = grid.beidou3d_string(lon, lat, numpy.zeros(99), 10)
assert (grid.parse_beidou3d(solids)[0] == codes).all()
assert (grid.parse_geosot(grid.geosot_string(codes, 32))[0] == codes).all()
grid.grid_distance(codes, codes[::-1], 32), grid.area_m2(codes, 32), grid.neighbour(codes, 32, 1, 0)
cover = grid.cover(shapely.Point(116.3, 39.9).buffer(0.1), error_m=500)
assert cover.contains(grid.encode(numpy.array([116.3]), numpy.array([39.9]))).all()
assert (cover - cover | cover).area_m2 > 0 and cover.to_geometry().is_valid
try:
    import pyarrow
except ModuleNotFoundError:
    print("alone")
"""
    assert run(code) == ["alone"]


def test_the_loops_run_where_no_folder_can_keep_them(tmp_path):
    package = tmp_path / "jingwei"
    shutil.copytree(
        Path(grid.__file__).parent, package / "grid", ignore=shutil.ignore_patterns("__pycache__")
    )
    (package / "__init__.py").touch()
    (package / "grid" / "__pycache__").touch()  # a file where the folder would be
    code = """
import numpy
from jingwei import grid
print(grid.__file__, grid.encode(numpy.array([116.3]), numpy.array([39.9]))[0])
"""
    nowhere = str(tmp_path / "jingwei" / "__init__.py" / "none")
    where, code64 = run(
        code, PYTHONPATH=str(tmp_path), HOME=nowhere, XDG_CACHE_HOME=nowhere, NUMBA_CACHE_DIR=nowhere
    )
    assert where.startswith(str(tmp_path))
    assert int(code64) == grid.encode(116.3, 39.9)


def test_the_guide_shows_what_the_library_answers():
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names = {"polygon": shapely.Point(116.3, 39.9).buffer(0.01)}
    for line in example.splitlines():
        code, _, comment = line.partition("#")
        if "=" in code.replace("error_m=", "") or code.startswith("from "):
            exec(code, names)
            continue
        answer = eval(code, names) if code.strip() else None
        for claimed in re.findall(r"^\s*(\d{10,}|'\w+')", comment):
            assert answer == eval(claimed)
    assert names["cell"] == grid.parse("N50J475340000000")


@pytest.mark.parametrize(
    "name",
    re.findall(r"`(\w+)`", GUIDE.read_text(encoding="utf-8").partition("## 8.")[2].partition("## 9.")[0]),
)
def test_every_error_of_the_guide_exists(name):
    if name[0].isupper() and name != "ValueError":
        assert issubclass(getattr(grid, name), grid.GridError)
    else:
        assert hasattr(grid.GridError("x"), name) or name == "ValueError"


@pytest.mark.parametrize("name", grid.__all__)
def test_every_public_name_is_in_the_guide_and_documented(name):
    assert re.search(rf"\b{name}\b", GUIDE.read_text(encoding="utf-8"))
    assert getattr(grid, name).__doc__


def test_errors_can_be_sent_between_processes():
    with pytest.raises(grid.MalformedCode) as caught:
        grid.parse("N50J4Z")
    fault = caught.value
    again = pickle.loads(pickle.dumps(fault))
    assert type(again) is type(fault)
    assert (again.code, again.position, again.reason) == (fault.code, fault.position, fault.reason)
    assert str(again) == str(fault)


def test_a_cell_is_a_value():
    cell = grid.Cell.at(116.3, 39.9, 15)
    assert cell == grid.Cell(cell.code, 15)
    assert cell == grid.Cell(cell.stored, 15)
    assert len({cell, grid.parse(str(cell))}) == 1
    with pytest.raises(AttributeError):
        cell.level = 3
    assert grid.Cell(np.uint64(cell.code), np.int8(15)) == cell
