"""What all tests share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real public data; a test that needs it skips where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the public data of ../shared/data is not on this machine")
    return SHARED / "data"
