"""Rows are addressed side by side as they are one batch after the other."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei.lake.address import FEW_BAD, Addresser, Clock, PointPlacing, Timing, _only
from jingwei.lake.forms import Batch
from jingwei.lake.forms.side_by_side import AHEAD, ordered_map

SCHEMA = pa.schema([("lon", pa.float64()), ("lat", pa.float64()), ("time", pa.string())])
PLACING = PointPlacing("", "lon", "lat", "WGS84")
TIMING = Timing(Clock("time", "text"), None, "Asia/Shanghai", "second")

degrees = st.sampled_from([None, 0.0, 22.5, 22.6, 114.0, 114.1, 171.0, float("inf")])
moments = st.sampled_from([None, "2026-01-31 08:05:00", "1999-12-31 23:59:59", "soon"])
batches = st.lists(st.lists(st.tuples(degrees, degrees, moments), max_size=6), max_size=6)


def batch_of(rows):
    columns = [pa.array([row[at] for row in rows], kind) for at, kind in enumerate(SCHEMA.types)]
    return Batch(pa.RecordBatch.from_arrays(columns, schema=SCHEMA), np.arange(len(rows), dtype=np.int64), [])


def addresser():
    return Addresser(SCHEMA, [PLACING], TIMING, near=(110.0, 20.0, 118.0, 26.0))


@settings(deadline=None)
@given(batches)
def test_what_is_counted_side_by_side_is_what_is_counted_in_turn(given_batches):
    in_turn, apart = addresser(), addresser()
    for rows in given_batches:
        one, found = in_turn.address(batch_of(rows), 0)
        same, also, tally = apart.apart(batch_of(rows), 0)
        apart.tally.add(tally)
        assert one.equals(same)
        assert found == also
    assert apart.tally == in_turn.tally


@pytest.mark.parametrize("bad", [[], [0], [FEW_BAD], [7, 8, FEW_BAD * 3 - 1], list(range(FEW_BAD))])
def test_rows_that_are_cut_out_are_those_that_a_filter_takes_away(bad):
    table = pa.record_batch({"n": np.arange(FEW_BAD * 3), "t": [str(n) for n in range(FEW_BAD * 3)]})
    good = np.ones(len(table), bool)
    good[bad] = False
    assert _only(table, good).equals(table.filter(pa.array(good)))


def test_results_come_in_the_order_of_the_items_and_few_items_are_taken_ahead():
    taken = []

    def items():
        for n in range(50):
            taken.append(n)
            yield n

    for n, squared in enumerate(ordered_map(lambda one: one * one, items())):
        assert squared == n * n
        assert len(taken) <= n + 2 + AHEAD


def test_an_error_of_the_work_is_raised_and_the_rest_is_not_begun():
    done = []

    def work(n):
        done.append(n)
        return 1 // (n - 3)

    with pytest.raises(ZeroDivisionError):
        list(ordered_map(work, range(1000)))
    assert len(done) <= 3 + 2 + 2 * AHEAD
