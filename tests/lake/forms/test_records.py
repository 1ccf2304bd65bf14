"""JSON lines and arrays: keys as columns, lines that hold no object as faults."""

import json

import pyarrow as pa
import pytest
import shapely

from jingwei.errors import JingweiError
from jingwei.lake.forms import open_form


def read(path, **given):
    with open_form(path, **given) as reading:
        batches = list(reading.batches(size=2))
        return reading, pa.Table.from_batches([b.table for b in batches], schema=reading.schema), batches


def code(path, **given):
    with pytest.raises(JingweiError) as caught, open_form(path, **given):
        pass
    return caught.value.code


def test_lines_become_rows_and_broken_lines_faults(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        '\ufeff{"名": "甲", "n": 1}\n\n{"名": "乙", "n": 2.5, "更多": [1, 2]}\n{"名": \n[1]\n'.encode()
        + b'{"\xb9\xab": 1}\n{"n": null}\n'
    )
    reading, table, batches = read(path)
    assert table.to_pydict() == {
        "名": ["甲", "乙", None],
        "n": [1.0, 2.5, None],
        "更多": [None, "[1, 2]", None],
    }
    assert [int(row) for batch in batches for row in batch.rows] == [1, 3, 7]
    assert [(f.row, f.rule) for batch in batches for f in batch.faults] == [
        (4, "unreadable-record"),
        (5, "not-an-object"),
        (6, "unreadable-record"),
    ]
    assert reading.total == 6


def test_an_array_of_objects(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([{"a": 1}, {"a": 2}, 3]))
    _, table, batches = read(tmp_path / "a.json")
    assert table.to_pydict() == {"a": [1, 2]}
    assert [(f.row, f.rule) for batch in batches for f in batch.faults] == [(3, "not-an-object")]


def test_json_lines_under_the_name_of_json(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}\n{"a": 2}\n')
    assert read(tmp_path / "a.json")[1].num_rows == 2


def test_features_by_line(tmp_path):
    def feature(shape, **properties):
        return json.dumps({"type": "Feature", "properties": properties, "geometry": shape})

    lines = [
        feature({"type": "Point", "coordinates": [114.05, 22.54]}, name="a"),
        feature({"type": "Point", "coordinates": "x"}, name="b"),
        feature(None, name="c"),
    ]
    (tmp_path / "a.geojsonl").write_text("\x1e" + "\n\x1e".join(lines))
    reading, table, batches = read(tmp_path / "a.geojsonl")
    assert table["name"].to_pylist() == ["a", "c"]
    assert shapely.from_wkb(table[reading.geometry][0].as_py()) == shapely.Point(114.05, 22.54)
    assert [(f.row, f.rule) for batch in batches for f in batch.faults] == [(2, "broken-geometry")]


def test_codes_too_long_for_a_double_lose_no_digit(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"n": 9007199254740993}\n{"n": 1.5}\n')
    assert read(tmp_path / "a.jsonl")[1]["n"].to_pylist() == ["9007199254740993", "1.5"]
    (tmp_path / "b.jsonl").write_text('{"n": 9007199254740993}\n')
    assert read(tmp_path / "b.jsonl")[1]["n"].to_pylist() == [9007199254740993]


def test_columns_named_as_text_stay_text(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"n": 1}\n')
    assert read(tmp_path / "a.jsonl", columns_as_text=["n"])[1]["n"].to_pylist() == ["1"]
    assert code(tmp_path / "a.jsonl", columns_as_text=["m"]) == "form-unknown-column"


def test_what_is_no_table(tmp_path):
    (tmp_path / "a.jsonl").write_text("hello\n")
    assert code(tmp_path / "a.jsonl") == "form-not-a-table"
    (tmp_path / "a.json").write_text('{"title": "x"}')
    assert code(tmp_path / "a.json") == "form-not-a-table"
    (tmp_path / "b.json").write_text('[{"a": 1}, {"a"')
    assert code(tmp_path / "b.json") == "form-not-a-table"
