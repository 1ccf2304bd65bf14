"""Workbooks: sheets, titles, merged and two-level headers, and archives that are not what they seem."""

import datetime as dt
import struct
import zipfile

import openpyxl
import pyarrow as pa
import pytest

from jingwei.errors import JingweiError
from jingwei.lake.forms import layers, open_form
from jingwei.lake.forms.sheet_gaps import gaps


def book(path, merges=(), **sheets):
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for merge in merges:
            sheet.merge_cells(merge)
    workbook.save(path)
    return path


def read(path, **given):
    with open_form(path, **given) as reading:
        batches = list(reading.batches(size=2))
        table = pa.Table.from_batches([batch.table for batch in batches], schema=reading.schema)
        return table, [int(row) for batch in batches for row in batch.rows]


def code(path, **given):
    with pytest.raises(JingweiError) as caught, open_form(path, **given):
        pass
    return caught.value.code


STOPS = [["站点", "经度", "纬度"], ["甲", 114.1, 22.5], ["乙", 114.2, 22]]


def test_a_plain_sheet(tmp_path):
    table, rows = read(book(tmp_path / "a.xlsx", 站点=STOPS))
    assert table.to_pydict() == {"站点": ["甲", "乙"], "经度": [114.1, 114.2], "纬度": [22.5, 22.0]}
    assert rows == [2, 3]


def test_sheets_are_layers(tmp_path):
    path = book(tmp_path / "a.xlsx", 站点=STOPS, 线路=[["名"], ["1路"]], 空=[])
    assert layers(path) == ["站点", "线路", "空"]
    assert read(path, layer="线路")[0].to_pydict() == {"名": ["1路"]}
    assert code(path) == "form-layer-needed"
    assert code(path, layer="站台") == "form-unknown-layer"


def test_the_only_filled_sheet_needs_no_name(tmp_path):
    assert read(book(tmp_path / "a.xlsx", 说明=[], 站点=STOPS))[0].num_rows == 2


def test_titles_and_empty_rows_are_passed_over(tmp_path):
    rows = [["深圳市公交站点表"], [], ["填报单位：交通局"], *STOPS[:2], [], STOPS[2]]
    table, numbers = read(book(tmp_path / "a.xlsx", merges=["A1:C1"], s=rows))
    assert table.column_names == ["站点", "经度", "纬度"]
    assert numbers == [5, 7]


def test_two_header_rows_are_joined(tmp_path):
    rows = [
        ["公交站点"],
        ["站点", "位置", None, "日期"],
        [None, "经度", "纬度", None],
        ["甲", 114.1, 22.5, dt.date(2018, 2, 8)],
    ]
    merges = ["A1:D1", "A2:A3", "B2:C2", "D2:D3"]
    table, numbers = read(book(tmp_path / "a.xlsx", merges=merges, s=rows))
    assert table.column_names == ["站点", "位置_经度", "位置_纬度", "日期"]
    assert table["日期"].type == pa.date32()
    assert numbers == [4]


def test_merged_cells_among_the_data_have_one_value(tmp_path):
    rows = [["街道", "社区"], ["龙田", "南布"], [None, "老坑"], ["碧岭", "沙湖"]]
    table, _ = read(book(tmp_path / "a.xlsx", merges=["A2:A3"], s=rows))
    assert table["街道"].to_pylist() == ["龙田", "龙田", "碧岭"]


def test_cells_of_several_kinds_become_text_without_loss(tmp_path):
    rows = [["编号", "值", "真"], ["007", 1, True], ["008", "约 2", False], [9, 2.5, None]]
    table, _ = read(book(tmp_path / "a.xlsx", s=rows))
    assert table.to_pydict() == {
        "编号": ["007", "008", "9"],
        "值": ["1", "约 2", "2.5"],
        "真": [True, False, None],
    }


def test_a_stated_header_row(tmp_path):
    rows = [["a", "b"], ["c", "d"], [1, 2]]
    assert read(book(tmp_path / "a.xlsx", s=rows), header_row=2)[0].column_names == ["c", "d"]
    assert read(book(tmp_path / "a.xlsx", s=rows), header_row=0)[1] == [1, 2, 3]


def test_a_sheet_that_starts_elsewhere_keeps_its_row_numbers(tmp_path):
    rows = [[], [None, None], [None, "名", "值"], [None, "甲", 1]]
    table, numbers = read(book(tmp_path / "a.xlsx", s=rows))
    assert table.to_pydict() == {"名": ["甲"], "值": [1]}
    assert numbers == [4]


def test_a_truncated_workbook_is_corrupt(tmp_path):
    whole = book(tmp_path / "a.xlsx", s=STOPS).read_bytes()
    (tmp_path / "t.xlsx").write_bytes(whole[: len(whole) // 2])
    assert code(tmp_path / "t.xlsx") == "form-corrupt"
    (tmp_path / "x.xlsx").write_bytes(b"no workbook at all")
    assert code(tmp_path / "x.xlsx") == "form-corrupt"
    (tmp_path / "h.xls").write_text("<html><table></table></html>")
    assert code(tmp_path / "h.xls") == "form-misnamed"


def test_an_empty_workbook_is_empty(tmp_path):
    assert code(book(tmp_path / "a.xlsx", s=[])) == "form-empty-file"


def test_a_zip_bomb_is_not_opened(tmp_path):
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (80 * 2**20))
    assert code(tmp_path / "b.xlsx") == "form-zip-bomb"


def test_a_zip_bomb_that_lies_about_its_size_is_not_opened(tmp_path):
    path = tmp_path / "l.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * (80 * 2**20))
    raw = bytearray(path.read_bytes())
    directory = raw.rfind(b"PK\x01\x02")
    struct.pack_into("<I", raw, directory + 24, 1000)
    path.write_bytes(raw)
    assert zipfile.ZipFile(path).infolist()[0].file_size == 1000
    assert code(path) == "form-zip-bomb"


def test_errors_and_formulas_without_a_result_are_told_of(tmp_path):
    rows = [["站点", "人数"], ["甲", "=1+1"], ["乙", "#N/A"], ["丙", "#DIV/0!"], ["丁", 3]]
    path = book(tmp_path / "a.xlsx", 线路=[["名"], ["=2+2"]], 站点=rows)
    with open_form(path, layer="站点") as reading:
        told = {one.about: one for one in reading.evidence}
    assert (told["cell-errors"].verdict, told["cell-errors"].figures) == (
        "#DIV/0! #N/A",
        {"cells": 2, "columns": {"人数": 2}, "rows": [3, 4]},
    )
    assert told["formulas"].figures == {"cells": 1, "columns": {"人数": 1}, "rows": [2]}
    assert "人数" in told["formulas"].reason.zh


def test_errors_are_found_in_every_part_of_a_long_sheet(tmp_path):
    rows = [["站点", "人数"], *([f"站{n}", "#REF!" if n % 1000 == 0 else n] for n in range(1, 20_001))]
    with open_form(book(tmp_path / "a.xlsx", 站点=rows)) as reading:
        [found] = [one for one in reading.evidence if one.about == "cell-errors"]
    assert found.figures["cells"] == 20
    assert found.figures["rows"] == [1 + n for n in range(1000, 20_001, 1000)]


def test_stored_results_and_texts_are_no_errors(tmp_path):
    sheet = (
        '<?xml version="1.0"?><x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>名</x:t></x:is></x:c></x:row>'
        "<x:row><x:c><x:f>1+1</x:f><x:v>2</x:v></x:c></x:row>"
        '<x:row><x:c t="str"><x:f>A1&amp;""</x:f><x:v></x:v></x:c></x:row>'
        "<x:row><x:c><x:f>1+2</x:f></x:c></x:row></x:sheetData></x:worksheet>"
    )
    path = book(tmp_path / "a.xlsx", 站点=STOPS)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else text)
    assert [(gap.row, gap.column, gap.said) for gap in gaps(path, "站点")] == [(4, 1, "")]
