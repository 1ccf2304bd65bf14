"""The application as a client meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from jingwei.web import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A client of the application."""
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        yield client
