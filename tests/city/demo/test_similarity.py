"""The demo city beside real data: alike where it is calibrated or claims a rhythm."""

from __future__ import annotations

from pathlib import Path

import pytest

from jingwei.city.demo.similarity import BEGIN, END, compare, live_through, renew, table_of
from jingwei.city.likeness import Likeness, keep, measured


@pytest.fixture(scope="module")
def likenesses(shared_data: Path) -> dict[str, Likeness]:
    return {row.what.en: row for row in compare(live_through("S", 1), shared_data)}


def test_cases_are_as_calibrated(likenesses: dict[str, Likeness]) -> None:
    assert likenesses["Shares of case categories"].value < 0.08
    assert abs(likenesses["Overdue share"].value) < 0.015
    assert likenesses["Cases by weekday"].value < 0.05
    assert abs(likenesses["Cases in the busiest fifth of communities"].value) < 0.15


def test_the_air_keeps_the_hours_and_months_of_real_air(likenesses: dict[str, Likeness]) -> None:
    for pollutant in ("PM2.5", "O3", "NO2"):
        assert likenesses[f"{pollutant} by hour of the day"].value > 0.7
        assert likenesses[f"{pollutant} by month"].value > 0.7
    assert abs(likenesses["PM2.5 from hour to hour"].value) < 0.05


def test_trips_are_as_long_and_as_late_as_real_ones(likenesses: dict[str, Likeness]) -> None:
    assert likenesses["Taxi trips by hour of the day"].value < 0.04
    assert likenesses["Lengths of taxi trips, scale S"].value < 0.3
    assert likenesses["Lengths of taxi trips, scale M"].value < 0.08
    assert abs(likenesses["Commutes within 5 km, scale M"].value) < 0.2


def test_what_the_pages_show_is_what_is_measured(likenesses: dict[str, Likeness]) -> None:
    shown = {row.what.en: row for row in measured()}
    assert list(shown) == list(likenesses)
    for name, row in likenesses.items():
        assert shown[name].value == pytest.approx(row.value, abs=0.005), f"run `make likeness`: {name}"
        assert shown[name].demo == row.demo, f"run `make likeness`: {name}"


def test_the_documentation_holds_the_table_that_the_pages_show() -> None:
    page = Path(__file__).parents[3] / "docs" / "demo-city.md"
    text = page.read_text("utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == table_of(measured())


def test_the_table_is_kept_as_it_was_measured(tmp_path: Path) -> None:
    keep(measured(), tmp_path / "table.json")
    assert measured(tmp_path / "table.json") == measured()


def test_the_table_is_renewed_between_its_marks(likenesses: dict[str, Likeness], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    renew(page, table_of(list(likenesses.values())))
    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert text.count("\n| ") == len(likenesses) + 1
