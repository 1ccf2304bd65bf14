"""The three planted measures: what a study of the departments' own files finds of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from jingwei.city.demo import build_town, settings_of
from jingwei.city.demo.files_series import write_series
from jingwei.city.demo.pack import Pack
from jingwei.city.demo.truth import measures_of

YEAR = 364  # days: a whole number of weeks
Study = Callable[..., tuple[float, float]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    pack = Pack(tmp_path_factory.mktemp("files"), build_town(settings_of("S", 2)))
    write_series(pack, lambda _stage, _share: None)
    return pack


@pytest.fixture(scope="module")
def measures(files: Pack) -> dict[str, dict[str, Any]]:
    return {measure["id"]: measure for measure in measures_of(files.town)}


def panel(path: Path, hours: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return devices, days (since 1970) and the mean of each device on each day within some hours."""
    table = pq.read_table(path)
    device, moment, value = (table.column(number).to_numpy() for number in range(3))
    second = moment.astype("datetime64[s]").astype(np.int64)
    hour = second // 3600 % 24
    within = (hour >= hours[0]) & (hour < hours[1])
    names, unit = np.unique(device[within].astype(str), return_inverse=True)
    days, day = np.unique(second[within] // 86_400, return_inverse=True)
    cell = unit * len(days) + day
    count = np.bincount(cell, minlength=len(names) * len(days))
    total = np.bincount(cell, value[within], minlength=len(names) * len(days))
    with np.errstate(invalid="ignore"):
        return names, days, (total / np.where(count > 0, count, np.nan)).reshape(len(names), len(days))


def difference_in_differences(
    values: np.ndarray, days: np.ndarray, treated: np.ndarray, began: str
) -> tuple[float, float]:
    """Return the effect on the treated, and the change of the others, both in logarithms.

    Every day after the beginning is set against the same weekday 52 weeks before, so that seasons fall out;
    then the change of the treated is set against that of the others, so that what befell all falls out.
    """
    start = int(np.searchsorted(days, (date.fromisoformat(began) - date(1970, 1, 1)).days))
    end = min(len(days), start + YEAR)
    logs = np.log(values)
    change = np.nanmedian(logs[:, start:end] - logs[:, start - YEAR : end - YEAR], axis=1)
    return float(change[treated].mean() - change[~treated].mean()), float(change[~treated].mean())


def community_study(files: Pack, file: str, measure: dict[str, Any]) -> tuple[float, float]:
    text = (files.folder / "社区总表.csv").read_bytes().decode("gb18030").encode()
    text_columns = {"设备编码": pyarrow.string(), "社区代码": pyarrow.string()}
    options = pyarrow.csv.ConvertOptions(column_types=text_columns)
    meters = pyarrow.csv.read_csv(pyarrow.BufferReader(text), convert_options=options).to_pydict()
    community = dict(zip(meters["设备编码"], meters["社区代码"], strict=True))
    names, days, values = panel(files.folder / file, (0, 24))
    treated = np.array([community[name] in measure["treated"] for name in names])
    return difference_in_differences(values, days, treated, measure["began"])


def test_water_saving_saves_twelve_per_cent(files: Pack, measures: dict[str, dict[str, Any]]) -> None:
    measure = measures["water-saving"]
    effect, others = community_study(files, "社区用水.parquet", measure)
    assert measure["true_effect"] == -0.12
    assert np.expm1(effect) == pytest.approx(measure["true_effect"], abs=0.01)
    assert abs(others) < 0.03


def test_new_lights_save_nothing(files: Pack, measures: dict[str, dict[str, Any]]) -> None:
    measure = measures["lighting"]
    effect, _ = community_study(files, "社区用电.parquet", measure)
    assert measure["true_effect"] == 0.0
    assert abs(np.expm1(effect)) < 0.01


def test_staggered_travel_does_nothing_though_the_whole_city_drives_faster(
    files: Pack, measures: dict[str, dict[str, Any]]
) -> None:
    measure = measures["staggered-travel"]
    names, days, values = panel(files.folder / "路段车速.parquet", (7, 10))
    broken = {fault["device"] for fault in files.truth.devices if fault["source"] == "road_speeds"}
    working = np.array([name not in broken for name in names])
    treated = np.array([name in measure["treated"] for name in names])
    effect, others = difference_in_differences(values[working], days, treated[working], measure["began"])
    assert measure["true_effect"] == 0.0
    assert abs(np.expm1(effect)) < 0.01
    assert others > 0.02, "the treated alone, before and after, would seem to have gained"
