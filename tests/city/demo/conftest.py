"""One generated pack for all tests that read what departments would hand over."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from jingwei.city.demo import settings_of
from jingwei.city.demo.generate import generate
from jingwei.city.manifest import Manifest, read_manifest

Table = dict[str, list[Any]]
Read = Callable[[str], Table]


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a generated pack; no test may change it."""
    return generate(settings_of("tiny", 2), tmp_path_factory.mktemp("packs") / "city").parent


@pytest.fixture(scope="session")
def manifest(pack: Path) -> Manifest:
    return read_manifest(pack)


@pytest.fixture(scope="session")
def read(pack: Path, manifest: Manifest) -> Read:
    """Read the columns of a source as a department's reader would see them, all as text for CSV."""

    @cache
    def columns(source: str) -> Table:
        spec = next(item for item in manifest.source if item.id == source)
        path = pack / spec.file
        if path.suffix == ".parquet":
            table: Table = pq.read_table(path).to_pydict()
            return table
        if path.suffix == ".xlsx":
            rows = CalamineWorkbook.from_path(path).get_sheet_by_name(spec.layer).to_python()
            names, heading, heads = rows[spec.header_row - 1], "", []
            for above, name in zip(rows[spec.header_row - 2], names, strict=True):
                heading = above or heading
                heads.append(f"{heading}_{name}")
            return {name: [row[at] for row in rows[spec.header_row :]] for at, name in enumerate(heads)}
        text = path.read_bytes().decode(spec.encoding or "utf-8").encode()
        names = text.split(b"\n", 1)[0].decode().strip().replace('"', "").split(",")
        convert = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pyarrow.string()), strings_can_be_null=True
        )
        csv: Table = pyarrow.csv.read_csv(pyarrow.BufferReader(text), convert_options=convert).to_pydict()
        return csv

    return columns
