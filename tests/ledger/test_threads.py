"""Work beside a block: done again and again, whatever goes wrong, and over with the block."""

import threading
from itertools import count

from jingwei.ledger.threads import in_rounds


def test_it_is_done_again_and_again_until_the_block_ends():
    done, enough = count(), threading.Event()

    def work():
        if next(done) == 2:
            enough.set()

    with in_rounds("work", work, 0.001):
        assert enough.wait(10)
    after = next(done)
    assert next(done) == after + 1
    assert "work" not in {one.name for one in threading.enumerate()}


def test_what_fails_is_told_and_tried_again(caplog):
    tries, enough = count(), threading.Event()

    def work():
        if next(tries) == 0:
            raise OSError(28, "No space left on device")
        enough.set()

    with in_rounds("putting away", work, 0.001):
        assert enough.wait(10)
    assert [one.message for one in caplog.records] == ["putting away"]
    assert "No space left" in caplog.text


def test_a_round_says_when_the_next_one_is():
    tries, enough = count(), threading.Event()

    def work():
        if next(tries):
            enough.set()
        return 0.0

    with in_rounds("work", work, 3600.0):
        assert enough.wait(10)


def test_a_block_that_ends_does_not_wait_for_the_next_round():
    begun = threading.Event()
    with in_rounds("work", begun.set, 3600.0):
        assert begun.wait(10)
    with in_rounds("work", begun.clear, 1.0, first=3600.0):
        pass
    assert begun.is_set()
