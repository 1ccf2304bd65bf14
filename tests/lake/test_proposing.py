"""Which type of a field is proposed from how its values are written."""

import duckdb
import pyarrow as pa
import pytest

from jingwei.lake.proposing import _Look


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1.2万", "２５００", "３，１００", "8亿", "12"], "number"),
        (["1.2万", "2.5万"], "number"),
        (["约3", *["3.5"] * 19], "number"),
        (["510001", "510002"], "text"),  # a code that its form keeps as text
        (["0511", "0512"], "text"),
        (["第1站", "第2站"], "text"),
        (["2018年2月8日", "２０１９年１月３日"], "date"),
    ],
)
def test_the_type_of_a_text_is_what_nearly_all_values_are(values, type_):
    texts = values * (40 // len(values))
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE facts AS SELECT unnest(?) AS n", [texts])
        assert _Look(engine, len(texts), None)._type("n", pa.string(), len(texts)) == type_
