"""What is said of a dataset's columns."""

import pyarrow as pa
import pyarrow.parquet as pq

from jingwei.lake.quality import describe


def test_no_column_has_more_different_values_than_values(tmp_path):
    rows = 20_000
    names = [f"column {number}" for number in range(40)]
    table = pa.table({name: [f"{name} {row}" for row in range(rows)] for name in names})
    pq.write_table(table.append_column("jw_row", pa.array(range(rows))), tmp_path / "facts.parquet")
    columns, _ = describe([tmp_path / "facts.parquet"], table.schema, [], "1GB")
    assert all(0.8 * rows < column.distinct <= rows for column in columns)
