"""How many different values columns have: counted for few rows, estimated within its error for many."""

import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jingwei.lake import distinct
from jingwei.lake.distinct import Distinct, distinct_of

ERROR = 5 * 1.04 / 128
"""Five standard errors of 16,384 registers."""


def told(*batches):
    watching = Distinct(batches[0].schema)
    for batch in batches:
        watching.note(batch)
    return watching.counts()


VALUES = {
    "whole": [1, 1, 2, None],
    "fraction": [0.5, 0.5, -0.0, 0.0],
    "text": ["树", "路灯", "", None],
    "day": [dt.date(2026, 1, 1), dt.date(2026, 1, 1), None, dt.date(2026, 1, 2)],
    "moment": [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)] * 4,
    "yes": [True, False, True, None],
    "price": [decimal.Decimal("1.10"), decimal.Decimal("1.20"), None, decimal.Decimal("1.10")],
    "nothing": pa.nulls(4),
    "bytes": [b"a", b"b", b"c", b"d"],
}
DIFFERENT = {"whole": 2, "fraction": 2, "text": 3, "day": 2, "moment": 1, "yes": 2, "price": 2, "nothing": 0}


@pytest.mark.parametrize("counted", [0, 4, 100])
def test_every_kind_of_column_is_counted(counted, monkeypatch):
    monkeypatch.setattr(distinct, "COUNTED", counted)
    batch = pa.record_batch(VALUES)
    listed = pa.record_batch(VALUES | {"text": pa.array(VALUES["text"]).dictionary_encode()})
    assert told(batch, batch) == DIFFERENT
    assert told(listed, listed) == DIFFERENT


@pytest.mark.parametrize("different", [10, 3_000, 100_000, 700_000])
def test_many_are_estimated(different, monkeypatch):
    monkeypatch.setattr(distinct, "COUNTED", 1_000)
    numbers = np.arange(different) % 1_000_003
    batches = [
        pa.record_batch(
            {
                "whole": part * 10,
                "fraction": part / 100,
                "text": pa.array(part).cast(pa.string()),
                "long": pa.array([f"某市某区某路{number:09}号" for number in part.tolist()]),
            }
        )
        for part in np.array_split(np.concatenate([numbers, numbers[::-1]]), 20)
    ]
    for name, found in told(*batches).items():
        assert found == pytest.approx(different, rel=ERROR), name


def test_files_are_counted_as_their_rows_were(tmp_path):
    batch = pa.record_batch(VALUES | {"nothing": pa.nulls(4, pa.string())})
    paths = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    for path in paths:
        pq.write_table(pa.Table.from_batches([batch]), path)
    assert distinct_of(paths, batch.schema) == told(batch)
    assert distinct_of([], batch.schema) == dict.fromkeys(DIFFERENT, 0)
