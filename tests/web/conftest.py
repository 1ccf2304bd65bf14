"""The application as a client meets it, serving a small square city."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from jingwei.city import open_city
from jingwei.city.models import CityRow
from jingwei.records import now_utc
from jingwei.web import OPEN, create_app
from square import open_square

from .people import person_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jingwei.city import City


@pytest.fixture(scope="session")
def square(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The square city, loaded once; no test changes it."""
    folder = tmp_path_factory.mktemp("square")
    with open_square(folder) as city:
        yield city


@contextmanager
def open_bare(home: Path, migrated_sqlite: Path) -> Iterator[City]:
    """Open a city without data."""
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "records.db")
    with open_city(home) as city:
        about = {"name": {"zh": "方城", "en": "Square City"}, "adcode": "990100", "generated": False}
        row = CityRow(
            id="bare", about={**about, "time_zone": "Asia/Shanghai"}, pack="", data="", changed=now_utc()
        )
        with city.records.write() as session:
            session.add(row)
        yield city


@pytest.fixture
def bare(tmp_path: Path, migrated_sqlite: Path) -> Iterator[City]:
    """A city without data, for tests of its people that change them."""
    with open_bare(tmp_path / "bare", migrated_sqlite) as city:
        yield city


@pytest.fixture
def town(square: City, tmp_path: Path) -> Iterator[City]:
    """A copy of the square city with a clerk of its cases, for tests that change it."""
    shutil.copytree(square.home, tmp_path / "town")
    with open_city(tmp_path / "town") as city:
        person_of(city, "clerk", "case_acceptor")
        yield city


@pytest.fixture(scope="session")
def client(square: City) -> Iterator[TestClient]:
    """A client of the application that serves the square city."""
    with TestClient(create_app(square, entry=OPEN), raise_server_exceptions=False) as client:
        yield client
