"""What is said of a fictional city beside real ones is what was measured; a real city is said nothing of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.city.likeness import measured
from jingwei.web import OPEN, create_app

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = """
[city]
id = "town"
name = {{ zh = "小城", en = "Town" }}
adcode = "390100"
generated = {generated}

[[source]]
id = "codes"
file = "codes.csv"
title = {{ zh = "代码", en = "Codes" }}
place = {{ none = true }}
time = {{ none = true }}
"""


@pytest.mark.parametrize("generated", [True, False])
def test_the_measured_table_is_told_of_a_generated_city_only(tmp_path: Path, *, generated: bool) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "city.toml").write_text(MANIFEST.format(generated=str(generated).lower()), "utf-8")
    (pack / "codes.csv").write_text("code,name\n1,a\n", "utf-8")
    with open_city(tmp_path / "home", create=True) as city:
        load_pack(city, read_manifest(pack), pack, None, local_person())
        with TestClient(create_app(city, entry=OPEN)) as client:
            rows = client.get("/api/city/likeness").json()
    wanted = measured() if generated else []
    assert [row["what"] for row in rows] == [row.what.as_json() for row in wanted]
    assert [row["value"] for row in rows] == [row.value for row in wanted]
