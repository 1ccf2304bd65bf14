"""How often one may ask."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from limits.storage import MemoryStorage

from jingwei.web.rates import Rates


@pytest.fixture
def short_turns():
    """Have threads take turns in the middle of nearly everything."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_many_threads_count_at_once(short_turns):
    rates = Rates(MemoryStorage())
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: rates.count("asking by person", str(number)), range(20_000)))
    assert rates.counted("asking by person", "7") == 1
