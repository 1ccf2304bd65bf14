"""The demo city beside real data: alike where it is calibrated or claims a rhythm."""

from __future__ import annotations

from pathlib import Path

import pytest

from jingwei.city.demo.similarity import BEGIN, END, compare, live_through, renew, table_of


@pytest.fixture(scope="module")
def likenesses(shared_data: Path):
    return {row.what: row for row in compare(live_through("S", 1), shared_data)}


def test_cases_are_as_calibrated(likenesses) -> None:
    assert likenesses["Shares of case categories"].value < 0.08
    assert abs(likenesses["Overdue share"].value) < 0.015
    assert likenesses["Cases by weekday"].value < 0.05
    assert abs(likenesses["Cases in the busiest fifth of communities"].value) < 0.15


def test_the_air_keeps_the_hours_and_months_of_real_air(likenesses) -> None:
    for pollutant in ("PM2.5", "O3", "NO2"):
        assert likenesses[f"{pollutant} by hour of the day"].value > 0.7
        assert likenesses[f"{pollutant} by month"].value > 0.7
    assert abs(likenesses["PM2.5 from hour to hour"].value) < 0.05


def test_the_page_of_the_project_shows_the_table_between_its_marks(likenesses, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    renew(page, table_of(list(likenesses.values())))
    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert text.count("\n| ") == len(likenesses) + 1
