"""Readings are in the order of stream, time and number, whatever runs they came in, however far apart."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jingwei.sense.readings.columns import in_order

NEAR = st.tuples(st.integers(1, 4), st.integers(0, 5), st.integers(1, 50))
FAR = st.tuples(st.integers(1, 2**40), st.integers(-(2**61), 2**61), st.integers(1, 50))


@given(st.lists(NEAR, max_size=40) | st.lists(FAR, max_size=40), st.booleans())
def test_rows_are_put_in_the_order_of_stream_time_and_number(rows, in_runs):
    if in_runs:
        rows = sorted(rows[: len(rows) // 2]) + sorted(rows[len(rows) // 2 :])
    stream, time, number = np.array(rows, np.int64).reshape(-1, 3).T
    order = in_order(stream, time, number)
    if order is None:
        assert rows == sorted(rows)
    else:
        assert [rows[at] for at in order] == sorted(rows)
