"""What is wrong with a whole file is said clearly, before any row is read."""

import os
from pathlib import Path

import pytest

from jingwei.errors import JingweiError
from jingwei.lake.forms import digest, layers, open_form


def message(path: Path, **given) -> JingweiError:
    with pytest.raises(JingweiError) as caught, open_form(path, **given):
        pass
    for text in (caught.value.what, caught.value.mend):
        assert text is None or (text.zh and text.en)
    return caught.value


def test_a_missing_file_names_near_misses(tmp_path):
    (tmp_path / "bus_stops.csv").write_text("a\n1\n")
    error = message(tmp_path / "bus_stop.csv")
    assert error.code == "form-missing-file"
    assert "bus_stops.csv" in error.mend.en


def test_a_missing_folder_is_said_so(tmp_path):
    assert "does not exist" in message(tmp_path / "nowhere" / "a.csv").mend.en


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "d.csv").mkdir()
    assert message(tmp_path / "d.csv").code == "form-directory"


@pytest.mark.parametrize("name", ["e.csv", "e.parquet", "e.geojson"])
def test_an_empty_file_is_refused(tmp_path, name):
    (tmp_path / name).touch()
    assert message(tmp_path / name).code == "form-empty-file"


def test_a_file_of_blank_lines_is_empty(tmp_path):
    (tmp_path / "b.csv").write_text("\n \n\n")
    assert message(tmp_path / "b.csv").code == "form-empty-file"


def test_an_unknown_form_lists_the_known(tmp_path):
    (tmp_path / "a.docx").write_bytes(b"PK")
    error = message(tmp_path / "a.docx")
    assert error.code == "form-unknown"
    assert ".parquet" in error.mend.en


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_said_so(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    assert message(path).code == "form-unreadable"


@pytest.mark.parametrize(
    "content",
    [
        b"PAR1....",
        b"PK\x03\x04....",
        b"%PDF-1.7",
        b"\0" * 9_999,
        bytes(range(256)) * 40,
        b"\xd0\xcf\x11\xe0....",
    ],
)
def test_another_form_under_the_name_of_a_text_is_said_so(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    assert message(tmp_path / "a.csv").code == "form-misnamed"


def test_a_truncated_parquet_is_corrupt(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + b"\0" * 100)
    assert message(tmp_path / "t.parquet").code == "form-corrupt"


def test_a_truncated_geojson_is_corrupt(tmp_path):
    (tmp_path / "t.geojson").write_text('{"type": "FeatureCollection", "features": [{"type"')
    assert message(tmp_path / "t.geojson").code == "form-corrupt"


def test_a_wrong_encoding_names_the_fitting(tmp_path):
    path = tmp_path / "g.csv"
    path.write_bytes(("名称,值\n" + "深圳市公交站点名称,1\n" * 20).encode("gb18030"))
    error = message(path, encoding="utf-8")
    assert error.code == "form-wrong-encoding"
    assert "gb18030" in error.mend.en
    assert message(path, encoding="utf-99").code == "form-wrong-encoding"


def test_an_unknown_text_column_names_near_misses(tmp_path):
    (tmp_path / "c.csv").write_text("street_id,v\n1,2\n")
    assert "street_id" in message(tmp_path / "c.csv", columns_as_text=["streetid"]).mend.en


def test_the_digest_is_of_the_bytes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"abc")
    assert digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert layers(path) == [""]


@pytest.mark.parametrize(
    ("name", "content", "really"),
    [
        ("a.xls", "<html><body><table><tr><td>1</td></tr></table>", "HTML"),
        ("a.xls", '<?xml version="1.0"?><Workbook/>', "XML"),
        ("a.xlsx", "编号,名称\n1,甲\n", "CSV"),
    ],
)
def test_a_text_named_as_a_workbook_is_told_for_what_it_is(tmp_path, name, content, really):
    (tmp_path / name).write_text(content)
    error = message(tmp_path / name)
    assert (error.code, really in error.what.zh) == ("form-misnamed", True)


def test_an_export_handed_in_again_is_read_without_the_columns_that_the_export_added(tmp_path):
    (tmp_path / "a.csv").write_text("编号,jw_cell,jw_level,jw_time,jw_row,jw_own\n1,5,32,2018-01-01,2,x\n")
    with open_form(tmp_path / "a.csv") as reading:
        assert reading.columns == ["编号", "jw_own"]
        assert [batch.table.num_columns for batch in reading.batches()] == [2]
        assert reading.evidence[-1].verdict == "left out"


def test_json_nested_without_end_is_no_table(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 50_000 + "]" * 50_000)
    assert message(tmp_path / "deep.json").code == "form-not-a-table"
