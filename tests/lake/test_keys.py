"""Which columns tell the rows apart."""

import pyarrow as pa

from jingwei.lake.detect import find_keys


def keys(**columns):
    return [key.columns for key in find_keys(pa.table(columns))]


def test_a_column_named_like_a_key_comes_first():
    assert keys(name=["a", "b"], 编号=["1", "2"]) == [("编号",), ("name",)]


def test_quantities_and_fractions_are_no_keys():
    assert keys(flow=[1, 2], share=[0.1, 0.2]) == []


def test_missing_and_repeated_values_disqualify():
    assert keys(id=[1, None], code=["a", "a"]) == []


def test_the_narrowest_group_is_taken():
    assert keys(a=["x", "x", "y"], b=["1", "2", "1"], c=["p", "p", "p"]) == [("a", "b")]


def test_one_row_tells_nothing():
    assert keys(id=[1]) == []
