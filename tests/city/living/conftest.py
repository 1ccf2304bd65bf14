"""A small running city."""

import pytest

from jingwei.city.demo import tiny_town
from jingwei.city.living.story import Story


@pytest.fixture(scope="session")
def story() -> Story:
    """What happens in the tiny demo city of seed 1."""
    return Story(tiny_town(seed=1))
