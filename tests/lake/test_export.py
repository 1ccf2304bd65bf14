"""What is exported is what may be seen, and a spreadsheet runs nothing of it."""

import csv

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei.lake.export import _formula_safe

RUN = [
    "=1+1",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "|cmd",
    "%x",
]


@pytest.mark.parametrize("text", RUN)
def test_what_a_spreadsheet_might_run_is_text(text):
    assert _formula_safe(text) == "'" + text


@pytest.mark.parametrize("value", ["-5", "+8.25", "-1e9", "2026-01-01", "文三路", "", None, 7, -3.5, "a=b"])
def test_what_is_harmless_stays_as_it_is(value):
    assert _formula_safe(value) == value


def test_a_list_is_written_as_text():
    assert _formula_safe(["=x", 1]) == '["=x", 1]'


@given(st.text(min_size=1))
def test_no_text_begins_as_a_formula(text):
    shown = _formula_safe(text)
    assert shown[-len(text) :] == text
    if shown.strip()[:1] in ("=", "@"):
        pytest.fail(shown)


def test_a_workbook_made_from_it_holds_no_formula(tmp_path):
    path = tmp_path / "x.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([_formula_safe(text)] for text in RUN)
    book = openpyxl.Workbook()
    for row in csv.reader(path.open(encoding="utf-8-sig", newline="")):
        book.active.append(row)
    assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)
