"""What guards passwords and codes is counted once for all processes of a city."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from limits import RateLimitItemPerMinute
from limits.strategies import SlidingWindowCounterRateLimiter
from sqlalchemy import select

from jingwei.access.counting import SharedCounts
from jingwei.access.models import RateRow
from jingwei.access.vault import Vault

MINUTE = RateLimitItemPerMinute(10)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def process(records, clock):
    """How another process of the city begins to count."""
    digest = Vault(bytes(32)).digest
    return lambda: SlidingWindowCounterRateLimiter(SharedCounts(records, digest, clock))


def test_two_processes_count_together(process):
    one, other = process(), process()
    asked = [limiter.hit(MINUTE, "tokens", "wang") for _ in range(6) for limiter in (one, other)]
    assert asked == [True] * 10 + [False] * 2
    assert other.hit(MINUTE, "tokens", "li")


def test_as_many_at_one_moment_are_let_through_as_may_be(process):
    limiters = [process() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        asked = list(pool.map(lambda n: limiters[n % 4].hit(MINUTE, "tokens", "wang"), range(40)))
    assert asked.count(True) == 10


def test_the_window_slides(process, clock):
    limiter = process()
    assert all(limiter.hit(MINUTE, "tokens", "wang") for _ in range(10))
    clock.now += 60  # all ten lie in the window before, and count whole at its end
    assert not limiter.hit(MINUTE, "tokens", "wang")
    clock.now += 30
    assert [limiter.hit(MINUTE, "tokens", "wang") for _ in range(6)] == [True] * 5 + [False]
    clock.now += 120
    assert limiter.hit(MINUTE, "tokens", "wang")


def test_counts_name_nobody_and_are_forgotten(process, clock, records):
    limiter = process()
    limiter.hit(MINUTE, "sign-in by address", "203.0.113.9")
    clock.now += 200
    limiter.hit(MINUTE, "sign-in by address", "203.0.113.10")
    with records.read() as session:
        rows = session.scalars(select(RateRow)).all()
    assert len(rows) == 1
    assert b"203" not in rows[0].key


def test_a_refusal_tells_when_to_ask_again_and_can_be_lifted(process, clock):
    limiter = process()
    while limiter.hit(MINUTE, "tokens", "wang"):
        pass
    assert clock.now < limiter.storage.get_expiry(f"{MINUTE.key_for('tokens', 'wang')}/{int(clock.now / 60)}")
    limiter.clear(MINUTE, "tokens", "wang")
    assert limiter.hit(MINUTE, "tokens", "wang")
    assert limiter.storage.reset() == 1
