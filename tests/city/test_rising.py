"""A file in the order of time is written slice by slice while it is read, and answers as any other does."""

import numpy as np
import pytest

from jingwei.access import local_person
from jingwei.city import load_pack, open_city, parse_manifest
from jingwei.keeping.compacting import compact_all
from jingwei.lake import slicing, sorting, writing
from jingwei.lake.forms import delimited, spool

ASKER = local_person()
ROWS = 12_000
DAYS = 20
FIRST = np.datetime64("2026-03-01")

SOURCE = {
    "id": "seen",
    "file": "seen.csv",
    "title": {"zh": "所见"},
    "keys": ["n"],
    "place": {"lon": "lon", "lat": "lat", "crs": "WGS84"},
    "time": {"column": "at", "zone": "Asia/Shanghai"},
}
CITY = {"id": "rising", "name": {"zh": "升"}, "adcode": "990100"}


@pytest.fixture(autouse=True)
def as_if_large(monkeypatch):
    monkeypatch.setattr(delimited, "WORTH_SPOOLING", 0)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 20_000)
    monkeypatch.setattr(spool, "GLANCED", 40)
    monkeypatch.setattr(sorting, "PIECE_ROWS", 300)
    monkeypatch.setattr(sorting, "IN_MEMORY", 100_000)
    monkeypatch.setattr(writing, "GROUPS", ((100_000, 64),))
    monkeypatch.setattr(writing, "SLICED", 1_000)
    monkeypatch.setattr(writing, "BROAD", 1)


@pytest.fixture
def went(monkeypatch):
    """How many rows had come when each slice went."""
    seen = []
    hand_on = slicing.TimedSorter.hand_on

    def watched(self, batches, cuts, take):
        def taken(slice_):
            seen.append(self.rows)
            take(slice_)

        hand_on(self, batches, cuts, taken)

    monkeypatch.setattr(slicing.TimedSorter, "hand_on", watched)
    return seen


def lines(order, days=DAYS):
    """Rows of which every hundredth has no time and every thousandth a default place; `order` is theirs."""
    random = np.random.default_rng(4)
    lon, lat = random.uniform(113.9, 114.3, ROWS).round(6), random.uniform(22.4, 22.8, ROWS).round(6)
    lon[5::1_000] = lat[5::1_000] = 0
    at = FIRST + np.arange(ROWS) * np.timedelta64(days * 86_400 // ROWS, "s")
    return [
        f"{n},{lon[n]},{lat[n]},{'' if n % 100 == 9 else str(at[n]).replace('T', ' ')},{'甲乙丙'[n % 3]}"
        for n in order
    ]


def loaded(folder, order, **more):
    folder.mkdir()
    (folder / "seen.csv").write_text("\n".join(["n,lon,lat,at,kind", *lines(order, **more), ""]), "utf-8")
    city = open_city(folder / "home", create=True)
    manifest = parse_manifest({"city": CITY, "source": [SOURCE]})
    assert load_pack(city, manifest, folder, None, ASKER).complete
    return city


def told(city):
    rows = city.lake.query(ASKER, "seen", limit=2 * ROWS).table.to_pylist()
    assert [row["jw_fact"] for row in rows] == list(range(len(rows)))
    return sorted(
        ({name: value for name, value in row.items() if name not in ("jw_fact", "jw_row")} for row in rows),
        key=lambda row: row["n"],
    )


def late(share, seed=6):
    """Every row in its place, but for a share of them that come at the end."""
    behind = np.random.default_rng(seed).random(ROWS) < share
    return [*np.flatnonzero(~behind).tolist(), *np.flatnonzero(behind).tolist()]


def test_slices_are_written_while_the_file_is_read_and_say_what_they_would_have_otherwise(tmp_path, went):
    shuffled = np.random.default_rng(5).permutation(ROWS).tolist()
    with loaded(tmp_path / "any", shuffled) as city:
        otherwise = told(city)
        assert went == []
    with loaded(tmp_path / "rising", range(ROWS)) as city:
        assert told(city) == otherwise
        assert len(went) > 8
        assert went[0] < ROWS / 4
        version = city.lake.dataset(ASKER, "seen").version
        assert len(version.content.facts) == len(went)
        assert (
            city.lake.dataset(ASKER, "seen").version.content.counts.published == len(otherwise) == ROWS - 12
        )
        assert compact_all(city, actor="test") == [], "one load's files are as they should be"


def test_rows_that_come_late_are_not_lost(tmp_path, went):
    with loaded(tmp_path / "late", late(0.005)) as city, loaded(tmp_path / "rising", range(ROWS)) as other:
        assert told(city) == told(other)
    assert went, "so few do not hold back the others"


def test_a_file_with_many_late_rows_is_read_whole_before(tmp_path, went):
    with loaded(tmp_path / "late", late(0.05)) as city:
        assert len(told(city)) == ROWS - 12
    assert went == []


def test_days_that_fill_a_file_each_are_files_of_their_own(tmp_path, went, monkeypatch):
    from jingwei.lake import store

    monkeypatch.setattr(store, "DENSE_ROWS_PER_DAY", 1_000)
    with loaded(tmp_path / "dense", range(ROWS), days=5) as city:
        facts = city.lake.dataset(ASKER, "seen").version.content.facts
        assert len(told(city)) == ROWS - 12
    days = [f"jw_day=2026-03-0{day}" for day in range(1, 6)]
    assert [file.path.split("/")[0] for file in facts] == [*days, "jw_day=__HIVE_DEFAULT_PARTITION__"]
    assert went == []
